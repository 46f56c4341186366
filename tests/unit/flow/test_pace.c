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

/* Two samples, so many microseconds apart by their stamps and milliseconds by
 * the clock that nobody sets. */
static enum wr_pace_kind apart(int64_t stamp_us, int64_t passed_ms,
                               double interval_s) {
  struct wr_pace p = {0};
  (void)wr_pace_step(&p, T0, 1000, interval_s, &dt);
  CU_ASSERT_EQUAL(dt, interval_s);
  return wr_pace_step(&p, T0 + stamp_us, 1000 + passed_ms, interval_s, &dt);
}

static void test_bounds(void) {
  static const struct {
    int64_t stamp_us, passed_ms;
    double interval_s;
    enum wr_pace_kind kind;
    double dt_s;
  } cases[] = {/* 60 s, or 10 intervals, are no gap yet */
               {60 * S, 60000, 1, WR_PACE_NEXT, 60},
               {60 * S, 60001, 1, WR_PACE_GAP, 60.001},
               {60 * S + 1, 60000, 1, WR_PACE_CLOCK, 1},
               {60 * S, 0, 6, WR_PACE_NEXT, 60},
               {70 * S, 70000, 7, WR_PACE_NEXT, 70},
               {70 * S, 70001, 7, WR_PACE_GAP, 70.001},
               {70 * S + 1, 70000, 7, WR_PACE_CLOCK, 7},
               /* 10 s, or 3 intervals, are no other clock yet */
               {-1, 0, 1, WR_PACE_LATE, 0},
               {-10 * S, 0, 1, WR_PACE_LATE, 0},
               {-10 * S - 1, 0, 1, WR_PACE_CLOCK, 1},
               {-12 * S, 0, 4, WR_PACE_LATE, 0},
               {-12 * S - 1, 0, 4, WR_PACE_CLOCK, 4},
               /* next to nothing is something */
               {1, 0, 1, WR_PACE_NEXT, 1e-6},
               {S / 2, 0, 1, WR_PACE_NEXT, 0.5},
               {0, 90000, 1, WR_PACE_SAME, 1},
               /* no gap counts for more than a year */
               {S, 32000000000, 1, WR_PACE_GAP, 3.2e7},
               {S, 32000000001, 1, WR_PACE_GAP, 3.2e7}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    CU_ASSERT_EQUAL(
        apart(cases[i].stamp_us, cases[i].passed_ms, cases[i].interval_s),
        cases[i].kind);
    CU_ASSERT_EQUAL(dt, cases[i].dt_s);
  }
}

/* What is remembered: of a late one its arrival, of a duplicate nothing. */
static void test_what_the_next_is_measured_from(void) {
  struct wr_pace p = {0};
  (void)at(&p, 10, 10);
  CU_ASSERT_EQUAL(at(&p, 8, 30), WR_PACE_LATE);
  CU_ASSERT_EQUAL(p.time_us, T0 + 10 * S);
  CU_ASSERT_EQUAL(p.now_ms, 31000);
  CU_ASSERT_EQUAL(at(&p, 10, 50), WR_PACE_SAME);
  CU_ASSERT_EQUAL(p.time_us, T0 + 10 * S);
  CU_ASSERT_EQUAL(p.now_ms, 31000);
  CU_ASSERT_EQUAL(at(&p, 5000, 51), WR_PACE_CLOCK);
  CU_ASSERT_EQUAL(p.time_us, T0 + 5000 * S);
  CU_ASSERT_EQUAL(p.now_ms, 52000);
}

UNIT_MAIN("pace", UNIT(test_one_after_the_other), UNIT(test_overtaken),
          UNIT(test_the_clock_is_set), UNIT(test_a_real_gap), UNIT(test_replay),
          UNIT(test_restart), UNIT(test_slow_source), UNIT(test_bounds),
          UNIT(test_what_the_next_is_measured_from))
