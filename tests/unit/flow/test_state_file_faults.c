/* A state file on a disk that fails, in the order in which things are done:
 * libc's calls are in here. */
#include "lib/flow/state_file.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char directory[] = "/tmp/test-state.XXXXXX", path[64], old[80];

/* What was done: s(ync) of a file, S of a folder, c(lose), r(ename), R(ead).
 * The call `fails_at`, counted from 1, fails with `with`; 0: none. */
static char done[64];
static int fails_at, with, most_read;
static bool watched;

static bool fails(char what) {
  if (!watched)
    return false;
  size_t count = strlen(done);
  if (count + 1 < sizeof(done))
    done[count] = what;
  errno = with;
  return (int)count + 1 == fails_at;
}

static void watch(int fail_at, int error) {
  memset(done, 0, sizeof(done));
  fails_at = fail_at;
  with = error;
  watched = true;
}

int fsync(int fd) {
  struct stat st;
  CU_ASSERT_EQUAL(fstat(fd, &st), 0);
  CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
  bool failed = fails(S_ISDIR(st.st_mode) ? 'S' : 's');
  return failed ? -1 : (int)syscall(SYS_fsync, fd);
}

int close(int fd) {
  bool failed = fails('c');
  int status = (int)syscall(SYS_close, fd);
  return failed ? -1 : status;
}

int rename(const char *from, const char *to) {
  bool failed = fails('r');
  return failed ? -1 : renameat(AT_FDCWD, from, AT_FDCWD, to);
}

ssize_t read(int fd, void *to, size_t size) {
  if (watched)
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
  if (fails('R'))
    return -1;
  size = most_read > 0 && watched ? (size_t)most_read : size;
  return syscall(SYS_read, fd, to, size);
}

static int reads(const char *name, size_t max, char *text) {
  struct wr_bytes b = WR_BYTES_INIT(max);
  int status = wr_state_file_read(name, "test", &b);
  strcpy(text, b.len > 0 ? b.data : "");
  wr_bytes_free(&b);
  return status;
}

static int writes(const char *text) {
  int status = wr_state_file_write(path, "test", text, strlen(text));
  watched = false;
  return status;
}

static void is(const char *name, const char *want) {
  char text[64];
  watched = false;
  CU_ASSERT_EQUAL(reads(name, 60, text), want != NULL ? 0 : -ENOENT);
  CU_ASSERT_STRING_EQUAL(text, want != NULL ? want : "");
}

/* The file is on the disk before it takes its name, the name afterwards. */
static void test_order(void) {
  int files = unit_open_files();
  watch(0, EIO);
  CU_ASSERT_EQUAL(writes("one"), 0);
  CU_ASSERT_STRING_EQUAL(done, "scrrSc");
  watch(0, EIO);
  CU_ASSERT_EQUAL(writes("two"), 0);
  CU_ASSERT_STRING_EQUAL(done, "scrrSc");
  is(path, "two");
  is(old, "one");
  watch(0, EIO);
  char text[64];
  CU_ASSERT_EQUAL(reads(path, 60, text), 0);
  CU_ASSERT_STRING_EQUAL(done, "RRc");
  watched = false;
  CU_ASSERT_EQUAL(unit_open_files(), files);
}

/* Whatever fails, the file is what it was, and nothing is left beside it. */
static void test_every_failure(void) {
  char name[96];
  snprintf(name, sizeof(name), "%s.new", path);
  for (int at = 1; at <= 4; at++) {
    watch(0, 0);
    CU_ASSERT_EQUAL(writes("good"), 0);
    int files = unit_open_files();
    watch(at, EIO);
    CU_ASSERT_EQUAL(writes("bad"), -EIO);
    is(path, "good");
    CU_ASSERT_EQUAL(access(name, F_OK), -1);
    CU_ASSERT_EQUAL(unit_open_files(), files);
  }
  unlink(path);
  unlink(old);
  watch(4, EIO); /* there was none: so there is none */
  CU_ASSERT_EQUAL(writes("bad"), -EIO);
  is(path, NULL);
  is(old, NULL);
  CU_ASSERT_EQUAL(access(name, F_OK), -1);
}

/* With none of its own the older one is no business of this write. */
static void test_older_stays(void) {
  CU_ASSERT_EQUAL(writes("older"), 0);
  CU_ASSERT_EQUAL(renameat(AT_FDCWD, path, AT_FDCWD, old), 0);
  watch(4, EIO);
  CU_ASSERT_EQUAL(writes("bad"), -EIO);
  is(path, NULL);
  is(old, "older");
  watch(5, EIO); /* a folder that cannot be made durable */
  CU_ASSERT_EQUAL(writes("new"), 0);
  is(path, "new");
  is(old, "older");
}

