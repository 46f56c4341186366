/* What samples and an operator's words change of a series, and what they do
 * not: each field that the header names. */
#include "tests/unit/flow/judge_case.h"

#define S INT64_C(1000000)
#define START (INT64_C(1700000000) * S)

static struct wr_baseline b;
static int64_t time_us, now_ms;

static unsigned push_after(double seconds, double interval_s, double value) {
  time_us += (int64_t)(seconds * 1e6);
  now_ms += (int64_t)(seconds * 1e3);
  return wr_baseline_push(&b, &rules, time_us, now_ms, interval_s, value);
}

static void begin(void) {
  wr_baseline_init(&b);
  time_us = START;
  now_ms = 5000;
}

static void push(double level, int seconds) {
  for (int i = 0; i < seconds; i++)
    (void)push_after(1, 1, level);
}

/* A series that has learnt. */
static void learn(double level) {
  begin();
  push(level, 400);
  CU_ASSERT_TRUE_FATAL(b.learned);
}

/* Samples are taken together until they stand for a second, or nearly. */
static void test_steps(void) {
  begin();
  CU_ASSERT_EQUAL(push_after(1, 1, NAN), 0);
  CU_ASSERT_EQUAL(push_after(1, 1, -HUGE_VAL), 0);
  CU_ASSERT_EQUAL(b.age_s, 0);
  CU_ASSERT_EQUAL(push_after(0.5, 0.5, 10), 0);
  CU_ASSERT_EQUAL(b.age_s, 0.5);
  CU_ASSERT_EQUAL(b.summed, 1);
  CU_ASSERT_EQUAL(b.sum_s, 0.5f);
  CU_ASSERT_EQUAL(push_after(0, 0.5, 99), 0); /* the same stamp again */
  CU_ASSERT_EQUAL(b.age_s, 0.5);
  CU_ASSERT_EQUAL(b.sum, 10);
  CU_ASSERT_EQUAL(push_after(0.5, 0.5, 11), WR_BASELINE_STEPPED);
  CU_ASSERT_EQUAL(b.recent.values[0], 10.5f);
  CU_ASSERT_EQUAL(b.recent.count, 1);
  CU_ASSERT_EQUAL(b.totals.litres, 10.5);
  CU_ASSERT_EQUAL(b.sum, 0);
  CU_ASSERT_EQUAL(b.sum_s, 0);
  CU_ASSERT_EQUAL(b.summed, 0);
  /* late ones count, but their time has passed already */
  CU_ASSERT_EQUAL(push_after(-0.25, 0.5, 7), WR_BASELINE_STEPPED);
  CU_ASSERT_EQUAL(b.age_s, 1);
  CU_ASSERT_EQUAL(b.recent.values[1], 7);
  CU_ASSERT_EQUAL(b.totals.litres, 10.5);
}

/* An interval that is none is one of a second. */
static void test_no_interval(void) {
  static const struct {
    double interval_s, age_s;
  } cases[] = {{1, 1}, {0, 1}, {-1, 1}, {NAN, 1}, {0.5, 0.5}, {0.25, 0.25}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin();
    (void)push_after(1, cases[i].interval_s, 10);
    CU_ASSERT_EQUAL(b.age_s, cases[i].age_s);
  }
}

static void test_totals_where_wanted(void) {
  struct wr_baseline_rules none = rules;
  none.per_second = 0;
  begin();
  CU_ASSERT_EQUAL(wr_baseline_push(&b, &none, START, 1000, 1, 10),
                  WR_BASELINE_STEPPED);
  CU_ASSERT_EQUAL(b.totals.litres, 0);
  CU_ASSERT_EQUAL(b.totals.hour_s, 0);
}

/* One pulse is the smallest difference between two values. */
static void test_quantum(void) {
  static const struct {
    double value;
    float quantum;
  } cases[] = {{10, 0},   {10, 0},     {12, 2},      {15, 2},
               {14, 1},   {14.5, 0.5}, {14.5, 0.5},  {14, 0.5},
               {15, 0.5}, {13, 0.5},   {13.25, 0.25}};
  begin();
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    push(cases[i].value, 1);
    CU_ASSERT_EQUAL(b.quantum, cases[i].quantum);
  }
  for (int i = 0; i < 2 * WR_RECENT_MAX; i++) { /* all around the ring */
    b.quantum = 0;
    push(i % 3, 1);
    CU_ASSERT_EQUAL(b.quantum, i == 0 ? 13.25f : i % 3 == 0 ? 2 : 1);
  }
}

