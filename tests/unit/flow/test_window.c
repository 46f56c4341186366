#include "tests/unit/alloc.h"
#include "tests/unit/flow/window_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_options_out_of_range(void) {
  struct wr_window_options bad[10];
  for (size_t i = 0; i < 10; i++)
    bad[i] = usual(10);
  bad[0].samples = 0;
  bad[1].axes = 0;
  bad[2].axes = WR_WINDOW_AXES + 1;
  bad[3].stride = 0;
  bad[4].interval_us = 0;
  bad[5].interval_us = -S;
  bad[6].samples = WR_WINDOW_VALUES + 1;
  bad[7].samples = SIZE_MAX / 2, bad[7].axes = 3;
  bad[8].late_ms = -1;
  bad[9].interval_us = INT64_MAX;
  for (size_t i = 0; i < 10; i++)
    CU_ASSERT_PTR_NULL(wr_window_create(&bad[i]));
  wr_window_destroy(NULL);
}

static void test_not_numbers(void) {
  struct rig r;
  begin(&r, usual(2));
  at(&r, 0, NAN);
  at(&r, 0, INFINITY);
  wr_window_push(r.w, 0, -1, 1.0, 0, keep, &r.log);
  wr_window_push(r.w, 0, INT64_MAX, 1.0, 0, keep, &r.log);
  wr_window_push(r.w, 0, INT64_MIN, 1.0, 0, keep, &r.log);
  CU_ASSERT_EQUAL(r.log.count, 0);
  CU_ASSERT_EQUAL(counts(&r)->invalid, 5);
  wr_window_destroy(r.w);
}

static void test_slides_by_one(void) {
  struct rig r;
  begin(&r, usual(3));
  feed(&r, (double[]){0, 1, 2, 3, 4, -1});
  CU_ASSERT_EQUAL(r.log.count, 3);
  CU_ASSERT(window_is(&r, 0, (double[]){0, 1, 2}));
  CU_ASSERT(window_is(&r, 2, (double[]){2, 3, 4}));
  CU_ASSERT_EQUAL(r.log.ends[0], T0 + 2 * S);
  CU_ASSERT_EQUAL(r.log.ends[2], T0 + 4 * S);
  wr_window_destroy(r.w);
}

