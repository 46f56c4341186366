#include "lib/flow/stuck.h"

#include "tests/unit/unit.h"

#include <math.h>

#define S INT64_C(1000000)

static void test_nothing_known(void) {
  struct wr_stuck s = {0};
  CU_ASSERT_FALSE(wr_stuck_step(&s, 0, NAN, 0));
  CU_ASSERT_FALSE(wr_stuck_step(&s, 0, 5.0, 60 * S));
}

static void test_identical_for_long(void) {
  struct wr_stuck s = {0};
  for (int i = 0; i < 60; i++)
    CU_ASSERT_FALSE(wr_stuck_step(&s, i * S, 5.07, 60 * S));
  CU_ASSERT_TRUE(wr_stuck_step(&s, 60 * S, 5.07, 60 * S));
  CU_ASSERT_TRUE(wr_stuck_step(&s, 61 * S, NAN, 60 * S));
  CU_ASSERT_FALSE(wr_stuck_step(&s, 62 * S, 5.2, 60 * S));
  CU_ASSERT_FALSE(wr_stuck_step(&s, 121 * S, 5.2, 60 * S));
  CU_ASSERT_TRUE(wr_stuck_step(&s, 122 * S, 5.2, 60 * S));
}

static void test_zero_is_no_fault(void) {
  struct wr_stuck s = {0};
  for (int i = 0; i < 1000; i++)
    CU_ASSERT_FALSE(wr_stuck_step(&s, i * S, i % 2 ? 0.0 : -0.0, 60 * S));
}

static void test_clock_goes_back(void) {
  struct wr_stuck s = {0};
  CU_ASSERT_FALSE(wr_stuck_step(&s, 1000 * S, 5, 60 * S));
  CU_ASSERT_FALSE(wr_stuck_step(&s, 100 * S, 5, 60 * S));
  CU_ASSERT_FALSE(wr_stuck_step(&s, 159 * S, 5, 60 * S));
  CU_ASSERT_TRUE(wr_stuck_step(&s, 160 * S, 5, 60 * S));
}

UNIT_MAIN("stuck", UNIT(test_nothing_known), UNIT(test_identical_for_long),
          UNIT(test_zero_is_no_fault), UNIT(test_clock_goes_back))
