#include "tests/unit/unit.h"

#include "lib/base/sample_clock.h"

static void test_first_at_once(void) {
  struct wr_sample_clock c;
  wr_sample_clock_start(&c, 1000000, 500);
  CU_ASSERT(wr_sample_clock_due(&c, 500));
  CU_ASSERT_FALSE(wr_sample_clock_due(&c, 500));
  CU_ASSERT_FALSE(wr_sample_clock_due(&c, 1000499));
  CU_ASSERT(wr_sample_clock_due(&c, 1000500));
}

/* Every turn comes late, by up to 0.3 s, and no instant moves. */
static void test_no_drift(void) {
  struct wr_sample_clock c;
  wr_sample_clock_start(&c, 1000000, 0);
  for (int64_t k = 0; k < 100000; k++) {
    CU_ASSERT_EQUAL_FATAL(c.next_us, k * 1000000);
    CU_ASSERT_FATAL(wr_sample_clock_due(&c, c.next_us + (k * 7919) % 300000));
  }
  CU_ASSERT_EQUAL(c.skipped, 0);
}

static void test_skips(void) {
  struct wr_sample_clock c;
  wr_sample_clock_start(&c, 1000000, 10000000);
  CU_ASSERT(wr_sample_clock_due(&c, 10000000));
  CU_ASSERT(wr_sample_clock_due(&c, 13200000));
  CU_ASSERT_EQUAL(c.skipped, 2);
  CU_ASSERT_EQUAL(c.next_us, 14000000);
  CU_ASSERT_FALSE(wr_sample_clock_due(&c, 13999999));
}

UNIT_MAIN("sample_clock", UNIT(test_first_at_once), UNIT(test_no_drift),
          UNIT(test_skips))
