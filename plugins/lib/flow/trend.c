#include "lib/flow/trend.h"

#include <math.h>
#include <string.h>

/* How many means of a scale make one of the next. */
static const unsigned per_next[WR_TREND_SCALES] = {12, 12, 0};
static const double block_s[WR_TREND_SCALES] = {
    WR_TREND_BLOCK_S, 12.0 * WR_TREND_BLOCK_S, 144.0 * WR_TREND_BLOCK_S};

#define LEAST 3        /* means behind the break, to call it a line */
#define CLEAR 4.0      /* slope against its error */
#define WIDTH 2.5      /* errors on each side: about 80 % */
#define LEAST_RISE 1.0 /* per cent: less is not worth a sentence */

static double at(const struct wr_trend_ring *r, unsigned i) {
  unsigned first = r->next + WR_TREND_BLOCKS - r->count;
  return r->means[(first + i) % WR_TREND_BLOCKS] / 100.0;
}

void wr_trend_push(struct wr_trend *t, double percent) {
  for (unsigned s = 0; s < WR_TREND_SCALES; s++) {
    struct wr_trend_ring *r = t->rings + s;
    r->means[r->next] = (int16_t)lround(fmax(-327, fmin(327, percent)) * 100);
    r->next = (uint8_t)((r->next + 1) % WR_TREND_BLOCKS);
    if (r->count < WR_TREND_BLOCKS)
      r->count++;
    r->sum += (float)percent;
    if (per_next[s] == 0 || ++r->filled < per_next[s])
      return;
    percent = (double)r->sum / per_next[s];
    r->filled = 0;
    r->sum = 0;
  }
}

double wr_trend_recent(const struct wr_trend *t, unsigned n) {
  const struct wr_trend_ring *r = t->rings;
  double sum = 0;
  if (n > r->count)
    n = r->count;
  for (unsigned i = 0; i < n; i++)
    sum += at(r, r->count - 1 - i);
  return n > 0 ? sum / n : 0;
}

bool wr_trend_day(const struct wr_trend *t, double *percent) {
  const struct wr_trend_ring *r = t->rings + 1;
  double sum = 0;
  if (r->count < 12)
    return false;
  for (unsigned i = 0; i < 12; i++)
    sum += at(r, r->count - 1u - i);
  *percent = sum / 12;
  return true;
}

struct fit {
  double slope, error; /* per block */
  double level, now;   /* before the break, and at the newest mean */
  double rest;         /* sum of squares */
  double from;         /* the break, in means; perhaps within one */
};

/* y = level + slope * max(0, i - from), least squares. */
static void fit_from(const struct wr_trend_ring *r, double from,
                     struct fit *f) {
  double n = r->count, sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0;
  for (unsigned i = 0; i < r->count; i++) {
    double x = fmax(i - from, 0), y = at(r, i);
    sx += x;
    sy += y;
    sxx += x * x;
    sxy += x * y;
    syy += y * y;
  }
  double vx = sxx - sx * sx / n, vy = syy - sy * sy / n;
  f->slope = (sxy - sx * sy / n) / vx;
  f->rest = fmax(vy - f->slope * f->slope * vx, 0);
  f->error = sqrt(f->rest / (n - 2) / vx);
  f->level = (sy - f->slope * sx) / n;
  f->now = f->level + f->slope * (r->count - 1 - from);
  f->from = from;
}

/* The best break. One as late as can be may be later still: there it is too
 * early to tell. Neighbouring means are not independent (pressure wanders for
 * hours): the error is taken twice. */
static bool fit_ring(const struct wr_trend_ring *r, struct fit *best) {
  double last = r->count - 1 - LEAST; /* below 0: too few for any */
  *best = (struct fit){.rest = HUGE_VAL};
  for (double from = 0; from <= last; from += 0.5) {
    struct fit f;
    fit_from(r, from, &f);
    if (f.rest < best->rest)
      *best = f;
  }
  best->error *= 2;
  return best->from < last && fabs(best->slope) > CLEAR / 2 * best->error &&
         fabs(best->now - best->level) > LEAST_RISE;
}

/* From the middle of the newest mean of a scale until now: the line has gone
 * on meanwhile. */
static double age_of(const struct wr_trend *t, unsigned scale, double rest_s) {
  double age = block_s[scale] / 2 + rest_s;
  for (unsigned s = 0; s < scale; s++)
    age += t->rings[s].filled * block_s[s];
  return age;
}

static void tell(const struct wr_trend *t, unsigned scale, const struct fit *f,
                 double rest_s, double limit, struct wr_forecast *out) {
  double per_s = fabs(f->slope) / block_s[scale];
  double error = WIDTH * f->error / block_s[scale];
  double age = age_of(t, scale, rest_s), way = fabs(limit - f->now);
  if (f->slope < 0 ? f->now < limit : f->now > limit)
    way = 0; /* beyond it */
  double behind = t->rings[scale].count - 1 - f->from;
  *out = (struct wr_forecast){
      .clear = true,
      .per_hour = f->slope * 3600 / block_s[scale],
      .since_s = behind * block_s[scale] + age,
      .left_s = fmax(way / per_s - age, 0),
      .soonest_s = fmax(way / (per_s + error) - age, 0),
      .latest_s =
          per_s > error ? fmax(way / (per_s - error) - age, 0) : HUGE_VAL};
}

void wr_trend_forecast(const struct wr_trend *t, double rest_s, double low,
                       double high, struct wr_forecast *out) {
  struct fit f, best;
  int scale = -1;
  memset(out, 0, sizeof(*out));
  for (unsigned s = 0; s < WR_TREND_SCALES; s++) {
    if (!fit_ring(t->rings + s, &f))
      continue;
    best = f;
    scale = (int)s;
    if (f.from >= t->rings[s].count / 4.0)
      break; /* else it began earlier: a coarser ring knows when */
  }
  if (scale >= 0)
    tell(t, (unsigned)scale, &best, rest_s, best.slope < 0 ? low : high, out);
}
