#include "lib/rpc/lock.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/weir-lock.XXXXXX";

/* One holds it, whatever its name is made of; the other is told. */
static void test_two(void) {
  struct wr_rpc_lock a = {.fd = -1}, b = {.fd = -1};
  struct stat st;
  mode_t mask = umask(0777);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&a, "host:5001/x y", directory), 0);
  umask(mask);
  CU_ASSERT_PTR_NOT_NULL(strstr(a.path, "/weir-m4-host_5001_x_y.lock"));
  CU_ASSERT_EQUAL(fstat(a.fd, &st), 0);
  CU_ASSERT_EQUAL(st.st_mode & 0777, 0644);
  CU_ASSERT_EQUAL(fcntl(a.fd, F_GETFD), FD_CLOEXEC);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&b, "host:5001/x y", directory),
                  -EWOULDBLOCK);
  CU_ASSERT_EQUAL(fcntl(b.fd, F_GETFD), FD_CLOEXEC);
  CU_ASSERT_STRING_EQUAL(b.path, a.path);
  wr_rpc_lock_give(&a);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&b, "host:5001/x y", directory), 0);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&a, "host:5001/x y", directory),
                  -EWOULDBLOCK);
  wr_rpc_lock_close(&b);
  CU_ASSERT_EQUAL(b.fd, -1);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&a, "host:5001/x y", directory), 0);
  unlink(a.path);
  wr_rpc_lock_close(&a);
}

/* A key that makes the path too long, a link, a directory that is not there. */
static void test_no_lock(void) {
  struct wr_rpc_lock l = {.fd = -1};
  char key[300], link[128];
  memset(key, 'k', sizeof(key));
  for (size_t len =
           sizeof(l.path) - 1 - strlen(directory) - strlen("/weir-m4-.lock");
       len < sizeof(key); len++) {
    key[len] = '\0';
    bool fits = len == sizeof(l.path) - 1 - strlen(directory) -
                           strlen("/weir-m4-.lock");
    CU_ASSERT_EQUAL(wr_rpc_lock_try(&l, key, directory),
                    fits ? 0 : -ENAMETOOLONG);
    if (fits)
      unlink(l.path);
    wr_rpc_lock_close(&l);
    key[len] = 'k';
  }
  snprintf(link, sizeof(link), "%s/weir-m4-link.lock", directory);
  CU_ASSERT_EQUAL(symlink("/etc/passwd", link), 0);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&l, "link", directory), -ELOOP);
  CU_ASSERT_EQUAL(l.fd, -1);
  unlink(link);
  snprintf(link, sizeof(link), "%s/nowhere", directory);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&l, "x", link), -ENOENT);
  CU_ASSERT_EQUAL(l.fd, -1);
  strcat(link, "/weir-m4-x.lock");
  CU_ASSERT_STRING_EQUAL(l.path, link);
}

/* Whatever is planted there: nobody waits for it. */
static void test_planted_pipe(void) {
  struct wr_rpc_lock l = {.fd = -1};
  char path[128];
  snprintf(path, sizeof(path), "%s/weir-m4-pipe.lock", directory);
  CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&l, "pipe", directory), 0);
  wr_rpc_lock_close(&l);
  unlink(path);
}

/* Where nothing is named: where all programs of this machine look. */
static void test_usual_places(void) {
  struct wr_rpc_lock l = {.fd = -1};
  char key[64];
  snprintf(key, sizeof(key), "test-%d", (int)getpid());
  setenv("TMPDIR", directory, 1);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&l, key, NULL), 0);
  const char *place = access("/run/lock", W_OK) == 0 ? "/run/lock" : directory;
  CU_ASSERT_EQUAL(strncmp(l.path, place, strlen(place)), 0);
  unlink(l.path);
  wr_rpc_lock_close(&l);
  unsetenv("TMPDIR");
}

static bool is_in(const char *place, const char *key) {
  struct wr_rpc_lock l = {.fd = -1};
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&l, key, NULL), 0);
  bool found = strncmp(l.path, place, strlen(place)) == 0 &&
               l.path[strlen(place)] == '/';
  unlink(l.path);
  wr_rpc_lock_close(&l);
  return found;
}

/* Where /run/lock will not do: TMPDIR, if it is a whole path, then /tmp. */
static void test_other_places(void) {
  char key[64], first[128], second[128], third[128], nowhere[64];
  snprintf(key, sizeof(key), "test-other-%d", (int)getpid());
  snprintf(first, sizeof(first), "/run/lock/weir-m4-%s.lock", key);
  snprintf(second, sizeof(second), "%s/weir-m4-%s.lock", directory, key);
  snprintf(third, sizeof(third), "/tmp/weir-m4-%s.lock", key);
  snprintf(nowhere, sizeof(nowhere), "%s/nowhere", directory);
  bool planted = symlink(nowhere, first) == 0;
  setenv("TMPDIR", directory, 1);
  CU_ASSERT(is_in(directory, key));
  CU_ASSERT_EQUAL(symlink(nowhere, second), 0);
  CU_ASSERT(is_in("/tmp", key));
  setenv("TMPDIR", directory + 1, 1);
  CU_ASSERT(is_in("/tmp", key));
  unsetenv("TMPDIR");
  CU_ASSERT(is_in("/tmp", key));
  CU_ASSERT_EQUAL(symlink(nowhere, third), 0);
  struct wr_rpc_lock l = {.fd = -1};
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&l, key, NULL), -ELOOP);
  CU_ASSERT_EQUAL(l.fd, -1);
  unlink(third);
  unlink(second);
  if (planted)
    unlink(first);
}

static void test_directory(void) {
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
}

static void test_nothing_left(void) { CU_ASSERT_EQUAL(rmdir(directory), 0); }

UNIT_MAIN("lock", UNIT(test_directory), UNIT(test_two), UNIT(test_no_lock),
          UNIT(test_planted_pipe), UNIT(test_usual_places),
          UNIT(test_other_places), UNIT(test_nothing_left))
