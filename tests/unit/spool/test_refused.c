/* Work on the table of refused values leaves nothing open. */
#include "lib/spool/rejected.h"
#include "tests/unit/spool/spool_case.h"

static void look(const struct wr_rejected *r, void *arg) {
  CU_ASSERT_EQUAL(r->status, 400);
  CU_ASSERT_EQUAL(r->at_us, WALL);
  CU_ASSERT_STRING_EQUAL(r->property, "flow_rate");
  CU_ASSERT_STRING_EQUAL(r->reason, "no");
  ++*(int *)arg;
}

static void refuse(struct wr_db *db, int64_t seq) {
  struct wr_row row = {.seq = seq, .value = {WR_VALUE_NUMBER, 0.5, ""}};
  CU_ASSERT_EQUAL(wr_db_reject(db, "flow_rate", &row, 400, "no", WALL),
                  SQLITE_OK);
}

/* In the order in which they are done, each with the table and without. */
static void work(struct wr_db *db, struct wr_db *other, bool fails) {
  char key[] = "flow_rate", text[64];
  char *const key_list[] = {key};
  const int64_t number = 1;
  int64_t count = 7;
  bool any = false;
  int seen = 0;
  CU_ASSERT_EQUAL(wr_db_mark_again(db, "flow_rate", &count) != SQLITE_OK,
                  fails);
  CU_ASSERT_EQUAL(count, fails ? 0 : 3);
  CU_ASSERT_EQUAL(wr_db_any_again(db, &any) != SQLITE_OK, fails);
  CU_ASSERT_EQUAL(any, !fails);
  CU_ASSERT_EQUAL(
      wr_spool_read_rejected(path, look, &seen, text, sizeof(text)) != 0,
      fails);
  CU_ASSERT_EQUAL(seen, fails ? 0 : 3);
  CU_ASSERT_EQUAL(
      wr_spool_resend_rejected(path, &count, text, sizeof(text)) != 0, fails);
  CU_ASSERT_EQUAL(count, fails ? 0 : 3);
  CU_ASSERT_EQUAL(
      wr_db_take_back(db, key_list, &number, 1, &count) != SQLITE_OK, fails);
  CU_ASSERT_EQUAL(count, fails ? 0 : 3);
  if (!fails)
    refuse(db, 9);
  CU_ASSERT_EQUAL(wr_db_drop_rejected(db, 5, &count) != SQLITE_OK, fails);
  CU_ASSERT_EQUAL(count, fails ? 0 : 1);
  CU_ASSERT_EQUAL(wr_db_move_rejected(other, db) != SQLITE_OK, fails);
  CU_ASSERT_EQUAL(wr_db_move_rejected(db, other) != SQLITE_OK, fails);
}

static void test_nothing_stays_open(void) {
  for (int fails = 0; fails < 2; fails++) {
    int open_files = unit_open_files();
    struct wr_db db, other;
    char reason[160];
    fresh_dir();
    struct wr_db_options o = {.path = path};
    CU_ASSERT_EQUAL_FATAL(wr_db_open(&db, &o, reason, sizeof(reason)),
                          SQLITE_OK);
    o.path = NULL;
    CU_ASSERT_EQUAL_FATAL(wr_db_open(&other, &o, reason, sizeof(reason)),
                          SQLITE_OK);
    for (int64_t seq = 1; seq <= 3; seq++)
      refuse(&db, seq);
    refuse(&other, 4);
    if (fails)
      wr_db_exec(&db, "DROP TABLE rejected");
    work(&db, &other, fails);
    wr_db_close(&db);
    wr_db_close(&other);
    CU_ASSERT_EQUAL(unit_open_files(), open_files);
    remove_dir();
  }
}

/* A row goes back to its place, also where its clock is not known; one without
 * a place goes to the end. */
static void test_places(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  struct wr_row rows[4];
  offer_number(s, WALL, 1);
  wr_spool_commit(s, 0, WALL);
  sql("INSERT INTO rejected(property, value, again, seq, era) VALUES"
      "('flow_rate', 5.5, 1, 5, NULL), ('flow_rate', 6.5, 1, NULL, 7)");
  CU_ASSERT_EQUAL(wr_spool_commit(s, 1000, WALL), 2);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 3);
  CU_ASSERT_EQUAL(rows[0].seq, 5);
  CU_ASSERT_EQUAL(rows[0].value.number, 5.5);
  CU_ASSERT_EQUAL(rows[0].clock_us, WR_CLOCK_UNKNOWN);
  CU_ASSERT_EQUAL(rows[2].seq, 2048);
  CU_ASSERT_EQUAL(rows[2].value.number, 6.5);
  wr_spool_destroy(s);
  remove_dir();
}

UNIT_MAIN("spool, refused", UNIT(test_nothing_stays_open), UNIT(test_places))
