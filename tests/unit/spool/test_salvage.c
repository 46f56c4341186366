/* What can be read from a file that is spoilt. */
#include "tests/unit/spool/salvage_case.h"

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
  char note[384];
  snprintf(note, sizeof(note),
           "the spool was corrupt and is now %s.bad; a new one is begun, with "
           "401 values of the old one (file is not a database)",
           path);
  CU_ASSERT_STRING_EQUAL(status_of(s).note, note);
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
  struct wr_row three[4];
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, three, 4), 3);
  wr_spool_destroy(s);
  remove_dir();
}

/* --- what is taken over --- */

/* Rows that no spool has written are left behind, the others keep how far they
 * are thinned. */
static void test_only_rows_that_are_ours(void) {
  fresh_dir();
  wr_spool_destroy(open_with(options()));
  sql("INSERT INTO value(property, seq, time_us, level, value) VALUES"
      "(1, 1, 5, 0, 0.5), (1, 2, 5, 4, 0.5), (1, 3, 5, -1, 'Low'),"
      "(1, 4, 5, 5, 0.5), (1, 5, 5, -2, 0.5), (1, 6, 5, NULL, 0.5),"
      "(1, 7, 5, 'x', 0.5), (1, 8, 5, 0, NULL), (1, 9, 5, 0, x'00'),"
      "(1, 10, 5, 0, 9e999), (1, 0, 5, 0, 0.5), (1, -1, 5, 0, 0.5),"
      "(1, 4611686018427387903, 5, 1, 0.5),"
      "(1, 4611686018427387904, 5, 0, 0.5), (99, 20, 5, 0, 0.5),"
      "(0, 21, 5, 0, 0.5)");
  struct wr_db db = salvaged(4);
  check_text(&db,
             "SELECT group_concat(seq || ':' || level || ':' || quote(value)) "
             "FROM value",
             "1:0:0.5,2:4:0.5,3:-1:'Low',4611686018427387903:1:0.5");
  wr_db_close(&db);
  remove_dir();
}

/* With all that is known of them, behind every value; what was spent of the
 * budget stays spent. */
static void test_refused_and_spent(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  offer_number(s, WALL, 1);
  offer_number(s, WALL, 2);
  wr_spool_destroy(s);
  sql("INSERT INTO rejected(at_us, property, time_us, value, status, reason) "
      "VALUES(11, 'flow_rate', 12, 'Low', 403, 'why'),"
      "(21, NULL, 22, 0.5, 404, 'x'), (31, 'other', 32, 1, 405, NULL);"
      "UPDATE state SET budget_day=5, budget_used=6, budget_old=7");
  struct wr_db db = salvaged(2);
  check_text(&db,
             "SELECT group_concat(at_us || property || time_us || quote(value) "
             "|| status || reason || ' ' || seq) FROM rejected",
             "11flow_rate12'Low'403why 3072,31other321405 5120");
  check_text(&db, "SELECT budget_day || budget_used || budget_old FROM state",
             "567");
  check_text(&db, "SELECT rows || ' ' || seq FROM state", "2 5120");
  CU_ASSERT_EQUAL(db.state.spent.day, 5);
  CU_ASSERT_EQUAL(db.state.spent.used, 6);
  CU_ASSERT_EQUAL(db.state.spent.old, 7);
  wr_db_close(&db);
  remove_dir();
}

/* Version 1 did not count what was spent on old values. */
static void test_spent_by_version_1(void) {
  char fault[64];
  fresh_dir();
  wr_spool_destroy(open_with(options()));
  CU_ASSERT_EQUAL(wr_spool_convert(path, 1, fault, sizeof(fault)), 0);
  sql("UPDATE state SET budget_day=5, budget_used=6");
  struct wr_db db = salvaged(0);
  CU_ASSERT_EQUAL(db.state.spent.day, 5);
  CU_ASSERT_EQUAL(db.state.spent.used, 6);
  CU_ASSERT_EQUAL(db.state.spent.old, 0);
  check_text(&db, "SELECT budget_day || budget_used || budget_old FROM state",
             "560");
  wr_db_close(&db);
  remove_dir();
}

/* All of it or nothing, in the file and in what is known of it. */
static void test_nothing_where_it_cannot_be_stored(void) {
  fresh_dir();
  write_rows();
  struct wr_db db = target();
  struct wr_db_state before = {7, 3, {4, 5, 6}};
  db.state = before;
  wr_db_exec(&db, "CREATE TRIGGER no BEFORE UPDATE ON state BEGIN "
                  "SELECT RAISE(ABORT, 'no'); END");
  CU_ASSERT_EQUAL(wr_spool_salvage(path, &db), 0);
  CU_ASSERT_EQUAL(memcmp(&db.state, &before, sizeof(before)), 0);
  CU_ASSERT_TRUE(sqlite3_get_autocommit(db.handle));
  check_text(&db, "SELECT count(*) FROM value", "0");
  wr_db_exec(&db, "DROP TRIGGER no");
  CU_ASSERT_EQUAL(wr_spool_salvage(path, &db), ROWS + 1);
  wr_db_close(&db);
  remove_dir();
}

static void test_more_properties_than_are_taken(void) {
  for (int count = 255; count <= 257; count++) {
    char text[240], want[16];
    fresh_dir();
    wr_spool_destroy(open_with(options()));
    snprintf(
        text, sizeof(text),
        "DELETE FROM property; WITH n(i) AS (SELECT 1 UNION ALL SELECT i + "
        "1 FROM n) INSERT INTO property(number, key) SELECT i, 'k' || i "
        "FROM n LIMIT %d; INSERT INTO value VALUES(255, 5, 5, 0, 0, 0.5)",
        count);
    sql(text);
    struct wr_db db = salvaged(1);
    snprintf(want, sizeof(want), "%d", count < 256 ? count : 256);
    check_text(&db, "SELECT count(*) FROM property", want);
    check_text(&db, "SELECT key FROM value JOIN property ON property=number",
               "k255");
    wr_db_close(&db);
    remove_dir();
  }
}

/* The disk fails while it is done: all of it or nothing, and that is said. */
static void test_salvage_that_fails(void) {
  const char *vfs = fault_vfs_register();
  for (long n = 1; n < 40; n++) {
    fresh_dir();
    write_rows();
    spoil(0);
    struct wr_spool_options o = options();
    o.vfs = vfs;
    fault_vfs.calls = 0;
    fault_vfs.fail_at = n;
    fault_vfs.stays = false;
    fault_vfs.code = SQLITE_FULL;
    struct wr_spool *s = open_with(o);
    fault_vfs.fail_at = 0;
    wr_spool_commit(s, 120000, WALL);
    CU_ASSERT_FALSE(status_of(s).in_memory);
    int count = count_rows(s);
    CU_ASSERT_TRUE(count == ROWS || count == 0);
    CU_ASSERT_EQUAL(status_of(s).salvaged, count + (count > 0));
    CU_ASSERT_EQUAL(status_of(s).rows, count + (count > 0));
    wr_spool_destroy(s);
    remove_dir();
  }
}

UNIT_MAIN("spool, salvage", UNIT(test_garbage_in_any_page_costs_that_page),
          UNIT(test_garbage_at_the_beginning_costs_nothing),
          UNIT(test_rejected_values_are_salvaged),
          UNIT(test_only_rows_that_are_ours), UNIT(test_refused_and_spent),
          UNIT(test_spent_by_version_1),
          UNIT(test_nothing_where_it_cannot_be_stored),
          UNIT(test_more_properties_than_are_taken),
          UNIT(test_salvage_that_fails))
