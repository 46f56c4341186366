/* sending: rows to the cloud, and what becomes of them.
 *
 * A live value is stamped by the cloud on arrival; one that is older than
 * WR_LIVE_AGE_US stays in the backlog, to be recorded with its own time.
 *
 * A value is recorded with its own time once, and once more for each request
 * with it that ended without an answer, each kill, power cut and failure of the
 * disk or of memory; one that was shown in time is not recorded besides. A
 * state may be shown, and end a batch, again.
 *
 * No failure costs a value. After one, the names are asked for: their answer
 * proves that the way is open. Only what fails although the way is open is at
 * fault itself, and is made smaller: a request of several goes one by one, a
 * batch is halved, whatever the status or the lack of one. A single row that
 * fails for WR_STEP_AFTER_MS is stepped over: the next batch goes instead. When
 * that has passed, or after a minute, the row is tried once more; it is
 * rejected if other values have passed since and the service then refuses it in
 * its own words again, else it is tried every ten minutes.
 *
 * A 404 of a call is doubted: `publish` of several is replaced by single ones
 * for ten minutes, which means the same; `publish_batch` is believed missing
 * only after ten minutes of 404 beside names that are answered, and asked again
 * every ten minutes; meanwhile the backlog goes without time stamps.
 *
 * After every failure the current states are shown again.
 * Threads: one at a time. */
#ifndef WR_SENDING_H
#define WR_SENDING_H

#include "lib/cloud/choice.h"

#define WR_STEP_AFTER_MS 15000
#define WR_STEP_BACK_MS 600000
#define WR_ABSENT_MS 600000
#define WR_SINGLE_MS 60000 /* one by one after a failure of several */

struct wr_sending {
  struct wr_link *link;
  struct wr_names *names;
  struct wr_spool *spool;
  struct wr_budget *budget;
  struct wr_choice *choice;
  int batch;             /* rows of a batch, at most */
  int64_t one_by_one_ms; /* until then */
  struct wr_pace pace;   /* of live requests that are refused */
  int64_t passed;        /* requests */
  int64_t published, backfilled, rejected; /* values */
  char refusal[384];                       /* the newest rejected value */
};

/* Send the first of the rows chosen, one request; they are used up. */
void wr_send_live(struct wr_sending *s, const struct wr_moment *t, int count);
void wr_send_old(struct wr_sending *s, const struct wr_moment *t, int count);

#endif
