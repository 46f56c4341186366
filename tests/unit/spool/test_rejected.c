/* What the cloud refused, and its way back into the queue. */
#include "lib/spool/order.h"
#include "lib/spool/rejected.h"
#include "tests/unit/alloc.h"
#include "tests/unit/spool/spool_case.h"

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

/* --- the table itself --- */

static struct wr_db memory(void) {
  struct wr_db db;
  char reason[160];
  struct wr_db_options o = {.path = NULL, .boot = "monday"};
  CU_ASSERT_EQUAL_FATAL(wr_db_open(&db, &o, reason, sizeof(reason)), SQLITE_OK);
  return db;
}

static void refuse(struct wr_db *db, int64_t n, struct wr_value value) {
  struct wr_row row = {.time_us = WALL + n,
                       .seq = n * 1024,
                       .clock_us = n * 5 * SECOND,
                       .state = value.kind == WR_VALUE_TEXT,
                       .value = value};
  CU_ASSERT_EQUAL(wr_db_reject(db, "flow_rate", &row, 400 + (int)n, "no", n),
                  SQLITE_OK);
}

static void refuse_three(struct wr_db *db) {
  refuse(db, 1, (struct wr_value){WR_VALUE_NUMBER, 0.25, ""});
  refuse(db, 2, (struct wr_value){WR_VALUE_TEXT, 0, "Low"});
  refuse(db, 3, (struct wr_value){WR_VALUE_BOOL, 1, ""});
}

static void test_marks(void) {
  struct wr_db db = memory();
  bool any = true;
  int64_t marked = 7;
  CU_ASSERT_EQUAL(wr_db_any_again(&db, &any), SQLITE_OK);
  CU_ASSERT_FALSE(any);
  refuse_three(&db);
  CU_ASSERT_EQUAL(wr_db_mark_again(&db, "classification", &marked), SQLITE_OK);
  CU_ASSERT_EQUAL(marked, 0);
  CU_ASSERT_EQUAL(wr_db_any_again(&db, &any), SQLITE_OK);
  CU_ASSERT_FALSE(any);
  CU_ASSERT_EQUAL(wr_db_mark_again(&db, "flow_rate", &marked), SQLITE_OK);
  CU_ASSERT_EQUAL(marked, 3);
  CU_ASSERT_EQUAL(wr_db_any_again(&db, &any), SQLITE_OK);
  CU_ASSERT_TRUE(any);
  wr_db_close(&db);
}

/* The database says no to each kind of change: the code comes back, nothing is
 * counted, and nothing has gone. */
static void test_changes_that_fail(void) {
  static const char *const no[] = {"INSERT ON rejected", "UPDATE ON rejected",
                                   "DELETE ON rejected", "INSERT ON value"};
  char key[] = "flow_rate";
  char *const key_list[] = {key};
  const int64_t number = 1;
  for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
    char text[160];
    struct wr_db db = memory(), other = memory();
    int64_t marked = 7, back = 7, gone = 7;
    refuse_three(&db);
    refuse_three(&other);
    wr_db_exec(&db, "UPDATE rejected SET again=1");
    snprintf(text, sizeof(text),
             "CREATE TRIGGER no BEFORE %s BEGIN SELECT RAISE(ABORT,'no'); END",
             no[i]);
    CU_ASSERT_EQUAL(wr_db_exec(&db, text), SQLITE_OK);
    struct wr_row row = {.seq = 1};
    int code = wr_db_reject(&db, "flow_rate", &row, 400, "no", 1);
    CU_ASSERT_EQUAL(code == SQLITE_OK, i != 0);
    CU_ASSERT_EQUAL(wr_db_move_rejected(&other, &db) == SQLITE_OK, i != 0);
    code = wr_db_mark_again(&db, "flow_rate", &marked);
    CU_ASSERT_EQUAL(code == SQLITE_OK, i != 1);
    CU_ASSERT_EQUAL(marked, i == 0 ? 3 : i == 1 ? 0 : 7);
    code = wr_db_drop_rejected(&db, 1, &gone);
    CU_ASSERT_EQUAL(code == SQLITE_OK, i != 2);
    CU_ASSERT_EQUAL(gone, i != 2);
    code = wr_db_take_back(&db, key_list, &number, 1, &back);
    CU_ASSERT_EQUAL(code == SQLITE_OK, i == 0 || i == 1);
    CU_ASSERT_EQUAL(back == 0, i == 3);
    wr_db_close(&db);
    wr_db_close(&other);
  }
}

