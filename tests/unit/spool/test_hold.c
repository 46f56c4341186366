/* Values that are held in memory for a moment: those that are delivered in it
 * never touch the disk, the others are stored in time. */
#include "tests/unit/spool/spool_case.h"

#define HOLD 750

static int64_t due_ms;

static int keep(struct wr_spool *s, int64_t now_ms) {
  return wr_spool_keep(s, now_ms, WALL + now_ms * 1000, HOLD, &due_ms);
}

static struct wr_spool *begin(int64_t ahead) {
  struct wr_spool_options o = options();
  fresh_dir();
  fault_vfs.fail_at = 0;
  o.vfs = fault_vfs_register();
  o.spent_ahead = ahead;
  return open_with(o);
}

/* The process ends and nothing more reaches the disk. */
static struct wr_spool *killed(struct wr_spool *s) {
  fault_vfs.fail_at = 1;
  fault_vfs.stays = true;
  fault_vfs.code = SQLITE_IOERR_WRITE;
  fault_vfs.calls = 1;
  wr_spool_destroy(s);
  fault_vfs.fail_at = 0;
  return open_with(options());
}

static void deliver(struct wr_spool *s, int property, int64_t used) {
  struct wr_row row;
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, property, 0, &row, 1), 1);
  wr_spool_delivered(s, &row, 1, &(struct wr_spent){.day = 1, .used = used});
}

/* The counts of the budget go along every `ahead` records: never too few after
 * a kill, and not many too many. */
static void test_the_budget_is_written_ahead(void) {
  struct wr_spool *s = begin(100);
  struct wr_spent spent;
  long writes = 0;
  for (int n = 1; n <= 250; n++) {
    offer_number(s, WALL + n * SECOND, n);
    CU_ASSERT_EQUAL(keep(s, n * 1000), 1);
    CU_ASSERT_EQUAL(due_ms, n * 1000 + HOLD);
    CU_ASSERT_EQUAL(status_of(s).rows, 1);
    CU_ASSERT_EQUAL(status_of(s).accepted, 1);
    long before = fault_vfs.calls;
    deliver(s, FLOW, n);
    writes += fault_vfs.calls > before;
    CU_ASSERT_EQUAL(status_of(s).rows, 0);
  }
  CU_ASSERT_EQUAL(writes, 3);
  s = killed(s);
  wr_spool_load_spent(s, &spent);
  CU_ASSERT_EQUAL(spent.day, 1);
  CU_ASSERT_TRUE(spent.used >= 250 && spent.used <= 350);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_what_is_delivered_in_time_is_never_written(void) {
  struct wr_spool *s = begin(100);
  offer_number(s, WALL, 0);
  keep(s, 0);
  deliver(s, FLOW, 1);
  long before = fault_vfs.calls;
  for (int n = 1; n < 90; n++) {
    offer_number(s, WALL + n * SECOND, n);
    keep(s, n * 1000);
    deliver(s, FLOW, n);
    keep(s, n * 1000 + 800);
  }
  CU_ASSERT_EQUAL(fault_vfs.calls, before);
  wr_spool_destroy(s);
  s = open_with(options());
  struct wr_spent spent;
  wr_spool_load_spent(s, &spent);
  CU_ASSERT_EQUAL(spent.used, 89); /* exactly, after an end in order */
  wr_spool_destroy(s);
  remove_dir();
}

/* To the millisecond. */
static void test_held_no_longer(void) {
  struct wr_spool *s = begin(100);
  offer_number(s, WALL, 0);
  wr_spool_keep(s, 10, WALL, 1, &due_ms);
  CU_ASSERT_EQUAL(due_ms, 11);
  CU_ASSERT_EQUAL(status_of(s).accepted, 1);
  wr_spool_keep(s, 11, WALL, 1, &due_ms);
  CU_ASSERT_EQUAL(status_of(s).accepted, 0);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_what_is_due_survives_a_kill(void) {
  struct wr_spool *s = begin(100);
  struct wr_row rows[8];
  offer_number(s, WALL, 1);
  keep(s, 1000);
  offer_number(s, WALL + SECOND / 2, 2);
  CU_ASSERT_EQUAL(status_of(s).accepted, 2);
  CU_ASSERT_EQUAL(status_of(s).rows, 2);
  keep(s, 1000 + HOLD - 1);
  CU_ASSERT_EQUAL(status_of(s).committed, 0);
  CU_ASSERT_EQUAL(due_ms, 1000 + HOLD);
  keep(s, due_ms); /* what came since then goes along */
  CU_ASSERT_EQUAL(status_of(s).committed, 2);
  CU_ASSERT_EQUAL(status_of(s).accepted, 0);
  CU_ASSERT_EQUAL(due_ms, INT64_MAX);
  offer_number(s, WALL + SECOND, 3);
  keep(s, 2000);
  s = killed(s);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 2);
  CU_ASSERT_EQUAL(rows[1].value.number, 2);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_an_end_in_order_stores_what_is_held(void) {
  struct wr_spool *s = begin(100);
  struct wr_row row;
  offer_number(s, WALL, 7);
  keep(s, 1000);
  wr_spool_destroy(s);
  s = open_with(options());
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, &row, 1), 1);
  CU_ASSERT_EQUAL(row.value.number, 7);
  wr_spool_destroy(s);
  remove_dir();
}