/* Time without a sample: nothing from before it is evidence. */
static void test_gap(void) {
  learn(8);
  push(8, 50);
  b.moving_s = 5;
  b.drift = 1;
  CU_ASSERT_TRUE(b.block_s > 0 && b.block > 0);
  (void)push_after(61, 1, 8);
  CU_ASSERT_EQUAL(b.age_s, 450 + 61);
  CU_ASSERT_EQUAL(b.recent.count, 1);
  CU_ASSERT_EQUAL(b.recent.values[0], 8);
  CU_ASSERT_EQUAL(b.block, 0);
  CU_ASSERT_EQUAL(b.block_s, 0);
  CU_ASSERT_EQUAL(b.moving_s, 0);
  CU_ASSERT_EQUAL(b.drift, 1);     /* an alarm goes on standing */
  CU_ASSERT_EQUAL(b.settle_s, 29); /* and this is the first second */
  CU_ASSERT_EQUAL(b.totals.litres, 451.0 * 8);
  begin();
  push(8, 399);
  CU_ASSERT_EQUAL(b.u.learning.blocks, 19);
  (void)push_after(61, 1, 8);
  CU_ASSERT_EQUAL(b.u.learning.blocks, 0); /* learning begins anew */
  CU_ASSERT_EQUAL(b.u.learning.samples, 1);
  CU_ASSERT_EQUAL(b.settle_s, 0);
}

/* A series from a file: stamps alone say how long it was away. */
static void test_resumed(void) {
  learn(8);
  push(8, 50);
  (void)push_after(0.5, 0.5, 8);
  CU_ASSERT_EQUAL(b.summed, 1);
  wr_baseline_resume(&b);
  CU_ASSERT_EQUAL(b.pace.now_ms, 0);
  CU_ASSERT_EQUAL(b.pace.time_us, time_us);
  CU_ASSERT_EQUAL(b.sum, 0);
  CU_ASSERT_EQUAL(b.sum_s, 0);
  CU_ASSERT_EQUAL(b.summed, 0);
  CU_ASSERT_EQUAL(b.recent.count, 0);
  CU_ASSERT_EQUAL(b.recent.next, 0);
  CU_ASSERT_EQUAL(b.block, 0);
  CU_ASSERT_EQUAL(b.block_s, 0);
  CU_ASSERT_EQUAL(b.settle_s, 30);
  now_ms = 4; /* a machine that has just started, a day later */
  time_us += 86400 * S;
  (void)wr_baseline_push(&b, &rules, time_us, now_ms, 1, 8);
  CU_ASSERT_EQUAL(b.age_s, 450.5 + 86400);
}

/* Reset: it learns, and only the totals and the clocks are kept. */
static void test_reset(void) {
  learn(8);
  b.key = 8;
  struct wr_baseline old = b, fresh;
  wr_baseline_reset(&b);
  wr_baseline_init(&fresh);
  CU_ASSERT_FALSE(b.learned);
  CU_ASSERT_EQUAL(b.age_s, 0);
  CU_ASSERT_EQUAL(b.recent.count, 0);
  CU_ASSERT_EQUAL(b.quantum, 0);
  CU_ASSERT_EQUAL(b.points.current, WR_POINTS_NONE);
  CU_ASSERT_EQUAL(fresh.points.current, WR_POINTS_NONE);
  CU_ASSERT_TRUE(isnan(fresh.key));
  CU_ASSERT_EQUAL(b.key, 8);
  CU_ASSERT_EQUAL(b.pace.time_us, old.pace.time_us);
  CU_ASSERT_EQUAL(b.pace.now_ms, old.pace.now_ms);
  CU_ASSERT_EQUAL(b.totals.litres, old.totals.litres);
}

/* Half of the time at 8, a quarter at 4, and a rest: these are its points,
 * unless a set point names the one where it is. */
