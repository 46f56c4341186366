/* nature: what kind of flow a look is of, clean or one of several faults. Pure.
 *
 * A small network, trained on flow with and without faults (model/MODEL.md):
 * steady flow, and moves of a tap, valve, pump or set point of any shape and
 * to any level, are clean. It is in int8 as TFLite quantises it: one scale per
 * tensor, int32 sums, a fixed-point multiplier per layer, scores in steps of
 * 1/256. The bundled model and the second opinion in the plugin are this same
 * one. Threads: none of its own. */
#ifndef WR_NATURE_H
#define WR_NATURE_H

#include "lib/flow/look.h"

enum wr_nature {
  WR_NATURE_CLEAN,
  WR_NATURE_AIR,        /* bubbles, plugs of gas */
  WR_NATURE_CAVITATION, /* rough, a little less than before */
  WR_NATURE_HUNTING,    /* a control loop that swings */
  WR_NATURE_PULSES,     /* electrical noise counted as pulses */
  WR_NATURE_OTHER,      /* a fault without a name */
  WR_NATURE_COUNT
};

/* Each feature's range in training laid onto -1..1, clipped. */
void wr_nature_inputs(const float features[WR_LOOK_COUNT],
                      float inputs[WR_LOOK_COUNT]);

/* Multiples of 1/256, at most 255/256; their sum is 1, to a few steps. */
void wr_nature(const float inputs[WR_LOOK_COUNT],
               float scores[WR_NATURE_COUNT]);

#endif
