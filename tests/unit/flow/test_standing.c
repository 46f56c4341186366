#include "lib/flow/standing.h"

#include "lib/flow/votes.h"
#include "tests/unit/unit.h"

static const struct wr_standing_rules rules = {
    .stale_ms = 30000, .health_ms = 10000, .of = 3};

static void test_stale_ms(void) {
  static const struct {
    int64_t option;
    size_t first, stride;
    int64_t interval_us, want_ms;
  } cases[] = {
      {0, 10, 1, 1000000, 30000}, /* three first windows */
      {0, 2, 1, 1000000, WR_STANDING_STALE_MS},
      {4000, 10, 1, 1000000, 4000},   /* as configured */
      {4000, 10, 10, 1000000, 20000}, /* but two strides at least */
      {0, 10, 100, 1000000, 200000},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    CU_ASSERT_EQUAL(wr_standing_stale_ms(cases[i].option, cases[i].first,
                                         cases[i].stride, cases[i].interval_us),
                    cases[i].want_ms);
}

/* The look at now_ms, and what follows from it. */
static enum wr_standing_due look(struct wr_standing *s, int64_t now_ms,
                                 int64_t *wait_ms) {
  enum wr_standing_due due = wr_standing_review(s, &rules, now_ms, wait_ms);
  if (due == WR_STANDING_UNKNOWN)
    wr_standing_lose(s);
  if (due != WR_STANDING_NOTHING)
    wr_standing_health_told(s, now_ms);
  return due;
}

/* A series that never fills a window: unknown, and health, for ever. */
static void test_no_window_ever(void) {
  struct wr_standing s;
  int64_t wait_ms = 0;
  wr_standing_init(&s, 1000);
  CU_ASSERT_EQUAL(look(&s, 1000, &wait_ms), WR_STANDING_NOTHING);
  CU_ASSERT_EQUAL(wait_ms, 30000);
  CU_ASSERT_EQUAL(look(&s, 30999, &wait_ms), WR_STANDING_NOTHING);
  CU_ASSERT_EQUAL(wait_ms, 1);
  for (int64_t now_ms = 31000; now_ms < 100000; now_ms += 10000) {
    CU_ASSERT_EQUAL(look(&s, now_ms, &wait_ms), WR_STANDING_UNKNOWN);
    CU_ASSERT_EQUAL(wait_ms, 10000);
    CU_ASSERT_EQUAL(look(&s, now_ms + 9999, &wait_ms), WR_STANDING_NOTHING);
    CU_ASSERT_EQUAL(wait_ms, 1);
  }
  CU_ASSERT_EQUAL(s.shown, WR_UNKNOWN);
}

/* Health goes on while windows come, and when the model does not answer. */
static void test_health(void) {
  struct wr_standing s;
  int64_t wait_ms = 0;
  wr_standing_init(&s, 0);
  CU_ASSERT_TRUE(wr_standing_judged(&s, &rules, 2, 9000));
  CU_ASSERT_TRUE(wr_standing_answered(&s, &rules, true, false, 9000));
  wr_standing_health_told(&s, 9000);
  CU_ASSERT_FALSE(wr_standing_answered(&s, &rules, true, false, 10000));
  CU_ASSERT_TRUE(wr_standing_answered(&s, &rules, true, true, 10000));
  CU_ASSERT_TRUE(wr_standing_answered(&s, &rules, false, false, 11000));
  wr_standing_health_told(&s, 11000);
  CU_ASSERT_FALSE(wr_standing_answered(&s, &rules, false, false, 12000));
  CU_ASSERT_TRUE(wr_standing_answered(&s, &rules, false, false, 21000));
  CU_ASSERT_EQUAL(look(&s, 20999, &wait_ms), WR_STANDING_NOTHING);
  CU_ASSERT_EQUAL(look(&s, 21000, &wait_ms), WR_STANDING_HEALTH);
  CU_ASSERT_EQUAL(wait_ms, 10000);
  /* the state is older than the health is late */
  CU_ASSERT_EQUAL(look(&s, 38999, &wait_ms), WR_STANDING_HEALTH);
  CU_ASSERT_EQUAL(wait_ms, 1);
  CU_ASSERT_EQUAL(look(&s, 39000, &wait_ms), WR_STANDING_UNKNOWN);
  CU_ASSERT_EQUAL(s.shown, WR_UNKNOWN);
  CU_ASSERT_FALSE(s.up);
  CU_ASSERT_FALSE(wr_standing_lose(&s));
}

static void test_known_again(void) {
  struct wr_standing s;
  wr_standing_init(&s, 0);
  CU_ASSERT_TRUE(wr_standing_lose(&s));
  CU_ASSERT_FALSE(wr_standing_judged(&s, &rules, WR_UNCERTAIN, 1000));
  CU_ASSERT_FALSE(wr_standing_judged(&s, &rules, WR_UNCERTAIN, 2000));
  CU_ASSERT_EQUAL(s.shown, WR_UNKNOWN);
  CU_ASSERT_TRUE(wr_standing_judged(&s, &rules, WR_UNCERTAIN, 3000));
  CU_ASSERT_EQUAL(s.shown, WR_UNCERTAIN);
  wr_standing_lose(&s);
  CU_ASSERT_TRUE(wr_standing_judged(&s, &rules, 1, 4000)); /* at once */
  CU_ASSERT_EQUAL(s.shown, 1);
  CU_ASSERT_TRUE(wr_standing_judged(&s, &rules, WR_UNCERTAIN, 5000));
  CU_ASSERT_EQUAL(s.shown, WR_UNCERTAIN);
}

static void test_notify(void) {
  struct wr_standing s;
  int previous = 9;
  wr_standing_init(&s, 0);
  CU_ASSERT_FALSE(wr_standing_notify(&s, &previous)); /* nothing is said yet */
  wr_standing_judged(&s, &rules, 1, 1000);
  CU_ASSERT_TRUE(wr_standing_notify(&s, &previous));
  CU_ASSERT_EQUAL(previous, WR_UNCERTAIN);
  CU_ASSERT_FALSE(wr_standing_notify(&s, &previous)); /* once */
  wr_standing_lose(&s);
  CU_ASSERT_TRUE(wr_standing_notify(&s, &previous));
  CU_ASSERT_EQUAL(previous, 1);
}

static void test_shelve(void) {
  struct wr_standing s;
  int previous = 9;
  wr_standing_init(&s, 0);
  CU_ASSERT_FALSE(wr_standing_shelve(&s, 0, 0)); /* it was not */
  CU_ASSERT_TRUE(wr_standing_shelve(&s, 5000, 1000));
  CU_ASSERT_EQUAL(s.shelved_ms, 6000);
  wr_standing_judged(&s, &rules, 1, 2000);
  CU_ASSERT_FALSE(wr_standing_notify(&s, &previous));
  CU_ASSERT_TRUE(wr_standing_shelve(&s, 0, 3000));
  CU_ASSERT_FALSE(wr_standing_notify(&s, &previous)); /* told by the end */
  wr_standing_judged(&s, &rules, 2, 4000);
  CU_ASSERT_TRUE(wr_standing_notify(&s, &previous));
  CU_ASSERT_EQUAL(previous, 1);
  wr_standing_init(&s, 0);
  wr_standing_shelve(&s, 5000, 0);
  wr_standing_shelve(&s, 0, 100); /* before the first state */
  CU_ASSERT_EQUAL(s.told, WR_UNCERTAIN);
}

UNIT_MAIN("standing", UNIT(test_stale_ms), UNIT(test_no_window_ever),
          UNIT(test_health), UNIT(test_known_again), UNIT(test_notify),
          UNIT(test_shelve))
