#include "lib/net/scratch.h"

#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *runtime_dir, *tmp_dir;

/* In place of libc's: so many locks are found taken, by a sweeper; and before
 * so many he has removed what is to be locked, and let it go. */
static int taken, removed;

int flock(int fd, int operation) {
  if (removed > 0) {
    char name[64], target[256] = "";
    removed--;
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    CU_ASSERT(readlink(name, target, sizeof(target) - 1) > 0);
    CU_ASSERT_EQUAL(rmdir(target), 0);
  }
  if (taken > 0) {
    taken--;
    errno = EWOULDBLOCK;
    return -1;
  }
  return (int)syscall(SYS_flock, fd, operation);
}

static char *get(const char *name) {
  return (char *)(strcmp(name, "RUNTIME_DIRECTORY") == 0 ? runtime_dir
                  : strcmp(name, "TMPDIR") == 0          ? tmp_dir
                                                         : NULL);
}

static void test_order_of_places(void) {
  struct wr_scratch_places p;
  char longest[WR_SCRATCH_PLACE_MAX + 1];
  runtime_dir = "/run/collectd:/run/other";
  tmp_dir = "/var/tmp/";
  for (int turn = 0; turn < 2; turn++) /* nothing stays of the last look */
    wr_scratch_find_places(&p, get, "/var/lib/collectd");
  const char *const want[] = {"/run/collectd", "/var/tmp", "/tmp",
                              "/run",          "/dev/shm", "/var/lib/collectd"};
  CU_ASSERT_EQUAL_FATAL(p.count, 6);
  for (size_t i = 0; i < p.count; i++)
    CU_ASSERT_STRING_EQUAL(p.at[i], want[i]);
  runtime_dir = "relative";
  tmp_dir = "/tmp";
  wr_scratch_find_places(&p, get, NULL);
  CU_ASSERT_EQUAL(p.count, 3); /* nothing twice */
  CU_ASSERT_STRING_EQUAL(p.at[0], "/tmp");
  runtime_dir = "/run/collectd"; /* nor where the first is another one */
  wr_scratch_find_places(&p, get, "/tmp");
  CU_ASSERT_EQUAL(p.count, 4);
  runtime_dir = NULL;
  for (int len = WR_SCRATCH_PLACE_MAX - 2; len <= WR_SCRATCH_PLACE_MAX; len++) {
    memset(longest, 'x', sizeof(longest));
    longest[0] = '/';
    longest[len] = '\0';
    tmp_dir = longest;
    wr_scratch_find_places(&p, get, "");
    CU_ASSERT_EQUAL(p.count, len < WR_SCRATCH_PLACE_MAX ? 4 : 3);
  }
  tmp_dir = "//"; /* the same as the last */
  wr_scratch_find_places(&p, get, "/");
  CU_ASSERT_EQUAL(p.count, 4);
  CU_ASSERT_STRING_EQUAL(p.at[0], "/");
  tmp_dir = "";
  wr_scratch_find_places(&p, get, "/");
  CU_ASSERT_EQUAL(p.count, 4);
  CU_ASSERT_STRING_EQUAL(p.at[3], "/");
}

static char place[] = "/tmp/test-scratch-XXXXXX";

static struct wr_scratch_places places(const char *first) {
  struct wr_scratch_places p = {.count = 2};
  snprintf(p.at[0], sizeof(p.at[0]), "%s", first);
  snprintf(p.at[1], sizeof(p.at[1]), "%s", place);
  return p;
}

static int entries(void) {
  DIR *dir = opendir(place);
  int count = 0;
  while (readdir(dir) != NULL)
    count++;
  closedir(dir);
  return count - 2;
}

static void touch(const struct wr_scratch *s) {
  int fd = openat(s->fd, "s", O_CREAT | O_WRONLY, 0600);
  CU_ASSERT(fd >= 0);
  close(fd);
}

static void test_made_and_removed(void) {
  struct wr_scratch s = WR_SCRATCH_INIT;
  struct wr_scratch_places p = places("/none/such");
  struct stat st;
  char fault[200];
  mode_t before = umask(0777); /* another plugin's */
  CU_ASSERT_EQUAL_FATAL(wr_scratch_make(&s, &p, fault, sizeof(fault)), 0);
  umask(before);
  CU_ASSERT(strncmp(s.path, place, strlen(place)) == 0);
  CU_ASSERT_EQUAL(stat(s.path, &st), 0);
  CU_ASSERT_EQUAL(st.st_mode & 0777, 0700);
  CU_ASSERT_EQUAL(fcntl(s.fd, F_GETFD), FD_CLOEXEC);
  touch(&s);
  wr_scratch_remove(&s, "s");
  CU_ASSERT_EQUAL(entries(), 0);
  CU_ASSERT_STRING_EQUAL(s.path, "");
  wr_scratch_remove(&s, "s");
}

