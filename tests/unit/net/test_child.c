#include "tests/unit/net/child_case.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_not_started(void) {
  struct wr_child c;
  CU_ASSERT_EQUAL(wr_child_start(&c, "/none/such", "x"), -ENOENT);
  CU_ASSERT_EQUAL(c.pid, 0);
  CU_ASSERT_EQUAL(c.out, -1);
  CU_ASSERT_EQUAL(wr_child_start(&c, "/etc/passwd", "x"), -EACCES);
  CU_ASSERT_EQUAL(wr_child_start(&c, "/tmp", "x"), -EACCES);
  CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
  wr_child_end(&c, 0);
  wr_child_end(&c, 1000);
}

static void test_secrets_are_not_passed_on(void) {
  struct wr_child c;
  char text[8192]; /* PATH may be long */
  setenv("WEIR_SECRET", "hunter2", 1);
  make_script("echo \"$WEIR_SECRET.$PATH\"");
  CU_ASSERT_EQUAL_FATAL(wr_child_start(&c, script, "x"), 0);
  read_output(&c, text, sizeof(text));
  wr_child_end(&c, 1000);
  CU_ASSERT_PTR_NULL(strstr(text, "hunter2"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, getenv("PATH")));
  unsetenv("WEIR_SECRET");
  unlink(script);
}

static void test_argument_and_output(void) {
  struct wr_child c;
  char text[256];
  int files = unit_open_files();
  make_script("echo \"got $1 $#\"; echo oops >&2");
  CU_ASSERT_EQUAL_FATAL(wr_child_start(&c, script, "a b"), 0);
  read_output(&c, text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, "got a b 1\noops\n");
  wr_child_end(&c, 30000);
  CU_ASSERT_EQUAL(unit_open_files(), files);
  unlink(script);
}

/* Whatever stood on the stack: that is no set of signals. */
static void __attribute__((noinline)) fill_stack(void) {
  volatile char noise[16384];
  for (size_t i = 0; i < sizeof(noise); i++)
    noise[i] = (char)0xff;
}

/* Own group, signals as usual, and no descriptor of ours. */
static void test_clean_start(void) {
  struct wr_child c;
  char text[4096];
  int leak = open("/dev/zero", O_RDONLY); /* without O_CLOEXEC */
  const int ignored[] = {SIGHUP, SIGPIPE, 64};
  for (int i = 0; i < 3; i++)
    signal(ignored[i], SIG_IGN);
  sigset_t all, old;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &old);
  /* Builtins read the masks: a shell that waits for another has signals
   * blocked. (At its start dash blocks none, whatever it was given.) */
  make_script("cut -d' ' -f5 /proc/$$/stat; echo $$;"
              "while read -r name mask; do case $name in SigBlk:|SigIgn:)"
              /* A make that starts us leaves the C library's own two ignored,
               * and no program can change that. */
              " case $mask in 0000000[01][08]0000000)"
              " mask=0000000000000000;; esac;"
              " echo $mask;; esac; done </proc/$$/status;"
              "ls -l /proc/$$/fd 2>/dev/null | grep -c /dev/zero");
  fill_stack();
  CU_ASSERT_EQUAL_FATAL(wr_child_start(&c, script, "x"), 0);
  sigprocmask(SIG_SETMASK, &old, NULL);
  pid_t pid = c.pid;
  read_output(&c, text, sizeof(text));
  char want[256];
  snprintf(want, sizeof(want),
           "%d\n%d\n0000000000000000\n0000000000000000\n0\n", pid, pid);
  CU_ASSERT_STRING_EQUAL(text, want);
  wr_child_end(&c, 30000);
  for (int i = 0; i < 3; i++)
    signal(ignored[i], SIG_DFL);
  close(leak);
  unlink(script);
}

static bool has_ended(pid_t pid) {
  char path[64], state = 'X';
  snprintf(path, sizeof(path), "/proc/%d/stat", pid);
  FILE *f = fopen(path, "r");
  if (f == NULL)
    return true;
  bool read = fscanf(f, "%*d %*s %c", &state) == 1;
  fclose(f);
  return !read || state == 'Z' || state == 'X';
}

static void wait_for_end(pid_t pid) {
  for (int tries = 0; pid > 0 && !has_ended(pid) && tries < 3000; tries++)
    usleep(10000);
  CU_ASSERT(pid > 0 && has_ended(pid));
}

