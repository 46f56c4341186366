#include "lib/flow/baseline_impl.h"

#include <math.h>
#include <string.h>

#define STILL 0.002      /* relative: least usual deviation */
#define WANDER_WIDE 2.0  /* times the usual wander: never a band below it */
#define WANDER_MOST 4.0  /* bands: no flow wanders farther */
#define MATURE_S 21600.0 /* at a point, before the days judge it */
#define MATURE_IDLE 0.05 /* of the largest level: too little to judge */
#define DAYS_S 172800.0  /* before a whole day is judged */
#define DAY_SHARE 0.6    /* of the band: a mean of a whole day */
#define QUARTER 0.25     /* off the reference: a limit, where none is given */

double wr_baseline_usual(const struct wr_baseline *b) {
  double least = STILL * wr_baseline_yardstick(b);
  return larger((double)b->deviation, larger(least, (double)b->quantum / 2));
}

double wr_baseline_band(const struct wr_baseline *b,
                        const struct wr_baseline_rules *r) {
  double relative = larger(
      r->band, smaller(WANDER_WIDE * (double)b->wander, WANDER_MOST * r->band));
  return larger(relative * wr_baseline_yardstick(b), wr_baseline_usual(b) / 2);
}

bool wr_baseline_mature(const struct wr_baseline *b) {
  if (!b->learned)
    return false;
  const struct wr_point *p = b->points.at + b->points.current;
  return (double)p->seen_s >= MATURE_S && p->origin > 0 &&
         (double)p->reference > MATURE_IDLE * (double)b->points.scale;
}

double wr_baseline_days_off(const struct wr_baseline *b, double *share) {
  const struct wr_point *p = b->points.at + b->points.current;
  double moved = 100 * log((double)(p->reference / p->origin)), day;
  double off = wr_trend_recent(&b->u.trend, 3) - moved;
  *share = 1;
  if ((double)p->seen_s >= DAYS_S && wr_trend_day(&b->u.trend, &day) &&
      fabs(day - moved) > fabs(off) * DAY_SHARE) {
    off = day - moved;
    *share = DAY_SHARE;
  }
  return off / 100;
}

enum wr_baseline_state wr_baseline_state(const struct wr_baseline *b) {
  return b->drift != 0 || b->slow != 0 ? WR_BASELINE_DRIFT
         : b->spread                   ? WR_BASELINE_SPREAD
         : b->totals.restless          ? WR_BASELINE_RESTLESS
         : b->learned                  ? WR_BASELINE_NORMAL
                                       : WR_BASELINE_LEARNING;
}

int wr_baseline_direction(const struct wr_baseline *b) {
  return b->drift != 0 ? b->drift : b->slow;
}

/* The layer that is in alarm; of two that agree, or of none, the one nearer to
 * it; of two that do not, the newer one. */
static bool days_speak(const struct wr_baseline *b, double days,
                       double minutes) {
  if ((b->drift != 0) != (b->slow != 0))
    return b->slow != 0;
  return b->drift == b->slow && days > minutes;
}

void wr_baseline_view(const struct wr_baseline *b,
                      const struct wr_baseline_rules *r,
                      struct wr_baseline_view *v) {
  *v = (struct wr_baseline_view){.state = wr_baseline_state(b),
                                 .direction = wr_baseline_direction(b),
                                 .level = wr_recent_mean(&b->recent, LEVEL_S),
                                 .baseline = NAN,
                                 .reference = NAN,
                                 .since_s = b->age_s - b->since_s};
  if (!b->learned)
    return;
  double stick = wr_baseline_yardstick(b), share;
  v->baseline = b->base;
  v->reference = (double)b->points.at[b->points.current].reference;
  v->half = wr_baseline_band(b, r);
  if (b->settle_s > 0 || b->recent.count < WR_BASELINE_LEAST)
    v->level = b->base; /* no evidence yet */
  v->deviation = (v->level - b->base) / stick;
  v->score = fabs(v->level - b->base) / v->half;
  double normal = b->base;
  if (wr_baseline_mature(b)) {
    double off = wr_baseline_days_off(b, &share);
    double score = fabs(off) / (r->day_band * share);
    v->by_days = days_speak(b, score, v->score);
    if (v->by_days) {
      v->deviation = off;
      v->score = score;
      normal = v->reference;
    }
  }
  v->lost = v->deviation * larger(fabs(normal), stick) * r->per_second * 3600;
}

void wr_baseline_forecast(const struct wr_baseline *b,
                          const struct wr_baseline_rules *r,
                          struct wr_forecast *out) {
  memset(out, 0, sizeof(*out));
  if (!wr_baseline_mature(b))
    return;
  double origin = (double)b->points.at[b->points.current].origin;
  double low = r->low > 0 ? r->low : (1 - QUARTER) * origin;
  double high = r->high > 0 ? r->high : (1 + QUARTER) * origin;
  wr_trend_forecast(&b->u.trend, (double)b->block_s, 100 * log(low / origin),
                    100 * log(high / origin), out);
}
