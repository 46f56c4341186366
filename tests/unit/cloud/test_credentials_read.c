/* The file of the credentials, read from a disk that gives it piece by piece,
 * is interrupted, and fails. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "lib/cloud/credentials.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fault;       /* -errno of a read in the middle; 0: none */
static int pieces = -1; /* reads so far; below 0: as always */

static size_t got; /* bytes of the file */

/* In front of the C library's: one byte at a time. */
ssize_t read(int fd, void *buffer, size_t size) {
  static ssize_t (*real)(int, void *, size_t);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "read");
  if (pieces < 0)
    return real(fd, buffer, size);
  CU_ASSERT_EQUAL(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  if (pieces == 0) {
    unit_alloc_keep_freed(buffer);
    got = 0;
  }
  CU_ASSERT_EQUAL(size, WR_CREDENTIALS_FILE_MAX - got);
  if (++pieces == 5 && fault != 0) {
    errno = -fault;
    return -1;
  }
  ssize_t one = real(fd, buffer, size > 0 ? 1 : 0);
  got += one > 0;
  return one;
}

static struct wr_credentials c;

static int read_text(const char *text, int with) {
  char path[] = "/tmp/weir-env-XXXXXX";
  int fd = mkstemp(path);
  CU_ASSERT_FATAL(fd >= 0);
  CU_ASSERT_EQUAL(write(fd, text, strlen(text)), strlen(text));
  close(fd);
  wr_credentials_wipe(&c);
  fault = with;
  pieces = 0;
  int status = wr_credentials_file(&c, path);
  pieces = -1;
  unlink(path);
  return status;
}

static int read_with(int with) {
  return read_text("CLIENT_ID=a\nCLIENT_SECRET=b\nTHING_ID=c\n", with);
}

static void test_empty(void) {
  CU_ASSERT_EQUAL(read_text("", 0), 0);
  CU_ASSERT_STRING_EQUAL(c.fault, "");
}

static void whole(void) {
  CU_ASSERT_STRING_EQUAL(c.client_id, "a");
  CU_ASSERT_STRING_EQUAL(c.client_secret, "b");
  CU_ASSERT_STRING_EQUAL(c.thing_id, "c");
}

static void test_in_pieces(void) {
  CU_ASSERT_EQUAL(read_with(0), 0);
  whole();
}

static void test_interrupted(void) {
  CU_ASSERT_EQUAL(read_with(-EINTR), 0);
  whole();
}

static void test_broken_disk(void) {
  CU_ASSERT_EQUAL(read_with(-EIO), -EIO);
  CU_ASSERT_STRING_EQUAL(c.fault, "cannot read it: Input/output error");
  CU_ASSERT_STRING_EQUAL(c.client_secret, "");
}

/* Nothing of the file is left in memory. */
static void test_wiped(void) {
  static const char nothing[WR_CREDENTIALS_FILE_MAX];
  for (int with = 0; with >= -EIO; with -= EIO) {
    CU_ASSERT_EQUAL(read_with(with), with);
    CU_ASSERT_PTR_NOT_NULL_FATAL(unit_alloc_kept());
    CU_ASSERT_EQUAL(memcmp(unit_alloc_kept(), nothing, sizeof(nothing)), 0);
    unit_alloc_keep_freed(NULL);
  }
}

UNIT_MAIN("credentials_read", UNIT(test_wiped), UNIT(test_empty),
          UNIT(test_in_pieces), UNIT(test_interrupted), UNIT(test_broken_disk))
