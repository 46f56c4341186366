/* One round of making room: what goes, and what becomes of the rest. */
#include "lib/spool/impl.h"
#include "tests/unit/spool/spool_case.h"

/* A file in which the first row that goes takes a lot of pages with it, so that
 * a round is enough. */
static struct wr_spool *begin(const char *rows) {
  fresh_dir();
  wr_spool_destroy(open_with(options()));
  sql("CREATE TABLE padding(x); INSERT INTO padding VALUES(zeroblob(65536));"
      "CREATE TRIGGER enough AFTER DELETE ON value BEGIN DELETE FROM padding; "
      "END");
  sql(rows);
  struct wr_spool *s = open_with(options());
  s->options.max_bytes = wr_db_bytes(&s->db) - 4096;
  return s;
}

static void finish(struct wr_spool *s) {
  wr_spool_destroy(s);
  remove_dir();
}

/* Rows 1, 2, ... of a property. */
static void write_rows(char *text, size_t size, int property, int count,
                       int old) {
  snprintf(text, size,
           "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT %d) "
           "INSERT INTO value SELECT %d, i, i, 0, iif(i <= %d, 4, 0), 0.5 FROM "
           "n; UPDATE state SET rows=%d",
           count, property, old, count);
}

/* An eighth of them, two at least: the first stays, the next one goes, and so
 * on. Those that were thinned four times go as a whole, when there is nothing
 * else, the oldest first; the newest stays. */
