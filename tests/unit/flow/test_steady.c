#include "lib/flow/steady.h"
#include "tests/unit/unit.h"

#define SECOND INT64_C(1000000)
#define START (INT64_C(1700000000) * SECOND)

/* A live series at 1 Hz; its stamps are ahead by ahead_us. */
struct feed {
  struct wr_steady s;
  int64_t now_ms, left_out, steady_us;
};

static void feed(struct feed *f, int count, int64_t ahead_us) {
  for (int i = 0; i < count; i++) {
    f->now_ms += 1000;
    int64_t before_us = f->steady_us;
    if (!wr_steady_step(&f->s, START + f->now_ms * 1000 + ahead_us, f->now_ms,
                        SECOND, &f->steady_us))
      f->left_out++;
    else if (before_us != 0) /* on time, or with one place to fill */
      CU_ASSERT(f->steady_us - before_us == SECOND ||
                f->steady_us - before_us == 2 * SECOND);
  }
}

static void test_jumps_of_every_size_cost_one_place(void) {
  static const int64_t sizes_s[] = {3,     7,      59,        3600,
                                    86400, 604800, 315360000, 1600000000};
  for (size_t i = 0; i < sizeof(sizes_s) / sizeof(sizes_s[0]); i++)
    for (int sign = -1; sign <= 1; sign += 2) {
      struct feed f = {0};
      feed(&f, 10, 0);
      feed(&f, 10, sign * sizes_s[i] * SECOND);
      CU_ASSERT_EQUAL(f.left_out, 1);
      CU_ASSERT_EQUAL(f.s.jumps, 1);
      CU_ASSERT_EQUAL(wr_steady_wall(&f.s, f.steady_us),
                      START + f.now_ms * 1000 + sign * sizes_s[i] * SECOND);
      feed(&f, 10, 0); /* and back */
      CU_ASSERT_EQUAL(f.left_out, 2);
      CU_ASSERT_EQUAL(f.s.jumps, 2);
    }
}

static void test_one_wild_stamp_is_left_out(void) {
  struct feed f = {0};
  feed(&f, 10, 0);
  feed(&f, 1, 3600 * SECOND);
  feed(&f, 10, 0);
  feed(&f, 1, -3600 * SECOND);
  feed(&f, 10, 0);
  CU_ASSERT_EQUAL(f.left_out, 2);
  CU_ASSERT_EQUAL(f.s.jumps, 0);
}

/* Nothing for 30 s, then all of it at once. */
static void test_a_burst_is_believed(void) {
  struct feed f = {0};
  feed(&f, 10, 0);
  int64_t now_ms = f.now_ms + 30000, out_us;
  for (int i = 1; i <= 30; i++) {
    int64_t time_us = START + f.now_ms * 1000 + i * SECOND;
    CU_ASSERT(wr_steady_step(&f.s, time_us, now_ms, SECOND, &out_us));
    CU_ASSERT_EQUAL(out_us, time_us);
  }
  CU_ASSERT_EQUAL(f.s.jumps, 0);
}

static void test_a_true_gap_stays_one(void) {
  struct feed f = {0};
  feed(&f, 10, 0);
  int64_t before_us = f.steady_us;
  f.now_ms += 100000;
  CU_ASSERT(wr_steady_step(&f.s, START + f.now_ms * 1000, f.now_ms, SECOND,
                           &f.steady_us));
  CU_ASSERT_EQUAL(f.steady_us - before_us, 100 * SECOND);
}

/* Played in fast time, stamps are all there is. */
static void test_a_recording_is_believed(void) {
  struct wr_steady s = {0};
  int64_t out_us, time_us = START;
  for (int i = 0; i < 100; i++) {
    time_us += i % 20 == 19 ? 5000 * SECOND : SECOND;
    CU_ASSERT(wr_steady_step(&s, time_us, i / 50, SECOND, &out_us));
    CU_ASSERT_EQUAL(out_us, time_us);
  }
  CU_ASSERT(wr_steady_step(&s, START, 2, SECOND, &out_us));
  CU_ASSERT_EQUAL(out_us, START);
}

/* Write threads may swap neighbours. */
static void test_swapped_neighbours_are_believed(void) {
  struct feed f = {0};
  feed(&f, 10, 0);
  int64_t base_us = START + f.now_ms * 1000, out_us;
  CU_ASSERT(wr_steady_step(&f.s, base_us + 2 * SECOND, f.now_ms + 2000, SECOND,
                           &out_us));
  CU_ASSERT(
      wr_steady_step(&f.s, base_us + SECOND, f.now_ms + 2001, SECOND, &out_us));
  CU_ASSERT_EQUAL(out_us, base_us + SECOND);
  CU_ASSERT(wr_steady_step(&f.s, base_us + 3 * SECOND, f.now_ms + 3000, SECOND,
                           &out_us));
  CU_ASSERT_EQUAL(f.s.jumps, 0);
}

UNIT_MAIN("steady", UNIT(test_jumps_of_every_size_cost_one_place),
          UNIT(test_one_wild_stamp_is_left_out), UNIT(test_a_burst_is_believed),
          UNIT(test_a_true_gap_stays_one), UNIT(test_a_recording_is_believed),
          UNIT(test_swapped_neighbours_are_believed))
