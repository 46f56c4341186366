#include "lib/spool/db.h"
#include "tests/unit/spool/spool_case.h"

/* A file that is at fault is moved aside; one that cannot be reached now, for
 * whatever reason, is not. */
static void test_what_is_corrupt(void) {
  for (int code = SQLITE_OK; code <= SQLITE_DONE; code++) {
    bool corrupt = code == SQLITE_ERROR || code == SQLITE_CORRUPT ||
                   code == SQLITE_SCHEMA || code == SQLITE_CONSTRAINT ||
                   code == SQLITE_MISMATCH || code == SQLITE_FORMAT ||
                   code == SQLITE_NOTADB;
    CU_ASSERT_EQUAL(wr_db_is_corrupt(code), corrupt);
    CU_ASSERT_EQUAL(wr_db_is_corrupt(code | 5 << 8), corrupt); /* extended */
  }
  CU_ASSERT_FALSE(wr_db_is_corrupt(WR_DB_LATER)); /* whole, and not ours */
}

static int open_db(struct wr_db *db, struct wr_db_options o) {
  char reason[160];
  return wr_db_open(db, &o, reason, sizeof(reason));
}

static int64_t ask(struct wr_db *db, const char *query) {
  sqlite3_stmt *s = NULL;
  int64_t number = INT64_MIN;
  if (sqlite3_prepare_v2(db->handle, query, -1, &s, NULL) == SQLITE_OK &&
      sqlite3_step(s) == SQLITE_ROW)
    number = sqlite3_column_int64(s, 0);
  sqlite3_finalize(s);
  return number;
}

/* A quarter of the spool in pages of 4 KiB, 16 at least and 1000 at most. */
static void test_when_the_log_is_folded(void) {
  static const int64_t quarters[] = {0, 15, 16, 17, 999, 1000, 1001, 9999};
  static const int want[] = {16, 16, 16, 17, 999, 1000, 1000, 1000};
  for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
    struct wr_db db;
    fresh_dir();
    struct wr_db_options o = {.path = path, .max_bytes = quarters[i] * 16384};
    CU_ASSERT_EQUAL_FATAL(open_db(&db, o), SQLITE_OK);
    CU_ASSERT_EQUAL(db.page_size, 4096);
    CU_ASSERT_EQUAL(db.log->fold_at, want[i]);
    wr_db_close(&db);
    remove_dir();
  }
}

/* The log of a small spool is folded back when it has 16 pages, and before it
 * has twice as many. */
static void test_the_log_stays_short(void) {
  struct wr_db db;
  int most = 0, first = 0;
  fresh_dir();
  struct wr_db_options o = {.path = path, .max_bytes = 1};
  CU_ASSERT_EQUAL_FATAL(open_db(&db, o), SQLITE_OK);
  for (int64_t seq = 1; seq < 300; seq++) {
    struct wr_row row = {.seq = seq, .value = {WR_VALUE_TEXT, 0, "Low"}};
    CU_ASSERT_EQUAL(wr_db_insert(&db, 1, &row, 0), SQLITE_OK);
    if (first == 0 && db.log->pages < most)
      first = most;
    most = db.log->pages > most ? db.log->pages : most;
  }
  CU_ASSERT_EQUAL(first, 16);
  CU_ASSERT_TRUE(most >= 16 && most < 32);
  CU_ASSERT_EQUAL(wr_db_fold_log(&db), SQLITE_OK);
  wr_db_close(&db);
  remove_dir();
}

/* Small caches, and the log for a file that is written alone. */
static void test_memory_and_reading(void) {
  struct wr_db db;
  fresh_dir();
  CU_ASSERT_EQUAL_FATAL(open_db(&db, (struct wr_db_options){.path = path}),
                        SQLITE_OK);
  CU_ASSERT_EQUAL(ask(&db, "PRAGMA cache_size"), -512);
  wr_db_close(&db);
  CU_ASSERT_EQUAL_FATAL(
      open_db(&db, (struct wr_db_options){.path = path, .read_only = true}),
      SQLITE_OK);
  CU_ASSERT_EQUAL(ask(&db, "PRAGMA cache_size"), -64);
  CU_ASSERT_PTR_NULL(db.log);
  CU_ASSERT_NOT_EQUAL(wr_db_exec(&db, "DELETE FROM value"), SQLITE_OK);
  wr_db_close(&db);
  CU_ASSERT_EQUAL_FATAL(open_db(&db, (struct wr_db_options){.path = NULL}),
                        SQLITE_OK);
  CU_ASSERT_EQUAL(ask(&db, "PRAGMA cache_size"), -64);
  CU_ASSERT_PTR_NULL(db.log);
  CU_ASSERT_TRUE(wr_db_bytes(&db) > 0);
  wr_db_close(&db);
  CU_ASSERT_EQUAL(wr_db_bytes(&db), -1);
  remove_dir();
}