static void test_nowhere(void) {
  struct wr_scratch s = WR_SCRATCH_INIT;
  struct wr_scratch_places p = places("/none/such");
  char fault[200], tiny[20];
  snprintf(p.at[1], sizeof(p.at[1]), "/etc/passwd");
  CU_ASSERT_EQUAL(wr_scratch_make(&s, &p, fault, sizeof(fault)), -ENOTDIR);
  CU_ASSERT_STRING_EQUAL(fault, "/none/such: No such file or directory, "
                                "/etc/passwd: Not a directory");
  CU_ASSERT_EQUAL(s.fd, -1);
  CU_ASSERT_STRING_EQUAL(s.path, "");
  CU_ASSERT_EQUAL(wr_scratch_make(&s, &p, tiny, sizeof(tiny)), -ENOTDIR);
  CU_ASSERT_STRING_EQUAL(tiny, "/none/such: No such");
  p.count = 0;
  CU_ASSERT_EQUAL(wr_scratch_make(&s, &p, tiny, sizeof(tiny)), -ENOENT);
  CU_ASSERT_STRING_EQUAL(tiny, "");
}

/* What a killed process has left goes; what one uses stays. */
static void test_left_behind(void) {
  struct wr_scratch mine = WR_SCRATCH_INIT, s = WR_SCRATCH_INIT;
  struct wr_scratch_places p = places("/none/such");
  char fault[200], other[64], link[64];
  CU_ASSERT_EQUAL(wr_scratch_make(&mine, &p, fault, sizeof(fault)), 0);
  pid_t pid = fork();
  if (pid == 0) {
    if (wr_scratch_make(&s, &p, fault, sizeof(fault)) == 0)
      touch(&s);
    kill(getpid(), SIGKILL);
  }
  waitpid(pid, NULL, 0);
  snprintf(other, sizeof(other), "%s/weir-eim-longer1", place);
  snprintf(link, sizeof(link), "%s/weir-eim-abcdef", place);
  CU_ASSERT_EQUAL(mkdir(other, 0700), 0);
  CU_ASSERT_EQUAL(symlink(other, link), 0);
  char inside[80];
  snprintf(inside, sizeof(inside), "%s/s", other);
  CU_ASSERT_EQUAL(symlink("x", inside), 0);
  CU_ASSERT_EQUAL(entries(), 4);
  int files = unit_open_files();
  CU_ASSERT_EQUAL(wr_scratch_make(&s, &p, fault, sizeof(fault)), 0);
  CU_ASSERT_EQUAL(unit_open_files(), files + 1);
  CU_ASSERT_EQUAL(entries(), 4); /* the new one for the one left behind */
  CU_ASSERT_EQUAL(access(mine.path, F_OK), 0);
  wr_scratch_remove(&mine, "s");
  wr_scratch_remove(&s, "s");
  CU_ASSERT_EQUAL(unlink(inside), 0); /* behind a link: not ours */
  CU_ASSERT_EQUAL(rmdir(other), 0);
  CU_ASSERT_EQUAL(unlink(link), 0);
  CU_ASSERT_EQUAL(entries(), 0);
}

static void sweep_by_hand(void) {
  DIR *dir = opendir(place);
  for (struct dirent *e; (e = readdir(dir)) != NULL;)
    if (e->d_name[0] != '.')
      unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
  closedir(dir);
}

/* A sweeper that is faster, up to seven times in a row. */
static void test_swept_while_made(void) {
  struct wr_scratch_places p = {.count = 1};
  snprintf(p.at[0], sizeof(p.at[0]), "%s", place);
  int files = unit_open_files();
  for (int times = 1; times <= 8; times++) {
    struct wr_scratch s = WR_SCRATCH_INIT;
    char fault[200];
    /* The first lock is that of a directory which the round before left. */
    while (entries() > 0)
      sweep_by_hand();
    taken = times;
    int status = wr_scratch_make(&s, &p, fault, sizeof(fault));
    CU_ASSERT_EQUAL(status, times < 8 ? 0 : -EAGAIN);
    CU_ASSERT_EQUAL(s.fd >= 0, times < 8);
    CU_ASSERT_EQUAL(entries(), times < 8 ? times + 1 : 8);
    wr_scratch_remove(&s, "s");
    CU_ASSERT_EQUAL(unit_open_files(), files);
  }
  while (entries() > 0)
    sweep_by_hand();
}

