/* The days' alarm, a fault that was mended, and what follows it, one step at a
 * time, at the bounds of each. */
#include "tests/unit/flow/judge_case.h"

#define DAY 86400

/* The last second of ten minutes, whose mean is `mean`. */
static void end_block(struct wr_baseline *b, double mean) {
  all_newest(b, b->base);
  b->block = 600 * mean - b->base;
  b->block_s = 599;
  (void)judge(b);
  CU_ASSERT_EQUAL(b->block, 0);
  CU_ASSERT_EQUAL(b->block_s, 0);
}

/* A series whose reference is `reference`, and has been for a while. */
static struct wr_baseline known(double base, double stick, double reference) {
  struct wr_baseline b = stands(base, stick);
  struct wr_point *p = b.points.at + HERE;
  p->reference = p->origin = (float)reference;
  p->seen_s = 2 * DAY - 600;
  return b;
}

/* Ten minutes go to the days; without a flow they are relative to nothing. */
static void test_blocks(void) {
  static const struct {
    double mean, origin;
    int count;
  } cases[] = {{8, 8, 1},   {0, 8, 0}, {-1, 8, 0}, {0.5, 0.5, 1},
               {0.5, 8, 1}, {8, 0, 0}, {8, -1, 0}, {0, 0, 0}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = known(8, 8, cases[i].origin);
    end_block(&b, cases[i].mean);
    CU_ASSERT_EQUAL(b.u.trend.rings[0].count, cases[i].count);
    CU_ASSERT_EQUAL(b.points.at[HERE].level, (float)cases[i].mean);
    CU_ASSERT_EQUAL(b.points.at[HERE].seen_s, 2 * DAY);
    CU_ASSERT_EQUAL(b.points.at[HERE].left_s, 1000);
  }
  struct wr_baseline b = stands(8, 8); /* not a second less */
  all_newest(&b, 8);
  b.block_s = 598;
  b.block = 5000;
  (void)judge(&b);
  CU_ASSERT_EQUAL(b.block_s, 599);
  CU_ASSERT_EQUAL(b.block, 5008);
  b.u.trend.rings[0].count = 0;
}

/* Per cent off the days, for half an hour, and which alarm that is after which:
 * a quarter is their band, three quarters of it the end of their alarm. */
static void test_the_days_alarm(void) {
  static const struct {
    double percent;
    int before, after;
  } cases[] = {{25, 0, 0},     {25.01, 0, 1}, {-25, 0, 0},     {-25.01, 0, -1},
               {18.75, 1, 0},  {18.76, 1, 1}, {-18.75, -1, 0}, {-18.76, -1, -1},
               {18.76, -1, 1}, {0, 0, 0}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = known(8, 8, 8);
    struct wr_trend_ring *r = b.u.trend.rings;
    r->count = r->next = 4;
    for (int n = 0; n < 4; n++)
      r->means[n] = (int16_t)lround(100 * cases[i].percent);
    b.slow = (int8_t)cases[i].before;
    end_block(&b, 8 * exp(cases[i].percent / 100));
    CU_ASSERT_EQUAL(b.slow, cases[i].after);
  }
  struct wr_baseline b = known(8, 8, 8); /* before that it is too early */
  b.points.at[HERE].seen_s = 21600 - 601;
  end_block(&b, 16);
  CU_ASSERT_EQUAL(b.slow, 0);
  CU_ASSERT_EQUAL(b.u.trend.rings[0].count, 1);
}

/* Just at the band is no alarm yet, nor is it the one that stands. */
static void test_just_the_days_band(void) {
  double off = 0, share;
  for (int at_band = 0; at_band < 2; at_band++) {
    struct wr_baseline b = known(8, 8, 8);
    rules.day_band = at_band ? off : 0.125;
    end_block(&b, 10);
    off = wr_baseline_days_off(&b, &share);
    CU_ASSERT_EQUAL(share, 1);
    CU_ASSERT_EQUAL(b.slow, !at_band);
  }
  rules.day_band = 0.25;
}