static void test_end_kills_the_whole_group(void) {
  struct wr_child c;
  char text[64] = "";
  make_script("sleep 1000 & echo $!; trap '' TERM; wait");
  CU_ASSERT_EQUAL_FATAL(wr_child_start(&c, script, "x"), 0);
  struct pollfd p = {.fd = c.out, .events = POLLIN};
  CU_ASSERT_EQUAL(poll(&p, 1, 30000), 1);
  CU_ASSERT(read(c.out, text, sizeof(text) - 1) > 0);
  pid_t pid = c.pid, grandchild = atoi(text);
  wr_child_end(&c, 10);
  CU_ASSERT_EQUAL(kill(pid, 0), -1);
  wait_for_end(grandchild); /* init has it now */
  unlink(script);
}

/* collectd's exec plugin reaps every child; some processes ignore SIGCHLD. */
static void test_reaped_by_others(void) {
  struct wr_child c;
  signal(SIGCHLD, SIG_IGN);
  CU_ASSERT_EQUAL_FATAL(wr_child_start(&c, "/bin/true", "x"), 0);
  wr_child_end(&c, 30000);
  CU_ASSERT_EQUAL(c.pid, 0);
  signal(SIGCHLD, SIG_DFL);
  CU_ASSERT_EQUAL_FATAL(wr_child_start(&c, "/bin/true", "x"), 0);
  CU_ASSERT_EQUAL(waitpid(c.pid, NULL, 0), c.pid);
  wr_child_end(&c, 30000);
  CU_ASSERT_EQUAL(c.pid, 0);
}

static pid_t start_victim(void) {
  pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    pause();
    _exit(0);
  }
  setpgid(pid, pid);
  return pid;
}

static bool lives(pid_t pid) {
  siginfo_t info = {0};
  return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

/* Somebody else waited for our child, and its number has a new owner. */
static void test_number_of_somebody_else(void) {
  for (int with_pidfd = 1; with_pidfd >= 0; with_pidfd--) {
    struct wr_child c;
    pid_t victim = start_victim();
    CU_ASSERT_EQUAL_FATAL(wr_child_start(&c, "/bin/true", "x"), 0);
    CU_ASSERT_EQUAL(waitpid(c.pid, NULL, 0), c.pid);
    if (with_pidfd) {
      c.pid = victim;
    } else { /* only a stranger's number can be told without one */
      close(c.pidfd);
      c.pidfd = -1;
    }
    wr_child_end(&c, 0);
    CU_ASSERT_TRUE(lives(victim));
    kill(victim, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(victim, NULL, 0), victim);
  }
}

/* Without a pidfd, too, the child ends with its group and is waited for. */
static void test_without_pidfd(void) {
  struct wr_child c;
  make_script("sleep 1000 & wait");
  CU_ASSERT_EQUAL_FATAL(wr_child_start(&c, script, "x"), 0);
  close(c.pidfd);
  c.pidfd = -1;
  wr_child_end(&c, 1000000); /* it could not be seen to end: none is given */
  CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1);
  unlink(script);
}

