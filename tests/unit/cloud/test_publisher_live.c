/* The publisher: the way in, what is current, and refusals of it. */
#include "tests/unit/cloud/fake_cloud.h"

static void test_nothing_to_do(void) {
  start();
  run(10000);
  CU_ASSERT_EQUAL(cloud.count, 2); /* a token, the names */
  CU_ASSERT_TRUE(was(0, "token*"));
  CU_ASSERT_TRUE(was(1, "/properties "));
  stop();
}

static void test_current_values_go_in_one_request(void) {
  start();
  flow(10.5);
  label("Normal");
  run(5000);
  CU_ASSERT_EQUAL(cloud.count, 3);
  CU_ASSERT_TRUE(was(2,
                     "/publish {\"to_device\":false,\"properties\":["
                     "{\"property\":\"classification\",\"value\":\"Normal\"},"
                     "{\"property\":\"flow_rate\",\"value\":10.5}]}"));
  CU_ASSERT_STRING_EQUAL(cloud.last_auth, "Authorization: Bearer tok-1");
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_EQUAL(pub.stats.published, 2);
  CU_ASSERT_EQUAL(pub.stats.state, WR_LINK_OK);
  stop();
}

static void test_token_is_renewed_in_time(void) {
  start();
  for (int i = 0; i < 60; i++) {
    flow(i);
    run(10000);
  }
  CU_ASSERT_EQUAL(cloud.tokens, 3); /* at 0, 270 and 540 s */
  CU_ASSERT_EQUAL(pub.stats.reauthorised, 0);
  stop();
}

static void test_one_request_a_second(void) {
  start();
  for (int i = 0; i < 100; i++) {
    flow(i);
    run(100);
  }
  CU_ASSERT_TRUE(cloud.count <= 10 + 3);
  run(20000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  stop();
}

/* Between two requests nobody need wake it for a new row; while it has nothing
 * to do, or waits for the cloud, its figures follow what arrives. */
static void test_when_new_rows_can_wait(void) {
  start();
  run(10000);
  CU_ASSERT_FALSE(pub.resting);
  flow(1);
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 0);
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 1000);
  CU_ASSERT_TRUE(pub.resting);
  int count = cloud.count;
  pass(999);
  flow(2);
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 1);
  CU_ASSERT_EQUAL(cloud.count, count);
  pass(1);
  plan("/publish", 403, "{\"detail\":\"no\",\"status\":403,\"id\":\"1\"}", 0);
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 0);
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 1000);
  pass(1000);
  CU_ASSERT_EQUAL(pub.link.state, WR_LINK_BLOCKED);
  pub.link.pace.earliest_ms = t.now_ms + 30000;
  CU_ASSERT_EQUAL(wr_publisher_step(&pub, &t), 30000);
  CU_ASSERT_FALSE(pub.resting);
  stop();
}

static void test_retry_after(void) {
  start();
  run(2000);
  cloud.plans[cloud.plan_count++] = (struct plan){
      .part = "/publish", .status = 429, .retry_after_ms = 30000, .times = 1};
  flow(1);
  run(29000);
  CU_ASSERT_EQUAL(cloud.count, 3);
  CU_ASSERT_EQUAL(pub.stats.state, WR_LINK_DOWN);
  CU_ASSERT_EQUAL(pub.stats.retries, 1);
  run(10000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_EQUAL(pub.stats.state, WR_LINK_OK);
  stop();
}

static void test_500s_back_off(void) {
  start();
  run(2000);
  plan("/publish", 500, "{\"detail\":\"boom\"}", 0);
  flow(1);
  run(3600000);
  CU_ASSERT_TRUE(cloud.count > 20 && cloud.count < 8000);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.fault, "HTTP 500: boom"));
  stop();
}

static void test_401_renews_once(void) {
  start();
  flow(1);
  run(2000);
  plan("/publish", 401, "", 1);
  flow(2);
  run(4000);
  CU_ASSERT_EQUAL(cloud.tokens, 2);
  CU_ASSERT_EQUAL(pub.stats.reauthorised, 1);
  CU_ASSERT_EQUAL(rows_left(), 0);
  stop();
}

