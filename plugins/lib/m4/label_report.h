/* label_report: when a label goes back to the M4, and in which words.
 *
 * Labels are offered as they come, and the order of their coming is their
 * order: no time stamp is looked at, clocks jump. The report is due when the
 * label changes (or with every window, if on_change is false), and again every
 * heartbeat_ms, so that an M4 that restarted knows the state within one
 * heartbeat. Only the newest label is kept: one that was overtaken before it
 * could be sent is not sent. A failed send is repeated with back-off.
 * An old label is no label: when none came for max_age_ms (0: three intervals
 * of the labels, at least WR_LABEL_AGE_MS) the M4 is told WR_LABEL_UNKNOWN, at
 * once and at each heartbeat, until a label comes. That also holds for the
 * first one after the start.
 * Times: monotonic now_ms. Threads: none of its own; the caller locks. */
#ifndef WR_LABEL_REPORT_H
#define WR_LABEL_REPORT_H

#include "lib/base/backoff.h"
#include "lib/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define WR_LABEL_MAX 128 /* bytes with the NUL */
#define WR_LABEL_UNKNOWN "unknown"
#define WR_LABEL_AGE_MS 30000       /* three windows of ten seconds */
#define WR_LABEL_HEARTBEAT_MS 60000 /* by default */
#define WR_LABEL_BACKOFF WR_BACKOFF_INIT(2000, 2000, 30000)

struct wr_label_report {
  bool on_change;
  int64_t heartbeat_ms; /* 0: none */
  int64_t max_age_ms;   /* 0: see above */
  struct wr_backoff backoff;
  /* State, zero at first: */
  char label[WR_LABEL_MAX]; /* "": none yet */
  double score;             /* 0..1 */
  int64_t window;           /* of the label */
  int64_t expires_ms;       /* 0: not started; INT64_MAX: it is unknown */
  uint64_t version;         /* rises when there is something new to send */
  uint64_t sent;            /* version that the M4 has */
  int64_t sent_ms;
};

/* From here on the age counts. */
void wr_label_report_start(struct wr_label_report *r, int64_t now_ms);
/* True when the report became due by it. `window` tells windows apart, whose
 * values all carry the label; `interval_ms`: until the next, 0: not known. An
 * empty label and one that is too long are ignored. */
bool wr_label_report_offer(struct wr_label_report *r, const char *label,
                           double score, int64_t window, int64_t interval_ms,
                           int64_t now_ms);
/* Milliseconds until the report is due, 0: now; INT64_MAX: not in sight. Makes
 * a label that is too old unknown. */
int64_t wr_label_report_wait(struct wr_label_report *r, int64_t now_ms);
/* Notes how sending `version` ended; after a failure the next try waits for
 * at least rest_ms. */
void wr_label_report_done(struct wr_label_report *r, uint64_t version, bool ok,
                          int64_t now_ms, uint32_t random, int64_t rest_ms);
/* What was sent last was lost: it is due again, after a back-off. */
void wr_label_report_lost(struct wr_label_report *r, int64_t now_ms,
                          uint32_t random);

/* Appends {"label":"...","value":0.97}. 0, or what wr_bytes_append() says. */
int wr_label_report_write(struct wr_bytes *out, const char *label,
                          double score);

#endif
