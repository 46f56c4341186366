/* Litres, days and rest to the sample at which each ends or begins. */
#include "lib/flow/totals.h"

#include "tests/unit/unit.h"

#define BLOCK 300
#define HOUR 3600
#define DAY 86400

/* A quarter of a litre a second, in steps of 100 s: each sum is exact. */
static void steps(struct wr_totals *t, int count, double per_s) {
  for (int i = 0; i < count; i++)
    wr_totals_add(t, per_s, 100);
}

static void test_hours_and_days(void) {
  struct wr_totals t = {0};
  steps(&t, 35, 0.25);
  CU_ASSERT_FALSE(t.has_hour);
  CU_ASSERT_EQUAL(t.hour, 875);
  CU_ASSERT_EQUAL(t.hour_s, 3500);
  CU_ASSERT_EQUAL(t.last_hour, 0);
  steps(&t, 1, 0.25);
  CU_ASSERT_TRUE(t.has_hour);
  CU_ASSERT_EQUAL(t.last_hour, 900);
  CU_ASSERT_EQUAL(t.hour, 0);
  CU_ASSERT_EQUAL(t.hour_s, 0);
  CU_ASSERT_FALSE(t.has_day);
  steps(&t, 827, 0.25);
  CU_ASSERT_FALSE(t.has_day);
  CU_ASSERT_EQUAL(t.day, 21575);
  CU_ASSERT_EQUAL(t.day_s, 86300);
  steps(&t, 1, 0.5);
  CU_ASSERT_TRUE(t.has_day);
  CU_ASSERT_EQUAL(t.last_day, 21625);
  CU_ASSERT_EQUAL(t.last_hour, 925);
  CU_ASSERT_EQUAL(t.day, 0);
  CU_ASSERT_EQUAL(t.day_s, 0);
  CU_ASSERT_EQUAL(t.days, 1);
  CU_ASSERT_EQUAL(t.next, 1);
  CU_ASSERT_EQUAL(t.least[0], 0.25f);
  steps(&t, 1, -4); /* backwards is nothing, but takes its time */
  CU_ASSERT_EQUAL(t.litres, 21625);
  CU_ASSERT_EQUAL(t.hour, 0);
  CU_ASSERT_EQUAL(t.hour_s, 100);
  CU_ASSERT_EQUAL(t.day_s, 100);
}

/* Means of five minutes, the least of them of each day. */
static void test_the_least_of_a_day(void) {
  struct wr_totals t = {.today = 0.125f, .busy_s = 5};
  steps(&t, 2, 0.5);
  CU_ASSERT_EQUAL(t.block, 100);
  CU_ASSERT_EQUAL(t.block_s, 200);
  CU_ASSERT_EQUAL(t.today, 0.125f); /* of the day before */
  CU_ASSERT_EQUAL(t.busy_s, 5);
  steps(&t, 1, 0.5);
  CU_ASSERT_EQUAL(t.block, 0);
  CU_ASSERT_EQUAL(t.block_s, 0);
  CU_ASSERT_EQUAL(t.today, 0.5f); /* the first one of this */
  CU_ASSERT_EQUAL(t.busy_s, 0);   /* no custom of resting is known */
  steps(&t, 3, 0.75);
  CU_ASSERT_EQUAL(t.today, 0.5f);
  steps(&t, 3, 0.25);
  CU_ASSERT_EQUAL(t.today, 0.25f);
  steps(&t, 3, 0.5);
  CU_ASSERT_EQUAL(t.today, 0.25f);
}

/* A loop whose days rest at 1/64 of a litre a second, or at less, of half a
 * litre: at most so much is rest. */
#define REST (1.1 * 0.015625 + 0.02 * 0.5)

static struct wr_totals resting(unsigned days) {
  struct wr_totals t = {.last_day = 0.5f * DAY,
                        .has_day = true,
                        .days = (uint8_t)days,
                        .next = (uint8_t)(days % WR_TOTALS_DAYS),
                        .day_s = HOUR};
  for (unsigned i = 0; i < WR_TOTALS_DAYS; i++)
    t.least[i] = i == 1 ? 0.015625f : i < days ? 0.0078125f : 10;
  return t;
}

static void test_what_rest_is(void) {
  struct wr_totals t = resting(2);
  CU_ASSERT_EQUAL(wr_totals_rest(&t), 0); /* of two days: no custom yet */
  for (unsigned days = 3; days <= WR_TOTALS_DAYS; days++) {
    t = resting(days);
    CU_ASSERT_EQUAL(wr_totals_rest(&t), REST);
  }
  t.has_day = false;
  CU_ASSERT_EQUAL(wr_totals_rest(&t), 0);
  t.has_day = true;
  t.least[2] = 0.125f; /* a quarter of the mean is no rest */
  CU_ASSERT_EQUAL(wr_totals_rest(&t), 0);
  t.least[2] = 0.1249f;
  CU_ASSERT_EQUAL(wr_totals_rest(&t), 1.1 * (double)0.1249f + 0.02 * 0.5);
}

