#include "lib/flow/calm.h"

#include "tests/unit/unit.h"

#include <math.h>

static struct wr_level level;

static void feed(const double *values, size_t count) {
  wr_level_init(&level);
  for (size_t i = 0; i < count; i++)
    wr_level_add(&level, values[i]);
  wr_level_look(&level, 0);
}
#define FEED(...)                                                              \
  feed((const double[]){__VA_ARGS__},                                          \
       sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void test_nothing(void) {
  wr_level_init(&level);
  CU_ASSERT_EQUAL(wr_calm_quiet(&level, 1), 0);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 0);
}

static void test_quiet(void) {
  FEED(3, 10, 10.2, 9.9, 10.1);
  CU_ASSERT_EQUAL(wr_calm_quiet(&level, 0.5), 4);
  FEED(10, 10.2, 9.9, 10.1);
  CU_ASSERT_EQUAL(wr_calm_quiet(&level, 0.5), 4);
  FEED(10, 10.2, 9.9, 3);
  CU_ASSERT_EQUAL(wr_calm_quiet(&level, 0.5), 1);
}

/* A flow between two counts is quiet, however coarse the counter. */
static void test_quiet_by_whole_pulses(void) {
  FEED(10, 5, 10, 10, 5, 10, 10, 5);
  CU_ASSERT_EQUAL(wr_calm_quiet(&level, 0.5), 8);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 0);
  FEED(10, 5, 10, 25, 5, 10, 25, 5);
  CU_ASSERT_TRUE(wr_calm_quiet(&level, 0.5) < 3);
  CU_ASSERT_TRUE(wr_calm_turns(&level, 20, 1) >= 2);
}

static void test_turns(void) {
  FEED(6, 6, 8, 10, 12, 14, 14, 14); /* a move */
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 0);
  FEED(6, 10, 10, 10, 14, 14, 14); /* stairs */
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 0);
  FEED(6, 10, 15, 14, 13.5, 14); /* over and back */
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 1);
  FEED(10, 10, 4, 10, 10, 10); /* one bubble */
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 1);
  FEED(10, 10, 4, 10, 10, 3, 10); /* two */
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 3);
  FEED(10, 10.4, 9.6, 10.4, 9.6, 10.3); /* noise */
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 0);
  FEED(10, 10, 4, 10, 10, 3, 10, 10, 10, 10);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 4, 1), 0); /* long ago */
}

/* A swing is one however slow it is. */
static void test_slow_swings(void) {
  double wave[60];
  for (int period = 4; period <= 20; period += 4) {
    for (int i = 0; i < 60; i++)
      wave[i] = 10 + 1.5 * sin(2 * M_PI * (i + 0.3) / period);
    feed(wave, 60);
    int turns = wr_calm_turns(&level, 40, 1);
    CU_ASSERT_TRUE(turns >= 80 / period - 2 && turns <= 80 / period + 1);
  }
}

/* What lies apart by just the width is quiet, and never a sample more than
 * there are. */
static void test_quiet_to_the_width(void) {
  FEED(0.25, 0.5);
  CU_ASSERT_EQUAL(wr_calm_quiet(&level, 1), 2);
  CU_ASSERT_EQUAL(wr_calm_quiet(&level, 0.25), 2);
  CU_ASSERT_EQUAL(wr_calm_quiet(&level, 0.24), 1);
  double full[WR_LEVEL_SAMPLES] = {0};
  feed(full, WR_LEVEL_SAMPLES);
  CU_ASSERT_EQUAL(wr_calm_quiet(&level, 1), WR_LEVEL_SAMPLES);
}

/* A counter that carries its rest over is off by one pulse each way. */
static void test_two_pulses_are_nothing(void) {
  static const double apart[] = {2, 2.0625};
  for (int i = 0; i < 2; i++) {
    FEED(10, 10 + apart[i], 10);
    wr_level_look(&level, 1);
    CU_ASSERT_EQUAL(wr_calm_quiet(&level, 0.5), i == 0 ? 3 : 1);
    CU_ASSERT_EQUAL(wr_calm_quiet(&level, 3), 3);
    CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 0.5), i == 0 ? 0 : 1);
    CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 3), 0);
  }
}

/* The same from a counter that is no matter. */
#define FINE(...) (FEED(__VA_ARGS__), wr_level_look(&level, 1e-6))

/* A swing is more than `swing`, and is looked for in so many samples. */
static void test_turns_to_the_swing(void) {
  FINE(10, 11, 10, 11, 10);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 0);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 0.99), 3);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 4, 0.99), 2);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 3, 0.99), 1);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 2, 0.99), 0);
  FINE(10, 9, 10, 9, 10);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 0);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 0.99), 3);
  FINE(11, 12, 10); /* one swing, and then just the other half of one */
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 0);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 0.99), 1);
  FINE(9, 8, 10);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 0);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 0.99), 1);
  FINE(8, 8); /* what was never measured is no swing */
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1), 0);
  FINE(8, 10, 8); /* a way up and down, in steps of half the swing */
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1.5), 1);
  FINE(8, 9, 10, 9, 8);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1.5), 1);
  FINE(10, 9, 8, 9, 10);
  CU_ASSERT_EQUAL(wr_calm_turns(&level, 20, 1.5), 1);
}

UNIT_MAIN("calm", UNIT(test_nothing), UNIT(test_quiet),
          UNIT(test_quiet_by_whole_pulses), UNIT(test_turns),
          UNIT(test_slow_swings), UNIT(test_quiet_to_the_width),
          UNIT(test_two_pulses_are_nothing), UNIT(test_turns_to_the_swing))
