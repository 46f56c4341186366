/* look: the last minute of flow, in the numbers that tell a moved tap from a
 * fault. Pure.
 *
 * Beside the shape of the newest ten seconds: how level, deviation and range
 * change with the length of what is looked at, how far the flow went against
 * how far it got, how often it turned, what it was like before, and what one
 * pulse of the sensor makes. All relative to the flow of the newest ten
 * seconds, so that they mean the same at any level.
 *
 * Samples are one a second, oldest first, in L/min scaled to a nominal flow of
 * 10. There may be fewer than a minute of them: what looks further back then
 * looks at all there is, and WR_LOOK_HISTORY says how much that was.
 *
 * One call is some thousand instructions and allocates nothing. Threads: none
 * of its own. */
#ifndef WR_LOOK_H
#define WR_LOOK_H

#include "lib/flow/shape.h"

#include <stddef.h>

#define WR_LOOK_SAMPLES 60
#define WR_LOOK_LEAST WR_SHAPE_SAMPLES /* samples of a first look */

/* Seconds that the features below look back. The first feature of a kind
 * belongs to the first length that the kind has. */
#define WR_LOOK_LENGTHS 6 /* 3 5 10 20 30 60 */

enum wr_look {
  WR_LOOK_SHAPE,                         /* the 23 of shape.h */
  WR_LOOK_MEAN = WR_SHAPE_COUNT,         /* 3..60, relative */
  WR_LOOK_DEVIATION = WR_LOOK_MEAN + 6,  /* 3..60, ln of relative */
  WR_LOOK_RANGE = WR_LOOK_DEVIATION + 6, /* 3..30, relative */
  WR_LOOK_WAY = WR_LOOK_RANGE + 5,       /* 5..60: sum of |changes| */
  WR_LOOK_NET = WR_LOOK_WAY + 5,         /* 5..60: newest - oldest */
  WR_LOOK_STRAIGHT = WR_LOOK_NET + 5,    /* 5..60: |net| / way, 0..1 */
  WR_LOOK_JUMPS = WR_LOOK_STRAIGHT + 5,  /* 5..60: share of seconds */
  WR_LOOK_TURNS = WR_LOOK_JUMPS + 5,     /* 10..60: jumps the other way */
  WR_LOOK_CALM = WR_LOOK_TURNS + 4,      /* share of 60 s since a jump */
  WR_LOOK_BEFORE,                        /* median until 10 s ago */
  WR_LOOK_QUARTER,                       /* of |changes| until then */
  WR_LOOK_TENTH,                         /* the greatest tenth of them */
  WR_LOOK_DIPS,                          /* 20, 60: seconds far below */
  WR_LOOK_PEAKS = WR_LOOK_DIPS + 2,      /* 20, 60: and far above */
  WR_LOOK_PERIODIC = WR_LOOK_PEAKS + 2,  /* 30: best autocorrelation */
  WR_LOOK_PERIOD,                        /* its lag, share of 20 s */
  WR_LOOK_AGAIN,                         /* 20: correlation of changes */
  WR_LOOK_HISTORY,                       /* samples there, 0..1 */
  WR_LOOK_QUANTUM,                       /* of one pulse, relative */
  WR_LOOK_COUNT
};

/* count: WR_LOOK_LEAST .. WR_LOOK_SAMPLES. quantum: the flow that one pulse of
 * the sensor stands for, scaled like the samples; 0: as seen in them. Any
 * samples give finite features; those beyond 1e6, and NaN, count as that. */
void wr_look(const float *samples, size_t count, float quantum,
             float features[WR_LOOK_COUNT]);

/* The flow of one pulse as far as these samples show it: all of them are
 * multiples of it. 0 where they are not, or where it is too small to matter. */
float wr_look_quantum(const float *samples, size_t count);

#endif
