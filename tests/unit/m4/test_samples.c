/* From a good answer to samples: the repair of readings that the library on
 * the M4 counted over less than a second, by when the reading was taken. */
#include "lib/m4/samples.h"
#include "tests/unit/unit.h"

#define SECOND_US 1000000
#define SLACK_US 50000

static double values[16];
static int count, works;

static void on_sample(void *user, size_t which, size_t output, double value,
                      int64_t at_us) {
  (void)user, (void)which, (void)output, (void)at_us;
  values[count++] = value;
}

static void on_latency(void *user, size_t which, int64_t took_us,
                       int64_t at_us) {
  (void)user, (void)which, (void)took_us, (void)at_us;
}

static void on_event(void *user, enum wr_m4_event event, size_t which,
                     int64_t since_us, const char *why) {
  (void)user, (void)which, (void)since_us, (void)why;
  works += event == WR_M4_METHOD_WORKS;
}

static const int64_t whole[] = {WR_M4_WHOLE};
static struct wr_m4_method method;
static struct wr_m4_life life;

static void begin(void) {
  count = 0;
  method = (struct wr_m4_method){.name = "flow_rate",
                                 .interval_ms = 1100,
                                 .seq_index = -1,
                                 .indices = whole,
                                 .indices_count = 1,
                                 .repair = true,
                                 .scale = 2};
  life = (struct wr_m4_life){.sink = {NULL, on_sample, on_latency, NULL, NULL},
                             .methods = {&method},
                             .methods_count = 1};
}

/* An answer of 10 to a question of this moment. */
static void answer(int64_t sent_us, int64_t took_us, unsigned stale) {
  struct wr_rpc_call call = {
      .sent_us = sent_us,
      .took_us = took_us,
      .stale = stale,
      .result = {.kind = WR_RPC_FLOAT, .d = 10},
  };
  wr_m4_sampled(&life, 0, &call);
}

