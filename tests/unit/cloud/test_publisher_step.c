/* One step at a time: what it does, what it reports, and when it wants the
 * next.
 */
#include "tests/unit/cloud/fake_cloud.h"

static int64_t step(void) { return wr_publisher_step(&pub, &t); }

/* A publisher that has its token and its names, and nothing to do. */
static void start_idle(void) {
  start();
  run(5000);
  CU_ASSERT_EQUAL(cloud.count, 2);
}

/* What the next step sends; "" for nothing. */
static const char *next(void) {
  int before = cloud.count;
  step();
  return cloud.count > before ? cloud.log[before] : "";
}

/* All that is counted elsewhere is in the report of each step. */
static void test_report(void) {
  start_idle();
  pub.link.pace.earliest_ms = t.now_ms + 5; /* it does nothing */
  pub.link.state = WR_LINK_BLOCKED;
  pub.link.requests = 11;
  pub.link.retries = 12;
  pub.link.reauthorised = 13;
  pub.link.oauth.issued = 14;
  pub.sending.published = 15;
  pub.sending.backfilled = 16;
  pub.sending.rejected = 17;
  strcpy(pub.link.fault, "fault");
  strcpy(pub.names.advice, "advice");
  strcpy(pub.sending.refusal, "refusal");
  pub.budget.daily = 100;
  pub.budget.spent.used = 20;
  step();
  const struct wr_publisher_stats *s = &pub.stats;
  CU_ASSERT_EQUAL(s->state, WR_LINK_BLOCKED);
  CU_ASSERT_EQUAL(s->requests, 11);
  CU_ASSERT_EQUAL(s->retries, 12);
  CU_ASSERT_EQUAL(s->reauthorised, 13);
  CU_ASSERT_EQUAL(s->tokens, 14);
  CU_ASSERT_EQUAL(s->published, 15);
  CU_ASSERT_EQUAL(s->backfilled, 16);
  CU_ASSERT_EQUAL(s->rejected, 17);
  CU_ASSERT_STRING_EQUAL(s->fault, "fault");
  CU_ASSERT_STRING_EQUAL(s->advice, "advice");
  CU_ASSERT_STRING_EQUAL(s->refusal, "refusal");
  CU_ASSERT_STRING_EQUAL(s->budget, "");
  CU_ASSERT_EQUAL(s->budget_left, 75);
  CU_ASSERT_EQUAL(s->spacing_ms, 0);
  CU_ASSERT_EQUAL(s->oldest_us, 0);
  CU_ASSERT_FALSE(s->up);
  stop();
}

/* Up: a request has gone, the link is fine, and nothing of any property is
 * refused or to be mended. */
static void test_up(void) {
  start_idle();
  pub.link.pace.earliest_ms = t.now_ms + 1000; /* it does nothing */
  CU_ASSERT_TRUE(pub.stats.up);
  for (int i = 0; i < 2; i++) {
    properties[i].refused = true;
    step();
    CU_ASSERT_FALSE(pub.stats.up);
    properties[i].refused = false;
    step();
    CU_ASSERT_TRUE(pub.stats.up);
  }
  strcpy(pub.names.advice, "x");
  step();
  CU_ASSERT_FALSE(pub.stats.up);
  pub.names.advice[0] = '\0';
  pub.link.state = WR_LINK_DOWN;
  step();
  CU_ASSERT_FALSE(pub.stats.up);
  pub.link.state = WR_LINK_OK;
  pub.link.requests = 0;
  step();
  CU_ASSERT_FALSE(pub.stats.up);
  stop();
}

