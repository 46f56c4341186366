#include "lib/base/file.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static mode_t mode_of(const char *path) {
  struct stat st = {0};
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  return st.st_mode & 0777;
}

static void test_any_umask(void) {
  static const mode_t umasks[] = {0, 022, 0777};
  char base[] = "/tmp/test-file-XXXXXX", dir[64], path[80];
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(base));
  snprintf(dir, sizeof(dir), "%s/d", base);
  snprintf(path, sizeof(path), "%s/f", dir);
  for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
    mode_t before = umask(umasks[i]);
    CU_ASSERT_EQUAL(wr_file_mkdir(dir, 0751), 0);
    CU_ASSERT_EQUAL(wr_file_mkdir(dir, 0755), -EEXIST);
    int fd = wr_file_create(AT_FDCWD, path, O_WRONLY, 0640);
    umask(before);
    CU_ASSERT(fd >= 0);
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CU_ASSERT_EQUAL(mode_of(dir), 0751);
    CU_ASSERT_EQUAL(mode_of(path), 0640);
    close(fd);
    fd = wr_file_create(AT_FDCWD, path, O_WRONLY, 0600);
    CU_ASSERT_EQUAL(mode_of(path), 0600);
    close(fd);
    CU_ASSERT_EQUAL(wr_file_create(AT_FDCWD, path, O_WRONLY | O_EXCL, 0600),
                    -EEXIST);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(rmdir(dir), 0);
  }
  CU_ASSERT_EQUAL(wr_file_create(AT_FDCWD, path, O_WRONLY, 0600), -ENOENT);
  CU_ASSERT_EQUAL(wr_file_mkdir(path, 0700), -ENOENT);
  rmdir(base);
}

/* A pipe takes 64 KiB at a time; who reads gets all of it, in order. */
static void *drain(void *arg) {
  size_t *seen = arg;
  char bytes[777];
  ssize_t n;
  while ((n = read((int)seen[0], bytes, sizeof(bytes))) > 0)
    for (ssize_t i = 0; i < n; i++, seen[1]++)
      seen[2] += bytes[i] == (char)(seen[1] % 251);
  return NULL;
}

static void test_write_in_parts(void) {
  enum { LEN = 300000 };
  int fds[2];
  pthread_t reader;
  CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
  char *data = malloc(LEN);
  for (size_t i = 0; i < LEN; i++)
    data[i] = (char)(i % 251);
  size_t seen[3] = {(size_t)fds[0]};
  pthread_create(&reader, NULL, drain, seen);
  CU_ASSERT_EQUAL(wr_file_write(fds[1], data, LEN), 0);
  close(fds[1]);
  pthread_join(reader, NULL);
  CU_ASSERT_EQUAL(seen[1], LEN);
  CU_ASSERT_EQUAL(seen[2], LEN);
  free(data);
  close(fds[0]);
}

static void test_write_fails(void) {
  int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  CU_ASSERT_EQUAL(wr_file_write(full, "x", 1), -ENOSPC);
  CU_ASSERT_EQUAL(wr_file_write(full, "", 0), 0);
  close(full);
  CU_ASSERT_EQUAL(wr_file_write(-1, "x", 1), -EBADF);
}

/* Takes the place of libc's: so many bytes at a time, and a signal before each
 * time; 0: as it is. */
static size_t at_most;
static bool interrupted;

ssize_t write(int fd, const void *data, size_t len) {
  if (at_most > 0 && (interrupted = !interrupted)) {
    errno = EINTR;
    return -1;
  }
  return syscall(SYS_write, fd, data,
                 at_most > 0 && len > at_most ? at_most : len);
}

static void test_write_interrupted(void) {
  char path[] = "/tmp/test-file-XXXXXX", seen[16] = "";
  int fd = mkstemp(path);
  CU_ASSERT_FATAL(fd >= 0);
  at_most = 3;
  CU_ASSERT_EQUAL(wr_file_write(fd, "abcdefgh", 8), 0);
  at_most = 0;
  CU_ASSERT_EQUAL(pread(fd, seen, sizeof(seen), 0), 8);
  CU_ASSERT_STRING_EQUAL(seen, "abcdefgh");
  close(fd);
  unlink(path);
}

/* Whatever the length: so many bytes and not one more. */
static void test_write_little(void) {
  char path[] = "/tmp/test-file-XXXXXX";
  int fd = mkstemp(path);
  struct stat st = {0};
  CU_ASSERT_FATAL(fd >= 0);
  for (size_t len = 0; len <= 4; len++)
    CU_ASSERT_EQUAL(wr_file_write(fd, "abcd", len), 0);
  CU_ASSERT_EQUAL(fstat(fd, &st), 0);
  CU_ASSERT_EQUAL(st.st_size, 1 + 2 + 3 + 4);
  close(fd);
  unlink(path);
}

/* Each set of the three that may be closed; what is open is left alone. */
static void test_standard_descriptors(void) {
  int saved[3];
  struct stat null, now;
  CU_ASSERT_EQUAL(stat("/dev/null", &null), 0);
  for (int i = 0; i < 3; i++)
    saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
  for (int closed = 0; closed < 8; closed++) {
    bool well = true;
    int zero = open("/dev/zero", O_RDONLY), free_one = dup(zero);
    close(free_one);
    for (int i = 0; i < 3; i++)
      if (closed & 1 << i)
        close(i);
      else
        dup2(zero, i);
    int status = wr_file_keep_standard();
    for (int i = 0; i < 3; i++)
      well &= fstat(i, &now) == 0 &&
              (now.st_rdev == null.st_rdev) == !!(closed & 1 << i) &&
              fcntl(i, F_GETFD) == 0 &&
              (!(closed & 1 << i) || (fcntl(i, F_GETFL) & O_ACCMODE) == O_RDWR);
    int next = dup(0); /* and not one more is open */
    close(next);
    close(zero);
    for (int i = 0; i < 3; i++)
      dup2(saved[i], i);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_TRUE(well);
    CU_ASSERT_EQUAL(next, free_one);
  }
  for (int i = 0; i < 3; i++)
    close(saved[i]);
}

/* No descriptor is to be had: it says so. */
static void test_no_descriptor(void) {
  struct rlimit old, none;
  getrlimit(RLIMIT_NOFILE, &old);
  int saved = fcntl(0, F_DUPFD_CLOEXEC, 10);
  none = (struct rlimit){0, old.rlim_max};
  close(0);
  setrlimit(RLIMIT_NOFILE, &none);
  int status = wr_file_keep_standard();
  setrlimit(RLIMIT_NOFILE, &old);
  dup2(saved, 0);
  close(saved);
  CU_ASSERT_EQUAL(status, -EMFILE);
}

UNIT_MAIN("file", UNIT(test_standard_descriptors), UNIT(test_no_descriptor),
          UNIT(test_any_umask), UNIT(test_write_in_parts),
          UNIT(test_write_fails), UNIT(test_write_interrupted),
          UNIT(test_write_little))