static void test_401_for_ever_is_no_storm(void) {
  start();
  plan("/things/", 401, "", 0);
  flow(1);
  run(3600000);
  CU_ASSERT_TRUE(cloud.tokens < 25); /* 5, 10, 20 s ... 4 min apart */
  CU_ASSERT_EQUAL(pub.stats.state, WR_LINK_NO_TOKEN);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.fault, "the token that it gave"));
  CU_ASSERT_EQUAL(rows_left(), 1);
  stop();
}

static void test_refused_credentials(void) {
  start();
  plan("/clients/token", 401, "{\"error_description\":\"Unauthorized\"}", 0);
  flow(1);
  run(3600000);
  CU_ASSERT_TRUE(cloud.count < 250);
  CU_ASSERT_EQUAL(pub.stats.state, WR_LINK_NO_TOKEN);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.fault, "HTTP 401: Unauthorized"));
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.fault, "CLIENT_SECRET"));
  stop();
}

static void test_403_stops_the_hammering(void) {
  start();
  run(2000);
  plan("/publish", 403, "{\"detail\":\"no access\"}", 0);
  flow(1);
  run(3600000);
  CU_ASSERT_TRUE(cloud.count < 600); /* most of them at first */
  CU_ASSERT_EQUAL(pub.stats.state, WR_LINK_BLOCKED);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.fault, "HTTP 403: no access"));
  CU_ASSERT_EQUAL(rows_left(), 1);
  cloud.plan_count = 0;
  wr_publisher_hurry(&pub); /* as SIGUSR1 does */
  run(5000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_EQUAL(pub.stats.state, WR_LINK_OK);
  stop();
}

static void test_unknown_thing(void) {
  start();
  plan("/things/", 404, "{\"detail\":\"thing not found\"}", 0);
  flow(1);
  run(600000);
  CU_ASSERT_TRUE(cloud.count < 200);
  CU_ASSERT_EQUAL(pub.stats.state, WR_LINK_BLOCKED);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.fault, "THING_ID"));
  CU_ASSERT_EQUAL(rows_left(), 1);
  stop();
}

static void test_unknown_property_waits_for_its_creation(void) {
  start();
  plan("/properties", 200,
       "[{\"id\":\"c-1\",\"variable_name\":\"classification\","
       "\"type\":\"CHARSTRING\"}]",
       1);
  flow(1);
  label("Low");
  run(5000);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.advice, "no property \"flow_rate\""));
  CU_ASSERT_EQUAL(rows_left(), 1);
  run(WR_NAMES_RECHECK_MS);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_STRING_EQUAL(pub.stats.advice, "");
  stop();
}

static void test_property_of_the_wrong_type(void) {
  start();
  plan("/properties", 200,
       "[{\"id\":\"f-1\",\"variable_name\":\"flow_rate\",\"type\":"
       "\"CHARSTRING\"},{\"id\":\"c-1\",\"variable_name\":\"classification\","
       "\"type\":\"CHARSTRING\"}]",
       1);
  flow(1);
  run(5000);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(pub.stats.advice, "\"flow_rate\" is of type CHARSTRING"));
  CU_ASSERT_EQUAL(cloud.count, 2);
  CU_ASSERT_EQUAL(rows_left(), 1);
  stop();
}

/* A value that the service refuses in its own words, again after others of its
 * property have passed. */
static void test_culprit_is_rejected_and_the_others_pass(void) {
  start();
  run(2000);
  cloud.plans[cloud.plan_count++] = (struct plan){
      .part = "publish",
      .status = 400,
      .body = "{\"code\":\"invalid_value\",\"detail\":\"too wet\"}",
      .holds = ":99"};
  flow(99);
  label("Low");
  run(500);
  CU_ASSERT_FALSE(pub.stats.up); /* at the first refusal */
  for (int i = 0; i < 60; i++) {
    flow(i);
    run(1000);
  }
  run(20000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_EQUAL(pub.stats.rejected, 1);
  CU_ASSERT_TRUE(pub.stats.published >= 61);
  CU_ASSERT_TRUE(pub.stats.up);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.refusal, "HTTP 400: too wet"));
  stop();
}