/* No descriptor is to be had: that is said, and no directory is left. */
static void test_no_descriptor(void) {
  struct wr_scratch s = WR_SCRATCH_INIT;
  struct wr_scratch_places p = {.count = 1};
  struct rlimit old, none;
  char fault[200];
  snprintf(p.at[0], sizeof(p.at[0]), "%s", place);
  getrlimit(RLIMIT_NOFILE, &old);
  none = (struct rlimit){0, old.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  int status = wr_scratch_make(&s, &p, fault, sizeof(fault));
  setrlimit(RLIMIT_NOFILE, &old);
  CU_ASSERT_EQUAL(status, -EMFILE);
  CU_ASSERT_PTR_NOT_NULL(strstr(fault, ": Too many open files"));
  CU_ASSERT_EQUAL(entries(), 0);
}

/* Without standard input the descriptor of the directory is 0. */
static void test_without_standard_input(void) {
  struct wr_scratch s = WR_SCRATCH_INIT;
  struct wr_scratch_places p = {.count = 1};
  char fault[200];
  snprintf(p.at[0], sizeof(p.at[0]), "%s", place);
  int input = fcntl(0, F_DUPFD_CLOEXEC, 10);
  close(0);
  int status = wr_scratch_make(&s, &p, fault, sizeof(fault));
  int fd = s.fd;
  wr_scratch_remove(&s, "s");
  bool is_closed = fcntl(0, F_GETFD) < 0;
  dup2(input, 0);
  close(input);
  CU_ASSERT_EQUAL(status, 0);
  CU_ASSERT_EQUAL(fd, 0);
  CU_ASSERT_TRUE(is_closed);
  CU_ASSERT_EQUAL(entries(), 0);
}

/* Two processes that make and sweep at the same time lose nothing. */
static void test_sweepers_race(void) {
  struct wr_scratch_places p = places("/none/such");
  pid_t pids[4];
  for (int i = 0; i < 4; i++) {
    pids[i] = fork();
    if (pids[i] != 0)
      continue;
    int bad = 0;
    for (int round = 0; round < 100; round++) {
      struct wr_scratch s = WR_SCRATCH_INIT;
      char fault[200];
      bad += wr_scratch_make(&s, &p, fault, sizeof(fault)) != 0;
      int fd = s.fd < 0 ? -1 : openat(s.fd, "s", O_CREAT | O_WRONLY, 0600);
      bad += fd < 0;
      close(fd);
      wr_scratch_remove(&s, "s");
    }
    _exit(bad != 0);
  }
  for (int i = 0; i < 4; i++) {
    int status = -1;
    waitpid(pids[i], &status, 0);
    CU_ASSERT_EQUAL(status, 0);
  }
  CU_ASSERT_EQUAL(entries(), 0);
}

static void test_place(void) { CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place)); }

static void test_place_is_empty(void) { CU_ASSERT_EQUAL(rmdir(place), 0); }

/* The same, but by the time that we look he has done his work. */
static void test_removed_while_made(void) {
  struct wr_scratch_places p = {.count = 1};
  snprintf(p.at[0], sizeof(p.at[0]), "%s", place);
  int files = unit_open_files();
  for (int times = 1; times <= 8; times++) {
    struct wr_scratch s = WR_SCRATCH_INIT;
    char fault[200];
    removed = times;
    int status = wr_scratch_make(&s, &p, fault, sizeof(fault));
    CU_ASSERT_EQUAL(status, times < 8 ? 0 : -EAGAIN);
    CU_ASSERT_EQUAL(entries(), times < 8);
    wr_scratch_remove(&s, "s");
    CU_ASSERT_EQUAL(unit_open_files(), files);
  }
}

/* Something else of that name: it stays, and is not waited for. */
static void test_something_else(void) {
  struct wr_scratch s = WR_SCRATCH_INIT;
  struct wr_scratch_places p = places("/none/such");
  char fault[200], fifo[64], file[64];
  snprintf(fifo, sizeof(fifo), "%s/weir-eim-fifo01", place);
  snprintf(file, sizeof(file), "%s/weir-eim-file01", place);
  CU_ASSERT_EQUAL(mkfifo(fifo, 0600), 0);
  close(open(file, O_CREAT | O_WRONLY, 0600));
  CU_ASSERT_EQUAL(wr_scratch_make(&s, &p, fault, sizeof(fault)), 0);
  CU_ASSERT_EQUAL(entries(), 3);
  wr_scratch_remove(&s, "s");
  CU_ASSERT_EQUAL(unlink(fifo), 0);
  CU_ASSERT_EQUAL(unlink(file), 0);
}

UNIT_MAIN("scratch", UNIT(test_order_of_places), UNIT(test_place),
          UNIT(test_made_and_removed), UNIT(test_nowhere),
          UNIT(test_left_behind), UNIT(test_no_descriptor),
          UNIT(test_without_standard_input), UNIT(test_swept_while_made),
          UNIT(test_sweepers_race), UNIT(test_removed_while_made),
          UNIT(test_something_else), UNIT(test_place_is_empty))
