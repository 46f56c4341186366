/* The vectors of the firmware's arithmetic, run twice: by CUnit on the host
 * (tests/unit/test_flow_meter.c) and on an emulated Cortex-M4
 * (tests/firmware/qemu/main.c). The includer defines EXPECT(condition). */
#ifndef WEIR_TESTS_FIRMWARE_VECTORS_H
#define WEIR_TESTS_FIRMWARE_VECTORS_H

#include "firmware/libraries/WeirFlow/src/flow_meter.h"
#include "firmware/libraries/WeirFlow/src/weir_alarm.h"
#include "firmware/libraries/WeirFlow/src/weir_report.h"

#include <stdio.h>
#include <string.h>

static bool near(double got, double want, double tolerance) {
  return got >= want - tolerance && got <= want + tolerance;
}

/* -- the interrupt ------------------------------------------------------ */

static struct flow_edge edge_of(const uint32_t *at_us, size_t count) {
  struct flow_edge edge;
  flow_edge_init(&edge, FLOW_DEBOUNCE_US);
  for (size_t i = 0; i < count; i++)
    flow_edge_isr(&edge, at_us[i]);
  return edge;
}

#define EDGES(...)                                                             \
  edge_of((const uint32_t[]){__VA_ARGS__},                                     \
          sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))          \
      .pulses

static void vec_every_clean_edge_counts(void) {
  EXPECT(EDGES(0) == 1);
  EXPECT(EDGES(0, 4400, 8800, 13200) == 4);
  EXPECT(EDGES(100, 600) == 2); /* exactly the dead time apart */
}

static void vec_bounce_does_not_count(void) {
  EXPECT(EDGES(1000, 1010, 1100, 1499) == 1);
  EXPECT(EDGES(1000, 1010, 1499, 5400, 5401) == 2);
}

static void vec_noise_cannot_silence_the_meter(void) {
  struct flow_edge edge;
  flow_edge_init(&edge, FLOW_DEBOUNCE_US);
  for (uint32_t us = 0; us < 1000000; us += 100)
    flow_edge_isr(&edge, us);
  EXPECT(edge.pulses == 2000); /* one per 500 us, no more and no less */
}

static void vec_debounce_across_the_wrap_of_micros(void) {
  EXPECT(EDGES(0xffffff00u, 0xffffffffu, 0xf3u) == 1); /* 499 us later */
  EXPECT(EDGES(0xffffff00u, 0xf4u) == 2);              /* 500 us later */
  EXPECT(EDGES(0xffffffffu, 0u) == 1);
}

static void vec_pulse_counter_wraps(void) {
  struct flow_edge edge;
  flow_edge_init(&edge, FLOW_DEBOUNCE_US);
  edge.pulses = 0xffffffffu;
  flow_edge_isr(&edge, 10000);
  EXPECT(edge.pulses == 0);
}

/* -- the meter ---------------------------------------------------------- */

static struct flow_meter meter_at(uint32_t pulses, uint32_t now_us) {
  struct flow_meter m;
  EXPECT(flow_meter_init(&m, 450, 1, FLOW_GATE_US, pulses, now_us) == 0);
  return m;
}

static void vec_no_reading_before_the_first_gate(void) {
  struct flow_meter m = meter_at(0, 0);
  EXPECT(m.reading.flow_lpm != m.reading.flow_lpm); /* NaN */
  EXPECT(m.reading.seq == 0);
  EXPECT(!flow_meter_tick(&m, 75, 999999));
  EXPECT(m.reading.flow_lpm != m.reading.flow_lpm);
  EXPECT(flow_meter_tick(&m, 75, 1000000));
  EXPECT(near(m.reading.flow_lpm, 10, 1e-5));
  EXPECT(m.reading.seq == 1 && m.reading.uptime_s == 1);
}

