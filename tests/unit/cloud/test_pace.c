#include "lib/cloud/pace.h"
#include "tests/unit/unit.h"

static const struct wr_pace_rule cheap = {0, 0}, answered = {240, 60000};

static int64_t failed(struct wr_pace *p, int64_t now_ms,
                      const struct wr_pace_rule *rule, int64_t asked_ms) {
  wr_pace_fail(p, now_ms, UINT32_MAX, rule, asked_ms);
  return wr_pace_wait(p, now_ms);
}

static void test_short_trouble_is_tried_briskly(void) {
  struct wr_pace p = {0};
  for (int64_t age = 0; age <= 600000; age += 1000)
    CU_ASSERT_TRUE(failed(&p, age, &answered, 0) <= WR_PACE_BRISK_MS);
  wr_pace_fail(&p, 0, 0, &answered, 0);
  CU_ASSERT_EQUAL(wr_pace_wait(&p, 0), WR_PACE_MIN_MS);
}

static void test_long_trouble_is_tried_rarely(void) {
  struct wr_pace p = {0};
  failed(&p, 0, &answered, 0);
  CU_ASSERT_EQUAL(failed(&p, 7200000, &answered, 0), 30000);
  CU_ASSERT_EQUAL(failed(&p, 86400000, &answered, 0), 60000);
}

static void test_no_reply_costs_nothing(void) {
  struct wr_pace p = {0};
  failed(&p, 0, &cheap, 0);
  CU_ASSERT_EQUAL(failed(&p, 86400000, &cheap, 0), WR_PACE_BRISK_MS);
}

static void test_success_ends_it(void) {
  struct wr_pace p = {0};
  failed(&p, 0, &answered, 5000);
  wr_pace_ok(&p);
  CU_ASSERT_EQUAL(wr_pace_wait(&p, 0), 0);
  CU_ASSERT_TRUE(failed(&p, 86400000, &answered, 0) <= WR_PACE_BRISK_MS);
}

static void test_retry_after_has_a_ceiling(void) {
  static const int64_t wild[] = {900001, 31536000000, INT64_MAX};
  for (int i = 0; i < 3; i++) {
    struct wr_pace p = {0};
    CU_ASSERT_EQUAL(failed(&p, 1000, &cheap, wild[i]), WR_PACE_ASKED_MAX_MS);
  }
  struct wr_pace p = {0};
  CU_ASSERT_EQUAL(failed(&p, 0, &cheap, 120000), 120000);
}

static void test_hurry_keeps_what_the_server_asked_for(void) {
  struct wr_pace p = {0};
  failed(&p, 0, &answered, 120000);
  wr_pace_hurry(&p);
  CU_ASSERT_EQUAL(wr_pace_wait(&p, 0), 120000);
  failed(&p, 120000, &answered, 0);
  wr_pace_hurry(&p);
  CU_ASSERT_EQUAL(wr_pace_wait(&p, 120000), 0);
}

/* A wish of the server stands until it is over, whatever fails meanwhile; one
 * of a millisecond is one as well. */
static void test_a_wish_stands(void) {
  struct wr_pace p = {0};
  failed(&p, 0, &answered, 120000);
  failed(&p, 1000, &answered, 0);
  wr_pace_hurry(&p);
  CU_ASSERT_EQUAL(wr_pace_wait(&p, 1000), 119000);
  p = (struct wr_pace){0};
  failed(&p, 1000, &answered, 1);
  wr_pace_hurry(&p);
  CU_ASSERT_EQUAL(wr_pace_wait(&p, 1000), 1);
}

/* The ceiling is the age of the trouble, divided by the patience. */
static void test_every_patience(void) {
  for (int64_t patience = 1; patience <= 3; patience++) {
    const struct wr_pace_rule rule = {patience, 60000};
    struct wr_pace p = {0};
    CU_ASSERT_EQUAL(failed(&p, 1000, &rule, 0), WR_PACE_BRISK_MS);
    CU_ASSERT_EQUAL(failed(&p, 1000 + 30000, &rule, 0), 30000 / patience);
    CU_ASSERT_EQUAL(p.since_ms, 1000);
    CU_ASSERT_TRUE(p.failing);
  }
}

UNIT_MAIN("pace", UNIT(test_a_wish_stands), UNIT(test_every_patience),
          UNIT(test_short_trouble_is_tried_briskly),
          UNIT(test_long_trouble_is_tried_rarely),
          UNIT(test_no_reply_costs_nothing), UNIT(test_success_ends_it),
          UNIT(test_retry_after_has_a_ceiling),
          UNIT(test_hurry_keeps_what_the_server_asked_for))