static void test_what_is_thinned(void) {
  static const struct {
    int count, old; /* so many of them thinned four times */
    const char *first, *last;
    int thinned, dropped;
  } cases[] = {
      {16, 0, "1:1,3:0,4:0", "14:0,15:0,16:0", 1, 0},
      {8, 0, "1:1,3:0,4:0", "6:0,7:0,8:0", 1, 0},
      {3, 0, "1:1,3:0", "1:1,3:0", 1, 0},
      {24, 0, "1:1,3:1,4:0", "22:0,23:0,24:0", 1, 0},
      {32, 0, "1:1,3:1", "30:0,31:0,32:0", 2, 0},
      {32, 29, "1:4,2:4,3:4,4:4", "30:1,32:0", 1, 0},
      {32, 28, "1:4,2:4,3:4,4:4", "31:1", 2, 0},
      {24, 22, "4:4", "22:4,23:0,24:0", 0, 3},
      {24, 24, "4:4", "22:4,23:4,24:4", 0, 3},
      {1, 0, "", "", 0, 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int property = 0; property < 2; property++) {
      char text[400];
      write_rows(text, sizeof(text), property + 1, cases[i].count,
                 cases[i].old);
      struct wr_spool *s = begin(text);
      for (int other = 0; other < 2; other++) {
        CU_ASSERT_EQUAL(wr_spool_keep_ceiling(s, other), SQLITE_OK);
        check_text(&s->db,
                   "SELECT group_concat(seq || ':' || level) FROM value WHERE "
                   "seq <= 4",
                   cases[i].first);
        snprintf(text, sizeof(text),
                 "SELECT group_concat(seq || ':' || level) FROM value WHERE "
                 "seq > %d",
                 cases[i].count - 3);
        check_text(&s->db, text, cases[i].last);
      }
      struct wr_spool_status st = status_of(s);
      CU_ASSERT_EQUAL(st.thinned, cases[i].thinned);
      CU_ASSERT_EQUAL(st.dropped, cases[i].dropped);
      CU_ASSERT_EQUAL(s->db.state.rows,
                      cases[i].count - cases[i].thinned - cases[i].dropped);
      CU_ASSERT_EQUAL(st.bytes, wr_db_bytes(&s->db));
      finish(s);
    }
}

/* Changes of state last, and of these the oldest. */
static void test_changes_of_state(void) {
  struct wr_spool *s =
      begin("INSERT INTO value VALUES(1, 1, 1, 0, -1, 'a'), (1, 2, 2, 0, 0, "
            "0.5); UPDATE state SET rows=2");
  CU_ASSERT_EQUAL(wr_spool_keep_ceiling(s, FLOW), SQLITE_OK);
  check_text(&s->db, "SELECT group_concat(seq) FROM value", "1");
  CU_ASSERT_EQUAL(s->db.state.rows, 1);
  finish(s);
  s = begin("INSERT INTO value VALUES(1, 1, 1, 0, -1, 'a'), (1, 2, 2, 0, -1, "
            "'b'), (1, 3, 3, 0, -1, 'c'); UPDATE state SET rows=3");
  CU_ASSERT_EQUAL(wr_spool_keep_ceiling(s, FLOW), SQLITE_OK);
  check_text(&s->db, "SELECT group_concat(seq) FROM value", "3");
  CU_ASSERT_EQUAL(s->db.state.rows, 1);
  CU_ASSERT_EQUAL(status_of(s).dropped, 2);
  finish(s);
}

/* Rows of other properties, whichever numbers these have, before all; never
 * are there less than none. */
static void test_strangers(void) {
  for (int64_t rows = 0; rows < 6; rows++) {
    struct wr_spool *s = begin(
        "INSERT INTO value VALUES(0, 1, 1, 0, -1, 'a'), (3, 2, 2, 0, 0, 0.5),"
        "(1, 3, 3, 0, 0, 0.5), (2, 4, 4, 0, 0, 0.5), (4, 5, 5, 0, 0, 0.5)");
    s->db.state.rows = rows;
    CU_ASSERT_EQUAL(wr_spool_keep_ceiling(s, LABEL), SQLITE_OK);
    check_text(&s->db, "SELECT group_concat(seq) FROM value", "3,4");
    CU_ASSERT_EQUAL(status_of(s).dropped, 3);
    CU_ASSERT_EQUAL(s->db.state.rows, rows > 3 ? rows - 3 : 0);
    finish(s);
  }
}

/* As many as there may be, with the longest numbers: they are no strangers. */
static void test_long_numbers(void) {
  enum { KEYS = 70 };
  static char names[KEYS][8];
  const char *list[KEYS];
  for (int i = 0; i < KEYS; i++) {
    snprintf(names[i], sizeof(names[i]), "p%02d", i);
    list[i] = names[i];
  }
  struct wr_spool_options o = options();
  wr_spool_destroy(begin(
      "WITH n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 70) INSERT "
      "INTO property(number, key) SELECT 9223372036854775807 - i, "
      "printf('p%02d', i) FROM n;"
      "INSERT INTO value SELECT number, 5, 5, 0, -1, 'a' FROM property;"
      "UPDATE state SET rows=72"));
  struct wr_spool *s = wr_spool_create(&o, list, KEYS);
  wr_spool_open(s, 0);
  s->options.max_bytes = wr_db_bytes(&s->db) - 4096;
  CU_ASSERT_EQUAL(wr_spool_keep_ceiling(s, 0), SQLITE_OK);
  CU_ASSERT_EQUAL(status_of(s).dropped, 2);
  check_text(&s->db, "SELECT count(*) || ' ' || min(property) FROM value",
             "70 9223372036854775738");
  CU_ASSERT_EQUAL(s->db.state.rows, 70);
  finish(s);
}

/* What was refused goes 1024 at a time, and 64 times in one commit. */
static void test_rounds_of_a_commit(void) {
  fresh_dir();
  wr_spool_destroy(open_with(options()));
  sql("WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 65600) "
      "INSERT INTO rejected(id) SELECT i FROM n;"
      "INSERT INTO value VALUES(1, 1, 1, 0, -1, 'a'); UPDATE state SET rows=1");
  struct wr_spool *s = open_with(options());
  s->options.max_bytes = 1;
  CU_ASSERT_EQUAL(wr_spool_keep_ceiling(s, FLOW), SQLITE_OK);
  CU_ASSERT_EQUAL(status_of(s).dropped, 64 * 1024);
  check_text(&s->db, "SELECT min(id) FROM rejected", "65537");
  CU_ASSERT_EQUAL(s->db.state.rows, 1);
  CU_ASSERT_EQUAL(wr_spool_keep_ceiling(s, FLOW), SQLITE_OK);
  CU_ASSERT_EQUAL(status_of(s).dropped, 65600 + 1);
  CU_ASSERT_EQUAL(s->db.state.rows, 0);
  finish(s);
}

UNIT_MAIN("spool, round", UNIT(test_what_is_thinned),
          UNIT(test_changes_of_state), UNIT(test_strangers),
          UNIT(test_long_numbers), UNIT(test_rounds_of_a_commit))
