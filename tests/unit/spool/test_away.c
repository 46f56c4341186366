/* While the disk is away: places, hidden rows, and when it is looked at. */
#include "lib/spool/impl.h"
#include "tests/unit/spool/spool_rows.h"

static void fill_disk(void) {
  fault_vfs.calls = 0;
  fault_vfs.fail_at = 1;
  fault_vfs.stays = true;
  fault_vfs.code = SQLITE_FULL;
}

static struct wr_spool *begin(void) {
  struct wr_spool_options o = options();
  fresh_dir();
  fault_vfs.fail_at = 0;
  o.vfs = fault_vfs_register();
  return open_with(o);
}

static void finish(struct wr_spool *s) {
  fault_vfs.fail_at = 0;
  wr_spool_destroy(s);
  remove_dir();
}

static void offer_within(struct wr_spool *s, int64_t ms, double number) {
  offer_number(s, WALL + ms * 1000, number);
}

/* Rows keep their numbers when they go to the disk, also one that came late:
 * whoever has read them can say that they are delivered. */
static void test_numbers_stay(void) {
  struct wr_spool *s = begin();
  struct wr_row before[4], rows[8];
  offer_within(s, 0, 0);
  wr_spool_commit(s, 0, WALL);
  fill_disk();
  offer_within(s, 1, 1);
  offer_within(s, 3, 3);
  offer_within(s, 2, 2);
  offer_label(s, WALL, "Low");
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 4);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, before, 4), 4);
  for (int i = 0; i < 4; i++)
    CU_ASSERT_EQUAL(before[i].value.number, i);
  int64_t last = wr_spool_seq(s);
  fault_vfs.fail_at = 0;
  offer_within(s, 9000, 4);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 61000, WALL), 1);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 5);
  for (int i = 0; i < 4; i++)
    CU_ASSERT_EQUAL(rows[i].seq, before[i].seq);
  CU_ASSERT_EQUAL(rows[4].seq, last + 1024);
  wr_spool_delivered(s, before, 4, NULL);
  CU_ASSERT_EQUAL(status_of(s).rows, 2);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, LABEL, 0, rows, 8), 1);
  CU_ASSERT_TRUE(rows[0].state);
  CU_ASSERT_STRING_EQUAL(rows[0].value.text, "Low");
  finish(s);
}

/* However many there are, down to the lowest number that there is. */
static void test_all_go_back(void) {
  static const int counts[] = {1, 11, 63, 64, 65, 128, 129};
  for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
    static struct wr_row rows[140];
    int late = counts[i] < 11 ? counts[i] : 11;
    struct wr_spool *s = begin();
    fill_disk();
    for (int k = 0; k < counts[i]; k++) /* ten that came late, then others */
      offer_within(s, k < late ? 20 - k : 10000 + k, k);
    CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), counts[i]);
    CU_ASSERT_TRUE(status_of(s).in_memory);
    for (int back = 0; back < 2; back++) {
      CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 140), counts[i]);
      for (int k = 0; k < counts[i]; k++)
        CU_ASSERT_EQUAL(rows[k].value.number, k < late ? late - 1 - k : k);
      CU_ASSERT_EQUAL(rows[0].seq, 1024 >> (late - 1));
      CU_ASSERT_EQUAL(status_of(s).rows, counts[i]);
      fault_vfs.fail_at = 0;
      wr_spool_commit(s, 61000, WALL);
      CU_ASSERT_FALSE(status_of(s).in_memory);
    }
    finish(s);
    fault_vfs.fail_at = 0;
  }
}

/* Of a file that is damaged, and cannot be begun anew, the numbers go on. */
static void test_numbers_stay_after_damage(void) {
  struct wr_spool *s = begin();
  struct wr_row rows[8], row;
  for (int i = 0; i < 4; i++)
    offer_number(s, WALL + i * SECOND, i);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 4);
  wr_spool_delivered(s, rows + 3, 1, NULL);
  sql("UPDATE value SET value=NULL WHERE seq=2048");
  fill_disk();
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 0);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  /* Not before its time, and then at once. */
  long calls = fault_vfs.calls;
  offer_number(s, WALL + 9 * SECOND, 9);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
  CU_ASSERT_EQUAL(row.seq, 5 * 1024);
  wr_spool_commit(s, 4999, WALL);
  CU_ASSERT_EQUAL(fault_vfs.calls, calls);
  fault_vfs.fail_at = 0;
  wr_spool_commit(s, 5000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
  CU_ASSERT_EQUAL(row.value.number, 9);
  CU_ASSERT_EQUAL(row.seq, 5 * 1024);
  finish(s);
}

