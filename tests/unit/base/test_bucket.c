#include "lib/base/bucket.h"
#include "tests/unit/unit.h"

static void test_the_example_of_the_header(void) {
  struct wr_bucket b;
  wr_bucket_init(&b, 1, 2, 0);
  CU_ASSERT_EQUAL(wr_bucket_take(&b, 0), 0);
  CU_ASSERT_EQUAL(wr_bucket_take(&b, 0), 0);
  CU_ASSERT_EQUAL(wr_bucket_take(&b, 0), 1000);
  CU_ASSERT_EQUAL(wr_bucket_take(&b, 500), 500);
  CU_ASSERT_EQUAL(wr_bucket_take(&b, 1000), 0);
}

static void test_burst_is_a_ceiling(void) {
  struct wr_bucket b;
  wr_bucket_init(&b, 10, 3, 0);
  int taken = 0;
  while (wr_bucket_take(&b, 1000000) == 0)
    taken++;
  CU_ASSERT_EQUAL(taken, 3);
}

static void test_backward_time_gains_nothing(void) {
  struct wr_bucket b;
  wr_bucket_init(&b, 1, 1, 10000);
  CU_ASSERT_EQUAL(wr_bucket_take(&b, 10000), 0);
  CU_ASSERT_EQUAL(wr_bucket_take(&b, 0), 1000);
  CU_ASSERT_EQUAL(wr_bucket_take(&b, 999), 1);
  CU_ASSERT_EQUAL(wr_bucket_take(&b, 1000), 0);
}

static void test_long_run_keeps_the_rate(void) {
  struct wr_bucket b;
  wr_bucket_init(&b, 3, 1, 0);
  int taken = 0;
  for (int64_t ms = 0; ms < 100000; ms++)
    taken += wr_bucket_take(&b, ms) == 0;
  CU_ASSERT(taken >= 299 && taken <= 301);
}

/* Who is told to wait, waits: not even a microsecond rounds to "now". */
static void test_at_least_a_millisecond(void) {
  for (double per_s = 1; per_s < 1e12; per_s *= 10) {
    struct wr_bucket b;
    wr_bucket_init(&b, per_s, 1, 0);
    CU_ASSERT_EQUAL(wr_bucket_take(&b, 0), 0);
    CU_ASSERT_EQUAL(wr_bucket_take(&b, 0), per_s < 1e3 ? 1000 / (int)per_s : 1);
  }
}

UNIT_MAIN("bucket", UNIT(test_at_least_a_millisecond),
          UNIT(test_the_example_of_the_header), UNIT(test_burst_is_a_ceiling),
          UNIT(test_backward_time_gains_nothing),
          UNIT(test_long_run_keeps_the_rate))