/* Property 1 is not among those of the configuration. */
static void test_no_property_of_nobody(void) {
  struct wr_publisher other;
  start_idle();
  properties[LABEL].batch = 7;
  CU_ASSERT_EQUAL(
      wr_publisher_init(&other,
                        &(struct wr_publisher_options){.rate = 1, .batch = 9},
                        properties, 1, spool, &t),
      0);
  wr_publisher_free(&other);
  CU_ASSERT_EQUAL(properties[FLOW].batch, 9);
  CU_ASSERT_EQUAL(properties[LABEL].batch, 7);
  pub.names.count = 1;
  properties[LABEL].refused = true;
  properties[LABEL].hidden_until_ms = t.now_ms + 5;
  properties[FLOW].skips[0].until_ms = t.now_ms + 5; /* it is none */
  CU_ASSERT_EQUAL(step(), WR_PUBLISHER_IDLE_MS);
  CU_ASSERT_TRUE(pub.stats.up);
  wr_publisher_hurry(&pub);
  CU_ASSERT_NOT_EQUAL(properties[LABEL].hidden_until_ms, 0);
  CU_ASSERT_NOT_EQUAL(properties[FLOW].skips[0].until_ms, 0);
  stop();
}

/* Of every property and of each of its skips. */
static void test_hurry(void) {
  start_idle();
  for (int i = 0; i < 2; i++) {
    struct wr_property *q = properties + i;
    q->pace.earliest_ms = q->hidden_until_ms = t.now_ms + 5;
    q->pace.asked_ms = t.now_ms + 6;
    q->skip_count = 2;
    q->skips[0].until_ms = q->skips[1].until_ms = t.now_ms + 5;
  }
  wr_publisher_hurry(&pub);
  for (int i = 0; i < 2; i++) {
    const struct wr_property *q = properties + i;
    CU_ASSERT_EQUAL(q->pace.earliest_ms, 0);
    CU_ASSERT_EQUAL(q->pace.asked_ms, t.now_ms + 6);
    CU_ASSERT_EQUAL(q->hidden_until_ms, 0);
    CU_ASSERT_EQUAL(q->skips[0].until_ms, 0);
    CU_ASSERT_EQUAL(q->skips[1].until_ms, 0);
  }
  stop();
}

/* A second counts from the moment at which the reply was there: the step after
 * the request's. */
static void test_spaced_from_the_reply_on(void) {
  start_idle();
  flow(1);
  CU_ASSERT_EQUAL(step(), 0);
  CU_ASSERT_EQUAL(cloud.count, 3);
  pass(700);
  flow(2);
  CU_ASSERT_EQUAL(step(), 1000);
  pass(999);
  CU_ASSERT_EQUAL(step(), 1);
  CU_ASSERT_TRUE(pub.resting);
  CU_ASSERT_EQUAL(cloud.count, 3);
  pass(1);
  CU_ASSERT_EQUAL(step(), 0);
  CU_ASSERT_FALSE(pub.resting);
  CU_ASSERT_EQUAL(cloud.count, 4);
  stop();
}

/* Up to two seconds of a slow rate are a rest; new rows cannot shorten more
 * either, but the figures follow them. */
static void test_rest(void) {
  for (int by = 0; by <= 1; by++) {
    start_idle();
    pub.bucket.per_s = 1000.0 / (2000 + by);
    flow(1);
    CU_ASSERT_EQUAL(step(), 0);
    CU_ASSERT_EQUAL(step(), 2000 + by);
    CU_ASSERT_EQUAL(pub.resting, !by);
    stop();
  }
}

/* Waits of a single millisecond are kept: the link's, and that after a refusal.
 */
static void test_the_last_millisecond(void) {
  start_idle();
  flow(1);
  pub.sending.pace.earliest_ms = t.now_ms + 1;
  CU_ASSERT_STRING_EQUAL(next(), "");
  CU_ASSERT_EQUAL(step(), 1);
  pub.sending.pace.earliest_ms = 0;
  pub.link.pace.earliest_ms = t.now_ms + 1;
  CU_ASSERT_STRING_EQUAL(next(), "");
  CU_ASSERT_EQUAL(step(), 1);
  pass(1);
  CU_ASSERT_STRING_EQUAL(next(), "/publish {\"to_device\":false,\"properties\":"
                                 "[{\"property\":\"flow_rate\",\"value\":1}]}");
  stop();
}

/* With nothing else to do the names are asked for when something is amiss: the
 * way, unless a value that is owed will tell; or the names themselves. */