/* What no spool has written is damage; its outermost values are none. */
static void test_state_that_cannot_be(void) {
  static const struct {
    const char *text;
    int code;
  } cases[] = {{"UPDATE state SET seq=0, rows=0", SQLITE_OK},
               {"UPDATE state SET seq=4611686018427387903", SQLITE_OK},
               {"UPDATE state SET seq=4611686018427387904", SQLITE_CORRUPT},
               {"UPDATE state SET seq=-1", SQLITE_CORRUPT},
               {"UPDATE state SET rows=-1", SQLITE_CORRUPT},
               {"DELETE FROM state", SQLITE_CORRUPT}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_db db;
    fresh_dir();
    wr_spool_destroy(open_with(options()));
    sql(cases[i].text);
    CU_ASSERT_EQUAL(open_db(&db, (struct wr_db_options){.path = path}),
                    cases[i].code);
    wr_db_close(&db);
    remove_dir();
  }
}

/* --- the file --- */

/* A file of this version is not written when it is opened; one of a later
 * version is not ours, and nothing of it stays open. */
static void test_versions(void) {
  struct wr_db db;
  sqlite3 *other = NULL;
  char reason[64] = "";
  struct wr_db_options o = {.path = path};
  fresh_dir();
  wr_spool_destroy(open_with(options()));
  sqlite3_open(path, &other);
  sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  CU_ASSERT_EQUAL(wr_db_open(&db, &o, reason, sizeof(reason)), SQLITE_OK);
  CU_ASSERT_STRING_EQUAL(reason, "");
  wr_db_close(&db);
  sqlite3_close(other);
  sql("PRAGMA user_version=3");
  int open_files = unit_open_files();
  CU_ASSERT_EQUAL(wr_db_open(&db, &o, reason, sizeof(reason)), WR_DB_LATER);
  CU_ASSERT_STRING_EQUAL(reason, "it is of a later version");
  CU_ASSERT_EQUAL(unit_open_files(), open_files);
  remove_dir();
}

/* Only who writes makes a file, with this mode whatever the umask; one that is
 * there keeps its own. */
static void test_mode_of_the_file(void) {
  static const mode_t masks[] = {0, 022, 077};
  struct wr_db db;
  struct stat st;
  for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
    fresh_dir();
    CU_ASSERT_NOT_EQUAL(
        open_db(&db, (struct wr_db_options){.path = path, .read_only = true}),
        SQLITE_OK);
    CU_ASSERT_FALSE(exists(""));
    mode_t mask = umask(masks[i]);
    CU_ASSERT_EQUAL_FATAL(open_db(&db, (struct wr_db_options){.path = path}),
                          SQLITE_OK);
    wr_db_close(&db);
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0644);
    CU_ASSERT_EQUAL(chmod(path, 0600), 0);
    CU_ASSERT_EQUAL_FATAL(open_db(&db, (struct wr_db_options){.path = path}),
                          SQLITE_OK);
    umask(mask);
    wr_db_close(&db);
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
    remove_dir();
  }
  CU_ASSERT_EQUAL_FATAL(open_db(&db, (struct wr_db_options){.path = NULL}),
                        SQLITE_OK);
  CU_ASSERT_NOT_EQUAL(access(":memory:", F_OK), 0);
  wr_db_close(&db);
}

/* --- properties --- */

