/* The publisher against a cloud that is a table of planned answers. */
#include "lib/cloud/publisher.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND INT64_C(1000000)
#define WALL (INT64_C(1767225600) * SECOND)
#define LOG_MAX 400

enum { FLOW, LABEL };
static const char *const keys[] = {"flow_rate", "classification"};
static const char *const names_reply =
    "[{\"id\":\"f-1\",\"variable_name\":\"flow_rate\",\"type\":\"FLOAT\"},"
    "{\"id\":\"c-1\",\"variable_name\":\"classification\","
    "\"type\":\"CHARSTRING\"}]";

/* What the cloud answers to a request whose URL contains `part`. */
struct plan {
  const char *part;
  int error, status;
  const char *body;
  int64_t retry_after_ms;
  int times; /* 0: for ever */
};

static struct {
  struct plan plans[16];
  int plan_count;
  char log[LOG_MAX][400]; /* "PUT /publish {...}" */
  int count;
  int tokens;
  char last_auth[100];
} cloud;

static struct wr_publisher pub;
static struct wr_publisher_property properties[2];
static struct wr_spool *spool;
static struct wr_moment t;
static char path[64];

static void plan(const char *part, int status, const char *body, int times) {
  cloud.plans[cloud.plan_count++] = (struct plan){
      .part = part, .status = status, .body = body, .times = times};
}

static struct plan *planned(const char *url) {
  for (int i = 0; i < cloud.plan_count; i++) {
    struct plan *p = cloud.plans + i;
    if (p->part == NULL || strstr(url, p->part) == NULL)
      continue;
    if (p->times > 0 && --p->times == 0) {
      static struct plan copy;
      copy = *p;
      p->part = NULL;
      return &copy;
    }
    return p;
  }
  return NULL;
}

static int fake_send(void *arg, const struct wr_http_request *r,
                     struct wr_http_reply *reply) {
  (void)arg;
  bool token = strstr(r->url, "/clients/token") != NULL;
  bool list = strcmp(r->method, "GET") == 0;
  const char *tail = strstr(r->url, "/things/");
  if (cloud.count < LOG_MAX)
    snprintf(cloud.log[cloud.count++], sizeof(cloud.log[0]), "%s %s",
             token || tail == NULL ? "token" : strchr(tail + 8, '/'),
             !token && r->body != NULL ? r->body : "");
  for (const char *const *h = r->headers; *h != NULL; h++)
    if (strncmp(*h, "Authorization", 13) == 0)
      snprintf(cloud.last_auth, sizeof(cloud.last_auth), "%s", *h);
  wr_bytes_reset(&reply->body);
  reply->body.max = 1 << 20;
  reply->retry_after_ms = 0;
  struct plan *p = planned(r->url);
  char issued[100];
  snprintf(issued, sizeof(issued),
           "{\"access_token\":\"tok-%d\",\"expires_in\":300}", ++cloud.tokens);
  cloud.tokens -= !token;
  const char *body = token ? issued : list ? names_reply : "";
  reply->status = p != NULL ? p->status : 200;
  if (p != NULL) {
    reply->retry_after_ms = p->retry_after_ms;
    body = p->body != NULL ? p->body : "";
  }
  if (body[0] != '\0')
    wr_bytes_text(&reply->body, body);
  snprintf(reply->error, sizeof(reply->error), "planned");
  return p != NULL ? p->error : 0;
}

static void start_with(int batch, int64_t daily) {
  t.random = UINT32_C(1) << 31; /* in the middle of every jitter */
  memset(properties, 0, sizeof(properties));
  for (int i = 0; i < 2; i++)
    properties[i] = (struct wr_publisher_property){
        .key = keys[i],
        .name = keys[i],
        .kind = i == FLOW ? WR_VALUE_NUMBER : WR_VALUE_TEXT};
  spool = wr_spool_create(
      &(struct wr_spool_options){.path = path,
                                 .max_bytes = 64 << 20,
                                 .max_age_us = INT64_C(86400000000) * 365,
                                 .memory_bytes = 1 << 20,
                                 .max_accepted = 10000},
      keys, 2);
  wr_spool_open(spool, t.now_ms);
  CU_ASSERT_EQUAL_FATAL(
      wr_publisher_init(&pub,
                        &(struct wr_publisher_options){.url = "https://h",
                                                       .thing_id = "thing",
                                                       .client_id = "id",
                                                       .client_secret = "s",
                                                       .rate = 1,
                                                       .batch = batch,
                                                       .daily_records = daily,
                                                       .send = fake_send},
                        properties, 2, spool, &t),
      0);
}

static void start(void) {
  memset(&cloud, 0, sizeof(cloud));
  t = (struct wr_moment){.now_ms = 1000000, .wall_us = WALL};
  snprintf(path, sizeof(path), "/tmp/weir-pub-%d.db", (int)getpid());
  unlink(path);
  start_with(100, 0);
}

static void stop(void) {
  char name[80];
  wr_publisher_free(&pub);
  wr_spool_destroy(spool);
  static const char *const suffixes[] = {"", "-wal", "-shm"};
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
    unlink(name);
  }
}