static void vec_rates(void) {
  static const struct {
    uint32_t pulses, elapsed_us;
    double lpm;
  } v[] = {{0, 1000000, 0},          {1, 1000000, 0.133333},
           {75, 1000000, 10},        {225, 1000000, 30},
           {75, 1000999, 9.990020},  {79, 1050000, 10.031746},
           {94, 1250000, 10.026667}, {142, 1900000, 9.964912},
           {150, 2000000, 10},       {787, 10500000, 9.993651}};
  for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
    struct flow_meter m = meter_at(7, 12345);
    EXPECT(flow_meter_tick(&m, 7 + v[i].pulses, 12345 + v[i].elapsed_us));
    EXPECT(near(m.reading.flow_lpm, v[i].lpm, 1e-5));
  }
}

static void vec_late_loop_does_not_bend_the_rate(void) {
  static const uint32_t pause_us[] = {1, 500, 999, 30000, 900000, 5000000};
  struct flow_meter m = meter_at(0, 0);
  uint64_t us = 0;
  for (size_t i = 0; i < sizeof(pause_us) / sizeof(pause_us[0]); i++) {
    us += 1000000 + pause_us[i];
    EXPECT(flow_meter_tick(&m, (uint32_t)(us * 75 / 1000000), (uint32_t)us));
    EXPECT(near(m.reading.flow_lpm, 10, 0.134)); /* one pulse */
  }
}

static void vec_gate_across_the_wrap_of_micros(void) {
  struct flow_meter m = meter_at(0, 0xffffffffu - 499999u);
  EXPECT(!flow_meter_tick(&m, 37, 0));
  EXPECT(!flow_meter_tick(&m, 74, 499999));
  EXPECT(flow_meter_tick(&m, 75, 500000));
  EXPECT(near(m.reading.flow_lpm, 10, 1e-5));
}

static void vec_gate_across_the_wrap_of_the_pulses(void) {
  struct flow_meter m = meter_at(0xffffffe0u, 0);
  EXPECT(flow_meter_tick(&m, 0xffffffe0u + 75u, 1000000));
  EXPECT(near(m.reading.flow_lpm, 10, 1e-5));
  EXPECT(near(flow_meter_litres(&m), 75 / 450.0, 1e-9));
}

static void vec_two_hours(void) { /* micros() wraps twice on the way */
  struct flow_meter m = meter_at(0, 0);
  uint32_t us = 0, pulses = 0;
  bool right = true;
  for (int i = 0; i < 7200; i++) {
    us += 1000000;
    pulses += 75;
    right = right && flow_meter_tick(&m, pulses, us) &&
            near(m.reading.flow_lpm, 10, 1e-5);
  }
  EXPECT(right);
  EXPECT(m.reading.uptime_s == 7200 && m.reading.seq == 7200);
  EXPECT(near(flow_meter_litres(&m), 1200, 1e-6));
}

static void vec_litres_stay_exact(void) {
  struct flow_meter m = meter_at(0, 0);
  m.total_pulses = 450000000000ull; /* 1e9 litres: a float would stand still */
  double before = flow_meter_litres(&m);
  EXPECT(flow_meter_tick(&m, 1, 1000000));
  EXPECT(near((flow_meter_litres(&m) - before) * 450, 1, 1e-3));
}

static void vec_calibration(void) {
  struct flow_meter m;
  EXPECT(flow_meter_init(&m, 450, 0.95f, FLOW_GATE_US, 0, 0) == 0);
  EXPECT(flow_meter_tick(&m, 75, 1000000));
  EXPECT(near(m.reading.flow_lpm, 9.5, 1e-5));
  EXPECT(near(flow_meter_litres(&m), 0.95 / 6, 1e-7));
  EXPECT(flow_meter_init(&m, 98, 1, FLOW_GATE_US, 0, 0) == 0); /* FS400A */
  EXPECT(flow_meter_tick(&m, 49, 1000000));
  EXPECT(near(m.reading.flow_lpm, 30, 1e-4));
}

