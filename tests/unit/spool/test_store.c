/* The database in use, from the disk to the memory and back. */
#include "lib/spool/impl.h"
#include "tests/unit/spool/spool_rows.h"

static struct wr_spool *open_faulty(void) {
  struct wr_spool_options o = options();
  o.vfs = fault_vfs_register();
  fault_vfs.fail_at = 0;
  return open_with(o);
}

/* From here on nothing can be written. */
static void fill_disk(void) {
  fault_vfs.calls = 0;
  fault_vfs.fail_at = 1;
  fault_vfs.stays = true;
  fault_vfs.code = SQLITE_FULL;
}

static void finish(struct wr_spool *s) {
  wr_spool_destroy(s);
  remove_dir();
}

/* --- when it tries --- */

static void test_tries_again_every_5_to_60_seconds(void) {
  static const int64_t want_s[] = {5, 15, 35, 75, 135, 195, 255};
  fresh_dir();
  struct wr_spool *s = open_faulty();
  size_t tries = 0;
  fill_disk();
  offer_number(s, WALL, 1);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  for (int64_t half = 2; half < 520; half++) {
    int64_t ms = half / 2 * 1000 - 1 + half % 2;
    long before = fault_vfs.calls;
    wr_spool_commit(s, ms, WALL);
    if (fault_vfs.calls == before)
      continue;
    CU_ASSERT_FATAL(tries < sizeof(want_s) / sizeof(want_s[0]));
    CU_ASSERT_EQUAL(ms, want_s[tries] * 1000);
    tries++;
  }
  CU_ASSERT_EQUAL(tries, sizeof(want_s) / sizeof(want_s[0]));
  fault_vfs.fail_at = 0;
  finish(s);
}

/* Also a file that cannot be opened at the start. */
static void test_first_try_after_a_start(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.vfs = fault_vfs_register();
  fill_disk();
  struct wr_spool *s = open_with(o);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  fault_vfs.fail_at = 0;
  wr_spool_commit(s, 4999, WALL);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  wr_spool_commit(s, 5000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  finish(s);
}

static void test_one_last_try_at_the_end(void) {
  struct wr_row row;
  fresh_dir();
  struct wr_spool *s = open_faulty();
  fill_disk();
  offer_number(s, WALL, 7);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  fault_vfs.fail_at = 0;
  wr_spool_destroy(s);
  s = open_with(options());
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
  CU_ASSERT_EQUAL(row.value.number, 7);
  finish(s);
}

/* --- what another process does --- */

static sqlite3 *other;
static int naps;

static int nap(sqlite3_vfs *vfs, int us) {
  (void)vfs;
  naps++;
  sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
  return us;
}

/* It ends while we wait for it: nothing is lost by waiting a moment. */
static void test_others_are_waited_for(void) {
  sqlite3_vfs patient = *sqlite3_vfs_find(NULL);
  char fault[64] = "";
  int64_t marked = 7;
  patient.zName = "patient";
  patient.pNext = NULL;
  patient.xSleep = nap;
  fresh_dir();
  wr_spool_destroy(open_with(options()));
  sqlite3_open(path, &other);
  sqlite3_vfs_register(&patient, 1);
  struct wr_spool *s = open_with(options());
  sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  offer_number(s, WALL, 1);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 1);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(naps, 1);
  sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  CU_ASSERT_EQUAL(wr_spool_resend_rejected(path, &marked, fault, sizeof(fault)),
                  0);
  CU_ASSERT_EQUAL(naps, 2);
  wr_spool_destroy(s);
  sqlite3_vfs_unregister(&patient);
  sqlite3_close(other);
  remove_dir();
}

/* Rows that waited in memory beside a file that was another's keep off the
 * places of those in it. */
