#include "tests/unit/unit.h"

#include "lib/m4/values.h"

#include <errno.h>
#include <math.h>

static struct wr_rpc_value value_of(const char *bytes, size_t len) {
  const uint8_t *at = (const uint8_t *)bytes;
  struct wr_rpc_value v = {.kind = WR_RPC_EXT};
  CU_ASSERT_EQUAL_FATAL(wr_rpc_read(&at, at + len, &v), 0);
  return v;
}

static void test_number(void) {
  double n = 0;
  struct wr_rpc_value whole = value_of("\xca\x41\x48\x00\x00", 5);
  CU_ASSERT_EQUAL(wr_m4_number(&whole, WR_M4_WHOLE, &n), 0);
  CU_ASSERT_EQUAL(n, 12.5);
  CU_ASSERT_EQUAL(wr_m4_number(&whole, 0, &n), -EINVAL);
  struct wr_rpc_value nil = value_of("\xc0", 1);
  CU_ASSERT_EQUAL(wr_m4_number(&nil, WR_M4_WHOLE, &n), -ENODATA);
  CU_ASSERT_EQUAL(wr_m4_number(&nil, 1, &n), -ENODATA);
  struct wr_rpc_value array = value_of("\x94\x2a\xc0\xca\x7f\xc0\0\0\xa0", 9);
  CU_ASSERT_EQUAL(wr_m4_number(&array, 0, &n), 0);
  CU_ASSERT_EQUAL(n, 42);
  CU_ASSERT_EQUAL(wr_m4_number(&array, 1, &n), -ENODATA);
  CU_ASSERT_EQUAL(wr_m4_number(&array, 2, &n), -ENODATA);
  CU_ASSERT_EQUAL(wr_m4_number(&array, 3, &n), -EINVAL);
  CU_ASSERT_EQUAL(wr_m4_number(&array, 4, &n), -ENOENT);
  CU_ASSERT_EQUAL(wr_m4_number(&array, WR_M4_WHOLE, &n), -EINVAL);
}

static void test_seq(void) {
  struct wr_m4_seq s = {.known = false};
  CU_ASSERT_EQUAL(wr_m4_seq_note(&s, 500), WR_M4_NEW);
  CU_ASSERT_EQUAL(wr_m4_seq_note(&s, 500), WR_M4_REPEATED);
  CU_ASSERT_EQUAL(wr_m4_seq_note(&s, 501), WR_M4_NEW);
  CU_ASSERT_EQUAL(s.skipped, 0);
  CU_ASSERT_EQUAL(wr_m4_seq_note(&s, 504), WR_M4_NEW);
  CU_ASSERT_EQUAL(s.skipped, 2);
  CU_ASSERT_EQUAL(wr_m4_seq_note(&s, 1), WR_M4_RESTARTED);
  CU_ASSERT_EQUAL(wr_m4_seq_note(&s, 2), WR_M4_NEW);
  CU_ASSERT_EQUAL(s.skipped, 2);
}

/* Less than 2^31 forwards is progress, more is a way back. */
static void test_seq_far_away(void) {
  struct wr_m4_seq s = {.known = true, .last = 5};
  CU_ASSERT_EQUAL(wr_m4_seq_note(&s, 5u + INT32_MAX), WR_M4_NEW);
  CU_ASSERT_EQUAL(s.skipped, INT32_MAX - 1);
  CU_ASSERT_EQUAL(wr_m4_seq_note(&s, 5 - 1u), WR_M4_RESTARTED);
  CU_ASSERT_EQUAL(s.skipped, INT32_MAX - 1);
}

static void test_seq_wraps(void) {
  struct wr_m4_seq s = {.known = false};
  wr_m4_seq_note(&s, UINT32_MAX);
  CU_ASSERT_EQUAL(wr_m4_seq_note(&s, 0), WR_M4_NEW);
  CU_ASSERT_EQUAL(wr_m4_seq_note(&s, 0), WR_M4_REPEATED);
  CU_ASSERT_EQUAL(s.skipped, 0);
}

static void test_intervals(void) {
  static const struct {
    int64_t interval_ms;
    bool serves;
  } cases[] = {{100, false},  {500, false},  {990, false},   {999, false},
               {1000, false}, {1009, false}, {1010, true},   {1020, true},
               {1500, true},  {1990, true},  {1991, false},  {2000, false},
               {2009, false}, {2010, true},  {60000, false}, {60010, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    CU_ASSERT_EQUAL(wr_m4_repair_serves(cases[i].interval_ms), cases[i].serves);
}

/* The unmodified library at a true 10 L/min: pulses / 450 / floor(dt) * 60. */
static double library(double dt_s, double true_lpm) {
  return floor(dt_s) < 1 ? 0 : true_lpm * dt_s / floor(dt_s);
}

static void test_repair(void) {
  static const int64_t steps_us[] = {1020000, 1049999, 1500000, 1999000,
                                     2000000, 5020000, 1000000};
  struct wr_m4_repair r = {0};
  int64_t now_us = 77;
  double value = 3;
  CU_ASSERT_FALSE(wr_m4_repair(&r, now_us, &value));
  for (size_t i = 0; i < sizeof(steps_us) / sizeof(steps_us[0]); i++) {
    now_us += steps_us[i];
    value = library((double)steps_us[i] / 1e6, 10.0);
    CU_ASSERT(wr_m4_repair(&r, now_us, &value));
    CU_ASSERT_DOUBLE_EQUAL(value, 10.0, 1e-9);
  }
}

static void test_repair_refuses(void) {
  struct wr_m4_repair r = {0};
  double value = 3;
  wr_m4_repair(&r, 1000000, &value);
  CU_ASSERT_FALSE(wr_m4_repair(&r, 1999999, &value)); /* pulses are lost */
  CU_ASSERT(wr_m4_repair(&r, 3000000, &value));
  wr_m4_repair_lost(&r);
  CU_ASSERT_FALSE(wr_m4_repair(&r, 4100000, &value));
  CU_ASSERT(wr_m4_repair(&r, 5200000, &value));
}

UNIT_MAIN("values", UNIT(test_number), UNIT(test_seq), UNIT(test_seq_far_away),
          UNIT(test_seq_wraps), UNIT(test_intervals), UNIT(test_repair),
          UNIT(test_repair_refuses))
