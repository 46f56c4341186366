/* trend: a long history in little room, and when it will reach a limit. Pure.
 *
 * Means of ten minutes, of two hours and of days, WR_TREND_BLOCKS of each: four
 * hours, two days and 24 days. The unit is per cent (of whatever the caller
 * takes for 0). A forecast fits "level, then from some moment a straight line"
 * to the finest of the three that holds the moment; the interval around it is
 * what the scatter of the means allows (about 80 %).
 * Threads: none of its own. Start with {0}. */
#ifndef WR_TREND_H
#define WR_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WR_TREND_BLOCK_S 600
#define WR_TREND_BLOCKS 24
#define WR_TREND_SCALES 3

struct wr_trend_ring {
  int16_t means[WR_TREND_BLOCKS]; /* hundredths, within +-327 */
  uint8_t count, next;
  uint8_t filled; /* finer means in the one under way */
  float sum;
};

struct wr_trend {
  struct wr_trend_ring rings[WR_TREND_SCALES];
};

struct wr_forecast {
  bool clear;                 /* there is a trend worth telling */
  double per_hour;            /* slope */
  double since_s;             /* how long ago it began */
  double left_s;              /* until the limit; 0: beyond it already */
  double soonest_s, latest_s; /* latest HUGE_VAL: perhaps never */
};

/* One more mean of WR_TREND_BLOCK_S seconds. */
void wr_trend_push(struct wr_trend *t, double percent);
/* Mean of the newest n means of ten minutes; of what there is. 0 of none. */
double wr_trend_recent(const struct wr_trend *t, unsigned n);
/* Mean of the last day from the means of two hours; false before there are
 * enough for a day. */
bool wr_trend_day(const struct wr_trend *t, double *percent);
/* When the lower limit (or the upper one, by the sign of the slope) will be
 * reached; `rest_s`: since the newest mean ended. About 10 microseconds: not
 * for every sample. */
void wr_trend_forecast(const struct wr_trend *t, double rest_s, double low,
                       double high, struct wr_forecast *out);

#endif