static void vec_bad_constants_are_refused(void) {
  struct flow_meter m;
  EXPECT(flow_meter_init(&m, 0, 1, 1, 0, 0) == -1);
  EXPECT(flow_meter_init(&m, -450, 1, 1, 0, 0) == -1);
  EXPECT(flow_meter_init(&m, NAN, 1, 1, 0, 0) == -1);
  EXPECT(flow_meter_init(&m, 450, 0, 1, 0, 0) == -1);
  EXPECT(flow_meter_init(&m, 450, NAN, 1, 0, 0) == -1);
  EXPECT(flow_meter_init(&m, 450, 1, 0, 0, 0) == -1);
}

/* The whole way: edges of a wheel at 10 L/min with bounce on each of them,
 * a loop that comes round at odd times. */
static void vec_wheel_to_litres(void) {
  struct flow_edge edge;
  struct flow_meter m = meter_at(0, 0);
  uint32_t next_us = 13333, edges = 0, gates = 0;
  double sum = 0;
  flow_edge_init(&edge, FLOW_DEBOUNCE_US);
  for (uint32_t us = 0; us < 60000000u; us += 977) {
    for (; next_us <= us; next_us += 13333) {
      flow_edge_isr(&edge, next_us);
      flow_edge_isr(&edge, next_us + 40);
      flow_edge_isr(&edge, next_us + 90);
      edges++;
    }
    if (flow_meter_tick(&m, edge.pulses, us)) {
      sum += (double)m.reading.flow_lpm;
      gates++;
    }
  }
  EXPECT(edge.pulses == edges);
  EXPECT(gates == 59);
  EXPECT(near(sum / gates, 10, 0.01));
}

/* -- the report --------------------------------------------------------- */

static int parse(const char *text, struct weir_report *out) {
  /* a copy without a NUL: reading too far must be seen by a sanitizer */
  static char exact[512];
  size_t len = strlen(text);
  memset(exact, '9', sizeof(exact));
  memcpy(exact + sizeof(exact) - len, text, len);
  return weir_report_parse(exact + sizeof(exact) - len, len, out);
}

static void vec_reports(void) {
  static const struct {
    const char *text, *label;
    bool has_value;
    float value;
  } v[] = {
      {"{\"label\":\"Normal\",\"value\":10.13}", "Normal", true, 10.13f},
      {"{\"value\":0.5,\"label\":\"Low\"}", "Low", true, 0.5f},
      {"{\"label\":\"High\"}", "High", false, 0},
      {"{\"label\":\"High\",\"value\":null}", "High", false, 0},
      {" {\t\"label\" : \"a\" ,\n\"value\" : -1.5e+2 }\r\n", "a", true, -150},
      {"{\"label\":\"A\",\"value\":0}", "A", true, 0},
      {"{\"label\":\"A\",\"value\":1E-3}", "A", true, 0.001f},
      {"{\"label\":\"A\",\"value\":1e-400}", "A", true, 0},
      {"{\"label\":\"A\",\"value\":123456789.25}", "A", true, 123456789.25f},
      {"{\"label\":\"a\\\"\\\\\\/\\n\\t\"}", "a\"\\/\n\t", false, 0},
      {"{\"label\":\"\\u004e\\u00f6\\u20AC\"}", "N\xc3\xb6\xe2\x82\xac", false,
       0},
      {"{\"label\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80", false, 0},
      {"{\"x\":[1,{\"y\":[]},\"]\"],\"label\":\"b\",\"z\":{}}", "b", false, 0},
      {"{\"x\":true,\"y\":false,\"n\":null,\"label\":\"b\"}", "b", false, 0},
      {"{\"label\":\"first\",\"label\":\"last\"}", "last", false, 0},
      {"{\"a key longer than ours\":1,\"label\":\"b\"}", "b", false, 0},
      {"{\"label\":\"1234567890123456789012345678901\"}",
       "1234567890123456789012345678901", false, 0},
      {"{\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]],\"label\":\"d\"}", "d", false,
       0},
  };
  struct weir_report r;
  for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
    EXPECT(parse(v[i].text, &r) == 0);
    EXPECT(strcmp(r.label, v[i].label) == 0);
    EXPECT(r.has_value == v[i].has_value);
    EXPECT(!r.has_value || near(r.value, v[i].value, 1e-4));
  }
}