static void test_repaired(void) {
  begin();
  answer(5 * SECOND_US, 400, 0);
  CU_ASSERT_EQUAL(count, 0); /* since when it counts is not known */
  answer(6 * SECOND_US + 100000, 400, 0);
  answer(7 * SECOND_US + 200000, SLACK_US - 1, 0);
  CU_ASSERT_EQUAL_FATAL(count, 2);
  CU_ASSERT_DOUBLE_EQUAL(values[0], 2 * 10 / 1.1, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(values[1], 2 * 10 / 1.1, 1e-9);
}

/* After one that was long on its way, or that came behind a stranger's answer,
 * neither it nor the next one is a reading; from then on they are again. */
static void test_moment_not_known(void) {
  static const struct {
    int64_t took_us;
    unsigned stale;
  } cases[] = {{SLACK_US, 0}, {400, 1}, {SLACK_US, 1}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin();
    answer(5 * SECOND_US, 400, 0);
    answer(6 * SECOND_US + 100000, 400, 0);
    CU_ASSERT_EQUAL(count, 1);
    answer(7 * SECOND_US + 200000, cases[i].took_us, cases[i].stale);
    CU_ASSERT_EQUAL(count, 1);
    answer(8 * SECOND_US + 300000, 400, 0);
    CU_ASSERT_EQUAL(count, 1);
    answer(9 * SECOND_US + 400000, 400, 0);
    CU_ASSERT_EQUAL_FATAL(count, 2);
    CU_ASSERT_DOUBLE_EQUAL(values[1], 2 * 10 / 1.1, 1e-9);
  }
}

static void test_without_repair(void) {
  begin();
  method.repair = false;
  answer(5 * SECOND_US, 10 * SLACK_US, 3);
  CU_ASSERT_EQUAL_FATAL(count, 1);
  CU_ASSERT_EQUAL(values[0], 20);
}

/* Of several numbers one that is not there costs none of the others; one that
 * is no number ends it. */
static void test_some_are_missing(void) {
  static const int64_t three[] = {0, 1, 2};
  static const struct {
    const char *bytes; /* of [?, ?, ?] */
    size_t len;
    int samples;
  } cases[] = {{"\xc0\x07\x08", 3, 2},
               {"\x07\xc0\x08", 3, 2},
               {"\x07\x08\xc0", 3, 2},
               {"\x07\xa0\x08", 3, 1},
               {"\x07\x08\x09", 3, 3}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin();
    life.sink.event = on_event;
    method.repair = false;
    method.indices = three;
    method.indices_count = 3;
    struct wr_rpc_call call = {
        .sent_us = SECOND_US,
        .result = {.kind = WR_RPC_ARRAY,
                   .data = (const uint8_t *)cases[i].bytes,
                   .len = cases[i].len,
                   .count = 3},
    };
    wr_m4_sampled(&life, 0, &call);
    CU_ASSERT_EQUAL(count, cases[i].samples);
    CU_ASSERT_EQUAL(method.bad_us, cases[i].samples == 3 ? 0 : SECOND_US);
    CU_ASSERT_EQUAL(method.fails, cases[i].samples == 1);
  }
}

/* A counter has 32 bits, and when it stands still there is no new sample. What
 * is none counts nothing, and costs no sample. */
static void test_counters(void) {
  static const struct {
    const char *bytes; /* of [counter, 7] */
    size_t len;
    bool counts;
  } cases[] = {{"\x00\x07", 2, true},
               {"\x01\x07", 2, true},
               {"\xce\xff\xff\xff\xff\x07", 6, true},
               {"\xcf\x00\x00\x00\x01\x00\x00\x00\x00\x07", 10, false},
               {"\xff\x07", 2, false}, /* -1 */
               {"\xc0\x07", 2, false},
               {"\xa0\x07", 2, false}};
  static const int64_t second[] = {1};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin();
    life.sink.event = on_event;
    method.repair = false;
    method.seq_index = 0;
    method.indices = second;
    struct wr_rpc_call call = {
        .sent_us = SECOND_US,
        .result = {.kind = WR_RPC_ARRAY,
                   .data = (const uint8_t *)cases[i].bytes,
                   .len = cases[i].len,
                   .count = 2},
    };
    for (int n = 0; n < 3; n++)
      wr_m4_sampled(&life, 0, &call);
    CU_ASSERT_EQUAL(count, cases[i].counts ? 1 : 3);
    CU_ASSERT_EQUAL(method.seq.known, cases[i].counts);
    CU_ASSERT_EQUAL(method.seq.skipped, 0);
    CU_ASSERT_FALSE(method.fails);
  }
}

/* Without a reading for three seconds: that is said, and since when. */
static void test_no_reading(void) {
  begin();
  life.sink.event = on_event;
  struct wr_rpc_call call = {.sent_us = 5 * SECOND_US};
  wr_m4_sampled(&life, 0, &call);
  call.sent_us = 8 * SECOND_US - 1;
  wr_m4_sampled(&life, 0, &call);
  CU_ASSERT_FALSE(method.fails);
  call.sent_us = 8 * SECOND_US;
  wr_m4_sampled(&life, 0, &call);
  CU_ASSERT_TRUE(method.fails);
  CU_ASSERT_EQUAL(method.bad_us, 5 * SECOND_US);
  CU_ASSERT_EQUAL(life.faults[WR_FAULT_PROTOCOL], 0);
}

/* That it works again is said once. */
static void test_works_again(void) {
  begin();
  works = 0;
  life.sink.event = on_event;
  method.repair = false;
  wr_m4_method_fails(&life, 0, "no reason");
  for (int i = 0; i < 3; i++)
    answer((5 + i) * SECOND_US, 400, 0);
  CU_ASSERT_EQUAL(count, 3);
  CU_ASSERT_EQUAL(works, 1);
}

UNIT_MAIN("m4_samples", UNIT(test_counters), UNIT(test_no_reading),
          UNIT(test_works_again), UNIT(test_some_are_missing),
          UNIT(test_repaired), UNIT(test_moment_not_known),
          UNIT(test_without_repair))
