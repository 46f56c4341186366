#include "lib/flow/trend.h"

#include "tests/unit/unit.h"

#include <math.h>

#define LOW (-28.8) /* 100 ln 0.75 */
#define HIGH 22.3

static void feed(struct wr_trend *t, int blocks, double from, double to) {
  for (int i = 0; i < blocks; i++)
    wr_trend_push(t, from + (to - from) * (i + 0.5) / blocks);
}

static void test_means(void) {
  struct wr_trend t = {0};
  double day = 0;
  CU_ASSERT_EQUAL(wr_trend_recent(&t, 3), 0);
  feed(&t, 140, 2, 2);
  CU_ASSERT_FALSE(wr_trend_day(&t, &day));
  feed(&t, 4, 4, 4);
  CU_ASSERT_DOUBLE_EQUAL(wr_trend_recent(&t, 3), 4, 0.01);
  CU_ASSERT_TRUE(wr_trend_day(&t, &day));
  CU_ASSERT_DOUBLE_EQUAL(day, 2 + 2 * 4 / 144.0, 0.01);
  wr_trend_push(&t, 1e9); /* clipped, not wrapped */
  CU_ASSERT_DOUBLE_EQUAL(wr_trend_recent(&t, 1), 327, 0.01);
}

static void test_level_is_no_trend(void) {
  struct wr_trend t = {0};
  struct wr_forecast f;
  wr_trend_forecast(&t, 0, LOW, HIGH, &f);
  CU_ASSERT_FALSE(f.clear);
  for (int i = 0; i < 2000; i++)
    wr_trend_push(&t, (i % 7 - 3) * 0.1);
  wr_trend_forecast(&t, 0, LOW, HIGH, &f);
  CU_ASSERT_FALSE(f.clear);
}

/* Level for two days, then 5 % an hour for two hours. */
static void test_hours(void) {
  struct wr_trend t = {0};
  struct wr_forecast f;
  feed(&t, 288, 0, 0);
  feed(&t, 12, 0, -10);
  wr_trend_forecast(&t, 0, LOW, HIGH, &f);
  CU_ASSERT_TRUE(f.clear);
  CU_ASSERT_DOUBLE_EQUAL(f.per_hour, -5, 0.2);
  CU_ASSERT_DOUBLE_EQUAL(f.left_s, 18.8 / 5 * 3600, 600);
  CU_ASSERT_DOUBLE_EQUAL(f.since_s, 7200, 900);
  CU_ASSERT(f.soonest_s <= f.left_s && f.left_s <= f.latest_s);
}

/* 3 % a day for three days: the ring of ten minutes knows too little. */
static void test_days(void) {
  struct wr_trend t = {0};
  struct wr_forecast f;
  feed(&t, 144 * 8, 0, 0);
  feed(&t, 144 * 3, 0, -9);
  wr_trend_forecast(&t, 0, LOW, HIGH, &f);
  CU_ASSERT_TRUE(f.clear);
  CU_ASSERT_DOUBLE_EQUAL(f.per_hour * 24, -3, 0.3);
  CU_ASSERT_DOUBLE_EQUAL(f.left_s / 86400, 19.8 / 3, 1);
}

static void test_upwards_and_beyond(void) {
  struct wr_trend t = {0};
  struct wr_forecast f;
  feed(&t, 288, 0, 0);
  feed(&t, 12, 0, 24);
  wr_trend_forecast(&t, 0, LOW, HIGH, &f);
  CU_ASSERT_TRUE(f.clear);
  CU_ASSERT(f.per_hour > 0);
  CU_ASSERT_EQUAL(f.left_s, 0);
}

UNIT_MAIN("trend", UNIT(test_means), UNIT(test_level_is_no_trend),
          UNIT(test_hours), UNIT(test_days), UNIT(test_upwards_and_beyond))
