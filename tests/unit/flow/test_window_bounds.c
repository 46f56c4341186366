/* Each bound of a window: at it and beyond it. */
#include "tests/unit/alloc.h"
#include "tests/unit/flow/window_case.h"

#include <stdlib.h>

static bool is_made(struct wr_window_options o) {
  struct wr_window *w = wr_window_create(&o);
  bool made = w != NULL;
  wr_window_destroy(w);
  return made;
}

static void test_options_at_their_bounds(void) {
  struct wr_window_options o = usual(10);
  o.axes = WR_WINDOW_AXES;
  CU_ASSERT_TRUE(is_made(o));
  o.samples = WR_WINDOW_VALUES / WR_WINDOW_AXES;
  CU_ASSERT_TRUE(is_made(o));
  o.samples++;
  CU_ASSERT_FALSE(is_made(o));
  o = usual(1);
  o.least = 1;
  CU_ASSERT_TRUE(is_made(o));
  o.least = 2;
  CU_ASSERT_FALSE(is_made(o));
  o = usual(1);
  o.late_ms = 0;
  CU_ASSERT_TRUE(is_made(o));
  o.interval_us = 1;
  CU_ASSERT_TRUE(is_made(o));
  o.interval_us = 86400 * S;
  CU_ASSERT_TRUE(is_made(o));
  o.interval_us++;
  CU_ASSERT_FALSE(is_made(o));
  o = usual(1);
  o.kept = WR_WINDOW_VALUES;
  CU_ASSERT_TRUE(is_made(o));
}

static void test_as_it_was_made(void) {
  struct wr_window_options o = usual(7);
  o.kept = 9;
  o.stride = 3;
  struct wr_window *w = wr_window_create(&o);
  CU_ASSERT_PTR_NOT_NULL_FATAL(w);
  CU_ASSERT_EQUAL(memcmp(wr_window_shape(w), &o, sizeof(o)), 0);
  wr_window_destroy(w);
}

static void test_times(void) {
  static const int64_t bad[] = {-1, WR_WINDOW_TIME_US + 1};
  static const int64_t good[] = {0, 1, WR_WINDOW_TIME_US};
  struct rig r;
  for (size_t i = 0; i < 3; i++) {
    begin(&r, usual(1));
    wr_window_push(r.w, 0, good[i], 5, 0, keep, &r.log);
    CU_ASSERT_EQUAL(r.log.count, 1);
    CU_ASSERT_EQUAL(r.log.ends[0], good[i]);
    CU_ASSERT_EQUAL(counts(&r)->invalid, 0);
    wr_window_destroy(r.w);
  }
  for (size_t i = 0; i < 2; i++) {
    begin(&r, usual(1));
    wr_window_push(r.w, 0, bad[i], 5, 0, keep, &r.log);
    CU_ASSERT_EQUAL(r.log.count, 0);
    CU_ASSERT_EQUAL(counts(&r)->invalid, 1);
    wr_window_destroy(r.w);
  }
}

/* What has the time stamp of a sample that is held, and its place. */
static void test_where_a_place_ends(void) {
  static const struct {
    double second;
    uint64_t duplicate, taken;
  } cases[] = {{2.499999, 1, 3}, /* less than half an interval */
               {2.5, 0, 4},      {3, 0, 4},   {3.75, 0, 4}, /* 3/4 late */
               {3.750001, 0, 5}, /* the place before it is empty */
               {4.499999, 0, 5}, {4.5, 0, 6}, {5.499999, 0, 6}, {5.5, 0, 7}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct rig r;
    struct wr_window_options o = usual(3);
    o.max_gap = 3;
    begin(&r, o);
    feed(&r, (double[]){0, 1, 2, -1});
    CU_ASSERT_EQUAL(wr_window_taken(r.w), 3);
    at(&r, cases[i].second, 7);
    patience_ends(&r);
    CU_ASSERT_EQUAL(counts(&r)->duplicate, cases[i].duplicate);
    CU_ASSERT_EQUAL(wr_window_taken(r.w), cases[i].taken);
    uint64_t filled = cases[i].taken > 4 ? cases[i].taken - 4 : 0;
    CU_ASSERT_EQUAL(counts(&r)->filled, filled);
    CU_ASSERT_EQUAL(counts(&r)->restarts, 0);
    wr_window_destroy(r.w);
  }
}

