/* totals: litres, and whether the flow still comes to rest. Pure.
 *
 * Hours and days are counted in time that was seen, from the first sample on:
 * no wall clock, so no clock can lose or double one. Time without samples
 * counts nothing.
 *
 * Rest: of each day the least mean of five minutes is kept, WR_TOTALS_DAYS of
 * them. Where these were always small against the mean flow (night, pause,
 * nobody at home), 30 hours without one of that size are a leak, or something
 * that was left on. While this stands the days only creep towards what is
 * seen, so a leak does not become the custom by itself.
 * Threads: none of its own. Start with {0}. */
#ifndef WR_TOTALS_H
#define WR_TOTALS_H

#include <stdbool.h>
#include <stdint.h>

#define WR_TOTALS_DAYS 7
#define WR_TOTALS_REST_S 108000 /* 30 hours */

struct wr_totals {
  double litres;             /* since the first sample */
  double hour, day;          /* under way */
  float hour_s, day_s;       /* how far it is */
  float last_hour, last_day; /* litres of the last full one */
  bool has_hour, has_day;
  bool restless;               /* 30 hours without rest */
  uint8_t days, next;          /* of `least` */
  float least[WR_TOTALS_DAYS]; /* L/s: smallest mean of five minutes */
  float today, block, block_s; /* the day's, and the one under way */
  float busy_s;                /* since the last rest */
};

/* `per_s` litres a second for dt_s seconds; negative flow counts nothing. */
void wr_totals_add(struct wr_totals *t, double per_s, double dt_s);
/* What is seen from now on is the custom; the litres stay. */
void wr_totals_confirm(struct wr_totals *t);
/* At most so much flow is rest, in L/s; 0 where no custom of resting is
 * known. */
double wr_totals_rest(const struct wr_totals *t);

#endif
