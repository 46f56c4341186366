/* How a damaged file is searched for rows: what is found, and with how many
 * queries. */
#define _GNU_SOURCE /* memmem */
#include "tests/unit/spool/salvage_case.h"

/* Of whatever version: what lies between two damaged pages is there. */
static void test_two_damaged_pages(void) {
  for (int way = 1; way <= 3; way++) {
    struct leaf leaf[100];
    write_many(way == 1 ? 1 : WR_SCHEMA_VERSION, MANY);
    if (way == 3) /* also where no number is free */
      sql("UPDATE value SET seq=seq/1024");
    int n = leaves(leaf, 100);
    CU_ASSERT_FATAL(n >= 8);
    spoil(leaf[1].at);
    spoil(leaf[n - 3].at);
    struct wr_db db = salvaged(MANY - leaf[1].rows - leaf[n - 3].rows);
    check_text(&db, "SELECT min(value) || ' ' || max(value) FROM value",
               "0.0 2999.0");
    wr_db_close(&db);
    remove_dir();
  }
}

static int statements;

static int count_statement(unsigned kind, void *arg, void *s, void *text) {
  (void)kind;
  (void)arg;
  (void)s;
  statements += strncmp(text, "SELECT seq", 10) == 0;
  return 0;
}

static int watch(sqlite3 *db, char **fault, const void *api) {
  (void)fault;
  (void)api;
  return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, count_statement, NULL);
}

/* With so many queries for rows. */
static struct wr_db watched(int64_t *rows) {
  struct wr_db db = target();
  sqlite3_auto_extension((void (*)(void))watch);
  statements = 0;
  *rows = wr_spool_salvage(path, &db);
  sqlite3_reset_auto_extension();
  return db;
}

/* One page: from below, from above, and then its numbers are cut in two until
 * they are 128 pieces, each asked for from both ends. */
static void test_queries_for_one_page(void) {
  struct leaf leaf[100];
  write_many(WR_SCHEMA_VERSION, MANY);
  int n = leaves(leaf, 100), pieces = 2 + 4 + 8 + 16 + 32 + 64 + 128;
  int64_t rows = 0;
  spoil(leaf[n / 2].at);
  struct wr_db db = watched(&rows);
  CU_ASSERT_EQUAL(rows, MANY - leaf[n / 2].rows);
  /* And once more from above; a property without rows takes two. */
  CU_ASSERT_EQUAL(statements, 2 + 2 * pieces + 1 + 2);
  wr_db_close(&db);
  remove_dir();
}

/* Nearly all is damaged: it comes to an end, with what both ends have. */
static void test_nearly_all_damaged(void) {
  struct leaf leaf[100];
  write_many(WR_SCHEMA_VERSION, 3 * MANY);
  int n = leaves(leaf, 100), least = leaf[0].rows + leaf[n - 1].rows;
  for (int i = 1; i < n - 1; i++)
    if (i % 3 != 0)
      spoil(leaf[i].at);
  int64_t rows = 0;
  struct wr_db db = watched(&rows);
  CU_ASSERT_TRUE(rows > least);
  /* The last one from above for each of the two properties. */
  CU_ASSERT_TRUE(statements > 4000 && statements <= 4096 + 1 + 2);
  check_text(&db, "SELECT min(value) || ' ' || max(value) FROM value",
             "0.0 8999.0");
  wr_db_close(&db);
  remove_dir();
}

/* Pages that the table has given up are no damage: what was delivered stays
 * so, at whichever end the file is damaged. */
static void test_delivered_rows_stay_away(void) {
  for (int end = 0; end < 2; end++) {
    struct leaf leaf[100];
    write_many(WR_SCHEMA_VERSION, MANY);
    sql("DELETE FROM property WHERE number=2; PRAGMA secure_delete=OFF;"
        "DELETE FROM value WHERE value BETWEEN 1000 AND 1999");
    sql("PRAGMA wal_checkpoint(TRUNCATE)");
    int n = leaves(leaf, 100), at = end == 0 ? 0 : n - 1;
    spoil(leaf[at].at);
    struct wr_db db = salvaged(MANY - 1000 - leaf[at].rows);
    check_text(&db,
               "SELECT count(*) FROM value WHERE value BETWEEN 1000 AND "
               "1999",
               "0");
    wr_db_close(&db);
    remove_dir();
  }
}

