#include "lib/flow/totals.h"

#include <math.h>

#define HOUR_S 3600
#define DAY_S 86400
#define BLOCK_S 300
#define LEAST_DAYS 3 /* make a custom */
#define RESTING 0.25 /* of the mean flow: what rest is, at most */
#define MARGIN 0.02  /* of the mean flow */
#define CREEP 0.02   /* of the way, a day, while restless */

/* The largest of the days' least flows. */
static double usual_of(const struct wr_totals *t) {
  double usual = 0;
  for (unsigned i = 0; i < t->days; i++)
    usual = fmax(usual, (double)t->least[i]);
  return usual;
}

double wr_totals_rest(const struct wr_totals *t) {
  double usual = usual_of(t), mean = (double)t->last_day / DAY_S;
  if (t->days < LEAST_DAYS || !t->has_day || usual >= RESTING * mean)
    return 0;
  return 1.1 * usual + MARGIN * mean;
}

static void end_day(struct wr_totals *t) {
  double least = (double)t->today, usual = usual_of(t);
  if (t->restless && least > usual)
    least = usual + CREEP * (least - usual);
  t->least[t->next] = (float)least;
  t->next = (uint8_t)((t->next + 1) % WR_TOTALS_DAYS);
  if (t->days < WR_TOTALS_DAYS)
    t->days++;
  t->last_day = (float)t->day;
  t->has_day = true;
  t->day = 0;
  t->day_s = 0;
}

static void end_block(struct wr_totals *t) {
  double mean = (double)(t->block / t->block_s), rest = wr_totals_rest(t);
  bool first = t->day_s <= t->block_s; /* of this day */
  if (first || (float)mean < t->today)
    t->today = (float)mean;
  /* Without a custom of resting there is nothing to miss. */
  t->busy_s = rest == 0 || mean <= rest ? 0 : t->busy_s + t->block_s;
  t->restless = t->busy_s >= WR_TOTALS_REST_S;
  t->block = 0;
  t->block_s = 0;
}

void wr_totals_add(struct wr_totals *t, double per_s, double dt_s) {
  double litres = fmax(per_s, 0) * dt_s;
  t->litres += litres;
  t->hour += litres;
  t->day += litres;
  t->hour_s += (float)dt_s;
  t->day_s += (float)dt_s;
  t->block += (float)litres;
  t->block_s += (float)dt_s;
  if (t->block_s >= BLOCK_S)
    end_block(t);
  if (t->hour_s >= HOUR_S) {
    t->last_hour = (float)t->hour;
    t->has_hour = true;
    t->hour = 0;
    t->hour_s = 0;
  }
  if (t->day_s >= DAY_S)
    end_day(t);
}

void wr_totals_confirm(struct wr_totals *t) {
  t->days = t->next = 0;
  t->busy_s = 0;
  t->restless = false;
}