static void test_no_table(void) {
  struct wr_db db = memory();
  bool any = true;
  int64_t count = 7;
  struct wr_row row = {.seq = 1};
  wr_db_exec(&db, "DROP TABLE rejected");
  CU_ASSERT_NOT_EQUAL(wr_db_any_again(&db, &any), SQLITE_OK);
  CU_ASSERT_FALSE(any);
  CU_ASSERT_NOT_EQUAL(wr_db_mark_again(&db, "x", &count), SQLITE_OK);
  CU_ASSERT_EQUAL(count, 0);
  CU_ASSERT_NOT_EQUAL(wr_db_take_back(&db, NULL, NULL, 0, &count), SQLITE_OK);
  CU_ASSERT_NOT_EQUAL(wr_db_reject(&db, "x", &row, 400, "no", 1), SQLITE_OK);
  struct wr_db other = memory();
  CU_ASSERT_NOT_EQUAL(wr_db_move_rejected(&db, &other), SQLITE_OK);
  CU_ASSERT_NOT_EQUAL(wr_db_move_rejected(&other, &db), SQLITE_OK);
  wr_db_close(&db);
  wr_db_close(&other);
}

static void test_the_oldest_refused_go_first(void) {
  struct wr_db db = memory();
  int64_t gone = 0;
  refuse_three(&db);
  CU_ASSERT_EQUAL(wr_db_drop_rejected(&db, 2, &gone), SQLITE_OK);
  CU_ASSERT_EQUAL(gone, 2);
  check_text(&db, "SELECT group_concat(status) FROM rejected", "403");
  CU_ASSERT_EQUAL(wr_db_drop_rejected(&db, 2, &gone), SQLITE_OK);
  CU_ASSERT_EQUAL(gone, 1);
  wr_db_close(&db);
}

/* To another database, each as it was; the numbers of eras mean nothing there.
 */
static void test_refused_move(void) {
  struct wr_db from = memory(), to = memory();
  refuse_three(&from);
  check_text(&from, "SELECT min(era)>0 FROM rejected", "1");
  CU_ASSERT_EQUAL(wr_db_move_rejected(&from, &to), SQLITE_OK);
  check_text(&from, "SELECT count(*) FROM rejected", "0");
  check_text(
      &to,
      "SELECT group_concat(at_us || ' ' || property || ' ' || (time_us - "
      "1767225600000000) || ' ' || quote(value) || ' ' || status || ' ' "
      "|| reason || ' ' || seq || ' ' || era || ' ' || level) FROM "
      "rejected",
      "1 flow_rate 1 0.25 401 no 1024 0 0,"
      "2 flow_rate 2 'Low' 402 no 2048 0 -1,"
      "3 flow_rate 3 1 403 no 3072 0 0");
  wr_db_close(&from);
  wr_db_close(&to);
}

/* --- back in the queue --- */

/* With its place, its clock and its kind; a change of state is one again. */
static void test_what_goes_back_is_as_it_was(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.boot = "monday";
  struct wr_spool *s = open_with(o);
  struct wr_row was[2], is;
  for (int p = 0; p < 2; p++) {
    struct wr_row row = {.property = p,
                         .time_us = WALL + p,
                         .clock_us = 5 * SECOND,
                         .state = p == LABEL,
                         .value = {WR_VALUE_TEXT, 0, "Low"}};
    wr_spool_offer(s, &row);
    wr_spool_commit(s, 0, WALL);
    CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, p, &was[p]));
    wr_spool_reject(s, &was[p], 400, "no", WALL);
    CU_ASSERT_FALSE(wr_spool_newest(s, p, &is));
  }
  for (int p = 0; p < 2; p++) {
    CU_ASSERT_EQUAL(wr_spool_again(s, p), 1);
    CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, p, &is));
    CU_ASSERT_EQUAL(is.seq, was[p].seq);
    CU_ASSERT_EQUAL(is.time_us, WALL + p);
    CU_ASSERT_EQUAL(is.clock_us, 5 * SECOND);
    CU_ASSERT_EQUAL(is.state, p == LABEL);
    CU_ASSERT_STRING_EQUAL(is.value.text, "Low");
  }
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(number_of("SELECT level FROM value ORDER BY level LIMIT 1"),
                  -1);
  CU_ASSERT_EQUAL(number_of("SELECT max(level) FROM value"), 0);
  remove_dir();
}

/* Of properties that are not ours, or of none: they stay, are asked for once,
 * and one of version 1, without a place, goes to the end. */
static void test_strangers_stay(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  struct wr_row rows[4];
  offer_number(s, WALL, 1);
  wr_spool_commit(s, 0, WALL);
  sql("INSERT INTO rejected(property, value, again) VALUES('pressure', 1.5, 1),"
      "('flow_rate', 2.0, 2), (NULL, 3.5, 1), ('', 4.5, 1),"
      "('classification', 5.5, 0)");
  CU_ASSERT_EQUAL(wr_spool_commit(s, 1000, WALL), 1);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 2000, WALL), 0);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 2);
  CU_ASSERT_EQUAL(rows[1].value.number, 2);
  CU_ASSERT_EQUAL(rows[1].seq % WR_ORDER_STEP, 0);
  CU_ASSERT_EQUAL(status_of(s).rows, 2);
  offer_number(s, WALL, 3);
  wr_spool_commit(s, 3000, WALL);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 3);
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM rejected WHERE again=0"), 4);
  CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM rejected"), 4);
  remove_dir();
}

