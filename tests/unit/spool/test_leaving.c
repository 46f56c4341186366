/* What leaves the queue, and what is looked at for it. */
#include "tests/unit/spool/spool_case.h"

#define COUNT 8

static void finish(struct wr_spool *s) {
  wr_spool_destroy(s);
  remove_dir();
}

/* A file with COUNT numbers; what becomes of it is up to `change`. */
static struct wr_spool *begin(const char *change) {
  struct wr_spool_options o = options();
  fresh_dir();
  fault_vfs.fail_at = 0;
  o.vfs = fault_vfs_register();
  struct wr_spool *s = open_with(options());
  for (int i = 0; i < COUNT; i++)
    offer_number(s, WALL + i * SECOND, i);
  wr_spool_commit(s, 0, WALL);
  wr_spool_destroy(s);
  sql(change);
  return open_with(o);
}

static void fill_disk(void) {
  fault_vfs.calls = 0;
  fault_vfs.fail_at = 1;
  fault_vfs.stays = true;
  fault_vfs.code = SQLITE_FULL;
}

/* What is there, by its numbers: "0 1 2". */
static void check_rows(struct wr_spool *s, const char *want) {
  struct wr_row rows[COUNT + 1];
  char text[64] = "";
  int count = wr_spool_oldest(s, FLOW, 0, rows, COUNT + 1);
  for (int i = 0; i < count; i++)
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d",
             i > 0 ? " " : "", (int)rows[i].value.number);
  CU_ASSERT_STRING_EQUAL(text, want);
  CU_ASSERT_EQUAL(status_of(s).rows, count);
}

/* Each row alone, and several: these go and no others, and all is counted. */
static void test_what_leaves(void) {
  static const struct {
    int at[2], count;
    const char *left;
  } cases[] = {{{0}, 1, "1 2 3 4 5 6 7"},
               {{3}, 1, "0 1 2 4 5 6 7"},
               {{7}, 1, "0 1 2 3 4 5 6"},
               {{0, 1}, 2, "2 3 4 5 6 7"},
               {{6, 2}, 2, "0 1 3 4 5 7"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_spool *s = begin("");
    struct wr_row rows[COUNT], out[2];
    struct wr_spent spent = {7, 8, 9}, is = {0};
    CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, COUNT), COUNT);
    for (int k = 0; k < cases[i].count; k++)
      out[k] = rows[cases[i].at[k]];
    wr_spool_delivered(s, out, cases[i].count, &spent);
    check_rows(s, cases[i].left);
    wr_spool_load_spent(s, &is);
    CU_ASSERT_EQUAL(memcmp(&is, &spent, sizeof(is)), 0);
    struct wr_spool_status st = status_of(s);
    CU_ASSERT_EQUAL(st.committed + st.dropped + st.expired + st.rejected, 0);
    wr_spool_delivered(s, out, cases[i].count, NULL); /* once more */
    check_rows(s, cases[i].left);
    CU_ASSERT_EQUAL(status_of(s).moved_aside, 0);
    wr_spool_load_spent(s, &is);
    CU_ASSERT_EQUAL(memcmp(&is, &spent, sizeof(is)), 0);
    finish(s);
  }
}

/* A file that will not let a row go is at fault: the row goes with it. */
static void test_row_that_is_not_let_go(void) {
  struct wr_spool *s = begin("CREATE TRIGGER no BEFORE DELETE ON value WHEN "
                             "OLD.seq=2048 BEGIN SELECT RAISE(ABORT, ''); END");
  struct wr_row rows[COUNT];
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, COUNT), COUNT);
  wr_spool_delivered(s, rows + 1, 2, NULL);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  check_rows(s, "0 3 4 5 6 7");
  finish(s);
}

/* And when the disk gets full over it: it does not come back, either. */
static void test_row_that_is_not_let_go_and_a_full_disk(void) {
  bool again = true;
  long n = 1;
  for (; again && n < 1000; n++) {
    struct wr_spool *s = begin("CREATE TRIGGER no BEFORE DELETE ON value BEGIN "
                               "SELECT RAISE(ABORT, ''); END");
    struct wr_row rows[COUNT];
    CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, COUNT), COUNT);
    fill_disk();
    fault_vfs.fail_at = n;
    wr_spool_delivered(s, rows + 1, 2, NULL);
    CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
    again = status_of(s).in_memory;
    check_rows(s, status_of(s).salvaged > 0 ? "0 3 4 5 6 7" : "");
    fault_vfs.fail_at = 0;
    finish(s);
  }
  CU_ASSERT_TRUE(n > 20 && n < 1000);
}

