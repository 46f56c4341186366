/* A file that is no good and is set aside: under which name, with what beside
 * it, and what is said. */
#include "lib/spool/impl.h"
#include "tests/unit/spool/spool_rows.h"

static void finish(struct wr_spool *s) {
  wr_spool_destroy(s);
  remove_dir();
}

static const char *name_of(const char *suffix) {
  static char name[192];
  snprintf(name, sizeof(name), "%s%s", path, suffix);
  return name;
}

static int64_t file_number(const char *suffix) {
  struct stat st;
  return stat(name_of(suffix), &st) == 0 ? (int64_t)st.st_ino : -1;
}

static void test_names_to_the_byte(void) {
  char of_spool[] = "/a/b";
  struct wr_spool s = {.path = of_spool};
  char out[16];
  CU_ASSERT_EQUAL(wr_spool_suffixed(&s, "-wal", out, 9), 0);
  CU_ASSERT_STRING_EQUAL(out, "/a/b-wal");
  CU_ASSERT_EQUAL(wr_spool_suffixed(&s, "-wal", out, 8), -1);
  CU_ASSERT_EQUAL(wr_spool_suffixed(&s, "", out, 5), 0);
  CU_ASSERT_STRING_EQUAL(out, "/a/b");
  CU_ASSERT_EQUAL(wr_spool_suffixed(&s, "", out, 4), -1);
}

/* A note that is said again is no new one. */
static void test_notes_are_counted(void) {
  struct wr_spool s = {.count = 0};
  static const struct {
    int number, notes;
    const char *note;
  } steps[] = {{1, 1, "the 1st"},
               {1, 1, "the 1st"},
               {2, 2, "the 2st"},
               {1, 3, "the 1st"},
               {1, 3, "the 1st"}};
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    wr_spool_note(&s, "the %dst", steps[i].number);
    CU_ASSERT_EQUAL(s.status.notes, steps[i].notes);
    CU_ASSERT_STRING_EQUAL(s.status.note, steps[i].note);
  }
}

/* Damage that shows when it is opened: what it is called, and no descriptor of
 * it stays open. */
static void test_what_is_said(void) {
  char want[384];
  int open_files = unit_open_files();
  fresh_dir();
  write_rows();
  sql("UPDATE value SET value=NULL WHERE seq=(SELECT max(seq) FROM value)");
  struct wr_spool *s = open_with(options());
  struct wr_spool_status st = status_of(s);
  snprintf(want, sizeof(want), "%s: database disk image is malformed", path);
  CU_ASSERT_STRING_EQUAL(st.fault, want);
  snprintf(want, sizeof(want),
           "the spool was corrupt and is now %s.bad; a new one is begun, with "
           "%d values of the old one (database disk image is malformed)",
           path, ROWS);
  CU_ASSERT_STRING_EQUAL(st.note, want);
  CU_ASSERT_EQUAL(st.notes, 1);
  CU_ASSERT_EQUAL(st.moved_aside, 1);
  CU_ASSERT_EQUAL(st.salvaged, ROWS);
  CU_ASSERT_EQUAL(st.rows, ROWS);
  CU_ASSERT_FALSE(st.in_memory);
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(unit_open_files(), open_files);
  remove_dir();
}

/* Its log goes with it, and rows that stand in there alone are taken over; the
 * memory that others share beside it is theirs alone. */
static void test_what_stands_beside_it(void) {
  sqlite3 *reader = NULL;
  struct wr_row row;
  fresh_dir();
  write_rows();
  struct wr_spool *s = open_with(options());
  sqlite3_open(path, &reader);
  sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM rejected", NULL, NULL,
               NULL);
  for (int i = 0; i < 3; i++)
    offer_number(s, WALL + (ROWS + i) * SECOND, ROWS + i);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_TRUE(length_of(name_of("-wal")) > 0);
  int64_t wal = file_number("-wal"), shm = file_number("-shm");
  spoil(8 * 4096); /* in the middle of the rows */
  int count = count_rows(s);
  if (count == 0) /* that was when it was found */
    count = count_rows(s);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  CU_ASSERT_TRUE(count >= ROWS + 3 - 150 && count < ROWS + 3);
  CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
  CU_ASSERT_EQUAL(row.value.number, ROWS + 2);
  CU_ASSERT_NOT_EQUAL(file_number("-wal"), wal);
  CU_ASSERT_NOT_EQUAL(file_number("-shm"), shm);
  sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL);
  sqlite3_close(reader);
  wr_spool_destroy(s);
  unlink(name_of(".bad-shm"));
  remove_dir();
}

/* One is kept: the file that was set aside before gives way. */
static void test_one_is_kept(void) {
  fresh_dir();
  for (int i = 0; i < 2; i++) {
    struct wr_spool *s = open_with(options());
    offer_number(s, WALL, i);
    wr_spool_destroy(s);
    int64_t was = file_number("");
    spoil(0);
    s = open_with(options());
    CU_ASSERT_EQUAL(file_number(".bad"), was);
    CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
    CU_ASSERT_EQUAL(status_of(s).salvaged, i + 1);
    wr_spool_destroy(s);
  }
  remove_dir();
}