static void pass(int64_t ms) {
  t.now_ms += ms;
  t.wall_us += ms * 1000;
}

static void flow(double v) {
  wr_spool_offer(spool, &(struct wr_row){.property = FLOW,
                                         .time_us = t.wall_us,
                                         .value = {WR_VALUE_NUMBER, v, ""}});
  wr_spool_commit(spool, t.now_ms, t.wall_us);
}

static void label(const char *text) {
  struct wr_row row = {.property = LABEL, .time_us = t.wall_us, .state = true};
  row.value.kind = WR_VALUE_TEXT;
  snprintf(row.value.text, sizeof(row.value.text), "%s", text);
  wr_spool_offer(spool, &row);
  wr_spool_commit(spool, t.now_ms, t.wall_us);
}

static int64_t rows_left(void) {
  struct wr_spool_status s;
  wr_spool_status(spool, &s);
  return s.rows;
}

/* Steps for `ms` of simulated time. */
static void run(int64_t ms) {
  int64_t end = t.now_ms + ms;
  while (t.now_ms < end) {
    int64_t wait = wr_publisher_step(&pub, &t);
    if (wait > end - t.now_ms)
      wait = end - t.now_ms;
    pass(wait);
  }
}

/* True when request number `at` is as expected; cut at a '*'. */
static bool was(int at, const char *want) {
  const char *star = strchr(want, '*');
  size_t len = star != NULL ? (size_t)(star - want) : strlen(want) + 1;
  bool same = at < cloud.count && strncmp(cloud.log[at], want, len) == 0;
  if (!same)
    printf("\nrequest %d is `%s', not `%s'\n", at,
           at < cloud.count ? cloud.log[at] : "(none)", want);
  return same;
}

/* --- the way in --- */

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
  CU_ASSERT_EQUAL(pub.stats.state, WR_PUBLISHER_OK);
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

/* --- outages --- */

static void test_live_first_then_the_backlog_in_order(void) {
  start();
  cloud.plans[cloud.plan_count++] =
      (struct plan){.part = "/", .error = -ECONNREFUSED};
  for (int i = 0; i < 36000; i += 60) { /* ten hours */
    flow(i);
    run(60000);
  }
  CU_ASSERT_EQUAL(pub.stats.state, WR_PUBLISHER_NO_LINK);
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
  /* 600 rows in 6 batches; the live ones had waited longer than LIVE_AGE, so
   * they are recorded with their own time as well. */
  CU_ASSERT_EQUAL(cloud.count, at + 9);
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
  CU_ASSERT_EQUAL(cloud.count, 4); /* token, names, publish, repeated */
  char want[200], stamp[40];
  wr_cloud_time(stamp, sizeof(stamp), taken_us);
  snprintf(want, sizeof(want),
           "/properties/f-1/publish_batch [{\"timestamp\":\"%s\",\"value\":7}]",
           stamp);
  CU_ASSERT_TRUE(was(3, want));
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

static void test_retry_after(void) {
  start();
  run(2000);
  cloud.plans[cloud.plan_count++] = (struct plan){
      .part = "/publish", .status = 429, .retry_after_ms = 30000, .times = 1};
  flow(1);
  run(29000);
  CU_ASSERT_EQUAL(cloud.count, 3);
  CU_ASSERT_EQUAL(pub.stats.state, WR_PUBLISHER_NO_LINK);
  CU_ASSERT_EQUAL(pub.stats.retries, 1);
  run(10000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_EQUAL(pub.stats.state, WR_PUBLISHER_OK);
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

/* --- refusals --- */

static void test_401_renews_once(void) {
  start();
  flow(1);
  run(2000);
  plan("/publish", 401, "", 1);
  flow(2);
  run(3000);
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
  CU_ASSERT_TRUE(cloud.tokens < 20);
  CU_ASSERT_EQUAL(pub.stats.state, WR_PUBLISHER_NO_TOKEN);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.fault, "the token that it gave"));
  CU_ASSERT_EQUAL(rows_left(), 1);
  stop();
}

static void test_refused_credentials(void) {
  start();
  plan("/clients/token", 401, "{\"error_description\":\"Unauthorized\"}", 0);
  flow(1);
  run(3600000);
  CU_ASSERT_TRUE(cloud.count < 20);
  CU_ASSERT_EQUAL(pub.stats.state, WR_PUBLISHER_NO_TOKEN);
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
  CU_ASSERT_TRUE(cloud.count < 15);
  CU_ASSERT_EQUAL(pub.stats.state, WR_PUBLISHER_BLOCKED);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.fault, "HTTP 403: no access"));
  CU_ASSERT_EQUAL(rows_left(), 1);
  cloud.plan_count = 0;
  wr_publisher_hurry(&pub); /* as SIGUSR1 does */
  run(5000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_EQUAL(pub.stats.state, WR_PUBLISHER_OK);
  stop();
}

