/* A disk that cannot be written for a while, and the way back to it. */
#include "tests/unit/spool/spool_rows.h"

/* The disk fails again while the values go back to it: they wait on. */
static void test_way_back_that_fails(void) {
  const char *vfs = fault_vfs_register();
  for (long n = 1; n < 40; n += 2) {
    fresh_dir();
    struct wr_row rows[8];
    struct wr_spool_options o = options();
    o.vfs = vfs;
    fault_vfs.fail_at = 0;
    struct wr_spool *s = open_with(o);
    offer_number(s, WALL, 0);
    wr_spool_commit(s, 0, WALL);
    fault_vfs.calls = 0;
    fault_vfs.fail_at = 1;
    fault_vfs.stays = true;
    fault_vfs.code = SQLITE_FULL;
    for (int i = 1; i < 6; i++) {
      offer_number(s, WALL + i * SECOND, i);
      wr_spool_commit(s, i * 1000, WALL);
    }
    CU_ASSERT_TRUE(status_of(s).in_memory);
    fault_vfs.calls = 0;
    fault_vfs.fail_at = n; /* the way back begins well */
    wr_spool_commit(s, 120000, WALL);
    CU_ASSERT_EQUAL(status_of(s).rows, 6);
    fault_vfs.fail_at = 0;
    wr_spool_commit(s, 300000, WALL);
    CU_ASSERT_FALSE(status_of(s).in_memory);
    CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 6);
    for (int i = 0; i < 6; i++)
      CU_ASSERT_EQUAL(rows[i].value.number, i);
    wr_spool_destroy(s);
    remove_dir();
  }
}

/* What stands on a disk that cannot be written is read and delivered, once. */
static void test_full_disk_is_still_read(void) {
  const char *vfs = fault_vfs_register();
  fresh_dir();
  struct wr_spool_options o = options();
  o.vfs = vfs;
  fault_vfs.fail_at = 0;
  struct wr_spool *s = open_with(o);
  struct wr_row rows[8];
  for (int i = 0; i < 6; i++)
    offer_number(s, WALL + i * SECOND, i);
  wr_spool_commit(s, 0, WALL);
  fault_vfs.calls = 0;
  fault_vfs.fail_at = 1;
  fault_vfs.stays = true;
  fault_vfs.code = SQLITE_FULL;
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 3), 3);
  wr_spool_delivered(s, rows, 3, &(struct wr_spent){.used = 3});
  CU_ASSERT_TRUE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).rows, 3);
  offer_number(s, WALL + 6 * SECOND, 6);
  wr_spool_commit(s, 1000, WALL);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 4);
  CU_ASSERT_EQUAL(rows[0].value.number, 3);
  CU_ASSERT_EQUAL(rows[3].value.number, 6);
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, rows));
  CU_ASSERT_EQUAL(rows[0].value.number, 6);
  fault_vfs.fail_at = 0; /* there is room again */
  wr_spool_commit(s, 120000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).rows, 4);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 4);
  CU_ASSERT_EQUAL(rows[0].value.number, 3);
  wr_spool_destroy(s);
  s = open_with(options());
  CU_ASSERT_EQUAL(status_of(s).rows, 4);
  wr_spool_destroy(s);
  remove_dir();
}

