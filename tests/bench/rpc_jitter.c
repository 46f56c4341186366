/* How late the calls of m4_loop go out, against their schedule of start plus
 * whole intervals: at 20 Hz, so that a few seconds give a p99.
 *
 * BENCH_SAMPLES: how many (default 400). */
#include "tests/bench/rpc_server.h"

#include "lib/m4/loop.h"

#include <sys/eventfd.h>

#define INTERVAL_MS 50

struct sampling {
  int64_t *at_us;
  size_t count, wanted;
  int stop_fd;
};

static void on_sample(void *user, size_t which, size_t output, double value,
                      int64_t at_us) {
  struct sampling *s = user;
  (void)which, (void)output, (void)value;
  if (s->count < s->wanted)
    s->at_us[s->count++] = at_us;
  if (s->count == s->wanted)
    eventfd_write(s->stop_fd, 1);
}

static void on_latency(void *user, size_t which, int64_t took_us,
                       int64_t at_us) {
  (void)user, (void)which, (void)took_us, (void)at_us;
}

static void on_health(void *user) { (void)user; }

static void on_event(void *user, enum wr_m4_event event, size_t which,
                     const char *why) {
  (void)user, (void)which;
  if (event == WR_M4_DOWN) {
    fprintf(stderr, "rpc_jitter: %s\n", why);
    exit(1);
  }
}

static uint32_t fixed(void) { return 1; }

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* instant_us is one of the schedule, whichever. */
static void print(int64_t *at_us, size_t count, int64_t instant_us,
                  uint64_t skipped) {
  int64_t interval_us = INTERVAL_MS * 1000;
  for (size_t i = 0; i < count; i++)
    at_us[i] = interval_us - 1 - (instant_us - at_us[i] - 1) % interval_us;
  qsort(at_us, count, sizeof(*at_us), by_size);
  printf("m4_jitter_p50 %lld us\nm4_jitter_p99 %lld us\nm4_jitter_max %lld us\n"
         "m4_instants_skipped %llu of %zu\n",
         (long long)at_us[count / 2], (long long)at_us[count * 99 / 100],
         (long long)at_us[count - 1], (unsigned long long)skipped, count);
}

int main(void) {
  const char *given = getenv("BENCH_SAMPLES");
  struct sampling s = {.wanted = given != NULL ? (size_t)atol(given) : 400,
                       .stop_fd = eventfd(0, EFD_CLOEXEC)};
  struct server server = server_start(false);
  static const int64_t whole[] = {WR_M4_WHOLE};
  struct wr_m4_method m = {.name = "flow_rate",
                           .interval_ms = INTERVAL_MS,
                           .seq_index = -1,
                           .indices = whole,
                           .indices_count = 1,
                           .scale = 1};
  struct wr_rpc_guard guard = WR_RPC_GUARD_INIT;
  struct wr_m4_loop l = {
      .guard = &guard,
      .rpc = {.mode = WR_RPC_PROXY,
              .address = server.address,
              .timeout_ms = 1500,
              .env = {bench_clock, s.stop_fd}},
      .interval_ms = 60000,
      .random = fixed,
      .sink = {&s, on_sample, on_latency, on_health, on_event},
      .methods = {&m},
      .methods_count = 1};
  s.at_us = calloc(s.wanted + 1, sizeof(*s.at_us));
  if (s.at_us == NULL || s.wanted == 0 || wr_m4_open(&l) != 0)
    return 1;
  wr_m4_run(&l);
  wr_m4_close(&l);
  server_stop(&server);
  print(s.at_us, s.count, m.clock.next_us, m.clock.skipped);
  free(s.at_us);
  return 0;
}