static void test_unknown_thing(void) {
  start();
  plan("/things/", 404, "{\"detail\":\"thing not found\"}", 0);
  flow(1);
  run(600000);
  CU_ASSERT_EQUAL(cloud.count, 2);
  CU_ASSERT_EQUAL(pub.stats.state, WR_PUBLISHER_BLOCKED);
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
  run(WR_PUBLISHER_RECHECK_MS);
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

static void test_culprit_among_several_is_found(void) {
  start();
  run(2000);
  plan("thing/publish", 400, "{\"detail\":\"bad\"}", 1);
  plan("f-1/publish", 400, "{\"detail\":\"too wet\"}", 1);
  flow(99);
  label("Low");
  run(10000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_EQUAL(pub.stats.rejected, 1);
  CU_ASSERT_EQUAL(pub.stats.published, 1);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.refusal, "HTTP 400: too wet"));
  flow(1); /* and back to one request for all */
  label("Normal");
  run(5000);
  CU_ASSERT_TRUE(was(cloud.count - 1, "/publish {*"));
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

/* --- endpoints that are not there --- */

static void test_without_publish_of_several(void) {
  start();
  plan("thing/publish", 404, "", 0);
  flow(1);
  label("Low");
  run(10000);
  CU_ASSERT_TRUE(was(3, "/properties/c-1/publish {\"value\":\"Low\"}"));
  CU_ASSERT_TRUE(was(4, "/properties/f-1/publish {\"value\":1}"));
  CU_ASSERT_EQUAL(rows_left(), 0);
  flow(2);
  run(5000);
  CU_ASSERT_EQUAL(cloud.count, 6); /* it is not asked again */
  stop();
}

static void test_without_batches_in_order(void) {
  start();
  plan("publish_batch", 404, "", 0);
  for (int i = 0; i < 4; i++) {
    flow(i);
    pass(60000);
  }
  run(60000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  int at = cloud.count - 4;
  CU_ASSERT_TRUE(was(at, "/properties/f-1/publish {\"value\":0}"));
  CU_ASSERT_TRUE(was(at + 1, "/properties/f-1/publish {\"value\":1}"));
  CU_ASSERT_TRUE(was(at + 2, "/properties/f-1/publish {\"value\":2}"));
  CU_ASSERT_TRUE(was(at + 3, "/properties/f-1/publish {\"value\":3}"));
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

static void test_no_way_at_all_waits(void) {
  start();
  plan("/properties", 404, "404 page not found\n", 1);
  plan("thing/publish", 404, "", 1);
  flow(1);
  run(60000);
  CU_ASSERT_EQUAL(cloud.count, 3);
  CU_ASSERT_EQUAL(rows_left(), 1);
  run(WR_PUBLISHER_RECHECK_MS);
  CU_ASSERT_EQUAL(rows_left(), 0);
  stop();
}

static void test_impossible_time_is_rejected(void) {
  start();
  wr_spool_offer(spool, &(struct wr_row){.property = FLOW,
                                         .time_us = INT64_MAX,
                                         .value = {WR_VALUE_NUMBER, 1, ""}});
  wr_spool_commit(spool, t.now_ms, t.wall_us);
  run(20000);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_EQUAL(pub.stats.rejected, 1);
  CU_ASSERT_PTR_NOT_NULL(strstr(pub.stats.refusal, "time stamp"));
  stop();
}

/* --- across restarts --- */

static void test_offline_start_knows_the_names(void) {
  start();
  run(2000);
  flow(1);
  wr_publisher_free(&pub);
  wr_spool_destroy(spool);
  memset(&cloud, 0, sizeof(cloud));
  plan("/properties", 503, "", 0);
  start_with(100, 0);
  CU_ASSERT_TRUE(pub.resolved);
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
  CU_ASSERT_EQUAL(rows_left(), 0);
  stop();
}

UNIT_MAIN("publisher", UNIT(test_nothing_to_do),
          UNIT(test_current_values_go_in_one_request),
          UNIT(test_token_is_renewed_in_time), UNIT(test_one_request_a_second),
          UNIT(test_live_first_then_the_backlog_in_order),
          UNIT(test_backlog_shrinks_beside_live_values),
          UNIT(test_unanswered_value_is_repeated_with_its_time),
          UNIT(test_old_values_are_shown_and_recorded), UNIT(test_retry_after),
          UNIT(test_500s_back_off), UNIT(test_401_renews_once),
          UNIT(test_401_for_ever_is_no_storm), UNIT(test_refused_credentials),
          UNIT(test_403_stops_the_hammering), UNIT(test_unknown_thing),
          UNIT(test_unknown_property_waits_for_its_creation),
          UNIT(test_property_of_the_wrong_type),
          UNIT(test_culprit_among_several_is_found),
          UNIT(test_refused_batches_are_halved),
          UNIT(test_without_publish_of_several),
          UNIT(test_without_batches_in_order),
          UNIT(test_list_of_names_is_not_served),
          UNIT(test_no_way_at_all_waits),
          UNIT(test_impossible_time_is_rejected),
          UNIT(test_offline_start_knows_the_names),
          UNIT(test_budget_ends_numbers_not_states))
