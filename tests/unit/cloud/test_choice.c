/* Which time stamp a row gets that was taken by a clock which was wrong. */
#include "lib/cloud/choice.h"
#include "tests/unit/unit.h"

#define WALL INT64_C(1767225600000000)
#define TRUE_US (WALL - 1000000) /* of the clock minus now_ms */
#define HOUR_US INT64_C(3600000000)

static const struct wr_moment t = {.now_ms = 1000, .wall_us = WALL};

/* By how much a row of an hour ago is moved whose clock was wrong by that. */
static int64_t moved(int64_t wrong_us, int64_t present_us) {
  struct wr_row row = {.time_us = WALL - HOUR_US,
                       .clock_us = TRUE_US + wrong_us};
  CU_ASSERT_TRUE(wr_row_stamp(&row, &t, present_us));
  return row.time_us - (WALL - HOUR_US);
}

static void test_moved_beyond_the_slack(void) {
  static const int64_t slack = WR_CLOCK_SLACK_US;
  CU_ASSERT_EQUAL(moved(0, WALL), 0);
  CU_ASSERT_EQUAL(moved(slack, WALL), 0);
  CU_ASSERT_EQUAL(moved(-slack, WALL), 0);
  CU_ASSERT_EQUAL(moved(slack + 1, WALL), -slack - 1);
  CU_ASSERT_EQUAL(moved(-slack - 1, WALL), slack + 1);
  CU_ASSERT_EQUAL(moved(2 * slack, 0), 0); /* what is true is not known */
}

static void test_clock_that_is_not_known(void) {
  struct wr_row row = {.time_us = WALL - HOUR_US, .clock_us = WR_CLOCK_UNKNOWN};
  CU_ASSERT_TRUE(wr_row_stamp(&row, &t, WALL));
  CU_ASSERT_EQUAL(row.time_us, WALL - HOUR_US);
}

/* A stamp from the future is none; from before 1970 neither. */
static void test_no_stamp(void) {
  for (int late = 0; late < 2; late++) {
    struct wr_row row = {.time_us = WALL + WR_CLOCK_AHEAD_US + late,
                         .clock_us = WR_CLOCK_UNKNOWN};
    CU_ASSERT_EQUAL(wr_row_stamp(&row, &t, WALL), !late);
  }
  struct wr_row row = {.time_us = -1, .clock_us = WR_CLOCK_UNKNOWN};
  CU_ASSERT_FALSE(wr_row_stamp(&row, &t, WALL));
  /* and none is beyond the end of time */
  row = (struct wr_row){.time_us = INT64_MAX, .clock_us = TRUE_US - HOUR_US};
  CU_ASSERT_FALSE(wr_row_stamp(&row, &t, WALL));
  CU_ASSERT_EQUAL(row.time_us, INT64_MAX);
}

/* Without the service's clock only what lies beyond our own present is known
 * to be wrong. */
static void test_beyond_our_present(void) {
  for (int late = 0; late < 2; late++) {
    int64_t time_us = WALL + WR_CLOCK_SLACK_US + late;
    struct wr_row row = {.time_us = time_us, .clock_us = TRUE_US + HOUR_US};
    wr_row_stamp(&row, &t, 0);
    CU_ASSERT_EQUAL(row.time_us, late ? time_us - HOUR_US : time_us);
  }
}

static void test_fresh(void) {
  static const int64_t clocks[] = {WR_CLOCK_UNKNOWN, TRUE_US};
  for (int i = 0; i < 4; i++) {
    int by = i % 2;
    struct wr_row old = {.time_us = WALL - WR_LIVE_AGE_US - by,
                         .clock_us = clocks[i / 2]};
    struct wr_row ahead = {.time_us = WALL + WR_LIVE_AGE_US + by,
                           .clock_us = clocks[i / 2]};
    CU_ASSERT_EQUAL(wr_row_is_fresh(&old, &t), !by);
    CU_ASSERT_EQUAL(wr_row_is_fresh(&ahead, &t), !by);
  }
}

/* Our clock was set meanwhile: a row is as old as the monotonic clock says. */
static void test_fresh_by_its_own_clock(void) {
  struct wr_row row = {.time_us = WALL - 8000000,
                       .clock_us = TRUE_US + 40000000};
  CU_ASSERT_FALSE(wr_row_is_fresh(&row, &t)); /* of 48 s ago */
  row.time_us = WALL + 40000000;
  CU_ASSERT_TRUE(wr_row_is_fresh(&row, &t));
}

UNIT_MAIN("choice", UNIT(test_moved_beyond_the_slack),
          UNIT(test_clock_that_is_not_known), UNIT(test_no_stamp),
          UNIT(test_beyond_our_present), UNIT(test_fresh),
          UNIT(test_fresh_by_its_own_clock))
