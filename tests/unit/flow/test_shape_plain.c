/* The features of ten seconds, worked out a second time: in double, one by
 * one, as slowly and plainly as the header says them. On windows of every kind
 * the two agree. */
#include "lib/flow/shape.h"

#include "tests/unit/flow/flow_kinds.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define N WR_SHAPE_SAMPLES

static float f[WR_SHAPE_COUNT];
static double mean, base;

static void near(enum wr_shape which, double want) {
  CU_ASSERT_DOUBLE_EQUAL(f[which], want, 2e-5 * (1 + fabs(want)));
}

/* An rms of that much L/min: what the logarithm is of. */
static void rms(enum wr_shape which, double lpm) {
  CU_ASSERT_DOUBLE_EQUAL(exp(f[which]), lpm / base + WR_SHAPE_FLOOR, 1e-3);
}

static void sort(double *values) {
  qsort(values, N, sizeof(*values), flow_by_size);
}

static double median_of(double *sorted) {
  return (sorted[N / 2 - 1] + sorted[N / 2]) / 2;
}

static void check_level(const double *x) {
  double sorted[N], apart[N];
  memcpy(sorted, x, sizeof(sorted));
  sort(sorted);
  near(WR_SHAPE_MIN, sorted[0]);
  near(WR_SHAPE_SECOND, sorted[1]);
  near(WR_SHAPE_MEDIAN, median_of(sorted));
  near(WR_SHAPE_EIGHTH, sorted[N - 2]);
  near(WR_SHAPE_MAX, sorted[N - 1]);
  near(WR_SHAPE_FIRST, x[0]);
  near(WR_SHAPE_LAST, x[N - 1]);
  near(WR_SHAPE_MEAN, mean);
  for (int i = 0; i < N; i++)
    apart[i] = fabs(x[i] - median_of(sorted));
  sort(apart);
  rms(WR_SHAPE_SPREAD, median_of(apart));
}

static void check_changes(const double *x) {
  double rise = 0, fall = 0, change = 0, bend = 0;
  for (int i = 0; i + 1 < N; i++) {
    rise = fmax(rise, x[i + 1] - x[i]);
    fall = fmin(fall, x[i + 1] - x[i]);
    change += pow(x[i + 1] - x[i], 2) / (N - 1);
  }
  for (int i = 0; i + 2 < N; i++)
    bend += pow(x[i + 2] - 2 * x[i + 1] + x[i], 2) / (N - 2);
  near(WR_SHAPE_RISE, rise / base);
  near(WR_SHAPE_FALL, fall / base);
  rms(WR_SHAPE_CHANGE, sqrt(change));
  rms(WR_SHAPE_JUMP, fmax(rise, -fall));
  rms(WR_SHAPE_BEND, sqrt(bend));
}

static void check_line(const double *x) {
  double slope = 0, rest = 0;
  for (int i = 0; i < N; i++) /* the squares of i - 4.5 are 82.5 in all */
    slope += (i - 4.5) * (x[i] - mean) / 82.5;
  for (int i = 0; i < N; i++)
    rest += pow(x[i] - mean - slope * (i - 4.5), 2) / N;
  near(WR_SHAPE_SLOPE, slope / base);
  rms(WR_SHAPE_OFF_LINE, sqrt(rest));
}

/* Squares left when x[from .. to - 1] is one level. */
static double left_of(const double *x, int from, int to, double *level) {
  double left = 0;
  *level = 0;
  for (int i = from; i < to; i++)
    *level += x[i] / (to - from);
  for (int i = from; i < to; i++)
    left += pow(x[i] - *level, 2);
  return left;
}

/* Of steps that fit as well as the best one, any may be told. */
static void check_step(const double *x) {
  double left[N], height[N], best = INFINITY, least = INFINITY, a, b;
  bool told = false;
  for (int skip = 0; skip <= 2; skip++)
    for (int i = 1; i + skip < N; i++) {
      double both = left_of(x, 0, i, &a) + left_of(x, i + skip, N, &b);
      least = fmin(least, both);
      if (skip > 0)
        continue;
      left[i] = both;
      height[i] = b - a;
      best = fmin(best, both);
    }
  for (int i = 1; i < N; i++)
    told |= left[i] < best + 1e-3 * (1 + best) &&
            fabs(f[WR_SHAPE_STEP] - height[i] / base) < 1e-4;
  CU_ASSERT_TRUE(told);
  rms(WR_SHAPE_OFF_STEP, sqrt(best / N));
  rms(WR_SHAPE_OFF_MOVE, sqrt(least / N));
}

