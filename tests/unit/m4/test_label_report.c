#include "tests/unit/unit.h"

#include "lib/m4/label_report.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static struct wr_label_report fresh(bool on_change, int64_t heartbeat_ms) {
  return (struct wr_label_report){.on_change = on_change,
                                  .heartbeat_ms = heartbeat_ms,
                                  .backoff =
                                      WR_BACKOFF_INIT(2000, 2000, 30000)};
}

static void test_nothing_known(void) {
  struct wr_label_report r = fresh(true, 60000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 999999), INT64_MAX);
  CU_ASSERT_FALSE(wr_label_report_offer(&r, "", 1, 5, 1000, 1000));
  char longer[WR_LABEL_MAX + 1];
  memset(longer, 'a', sizeof(longer));
  longer[WR_LABEL_MAX] = '\0';
  CU_ASSERT_FALSE(wr_label_report_offer(&r, longer, 1, 5, 1000, 1000));
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 999999), INT64_MAX);
}

static void test_on_change(void) {
  struct wr_label_report r = fresh(true, 60000);
  r.max_age_ms = 3600000;
  CU_ASSERT(wr_label_report_offer(&r, "Normal", 0.9, 100, 1000, 1000));
  CU_ASSERT_EQUAL(r.version, 1);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1000), 0);
  wr_label_report_done(&r, r.version, true, 1000, 0, 0);
  CU_ASSERT_FALSE(wr_label_report_offer(&r, "Normal", 0.8, 200, 1000, 1000));
  CU_ASSERT_EQUAL(r.score, 0.8); /* what the heartbeat will send */
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 2000), 59000);
  CU_ASSERT_EQUAL(r.version, 1);
  CU_ASSERT(wr_label_report_offer(&r, "Low", 0.7, 300, 1000, 1000));
  CU_ASSERT_EQUAL(r.version, 2);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 2000), 0);
}

static void test_heartbeat(void) {
  struct wr_label_report r = fresh(true, 60000);
  r.max_age_ms = 3600000;
  wr_label_report_offer(&r, "Low", 0.7, 300, 1000, 1000);
  wr_label_report_done(&r, r.version, true, 5000, 0, 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 64000), 1000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 65000), 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 70000), 0);
  r.heartbeat_ms = 1;
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 5000), 1);
  r.heartbeat_ms = 0;
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 65000), 3536000);
  r.heartbeat_ms = 10000; /* long after the start, and soon too old */
  r.max_age_ms = 60000;
  wr_label_report_offer(&r, "Low", 0.7, 300, 1000, 1000000);
  wr_label_report_done(&r, r.version, true, 1000000, 0, 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1009000), 1000);
  wr_label_report_done(&r, r.version, true, 1055000, 0, 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1055000), 5000);
}

/* Several values of one window carry the same label and time. */
static void test_every_window(void) {
  struct wr_label_report r = fresh(false, 0);
  CU_ASSERT(wr_label_report_offer(&r, "Low", 0.7, 300, 1000, 1000));
  CU_ASSERT_FALSE(wr_label_report_offer(&r, "Low", 0.7, 300, 1000, 1000));
  CU_ASSERT(wr_label_report_offer(&r, "Low", 0.6, 400, 1000, 1000));
}

/* Clocks jump both ways: what came last is the newest. */
static void test_order_is_that_of_arrival(void) {
  struct wr_label_report r = fresh(true, 0);
  static const int64_t stamps[] = {300, 299, 300 - 3600000000, 5, INT64_MAX};
  for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
    const char *label = i % 2 == 0 ? "Low" : "High";
    CU_ASSERT(wr_label_report_offer(&r, label, 0.7, stamps[i], 1000, 1000));
    CU_ASSERT_STRING_EQUAL(r.label, label);
  }
}

static void tell(struct wr_label_report *r, int64_t now_ms) {
  CU_ASSERT_EQUAL(wr_label_report_wait(r, now_ms), 0);
  wr_label_report_done(r, r->version, true, now_ms, 0, 0);
}

/* It is told at once, at each heartbeat, and ends with the next label. */
static void test_old_label_is_unknown(void) {
  struct wr_label_report r = fresh(true, 60000);
  wr_label_report_offer(&r, "Normal", 0.9, 1, 1000, 1000);
  tell(&r, 1000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1001), WR_LABEL_AGE_MS - 1);
  wr_label_report_offer(&r, "Normal", 0.9, 2, 1000, 2000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 2000), WR_LABEL_AGE_MS);
  tell(&r, 2000 + WR_LABEL_AGE_MS);
  CU_ASSERT_STRING_EQUAL(r.label, WR_LABEL_UNKNOWN);
  CU_ASSERT_EQUAL(r.score, 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 2000 + WR_LABEL_AGE_MS), 60000);
  tell(&r, 62000 + WR_LABEL_AGE_MS);
  CU_ASSERT_STRING_EQUAL(r.label, WR_LABEL_UNKNOWN);
  CU_ASSERT(wr_label_report_offer(&r, "Normal", 0.9, 3, 1000, 90000));
  tell(&r, 90000);
  CU_ASSERT_STRING_EQUAL(r.label, "Normal");
}

