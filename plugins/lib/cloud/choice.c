#include "lib/cloud/choice.h"

#include <errno.h>
#include <stdlib.h>

int wr_choice_init(struct wr_choice *c, struct wr_names *names,
                   struct wr_spool *spool, const struct wr_budget *budget,
                   int batch) {
  int most = batch > WR_NAMES_MAX ? batch : WR_NAMES_MAX;
  *c = (struct wr_choice){.names = names,
                          .spool = spool,
                          .budget = budget,
                          .first_seq = wr_spool_seq(spool)};
  c->rows = calloc((size_t)most + WR_SKIPS_MAX, sizeof(*c->rows));
  return c->rows != NULL ? 0 : -ENOMEM;
}

void wr_choice_free(struct wr_choice *c) {
  free(c->rows);
  c->rows = NULL;
}

bool wr_row_is_fresh(const struct wr_row *row, const struct wr_moment *t) {
  bool known = row->clock_us != WR_CLOCK_UNKNOWN;
  int64_t now_us = known ? t->now_ms * 1000 + row->clock_us : t->wall_us;
  int64_t age_us = now_us - row->time_us;
  return age_us <= WR_LIVE_AGE_US && age_us >= -WR_LIVE_AGE_US;
}

bool wr_choice_no_many(const struct wr_choice *c, const struct wr_moment *t) {
  return t->now_ms < c->names->no_many_ms;
}

bool wr_choice_no_batch(const struct wr_choice *c, const struct wr_moment *t) {
  return t->now_ms < c->names->no_batch_ms;
}

static bool may_send(const struct wr_choice *c, const struct wr_moment *t,
                     int i) {
  const struct wr_property *q = c->names->at + i;
  bool route = wr_property_id(q) != NULL ||
               (wr_property_name(q) != NULL && !wr_choice_no_many(c, t));
  return route && !q->missing && !q->misfit;
}

/* --- live --- */

/* Is this newest row of its property to be shown live? One whose first sending
 * had no answer may be there already: it goes with its time stamp. */
static bool is_live(const struct wr_choice *c, const struct wr_row *row,
                    const struct wr_moment *t) {
  const struct wr_property *q = c->names->at + row->property;
  if (!q->alive || row->seq <= c->first_seq || row->seq <= q->shown_seq ||
      (row->seq == q->hidden_seq && t->now_ms < q->hidden_until_ms))
    return false;
  return wr_choice_no_batch(c, t) || row->seq != q->tried_seq ||
         !wr_row_is_fresh(row, t);
}

static void keep_last(struct wr_property *q, const struct wr_row *row) {
  if (q->kind == WR_VALUE_NUMBER || (q->has_last && row->seq <= q->last.seq))
    return;
  q->last = *row;
  q->has_last = true;
}

/* What came last, as far as anybody knows. */
static bool is_newest(const struct wr_choice *c, const struct wr_property *q) {
  return q->has_last && q->last.seq > wr_spool_hidden(c->spool);
}

static bool live_row(struct wr_choice *c, const struct wr_moment *t, int i,
                     struct wr_row *row) {
  struct wr_property *q = c->names->at + i;
  bool found = wr_spool_newest(c->spool, i, row) && row->seq > c->first_seq;
  if (found)
    keep_last(q, row);
  if (found && is_live(c, row, t))
    return q->kind != WR_VALUE_NUMBER || wr_budget_left(c->budget) > 0;
  if (!q->again || !is_newest(c, q) || !q->alive ||
      (q->last.seq == q->hidden_seq && t->now_ms < q->hidden_until_ms))
    return false;
  *row = q->last;
  return true;
}

int wr_choose_live(struct wr_choice *c, const struct wr_moment *t) {
  int count = 0, states = 0;
  for (int i = 0; i < c->names->count; i++) {
    struct wr_row row;
    if (!may_send(c, t, i) || !live_row(c, t, i, &row))
      continue;
    c->rows[count++] = row;
    if (c->names->at[i].kind != WR_VALUE_NUMBER) {
      c->rows[count - 1] = c->rows[states];
      c->rows[states++] = row;
    }
  }
  return count;
}

/* --- time stamps --- */

static bool far(int64_t a, int64_t b) {
  return a - b > WR_CLOCK_SLACK_US || b - a > WR_CLOCK_SLACK_US;
}

/* By how much the clock was wrong when the row arrived; 0: it was right, or
 * nothing is known. Without the service's clock only what lies beyond our own
 * present is known to be wrong. */
static int64_t shift_of(const struct wr_row *row, const struct wr_moment *t,
                        int64_t present_us) {
  if (row->clock_us == WR_CLOCK_UNKNOWN)
    return 0;
  if (present_us == 0 && row->time_us <= t->wall_us + WR_CLOCK_SLACK_US)
    return 0;
  int64_t now_us = present_us != 0 ? present_us : t->wall_us;
  int64_t true_us = now_us - t->now_ms * 1000;
  return far(true_us, row->clock_us) ? true_us - row->clock_us : 0;
}

bool wr_row_stamp(struct wr_row *row, const struct wr_moment *t,
                  int64_t present_us) {
  char text[64];
  int64_t now_us = present_us != 0 ? present_us : t->wall_us;
  int64_t moved_us;
  if (__builtin_add_overflow(row->time_us, shift_of(row, t, present_us),
                             &moved_us))
    return false;
  row->time_us = moved_us;
  return wr_cloud_time(text, sizeof(text), moved_us) == 0 &&
         moved_us <= now_us + WR_CLOCK_AHEAD_US;
}