static void test_points_of_learning(void) {
  for (int keyed = 0; keyed < 2; keyed++) {
    begin();
    if (keyed)
      CU_ASSERT_EQUAL(wr_baseline_setpoint(&b, 8, 1), 0);
    push(0, 100);
    push(8, 300);
    push(4, 100);
    CU_ASSERT_TRUE(b.learned);
    CU_ASSERT_EQUAL(b.base, 8);
    CU_ASSERT_EQUAL(b.points.current, 0);
    CU_ASSERT_EQUAL(b.points.at[0].level, 8);
    CU_ASSERT_EQUAL(b.points.at[0].held_s, 1);
    CU_ASSERT_EQUAL(b.points.count, keyed ? 1 : 3);
    CU_ASSERT_EQUAL(b.points.at[1].used, !keyed);
    CU_ASSERT_EQUAL(b.points.at[2].used, !keyed);
    if (keyed)
      continue;
    CU_ASSERT_EQUAL(b.points.at[1].level, 4);
    CU_ASSERT_EQUAL(b.points.at[1].left_s, 500);
    CU_ASSERT_TRUE(isnan(b.points.at[1].key));
    CU_ASSERT_EQUAL(b.points.at[2].level, 0);
    CU_ASSERT_EQUAL(b.points.at[2].accepted, true);
    CU_ASSERT_TRUE(isnan(b.points.at[2].key));
  }
}

