/* A file that is spoilt, locked or missing, and a fault at every write. */
#include "tests/unit/spool/spool_case.h"

static void write_file(const char *text, size_t len) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  CU_ASSERT_TRUE_FATAL(fd >= 0);
  CU_ASSERT_EQUAL(write(fd, text, len), (ssize_t)len);
  close(fd);
}

static void test_corrupt_file_is_moved_aside(void) {
  fresh_dir();
  char noise[8192];
  memset(noise, 0x5a, sizeof(noise));
  write_file(noise, sizeof(noise));
  struct wr_spool *s = open_with(options());
  struct wr_spool_status st = status_of(s);
  CU_ASSERT_FALSE(st.in_memory);
  CU_ASSERT_EQUAL(st.moved_aside, 1);
  CU_ASSERT_PTR_NOT_NULL(strstr(st.fault, "not a database"));
  CU_ASSERT_TRUE(exists(".bad"));
  offer_number(s, WALL, 1);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 1);
  CU_ASSERT_EQUAL(status_of(s).rows, 1);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_file_corrupted_in_use(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.power = false;
  struct wr_spool *s = open_with(o);
  int64_t time_us = WALL;
  fill(s, 150000, &time_us); /* several checkpoints */
  char noise[65536];
  memset(noise, 0xff, sizeof(noise));
  int fd = open(path, O_WRONLY);
  for (int i = 0; i < 64; i++) /* all but the first page, log or not */
    CU_ASSERT_TRUE(
        pwrite(fd, noise, sizeof(noise), 4096 + i * (off_t)sizeof(noise)) > 0);
  close(fd);
  struct wr_row rows[100];
  for (int i = 0; i < 400 && status_of(s).moved_aside == 0; i++) {
    int count = wr_spool_oldest(s, FLOW, 0, rows, 100);
    wr_spool_delivered(s, rows, count, NULL);
    fill(s, 500, &time_us);
  }
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  CU_ASSERT_TRUE(exists(".bad"));
  CU_ASSERT_FALSE(status_of(s).in_memory);
  offer_label(s, WALL, "Low");
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 1);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, LABEL, 0, rows, 100), 1);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_file_of_a_later_version_is_read(void) {
  fresh_dir();
  sqlite3 *db = NULL;
  sqlite3_open(path, &db);
  sqlite3_exec(db,
               "CREATE TABLE property(number INTEGER PRIMARY KEY, key TEXT);"
               "INSERT INTO property VALUES(9, 'flow_rate');"
               "CREATE TABLE value(property, seq, time_us, level, value, new);"
               "INSERT INTO value VALUES(9, 41, 5000000, 0, 2.5, 'x');"
               "PRAGMA user_version=7",
               NULL, NULL, NULL);
  sqlite3_close(db);
  struct wr_spool *s = open_with(options());
  struct wr_row row;
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  CU_ASSERT_TRUE(exists(".later"));
  CU_ASSERT_FALSE(exists(".bad"));
  CU_ASSERT_PTR_NOT_NULL(strstr(status_of(s).note, "of a later version"));
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
  CU_ASSERT_EQUAL(row.value.number, 2.5);
  CU_ASSERT_EQUAL(row.seq, 41);
  offer_number(s, WALL, 3);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
  CU_ASSERT_TRUE(row.seq > 41);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_locked_database_waits_in_memory(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  struct wr_row rows[4];
  offer_number(s, WALL, 1);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 1);
  sqlite3 *other = NULL;
  sqlite3_open(path, &other);
  CU_ASSERT_EQUAL(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                  SQLITE_OK);
  offer_number(s, WALL + SECOND, 2);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 1);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  CU_ASSERT_PTR_NOT_NULL(strstr(status_of(s).fault, "locked"));
  /* What stands on the disk is still read. */
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 2);
  CU_ASSERT_EQUAL(rows[0].value.number, 1);
  CU_ASSERT_EQUAL(rows[1].value.number, 2);
  sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
  sqlite3_close(other);
  wr_spool_commit(s, 1000, WALL); /* too early */
  CU_ASSERT_TRUE(status_of(s).in_memory);
  wr_spool_commit(s, 61000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 2);
  CU_ASSERT_EQUAL(rows[0].value.number, 1);
  CU_ASSERT_EQUAL(rows[1].value.number, 2);
  CU_ASSERT_EQUAL(status_of(s).rows, 2);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_missing_directory_waits_in_memory(void) {
  fresh_dir();
  char real[64];
  memcpy(real, dir, sizeof(real));
  snprintf(path, sizeof(path), "%s/later/thing.db", real);
  struct wr_spool_options o = options();
  o.memory_bytes = 64 << 10;
  struct wr_spool *s = open_with(o);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  int64_t time_us = WALL;
  fill(s, 20000, &time_us);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  CU_ASSERT_TRUE(status_of(s).bytes <= o.memory_bytes);
  CU_ASSERT_TRUE(status_of(s).thinned > 0);
  snprintf(dir, sizeof(dir), "%s/later", real);
  CU_ASSERT_EQUAL(mkdir(dir, 0700), 0);
  int64_t rows = status_of(s).rows;
  wr_spool_commit(s, 61000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).rows, rows);
  wr_spool_destroy(s);
  s = open_with(options());
  CU_ASSERT_EQUAL(status_of(s).rows, rows);
  wr_spool_destroy(s);
  remove_dir();
  CU_ASSERT_EQUAL(rmdir(real), 0);
}

