/* choice: which rows of the spool go next. Pure but for reading the spool.
 *
 * Live rows are the newest of each property, in one request, states first. Old
 * rows are of one property, the one that has waited longest, oldest first; the
 * newest of it is left out while it still is to be shown live.
 * Threads: one at a time. */
#ifndef WR_CHOICE_H
#define WR_CHOICE_H

#include "lib/cloud/names.h"
#include "lib/cloud/publish_policy.h"

#define WR_LIVE_AGE_US 10000000
#define WR_BATCH_MAX 1000

struct wr_choice {
  struct wr_names *names;
  struct wr_spool *spool;
  const struct wr_budget *budget;
  struct wr_row *rows; /* what was chosen */
};

/* -ENOMEM or 0. The pointers are borrowed. */
int wr_choice_init(struct wr_choice *c, struct wr_names *names,
                   struct wr_spool *spool, const struct wr_budget *budget,
                   int batch);
void wr_choice_free(struct wr_choice *c);

/* Each fills c->rows and returns the number of rows. */
int wr_choose_live(struct wr_choice *c, const struct wr_moment *t);
int wr_choose_old(struct wr_choice *c, const struct wr_moment *t);

/* Young enough to be stamped by the cloud on arrival? */
bool wr_row_is_fresh(const struct wr_row *row, int64_t wall_us);

#endif