/* Also where an interval is a few microseconds. */
static void test_shortest_intervals(void) {
  for (int64_t interval = 1; interval <= 9; interval++) {
    struct rig r;
    struct wr_window_options o = usual(2);
    o.interval_us = interval;
    begin(&r, o);
    for (int i = 0; i < 30; i++)
      wr_window_push(r.w, 0, 100 + i * interval, i, 0, keep, &r.log);
    CU_ASSERT_EQUAL(wr_window_taken(r.w), 30);
    wr_window_push(r.w, 0, 100 + 31 * interval, 31, 0, keep, &r.log);
    CU_ASSERT_TRUE(wr_window_waits(r.w)); /* for the one left out */
    wr_window_push(r.w, 0, 100 + 30 * interval, 30, 0, keep, &r.log);
    CU_ASSERT_EQUAL(wr_window_taken(r.w), 32);
    CU_ASSERT_EQUAL(counts(&r)->duplicate + counts(&r)->filled, 0);
    wr_window_destroy(r.w);
  }
}

/* By an eighth: a place at 1 and a sample at 1.4 make the next place 2.05,
 * which begins at 1.55. */
static void test_grid_follows_samples(void) {
  for (int k = 0; k < 2; k++) {
    struct rig r;
    begin(&r, usual(1));
    feed(&r, (double[]){0, 1.4, -1});
    at(&r, k == 0 ? 1.549 : 1.551, 2);
    CU_ASSERT_EQUAL(wr_window_taken(r.w), 2 + (uint64_t)k);
    CU_ASSERT_EQUAL(counts(&r)->duplicate, 1 - (uint64_t)k);
    wr_window_destroy(r.w);
  }
}

/* The stamp is the same: a duplicate, however far the place was. */
static void test_same_stamp_of_a_slow_read(void) {
  struct rig r;
  begin(&r, usual(2));
  feed(&r, (double[]){0, 1, 2.7, 2.7, -1});
  CU_ASSERT_EQUAL(wr_window_taken(r.w), 3);
  CU_ASSERT_EQUAL(counts(&r)->duplicate, 1);
  CU_ASSERT_EQUAL(counts(&r)->late, 0);
  wr_window_destroy(r.w);
}

/* The first samples wait for each other, as many as a window needs. */
static void test_company(void) {
  static const struct {
    size_t samples, least, wait;
  } cases[] = {{2, 0, 2},   {2, 1, 1},    {14, 0, 14}, {15, 0, 15},
               {16, 0, 15}, {20, 16, 15}, {40, 0, 15}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct rig r;
    struct wr_window_options o = usual(cases[i].samples);
    o.least = cases[i].least;
    begin(&r, o);
    r.log.count = MOST; /* of no interest here */
    for (size_t k = 1; k <= cases[i].wait; k++) {
      CU_ASSERT_EQUAL(wr_window_taken(r.w), 0);
      at(&r, (double)k, 1);
    }
    CU_ASSERT_EQUAL(wr_window_taken(r.w), cases[i].wait);
    wr_window_destroy(r.w);
  }
}

static void test_disordered_start(void) {
  struct rig r;
  begin(&r, usual(2));
  feed(&r, (double[]){1, 0, 2, -1});
  CU_ASSERT_EQUAL(r.log.count, 2);
  CU_ASSERT(window_is(&r, 0, (double[]){0, 1}));
  CU_ASSERT_EQUAL(counts(&r)->late + counts(&r)->restarts, 0);
  wr_window_destroy(r.w);
}

/* A hole waits for late_ms, and not a millisecond longer; a push of anything
 * ends it as well as a tick. */
static void test_patience(void) {
  struct rig r;
  begin(&r, usual(2));
  feed(&r, (double[]){0, 1, 3, -1});
  wr_window_tick(r.w, 249, keep, &r.log);
  CU_ASSERT_EQUAL(wr_window_taken(r.w), 2);
  CU_ASSERT_TRUE(wr_window_waits(r.w));
  wr_window_push(r.w, 0, T0 + 4 * S, NAN, 249, keep, &r.log);
  CU_ASSERT_EQUAL(wr_window_taken(r.w), 2);
  wr_window_push(r.w, 0, T0 + 4 * S, NAN, 250, keep, &r.log);
  CU_ASSERT_EQUAL(wr_window_taken(r.w), 4);
  CU_ASSERT_FALSE(wr_window_waits(r.w));
  feed(&r, (double[]){5, -1});
  r.now_ms = 250;
  wr_window_tick(r.w, 250, keep, &r.log);
  CU_ASSERT_EQUAL(counts(&r)->filled, 2);
  wr_window_destroy(r.w);
}

/* Two late ones mean a new clock only where the second is newer. */
static void test_late_twice(void) {
  struct rig r;
  begin(&r, usual(2));
  feed(&r, (double[]){100, 101, 50, 50, 49, -1});
  CU_ASSERT_EQUAL(counts(&r)->late, 3);
  CU_ASSERT_EQUAL(counts(&r)->restarts, 0);
  CU_ASSERT_EQUAL(wr_window_held(r.w), 2);
  at(&r, 49.000001, 3);
  CU_ASSERT_EQUAL(counts(&r)->late, 3);
  CU_ASSERT_EQUAL(counts(&r)->restarts, 1);
  CU_ASSERT_EQUAL(wr_window_held(r.w), 0); /* it waits for company */
  CU_ASSERT_EQUAL(wr_window_fill(r.w), 0);
  wr_window_destroy(r.w);
}