static void check_waves(const double *x) {
  double half = 0, full = 0, squares = 0, product = 0;
  for (int i = 0; i < N; i++) {
    half += cos(M_PI * (i + 0.5) / N) * (x[i] - mean) / N;
    full += cos(2 * M_PI * (i + 0.5) / N) * (x[i] - mean) / N;
    squares += pow(x[i] - mean, 2);
  }
  for (int i = 0; i + 1 < N; i++)
    product += (x[i] - mean) * (x[i + 1] - mean);
  rms(WR_SHAPE_HALF_WAVE, fabs(half));
  rms(WR_SHAPE_FULL_WAVE, fabs(full));
  near(WR_SHAPE_MEMORY, product / (squares + 1e-3 * base * base));
  rms(WR_SHAPE_DEVIATION, sqrt(squares / N));
}

static void check(const float *window) {
  double x[N];
  mean = 0;
  for (int i = 0; i < N; i++) {
    x[i] = (double)window[i];
    mean += x[i] / N;
  }
  base = fabs(mean) + 0.5;
  wr_shape(window, f);
  check_level(x);
  check_changes(x);
  check_line(x);
  check_step(x);
  check_waves(x);
}

static void test_every_kind_of_flow(void) {
  float minute[FLOW_SECONDS];
  flow_random = 1;
  for (int n = 0; n < 40 * FLOW_KINDS; n++) {
    flow_fill(n % FLOW_KINDS, minute);
    check(minute + flow_draw(FLOW_SECONDS - N));
  }
}

/* One second that is different, wherever it is. */
static void test_one_second(void) {
  for (int at = 0; at < N; at++) {
    float window[N] = {0};
    for (int i = 0; i < N; i++)
      window[i] = 8;
    window[at] = 8.25f;
    check(window);
    window[at] = 2;
    check(window);
  }
}

/* A step after any second, that takes none, one or two on its way. */
static void test_every_step(void) {
  for (int after = 1; after < N; after++)
    for (int way = 0; way <= 2 && after + way < N; way++) {
      float window[N];
      for (int i = 0; i < N; i++)
        window[i] = (i < after         ? 4
                     : i < after + way ? 7.75f - (float)way
                                       : 10) +
                    (i % 2 ? 0.125f : 0);
      check(window);
    }
}

static void test_beyond_the_limit(void) {
  const float window[N] = {NAN, 1e7f, 1e6f,  INFINITY, 5,
                           5,   5,    -1e6f, -1e7f,    -INFINITY};
  wr_shape(window, f);
  CU_ASSERT_EQUAL(f[WR_SHAPE_FIRST], 1e6f);
  CU_ASSERT_EQUAL(f[WR_SHAPE_MAX], 1e6f);
  CU_ASSERT_EQUAL(f[WR_SHAPE_EIGHTH], 1e6f);
  CU_ASSERT_EQUAL(f[WR_SHAPE_SECOND], -1e6f);
  CU_ASSERT_EQUAL(f[WR_SHAPE_MIN], -1e6f);
  CU_ASSERT_EQUAL(f[WR_SHAPE_LAST], -1e6f);
  CU_ASSERT_EQUAL(f[WR_SHAPE_MEAN], 100001.5f);
}

static void test_logarithm(void) {
  CU_ASSERT_EQUAL(wr_shape_log(1), 0);
  for (double value = 1e-30; value < 1e30; value *= 1.37)
    CU_ASSERT_DOUBLE_EQUAL(wr_shape_log((float)value), log((float)value), 1e-4);
}

UNIT_MAIN("shape, plainly", UNIT(test_every_kind_of_flow),
          UNIT(test_one_second), UNIT(test_every_step),
          UNIT(test_beyond_the_limit), UNIT(test_logarithm))