/* A disk that was well again is tried as soon as at first. */
static void test_waits_are_short_again(void) {
  static const struct {
    int64_t ms;
    bool is_away, tries;
  } steps[] = {{0, true, true},      {4999, true, false},  {5000, true, true},
               {14999, true, false}, {15000, false, true}, {20000, true, true},
               {24999, true, false}, {25000, true, true},  {34999, true, false},
               {35000, false, true}};
  struct wr_spool *s = begin();
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    if (steps[i].is_away)
      fill_disk();
    fault_vfs.fail_at = steps[i].is_away;
    long calls = fault_vfs.calls;
    if (steps[i].ms % 20000 == 0)
      offer_number(s, WALL, 1);
    wr_spool_commit(s, steps[i].ms, WALL);
    CU_ASSERT_EQUAL(fault_vfs.calls > calls, steps[i].tries);
    CU_ASSERT_EQUAL(status_of(s).in_memory, steps[i].is_away);
  }
  finish(s);
}

/* Up to the last number that had been given when the disk went away. */
static void test_what_is_hidden(void) {
  struct wr_spool *s = begin();
  struct wr_row rows[4];
  offer_number(s, WALL, 1);
  wr_spool_commit(s, 0, WALL);
  fill_disk();
  offer_number(s, WALL, 2);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  int64_t last = wr_spool_seq(s);
  CU_ASSERT_EQUAL(last, 2 * 1024);
  CU_ASSERT_EQUAL(wr_spool_hidden(s), 0); /* it can be read */
  sql("UPDATE property SET name='x'");    /* what is known of it is old */
  fault_vfs.fail_reads = true;
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 1);
  CU_ASSERT_EQUAL(wr_spool_hidden(s), last);
  offer_number(s, WALL, 3);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_EQUAL(wr_spool_hidden(s), last);
  CU_ASSERT_EQUAL(wr_spool_seq(s), 3 * 1024);
  fault_vfs.fail_reads = false;
  fault_vfs.fail_at = 0;
  wr_spool_commit(s, 61000, WALL);
  CU_ASSERT_EQUAL(wr_spool_hidden(s), 0);
  finish(s);
}

/* So does what the cloud has refused, and nobody gets its number, whatever
 * happens next. */
static void test_refused_meanwhile(void) {
  struct wr_spool *s = begin();
  struct wr_row row, rows[4];
  fill_disk();
  for (int i = 0; i < 2; i++)
    offer_number(s, WALL + i * SECOND, i);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
  wr_spool_reject(s, &row, 400, "no", WALL);
  CU_ASSERT_EQUAL(status_of(s).rows, 1);
  CU_ASSERT_EQUAL(status_of(s).rejected, 1);
  fault_vfs.fail_at = 0;
  wr_spool_commit(s, 61000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  long calls = fault_vfs.calls;
  s->options.spent_ahead = 10; /* else the same would be written again */
  wr_spool_delivered(s, NULL, 0, NULL); /* all is known to be saved */
  CU_ASSERT_EQUAL(fault_vfs.calls, calls);
  CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM rejected"), 1);
  CU_ASSERT_EQUAL(number_of("SELECT seq FROM state"), row.seq);
  CU_ASSERT_EQUAL(number_of("SELECT rows FROM state"), 1);
  CU_ASSERT_EQUAL(wr_spool_again(s, FLOW), 1);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 2);
  CU_ASSERT_EQUAL(rows[1].seq, row.seq);
  finish(s);
}

