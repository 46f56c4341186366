/* label_report: when a label goes back to the M4, and in which words.
 *
 * Labels are offered as they come; the report is due when the label changes
 * (or with every newer one, if on_change is false), and again every
 * heartbeat_ms, so that an M4 that restarted knows the state within one
 * heartbeat. Only the newest label is kept: one that was overtaken before it
 * could be sent is not sent. A failed send is repeated with back-off.
 * Times: monotonic now_ms; time_us is that of the classified sample.
 * Threads: none of its own; the caller locks. */
#ifndef WR_LABEL_REPORT_H
#define WR_LABEL_REPORT_H

#include "lib/base/backoff.h"
#include "lib/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define WR_LABEL_MAX 128 /* bytes with the NUL */

struct wr_label_report {
  bool on_change;
  int64_t heartbeat_ms; /* 0: none */
  struct wr_backoff backoff;
  /* State, zero at first: */
  char label[WR_LABEL_MAX]; /* "": none yet */
  double score;             /* 0..1 */
  int64_t time_us;
  uint64_t version; /* rises when there is something new to send */
  uint64_t sent;    /* version that the M4 has */
  int64_t sent_ms;
};

/* True when the report became due by it. A label older than the last one, an
 * empty one and one that is too long are ignored. */
bool wr_label_report_offer(struct wr_label_report *r, const char *label,
                           double score, int64_t time_us);
/* Milliseconds until the report is due, 0: now; INT64_MAX: not in sight. */
int64_t wr_label_report_wait(const struct wr_label_report *r, int64_t now_ms);
/* Notes how sending `version` ended; after a failure the next try waits for
 * at least rest_ms. */
void wr_label_report_done(struct wr_label_report *r, uint64_t version, bool ok,
                          int64_t now_ms, uint32_t random, int64_t rest_ms);

/* Appends {"label":"...","value":0.97}. 0, or what wr_bytes_append() says. */
int wr_label_report_write(struct wr_bytes *out, const char *label,
                          double score);

#endif