/* Whether a step to `level` is taken for the end of a fault. */
static bool is_mended(struct wr_baseline b, double level) {
  double base = b.base;
  b.u.trend.rings[0].count = 3;
  int8_t slow = b.slow;
  (void)judge_at(&b, level);
  if (b.settle_s <= 0) {
    CU_ASSERT_EQUAL(b.slow, slow);
    CU_ASSERT_EQUAL(b.u.trend.rings[0].count, 3);
    return false;
  }
  CU_ASSERT_EQUAL(b.settle_s, 30);
  CU_ASSERT_NOT_EQUAL(b.base, base);
  CU_ASSERT_EQUAL(b.base, level);
  CU_ASSERT_EQUAL(b.points.at[HERE].level, level);
  CU_ASSERT_EQUAL(b.points.at[HERE].reference, 8);
  CU_ASSERT_EQUAL(b.drift, 0);
  CU_ASSERT_EQUAL(b.moving_s, 0);
  CU_ASSERT_EQUAL(b.slow, 0);
  CU_ASSERT_EQUAL(b.u.trend.rings[0].count, slow != 0 ? 0 : 3);
  return true;
}

/* The minutes left the reference of 8, by more than their band of 1 (`stick`
 * is 8): a step back to within half a band is a repair. */
static void test_back_at_the_reference(void) {
  static const struct {
    double base, level;
    bool mended;
  } cases[] = {
      {6, 8, true},           {6, 8.5, true},
      {6, 8.5625, false},     {6, 7.5, true},
      {6, 7.4375, false},     {7, 8.0625, false},   /* it did not leave it */
      {6.9375, 8.0625, true}, {6.75, 7.75, false},  /* no step */
      {6.6875, 7.75, true},   {7.25, 8.375, false}, /* neither did it here */
      {6, 4.5, false},                              /* the other way */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    CU_ASSERT_EQUAL(is_mended(known(cases[i].base, 8, 8), cases[i].level),
                    cases[i].mended);
  static const struct {
    double base, level;
    bool mended;
  } above[] = {{12, 8, true},        {12, 7.5, true},     {12, 7.4375, false},
               {12, 8.5, true},      {12, 8.5625, false}, {12, 14, false},
               {9.625, 7.9375, true}};
  for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++)
    CU_ASSERT_EQUAL(is_mended(known(above[i].base, 12, 8), above[i].level),
                    above[i].mended);
}

/* However small the flow is. */
static void test_back_at_a_small_reference(void) {
  struct wr_baseline b = known(1.5, 1.5, 1);
  (void)judge_at(&b, 1);
  CU_ASSERT_EQUAL(b.settle_s, 30);
  CU_ASSERT_EQUAL(b.base, 1);
  b = known(0.5, 0.5, 1);
  (void)judge_at(&b, 1);
  CU_ASSERT_EQUAL(b.settle_s, 30);
  CU_ASSERT_EQUAL(b.base, 1);
}

/* A flow that wanders has a wider band: within it there is no step. */
static void test_within_a_wide_band(void) {
  struct wr_baseline b = known(5.5, 8, 8);
  b.wander = 0.125f;
  CU_ASSERT_FALSE(is_mended(b, 7.5));
  CU_ASSERT_TRUE(is_mended(b, 7.5625));
  b.base = 5.75;
  CU_ASSERT_FALSE(is_mended(b, 7.5));
  b = known(5.5, 8, 8); /* the days have no opinion yet */
  b.points.at[HERE].seen_s = 21599;
  CU_ASSERT_FALSE(is_mended(b, 8));
  b = known(5.5, 8, 8); /* not steady yet */
  b.deviation = 0.5f;
  rough_newest(&b, 8);
  (void)judge(&b);
  CU_ASSERT_EQUAL(b.settle_s, 0);
}

