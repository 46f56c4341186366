/* The features, on windows whose values can be worked out by hand. */
#include <math.h>
#include <string.h>

#include "lib/flow/shape.h"
#include "tests/unit/unit.h"

static float f[WR_SHAPE_COUNT];
static const float still = -5.2983174f; /* ln WR_SHAPE_FLOOR */

static void compute(const float *window) { wr_shape(window, f); }

#define NEAR(feature, value)                                                   \
  CU_ASSERT_DOUBLE_EQUAL(f[WR_SHAPE_##feature], value, 2e-3)

static double relative(double value, double mean) {
  return log(value / (mean + 0.5) + 0.005);
}

static void test_constant(void) {
  const float window[] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
  static const enum wr_shape level[] = {
      WR_SHAPE_MIN,  WR_SHAPE_MAX,    WR_SHAPE_MEAN,   WR_SHAPE_FIRST,
      WR_SHAPE_LAST, WR_SHAPE_SECOND, WR_SHAPE_MEDIAN, WR_SHAPE_EIGHTH};
  compute(window);
  for (size_t i = 0; i < sizeof(level) / sizeof(level[0]); i++)
    CU_ASSERT_EQUAL(f[level[i]], 7.0f);
  for (int i = WR_SHAPE_DEVIATION; i <= WR_SHAPE_FULL_WAVE; i++)
    CU_ASSERT_DOUBLE_EQUAL(f[i], still, 2e-3);
  CU_ASSERT_EQUAL(f[WR_SHAPE_MEMORY], 0.0f);
  CU_ASSERT_EQUAL(f[WR_SHAPE_SLOPE], 0.0f);
}

static void test_zero(void) {
  const float window[10] = {0};
  compute(window);
  for (int i = 0; i < WR_SHAPE_COUNT; i++)
    CU_ASSERT(isfinite(f[i]));
}

static void test_ramp(void) {
  const float window[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  compute(window);
  NEAR(MIN, 1);
  NEAR(SECOND, 2);
  NEAR(MEDIAN, 5.5);
  NEAR(EIGHTH, 9);
  NEAR(MAX, 10);
  NEAR(SLOPE, 1 / 6.0);
  NEAR(RISE, 1 / 6.0);
  NEAR(FALL, 0);
  NEAR(DEVIATION, relative(sqrt(8.25), 5.5));
  NEAR(SPREAD, relative(2.5, 5.5));
  NEAR(CHANGE, relative(1, 5.5));
  NEAR(JUMP, relative(1, 5.5));
  NEAR(BEND, still);
  NEAR(OFF_LINE, still);
  NEAR(OFF_STEP, relative(sqrt(2.0), 5.5));
}

static void test_step(void) {
  const float window[] = {10, 10, 10, 10, 10, 10, 4, 4, 4, 4};
  compute(window);
  NEAR(STEP, -6 / 8.1);
  NEAR(FALL, -6 / 8.1);
  NEAR(RISE, 0);
  /* what is left is the rounding of sums of squares */
  CU_ASSERT_DOUBLE_EQUAL(f[WR_SHAPE_OFF_STEP], still, 0.05);
  CU_ASSERT_DOUBLE_EQUAL(f[WR_SHAPE_OFF_MOVE], still, 0.05);
  CU_ASSERT(f[WR_SHAPE_OFF_LINE] > -2.5f);
}

/* A step on its way for two samples: only OFF_MOVE takes it for one. */
static void test_slow_step(void) {
  const float window[] = {10, 10, 10, 10, 8, 6, 4, 4, 4, 4};
  compute(window);
  CU_ASSERT_DOUBLE_EQUAL(f[WR_SHAPE_OFF_MOVE], still, 0.05);
  CU_ASSERT(f[WR_SHAPE_OFF_STEP] > -3.0f);
}

static void test_alternating(void) {
  const float window[] = {9, 11, 9, 11, 9, 11, 9, 11, 9, 11};
  compute(window);
  NEAR(DEVIATION, relative(1, 10));
  NEAR(CHANGE, relative(2, 10));
  NEAR(BEND, relative(4, 10));
  NEAR(MEMORY, -9 / (10 + 1e-3 * 10.5 * 10.5));
}

/* The shape does not depend on the level, but for the floor of the base. */
static void test_scale(void) {
  const float window[] = {10, 9, 12, 10, 7, 10, 11, 10, 13, 10};
  float big[10], first[WR_SHAPE_COUNT];
  compute(window);
  memcpy(first, f, sizeof(f));
  for (int i = 0; i < 10; i++)
    big[i] = window[i] * 2;
  compute(big);
  NEAR(MEAN, 2 * first[WR_SHAPE_MEAN]);
  for (int i = WR_SHAPE_DEVIATION; i <= WR_SHAPE_FULL_WAVE; i++)
    CU_ASSERT_DOUBLE_EQUAL(f[i], first[i], 0.03);
}

static void test_hostile(void) {
  const float window[] = {NAN,    INFINITY, -INFINITY, 3e38f, -3e38f,
                          1e-40f, 0,        -0.0f,     1,     NAN};
  compute(window);
  for (int i = 0; i < WR_SHAPE_COUNT; i++)
    CU_ASSERT(isfinite(f[i]));
}

static void test_names(void) {
  CU_ASSERT_STRING_EQUAL(wr_shape_names[WR_SHAPE_MIN], "min");
  CU_ASSERT_STRING_EQUAL(wr_shape_names[WR_SHAPE_COUNT - 1], "memory");
}

/* Of two steps that fit as well the earlier one is told. */
static void test_two_steps_alike(void) {
  static const float window[WR_SHAPE_SAMPLES] = {10, 10, 10, 10, 15,
                                                 15, 10, 10, 10, 10};
  float features[WR_SHAPE_COUNT];
  wr_shape(window, features);
  CU_ASSERT(features[WR_SHAPE_STEP] > 0);
}

UNIT_MAIN("shape", UNIT(test_two_steps_alike), UNIT(test_constant),
          UNIT(test_zero), UNIT(test_ramp), UNIT(test_step),
          UNIT(test_slow_step), UNIT(test_alternating), UNIT(test_scale),
          UNIT(test_hostile), UNIT(test_names))