static void test_stride(void) {
  struct rig r;
  struct wr_window_options o = usual(4);
  o.stride = 3;
  begin(&r, o);
  feed(&r, (double[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1});
  CU_ASSERT_EQUAL(r.log.count, 3);
  CU_ASSERT(window_is(&r, 0, (double[]){0, 1, 2, 3}));
  CU_ASSERT(window_is(&r, 1, (double[]){3, 4, 5, 6}));
  CU_ASSERT(window_is(&r, 2, (double[]){6, 7, 8, 9}));
  wr_window_destroy(r.w);
}

static void test_window_of_one(void) {
  struct rig r;
  begin(&r, usual(1));
  feed(&r, (double[]){0, 1, 2, -1});
  CU_ASSERT_EQUAL(r.log.count, 3);
  CU_ASSERT(window_is(&r, 2, (double[]){2}));
  wr_window_destroy(r.w);
}

/* A first window may be shorter; no sample is not the same as a zero. */
static void test_least(void) {
  struct rig r;
  struct wr_window_options o = usual(3);
  o.least = 1;
  begin(&r, o);
  feed(&r, (double[]){0, 1, 2, 3, -1});
  CU_ASSERT_EQUAL(r.log.count, 4);
  CU_ASSERT(window_is(&r, 0, (double[]){NAN, NAN, 0}));
  CU_ASSERT(window_is(&r, 1, (double[]){NAN, 0, 1}));
  CU_ASSERT(window_is(&r, 3, (double[]){1, 2, 3}));
  CU_ASSERT_EQUAL(r.log.missing[0], 2);
  CU_ASSERT_EQUAL(r.log.missing[1], 1);
  CU_ASSERT_EQUAL(r.log.missing[3], 0);
  wr_window_destroy(r.w);
  o.least = 2;
  begin(&r, o);
  feed(&r, (double[]){1, 2, 3, -1});
  CU_ASSERT_EQUAL(r.log.count, 2);
  CU_ASSERT(window_is(&r, 0, (double[]){NAN, 1, 2}));
  wr_window_destroy(r.w);
  o.least = 4;
  CU_ASSERT_PTR_NULL(wr_window_create(&o));
}

/* After a gap the history is gone, and its places with it. */
static void test_least_after_a_gap(void) {
  struct rig r;
  struct wr_window_options o = usual(4);
  o.least = 2;
  begin(&r, o);
  feed(&r, (double[]){1, 2, 3, 4, 5, 90, 91, -1});
  patience_ends(&r);
  CU_ASSERT(window_is(&r, r.log.count - 1, (double[]){NAN, NAN, 90, 91}));
  CU_ASSERT_EQUAL(r.log.missing[r.log.count - 1], 2);
  wr_window_destroy(r.w);
}

/* A hole waits for its sample, then is filled with the last value. */
static void test_gap_is_held(void) {
  struct rig r;
  begin(&r, usual(3));
  feed(&r, (double[]){0, 1, 2, 4, -1});
  CU_ASSERT_EQUAL(r.log.count, 1);
  CU_ASSERT(wr_window_waits(r.w));
  patience_ends(&r);
  CU_ASSERT_FALSE(wr_window_waits(r.w));
  CU_ASSERT_EQUAL(r.log.count, 3);
  CU_ASSERT(window_is(&r, 1, (double[]){1, 2, 2}));
  CU_ASSERT(window_is(&r, 2, (double[]){2, 2, 4}));
  CU_ASSERT_EQUAL(r.log.ends[1], T0 + 3 * S);
  CU_ASSERT_EQUAL(counts(&r)->filled, 1);
  CU_ASSERT_EQUAL(counts(&r)->restarts, 0);
  wr_window_destroy(r.w);
}

static void test_gap_of_nan(void) {
  struct rig r;
  begin(&r, usual(3));
  feed(&r, (double[]){0, 1, 2, -1});
  at(&r, 3, NAN);
  at(&r, 4, 4);
  patience_ends(&r);
  CU_ASSERT_EQUAL(r.log.count, 3);
  CU_ASSERT(window_is(&r, 2, (double[]){2, 2, 4}));
  CU_ASSERT_EQUAL(counts(&r)->invalid, 1);
  wr_window_destroy(r.w);
}

/* The next push ends the patience too; no timer is needed. */
static void test_gap_without_tick(void) {
  struct rig r;
  begin(&r, usual(3));
  feed(&r, (double[]){0, 1, 2, 4, -1});
  r.now_ms = 250;
  at(&r, 5, 5);
  CU_ASSERT_EQUAL(r.log.count, 4);
  CU_ASSERT(window_is(&r, 3, (double[]){2, 4, 5}));
  wr_window_destroy(r.w);
}

static void test_longer_gap_restarts(void) {
  struct rig r;
  begin(&r, usual(3));
  feed(&r, (double[]){0, 1, 2, 5, 6, 7, 8, -1});
  patience_ends(&r);
  CU_ASSERT_EQUAL(r.log.count, 3);
  CU_ASSERT(window_is(&r, 1, (double[]){5, 6, 7}));
  CU_ASSERT_TRUE(r.log.restarted[1]);
  CU_ASSERT_FALSE(r.log.restarted[0]);
  CU_ASSERT_FALSE(r.log.restarted[2]);
  CU_ASSERT_EQUAL(counts(&r)->restarts, 1);
  CU_ASSERT_EQUAL(counts(&r)->filled, 0);
  wr_window_destroy(r.w);
}

static void test_max_gap_of_zero_and_more(void) {
  struct rig r;
  struct wr_window_options o = usual(3);
  o.max_gap = 0;
  begin(&r, o);
  feed(&r, (double[]){0, 1, 2, 4, 5, 6, -1});
  patience_ends(&r);
  CU_ASSERT_EQUAL(r.log.count, 2);
  CU_ASSERT_EQUAL(counts(&r)->restarts, 1);
  wr_window_destroy(r.w);
  o.max_gap = 4;
  begin(&r, o);
  feed(&r, (double[]){0, 1, 2, 7, -1});
  patience_ends(&r);
  CU_ASSERT_EQUAL(r.log.count, 6);
  CU_ASSERT(window_is(&r, 4, (double[]){2, 2, 2}));
  CU_ASSERT(window_is(&r, 5, (double[]){2, 2, 7}));
  CU_ASSERT_EQUAL(counts(&r)->filled, 4);
  wr_window_destroy(r.w);
}

static void test_disorder(void) {
  struct rig r;
  begin(&r, usual(3));
  feed(&r, (double[]){1, 0, 2, 4, 3, 7, 6, 5, -1});
  CU_ASSERT_EQUAL(r.log.count, 6);
  for (size_t i = 0; i < 6; i++) {
    double d = (double)i;
    CU_ASSERT(window_is(&r, i, (double[]){d, d + 1, d + 2}));
    CU_ASSERT_EQUAL(r.log.ends[i], T0 + (int64_t)(i + 2) * S);
  }
  CU_ASSERT_EQUAL(counts(&r)->late, 0);
  wr_window_destroy(r.w);
}

static void test_duplicates(void) {
  struct rig r;
  begin(&r, usual(3));
  feed(&r, (double[]){0, 0, 1, 2, 2, 1, 3, 3, 2.1, 4, -1});
  CU_ASSERT_EQUAL(r.log.count, 3);
  CU_ASSERT(window_is(&r, 2, (double[]){2, 3, 4}));
  CU_ASSERT_EQUAL(counts(&r)->duplicate, 4);
  CU_ASSERT_EQUAL(counts(&r)->late, 1); /* 2.1 after 3 */
  CU_ASSERT_EQUAL(counts(&r)->restarts, 0);
  wr_window_destroy(r.w);
}

/* A read that was late and the one that made up for it. */
static void test_slow_reads(void) {
  struct rig r;
  begin(&r, usual(3));
  feed(&r, (double[]){0, 1, 2.7, 3, 4, 4.1, 5, -1});
  CU_ASSERT_EQUAL(r.log.count, 4);
  CU_ASSERT_EQUAL(counts(&r)->filled, 0);
  CU_ASSERT_EQUAL(counts(&r)->duplicate, 1); /* 4.1 */
  wr_window_destroy(r.w);
}

static void test_late_sample_is_dropped(void) {
  struct rig r;
  begin(&r, usual(3));
  feed(&r, (double[]){0, 1, 2, 4, -1});
  patience_ends(&r);
  at(&r, 3, 3);
  at(&r, 5, 5);
  at(&r, 3.5, 3.5); /* after one that was in time another may come late */
  at(&r, 2.5, 2.5); /* ... and an older one */
  CU_ASSERT_EQUAL(counts(&r)->late, 3);
  CU_ASSERT_EQUAL(counts(&r)->restarts, 0);
  CU_ASSERT(window_is(&r, 3, (double[]){2, 4, 5}));
  wr_window_destroy(r.w);
}

static void test_clock_goes_back(void) {
  struct rig r;
  begin(&r, usual(3));
  feed(&r, (double[]){100, 101, 102, 50, 51, 52, 53, -1});
  patience_ends(&r);
  CU_ASSERT_EQUAL(r.log.count, 2);
  CU_ASSERT(window_is(&r, 1, (double[]){51, 52, 53}));
  CU_ASSERT_TRUE(r.log.restarted[1]);
  CU_ASSERT_EQUAL(counts(&r)->restarts, 1);
  wr_window_destroy(r.w);
}

static void test_clock_goes_forwards(void) {
  struct rig r;
  begin(&r, usual(3));
  feed(&r, (double[]){0, 1, 2, -1});
  for (int i = 0; i < 4; i++)
    at(&r, 3e8 + i, i);
  patience_ends(&r);
  CU_ASSERT_EQUAL(r.log.count, 3);
  CU_ASSERT(window_is(&r, 1, (double[]){0, 1, 2}));
  CU_ASSERT_TRUE(r.log.restarted[1]);
  CU_ASSERT_EQUAL(counts(&r)->restarts, 1);
  wr_window_destroy(r.w);
}

/* Samples four times as often as the model wants: its time base wins. */
static void test_faster_source_is_thinned(void) {
  struct rig r;
  begin(&r, usual(3));
  for (int i = 0; i < 40; i++)
    at(&r, i * 0.25, i * 0.25);
  CU_ASSERT(r.log.count >= 7 && r.log.count <= 9);
  for (size_t i = 0; i < r.log.count; i++) {
    double span = r.log.values[i][2] - r.log.values[i][0];
    CU_ASSERT(span >= 1.5 && span <= 2.5);
  }
  wr_window_destroy(r.w);
}

/* Ten hours on a clock that is 0.01 % fast: no gap, no duplicate. */
static void test_drift(void) {
  struct rig r;
  begin(&r, usual(3));
  for (int i = 0; i < 36000; i++)
    at(&r, i * 1.0001, 1);
  CU_ASSERT_EQUAL(counts(&r)->filled + counts(&r)->duplicate +
                      counts(&r)->restarts + counts(&r)->late,
                  0);
  wr_window_destroy(r.w);
}

/* No sample is given out while a line is full: memory stays bounded. */
static void test_line_overflow(void) {
  struct rig r;
  begin(&r, usual(3));
  feed(&r, (double[]){0, 1, 2, -1});
  for (int i = 0; i < 100; i++)
    at(&r, 4 + i, 4 + i); /* behind a hole that never closes */
  CU_ASSERT(r.log.count > 60);
  CU_ASSERT_EQUAL(counts(&r)->filled, 1);
  wr_window_destroy(r.w);
}

static void test_fusion_interleaves(void) {
  struct rig r;
  struct wr_window_options o = usual(2);
  o.axes = 3;
  begin(&r, o);
  for (int i = 0; i < 3; i++) {
    axis_at(&r, 2, i + 0.2, 200 + i);
    axis_at(&r, 0, i, i);
    axis_at(&r, 1, i - 0.3, 100 + i);
  }
  CU_ASSERT_EQUAL(r.log.count, 2);
  CU_ASSERT(window_is(&r, 0, (double[]){0, 100, 200, 1, 101, 201}));
  CU_ASSERT(window_is(&r, 1, (double[]){1, 101, 201, 2, 102, 202}));
  CU_ASSERT_EQUAL(r.log.ends[1], T0 + 2 * S);
  wr_window_destroy(r.w);
}

static void test_fusion_holds_and_restarts(void) {
  struct rig r;
  struct wr_window_options o = usual(2);
  o.axes = 2;
  begin(&r, o);
  for (int i = 0; i < 2; i++) {
    axis_at(&r, 0, i, i);
    axis_at(&r, 1, i, 100 + i);
  }
  CU_ASSERT_EQUAL(r.log.count, 1);
  axis_at(&r, 0, 2, 2); /* axis 1 is silent */
  CU_ASSERT_EQUAL(r.log.count, 1);
  CU_ASSERT(wr_window_waits(r.w));
  patience_ends(&r);
  CU_ASSERT(window_is(&r, 1, (double[]){1, 101, 2, 101}));
  CU_ASSERT_EQUAL(counts(&r)->filled, 1);
  axis_at(&r, 0, 3, 3);
  patience_ends(&r);
  CU_ASSERT_EQUAL(r.log.count, 2);
  CU_ASSERT_EQUAL(counts(&r)->restarts, 1);
  for (int i = 4; i < 6; i++) {
    axis_at(&r, 0, i, i);
    axis_at(&r, 1, i, 100 + i);
  }
  CU_ASSERT_EQUAL(r.log.count, 3);
  CU_ASSERT(window_is(&r, 2, (double[]){4, 104, 5, 105}));
  CU_ASSERT_TRUE(r.log.restarted[2]);
  wr_window_destroy(r.w);
}

static uint32_t random_state;

static uint32_t draw(uint32_t below) {
  random_state = random_state * 1664525u + 1013904223u;
  return (random_state >> 8) % below;
}

/* Samples with jitter and a few missing ones, in time order. */
static size_t make_samples(double *times, size_t most) {
  size_t count = 0;
  for (int i = 0; count < most; i++)
    if (draw(10) != 0)
      times[count++] = i + (draw(1000) - 500.0) / 5000.0;
  return count;
}

static void swap(double *a, double *b) {
  double c = *a;
  *a = *b;
  *b = c;
}

/* Property: whatever order a few write threads hand samples in, also twice,
 * the windows are those of the ordered run. */
static void test_property_any_order(void) {
  enum { SAMPLES = 40 };
  for (uint32_t seed = 1; seed <= 2000; seed++) {
    random_state = seed;
    double times[SAMPLES], order[SAMPLES];
    make_samples(times, SAMPLES);
    memcpy(order, times, sizeof(order));
    for (size_t i = 0; i + 2 < SAMPLES; i += 3) { /* shuffle three */
      size_t other = i + draw(3), third = i + 1 + draw(2);
      swap(&order[i], &order[other]);
      swap(&order[i + 1], &order[third]);
    }
    struct wr_window_options o = usual(3 + draw(6));
    o.stride = 1 + draw(3);
    o.max_gap = draw(3);
    o.late_ms = 1000000; /* only the line's length ends the patience */
    struct rig a, b;
    begin(&a, o);
    begin(&b, o);
    for (size_t i = 0; i < SAMPLES; i++) {
      at(&a, times[i], (double)llround(times[i] * 1e6));
      at(&b, order[i], (double)llround(order[i] * 1e6));
      if (draw(4) == 0)
        at(&b, order[i], (double)llround(order[i] * 1e6));
    }
    a.now_ms = b.now_ms = 2000000;
    wr_window_tick(a.w, a.now_ms, keep, &a.log);
    wr_window_tick(b.w, b.now_ms, keep, &b.log);
    bool same = a.log.count == b.log.count;
    for (size_t i = 0; same && i < a.log.count; i++)
      same = a.log.ends[i] == b.log.ends[i] &&
             a.log.restarted[i] == b.log.restarted[i] &&
             memcmp(a.log.values[i], b.log.values[i],
                    a.log.size * sizeof(double)) == 0;
    if (!same)
      printf("seed %u: %zu windows in order, %zu in disorder\n", seed,
             a.log.count, b.log.count);
    CU_ASSERT_TRUE(same);
    wr_window_destroy(a.w);
    wr_window_destroy(b.w);
  }
}

static void test_no_memory(void) {
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_window_options o = usual(10);
    struct wr_window *w = wr_window_create(&o);
    CU_ASSERT_EQUAL(w == NULL, unit_alloc_failed());
    wr_window_destroy(w);
  }
}