/* 30 hours of five minutes each above it, to the last of them. */
static void test_restless(void) {
  struct wr_totals t = resting(3);
  t.busy_s = WR_TOTALS_REST_S - 2 * BLOCK;
  steps(&t, 3, 0.0625);
  CU_ASSERT_EQUAL(t.busy_s, WR_TOTALS_REST_S - BLOCK);
  CU_ASSERT_FALSE(t.restless);
  steps(&t, 3, 0.0625);
  CU_ASSERT_EQUAL(t.busy_s, WR_TOTALS_REST_S);
  CU_ASSERT_TRUE(t.restless);
  steps(&t, 3, 0.015625);
  CU_ASSERT_EQUAL(t.busy_s, 0);
  CU_ASSERT_FALSE(t.restless);
  t = resting(2);
  t.busy_s = WR_TOTALS_REST_S;
  t.restless = true;
  steps(&t, 3, 0.25); /* without a custom there is nothing to miss */
  CU_ASSERT_EQUAL(t.busy_s, 0);
  CU_ASSERT_FALSE(t.restless);
}

/* What is just rest is rest: here a fiftieth of the mean flow. */
static void test_just_rest(void) {
  for (int more = 0; more < 2; more++) {
    struct wr_totals t = {.last_day = 50.0f * DAY, .has_day = true, .days = 3};
    t.busy_s = 5;
    CU_ASSERT_EQUAL(wr_totals_rest(&t), 1);
    steps(&t, 3, more ? 1.0625 : 1);
    CU_ASSERT_EQUAL(t.busy_s, more ? 5 + BLOCK : 0);
  }
  struct wr_totals t = resting(3);
  t.least[0] = 0.03125f; /* whichever day it was */
  CU_ASSERT_EQUAL(wr_totals_rest(&t), 1.1 * 0.03125 + 0.02 * 0.5);
}

/* The last step of a day, whose least so far was `today`. */
static float ends_with(bool restless, float today, unsigned days,
                       struct wr_totals *t) {
  *t = resting(days);
  t->day_s = DAY - 100;
  t->today = today;
  t->restless = restless;
  unsigned at = t->next;
  steps(t, 1, 0.25);
  CU_ASSERT_EQUAL(t->days, days < WR_TOTALS_DAYS ? days + 1 : days);
  CU_ASSERT_EQUAL(t->next, (at + 1) % WR_TOTALS_DAYS);
  return t->least[at];
}

/* Seven of them; while restless they only creep towards what is seen. */
static void test_the_days(void) {
  struct wr_totals t;
  double usual = 0.015625;
  CU_ASSERT_EQUAL(ends_with(false, 0.25f, 3, &t), 0.25f);
  CU_ASSERT_EQUAL(ends_with(true, 0.25f, 3, &t),
                  (float)(usual + 0.02 * (0.25 - usual)));
  CU_ASSERT_EQUAL(ends_with(true, 0.0078125f, 3, &t), 0.0078125f);
  for (unsigned days = 2; days <= WR_TOTALS_DAYS; days++)
    CU_ASSERT_EQUAL(ends_with(false, 0.25f, days, &t), 0.25f);
  t.next = WR_TOTALS_DAYS - 1;
  t.day_s = DAY - 100;
  steps(&t, 1, 0.25);
  CU_ASSERT_EQUAL(t.next, 0);
}

static void test_confirmed(void) {
  struct wr_totals t = resting(5);
  t.litres = 7;
  t.hour = 3;
  t.busy_s = WR_TOTALS_REST_S;
  t.restless = true;
  wr_totals_confirm(&t);
  CU_ASSERT_EQUAL(t.days, 0);
  CU_ASSERT_EQUAL(t.next, 0);
  CU_ASSERT_EQUAL(t.busy_s, 0);
  CU_ASSERT_FALSE(t.restless);
  CU_ASSERT_EQUAL(t.litres, 7);
  CU_ASSERT_EQUAL(t.hour, 3);
  CU_ASSERT_TRUE(t.has_day);
}

UNIT_MAIN("totals, exact", UNIT(test_hours_and_days),
          UNIT(test_the_least_of_a_day), UNIT(test_what_rest_is),
          UNIT(test_restless), UNIT(test_just_rest), UNIT(test_the_days),
          UNIT(test_confirmed))
