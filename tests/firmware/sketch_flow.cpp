/* weir-flow.ino on stubs: set up, turned, called, left alone. */
#include "tests/firmware/expect.h"

#include "firmware/weir-flow/weir-flow.ino"

#include <string.h>

static stub::board &board = stub::the();
static const int PC_7_AS_BYTE = 0x27;

/* So many seconds of loop() with the wheel turning at so many L/min. */
static void turn(double seconds, double lpm) {
  uint64_t end_us = board.now_us + (uint64_t)(seconds * 1e6);
  uint64_t next_us = board.now_us;
  while (board.now_us < end_us) {
    uint64_t now_us = board.now_us;
    for (; lpm > 0 && next_us <= now_us;
         next_us += (uint64_t)(1e6 / (lpm * 7.5))) {
      board.now_us = next_us;
      stub::edge(SENSOR_PIN);
    }
    board.now_us = now_us;
    loop();
  }
}

static RPCLIB_MSGPACK::object text_object(const char *text) {
  RPCLIB_MSGPACK::object o = {};
  o.type = RPCLIB_MSGPACK::type::STR;
  o.via.str.ptr = text;
  o.via.str.size = (uint32_t)strlen(text);
  return o;
}

static int report(const char *text) {
  return RPC.classification(text_object(text));
}

static bool healthy() { return board.level[ALARM_PIN] == HIGH; }

static void test_set_up() {
  setup();
  EXPECT(RPC.begun && !RPC.bound_late && RPC.bound == 6);
  EXPECT(board.isr != nullptr && board.isr_pin == 23);
  EXPECT(board.isr_pin != PC_7_AS_BYTE && board.isr_mode == RISING);
  EXPECT(board.mode[SENSOR_PIN] == INPUT_PULLUP);
  EXPECT(board.pulled_up[SENSOR_PIN]); /* attachInterrupt() takes it away */
  EXPECT(!board.driven_before_output);
  EXPECT(!healthy());
  EXPECT(RPC.version().size() <= 31);
}

static void test_first_reading_is_not_invented() {
  EXPECT(RPC.flow_rate() != RPC.flow_rate()); /* NaN */
  EXPECT(std::get<0>(RPC.flow_stat()) == 0);
}

static void test_reads_right_at_any_rate_of_calls() {
  turn(3.5, 10);
  float first = RPC.flow_rate();
  EXPECT(first > 9.85f && first < 10.15f);
  for (int i = 0; i < 1000; i++)
    EXPECT(RPC.flow_rate() == first);
  auto stat = RPC.flow_stat();
  EXPECT(std::get<0>(stat) == 3 && std::get<1>(stat) == first &&
         std::get<2>(stat) == 3);
  EXPECT(RPC.flow_pulses() >= 262 && RPC.flow_pulses() <= 264);
}

static void test_gates_go_on_across_the_wrap_of_micros() {
  board.now_us += 0xffffffffull - (uint32_t)board.now_us - 500000;
  turn(1.1, 10); /* the long gate before the jump ends here */
  turn(1.1, 10);
  float flow = RPC.flow_rate();
  EXPECT(flow > 9.85f && flow < 10.15f);
}

static void test_output_follows_reports() {
  EXPECT(report("{\"label\":\"Normal\",\"value\":10.0}") == 0);
  turn(0.01, 0);
  EXPECT(healthy());
  EXPECT(report("{\"label\":\"Anomalous\",\"value\":0.1}") == 0);
  turn(0.01, 0);
  EXPECT(!healthy());
  EXPECT(report("{\"label\":\"Low\"}") == 0);
  turn(0.01, 0);
  EXPECT(healthy());
}

/* Whatever is not known to be well is not well. */
static void test_output_falls_on_what_nobody_knows() {
  static const char *const labels[] = {
      "unknown", "Leak",  "normal",
      "Normal ", "drift", "a label of more than thirty-one bytes"};
  for (const char *label : labels) {
    EXPECT(report("{\"label\":\"Normal\"}") == 0);
    turn(0.01, 0);
    EXPECT(healthy());
    EXPECT(report(("{\"label\":\"" + std::string(label) + "\"}").c_str()) == 0);
    turn(0.01, 0);
    EXPECT(!healthy());
    EXPECT(output.level == WEIR_UNKNOWN);
  }
}

static void test_bad_reports_change_nothing() {
  EXPECT(report("{\"label\":\"Normal\"}") == 0);
  turn(0.01, 0);
  EXPECT(report("{\"label\":") == -1);
  EXPECT(report("") == -1);
  RPCLIB_MSGPACK::object map = {};
  map.type = RPCLIB_MSGPACK::type::MAP;
  EXPECT(RPC.classification(map) == -1);
  turn(0.01, 0);
  EXPECT(healthy());
}

static void test_output_falls_when_reports_stop() {
  EXPECT(report("{\"label\":\"Normal\"}") == 0);
  turn(149, 0);
  EXPECT(healthy());
  turn(2, 0);
  EXPECT(!healthy());
  EXPECT(board.level[LED_BUILTIN] == LIGHT_ON); /* steady */
}

/* Flashes of the light in four of its rounds; the output is high throughout. */
static int flashes() {
  int count = 0;
  bool before = board.level[LED_BUILTIN] == LIGHT_ON;
  for (uint64_t end_us = board.now_us + 4 * 2048000; board.now_us < end_us;) {
    loop();
    bool on = board.level[LED_BUILTIN] == LIGHT_ON;
    count += on && !before;
    before = on;
    EXPECT(healthy());
  }
  return count;
}

static int baseline_state(const char *state) {
  return RPC.baseline(
      text_object(("{\"label\":\"" + std::string(state) + "\"}").c_str()));
}

/* Drift has a light of its own, and moves no output. */
static void test_light_of_the_baseline() {
  EXPECT(report("{\"label\":\"Normal\"}") == 0);
  turn(0.01, 0);
  EXPECT(flashes() == 4); /* nobody spoke of a baseline */
  for (const char *state : {"low", "high", "spread", "night_flow", "unknown"}) {
    EXPECT(report("{\"label\":\"Normal\"}") == 0);
    EXPECT(baseline_state(state) == 0);
    turn(0.01, 0);
    EXPECT(flashes() == 12);
    EXPECT(baseline_state("normal") == 0);
    turn(0.01, 0);
    EXPECT(flashes() == 4);
  }
  EXPECT(RPC.baseline(text_object("{\"label\":")) == -1);
  RPCLIB_MSGPACK::object map = {};
  map.type = RPCLIB_MSGPACK::type::MAP;
  EXPECT(RPC.baseline(map) == -1);
  EXPECT(flashes() == 4);
}

/* Nor does a baseline that is well keep the output high. */
static void test_baseline_is_no_report() {
  EXPECT(report("{\"label\":\"Normal\"}") == 0);
  turn(149, 0);
  EXPECT(baseline_state("normal") == 0);
  turn(2, 0);
  EXPECT(!healthy());
}

int main() {
  RUN(test_set_up);
  RUN(test_first_reading_is_not_invented);
  RUN(test_reads_right_at_any_rate_of_calls);
  RUN(test_gates_go_on_across_the_wrap_of_micros);
  RUN(test_output_follows_reports);
  RUN(test_output_falls_on_what_nobody_knows);
  RUN(test_bad_reports_change_nothing);
  RUN(test_output_falls_when_reports_stop);
  RUN(test_light_of_the_baseline);
  RUN(test_baseline_is_no_report);
  EXPECT(!lock.wrong && lock.depth == 0);
  printf("%d checks, %d bad\n", expect_count, expect_bad);
  return expect_bad > 0 || expect_count == 0;
}
