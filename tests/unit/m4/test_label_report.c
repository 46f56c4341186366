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
  CU_ASSERT_FALSE(wr_label_report_offer(&r, "", 1, 5));
  char longer[WR_LABEL_MAX + 1];
  memset(longer, 'a', sizeof(longer));
  longer[WR_LABEL_MAX] = '\0';
  CU_ASSERT_FALSE(wr_label_report_offer(&r, longer, 1, 5));
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 999999), INT64_MAX);
}

static void test_on_change(void) {
  struct wr_label_report r = fresh(true, 60000);
  CU_ASSERT(wr_label_report_offer(&r, "Normal", 0.9, 100));
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1000), 0);
  wr_label_report_done(&r, r.version, true, 1000, 0, 0);
  CU_ASSERT_FALSE(wr_label_report_offer(&r, "Normal", 0.8, 200));
  CU_ASSERT_EQUAL(r.score, 0.8); /* what the heartbeat will send */
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 2000), 59000);
  CU_ASSERT(wr_label_report_offer(&r, "Low", 0.7, 300));
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 2000), 0);
}

static void test_heartbeat(void) {
  struct wr_label_report r = fresh(true, 60000);
  wr_label_report_offer(&r, "Low", 0.7, 300);
  wr_label_report_done(&r, r.version, true, 5000, 0, 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 64000), 1000);
  CU_ASSERT(wr_label_report_wait(&r, 65000) <= 0);
  r.heartbeat_ms = 0;
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 65000), INT64_MAX);
}

/* Several values of one window carry the same label and time. */
static void test_every_window(void) {
  struct wr_label_report r = fresh(false, 0);
  CU_ASSERT(wr_label_report_offer(&r, "Low", 0.7, 300));
  CU_ASSERT_FALSE(wr_label_report_offer(&r, "Low", 0.7, 300));
  CU_ASSERT(wr_label_report_offer(&r, "Low", 0.6, 400));
}

static void test_old_label_is_ignored(void) {
  struct wr_label_report r = fresh(true, 0);
  wr_label_report_offer(&r, "Low", 0.7, 300);
  CU_ASSERT_FALSE(wr_label_report_offer(&r, "High", 0.9, 299));
  CU_ASSERT_STRING_EQUAL(r.label, "Low");
}

static void test_change_while_sending(void) {
  struct wr_label_report r = fresh(true, 0);
  wr_label_report_offer(&r, "Low", 0.7, 300);
  uint64_t version = r.version;
  wr_label_report_offer(&r, "High", 0.9, 400);
  wr_label_report_done(&r, version, true, 1000, 0, 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1000), 0);
}

static void test_failures_back_off(void) {
  struct wr_label_report r = fresh(true, 0);
  wr_label_report_offer(&r, "Low", 0.7, 300);
  wr_label_report_done(&r, r.version, false, 1000, 0, 0);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 1000), 2000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 3000), 0);
  wr_label_report_done(&r, r.version, false, 3000, 0, 600000);
  CU_ASSERT_EQUAL(wr_label_report_wait(&r, 3000), 600000);
  wr_label_report_offer(&r, "High", 0.9, 400);
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

UNIT_MAIN("label_report", UNIT(test_nothing_known), UNIT(test_on_change),
          UNIT(test_heartbeat), UNIT(test_every_window),
          UNIT(test_old_label_is_ignored), UNIT(test_change_while_sending),
          UNIT(test_failures_back_off), UNIT(test_words))
