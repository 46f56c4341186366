/* What the publisher says and wants while it does nothing. */
#include "tests/unit/cloud/fake_cloud.h"

/* Nothing can be done now: the next step is wanted when the first thing is due
 * that somebody waits for, and after a minute at the latest. */
static void test_idle(void) {
  start();
  run(3000);
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), WR_PUBLISHER_IDLE_MS);
  pub.names.recheck_ms = t.now_ms + 59999;
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 59999);
  pub.sending.pace.earliest_ms = t.now_ms + 50000;
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 50000);
  properties[LABEL].pace.earliest_ms = t.now_ms + 40000;
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 40000);
  properties[LABEL].hidden_until_ms = t.now_ms + 30000;
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 30000);
  properties[LABEL].missing = true; /* else they are looked at */
  properties[LABEL].skip_count = 2;
  properties[LABEL].skips[1].until_ms = t.now_ms + 20000;
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 20000);
  pub.link.pace.earliest_ms = t.now_ms + 70000; /* then nothing can be done */
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 70000);
  pub.link.pace.asked_ms = t.now_ms + 80000;
  pub.link.oauth.ask_ms = t.now_ms + 80000;
  wr_publisher_hurry(&pub);
  CU_ASSERT_EQUAL(pub.sending.pace.earliest_ms, 0);
  CU_ASSERT_EQUAL(properties[LABEL].pace.earliest_ms, 0);
  CU_ASSERT_EQUAL(properties[LABEL].hidden_until_ms, 0);
  CU_ASSERT_EQUAL(properties[LABEL].skips[1].until_ms, 0);
  CU_ASSERT_EQUAL(pub.link.oauth.ask_ms, 0);
  CU_ASSERT_FALSE(pub.names.known);
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 80000); /* the server's wish */
  stop();
}

/* What is said about the plan: all is used up, or the half of old values while
 * many wait; nothing when nothing waits or there is no plan. */
static void test_words_about_the_plan(void) {
  start();
  pub.budget.daily = 10000;
  run(3000);
  pub.link.pace.earliest_ms = t.now_ms + 1000000;
  pub.budget.spent.used = 9500;
  wr_publisher_step(&pub, &t);
  CU_ASSERT_STRING_EQUAL(pub.stats.budget, "");
  CU_ASSERT_EQUAL(pub.stats.budget_left, 0);
  flow(1);
  wr_publisher_step(&pub, &t);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.budget, "is used up; 1 values"));
  pub.budget.spent =
      (struct wr_spent){.day = pub.budget.spent.day, .used = 6000, .old = 5000};
  for (int i = 2; i <= 101; i++) {
    wr_publisher_step(&pub, &t);
    CU_ASSERT_STRING_EQUAL(pub.stats.budget, "");
    CU_ASSERT_EQUAL(pub.stats.spacing_ms,
                    wr_budget_spacing_ms(&pub.budget, t.wall_us, 1, false));
    flow(i);
  }
  wr_publisher_step(&pub, &t);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.budget, "DailyRecords; 101 of them"));
  pub.budget.spent.old = 4000;
  wr_publisher_step(&pub, &t);
  CU_ASSERT_STRING_EQUAL(pub.stats.budget, "");
  CU_ASSERT_EQUAL(pub.stats.spacing_ms,
                  wr_budget_spacing_ms(&pub.budget, t.wall_us, 1, true));
  CU_ASSERT_NOT_EQUAL(pub.stats.spacing_ms,
                      wr_budget_spacing_ms(&pub.budget, t.wall_us, 1, false));
  CU_ASSERT_EQUAL(pub.stats.oldest_us, t.wall_us);
  stop();
}

UNIT_MAIN("publisher, idle", UNIT(test_idle), UNIT(test_words_about_the_plan))
