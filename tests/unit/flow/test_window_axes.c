/* Several axes in one window: what each place takes from which. */
#include "tests/unit/alloc.h"
#include "tests/unit/flow/window_case.h"

#include <stdlib.h>

static struct wr_window_options of_axes(size_t samples, size_t axes) {
  struct wr_window_options o = usual(samples);
  o.axes = axes;
  return o;
}

/* Two axes, two places at 0 and 1; then axis 1 at `second`, axis 0 at 2. */
static void begin_two(struct rig *r, double second) {
  begin(r, of_axes(1, 2));
  for (int i = 0; i < 2; i++) {
    axis_at(r, 1, i, 100 + i);
    at(r, i, i);
  }
  CU_ASSERT_EQUAL(r->log.count, 2);
  axis_at(r, 1, second, 200);
  at(r, 2, 2);
}

/* Within half an interval: its own; else the last one stands for it. */
static void test_half_an_interval(void) {
  static const struct {
    double second;
    bool own;
  } cases[] = {{1.5, false}, {1.500001, true}, {1.6, true},       {2, true},
               {2.4, true},  {2.5, true},      {2.500001, false}, {3.4, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct rig r;
    begin_two(&r, cases[i].second);
    CU_ASSERT_EQUAL(r.log.count, cases[i].own ? 3 : 2);
    CU_ASSERT_EQUAL(wr_window_waits(r.w), !cases[i].own);
    patience_ends(&r);
    CU_ASSERT_EQUAL(r.log.count, 3);
    CU_ASSERT(
        window_is(&r, 2, (double[]){2, cases[i].second <= 2.5 ? 200 : 101}));
    CU_ASSERT_EQUAL(counts(&r)->filled, cases[i].own ? 0 : 1);
    wr_window_destroy(r.w);
  }
}

/* The last value stands for a silent axis while it is less than max_gap
 * intervals and a half older than the place. */
static void test_how_long_a_value_is_held(void) {
  for (size_t max_gap = 0; max_gap < 4; max_gap++)
    for (size_t k = 0; k < 2; k++) {
      struct rig r;
      struct wr_window_options o = of_axes(1, 2);
      o.max_gap = max_gap;
      begin(&r, o);
      axis_at(&r, 1, k == 0 ? 0.5 : 0.500001, 100);
      for (int i = 1; i <= 6; i++) {
        at(&r, i, i);
        patience_ends(&r);
      }
      CU_ASSERT_EQUAL(r.log.count, max_gap + k);
      CU_ASSERT_EQUAL(counts(&r)->filled, max_gap);
      CU_ASSERT_EQUAL(counts(&r)->restarts, r.log.count > 0);
      wr_window_destroy(r.w);
    }
}

/* One that never says anything: there is no window, and nothing to restart. */
static void test_silent_from_the_start(void) {
  struct rig r;
  begin(&r, of_axes(1, 3));
  for (int i = 0; i < 3; i++) {
    axis_at(&r, 1, i, 100);
    at(&r, i, i);
    CU_ASSERT_EQUAL(wr_window_taken(r.w), 0);
    patience_ends(&r);
  }
  CU_ASSERT_EQUAL(r.log.count, 0);
  CU_ASSERT_FALSE(wr_window_waits(r.w));
  CU_ASSERT_EQUAL(counts(&r)->restarts + counts(&r)->filled, 0);
  axis_at(&r, 2, 3, 200);
  axis_at(&r, 1, 3, 100);
  at(&r, 3, 3);
  CU_ASSERT_EQUAL(r.log.count, 1);
  CU_ASSERT(window_is(&r, 0, (double[]){3, 100, 200}));
  wr_window_destroy(r.w);
}

/* In a gap of axis 0 the others have values of their own, where they came. */
static void test_gap_of_axis_0(void) {
  struct rig r;
  struct wr_window_options o = of_axes(1, 4);
  o.max_gap = 2;
  begin(&r, o);
  for (int i = 0; i < 4; i++) {
    axis_at(&r, 1, i, 100 + i);
    if (i % 2 == 0)
      axis_at(&r, 2, i, 200 + i);
    axis_at(&r, 3, i, 300 + i);
    if (i == 0 || i == 3)
      at(&r, i, i);
  }
  CU_ASSERT_EQUAL(r.log.count, 1);
  patience_ends(&r);
  CU_ASSERT_EQUAL(r.log.count, 4);
  CU_ASSERT(window_is(&r, 1, (double[]){0, 101, 200, 301}));
  CU_ASSERT(window_is(&r, 2, (double[]){0, 102, 202, 302}));
  CU_ASSERT(window_is(&r, 3, (double[]){3, 103, 202, 303}));
  CU_ASSERT_EQUAL(counts(&r)->filled, 3); /* two places, one held value */
  wr_window_destroy(r.w);
}

/* What is too old to stand for an axis at the places of a gap stays there as
 * it was in the place before. */
static void test_gap_of_all_axes(void) {
  struct rig r;
  begin(&r, of_axes(1, 3));
  axis_at(&r, 1, 0, 100);
  axis_at(&r, 2, 0, 200);
  at(&r, 0, 0);
  at(&r, 1, 1);
  patience_ends(&r);
  CU_ASSERT(window_is(&r, 1, (double[]){1, 100, 200}));
  axis_at(&r, 1, 3, 103);
  axis_at(&r, 2, 3, 203);
  at(&r, 3, 3);
  patience_ends(&r);
  CU_ASSERT_EQUAL(r.log.count, 4);
  CU_ASSERT(window_is(&r, 2, (double[]){1, 100, 200}));
  CU_ASSERT(window_is(&r, 3, (double[]){3, 103, 203}));
  CU_ASSERT_EQUAL(counts(&r)->restarts, 0);
  wr_window_destroy(r.w);
}

/* Of seventeen that wait the oldest is given up, and no other. */
static void test_oldest_is_given_up(void) {
  for (int first = 0; first < 2; first++) {
    struct rig r;
    struct wr_window_options o = of_axes(1, 2);
    o.max_gap = 0;
    begin(&r, o);
    for (int i = 0; i <= WR_WINDOW_PENDING; i++)
      axis_at(&r, 1, i, 100 + i);
    at(&r, first, first);
    patience_ends(&r);
    CU_ASSERT_EQUAL(r.log.count, (size_t)first);
    CU_ASSERT(first == 0 || window_is(&r, 0, (double[]){1, 101}));
    wr_window_destroy(r.w);
  }
}

/* When the clock goes back nothing of any axis is left from before. */
static void test_clock_goes_back(void) {
  struct rig r;
  begin(&r, of_axes(2, 3));
  for (int i = 0; i < WR_WINDOW_PENDING; i++) {
    axis_at(&r, 1, 100 + i, 100);
    axis_at(&r, 2, 100 + i, 200);
  }
  for (int i = 0; i < 3; i++)
    at(&r, 100 + i, i);
  CU_ASSERT_EQUAL(r.log.count, 2);
  at(&r, 10, 10);
  at(&r, 11, 11); /* the second one that rises */
  patience_ends(&r);
  CU_ASSERT_EQUAL(counts(&r)->restarts, 1);
  for (int i = 12; i < 14; i++) {
    axis_at(&r, 1, i, 100 + i);
    axis_at(&r, 2, i, 200 + i);
    at(&r, i, i);
  }
  CU_ASSERT_EQUAL(r.log.count, 3);
  CU_ASSERT(window_is(&r, 2, (double[]){12, 112, 212, 13, 113, 213}));
  CU_ASSERT_TRUE(r.log.restarted[2]);
  CU_ASSERT_EQUAL(r.log.ends[2], T0 + 13 * S);
  wr_window_destroy(r.w);
}

/* At every place one axis waits for the other: no memory is asked for again
 * and again. */
static void test_memory_is_kept(void) {
  struct rig r;
  begin(&r, of_axes(1, 2));
  for (int i = 0; i < 9; i++) {
    if (i == 1)
      CU_ASSERT_TRUE(unit_alloc_arm(0));
    at(&r, i, i);
    axis_at(&r, 1, i, 100 + i);
  }
  CU_ASSERT_FALSE(unit_alloc_failed());
  unit_alloc_off();
  CU_ASSERT_EQUAL(r.log.count, 9);
  CU_ASSERT(window_is(&r, 8, (double[]){8, 108}));
  wr_window_destroy(r.w);
}

/* As many axes as there may be, each in its column. */
static void test_all_axes(void) {
  struct rig r;
  double want[2 * WR_WINDOW_AXES];
  begin(&r, of_axes(2, WR_WINDOW_AXES));
  for (size_t a = WR_WINDOW_AXES; a-- > 0;)
    for (int i = 0; i < 2; i++) {
      axis_at(&r, a, i, (double)a * 10 + i);
      want[(size_t)i * WR_WINDOW_AXES + a] = (double)a * 10 + i;
    }
  CU_ASSERT_EQUAL(r.log.count, 1);
  CU_ASSERT(window_is(&r, 0, want));
  wr_window_destroy(r.w);
}

UNIT_MAIN("window, its axes", UNIT(test_half_an_interval),
          UNIT(test_how_long_a_value_is_held), UNIT(test_silent_from_the_start),
          UNIT(test_gap_of_axis_0), UNIT(test_gap_of_all_axes),
          UNIT(test_oldest_is_given_up), UNIT(test_clock_goes_back),
          UNIT(test_memory_is_kept), UNIT(test_all_axes))
