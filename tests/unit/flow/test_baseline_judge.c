/* The alarms of the minutes, one step at a time, at the bounds of each. */
#include "tests/unit/flow/judge_case.h"

static void test_windows(void) {
  static const struct {
    double seconds, interval_s;
    unsigned values;
  } cases[] = {{12, 0.1, 12}, {12, 1, 12}, {5, 1, 5},   {20, 1.5, 13},
               {12, 1.5, 8},  {20, 3, 7},  {20, 4, 5},  {20, 5, 5},
               {20, 60, 5},   {4, 1, 5},   {20, 2, 10}, {12, 2, 6}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    CU_ASSERT_EQUAL(wr_baseline_window(cases[i].seconds, cases[i].interval_s),
                    cases[i].values);
  CU_ASSERT_EQUAL(wr_baseline_settling(0.1), 30);
  CU_ASSERT_EQUAL(wr_baseline_settling(1), 30);
  CU_ASSERT_EQUAL(wr_baseline_settling(2), 30);
  CU_ASSERT_EQUAL(wr_baseline_settling(10), 50);
  CU_ASSERT_EQUAL(wr_baseline_settling(60), 300);
}

/* Whoever arrives at a point has none of the alarms of the one before. */
static void test_arrives(void) {
  struct wr_baseline b = stands(8, 8);
  b.drift_left_s = b.spread_left_s = b.moving_s = 7;
  b.drift = 1;
  b.slow = 1;
  b.spread = b.jumped = b.waiting = b.stopped = true;
  b.block = b.block_s = 7;
  wr_baseline_arrive(&b, 5, 10);
  CU_ASSERT_EQUAL(b.points.current, 5);
  CU_ASSERT_EQUAL(b.settle_s, 50);
  CU_ASSERT_EQUAL(b.drift_left_s, 0);
  CU_ASSERT_EQUAL(b.spread_left_s, 0);
  CU_ASSERT_EQUAL(b.moving_s, 0);
  CU_ASSERT_EQUAL(b.drift, 0);
  CU_ASSERT_EQUAL(b.slow, 1); /* the days know nothing of it */
  CU_ASSERT_FALSE(b.spread || b.jumped || b.waiting || b.stopped);
  CU_ASSERT_EQUAL(b.block, 0);
  CU_ASSERT_EQUAL(b.block_s, 0);
}

/* Until it has settled nothing is judged; then a level within a twentieth of
 * what it was is taken as it is. */
static void test_settled(void) {
  static const struct {
    double level, base; /* 20 was known */
  } cases[] = {{21, 21}, {21.0625, 20}, {19, 19}, {18.9375, 20}, {20, 20}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = stands(20, 20);
    b.base = 15;
    b.settle_s = 1.5;
    (void)judge_at(&b, cases[i].level);
    CU_ASSERT_EQUAL(b.settle_s, 0.5);
    CU_ASSERT_EQUAL(b.base, 15);
    (void)judge(&b);
    CU_ASSERT_EQUAL(b.settle_s, 0);
    CU_ASSERT_EQUAL(b.base, cases[i].base);
    CU_ASSERT_EQUAL(b.drift, 0);
    CU_ASSERT_EQUAL(b.block_s, 0);
  }
  struct wr_baseline b = stands(0, 20); /* next to nothing: of the largest */
  b.settle_s = 1;
  (void)judge_at(&b, 1);
  CU_ASSERT_EQUAL(b.base, 1);
  b = stands(0, 20);
  b.settle_s = 1;
  (void)judge_at(&b, 1.0625);
  CU_ASSERT_EQUAL(b.base, 0);
}

/* A point where the flow never was is what it is; an alarm ends not by this. */
static void test_settled_where_it_never_was(void) {
  static const struct {
    float held_s, seen_s;
    bool is_new;
  } cases[] = {{0, 0, true},
               {1, 0, false},
               {0, 1, false},
               {0, 0.5, false},
               {0.5, 0, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = stands(8, 8);
    struct wr_point *p = b.points.at + HERE;
    p->held_s = cases[i].held_s;
    p->seen_s = cases[i].seen_s;
    b.settle_s = 1;
    (void)judge_at(&b, 30);
    CU_ASSERT_EQUAL(p->level, cases[i].is_new ? 30 : 8);
    CU_ASSERT_EQUAL(p->reference, cases[i].is_new ? 30 : 8);
    CU_ASSERT_EQUAL(b.base, cases[i].is_new ? 30 : 8);
  }
  struct wr_baseline b = stands(8, 8);
  b.points.at[HERE].held_s = 0;
  b.settle_s = 1;
  b.drift = -1;
  (void)judge_at(&b, 7.5);
  CU_ASSERT_EQUAL(b.settle_s, 0);
  CU_ASSERT_EQUAL(b.base, 8);
  CU_ASSERT_EQUAL(b.points.at[HERE].level, 8);
  CU_ASSERT_EQUAL(b.drift, -1);
}

/* A drift is more than the band off the baseline; it stands for as long as it
 * is held, and knows when it began. */
static void test_drift(void) {
  static const struct {
    double level;
    int drift;
  } cases[] = {{9, 0}, {9.0625, 1}, {7, 0}, {6.9375, -1}, {8, 0}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = stands(8, 8);
    b.drift_s = 5;
    (void)judge_at(&b, cases[i].level);
    CU_ASSERT_EQUAL(b.drift, cases[i].drift);
    CU_ASSERT_EQUAL(b.drift_left_s, cases[i].drift != 0 ? 30 : 0);
    CU_ASSERT_EQUAL(b.drift_s, cases[i].drift != 0 ? 1000 : 5);
    CU_ASSERT_EQUAL(b.moving_s, cases[i].drift != 0 ? 1 : 0);
    CU_ASSERT_FALSE(b.spread);
  }
  struct wr_baseline b = stands(8, 8);
  (void)judge_at(&b, 9.5);
  b.age_s = 1001;
  (void)judge_at(&b, 6.5); /* the other way is the same drift */
  CU_ASSERT_EQUAL(b.drift, -1);
  CU_ASSERT_EQUAL(b.drift_s, 1000);
  for (int i = 1; i < 30; i++) {
    (void)judge_at(&b, 8);
    CU_ASSERT_EQUAL(b.drift, -1);
    CU_ASSERT_EQUAL(b.drift_left_s, 30 - i);
  }
  (void)judge(&b);
  CU_ASSERT_EQUAL(b.drift, 0);
  CU_ASSERT_EQUAL(b.drift_left_s, 0);
}

/* It began with a jump: more than a sixteenth or so, soon after it began, and
 * not only passing by. */
static void test_jumped(void) {
  static const struct {
    double level, age_s; /* the drift began at 100 */
    bool jumped;
  } cases[] = {{53.0625, 190, true},
               {53, 190, false},
               {53.0625, 190.5, false},
               {46.9375, 100, true}};
  rules.band = 0.03125;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = stands(50, 50);
    b.drift = 1;
    b.drift_left_s = 10;
    b.drift_s = 100;
    b.age_s = cases[i].age_s;
    b.key = 50; /* no other point by level */
    (void)judge_at(&b, cases[i].level);
    CU_ASSERT_EQUAL(b.jumped, cases[i].jumped);
  }
  rules.band = 0.125;
  for (int steady = 0; steady < 2; steady++) { /* 1.6 times the usual */
    struct wr_baseline b = stands(50, 50);
    b.deviation = steady ? 0.625f : 0.62f;
    b.jumped = b.waiting = true;
    rough_newest(&b, 50);
    (void)judge(&b);
    CU_ASSERT_EQUAL(b.jumped, !steady);
    CU_ASSERT_EQUAL(b.waiting, !steady);
  }
}

/* Rougher than twice the usual. */
static void test_spread(void) {
  static const struct {
    float usual;
    bool spread;
  } cases[] = {{0.5, false}, {0.499f, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = stands(8, 8);
    b.deviation = cases[i].usual;
    rough_newest(&b, 8);
    (void)judge(&b);
    CU_ASSERT_EQUAL(b.spread, cases[i].spread);
    CU_ASSERT_EQUAL(b.spread_left_s, cases[i].spread ? 30 : 0);
    CU_ASSERT_EQUAL(b.moving_s, cases[i].spread ? 1 : 0);
    CU_ASSERT_EQUAL(b.drift, 0);
  }
}

/* What the newest twelve say is 2 off; the newest five are more so by `apart`.
 * Where there is another point to go to, a flow under way is given time. */
static int drift_at(double apart, float others[7]) {
  struct wr_baseline b = stands(8, 8);
  float values[WR_RECENT_MAX];
  for (int i = 0; i < WR_RECENT_MAX; i++)
    values[i] = i < 8 ? 10 : i < 15 ? others[i - 8] : (float)(10 + apart);
  b.deviation = 3;
  b.points.count = 2;
  newest(&b, values);
  (void)judge(&b);
  CU_ASSERT_EQUAL(b.moving_s, 1);
  return b.drift;
}

static void test_calm(void) {
  CU_ASSERT_EQUAL(drift_at(1, (float[7]){9, 9, 9, 9, 9, 10, 10}), 1);
  CU_ASSERT_EQUAL(drift_at(1.5, (float[7]){9, 9, 9, 9, 9, 9, 8.5}), 0);
}

/* Beyond 6 % of the baseline it is elsewhere, if a point is there; but not at
 * the point where it is already. */
static void test_elsewhere(void) {
  struct wr_baseline b = stands(50, 50);
  b.points.at[4] = b.points.at[HERE];
  b.points.at[4].level = 53;
  CU_ASSERT_EQUAL(judge_at(&b, 53), 0);
  CU_ASSERT_EQUAL(b.points.current, HERE);
  CU_ASSERT_EQUAL(judge_at(&b, 53.0625), 0);
  CU_ASSERT_EQUAL(b.points.current, 4);
  CU_ASSERT_EQUAL(b.settle_s, 30);

  for (int steady = 0; steady < 2; steady++) { /* 1.6 times the usual */
    b = stands(50, 50);
    b.points.at[4] = b.points.at[HERE];
    b.points.at[4].level = 54;
    b.deviation = steady ? 0.625f : 0.62f;
    rough_newest(&b, 54);
    CU_ASSERT_EQUAL(judge(&b), 0);
    CU_ASSERT_EQUAL(b.points.current, steady ? 4 : HERE);
  }
  b = stands(8, 8);
  b.points.at[HERE].level = 9.5;
  CU_ASSERT_EQUAL(judge_at(&b, 9.5), 0);
  CU_ASSERT_EQUAL(b.points.current, HERE);
  CU_ASSERT_EQUAL(b.settle_s, 0);
  CU_ASSERT_EQUAL(b.drift, 1);
}

/* A loop that stood still after its jump, and is back where it was, begins as
 * after a gap. */
static void test_restarted(void) {
  struct wr_baseline b = stands(8, 8);
  b.drift = -1;
  b.drift_left_s = 20;
  b.drift_s = 1000;
  b.key = 8;
  (void)judge_at(&b, 0);
  CU_ASSERT_TRUE(b.jumped);
  CU_ASSERT_FALSE(b.stopped);
  (void)judge(&b);
  CU_ASSERT_TRUE(b.stopped);
  (void)judge_at(&b, 7); /* far from what it was */
  CU_ASSERT_EQUAL(b.settle_s, 0);
  CU_ASSERT_TRUE(b.stopped);
  CU_ASSERT_EQUAL(b.drift, -1);
  double base = b.base;
  (void)judge_at(&b, 7.75);
  CU_ASSERT_EQUAL(b.settle_s, 30);
  CU_ASSERT_EQUAL(b.base, base);
  CU_ASSERT_EQUAL(b.drift, 0);
  CU_ASSERT_FALSE(b.stopped);
  CU_ASSERT_EQUAL(b.block_s, 0); /* and is judged from there on */

  b = stands(8, 8); /* without a jump it did not stand still */
  (void)judge_at(&b, 0.25);
  CU_ASSERT_FALSE(b.stopped);
}

UNIT_MAIN("baseline, the minutes", UNIT(test_windows), UNIT(test_arrives),
          UNIT(test_settled), UNIT(test_settled_where_it_never_was),
          UNIT(test_drift), UNIT(test_jumped), UNIT(test_spread),
          UNIT(test_calm), UNIT(test_elsewhere), UNIT(test_restarted))