/* The page that all others hang on: each of them is there, to the row. */
static void test_damaged_root(void) {
  struct leaf leaf[100];
  int64_t rows = 0;
  write_many(WR_SCHEMA_VERSION, MANY);
  sql("INSERT INTO value VALUES(0, 1, 1, 0, 0, 0.5)"); /* of no property */
  sql("CREATE TABLE padding(x); INSERT INTO padding VALUES(zeroblob(65536));"
      "INSERT INTO value SELECT property, seq + 1000000000, time_us, era, "
      "level, value FROM value WHERE property=1"); /* pages apart from others */
  sql("PRAGMA wal_checkpoint(TRUNCATE)");
  int n = leaves(leaf, 100);
  int64_t root =
      number_of("SELECT rootpage FROM sqlite_master WHERE name='value'");
  for (int i = 0; i < n; i++)
    rows += leaf[i].rows;
  spoil((root - 1) * 4096);
  struct wr_db db = salvaged(rows - 1);
  check_text(&db, "SELECT count(DISTINCT property) FROM value", "1");
  wr_db_close(&db);
  remove_dir();
}

/* A first page is lent, of a file with a log. */
static void test_damaged_first_page(void) {
  unsigned char head[32];
  write_many(WR_SCHEMA_VERSION, MANY);
  spoil(0);
  struct wr_db db = salvaged(MANY);
  int fd = open(path, O_RDONLY);
  CU_ASSERT_EQUAL_FATAL(pread(fd, head, sizeof(head), 0), sizeof(head));
  close(fd);
  CU_ASSERT_STRING_EQUAL((char *)head, "SQLite format 3");
  CU_ASSERT_EQUAL(head[18], 2);
  CU_ASSERT_EQUAL(head[19], 2);
  wr_db_close(&db);
  remove_dir();
}

/* One whose number is spoilt seems to be the last: those behind it are found
 * from the other end. */
static void test_rows_that_are_hidden(void) {
  static unsigned char file[1 << 18];
  const unsigned char number[] = {0x10, 0, 0, 0, 0, 0, 0, 1};
  const unsigned char highest[] = {0x7f, 255, 255, 255, 255, 255, 255, 255};
  fresh_dir();
  wr_spool_destroy(open_with(options()));
  sql("INSERT INTO value(property, seq, time_us, level, value) VALUES"
      "(1, 1152921504606846976, 1, 0, 0.5), (1, 1152921504606846977, 2, 0, "
      "1.5), (1, 1152921504606846978, 3, 0, 2.5), (1, 1152921504606846979, 4, "
      "0, 3.5), (1, 1152921504606846980, 5, 0, 4.5)");
  sql("PRAGMA wal_checkpoint(TRUNCATE)");
  int fd = open(path, O_RDWR);
  ssize_t len = read(fd, file, sizeof(file));
  CU_ASSERT_FATAL(len > 0);
  unsigned char *at = memmem(file, (size_t)len, number, sizeof(number));
  CU_ASSERT_PTR_NOT_NULL_FATAL(at);
  CU_ASSERT_EQUAL(pwrite(fd, highest, sizeof(highest), at - file), 8);
  close(fd);
  struct wr_db db = salvaged(4);
  check_text(&db, "SELECT group_concat(value) FROM value", "0.5,2.5,3.5,4.5");
  wr_db_close(&db);
  remove_dir();
}

/* Nobody knows whose rows they are. */
static void test_no_properties(void) {
  write_many(WR_SCHEMA_VERSION, 10);
  sql("DELETE FROM property");
  int64_t rows = 7;
  struct wr_db db = watched(&rows);
  CU_ASSERT_EQUAL(rows, 0);
  CU_ASSERT_EQUAL(statements, 0);
  wr_db_close(&db);
  remove_dir();
}

UNIT_MAIN("spool, search", UNIT(test_two_damaged_pages),
          UNIT(test_queries_for_one_page), UNIT(test_nearly_all_damaged),
          UNIT(test_delivered_rows_stay_away), UNIT(test_damaged_root),
          UNIT(test_damaged_first_page), UNIT(test_rows_that_are_hidden),
          UNIT(test_no_properties))
