/* wr_inference_eim() against a program that answers. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/alloc.h"
#include "tests/unit/infer/program_case.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

/* In place of libc's: so many processes cannot be had. */
static int forks_refused, fork_error = EAGAIN;

pid_t fork(void) {
  if (forks_refused > 0) {
    forks_refused--;
    errno = fork_error;
    return -1;
  }
  pid_t (*of_libc)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
  return of_libc();
}

/* No process can be had, as at RLIMIT_NPROC: it is said, nothing is left, and
 * the next time there is one. */
static void test_no_process(void) {
  static const char *const answers[] = {"\"success\":true," MODEL,
                                        "\"success\":true," SCORES, NULL};
  struct program p;
  struct wr_model m;
  struct wr_answer a;
  bool changed;
  make_script("");
  int files = entries("/proc/self/fd");
  struct wr_inference *i = eim(30000);
  int open = entries("/proc/self/fd");
  for (forks_refused = 3; forks_refused > 0;) {
    CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ECONNREFUSED);
    CU_ASSERT_STRING_EQUAL(i->error,
                           "it cannot be started: no more processes are "
                           "allowed; look at TasksMax and ulimit -u");
    CU_ASSERT_EQUAL(entries("/proc/self/fd"), open);
    CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed),
                    -ECONNREFUSED);
  }
  forks_refused = 1;
  fork_error = ENOMEM;
  CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ECONNREFUSED);
  CU_ASSERT_STRING_EQUAL(i->error,
                         "it cannot be started: Cannot allocate memory");
  CU_ASSERT_EQUAL(entries(place), 0);
  forks_refused = 1; /* as exec() says it of a file system with noexec */
  fork_error = EACCES;
  CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ECONNREFUSED);
  CU_ASSERT_STRING_EQUAL(i->error,
                         "it cannot be started: it may not be executed here; "
                         "look at the rights of its directories and for "
                         "noexec");
  program_start(&p, answers);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed), 0);
  wr_inference_destroy(i);
  program_end(&p);
  CU_ASSERT_EQUAL(entries("/proc/self/fd"), files);
  wr_model_free(&m);
}

/* Signals of other plugins and full sockets delay an answer, no more. */
static void test_interrupted(void) {
  static const char *const answers[] = {"\"success\":true," MODEL,
                                        "\"success\":true," SCORES,
                                        "\"success\":true," SCORES, NULL};
  struct program p;
  struct wr_model m;
  struct wr_answer a;
  bool changed;
  make_script("");
  program_start(&p, answers);
  struct wr_inference *i = eim(30000);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  for (int turn = 0; turn < 2; turn++) {
    cut_by = turn == 0 ? EINTR : EAGAIN;
    cuts = 3;    /* the request goes in a fourth, the answer comes later */
    crumbs = 40; /* more than the request has bytes */
    CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed), 0);
    CU_ASSERT_EQUAL(a.scores[0], 0.25);
    CU_ASSERT_EQUAL(cuts + crumbs, 0);
  }
  cut_by = EPIPE; /* it ends before it is asked */
  cuts = 1;
  CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed),
                  -ECONNREFUSED);
  CU_ASSERT_PTR_NOT_NULL(strstr(i->error, "the program ended"));
  wr_inference_destroy(i);
  program_end(&p);
  CU_ASSERT_STRING_EQUAL(p.requests[1], "{\"classify\":[10.5,7],\"id\":2}\n");
  CU_ASSERT_STRING_EQUAL(p.requests[2], "{\"classify\":[10.5,7],\"id\":3}\n");
  wr_model_free(&m);
}

/* The same where the answer is there and cannot be read yet. */
static void test_answer_interrupted(void) {
  static const char *const answers[] = {"\"success\":true," MODEL, NULL};
  struct program p;
  struct wr_model m;
  make_script("");
  for (int turn = 0; turn < 2; turn++) {
    program_start(&p, answers);
    p.cuts = turn == 0 ? EINTR : EAGAIN;
    struct wr_inference *i = eim(30000);
    CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
    CU_ASSERT_EQUAL(cuts, 0);
    wr_inference_destroy(i);
    program_end(&p);
    wr_model_free(&m);
  }
}

