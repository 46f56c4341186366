/* A file that is taken away while it is in use. */
#include "tests/unit/spool/spool_rows.h"

static char name[192];

static const char *name_of(const char *suffix) {
  snprintf(name, sizeof(name), "%s%s", path, suffix);
  return name;
}

static int64_t file_number(const char *suffix) {
  struct stat st;
  return stat(name_of(suffix), &st) == 0 ? (int64_t)st.st_ino : -1;
}

static struct wr_spool *begin(int rows) {
  struct wr_spool_options o = options();
  fresh_dir();
  fault_vfs.fail_at = 0;
  o.vfs = fault_vfs_register();
  struct wr_spool *s = open_with(o);
  for (int i = 0; i < rows; i++)
    offer_number(s, WALL + i * SECOND, i);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), rows);
  return s;
}

static void check_note(struct wr_spool *s, const char *end, int notes) {
  char want[384];
  snprintf(want, sizeof(want), "the spool %s was taken away, and %s", path,
           end);
  CU_ASSERT_STRING_EQUAL(status_of(s).note, want);
  CU_ASSERT_EQUAL(status_of(s).notes, notes);
  CU_ASSERT_FALSE(status_of(s).in_memory);
}

/* It is written anew with all that it had, and its lock; nothing of the old one
 * stays open, or is taken for the new one's. */
static void test_written_anew(void) {
  for (int lock = 0; lock < 2; lock++) {
    struct wr_spool *s = begin(3);
    struct wr_row row;
    CU_ASSERT_FALSE(wr_spool_newest(s, LABEL, &row));
    CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
    wr_spool_delivered(s, &row, 1, &(struct wr_spent){5, 6, 7});
    int64_t last = wr_spool_seq(s);
    int open_files = unit_open_files();
    int wal = open(name_of("-wal"), O_RDONLY), shm = open(name_of("-shm"), 0);
    int64_t wal_number = file_number("-wal"), shm_number = file_number("-shm");
    unlink(path);
    if (lock == 1)
      unlink(name_of(".lock"));
    offer_number(s, WALL + 2 * SECOND, 2);
    CU_ASSERT_EQUAL(wr_spool_commit(s, 1000, WALL), 1);
    check_note(s, "is written anew", 1);
    CU_ASSERT_TRUE(exists("") && exists(".lock"));
    struct stat st;
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0644);
    CU_ASSERT_NOT_EQUAL(file_number("-wal"), wal_number);
    CU_ASSERT_NOT_EQUAL(file_number("-shm"), shm_number);
    close(wal);
    close(shm);
    CU_ASSERT_EQUAL(unit_open_files(), open_files);
    CU_ASSERT_EQUAL(status_of(s).rows, 3);
    CU_ASSERT_EQUAL(wr_spool_seq(s), last + 1024);
    CU_ASSERT_EQUAL(count_rows(s), 3);
    struct wr_spool *other = open_with(options());
    CU_ASSERT_TRUE(status_of(other).in_memory); /* it is still ours */
    wr_spool_destroy(other);
    wr_spool_commit(s, 2000, WALL);
    CU_ASSERT_EQUAL(status_of(s).notes, 1);
    wr_spool_destroy(s);
    s = open_with(options());
    struct wr_spent spent;
    wr_spool_load_spent(s, &spent);
    CU_ASSERT_EQUAL(spent.day, 5);
    CU_ASSERT_EQUAL(spent.used, 6);
    CU_ASSERT_EQUAL(spent.old, 7);
    CU_ASSERT_EQUAL(status_of(s).rows, 3);
    wr_spool_destroy(s);
    remove_dir();
  }
}

static void make_foreign(void) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  CU_ASSERT_EQUAL(write(fd, "foreign", 7), 7);
  close(fd);
}

/* One that stands in its place is left alone; rows wait in what is open. It is
 * tried again after five seconds. */
static void test_another_in_its_place(void) {
  struct wr_spool *s = begin(2);
  int open_files = unit_open_files();
  unlink(path);
  make_foreign();
  for (int64_t ms = 1000; ms < 4000; ms += 1000) {
    CU_ASSERT_EQUAL(wr_spool_commit(s, ms, WALL), 0);
    check_note(s,
               "it cannot be written anew (unable to open database file); what "
               "waits is lost when collectd ends",
               1);
    CU_ASSERT_EQUAL(length_of(path), 7);
  }
  CU_ASSERT_EQUAL(unit_open_files(), open_files);
  CU_ASSERT_EQUAL(count_rows(s), 2);
  offer_number(s, WALL + 2 * SECOND, 2);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 4000, WALL), 1);
  unlink(path);
  wr_spool_commit(s, 5999, WALL);
  CU_ASSERT_FALSE(exists(""));
  wr_spool_commit(s, 6000, WALL);
  check_note(s, "is written anew", 2);
  CU_ASSERT_EQUAL(count_rows(s), 3);
  /* And the next time of trouble waits no longer than the first. */
  fault_vfs.calls = 0;
  fault_vfs.fail_at = 1;
  fault_vfs.stays = true;
  fault_vfs.code = SQLITE_FULL;
  offer_number(s, WALL + 3 * SECOND, 3);
  wr_spool_commit(s, 20000, WALL);
  wr_spool_commit(s, 25000, WALL);
  fault_vfs.fail_at = 0;
  wr_spool_commit(s, 34999, WALL);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  wr_spool_commit(s, 35000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM value"), 4);
  remove_dir();
}

/* What cannot be written whole is not left there. */
static void test_full_disk(void) {
  for (long n = 1; n < 6; n++) {
    struct wr_spool *s = begin(2);
    unlink(path);
    fault_vfs.calls = 0;
    fault_vfs.fail_at = n;
    fault_vfs.stays = true;
    fault_vfs.code = SQLITE_FULL;
    CU_ASSERT_EQUAL(wr_spool_commit(s, 1000, WALL), 0);
    fault_vfs.fail_at = 0;
    CU_ASSERT_EQUAL(status_of(s).notes, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(status_of(s).note, "cannot be written anew"));
    CU_ASSERT_FALSE(exists(""));
    CU_ASSERT_EQUAL(count_rows(s), 2);
    wr_spool_commit(s, 6000, WALL);
    check_note(s, "is written anew", 2);
    CU_ASSERT_EQUAL(count_rows(s), 2);
    wr_spool_destroy(s);
    remove_dir();
  }
}

/* While the memory is in use there is nothing to follow. */
static void test_in_memory(void) {
  struct wr_spool *s = begin(1);
  fault_vfs.calls = 0;
  fault_vfs.fail_at = 1;
  fault_vfs.stays = true;
  fault_vfs.code = SQLITE_FULL;
  offer_number(s, WALL + SECOND, 1);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  unlink(path);
  wr_spool_commit(s, 1000, WALL);
  CU_ASSERT_EQUAL(status_of(s).notes, 0);
  CU_ASSERT_FALSE(exists(""));
  fault_vfs.fail_at = 0;
  wr_spool_destroy(s);
  remove_dir();
}

UNIT_MAIN("spool, taken away", UNIT(test_written_anew),
          UNIT(test_another_in_its_place), UNIT(test_full_disk),
          UNIT(test_in_memory))
