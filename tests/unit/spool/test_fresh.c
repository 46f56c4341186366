/* The list of rows that are seen and not stored yet. */
#include "lib/spool/fresh.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include <errno.h>

enum { FLOW, LABEL };

static struct wr_row row_of(int property, int64_t seq) {
  return (struct wr_row){.property = property, .seq = seq};
}

static void add(struct wr_fresh *f, int property, int64_t seq, int64_t ms) {
  struct wr_row row = row_of(property, seq);
  CU_ASSERT_EQUAL_FATAL(wr_fresh_reserve(f, 1), 0);
  wr_fresh_add(f, &row, ms);
}

static void test_rows_stand_by_their_numbers(void) {
  struct wr_fresh f = {0};
  struct wr_row row, rows[4] = {row_of(FLOW, 10), row_of(FLOW, 25)};
  add(&f, FLOW, 30, 1);
  add(&f, LABEL, 20, 2);
  add(&f, FLOW, 15, 3); /* came late, belongs before */
  CU_ASSERT_TRUE(wr_fresh_newest(&f, FLOW, &row));
  CU_ASSERT_EQUAL(row.seq, 30);
  CU_ASSERT_EQUAL(wr_fresh_merge(&f, FLOW, 0, rows, 2, 4), 4);
  static const int64_t want[] = {10, 15, 25, 30};
  for (int i = 0; i < 4; i++)
    CU_ASSERT_EQUAL(rows[i].seq, want[i]);
  rows[1] = row_of(FLOW, 25);
  CU_ASSERT_EQUAL(wr_fresh_merge(&f, FLOW, 0, rows, 2, 2), 2);
  CU_ASSERT_EQUAL(rows[1].seq, 15); /* the last one had no room any more */
  CU_ASSERT_EQUAL(wr_fresh_merge(&f, FLOW, 15, rows, 0, 4), 1);
  CU_ASSERT_EQUAL(rows[0].seq, 30);
  CU_ASSERT_EQUAL(wr_fresh_merge(&f, FLOW, 0, rows, 0, 0), 0);
  wr_fresh_free(&f);
}

/* Room that is there is not asked for again. */
static void test_room_that_is_there(void) {
  struct wr_fresh f = {0};
  CU_ASSERT_EQUAL(wr_fresh_reserve(&f, 5), 0);
  CU_ASSERT_EQUAL(f.cap, 5);
  CU_ASSERT_TRUE(unit_alloc_arm(0));
  CU_ASSERT_EQUAL(wr_fresh_reserve(&f, 5), 0);
  CU_ASSERT_EQUAL(wr_fresh_reserve(&f, 6), -ENOMEM);
  unit_alloc_off();
  for (int64_t seq = 1; seq <= 5; seq++)
    wr_fresh_add(&f, &(struct wr_row){.seq = seq}, 0);
  CU_ASSERT_EQUAL(wr_fresh_reserve(&f, 1), 0);
  CU_ASSERT_EQUAL(f.cap, 10);
  CU_ASSERT_EQUAL(wr_fresh_reserve(&f, 16), 0);
  CU_ASSERT_EQUAL(f.cap, 21);
  wr_fresh_free(&f);
}

static void test_who_waits_longest(void) {
  struct wr_fresh f = {0};
  add(&f, FLOW, 30, 7);
  add(&f, FLOW, 15, 9);
  add(&f, FLOW, 40, 11);
  CU_ASSERT_EQUAL(f.since_ms, 7);
  CU_ASSERT_FALSE(wr_fresh_remove(&f, LABEL, 30));
  CU_ASSERT_TRUE(wr_fresh_remove(&f, FLOW, 30));
  CU_ASSERT_EQUAL(f.since_ms, 9);
  CU_ASSERT_TRUE(wr_fresh_remove(&f, FLOW, 40));
  CU_ASSERT_EQUAL(f.since_ms, 9);
  CU_ASSERT_TRUE(wr_fresh_remove(&f, FLOW, 15));
  CU_ASSERT_FALSE(wr_fresh_newest(&f, FLOW, &(struct wr_row){0}));
  add(&f, FLOW, 50, 20);
  CU_ASSERT_EQUAL(f.since_ms, 20);
  add(&f, FLOW, 60, 2); /* the last one has waited longest */
  CU_ASSERT_EQUAL(f.since_ms, 2);
  CU_ASSERT_TRUE(wr_fresh_remove(&f, FLOW, 60));
  CU_ASSERT_EQUAL(f.since_ms, 20);
  wr_fresh_free(&f);
}

