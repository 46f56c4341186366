/* capture_case: a directory of a test's own, and a window to write into it. */
#ifndef WEIR_TESTS_CAPTURE_CASE_H
#define WEIR_TESTS_CAPTURE_CASE_H

#include "lib/flow/capture.h"

#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static const double two_axes[] = {10.1, 20, 9.9, 21};

static inline void make_dir(void) {
  snprintf(dir, sizeof(dir), "/tmp/test-capture-XXXXXX");
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
}

static inline size_t list(bool removes) {
  size_t count = 0;
  DIR *d = opendir(dir);
  for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
      count++;
      if (removes)
        unlinkat(dirfd(d), e->d_name, 0);
    }
  if (d != NULL)
    closedir(d);
  return count;
}

static inline void remove_dir(void) {
  list(true);
  rmdir(dir);
}

static inline struct wr_sample sample(int64_t second) {
  return (struct wr_sample){.device = "host/pump.1",
                            .label = "no flow",
                            .sensors = "flow\0temperature",
                            .interval_us = 1000000,
                            .end_us = (1700000000 + second) * 1000000,
                            .axes = 2,
                            .values = two_axes,
                            .count = 4};
}

static inline bool there(const char *name) {
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", dir, name);
  return access(path, F_OK) == 0;
}

/* Bytes of a file there; -1 without one. */
static inline long size_of(const char *name) {
  char path[512];
  struct stat st;
  snprintf(path, sizeof(path), "%s/%s", dir, name);
  return lstat(path, &st) == 0 ? (long)st.st_size : -1;
}

/* A file there of so many bytes, last changed then. */
static inline void put_file(const char *name, off_t size, time_t s, long ns) {
  char path[512];
  struct timespec times[2] = {{s, ns}, {s, ns}};
  snprintf(path, sizeof(path), "%s/%s", dir, name);
  int fd = open(path, O_CREAT | O_WRONLY, 0600);
  CU_ASSERT_FATAL(fd >= 0);
  CU_ASSERT_EQUAL(ftruncate(fd, size), 0);
  CU_ASSERT_EQUAL(futimens(fd, times), 0);
  close(fd);
}

#endif
