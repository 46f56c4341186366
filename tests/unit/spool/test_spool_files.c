/* The file of the spool: other versions, damage, other processes. */
#include "lib/spool/schema.h"
#include "tests/unit/spool/spool_case.h"

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

/* All of it or nothing, and no transaction stays open. */
static void test_a_migration_is_whole(void) {
  static const struct {
    int from, to, code, version;
  } cases[] = {{1, 3, SQLITE_MISMATCH, 1}, {1, 0, SQLITE_MISMATCH, 1},
               {1, 1, SQLITE_OK, 1},       {1, 2, SQLITE_OK, 2},
               {2, 3, SQLITE_MISMATCH, 2}, {2, 2, SQLITE_OK, 2},
               {2, 1, SQLITE_OK, 1}};
  sqlite3 *db = NULL;
  fresh_dir();
  sql(version_1);
  CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    CU_ASSERT_EQUAL(wr_schema_migrate(db, cases[i].from, cases[i].to),
                    cases[i].code);
    CU_ASSERT_TRUE(sqlite3_get_autocommit(db));
    CU_ASSERT_EQUAL(number_of("PRAGMA user_version"), cases[i].version);
    CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM value"), 4);
  }
  sqlite3_close(db);
  remove_dir();
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

/* A file that is none, or of the version wanted already. */
static void test_convert_what_cannot_be(void) {
  char fault[128] = "";
  fresh_dir();
  CU_ASSERT_EQUAL(wr_spool_convert(path, 1, fault, sizeof(fault)), -EINVAL);
  CU_ASSERT_STRING_EQUAL(fault, "unable to open database file");
  wr_spool_destroy(open_with(options()));
  fault[0] = '\0';
  CU_ASSERT_EQUAL(
      wr_spool_convert(path, WR_SCHEMA_VERSION, fault, sizeof(fault)), 0);
  CU_ASSERT_STRING_EQUAL(fault, "");
  CU_ASSERT_EQUAL(number_of("PRAGMA user_version"), WR_SCHEMA_VERSION);
  CU_ASSERT_EQUAL(wr_spool_convert(path, 0, fault, sizeof(fault)), -EINVAL);
  CU_ASSERT_STRING_EQUAL(
      fault, "it is of version 2, and no way to version 0 is known");
  CU_ASSERT_EQUAL(wr_spool_convert(path, 3, fault, sizeof(fault)), -EINVAL);
  CU_ASSERT_EQUAL(number_of("PRAGMA user_version"), WR_SCHEMA_VERSION);
  sql("CREATE TRIGGER t AFTER UPDATE ON state BEGIN SELECT 1; END;"
      "ALTER TABLE rejected RENAME TO gone");
  CU_ASSERT_EQUAL(wr_spool_convert(path, 1, fault, sizeof(fault)), -EINVAL);
  CU_ASSERT_STRING_EQUAL(fault, "SQL logic error");
  CU_ASSERT_EQUAL(number_of("PRAGMA user_version"), WR_SCHEMA_VERSION);
  CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM value"), 0);
  int fd = open(path, O_WRONLY | O_TRUNC);
  CU_ASSERT_EQUAL(write(fd, dir, sizeof(dir)), sizeof(dir));
  close(fd);
  CU_ASSERT_EQUAL(wr_spool_convert(path, 1, fault, sizeof(fault)), -EINVAL);
  CU_ASSERT_STRING_EQUAL(fault, "file is not a database");
  remove_dir();
}

UNIT_MAIN("spool, files", UNIT(test_version_1_goes_up),
          UNIT(test_down_to_version_1_and_up_again),
          UNIT(test_migration_that_fails_changes_nothing),
          UNIT(test_a_migration_is_whole), UNIT(test_empty_file_is_said),
          UNIT(test_file_of_another_process_is_left_alone),
          UNIT(test_clocks_are_told_apart_until_the_next_boot),
          UNIT(test_many_clocks), UNIT(test_mode_of_the_lock),
          UNIT(test_convert_what_cannot_be))
