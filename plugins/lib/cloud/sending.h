/* sending: rows to the cloud, and what becomes of them.
 *
 * A live value is stamped by the cloud on arrival; one that is older than
 * WR_LIVE_AGE_US stays in the backlog, to be recorded with its own time. Where
 * `publish` of several or `publish_batch` answers 404, the service does not
 * know it: values go one at a time from then on, without time stamps. Refused
 * batches are halved, single values rejected. Threads: one at a time. */
#ifndef WR_SENDING_H
#define WR_SENDING_H

#include "lib/cloud/choice.h"

struct wr_sending {
  struct wr_link *link;
  struct wr_names *names;
  struct wr_spool *spool;
  struct wr_budget *budget;
  int batch;       /* rows of a batch, at most */
  bool one_by_one; /* after a 400 to several: find the culprit */
  int64_t published, backfilled, rejected; /* values */
  char refusal[384];                       /* the newest rejected value */
};

/* Send the first rows of `rows`, one request; `rows` is used up. */
void wr_send_live(struct wr_sending *s, const struct wr_moment *t,
                  struct wr_row *rows, int count);
void wr_send_old(struct wr_sending *s, const struct wr_moment *t,
                 struct wr_row *rows, int count);

#endif
