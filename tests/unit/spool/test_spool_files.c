/* The file of the spool: other versions, damage, other processes. */
#include "lib/spool/schema.h"
#include "tests/unit/spool/spool_case.h"

static void sql(const char *text) {
  sqlite3 *db = NULL;
  char *fault = NULL;
  CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, text, NULL, NULL, &fault) != SQLITE_OK)
    printf("\n%s\n", fault);
  CU_ASSERT_PTR_NULL(fault);
  sqlite3_close(db);
}

static int64_t number_of(const char *query) {
  sqlite3 *db = NULL;
  sqlite3_stmt *s = NULL;
  int64_t number = -1;
  sqlite3_open(path, &db);
  if (sqlite3_prepare_v2(db, query, -1, &s, NULL) == SQLITE_OK &&
      sqlite3_step(s) == SQLITE_ROW)
    number = sqlite3_column_int64(s, 0);
  sqlite3_finalize(s);
  sqlite3_close(db);
  return number;
}

/* --- versions --- */

/* A file as version 0.1.0 left it: rows sorted by their time stamps. */
static const char version_1[] =
    "CREATE TABLE value(property INTEGER, time_us INTEGER,"
    " seq INTEGER, level INTEGER, value, PRIMARY KEY(property, time_us, seq))"
    " WITHOUT ROWID;"
    "CREATE TABLE property(number INTEGER PRIMARY KEY,"
    " key TEXT UNIQUE, id TEXT, name TEXT, type TEXT);"
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1),"
    " seq INTEGER, rows INTEGER, budget_day INTEGER, budget_used INTEGER);"
    "CREATE TABLE rejected(id INTEGER PRIMARY KEY,"
    " at_us INTEGER, property TEXT, time_us INTEGER, value, status INTEGER,"
    " reason TEXT);"
    "INSERT INTO state VALUES(1, 5, 4, 20454, 17);"
    "INSERT INTO property VALUES(1, 'classification', NULL, NULL, NULL);"
    "INSERT INTO property VALUES(2, 'flow_rate', 'id-1', 'flow_rate', 'INT');"
    "INSERT INTO value VALUES(2, 9000000, 1, 0, 0.5);"
    "INSERT INTO value VALUES(2, 1000000, 2, 3, 1.5);" /* the clock was set */
    "INSERT INTO value VALUES(2, 2000000, 4, 0, 2.5);"
    "INSERT INTO value VALUES(1, 1500000, 3, -1, 'Low');"
    "INSERT INTO rejected VALUES(7, 1, 'flow_rate', 500000, 9.5, 400, 'no');"
    "PRAGMA user_version=1;";

static void check_version_1_rows(struct wr_spool *s) {
  struct wr_row rows[8];
  struct wr_memo memo;
  struct wr_spent spent;
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 0);
  CU_ASSERT_EQUAL(status_of(s).rows, 4);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 3);
  for (int i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(rows[i].value.number, i + 0.5);
  CU_ASSERT_EQUAL(rows[0].time_us, 9000000);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, LABEL, 0, rows, 8), 1);
  CU_ASSERT_STRING_EQUAL(rows[0].value.text, "Low");
  CU_ASSERT_TRUE(rows[0].state);
  CU_ASSERT_TRUE(wr_spool_recall(s, FLOW, &memo));
  CU_ASSERT_STRING_EQUAL(memo.id, "id-1");
  wr_spool_load_spent(s, &spent);
  CU_ASSERT_EQUAL(spent.day, 20454);
  CU_ASSERT_EQUAL(spent.used, 17);
}

static void test_version_1_goes_up(void) {
  fresh_dir();
  sql(version_1);
  struct wr_spool *s = open_with(options());
  check_version_1_rows(s);
  CU_ASSERT_EQUAL(wr_spool_again(s, FLOW), 1); /* what it had rejected */
  CU_ASSERT_EQUAL(status_of(s).rows, 5);
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(number_of("PRAGMA user_version"), WR_SCHEMA_VERSION);
  remove_dir();
}

static void test_down_to_version_1_and_up_again(void) {
  fresh_dir();
  sql(version_1);
  char fault[128] = "";
  wr_spool_destroy(open_with(options()));
  CU_ASSERT_EQUAL(wr_spool_convert(path, 1, fault, sizeof(fault)), 0);
  CU_ASSERT_EQUAL(number_of("PRAGMA user_version"), 1);
  /* As 0.1.0 wrote and read. */
  sql("INSERT OR REPLACE INTO value VALUES(2, 3000000, 6, 0, 3.5);"
      "DELETE FROM value WHERE property=2 AND time_us=3000000 AND seq=6");
  CU_ASSERT_EQUAL(number_of("SELECT seq FROM value WHERE property=2 ORDER BY "
                            "time_us DESC, seq DESC LIMIT 1"),
                  1);
  CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM rejected"), 1);
  struct wr_spool *s = open_with(options());
  check_version_1_rows(s);
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(wr_spool_convert(path, 9, fault, sizeof(fault)), -EINVAL);
  CU_ASSERT_PTR_NOT_NULL(strstr(fault, "no way to version 9"));
  remove_dir();
}

