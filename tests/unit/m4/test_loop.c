#include "tests/unit/unit.h"

#include "lib/m4/loop.h"
#include "tests/unit/rpc/rpc_peer.h"

#include <stdio.h>

#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))
#define STAT(seq) .body = "\xc0\x93" seq "\xca\x41\x48\x00\x00\x0a", .len = 9

/* What the loop told; it ends when `until` of a kind were told. */
struct told {
  struct wr_m4_loop loop;
  struct wr_rpc_guard guard;
  struct peer *peer;
  double values[64];
  size_t outputs[64];
  int samples, latencies, healths, events[WR_M4_REPORT_WORKS + 1];
  int until_samples, until_healths, until_event, until_events;
  char why[256]; /* of the last event that was none of success */
  char rests[256];
};

static void check_end(struct told *t) {
  bool end =
      (t->until_samples > 0 && t->samples >= t->until_samples) ||
      (t->until_healths > 0 && t->healths >= t->until_healths) ||
      (t->until_events > 0 && t->events[t->until_event] >= t->until_events);
  if (end)
    eventfd_write(t->peer->stop_fd, 1);
}

static void on_sample(void *user, size_t which, size_t output, double value,
                      int64_t at_us) {
  struct told *t = user;
  (void)which;
  CU_ASSERT(at_us > 0);
  t->outputs[t->samples % 64] = output;
  t->values[t->samples++ % 64] = value;
  check_end(t);
}

static void on_latency(void *user, size_t which, int64_t took_us,
                       int64_t at_us) {
  (void)which;
  CU_ASSERT(took_us >= 0 && at_us > 0);
  ((struct told *)user)->latencies++;
}

static void on_health(void *user) {
  ((struct told *)user)->healths++;
  check_end(user);
}

static void on_event(void *user, enum wr_m4_event event, size_t which,
                     const char *why) {
  struct told *t = user;
  (void)which;
  t->events[event]++;
  if (event == WR_M4_METHOD_RESTS)
    snprintf(t->rests, sizeof(t->rests), "%s", why);
  if (event != WR_M4_UP && event != WR_M4_METHOD_WORKS &&
      event != WR_M4_REPORT_WORKS)
    snprintf(t->why, sizeof(t->why), "%s", why);
  check_end(t);
}

static uint32_t half(void) { return UINT32_MAX / 2; }

static const int64_t whole[] = {WR_M4_WHOLE};
static const int64_t flow_and_uptime[] = {1, 2};

static struct wr_m4_method method(const char *name) {
  return (struct wr_m4_method){.name = name,
                               .interval_ms = 5,
                               .seq_index = -1,
                               .indices = whole,
                               .indices_count = 1,
                               .scale = 1};
}

static void open_loop(struct told *t, enum wr_rpc_mode mode,
                      const struct peer_step *steps, size_t count) {
  t->peer = peer_start(steps, count);
  t->loop.rpc = peer_options(t->peer, mode);
  t->loop.guard = &t->guard;
  pthread_mutex_init(&t->guard.lock, NULL);
  t->loop.interval_ms = 5;
  t->loop.random = half;
  t->loop.sink =
      (struct wr_m4_sink){t, on_sample, on_latency, on_health, on_event};
  CU_ASSERT_EQUAL_FATAL(wr_m4_open(&t->loop), 0);
}

static void close_loop(struct told *t) {
  wr_m4_close(&t->loop);
  wr_m4_close(&t->loop); /* harmless */
  peer_stop(t->peer);
}

static void run(struct told *t, struct wr_m4_method *m, enum wr_rpc_mode mode,
                const struct peer_step *steps, size_t count) {
  t->loop.methods[0] = m;
  t->loop.methods_count = m != NULL ? 1 : 0;
  open_loop(t, mode, steps, count);
  wr_m4_run(&t->loop);
  close_loop(t);
}

static void test_samples(void) {
  const struct peer_step steps[] = {{.what = PEER_REPLY, .close = true},
                                    {.what = PEER_REPLY, .close = true}};
  struct wr_m4_method m = method("flow_rate");
  m.scale = 2;
  struct told t = {.until_samples = 2};
  run(&t, &m, WR_RPC_PROXY, steps, COUNT(steps));
  CU_ASSERT_EQUAL(t.samples, 2);
  CU_ASSERT_EQUAL(t.latencies, 2);
  CU_ASSERT_EQUAL(t.values[0], 25);
  CU_ASSERT(t.loop.up);
  CU_ASSERT_EQUAL(t.events[WR_M4_DOWN], 0);
}

