/* choice: which rows of the spool go next. Pure but for reading the spool.
 *
 * The order is that of arrival, whatever the time stamps say. Live rows are the
 * newest of each property, in one request, states first: those that arrived
 * since the start and whose values keep coming; what an earlier process left,
 * or a source that fell silent, is history only. A state that was shown is
 * shown again when `again` is set. Old rows are of one property, the one whose
 * first has waited longest; the newest is left out while it still is to be
 * shown.
 *
 * A row that failed is stepped over for a while (wr_property.skips) and then
 * tried alone.
 *
 * Time stamps of old rows: where the clock was set since (or is set wrong now,
 * which the service's own clock tells), the stamp is moved by the same amount.
 * One that lies beyond the present all the same cannot be true: the row is
 * `bare`, to go without a stamp.
 * Threads: one at a time. */
#ifndef WR_CHOICE_H
#define WR_CHOICE_H

#include "lib/cloud/names.h"
#include "lib/cloud/publish_policy.h"

#define WR_LIVE_AGE_US 10000000
#define WR_BATCH_MAX 1000
#define WR_CLOCK_SLACK_US 3000000  /* less is no step */
#define WR_CLOCK_AHEAD_US 60000000 /* more cannot be true */

struct wr_choice {
  struct wr_names *names;
  struct wr_spool *spool;
  const struct wr_budget *budget;
  int64_t first_seq;   /* rows up to it are of an earlier process */
  int64_t passed;      /* batches that have passed */
  struct wr_row *rows; /* what was chosen */
  bool bare;           /* it is one row, without a time stamp */
};

/* -ENOMEM or 0. The pointers are borrowed. */
int wr_choice_init(struct wr_choice *c, struct wr_names *names,
                   struct wr_spool *spool, const struct wr_budget *budget,
                   int batch);
void wr_choice_free(struct wr_choice *c);

/* Each fills c->rows and returns the number of rows. `present_us`, here and
 * below: by the service's clock, or 0 when only ours is known. */
int wr_choose_live(struct wr_choice *c, const struct wr_moment *t);
int wr_choose_old(struct wr_choice *c, const struct wr_moment *t,
                  int64_t present_us);
/* The oldest stamp of the rows that have waited longest; 0: nothing waits. */
int64_t wr_choice_oldest_us(const struct wr_choice *c);

/* Young enough to be stamped by the cloud on arrival? By the clock that stamped
 * it, should that have been set since. */
bool wr_row_is_fresh(const struct wr_row *row, const struct wr_moment *t);
/* Repairs the time stamp of a row; false: it can have none. */
bool wr_row_stamp(struct wr_row *row, const struct wr_moment *t,
                  int64_t present_us);
/* The service is taken to lack the call at the moment. */
bool wr_choice_no_many(const struct wr_choice *c, const struct wr_moment *t);
bool wr_choice_no_batch(const struct wr_choice *c, const struct wr_moment *t);

#endif