/* Rows on the disk, in memory, and one that came late between them. */
static void test_one_queue_wherever_they_are(void) {
  struct wr_spool *s = begin(100);
  struct wr_row rows[8], row;
  offer_number(s, WALL, 1);
  offer_number(s, WALL + 3 * SECOND / 10, 3);
  wr_spool_commit(s, 1000, WALL);
  offer_number(s, WALL + 2 * SECOND / 10, 2);
  offer_number(s, WALL + 4 * SECOND / 10, 4);
  keep(s, 1100);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 4);
  for (int i = 0; i < 4; i++)
    CU_ASSERT_EQUAL(rows[i].value.number, i + 1);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, rows[1].seq, rows, 8), 2);
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
  CU_ASSERT_EQUAL(row.value.number, 4);
  CU_ASSERT_EQUAL(status_of(s).rows, 4);
  keep(s, 5000);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 4);
  wr_spool_delivered(s, rows, 4, NULL);
  CU_ASSERT_EQUAL(status_of(s).rows, 0);
  CU_ASSERT_FALSE(wr_spool_newest(s, FLOW, &row));
  offer_number(s, WALL + 9 * SECOND, 9);
  wr_spool_commit(s, 9000, WALL); /* the file is not taken for empty */
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 1);
  wr_spool_destroy(s);
  remove_dir();
}

/* A row that was refused keeps its number to itself, also after a kill. */
static void test_a_refused_row_comes_back_beside_new_ones(void) {
  struct wr_spool *s = begin(100);
  struct wr_row row, rows[8];
  offer_number(s, WALL, 1);
  keep(s, 0);
  CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
  wr_spool_reject(s, &row, 400, "no", WALL);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 0);
  s = killed(s);
  offer_number(s, WALL + SECOND, 2);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_EQUAL(wr_spool_again(s, FLOW), 1);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 2);
  CU_ASSERT_EQUAL(rows[0].value.number, 1);
  wr_spool_destroy(s);
  remove_dir();
}

/* After an hour of an even clock ages are looked at, in every turn. */
static void test_turns_without_work_write_nothing(void) {
  struct wr_spool *s = begin(100);
  wr_spool_commit(s, 0, WALL);
  long before = fault_vfs.calls;
  for (int64_t ms = 0; ms < 3 * 3600 * 1000; ms += 5000)
    keep(s, ms);
  CU_ASSERT_EQUAL(fault_vfs.calls, before);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_without_a_disk_nothing_is_held(void) {
  struct wr_spool *s = begin(0);
  fault_vfs.calls = 0;
  fault_vfs.fail_at = 1;
  fault_vfs.stays = true;
  fault_vfs.code = SQLITE_FULL;
  offer_number(s, WALL, 1);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  offer_number(s, WALL + SECOND, 2);
  keep(s, 1000);
  CU_ASSERT_EQUAL(status_of(s).accepted, 0);
  fault_vfs.fail_at = 0;
  keep(s, 61000);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).rows, 2);
  wr_spool_destroy(s);
  s = open_with(options());
  CU_ASSERT_EQUAL(status_of(s).rows, 2);
  wr_spool_destroy(s);
  remove_dir();
}

/* However long they may wait, the memory has an end. */
static void test_many_are_stored_at_once(void) {
  struct wr_spool *s = begin(0);
  for (int n = 0; n < 1000; n++)
    offer_number(s, WALL + n * SECOND, n);
  keep(s, 0);
  CU_ASSERT_EQUAL(status_of(s).accepted, 1000);
  offer_number(s, WALL + 1000 * SECOND, 1000);
  keep(s, 1);
  CU_ASSERT_EQUAL(status_of(s).accepted, 0);
  CU_ASSERT_EQUAL(status_of(s).committed, 1001);
  wr_spool_destroy(s);
  remove_dir();
}

UNIT_MAIN("spool, held rows", UNIT(test_the_budget_is_written_ahead),
          UNIT(test_what_is_delivered_in_time_is_never_written),
          UNIT(test_held_no_longer), UNIT(test_what_is_due_survives_a_kill),
          UNIT(test_an_end_in_order_stores_what_is_held),
          UNIT(test_one_queue_wherever_they_are),
          UNIT(test_a_refused_row_comes_back_beside_new_ones),
          UNIT(test_turns_without_work_write_nothing),
          UNIT(test_without_a_disk_nothing_is_held),
          UNIT(test_many_are_stored_at_once))
