#include "lib/flow/baseline_impl.h"

#include <math.h>
#include <string.h>

static const struct wr_baseline empty = {.key = NAN,
                                         .points.current = WR_POINTS_NONE};

void wr_baseline_init(struct wr_baseline *b) { *b = empty; }

void wr_baseline_reset(struct wr_baseline *b) {
  struct wr_baseline old = *b;
  *b = empty;
  b->totals = old.totals;
  b->pace = old.pace;
  b->key = old.key;
}

/* The end of learning. */
static void begin(struct wr_baseline *b, const struct wr_learned *l) {
  b->learned = true;
  memset(&b->u.trend, 0, sizeof(b->u.trend));
  b->base = l->level;
  b->deviation = (float)l->deviation;
  b->wander = (float)l->wander;
  int at = wr_points_add(&b->points, l->level, (double)b->key, b->age_s);
  b->points.at[at].held_s = 1;
  b->points.current = (int8_t)at;
  if (!isnan(b->key))
    return;
  if (!isnan(l->other))
    (void)wr_points_add(&b->points, l->other, NAN, b->age_s);
  if (l->rests)
    (void)wr_points_add(&b->points, 0, NAN, b->age_s);
}

/* Whether the state, or which way it drifts, is another than before. */
static unsigned notice(struct wr_baseline *b) {
  enum wr_baseline_state state = wr_baseline_state(b);
  int direction = wr_baseline_direction(b);
  if (state == b->state && direction == b->direction)
    return 0;
  b->state = (uint8_t)state;
  b->direction = (int8_t)direction;
  b->since_s = b->age_s;
  return WR_BASELINE_CHANGED;
}

/* The smallest difference between two values: one pulse of the sensor. */
static void see_quantum(struct wr_baseline *b, double value) {
  const struct wr_recent *w = &b->recent;
  if (w->count == 0)
    return;
  unsigned last = (w->next + WR_RECENT_MAX - 1u) % WR_RECENT_MAX;
  float d = fabsf((float)value - w->values[last]);
  if (d > 0 && (b->quantum <= 0 || d < b->quantum))
    b->quantum = d;
}

static unsigned step(struct wr_baseline *b, const struct wr_baseline_rules *r,
                     double value, double interval_s, double dt_s) {
  unsigned events = WR_BASELINE_STEPPED;
  struct wr_learned learned;
  see_quantum(b, value);
  wr_recent_push(&b->recent, value);
  if (r->per_second > 0)
    wr_totals_add(&b->totals, value * r->per_second, dt_s);
  if (b->learned)
    wr_baseline_judge(b, r, value, interval_s, dt_s, &events);
  else if (wr_learning_add(&b->u.learning, r->learn_s, value, dt_s, &learned))
    begin(b, &learned);
  return events | notice(b);
}

static void forget_learning(struct wr_baseline *b) {
  memset(&b->u.learning, 0, sizeof(b->u.learning));
}

/* Time passed without a sample: what came before is no evidence. */
static void gap(struct wr_baseline *b, double interval_s) {
  b->recent = (struct wr_recent){0};
  b->block = 0;
  b->block_s = b->moving_s = 0;
  if (b->learned)
    b->settle_s = (float)wr_baseline_settling(interval_s);
  else
    forget_learning(b);
}

unsigned wr_baseline_push(struct wr_baseline *b,
                          const struct wr_baseline_rules *rules,
                          int64_t time_us, int64_t now_ms, double interval_s,
                          double value) {
  double dt_s;
  if (!isfinite(value))
    return 0;
  if (!(interval_s > 0))
    interval_s = 1;
  enum wr_pace_kind kind =
      wr_pace_step(&b->pace, time_us, now_ms, interval_s, &dt_s);
  if (kind == WR_PACE_SAME)
    return 0;
  b->age_s += dt_s;
  if (kind == WR_PACE_GAP) {
    dt_s = interval_s;
    gap(b, interval_s);
  }
  b->sum += value;
  b->sum_s += (float)dt_s;
  b->summed++;
  if ((double)b->sum_s < WR_BASELINE_STEP_S && kind != WR_PACE_LATE)
    return 0;
  double mean = b->sum / b->summed, seconds = (double)b->sum_s;
  b->sum = 0;
  b->sum_s = 0;
  b->summed = 0;
  return step(b, rules, mean, interval_s, seconds);
}

unsigned wr_baseline_setpoint(struct wr_baseline *b, double key,
                              double interval_s) {
  if (!isfinite(key))
    return 0;
  if (!b->learned) { /* what is learned belongs to one set point */
    if (!(fabs((double)b->key - key) <= WR_POINTS_KEY * fabs(key)))
      forget_learning(b);
    b->key = (float)key;
    return 0;
  }
  b->key = (float)key;
  int point = wr_points_keyed(&b->points, key);
  if (point >= 0 && point == b->points.current)
    return 0;
  bool fresh = point < 0;
  if (fresh)
    point = wr_points_add(&b->points, 0, key, b->age_s);
  wr_baseline_arrive(b, point, interval_s);
  b->settle_s *= 2; /* the flow has yet to go there */
  b->recent = (struct wr_recent){0};
  return notice(b) | (fresh ? WR_BASELINE_POINT : 0);
}

bool wr_baseline_confirm(struct wr_baseline *b) {
  double level = wr_recent_mean(&b->recent, WR_RECENT_MAX);
  double deviation = wr_recent_deviation(&b->recent, WR_RECENT_MAX);
  if (!b->learned || b->recent.count < WR_BASELINE_LEAST)
    return false;
  if (b->jumped && isnan(b->key))
    b->points.current = (int8_t)wr_points_add(&b->points, level, NAN, b->age_s);
  wr_points_confirm(&b->points, level);
  b->base = level;
  b->deviation = (float)fmax((double)b->deviation, deviation);
  b->drift = b->slow = 0;
  b->spread = b->jumped = b->waiting = b->stopped = false;
  b->drift_left_s = b->spread_left_s = b->settle_s = 0;
  memset(&b->u.trend, 0, sizeof(b->u.trend));
  wr_totals_confirm(&b->totals);
  (void)notice(b);
  return true;
}

void wr_baseline_unkey(struct wr_baseline *b) {
  b->key = NAN;
  if (!wr_points_unkey(&b->points) && b->learned)
    wr_baseline_reset(b);
}

void wr_baseline_rescale(struct wr_baseline *b, double factor) {
  b->base *= factor;
  b->deviation *= (float)factor;
  b->quantum *= (float)factor;
  b->recent = (struct wr_recent){0};
  wr_points_rescale(&b->points, factor);
  wr_totals_confirm(&b->totals);
  if (!b->learned)
    forget_learning(b);
}

void wr_baseline_resume(struct wr_baseline *b) {
  b->pace.now_ms = 0;
  b->sum = 0;
  b->sum_s = 0;
  b->summed = 0;
  gap(b, 1);
}
