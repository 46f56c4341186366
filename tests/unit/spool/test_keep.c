/* The turns of a spool: what is shown, stored and brought back in which. */
#include "lib/spool/impl.h"
#include "tests/unit/spool/spool_case.h"

#define HOUR_MS 3600000

static int64_t due_ms;

static int keep(struct wr_spool *s, int64_t now_ms, int64_t hold_ms) {
  return wr_spool_keep(s, now_ms, WALL + now_ms * 1000, hold_ms, &due_ms);
}

static struct wr_spool *begin(void) {
  struct wr_spool_options o = options();
  fresh_dir();
  fault_vfs.fail_at = 0;
  o.vfs = fault_vfs_register();
  return open_with(o);
}

static void fill_disk(void) {
  fault_vfs.calls = 0;
  fault_vfs.fail_at = 1;
  fault_vfs.stays = true;
  fault_vfs.code = SQLITE_FULL;
}

static void finish(struct wr_spool *s) {
  fault_vfs.fail_at = 0;
  wr_spool_destroy(s);
  remove_dir();
}

/* What is refused comes back when nothing new is there, or all is stored. */
static void test_when_refused_rows_come_back(void) {
  struct wr_spool *s = begin();
  struct wr_row row;
  char fault[64];
  int64_t marked = 0;
  for (int i = 0; i < 2; i++) {
    offer_number(s, WALL + i * SECOND, i);
    wr_spool_commit(s, 0, WALL);
    CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
    wr_spool_reject(s, &row, 400, "no", WALL);
  }
  wr_spool_resend_rejected(path, &marked, fault, sizeof(fault));
  CU_ASSERT_EQUAL(marked, 2);
  for (int n = 1; n <= 2; n++) {
    for (int i = 0; i < n; i++)
      offer_number(s, WALL + 10 * n * SECOND + i, 9);
    CU_ASSERT_EQUAL(keep(s, n, 1000), n);
  }
  CU_ASSERT_EQUAL(status_of(s).accepted, 3);
  CU_ASSERT_EQUAL(keep(s, 3, 1000), 2);
  CU_ASSERT_EQUAL(status_of(s).accepted, 3);
  CU_ASSERT_EQUAL(status_of(s).rows, 5);
  CU_ASSERT_EQUAL(due_ms, 1001);
  CU_ASSERT_EQUAL(keep(s, 4, 1000), 0);
  CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
  wr_spool_reject(s, &row, 400, "no", WALL);
  wr_spool_resend_rejected(path, &marked, fault, sizeof(fault));
  offer_number(s, WALL + 30 * SECOND, 9);
  CU_ASSERT_EQUAL(keep(s, 1001, 1000), 2); /* the new one, and that one */
  CU_ASSERT_EQUAL(status_of(s).accepted, 0);
  CU_ASSERT_EQUAL(due_ms, INT64_MAX);
  finish(s);
}

/* What comes back is as safe as what is new. */
static void test_what_comes_back_is_synced(void) {
  for (int power = 0; power < 2; power++) {
    struct wr_spool_options o = options();
    struct wr_row row;
    char fault[64];
    int64_t marked = 0;
    wr_spool_destroy(begin());
    o.power = power;
    o.vfs = "fault";
    struct wr_spool *s = open_with(o);
    offer_number(s, WALL, 1);
    CU_ASSERT_EQUAL(keep(s, 0, 0), 1);
    CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
    wr_spool_reject(s, &row, 400, "no", WALL);
    CU_ASSERT_EQUAL(wr_spool_again(s, FLOW), 1);
    CU_ASSERT_EQUAL(status_of(s).committed, 1);
    wr_spool_reject(s, &row, 400, "no", WALL);
    wr_spool_resend_rejected(path, &marked, fault, sizeof(fault));
    fault_vfs.syncs = 0;
    CU_ASSERT_EQUAL(keep(s, 1, 0), 1);
    CU_ASSERT_EQUAL(fault_vfs.syncs > 0, power);
    CU_ASSERT_EQUAL(status_of(s).committed, 1);
    CU_ASSERT_EQUAL(status_of(s).rejected, 2);
    CU_ASSERT_EQUAL(status_of(s).dropped, 0);
    finish(s);
  }
}

