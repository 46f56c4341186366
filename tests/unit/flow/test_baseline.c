#include "lib/flow/baseline.h"

#include "tests/unit/unit.h"

#include <math.h>

#define S INT64_C(1000000)
#define DAY 86400

/* A series, its clocks, and noise that is the same in each run. */
struct loop {
  struct wr_baseline b;
  struct wr_baseline_rules rules;
  int64_t time_us, now_ms;
  double interval_s, noise;
  uint32_t random;
  unsigned changes, points;
};

static struct loop start(void) {
  struct loop l = {.rules = WR_BASELINE_RULES,
                   .time_us = 1700000000 * S,
                   .now_ms = 1000,
                   .interval_s = 1,
                   .noise = 0.005,
                   .random = 1};
  wr_baseline_init(&l.b);
  return l;
}

static double noise(struct loop *l) {
  double sum = 0;
  for (int i = 0; i < 3; i++) {
    l->random = l->random * 1664525u + 1013904223u;
    sum += (double)l->random / 4294967296.0 - 0.5;
  }
  return 2 * sum * l->noise;
}

static void push(struct loop *l, double value) {
  l->time_us += (int64_t)(l->interval_s * 1e6);
  l->now_ms += (int64_t)(l->interval_s * 1e3);
  unsigned events = wr_baseline_push(&l->b, &l->rules, l->time_us, l->now_ms,
                                     l->interval_s, value);
  l->changes += (events & WR_BASELINE_CHANGED) != 0;
  l->points += (events & WR_BASELINE_POINT) != 0;
}

static void flow(struct loop *l, double level, int samples) {
  for (int i = 0; i < samples; i++)
    push(l, level * (1 + noise(l)));
}

static void silence(struct loop *l, int64_t seconds) {
  l->time_us += seconds * S;
  l->now_ms += seconds * 1000;
}

static enum wr_baseline_state state(const struct loop *l) {
  return (enum wr_baseline_state)l->b.state;
}

/* Samples at `level` until the state is another one; -1: it stays. */
static int until_change(struct loop *l, double level, int most) {
  unsigned before = l->changes;
  for (int i = 1; i <= most; i++) {
    flow(l, level, 1);
    if (l->changes != before)
      return i;
  }
  return -1;
}

static struct loop learnt(double level) {
  struct loop l = start();
  flow(&l, level, 500);
  l.changes = 0;
  return l;
}

static void test_learning_then_normal(void) {
  struct loop l = start();
  flow(&l, 10, 399);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_LEARNING);
  flow(&l, 10, 3600);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
  CU_ASSERT_EQUAL(l.changes, 1);
  struct wr_baseline_view v;
  wr_baseline_view(&l.b, &l.rules, &v);
  CU_ASSERT_DOUBLE_EQUAL(v.baseline, 10, 0.05);
  CU_ASSERT(v.score < 1);
}

static void test_step_both_ways(void) {
  for (int way = -1; way <= 1; way += 2) {
    struct loop l = learnt(10);
    int delay = until_change(&l, 10 * (1 + way * 0.02), 60);
    CU_ASSERT(delay > 0 && delay <= 20);
    CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
    CU_ASSERT_EQUAL(l.b.direction, way);
    struct wr_baseline_view v;
    wr_baseline_view(&l.b, &l.rules, &v);
    CU_ASSERT(v.score > 1);
    flow(&l, 10 * (1 + way * 0.02), 20);
    wr_baseline_view(&l.b, &l.rules, &v);
    CU_ASSERT_DOUBLE_EQUAL(v.deviation, way * 0.02, 0.004);
    CU_ASSERT_DOUBLE_EQUAL(v.lost, way * 0.2 * 60, 3); /* L/h */
    CU_ASSERT(until_change(&l, 10, 90) > 20);          /* it holds */
    CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
  }
}

static void test_spread(void) {
  struct loop l = learnt(10);
  l.noise *= 5;
  CU_ASSERT(until_change(&l, 10, 60) > 0);
  CU_ASSERT(l.b.spread);
  l.noise /= 5;
  flow(&l, 10, 120);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
}

/* It follows what is slow, and does not lock up behind what it did not
 * follow: in alarm it is slower, but never stands. */
static void test_it_never_freezes(void) {
  struct loop l = learnt(10);
  for (int i = 0; i < 3600; i++) /* 5 % an hour */
    push(&l, 10 * (1 - 0.05 * i / 3600) * (1 + noise(&l)));
  CU_ASSERT_EQUAL(l.changes, 0);
  flow(&l, 9.0, 60);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
  double before = l.b.base;
  flow(&l, 9.0, 3600);
  CU_ASSERT(l.b.base < before - 0.1 && l.b.base > before - 0.3);
  CU_ASSERT(until_change(&l, 9.0, DAY) > 0);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
}

