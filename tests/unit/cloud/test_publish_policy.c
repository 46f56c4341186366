#include "lib/cloud/publish_policy.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

static enum wr_worth number(struct wr_policy *p, double v, int64_t now_ms,
                            int64_t min_ms) {
  return wr_policy_decide(p, &(struct wr_value){WR_VALUE_NUMBER, v, ""}, now_ms,
                          now_ms * 1000, 2 * SECOND, min_ms);
}

static enum wr_worth label(struct wr_policy *p, const char *text,
                           int64_t now_ms, int64_t time_us) {
  struct wr_value v = {.kind = WR_VALUE_TEXT};
  snprintf(v.text, sizeof(v.text), "%s", text);
  return wr_policy_decide(p, &v, now_ms, time_us, 2 * SECOND, 1000000);
}

static void test_never_nan(void) {
  struct wr_policy p = {0};
  CU_ASSERT_EQUAL(number(&p, NAN, 0, 0), WR_SKIP);
  CU_ASSERT_EQUAL(number(&p, INFINITY, 1, 0), WR_SKIP);
  CU_ASSERT_EQUAL(number(&p, 1, 2, 0), WR_SAMPLE);
  CU_ASSERT_EQUAL(number(&p, NAN, 3, 0), WR_SKIP);
}

static void test_every_sample_without_limits(void) {
  struct wr_policy p = {0};
  for (int i = 0; i < 5; i++)
    CU_ASSERT_EQUAL(number(&p, 1.0, i, 0), WR_SAMPLE);
}

static void test_dead_band_and_heartbeat(void) {
  struct wr_policy p = {.dead_band = 0.5, .max_ms = 60000};
  CU_ASSERT_EQUAL(number(&p, 10.0, 0, 0), WR_SAMPLE);
  CU_ASSERT_EQUAL(number(&p, 10.25, 1000, 0), WR_SKIP);
  CU_ASSERT_EQUAL(number(&p, 9.75, 2000, 0), WR_SKIP);
  CU_ASSERT_EQUAL(number(&p, 10.5, 3000, 0), WR_SAMPLE);
  CU_ASSERT_EQUAL(number(&p, 10.0, 4000, 0), WR_SAMPLE);
  CU_ASSERT_EQUAL(number(&p, 10.0, 63999, 0), WR_SKIP);
  CU_ASSERT_EQUAL(number(&p, 10.0, 64000, 0), WR_SAMPLE);
}

static void test_min_interval_holds_numbers_back(void) {
  struct wr_policy p = {.min_ms = 10000, .max_ms = 10000};
  CU_ASSERT_EQUAL(number(&p, 1, 0, 0), WR_SAMPLE);
  CU_ASSERT_EQUAL(number(&p, 9, 9999, 0), WR_SKIP);
  CU_ASSERT_EQUAL(number(&p, 9, 10000, 0), WR_SAMPLE);
  /* Stretched by the budget; the heartbeat as well. */
  CU_ASSERT_EQUAL(number(&p, 1, 20000, 30000), WR_SKIP);
  CU_ASSERT_EQUAL(number(&p, 1, 40000, 30000), WR_SAMPLE);
}

static void test_changes_of_state_pass_at_once(void) {
  struct wr_policy p = {.min_ms = 10000, .max_ms = 60000};
  CU_ASSERT_EQUAL(label(&p, "Normal", 0, 10 * SECOND), WR_CHANGE);
  /* One value per label of the window, all of one time: one goes. */
  CU_ASSERT_EQUAL(label(&p, "Normal", 0, 10 * SECOND), WR_SKIP);
  CU_ASSERT_EQUAL(label(&p, "Normal", 1, 10 * SECOND), WR_SKIP);
  CU_ASSERT_EQUAL(label(&p, "Low", 1000, 11 * SECOND), WR_CHANGE);
  CU_ASSERT_EQUAL(label(&p, "Low", 1000, 11 * SECOND), WR_SKIP);
  /* The rest of the window before, in the wrong order. */
  CU_ASSERT_EQUAL(label(&p, "Normal", 1001, 10 * SECOND), WR_SKIP);
  CU_ASSERT_EQUAL(label(&p, "Low", 60999, 70 * SECOND), WR_SKIP);
  CU_ASSERT_EQUAL(label(&p, "Low", 61000, 71 * SECOND), WR_SAMPLE);
  CU_ASSERT_EQUAL(label(&p, "Normal", 61001, 72 * SECOND), WR_CHANGE);
}

