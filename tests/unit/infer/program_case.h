/* program_case: an `.eim` program that is a script, which only says where its
 * socket should be and then waits; a thread of ours listens there and answers
 * in its place, as each test wants. Include it once, with _GNU_SOURCE. */
#ifndef WEIR_TESTS_PROGRAM_CASE_H
#define WEIR_TESTS_PROGRAM_CASE_H

#include "lib/infer/inference.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#define MODEL                                                                  \
  "\"model_parameters\":{\"input_features_count\":2,\"interval_ms\":1000,"     \
  "\"labels\":[\"a\",\"b\"]}"
#define SCORES "\"result\":{\"classification\":{\"a\":0.25,\"b\":0.75}}"
/* What stands for an answer: */
#define SILENCE "silence"
#define GOODBYE "goodbye"
#define FLOOD "flood"
#define OLD_ID "old id"
#define PIECES "pieces"
#define HALF "half"
#define AT_MOST "at most"   /* of 2 MiB in all */
#define TOO_MUCH "too much" /* a byte more */

static char place[] = "/tmp/test-program-XXXXXX";
static char script[64], report[64], alive[64];

struct program {
  const char *const *answers; /* NULL at the end */
  pthread_t thread;
  char requests[12][256]; /* as they came, cut */
  size_t lengths[12];
  int entries; /* in `place` while it was connected */
  int extra;   /* bytes behind the last request that was wanted */
  int cuts;    /* an errno: their next reads fail with it */
};

/* In place of libc's: so many calls are interrupted, or find no room. */
static atomic_int cuts, cut_by;
static atomic_int crumbs;          /* so many calls move one byte */
static atomic_int polls_cut;       /* so many waits are interrupted */
static atomic_int loud_sends;      /* that would raise SIGPIPE */
static struct itimerspec deadline; /* that was set last */
static int deadlines;              /* that were set */

static inline bool is_cut(void) {
  if (cuts <= 0)
    return false;
  cuts--;
  errno = cut_by;
  return true;
}

static inline size_t crumb(size_t size) {
  if (crumbs <= 0 || size <= 1)
    return size;
  crumbs--;
  return 1;
}

ssize_t recv(int fd, void *to, size_t size, int flags) {
  return is_cut() ? -1 : recvfrom(fd, to, crumb(size), flags, NULL, NULL);
}

ssize_t send(int fd, const void *from, size_t size, int flags) {
  loud_sends += (flags & MSG_NOSIGNAL) == 0;
  return is_cut() ? -1 : sendto(fd, from, crumb(size), flags, NULL, 0);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
  struct timespec t = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
  if (timeout_ms < 0 && polls_cut > 0) {
    polls_cut--;
    errno = EINTR;
    return -1;
  }
  return ppoll(fds, count, timeout_ms < 0 ? NULL : &t, NULL);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *next,
                    struct itimerspec *old) {
  int (*of_libc)(int, int, const struct itimerspec *, struct itimerspec *) =
      (__typeof__(of_libc))dlsym(RTLD_NEXT, "timerfd_settime");
  CU_ASSERT_EQUAL(flags, 0);
  deadline = *next;
  deadlines++;
  return of_libc(fd, flags, next, old);
}

static inline int entries(const char *path) {
  int count = -2;
  DIR *dir = opendir(path);
  CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
  while (readdir(dir) != NULL)
    count++;
  closedir(dir);
  return count;
}

/* The path that the script has reported. */
static inline void read_path(char *path, size_t size) {
  for (int tries = 0; tries < 3000; tries++, usleep(10000)) {
    int fd = open(report, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, path, size - 1) : 0;
    if (fd >= 0)
      close(fd);
    if (n > 0 && path[n - 1] == '\n') {
      path[n - 1] = '\0';
      unlink(report);
      return;
    }
  }
  path[0] = '\0';
}

static inline int accept_one(void) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  read_path(a.sun_path, sizeof(a.sun_path));
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int fd = -1;
  if (bind(listener, (struct sockaddr *)&a, sizeof(a)) == 0 &&
      listen(listener, 1) == 0)
    fd = accept(listener, NULL, NULL);
  close(listener);
  return fd;
}

/* Reads one line; keeps its beginning. false at the end. */
static inline bool read_request(int fd, char *kept, size_t size,
                                size_t *length) {
  char c;
  for (*length = 0; read(fd, &c, 1) == 1;) {
    if (*length + 1 < size)
      kept[*length] = c;
    if (++*length && c == '\n')
      return true;
  }
  return false;
}