/* As many properties as there may be, with names as long as they may be, or
 * longer, or such that SQL would mind. */
static void test_names_of_every_kind(void) {
  enum { KEYS = 70 };
  static char names[KEYS][100];
  const char *list[KEYS];
  char text[400];
  for (int i = 0; i < KEYS; i++) {
    snprintf(names[i], sizeof(names[i]), "%s%0*d", i % 3 == 0 ? "o'clock" : "n",
             40 + i % 50, i);
    list[i] = names[i];
  }
  fresh_dir();
  struct wr_spool_options o = options();
  struct wr_spool *s = wr_spool_create(&o, list, KEYS);
  wr_spool_open(s, 0);
  for (int i = 0; i < KEYS; i++) {
    sqlite3_snprintf(sizeof(text), text,
                     "INSERT INTO rejected(property, value, again) VALUES(%Q, "
                     "0.5, 1)",
                     names[i]);
    sql(text);
  }
  CU_ASSERT_EQUAL(wr_spool_commit(s, 1000, WALL), KEYS);
  CU_ASSERT_EQUAL(status_of(s).rows, KEYS);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 0);
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM rejected"), 0);
  remove_dir();
}

/* --- as other programs read it --- */

struct seen {
  int count, wrong;
};

static void look(const struct wr_rejected *r, void *arg) {
  struct seen *seen = arg;
  seen->wrong += r->time_us != seen->count;
  seen->count++;
}

static void test_any_number_of_them(void) {
  static const int counts[] = {0, 1, 199, 200, 201, 400};
  for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
    char text[240], fault[64] = "none";
    struct seen seen = {0};
    fresh_dir();
    wr_spool_destroy(open_with(options()));
    snprintf(
        text, sizeof(text),
        "WITH n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) INSERT INTO "
        "rejected(id, time_us, value) SELECT i, i, 0.5 FROM n LIMIT %d",
        counts[i]);
    sql(text);
    CU_ASSERT_EQUAL(
        wr_spool_read_rejected(path, look, &seen, fault, sizeof(fault)), 0);
    CU_ASSERT_EQUAL(seen.count, counts[i]);
    CU_ASSERT_EQUAL(seen.wrong, 0);
    CU_ASSERT_STRING_EQUAL(fault, "none");
    remove_dir();
  }
}

static void check_one(const struct wr_rejected *r, void *arg) {
  ++*(int *)arg;
  CU_ASSERT_EQUAL(r->at_us, 11);
  CU_ASSERT_EQUAL(r->time_us, 12);
  CU_ASSERT_EQUAL(r->status, 403);
  CU_ASSERT_EQUAL(r->value.kind, WR_VALUE_TEXT);
  CU_ASSERT_STRING_EQUAL(r->value.text, "Low");
  CU_ASSERT_STRING_EQUAL(r->property, "");
  CU_ASSERT_STRING_EQUAL(r->reason, "");
}

static void test_one_of_them(void) {
  char fault[64] = "";
  int count = 0;
  int64_t marked = 7;
  fresh_dir();
  wr_spool_destroy(open_with(options()));
  sql("INSERT INTO rejected(at_us, time_us, value, status) "
      "VALUES(11, 12, 'Low', 403)");
  CU_ASSERT_EQUAL(
      wr_spool_read_rejected(path, check_one, &count, fault, sizeof(fault)), 0);
  CU_ASSERT_EQUAL(count, 1);
  CU_ASSERT_TRUE(unit_alloc_arm(0));
  CU_ASSERT_EQUAL(
      wr_spool_read_rejected(path, check_one, &count, fault, sizeof(fault)),
      -EINVAL);
  unit_alloc_off();
  CU_ASSERT_STRING_EQUAL(fault, "out of memory");
  sql("DROP TABLE rejected");
  CU_ASSERT_EQUAL(wr_spool_resend_rejected(path, &marked, fault, sizeof(fault)),
                  -EINVAL);
  CU_ASSERT_EQUAL(marked, 0);
  CU_ASSERT_STRING_EQUAL(fault, "no such table: rejected");
  CU_ASSERT_EQUAL(
      wr_spool_read_rejected(path, check_one, &count, fault, sizeof(fault)),
      -EINVAL);
  CU_ASSERT_EQUAL(count, 1);
  remove_dir();
}

UNIT_MAIN("spool, rejected", UNIT(test_rejected_values_go_back_to_their_place),
          UNIT(test_another_program_has_them_sent_again),
          UNIT(test_rejected_values_give_way_at_the_ceiling), UNIT(test_marks),
          UNIT(test_changes_that_fail), UNIT(test_no_table),
          UNIT(test_the_oldest_refused_go_first), UNIT(test_refused_move),
          UNIT(test_what_goes_back_is_as_it_was), UNIT(test_strangers_stay),
          UNIT(test_names_of_every_kind), UNIT(test_any_number_of_them),
          UNIT(test_one_of_them))
