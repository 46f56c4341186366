/* features: what a window of flow looks like, in two dozen numbers.
 *
 * Level (least, greatest, mean, last ...), roughness (deviation, differences),
 * and how much is left when a line, one step, or one step of up to two seconds
 * is taken out: a tap that is moved leaves little, a fault much. Roughness is
 * relative to the mean flow and logarithmic, so that it means the same at any
 * level; FEATURE_FLOOR keeps a perfectly still window finite. */
#ifndef MODEL_FEATURES_H
#define MODEL_FEATURES_H

#include "model/classifier.h"

/* The order is that of the network's inputs. */
#define FEATURE_LIST(X)                                                        \
  X(MIN, min)             /* L/min */                                          \
  X(MAX, max)             /* L/min */                                          \
  X(MEAN, mean)           /* L/min */                                          \
  X(FIRST, first)         /* L/min */                                          \
  X(LAST, last)           /* L/min */                                          \
  X(SECOND, second)       /* L/min, the second least */                        \
  X(MEDIAN, median)       /* L/min */                                          \
  X(EIGHTH, eighth)       /* L/min, the second greatest */                     \
  X(SLOPE, slope)         /* of the fitted line, 1/s, relative */              \
  X(RISE, rise)           /* greatest rise in a second, relative */            \
  X(FALL, fall)           /* greatest fall, as a negative number */            \
  X(STEP, step)           /* height of the fitted step, relative */            \
  X(DEVIATION, deviation) /* here and below: log of a relative rms */          \
  X(SPREAD, spread)       /* median distance from the median */                \
  X(CHANGE, change)       /* differences */                                    \
  X(JUMP, jump)           /* the greatest difference */                        \
  X(BEND, bend)           /* differences of differences */                     \
  X(OFF_LINE, off_line)   /* rest after the best line */                       \
  X(OFF_STEP, off_step)   /* rest after the best step */                       \
  X(OFF_MOVE, off_move)   /* the same, if the step may take two samples */     \
  X(HALF_WAVE, half_wave) /* first two cosine coefficients */                  \
  X(FULL_WAVE, full_wave)                                                      \
  X(MEMORY, memory) /* correlation with the sample before, -1..1 */

#define FEATURE_ENUM(upper, lower) FEATURE_##upper,
enum feature { FEATURE_LIST(FEATURE_ENUM) FEATURE_COUNT };

extern const char *const feature_names[FEATURE_COUNT];

#define FEATURE_FLOOR 0.005f

/* Any finite window gives finite features; samples beyond 1e6 L/min, and
 * NaN, count as that limit. */
void features_compute(const float window[FLOW_SAMPLES],
                      float features[FEATURE_COUNT]);

#endif
