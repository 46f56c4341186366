/* baseline_impl: what the parts of baseline share; for nobody else.
 *
 *   baseline.c          samples to steps, time, what an operator says
 *     baseline_judge.c  one step: both layers, the operating points
 *       baseline_view.c bands and what they are relative to, the view */
#ifndef WR_BASELINE_IMPL_H
#define WR_BASELINE_IMPL_H

#include "lib/flow/baseline.h"

#define LEVEL_S 12  /* window of the level */
#define SPREAD_S 20 /* window of the deviation */

/* Quicker than fmax(), which must think of NaN: there is none here. */
static inline double larger(double a, double b) { return a > b ? a : b; }
static inline double smaller(double a, double b) { return a < b ? a : b; }

/* What relative bands are relative to. */
static inline double wr_baseline_yardstick(const struct wr_baseline *b) {
  double base = b->base < 0 ? -b->base : b->base;
  double least = WR_POINTS_SMALL * (double)b->points.scale;
  return larger(base, least);
}

/* The usual deviation of the newest values: never less than half a pulse. */
double wr_baseline_usual(const struct wr_baseline *b);
/* Half the width of the minutes' band, in the unit. */
double wr_baseline_band(const struct wr_baseline *b,
                        const struct wr_baseline_rules *rules);
/* Whether the days have an opinion here. */
bool wr_baseline_mature(const struct wr_baseline *b);
/* How far the days are off their reference, relative; *share of the day's band
 * is the limit for it. */
double wr_baseline_days_off(const struct wr_baseline *b, double *share);
enum wr_baseline_state wr_baseline_state(const struct wr_baseline *b);
/* -1: below its normal, 1: above, 0: no drift. */
int wr_baseline_direction(const struct wr_baseline *b);

/* How many values a window of so many seconds has. */
unsigned wr_baseline_window(double seconds, double interval_s);
/* The flow is at this point now; what it is exactly shows when it settled. */
void wr_baseline_arrive(struct wr_baseline *b, int point, double interval_s);
/* How long the level needs, after a change of the point or a gap. */
double wr_baseline_settling(double interval_s);
/* One value that stands for dt_s. Adds to the bits of wr_baseline_event. */
void wr_baseline_judge(struct wr_baseline *b,
                       const struct wr_baseline_rules *rules, double value,
                       double interval_s, double dt_s, unsigned *events);

#endif