static void test_clock_set_back_holds_no_state(void) {
  struct wr_policy p = {0};
  CU_ASSERT_EQUAL(label(&p, "Normal", 0, 7200 * SECOND), WR_CHANGE);
  CU_ASSERT_EQUAL(label(&p, "Low", 1000, 3601 * SECOND), WR_CHANGE);
  CU_ASSERT_EQUAL(label(&p, "Normal", 2000, 3602 * SECOND), WR_CHANGE);
}

static void test_booleans_are_states(void) {
  struct wr_policy p = {.min_ms = 10000};
  struct wr_value v = {WR_VALUE_BOOL, 0, ""};
  CU_ASSERT_EQUAL(wr_policy_decide(&p, &v, 0, 0, 0, 0), WR_CHANGE);
  CU_ASSERT_EQUAL(wr_policy_decide(&p, &v, 1, 1, 0, 0), WR_SKIP);
  v.number = 1;
  CU_ASSERT_EQUAL(wr_policy_decide(&p, &v, 2, 2, 0, 0), WR_CHANGE);
}

static void test_budget_days(void) {
  struct wr_budget b = {.daily = 1000};
  wr_budget_roll(&b, 100 * DAY);
  wr_budget_spend(&b, 400, false);
  CU_ASSERT_EQUAL(wr_budget_left(&b), 550); /* 50 are kept for states */
  wr_budget_roll(&b, 100 * DAY + DAY - 1);
  CU_ASSERT_EQUAL(b.spent.used, 400);
  wr_budget_roll(&b, 99 * DAY); /* the clock went back a little */
  CU_ASSERT_EQUAL(b.spent.used, 400);
  wr_budget_roll(&b, 101 * DAY);
  CU_ASSERT_EQUAL(b.spent.used, 0);
  wr_budget_spend(&b, 5000, false);
  CU_ASSERT_EQUAL(wr_budget_left(&b), 0);
  wr_budget_roll(&b, 20 * DAY); /* it had been wrong */
  CU_ASSERT_EQUAL(b.spent.used, 0);
  b.daily = 0;
  CU_ASSERT_EQUAL(wr_budget_left(&b), INT64_MAX);
  CU_ASSERT_EQUAL(wr_budget_spacing_ms(&b, 0, 3, true), 0);
}

/* Half of the day's records are for old values, a twentieth for states. */
static void test_budget_of_old_values(void) {
  struct wr_budget b = {.daily = 1000};
  CU_ASSERT_EQUAL(wr_budget_left_old(&b), 500);
  wr_budget_spend(&b, 499, true);
  CU_ASSERT_EQUAL(wr_budget_left_old(&b), 1);
  wr_budget_spend(&b, 1, true);
  CU_ASSERT_EQUAL(wr_budget_left_old(&b), 0);
  CU_ASSERT_EQUAL(wr_budget_left(&b), 450);
  wr_budget_spend(&b, 1, true); /* one that was on its way */
  CU_ASSERT_EQUAL(wr_budget_left_old(&b), 0);
  b = (struct wr_budget){.daily = 1000};
  wr_budget_spend(&b, 949, false);
  CU_ASSERT_EQUAL(wr_budget_left_old(&b), 1); /* no more than there is */
  b.daily = 0;
  CU_ASSERT_EQUAL(wr_budget_left_old(&b), INT64_MAX);
}

/* From half of the day's records on the rest of them is spread over the rest of
 * the day; what old values may still have is not for new ones. */
