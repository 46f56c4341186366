/* The four paths that run for every sample, for tests/cost/check to count:
 *
 *   rpc       one call of an M4 behind m4-proxy, from the wish to the number
 *   window    one sample on its way into a window, and the window copied out
 *   classify  one window: the request, the answer, the verdict
 *   publish   one value: from the spool to the request, and its reply
 *
 * usage: paths NAME. Time is virtual; nothing is sent anywhere. Only the
 * functions path_NAME() are counted, over RUNS calls. */
#include "lib/flow/verdict.h"
#include "lib/flow/window.h"
#include "lib/infer/ei_proto.h"
#include "lib/rpc/session.h"
#include "tests/unit/cloud/fake_cloud.h"

#include <math.h>

enum { RUNS = 200, SAMPLES = 60 };

/* A steady flow as a YF-S201 counts it. */
static double sample(int i) {
  static const double pulses[] = {75, 76, 74, 75, 76, 77, 74, 75, 75, 76};
  return pulses[i % 10] / 7.5;
}

/* --- rpc --- */

static struct wr_rpc_session session;

static void open_rpc(void) {
  CU_ASSERT_EQUAL_FATAL(wr_rpc_session_open(&session, WR_RPC_PROXY, 1500, 7, 1),
                        0);
}

__attribute__((noinline)) void path_rpc(int i);
void path_rpc(int i) {
  static const struct wr_rpc_peers one = {.count = 1};
  static struct wr_rpc_call call;
  uint8_t reply[] = {0x94, 1, 0xce, 0, 0, 0, 0, 0xc0, 0xca, 0x41, 0x20, 0, 0};
  int64_t now_us = i * 1000000LL;
  double value = 0;
  call = (struct wr_rpc_call){.method = "flow_rate"};
  wr_rpc_begin(&session, WR_OP_CALL, &call, 1, now_us);
  while (session.op != WR_OP_NONE) {
    enum wr_rpc_wish wish = session.wish;
    session.wish = WR_WISH_NOTHING;
    if (wish == WR_WISH_ADDRESS)
      wr_rpc_found(&session, &one, now_us);
    else if (wish == WR_WISH_LOCK)
      wr_rpc_locked(&session, true, now_us);
    else if (wish == WR_WISH_CONNECT) {
      wr_rpc_connected(&session, 0, now_us);
      for (int b = 0; b < 4; b++)
        reply[3 + b] = (uint8_t)(call.msgid >> (24 - 8 * b));
      wr_rpc_bytes(&session, reply, sizeof(reply), now_us + 1000);
    } else
      wr_rpc_ended(&session, 0, now_us + 2000);
  }
  CU_ASSERT_EQUAL_FATAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL_FATAL(wr_rpc_number(&call.result, &value), 0);
  CU_ASSERT_EQUAL_FATAL(value, 10);
}

/* --- window --- */

static struct wr_window *window;
static double values[SAMPLES];
static int windows;

static void open_window(void) {
  window = wr_window_create(&(struct wr_window_options){.samples = SAMPLES,
                                                        .axes = 1,
                                                        .stride = 1,
                                                        .interval_us = 1000000,
                                                        .max_gap = 1,
                                                        .late_ms = 250,
                                                        .least = 10});
  CU_ASSERT_PTR_NOT_NULL_FATAL(window);
}

static void full(void *arg, const struct wr_window *w, int64_t end_us,
                 bool restarted) {
  (void)arg;
  (void)end_us;
  (void)restarted;
  wr_window_copy(w, values);
  windows++;
}

__attribute__((noinline)) void path_window(int i);
void path_window(int i) {
  int before = windows;
  wr_window_push(window, 0, i * 1000000LL, sample(i), i * 1000LL, full, NULL);
  CU_ASSERT_FATAL(i < 10 || windows == before + 1);
}

/* --- classify --- */

