/* Programs that are none, end or fall silent. What is made of answers is in
 * test_program.c and test_ei_answer.c. */
#include "lib/infer/inference.h"

#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static const double flow[10] = {10, 10, 10, 10, 10, 10, 10, 10, 10, 10};

static struct wr_inference *eim(const char *path, int64_t start_ms) {
  struct wr_inference *i =
      wr_inference_eim(&(struct wr_eim_options){.places = {1, {"/tmp"}},

                                                .path = path,
                                                .timeout_ms = 30000,
                                                .start_timeout_ms = start_ms});
  CU_ASSERT_PTR_NOT_NULL_FATAL(i);
  return i;
}

static char script[64];

static void make_script(const char *text) {
  snprintf(script, sizeof(script), "/tmp/test-inference-XXXXXX");
  int fd = mkstemp(script);
  CU_ASSERT_FATAL(fd >= 0);
  dprintf(fd, "#!/bin/sh\n%s\n", text);
  fchmod(fd, 0700);
  close(fd);
}

static size_t open_files(void) {
  size_t count = 0;
  DIR *d = opendir("/proc/self/fd");
  while (d != NULL && readdir(d) != NULL)
    count++;
  if (d != NULL)
    closedir(d);
  return count;
}

/* A file of our own, with these rights; its path. */
static const char *make_file(const char *text, mode_t mode) {
  snprintf(script, sizeof(script), "/tmp/test-inference-XXXXXX");
  int fd = mkstemp(script);
  CU_ASSERT_FATAL(fd >= 0);
  dprintf(fd, "%s", text);
  fchmod(fd, mode);
  close(fd);
  return script;
}

static void check_refusal(const char *path, const char *says) {
  struct wr_model m;
  struct wr_inference *i = eim(path, 30000);
  for (int turn = 0; turn < 2; turn++) {
    CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ECONNREFUSED);
    if (strstr(i->error, says) == NULL)
      CU_FAIL(i->error);
  }
  wr_inference_destroy(i);
}

/* Each says what it is and what to do. */
static void test_program_that_is_none(void) {
  static const struct {
    const char *text;
    mode_t mode;
    const char *says;
  } cases[] = {
      {"#!/bin/sh\n", 0600, "started: it is not executable; chmod +x it"},
      {"#!/bin/sh\n", 0666, "started: it is not executable; chmod +x it"},
      {"text\n", 0700, "started: it is no program for this machine"},
      {"\x7f"
       "ELF",
       0700, "started: it is no program for this machine"},
      {"#!/none/such\n", 0700, "started: its loader is not here"}};
  size_t files = open_files();
  check_refusal("/none/such", "cannot be started: there is no such file");
  check_refusal("/tmp", "cannot be started: it is not a file");
  check_refusal("/bin/true", "ended before it listened");
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    check_refusal(make_file(cases[k].text, cases[k].mode), cases[k].says);
    unlink(script);
  }
  CU_ASSERT_EQUAL(open_files(), files);
  wr_inference_destroy(NULL);
}

static void test_no_place_for_the_socket(void) {
  struct wr_model m;
  struct wr_inference *i = wr_inference_eim(&(struct wr_eim_options){
      .places = {1, {"/none"}}, .path = "/bin/true", .start_timeout_ms = 1000});
  CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ECONNREFUSED);
  CU_ASSERT_STRING_EQUAL(i->error,
                         "no directory for its socket can be made (/none: No "
                         "such file or directory)");
  wr_inference_destroy(i);
}

static char logged[256];

static void log_line(void *arg, const char *line) {
  (void)arg;
  strncat(logged, line, sizeof(logged) - strlen(logged) - 2);
  strcat(logged, "|");
}

/* The last line, whole and alone, in the error; each line in the log. */
static void test_last_words(void) {
  struct wr_model m;
  make_script("echo; echo x; echo first; echo; echo no such tensor >&2;"
              "printf 'and so\tit';"
              "exit 3");
  struct wr_inference *i =
      wr_inference_eim(&(struct wr_eim_options){.path = script,
                                                .timeout_ms = 30000,
                                                .start_timeout_ms = 30000,
                                                .places = {1, {"/tmp"}},
                                                .log = log_line});
  for (int turn = 0; turn < 2; turn++) {
    logged[0] = '\0';
    CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ECONNREFUSED);
    CU_ASSERT_STRING_EQUAL(i->error, "the program ended before it listened; it "
                                     "printed last: \"and so it\"");
    CU_ASSERT_STRING_EQUAL(logged, "x|first|no such tensor|");
  }
  wr_inference_destroy(i);
  unlink(script);
}

/* A line longer than anybody reads is cut, after 159 bytes. */
static void test_long_line(void) {
  struct wr_model m;
  char want[256];
  make_script("printf '%0200d' 7; exit 3");
  snprintf(want, sizeof(want),
           "the program ended before it listened; it printed last: \"%0159d\"",
           0);
  struct wr_inference *i = eim(script, 30000);
  CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ECONNREFUSED);
  CU_ASSERT_STRING_EQUAL(i->error, want);
  wr_inference_destroy(i);
  unlink(script);
}

static void on_signal(int number) { (void)number; }

/* Signals of other plugins interrupt every wait, and change nothing. */
static void test_signals(void) {
  struct wr_model m;
  struct sigaction usual, action = {.sa_handler = on_signal};
  struct itimerval often = {{0, 2000}, {0, 2000}}, never = {0};
  sigaction(SIGALRM, &action, &usual);
  make_script("exec sleep 1000");
  struct wr_inference *i = eim(script, 100);
  setitimer(ITIMER_REAL, &often, NULL);
  int status = wr_inference_describe(i, &m);
  setitimer(ITIMER_REAL, &never, NULL);
  sigaction(SIGALRM, &usual, NULL);
  CU_ASSERT_EQUAL(status, -ETIMEDOUT);
  wr_inference_destroy(i);
  unlink(script);
}

static void test_program_that_never_listens(void) {
  struct wr_model m;
  make_script("exec sleep 1000");
  struct wr_inference *i = eim(script, 50);
  CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ETIMEDOUT);
  CU_ASSERT_STRING_EQUAL(i->error, "no answer in time");
  wr_inference_destroy(i);
  unlink(script);
}

static void test_classify_before_describe(void) {
  struct wr_model m = {.features = 10, .axes = 1};
  struct wr_answer a;
  bool changed;
  struct wr_inference *i = eim("/bin/true", 1000);
  CU_ASSERT_EQUAL(wr_inference_classify(i, &m, flow, &a, &changed),
                  -ECONNREFUSED);
  wr_inference_destroy(i);
}

static void *stop_it(void *arg) {
  wr_inference_stop(arg);
  return NULL;
}

/* Stop works before, during and after. */
static void test_stop(void) {
  struct wr_model m;
  pthread_t thread;
  make_script("exec sleep 1000");
  struct wr_inference *i = eim(script, 1000000);
  CU_ASSERT_EQUAL(pthread_create(&thread, NULL, stop_it, i), 0);
  CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ECANCELED);
  pthread_join(thread, NULL);
  CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ECANCELED);
  wr_inference_destroy(i);
  unlink(script);
}

UNIT_MAIN("inference", UNIT(test_program_that_is_none),
          UNIT(test_no_place_for_the_socket), UNIT(test_last_words),
          UNIT(test_long_line), UNIT(test_signals),
          UNIT(test_program_that_never_listens),
          UNIT(test_classify_before_describe), UNIT(test_stop))
