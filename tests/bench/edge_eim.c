/* Windows through the `.eim`: ours beside a bare loop that writes the same JSON
 * to the same socket and reads the answer. Lines: name value unit. */
#define _GNU_SOURCE
#include "lib/infer/inference.h"
#include "lib/net/child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { WINDOWS = 20000 };

#define SAMPLES 60

static double flow[SAMPLES];

/* A steady flow as a YF-S201 counts it. */
static void make_flow(void) {
  static const double ten[] = {10.0,      10.133333, 9.866667, 10.0, 10.133333,
                               10.266667, 9.866667,  10.0,     10.0, 10.133333};
  for (int i = 0; i < SAMPLES; i++)
    flow[i] = ten[i % 10];
}

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* CPU of children that have ended. */
static double children(void) {
  struct rusage u;
  getrusage(RUSAGE_CHILDREN, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void put(const char *name, double value, const char *unit) {
  printf("%-40s %12.3f %s\n", name, value, unit);
}

static void put_spread(const char *name, double *times, size_t count) {
  char text[80];
  qsort(times, count, sizeof(*times), by_value);
  snprintf(text, sizeof(text), "%s_p50", name);
  put(text, times[count / 2] * 1e6, "us");
  snprintf(text, sizeof(text), "%s_p99", name);
  put(text, times[count * 99 / 100] * 1e6, "us");
}

static struct wr_inference *open_eim(const char *path, struct wr_model *m) {
  struct wr_inference *i =
      wr_inference_eim(&(struct wr_eim_options){.places = {1, {"/tmp"}},

                                                .path = path,
                                                .timeout_ms = 1000,
                                                .start_timeout_ms = 10000});
  if (i == NULL || wr_inference_describe(i, m) != 0) {
    fprintf(stderr, "edge_eim: %s: %s\n", path, i != NULL ? i->error : "?");
    exit(1);
  }
  return i;
}

/* One window; its time. */
static double ask(struct wr_inference *i, const struct wr_model *m) {
  struct wr_answer answer;
  bool changed;
  double begin = seconds(CLOCK_MONOTONIC);
  if (wr_inference_classify(i, m, flow, &answer, &changed) != 0) {
    fprintf(stderr, "edge_eim: %s\n", i->error);
    exit(1);
  }
  return seconds(CLOCK_MONOTONIC) - begin;
}

static double ours(const char *path) {
  static double times[WINDOWS];
  struct wr_model m;
  double child = children();
  struct wr_inference *i = open_eim(path, &m);
  double begin = seconds(CLOCK_MONOTONIC);
  double cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
  for (int n = 0; n < WINDOWS; n++)
    times[n] = ask(i, &m);
  cpu = (seconds(CLOCK_THREAD_CPUTIME_ID) - cpu) / WINDOWS * 1e6;
  put("eim_windows_per_second", WINDOWS / (seconds(CLOCK_MONOTONIC) - begin),
      "1/s");
  wr_inference_destroy(i);
  wr_model_free(&m);
  put_spread("eim_back_to_back", times, WINDOWS);
  put("eim_cpu_ours_per_window", cpu, "us");
  put("eim_cpu_model_per_window", (children() - child) / WINDOWS * 1e6, "us");
  return cpu;
}

/* At the pace of a sensor the caches are cold. */
static void paced(const char *path, int count) {
  double times[600];
  struct wr_model m;
  struct wr_inference *i = open_eim(path, &m);
  count = count > 600 ? 600 : count;
  for (int n = 0; n < count; n++) {
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    times[n] = ask(i, &m);
  }
  wr_inference_destroy(i);
  wr_model_free(&m);
  put_spread("eim_at_1_hz", times, (size_t)count);
}

static int connect_to(const char *path) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
  for (int tries = 0; tries < 3000; tries++) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
      return fd;
    close(fd);
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  }
  fprintf(stderr, "edge_eim: %s does not listen\n", path);
  exit(1);
}

/* Reads until the NUL that ends an answer. */
static void read_answer(int fd, char *buffer, size_t size) {
  size_t len = 0;
  do {
    ssize_t n = read(fd, buffer + len, size - len);
    if (n <= 0)
      exit(1);
    len += (size_t)n;
  } while (buffer[len - 1] != '\0');
}

static double bare(const char *path) {
  char dir[] = "/tmp/weir-bench-XXXXXX", address[64], text[2048], reply[65536];
  struct wr_child child;
  if (mkdtemp(dir) == NULL)
    exit(1);
  snprintf(address, sizeof(address), "%s/s", dir);
  if (wr_child_start(&child, path, address) != 0)
    exit(1);
  int fd = connect_to(address);
  unlink(address);
  rmdir(dir);
  (void)!write(fd, "{\"hello\":1,\"id\":1}\n", 19);
  read_answer(fd, reply, sizeof(reply));
  double cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
  for (int n = 0; n < WINDOWS; n++) {
    int len = snprintf(text, sizeof(text), "{\"classify\":[");
    for (int k = 0; k < SAMPLES; k++)
      len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%.17g",
                      k > 0 ? "," : "", flow[k]);
    len += snprintf(text + len, sizeof(text) - (size_t)len, "],\"id\":%d}\n",
                    n + 2);
    (void)!write(fd, text, (size_t)len);
    read_answer(fd, reply, sizeof(reply));
  }
  cpu = (seconds(CLOCK_THREAD_CPUTIME_ID) - cpu) / WINDOWS * 1e6;
  close(fd);
  wr_child_end(&child, 1000);
  put("bare_loop_cpu_per_window", cpu, "us");
  return cpu;
}

/* The same through a runner: `edge_eim URL`, used by edge_label. */
static int through_runner(const char *url) {
  static double times[WINDOWS / 10];
  struct wr_model m;
  struct wr_inference *i =
      wr_inference_http(url, &(struct wr_http_options){.user_agent = "bench",
                                                       .timeout_ms = 5000});
  if (i == NULL || wr_inference_describe(i, &m) != 0)
    return 1;
  for (int n = 0; n < 200; n++) /* node compiles what is hot */
    ask(i, &m);
  double begin = seconds(CLOCK_MONOTONIC);
  double cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
  for (int n = 0; n < WINDOWS / 10; n++)
    times[n] = ask(i, &m);
  cpu = (seconds(CLOCK_THREAD_CPUTIME_ID) - cpu) / (WINDOWS / 10) * 1e6;
  put("runner_windows_per_second",
      WINDOWS / 10 / (seconds(CLOCK_MONOTONIC) - begin), "1/s");
  put_spread("runner_back_to_back", times, WINDOWS / 10);
  put("runner_cpu_ours_per_window", cpu, "us");
  wr_inference_destroy(i);
  wr_model_free(&m);
  return 0;
}

int main(int argc, char **argv) {
  make_flow();
  wr_http_provide(&wr_http_curl);
  if (argc > 1)
    return through_runner(argv[1]);
  const char *build = getenv("WEIR_BUILD"), *pace = getenv("BENCH_SECONDS");
  char path[512];
  snprintf(path, sizeof(path), "%s/model/flow.eim",
           build != NULL ? build : "build");
  double mine = ours(path);
  put("ratio_to_bare_loop", mine / bare(path), "x");
  paced(path, pace != NULL ? atoi(pace) : 60);
  return 0;
}