static void test_when_names_are_asked_for(void) {
  static const struct {
    enum wr_link_state state;
    bool owed, known, asked;
  } cases[] = {
      {WR_LINK_OK, false, true, false},   {WR_LINK_OK, true, true, false},
      {WR_LINK_DOWN, false, true, true},  {WR_LINK_DOWN, true, true, false},
      {WR_LINK_OK, false, false, true},   {WR_LINK_DOWN, true, false, true},
      {WR_LINK_DOWN, false, false, true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    start_idle();
    pub.link.state = cases[i].state;
    pub.link.owed = cases[i].owed;
    pub.names.known = cases[i].known;
    pub.names.failed = true; /* it is not due by itself */
    pub.names.pace.earliest_ms = t.now_ms + 50000;
    CU_ASSERT_STRING_EQUAL(next(), cases[i].asked ? "/properties " : "");
    stop();
  }
}

/* Rows of which nobody knows better keep their stamps: the time of replies is
 * not known here, and our own clock is no judge of what lies behind it. */
static void test_stamps_without_the_services_clock(void) {
  start_idle();
  struct wr_row row = {.property = FLOW,
                       .time_us = WALL - 7200 * SECOND,
                       .clock_us = t.wall_us - t.now_ms * 1000 - 3600 * SECOND,
                       .value = {WR_VALUE_NUMBER, 3, ""}};
  properties[FLOW].alive = false;
  wr_spool_offer(spool, &row);
  wr_spool_commit(spool, t.now_ms, t.wall_us);
  CU_ASSERT_STRING_EQUAL(
      next(), "/properties/f-1/publish_batch "
              "[{\"timestamp\":\"2025-12-31T22:00:00.000000Z\",\"value\":3}]");
  stop();
}

/* A plan of one record a day is one. */
static void test_smallest_plan(void) {
  start_idle();
  pub.budget.daily = 1;
  pub.budget.spent.used = 1;
  flow(1);
  step();
  CU_ASSERT_STRING_EQUAL(
      pub.stats.budget,
      "DailyRecords is used up; 1 values are kept and go after midnight UTC, "
      "changes of state go at once");
  CU_ASSERT_EQUAL(pub.stats.budget_left, 0);
  pub.budget.daily = 0;
  pub.link.pace.earliest_ms = t.now_ms + 1000;
  step();
  CU_ASSERT_STRING_EQUAL(pub.stats.budget, "");
  CU_ASSERT_EQUAL(pub.stats.budget_left, INT64_MAX);
  stop();
}

/* A hundred rows that wait are no backlog yet; numbers alone are spaced. */
static void test_spacing(void) {
  start_idle();
  properties[LABEL].kind = WR_VALUE_NUMBER;
  for (int i = 0; i < 100; i++)
    flow(i);
  pub.budget.daily = 20000;
  pub.budget.spent.used = 12000;
  pub.link.pace.earliest_ms = t.now_ms + 1000;
  for (int rows = 100; rows <= 101; rows++) {
    for (int streams = 1; streams <= 2; streams++) {
      properties[LABEL].kind = streams > 1 ? WR_VALUE_NUMBER : WR_VALUE_TEXT;
      pub.budget.spent.old = 9000;
      step();
      CU_ASSERT_EQUAL(
          pub.stats.spacing_ms,
          wr_budget_spacing_ms(&pub.budget, t.wall_us, streams, rows > 100));
    }
    CU_ASSERT_NOT_EQUAL(
        wr_budget_spacing_ms(&pub.budget, t.wall_us, 1, rows > 100),
        wr_budget_spacing_ms(&pub.budget, t.wall_us, 2, rows > 100));
    flow(rows);
  }
  stop();
}

UNIT_MAIN("publisher, step", UNIT(test_report), UNIT(test_up),
          UNIT(test_no_property_of_nobody), UNIT(test_hurry),
          UNIT(test_spaced_from_the_reply_on), UNIT(test_rest),
          UNIT(test_the_last_millisecond), UNIT(test_when_names_are_asked_for),
          UNIT(test_stamps_without_the_services_clock),
          UNIT(test_smallest_plan), UNIT(test_spacing))
