/* The publisher: outages, the backlog, and restarts. */
#include "tests/unit/cloud/fake_cloud.h"

static void test_live_first_then_the_backlog_in_order(void) {
  start();
  cloud.plans[cloud.plan_count++] =
      (struct plan){.part = "/", .error = -ECONNREFUSED};
  for (int i = 0; i < 36000; i += 60) { /* ten hours */
    flow(i);
    run(60000);
  }
  CU_ASSERT_EQUAL(pub.stats.state, WR_LINK_DOWN);
  CU_ASSERT_EQUAL(rows_left(), 600);
  CU_ASSERT_EQUAL(pub.stats.oldest_us, WALL);
  memset(&cloud, 0, sizeof(cloud));
  label("Low");
  flow(-1);
  run(65000);
  int at = 0;
  while (strncmp(cloud.log[at], "/publish", 8) != 0)
    at++;
  CU_ASSERT_TRUE(was(at, "/publish {\"to_device\":false,\"properties\":["
                         "{\"property\":\"classification\",\"value\":\"Low\"},"
                         "{\"property\":\"flow_rate\",\"value\":-1}]}"));
  CU_ASSERT_TRUE(was(at + 1, "/properties/f-1/publish_batch "
                             "[{\"timestamp\":\"2026-01-01T00:00:00.000000Z\","
                             "\"value\":0},{\"timestamp\":"
                             "\"2026-01-01T00:01:00*"));
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_EQUAL(cloud.count, at + 7); /* 600 rows in 6 batches */
  CU_ASSERT_EQUAL(pub.stats.oldest_us, 0);
  stop();
}

static void test_backlog_shrinks_beside_live_values(void) {
  start();
  for (int i = 0; i < 500; i++) {
    flow(i);
    pass(1000);
  }
  for (int i = 0; i < 60; i++) { /* a live value for every request */
    flow(1000 + i);
    run(1000);
  }
  CU_ASSERT_TRUE(rows_left() < 3);
  stop();
}

static void test_unanswered_value_is_repeated_with_its_time(void) {
  start();
  run(3000);
  int64_t taken_us = t.wall_us;
  cloud.plans[cloud.plan_count++] =
      (struct plan){.part = "/publish", .error = -ETIMEDOUT, .times = 1};
  flow(7);
  run(5000);
  /* token, names, publish, names, repeated */
  CU_ASSERT_EQUAL(cloud.count, 5);
  char want[200], stamp[40];
  wr_cloud_time(stamp, sizeof(stamp), taken_us);
  snprintf(want, sizeof(want),
           "/properties/f-1/publish_batch [{\"timestamp\":\"%s\",\"value\":7}]",
           stamp);
  CU_ASSERT_TRUE(was(4, want));
  CU_ASSERT_EQUAL(rows_left(), 0);
  stop();
}

static void test_old_values_are_shown_and_recorded(void) {
  start();
  flow(1);
  pass(60000);
  run(5000);
  CU_ASSERT_TRUE(was(2, "/publish *"));
  CU_ASSERT_TRUE(was(3, "/properties/f-1/publish_batch [{\"timestamp\":"
                        "\"2026-01-01T00:00:00.000000Z\",\"value\":1}]"));
  CU_ASSERT_EQUAL(cloud.count, 4);
  stop();
}