/* What was spent of the day's budget while the disk was away stays spent. */
static void test_budget_spent_without_the_disk(void) {
  static const struct {
    struct wr_spent then, now, want;
  } cases[] = {{{.day = 5, .used = 9},
                {.day = 5, .used = 12, .old = 1},
                {.day = 5, .used = 12, .old = 1}},
               {{.day = 5, .used = 9}, {.day = 6, .used = 2}, {6, 2, 0}},
               {{.day = 5, .used = 9}, {.day = 4, .used = 2}, {5, 9, 0}}};
  const char *vfs = fault_vfs_register();
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    fresh_dir();
    struct wr_spool_options o = options();
    struct wr_row rows[2];
    struct wr_spent spent;
    o.vfs = vfs;
    fault_vfs.fail_at = 0;
    struct wr_spool *s = open_with(o);
    for (int k = 0; k < 4; k++)
      offer_number(s, WALL + k * SECOND, k);
    wr_spool_commit(s, 0, WALL);
    CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 2), 2);
    wr_spool_delivered(s, rows, 1, &cases[i].then);
    fault_vfs.calls = 0;
    fault_vfs.fail_at = 1;
    fault_vfs.stays = true;
    fault_vfs.code = SQLITE_FULL;
    wr_spool_delivered(s, rows + 1, 1, &cases[i].now);
    CU_ASSERT_TRUE(status_of(s).in_memory);
    fault_vfs.fail_at = 0;
    wr_spool_commit(s, 120000, WALL);
    CU_ASSERT_FALSE(status_of(s).in_memory);
    wr_spool_destroy(s);
    s = open_with(options());
    wr_spool_load_spent(s, &spent);
    CU_ASSERT_EQUAL(spent.day, cases[i].want.day);
    CU_ASSERT_EQUAL(spent.used, cases[i].want.used);
    CU_ASSERT_EQUAL(spent.old, cases[i].want.old);
    CU_ASSERT_EQUAL(status_of(s).rows, 2);
    wr_spool_destroy(s);
    remove_dir();
  }
}

static void test_full_disk_at_the_start_is_still_read(void) {
  const char *vfs = fault_vfs_register();
  fresh_dir();
  write_rows();
  struct wr_spool_options o = options();
  o.vfs = vfs;
  fault_vfs.calls = 0;
  fault_vfs.fail_at = 1;
  fault_vfs.stays = true;
  fault_vfs.code = SQLITE_FULL;
  struct wr_spool *s = open_with(o);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(count_rows(s), ROWS);
  offer_number(s, WALL + ROWS * SECOND, ROWS);
  wr_spool_commit(s, 1000, WALL);
  CU_ASSERT_EQUAL(count_rows(s), ROWS + 1);
  fault_vfs.fail_at = 0;
  wr_spool_commit(s, 120000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(count_rows(s), ROWS + 1);
  wr_spool_destroy(s);
  remove_dir();
}

/* A program that reads and does not end must not let the log grow. */
static void test_slow_reader_does_not_grow_the_log(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.max_bytes = 1 << 20;
  o.memory_bytes = 1 << 20;
  o.power = false;
  struct wr_spool *s = open_with(o);
  struct wr_row rows[500];
  sqlite3 *reader = NULL;
  offer_number(s, WALL, -1);
  wr_spool_commit(s, 0, WALL);
  sqlite3_open(path, &reader);
  sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM rejected", NULL, NULL,
               NULL);
  char log[160];
  snprintf(log, sizeof(log), "%s-wal", path);
  off_t longest = 0;
  for (int i = 0; i < 200; i++) {
    for (int k = 0; k < 500; k++)
      offer_number(s, WALL + (i * 500 + k) * SECOND, k);
    wr_spool_commit(s, i, WALL);
    wr_spool_delivered(s, rows, wr_spool_oldest(s, FLOW, 0, rows, 500), NULL);
    longest = length_of(log) > longest ? length_of(log) : longest;
  }
  CU_ASSERT_TRUE(longest < o.max_bytes + (o.max_bytes >> 2));
  CU_ASSERT_TRUE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).dropped + status_of(s).thinned, 0);
  sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL);
  sqlite3_close(reader);
  wr_spool_commit(s, 120000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  wr_spool_destroy(s);
  remove_dir();
}

UNIT_MAIN("spool, disk", UNIT(test_way_back_that_fails),
          UNIT(test_full_disk_is_still_read),
          UNIT(test_budget_spent_without_the_disk),
          UNIT(test_full_disk_at_the_start_is_still_read),
          UNIT(test_slow_reader_does_not_grow_the_log))
