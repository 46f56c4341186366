#include "lib/flow/baseline_impl.h"

#include <math.h>
#include <string.h>

#define SETTLE_S 30.0     /* after a change of the point, a gap, a restart */
#define MOVING_TIMES 3.0  /* as long: a commanded change is over by then */
#define MOVING 1.6        /* usual deviations: the flow is under way */
#define NEWEST_S 5.0      /* so is it when these differ from the level */
#define SLOWER 0.1        /* in alarm */
#define WANDER_UP_S 300.0 /* outside, until it is wider by one band */
#define WANDER_DOWN 500.0 /* times longer: 1 in 500 seconds may be outside */
#define OFF_SHARE 0.75    /* of the band: the days' alarm ends */

static double bound(double value, double most) {
  return larger(-most, smaller(most, value));
}

unsigned wr_baseline_window(double seconds, double interval_s) {
  double n = interval_s > 1 ? seconds / interval_s + 0.5 : seconds;
  return (unsigned)larger(n, WR_BASELINE_LEAST);
}

double wr_baseline_settling(double interval_s) {
  return larger(SETTLE_S,
                wr_baseline_window(SPREAD_S, interval_s) * interval_s);
}

static void drop_block(struct wr_baseline *b) {
  b->block = 0;
  b->block_s = 0;
}

void wr_baseline_arrive(struct wr_baseline *b, int point, double interval_s) {
  b->points.current = (int8_t)point;
  b->settle_s = (float)wr_baseline_settling(interval_s);
  b->drift_left_s = b->spread_left_s = b->moving_s = 0;
  b->drift = 0;
  b->spread = b->jumped = b->waiting = b->stopped = false;
  drop_block(b);
}

/* This is what the level at the current point was. */
static bool is_near(const struct wr_baseline *b, double level) {
  double known = (double)b->points.at[b->points.current].level;
  double least = WR_POINTS_SMALL * (double)b->points.scale;
  return fabs(level - known) <= WR_POINTS_NEAR * larger(fabs(known), least);
}

/* An alarm does not end by a gap. What was never seen is what it is; what is
 * far from what it was is measured against that. */
static void settled(struct wr_baseline *b, double level) {
  const struct wr_point *p = b->points.at + b->points.current;
  b->settle_s = 0;
  if (b->drift != 0)
    return;
  if (p->held_s <= 0 && p->seen_s <= 0)
    wr_points_confirm(&b->points, level);
  b->base = is_near(b, level) ? level : (double)p->level;
}

static void end_block(struct wr_baseline *b,
                      const struct wr_baseline_rules *r) {
  double mean = b->block / (double)b->block_s, share;
  wr_points_mean(&b->points, mean, (double)b->block_s, b->age_s,
                 b->drift != 0 || b->slow != 0);
  drop_block(b);
  double origin = (double)b->points.at[b->points.current].origin;
  if (mean <= 0 || origin <= 0)
    return;
  wr_trend_push(&b->u.trend, 100 * log(mean / origin));
  if (!wr_baseline_mature(b))
    return;
  double off = wr_baseline_days_off(b, &share);
  double score = fabs(off) / (r->day_band * share);
  b->slow = score <= (b->slow != 0 ? OFF_SHARE : 1) ? 0 : off < 0 ? -1 : 1;
}

/* How far the flow wanders, one second in WANDER_DOWN left out: what stands in
 * alarm is no wandering. */
static void learn_wander(struct wr_baseline *b,
                         const struct wr_baseline_rules *r, double off,
                         double dt_s) {
  double up = r->band / WANDER_UP_S * dt_s;
  bool beyond = fabs(off) > (double)b->wander * wr_baseline_yardstick(b);
  double now = (double)b->wander + (beyond ? up : -up / WANDER_DOWN);
  b->wander = (float)larger(now, 0);
}

/* Next to no flow. */
static bool is_idle(const struct wr_baseline *b, double level) {
  return fabs(level) < WR_POINTS_SMALL * (double)b->points.scale;
}

/* Everything that follows, by its limit. A flow that rests says nothing about
 * how rough it is: it would be an alarm when it comes back. */
static void follow(struct wr_baseline *b, const struct wr_baseline_rules *r,
                   double off, double deviation, double dt_s) {
  bool alarm = b->drift != 0 || b->spread;
  double slower = b->jumped ? SLOWER * SLOWER : alarm ? SLOWER : 1;
  double rate = r->follow * dt_s / 3600 * slower;
  double change = deviation - (double)b->deviation;
  if (change > 0 || !is_idle(b, b->base + off))
    b->deviation += (float)bound(change, rate * wr_baseline_usual(b));
  b->base += bound(off, rate * wr_baseline_yardstick(b));
  if (!alarm)
    learn_wander(b, r, off, dt_s);
}

/* An alarm's time of holding; true while it stands. */
static bool hold(float *left_s, bool now, double hold_s, double dt_s) {
  double left = now ? hold_s : larger((double)*left_s - dt_s, 0);
  *left_s = (float)left;
  return left > 0;
}

/* At a steady level far from the baseline: another point, or a candidate.
 * True: the flow arrived at one. */
static bool elsewhere(struct wr_baseline *b, double level, double interval_s,
                      double dt_s, unsigned *events) {
  int point = wr_points_near(&b->points, level, !b->waiting);
  if (point < 0 && b->drift != 0 && b->jumped) {
    point = wr_points_wait(&b->points, level, dt_s, b->age_s, !b->waiting);
    b->waiting = true;
  }
  if (point < 0)
    return false;
  if (point == b->points.current)
    return false;
  if (wr_points_accept(&b->points, point))
    *events |= WR_BASELINE_POINT;
  wr_baseline_arrive(b, point, interval_s);
  return true;
}