/* From hello to the last answer, and nothing is left behind. */
static void test_answers(void) {
  static const char *const answers[] = {
      "\"success\":true," MODEL, "\"success\":true," SCORES, PIECES, NULL};
  struct program p;
  struct wr_model m;
  struct wr_answer a = {0};
  bool changed = true;
  make_script("");
  int files = entries("/proc/self/fd");
  program_start(&p, answers);
  struct wr_inference *i = eim(30000);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  CU_ASSERT_EQUAL(m.features, 2);
  for (int turn = 0; turn < 2; turn++) {
    a.scores[1] = 0;
    CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed), 0);
    CU_ASSERT_EQUAL(a.scores[1], 0.75);
    CU_ASSERT_FALSE(changed);
  }
  wr_inference_destroy(i);
  program_end(&p);
  CU_ASSERT_STRING_EQUAL(p.requests[0], "{\"hello\":1,\"id\":1}\n");
  CU_ASSERT_STRING_EQUAL(p.requests[1], "{\"classify\":[10.5,7],\"id\":2}\n");
  CU_ASSERT_EQUAL(p.entries, 0); /* the socket has gone once it stands */
  CU_ASSERT_EQUAL(entries("/proc/self/fd"), files);
  wr_model_free(&m);
}

/* What each answer to a window is, and whether the program is kept. */
static void test_what_an_answer_is(void) {
  static const struct {
    const char *answer;
    int status;
    const char *says;
    bool stays;
  } cases[] = {{"\"success\":false,\"error\":\"too hot\"", -EREMOTEIO,
                "the model says: too hot", true},
               {"\"success\":true," SCORES, 0, "", true},
               {OLD_ID, -EPROTO, "the reply belongs to another request", false},
               {"\"success\":true,\"result\":{}", -EPROTO,
                "the reply lacks the score of a label", false},
               {GOODBYE, -ECONNREFUSED,
                "the program ended; it printed last: \"up\"", false},
               {FLOOD, -EPROTO, "an answer of more than 2 MiB", false},
               {AT_MOST, 0, "", true},
               {TOO_MUCH, -EPROTO, "an answer of more than 2 MiB", false},
               {SILENCE, -ETIMEDOUT, "no answer in time", false}};
  make_script("");
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    const char *const answers[] = {"\"success\":true," MODEL, cases[k].answer,
                                   "\"success\":true," SCORES, NULL};
    struct program p;
    struct wr_model m;
    struct wr_answer a;
    bool changed;
    program_start(&p, answers);
    struct wr_inference *i = eim(cases[k].status == -ETIMEDOUT ? 50 : 30000);
    CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
    errno = EAGAIN; /* of somebody before */
    CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed),
                    cases[k].status);
    CU_ASSERT_STRING_EQUAL(i->error, cases[k].says);
    CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed),
                    cases[k].stays ? 0 : -ECONNREFUSED);
    if (!cases[k].stays)
      CU_ASSERT_STRING_EQUAL(i->error, "the program does not run");
    wr_inference_destroy(i);
    program_end(&p);
    wr_model_free(&m);
  }
}

/* What refuses to introduce itself is ended, and started anew the next time. */
static void test_refused_at_hello(void) {
  static const struct {
    const char *answer;
    int status;
    const char *says;
  } cases[] = {
      {"\"success\":false,\"error\":\"no\"", -EREMOTEIO, "the model says: no"},
      {"\"success\":true,\"model_parameters\":{"
       "\"input_features_count\":1,\"interval_ms\":1}",
       -ENOTSUP, "the model has no labels"},
      {"\"success\":true", -EPROTO, "\"input_features_count\" is missing"}};
  make_script("");
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    const char *const answers[] = {cases[k].answer, NULL};
    struct program p;
    struct wr_model m = {.features = 2, .axes = 1};
    struct wr_answer a;
    bool changed;
    program_start(&p, answers);
    struct wr_inference *i = eim(30000);
    CU_ASSERT_EQUAL(wr_inference_describe(i, &m), cases[k].status);
    CU_ASSERT_STRING_EQUAL(i->error, cases[k].says);
    program_end(&p); /* they have closed it */
    CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed),
                    -ECONNREFUSED);
    wr_inference_destroy(i);
  }
}