/* All of a step or nothing: the disk is full in the middle of it. */
static void test_migration_that_fails_changes_nothing(void) {
  const char *vfs = fault_vfs_register();
  for (long n = 1; n < 60; n++) {
    fresh_dir();
    sql(version_1);
    struct wr_spool_options o = options();
    o.vfs = vfs;
    fault_vfs.calls = 0;
    fault_vfs.fail_at = n;
    fault_vfs.stays = true;
    fault_vfs.code = SQLITE_FULL;
    wr_spool_destroy(open_with(o));
    fault_vfs.fail_at = 0;
    struct wr_spool *s = open_with(options());
    check_version_1_rows(s);
    wr_spool_destroy(s);
    remove_dir();
  }
}

/* --- damage --- */

#define ROWS 400

static void write_rows(void) {
  struct wr_spool_options o = options();
  o.power = false;
  struct wr_spool *s = open_with(o);
  for (int i = 0; i < ROWS; i++)
    offer_number(s, WALL + i * SECOND, i);
  offer_label(s, WALL, "Low");
  wr_spool_commit(s, 0, WALL);
  wr_spool_destroy(s);
}

static off_t length_of(const char *name) {
  struct stat st;
  return stat(name, &st) == 0 ? st.st_size : -1;
}

static void spoil(off_t at) {
  unsigned char noise[4096];
  unsigned dice = 12345;
  for (size_t i = 0; i < sizeof(noise); i++)
    noise[i] = (unsigned char)((dice = dice * 1103515245 + 12345) >> 16);
  int fd = open(path, O_WRONLY);
  CU_ASSERT_EQUAL(pwrite(fd, noise, sizeof(noise), at), sizeof(noise));
  close(fd);
}

static int count_rows(struct wr_spool *s) {
  static struct wr_row rows[2 * ROWS];
  int count = wr_spool_oldest(s, FLOW, 0, rows, 2 * ROWS);
  for (int i = 0; i < count; i++) {
    CU_ASSERT_EQUAL(rows[i].time_us,
                    WALL + (int64_t)rows[i].value.number * SECOND);
    CU_ASSERT_TRUE(i == 0 || rows[i].seq > rows[i - 1].seq);
  }
  return count;
}

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

static void test_empty_file_is_said(void) {
  fresh_dir();
  close(open(path, O_WRONLY | O_CREAT, 0600));
  struct wr_spool *s = open_with(options());
  CU_ASSERT_EQUAL(status_of(s).notes, 1);
  CU_ASSERT_PTR_NOT_NULL(strstr(status_of(s).note, "empty, of 0 bytes"));
  CU_ASSERT_FALSE(status_of(s).in_memory);
  wr_spool_destroy(s);
  s = open_with(options());
  CU_ASSERT_EQUAL(status_of(s).notes, 0);
  wr_spool_destroy(s);
  remove_dir();
}

/* --- others --- */

static void test_file_of_another_process_is_left_alone(void) {
  fresh_dir();
  struct wr_spool *first = open_with(options());
  struct wr_spool *second = open_with(options());
  struct wr_row row;
  CU_ASSERT_FALSE(status_of(first).in_memory);
  CU_ASSERT_TRUE(status_of(second).in_memory);
  CU_ASSERT_PTR_NOT_NULL(strstr(status_of(second).fault, "another process"));
  offer_number(first, WALL, 1);
  wr_spool_commit(first, 0, WALL);
  CU_ASSERT_FALSE(wr_spool_newest(second, FLOW, &row)); /* not ours */
  offer_number(second, WALL, 2);
  wr_spool_commit(second, 0, WALL);
  CU_ASSERT_TRUE(wr_spool_newest(second, FLOW, &row));
  wr_spool_destroy(first);
  wr_spool_commit(second, 61000, WALL);
  CU_ASSERT_FALSE(status_of(second).in_memory);
  CU_ASSERT_EQUAL(status_of(second).rows, 2);
  wr_spool_destroy(second);
  remove_dir();
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

/* --- rejected values --- */

static void reject_two(struct wr_spool *s) {
  struct wr_row rows[4];
  for (int i = 0; i < 4; i++)
    offer_number(s, WALL + i * SECOND, i);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 4);
  wr_spool_reject(s, rows + 1, 400, "no", WALL);
  wr_spool_reject(s, rows + 2, 400, "no", WALL);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 2);
}

static void check_four(struct wr_spool *s) {
  struct wr_row rows[8];
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 4);
  for (int i = 0; i < 4; i++)
    CU_ASSERT_EQUAL(rows[i].value.number, i);
  CU_ASSERT_EQUAL(status_of(s).rows, 4);
}

