/* What happens between fork() and exec(), which the two processes do in any
 * order, and what the program finds. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/net/child_case.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* In place of libc's. Which of the two is late with it, and how many processes
 * cannot be had; and what a child would inherit at the last fork(). */
static pid_t parent;
static bool parent_is_late, child_is_late;
static int forks_refused, inherited;

static int count_inherited(void) {
  int count = 0;
  for (int fd = 3; fd < 256; fd++) {
    int flags = fcntl(fd, F_GETFD);
    count += flags >= 0 && (flags & FD_CLOEXEC) == 0;
  }
  return count;
}

int setpgid(pid_t pid, pid_t group) {
  if (getpid() == parent ? parent_is_late : child_is_late) {
    for (int i = 0; getpid() != parent && getpgid(0) != getpid() && i < 500;
         i++)
      usleep(10000);
    errno = EACCES; /* as behind exec() */
    return -1;
  }
  return (int)syscall(SYS_setpgid, pid, group);
}

pid_t fork(void) {
  inherited = count_inherited();
  if (forks_refused > 0) {
    forks_refused--;
    errno = EAGAIN;
    return -1;
  }
  pid_t (*of_libc)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
  return of_libc();
}

/* Whichever of the two is first: it has a group of its own, or its end would be
 * ours. */
static void test_own_group(void) {
  parent = getpid();
  make_script("exec sleep 1000");
  for (int late = 0; late < 2; late++) {
    struct wr_child c;
    parent_is_late = late == 0;
    child_is_late = late == 1;
    CU_ASSERT_EQUAL_FATAL(wr_child_start(&c, script, "x"), 0);
    parent_is_late = child_is_late = false;
    CU_ASSERT_EQUAL(getpgid(c.pid), c.pid);
    if (getpgid(c.pid) != c.pid) {
      kill(c.pid, SIGKILL);
      waitpid(c.pid, NULL, 0);
      continue;
    }
    wr_child_end(&c, 0);
    CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1);
  }
  unlink(script);
}

/* As at RLIMIT_NPROC: it is said, and nothing is left. */
static void test_no_process(void) {
  struct wr_child c;
  int files = unit_open_files();
  forks_refused = 1;
  CU_ASSERT_EQUAL(wr_child_start(&c, "/bin/true", "x"), -EAGAIN);
  CU_ASSERT_EQUAL(c.pid, 0);
  CU_ASSERT_EQUAL(c.pidfd, -1);
  CU_ASSERT_EQUAL(c.out, -1);
  CU_ASSERT_EQUAL(unit_open_files(), files);
}

/* Neither this child nor another one that is started meanwhile has a descriptor
 * of those that stand between the two. */
static void test_nothing_is_inherited(void) {
  struct wr_child c;
  int before = count_inherited();
  CU_ASSERT_EQUAL_FATAL(wr_child_start(&c, "/bin/true", "x"), 0);
  CU_ASSERT_EQUAL(inherited, before);
  CU_ASSERT_EQUAL(count_inherited(), before);
  wr_child_end(&c, 30000);
}

/* Each name that is passed on, and none that only begins like one. */
static void test_environment(void) {
  static const char *const names[] = {
      "HOME",         "LANG",          "TZ",           "TMPDIR",
      "LD_PRELOAD",   "ASAN_OPTIONS",  "LSAN_OPTIONS", "LD_LIBRARY_PATH",
      "TSAN_OPTIONS", "UBSAN_OPTIONS", "HOMER",        "XHOME"};
  enum { NAMES = sizeof(names) / sizeof(names[0]), PASSED = NAMES - 2 };
  struct wr_child c;
  char text[1024], want[1024] = "", *before[NAMES];
  make_script("echo \"$HOME $LANG $TZ $TMPDIR $LD_PRELOAD $ASAN_OPTIONS"
              " $LSAN_OPTIONS $LD_LIBRARY_PATH $TSAN_OPTIONS $UBSAN_OPTIONS"
              " $HOMER$XHOME\"");
  for (int i = 0; i < NAMES; i++) {
    const char *value = getenv(names[i]);
    before[i] = value != NULL ? strdup(value) : NULL;
    char other[16]; /* a library that is preloaded has to be there */
    snprintf(other, sizeof(other), i == 4 ? "libc.so.6" : "/%d", i);
    setenv(names[i], other, 1);
    if (i < PASSED)
      snprintf(want + strlen(want), sizeof(want) - strlen(want), "%s ", other);
  }
  int status = wr_child_start(&c, script, "x");
  for (int i = 0; i < NAMES; i++) {
    if (before[i] != NULL)
      setenv(names[i], before[i], 1);
    else
      unsetenv(names[i]);
    free(before[i]);
  }
  CU_ASSERT_EQUAL_FATAL(status, 0);
  read_output(&c, text, sizeof(text));
  wr_child_end(&c, 30000);
  text[strcspn(text, "\n")] = '\0';
  CU_ASSERT_STRING_EQUAL(text, want);
  unlink(script);
}

UNIT_MAIN("child_start", UNIT(test_own_group), UNIT(test_no_process),
          UNIT(test_nothing_is_inherited), UNIT(test_environment))