static void test_refused_batches_are_halved(void) {
  start();
  run(2000);
  for (int i = 0; i < 8; i++) {
    flow(i);
    pass(20000);
  }
  plan("publish_batch", 400, "{\"detail\":\"too many\"}", 3); /* 8, 4, 2 */
  run(60000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_EQUAL(pub.stats.rejected, 0);
  stop();
}

static void four_old_ones(void) {
  for (int i = 0; i < 4; i++) {
    flow(i);
    pass(60000);
  }
}

/* It is believed only after ten minutes of 404 beside names that answer. */
static void test_without_batches_in_order(void) {
  start();
  plan("publish_batch", 404, "", 0);
  four_old_ones();
  run(WR_ABSENT_MS - 60000);
  CU_ASSERT_EQUAL(rows_left(), 4);
  run(600000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  int at = cloud.count - 4;
  CU_ASSERT_TRUE(was(at, "/properties/f-1/publish {\"value\":0}"));
  CU_ASSERT_TRUE(was(at + 1, "/properties/f-1/publish {\"value\":1}"));
  CU_ASSERT_TRUE(was(at + 2, "/properties/f-1/publish {\"value\":2}"));
  CU_ASSERT_TRUE(was(at + 3, "/properties/f-1/publish {\"value\":3}"));
  /* And asked again. */
  cloud.plan_count = 0;
  run(WR_ABSENT_MS);
  four_old_ones();
  run(10000);
  CU_ASSERT_TRUE(was(cloud.count - 1, "/properties/f-1/publish_batch [*"));
  stop();
}

static void test_404_of_a_batch_for_a_while_keeps_the_stamps(void) {
  start();
  plan("publish_batch", 404, "", 0);
  four_old_ones();
  run(300000);
  cloud.plan_count = 0;
  run(60000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_TRUE(was(cloud.count - 1,
                     "/properties/f-1/publish_batch [{\"timestamp\":"
                     "\"2026-01-01T00:00:00.000000Z\",\"value\":0}*"));
  stop();
}

/* No clock shows such a time, and none can be written. */
static void test_impossible_time_goes_without_a_stamp(void) {
  start();
  wr_spool_offer(spool, &(struct wr_row){.property = FLOW,
                                         .time_us = INT64_MAX,
                                         .clock_us = WR_CLOCK_UNKNOWN,
                                         .value = {WR_VALUE_NUMBER, 1, ""}});
  wr_spool_commit(spool, t.now_ms, t.wall_us);
  run(20000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_EQUAL(pub.stats.rejected, 0);
  CU_ASSERT_EQUAL(pub.stats.published, 1);
  stop();
}

static void test_offline_start_knows_the_names(void) {
  start();
  run(2000);
  flow(1);
  wr_publisher_free(&pub);
  wr_spool_destroy(spool);
  memset(&cloud, 0, sizeof(cloud));
  plan("/properties", 503, "", 0);
  start_with(100, 0);
  CU_ASSERT_TRUE(pub.names.known);
  cloud.plan_count = 0;
  run(4000);
  /* Left by a process that may have sent it: with its own time. */
  CU_ASSERT_TRUE(was(2, "/properties/f-1/publish_batch [{\"timestamp\":*"));
  stop();
}

static void test_budget_ends_numbers_not_states(void) {
  start();
  wr_publisher_free(&pub);
  wr_spool_destroy(spool);
  start_with(100, 40);
  for (int i = 0; i < 60; i++) {
    flow(i);
    run(2000);
  }
  CU_ASSERT_EQUAL(pub.stats.published, 38);
  CU_ASSERT_EQUAL(pub.stats.budget_left, 0);
  CU_ASSERT_EQUAL(rows_left(), 22);
  label("Low");
  run(2000);
  CU_ASSERT_EQUAL(pub.stats.published, 39);
  /* It survives a restart, and ends at midnight. */
  wr_publisher_free(&pub);
  wr_spool_destroy(spool);
  start_with(100, 40);
  run(5000);
  CU_ASSERT_EQUAL(pub.stats.published, 0);
  pass(86400000);
  run(60000);
  CU_ASSERT_EQUAL(rows_left(), 2); /* half of the plan is for new ones */
  pass(86400000);
  run(60000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  stop();
}

UNIT_MAIN("publisher, backlog", UNIT(test_live_first_then_the_backlog_in_order),
          UNIT(test_backlog_shrinks_beside_live_values),
          UNIT(test_unanswered_value_is_repeated_with_its_time),
          UNIT(test_old_values_are_shown_and_recorded),
          UNIT(test_refused_batches_are_halved),
          UNIT(test_without_batches_in_order),
          UNIT(test_404_of_a_batch_for_a_while_keeps_the_stamps),
          UNIT(test_impossible_time_goes_without_a_stamp),
          UNIT(test_offline_start_knows_the_names),
          UNIT(test_budget_ends_numbers_not_states))
