/* What can be read from a file that is spoilt. */
#include "tests/unit/spool/spool_rows.h"

/* 4 KiB of garbage cost what stood in them, wherever they are. */
static void test_garbage_in_any_page_costs_that_page(void) {
  off_t length = 1;
  for (off_t at = 0; at < length; at += 4096) {
    fresh_dir();
    write_rows();
    length = length_of(path);
    CU_ASSERT_TRUE(length >= 8 * 4096);
    spoil(at);
    struct wr_spool *s = open_with(options());
    /* Where SQLite notices only in use. */
    int count = count_rows(s);
    offer_number(s, WALL + ROWS * SECOND, ROWS);
    wr_spool_commit(s, 0, WALL);
    count = count_rows(s);
    if (count < ROWS - 150)
      printf("\npage %d: %d rows", (int)(at / 4096), count);
    CU_ASSERT_TRUE(count >= ROWS - 150);
    CU_ASSERT_FALSE(status_of(s).in_memory);
    wr_spool_destroy(s);
    s = open_with(options());
    CU_ASSERT_EQUAL(count_rows(s), count);
    wr_spool_destroy(s);
    remove_dir();
  }
}

static void test_garbage_at_the_beginning_costs_nothing(void) {
  fresh_dir();
  write_rows();
  spoil(0);
  struct wr_spool *s = open_with(options());
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  CU_ASSERT_EQUAL(status_of(s).salvaged, ROWS + 1);
  CU_ASSERT_PTR_NOT_NULL(strstr(status_of(s).note, "401 values of the old"));
  CU_ASSERT_EQUAL(count_rows(s), ROWS);
  wr_spool_destroy(s);
  remove_dir();
}

/* What was rejected is taken over from a damaged file, too. */
static void test_rejected_values_are_salvaged(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  struct wr_row row;
  for (int i = 0; i < 3; i++) {
    offer_number(s, WALL + i * SECOND, i);
    wr_spool_commit(s, 0, WALL);
    CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
    if (i != 1)
      wr_spool_reject(s, &row, 400 + i, "no", WALL);
  }
  wr_spool_destroy(s);
  spoil(0);
  s = open_with(options());
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM rejected"), 2);
  CU_ASSERT_EQUAL(number_of("SELECT max(status) FROM rejected"), 402);
  CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM rejected WHERE reason='no' "
                            "AND time_us BETWEEN 1767225600000000 AND "
                            "1767225602000000"),
                  2);
  CU_ASSERT_EQUAL(wr_spool_again(s, FLOW), 2);
  CU_ASSERT_EQUAL(status_of(s).rows, 3);
  wr_spool_destroy(s);
  remove_dir();
}

UNIT_MAIN("spool, salvage", UNIT(test_garbage_in_any_page_costs_that_page),
          UNIT(test_garbage_at_the_beginning_costs_nothing),
          UNIT(test_rejected_values_are_salvaged))