static void test_rows_beside_those_of_others(void) {
  fresh_dir();
  struct wr_row rows[8];
  struct wr_spool *first = open_with(options());
  struct wr_spool *second = open_with(options());
  CU_ASSERT_TRUE(status_of(second).in_memory);
  for (int i = 0; i < 3; i++)
    offer_number(first, WALL, i);
  for (int i = 0; i < 5; i++)
    offer_number(second, WALL, 3 + i);
  wr_spool_commit(first, 0, WALL);
  wr_spool_commit(second, 0, WALL);
  wr_spool_destroy(first);
  wr_spool_commit(second, 61000, WALL);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(second, FLOW, 0, rows, 8), 8);
  for (int i = 0; i < 8; i++) {
    CU_ASSERT_EQUAL(rows[i].value.number, i);
    CU_ASSERT_EQUAL(rows[i].seq, (i + 1) * 1024);
  }
  CU_ASSERT_EQUAL(status_of(second).rows, 8);
  CU_ASSERT_EQUAL(wr_spool_seq(second), 8 * 1024);
  wr_spool_destroy(second);
  CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM value WHERE level=0"), 8);
  remove_dir();
}

/* --- what is read --- */

/* Asking for none, or behind the last, says nothing about the rest. */
static void test_looks_that_find_nothing(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  struct wr_row rows[4];
  offer_number(s, WALL, 1);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 0), 0);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 1), 1);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, rows[0].seq, rows + 1, 1), 0);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 1);
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, rows));
  CU_ASSERT_EQUAL(rows[0].property, FLOW);
  finish(s);
}

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

/* The usual state of a queue: it is empty, and then the file is not asked. */
static void test_an_empty_file_is_not_asked(void) {
  struct wr_row row;
  fresh_dir();
  sqlite3_auto_extension((void (*)(void))watch);
  struct wr_spool *s = open_with(options());
  sqlite3_reset_auto_extension();
  for (int p = 0; p < 2; p++) {
    CU_ASSERT_FALSE(wr_spool_newest(s, p, &row));
    statements = 0;
    CU_ASSERT_FALSE(wr_spool_newest(s, p, &row));
    CU_ASSERT_EQUAL(wr_spool_oldest(s, p, 0, &row, 1), 0);
    CU_ASSERT_EQUAL(statements, 0);
  }
  offer_number(s, WALL, 1);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
  wr_spool_delivered(s, &row, 1, NULL);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, &row, 1), 0);
  statements = 0;
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, &row, 1), 0);
  CU_ASSERT_FALSE(wr_spool_newest(s, FLOW, &row));
  CU_ASSERT_EQUAL(statements, 0);
  finish(s);
}

/* A disk that can be neither written nor read any more: its rows do not count
 * until they are back. */
static void test_rows_that_cannot_be_read(void) {
  fresh_dir();
  struct wr_spool *s = open_faulty();
  struct wr_row rows[4];
  offer_number(s, WALL, 1);
  wr_spool_commit(s, 0, WALL);
  fill_disk();
  offer_number(s, WALL, 2);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_EQUAL(status_of(s).rows, 2);
  sql("UPDATE property SET name='x'"); /* what is known of the file is old */
  fault_vfs.fail_reads = true;
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 1);
  CU_ASSERT_EQUAL(rows[0].value.number, 2);
  CU_ASSERT_EQUAL(status_of(s).rows, 1);
  CU_ASSERT_EQUAL(status_of(s).committed, 2);
  CU_ASSERT_EQUAL(status_of(s).dropped, 0);
  fault_vfs.fail_reads = false;
  fault_vfs.fail_at = 0;
  wr_spool_commit(s, 61000, WALL);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 2);
  CU_ASSERT_EQUAL(status_of(s).rows, 2);
  finish(s);
}

/* --- a disk that is read-only --- */

