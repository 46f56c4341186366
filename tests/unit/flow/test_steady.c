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

/* A series that is live, 1 s after its newest sample. */
#define LIVE_AT                                                                \
  {                                                                            \
    .running = true, .live = 3, .offset_us = 7 * SECOND, .time_us = START,     \
    .arrived_ms = 5000                                                         \
  }

/* What a stamp may claim, 1 s after the one before, and whether the series is
 * at its pace then. */
static void test_what_a_stamp_may_claim(void) {
  static const struct {
    int64_t claimed_us;
    int live; /* -1: left out */
  } cases[] = {{-1500001, -1}, {-1500000, 0}, {0, 0},       {500000, 0},
               {500001, 3},    {1000000, 3},  {1499999, 3}, {1500000, 0},
               {3000000, 0},   {3000001, -1}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_steady s = LIVE_AT;
    int64_t time_us = START + cases[i].claimed_us, out_us = 1;
    bool taken = wr_steady_step(&s, time_us, 6000, SECOND, &out_us);
    CU_ASSERT_EQUAL(taken, cases[i].live >= 0);
    CU_ASSERT_EQUAL(s.live, taken ? cases[i].live : 3);
    CU_ASSERT_EQUAL(s.suspects, !taken);
    CU_ASSERT_EQUAL(out_us, taken ? time_us + 7 * SECOND : 1);
    CU_ASSERT_EQUAL(s.time_us, taken ? time_us : START);
    CU_ASSERT_EQUAL(s.arrived_ms, taken ? 6000 : 5000);
    if (!taken) {
      CU_ASSERT_EQUAL(s.suspect_us, time_us);
      CU_ASSERT_EQUAL(s.suspect_at_ms, 6000);
    }
    CU_ASSERT_EQUAL(s.jumps, 0);
  }
}

/* Three in a row make a live series; before, every stamp is believed. */
static void test_three_make_it_live(void) {
  for (int before = 0; before <= 4; before++) {
    struct wr_steady s = {0};
    int64_t out_us, now_ms = 1000;
    CU_ASSERT_TRUE(wr_steady_step(&s, START, now_ms, SECOND, &out_us));
    CU_ASSERT_EQUAL(s.live, 0);
    for (int i = 1; i <= before; i++) {
      now_ms += 1000;
      CU_ASSERT_TRUE(
          wr_steady_step(&s, START + i * SECOND, now_ms, SECOND, &out_us));
      CU_ASSERT_EQUAL(s.live, i < 3 ? i : 3);
    }
    CU_ASSERT_EQUAL(wr_steady_step(&s, START + 3600 * SECOND, now_ms + 1000,
                                   SECOND, &out_us),
                    before < 3);
  }
}

/* The sample after a suspect: the clock has jumped where it goes on from there
 * to less than an interval, and away from the series by one and a half. */
static void test_when_the_clock_has_jumped(void) {
  static const struct {
    int64_t suspect_us, after_us, later_ms; /* from START, from the suspect */
    bool jumped;
  } cases[] = {{3600 * SECOND, 1, 0, true},
               {3600 * SECOND, 0, 0, false},
               {3600 * SECOND, 1999999, 1000, true},
               {3600 * SECOND, 2000000, 1000, false},
               {3600 * SECOND, 1000001, 2000, true},
               {3600 * SECOND, 1000000, 2000, false},
               {3600 * SECOND, -1, 0, false},
               {-3 * SECOND, SECOND, 1000, true},
               /* 1.5 s from the pace of the series, or a little less */
               {2 * SECOND, 2500000, 2000, true},
               {2 * SECOND, 2499999, 2000, false},
               {-SECOND, 1500000, 1000, true},
               {-SECOND, 1500001, 1000, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_steady s = LIVE_AT;
    s.suspects = true;
    s.suspect_us = START + cases[i].suspect_us;
    s.suspect_at_ms = 6000;
    int64_t time_us = s.suspect_us + cases[i].after_us, out_us = 0;
    int64_t now_ms = 6000 + cases[i].later_ms;
    bool taken = wr_steady_step(&s, time_us, now_ms, SECOND, &out_us);
    CU_ASSERT_EQUAL(s.jumps, cases[i].jumped);
    if (!cases[i].jumped)
      continue;
    int64_t steady_us = START + (now_ms - 5000) * 1000 + 7 * SECOND;
    CU_ASSERT_TRUE(taken);
    CU_ASSERT_FALSE(s.suspects);
    CU_ASSERT_EQUAL(out_us, steady_us);
    CU_ASSERT_EQUAL(s.offset_us, steady_us - time_us);
    CU_ASSERT_EQUAL(wr_steady_wall(&s, out_us), time_us);
    CU_ASSERT_TRUE(
        wr_steady_step(&s, time_us + SECOND, now_ms + 1000, SECOND, &out_us));
    CU_ASSERT_EQUAL(out_us, steady_us + SECOND);
    CU_ASSERT_EQUAL(s.jumps, 1);
  }
}

UNIT_MAIN("steady", UNIT(test_jumps_of_every_size_cost_one_place),
          UNIT(test_one_wild_stamp_is_left_out), UNIT(test_a_burst_is_believed),
          UNIT(test_a_true_gap_stays_one), UNIT(test_a_recording_is_believed),
          UNIT(test_swapped_neighbours_are_believed),
          UNIT(test_what_a_stamp_may_claim), UNIT(test_three_make_it_live),
          UNIT(test_when_the_clock_has_jumped))