/* The second of two axes runs ahead of the first, far: its oldest samples are
 * given up, its newest meet those of the first. */
static void test_axis_far_ahead(void) {
  struct rig r;
  struct wr_window_options o = usual(2);
  o.axes = 2;
  o.max_gap = 100;
  begin(&r, o);
  for (int i = 0; i < 40; i++)
    wr_window_push(r.w, 1, T0 + i * S, 100 + i, r.now_ms, keep, &r.log);
  CU_ASSERT_EQUAL(r.log.count, 0);
  for (int i = 24; i < 40; i++)
    wr_window_push(r.w, 0, T0 + i * S, i, r.now_ms, keep, &r.log);
  CU_ASSERT(r.log.count > 0);
  const double *last = r.log.values[r.log.count - 1];
  CU_ASSERT_EQUAL(last[0], 38);
  CU_ASSERT_EQUAL(last[1], 138);
  CU_ASSERT_EQUAL(last[2], 39);
  CU_ASSERT_EQUAL(last[3], 139);
  CU_ASSERT_EQUAL(wr_window_taken(r.w), 16);
  wr_window_destroy(r.w);
}

/* Places in front of the window are remembered, those of gaps too, until it
 * begins anew; the windows are the same as without. */
static void test_kept(void) {
  struct rig r, plain;
  struct wr_window_options o = usual(2);
  begin(&plain, o);
  o.kept = 4;
  begin(&r, o);
  for (int i = 0; i < 9; i++) {
    double newest[4], second = i + (i > 3); /* the fourth is missing */
    at(&r, second, second);
    at(&plain, second, second);
    patience_ends(&r);
    patience_ends(&plain);
    size_t want = i < 3 ? (size_t)i + 1 : 4;
    CU_ASSERT_EQUAL(wr_window_held(r.w), want);
    CU_ASSERT_EQUAL(wr_window_held(plain.w), want < 2 ? want : 2);
    wr_window_newest(r.w, 4, newest);
    for (size_t k = 0; k < 4; k++) {
      double was = second - (double)k;
      if (k >= want)
        CU_ASSERT_TRUE(isnan(newest[3 - k]))
      else
        CU_ASSERT_EQUAL(newest[3 - k], was == 4 ? 3 : was);
    }
  }
  CU_ASSERT_EQUAL(r.log.count, plain.log.count);
  for (size_t i = 0; i < r.log.count; i++)
    CU_ASSERT_TRUE(window_is(&r, i, plain.log.values[i]));
  at(&r, 100, 100);
  patience_ends(&r);
  CU_ASSERT_EQUAL(wr_window_held(r.w), 1);
  wr_window_destroy(r.w);
  wr_window_destroy(plain.w);
  o.kept = WR_WINDOW_VALUES + 1;
  CU_ASSERT_PTR_NULL(wr_window_create(&o));
}

