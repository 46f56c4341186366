/* The rings of a trend mean by mean, and its forecasts against a fit that is
 * written as the textbook has it. */
#include "lib/flow/trend.h"

#include "tests/unit/flow/course.h"

#include <math.h>

#define BLOCK WR_TREND_BLOCK_S

static double at(const struct wr_trend *t, int scale, int back) {
  const struct wr_trend_ring *r = t->rings + scale;
  return r->means[(r->next + WR_TREND_BLOCKS - 1 - back) % WR_TREND_BLOCKS];
}

/* Hundredths, rounded and clipped, the newest 24. */
static void test_ring(void) {
  static const struct {
    double percent;
    int mean;
  } cases[] = {{1.234, 123},    {1.235, 124},     {-1.235, -124}, {327, 32700},
               {327.1, 32700},  {-327, -32700},   {-1e9, -32700}, {1e9, 32700},
               {326.99, 32699}, {-326.99, -32699}};
  struct wr_trend t = {0};
  for (int i = 0; i < 10; i++) {
    wr_trend_push(&t, cases[i].percent);
    CU_ASSERT_EQUAL(at(&t, 0, 0), cases[i].mean);
    CU_ASSERT_EQUAL(t.rings[0].count, i + 1);
    CU_ASSERT_EQUAL(t.rings[0].next, i + 1);
    CU_ASSERT_EQUAL(t.rings[0].filled, i + 1);
  }
  for (int i = 10; i < 60; i++) {
    wr_trend_push(&t, i);
    CU_ASSERT_EQUAL(at(&t, 0, 0), 100 * i);
    CU_ASSERT_EQUAL(t.rings[0].count, i < 24 ? i + 1 : 24);
    CU_ASSERT_EQUAL(t.rings[0].next, (i + 1) % 24);
    CU_ASSERT_EQUAL(t.rings[0].filled, (i + 1) % 12);
  }
}

/* Twelve of ten minutes make one of two hours, and twelve of these a day. */
static void test_scales(void) {
  struct wr_trend t = {0};
  for (int i = 0; i < 144 * 25; i++) {
    int hours = i / 12, days = i / 144;
    CU_ASSERT_EQUAL(t.rings[1].count, hours < 24 ? hours : 24);
    CU_ASSERT_EQUAL(t.rings[1].filled, hours % 12);
    CU_ASSERT_EQUAL(t.rings[2].count, days < 24 ? days : 24);
    CU_ASSERT_EQUAL(t.rings[2].filled, 0);
    if (i > 0 && i % 12 == 0)
      CU_ASSERT_EQUAL(at(&t, 1, 0), (hours - 1) % 10 * 100 + 550);
    if (i == 144)
      CU_ASSERT_EQUAL(at(&t, 2, 0), 550 + lround(100 * 46 / 12.0));
    wr_trend_push(&t, i % 12 + hours % 10);
  }
  CU_ASSERT_EQUAL(t.rings[0].sum, 0);
  CU_ASSERT_EQUAL(t.rings[1].sum, 0);
}

static void test_newest(void) {
  struct wr_trend t = {0};
  double day = 77;
  CU_ASSERT_EQUAL(wr_trend_recent(&t, 0), 0);
  CU_ASSERT_EQUAL(wr_trend_recent(&t, 3), 0);
  for (int i = 1; i <= 143; i++)
    wr_trend_push(&t, i);
  CU_ASSERT_EQUAL(wr_trend_recent(&t, 0), 0);
  CU_ASSERT_EQUAL(wr_trend_recent(&t, 1), 143);
  CU_ASSERT_EQUAL(wr_trend_recent(&t, 3), 142);
  CU_ASSERT_EQUAL(wr_trend_recent(&t, 24), 131.5);
  CU_ASSERT_EQUAL(wr_trend_recent(&t, 25), 131.5);
  CU_ASSERT_FALSE(wr_trend_day(&t, &day));
  CU_ASSERT_EQUAL(day, 77);
  wr_trend_push(&t, 144);
  CU_ASSERT_TRUE(wr_trend_day(&t, &day));
  CU_ASSERT_EQUAL(day, 72.5);
  for (int i = 0; i < 12; i++)
    wr_trend_push(&t, 150.5);
  CU_ASSERT_TRUE(wr_trend_day(&t, &day));
  CU_ASSERT_EQUAL(day, 84.5); /* the oldest two hours are left out */
  struct wr_trend one = {0};
  wr_trend_push(&one, 4);
  CU_ASSERT_EQUAL(wr_trend_recent(&one, 3), 4);
}

