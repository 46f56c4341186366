#include "lib/flow/standing.h"

#include "lib/flow/votes.h"
#include "tests/unit/unit.h"

#include <string.h>

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
      {0, 5, 1, 1000000, 15000},
      {0, 5, 1, 1001000, 15015},
      {0, 5, 1, 999000, 15000},
      {1, 10, 0, 1000000, 1}, /* what is given may be less */
      {14999, 10, 1, 1000000, 14999},
      {2000, 10, 1, 1000000, 2000},
      {1999, 10, 1, 1000000, 2000},
      {2500, 10, 1, 1000000, 2500},
      {0, 10, 1, 500000, 15000},
      {0, 10, 3, 2500000, 75000},
      {1, 10, 3, 2500000, 15000},
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

static void test_begins(void) {
  struct wr_standing s;
  memset(&s, 0x55, sizeof(s));
  wr_standing_init(&s, 77);
  CU_ASSERT_EQUAL(s.shown, WR_UNSAID);
  CU_ASSERT_EQUAL(s.told, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(s.judged_ms, 77);
  CU_ASSERT_EQUAL(s.told_ms, 0);
  CU_ASSERT_EQUAL(s.shelved_ms, 0);
  CU_ASSERT_EQUAL(s.held, 0);
  CU_ASSERT_FALSE(s.up || s.up_told || s.answered);
}

/* What is unknown is not up either, and begins to count windows anew. */
static void test_lost(void) {
  struct wr_standing s;
  wr_standing_init(&s, 0);
  CU_ASSERT_TRUE(wr_standing_answered(&s, &rules, true, false, 1000));
  wr_standing_health_told(&s, 1000);
  CU_ASSERT_TRUE(s.up && s.up_told);
  CU_ASSERT_FALSE(wr_standing_judged(&s, &rules, WR_UNCERTAIN, 1000));
  CU_ASSERT_FALSE(wr_standing_judged(&s, &rules, WR_UNCERTAIN, 1000));
  CU_ASSERT_EQUAL(s.held, 2);
  CU_ASSERT_EQUAL(s.shown, WR_UNSAID);
  CU_ASSERT_TRUE(wr_standing_lose(&s));
  CU_ASSERT_EQUAL(s.shown, WR_UNKNOWN);
  CU_ASSERT_EQUAL(s.held, 0);
  CU_ASSERT_FALSE(s.up);
  CU_ASSERT_TRUE(s.up_told); /* so that it is due when it is up again */
  s.held = 1;
  s.up = true; /* once more changes nothing */
  CU_ASSERT_FALSE(wr_standing_lose(&s));
  CU_ASSERT_EQUAL(s.held, 1);
  CU_ASSERT_TRUE(s.up);
}

/* Beside the first window: when it changes, when something turns, in time. */
static void test_health_is_due(void) {
  static const struct {
    bool answered, up_told, up, turned;
    int64_t now_ms;
    bool due;
  } cases[] = {{true, true, true, false, 14999, false},
               {true, true, true, false, 15000, true},
               {false, true, true, false, 5001, true},
               {true, false, true, false, 5001, true},
               {true, true, false, false, 5001, true},
               {true, false, false, false, 5001, false},
               {true, true, true, true, 5001, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_standing s;
    wr_standing_init(&s, 0);
    s.answered = cases[i].answered;
    s.up_told = cases[i].up_told;
    s.up = !cases[i].up;
    s.told_ms = 5000;
    CU_ASSERT_EQUAL(wr_standing_answered(&s, &rules, cases[i].up,
                                         cases[i].turned, cases[i].now_ms),
                    cases[i].due);
    CU_ASSERT_TRUE(s.answered);
    CU_ASSERT_EQUAL(s.up, cases[i].up);
    CU_ASSERT_EQUAL(s.up_told, cases[i].up_told);
    wr_standing_health_told(&s, cases[i].now_ms);
    CU_ASSERT_EQUAL(s.up_told, cases[i].up);
    CU_ASSERT_EQUAL(s.told_ms, cases[i].now_ms);
  }
}

/* Judged at 1000, health told at 5000: what is due when, and the next look. */
static void test_review(void) {
  static const struct {
    int shown;
    bool answered;
    int64_t now_ms;
    enum wr_standing_due due;
    int64_t wait_ms;
  } cases[] = {{1, true, 5000, WR_STANDING_NOTHING, 10000},
               {1, true, 14999, WR_STANDING_NOTHING, 1},
               {1, true, 15000, WR_STANDING_HEALTH, 10000},
               {1, true, 21000, WR_STANDING_HEALTH, 10000},
               {1, true, 22000, WR_STANDING_HEALTH, 9000},
               {1, true, 30999, WR_STANDING_HEALTH, 1},
               {1, true, 31000, WR_STANDING_UNKNOWN, 10000},
               {1, false, 5000, WR_STANDING_NOTHING, 26000},
               {1, false, 30999, WR_STANDING_NOTHING, 1},
               {1, false, 31000, WR_STANDING_UNKNOWN, 10000},
               {WR_UNKNOWN, true, 14999, WR_STANDING_NOTHING, 1},
               {WR_UNKNOWN, true, 31000, WR_STANDING_UNKNOWN, 10000},
               {WR_UNSAID, true, 31000, WR_STANDING_UNKNOWN, 10000}};
  struct wr_standing s;
  int64_t wait_ms = 0;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    wr_standing_init(&s, 1000);
    s.shown = cases[i].shown;
    s.answered = cases[i].answered;
    s.told_ms = 5000;
    CU_ASSERT_EQUAL(wr_standing_review(&s, &rules, cases[i].now_ms, &wait_ms),
                    cases[i].due);
    CU_ASSERT_EQUAL(wait_ms, cases[i].wait_ms);
  }
  wr_standing_init(&s, 0);
  s.shown = WR_UNKNOWN; /* told already, and its health not yet again */
  s.told_ms = 31000;
  CU_ASSERT_EQUAL(wr_standing_review(&s, &rules, 32500, &wait_ms),
                  WR_STANDING_NOTHING);
  CU_ASSERT_EQUAL(wait_ms, 8500);
  s.shown = 1;
  CU_ASSERT_EQUAL(wr_standing_review(&s, &rules, 32500, &wait_ms),
                  WR_STANDING_UNKNOWN);
  CU_ASSERT_EQUAL(wait_ms, 10000);
}

/* After `of` windows that no label has won nobody can tell, says it. */
static void test_held(void) {
  struct wr_standing_rules one = rules;
  struct wr_standing s;
  one.of = 1;
  wr_standing_init(&s, 0);
  CU_ASSERT_TRUE(wr_standing_judged(&s, &one, WR_UNCERTAIN, 5));
  CU_ASSERT_EQUAL(s.shown, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(s.judged_ms, 5);
  CU_ASSERT_EQUAL(s.held, 1);
  CU_ASSERT_TRUE(wr_standing_judged(&s, &one, WR_UNCERTAIN, 6));
  CU_ASSERT_EQUAL(s.held, 1);
  wr_standing_init(&s, 0);
  CU_ASSERT_FALSE(wr_standing_judged(&s, &rules, WR_UNCERTAIN, 7));
  CU_ASSERT_EQUAL(s.judged_ms, 7); /* judged it was */
}

/* Shelved for as long as was asked, from now on; at its end what is shown
 * counts as told. */
static void test_shelved_for(void) {
  struct wr_standing s;
  int previous = 9;
  wr_standing_init(&s, 0);
  wr_standing_judged(&s, &rules, 1, 1000);
  CU_ASSERT_TRUE(wr_standing_shelve(&s, 1, 1000));
  CU_ASSERT_EQUAL(s.shelved_ms, 1001);
  CU_ASSERT_EQUAL(s.told, WR_UNCERTAIN);
  CU_ASSERT_FALSE(wr_standing_notify(&s, &previous));
  CU_ASSERT_EQUAL(previous, 9);
  CU_ASSERT_TRUE(wr_standing_shelve(&s, 5000, 2000));
  CU_ASSERT_EQUAL(s.shelved_ms, 7000);
  CU_ASSERT_TRUE(wr_standing_shelve(&s, 0, 2000));
  CU_ASSERT_EQUAL(s.shelved_ms, 0);
  CU_ASSERT_EQUAL(s.told, 1);
  CU_ASSERT_FALSE(wr_standing_shelve(&s, 0, 2000));
  CU_ASSERT_FALSE(wr_standing_notify(&s, &previous));
  wr_standing_lose(&s);
  CU_ASSERT_TRUE(wr_standing_notify(&s, &previous));
  CU_ASSERT_EQUAL(previous, 1);
  CU_ASSERT_EQUAL(s.told, WR_UNKNOWN);
}

UNIT_MAIN("standing", UNIT(test_stale_ms), UNIT(test_no_window_ever),
          UNIT(test_health), UNIT(test_known_again), UNIT(test_notify),
          UNIT(test_shelve), UNIT(test_begins), UNIT(test_lost),
          UNIT(test_health_is_due), UNIT(test_review), UNIT(test_held),
          UNIT(test_shelved_for))
