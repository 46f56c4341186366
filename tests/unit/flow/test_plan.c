#include "lib/flow/plan.h"

#include "tests/unit/unit.h"

#include <math.h>

static const struct wr_plan_rules rules = {
    .off_below = 0.5, .near_zero = 0.5, .nominal = 10, .settle = 15};

static enum wr_plan_say pass(struct wr_plan *p, int samples, double flow) {
  enum wr_plan_say say = WR_PLAN_NONE;
  for (int i = 0; i < samples; i++)
    say = wr_plan_sample(p, &rules, flow);
  return say;
}

static void test_nothing_declared(void) {
  struct wr_plan p;
  wr_plan_init(&p);
  CU_ASSERT_EQUAL(pass(&p, 1, 0), WR_PLAN_NONE);
  CU_ASSERT_EQUAL(pass(&p, 100, 10), WR_PLAN_NONE);
  CU_ASSERT_EQUAL(wr_plan_scale(&p, &rules), 1.0);
}

static void test_stop_and_start(void) {
  struct wr_plan p;
  wr_plan_init(&p);
  wr_plan_state(&p, &rules, 1, 0);
  CU_ASSERT_EQUAL(pass(&p, 5, 10), WR_PLAN_NONE);
  wr_plan_state(&p, &rules, 0, 0);
  CU_ASSERT_EQUAL(pass(&p, 1, 8), WR_PLAN_WAIT); /* runs out */
  CU_ASSERT_EQUAL(pass(&p, 1, 0.2), WR_PLAN_OFF);
  CU_ASSERT_EQUAL(pass(&p, 1000, 0), WR_PLAN_OFF);
  wr_plan_state(&p, &rules, 1, 0);
  CU_ASSERT_EQUAL(pass(&p, 14, 0), WR_PLAN_WAIT);
  CU_ASSERT_EQUAL(pass(&p, 2, 0), WR_PLAN_NONE); /* it should run by now */
}

/* "Off" is believed only while nothing flows. */
static void test_off_but_flowing(void) {
  struct wr_plan p;
  wr_plan_init(&p);
  wr_plan_state(&p, &rules, 0, 0);
  CU_ASSERT_EQUAL(pass(&p, 1, 10), WR_PLAN_NONE); /* no change was seen */
  wr_plan_state(&p, &rules, 1, 0);
  wr_plan_state(&p, &rules, 0, 0);
  CU_ASSERT_EQUAL(pass(&p, 15, 6), WR_PLAN_WAIT);
  CU_ASSERT_EQUAL(pass(&p, 1, 6), WR_PLAN_NONE);
}

/* An old word is no word: a series that fell silent hides no fault. */
static void test_a_word_grows_old(void) {
  struct wr_plan p;
  wr_plan_init(&p);
  wr_plan_state(&p, &rules, 0, 30);
  CU_ASSERT_EQUAL(pass(&p, 30, 0), WR_PLAN_OFF);
  CU_ASSERT_EQUAL(pass(&p, 1, 0), WR_PLAN_NONE);
  wr_plan_state(&p, &rules, 0, 30);
  CU_ASSERT_EQUAL(pass(&p, 1, 0), WR_PLAN_OFF);
  wr_plan_state(&p, &rules, NAN, 30); /* not a word at all */
  CU_ASSERT_EQUAL(pass(&p, 29, 0), WR_PLAN_OFF);
  CU_ASSERT_EQUAL(pass(&p, 1, 0), WR_PLAN_NONE);
}

static void test_setpoint(void) {
  struct wr_plan p;
  wr_plan_init(&p);
  wr_plan_setpoint(&p, &rules, 8, 30);
  CU_ASSERT_DOUBLE_EQUAL(wr_plan_scale(&p, &rules), 0.8, 1e-12);
  CU_ASSERT_EQUAL(pass(&p, 1, 8), WR_PLAN_NONE); /* the first is no change */
  wr_plan_setpoint(&p, &rules, 8.2, 30);         /* nor is a little */
  CU_ASSERT_EQUAL(pass(&p, 1, 8), WR_PLAN_NONE);
  wr_plan_setpoint(&p, &rules, 16, 30);
  CU_ASSERT_DOUBLE_EQUAL(wr_plan_scale(&p, &rules), 1.6, 1e-12);
  CU_ASSERT_EQUAL(pass(&p, 15, 10), WR_PLAN_WAIT);
  CU_ASSERT_EQUAL(pass(&p, 1, 10), WR_PLAN_NONE);
  wr_plan_setpoint(&p, &rules, INFINITY, 30);
  CU_ASSERT_DOUBLE_EQUAL(wr_plan_scale(&p, &rules), 1.6, 1e-12);
}

