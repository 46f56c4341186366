#include "lib/flow/recent.h"

#include "tests/unit/unit.h"

#include <math.h>

/* 1, 2, 3 ... count, the newest last. */
static struct wr_recent counted(unsigned count) {
  struct wr_recent r = {.count = 0};
  for (unsigned i = 1; i <= count; i++)
    wr_recent_push(&r, i);
  return r;
}

static void check(unsigned count) {
  struct wr_recent r = counted(count);
  unsigned held = count < WR_RECENT_MAX ? count : WR_RECENT_MAX;
  for (unsigned n = 0; n <= held + 1; n++) {
    double used = n < held ? n : held;
    double mean = used > 0 ? count - (used - 1) / 2 : 0;
    double deviation = used > 1 ? sqrt(used * (used + 1) / 12) : 0;
    struct wr_recent_look look;
    CU_ASSERT_DOUBLE_EQUAL(wr_recent_mean(&r, n), mean, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(wr_recent_deviation(&r, n), deviation, 1e-9);
    wr_recent_look(&r, n / 3 + 1, n / 2 + 1, n, &look);
    CU_ASSERT_DOUBLE_EQUAL(look.deviation, deviation, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(look.few,
                           wr_recent_mean(&r, used > 0 ? n / 3 + 1 : 0), 1e-9);
    if (n / 2 + 1 <= used)
      CU_ASSERT_DOUBLE_EQUAL(look.more, wr_recent_mean(&r, n / 2 + 1), 1e-9);
  }
}

/* Empty, one, nearly full, full, and wrapped around. */
static void test_means_and_deviations(void) {
  static const unsigned counts[] = {0,
                                    1,
                                    2,
                                    WR_RECENT_MAX - 1,
                                    WR_RECENT_MAX,
                                    WR_RECENT_MAX + 1,
                                    2 * WR_RECENT_MAX + 7};
  for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
    check(counts[i]);
}

UNIT_MAIN("recent", UNIT(test_means_and_deviations))