/* A new file is as safe as the old one: no more than is wanted. */
static void test_new_file_is_synced_alike(void) {
  long syncs[2];
  for (int power = 0; power < 2; power++) {
    struct wr_spool_options o = options();
    wr_spool_destroy(begin("CREATE TRIGGER no BEFORE INSERT ON value BEGIN "
                           "SELECT RAISE(ABORT, ''); END"));
    o.power = power;
    o.vfs = "fault";
    struct wr_spool *s = open_with(o);
    fault_vfs.syncs = 0;
    offer_number(s, WALL + COUNT * SECOND, COUNT);
    CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 1);
    syncs[power] = fault_vfs.syncs;
    CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
    check_rows(s, "0 1 2 3 4 5 6 7 8");
    finish(s);
  }
  CU_ASSERT_TRUE(syncs[1] > syncs[0]);
}

/* --- from a disk that cannot be written --- */

/* Also where the places of rows are next to each other. */
static void test_delivered_from_a_full_disk(void) {
  for (int i = 0; i < COUNT; i++) {
    struct wr_spool *s = begin("UPDATE value SET seq=seq/1024");
    struct wr_row rows[COUNT];
    CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, COUNT), COUNT);
    fill_disk();
    for (int again = 0; again < 2; again++) {
      wr_spool_delivered(s, rows + i, 1, &(struct wr_spent){.used = 1});
      CU_ASSERT_TRUE(status_of(s).in_memory);
      CU_ASSERT_EQUAL(status_of(s).rows, COUNT - 1);
      struct wr_row left[COUNT];
      CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, left, COUNT),
                            COUNT - 1);
      for (int k = 0; k < COUNT - 1; k++)
        CU_ASSERT_EQUAL(left[k].seq, k + 1 + (k >= i));
      for (int max = 1; max < COUNT; max++) { /* in however small steps */
        memset(left, 0, sizeof(left));
        CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, left, max), max);
        CU_ASSERT_EQUAL(left[max - 1].seq, max + (max > i));
        CU_ASSERT_EQUAL(left[max].seq, 0);
      }
      CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, left));
      CU_ASSERT_EQUAL(left[0].seq, i == COUNT - 1 ? COUNT - 1 : COUNT);
    }
    fault_vfs.fail_at = 0;
    wr_spool_commit(s, 61000, WALL);
    CU_ASSERT_FALSE(status_of(s).in_memory);
    CU_ASSERT_EQUAL(status_of(s).rows, COUNT - 1);
    finish(s);
  }
}

/* A row that had left before the disk got full is not there to leave again. */
static void test_delivered_before_the_disk_was_full(void) {
  struct wr_spool *s = begin("");
  struct wr_row rows[COUNT];
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, COUNT), COUNT);
  wr_spool_delivered(s, rows + 1, 1, NULL);
  fill_disk();
  wr_spool_delivered(s, rows, 2, &(struct wr_spent){.used = 1});
  CU_ASSERT_TRUE(status_of(s).in_memory);
  check_rows(s, "2 3 4 5 6 7");
  fault_vfs.fail_at = 0;
  finish(s);
}

/* --- before it is stored --- */

static int statements;

static int count_statement(unsigned kind, void *arg, void *s, void *text) {
  (void)kind;
  (void)arg;
  (void)s;
  (void)text;
  statements++;
  return 0;
}

static int watch(sqlite3 *db, char **fault, const void *api) {
  (void)fault;
  (void)api;
  return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, count_statement, NULL);
}

/* As long as the budget need not be written the file is left alone. */
static void test_rows_that_were_never_stored(void) {
  struct wr_spool_options o = options();
  fresh_dir();
  o.spent_ahead = 10;
  sqlite3_auto_extension((void (*)(void))watch);
  struct wr_spool *s = open_with(o);
  sqlite3_reset_auto_extension();
  struct wr_spent spent = {0, 0, 0}, is;
  for (int used = 0; used < 30; used += 2) {
    struct wr_row rows[4];
    for (int i = 0; i < 2; i++)
      offer_number(s, WALL + i, i);
    CU_ASSERT_EQUAL(wr_spool_keep(s, 0, WALL, 1000, NULL), 2);
    CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 2);
    statements = 0;
    spent.used = used + 2;
    spent.old = used / 2 + 1;
    wr_spool_delivered(s, rows, 2, &spent);
    /* Ten more than at the last time are known to be spent. */
    CU_ASSERT_EQUAL(statements > 0, used % 12 == 0);
    if (used % 12 == 0) {
      CU_ASSERT_EQUAL(number_of("SELECT budget_used FROM state"), used + 12);
      CU_ASSERT_EQUAL(number_of("SELECT budget_old FROM state"), used / 2 + 11);
    }
    wr_spool_load_spent(s, &is);
    CU_ASSERT_EQUAL(is.used, used + 2);
    CU_ASSERT_EQUAL(status_of(s).rows, 0);
    CU_ASSERT_EQUAL(status_of(s).committed, 0);
  }
  finish(s);
}

UNIT_MAIN("spool, leaving", UNIT(test_what_leaves),
          UNIT(test_row_that_is_not_let_go),
          UNIT(test_row_that_is_not_let_go_and_a_full_disk),
          UNIT(test_new_file_is_synced_alike),
          UNIT(test_delivered_from_a_full_disk),
          UNIT(test_delivered_before_the_disk_was_full),
          UNIT(test_rows_that_were_never_stored))