/* Where no new one can be begun, it is said why. */
static void test_no_new_one(void) {
  int others = 0;
  for (long n = 1; n < 12; n++) {
    char first[192];
    fresh_dir();
    write_rows();
    spoil(0);
    struct wr_spool_options o = options();
    o.vfs = fault_vfs_register();
    fault_vfs.calls = 0;
    fault_vfs.fail_at = n;
    fault_vfs.stays = true;
    fault_vfs.code = SQLITE_FULL;
    struct wr_spool *s = open_with(o);
    struct wr_spool_status st = status_of(s);
    fault_vfs.fail_at = 0;
    snprintf(first, sizeof(first), "%s: file is not a database", path);
    CU_ASSERT_EQUAL(strncmp(st.fault, first, strlen(path) + 2), 0);
    if (st.moved_aside == 1) {
      CU_ASSERT_EQUAL(strcmp(st.fault, first) != 0, st.in_memory);
      others += st.in_memory;
    }
    finish(s);
  }
  CU_ASSERT_TRUE(others > 1);
}

/* In use. Of a property that seemed to have no rows there may be some in what
 * is salvaged; nothing of the old file stays open. */
static void test_damage_while_it_is_open(void) {
  struct wr_row row;
  fresh_dir();
  struct wr_spool *s = open_with(options());
  for (int i = 0; i < 4; i++)
    offer_number(s, WALL + i * SECOND, i);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_FALSE(wr_spool_newest(s, LABEL, &row));
  int open_files = unit_open_files();
  sql("INSERT INTO value SELECT number, 9, 9, 0, -1, 'Low' FROM property WHERE "
      "key='classification'; UPDATE value SET value=NULL WHERE seq=2048");
  CU_ASSERT_EQUAL(count_rows(s), 0);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  CU_ASSERT_EQUAL(status_of(s).rows, 4);
  CU_ASSERT_EQUAL(status_of(s).committed, 4);
  CU_ASSERT_EQUAL(unit_open_files(), open_files);
  CU_ASSERT_TRUE(wr_spool_newest(s, LABEL, &row));
  CU_ASSERT_EQUAL(status_of(s).rows, 4);
  CU_ASSERT_EQUAL(count_rows(s), 3);
  finish(s);
}

/* What is no file at all is left alone, and said; rows wait in memory. */
static void test_no_file(void) {
  for (int way = 0; way < 2; way++) {
    char want[192];
    struct stat st;
    fresh_dir();
    CU_ASSERT_EQUAL(way == 0 ? mkfifo(path, 0600) : mkdir(path, 0700), 0);
    struct wr_spool *s = open_with(options());
    CU_ASSERT_TRUE(status_of(s).in_memory);
    snprintf(want, sizeof(want), "%s: it is not a file", path);
    CU_ASSERT_STRING_EQUAL(status_of(s).fault, want);
    CU_ASSERT_EQUAL(status_of(s).notes, 0);
    CU_ASSERT_EQUAL(status_of(s).moved_aside, 0);
    offer_number(s, WALL, 1);
    CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 1);
    wr_spool_commit(s, 5000, WALL);
    CU_ASSERT_TRUE(status_of(s).in_memory);
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT_FALSE(S_ISREG(st.st_mode));
    CU_ASSERT_EQUAL(remove(path), 0);
    wr_spool_commit(s, 61000, WALL);
    CU_ASSERT_FALSE(status_of(s).in_memory);
    CU_ASSERT_EQUAL(status_of(s).rows, 1);
    finish(s);
  }
}

/* Whoever may not have the file opens nothing of it, however often. */
static void test_the_file_of_another(void) {
  fresh_dir();
  struct wr_spool *first = open_with(options());
  struct wr_spool *second = open_with(options());
  char want[384];
  snprintf(want, sizeof(want),
           "%s: another process uses it; each collectd needs a SpoolDir of its "
           "own",
           path);
  CU_ASSERT_STRING_EQUAL(status_of(second).fault, want);
  CU_ASSERT_STRING_EQUAL(status_of(first).fault, "");
  int open_files = unit_open_files();
  for (int i = 1; i <= 3; i++) {
    wr_spool_commit(second, i * 61000, WALL);
    CU_ASSERT_TRUE(status_of(second).in_memory);
    CU_ASSERT_EQUAL(unit_open_files(), open_files);
  }
  wr_spool_destroy(second);
  wr_spool_destroy(first);
  remove_dir();
}

UNIT_MAIN("spool, aside", UNIT(test_names_to_the_byte),
          UNIT(test_notes_are_counted), UNIT(test_what_is_said),
          UNIT(test_what_stands_beside_it), UNIT(test_one_is_kept),
          UNIT(test_no_new_one), UNIT(test_no_file),
          UNIT(test_damage_while_it_is_open), UNIT(test_the_file_of_another))