static void test_spacing(void) {
  const int64_t noon = 50 * DAY + DAY / 2;
  struct wr_budget b = {.daily = 10000};
  wr_budget_spend(&b, 4999, false);
  CU_ASSERT_EQUAL(wr_budget_spacing_ms(&b, noon, 1, false), 0);
  wr_budget_spend(&b, 1, false);
  CU_ASSERT_EQUAL(wr_budget_spacing_ms(&b, noon, 1, false), 43200000 / 4500);
  CU_ASSERT_EQUAL(wr_budget_spacing_ms(&b, noon, 2, false),
                  43200000 * 2 / 4500);
  CU_ASSERT_EQUAL(wr_budget_spacing_ms(&b, noon, 1, true),
                  WR_BUDGET_SPACING_MS); /* 4500 are left, 5000 are promised */
  wr_budget_spend(&b, 2000, true);
  CU_ASSERT_EQUAL(wr_budget_spacing_ms(&b, noon, 1, false), 43200000 / 2500);
  b.spent.old = 4000;
  CU_ASSERT_EQUAL(wr_budget_spacing_ms(&b, noon, 1, true), 43200000 / 1500);
  CU_ASSERT_EQUAL(wr_budget_spacing_ms(&b, noon, 3, true),
                  WR_BUDGET_SPACING_MS); /* at most */
}

/* At which age a state that comes late is news, by both clocks. */
static void test_late_states(void) {
  for (int by = 0; by <= 1; by++) {
    struct wr_policy p = {0};
    label(&p, "Low", 1000, 100 * SECOND);
    CU_ASSERT_EQUAL(label(&p, "High", 1001, 98 * SECOND + 1 - by),
                    by ? WR_CHANGE : WR_SKIP);
    p = (struct wr_policy){0};
    label(&p, "Low", 1000, 100 * SECOND);
    CU_ASSERT_EQUAL(label(&p, "High", 1499 + by, 99 * SECOND),
                    by ? WR_CHANGE : WR_SKIP);
    p = (struct wr_policy){0};
    label(&p, "Low", 1000, 100 * SECOND);
    CU_ASSERT_EQUAL(label(&p, "High", 1001, 100 * SECOND - 1 + by),
                    by ? WR_CHANGE : WR_SKIP);
  }
}

/* Another value of the newest window is no newer: from its first one on it
 * counts how long an older one may still be on its way. */
static void test_newest_counts_from_its_first_value(void) {
  for (int by = 0; by <= 1; by++) {
    struct wr_policy p = {0};
    label(&p, "Low", 1000, 100 * SECOND);
    CU_ASSERT_EQUAL(label(&p, "Low", 1400, 100 * SECOND), WR_SKIP);
    CU_ASSERT_EQUAL(label(&p, "High", 1499 + by, 99 * SECOND),
                    by ? WR_CHANGE : WR_SKIP);
  }
}

/* What was newest, though it said nothing new, makes an older one late; also
 * one that came so late itself that the clock must have been set back. */
static void test_newest_that_says_nothing_new(void) {
  struct wr_policy p = {0};
  label(&p, "Low", 1000, 100 * SECOND);
  CU_ASSERT_EQUAL(label(&p, "Low", 1100, 101 * SECOND), WR_SKIP);
  CU_ASSERT_EQUAL(label(&p, "High", 1101, 101 * SECOND - 1), WR_SKIP);
  for (int by = 0; by <= 1; by++) { /* a quarter of 2 s after the first */
    p = (struct wr_policy){0};
    label(&p, "Low", 1000, 100 * SECOND);
    CU_ASSERT_EQUAL(label(&p, "Low", 1499 + by, 99 * SECOND), WR_SKIP);
    CU_ASSERT_EQUAL(label(&p, "High", 1510, 98 * SECOND + 1),
                    by ? WR_SKIP : WR_CHANGE);
  }
}