static inline void answer(int fd, const char *what, const char *request) {
  const char *id = strstr(request, "\"id\":");
  long number = id != NULL ? strtol(id + 5, NULL, 10) : 0;
  if (strcmp(what, SILENCE) == 0)
    return;
  if (strcmp(what, FLOOD) == 0) {
    char text[65536];
    memset(text, ' ', sizeof(text));
    while (send(fd, text, sizeof(text), MSG_NOSIGNAL) > 0)
      ;
    return;
  }
  if (strcmp(what, AT_MOST) == 0 || strcmp(what, TOO_MUCH) == 0) {
    static char text[2 * WR_EI_REPLY_MAX + 2];
    char reply[160];
    int len = snprintf(reply, sizeof(reply), "{\"id\":%ld,\"success\":true,%s}",
                       number, SCORES);
    size_t size = sizeof(text) - 2 + (strcmp(what, TOO_MUCH) == 0);
    memset(text, ' ', size);
    memcpy(text + size - (size_t)len, reply, (size_t)len);
    for (size_t at = 0; at < size;) {
      ssize_t n = send(fd, text + at, size - at, MSG_NOSIGNAL);
      if (n <= 0)
        return;
      at += (size_t)n;
    }
    return;
  }
  if (strcmp(what, OLD_ID) == 0) {
    dprintf(fd, "{\"id\":%ld,\"success\":true," SCORES "}\n", number - 1);
    return;
  }
  if (strcmp(what, HALF) == 0) {
    dprintf(fd, "{\"id\":%ld,\"success\":true,{", number);
    return;
  }
  if (strcmp(what, PIECES) == 0) {
    dprintf(fd, "hello \"world\n{\"id\":%ld,\"succ", number);
    usleep(1000);
    dprintf(fd, "ess\":true," SCORES "}\n%cmore", '\0');
    return;
  }
  dprintf(fd, "a note\n{\"id\":%ld,%s}\n", number, what);
}

static inline void *play(void *arg) {
  struct program *p = arg;
  int lasts = open(alive, O_RDWR | O_CLOEXEC); /* and so does the script */
  int fd = accept_one();
  size_t count = 0;
  for (; p->answers[count] != NULL; count++) {
    if (!read_request(fd, p->requests[count], sizeof(p->requests[0]),
                      &p->lengths[count]) ||
        strcmp(p->answers[count], GOODBYE) == 0)
      break;
    p->entries = entries(place);
    if (p->cuts != 0) {
      cut_by = p->cuts;
      cuts = 3;
    }
    /* A long request ends in its id, which was cut off: it counts up. */
    char id[32];
    snprintf(id, sizeof(id), "\"id\":%zu", count + 1);
    bool is_cut = p->lengths[count] >= sizeof(p->requests[0]);
    answer(fd, p->answers[count], is_cut ? id : p->requests[count]);
  }
  char c; /* the connection stays until they close it */
  if (p->answers[count] == NULL)
    while (fd >= 0 && read(fd, &c, 1) > 0)
      p->extra++;
  close(fd);
  close(lasts);
  return NULL;
}

static inline void make_script(const char *then) {
  snprintf(script, sizeof(script), "%s.eim", place);
  snprintf(report, sizeof(report), "%s.report", place);
  snprintf(alive, sizeof(alive), "%s.alive", place);
  unlink(report);
  (void)mkfifo(alive, 0600);
  FILE *f = fopen(script, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fprintf(f, "#!/bin/sh\necho up; %secho \"$1\" >%s; read -r _ <%s\n", then,
          report, alive);
  fclose(f);
  chmod(script, 0700);
}

static const double window[] = {10.5, 7};

static inline void program_start(struct program *p,
                                 const char *const *answers) {
  memset(p, 0, sizeof(*p));
  p->answers = answers;
  CU_ASSERT_EQUAL_FATAL(pthread_create(&p->thread, NULL, play, p), 0);
}

static inline void program_end(struct program *p) {
  pthread_join(p->thread, NULL);
}

static inline struct wr_inference *eim(int64_t timeout_ms) {
  struct wr_eim_options o = {.path = script,
                             .timeout_ms = timeout_ms,
                             .start_timeout_ms = 30000,
                             .places = {.count = 1}};
  snprintf(o.places.at[0], sizeof(o.places.at[0]), "%s", place);
  struct wr_inference *i = wr_inference_eim(&o);
  CU_ASSERT_PTR_NOT_NULL_FATAL(i);
  return i;
}

static inline void test_place(void) {
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place));
}

static inline void test_place_is_empty(void) {
  unlink(script);
  unlink(report);
  unlink(alive);
  CU_ASSERT_EQUAL(rmdir(place), 0);
}

#endif
