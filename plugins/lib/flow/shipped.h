/* shipped: the defaults of the alarm. The plugin's options begin with them,
 * and the evaluation measures them: one place, so that the figures are those of
 * what is installed. */
#ifndef WR_SHIPPED_H
#define WR_SHIPPED_H

#include <math.h>
#include <stddef.h>

#define WR_SHIPPED_NOMINAL 10.0
#define WR_SHIPPED_THRESHOLD 0.6
#define WR_SHIPPED_NEED 3
#define WR_SHIPPED_OF 5
/* What tells a disturbance from a move: see calm.h. */
#define WR_SHIPPED_QUIET 5    /* samples */
#define WR_SHIPPED_LOOK 20    /* samples */
#define WR_SHIPPED_TURNS 2    /* 0 where the model sees half a minute or more */
#define WR_SHIPPED_WIDTH 0.05 /* of the nominal flow */
#define WR_SHIPPED_SWING                                                       \
  0.10 /* of the nominal flow, or the level if higher                          \
        */
#define WR_SHIPPED_DEAD_BAND 0.05 /* of the nominal flow */
#define WR_SHIPPED_MAX_GAP 1
#define WR_SHIPPED_OFF_BELOW 0.5  /* the pump's series: 1 is on, 0 is off */
#define WR_SHIPPED_NEAR_ZERO 0.05 /* of the nominal flow: as good as none */
#define WR_SHIPPED_SETTLE 15      /* samples that a declared change may take */
#define WR_SHIPPED_VALID 30       /* samples that the word of a series holds */

/* The application note's table, for a normal flow of 10 L/min. */
struct wr_shipped_range {
  const char *label;
  double min, max;
};
static const struct wr_shipped_range wr_shipped_ranges[] = {
    {"Anomalous", -HUGE_VAL, 4.0},
    {"Low", 4.0, 7.5},
    {"Normal", 7.5, 12.5},
    {"High", 12.5, 20.0},
    {"Anomalous", 20.0, HUGE_VAL}};
#define WR_SHIPPED_RANGES                                                      \
  (sizeof(wr_shipped_ranges) / sizeof(wr_shipped_ranges[0]))

#endif