/* What comes in its turn needs no memory; what would have to wait counts as
 * late where there is none, and the next goes on. */
static void test_no_memory_to_wait(void) {
  struct rig r;
  struct wr_window_options o = usual(2);
  o.least = 1;
  begin(&r, o);
  CU_ASSERT_TRUE(unit_alloc_arm(0));
  at(&r, 0, 0);
  at(&r, 1, 1);
  CU_ASSERT_FALSE(unit_alloc_failed());
  at(&r, 3, 3); /* waits for 2 */
  CU_ASSERT_TRUE(unit_alloc_failed());
  CU_ASSERT_EQUAL(counts(&r)->late, 1);
  CU_ASSERT_FALSE(wr_window_waits(r.w));
  at(&r, 2, 2);
  at(&r, 3, 3);
  CU_ASSERT_EQUAL(r.log.count, 4);
  CU_ASSERT_EQUAL(counts(&r)->restarts + counts(&r)->filled, 0);
  unit_alloc_off();
  wr_window_destroy(r.w);
}

UNIT_MAIN("window", UNIT(test_no_memory), UNIT(test_axis_far_ahead),
          UNIT(test_options_out_of_range), UNIT(test_not_numbers),
          UNIT(test_slides_by_one), UNIT(test_stride), UNIT(test_window_of_one),
          UNIT(test_least), UNIT(test_least_after_a_gap),
          UNIT(test_gap_is_held), UNIT(test_gap_of_nan),
          UNIT(test_gap_without_tick), UNIT(test_longer_gap_restarts),
          UNIT(test_max_gap_of_zero_and_more), UNIT(test_disorder),
          UNIT(test_duplicates), UNIT(test_slow_reads),
          UNIT(test_late_sample_is_dropped), UNIT(test_clock_goes_back),
          UNIT(test_clock_goes_forwards), UNIT(test_faster_source_is_thinned),
          UNIT(test_drift), UNIT(test_line_overflow),
          UNIT(test_fusion_interleaves), UNIT(test_fusion_holds_and_restarts),
          UNIT(test_property_any_order), UNIT(test_kept),
          UNIT(test_no_memory_to_wait))
