/* Captures on a disk that refuses: each call may fail, and then nothing is left
 * behind, no descriptor either. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "lib/flow/capture.h"

#include "tests/unit/alloc.h"
#include "tests/unit/flow/capture_case.h"

#include <dlfcn.h>
#include <errno.h>

static enum what { NOTHING, WRITE, CLOSE, RENAME, OPENDIR } refuses;
static bool was_closed_in_children;

#define REAL(name)                                                             \
  static __typeof__(name) *real;                                               \
  if (real == NULL)                                                            \
  *(void **)&real = dlsym(RTLD_NEXT, #name)

static bool refused(enum what call, int error) {
  if (refuses != call)
    return false;
  errno = error;
  return true;
}

/* In front of the C library's. */
ssize_t write(int fd, const void *data, size_t size) {
  REAL(write);
  return refused(WRITE, ENOSPC) ? -1 : real(fd, data, size);
}

/* It is closed all the same. A write that fails is told, not what its close
 * says. */
int close(int fd) {
  REAL(close);
  int status = real(fd);
  return refused(CLOSE, EIO) || refused(WRITE, EIO) ? -1 : status;
}

int renameat(int from, const char *old, int to, const char *new) {
  REAL(renameat);
  return refused(RENAME, EACCES) ? -1 : real(from, old, to, new);
}

DIR *fdopendir(int fd) {
  REAL(fdopendir);
  was_closed_in_children = (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
  return refused(OPENDIR, ENOMEM) ? NULL : real(fd);
}

static void test_refused_writes(void) {
  static const struct {
    enum what what;
    int status;
  } cases[] = {{WRITE, -ENOSPC}, {CLOSE, -EIO}, {RENAME, -EACCES}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_capture *c;
    struct wr_sample s = sample(0);
    make_dir();
    CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 10, 10000, &c), 0);
    CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
    uint64_t bytes = wr_capture_bytes(c);
    int files = unit_open_files();
    refuses = cases[i].what;
    int status = wr_capture_write(c, &s);
    refuses = NOTHING;
    CU_ASSERT_EQUAL(status, cases[i].status);
    CU_ASSERT_EQUAL(unit_open_files(), files);
    CU_ASSERT_EQUAL(list(false), 1);
    CU_ASSERT_EQUAL(wr_capture_files(c), 1);
    CU_ASSERT_EQUAL(wr_capture_bytes(c), bytes);
    CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
    CU_ASSERT_EQUAL(wr_capture_files(c), 2);
    wr_capture_close(c);
    remove_dir();
  }
}

static void test_directory_that_cannot_be_read(void) {
  struct wr_capture *c = NULL;
  make_dir();
  int files = unit_open_files();
  refuses = OPENDIR;
  int status = wr_capture_open(dir, 10, 10000, &c);
  refuses = NOTHING;
  CU_ASSERT_EQUAL(status, -ENOMEM);
  CU_ASSERT_PTR_NULL(c);
  CU_ASSERT_EQUAL(unit_open_files(), files);
  remove_dir();
}

/* Whatever allocation fails: as many descriptors as before. */
static void test_descriptors_without_memory(void) {
  make_dir();
  put_file("a.weir.json", 10, 1, 0);
  int files = unit_open_files();
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_capture *c = NULL;
    struct wr_sample s = sample(n);
    if (wr_capture_open(dir, 100, 1 << 20, &c) == 0)
      (void)wr_capture_write(c, &s);
    wr_capture_close(c);
    CU_ASSERT_EQUAL(unit_open_files(), files);
  }
  unit_alloc_off();
  remove_dir();
}

/* One descriptor while it is open, and it is none of a child's. */
static void test_one_descriptor(void) {
  struct wr_capture *c;
  make_dir();
  int files = unit_open_files(), kept = 0;
  was_closed_in_children = false;
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 10, 10000, &c), 0);
  CU_ASSERT_TRUE(was_closed_in_children);
  CU_ASSERT_EQUAL(unit_open_files(), files + 1);
  for (int fd = 3; fd < 1024; fd++) {
    struct stat st, of_dir;
    if (fstat(fd, &st) != 0 || stat(dir, &of_dir) != 0 ||
        st.st_ino != of_dir.st_ino || st.st_dev != of_dir.st_dev)
      continue;
    kept++;
    CU_ASSERT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  }
  CU_ASSERT_EQUAL(kept, 1);
  wr_capture_close(c);
  CU_ASSERT_EQUAL(unit_open_files(), files);
  remove_dir();
}

/* What a run that was killed has left goes at the start; and what lies there
 * later is no part of a file, nor is it followed elsewhere. */
static void test_leftovers(void) {
  struct wr_capture *c;
  struct wr_sample s = sample(0);
  char path[128];
  make_dir();
  put_file(".weir-new", 5000, 1, 0);
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 10, 10000, &c), 0);
  CU_ASSERT_EQUAL(list(false), 0);
  put_file(".weir-new", 5000, 1, 0);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
  CU_ASSERT_EQUAL(size_of("no_flow.host_pump_1.1700000000000.weir.json"),
                  (long)wr_capture_bytes(c));
  put_file("elsewhere", 5000, 1, 0);
  snprintf(path, sizeof(path), "%s/.weir-new", dir);
  CU_ASSERT_EQUAL(symlink("elsewhere", path), 0);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), -ELOOP);
  CU_ASSERT_EQUAL(size_of("elsewhere"), 5000);
  CU_ASSERT_EQUAL(wr_capture_files(c), 1);
  wr_capture_close(c);
  remove_dir();
}

/* A pipe is no directory and no file of ours; nothing waits for its other
 * end. */
static void test_pipe(void) {
  struct wr_capture *c;
  struct wr_sample s = sample(0);
  char path[128];
  make_dir();
  snprintf(path, sizeof(path), "%s/pipe", dir);
  CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
  alarm(20); /* ends the test where it does wait */
  CU_ASSERT_EQUAL(wr_capture_open(path, 10, 10000, &c), -ENOTDIR);
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 10, 10000, &c), 0);
  snprintf(path, sizeof(path), "%s/.weir-new", dir);
  CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), -ENXIO);
  wr_capture_close(c);
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 10, 10000, &c), 0);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
  wr_capture_close(c);
  alarm(0);
  remove_dir();
}

UNIT_MAIN("capture, its disk", UNIT(test_refused_writes),
          UNIT(test_directory_that_cannot_be_read),
          UNIT(test_descriptors_without_memory), UNIT(test_one_descriptor),
          UNIT(test_leftovers), UNIT(test_pipe))