/* --- old --- */

static struct wr_skip *skip_of(struct wr_property *q, int64_t seq) {
  for (int i = 0; i < q->skip_count; i++)
    if (q->skips[i].seq == seq)
      return q->skips + i;
  return NULL;
}

/* Up to `max` rows from the first one on, without those stepped over. */
static int heads(const struct wr_choice *c, int i, struct wr_row *rows,
                 int max) {
  struct wr_property *q = c->names->at + i;
  int kept = 0;
  int count = wr_spool_oldest(c->spool, i, 0, rows, max + q->skip_count);
  for (int k = 0; k < count && kept < max; k++)
    if (skip_of(q, rows[k].seq) == NULL)
      rows[kept++] = rows[k];
  return kept;
}

/* Without an id a row cannot have its time stamp: it waits for the names. */
static bool must_wait(const struct wr_choice *c, int i) {
  const struct wr_property *q = c->names->at + i;
  if (wr_property_id(q) == NULL && !c->names->unserved)
    return true;
  int64_t left = c->budget->daily == 0 ? INT64_MAX
                 : q->kind == WR_VALUE_NUMBER
                     ? wr_budget_left_old(c->budget)
                     : c->budget->daily - c->budget->spent.used;
  return left <= 0;
}

/* A row that was stepped over and whose turn has come; it goes alone. */
static bool due_skip(const struct wr_choice *c, const struct wr_moment *t,
                     int i) {
  struct wr_property *q = c->names->at + i;
  for (int k = 0; k < q->skip_count;) {
    struct wr_skip *s = q->skips + k;
    if (wr_spool_oldest(c->spool, i, s->seq - 1, c->rows, 1) == 0 ||
        c->rows[0].seq != s->seq) { /* it is gone */
      *s = q->skips[--q->skip_count];
      continue;
    }
    if (t->now_ms >= s->until_ms || (!s->tried && c->passed > s->passed))
      return true;
    k++;
  }
  return false;
}

/* The property whose first row has waited longest; -1: none. */
static int longest(const struct wr_choice *c, const struct wr_moment *t) {
  int best = -1;
  int64_t first_seq = INT64_MAX;
  struct wr_row rows[1 + WR_SKIPS_MAX], newest;
  for (int i = 0; i < c->names->count; i++) {
    if (!may_send(c, t, i) || must_wait(c, i) ||
        wr_pace_wait(&c->names->at[i].pace, t->now_ms) > 0 ||
        heads(c, i, rows, 1) == 0 || rows[0].seq >= first_seq ||
        !wr_spool_newest(c->spool, i, &newest) ||
        (newest.seq == rows[0].seq && is_live(c, rows, t)))
      continue;
    best = i;
    first_seq = rows[0].seq;
  }
  return best;
}

/* Rows up to the first that can have no stamp; that one alone. */
static int stamp_all(struct wr_choice *c, const struct wr_moment *t,
                     int64_t present_us, int count) {
  for (int k = 0; k < count; k++) {
    if (wr_row_stamp(c->rows + k, t, present_us))
      continue;
    c->bare = k == 0;
    return k == 0 ? 1 : k;
  }
  return count;
}

/* The last thing that the last batch of states says is what is so now, should
 * the service take it for that. */
static int end_with_current(struct wr_choice *c, const struct wr_moment *t,
                            int64_t present_us, int count) {
  const struct wr_property *q = c->names->at + c->rows[0].property;
  if (count == 0 || !is_newest(c, q) || !q->alive || q->fails > 0 || c->bare ||
      q->last.seq <= c->rows[count - 1].seq)
    return count;
  struct wr_row row = q->last;
  if (!wr_row_stamp(&row, t, present_us))
    return count;
  c->rows[count] = row;
  return count + 1;
}

int wr_choose_old(struct wr_choice *c, const struct wr_moment *t,
                  int64_t present_us) {
  struct wr_row newest;
  c->bare = false;
  for (int i = 0; i < c->names->count; i++)
    if (may_send(c, t, i) && !must_wait(c, i) && due_skip(c, t, i))
      return stamp_all(c, t, present_us, 1);
  int best = longest(c, t);
  if (best < 0)
    return 0;
  const struct wr_property *q = c->names->at + best;
  int64_t max = wr_choice_no_batch(c, t) ? 1 : q->batch;
  if (q->kind == WR_VALUE_NUMBER && max > wr_budget_left_old(c->budget))
    max = wr_budget_left_old(c->budget);
  int count = heads(c, best, c->rows, (int)max);
  bool all = count < max;
  if (count > 1 && wr_spool_newest(c->spool, best, &newest) &&
      c->rows[count - 1].seq == newest.seq && is_live(c, &newest, t))
    count--;
  int stamped = stamp_all(c, t, present_us, count);
  return all && stamped == count ? end_with_current(c, t, present_us, count)
                                 : stamped;
}

int64_t wr_choice_oldest_us(const struct wr_choice *c) {
  struct wr_row row;
  int64_t oldest_us = 0;
  for (int i = 0; i < c->names->count; i++)
    if (wr_spool_oldest(c->spool, i, 0, &row, 1) == 1 &&
        (oldest_us == 0 || row.time_us < oldest_us))
      oldest_us = row.time_us;
  return oldest_us;
}