/* A program that falls silent within an answer is ended; of the next one every
 * answer is read from its beginning. */
static void test_half_an_answer(void) {
  static const char *const half[] = {"\"success\":true," MODEL, HALF, NULL};
  static const char *const whole[] = {"\"success\":true," MODEL,
                                      "\"success\":true," SCORES, NULL};
  struct program p;
  struct wr_model m;
  struct wr_answer a;
  bool changed;
  make_script("");
  program_start(&p, half);
  struct wr_inference *i = eim(200);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed),
                  -ETIMEDOUT);
  program_end(&p);
  wr_model_free(&m);
  program_start(&p, whole);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  wr_inference_destroy(i);
  program_end(&p);
  wr_model_free(&m);
}

/* What becomes of the file while its program runs, and whether that is another
 * one: not as long as there is none, or one that is not whole yet. */
static const struct {
  int seconds, nanoseconds; /* later than it was */
  mode_t mode;
  bool renamed, longer, gone;
  bool is_another;
} fates[] = {{0, 0, 0700, false, false, false, false},
             {1, 0, 0700, false, false, false, true},
             {0, 1, 0700, false, false, false, true},
             {1, 0, 0600, false, false, false, false},
             {1, 0, 0666, false, false, false, false},
             {1, 0, 0711, false, false, false, true},
             {0, 0, 0700, true, false, false, true},
             {0, 0, 0700, false, true, false, true},
             {0, 0, 0700, false, false, true, false}};
enum { FATES = sizeof(fates) / sizeof(fates[0]) };

static void change_script(int i, const struct stat *st) {
  char other[80];
  make_script("");
  if (fates[i].longer)
    CU_ASSERT_EQUAL(truncate(script, st->st_size + 1), 0);
  if (fates[i].renamed) { /* while the old one is there: another inode */
    snprintf(other, sizeof(other), "%s.old", script);
    CU_ASSERT_EQUAL(link(script, other), 0);
    unlink(script);
    make_script("");
    unlink(other);
  }
  struct timespec times[2] = {st->st_mtim, st->st_mtim};
  times[1].tv_sec += fates[i].seconds;
  times[1].tv_nsec = (times[1].tv_nsec + fates[i].nanoseconds) % 1000000000;
  (void)utimensat(AT_FDCWD, script, times, 0);
  chmod(script, fates[i].mode);
  if (fates[i].gone)
    unlink(script);
}

static void test_replaced(void) {
  const char *answers[FATES + 2] = {"\"success\":true," MODEL};
  struct program p;
  struct wr_model m;
  struct wr_answer a;
  struct stat st;
  for (int i = 0; i < FATES; i++)
    answers[1 + i] = "\"success\":true," SCORES;
  make_script("");
  stat(script, &st);
  program_start(&p, answers);
  struct wr_inference *i = eim(30000);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  for (int k = 0; k < FATES; k++) {
    bool changed = !fates[k].is_another;
    change_script(k, &st);
    CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed), 0);
    /* once it is another inode it stays one */
    CU_ASSERT_EQUAL(changed, fates[k].is_another);
  }
  wr_inference_destroy(i);
  program_end(&p);
  wr_model_free(&m);
}

