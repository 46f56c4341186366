#include "lib/cloud/arrival.h"

#include "tests/unit/unit.h"

static void test_alive(void) {
  struct wr_age a = {.limit_ms = -1};
  CU_ASSERT_FALSE(wr_age_alive(&a, 100));
  wr_age_heard(&a, 1000, 5000);
  CU_ASSERT_TRUE(wr_age_alive(&a, 5000 + WR_ARRIVAL_LEAST_MS));
  CU_ASSERT_FALSE(wr_age_alive(&a, 5001 + WR_ARRIVAL_LEAST_MS));
  wr_age_heard(&a, 20000, 5000);
  CU_ASSERT_TRUE(wr_age_alive(&a, 65000));
  CU_ASSERT_FALSE(wr_age_alive(&a, 65001));
}

static void test_over(void) {
  struct wr_age a = {.limit_ms = -1};
  /* nothing came since the start */
  CU_ASSERT_FALSE(wr_age_over(&a, 1000, 1000 + WR_ARRIVAL_START_MS));
  CU_ASSERT_TRUE(wr_age_over(&a, 1000, 1001 + WR_ARRIVAL_START_MS));
  CU_ASSERT_TRUE(wr_age_alive(&a, INT64_MAX / 2));       /* unknown is so now */
  CU_ASSERT_FALSE(wr_age_over(&a, 1000, INT64_MAX / 2)); /* said once */
  wr_age_heard(&a, 1000, 100000);
  CU_ASSERT_FALSE(a.unknown);
  CU_ASSERT_FALSE(wr_age_over(&a, 1000, 100000 + WR_ARRIVAL_LEAST_MS));
  CU_ASSERT_TRUE(wr_age_over(&a, 1000, 100001 + WR_ARRIVAL_LEAST_MS));
  wr_age_heard(&a, 20000, 200000);
  CU_ASSERT_FALSE(wr_age_over(&a, 1000, 300000));
  CU_ASSERT_TRUE(wr_age_over(&a, 1000, 300001));
}

static void test_limit(void) {
  struct wr_age a = {.limit_ms = 7000};
  CU_ASSERT_TRUE(wr_age_over(&a, 0, 7001)); /* also before the first */
  wr_age_heard(&a, 20000, 10000);
  CU_ASSERT_FALSE(wr_age_over(&a, 0, 17000));
  CU_ASSERT_TRUE(wr_age_over(&a, 0, 17001));
  a = (struct wr_age){.limit_ms = 1};
  wr_age_heard(&a, 20000, 10000);
  CU_ASSERT_FALSE(wr_age_over(&a, 0, 10001));
  CU_ASSERT_TRUE(wr_age_over(&a, 0, 10002));
  a = (struct wr_age){.limit_ms = 0};
  CU_ASSERT_FALSE(wr_age_over(&a, 0, INT64_MAX / 2));
}

#define EPOCH INT64_C(1767225600000000)

static void test_clock(void) {
  struct wr_stamps s = {0};
  int64_t mono = 50000000, was = EPOCH - mono;
  CU_ASSERT_EQUAL(wr_stamps_clock(&s, EPOCH, mono, EPOCH), was);
  /* less than a second is no step */
  CU_ASSERT_EQUAL(wr_stamps_clock(&s, EPOCH, mono, EPOCH + 900000), was);
  /* a day on: what is stamped now is by the new clock, what was under way by
   * the one before */
  int64_t later = EPOCH + INT64_C(86400000000);
  CU_ASSERT_EQUAL(wr_stamps_clock(&s, later, mono, later), later - mono);
  CU_ASSERT_EQUAL(wr_stamps_clock(&s, EPOCH, mono, later), was);
  /* and back */
  CU_ASSERT_EQUAL(wr_stamps_clock(&s, EPOCH, mono, EPOCH), was);
  CU_ASSERT_EQUAL(wr_stamps_clock(&s, later, mono, EPOCH), later - mono);
}

#define S INT64_C(1000000)

/* A clock that runs until 1000 s after the start, is set by 40 s there, and
 * looked at every 5 s; values come late behind a writer that hangs. */
static void test_late_values(void) {
  static const struct {
    int64_t step_s, stamped_s, arrives_s;
    bool by_old;
  } cases[] = {
      {40, 990, 1002, true}, /* under way when it was set */
      {-40, 990, 1002, true},   {-40, 1003, 1004, false},
      {40, 1003, 1004, false},  {40, 1003, 1500, false}, /* late, much later */
      {-40, 1003, 1500, false}, {-40, 1454, 1500, false},
      {40, 1454, 1500, false},  {40, 800, 1100, true},
      {-40, 1004, 1004, false}, {-40, 1005, 1004, false}, /* just now */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_stamps s = {0};
    int64_t step = cases[i].step_s * S, clock = EPOCH, mono = 0;
    for (; mono <= cases[i].arrives_s * S; mono += 5 * S)
      wr_stamps_look(&s, mono, clock + mono + (mono >= 1000 * S ? step : 0));
    mono = cases[i].arrives_s * S;
    int64_t was = clock + (cases[i].stamped_s >= 1000 ? step : 0);
    int64_t got = wr_stamps_clock(&s, was + cases[i].stamped_s * S, mono,
                                  clock + step + mono);
    CU_ASSERT_EQUAL(got, was);
    CU_ASSERT_EQUAL(was == clock, cases[i].by_old);
  }
}

/* Asked for just before the clock was set, answered just after: it is stamped
 * by the new clock, for a moment at which the old one still ran. */