/* Which way the baseline left the reference of the days: into an alarm of
 * theirs, or farther than its band; 0: it did not. What is back at the
 * reference is within *share of it. */
static int astray(const struct wr_baseline *b,
                  const struct wr_baseline_rules *r, double *share) {
  double away = b->base - (double)b->points.at[b->points.current].reference;
  *share = OFF_SHARE * r->day_band;
  if (b->slow != 0)
    return b->slow;
  *share = r->band / 2;
  if (fabs(away) <= wr_baseline_band(b, r) || !wr_baseline_mature(b))
    return 0;
  return away < 0 ? -1 : 1;
}

/* The flow moves back to the reference, and not beyond it. */
static bool returns(const struct wr_baseline *b,
                    const struct wr_baseline_rules *r, double off) {
  double reference = (double)b->points.at[b->points.current].reference, share;
  int way = astray(b, r, &share);
  double beyond = (b->base + off - reference) * -way;
  return off * way < 0 && beyond <= share * reference;
}

/* It got there: the fault was mended. The days of it are no evidence. */
static bool mended(struct wr_baseline *b, const struct wr_baseline_rules *r,
                   double off, double interval_s) {
  struct wr_point *p = b->points.at + b->points.current;
  double level = b->base + off, reference = (double)p->reference, share;
  if (fabs(off) <= r->band * wr_baseline_yardstick(b) || /* mostly, soon */
      fabs(off) <= wr_baseline_band(b, r) || !returns(b, r, off))
    return false;
  (void)astray(b, r, &share);
  if (fabs(level - reference) > share * reference)
    return false;
  wr_baseline_arrive(b, b->points.current, interval_s);
  p->level = (float)level;
  b->base = level;
  if (b->slow != 0)
    memset(&b->u.trend, 0, sizeof(b->u.trend));
  b->slow = 0;
  return true;
}

/* The alarms of the minutes. True while a change is given time. */
static bool alarms(struct wr_baseline *b, const struct wr_baseline_rules *r,
                   double off, double deviation, bool calm, double interval_s,
                   double dt_s) {
  double usual = wr_baseline_usual(b);
  double moving_s = MOVING_TIMES * wr_baseline_settling(interval_s);
  bool steady = deviation <= MOVING * usual;
  bool far = fabs(off) > WR_POINTS_JUMP * wr_baseline_yardstick(b);
  bool out = fabs(off) > wr_baseline_band(b, r);
  bool loud = deviation > r->spread * usual;
  bool was = b->drift != 0;
  b->moving_s = out || loud ? b->moving_s + (float)dt_s : 0;
  bool patient = b->moving_s > 0 && !was && !b->spread &&
                 (double)b->moving_s <= moving_s &&
                 ((b->points.count > 1 && !calm) || returns(b, r, off));
  bool drift = hold(&b->drift_left_s, out && !patient, r->hold_s, dt_s);
  b->spread = hold(&b->spread_left_s, loud && !patient, r->hold_s, dt_s);
  if (!drift)
    b->drift = 0;
  else if (out)
    b->drift = off < 0 ? -1 : 1;
  if (drift && !was)
    b->drift_s = b->age_s;
  if (!out && steady) /* not only passing by */
    b->jumped = b->waiting = false;
  else if (drift && far && b->age_s - b->drift_s <= moving_s)
    b->jumped = true;
  return patient;
}

/* The flow stood still for a while, and is back where it was: as after a gap.
 * A loop that starts is cold. */
static bool restarted(struct wr_baseline *b, double level, double interval_s) {
  bool still = is_idle(b, level);
  if (b->jumped && still)
    b->stopped = true;
  if (!b->stopped || still || !is_near(b, level))
    return false;
  wr_baseline_arrive(b, b->points.current, interval_s);
  return true;
}

void wr_baseline_judge(struct wr_baseline *b, const struct wr_baseline_rules *r,
                       double value, double interval_s, double dt_s,
                       unsigned *events) {
  unsigned n = wr_baseline_window(LEVEL_S, interval_s);
  struct wr_recent_look now;
  wr_recent_look(&b->recent, wr_baseline_window(NEWEST_S, interval_s), n,
                 wr_baseline_window(SPREAD_S, interval_s), &now);
  if (b->settle_s > 0) {
    b->settle_s -= (float)dt_s;
    if (b->settle_s <= 0)
      settled(b, now.more);
    return;
  }
  if (b->recent.count < n)
    return; /* after a hole: an alarm stands until there is evidence */
  double level = now.more, deviation = now.deviation, off = level - b->base;
  bool far = fabs(off) > WR_POINTS_JUMP * wr_baseline_yardstick(b);
  bool steady = deviation <= MOVING * wr_baseline_usual(b);
  bool calm = steady && fabs(now.few - level) <= fabs(off) / 2;
  if (steady &&
      (restarted(b, level, interval_s) || mended(b, r, off, interval_s)))
    return;
  if (far && steady && isnan(b->key) &&
      elsewhere(b, level, interval_s, dt_s, events))
    return;
  bool patient = alarms(b, r, off, deviation, calm, interval_s, dt_s);
  if (!patient)
    follow(b, r, off, deviation, dt_s);
  if (b->jumped || patient) {
    drop_block(b);
    return;
  }
  b->block += value * dt_s;
  b->block_s += (float)dt_s;
  if (b->block_s >= WR_TREND_BLOCK_S)
    end_block(b, r);
}