static const double thresholds[] = {0.6, 0.6, 0.6, 0.6};
static const bool alarming[] = {true, false, false, false};
static const bool calm[] = {false, false, false, true};
static const struct wr_range ranges[] = {
    {0, -HUGE_VAL, 4.0}, {2, 4.0, 7.5}, {3, 7.5, 12.5}, {1, 12.5, 20.0}};
static struct wr_model model;
static struct wr_verdict verdict;
static struct wr_bytes request = WR_BYTES_INIT(4096);

static void open_classify(void) {
  static const char info[] =
      "{\"modelParameters\":{\"input_features_count\":60,\"interval_ms\":1000,"
      "\"has_anomaly\":1,\"labels\":[\"Anomalous\",\"High\",\"Low\","
      "\"Normal\"]}}";
  char fault[WR_EI_TEXT];
  CU_ASSERT_EQUAL_FATAL(
      wr_ei_read_model(info, sizeof(info) - 1, -1, &model, fault), 0);
  wr_verdict_init(&verdict);
}

__attribute__((noinline)) void path_classify(int i);
void path_classify(int i) {
  static const struct wr_verdict_rules rules = {.labels = 4,
                                                .anomaly_limit = NAN,
                                                .thresholds = thresholds,
                                                .alarming = alarming,
                                                .calm = calm,
                                                .off_label = WR_UNCERTAIN,
                                                .votes = {3, 5, 5},
                                                .policy = WR_RANGES_GUARD,
                                                .ranges = ranges,
                                                .range_count = 4,
                                                .nominal = 10,
                                                .dead_band = 0.5};
  char reply[256], fault[WR_EI_TEXT];
  struct wr_answer answer;
  struct wr_decision d;
  for (int k = 0; k < SAMPLES; k++)
    values[k] = sample(i + k);
  wr_bytes_reset(&request);
  CU_ASSERT_EQUAL_FATAL(wr_ei_put_classify(&request, values, SAMPLES, i), 0);
  int len = snprintf(
      reply, sizeof(reply),
      "{\"id\":%d,\"result\":{\"anomaly\":-0.2329843,\"classification\":"
      "{\"Anomalous\":0.00390625,\"High\":0.0,\"Low\":0.0,\"Normal\":"
      "0.99609375}},\"success\":true,\"timing\":{\"anomaly\":0,"
      "\"classification\":0,\"dsp\":0,\"json\":0,\"stdin\":0}}\n",
      i);
  CU_ASSERT_EQUAL_FATAL(
      wr_ei_read_answer(reply, (size_t)len, i, &model, &answer, fault), 0);
  struct wr_verdict_input in = {.scores = answer.scores,
                                .anomaly = answer.anomaly,
                                .values = values,
                                .step = 1,
                                .count = SAMPLES,
                                .fresh = 1};
  wr_verdict_step(&verdict, &rules, &in, &d);
}

/* --- publish --- */

static void open_publish(void) {
  start();
  run(5000);
}

__attribute__((noinline)) void path_publish(int i);
void path_publish(int i) {
  int64_t before = pub.stats.published;
  flow(sample(i) + i);
  run(2000);
  CU_ASSERT_EQUAL_FATAL(pub.stats.published, before + 1);
}

static const struct {
  const char *name;
  void (*open)(void);
  void (*path)(int);
} paths[] = {{"rpc", open_rpc, path_rpc},
             {"window", open_window, path_window},
             {"classify", open_classify, path_classify},
             {"publish", open_publish, path_publish}};

static const char *name;

static void all(void) {
  for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
    if (strcmp(name, paths[p].name) != 0)
      continue;
    paths[p].open();
    for (int i = 0; i < RUNS; i++)
      paths[p].path(i);
    if (paths[p].open == open_publish)
      stop();
  }
}

int main(int argc, char **argv) {
  const struct unit_case cases[] = {UNIT(all)};
  name = argc > 1 ? argv[1] : "";
  return unit_main("cost", cases, 1);
}