/* Ages are looked at while rows are held; these stay. */
static void test_held_while_others_expire(void) {
  struct wr_spool_options o = options();
  struct wr_row row;
  o.max_age_us = 1800 * SECOND;
  fresh_dir();
  struct wr_spool *s = open_with(o);
  offer_number(s, WALL, 1);
  keep(s, 0, 0);
  offer_number(s, WALL + 3600 * SECOND, 2);
  CU_ASSERT_EQUAL(keep(s, HOUR_MS, 10000), 1);
  CU_ASSERT_EQUAL(status_of(s).expired, 0);
  CU_ASSERT_EQUAL(keep(s, HOUR_MS + 1, 10000), 0);
  CU_ASSERT_EQUAL(status_of(s).expired, 1);
  CU_ASSERT_EQUAL(status_of(s).rows, 1);
  CU_ASSERT_EQUAL(status_of(s).accepted, 1);
  CU_ASSERT_EQUAL(status_of(s).committed, 1);
  CU_ASSERT_EQUAL(due_ms, HOUR_MS + 10000);
  CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
  CU_ASSERT_EQUAL(row.value.number, 2);
  finish(s);
}

/* Half an hour to the microsecond. */
static void test_age_to_the_microsecond(void) {
  for (int64_t less = 0; less < 2; less++) {
    struct wr_spool_options o = options();
    o.max_age_us = 1800 * SECOND;
    fresh_dir();
    struct wr_spool *s = open_with(o);
    keep(s, 0, 0);
    offer_number(s, WALL + 1800 * SECOND - less, 1);
    CU_ASSERT_EQUAL(keep(s, HOUR_MS, 0), 1);
    CU_ASSERT_EQUAL(status_of(s).expired, less);
    CU_ASSERT_EQUAL(status_of(s).rows, 1 - less);
    finish(s);
  }
}

/* The age of a row of this boot is that of its own clock, however the clock was
 * set since; that of an earlier boot is what the clock says now. */
static void test_age_by_which_clock(void) {
  const int64_t day_us = 86400 * SECOND;
  struct wr_spool_options o = options();
  struct wr_row row = {.time_us = WALL, .clock_us = WALL, .value.number = 1};
  o.max_age_us = day_us;
  o.boot = "monday";
  fresh_dir();
  struct wr_spool *s = open_with(o);
  wr_spool_offer(s, &row);
  keep(s, 0, 0);
  for (int64_t h = 1; h < 4; h++)
    wr_spool_commit(s, h * HOUR_MS, WALL + 365 * day_us + h * 3600 * SECOND);
  CU_ASSERT_EQUAL(status_of(s).expired, 0);
  CU_ASSERT_EQUAL(status_of(s).rows, 1);
  wr_spool_destroy(s);
  for (int days = 0; days <= 2; days += 2) {
    o.boot = "tuesday";
    s = open_with(o);
    for (int64_t h = 0; h < 3; h++)
      wr_spool_commit(s, h * HOUR_MS, WALL + days * day_us + h * 3600 * SECOND);
    CU_ASSERT_EQUAL(status_of(s).expired, days == 2);
    CU_ASSERT_EQUAL(status_of(s).rows, days == 0);
    wr_spool_destroy(s);
  }
  remove_dir();
}

/* All is stored, also when the time is behind what was said before. */
static void test_a_commit_holds_nothing(void) {
  struct wr_spool *s = begin();
  offer_number(s, WALL, 1);
  CU_ASSERT_EQUAL(keep(s, 1000, 5000), 1);
  CU_ASSERT_EQUAL(status_of(s).accepted, 1);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 0);
  CU_ASSERT_EQUAL(status_of(s).accepted, 0);
  CU_ASSERT_EQUAL(status_of(s).committed, 1);
  finish(s);
}

/* Of one row that may wait the newest is the one that does. */
static void test_room_for_one(void) {
  struct wr_spool_options o = options();
  struct wr_row rows[2];
  o.max_accepted = 1;
  fresh_dir();
  struct wr_spool *s = open_with(o);
  CU_ASSERT_EQUAL(offer_number(s, WALL, 1), 0);
  CU_ASSERT_EQUAL(offer_number(s, WALL + 1, 2), -ENOSPC);
  CU_ASSERT_EQUAL(status_of(s).dropped, 1);
  CU_ASSERT_EQUAL(status_of(s).rows, 1);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 1);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 2), 1);
  CU_ASSERT_EQUAL(rows[0].value.number, 2);
  finish(s);
}

/* Of a file without rows and one that is held it is that one. */
static void test_newest_is_held(void) {
  struct wr_spool *s = begin();
  struct wr_row row = {.seq = INT64_MAX};
  offer_number(s, WALL, 7);
  CU_ASSERT_EQUAL(keep(s, 0, 1000), 1);
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
  CU_ASSERT_EQUAL(row.seq, 1024);
  CU_ASSERT_EQUAL(row.value.number, 7);
  row.seq = INT64_MAX;
  CU_ASSERT_FALSE(wr_spool_newest(s, LABEL, &row));
  struct wr_row rows[2] = {{.property = 77}, {.property = 77}};
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 2), 1);
  CU_ASSERT_EQUAL(rows[0].property, FLOW);
  CU_ASSERT_EQUAL(rows[1].property, 77); /* is left alone */
  finish(s);
}