/* What the memory had written ahead of the budget is not on the disk. */
static void test_budget_after_the_way_back(void) {
  struct wr_spool *s = begin();
  struct wr_row row;
  s->options.spent_ahead = 10;
  for (int used = 1; used <= 2; used++) {
    fault_vfs.calls = 0;
    fault_vfs.fail_at = used == 1;
    fault_vfs.stays = true;
    fault_vfs.code = SQLITE_FULL;
    offer_number(s, WALL + used * SECOND, used);
    wr_spool_keep(s, used, WALL, used == 1 ? 0 : 1000, NULL);
    CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
    wr_spool_delivered(s, &row, 1, &(struct wr_spent){.used = used});
    CU_ASSERT_EQUAL(status_of(s).in_memory, used == 1);
    fault_vfs.fail_at = 0;
    wr_spool_commit(s, 61000, WALL);
    CU_ASSERT_FALSE(status_of(s).in_memory);
    CU_ASSERT_EQUAL(number_of("SELECT budget_used FROM state"),
                    used == 1 ? 1 : 12);
  }
  finish(s);
}

/* What was delivered meanwhile has to leave the disk, else it would be sent
 * again: a file that does not let it go is not gone back to. */
static void test_what_was_delivered_leaves_first(void) {
  struct wr_spool *s = begin();
  struct wr_row row;
  char fault[192];
  offer_number(s, WALL, 1);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
  fill_disk();
  wr_spool_delivered(s, &row, 1, &(struct wr_spent){.used = 1});
  CU_ASSERT_TRUE(status_of(s).in_memory);
  fault_vfs.fail_at = 0;
  sql("CREATE TRIGGER no BEFORE DELETE ON value BEGIN SELECT RAISE(ABORT, ''); "
      "END");
  wr_spool_commit(s, 61000, WALL);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  snprintf(fault, sizeof(fault), "%s: constraint failed", path);
  CU_ASSERT_STRING_EQUAL(status_of(s).fault, fault);
  sql("DROP TRIGGER no");
  wr_spool_commit(s, 70999, WALL); /* ten seconds after the second time */
  CU_ASSERT_TRUE(status_of(s).in_memory);
  wr_spool_commit(s, 71000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).rows, 0);
  CU_ASSERT_FALSE(wr_spool_newest(s, FLOW, &row));
  finish(s);
}

/* The memory takes all of a commit or nothing. */
static void test_memory_that_refuses(void) {
  struct wr_spool *s = begin();
  struct wr_row rows[4];
  fill_disk();
  offer_number(s, WALL, 0);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 1);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  wr_db_exec(&s->db, "CREATE TRIGGER no BEFORE INSERT ON value WHEN "
                     "NEW.seq=3072 BEGIN SELECT RAISE(ABORT, ''); END");
  offer_number(s, WALL + SECOND, 1);
  offer_number(s, WALL + 2 * SECOND, 2);
  for (int i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL(wr_spool_commit(s, 1000 + i, WALL), 2 * (i == 0));
    CU_ASSERT_EQUAL(status_of(s).accepted, 2 * (i == 0));
    CU_ASSERT_EQUAL(status_of(s).committed, i == 0 ? 1 : 3);
    CU_ASSERT_EQUAL(status_of(s).rows, 3);
    CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 3);
    for (int k = 0; k < 3; k++)
      CU_ASSERT_EQUAL(rows[k].value.number, k);
    CU_ASSERT_TRUE(sqlite3_get_autocommit(s->db.handle));
    wr_db_exec(&s->db, "DROP TRIGGER no");
  }
  finish(s);
}

/* An end while it is away leaves nothing open. */
static void test_end_while_it_is_away(void) {
  int open_files = unit_open_files();
  struct wr_spool *s = begin();
  struct wr_row rows[2];
  for (int i = 0; i < 2; i++) {
    offer_number(s, WALL, i);
    wr_spool_commit(s, 0, WALL);
    fill_disk();
  }
  CU_ASSERT_TRUE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 2), 2);
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(unit_open_files(), open_files);
  fault_vfs.fail_at = 0;
  remove_dir();
}

/* --- a reader that does not end --- */

#define COMMITS 12

