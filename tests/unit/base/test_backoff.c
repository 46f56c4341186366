#include "lib/base/backoff.h"
#include "tests/unit/unit.h"

static void test_full_jitter_doubles_to_the_cap(void) {
  struct wr_backoff b = WR_BACKOFF_INIT(10, 1000, 5000);
  const int64_t top[] = {1000, 2000, 4000, 5000, 5000};
  for (int i = 0; i < 5; i++)
    CU_ASSERT_EQUAL(wr_backoff_fail(&b, 0, UINT32_MAX, 0), top[i]);
  CU_ASSERT_EQUAL(wr_backoff_fail(&b, 0, 0, 0), 10);
}

static void test_wait_counts_down(void) {
  struct wr_backoff b = WR_BACKOFF_INIT(100, 100, 100);
  CU_ASSERT_EQUAL(wr_backoff_wait(&b, 7), 0);
  CU_ASSERT_EQUAL(wr_backoff_fail(&b, 1000, 12345, 0), 100);
  CU_ASSERT_EQUAL(wr_backoff_wait(&b, 1040), 60);
  CU_ASSERT_EQUAL(wr_backoff_wait(&b, 1100), 0);
  wr_backoff_fail(&b, 1100, 1, 0);
  wr_backoff_ok(&b);
  CU_ASSERT_EQUAL(wr_backoff_wait(&b, 1101), 0);
  CU_ASSERT_EQUAL(b.failures, 0);
}

static void test_retry_after_beats_the_cap(void) {
  struct wr_backoff b = WR_BACKOFF_INIT(0, 100, 1000);
  CU_ASSERT_EQUAL(wr_backoff_fail(&b, 0, UINT32_MAX, 90000), 90000);
}

static void test_a_year_of_failures(void) {
  struct wr_backoff b = WR_BACKOFF_INIT(1, 1000, INT64_MAX / 4);
  for (int i = 0; i < 100000; i++)
    CU_ASSERT_FATAL(wr_backoff_fail(&b, 0, 0x80000000u, 0) > 0);
}

/* Never sooner than the least, however small the rest is. */
static void test_least(void) {
  struct wr_backoff b = WR_BACKOFF_INIT(500, 100, 200);
  for (int i = 0; i < 4; i++)
    CU_ASSERT_EQUAL(wr_backoff_fail(&b, 0, i % 2 ? UINT32_MAX : 0, 0), 500);
}

/* After a success the next try is due at any time of the clock; the count of
 * failures does not begin again where it ends. */
static void test_ends_of_the_count(void) {
  struct wr_backoff b = WR_BACKOFF_INIT(0, 100, 1000);
  wr_backoff_fail(&b, -5000, UINT32_MAX, 0);
  wr_backoff_ok(&b);
  CU_ASSERT_EQUAL(wr_backoff_wait(&b, 0), 0);
  b.failures = UINT32_MAX - 1;
  for (int i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(wr_backoff_fail(&b, 0, UINT32_MAX, 0), 1000);
  CU_ASSERT_EQUAL(b.failures, UINT32_MAX);
}

UNIT_MAIN("backoff", UNIT(test_least), UNIT(test_ends_of_the_count),
          UNIT(test_full_jitter_doubles_to_the_cap),
          UNIT(test_wait_counts_down), UNIT(test_retry_after_beats_the_cap),
          UNIT(test_a_year_of_failures))