static void test_read_only_disk(void) {
  for (int shm = 0; shm < 2; shm++) {
    fresh_dir();
    write_rows();
    struct wr_spool_options o = options();
    o.vfs = fault_vfs_register();
    fault_vfs.fail_at = 0;
    fault_vfs.read_only = true;
    fault_vfs.no_shm = shm == 0;
    struct wr_spool *s = open_with(o);
    CU_ASSERT_TRUE(status_of(s).in_memory);
    CU_ASSERT_EQUAL(count_rows(s), ROWS);
    CU_ASSERT_EQUAL(status_of(s).rows, ROWS + 1);
    offer_number(s, WALL + ROWS * SECOND, ROWS);
    wr_spool_commit(s, 1000, WALL);
    CU_ASSERT_EQUAL(count_rows(s), ROWS + 1);
    CU_ASSERT_EQUAL(status_of(s).moved_aside, 0);
    fault_vfs.read_only = fault_vfs.no_shm = false;
    wr_spool_commit(s, 61000, WALL);
    CU_ASSERT_FALSE(status_of(s).in_memory);
    CU_ASSERT_EQUAL(count_rows(s), ROWS + 1);
    finish(s);
  }
}

/* Of a name that SQLite would take for another one nothing is read. */
static void test_name_that_is_no_uri(void) {
  fresh_dir();
  write_rows();
  struct wr_row row;
  char name[sizeof(path)], before[sizeof(path)];
  memcpy(before, path, sizeof(path));
  for (const char *odd = "?%#"; *odd != '\0'; odd++) {
    snprintf(name, sizeof(name), "%s%c41", before, *odd);
    CU_ASSERT_EQUAL(link(before, name), 0);
    memcpy(path, name, sizeof(path));
    struct wr_spool_options o = options();
    o.vfs = fault_vfs_register();
    fault_vfs.read_only = fault_vfs.no_shm = true;
    struct wr_spool *s = open_with(o);
    CU_ASSERT_TRUE(status_of(s).in_memory);
    CU_ASSERT_FALSE(wr_spool_newest(s, FLOW, &row));
    fault_vfs.read_only = fault_vfs.no_shm = false;
    wr_spool_destroy(s);
    snprintf(name, sizeof(name), "%s.lock", path);
    unlink(name);
    unlink(path);
    snprintf(name, sizeof(name), "%s-wal", path);
    unlink(name);
    snprintf(name, sizeof(name), "%s-shm", path);
    unlink(name);
  }
  memcpy(path, before, sizeof(path));
  remove_dir();
}

/* --- a file that is at fault --- */

/* The old file cannot be set aside under its name: the new one goes before. */
static void test_no_place_for_the_old_file(void) {
  char bad[160], inside[192];
  fresh_dir();
  write_rows();
  spoil(0);
  snprintf(bad, sizeof(bad), "%s.bad", path);
  snprintf(inside, sizeof(inside), "%s/x", bad);
  CU_ASSERT_EQUAL(mkdir(bad, 0700), 0);
  CU_ASSERT_EQUAL(mkdir(inside, 0700), 0);
  struct wr_spool *s = open_with(options());
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  CU_ASSERT_EQUAL(status_of(s).salvaged, 0);
  offer_number(s, WALL, 1);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 1);
  wr_spool_destroy(s);
  rmdir(inside);
  rmdir(bad);
  remove_dir();
}

/* Damage in use: places go on, and what was spent is in the new file before
 * anything else happens. */
static void test_damage_in_use(void) {
  struct wr_row row, rows[4];
  struct wr_spent spent = {.day = 5, .used = 9, .old = 2};
  fresh_dir();
  struct wr_spool *s = open_faulty();
  for (int i = 0; i < 4; i++)
    offer_number(s, WALL + i * SECOND, i);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 4);
  wr_spool_delivered(s, rows, 1, &spent);
  wr_spool_delivered(s, rows + 3, 1, &spent);
  int64_t last = wr_spool_seq(s);
  sql("UPDATE state SET budget_day=0, budget_used=0, budget_old=0;"
      "UPDATE value SET value=NULL WHERE seq=2048");
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 0);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  CU_ASSERT_EQUAL(wr_spool_seq(s), last);
  wr_spool_delivered(s, NULL, 0, NULL);
  fill_disk();
  wr_spool_destroy(s);
  fault_vfs.fail_at = 0;
  s = open_with(options());
  wr_spool_load_spent(s, &spent);
  CU_ASSERT_EQUAL(spent.day, 5);
  CU_ASSERT_EQUAL(spent.used, 9);
  CU_ASSERT_EQUAL(spent.old, 2);
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
  CU_ASSERT_EQUAL(row.value.number, 2);
  finish(s);
}

