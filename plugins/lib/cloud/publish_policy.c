#include "lib/cloud/publish_policy.h"

#include <math.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)

static bool same_state(const struct wr_value *a, const struct wr_value *b) {
  if (a->kind != b->kind)
    return false;
  return a->kind == WR_VALUE_TEXT ? strcmp(a->text, b->text) == 0
                                  : (a->number != 0.0) == (b->number != 0.0);
}

static enum wr_worth decide_state(struct wr_policy *p, const struct wr_value *v,
                                  bool beat, int64_t now_ms, int64_t time_us,
                                  int64_t late_us) {
  if (!p->seen)
    return WR_CHANGE;
  if (time_us < p->newest_us && p->newest_us - time_us < late_us &&
      (now_ms - p->newest_ms) * 4000 < late_us)
    return WR_SKIP; /* overtaken on its way */
  if (!same_state(&p->sent, v))
    return WR_CHANGE;
  return beat ? WR_SAMPLE : WR_SKIP;
}

static enum wr_worth decide_number(const struct wr_policy *p,
                                   const struct wr_value *v, bool beat,
                                   int64_t elapsed_ms, int64_t min_ms) {
  if (!isfinite(v->number))
    return WR_SKIP;
  if (!p->seen)
    return WR_SAMPLE;
  if (elapsed_ms < (p->min_ms > min_ms ? p->min_ms : min_ms))
    return WR_SKIP;
  bool moved = fabs(v->number - p->sent.number) >= p->dead_band;
  return moved || beat ? WR_SAMPLE : WR_SKIP;
}

void wr_policy_take(struct wr_policy *p, const struct wr_value *v,
                    int64_t now_ms) {
  p->seen = true;
  p->sent_ms = now_ms;
  p->sent = *v;
}

enum wr_worth wr_policy_decide(struct wr_policy *p, const struct wr_value *v,
                               int64_t now_ms, int64_t time_us, int64_t late_us,
                               int64_t min_ms) {
  int64_t elapsed_ms = now_ms - p->sent_ms;
  bool beat = p->max_ms > 0 && elapsed_ms >= p->max_ms;
  enum wr_worth d = v->kind == WR_VALUE_NUMBER
                        ? decide_number(p, v, beat, elapsed_ms, min_ms)
                        : decide_state(p, v, beat, now_ms, time_us, late_us);
  if (time_us > p->newest_us || d != WR_SKIP ||
      (now_ms - p->newest_ms) * 4000 >= late_us) {
    p->newest_us = time_us;
    p->newest_ms = now_ms;
  }
  if (d != WR_SKIP)
    wr_policy_take(p, v, now_ms);
  return d;
}

void wr_budget_roll(struct wr_budget *b, int64_t wall_us) {
  int64_t day = wall_us / DAY_US;
  if (day == b->spent.day || day == b->spent.day - 1)
    return;
  b->spent = (struct wr_spent){.day = day};
}

void wr_budget_spend(struct wr_budget *b, int64_t records, bool old) {
  b->spent.used += records;
  b->spent.old += old ? records : 0;
}

static int64_t at_least_0(int64_t v) { return v > 0 ? v : 0; }

int64_t wr_budget_left(const struct wr_budget *b) {
  if (b->daily == 0)
    return INT64_MAX;
  return at_least_0(b->daily - b->daily / 20 - b->spent.used);
}

static int64_t half_left(const struct wr_budget *b) {
  return at_least_0(b->daily / 2 - b->spent.old);
}

int64_t wr_budget_left_old(const struct wr_budget *b) {
  int64_t left = wr_budget_left(b);
  return b->daily == 0 || left < half_left(b) ? left : half_left(b);
}

int64_t wr_budget_spacing_ms(const struct wr_budget *b, int64_t wall_us,
                             int streams, bool backlog) {
  if (b->daily == 0 || b->spent.used < b->daily / 2)
    return 0;
  int64_t rest_ms = (DAY_US - wall_us % DAY_US) / 1000;
  int64_t left = wr_budget_left(b) - (backlog ? half_left(b) : 0);
  int64_t spacing_ms =
      left > 0 ? rest_ms * streams / left : WR_BUDGET_SPACING_MS;
  return spacing_ms < WR_BUDGET_SPACING_MS ? spacing_ms : WR_BUDGET_SPACING_MS;
}
