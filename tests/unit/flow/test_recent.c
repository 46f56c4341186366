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

static void test_ring(void) {
  struct wr_recent r = {.count = 0};
  for (unsigned i = 1; i <= 3 * WR_RECENT_MAX; i++) {
    wr_recent_push(&r, i);
    CU_ASSERT_EQUAL(r.count, i < WR_RECENT_MAX ? i : WR_RECENT_MAX);
    CU_ASSERT_EQUAL(r.next, i % WR_RECENT_MAX);
    CU_ASSERT_EQUAL(r.values[(i - 1) % WR_RECENT_MAX], i);
  }
}

/* Of none and of one, whatever stood there before. */
static void test_next_to_nothing(void) {
  struct wr_recent r = {.count = 0};
  struct wr_recent_look look = {7, 7, 7};
  for (int i = 0; i < WR_RECENT_MAX; i++)
    r.values[i] = 99;
  wr_recent_look(&r, 5, 12, 20, &look);
  CU_ASSERT_EQUAL(look.few, 0);
  CU_ASSERT_EQUAL(look.more, 0);
  CU_ASSERT_EQUAL(look.deviation, 0);
  CU_ASSERT_EQUAL(wr_recent_mean(&r, 20), 0);
  CU_ASSERT_EQUAL(wr_recent_deviation(&r, 20), 0);
  wr_recent_push(&r, 8);
  wr_recent_look(&r, 5, 12, 20, &look);
  CU_ASSERT_EQUAL(look.few, 8);
  CU_ASSERT_EQUAL(look.more, 8);
  CU_ASSERT_EQUAL(look.deviation, 0);
  CU_ASSERT_EQUAL(wr_recent_mean(&r, 20), 8);
  CU_ASSERT_EQUAL(wr_recent_deviation(&r, 20), 0);
  wr_recent_push(&r, 8.25);
  wr_recent_look(&r, 1, 1, 1, &look);
  CU_ASSERT_EQUAL(look.few, 8.25);
  CU_ASSERT_EQUAL(look.more, 8.25);
  CU_ASSERT_EQUAL(look.deviation, 0);
  wr_recent_look(&r, 2, 2, 20, &look);
  CU_ASSERT_EQUAL(look.few, 8.125);
  CU_ASSERT_EQUAL(look.more, 8.125);
  CU_ASSERT_EQUAL(look.deviation, sqrt(0.03125));
  CU_ASSERT_EQUAL(wr_recent_deviation(&r, 2), sqrt(0.03125));
}

/* Each mean takes just as many as it says. */
static void test_few_more_wide(void) {
  struct wr_recent r = {.count = 0};
  struct wr_recent_look look;
  for (int i = WR_RECENT_MAX - 1; i >= 0; i--)
    wr_recent_push(&r, 1 << i);
  for (unsigned few = 1; few <= WR_RECENT_MAX; few++)
    for (unsigned more = few; more <= WR_RECENT_MAX; more++) {
      wr_recent_look(&r, few, more, WR_RECENT_MAX, &look);
      CU_ASSERT_DOUBLE_EQUAL(look.few, ((1 << few) - 1) / (double)few, 1e-9);
      CU_ASSERT_DOUBLE_EQUAL(look.more, ((1 << more) - 1) / (double)more, 1e-9);
      CU_ASSERT_DOUBLE_EQUAL(wr_recent_mean(&r, few), look.few, 1e-9);
    }
}

/* As exact where the level is large as where it is not. */
static void test_a_little_on_top_of_much(void) {
  for (double level = 100000.3; level < 200000; level += 1234.7) {
    struct wr_recent r = {.count = 0};
    struct wr_recent_look look;
    double mean = 0, squares = 0;
    for (int i = 0; i < WR_RECENT_MAX; i++)
      wr_recent_push(&r, level + i * i % 7 / 128.0);
    for (int i = 1; i < WR_RECENT_MAX; i++)
      mean += ((double)r.values[i] - level) / (WR_RECENT_MAX - 1);
    for (int i = 1; i < WR_RECENT_MAX; i++)
      squares += pow((double)r.values[i] - level - mean, 2);
    double deviation = sqrt(squares / (WR_RECENT_MAX - 2));
    wr_recent_look(&r, 5, 12, WR_RECENT_MAX - 1, &look);
    CU_ASSERT_DOUBLE_EQUAL(look.deviation, deviation, 1e-8 * deviation);
    CU_ASSERT_DOUBLE_EQUAL(wr_recent_deviation(&r, WR_RECENT_MAX - 1),
                           deviation, 1e-8 * deviation);
  }
}

UNIT_MAIN("recent", UNIT(test_means_and_deviations), UNIT(test_ring),
          UNIT(test_next_to_nothing), UNIT(test_few_more_wide),
          UNIT(test_a_little_on_top_of_much))