/* As on a kernel that does not know this call, or not this use of it. */
static int without_call(unsigned number, void (*test)(void)) {
  pid_t pid = fork();
  if (pid == 0) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog filter = {4, rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
      _exit(2);
    unsigned before = CU_get_number_of_failures();
    test();
    _exit(CU_get_number_of_failures() > before);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  return status;
}

/* Before 6.9 pidfd_send_signal() knows no groups. */
static void test_without_signals_to_groups(void) {
  const unsigned call = SYS_pidfd_send_signal;
  CU_ASSERT_EQUAL(without_call(call, test_end_kills_the_whole_group), 0);
  CU_ASSERT_EQUAL(without_call(call, test_reaped_by_others), 0);
  CU_ASSERT_EQUAL(without_call(call, test_number_of_somebody_else), 0);
}

/* The lowest and the highest descriptor that a process may have by default. */
static void test_no_descriptor_of_ours(void) {
  struct wr_child c;
  char text[256];
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t usual = limit.rlim_cur;
  if (usual < 4096 && limit.rlim_max >= 4096) {
    limit.rlim_cur = 4096; /* more than a process has at least */
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  int highest = limit.rlim_cur > 65536 ? 65535 : (int)limit.rlim_cur - 1;
  int source = open("/dev/zero", O_RDONLY), third = fcntl(3, F_DUPFD, 3);
  CU_ASSERT_EQUAL(dup2(source, 3), 3);
  CU_ASSERT_EQUAL(dup2(source, highest), highest);
  make_script("ls -l /proc/$$/fd 2>/dev/null | grep -c /dev/zero");
  CU_ASSERT_EQUAL_FATAL(wr_child_start(&c, script, "x"), 0);
  read_output(&c, text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, "0\n");
  wr_child_end(&c, 30000);
  close(highest);
  if (third < 0)
    close(3);
  else
    dup2(third, 3);
  close(third);
  if (source != 3)
    close(source);
  limit.rlim_cur = usual;
  setrlimit(RLIMIT_NOFILE, &limit);
  unlink(script);
}

/* Before 5.11, and 5.9, there is no close_range() of this kind. */
static void test_without_close_range(void) {
  CU_ASSERT_EQUAL(without_call(SYS_close_range, test_clean_start), 0);
  CU_ASSERT_EQUAL(without_call(SYS_close_range, test_no_descriptor_of_ours), 0);
}

/* It is given the time to end by itself, and its last words are read. */
static void test_grace(void) {
  struct wr_child c;
  char text[64] = "";
  char lasts[] = "/tmp/test-child-XXXXXX"; /* as long as it is there */
  close(mkstemp(lasts));
  make_script("while [ -e \"$1\" ]; do sleep 0.02; done; echo done");
  CU_ASSERT_EQUAL_FATAL(wr_child_start(&c, script, lasts), 0);
  CU_ASSERT_EQUAL(read(c.out, text, sizeof(text)), -1); /* does not wait */
  CU_ASSERT_EQUAL(errno, EAGAIN);
  int out = dup(c.out);
  unlink(lasts);
  wr_child_end(&c, 30000);
  CU_ASSERT_EQUAL(read(out, text, sizeof(text) - 1), 5);
  CU_ASSERT_STRING_EQUAL(text, "done\n");
  close(out);
  unlink(script);
}

/* A daemon that is killed takes its model with it. */
static void test_ends_with_its_parent(void) {
  int report[2];
  pid_t child = 0;
  CU_ASSERT_EQUAL_FATAL(pipe(report), 0);
  make_script("exec sleep 1000");
  pid_t pid = fork();
  if (pid == 0) {
    struct wr_child c;
    (void)wr_child_start(&c, script, "x");
    (void)!write(report[1], &c.pid, sizeof(c.pid));
    kill(getpid(), SIGKILL);
  }
  CU_ASSERT_EQUAL(read(report[0], &child, sizeof(child)), sizeof(child));
  waitpid(pid, NULL, 0);
  CU_ASSERT(child > 0);
  wait_for_end(child);
  if (child > 0 && !has_ended(child))
    kill(child, SIGKILL);
  close(report[0]);
  close(report[1]);
  unlink(script);
}

/* In place of libc's: so many calls of either kind are interrupted. */
static int reads_cut, waits_cut;

ssize_t read(int fd, void *to, size_t size) {
  if (reads_cut > 0) {
    reads_cut--;
    errno = EINTR;
    return -1;
  }
  return syscall(SYS_read, fd, to, size);
}

int waitid(idtype_t type, id_t id, siginfo_t *info, int options) {
  if (waits_cut > 0 && (options & WNOHANG) == 0) {
    waits_cut--;
    errno = EINTR;
    return -1;
  }
  return (int)syscall(SYS_waitid, type, id, info, options, NULL);
}

/* Signals of other plugins interrupt every wait, and what errno was before
 * does not matter. */
static void test_signals(void) {
  static const char *const paths[] = {"/bin/true", "/none/such"};
  for (int turn = 0; turn < 8; turn++) {
    struct wr_child c;
    reads_cut = waits_cut = turn / 2;
    errno = EINTR;
    int status = wr_child_start(&c, paths[turn % 2], "x");
    CU_ASSERT_EQUAL(status, turn % 2 == 0 ? 0 : -ENOENT);
    CU_ASSERT_EQUAL(reads_cut, 0);
    wr_child_end(&c, 0);
    CU_ASSERT_EQUAL(waits_cut, 0);
    CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
  }
}

/* An environment that another plugin has filled with one name again and again.
 */
static void test_strange_environment(void) {
  extern char **environ;
  char **before = environ, *strange[64];
  struct wr_child c;
  char text[64];
  for (int i = 0; i < 63; i++)
    strange[i] = (char *)(i % 2 == 0 ? "PATH=/usr/bin:/bin" : "X=");
  strange[63] = NULL;
  make_script("echo ran $PATH");
  for (int i = 0; i < 2; i++) {
    environ = i == 0 ? strange : NULL;
    int status = wr_child_start(&c, script, "x");
    environ = before;
    CU_ASSERT_EQUAL_FATAL(status, 0);
    read_output(&c, text, sizeof(text));
    CU_ASSERT_EQUAL(strncmp(text, "ran ", 4), 0);
    CU_ASSERT(i > 0 || strcmp(text, "ran /usr/bin:/bin\n") == 0);
    wr_child_end(&c, 30000);
  }
  unlink(script);
}

/* The process was started without standard input, output and errors, or another
 * plugin closed them: the child has all three, and they are no pipe of ours. */
static void test_closed_descriptors(void) {
  int saved[3];
  char text[256];
  make_script("readlink /proc/$$/fd/0; echo e >&2; for f in 3 4 5 6 7 8 9; do"
              " [ -e /proc/$$/fd/$f ] && echo $f; done; echo done");
  for (int i = 0; i < 3; i++)
    saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
  for (int closed = 0; closed < 8; closed++) {
    struct wr_child c;
    for (int i = 0; i < 3; i++)
      if (closed & 1 << i)
        close(i);
    int status = wr_child_start(&c, script, "x");
    int lowest = c.pidfd >= 0 && c.pidfd < c.out ? c.pidfd : c.out;
    if (status == 0)
      read_output(&c, text, sizeof(text));
    wr_child_end(&c, 30000);
    int still_closed = 0;
    for (int i = 0; i < 3; i++)
      still_closed |= fcntl(i, F_GETFD) < 0 ? 1 << i : 0;
    for (int i = 0; i < 3; i++)
      dup2(saved[i], i);
    CU_ASSERT_EQUAL(still_closed, closed);
    CU_ASSERT(lowest > STDERR_FILENO);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_STRING_EQUAL(text, "/dev/null\ne\ndone\n");
  }
  for (int i = 0; i < 3; i++)
    close(saved[i]);
  unlink(script);
}

/* Each descriptor that cannot be had, also where standard input is closed: a
 * status, nothing left, and no child that lacks one. */
static void test_small_limits(void) {
  struct rlimit old, small;
  getrlimit(RLIMIT_NOFILE, &old);
  int input = fcntl(0, F_DUPFD_CLOEXEC, 10);
  for (int closed = 0; closed < 2; closed++) {
    int lowest = fcntl(0, F_DUPFD, 3);
    close(lowest);
    int started = 0, files = unit_open_files();
    for (int more = 0; more < 8; more++) {
      struct wr_child c;
      char text[64] = "";
      small = (struct rlimit){(rlim_t)(lowest + more), old.rlim_max};
      if (closed)
        close(0);
      setrlimit(RLIMIT_NOFILE, &small);
      int status = wr_child_start(&c, "/bin/readlink", "/proc/self/fd/0");
      if (status == 0)
        read_output(&c, text, sizeof(text));
      wr_child_end(&c, 30000);
      setrlimit(RLIMIT_NOFILE, &old);
      CU_ASSERT_EQUAL(fcntl(0, F_GETFD) < 0, closed);
      dup2(input, 0);
      /* EINVAL: none above standard error may be had at all */
      CU_ASSERT(status == 0 ||
                status == (closed && more == 0 ? -EINVAL : -EMFILE));
      CU_ASSERT_STRING_EQUAL(text, status == 0 ? "/dev/null\n" : "");
      started += status == 0;
      CU_ASSERT_EQUAL(unit_open_files(), files); /* none is left open */
    }
    CU_ASSERT(started > 0 && started < 8);
  }
  close(input);
}

UNIT_MAIN("child", UNIT(test_not_started), UNIT(test_secrets_are_not_passed_on),
          UNIT(test_argument_and_output), UNIT(test_clean_start),
          UNIT(test_end_kills_the_whole_group), UNIT(test_reaped_by_others),
          UNIT(test_number_of_somebody_else), UNIT(test_without_pidfd),
          UNIT(test_without_signals_to_groups), UNIT(test_closed_descriptors),
          UNIT(test_small_limits), UNIT(test_no_descriptor_of_ours),
          UNIT(test_without_close_range), UNIT(test_grace),
          UNIT(test_ends_with_its_parent), UNIT(test_signals),
          UNIT(test_strange_environment))