static void vec_long_label_is_one_that_nobody_knows(void) {
  struct weir_report r;
  EXPECT(parse("{\"label\":\"12345678901234567890123456789012\"}", &r) == 0);
  EXPECT(strcmp(r.label, WEIR_LABEL_TOO_LONG) == 0);
  EXPECT(parse("{\"label\":\"1234567890123456789012345678901\\u20ac\"}", &r) ==
         0);
  EXPECT(strcmp(r.label, WEIR_LABEL_TOO_LONG) == 0);
}

static void vec_bad_reports(void) {
  static const char *const bad[] = {
      "",
      "{}",
      "null",
      "[]",
      "\"Normal\"",
      "Normal",
      "{\"value\":1}",
      "{\"label\":\"\"}",
      "{\"label\":null}",
      "{\"label\":7}",
      "{\"label\":{}}",
      "{\"label\":\"A\"",
      "{\"label\":\"A\"}}",
      "{\"label\":\"A\"} x",
      "{\"label\":\"A\",}",
      "{,\"label\":\"A\"}",
      "{\"label\" \"A\"}",
      "{label:\"A\"}",
      "{'label':'A'}",
      "{\"label\":\"A\",\"value\":}",
      "{\"label\":\"A\",\"value\":\"1\"}",
      "{\"label\":\"A\",\"value\":NaN}",
      "{\"label\":\"A\",\"value\":Infinity}",
      "{\"label\":\"A\",\"value\":1e39}",
      "{\"label\":\"A\",\"value\":1e999}",
      "{\"label\":\"A\",\"value\":01}",
      "{\"label\":\"A\",\"value\":1.}",
      "{\"label\":\"A\",\"value\":.5}",
      "{\"label\":\"A\",\"value\":-}",
      "{\"label\":\"A\",\"value\":1e}",
      "{\"label\":\"A\",\"value\":+1}",
      "{\"label\":\"A\",\"value\":0x10}",
      "{\"label\":\"A\nB\"}",
      "{\"label\":\"A\\x\"}",
      "{\"label\":\"A\\u12\"}",
      "{\"label\":\"A\\u0000B\"}",
      "{\"label\":\"\\ud83d\"}",
      "{\"label\":\"\\ude00\"}",
      "{\"label\":\"\\ud83d\\u0041\"}",
      "{\"label\":\"12345678901234567890123456789012}",
      "{\"x\":[1,],\"label\":\"A\"}",
      "{\"x\":[1}],\"label\":\"A\"}",
      "{\"x\":{\"y\"},\"label\":\"A\"}",
      "{\"x\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]],\"label\":\"d\"}",
  };
  struct weir_report r;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    EXPECT(parse(bad[i], &r) == -1);
    EXPECT(r.label[0] == '\0' && !r.has_value);
  }
}

static void vec_every_cut_report_is_refused(void) {
  static const char whole[] = "{\"x\":[1,{\"y\":\"\\u20ac\"}],\"label\":"
                              "\"Normal\",\"value\":-1.5e2}";
  char cut[sizeof(whole)];
  struct weir_report r;
  for (size_t len = 0; len < sizeof(whole) - 1; len++) {
    memcpy(cut, whole, len);
    cut[len] = '\0';
    EXPECT(parse(cut, &r) == -1);
  }
  EXPECT(parse(whole, &r) == 0);
}

/* -- the output --------------------------------------------------------- */

static const struct weir_label labels[] = {WEIR_BUNDLED_LABELS};

static void begin_alarm(struct weir_alarm *a) {
  weir_alarm_init(a, labels, sizeof(labels) / sizeof(labels[0]), 150000);
}

