#include "lib/cloud/choice.h"

#include <errno.h>
#include <stdlib.h>

int wr_choice_init(struct wr_choice *c, struct wr_names *names,
                   struct wr_spool *spool, const struct wr_budget *budget,
                   int batch) {
  int most = batch > WR_NAMES_MAX ? batch : WR_NAMES_MAX;
  *c = (struct wr_choice){.names = names, .spool = spool, .budget = budget};
  c->rows = calloc((size_t)most, sizeof(*c->rows));
  return c->rows != NULL ? 0 : -ENOMEM;
}

void wr_choice_free(struct wr_choice *c) {
  free(c->rows);
  c->rows = NULL;
}

bool wr_row_is_fresh(const struct wr_row *row, int64_t wall_us) {
  int64_t age_us = wall_us - row->time_us;
  return age_us <= WR_LIVE_AGE_US && age_us >= -WR_LIVE_AGE_US;
}

static bool may_send(const struct wr_choice *c, int i) {
  const struct wr_property *q = c->names->at + i;
  bool route = wr_property_id(q) != NULL ||
               (wr_property_name(q) != NULL && !c->names->no_many);
  return route && !q->missing && !q->misfit &&
         (q->kind != WR_VALUE_NUMBER || wr_budget_left(c->budget) > 0);
}

/* Is this newest row of its property to be shown live? Rows accepted before
 * the one shown last are history, whatever their time stamps say: the clock may
 * have been set. One whose first sending had no answer may be there already: it
 * goes with its time stamp, so that it cannot be there twice. */
static bool is_live(const struct wr_choice *c, const struct wr_row *row,
                    int64_t wall_us) {
  const struct wr_property *q = c->names->at + row->property;
  if (row->seq <= q->shown_seq)
    return false;
  return c->names->no_batch || row->seq != q->tried_seq ||
         !wr_row_is_fresh(row, wall_us);
}

int wr_choose_live(struct wr_choice *c, const struct wr_moment *t) {
  int count = 0, states = 0;
  for (int i = 0; i < c->names->count && count < WR_NAMES_MAX; i++) {
    struct wr_row row;
    if (!may_send(c, i) || !wr_spool_newest(c->spool, i, &row) ||
        !is_live(c, &row, t->wall_us))
      continue;
    c->rows[count++] = row;
    if (row.state) {
      c->rows[count - 1] = c->rows[states];
      c->rows[states++] = row;
    }
  }
  return count;
}

/* The property that has waited longest; -1: none. */
static int longest(const struct wr_choice *c, const struct wr_moment *t) {
  int best = -1;
  int64_t oldest_us = 0;
  struct wr_row row, newest;
  for (int i = 0; i < c->names->count; i++) {
    if (!may_send(c, i) || wr_spool_oldest(c->spool, i, &row, 1) == 0 ||
        (best >= 0 && row.time_us >= oldest_us) ||
        !wr_spool_newest(c->spool, i, &newest) ||
        (newest.seq == row.seq && is_live(c, &row, t->wall_us)))
      continue;
    best = i;
    oldest_us = row.time_us;
  }
  return best;
}

int wr_choose_old(struct wr_choice *c, const struct wr_moment *t) {
  struct wr_row newest;
  int best = longest(c, t);
  if (best < 0)
    return 0;
  const struct wr_property *q = c->names->at + best;
  int64_t max = c->names->no_batch ? 1 : q->batch;
  if (q->kind == WR_VALUE_NUMBER && max > wr_budget_left(c->budget))
    max = wr_budget_left(c->budget);
  int count = wr_spool_oldest(c->spool, best, c->rows, (int)max);
  if (count > 1 && wr_spool_newest(c->spool, best, &newest) &&
      c->rows[count - 1].seq == newest.seq && is_live(c, &newest, t->wall_us))
    count--;
  return count;
}