/* seq 1, 1, 4: two samples of two numbers each, two measurements skipped. */
static void test_seq(void) {
  const struct peer_step steps[] = {{.what = PEER_REPLY, STAT("\x01")},
                                    {.what = PEER_REPLY, STAT("\x01")},
                                    {.what = PEER_REPLY, STAT("\x04")}};
  struct wr_m4_method m = method("flow_stat");
  m.seq_index = 0;
  m.indices = flow_and_uptime;
  m.indices_count = 2;
  struct told t = {.until_samples = 4};
  run(&t, &m, WR_RPC_PERSISTENT, steps, COUNT(steps));
  CU_ASSERT_EQUAL(t.latencies, 3);
  CU_ASSERT_EQUAL(t.values[2], 12.5);
  CU_ASSERT_EQUAL(t.values[3], 10);
  CU_ASSERT_EQUAL(t.outputs[3], 1);
  CU_ASSERT_EQUAL(m.seq.skipped, 2);
}

static void test_misfits(void) {
  static const struct {
    const char *body;
    size_t len;
    const char *words;
  } cases[] = {{"\xc0\xa2hi", 4, "\"hi\""},
               {"\xc0\xca\x7f\xc0\x00\x00", 6, "nan"},
               {"\xc0\x91\x01", 3, "[1]"}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    const struct peer_step s = {
        .what = PEER_REPLY, .body = cases[i].body, .len = cases[i].len};
    struct wr_m4_method m = method("flow_rate");
    struct told t = {.until_event = WR_M4_METHOD_FAILS, .until_events = 1};
    run(&t, &m, WR_RPC_PERSISTENT, &s, 1);
    CU_ASSERT_EQUAL(t.samples, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.why, cases[i].words));
    CU_ASSERT_EQUAL(t.loop.faults[WR_FAULT_PROTOCOL], 1);
    CU_ASSERT(t.loop.up);
  }
}

/* nil: the M4 has no reading yet; no sample, no fault. */
static void test_nil(void) {
  const struct peer_step steps[] = {
      {.what = PEER_REPLY, .body = "\xc0\xc0", .len = 2}, {.what = PEER_REPLY}};
  struct wr_m4_method m = method("flow_rate");
  struct told t = {.until_samples = 1};
  run(&t, &m, WR_RPC_PERSISTENT, steps, COUNT(steps));
  CU_ASSERT_EQUAL(t.samples, 1);
  CU_ASSERT_EQUAL(t.latencies, 2);
  CU_ASSERT_EQUAL(t.loop.faults[WR_FAULT_PROTOCOL], 0);
}

static void test_remote_error(void) {
  const struct peer_step s = {.what = PEER_REPLY,
                              .body = "\xa3"
                                      "bad\xc0",
                              .len = 5};
  struct wr_m4_method m = method("flow_rate");
  struct told t = {.until_event = WR_M4_METHOD_FAILS, .until_events = 1};
  run(&t, &m, WR_RPC_PERSISTENT, &s, 1);
  CU_ASSERT_EQUAL(t.loop.faults[WR_FAULT_REMOTE], 1);
  CU_ASSERT(t.loop.up);
  CU_ASSERT_PTR_NOT_NULL(strstr(t.why, "bad"));
}

static void test_down(void) {
  struct wr_m4_method m = method("flow_rate");
  struct told t = {.until_event = WR_M4_DOWN, .until_events = 3};
  t.loop.methods[0] = &m;
  t.loop.methods_count = 1;
  open_loop(&t, WR_RPC_PROXY, NULL, 0);
  close(t.peer->listen_fd);
  t.peer->listen_fd = -1;
  wr_m4_run(&t.loop);
  CU_ASSERT_FALSE(t.loop.up);
  CU_ASSERT_EQUAL(t.loop.faults[WR_FAULT_REFUSED], 4);
  CU_ASSERT(t.healths >= 2);
  close_loop(&t);
}

/* It crashes the proxy once, and is asked no more; each instant at which it
 * would have been counts. */
