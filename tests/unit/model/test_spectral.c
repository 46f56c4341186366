/* The features of Edge Impulse's spectral block, against its own values. */
#include <math.h>

#include "model/spectral/spectral.h"
#include "tests/unit/unit.h"

static float f[SPECTRAL_COUNT];

/* What Edge Impulse's Python implementation makes of this window. */
static void test_reference(void) {
  static const float window[] = {12.1f, 12.0f, 11.8f, 12.3f, 12.2f,
                                 11.9f, 12.0f, 12.1f, 12.2f, 12.0f};
  static const double expected[SPECTRAL_COUNT] = {
      0.1428286,  -0.0988431, -0.7520200, 1.1846487,  0.1468799,  -3.7564150,
      -3.3089865, -3.3380401, -3.7081255, -2.7662454, -2.1115725, -1.7693041,
      -1.6458910, -1.7210050, -1.9992435, -2.3513254, -2.3006678, -2.1823711,
      -2.3047621, -2.7936518, -10};
  CU_ASSERT_EQUAL(spectral_compute(window, f), 0);
  for (int i = 0; i < SPECTRAL_COUNT; i++)
    CU_ASSERT_DOUBLE_EQUAL(f[i], expected[i], 1e-3);
}

/* Nothing left once the mean is gone: 0, 5 and 10 L/min look the same. */
static void test_level_is_lost(void) {
  static const float levels[] = {0, 5, 10};
  for (int l = 0; l < 3; l++) {
    float window[WR_SHAPE_SAMPLES];
    for (int i = 0; i < WR_SHAPE_SAMPLES; i++)
      window[i] = levels[l];
    CU_ASSERT_EQUAL(spectral_compute(window, f), 0);
    CU_ASSERT_EQUAL(f[0], 0);
    CU_ASSERT_EQUAL(f[1], 0);
    CU_ASSERT_EQUAL(f[2], -3);
    CU_ASSERT_EQUAL(f[3], 0);
    CU_ASSERT_EQUAL(f[4], -3);
    for (int i = 5; i < SPECTRAL_COUNT; i++)
      CU_ASSERT_EQUAL(f[i], -10);
  }
}

/* What rounding leaves of a mean is no signal, but must be numbers. */
static void test_rounding_residue(void) {
  for (float level = 0.1f; level < 30; level += 0.1f) {
    float window[WR_SHAPE_SAMPLES];
    for (int i = 0; i < WR_SHAPE_SAMPLES; i++)
      window[i] = level;
    window[3] = nextafterf(level, 0);
    CU_ASSERT_EQUAL(spectral_compute(window, f), 0);
    for (int i = 0; i < SPECTRAL_COUNT; i++)
      CU_ASSERT(isfinite(f[i]));
  }
}

UNIT_MAIN("spectral", UNIT(test_rounding_residue), UNIT(test_reference),
          UNIT(test_level_is_lost))
