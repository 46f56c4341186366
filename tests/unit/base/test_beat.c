#include "lib/base/beat.h"
#include "tests/unit/unit.h"

static void test_every_look(void) {
  struct wr_beat b;
  wr_beat_init(&b, 0, 3);
  for (int64_t t = 0; t < 10; t++)
    CU_ASSERT(wr_beat_due(&b, false, t));
}

/* At the first look, at every change, and never later than it says. */
static void test_changes_and_distance(void) {
  for (uint64_t n = 0; n < 50; n++) {
    struct wr_beat b;
    int64_t last = 0, count = 0;
    wr_beat_init(&b, 10000, n);
    CU_ASSERT(wr_beat_due(&b, false, 1000000));
    last = 1000000;
    for (int64_t t = 1001000; t <= 1100000; t += 1000) {
      bool changed = t == 1033000 || t == 1034000;
      bool due = wr_beat_due(&b, changed, t);
      CU_ASSERT(due || !changed);
      CU_ASSERT(due || t - last < 10000);
      count += due && !changed;
      if (due)
        last = t;
    }
    CU_ASSERT(count >= 9 && count <= 10);
  }
}

/* A thousand of them that begin at once do not go on at once. */
static void test_spread(void) {
  static struct wr_beat b[1000];
  for (uint64_t n = 0; n < 1000; n++) {
    wr_beat_init(b + n, 10000, n);
    (void)wr_beat_due(b + n, false, 5000000);
  }
  int total = 0, most = 0;
  for (int64_t t = 5001000; t <= 5010000; t += 1000) {
    int now = 0;
    for (int n = 0; n < 1000; n++)
      now += wr_beat_due(b + n, false, t);
    most = now > most ? now : most;
    total += now;
  }
  CU_ASSERT_EQUAL(total, 1000);
  CU_ASSERT(most <= 105);
}

/* A part of the distance, whatever the number; neighbours lie far apart. */
static void test_any_number(void) {
  static const uint64_t numbers[] = {0, 1, 999999, 1000000, UINT64_MAX};
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
    int64_t here = wr_beat_phase(10000, numbers[i]);
    int64_t there = wr_beat_phase(10000, numbers[i] - 1);
    CU_ASSERT(here >= 0 && here < 10000);
    CU_ASSERT(here - there >= 3000 || there - here >= 3000);
  }
}

/* Multiples of the golden ratio, of a million numbers; what stands still is
 * told when its own grid says so. */
static void test_own_grid(void) {
  struct wr_beat b;
  CU_ASSERT_EQUAL(wr_beat_phase(10000, 0), 0);
  CU_ASSERT_EQUAL(wr_beat_phase(10000, 1), 6180);
  CU_ASSERT_EQUAL(wr_beat_phase(10000, 2), 2360);
  CU_ASSERT_EQUAL(wr_beat_phase(10000, 1000000), 0);
  CU_ASSERT_EQUAL(wr_beat_phase(10000, 1000001), 6180);
  wr_beat_init(&b, 10000, 1);
  CU_ASSERT(wr_beat_due(&b, false, 0));
  CU_ASSERT_FALSE(wr_beat_due(&b, false, 3819));
  CU_ASSERT(wr_beat_due(&b, false, 3820));
  CU_ASSERT_FALSE(wr_beat_due(&b, false, 13819));
  CU_ASSERT(wr_beat_due(&b, false, 13820));
  wr_beat_init(&b, 1, 1);
  for (int64_t t = 0; t < 10; t++) {
    CU_ASSERT(wr_beat_due(&b, false, t));
    CU_ASSERT_FALSE(wr_beat_due(&b, false, t));
  }
}

UNIT_MAIN("beat", UNIT(test_own_grid), UNIT(test_any_number),
          UNIT(test_every_look), UNIT(test_changes_and_distance),
          UNIT(test_spread))