/* Pages in the log after each of some commits beside a reader; returns after
 * how many of them the disk was left, or COMMITS. */
static int beside_reader(int64_t max_bytes, int64_t *pages) {
  struct wr_spool_options o = options();
  sqlite3 *reader = NULL;
  char log[160];
  int left = COMMITS;
  fresh_dir();
  o.max_bytes = max_bytes;
  o.power = false;
  struct wr_spool *s = open_with(o);
  offer_number(s, WALL, -1);
  wr_spool_commit(s, 0, WALL);
  sqlite3_open(path, &reader);
  sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM rejected", NULL, NULL,
               NULL);
  snprintf(log, sizeof(log), "%s-wal", path);
  for (int i = 0; i < COMMITS && left == COMMITS; i++) {
    offer_number(s, WALL, i);
    wr_spool_commit(s, 0, WALL);
    if (status_of(s).in_memory)
      left = i;
    else if (pages != NULL)
      pages[i] = (length_of(log) - 32) / (4096 + 24);
  }
  sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL);
  sqlite3_close(reader);
  wr_spool_destroy(s);
  remove_dir();
  return left;
}

/* A log of as many bytes as the spool may have is let be, of one more not. */
static void test_how_long_the_log_may_be(void) {
  int64_t pages[COMMITS] = {0};
  CU_ASSERT_EQUAL(beside_reader(64 << 20, pages), COMMITS);
  CU_ASSERT_TRUE_FATAL(pages[8] > pages[7] && pages[9] > pages[8]);
  CU_ASSERT_EQUAL(beside_reader(pages[8] * 4096 - 1, NULL), 9);
  CU_ASSERT_EQUAL(beside_reader(pages[8] * 4096, NULL), 10);
}

/* Nor does it go back to a file whose log is longer than that, unless the log
 * can be folded back. Returns how long it is. */
static off_t back_beside_reader(int64_t max_bytes, bool comes_back) {
  struct wr_spool_options o = options();
  sqlite3 *reader = NULL;
  char log[160], fault[192];
  fresh_dir();
  fault_vfs.fail_at = 0;
  o.vfs = fault_vfs_register();
  o.max_bytes = max_bytes;
  struct wr_spool *s = open_with(o);
  offer_number(s, WALL, -1);
  wr_spool_commit(s, 0, WALL);
  sqlite3_open(path, &reader);
  sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM rejected", NULL, NULL,
               NULL);
  for (int i = 0; i < 5; i++) {
    offer_number(s, WALL, i);
    wr_spool_commit(s, 0, WALL);
  }
  CU_ASSERT_FALSE(status_of(s).in_memory);
  snprintf(log, sizeof(log), "%s-wal", path);
  off_t length = length_of(log);
  fill_disk();
  offer_number(s, WALL, 5);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  fault_vfs.fail_at = 0;
  wr_spool_commit(s, 61000, WALL);
  CU_ASSERT_EQUAL(status_of(s).in_memory, !comes_back);
  snprintf(fault, sizeof(fault), "%s: %s", path,
           comes_back ? "database or disk is full" : "database is locked");
  CU_ASSERT_STRING_EQUAL(status_of(s).fault, fault);
  sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL);
  sqlite3_close(reader);
  wr_spool_commit(s, 180000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).rows, 7);
  finish(s);
  return length;
}

static void test_how_long_a_log_is_come_back_to(void) {
  off_t length = back_beside_reader(64 << 20, true);
  back_beside_reader(length, true);
  back_beside_reader(length - 1, false);
}

UNIT_MAIN("spool, away", UNIT(test_numbers_stay), UNIT(test_all_go_back),
          UNIT(test_numbers_stay_after_damage),
          UNIT(test_waits_are_short_again), UNIT(test_what_is_hidden),
          UNIT(test_refused_meanwhile), UNIT(test_budget_after_the_way_back),
          UNIT(test_memory_that_refuses), UNIT(test_end_while_it_is_away),
          UNIT(test_what_was_delivered_leaves_first),
          UNIT(test_how_long_the_log_may_be),
          UNIT(test_how_long_a_log_is_come_back_to))