/* The quarter counts in us: 499 ms are less than one of 1 996 001 us. */
static void test_quarter_of_an_odd_limit(void) {
  const int64_t late_us = 1996001;
  struct wr_policy p = {0};
  struct wr_value low = {WR_VALUE_TEXT, 0, "Low"};
  struct wr_value high = {WR_VALUE_TEXT, 0, "High"};
  wr_policy_decide(&p, &low, 1000, 100 * SECOND, late_us, 0);
  CU_ASSERT_EQUAL(wr_policy_decide(&p, &high, 1499, 99 * SECOND, late_us, 0),
                  WR_SKIP);
  CU_ASSERT_EQUAL(
      wr_policy_decide(&p, &high, 1501, 99 * SECOND - 1, late_us, 0),
      WR_CHANGE);
}

static void test_edges(void) {
  struct wr_policy p = {.max_ms = 1}; /* a heartbeat each millisecond */
  CU_ASSERT_EQUAL(label(&p, "Low", 0, 1), WR_CHANGE);
  CU_ASSERT_EQUAL(label(&p, "Low", 1, 2), WR_SAMPLE);
  struct wr_value yes = {WR_VALUE_BOOL, 1, ""};
  CU_ASSERT_EQUAL(wr_policy_decide(&p, &yes, 1, 3, 0, 0), WR_CHANGE);
  struct wr_budget b = {.daily = 1};
  CU_ASSERT_EQUAL(wr_budget_spacing_ms(&b, 0, 1, false), WR_BUDGET_SPACING_MS);
  CU_ASSERT_EQUAL(wr_budget_spacing_ms(&b, DAY - SECOND, 3, false), 3000);
  wr_budget_spend(&b, 1, false);
  CU_ASSERT_EQUAL(b.spent.old, 0);
  CU_ASSERT_EQUAL(wr_budget_spacing_ms(&b, DAY - SECOND, 3, false),
                  WR_BUDGET_SPACING_MS);
}

/* One day of two streams that want a record a second from a plan of 10 000. */
static void test_budget_stretches_and_never_goes_silent(void) {
  struct wr_budget b = {.daily = 10000};
  struct wr_policy p[2] = {{.min_ms = 0}};
  int64_t longest_ms = 0, last_ms = 0;
  for (int64_t s = 0; s < 86400; s++) {
    wr_budget_roll(&b, 50 * DAY + s * SECOND);
    int64_t min_ms = wr_budget_spacing_ms(&b, 50 * DAY + s * SECOND, 2, false);
    for (int i = 0; i < 2; i++)
      if (number(p + i, (double)s, s * 1000, min_ms) == WR_SAMPLE) {
        wr_budget_spend(&b, 1, false);
        if (i == 0 && s * 1000 - last_ms > longest_ms)
          longest_ms = s * 1000 - last_ms;
        if (i == 0)
          last_ms = s * 1000;
      }
  }
  CU_ASSERT_TRUE(b.spent.used <= 9502); /* both may take the last */
  CU_ASSERT_TRUE(b.spent.used > 9000);
  CU_ASSERT_TRUE(longest_ms < 120000);
  CU_ASSERT_TRUE(last_ms > 86400000 - 120000);
}

UNIT_MAIN("publish_policy", UNIT(test_newest_that_says_nothing_new),
          UNIT(test_quarter_of_an_odd_limit), UNIT(test_edges),
          UNIT(test_never_nan), UNIT(test_every_sample_without_limits),
          UNIT(test_dead_band_and_heartbeat),
          UNIT(test_min_interval_holds_numbers_back),
          UNIT(test_changes_of_state_pass_at_once),
          UNIT(test_clock_set_back_holds_no_state),
          UNIT(test_booleans_are_states), UNIT(test_budget_of_old_values),
          UNIT(test_spacing), UNIT(test_late_states),
          UNIT(test_newest_counts_from_its_first_value), UNIT(test_budget_days),
          UNIT(test_budget_stretches_and_never_goes_silent))