/* --- a fault at every write --- */

#define ROWS 24

struct tally {
  bool seen[ROWS];
};

static void look(struct wr_spool *s, struct tally *t) {
  struct wr_row rows[2 * ROWS];
  for (int p = 0; p < 2; p++) {
    int count = wr_spool_oldest(s, p, 0, rows, 2 * ROWS);
    for (int i = 0; i < count; i++) {
      int64_t n = (rows[i].time_us - WALL) / SECOND;
      if (n >= 0 && n < ROWS)
        t->seen[n] = true;
    }
  }
}

static void offer_numbered(struct wr_spool *s, int n) {
  if (n % 4 == 0)
    offer_label(s, WALL + n * SECOND, n % 8 == 0 ? "Low" : "Normal");
  else
    offer_number(s, WALL + n * SECOND, n);
}

static int64_t hold_ms;

/* The life of a spool; what left it on purpose is ticked off in `out`. */
static void live(struct wr_spool *s, struct tally *out) {
  struct wr_row rows[8];
  for (int n = 0; n < ROWS; n++) {
    offer_numbered(s, n);
    if (n % 6 == 5)
      wr_spool_keep(s, n * 1000, WALL + n * SECOND, hold_ms, NULL);
    if (n == 13) {
      int count = wr_spool_oldest(s, FLOW, 0, rows, 3);
      for (int i = 0; i < count; i++)
        out->seen[(rows[i].time_us - WALL) / SECOND] = true;
      wr_spool_delivered(s, rows, count, &(struct wr_spent){.used = count});
    }
    if (n == 19 && wr_spool_oldest(s, LABEL, 0, rows, 1) == 1) {
      out->seen[(rows[0].time_us - WALL) / SECOND] = true;
      wr_spool_reject(s, rows, 400, "no", WALL);
    }
    if (n == 20)
      wr_spool_remember(s, FLOW, &(struct wr_memo){.id = "x"});
  }
  wr_spool_commit(s, 100000, WALL);
}

/* Returns false when the fault never came: the scenario is exhausted. */
static bool fault_at(long n, int code, bool stays, const char *vfs) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.vfs = vfs;
  struct tally out = {0}, left = {0};
  fault_vfs.calls = 0;
  fault_vfs.fail_at = n;
  fault_vfs.stays = stays;
  fault_vfs.code = code;
  struct wr_spool *s = open_with(o);
  live(s, &out);
  look(s, &left); /* what is in memory now, should the disk stay broken */
  wr_spool_destroy(s);
  bool hit = fault_vfs.calls >= n;
  fault_vfs.fail_at = 0;
  s = open_with(options());
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 0);
  look(s, &left);
  int missing = 0;
  for (int i = 0; i < ROWS; i++)
    missing += !left.seen[i] && !out.seen[i];
  if (missing != 0)
    printf("\nfault at call %ld, code %d, stays %d: %d rows missing\n", n, code,
           stays, missing);
  CU_ASSERT_EQUAL(missing, 0);
  wr_spool_destroy(s);
  remove_dir();
  return hit;
}

static void test_fault_at_every_write(void) {
  const char *vfs = fault_vfs_register();
  static const int codes[] = {SQLITE_IOERR_WRITE, SQLITE_FULL,
                              SQLITE_IOERR_FSYNC};
  for (size_t c = 0; c < sizeof(codes) / sizeof(codes[0]); c++)
    for (int way = 0; way < 4; way++) {
      long n = 1;
      hold_ms = way / 2 * 7000;
      while (n < 10000 && fault_at(n, codes[c], way % 2, vfs))
        n++;
      CU_ASSERT_TRUE(n > 20);
      CU_ASSERT_TRUE(n < 10000);
    }
}

UNIT_MAIN("spool, faults", UNIT(test_corrupt_file_is_moved_aside),
          UNIT(test_file_corrupted_in_use),
          UNIT(test_file_of_a_later_version_is_read),
          UNIT(test_locked_database_waits_in_memory),
          UNIT(test_missing_directory_waits_in_memory),
          UNIT(test_fault_at_every_write))