static void test_what_is_remembered(void) {
  const struct wr_memo memo = {"id-1", "name-1", "TYPE"};
  struct wr_memo is;
  struct wr_db db;
  int64_t number = 7;
  int open_files = unit_open_files();
  fresh_dir();
  CU_ASSERT_EQUAL_FATAL(open_db(&db, (struct wr_db_options){.path = path}),
                        SQLITE_OK);
  for (int64_t i = 1; i <= 2; i++) {
    CU_ASSERT_EQUAL(wr_db_number(&db, "b", &number), SQLITE_OK);
    CU_ASSERT_EQUAL(number, 1);
    CU_ASSERT_EQUAL(wr_db_number(&db, "a", &number), SQLITE_OK);
    CU_ASSERT_EQUAL(number, 2);
  }
  CU_ASSERT_EQUAL(wr_db_remember(&db, "a", &memo), SQLITE_OK);
  CU_ASSERT_EQUAL(wr_db_recall(&db, "a", &is), SQLITE_OK);
  CU_ASSERT_STRING_EQUAL(is.id, "id-1");
  CU_ASSERT_STRING_EQUAL(is.name, "name-1");
  CU_ASSERT_STRING_EQUAL(is.type, "TYPE");
  for (int i = 0; i < 2; i++) { /* one that is known, one that is not */
    is = memo;
    CU_ASSERT_EQUAL(wr_db_recall(&db, i == 0 ? "b" : "c", &is), SQLITE_DONE);
    CU_ASSERT_STRING_EQUAL(is.id, "");
    CU_ASSERT_STRING_EQUAL(is.name, "");
    CU_ASSERT_STRING_EQUAL(is.type, "");
  }
  wr_db_exec(&db, "DROP TABLE property");
  CU_ASSERT_EQUAL(wr_db_number(&db, "a", &number), SQLITE_ERROR);
  CU_ASSERT_EQUAL(number, 0);
  wr_db_close(&db);
  CU_ASSERT_EQUAL(unit_open_files(), open_files);
  remove_dir();
}

/* A change that fails changes nothing, and says so. */
static void test_change_that_fails(void) {
  struct wr_db db;
  int gone = 7;
  CU_ASSERT_EQUAL_FATAL(open_db(&db, (struct wr_db_options){.path = NULL}),
                        SQLITE_OK);
  struct wr_row row = {.seq = 5, .value = {WR_VALUE_TEXT, 0, "Low"}};
  CU_ASSERT_EQUAL(wr_db_insert(&db, 1, &row, 0), SQLITE_OK);
  wr_db_exec(&db, "CREATE TRIGGER no BEFORE DELETE ON value BEGIN SELECT "
                  "RAISE(ABORT, ''); END");
  CU_ASSERT_EQUAL(wr_db_delete(&db, 1, 5, &gone), SQLITE_CONSTRAINT);
  CU_ASSERT_EQUAL(gone, 0);
  wr_db_exec(&db, "DROP TRIGGER no");
  CU_ASSERT_EQUAL(wr_db_delete(&db, 1, 5, &gone), SQLITE_OK);
  CU_ASSERT_EQUAL(gone, 1);
  CU_ASSERT_EQUAL(wr_db_delete(&db, 1, 5, &gone), SQLITE_OK);
  CU_ASSERT_EQUAL(gone, 0);
  wr_db_close(&db);
}

/* Rows are read as they were written, whatever stood in the place they are read
 * to; none where one of them is no row. */
static void test_rows_of_every_kind(void) {
  static const struct wr_value values[] = {{WR_VALUE_NUMBER, -0.25, ""},
                                           {WR_VALUE_TEXT, 0, "Low"},
                                           {WR_VALUE_BOOL, 1, ""},
                                           {WR_VALUE_BOOL, 0, ""}};
  struct wr_db db;
  struct wr_row rows[5];
  int count = 7;
  CU_ASSERT_EQUAL_FATAL(open_db(&db, (struct wr_db_options){.path = NULL}),
                        SQLITE_OK);
  for (int i = 0; i < 4; i++) {
    struct wr_row row = {.seq = 10 + i, .time_us = -i, .value = values[i]};
    CU_ASSERT_EQUAL(wr_db_insert(&db, 1, &row, i - 1), SQLITE_OK);
  }
  memset(rows, 0x55, sizeof(rows));
  CU_ASSERT_EQUAL(wr_db_select(&db, WR_DB_OLDEST, 1, 0, rows, 5, &count),
                  SQLITE_OK);
  CU_ASSERT_EQUAL_FATAL(count, 4);
  for (int i = 0; i < 4; i++) {
    CU_ASSERT_EQUAL(rows[i].seq, 10 + i);
    CU_ASSERT_EQUAL(rows[i].time_us, -i);
    CU_ASSERT_EQUAL(rows[i].clock_us, WR_CLOCK_UNKNOWN);
    CU_ASSERT_EQUAL(rows[i].state, i == 0);
    CU_ASSERT_EQUAL(rows[i].value.kind, values[i].kind);
    CU_ASSERT_EQUAL(rows[i].value.number, values[i].number);
    CU_ASSERT_STRING_EQUAL(rows[i].value.text, values[i].text);
  }
  CU_ASSERT_EQUAL(wr_db_select(&db, WR_DB_NEWEST, 1, 13, rows, 5, &count),
                  SQLITE_OK);
  CU_ASSERT_EQUAL_FATAL(count, 3);
  CU_ASSERT_EQUAL(rows[0].seq, 12);
  wr_db_exec(&db, "UPDATE value SET value=5 WHERE seq=12");
  CU_ASSERT_EQUAL(wr_db_select(&db, WR_DB_OLDEST, 1, 11, rows, 1, &count),
                  SQLITE_OK);
  CU_ASSERT_EQUAL(rows[0].value.kind, WR_VALUE_BOOL);
  CU_ASSERT_EQUAL(rows[0].value.number, 1);
  wr_db_exec(&db, "UPDATE value SET value=NULL WHERE seq=12");
  CU_ASSERT_EQUAL(wr_db_select(&db, WR_DB_OLDEST, 1, 0, rows, 5, &count),
                  SQLITE_CORRUPT);
  CU_ASSERT_EQUAL(count, 0);
  CU_ASSERT_EQUAL(wr_db_select(&db, WR_DB_OLDEST, 1, 0, rows, 2, &count),
                  SQLITE_OK);
  CU_ASSERT_EQUAL(count, 2);
  wr_db_close(&db);
}