static void test_points_by_themselves(void) {
  struct loop l = learnt(10);
  flow(&l, 7, 300);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
  flow(&l, 7, 600); /* in the first day a level that holds is one */
  CU_ASSERT_EQUAL(l.points, 1);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
  unsigned changes = l.changes;
  for (int i = 0; i < 6; i++) {
    flow(&l, 10, 1200);
    for (int k = 0; k < 20; k++) /* a valve that takes its time */
      push(&l, (10 - 3 * k / 20.0) * (1 + noise(&l)));
    flow(&l, 7, 1200);
  }
  CU_ASSERT_EQUAL(l.changes, changes);
  flow(&l, 6.8, 60); /* at each of them a step is a step */
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
}

/* After the first day what happens once is a fault, however long. */
static void test_a_fault_does_not_become_a_point(void) {
  struct loop l = learnt(10);
  flow(&l, 10, DAY);
  flow(&l, 7, 3 * 3600);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
  CU_ASSERT_EQUAL(l.points, 0);
  flow(&l, 10, 600);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
  unsigned changes = l.changes;
  flow(&l, 7, 900); /* it returns: so it is one */
  CU_ASSERT_EQUAL(l.points, 1);
  CU_ASSERT_EQUAL(l.changes, changes);
}

static void test_confirm(void) {
  struct loop l = start();
  CU_ASSERT_FALSE(wr_baseline_confirm(&l.b));
  l = learnt(10);
  flow(&l, 9.5, 60);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
  CU_ASSERT_TRUE(wr_baseline_confirm(&l.b));
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
  unsigned changes = l.changes;
  flow(&l, 9.5, 600);
  CU_ASSERT_EQUAL(l.changes, changes);
  flow(&l, 9.3, 60);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
}

static void test_reset(void) {
  struct loop l = learnt(10);
  double litres = l.b.totals.litres;
  wr_baseline_reset(&l.b);
  flow(&l, 5, 300);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_LEARNING);
  CU_ASSERT(l.b.totals.litres > litres);
  flow(&l, 5, 200);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
}

/* Two days without a sample: a level near what it was is taken as it is, one
 * that is not is an alarm, and an alarm that stood stands. */
static void test_a_gap_of_days(void) {
  struct loop l = learnt(10);
  silence(&l, 2 * DAY);
  flow(&l, 9.7, 600);
  CU_ASSERT_EQUAL(l.changes, 0);
  CU_ASSERT_DOUBLE_EQUAL(l.b.base, 9.7, 0.03);
  CU_ASSERT(l.b.age_s > 2 * DAY);

  l = learnt(10);
  silence(&l, 2 * DAY);
  flow(&l, 9.0, 60);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);

  l = learnt(10);
  flow(&l, 9.7, 60);
  unsigned changes = l.changes;
  silence(&l, 2 * DAY);
  flow(&l, 9.7, 600);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
  CU_ASSERT_EQUAL(l.changes, changes);
}

/* A clock that is set moves nothing: neither an alarm, nor the peace. */
static void test_clock_steps(void) {
  const int64_t steps[] = {-20, -3600, 3600, -DAY, DAY, -50 * 365 * DAY};
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    struct loop l = learnt(10);
    double age = l.b.age_s;
    l.time_us += steps[i] * S;
    flow(&l, 10, 300);
    CU_ASSERT_EQUAL(l.changes, 0);
    CU_ASSERT_DOUBLE_EQUAL(l.b.age_s, age + 300, 1.5);
    flow(&l, 9.7, 60);
    CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
    l.time_us += steps[i] * S;
    flow(&l, 9.7, 60);
    CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
  }
}

static void test_gaps_jitter_and_rubbish(void) {
  struct loop l = learnt(10);
  double litres = l.b.totals.litres;
  for (int i = 0; i < 3600; i++) {
    if (i % 10 < 3) { /* a third is lost */
      silence(&l, 1);
      continue;
    }
    push(&l, i % 10 == 5 ? (double)NAN : i % 10 == 6 ? HUGE_VAL : 10.0);
    if (i % 10 > 6) /* the same stamp again */
      CU_ASSERT_EQUAL(
          wr_baseline_push(&l.b, &l.rules, l.time_us, l.now_ms, 1, 99), 0);
  }
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
  CU_ASSERT_DOUBLE_EQUAL(l.b.totals.litres - litres, 600, 10);
}

