/* calm: what tells a disturbance from a flow that was moved. Pure.
 *
 * Somebody who turns a valve, and a blockage that settles, make a flow that
 * goes from one level to another. Air, slugs, cavitation, hunting and
 * interference make one that turns back and forth. So two questions, asked of
 * the last samples: for how long has the flow been quiet, and how often did it
 * turn? Neither knows what is less than counting whole pulses makes of a steady
 * flow. Threads: none of its own. */
#ifndef WR_CALM_H
#define WR_CALM_H

#include "lib/flow/level.h"

/* What a caller takes for calm; sizes in the unit of the flow. */
struct wr_calm_rules {
  int quiet;    /* samples after which a disturbance is past; 0: not asked */
  int look;     /* samples in which turns are counted */
  int turns;    /* fewer than this are no disturbance */
  int at_edge;  /* the same, where the level is near a range that alarms */
  double width; /* quiet samples lie within this of each other */
  double swing; /* between two turns: more than this */
};

/* How many of the newest samples lie within `width` of each other. */
int wr_calm_quiet(const struct wr_level *l, double width);
/* How often the flow turned in the last `look` samples, in swings of more than
 * `swing`: a rise or a fall, however long, is no turn. */
int wr_calm_turns(const struct wr_level *l, int look, double swing);

#endif