/* What is learned belongs to one set point: 2 % beside it is another one. */
static void test_set_point_while_learning(void) {
  static const struct {
    double before, after;
    bool same;
  } cases[] = {{NAN, 50, false},  {49, 50, true},    {51, 50, true},
               {48.9, 50, false}, {51.1, 50, false}, {-50, 50, false},
               {50, -50, false},  {50, NAN, true},   {0.5, 0.25, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin();
    if (!isnan(cases[i].before))
      (void)wr_baseline_setpoint(&b, cases[i].before, 1);
    push(8, 100);
    CU_ASSERT_EQUAL(wr_baseline_setpoint(&b, cases[i].after, 1), 0);
    CU_ASSERT_EQUAL(b.u.learning.blocks, cases[i].same ? 5 : 0);
    CU_ASSERT_EQUAL(b.key,
                    isnan(cases[i].after) ? cases[i].before : cases[i].after);
  }
}

/* The first set point is that of point 0: said again nothing happens. Another
 * one is a point of which nothing is known yet. */
static void test_set_point(void) {
  begin();
  (void)wr_baseline_setpoint(&b, 8, 1);
  push(8, 400);
  CU_ASSERT_TRUE(b.learned);
  CU_ASSERT_EQUAL(wr_baseline_setpoint(&b, 8.125, 1), 0);
  CU_ASSERT_EQUAL(b.key, 8.125f);
  CU_ASSERT_EQUAL(b.settle_s, 0);
  CU_ASSERT_EQUAL(b.recent.count, WR_RECENT_MAX);
  CU_ASSERT_EQUAL(wr_baseline_setpoint(&b, 4, 10), WR_BASELINE_POINT);
  CU_ASSERT_EQUAL(b.key, 4);
  CU_ASSERT_EQUAL(b.points.current, 1);
  CU_ASSERT_EQUAL(b.points.at[1].key, 4);
  CU_ASSERT_EQUAL(b.points.at[1].level, 0);
  CU_ASSERT_EQUAL(b.points.at[1].left_s, 400);
  CU_ASSERT_EQUAL(b.settle_s, 100); /* it has yet to go there */
  CU_ASSERT_EQUAL(b.recent.count, 0);
  b.drift = 1;
  (void)push_after(1, 1, 4);
  CU_ASSERT_EQUAL(b.state, WR_BASELINE_DRIFT);
  CU_ASSERT_EQUAL(wr_baseline_setpoint(&b, 8, 1), WR_BASELINE_CHANGED);
  CU_ASSERT_EQUAL(b.points.current, 0);
  CU_ASSERT_EQUAL(b.settle_s, 60);
  CU_ASSERT_EQUAL(b.state, WR_BASELINE_NORMAL);
}

/* Taken out of the configuration where the flow never was at the point. */
static void test_unkey(void) {
  begin();
  (void)wr_baseline_setpoint(&b, 8, 1);
  wr_baseline_unkey(&b);
  CU_ASSERT_TRUE(isnan(b.key));
  push(8, 100);
  wr_baseline_unkey(&b); /* it learns: nothing is lost */
  CU_ASSERT_EQUAL(b.u.learning.blocks, 5);
}

/* All alarms end by the operator's word, and the days begin anew. */
static void test_confirm(void) {
  learn(8);
  memset(&b.u.trend, 1, sizeof(b.u.trend));
  b.drift = b.slow = 1;
  b.spread = b.jumped = b.waiting = b.stopped = true;
  b.drift_left_s = b.spread_left_s = b.settle_s = 5;
  b.key = 8; /* it is at the point that the set point names */
  b.deviation = 0.75f;
  b.totals.restless = true;
  b.totals.busy_s = 5;
  all_newest(&b, 6);
  CU_ASSERT_TRUE(wr_baseline_confirm(&b));
  CU_ASSERT_EQUAL(b.points.current, 0);
  CU_ASSERT_EQUAL(b.points.at[0].level, 6);
  CU_ASSERT_EQUAL(b.points.at[0].reference, 6);
  CU_ASSERT_EQUAL(b.base, 6);
  CU_ASSERT_EQUAL(b.deviation, 0.75f);
  CU_ASSERT_EQUAL(b.drift, 0);
  CU_ASSERT_EQUAL(b.slow, 0);
  CU_ASSERT_FALSE(b.spread || b.jumped || b.waiting || b.stopped);
  CU_ASSERT_EQUAL(b.drift_left_s, 0);
  CU_ASSERT_EQUAL(b.spread_left_s, 0);
  CU_ASSERT_EQUAL(b.settle_s, 0);
  for (int s = 0; s < WR_TREND_SCALES; s++) {
    CU_ASSERT_EQUAL(b.u.trend.rings[s].count, 0);
    CU_ASSERT_EQUAL(b.u.trend.rings[s].next, 0);
    CU_ASSERT_EQUAL(b.u.trend.rings[s].filled, 0);
    CU_ASSERT_EQUAL(b.u.trend.rings[s].sum, 0);
  }
  CU_ASSERT_FALSE(b.totals.restless);
  CU_ASSERT_EQUAL(b.totals.busy_s, 0);
  CU_ASSERT_EQUAL(b.state, WR_BASELINE_NORMAL);
  rough_newest(&b, 6); /* nor is it an alarm that it is this rough */
  CU_ASSERT_TRUE(wr_baseline_confirm(&b));
  CU_ASSERT_EQUAL(b.deviation, 1);
}

/* Where it went by itself with a jump is a point from now on. */
static void test_confirm_after_a_jump(void) {
  learn(8);
  b.jumped = true;
  all_newest(&b, 4);
  CU_ASSERT_TRUE(wr_baseline_confirm(&b));
  CU_ASSERT_EQUAL(b.points.current, 1);
  CU_ASSERT_EQUAL(b.points.count, 2);
  CU_ASSERT_EQUAL(b.points.at[0].level, 8);
  CU_ASSERT_EQUAL(b.points.at[1].level, 4);
  CU_ASSERT_EQUAL(b.points.at[1].left_s, 400);
  CU_ASSERT_TRUE(b.points.at[1].accepted);
}

/* Five values are the least that may be confirmed. */
static void test_confirm_of_nothing(void) {
  learn(8);
  wr_baseline_resume(&b);
  b.settle_s = 0;
  push(7.75, 4);
  CU_ASSERT_FALSE(wr_baseline_confirm(&b));
  CU_ASSERT_NOT_EQUAL(b.base, 7.75);
  push(7.75, 1);
  CU_ASSERT_TRUE(wr_baseline_confirm(&b));
  CU_ASSERT_EQUAL(b.base, 7.75);
  begin();
  push(8, 30);
  CU_ASSERT_FALSE(wr_baseline_confirm(&b));
  CU_ASSERT_EQUAL(b.base, 0);
}

/* Another constant: what it knows is in the new unit, what it saw is not. */
static void test_rescaled(void) {
  learn(8);
  b.deviation = 0.5f;
  b.quantum = 0.25f;
  b.totals.restless = true;
  wr_baseline_rescale(&b, 2);
  CU_ASSERT_EQUAL(b.base, 16);
  CU_ASSERT_EQUAL(b.deviation, 1);
  CU_ASSERT_EQUAL(b.quantum, 0.5f);
  CU_ASSERT_EQUAL(b.recent.count, 0);
  CU_ASSERT_EQUAL(b.points.at[0].level, 16);
  CU_ASSERT_FALSE(b.totals.restless); /* litres of another size */
  CU_ASSERT_TRUE(b.learned);
  begin();
  push(8, 100);
  wr_baseline_rescale(&b, 2);
  CU_ASSERT_EQUAL(b.u.learning.blocks, 0);
}

UNIT_MAIN("baseline, words", UNIT(test_steps), UNIT(test_no_interval),
          UNIT(test_totals_where_wanted), UNIT(test_quantum), UNIT(test_gap),
          UNIT(test_resumed), UNIT(test_reset), UNIT(test_points_of_learning),
          UNIT(test_set_point_while_learning), UNIT(test_set_point),
          UNIT(test_unkey), UNIT(test_confirm), UNIT(test_confirm_after_a_jump),
          UNIT(test_confirm_of_nothing), UNIT(test_rescaled))
