#include "tests/unit/flow/judge_case.h"

/* A loop may be judged by its days after six hours at a point that is not next
 * to nothing beside its largest level. */
static void test_mature(void) {
  static const struct {
    float seen_s, reference, origin;
    bool learned, mature;
  } cases[] = {
      {21600, 1.01f, 1, true, true},
      {21599, 1.01f, 1, true, false},
      {21600, 1, 1, true, false}, /* 5 % of the largest, to the point */
      {21600, 1.01f, 0, true, false},
      {21600, 1.01f, 1, false, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = {.learned = cases[i].learned};
    b.points.scale = 20;
    b.points.at[0].seen_s = cases[i].seen_s;
    b.points.at[0].reference = cases[i].reference;
    b.points.at[0].origin = cases[i].origin;
    CU_ASSERT_EQUAL(wr_baseline_mature(&b), cases[i].mature);
  }
}

/* The usual deviation: what was learned, at least 0.2 % and half a pulse. */
static void test_usual(void) {
  static const struct {
    double base;
    float deviation, quantum;
    double usual;
  } cases[] = {{8, 0.5f, 0, 0.5}, {8, 0.5f, 1, 0.5},   {8, 0.5f, 1.5f, 0.75},
               {500, 0.5f, 0, 1}, {500, 1.5f, 0, 1.5}, {-500, 0.5f, 0, 1},
               {500, 0.5f, 4, 2}, {8, 0, 0, 0.002 * 8}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = stands(cases[i].base, cases[i].base);
    b.points.scale = 8;
    b.deviation = cases[i].deviation;
    b.quantum = cases[i].quantum;
    CU_ASSERT_EQUAL(wr_baseline_usual(&b), cases[i].usual);
  }
}

/* The band: as configured, twice as wide as the flow wanders up to four times
 * that, and half the usual deviation at least. */
static void test_band(void) {
  static const struct {
    float wander, deviation;
    double band;
  } cases[] = {{0, 0, 1},       {0.0625f, 0, 1}, {0.125f, 0, 2}, {0.25f, 0, 4},
               {0.3125f, 0, 4}, {0, 2, 1},       {0, 4, 2},      {0.25f, 4, 4}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = stands(8, 8);
    b.wander = cases[i].wander;
    b.deviation = cases[i].deviation;
    CU_ASSERT_EQUAL(wr_baseline_band(&b, &rules), cases[i].band);
  }
}

/* A series at 8 that the days know; `newest` and `day` in per cent off what
 * they know it from. NaN: no whole day yet. */
static struct wr_baseline off_by(double newest, double day, double seen_s) {
  struct wr_baseline b = stands(8, 8);
  struct wr_trend_ring *r = b.u.trend.rings;
  b.points.at[HERE].seen_s = (float)seen_s;
  for (int i = 0; i < WR_TREND_BLOCKS; i++) {
    r[0].means[i] = (int16_t)lround(100 * newest);
    r[1].means[i] = (int16_t)lround(isnan(day) ? 9900 : 100 * day);
  }
  r[0].count = 3;
  r[1].count = isnan(day) ? 11 : 12;
  all_newest(&b, 8);
  return b;
}

/* Half an hour against the reference, and from the third day on a whole one
 * against six tenths of the band, whichever is nearer to it. */
static void test_days_off(void) {
  static const struct {
    double newest, day, seen_s, off, share;
  } cases[] = {{5, NAN, 200000, 0.05, 1},      {5, 3, 172800, 0.05, 1},
               {5, 3.01, 172800, 0.0301, 0.6}, {5, 3.01, 172799, 0.05, 1},
               {-5, 4, 172800, 0.04, 0.6},     {5, -4, 172800, -0.04, 0.6},
               {-5, -3, 172800, -0.05, 1},     {0, 0, 172800, 0, 1}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    double share = 7;
    struct wr_baseline b =
        off_by(cases[i].newest, cases[i].day, cases[i].seen_s);
    CU_ASSERT_DOUBLE_EQUAL(wr_baseline_days_off(&b, &share), cases[i].off,
                           1e-15);
    CU_ASSERT_EQUAL(share, cases[i].share);
  }
  for (int day = 0; day < 2; day++) { /* the reference has moved since */
    double share, moved = 100 * log(8.5 / 8);
    struct wr_baseline b = off_by(day ? moved : 5, day ? 5 : NAN, 172800);
    b.points.at[HERE].reference = 8.5f;
    CU_ASSERT_DOUBLE_EQUAL(wr_baseline_days_off(&b, &share), (5 - moved) / 100,
                           1e-9);
  }
}

static void test_state(void) {
  static const struct {
    int drift, slow;
    bool spread, restless, learned;
    enum wr_baseline_state state;
    int direction;
  } cases[] = {
      {0, 0, false, false, false, WR_BASELINE_LEARNING, 0},
      {0, 0, false, false, true, WR_BASELINE_NORMAL, 0},
      {0, 0, false, true, true, WR_BASELINE_RESTLESS, 0},
      {0, 0, false, true, false, WR_BASELINE_RESTLESS, 0},
      {0, 0, true, true, true, WR_BASELINE_SPREAD, 0},
      {1, 0, true, true, true, WR_BASELINE_DRIFT, 1},
      {0, -1, true, true, true, WR_BASELINE_DRIFT, -1},
      {-1, 1, false, false, true, WR_BASELINE_DRIFT, -1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = stands(8, 8);
    struct wr_baseline_view v;
    b.drift = (int8_t)cases[i].drift;
    b.slow = (int8_t)cases[i].slow;
    b.spread = cases[i].spread;
    b.totals.restless = cases[i].restless;
    b.learned = cases[i].learned;
    b.since_s = 300;
    wr_baseline_view(&b, &rules, &v);
    CU_ASSERT_EQUAL(v.state, cases[i].state);
    CU_ASSERT_EQUAL(v.direction, cases[i].direction);
    CU_ASSERT_EQUAL(v.since_s, 700);
    CU_ASSERT_EQUAL(wr_baseline_state(&b), cases[i].state);
    CU_ASSERT_EQUAL(wr_baseline_direction(&b), cases[i].direction);
  }
}

/* While it learns there is a level alone. */
static void test_view_of_learning(void) {
  struct wr_baseline b = stands(8, 8);
  struct wr_baseline_view v;
  b.learned = false;
  all_newest(&b, 7);
  wr_baseline_view(&b, &rules, &v);
  CU_ASSERT_EQUAL(v.level, 7);
  CU_ASSERT_TRUE(isnan(v.baseline) && isnan(v.reference));
  CU_ASSERT_TRUE(v.deviation == 0 && v.score == 0 && v.half == 0);
  CU_ASSERT_TRUE(v.lost == 0 && !v.by_days);
}

/* The minutes: the mean of the newest twelve against the baseline. */
static void test_view_of_minutes(void) {
  struct wr_baseline b = stands(8, 8);
  struct wr_baseline_view v;
  float values[WR_RECENT_MAX];
  for (int i = 0; i < WR_RECENT_MAX; i++)
    values[i] = i < WR_RECENT_MAX - 12 ? 100 : 7;
  newest(&b, values);
  b.points.at[HERE].reference = 9;
  wr_baseline_view(&b, &rules, &v);
  CU_ASSERT_EQUAL(v.level, 7);
  CU_ASSERT_EQUAL(v.baseline, 8);
  CU_ASSERT_EQUAL(v.reference, 9);
  CU_ASSERT_EQUAL(v.half, 1);
  CU_ASSERT_EQUAL(v.deviation, -0.125);
  CU_ASSERT_EQUAL(v.score, 1);
  CU_ASSERT_EQUAL(v.lost, -3600); /* litres an hour: 1 is one a second */
  CU_ASSERT_FALSE(v.by_days);
  b.base = 4; /* far below the largest: relative to a fifth of that */
  b.points.scale = 40;
  wr_baseline_view(&b, &rules, &v);
  CU_ASSERT_EQUAL(v.deviation, 0.375);
  CU_ASSERT_EQUAL(v.score, 3);
  CU_ASSERT_EQUAL(v.lost, 3 * 3600);
  static const struct {
    float settle_s;
    uint8_t count;
    double level;
  } none[] = {{0.5f, 20, 8}, {0, 4, 8}, {0, 5, 7}, {0, 20, 7}};
  for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
    b = stands(8, 8); /* no evidence: no deviation */
    all_newest(&b, 7);
    b.settle_s = none[i].settle_s;
    b.recent.count = none[i].count;
    wr_baseline_view(&b, &rules, &v);
    CU_ASSERT_EQUAL(v.level, none[i].level);
    CU_ASSERT_EQUAL(v.deviation, (none[i].level - 8) / 8);
  }
}

/* Which of the two speaks: the one in alarm; of two, or none, the one that is
 * nearer to it; of two that do not agree the newer one. */
static void test_who_speaks(void) {
  static const struct {
    int drift, slow;
    double percent, level;
    bool by_days;
  } cases[] = {{0, 0, 12.5, 8.5, false}, {0, 0, 12.51, 8.5, true},
               {0, 1, 1, 8.5, true},     {0, -1, 1, 8.5, true},
               {1, 0, 20, 8.5, false},   {-1, 0, 20, 8.5, false},
               {1, 1, 20, 8.5, true},    {1, 1, 5, 8.5, false},
               {1, -1, 20, 8.5, false},  {-1, 1, 20, 8.5, false},
               {-1, -1, 20, 8.5, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = off_by(cases[i].percent, NAN, 30000);
    struct wr_baseline_view v;
    b.drift = (int8_t)cases[i].drift;
    b.slow = (int8_t)cases[i].slow;
    all_newest(&b, cases[i].level);
    b.base = 8;
    wr_baseline_view(&b, &rules, &v);
    CU_ASSERT_EQUAL(v.by_days, cases[i].by_days);
    double off = cases[i].by_days ? cases[i].percent / 100 : 0.0625;
    CU_ASSERT_DOUBLE_EQUAL(v.deviation, off, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(v.score, cases[i].by_days ? off / 0.25 : 0.5, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(v.lost, off * 8 * 3600, 1e-9);
  }
  struct wr_baseline b = off_by(-20, -18, 172800);
  struct wr_baseline_view v;
  b.points.at[HERE].reference = b.points.at[HERE].origin = 16;
  wr_baseline_view(&b, &rules, &v);
  CU_ASSERT_TRUE(v.by_days);
  CU_ASSERT_DOUBLE_EQUAL(v.score, 0.18 / (0.25 * 0.6), 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(v.lost, -0.18 * 16 * 3600, 1e-9); /* of the days' */
}

/* The limits are those given, or a quarter off what the days knew at first. */
static void test_forecast(void) {
  static const struct {
    double slope, low, high, limit;
  } cases[] = {{-1, 0, 0, 6},      {1, 0, 0, 10},    {-1, 6.5, 0, 6.5},
               {1, 6.5, 0, 10},    {1, 0, 9.5, 9.5}, {-1, 0, 9.5, 6},
               {-1, 0.5, 0.5, 0.5}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = off_by(0, NAN, 30000);
    struct wr_baseline_rules r = rules;
    struct wr_forecast f;
    memset(&b.u, 0, sizeof(b.u));
    for (int n = -8; n <= 8; n++)
      wr_trend_push(&b.u.trend, n > 0 ? n * cases[i].slope : 0);
    r.low = cases[i].low;
    r.high = cases[i].high;
    b.block_s = 100;
    b.points.at[HERE].reference = 16; /* wherever it is by now */
    wr_baseline_forecast(&b, &r, &f);
    CU_ASSERT_TRUE(f.clear);
    double way = fabs(100 * log(cases[i].limit / 8)) - 8;
    CU_ASSERT_DOUBLE_EQUAL(f.left_s, way * 600 - 300 - 100, 0.01);
    r.low = r.high = cases[i].slope > 0 ? 0.5 : 0; /* beyond it already */
    wr_baseline_forecast(&b, &r, &f);
    CU_ASSERT_EQUAL(f.left_s == 0, cases[i].slope > 0);
    b.points.at[HERE].seen_s = 0; /* too early for the days */
    wr_baseline_forecast(&b, &r, &f);
    CU_ASSERT_FALSE(f.clear);
    CU_ASSERT_EQUAL(f.left_s, 0);
  }
}

UNIT_MAIN("baseline_view", UNIT(test_mature), UNIT(test_usual), UNIT(test_band),
          UNIT(test_days_off), UNIT(test_state), UNIT(test_view_of_learning),
          UNIT(test_view_of_minutes), UNIT(test_who_speaks),
          UNIT(test_forecast))
