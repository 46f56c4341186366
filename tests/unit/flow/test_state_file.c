#include "lib/flow/state_file.h"

#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/test-state.XXXXXX", path[64];

static int reads(const char *name, const char *kind, size_t max, char *text) {
  struct wr_bytes b = WR_BYTES_INIT(max);
  int status = wr_state_file_read(name, kind, &b);
  strcpy(text, b.len > 0 ? b.data : "");
  wr_bytes_free(&b);
  return status;
}

static void test_written_and_read(void) {
  char text[64], old[80];
  struct stat st;
  CU_ASSERT_EQUAL(reads(path, "test", 60, text), -ENOENT);
  mode_t mask = umask(0777);
  CU_ASSERT_EQUAL(wr_state_file_write(path, "test", "one\ntwo", 7), 0);
  umask(mask);
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  CU_ASSERT_EQUAL(st.st_mode & 0777, 0640);
  CU_ASSERT_EQUAL(reads(path, "test", 60, text), 0);
  CU_ASSERT_STRING_EQUAL(text, "one\ntwo");
  CU_ASSERT_EQUAL(wr_state_file_write(path, "test", "", 0), 0);
  CU_ASSERT_EQUAL(reads(path, "test", 60, text), 0);
  CU_ASSERT_STRING_EQUAL(text, "");
  CU_ASSERT_EQUAL(wr_state_file_old(path, old, sizeof(old)), 0);
  CU_ASSERT_EQUAL(reads(old, "test", 60, text), 0);
  CU_ASSERT_STRING_EQUAL(text, "one\ntwo"); /* the one before */
  unlink(old);
}

/* Any change of any byte, any cut, another kind: it is no state of ours. */
static void test_not_whole(void) {
  char file[256], text[64];
  CU_ASSERT_EQUAL(wr_state_file_write(path, "test", "hello", 5), 0);
  int fd = open(path, O_RDONLY);
  ssize_t len = read(fd, file, sizeof(file));
  close(fd);
  CU_ASSERT_FATAL(len > 5);
  CU_ASSERT_EQUAL(reads(path, "tess", 60, text), -EBADMSG);
  for (ssize_t i = 0; i <= len; i++)
    for (int cut = 0; cut < 2; cut++) {
      char bad[256];
      memcpy(bad, file, sizeof(bad));
      if (!cut)
        bad[i] ^= 1; /* the last one is a byte more */
      fd = open(path, O_WRONLY | O_TRUNC);
      CU_ASSERT(write(fd, bad,
                      (size_t)(cut       ? i
                               : i < len ? len
                                         : len + 1)) >= 0);
      close(fd);
      CU_ASSERT_EQUAL(reads(path, "test", 60, text),
                      cut && i == len ? 0 : -EBADMSG);
    }
  unlink(path);
}

static void test_ceiling(void) {
  char text[64];
  CU_ASSERT_EQUAL(wr_state_file_write(path, "test", "0123456789", 10), 0);
  CU_ASSERT_EQUAL(reads(path, "test", 10, text), 0);
  CU_ASSERT_EQUAL(reads(path, "test", 9, text), -EBADMSG);
  char name[PATH_MAX + 1];
  memset(name, 'n', sizeof(name));
  name[sizeof(name) - 1] = '\0';
  CU_ASSERT_EQUAL(wr_state_file_write(name, "test", "x", 1), -ENAMETOOLONG);
  CU_ASSERT_EQUAL(wr_state_file_set_aside(name), -ENAMETOOLONG);
  char old[16];
  CU_ASSERT_EQUAL(wr_state_file_old("0123456789a", old, sizeof(old)), 0);
  CU_ASSERT_STRING_EQUAL(old, "0123456789a.old");
  CU_ASSERT_EQUAL(wr_state_file_old("0123456789ab", old, sizeof(old)),
                  -ENAMETOOLONG);
  for (long n = 0; unit_alloc_arm(n); n++)
    CU_ASSERT_EQUAL(reads(path, "test", 60, text),
                    unit_alloc_failed() ? -ENOMEM : 0);
  unlink(path);
}

