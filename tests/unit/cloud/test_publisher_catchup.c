/* Three days without a link, then the way back, at a twentieth of the real
 * size: a value every 20 s instead of one a second, and a twentieth of the free
 * account's records a day. The plan is kept, nothing is lost, and what is new
 * has no gap. */
#include "tests/unit/cloud/fake_cloud.h"

#include "lib/cloud/publish_policy.h"

#define EVERY_MS 20000
#define DAY_MS INT64_C(86400000)
#define OUTAGE_DAYS 3
#define DAILY (100000 / 20)
#define DAYS_MAX 14
#define SAMPLES_MAX ((OUTAGE_DAYS + DAYS_MAX) * 86400 / 20)

static bool wanted[SAMPLES_MAX], arrived[SAMPLES_MAX];
static int samples, records_of_day[OUTAGE_DAYS + DAYS_MAX + 1];
static int64_t begun_ms;

static int count_send(void *arg, const struct wr_http_request *r,
                      struct wr_http_reply *reply) {
  const char *p = r->body;
  while (strstr(r->url, "publish") != NULL &&
         (p = strstr(p, "\"value\":")) != NULL) {
    p += strlen("\"value\":");
    records_of_day[(t.now_ms - begun_ms) / DAY_MS]++;
    if (*p != '"')
      arrived[atoi(p)] = true;
  }
  cloud.count = 0;
  return fake_send(arg, r, reply);
}

/* One sample, as the write callback takes it. */
static void sample(struct wr_policy *policy) {
  struct wr_value v = {WR_VALUE_NUMBER, samples, ""};
  wanted[samples] =
      wr_policy_decide(policy, &v, t.now_ms, t.wall_us, EVERY_MS * 2000,
                       pub.stats.spacing_ms) != WR_SKIP;
  if (wanted[samples])
    wr_spool_offer(spool, &(struct wr_row){.property = FLOW,
                                           .time_us = t.wall_us,
                                           .clock_us = WR_CLOCK_UNKNOWN,
                                           .value = v});
  samples++;
}

static void three_days_without(struct wr_policy *policy) {
  for (int i = 0; i < OUTAGE_DAYS * 86400 / 20; i++) {
    sample(policy);
    if (i % 500 == 499)
      wr_spool_commit(spool, t.now_ms, t.wall_us);
    pass(EVERY_MS);
  }
  wr_spool_commit(spool, t.now_ms, t.wall_us);
}

static int longest_gap(int from) {
  int gap = 0, last = from;
  for (int i = from; i < samples - 6; i++)
    if (arrived[i]) {
      gap = i - last > gap ? i - last : gap;
      last = i;
    }
  return gap;
}

static void test_catch_up_keeps_the_plan_and_has_no_gap(void) {
  struct wr_policy policy = {.min_ms = EVERY_MS};
  start();
  wr_publisher_free(&pub);
  wr_spool_destroy(spool);
  start_with(100, DAILY);
  pub.link.options.send = count_send;
  begun_ms = t.now_ms;
  three_days_without(&policy);
  int back = samples, days = 0, lost = 0;
  CU_ASSERT_EQUAL(rows_left(), back);
  while (rows_left() > 20 && days < DAYS_MAX) {
    for (int i = 0; i < 86400 / 20; i++) {
      sample(&policy);
      wr_spool_commit(spool, t.now_ms, t.wall_us);
      run(EVERY_MS);
    }
    days++;
  }
  for (int i = 0; i < samples - 6; i++)
    lost += wanted[i] && !arrived[i];
  /* It ends as CUnit's own line does, which tests/run-units looks for. */
  printf("\n    caught up after %d days; longest gap of what is new %d s ...",
         days, longest_gap(back) * 20);
  CU_ASSERT_EQUAL(lost, rows_left() > 6 ? (int)rows_left() - 6 : 0);
  CU_ASSERT_TRUE(days <= 7);
  CU_ASSERT_TRUE(longest_gap(back) * 20 <= 80);
  for (int d = 0; d < OUTAGE_DAYS + days; d++)
    CU_ASSERT_TRUE(records_of_day[d] <= DAILY);
  stop();
}

UNIT_MAIN("publisher, catch-up",
          UNIT(test_catch_up_keeps_the_plan_and_has_no_gap))