static void vec_output_is_safe_until_told_otherwise(void) {
  struct weir_alarm a;
  begin_alarm(&a);
  EXPECT(!weir_alarm_healthy(&a, 0));
  EXPECT(!weir_alarm_healthy(&a, 1000000));
  EXPECT(weir_alarm_light(&a, 0) && weir_alarm_light(&a, 777));
}

static void vec_output_follows_the_label(void) {
  static const struct {
    const char *label;
    bool healthy;
  } v[] = {{"Normal", true},     {"Low", true},     {"High", true},
           {"Anomalous", false}, {"normal", false}, {"Leak", false},
           {"unknown", false},   {"drift", false},  {"?", false}};
  struct weir_alarm a;
  for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
    begin_alarm(&a);
    weir_alarm_report(&a, v[i].label, 5000);
    EXPECT(weir_alarm_healthy(&a, 5000) == v[i].healthy);
    weir_alarm_report(&a, "Normal", 6000);
    EXPECT(weir_alarm_healthy(&a, 6001));
  }
}

static void vec_unknown_is_never_well(void) {
  static const struct weir_label own[] = {
      {"Running", WEIR_OK}, {"unknown", WEIR_OK}, {"Worn", WEIR_WARNING}};
  struct weir_alarm a;
  weir_alarm_init(&a, own, 3, 150000);
  weir_alarm_report(&a, "Running", 0);
  EXPECT(weir_alarm_healthy(&a, 1));
  weir_alarm_report(&a, "unknown", 2);
  EXPECT(!weir_alarm_healthy(&a, 2) && a.level == WEIR_UNKNOWN);
  weir_alarm_report(&a, "Worn", 3);
  EXPECT(weir_alarm_healthy(&a, 3));
  weir_alarm_report(&a, "Normal", 4); /* not in this table */
  EXPECT(!weir_alarm_healthy(&a, 4) && a.level == WEIR_UNKNOWN);
}

static void vec_output_falls_when_nobody_reports(void) {
  struct weir_alarm a;
  begin_alarm(&a);
  weir_alarm_report(&a, "Normal", 1000);
  EXPECT(weir_alarm_healthy(&a, 151000));
  EXPECT(!weir_alarm_healthy(&a, 151001));
  EXPECT(a.level == WEIR_SILENT);
  EXPECT(!weir_alarm_healthy(&a, 1000)); /* the clock came round: still low */
  weir_alarm_report(&a, "Normal", 152000);
  EXPECT(weir_alarm_healthy(&a, 152000));
}

static void vec_output_across_the_wrap_of_millis(void) {
  struct weir_alarm a;
  begin_alarm(&a);
  weir_alarm_report(&a, "Normal", 0xffffffffu - 99999u);
  EXPECT(weir_alarm_healthy(&a, 50000)); /* 150 s later */
  EXPECT(!weir_alarm_healthy(&a, 50001));
}

static int light_changes(const char *label, uint32_t span_ms) {
  struct weir_alarm a;
  int changes = 0;
  begin_alarm(&a);
  weir_alarm_report(&a, label, 0);
  for (uint32_t ms = 1; ms < span_ms; ms++)
    changes += weir_alarm_light(&a, ms) != weir_alarm_light(&a, ms - 1);
  return changes;
}

static void vec_light_tells_the_levels_apart(void) {
  int well = light_changes("Normal", 8192),
      warning = light_changes("Low", 8192);
  EXPECT(well > 0);
  EXPECT(warning > well);
  int unknown = light_changes("unknown", 8192);
  EXPECT(unknown > warning);
  EXPECT(light_changes("Anomalous", 8192) > unknown);
}