static void test_answered_after_a_step(void) {
  for (int64_t step = -40 * S; step <= 40 * S; step += 80 * S) {
    struct wr_stamps s = {0};
    wr_stamps_look(&s, 900 * S, EPOCH + 900 * S);
    wr_stamps_look(&s, 999900000, EPOCH + 999900000);
    int64_t asked = 999200000, mono = 1000500000, clock = EPOCH + step;
    CU_ASSERT_EQUAL(wr_stamps_clock(&s, clock + asked, mono, clock + mono),
                    clock);
  }
}

/* Set, and set back, while a value waits: it is of the first era, though the
 * present clock is the same. */
static void test_two_steps_meanwhile(void) {
  struct wr_stamps s = {0};
  int64_t year = INT64_C(31536000) * S;
  for (int64_t mono = 0; mono < 1500 * S; mono += 5 * S)
    wr_stamps_look(&s, mono,
                   EPOCH + mono +
                       (mono >= 1000 * S && mono < 1100 * S ? year : 0));
  CU_ASSERT_EQUAL(s.count, 3);
  CU_ASSERT_EQUAL(
      wr_stamps_clock(&s, EPOCH + 900 * S, 1500 * S, EPOCH + 1500 * S), EPOCH);
  CU_ASSERT_EQUAL(
      wr_stamps_clock(&s, EPOCH + year + 1050 * S, 1500 * S, EPOCH + 1500 * S),
      EPOCH + year);
  /* A source that fell silent while the clock was wrong, some time ago. */
  CU_ASSERT_EQUAL(
      wr_stamps_clock(&s, EPOCH + year + 1130 * S, 1500 * S, EPOCH + 1500 * S),
      EPOCH + year);
  /* the ring is full: the newest stay */
  for (int64_t i = 0; i < 2 * WR_ARRIVAL_ERAS; i++)
    wr_stamps_look(&s, (2000 + i) * S, EPOCH + (2000 + i) * S + i * year);
  CU_ASSERT_EQUAL(s.count, WR_ARRIVAL_ERAS);
  CU_ASSERT_EQUAL(s.eras[0].clock_us, EPOCH + (2 * WR_ARRIVAL_ERAS - 1) * year);
}

static void check_era(const struct wr_era *e, int64_t clock_us,
                      int64_t before_us, int64_t from_us) {
  CU_ASSERT_EQUAL(e->clock_us, clock_us);
  CU_ASSERT_EQUAL(e->before_us, before_us);
  CU_ASSERT_EQUAL(e->from_us, from_us);
}

/* When each era began, as far as the looks tell; a second is no step yet. */
static void test_eras(void) {
  struct wr_stamps s = {0};
  wr_stamps_look(&s, 10 * S, EPOCH + 10 * S);
  wr_stamps_look(&s, 15 * S, EPOCH + 15 * S + WR_ARRIVAL_STEP_US);
  wr_stamps_look(&s, 18 * S, EPOCH + 18 * S - WR_ARRIVAL_STEP_US);
  CU_ASSERT_EQUAL(s.count, 1);
  for (int64_t i = 1; i <= 3; i++) {
    wr_stamps_look(&s, (20 + i) * S, EPOCH + (20 + i) * S + i * (S + 1));
    wr_stamps_look(&s, (20 + i) * S + 7, EPOCH + (20 + i) * S + 7 + i * S);
  }
  CU_ASSERT_EQUAL_FATAL(s.count, 4);
  check_era(s.eras, EPOCH + 3 * S + 3, 22 * S + 7, 23 * S);
  check_era(s.eras + 1, EPOCH + 2 * S + 2, 21 * S + 7, 22 * S);
  check_era(s.eras + 2, EPOCH + S + 1, 18 * S, 21 * S);
  check_era(s.eras + 3, EPOCH, 10 * S, 10 * S);
  CU_ASSERT_EQUAL(s.looked_us, 23 * S + 7);
}

/* Of a value that can have been stamped in one era alone it is that one, be it
 * as close to another as can be. */
static void test_edge_of_an_era(void) {
  struct wr_stamps s = {0};
  int64_t step = S + S / 2;
  wr_stamps_look(&s, 900 * S, EPOCH + 900 * S);
  wr_stamps_look(&s, 999 * S, EPOCH + 999 * S);
  wr_stamps_look(&s, 1000 * S, EPOCH + 1000 * S + step);
  for (int past = 0; past <= 1; past++)
    CU_ASSERT_EQUAL(wr_stamps_clock(&s, EPOCH + 1000 * S + past, 1001 * S,
                                    EPOCH + 1001 * S + step),
                    past ? EPOCH + step : EPOCH);
}

/* One that can have been stamped in none is of the nearest: a source that did
 * not follow when the clock was set, and one from before the start. */
static void test_nearest_era(void) {
  struct wr_stamps s;
  for (int64_t step = -40 * S; step <= 40 * S; step += 80 * S) {
    s = (struct wr_stamps){0};
    wr_stamps_look(&s, 999 * S, EPOCH + 999 * S);
    wr_stamps_look(&s, 1000 * S, EPOCH + 1000 * S + step);
    CU_ASSERT_EQUAL(wr_stamps_clock(&s, EPOCH + 1005 * S, 1006 * S,
                                    EPOCH + 1006 * S + step),
                    EPOCH);
  }
  s = (struct wr_stamps){0};
  wr_stamps_look(&s, 100 * S, 200 * S); /* a clock that nobody ever set */
  CU_ASSERT_EQUAL(wr_stamps_clock(&s, 50 * S, 100 * S, 200 * S), 100 * S);
}

UNIT_MAIN("arrival", UNIT(test_eras), UNIT(test_edge_of_an_era),
          UNIT(test_nearest_era), UNIT(test_alive), UNIT(test_over),
          UNIT(test_limit), UNIT(test_clock), UNIT(test_late_values),
          UNIT(test_answered_after_a_step), UNIT(test_two_steps_meanwhile))