/* --- at the start --- */

/* What is spent is saved: it is known from the file. */
static void test_start_writes_nothing(void) {
  wr_spool_destroy(begin());
  sql("UPDATE state SET budget_day=5, budget_used=6, budget_old=7");
  struct wr_spool_options o = options();
  o.vfs = "fault";
  o.spent_ahead = 10;
  struct wr_spool *s = open_with(o);
  long calls = fault_vfs.calls;
  wr_spool_delivered(s, NULL, 0, NULL);
  CU_ASSERT_EQUAL(fault_vfs.calls, calls);
  finish(s);
}

/* On a disk that is full from the start rows have their places behind those
 * that stand there, and keep them. */
static void test_start_on_a_full_disk(void) {
  struct wr_spool *s = begin();
  struct wr_row rows[4];
  offer_number(s, WALL, 0);
  wr_spool_destroy(s);
  fill_disk();
  struct wr_spool_options o = options();
  o.vfs = "fault";
  s = open_with(o);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).rows, 1);
  offer_number(s, WALL + SECOND + 2, 2);
  offer_number(s, WALL + SECOND + 1, 1);
  CU_ASSERT_EQUAL(status_of(s).rows, 3);
  wr_spool_commit(s, 0, WALL);
  for (int back = 0; back < 2; back++) {
    CU_ASSERT_EQUAL(status_of(s).rows, 3);
    CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 3);
    for (int i = 0; i < 3; i++)
      CU_ASSERT_EQUAL(rows[i].value.number, i);
    CU_ASSERT_EQUAL(rows[0].seq, 1024);
    CU_ASSERT_EQUAL(rows[1].seq, 1536);
    CU_ASSERT_EQUAL(rows[2].seq, 2048);
    fault_vfs.fail_at = 0;
    wr_spool_commit(s, 5000, WALL);
    CU_ASSERT_FALSE(status_of(s).in_memory);
  }
  finish(s);
}

/* The time of the start counts, also when the disk fails before any other. */
static void test_time_of_the_start(void) {
  struct wr_spool *s = begin();
  struct wr_row row;
  offer_number(s, WALL, 0);
  wr_spool_destroy(s);
  struct wr_spool_options o = options();
  o.vfs = "fault";
  s = wr_spool_create(&o, keys, 2);
  wr_spool_open(s, 100000);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, &row, 1), 1);
  fill_disk();
  wr_spool_delivered(s, &row, 1, &(struct wr_spent){.used = 1});
  CU_ASSERT_TRUE(status_of(s).in_memory);
  fault_vfs.fail_at = 0;
  wr_spool_commit(s, 104999, WALL);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  wr_spool_commit(s, 105000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  finish(s);
}

/* Who needs the room gives it first, also for a single row. */
static void test_who_needs_room(void) {
  for (int p = 0; p < 2; p++) {
    wr_spool_destroy(begin());
    sql("CREATE TABLE padding(x); INSERT INTO padding VALUES(zeroblob(65536));"
        "CREATE TRIGGER enough AFTER DELETE ON value BEGIN DELETE FROM padding;"
        "END; INSERT INTO value VALUES(1, 1, 1, 0, 0, 0.5), (1, 2, 1, 0, 0, "
        "0.5), (2, 3, 1, 0, 0, 0.5), (2, 4, 1, 0, 0, 0.5);"
        "UPDATE state SET rows=4, seq=1024");
    struct wr_spool *s = open_with(options());
    s->options.max_bytes = wr_db_bytes(&s->db) - 4096;
    struct wr_row row = {.property = p, .value = {WR_VALUE_NUMBER, 0.5, ""}};
    wr_spool_offer(s, &row);
    CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 1);
    CU_ASSERT_EQUAL(status_of(s).thinned, 1);
    CU_ASSERT_EQUAL(status_of(s).rows, 4);
    check_text(&s->db, "SELECT group_concat(seq) FROM value WHERE seq < 9",
               p == 0 ? "1,3,4" : "1,2,3");
    finish(s);
  }
}

UNIT_MAIN("spool, keep", UNIT(test_when_refused_rows_come_back),
          UNIT(test_what_comes_back_is_synced),
          UNIT(test_held_while_others_expire),
          UNIT(test_age_to_the_microsecond), UNIT(test_age_by_which_clock),
          UNIT(test_a_commit_holds_nothing), UNIT(test_room_for_one),
          UNIT(test_newest_is_held), UNIT(test_start_writes_nothing),
          UNIT(test_start_on_a_full_disk), UNIT(test_time_of_the_start),
          UNIT(test_who_needs_room))
