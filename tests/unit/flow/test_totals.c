#include "lib/flow/totals.h"

#include "tests/unit/unit.h"

#define DAY 86400

/* A day that rests in its first quarter. */
static void day(struct wr_totals *t, double rest, double busy) {
  for (int s = 0; s < DAY; s++)
    wr_totals_add(t, s < DAY / 4 ? rest : busy, 1);
}

static void test_litres(void) {
  struct wr_totals t = {0};
  for (int s = 0; s < DAY; s++)
    wr_totals_add(&t, 0.1, 1);
  wr_totals_add(&t, -5, 1); /* backwards is nothing */
  CU_ASSERT_DOUBLE_EQUAL(t.litres, 8640, 0.01);
  CU_ASSERT_TRUE(t.has_hour && t.has_day);
  CU_ASSERT_DOUBLE_EQUAL((double)t.last_hour, 360, 0.1);
  CU_ASSERT_DOUBLE_EQUAL((double)t.last_day, 8640, 0.5);
}

static void test_it_never_rests_any_more(void) {
  struct wr_totals t = {0};
  for (int i = 0; i < 4; i++)
    day(&t, 0, 0.2);
  CU_ASSERT_FALSE(t.restless);
  CU_ASSERT(wr_totals_rest(&t) > 0 && wr_totals_rest(&t) < 0.01);
  day(&t, 0.02, 0.22); /* a leak of a tenth: not below it for 18 + 24 h */
  CU_ASSERT_TRUE(t.restless);
  for (int i = 0; i < 20; i++) /* and it does not become the custom */
    day(&t, 0.02, 0.22);
  CU_ASSERT_TRUE(t.restless);
  day(&t, 0, 0.2);
  CU_ASSERT_FALSE(t.restless);
}

static void test_a_loop_that_never_rested(void) {
  struct wr_totals t = {0};
  for (int i = 0; i < 10; i++)
    day(&t, 0.15, 0.2);
  CU_ASSERT_EQUAL(wr_totals_rest(&t), 0);
  for (int i = 0; i < 3; i++)
    day(&t, 0.2, 0.25);
  CU_ASSERT_FALSE(t.restless);
}

static void test_confirm(void) {
  struct wr_totals t = {0};
  for (int i = 0; i < 4; i++)
    day(&t, 0, 0.2);
  for (int i = 0; i < 2; i++)
    day(&t, 0.02, 0.22);
  CU_ASSERT_TRUE(t.restless);
  double litres = t.litres;
  wr_totals_confirm(&t);
  for (int i = 0; i < 6; i++)
    day(&t, 0.02, 0.22);
  CU_ASSERT_FALSE(t.restless);
  CU_ASSERT(t.litres > litres);
}

UNIT_MAIN("totals", UNIT(test_litres), UNIT(test_it_never_rests_any_more),
          UNIT(test_a_loop_that_never_rested), UNIT(test_confirm))
