#include "lib/flow/pace.h"

#include "tests/unit/unit.h"

#define S INT64_C(1000000)
#define T0 (INT64_C(1700000000) * S)

static double dt;

static enum wr_pace_kind at(struct wr_pace *p, int64_t s, int64_t now_s) {
  return wr_pace_step(p, T0 + s * S, 1000 + now_s * 1000, 1, &dt);
}

static void test_one_after_the_other(void) {
  struct wr_pace p = {0};
  CU_ASSERT_EQUAL(at(&p, 0, 0), WR_PACE_NEXT);
  CU_ASSERT_EQUAL(dt, 1);
  CU_ASSERT_EQUAL(at(&p, 1, 1), WR_PACE_NEXT);
  CU_ASSERT_EQUAL(at(&p, 31, 31), WR_PACE_NEXT);
  CU_ASSERT_EQUAL(dt, 30);
  CU_ASSERT_EQUAL(at(&p, 31, 32), WR_PACE_SAME);
}

/* Two write threads in a hurry: the second sample comes first. */
static void test_overtaken(void) {
  struct wr_pace p = {0};
  (void)at(&p, 0, 0);
  CU_ASSERT_EQUAL(at(&p, 2, 2), WR_PACE_NEXT);
  CU_ASSERT_EQUAL(at(&p, 1, 2), WR_PACE_LATE);
  CU_ASSERT_EQUAL(dt, 0);
  CU_ASSERT_EQUAL(at(&p, 3, 3), WR_PACE_NEXT);
  CU_ASSERT_EQUAL(dt, 1);
}

/* Seconds, an hour, a day, years, both ways: next to no time passed. */
static void test_the_clock_is_set(void) {
  const int64_t steps[] = {-15,   -3600,     3600,       -86400,
                           86400, 100000000, -1600000000};
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    struct wr_pace p = {0};
    (void)at(&p, 0, 0);
    CU_ASSERT_EQUAL(at(&p, 1 + steps[i], 1), WR_PACE_CLOCK);
    CU_ASSERT_EQUAL(dt, 1);
    CU_ASSERT_EQUAL(at(&p, 2 + steps[i], 2), WR_PACE_NEXT);
    CU_ASSERT_EQUAL(dt, 1);
  }
}

static void test_a_real_gap(void) {
  struct wr_pace p = {0};
  (void)at(&p, 0, 0);
  CU_ASSERT_EQUAL(at(&p, 90000, 90000), WR_PACE_GAP);
  CU_ASSERT_EQUAL(dt, 90000);
  /* and the clock was set back meanwhile */
  CU_ASSERT_EQUAL(at(&p, 5, 93600), WR_PACE_GAP);
  CU_ASSERT_EQUAL(dt, 3600);
}

/* A recording is replayed in fast time: no second passes at all. */
static void test_replay(void) {
  struct wr_pace p = {0};
  for (int i = 0; i < 1000; i++) {
    CU_ASSERT_EQUAL(at(&p, i * 10, 0), WR_PACE_NEXT);
    CU_ASSERT_EQUAL(dt, i == 0 ? 1 : 10);
  }
}

/* After a restart only the stamps tell. */
static void test_restart(void) {
  struct wr_pace p = {.time_us = T0};
  CU_ASSERT_EQUAL(at(&p, 86400, 5), WR_PACE_GAP);
  CU_ASSERT_EQUAL(dt, 86400);
  struct wr_pace back = {.time_us = T0};
  CU_ASSERT_EQUAL(at(&back, -86400, 5), WR_PACE_CLOCK);
  CU_ASSERT_EQUAL(dt, 1);
}

static void test_slow_source(void) {
  struct wr_pace p = {0};
  (void)wr_pace_step(&p, T0, 1000, 60, &dt);
  CU_ASSERT_EQUAL(wr_pace_step(&p, T0 + 300 * S, 301000, 60, &dt),
                  WR_PACE_NEXT);
  CU_ASSERT_EQUAL(dt, 300);
}

UNIT_MAIN("pace", UNIT(test_one_after_the_other), UNIT(test_overtaken),
          UNIT(test_the_clock_is_set), UNIT(test_a_real_gap), UNIT(test_replay),
          UNIT(test_restart), UNIT(test_slow_source))