static void test_ten_hertz_and_slow_sources(void) {
  const double intervals[] = {0.1, 10, 60};
  for (size_t i = 0; i < 3; i++) {
    struct loop l = start();
    l.interval_s = intervals[i];
    flow(&l, 10, (int)fmax(500 / intervals[i], 60));
    CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
    l.changes = 0;
    flow(&l, 10, 2000);
    CU_ASSERT_EQUAL(l.changes, 0);
    flow(&l, 9.6, (int)fmax(30 / intervals[i], 12));
    CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
  }
}

/* 12 pulses a litre at 0.5 L/min: nothing but quanta. */
/* One value a minute: a jump takes minutes to be seen whole, and is one. */
static void test_a_jump_a_minute(void) {
  struct loop l = start();
  l.interval_s = 60;
  flow(&l, 10, 120);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
  flow(&l, 9, 60);
  CU_ASSERT_EQUAL(l.points, 1);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
  l.changes = 0;
  for (int i = 0; i < 4; i++) {
    flow(&l, 10, 60);
    flow(&l, 9, 60);
  }
  CU_ASSERT_EQUAL(l.changes, 0);
}

static void test_a_coarse_sensor(void) {
  struct loop l = start();
  double phase = 0;
  for (int i = 0; i < 8000; i++) {
    double pulses = floor(phase + 7.03) - floor(phase);
    phase = fmod(phase + 7.03, 1000);
    push(&l, pulses / 7.5);
  }
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
  CU_ASSERT_EQUAL(l.changes, 1);
}

static void test_set_points(void) {
  struct loop l = start();
  (void)wr_baseline_setpoint(&l.b, 10, 1);
  flow(&l, 10, 500);
  l.changes = 0;
  CU_ASSERT(wr_baseline_setpoint(&l.b, 5, 1) & WR_BASELINE_POINT);
  flow(&l, 10, 5);
  flow(&l, 5, 600);
  CU_ASSERT_EQUAL(wr_baseline_setpoint(&l.b, 5.01, 1), 0);
  CU_ASSERT_EQUAL(wr_baseline_setpoint(&l.b, NAN, 1), 0);
  CU_ASSERT_EQUAL(wr_baseline_setpoint(&l.b, 10, 1), 0);
  flow(&l, 10, 600);
  CU_ASSERT_EQUAL(l.changes, 0);
  (void)wr_baseline_setpoint(&l.b, 5, 1);
  flow(&l, 10, 300); /* commanded, but it does not go there */
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
  CU_ASSERT_EQUAL(l.b.direction, 1);
}

/* A loop whose set point series was taken out of the configuration. */
static void test_set_points_no_longer(void) {
  struct loop l = start();
  for (int way = 0; way < 2; way++) {
    wr_baseline_setpoint(&l.b, 10, 1);
    flow(&l, 10, 500);
    wr_baseline_setpoint(&l.b, 6, 1);
    flow(&l, 6, 500);
  }
  wr_baseline_unkey(&l.b);
  l.changes = 0;
  for (int i = 0; i < 3; i++) { /* the same points, found by level */
    flow(&l, 10, 300);
    flow(&l, 6, 300);
  }
  CU_ASSERT_EQUAL(l.changes, 0);
  CU_ASSERT_EQUAL(l.b.points.count, 2);
  flow(&l, 5.8, 60);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
  wr_baseline_setpoint(&l.b, 8, 1); /* it never got there */
  wr_baseline_unkey(&l.b);
  CU_ASSERT_FALSE(l.b.learned);
  flow(&l, 8, 500);
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
}

static void test_another_constant(void) {
  struct loop l = learnt(10);
  wr_baseline_rescale(&l.b, 0.5);
  flow(&l, 5, 300);
  CU_ASSERT_EQUAL(l.changes, 0);
  CU_ASSERT_DOUBLE_EQUAL(l.b.base, 5, 0.05);
}

/* What is too slow for the minutes: 2 % a day, and when it will be too low. */
static void test_the_days(void) {
  struct loop l = start();
  l.noise = 0.003;
  struct wr_forecast f;
  flow(&l, 10, 3 * DAY);
  l.changes = 0;
  int found = -1;
  for (int i = 0; i < 4 * DAY && found < 0; i++) {
    push(&l, 10 * (1 - 0.02 * i / DAY) * (1 + noise(&l)));
    if (l.changes > 0)
      found = i;
  }
  CU_ASSERT(found > DAY && found < 3 * DAY);
  CU_ASSERT_EQUAL(l.b.slow, -1);
  CU_ASSERT_EQUAL(l.b.drift, 0);
  wr_baseline_forecast(&l.b, &l.rules, &f);
  CU_ASSERT_TRUE(f.clear);
  double left_days = (0.25 - 0.02 * found / DAY) / 0.02;
  CU_ASSERT_DOUBLE_EQUAL(f.left_s / DAY, left_days, left_days * 0.3);
}