static void test_setpoint_zero_is_a_stop(void) {
  struct wr_plan p;
  wr_plan_init(&p);
  wr_plan_setpoint(&p, &rules, 10, 30);
  wr_plan_setpoint(&p, &rules, 0, 30);
  CU_ASSERT_EQUAL(pass(&p, 1, 7), WR_PLAN_WAIT);
  CU_ASSERT_EQUAL(pass(&p, 1, 0), WR_PLAN_OFF);
  CU_ASSERT_DOUBLE_EQUAL(wr_plan_scale(&p, &rules), 1, 1e-12);
  pass(&p, 20, 0);
  wr_plan_setpoint(&p, &rules, 10, 30);
  CU_ASSERT_EQUAL(pass(&p, 1, 0), WR_PLAN_WAIT);
  CU_ASSERT_EQUAL(pass(&p, 20, 10), WR_PLAN_NONE);
}

/* A stop by the set point is a word like any other: a controller that died
 * after saying 0 hides no fault. A level stays; the flow is still at it. */
static void test_a_stop_by_setpoint_grows_old(void) {
  struct wr_plan p;
  wr_plan_init(&p);
  wr_plan_setpoint(&p, &rules, 8, 30);
  wr_plan_setpoint(&p, &rules, 0, 30);
  CU_ASSERT_EQUAL(pass(&p, 30, 0), WR_PLAN_OFF);
  wr_plan_setpoint(&p, &rules, NAN, 30);
  CU_ASSERT_EQUAL(pass(&p, 1, 0), WR_PLAN_NONE);
  CU_ASSERT_DOUBLE_EQUAL(wr_plan_scale(&p, &rules), 0.8, 1e-12);
  wr_plan_setpoint(&p, &rules, 0, 30);
  CU_ASSERT_EQUAL(pass(&p, 1, 0), WR_PLAN_OFF);
}

/* How many of `samples` may alarm while what is declared never rests. */
static int judged(struct wr_plan *p, int samples, bool by_setpoint) {
  int count = 0;
  for (int i = 0; i < samples; i++) {
    if (by_setpoint)
      wr_plan_setpoint(p, &rules, i % 2 == 0 ? 9 : 11, 30);
    else
      wr_plan_state(p, &rules, i % 2, 30);
    count += wr_plan_sample(p, &rules, 3) == WR_PLAN_NONE;
  }
  return count;
}

/* A set point that is a controller's output, a contact that bounces: changes
 * without an end are no reason to hold alarms back without an end. */
static void test_changes_without_end(void) {
  for (int by_setpoint = 0; by_setpoint < 2; by_setpoint++) {
    struct wr_plan p;
    wr_plan_init(&p);
    CU_ASSERT_TRUE(judged(&p, 100, by_setpoint) <= 1);
    CU_ASSERT_TRUE(judged(&p, 60, by_setpoint) >= 15);
    /* Rest gives the patience back. */
    CU_ASSERT_EQUAL(pass(&p, 300, 3), WR_PLAN_NONE);
    CU_ASSERT_TRUE(judged(&p, 100, by_setpoint) <= 1);
  }
}

/* "Off" is below the threshold, no flow is up to `near_zero`, both ways. */
static void test_thresholds(void) {
  static const struct {
    double word, flow;
    enum wr_plan_say say;
  } cases[] = {{0.5, 0, WR_PLAN_NONE},  {0.49, 0, WR_PLAN_OFF},
               {-1, 0.5, WR_PLAN_OFF},  {0, -0.5, WR_PLAN_OFF},
               {0, 0.51, WR_PLAN_NONE}, {0, -0.51, WR_PLAN_NONE}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_plan p;
    wr_plan_init(&p);
    wr_plan_state(&p, &rules, cases[i].word, 0);
    CU_ASSERT_EQUAL(wr_plan_sample(&p, &rules, cases[i].flow), cases[i].say);
    CU_ASSERT_EQUAL(p.waited, 0);
  }
}

