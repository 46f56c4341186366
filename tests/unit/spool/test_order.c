#include "lib/spool/order.h"
#include "tests/unit/unit.h"

static int64_t next(struct wr_order *o, int64_t time_us, int64_t clock_us,
                    int64_t now_ms, int64_t *last) {
  return wr_order_next(
      o, &(struct wr_row){.time_us = time_us, .clock_us = clock_us}, now_ms,
      last);
}

static void test_arrival_decides(void) {
  struct wr_order o = {.count = 0};
  int64_t last = 0;
  CU_ASSERT_EQUAL(next(&o, 500, 1, 0, &last), WR_ORDER_STEP);
  /* Stamped earlier, but a second later: the source's clock was set back. */
  CU_ASSERT_EQUAL(next(&o, 400, 1, 1000, &last), 2 * WR_ORDER_STEP);
  /* At once, but by another clock: ours was set back. */
  CU_ASSERT_EQUAL(next(&o, 300, 2, 1000, &last), 3 * WR_ORDER_STEP);
  CU_ASSERT_EQUAL(last, 3 * WR_ORDER_STEP);
}

static void test_rows_that_were_overtaken(void) {
  struct wr_order o = {.count = 0};
  int64_t last = 0;
  int64_t first = next(&o, 100, 1, 0, &last);
  int64_t third = next(&o, 300, 1, 0, &last);
  int64_t fourth = next(&o, 400, 1, 0, &last);
  int64_t second = next(&o, 200, 1, 10, &last);
  CU_ASSERT_TRUE(first < second && second < third && third < fourth);
  CU_ASSERT_EQUAL(last, fourth);
}

/* Behind a writer that hung: "unknown" was said after what comes after it. */
static void test_far_stamps_are_no_overtaking(void) {
  struct wr_order o = {.count = 0};
  int64_t last = 0, at = INT64_C(100000000);
  int64_t unknown = next(&o, at, 1, 0, &last);
  CU_ASSERT_TRUE(next(&o, at - WR_ORDER_SPAN_US - 1, 1, 0, &last) > unknown);
  CU_ASSERT_TRUE(next(&o, at - WR_ORDER_SPAN_US - 1, 1, 0, &last) > unknown);
  struct wr_order p = {.count = 0};
  unknown = next(&p, at, 1, 0, &last);
  CU_ASSERT_TRUE(next(&p, at - WR_ORDER_SPAN_US, 1, 0, &last) < unknown);
}

static void test_many_late_ones_stand_by_their_stamps(void) {
  struct wr_order o = {.count = 0};
  int64_t last = 0, seqs[101] = {0};
  seqs[50] = next(&o, 50, 1, 0, &last);
  static const int late[] = {10, 30, 20, 5, 40, 15, 45};
  for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++)
    seqs[late[i]] = next(&o, late[i], 1, 0, &last);
  int64_t before = 0;
  for (int i = 0; i <= 100; i++)
    if (seqs[i] != 0) {
      CU_ASSERT_TRUE(seqs[i] > before);
      before = seqs[i];
    }
  CU_ASSERT_EQUAL(before, WR_ORDER_STEP);
}

/* Whatever comes, no number is given twice. */
static void test_no_number_twice(void) {
  static struct wr_order o[2];
  static int64_t seen[4000];
  int64_t last = 0;
  unsigned dice = 1;
  for (int i = 0; i < 4000; i++) {
    dice = dice * 1103515245 + 12345;
    seen[i] = next(&o[dice >> 16 & 1], dice >> 17 & 63, 1, i / 7, &last);
    for (int k = 0; k < i; k++)
      if (seen[k] == seen[i]) {
        CU_FAIL("a number was given twice");
        return;
      }
  }
}

/* What arrived 900 ms ago may have overtaken it, what arrived before that has
 * not. */
static void test_how_long_one_is_overtaken(void) {
  for (int64_t more = 0; more < 2; more++) {
    struct wr_order o = {.count = 0};
    int64_t last = 0;
    int64_t first = next(&o, 200, 1, 0, &last);
    int64_t second = next(&o, 100, 1, WR_ORDER_MS + more, &last);
    CU_ASSERT_EQUAL(second < first, more == 0);
    /* Of equal stamps the order of arrival is that of the rows. */
    CU_ASSERT_TRUE(next(&o, 200, 1, WR_ORDER_MS + more, &last) > first);
  }
}

/* In the middle of the places that are left, down to the last one; below them
 * stand rows of other properties, if there are any. */
static void test_places_below_a_number(void) {
  for (int64_t others = 0; others <= 2; others++) {
    struct wr_order o = {.count = 0};
    int64_t low = others * WR_ORDER_STEP, last = low;
    CU_ASSERT_EQUAL(next(&o, 100, 1, 0, &last), low + 1024);
    int64_t want = 512;
    for (int i = 1; want > 0; i++, want /= 2)
      CU_ASSERT_EQUAL(next(&o, 100 - i, 1, 0, &last), low + want);
    CU_ASSERT_EQUAL(next(&o, 50, 1, 0, &last), low + 2048); /* there is none */
    CU_ASSERT_EQUAL(last, low + 2048);
  }
}

/* Before the oldest row that is remembered there may be others. */
static void test_rows_that_are_forgotten(void) {
  for (int count = WR_ORDER_ROWS - 1; count <= WR_ORDER_ROWS + 1; count++) {
    struct wr_order o = {.count = 0};
    int64_t last = 0;
    for (int i = 1; i <= count; i++)
      CU_ASSERT_EQUAL(next(&o, 100 + i, 1, 0, &last), i * WR_ORDER_STEP);
    int64_t late = next(&o, 50, 1, 0, &last);
    CU_ASSERT_EQUAL(late, count < WR_ORDER_ROWS ? WR_ORDER_STEP / 2
                                                : (count + 1) * WR_ORDER_STEP);
    /* One that has its place between two of them is put there. */
    int64_t high = (count - 1) * WR_ORDER_STEP;
    struct wr_order p = {.count = 0};
    last = 0;
    for (int i = 1; i <= count; i++)
      next(&p, 100 + 2 * i, 1, 0, &last);
    CU_ASSERT_EQUAL(next(&p, 100 + 2 * count - 3, 1, 0, &last), high - 512);
    CU_ASSERT_EQUAL(p.count, count < WR_ORDER_ROWS ? count + 1 : WR_ORDER_ROWS);
  }
}

UNIT_MAIN("order", UNIT(test_arrival_decides),
          UNIT(test_rows_that_were_overtaken),
          UNIT(test_far_stamps_are_no_overtaking),
          UNIT(test_many_late_ones_stand_by_their_stamps),
          UNIT(test_no_number_twice), UNIT(test_how_long_one_is_overtaken),
          UNIT(test_places_below_a_number), UNIT(test_rows_that_are_forgotten))