/* What cannot be written leaves the old one, and nothing of the new one. */
static void test_not_written(void) {
  char name[96], text[64];
  CU_ASSERT_EQUAL(wr_state_file_write("/none/such", "test", "x", 1), -ENOENT);
  CU_ASSERT_EQUAL(wr_state_file_write(path, "test", "good", 4), 0);
  snprintf(name, sizeof(name), "%s.new", path);
  CU_ASSERT_EQUAL(symlink("/dev/full", name), 0);
  CU_ASSERT_EQUAL(wr_state_file_write(path, "test", "bad", 3), -ELOOP);
  CU_ASSERT_EQUAL(reads(path, "test", 60, text), 0);
  CU_ASSERT_STRING_EQUAL(text, "good");
  unlink(name);
  /* the place of the old one is taken by a directory that is not empty */
  snprintf(name, sizeof(name), "%s.old", path);
  unlink(name);
  CU_ASSERT_EQUAL(mkdir(name, 0700), 0);
  CU_ASSERT(wr_state_file_write(path, "test", "bad", 3) < 0);
  CU_ASSERT_EQUAL(reads(path, "test", 60, text), 0);
  CU_ASSERT_STRING_EQUAL(text, "good");
  CU_ASSERT_EQUAL(rmdir(name), 0);
  CU_ASSERT_EQUAL(reads(directory, "test", 60, text), -EBADMSG);
  CU_ASSERT_EQUAL(wr_state_file_set_aside(path), 0);
  CU_ASSERT_EQUAL(wr_state_file_set_aside(path), -ENOENT);
  CU_ASSERT_EQUAL(reads(path, "test", 60, text), -ENOENT);
  snprintf(name, sizeof(name), "%s.corrupt", path);
  CU_ASSERT_EQUAL(unlink(name), 0);
}

/* A disk that is full at any byte: the old one stays, and nothing beside it. */
static void test_full_disk(void) {
  char text[64], name[96];
  struct rlimit usual, none;
  CU_ASSERT_EQUAL(wr_state_file_write(path, "test", "good", 4), 0);
  getrlimit(RLIMIT_FSIZE, &usual);
  signal(SIGXFSZ, SIG_IGN);
  for (rlim_t size = 0; size < 30; size++) {
    none = (struct rlimit){size, usual.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
    int status = wr_state_file_write(path, "test", "bad", 3);
    setrlimit(RLIMIT_FSIZE, &usual);
    CU_ASSERT_EQUAL(status, -EFBIG);
    CU_ASSERT_EQUAL(reads(path, "test", 60, text), 0);
    CU_ASSERT_STRING_EQUAL(text, "good");
  }
  signal(SIGXFSZ, SIG_DFL);
  snprintf(name, sizeof(name), "%s.new", path);
  CU_ASSERT_EQUAL(access(name, F_OK), -1);
  unlink(path);
}

static void test_relative(void) {
  char text[64];
  int here = open(".", O_RDONLY | O_DIRECTORY);
  CU_ASSERT_EQUAL(chdir(directory), 0);
  CU_ASSERT_EQUAL(wr_state_file_write("f", "test", "x", 1), 0);
  CU_ASSERT_EQUAL(reads("f", "test", 60, text), 0);
  unlink("f");
  CU_ASSERT_EQUAL(fchdir(here), 0);
  close(here);
}

static void test_directory(void) {
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
  snprintf(path, sizeof(path), "%s/state", directory);
}

static void test_nothing_left(void) { CU_ASSERT_EQUAL(rmdir(directory), 0); }

UNIT_MAIN("state_file", UNIT(test_directory), UNIT(test_written_and_read),
          UNIT(test_not_whole), UNIT(test_ceiling), UNIT(test_not_written),
          UNIT(test_full_disk), UNIT(test_relative), UNIT(test_nothing_left))