/* While the days are in alarm, three quarters of their band are near enough. */
static void test_back_from_the_days_alarm(void) {
  static const struct {
    double base, level;
    int slow;
    bool mended;
  } cases[] = {
      {6, 9.5, -1, true},     {6, 9.5625, -1, false}, {5, 6.5, -1, true},
      {5, 6.4375, -1, false}, {5, 6.5, 1, false},     {6.75, 8, -1, true},
      {12, 6.5, 1, true},     {12, 6.4375, 1, false}, {12, 9.5, 1, true},
      {12, 9.5625, 1, false}, {12, 9.5, -1, false},   {7, 8, -1, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    double stick = cases[i].base > 8 ? cases[i].base : 8;
    struct wr_baseline b = known(cases[i].base, stick, 8);
    b.slow = (int8_t)cases[i].slow;
    CU_ASSERT_EQUAL(is_mended(b, cases[i].level), cases[i].mended);
  }
}

/* A flow on its way back is given the time of a change; one that goes beyond
 * the reference, or is told already, is not. */
static void test_patience(void) {
  static const struct {
    double level;
    float moving_s;
    int drift;
  } cases[] = {{7.25, 0, 0}, {7.25, 89, 0},  {7.25, 89.5, 1},
               {9, 0, 1},    {8.5625, 0, 1}, {4.5, 0, -1}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = known(6, 8, 8);
    b.moving_s = cases[i].moving_s;
    b.block = b.block_s = 7;
    (void)judge_at(&b, cases[i].level);
    CU_ASSERT_EQUAL(b.moving_s, cases[i].moving_s + 1);
    CU_ASSERT_EQUAL(b.drift, cases[i].drift);
    bool is_patient = cases[i].drift == 0;
    CU_ASSERT_EQUAL(b.base == 6, is_patient);
    CU_ASSERT_EQUAL(b.block_s == 0, is_patient || b.jumped);
  }
  struct wr_baseline b = known(6, 8, 8);
  b.drift = -1;
  b.drift_left_s = 5;
  (void)judge_at(&b, 7.25);
  CU_ASSERT_EQUAL(b.drift, 1);
  b = known(6, 8, 8);
  b.spread = true;
  b.spread_left_s = 5;
  (void)judge_at(&b, 7.25);
  CU_ASSERT_EQUAL(b.drift, 1);
}

#define RATE (0.25 / 3600) /* of the yardstick, a second */

/* Everything follows by its limit: ten times slower in alarm, a hundred times
 * after a jump; what is nearer than the limit is reached. */
static void test_follows(void) {
  static const struct {
    double level, base;
    bool spread;
  } cases[] = {{8.5, 8 + RATE * 8, false},
               {7.5, 8 - RATE * 8, false},
               {8.000244140625, 8.000244140625, false},
               {8.5, 8 + RATE * 0.1 * 8, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = stands(8, 8);
    b.spread_left_s = cases[i].spread ? 5 : 0;
    (void)judge_at(&b, cases[i].level);
    CU_ASSERT_EQUAL(b.spread, cases[i].spread);
    CU_ASSERT_DOUBLE_EQUAL(b.base, cases[i].base, 1e-12);
  }
  struct wr_baseline b = stands(8, 8);
  (void)judge_at(&b, 9.25);
  CU_ASSERT_DOUBLE_EQUAL(b.base, 8 + RATE * 0.1 * 0.1 * 8, 1e-12);
}

/* The usual deviation follows, too; but what rests does not say how rough the
 * flow is: a fifth of the largest level. */
static void test_usual_deviation(void) {
  static const struct {
    double base;
    bool is_rough;
    double change;
  } cases[] = {{8, false, -1}, {1.625, false, -1}, {1.5, false, 0},
               {1.5, true, 1}, {8, true, 1},       {-1.5, false, 0},
               {-8, false, -1}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = stands(cases[i].base, cases[i].base);
    b.points.scale = 8;
    b.deviation = 0.75f;
    double usual = 0.75, rate = RATE;
    if (cases[i].is_rough)
      rough_newest(&b, cases[i].base);
    else
      all_newest(&b, cases[i].base);
    (void)judge(&b);
    CU_ASSERT_EQUAL(b.deviation,
                    0.75f + (float)(cases[i].change * rate * usual));
  }
  struct wr_baseline b = stands(4, 4); /* a fifth is not less than a fifth */
  b.points.scale = 20;
  b.deviation = 0.5f;
  (void)judge_at(&b, 4);
  CU_ASSERT_EQUAL(b.deviation, 0.5f - (float)(RATE * 0.5));
}

/* The wander widens by one band in five minutes outside it, and narrows five
 * hundred times slower; in alarm it stands. */
static void test_wander(void) {
  static const struct {
    double level, times_slower;
    float before;
  } cases[] = {{4.5, -500, 0.0625f},
               {4.5625, 1, 0.0625f},
               {3.5, -500, 0.0625f},
               {3.4375, 1, 0.0625f},
               {4, 0, 0},
               {5.5, 0, 0.0625f}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = stands(4, 8);
    double up = 0.125 / 300, by = cases[i].times_slower;
    b.wander = cases[i].before;
    (void)judge_at(&b, cases[i].level);
    CU_ASSERT_EQUAL(b.wander,
                    (float)((double)cases[i].before + (by == 0 ? 0 : up / by)));
  }
}

UNIT_MAIN("baseline, mended", UNIT(test_blocks), UNIT(test_the_days_alarm),
          UNIT(test_just_the_days_band), UNIT(test_back_at_the_reference),
          UNIT(test_back_at_a_small_reference), UNIT(test_within_a_wide_band),
          UNIT(test_back_from_the_days_alarm), UNIT(test_patience),
          UNIT(test_follows), UNIT(test_usual_deviation), UNIT(test_wander))