/* --- clocks --- */

/* Less than a second is drift, in both directions; a second is a step. */
static void test_what_is_another_clock(void) {
  static const struct {
    int64_t offset_us, era;
  } cases[] = {{0, 1},        {999999, 1},   {-999999, 1}, {1000000, 4},
               {-1000000, 5}, {-1999999, 5}, {1999999, 4}};
  struct wr_db db;
  struct wr_db_options o = {.path = NULL, .boot = "monday"};
  CU_ASSERT_EQUAL_FATAL(open_db(&db, o), SQLITE_OK);
  for (int64_t i = 0; i < (int64_t)(sizeof(cases) / sizeof(cases[0])); i++) {
    int64_t era = 0;
    CU_ASSERT_EQUAL(wr_db_era(&db, WALL + cases[i].offset_us, i + 1, &era),
                    SQLITE_OK);
    CU_ASSERT_EQUAL(era, cases[i].era);
  }
  CU_ASSERT_EQUAL(wr_db_offset(&db, 1), WALL);
  CU_ASSERT_EQUAL(wr_db_offset(&db, 4), WALL + 1000000);
  CU_ASSERT_EQUAL(wr_db_offset(&db, 0), WR_CLOCK_UNKNOWN);
  CU_ASSERT_EQUAL(wr_db_offset(&db, 2), WR_CLOCK_UNKNOWN);
  int64_t era = 7;
  CU_ASSERT_EQUAL(wr_db_era(&db, WR_CLOCK_UNKNOWN, 9, &era), SQLITE_OK);
  CU_ASSERT_EQUAL(era, 0);
  wr_db_exec(&db, "DROP TABLE era");
  CU_ASSERT_NOT_EQUAL(wr_db_era(&db, 5, 9, &era), SQLITE_OK);
  wr_db_close(&db);
}

/* Of more clocks than are remembered the newest are, also after a restart. */
static void test_more_clocks_than_are_remembered(void) {
  int open_files = unit_open_files();
  fresh_dir();
  for (int again = 0; again < 2; again++) {
    struct wr_db db;
    struct wr_db_options o = {.path = path, .boot = "monday"};
    CU_ASSERT_EQUAL_FATAL(open_db(&db, o), SQLITE_OK);
    for (int64_t i = 1; again == 0 && i <= WR_DB_ERAS + 3; i++) {
      int64_t era = 0;
      CU_ASSERT_EQUAL(wr_db_era(&db, i * 10 * SECOND, i, &era), SQLITE_OK);
    }
    CU_ASSERT_EQUAL(db.era_count, WR_DB_ERAS);
    for (int64_t i = 1; i <= WR_DB_ERAS + 3; i++)
      CU_ASSERT_EQUAL(wr_db_offset(&db, i),
                      i <= 3 ? WR_CLOCK_UNKNOWN : i * 10 * SECOND);
    wr_db_close(&db);
    CU_ASSERT_EQUAL(unit_open_files(), open_files);
  }
  remove_dir();
}

UNIT_MAIN("db", UNIT(test_what_is_corrupt), UNIT(test_when_the_log_is_folded),
          UNIT(test_the_log_stays_short), UNIT(test_memory_and_reading),
          UNIT(test_state_that_cannot_be), UNIT(test_versions),
          UNIT(test_mode_of_the_file), UNIT(test_what_is_remembered),
          UNIT(test_change_that_fails), UNIT(test_rows_of_every_kind),
          UNIT(test_what_is_another_clock),
          UNIT(test_more_clocks_than_are_remembered))