static void test_crash(void) {
  const struct peer_step steps[] = {
      {.what = PEER_KEEP, .close = true, .later_us = -200000},
      {.what = PEER_REPLY, .close = true}};
  struct wr_m4_method m = method("flow_stat");
  struct told t = {.until_healths = 10};
  run(&t, &m, WR_RPC_PROXY, steps, COUNT(steps));
  CU_ASSERT_EQUAL(t.events[WR_M4_METHOD_RESTS], 1);
  CU_ASSERT_EQUAL(t.samples, 0);
  CU_ASSERT(t.loop.faults[WR_FAULT_PROTOCOL] >= 5);
  CU_ASSERT_PTR_NOT_NULL(strstr(t.rests, "not called again for 10 min"));
  CU_ASSERT_PTR_NOT_NULL(strstr(t.why, "not called, because"));
}

/* A label goes out at once, although no method is due for an hour. */
static void test_report(void) {
  const struct peer_step steps[] = {{.what = PEER_KEEP, .close = true}};
  struct wr_m4_report r = {
      .method = "classification",
      .state = {.on_change = true,
                .heartbeat_ms = 60000,
                .backoff = WR_BACKOFF_INIT(2000, 2000, 30000)}};
  struct told t = {.until_event = WR_M4_REPORT_WORKS, .until_events = 1};
  t.loop.reports[0] = &r;
  t.loop.reports_count = 1;
  open_loop(&t, WR_RPC_PROXY, steps, COUNT(steps));
  t.loop.interval_ms = 3600000;
  wr_m4_offer(&t.loop, "Low", 0.875, 1000);
  wr_m4_run(&t.loop);
  static const char want[] = "\x93\x02\xae"
                             "classification\x91\xbd"
                             "{\"label\":\"Low\",\"value\":0.875}";
  CU_ASSERT_EQUAL(t.peer->requests[0].len, sizeof(want) - 1);
  CU_ASSERT_EQUAL(memcmp(t.peer->requests[0].bytes, want, sizeof(want) - 1), 0);
  CU_ASSERT(t.loop.up);
  close_loop(&t);
}

/* A label from another thread wakes the loop. */
static void *offer_later(void *arg) {
  struct told *t = arg;
  wr_m4_offer(&t->loop, "High", 1, 1000);
  return NULL;
}

static void test_report_as_call(void) {
  const struct peer_step steps[] = {
      {.what = PEER_REPLY, .body = "\xc0\x01", .len = 2, .close = true}};
  struct wr_m4_report r = {
      .method = "classification",
      .call = true,
      .state = {.backoff = WR_BACKOFF_INIT(2000, 2000, 30000)}};
  struct told t = {.until_event = WR_M4_REPORT_WORKS, .until_events = 1};
  t.loop.reports[0] = &r;
  t.loop.reports_count = 1;
  open_loop(&t, WR_RPC_PROXY, steps, COUNT(steps));
  t.loop.interval_ms = 3600000;
  pthread_t thread;
  CU_ASSERT_EQUAL(pthread_create(&thread, NULL, offer_later, &t), 0);
  wr_m4_run(&t.loop);
  pthread_join(thread, NULL);
  CU_ASSERT_EQUAL(t.peer->requests[0].bytes[0], 0x94);
  close_loop(&t);
}

/* Every 20 ms: the library has lost its pulses each time. */
static void test_repair(void) {
  struct peer_step steps[500];
  for (size_t i = 0; i < COUNT(steps); i++)
    steps[i] = (struct peer_step){.what = PEER_REPLY, .close = true};
  struct wr_m4_method m = method("flow_rate");
  m.repair = true;
  m.interval_ms = 20;
  struct told t = {.until_healths = 30};
  run(&t, &m, WR_RPC_PROXY, steps, COUNT(steps));
  CU_ASSERT_EQUAL(t.samples, 0);
  CU_ASSERT(t.latencies >= 2);
}

UNIT_MAIN("m4_loop", UNIT(test_samples), UNIT(test_seq), UNIT(test_misfits),
          UNIT(test_nil), UNIT(test_remote_error), UNIT(test_down),
          UNIT(test_crash), UNIT(test_report), UNIT(test_report_as_call),
          UNIT(test_repair))