/* A request larger than what a socket takes at once goes through whole. */
static void test_large_request(void) {
  static const char *const answers[] = {
      "\"success\":true,\"model_parameters\":{\"input_features_count\":20000,"
      "\"interval_ms\":1,\"labels\":[\"a\",\"b\"]}",
      "\"success\":true," SCORES, NULL};
  struct program p;
  struct wr_model m;
  struct wr_answer a;
  bool changed;
  double *features = malloc(20000 * sizeof(*features));
  CU_ASSERT_PTR_NOT_NULL_FATAL(features);
  for (int k = 0; k < 20000; k++)
    features[k] = -1.23456789e-100;
  make_script("");
  program_start(&p, answers);
  struct wr_inference *i = eim(30000);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  polls_cut = 3;
  CU_ASSERT_EQUAL(wr_inference_classify(i, &m, features, &a, &changed), 0);
  CU_ASSERT_EQUAL(polls_cut + loud_sends, 0);
  wr_inference_destroy(i);
  program_end(&p);
  CU_ASSERT_EQUAL(p.extra, 0);
  /* {"classify":[ ... ],"id":2} with 19999 commas */
  CU_ASSERT_EQUAL(p.lengths[1], 13 + 20000 * 16 + 19999 + 10);
  wr_model_free(&m);
  free(features);
}

/* It closes its output and goes on: we do not hold the other end open. */
static void test_output_closed(void) {
  static const char *const answers[] = {"\"success\":true," MODEL,
                                        "\"success\":true," SCORES, NULL};
  struct program p;
  struct wr_model m;
  struct wr_answer a;
  bool changed;
  make_script("exec >&- 2>&-; ");
  int files = entries("/proc/self/fd");
  program_start(&p, answers);
  struct wr_inference *i = eim(30000);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed), 0);
  /* both ends of the socket, a timer, an event, the process, what it waits
   * for */
  CU_ASSERT_EQUAL(entries("/proc/self/fd"), files + 6);
  wr_inference_destroy(i);
  program_end(&p);
  CU_ASSERT_EQUAL(entries("/proc/self/fd"), files);
  wr_model_free(&m);
}

/* Without memory: a status, nothing left open, and the next start works. */
static void test_no_memory(void) {
  int files = entries("/proc/self/fd");
  make_script("");
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_eim_options o = {.path = script, .timeout_ms = 1};
    struct wr_inference *i = wr_inference_eim(&o);
    CU_ASSERT_EQUAL(i == NULL, unit_alloc_failed());
    wr_inference_destroy(i);
    CU_ASSERT_EQUAL(entries("/proc/self/fd"), files);
  }
}

/* The same of what a request takes: it is said, and the program goes. */
static void test_no_memory_for_a_request(void) {
  static const char *const answers[] = {"\"success\":true," MODEL, NULL};
  struct program p;
  struct wr_model m;
  make_script("");
  program_start(&p, answers);
  struct wr_inference *i = eim(30000);
  CU_ASSERT_TRUE(unit_alloc_arm(0));
  int status = wr_inference_describe(i, &m);
  unit_alloc_off();
  CU_ASSERT_EQUAL(status, -ENOMEM);
  CU_ASSERT_STRING_EQUAL(i->error, "no memory for the request or the reply");
  program_end(&p);
  program_start(&p, answers);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  wr_inference_destroy(i);
  program_end(&p);
  wr_model_free(&m);
}

/* To the millisecond, of the start and of each answer. */
static void test_deadlines(void) {
  static const char *const answers[] = {"\"success\":true," MODEL,
                                        "\"success\":true," SCORES,
                                        "\"success\":true," SCORES, NULL};
  static const int64_t timeouts_ms[] = {30999, 61000};
  struct wr_model m;
  struct wr_answer a;
  bool changed;
  make_script("");
  for (int k = 0; k < 2; k++) {
    struct program p;
    program_start(&p, answers);
    struct wr_inference *i = eim(timeouts_ms[k]);
    deadlines = 0;
    CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
    CU_ASSERT_EQUAL(deadlines, 1); /* from the start to the answer */
    CU_ASSERT_EQUAL(deadline.it_value.tv_sec, 30);
    CU_ASSERT_EQUAL(deadline.it_value.tv_nsec, 0);
    CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed), 0);
    CU_ASSERT_EQUAL(deadline.it_value.tv_sec, timeouts_ms[k] / 1000);
    CU_ASSERT_EQUAL(deadline.it_value.tv_nsec, timeouts_ms[k] % 1000 * 1000000);
    CU_ASSERT_EQUAL(deadline.it_interval.tv_sec, 0);
    wr_inference_destroy(i);
    program_end(&p);
    wr_model_free(&m);
  }
}