/* Days of clogging, then the filter is cleaned: the flow is where the days
 * know it from, so nothing is left to say. */
static void test_a_cleaned_filter(void) {
  for (int way = -1; way <= 1; way += 2) {
    struct loop l = start();
    l.noise = 0.003;
    flow(&l, 10, DAY);
    for (int i = 0; i < DAY; i++)
      push(&l, 10 * (1 + way * 0.06 * i / DAY) * (1 + noise(&l)));
    CU_ASSERT_EQUAL(l.b.slow, way);
    CU_ASSERT_EQUAL(l.b.drift, 0);
    l.changes = 0;
    CU_ASSERT(until_change(&l, 10, 120) > 0);
    CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
    flow(&l, 10, DAY);
    CU_ASSERT_EQUAL(l.changes, 1);
    flow(&l, 9.7, 60);
    CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
  }
}

/* The same before there was an alarm: a return is no step upwards. */
static void test_a_cleaned_filter_in_time(void) {
  struct loop l = start();
  l.noise = 0.003;
  flow(&l, 10, 2 * DAY);
  for (int i = 0; i < DAY; i++)
    push(&l, 10 * (1 - 0.033 * i / DAY) * (1 + noise(&l)));
  l.changes = 0;
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_NORMAL);
  flow(&l, 10, DAY);
  CU_ASSERT_EQUAL(l.changes, 0);
  flow(&l, 10.25, 60); /* from there a step is one */
  CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
}

/* Neither a step that only lessens the fault nor one that goes beyond the
 * reference is a repair; and what it says of itself is one story. */
static void test_half_a_repair(void) {
  static const struct {
    double level;
    int direction;
  } cases[] = {{9.55, 1}, {10.6, 1}, {9.0, -1}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct loop l = start();
    struct wr_baseline_view v;
    l.noise = 0.003;
    flow(&l, 10, DAY);
    for (int k = 0; k < DAY; k++)
      push(&l, 10 * (1 - 0.07 * k / DAY) * (1 + noise(&l)));
    flow(&l, cases[i].level, 300);
    CU_ASSERT_EQUAL(state(&l), WR_BASELINE_DRIFT);
    wr_baseline_view(&l.b, &l.rules, &v);
    CU_ASSERT_EQUAL(v.direction, cases[i].direction);
    CU_ASSERT(v.direction * v.deviation > 0);
  }
}

/* A rough flow that rests every night, as it is counted: what it was like is
 * not forgotten meanwhile, so no morning is an alarm. */
static void test_comes_back_from_rest(void) {
  static const double intervals_s[] = {1, 10};
  for (int n = 0; n < 2; n++) {
    struct loop l = start();
    double pulses = 0;
    int alarms = 0;
    l.interval_s = intervals_s[n];
    l.noise = 0.02;
    for (int day = 0; day < 4; day++)
      for (int i = 0; i < DAY / (int)l.interval_s; i++) {
        bool rests = i > DAY / 2 / (int)l.interval_s;
        double before = floor(pulses);
        pulses += rests ? 0 : 10 * (1 + noise(&l)) * 7.5 * l.interval_s;
        push(&l, (floor(pulses) - before) / 7.5 / l.interval_s);
        alarms += day > 0 && state(&l) != WR_BASELINE_NORMAL;
      }
    CU_ASSERT(alarms < 600 / l.interval_s); /* of three days */
    CU_ASSERT_EQUAL(l.points, 1);           /* the rest */
  }
}

UNIT_MAIN("baseline", UNIT(test_comes_back_from_rest),
          UNIT(test_learning_then_normal), UNIT(test_step_both_ways),
          UNIT(test_spread), UNIT(test_it_never_freezes),
          UNIT(test_points_by_themselves),
          UNIT(test_a_fault_does_not_become_a_point), UNIT(test_confirm),
          UNIT(test_reset), UNIT(test_a_gap_of_days), UNIT(test_clock_steps),
          UNIT(test_gaps_jitter_and_rubbish),
          UNIT(test_ten_hertz_and_slow_sources), UNIT(test_a_jump_a_minute),
          UNIT(test_a_coarse_sensor), UNIT(test_set_points),
          UNIT(test_set_points_no_longer), UNIT(test_another_constant),
          UNIT(test_the_days), UNIT(test_a_cleaned_filter),
          UNIT(test_a_cleaned_filter_in_time), UNIT(test_half_a_repair))