/* Level 0, then a line of `slope` a block from the given one on. */
static void line(struct wr_trend *t, int level, int rise, double slope) {
  memset(t, 0, sizeof(*t));
  for (int i = 0; i < level; i++)
    wr_trend_push(t, 0);
  for (int i = 1; i <= rise; i++)
    wr_trend_push(t, i * slope);
}

static void near(double got, double want) {
  CU_ASSERT_TRUE(got == want || fabs(got - want) <= 1e-6 * fabs(want) + 1e-6);
}

static void test_a_line(void) {
  static const struct {
    int level, rise;
    double slope, rest_s, low, high, left_s;
  } cases[] = {{12, 12, -1, 0, -30, 20, 18 * BLOCK - 300},
               {12, 12, -1, 77, -30, 20, 18 * BLOCK - 377},
               {12, 12, 1, 77, -30, 20, 8 * BLOCK - 377},
               {12, 12, 2, 0, -30, 20, 0},
               {12, 12, -1, 0, -11, 20, 0},
               {12, 12, -1, 0, -12.25, 20, 0}, /* it went on since */
               {6, 4, -0.5, 0, -3, 20, 2 * BLOCK - 300}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_trend t;
    struct wr_forecast f;
    line(&t, cases[i].level, cases[i].rise, cases[i].slope);
    wr_trend_forecast(&t, cases[i].rest_s, cases[i].low, cases[i].high, &f);
    CU_ASSERT_TRUE(f.clear);
    near(f.per_hour, 6 * cases[i].slope);
    near(f.since_s, cases[i].rise * BLOCK + 300 + cases[i].rest_s);
    CU_ASSERT_DOUBLE_EQUAL(f.left_s, cases[i].left_s, 0.001);
    CU_ASSERT_DOUBLE_EQUAL(f.soonest_s, cases[i].left_s, 0.001);
    CU_ASSERT_DOUBLE_EQUAL(f.latest_s, cases[i].left_s, 0.001);
  }
}