/* Which set points are a change after which, and what is to be waited. */
static void test_what_a_change_is(void) {
  static const struct {
    double before, after; /* NaN: none */
    int64_t wait;
  } cases[] = {{NAN, 10, 0},    {NAN, 0, 0},     {NAN, -1, 0},
               {20, 21, 0},     {20, 21.01, 15}, {20, 19, 0},
               {20, 18.99, 15}, {0.5, 0.5, 0},   {0.5, 0.75, 15},
               {10, 0, 15},     {10, -1, 15},    {0, 0, 0},
               {0, -1, 0},      {0, 0.5, 15},    {-1, 10, 15},
               {10, 0.5, 15},   {10, NAN, 0},    {10, INFINITY, 0}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_plan p;
    wr_plan_init(&p);
    wr_plan_setpoint(&p, &rules, cases[i].before, 30);
    CU_ASSERT_EQUAL(p.wait, 0);
    wr_plan_setpoint(&p, &rules, cases[i].after, 30);
    CU_ASSERT_EQUAL(p.wait, cases[i].wait);
    double said = isfinite(cases[i].after) ? cases[i].after : cases[i].before;
    CU_ASSERT_EQUAL(p.stopped, said <= 0);
    if (said > 0)
      CU_ASSERT_EQUAL(wr_plan_scale(&p, &rules), said / 10);
  }
}

/* A stop that is said again and again is one change. */
static void test_a_stop_is_one_change(void) {
  struct wr_plan p;
  wr_plan_init(&p);
  wr_plan_setpoint(&p, &rules, 8, 30);
  for (int i = 0; i < 20; i++) {
    wr_plan_setpoint(&p, &rules, i % 2 == 0 ? 0 : -1, 30);
    CU_ASSERT_EQUAL(pass(&p, 1, 0), WR_PLAN_OFF);
  }
  CU_ASSERT_EQUAL(p.wait, 0);
  CU_ASSERT_EQUAL(p.setpoint, 8);
  CU_ASSERT_EQUAL(p.waited, 0); /* nothing was held back */
}

/* A word is valid for as many samples as it says, or for ever. */
static void test_valid_for(void) {
  for (int64_t valid = 0; valid <= 3; valid++)
    for (int by_setpoint = 0; by_setpoint < 2; by_setpoint++) {
      struct wr_plan p;
      wr_plan_init(&p);
      for (int again = 0; again < 2; again++) {
        if (by_setpoint)
          wr_plan_setpoint(&p, &rules, 0, valid);
        else
          wr_plan_state(&p, &rules, 0, valid);
        for (int64_t i = 1; i <= 5; i++)
          CU_ASSERT_EQUAL(wr_plan_sample(&p, &rules, 0),
                          valid == 0 || i <= valid ? WR_PLAN_OFF
                                                   : WR_PLAN_NONE);
      }
      CU_ASSERT_EQUAL(p.wait, 0); /* a word after none is no change */
    }
}

/* Patience: what was waited is remembered, and each sample that did not wait
 * gives one back. */
static void test_patience(void) {
  struct wr_plan p;
  wr_plan_init(&p);
  for (int change = 0; change <= WR_PLAN_PATIENCE; change++) {
    wr_plan_state(&p, &rules, change % 2, 0);
    CU_ASSERT_EQUAL(p.wait, change > 0 ? 15 : 0);
    for (int i = 1; p.wait > 0; i++) {
      CU_ASSERT_EQUAL(wr_plan_sample(&p, &rules, 3), WR_PLAN_WAIT);
      CU_ASSERT_EQUAL(p.wait, 15 - i);
      CU_ASSERT_EQUAL(p.waited, (change - 1) * 15 + i);
    }
  }
  wr_plan_state(&p, &rules, 1, 0);
  CU_ASSERT_EQUAL(p.wait, 0); /* there is none left */
  for (int i = 1; i <= 4; i++) {
    CU_ASSERT_EQUAL(wr_plan_sample(&p, &rules, 3), WR_PLAN_NONE);
    CU_ASSERT_EQUAL(p.waited, 120 - i);
  }
  wr_plan_state(&p, &rules, 0, 0);
  CU_ASSERT_EQUAL(p.wait, 4);
  /* a change that is over at once holds nothing back */
  CU_ASSERT_EQUAL(wr_plan_sample(&p, &rules, 0), WR_PLAN_OFF);
  CU_ASSERT_EQUAL(p.wait, 3);
  CU_ASSERT_EQUAL(p.waited, 115);
  pass(&p, 200, 0);
  CU_ASSERT_EQUAL(p.waited, 0);
  CU_ASSERT_EQUAL(p.wait, 0);
}

UNIT_MAIN("plan", UNIT(test_nothing_declared), UNIT(test_stop_and_start),
          UNIT(test_off_but_flowing), UNIT(test_a_word_grows_old),
          UNIT(test_setpoint), UNIT(test_setpoint_zero_is_a_stop),
          UNIT(test_a_stop_by_setpoint_grows_old),
          UNIT(test_changes_without_end), UNIT(test_thresholds),
          UNIT(test_what_a_change_is), UNIT(test_a_stop_is_one_change),
          UNIT(test_valid_for), UNIT(test_patience))