/* The longest directory that may be given. */
static void test_longest_place(void) {
  static const char *const answers[] = {"\"success\":true," MODEL, NULL};
  char longest[WR_SCRATCH_PLACE_MAX];
  struct program p;
  struct wr_model m;
  size_t len = strlen(place);
  memset(longest, 'x', sizeof(longest));
  memcpy(longest, place, len);
  longest[len] = '/';
  longest[sizeof(longest) - 1] = '\0';
  CU_ASSERT_EQUAL_FATAL(mkdir(longest, 0700), 0);
  make_script("");
  program_start(&p, answers);
  struct wr_eim_options o = {.path = script,
                             .timeout_ms = 30000,
                             .start_timeout_ms = 30000,
                             .places = {.count = 1}};
  memcpy(o.places.at[0], longest, sizeof(longest));
  struct wr_inference *i = wr_inference_eim(&o);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  CU_ASSERT_EQUAL(entries(longest), 0);
  wr_inference_destroy(i);
  program_end(&p);
  wr_model_free(&m);
  CU_ASSERT_EQUAL(rmdir(longest), 0);
}

static int inherited(void) {
  int count = 0;
  for (int fd = 3; fd < 256; fd++) {
    int flags = fcntl(fd, F_GETFD);
    count += flags >= 0 && (flags & FD_CLOEXEC) == 0;
  }
  return count;
}

/* Two descriptors, which no child of the process gets; or none at all. */
static void test_descriptors(void) {
  struct wr_eim_options o = {.path = script, .timeout_ms = 1};
  struct rlimit old, small;
  int files = entries("/proc/self/fd"), before = inherited();
  getrlimit(RLIMIT_NOFILE, &old);
  int lowest = dup(0);
  close(lowest);
  for (int more = 0; more < 3; more++) {
    small = (struct rlimit){(rlim_t)(lowest + more), old.rlim_max};
    setrlimit(RLIMIT_NOFILE, &small);
    struct wr_inference *i = wr_inference_eim(&o);
    setrlimit(RLIMIT_NOFILE, &old);
    CU_ASSERT_EQUAL(i != NULL, more == 2);
    CU_ASSERT_EQUAL(entries("/proc/self/fd"), files + (more == 2 ? 2 : 0));
    CU_ASSERT_EQUAL(inherited(), before);
    wr_inference_destroy(i);
  }
  CU_ASSERT_EQUAL(entries("/proc/self/fd"), files);
}

/* Without standard input one of them is 0, and that is given back, too. */
static void test_without_standard_input(void) {
  struct wr_eim_options o = {.path = script, .timeout_ms = 1};
  int input = fcntl(0, F_DUPFD_CLOEXEC, 10);
  close(0);
  struct wr_inference *i = wr_inference_eim(&o);
  bool was_taken = fcntl(0, F_GETFD) >= 0;
  wr_inference_destroy(i);
  bool is_closed = fcntl(0, F_GETFD) < 0;
  dup2(input, 0);
  close(input);
  CU_ASSERT_PTR_NOT_NULL(i);
  CU_ASSERT_TRUE(was_taken);
  CU_ASSERT_TRUE(is_closed);
}

UNIT_MAIN("program", UNIT(test_place), UNIT(test_answers),
          UNIT(test_no_process), UNIT(test_interrupted),
          UNIT(test_answer_interrupted), UNIT(test_what_an_answer_is),
          UNIT(test_refused_at_hello), UNIT(test_half_an_answer),
          UNIT(test_replaced), UNIT(test_large_request),
          UNIT(test_output_closed), UNIT(test_no_memory),
          UNIT(test_no_memory_for_a_request), UNIT(test_deadlines),
          UNIT(test_longest_place), UNIT(test_descriptors),
          UNIT(test_without_standard_input), UNIT(test_place_is_empty))