static void vec_baseline_says_what_is_off(void) {
  static const struct {
    const char *label;
    bool off;
  } v[] = {{"normal", false}, {"learning", false}, {"low", true},
           {"high", true},    {"spread", true},    {"night_flow", true},
           {"unknown", true}, {"something", true}, {"Normal", true}};
  struct weir_baseline b;
  weir_baseline_init(&b, 150000);
  EXPECT(!weir_baseline_off(&b, 0) && !weir_baseline_off(&b, 1000000));
  for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
    weir_baseline_report(&b, v[i].label, 5000);
    EXPECT(weir_baseline_off(&b, 5000) == v[i].off);
  }
}

/* Who spoke once is missed: the agent, or its memory, is down. */
static void vec_baseline_that_falls_silent(void) {
  struct weir_baseline b;
  weir_baseline_init(&b, 150000);
  weir_baseline_report(&b, "normal", 0xffffffffu - 99999u);
  EXPECT(!weir_baseline_off(&b, 50000)); /* 150 s later */
  EXPECT(weir_baseline_off(&b, 50001));
  EXPECT(weir_baseline_off(&b, 0)); /* the clock came round: still off */
  weir_baseline_report(&b, "normal", 60000);
  EXPECT(!weir_baseline_off(&b, 60001));
}

/* Three flashes in 2048 ms, and only where the label is well. */
static void vec_light_of_the_baseline(void) {
  static const char *const louder[] = {"Low", "Anomalous", "unknown"};
  struct weir_alarm a;
  int flashes = 0, differs = 0;
  begin_alarm(&a);
  weir_alarm_report(&a, "Normal", 0);
  for (uint32_t ms = 1; ms <= 2048; ms++) {
    flashes += weir_light(&a, true, ms) && !weir_light(&a, true, ms - 1);
    EXPECT(weir_light(&a, false, ms) == weir_alarm_light(&a, ms));
  }
  EXPECT(flashes == 3);
  for (size_t i = 0; i < sizeof(louder) / sizeof(louder[0]); i++) {
    weir_alarm_report(&a, louder[i], 0);
    for (uint32_t ms = 0; ms < 2048; ms++)
      differs += weir_light(&a, true, ms) != weir_alarm_light(&a, ms);
  }
  begin_alarm(&a); /* silent: steady */
  for (uint32_t ms = 0; ms < 2048; ms++)
    differs += weir_light(&a, true, ms) != weir_alarm_light(&a, ms);
  EXPECT(differs == 0);
}

#define FIRMWARE_VECTORS(X)                                                    \
  X(vec_every_clean_edge_counts)                                               \
  X(vec_bounce_does_not_count)                                                 \
  X(vec_noise_cannot_silence_the_meter)                                        \
  X(vec_debounce_across_the_wrap_of_micros)                                    \
  X(vec_pulse_counter_wraps)                                                   \
  X(vec_no_reading_before_the_first_gate)                                      \
  X(vec_rates)                                                                 \
  X(vec_late_loop_does_not_bend_the_rate)                                      \
  X(vec_gate_across_the_wrap_of_micros)                                        \
  X(vec_gate_across_the_wrap_of_the_pulses)                                    \
  X(vec_two_hours)                                                             \
  X(vec_litres_stay_exact)                                                     \
  X(vec_calibration)                                                           \
  X(vec_bad_constants_are_refused)                                             \
  X(vec_wheel_to_litres)                                                       \
  X(vec_reports)                                                               \
  X(vec_long_label_is_one_that_nobody_knows)                                   \
  X(vec_bad_reports)                                                           \
  X(vec_every_cut_report_is_refused)                                           \
  X(vec_output_is_safe_until_told_otherwise)                                   \
  X(vec_output_follows_the_label)                                              \
  X(vec_unknown_is_never_well)                                                 \
  X(vec_output_falls_when_nobody_reports)                                      \
  X(vec_output_across_the_wrap_of_millis)                                      \
  X(vec_baseline_says_what_is_off)                                             \
  X(vec_baseline_that_falls_silent)                                            \
  X(vec_light_of_the_baseline)                                                 \
  X(vec_light_tells_the_levels_apart)

#endif