/* Signals, and as little at a time as there is. */
static void test_reads_in_pieces(void) {
  char text[64];
  CU_ASSERT_EQUAL(writes("hello"), 0);
  for (int at = 0; at < 4; at++) {
    most_read = 1;
    watch(at, EINTR);
    CU_ASSERT_EQUAL(reads(path, 60, text), 0);
    CU_ASSERT_STRING_EQUAL(text, "hello");
  }
  for (int at = 1; at < 3; at++) {
    watch(at, EIO);
    CU_ASSERT_EQUAL(reads(path, 60, text), -EIO);
    CU_ASSERT_STRING_EQUAL(text, "");
  }
  watched = false;
  most_read = 0;
}

/* The format is a contract with the files that are there: FNV-1a in the head.
 */
static void test_format(void) {
  static const struct {
    const char *file, *text;
  } cases[] = {{"weir test 0 cbf29ce484222325\n", ""},
               {"weir test 1 af63dc4c8601ec8c\na", "a"},
               {"weir test 6 85944171f73967e8\nfoobar", "foobar"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char file[64] = "";
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(cases[i].file, f);
    fclose(f);
    is(path, cases[i].text);
    CU_ASSERT_EQUAL(writes(cases[i].text), 0);
    f = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    size_t len = fread(file, 1, sizeof(file) - 1, f);
    fclose(f);
    CU_ASSERT_EQUAL(len, strlen(cases[i].file));
    CU_ASSERT_STRING_EQUAL(file, cases[i].file);
  }
}

/* A text is as long as may be, to the byte, and longer than a piece. */
static void test_long(void) {
  static char text[50000], back[50001];
  memset(text, 'x', sizeof(text));
  struct wr_bytes b = WR_BYTES_INIT(sizeof(text));
  CU_ASSERT_EQUAL(wr_state_file_write(path, "test", text, sizeof(text)), 0);
  CU_ASSERT_EQUAL(wr_state_file_read(path, "test", &b), 0);
  CU_ASSERT_EQUAL_FATAL(b.len, sizeof(text));
  CU_ASSERT_EQUAL(memcmp(b.data, text, sizeof(text)), 0);
  wr_bytes_free(&b);
  CU_ASSERT_EQUAL(reads(path, sizeof(text) - 1, back), -EBADMSG);
  CU_ASSERT_STRING_EQUAL(back, "");
}

/* The name of a file may be as long as the system allows, with its suffix. */
static void test_long_names(void) {
  char name[PATH_MAX + 1], text[64];
  for (int over = 0; over < 2; over++) {
    size_t len = PATH_MAX - 1 - strlen(".new") + (size_t)over;
    memset(name, '/', len);
    memcpy(name, directory, strlen(directory));
    name[len - 1] = 'f';
    name[len] = '\0';
    CU_ASSERT_EQUAL(wr_state_file_write(name, "test", "long", 4),
                    over ? -ENAMETOOLONG : 0);
    if (!over) {
      is(name, "long");
      CU_ASSERT_EQUAL(wr_state_file_set_aside(name), -ENAMETOOLONG);
      unlink(name);
    }
  }
  snprintf(name, sizeof(name), "%s/f", directory);
  CU_ASSERT_EQUAL(reads(name, 60, text), -ENOENT);
}

/* A pipe of that name does not keep us waiting. */
static void test_pipe(void) {
  char text[64];
  unlink(path);
  CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
  CU_ASSERT_EQUAL(reads(path, 60, text), -EBADMSG);
  unlink(path);
}

static void test_directory(void) {
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
  snprintf(path, sizeof(path), "%s/state", directory);
  CU_ASSERT_EQUAL(wr_state_file_old(path, old, sizeof(old)), 0);
}

static void test_nothing_left(void) {
  unlink(path);
  unlink(old);
  CU_ASSERT_EQUAL(rmdir(directory), 0);
}

UNIT_MAIN("state_file, faults", UNIT(test_directory), UNIT(test_order),
          UNIT(test_every_failure), UNIT(test_older_stays),
          UNIT(test_reads_in_pieces), UNIT(test_format), UNIT(test_long),
          UNIT(test_long_names), UNIT(test_pipe), UNIT(test_nothing_left))