/* Too few means, one per cent or less, or a break that may be later still. */
static void test_no_line(void) {
  static const struct {
    int level, rise;
    double slope;
    bool clear;
  } cases[] = {
      {0, 0, 0, false},     {0, 1, 9, false},       {0, 2, 9, false},
      {0, 3, 9, false},     {12, 4, 0.25, false},   {12, 4, 0.26, true},
      {4, 0, 0, false},     {0, 4, 2, false},       {1, 4, 1, true},
      {12, 3, 4, false},    {12, 4, 4, true},       {12, 12, 0.08, false},
      {12, 12, 0.09, true}, {12, 12, -0.08, false}, {12, 12, -0.09, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_trend t;
    struct wr_forecast f, nothing;
    memset(&nothing, 0, sizeof(nothing));
    memset(&f, 0x55, sizeof(f));
    line(&t, cases[i].level, cases[i].rise, cases[i].slope);
    wr_trend_forecast(&t, 0, -100, 100, &f);
    CU_ASSERT_EQUAL(f.clear, cases[i].clear);
    if (!cases[i].clear)
      CU_ASSERT_TRUE(f.per_hour == 0 && f.since_s == 0 && f.left_s == 0 &&
                     f.soonest_s == 0 && f.latest_s == 0);
  }
}

struct fit {
  double slope, error, level, now, rest, from;
};

/* Least squares of y = level + slope * x with x = 0 before the break. */
static struct fit fit_from(const double *y, int n, double from) {
  struct fit f = {.from = from};
  double mean_x = 0, mean_y = 0, xx = 0, xy = 0, x[WR_TREND_BLOCKS];
  for (int i = 0; i < n; i++) {
    x[i] = i > from ? i - from : 0;
    mean_x += x[i] / n;
    mean_y += y[i] / n;
  }
  for (int i = 0; i < n; i++) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  f.slope = xy / xx;
  f.level = mean_y - f.slope * mean_x;
  for (int i = 0; i < n; i++)
    f.rest += pow(y[i] - f.level - f.slope * x[i], 2);
  f.error = sqrt(f.rest / (n - 2) / xx);
  f.now = f.level + f.slope * x[n - 1];
  return f;
}

/* The best break, in halves of a mean; whether it is a trend. */
static bool fit_ring(const struct wr_trend *t, int scale, struct fit *best) {
  int n = t->rings[scale].count;
  double y[WR_TREND_BLOCKS];
  for (int i = 0; i < n; i++)
    y[i] = at(t, scale, n - 1 - i) / 100;
  *best = (struct fit){.rest = HUGE_VAL};
  for (int half = 0; half <= 2 * (n - 4); half++) {
    struct fit f = fit_from(y, n, half / 2.0);
    if (f.rest < best->rest)
      *best = f;
  }
  best->error *= 2; /* neighbours are not independent */
  return n >= 5 && best->from < n - 4 && fabs(best->slope) > 2 * best->error &&
         fabs(best->now - best->level) > 1;
}

static void expect(const struct wr_trend *t, double rest_s, double low,
                   double high, struct wr_forecast *f) {
  static const double block_s[] = {BLOCK, 12 * BLOCK, 144 * BLOCK};
  struct fit fit, best = {0};
  int scale = -1;
  memset(f, 0, sizeof(*f));
  for (int s = 0; s < WR_TREND_SCALES; s++)
    if (fit_ring(t, s, &fit)) {
      best = fit;
      scale = s;
      if (4 * fit.from >= t->rings[s].count)
        break;
    }
  if (scale < 0)
    return;
  double block = block_s[scale], age = rest_s + block / 2;
  for (int s = 0; s < scale; s++)
    age += t->rings[s].filled * block_s[s];
  double way = best.slope < 0 ? best.now - low : high - best.now;
  double per_s = fabs(best.slope) / block, error = 2.5 * best.error / block;
  way = way < 0 ? 0 : way;
  *f = (struct wr_forecast){
      .clear = true,
      .per_hour = best.slope / block * 3600,
      .since_s = (t->rings[scale].count - 1 - best.from) * block + age,
      .left_s = fmax(way / per_s - age, 0),
      .soonest_s = fmax(way / (per_s + error) - age, 0),
      .latest_s =
          per_s > error ? fmax(way / (per_s - error) - age, 0) : HUGE_VAL};
}

/* Many courses, of hours to weeks, with a break anywhere and any noise. */
static void test_any_course(void) {
  int clear = 0, never = 0;
  course_random = 1;
  for (int i = 0; i < 600; i++) {
    struct wr_trend t = {0};
    struct wr_forecast got, want;
    int length = i % 3 == 0 ? 5 + i % 25 : i % 3 == 1 ? 60 + i : 144 * (i % 30);
    double from = length * (0.55 + 0.5 * course_noise());
    double rise = 12 * course_noise(), noise = 2 * fabs(course_noise());
    for (int k = 0; k < length; k++) {
      double x = k > from ? (k - from) / length : 0;
      wr_trend_push(&t, rise * x + noise * course_noise());
    }
    double rest_s = 300 + 300 * course_noise();
    wr_trend_forecast(&t, rest_s, -9, 6, &got);
    expect(&t, rest_s, -9, 6, &want);
    CU_ASSERT_EQUAL(got.clear, want.clear);
    near(got.per_hour, want.per_hour);
    near(got.since_s, want.since_s);
    near(got.left_s, want.left_s);
    near(got.soonest_s, want.soonest_s);
    near(got.latest_s, want.latest_s);
    clear += want.clear;
    never += isinf(want.latest_s);
  }
  CU_ASSERT(clear > 200 && clear < 500); /* both kinds were there */
  CU_ASSERT(never > 5);
}

/* A trend that began in the last three quarters of a ring is told from it; else
 * the next one knows better when that was. */
static void test_the_ring_that_holds_it(void) {
  for (int level = 6; level <= 8; level++) {
    struct wr_trend t;
    struct wr_forecast f;
    memset(&t, 0, sizeof(t));
    for (int s = 0; s < 2; s++) {
      t.rings[s].count = WR_TREND_BLOCKS;
      for (int i = 0; i < WR_TREND_BLOCKS; i++)
        t.rings[s].means[i] =
            (int16_t)(i < level ? 0 : (s + 1) * 100 * (i - level + 1));
    }
    wr_trend_forecast(&t, 0, -99, 99, &f);
    CU_ASSERT_TRUE(f.clear);
    near(f.per_hour, level == 6 ? 1 : 6); /* the break is the one before */
    near(f.since_s, level == 6 ? 18 * 7200 + 3600 : (24 - level) * 600 + 300);
  }
}

UNIT_MAIN("trend, exact", UNIT(test_ring), UNIT(test_scales), UNIT(test_newest),
          UNIT(test_a_line), UNIT(test_no_line), UNIT(test_any_course),
          UNIT(test_the_ring_that_holds_it))
