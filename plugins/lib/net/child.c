#define _GNU_SOURCE /* pipe2() */
#include "lib/net/child.h"

#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1U << 2)
#endif

/* Everything from 3 on is closed by exec(), also what other threads opened
 * without O_CLOEXEC. */
static void close_on_exec(void) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
    return;
#endif
  struct rlimit limit = {.rlim_cur = 1024};
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  int most = limit.rlim_cur > 65536 ? 65536 : (int)limit.rlim_cur;
  for (int fd = 3; fd < most; fd++)
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void default_signals(void) {
  struct sigaction usual = {.sa_handler = SIG_DFL};
  for (int i = 1; i < NSIG; i++)
    (void)sigaction(i, &usual, NULL);
  (void)sigprocmask(SIG_SETMASK, &usual.sa_mask, NULL); /* of none, too */
}

/* What a program needs to find its libraries and its language, and what our own
 * test builds need. Everything else may be a secret of somebody. */
static const char *const passed_on[] = {"PATH=",         "HOME=",
                                        "LANG=",         "TZ=",
                                        "TMPDIR=",       "LD_LIBRARY_PATH=",
                                        "LD_PRELOAD=",   "ASAN_OPTIONS=",
                                        "LSAN_OPTIONS=", "UBSAN_OPTIONS=",
                                        "TSAN_OPTIONS="};
#define PASSED_ON (sizeof(passed_on) / sizeof(passed_on[0]))

/* Fills kept[PASSED_ON + 1], which ends in NULL. */
static void minimal_environment(char **kept) {
  extern char **environ;
  size_t count = 0;
  for (char **e = environ; e != NULL && *e != NULL; e++)
    for (size_t i = 0; i < PASSED_ON && count < PASSED_ON; i++)
      if (strncmp(*e, passed_on[i], strlen(passed_on[i])) == 0)
        kept[count++] = *e;
  kept[count] = NULL;
}

/* In the child. Returns only when it failed, with errno. */
static int become(const char *path, char *const argv[], int null, int out,
                  pid_t parent) {
  char *kept[PASSED_ON + 1];
  minimal_environment(kept);
  (void)setpgid(0, 0);
  default_signals();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    return errno;
  if (getppid() != parent)
    _exit(127); /* the parent ended before the line above */
  if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
    return errno;
  close_on_exec();
  execve(path, argv, kept);
  return errno;
}

/* The child's errno, or 0 when exec() closed the pipe. */
static int read_outcome(int fd) {
  int error = 0;
  while (read(fd, &error, sizeof(error)) < 0 && errno == EINTR)
    ;
  return error;
}

/* Whether it is still ours: as long as it was not waited for, its number and
 * that of its group cannot belong to anybody else. A pidfd stands for this very
 * process; without one (an old kernel) a new child of the process that got the
 * same number would be taken for it. */
static bool is_ours(const struct wr_child *c) {
  siginfo_t info;
  int options = WEXITED | WNOHANG | WNOWAIT;
  return c->pidfd >= 0
             ? waitid((idtype_t)P_PIDFD, (id_t)c->pidfd, &info, options) == 0
             : waitid(P_PID, (id_t)c->pid, &info, options) == 0;
}

/* ECHILD: somebody else has waited for it. */
static void reap(const struct wr_child *c) {
  siginfo_t info;
  while ((c->pidfd >= 0
              ? waitid((idtype_t)P_PIDFD, (id_t)c->pidfd, &info, WEXITED)
              : waitid(P_PID, (id_t)c->pid, &info, WEXITED)) < 0 &&
         errno == EINTR)
    ;
}

/* The whole group, also where the child itself is gone: from Linux 6.9 on the
 * pidfd is enough. Before, a group whose leader somebody else has waited for is
 * left alone, because its number may have a new owner. */
static void kill_group(const struct wr_child *c) {
  if (c->pidfd >= 0 && syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL,
                               PIDFD_SIGNAL_PROCESS_GROUP) == 0)
    return;
  if (is_ours(c))
    (void)kill(-c->pid, SIGKILL);
}

/* In a process without standard input or output the next descriptor is 0 to 2,
 * which the child puts its own into. */
static bool lift(int *fd) {
  *fd = wr_file_lift(*fd);
  return *fd >= 0;
}

static int start(struct wr_child *c, const char *path, const char *arg,
                 int null, const int out[2], const int outcome[2]) {
  char *const argv[] = {(char *)path, (char *)arg, NULL};
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0)
    return -errno;
  if (pid == 0) {
    int error = become(path, argv, null, out[1], parent);
    (void)!write(outcome[1], &error, sizeof(error));
    _exit(127);
  }
  (void)setpgid(pid, pid); /* whichever of the two comes first */
  c->pid = pid;
  c->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  (void)lift(&c->pidfd);
  return 0;
}

static bool make_pipe(int fds[2]) {
  return pipe2(fds, O_CLOEXEC) == 0 && lift(&fds[0]) && lift(&fds[1]);
}

int wr_child_start(struct wr_child *c, const char *path, const char *arg) {
  int out[2] = {-1, -1}, outcome[2] = {-1, -1}, status;
  *c = (struct wr_child)WR_CHILD_INIT;
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0 || !lift(&null) || !make_pipe(out) || !make_pipe(outcome))
    status = -errno;
  else
    status = start(c, path, arg, null, out, outcome);
  if (null >= 0)
    close(null);
  if (out[1] >= 0)
    close(out[1]);
  if (outcome[1] >= 0)
    close(outcome[1]);
  if (status == 0)
    status = -read_outcome(outcome[0]);
  if (outcome[0] >= 0)
    close(outcome[0]);
  c->out = out[0];
  if (c->out >= 0)
    (void)fcntl(c->out, F_SETFL, O_NONBLOCK);
  if (status != 0)
    wr_child_end(c, 0);
  return status;
}

void wr_child_end(struct wr_child *c, int grace_ms) {
  if (c->pid > 0) {
    struct pollfd p = {.fd = c->pidfd, .events = POLLIN};
    if (c->pidfd >= 0 && grace_ms > 0)
      (void)poll(&p, 1, grace_ms);
    kill_group(c);
    reap(c);
  }
  if (c->pidfd >= 0)
    close(c->pidfd);
  if (c->out >= 0)
    close(c->out);
  *c = (struct wr_child)WR_CHILD_INIT;
}
