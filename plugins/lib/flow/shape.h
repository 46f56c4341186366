/* shape: what ten seconds of flow look like, in two dozen numbers. Pure.
 *
 * Level (least, greatest, mean, last ...), roughness (deviation, differences),
 * and how much is left when a line, one step, or one step of up to two seconds
 * is taken out: a tap that is moved leaves little, a fault much. Roughness is
 * relative to the mean flow and logarithmic, so that it means the same at any
 * level; WR_SHAPE_FLOOR keeps a perfectly still window finite.
 *
 * The samples are one a second, the oldest first, in L/min scaled so that the
 * nominal flow is 10. The same numbers on every machine: no libm, no fused
 * multiply-add. Threads: none of its own. */
#ifndef WR_SHAPE_H
#define WR_SHAPE_H

#define WR_SHAPE_SAMPLES 10
#define WR_NOMINAL 10.0f /* what the samples are scaled to */

#define WR_SHAPE_LIST(X)                                                       \
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

#define WR_SHAPE_ENUM(upper, lower) WR_SHAPE_##upper,
enum wr_shape { WR_SHAPE_LIST(WR_SHAPE_ENUM) WR_SHAPE_COUNT };

extern const char *const wr_shape_names[WR_SHAPE_COUNT];

#define WR_SHAPE_FLOOR 0.005f

/* Any finite window gives finite features; samples beyond 1e6 L/min, and
 * NaN, count as that limit. */
void wr_shape(const float window[WR_SHAPE_SAMPLES],
              float features[WR_SHAPE_COUNT]);

/* ln(value) for value > 0, to 1e-4: unlike libm's the same on every machine,
 * so that the same window gives the same int8 scores. */
float wr_shape_log(float value);

#endif