static void test_rejected_values_go_back_to_their_place(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  reject_two(s);
  CU_ASSERT_EQUAL(wr_spool_again(s, LABEL), 0);
  CU_ASSERT_EQUAL(wr_spool_again(s, FLOW), 2);
  check_four(s);
  CU_ASSERT_EQUAL(wr_spool_again(s, FLOW), 0);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_another_program_has_them_sent_again(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  char fault[128] = "";
  int64_t marked = 0;
  reject_two(s);
  CU_ASSERT_EQUAL(wr_spool_resend_rejected(path, &marked, fault, sizeof(fault)),
                  0);
  CU_ASSERT_EQUAL(marked, 2);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 1000, WALL), 2);
  check_four(s);
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(
      wr_spool_resend_rejected("/nowhere/x.db", &marked, fault, sizeof(fault)),
      -EINVAL);
  remove_dir();
}

static void test_rejected_values_give_way_at_the_ceiling(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.max_bytes = 256 << 10;
  o.power = false;
  struct wr_spool *s = open_with(o);
  struct wr_row row;
  for (int i = 0; i < 4000; i++) {
    offer_number(s, WALL + i, i);
    wr_spool_commit(s, i * 1000, WALL);
    CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
    wr_spool_reject(s, &row, 400, "HTTP 400: too wet", WALL);
  }
  CU_ASSERT_TRUE(status_of(s).bytes <= o.max_bytes + (16 << 10));
  CU_ASSERT_TRUE(status_of(s).dropped > 0); /* and that is said */
  wr_spool_destroy(s);
  remove_dir();
}

/* --- clocks --- */

static void test_clocks_are_told_apart_until_the_next_boot(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.boot = "monday";
  struct wr_row row = {.time_us = WALL, .clock_us = 5 * SECOND};
  struct wr_row rows[4];
  for (int i = 0; i < 3; i++) {
    struct wr_spool *s = open_with(o);
    row.clock_us += 3600 * SECOND;
    wr_spool_offer(s, &row);
    wr_spool_commit(s, i * 1000, WALL);
    CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), i + 1);
    for (int k = 0; k <= i; k++)
      CU_ASSERT_EQUAL(rows[k].clock_us, (3600 * (k + 1) + 5) * SECOND);
    wr_spool_destroy(s);
  }
  o.boot = "tuesday";
  struct wr_spool *s = open_with(o);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 3);
  for (int k = 0; k < 3; k++)
    CU_ASSERT_EQUAL(rows[k].clock_us, WR_CLOCK_UNKNOWN);
  wr_spool_destroy(s);
  remove_dir();
}

/* Drift of less than a second is the same clock; of many clocks of one boot the
 * newest are told apart. */
static void test_many_clocks(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.boot = "monday";
  struct wr_spool *s = open_with(o);
  static struct wr_row rows[2 * WR_DB_ERAS + 8];
  int count = 0;
  for (int i = 0; i < WR_DB_ERAS + 4; i++)
    for (int drift = 0; drift < 2; drift++, count++) {
      struct wr_row row = {.time_us = WALL,
                           .clock_us = 10 * i * SECOND + drift * 999999};
      wr_spool_offer(s, &row);
      wr_spool_commit(s, count, WALL);
    }
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 2 * WR_DB_ERAS + 8), count);
  for (int i = 0; i < count; i++) {
    int64_t clock_us = 10 * (i / 2) * SECOND;
    CU_ASSERT_EQUAL(rows[i].clock_us, i / 2 < 4 ? WR_CLOCK_UNKNOWN : clock_us);
  }
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM era"), WR_DB_ERAS + 4);
  remove_dir();
}

/* Nobody else may hold the lock, whatever the umask. */
static void test_mode_of_the_lock(void) {
  struct stat st;
  char name[160];
  fresh_dir();
  mode_t mask = umask(0);
  struct wr_spool *s = open_with(options());
  umask(mask);
  snprintf(name, sizeof(name), "%s.lock", path);
  CU_ASSERT_EQUAL_FATAL(stat(name, &st), 0);
  CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
  wr_spool_destroy(s);
  remove_dir();
}

UNIT_MAIN("spool, files", UNIT(test_mode_of_the_lock), UNIT(test_many_clocks),
          UNIT(test_version_1_goes_up),
          UNIT(test_down_to_version_1_and_up_again),
          UNIT(test_migration_that_fails_changes_nothing),
          UNIT(test_garbage_in_any_page_costs_that_page),
          UNIT(test_garbage_at_the_beginning_costs_nothing),
          UNIT(test_rejected_values_are_salvaged),
          UNIT(test_way_back_that_fails), UNIT(test_empty_file_is_said),
          UNIT(test_file_of_another_process_is_left_alone),
          UNIT(test_full_disk_is_still_read),
          UNIT(test_budget_spent_without_the_disk),
          UNIT(test_full_disk_at_the_start_is_still_read),
          UNIT(test_slow_reader_does_not_grow_the_log),
          UNIT(test_rejected_values_go_back_to_their_place),
          UNIT(test_another_program_has_them_sent_again),
          UNIT(test_rejected_values_give_way_at_the_ceiling),
          UNIT(test_clocks_are_told_apart_until_the_next_boot))
