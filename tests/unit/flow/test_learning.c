#include "lib/flow/learning.h"

#include "tests/unit/unit.h"

#include <math.h>

static struct wr_learned out;

/* The level at second i. */
typedef double (*level_fn)(int i);

/* Seconds until it has learnt, or -1. */
static int learn(level_fn level, int most) {
  struct wr_learning l = {0};
  for (int i = 0; i < most; i++)
    if (wr_learning_add(&l, 400, level(i) * (i % 2 ? 1.001 : 0.999), 1, &out))
      return i + 1;
  return -1;
}

static double steady(int i) { return i >= 0 ? 10 : 0; }
static double starts_late(int i) { return i < 150 ? (i * 37) % 60 : 124; }
static double dips(int i) { return i > 200 && i < 260 ? 9 : 10; }
static double two_levels(int i) { return i / 100 % 2 ? 6 : 10; }
static double rests(int i) { return i % 200 < 100 ? 0 : 10; }
static double chaos(int i) { return (i / 20 * 7919) % 100 + 1; }
static double nothing(int i) { return i < 0 ? 1 : 0; }

static void test_steady(void) {
  CU_ASSERT_EQUAL(learn(steady, 1000), 400);
  CU_ASSERT_DOUBLE_EQUAL(out.level, 10, 0.001);
  CU_ASSERT_DOUBLE_EQUAL(out.deviation, 0.01, 0.001);
  CU_ASSERT(out.wander < 0.001);
  CU_ASSERT(isnan(out.other));
  CU_ASSERT_FALSE(out.rests);
}

/* A pump that is switched on while the series learns: the mean would be 81. */
static void test_a_start_within(void) {
  CU_ASSERT_EQUAL(learn(starts_late, 1000), 400);
  CU_ASSERT_DOUBLE_EQUAL(out.level, 124, 0.5);
}

static void test_a_dip_within(void) {
  CU_ASSERT_EQUAL(learn(dips, 1000), 400);
  CU_ASSERT_DOUBLE_EQUAL(out.level, 10, 0.01);
  CU_ASSERT(isnan(out.other));
}

static void test_two_levels(void) {
  CU_ASSERT_EQUAL(learn(two_levels, 1000), 400);
  double low = fmin(out.level, out.other), high = fmax(out.level, out.other);
  CU_ASSERT_DOUBLE_EQUAL(low, 6, 0.01);
  CU_ASSERT_DOUBLE_EQUAL(high, 10, 0.01);
}

/* Time without flow is no time of learning. */
static void test_rests(void) {
  CU_ASSERT_EQUAL(learn(rests, 2000), 800);
  CU_ASSERT_DOUBLE_EQUAL(out.level, 10, 0.01);
  CU_ASSERT(out.rests);
}

static void test_no_normal(void) {
  CU_ASSERT_EQUAL(learn(chaos, 4000), -1);
  CU_ASSERT_EQUAL(learn(nothing, 4000), -1);
}

UNIT_MAIN("learning", UNIT(test_steady), UNIT(test_a_start_within),
          UNIT(test_a_dip_within), UNIT(test_two_levels), UNIT(test_rests),
          UNIT(test_no_normal))
