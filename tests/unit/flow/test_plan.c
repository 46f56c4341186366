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

UNIT_MAIN("plan", UNIT(test_nothing_declared), UNIT(test_stop_and_start),
          UNIT(test_off_but_flowing), UNIT(test_a_word_grows_old),
          UNIT(test_setpoint), UNIT(test_setpoint_zero_is_a_stop),
          UNIT(test_a_stop_by_setpoint_grows_old),
          UNIT(test_changes_without_end))