/* And no new file can be made: on in memory, and back on the disk later. */
static void test_damage_on_a_full_disk(void) {
  for (long n = 1; n < 30; n++) {
    struct wr_row rows[8];
    fresh_dir();
    struct wr_spool *s = open_faulty();
    for (int i = 0; i < 4; i++)
      offer_number(s, WALL + i * SECOND, i);
    wr_spool_commit(s, 0, WALL);
    int64_t last = wr_spool_seq(s);
    sql("UPDATE value SET value=NULL WHERE seq=2048");
    fill_disk();
    fault_vfs.fail_at = n;
    CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 0);
    offer_number(s, WALL + 9 * SECOND, 9);
    CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 1);
    CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, rows));
    CU_ASSERT_EQUAL(rows[0].value.number, 9);
    CU_ASSERT_TRUE(rows[0].seq > last);
    CU_ASSERT_EQUAL(status_of(s).dropped, 0);
    CU_ASSERT_EQUAL(status_of(s).rows, wr_spool_oldest(s, FLOW, 0, rows, 8));
    fault_vfs.fail_at = 0;
    wr_spool_commit(s, 61000, WALL);
    CU_ASSERT_FALSE(status_of(s).in_memory);
    CU_ASSERT_EQUAL(status_of(s).rows, wr_spool_oldest(s, FLOW, 0, rows, 8));
    CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, rows));
    CU_ASSERT_EQUAL(rows[0].value.number, 9);
    finish(s);
  }
}

/* --- an empty file --- */

static void make(const char *suffix, const char *text) {
  char name[160];
  snprintf(name, sizeof(name), "%s%s", path, suffix);
  int fd = open(name, O_WRONLY | O_CREAT, 0600);
  CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
}

static void test_what_counts_for_empty(void) {
  static const struct {
    const char *file, *log;
    int notes;
  } cases[] = {{NULL, NULL, 0}, {"", NULL, 1}, {"", "", 1}, {"", "frames", 0}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    fresh_dir();
    if (cases[i].file != NULL)
      make("", cases[i].file);
    if (cases[i].log != NULL)
      make("-wal", cases[i].log);
    struct wr_spool *s = open_with(options());
    CU_ASSERT_EQUAL(status_of(s).notes, cases[i].notes);
    finish(s);
  }
}

/* A file that comes while we are at work was never ours. */
static void test_empty_file_that_comes_later(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.vfs = fault_vfs_register();
  fill_disk();
  struct wr_spool *s = open_with(o);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  fault_vfs.fail_at = 0;
  unlink(path);
  make("", "");
  int notes = status_of(s).notes;
  wr_spool_commit(s, 61000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).notes, notes);
  finish(s);
}

UNIT_MAIN("spool, store", UNIT(test_tries_again_every_5_to_60_seconds),
          UNIT(test_first_try_after_a_start),
          UNIT(test_one_last_try_at_the_end), UNIT(test_others_are_waited_for),
          UNIT(test_rows_beside_those_of_others),
          UNIT(test_looks_that_find_nothing),
          UNIT(test_an_empty_file_is_not_asked),
          UNIT(test_rows_that_cannot_be_read), UNIT(test_read_only_disk),
          UNIT(test_name_that_is_no_uri), UNIT(test_no_place_for_the_old_file),
          UNIT(test_damage_in_use), UNIT(test_damage_on_a_full_disk),
          UNIT(test_what_counts_for_empty),
          UNIT(test_empty_file_that_comes_later))