/* Five rows with the numbers 10, 20, ... that came at 1, 2, ...; there is room
 * for no more. */
static struct wr_fresh five(void) {
  struct wr_fresh f = {0};
  CU_ASSERT_EQUAL_FATAL(wr_fresh_reserve(&f, 5), 0);
  for (int i = 1; i <= 5; i++)
    wr_fresh_add(&f, &(struct wr_row){.seq = 10 * i}, i);
  return f;
}

static void test_whichever_leaves_the_others_stay(void) {
  for (int gone = 0; gone < 5; gone++) {
    struct wr_fresh f = five();
    struct wr_row rows[5];
    CU_ASSERT_TRUE(wr_fresh_remove(&f, FLOW, 10 * (gone + 1)));
    CU_ASSERT_EQUAL(f.since_ms, gone == 0 ? 2 : 1);
    CU_ASSERT_EQUAL_FATAL(wr_fresh_merge(&f, FLOW, 0, rows, 0, 5), 4);
    for (int i = 0; i < 4; i++)
      CU_ASSERT_EQUAL(rows[i].seq, 10 * (i + 1 + (i >= gone)));
    CU_ASSERT_FALSE(wr_fresh_remove(&f, FLOW, 10 * (gone + 1)));
    wr_fresh_free(&f);
  }
}

static void test_only_the_newest_stay(void) {
  for (int most = 0; most <= 6; most++) {
    struct wr_fresh f = five();
    struct wr_row rows[5];
    int stay = most < 5 ? most : 5;
    CU_ASSERT_EQUAL(wr_fresh_trim(&f, most), 5 - stay);
    CU_ASSERT_EQUAL(f.since_ms, stay > 0 ? 6 - stay : INT64_MAX);
    CU_ASSERT_EQUAL_FATAL(wr_fresh_merge(&f, FLOW, 0, rows, 0, 5), stay);
    for (int i = 0; i < stay; i++)
      CU_ASSERT_EQUAL(rows[i].seq, 10 * (5 - stay + i + 1));
    wr_fresh_free(&f);
    CU_ASSERT_PTR_NULL(f.at);
    CU_ASSERT_EQUAL(f.count + f.cap, 0);
  }
}

/* Among rows that are there: before, between and behind them. */
static void test_where_one_is_put(void) {
  for (int at = 0; at <= 2; at++) {
    struct wr_fresh f = {0};
    struct wr_row rows[3] = {row_of(FLOW, 10), row_of(FLOW, 20)};
    int64_t seq = 5 + 10 * at;
    add(&f, FLOW, seq, 1);
    CU_ASSERT_EQUAL(wr_fresh_merge(&f, FLOW, seq, rows, 2, 3), 2);
    CU_ASSERT_EQUAL(wr_fresh_merge(&f, FLOW, seq - 1, rows, 2, 3), 3);
    for (int i = 0; i < 3; i++)
      CU_ASSERT_EQUAL(rows[i].seq, i == at ? seq : 10 * (i + (i < at)));
    wr_fresh_free(&f);
  }
}

UNIT_MAIN("fresh", UNIT(test_rows_stand_by_their_numbers),
          UNIT(test_room_that_is_there), UNIT(test_who_waits_longest),
          UNIT(test_whichever_leaves_the_others_stay),
          UNIT(test_only_the_newest_stay), UNIT(test_where_one_is_put))