static void test_refusal_of_everything_costs_nothing(void) {
  start();
  run(2000);
  plan("publish", 400, "{\"code\":\"invalid_value\",\"detail\":\"no\"}", 0);
  for (int i = 0; i < 600; i++) {
    flow(i);
    run(1000);
  }
  CU_ASSERT_EQUAL(pub.stats.rejected, 0);
  CU_ASSERT_EQUAL(rows_left(), 600);
  CU_ASSERT_FALSE(pub.stats.up);
  cloud.plan_count = 0;
  run(120000);
  CU_ASSERT_EQUAL(pub.stats.rejected, 0);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_TRUE(pub.stats.up);
  stop();
}

/* A value was stepped over while younger ones went by their history: it is the
 * newest that is left, but it is not what is so now. */
static void test_what_was_stepped_over_is_never_shown_live(void) {
  start();
  run(2000);
  plan("things/thing/publish", 500, "", 0);
  plan("/publish", 500, "", 0);
  cloud.plans[1].holds = "{\"value\":";
  plan("publish_batch", 500, "", 0);
  cloud.plans[2].holds = "7.5";
  flow(7.5);
  for (int i = 0; i < 120; i++) {
    run(1000);
    flow(100 + i);
  }
  run(60000);
  CU_ASSERT_EQUAL_FATAL(rows_left(), 1); /* 7.5 */
  cloud.plan_count = 0;
  int before = cloud.count;
  run(900000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  for (int i = before; i < cloud.count; i++)
    CU_ASSERT_PTR_NULL(strstr(cloud.log[i], "publish {"));
  stop();
}

static void test_without_publish_of_several(void) {
  start();
  plan("thing/publish", 404, "", 0);
  flow(1);
  label("Low");
  run(10000);
  CU_ASSERT_TRUE(was(3, "/properties "));
  CU_ASSERT_TRUE(was(4, "/properties/c-1/publish {\"value\":\"Low\"}"));
  CU_ASSERT_TRUE(was(5, "/properties/f-1/publish {\"value\":1}"));
  CU_ASSERT_EQUAL(rows_left(), 0);
  flow(2);
  run(5000);
  CU_ASSERT_EQUAL(cloud.count, 7); /* it is not asked again */
  run(WR_ABSENT_MS);
  cloud.plan_count = 0;
  flow(3);
  run(5000);
  CU_ASSERT_TRUE(was(cloud.count - 1, "/publish {*")); /* but later */
  stop();
}

static void test_list_of_names_is_not_served(void) {
  start();
  plan("/properties", 404, "404 page not found\n", 0);
  flow(1);
  run(5000);
  CU_ASSERT_TRUE(was(2, "/publish {\"to_device\":false,\"properties\":["
                        "{\"property\":\"flow_rate\",\"value\":1}]}"));
  CU_ASSERT_EQUAL(rows_left(), 0);
  stop();
}

static void test_no_way_at_all_waits_a_little(void) {
  start();
  plan("/properties", 404, "404 page not found\n", 1);
  plan("thing/publish", 404, "", 1);
  flow(1);
  run(2500);
  CU_ASSERT_EQUAL(cloud.count, 3);
  CU_ASSERT_EQUAL(rows_left(), 1);
  run(10000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  stop();
}

static void test_every_faulty_property_is_named(void) {
  start();
  plan("/properties", 200,
       "[{\"id\":\"f-1\",\"variable_name\":\"flow_rate\",\"type\":"
       "\"SMART_HOME_TELEVISION\"}]",
       1);
  run(5000);
  CU_ASSERT_PTR_NOT_NULL(strstr(
      pub.stats.advice, "\"flow_rate\" is of type SMART_HOME_TELEVISION"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(pub.stats.advice, "no property \"classification\""));
  CU_ASSERT_FALSE(pub.stats.up);
  stop();
}

static void test_id_in_upper_case(void) {
  start();
  properties[FLOW].name = NULL;
  properties[FLOW].id = "F-1";
  flow(1);
  run(5000);
  CU_ASSERT_STRING_EQUAL(pub.stats.advice, "");
  CU_ASSERT_EQUAL(rows_left(), 0);
  stop();
}

/* Created anew in the cloud, with another id: SIGUSR1 finds it, and what was
 * rejected goes to the new one. */
static void test_recreated_property_is_found_at_a_flush(void) {
  struct wr_row row;
  start();
  flow(1);
  run(5000);
  flow(2);
  CU_ASSERT_TRUE(wr_spool_newest(spool, FLOW, &row));
  wr_spool_reject(spool, &row, 400, "no", t.wall_us);
  plan("/properties", 200,
       "[{\"id\":\"f-2\",\"variable_name\":\"flow_rate\",\"type\":\"FLOAT\"},"
       "{\"id\":\"c-1\",\"variable_name\":\"classification\","
       "\"type\":\"CHARSTRING\"}]",
       0);
  wr_publisher_hurry(&pub);
  run(10000);
  CU_ASSERT_STRING_EQUAL(properties[FLOW].cloud.id, "f-2");
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_EQUAL(pub.stats.published, 2);
  stop();
}

/* One value that the service cannot digest holds up no other, and is tried
 * again. */
static void test_value_that_fails_with_500_is_stepped_over(void) {
  start();
  run(2000);
  cloud.plans[cloud.plan_count++] =
      (struct plan){.part = "publish_batch", .status = 500, .holds = ":7}"};
  for (int i = 0; i < 20; i++) {
    flow(i);
    pass(1000);
  }
  run(120000);
  CU_ASSERT_EQUAL(rows_left(), 1);
  CU_ASSERT_EQUAL(pub.stats.rejected, 0);
  cloud.plan_count = 0;
  run(WR_STEP_BACK_MS);
  CU_ASSERT_EQUAL(rows_left(), 0);
  stop();
}

static void test_flapping_label_does_not_hold_up_the_backlog(void) {
  start();
  for (int i = 0; i < 500; i++) {
    flow(i);
    pass(1000);
  }
  for (int i = 0; i < 60; i++) {
    label(i % 2 == 0 ? "Low" : "Normal");
    run(1000);
  }
  CU_ASSERT_TRUE(rows_left() < 10);
  stop();
}

UNIT_MAIN("publisher, live", UNIT(test_nothing_to_do),
          UNIT(test_current_values_go_in_one_request),
          UNIT(test_token_is_renewed_in_time), UNIT(test_one_request_a_second),
          UNIT(test_when_new_rows_can_wait), UNIT(test_retry_after),
          UNIT(test_500s_back_off), UNIT(test_401_renews_once),
          UNIT(test_401_for_ever_is_no_storm), UNIT(test_refused_credentials),
          UNIT(test_403_stops_the_hammering), UNIT(test_unknown_thing),
          UNIT(test_unknown_property_waits_for_its_creation),
          UNIT(test_property_of_the_wrong_type),
          UNIT(test_culprit_is_rejected_and_the_others_pass),
          UNIT(test_refusal_of_everything_costs_nothing),
          UNIT(test_what_was_stepped_over_is_never_shown_live),
          UNIT(test_without_publish_of_several),
          UNIT(test_list_of_names_is_not_served),
          UNIT(test_no_way_at_all_waits_a_little),
          UNIT(test_every_faulty_property_is_named),
          UNIT(test_id_in_upper_case),
          UNIT(test_recreated_property_is_found_at_a_flush),
          UNIT(test_value_that_fails_with_500_is_stepped_over),
          UNIT(test_flapping_label_does_not_hold_up_the_backlog))
