/* model_window: what one window costs.
 *
 *   build/bench/model_window [FLOW.EIM]
 *
 * Prints `name value unit` lines: microseconds in each stage of the model for
 * windows that differ, then the round trip through the socket of flow.eim
 * (default: the one of the same build) and the memory of the child. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/flow/hint.h"
#include "model/anomaly.h"
#include "model/classifier.h"

#define WINDOWS 4096
#define ROUNDS 50
#define REQUESTS 20000

static float windows[WINDOWS][FLOW_SAMPLES];
static float inputs[WINDOWS][WR_LOOK_COUNT];
static volatile float sink; /* keeps the work from being optimised away */

static double read_us(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void make_windows(void) {
  srand(1);
  for (int w = 0; w < WINDOWS; w++) {
    float level = (float)(rand() % 200) / 10;
    for (int i = 0; i < FLOW_SAMPLES; i++)
      windows[w][i] = level * (0.9f + 0.2f * (float)rand() / (float)RAND_MAX);
  }
}

static void features(int w) {
  float look[WR_LOOK_COUNT];
  wr_look(windows[w], FLOW_SAMPLES, 0, look);
  wr_nature_inputs(look, inputs[w]);
  sink = inputs[w][0];
}

static void int8(int w) {
  float scores[WR_NATURE_COUNT];
  wr_nature(inputs[w], scores);
  sink = scores[0];
}

/* What the plugin does for itself, at each window and during an alarm. */
static struct wr_context context;

static void look_back(int w) {
  double newest = windows[w][0];
  wr_context_add(&context, &newest, 1, 1, 1);
  sink = wr_context_excuses(&context);
}

static void hint(int w) {
  struct wr_hint out;
  double newest = windows[w][0];
  wr_context_add(&context, &newest, 1, 1, 1);
  wr_hint(&context, 0, false, &out);
  sink = out.text[0];
}

static void anomaly(int w) { sink = anomaly_score(inputs[w]); }

static void whole(int w) {
  struct classifier_result result;
  classifier_run(windows[w], NULL, &result);
  sink = result.anomaly;
}

/* In CPU time, so that other programs do not count. */
static void measure(const char *name, void (*stage)(int)) {
  double start_us = read_us(CLOCK_PROCESS_CPUTIME_ID);
  for (int n = 0; n < ROUNDS * WINDOWS; n++)
    stage(n % WINDOWS);
  double took_us = read_us(CLOCK_PROCESS_CPUTIME_ID) - start_us;
  printf("%s %.3f us\n", name, took_us / (ROUNDS * WINDOWS));
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* One request, one reply: both end in a byte that nothing else contains. */
static int round_trip(int fd, const char *request) {
  char reply[4096];
  size_t length = strlen(request);
  if (write(fd, request, length) != (ssize_t)length)
    return -1;
  for (;;) {
    ssize_t got = read(fd, reply, sizeof(reply));
    if (got <= 0)
      return -1;
    if (reply[got - 1] == '\0')
      return 0;
  }
}

static int connect_to(const struct sockaddr_un *address) {
  for (int tries = 0; tries < 3000; tries++) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
      return fd;
    close(fd);
    usleep(1000); /* the child is still starting */
  }
  return -1;
}

static void print_memory(pid_t child) {
  char path[64], line[128];
  snprintf(path, sizeof(path), "/proc/%d/status", (int)child);
  FILE *status = fopen(path, "r");
  while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
    long kib;
    if (sscanf(line, "VmRSS: %ld", &kib) == 1)
      printf("eim_rss %ld kB\n", kib);
    if (sscanf(line, "RssAnon: %ld", &kib) == 1)
      printf("eim_rss_anon %ld kB\n", kib);
  }
  if (status != NULL)
    fclose(status);
}

static int talk(int fd, pid_t child) {
  static double took_us[REQUESTS];
  char request[16 * FLOW_SAMPLES];
  if (round_trip(fd, "{\"hello\":1,\"id\":1}") != 0)
    return -1;
  for (int n = 0; n < REQUESTS; n++) {
    const float *w = windows[n % WINDOWS];
    int length = snprintf(request, sizeof(request), "{\"classify\":[");
    for (int i = 0; i < FLOW_SAMPLES; i++)
      length += snprintf(request + length, sizeof(request) - (size_t)length,
                         "%s%.3f", i > 0 ? "," : "", (double)w[i]);
    snprintf(request + length, sizeof(request) - (size_t)length,
             "],\"id\":%d}\n", n);
    double start_us = read_us(CLOCK_MONOTONIC);
    if (round_trip(fd, request) != 0)
      return -1;
    took_us[n] = read_us(CLOCK_MONOTONIC) - start_us;
  }
  qsort(took_us, REQUESTS, sizeof(*took_us), compare);
  printf("eim_request_p50 %.2f us\n", took_us[REQUESTS / 2]);
  printf("eim_request_p99 %.2f us\n", took_us[REQUESTS * 99 / 100]);
  print_memory(child);
  return 0;
}

static int serve(char *program) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char folder[] = "/tmp/model_window.XXXXXX";
  if (mkdtemp(folder) == NULL)
    return -1;
  snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    if (freopen("/dev/null", "w", stdout) != NULL)
      execl(program, program, address.sun_path, (char *)NULL);
    fprintf(stderr, "model_window: %s: %s\n", program, strerror(errno));
    _exit(127);
  }
  int fd = connect_to(&address);
  int status = fd < 0 ? -1 : talk(fd, child);
  close(fd);
  if (status != 0)
    kill(child, SIGTERM);
  waitpid(child, NULL, 0);
  unlink(address.sun_path);
  rmdir(folder);
  return status;
}

int main(int argc, char **argv) {
  char program[512];
  const char *slash = strrchr(argv[0], '/');
  snprintf(program, sizeof(program), "%.*s../model/flow.eim",
           slash == NULL ? 0 : (int)(slash - argv[0] + 1), argv[0]);
  make_windows();
  measure("model_features", features);
  measure("model_int8", int8);
  measure("model_anomaly", anomaly);
  measure("model_window", whole);
  measure("plugin_look_back", look_back);
  measure("plugin_hint", hint);
  if (serve(argc > 1 ? argv[1] : program) != 0) {
    fprintf(stderr, "model_window: flow.eim does not answer\n");
    return 1;
  }
  return 0;
}