static void test_age_follows_the_interval(void) {
  struct wr_label_report r = fresh(true, 0);
  wr_label_report_offer(&r, "Normal", 0.9, 1, 20000, 1000);
  tell(&r, 1000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1000), 60000);
  wr_label_report_offer(&r, "Normal", 0.9, 1, 10001, 1000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1000), 30003);
  wr_label_report_offer(&r, "Normal", 0.9, 1, 9999, 1000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1000), WR_LABEL_AGE_MS);
  for (r.max_age_ms = 1; r.max_age_ms < 3000; r.max_age_ms += 1999) {
    wr_label_report_offer(&r, "Normal", 0.9, 2, 20000, 2000);
    CU_ASSERT_EQUAL(wr_label_report_wait(&r, 2000), r.max_age_ms);
  }
}

/* No label since the start: the M4 may still hold one of long ago. */
static void test_no_first_label(void) {
  struct wr_label_report r = fresh(true, 0);
  wr_label_report_start(&r, 1000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1000), WR_LABEL_AGE_MS);
  tell(&r, 1000 + WR_LABEL_AGE_MS);
  CU_ASSERT_STRING_EQUAL(r.label, WR_LABEL_UNKNOWN);
  CU_ASSERT_EQUAL(r.version, 1);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 100000), INT64_MAX);
}

static void test_lost(void) {
  struct wr_label_report r = fresh(true, 0);
  wr_label_report_offer(&r, "Low", 0.7, 300, 0, 1000);
  tell(&r, 1000);
  wr_label_report_lost(&r, 2000, 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 2000), 2000);
  tell(&r, 4000);
  wr_label_report_lost(&r, 5000, 0); /* what comes next is told, too */
  CU_ASSERT(wr_label_report_offer(&r, "High", 0.7, 400, 0, 5000));
  tell(&r, 7000);
  r.backoff = (struct wr_backoff)WR_BACKOFF_INIT(0, 0, 0); /* none */
  wr_label_report_lost(&r, 8000, 0);
  tell(&r, 8000);
}

static void test_change_while_sending(void) {
  struct wr_label_report r = fresh(true, 0);
  wr_label_report_offer(&r, "Low", 0.7, 300, 1000, 1000);
  uint64_t version = r.version;
  wr_label_report_offer(&r, "High", 0.9, 400, 1000, 1000);
  wr_label_report_done(&r, version, true, 1000, 0, 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1000), 0);
}

static void test_failures_back_off(void) {
  struct wr_label_report r = fresh(true, 0);
  wr_label_report_offer(&r, "Low", 0.7, 300, 1000, 1000);
  wr_label_report_done(&r, r.version, false, 1000, 0, 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1000), 2000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 3000), 0);
  wr_label_report_done(&r, r.version, false, 3000, 0, 600000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 3000), 600000);
  wr_label_report_offer(&r, "High", 0.9, 400, 1000, 1000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 4000), 599000);
}

static void test_words(void) {
  struct wr_bytes b = WR_BYTES_INIT(255);
  CU_ASSERT_EQUAL(wr_label_report_write(&b, "Low", 0.875), 0);
  CU_ASSERT_STRING_EQUAL(b.data, "{\"label\":\"Low\",\"value\":0.875}");
  wr_bytes_reset(&b);
  CU_ASSERT_EQUAL(wr_label_report_write(&b, "a\"b", NAN), 0);
  CU_ASSERT_STRING_EQUAL(b.data, "{\"label\":\"a\\\"b\",\"value\":0}");
  wr_bytes_free(&b);
  b.max = 10;
  CU_ASSERT_EQUAL(wr_label_report_write(&b, "Low", 1), -ENOSPC);
  wr_bytes_free(&b);
}

/* A label that is "unknown" already says nothing new when it is too old. */
static void test_unknown_grows_old(void) {
  struct wr_label_report r = {.on_change = true,
                              .max_age_ms = 1000,
                              .backoff = WR_BACKOFF_INIT(1, 1, 1)};
  wr_label_report_start(&r, 1);
  CU_ASSERT_TRUE(wr_label_report_offer(&r, WR_LABEL_UNKNOWN, 0, 1, 0, 1));
  wr_label_report_done(&r, r.version, true, 1, 0, 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 5000), INT64_MAX);
  CU_ASSERT_TRUE(wr_label_report_offer(&r, "Low", 0, 2, 0, 5000));
  wr_label_report_done(&r, r.version, true, 5000, 0, 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 6000), 0);
}

UNIT_MAIN("label_report", UNIT(test_unknown_grows_old),
          UNIT(test_nothing_known), UNIT(test_on_change), UNIT(test_heartbeat),
          UNIT(test_every_window), UNIT(test_order_is_that_of_arrival),
          UNIT(test_old_label_is_unknown), UNIT(test_age_follows_the_interval),
          UNIT(test_no_first_label), UNIT(test_lost),
          UNIT(test_change_while_sending), UNIT(test_failures_back_off),
          UNIT(test_words))