/* No place of a window before the first sample holds anything, and none after
 * all was forgotten. */
static void test_nothing_yet(void) {
  struct rig r;
  double all[4];
  struct wr_window_options o = usual(3);
  o.kept = 4;
  begin(&r, o);
  wr_window_newest(r.w, 4, all);
  for (int i = 0; i < 4; i++)
    CU_ASSERT_TRUE(isnan(all[i]));
  feed(&r, (double[]){100, 101, 102, 103, 104, 50, 51, -1});
  CU_ASSERT_EQUAL(counts(&r)->restarts, 1);
  wr_window_newest(r.w, 4, all);
  for (int i = 0; i < 4; i++)
    CU_ASSERT_TRUE(isnan(all[i]));
  CU_ASSERT_EQUAL(wr_window_taken(r.w), 5); /* since the beginning */
  wr_window_destroy(r.w);
}

/* A window of one place, whose clock goes back. */
static void test_one_place_begins_anew(void) {
  struct rig r;
  begin(&r, usual(1));
  feed(&r, (double[]){9, 5, 6, 7, 7, -1});
  CU_ASSERT_EQUAL(r.log.count, 3);
  CU_ASSERT(window_is(&r, 1, (double[]){6}));
  CU_ASSERT_TRUE(r.log.restarted[1]);
  CU_ASSERT_FALSE(r.log.restarted[2]);
  CU_ASSERT_EQUAL(counts(&r)->late, 1);
  CU_ASSERT_EQUAL(counts(&r)->duplicate, 1);
  wr_window_destroy(r.w);
}

/* What waits behind a hole when the clock goes back is of the old clock. */
static void test_waiting_when_the_clock_goes_back(void) {
  struct rig r;
  begin(&r, usual(2));
  feed(&r, (double[]){100, 101, 103, 50, 51, 52, 53, -1});
  patience_ends(&r);
  CU_ASSERT_FALSE(wr_window_waits(r.w));
  CU_ASSERT_EQUAL(counts(&r)->restarts, 1);
  CU_ASSERT_EQUAL(r.log.count, 3);
  CU_ASSERT(window_is(&r, 1, (double[]){51, 52}));
  CU_ASSERT(window_is(&r, 2, (double[]){52, 53}));
  wr_window_destroy(r.w);
}

/* Any number of the newest of what is kept, wherever the ring begins, and not
 * a value more. */
static void test_newest(void) {
  struct rig r;
  struct wr_window_options o = usual(2);
  o.kept = 5;
  begin(&r, o);
  for (int newest = 0; newest < 14; newest++) {
    at(&r, newest, newest);
    if (newest < 5)
      continue;
    for (size_t places = 0; places <= 5; places++) {
      double out[12];
      for (int i = 0; i < 12; i++)
        out[i] = -1;
      wr_window_newest(r.w, places, out);
      for (size_t i = 0; i < places; i++)
        CU_ASSERT_EQUAL(out[i], newest - (double)(places - 1 - i));
      for (size_t i = places; i < 12; i++)
        CU_ASSERT_EQUAL(out[i], -1);
    }
    double last[3] = {-1, -1, -1};
    wr_window_copy(r.w, last);
    CU_ASSERT_EQUAL(last[0], newest - 1);
    CU_ASSERT_EQUAL(last[1], newest);
    CU_ASSERT_EQUAL(last[2], -1);
  }
  wr_window_destroy(r.w);
}

/* The memory of what waited is given back when nothing waits any more. */
static void test_memory_is_given_back(void) {
  struct rig r;
  struct wr_window_options o = usual(2);
  o.least = 1;
  begin(&r, o);
  feed(&r, (double[]){0, 2, 1, 3, -1});
  CU_ASSERT_EQUAL(wr_window_taken(r.w), 4);
  CU_ASSERT_TRUE(unit_alloc_arm(0));
  feed(&r, (double[]){5, -1});
  CU_ASSERT_TRUE(unit_alloc_failed());
  unit_alloc_off();
  wr_window_destroy(r.w);
}

UNIT_MAIN("window, its bounds", UNIT(test_options_at_their_bounds),
          UNIT(test_as_it_was_made), UNIT(test_times),
          UNIT(test_where_a_place_ends), UNIT(test_shortest_intervals),
          UNIT(test_grid_follows_samples), UNIT(test_same_stamp_of_a_slow_read),
          UNIT(test_company), UNIT(test_disordered_start), UNIT(test_patience),
          UNIT(test_late_twice), UNIT(test_nothing_yet),
          UNIT(test_one_place_begins_anew),
          UNIT(test_waiting_when_the_clock_goes_back), UNIT(test_newest),
          UNIT(test_memory_is_given_back))
