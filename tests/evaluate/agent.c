/* The plugin without collectd: the same parts in the same order. */
#include "tests/evaluate/evaluate.h"

#include "lib/flow/shipped.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double thresholds[EV_LABELS] = {
    WR_SHIPPED_THRESHOLD, WR_SHIPPED_THRESHOLD, WR_SHIPPED_THRESHOLD,
    WR_SHIPPED_THRESHOLD, WR_SHIPPED_THRESHOLD};
static const bool alarming[EV_LABELS] = {[EV_ANOMALOUS] = true};
static const bool calm[EV_LABELS] = {[EV_NORMAL] = true, [EV_OFF] = true};

static int label_of(const char *name) {
  int i = 0;
  while (i < FLOW_CLASSES && strcmp(flow_class_names[i], name) != 0)
    i++;
  return i;
}

void ev_agent_init(struct ev_agent *a, double nominal, double quantum) {
  *a = (struct ev_agent){.nominal = nominal};
  double scale = nominal / WR_SHIPPED_NOMINAL;
  for (size_t i = 0; i < WR_SHIPPED_RANGES; i++)
    a->ranges[i] = (struct wr_range){label_of(wr_shipped_ranges[i].label),
                                     wr_shipped_ranges[i].min * scale,
                                     wr_shipped_ranges[i].max * scale};
  a->rules = (struct wr_verdict_rules){
      .labels = FLOW_CLASSES,
      .thresholds = thresholds,
      .alarming = alarming,
      .calm = calm,
      .anomaly_limit = NAN,
      .off_label = EV_OFF,
      .votes = {WR_SHIPPED_NEED, WR_SHIPPED_OF, WR_SHIPPED_OF},
      .calm_rules = {WR_SHIPPED_QUIET, WR_SHIPPED_LOOK, 0, WR_SHIPPED_TURNS,
                     WR_SHIPPED_WIDTH * nominal, WR_SHIPPED_SWING * nominal},
      .nominal = nominal,
      .policy = WR_RANGES_GUARD,
      .ranges = a->ranges,
      .range_count = WR_SHIPPED_RANGES,
      .dead_band = WR_SHIPPED_DEAD_BAND * nominal,
      .quantum = quantum};
  a->plan_rules =
      (struct wr_plan_rules){.off_below = WR_SHIPPED_OFF_BELOW,
                             .near_zero = WR_SHIPPED_NEAR_ZERO * nominal,
                             .nominal = nominal,
                             .settle = WR_SHIPPED_SETTLE};
  wr_plan_init(&a->plan);
  wr_verdict_init(&a->verdict);
  a->window = wr_window_create(
      &(struct wr_window_options){.samples = FLOW_SAMPLES,
                                  .least = FLOW_LEAST,
                                  .axes = 1,
                                  .stride = 1,
                                  .interval_us = FLOW_INTERVAL_MS * 1000,
                                  .max_gap = WR_SHIPPED_MAX_GAP});
  if (a->window == NULL)
    abort();
}

void ev_agent_free(struct ev_agent *a) { wr_window_destroy(a->window); }

static void on_window(void *arg, const struct wr_window *w, int64_t end_us,
                      bool restarted) {
  struct ev_agent *a = arg;
  double values[FLOW_SAMPLES], scores[FLOW_CLASSES];
  float scaled[FLOW_SAMPLES];
  struct classifier_result result;
  double scale = WR_SHIPPED_NOMINAL /
                 (a->nominal * wr_plan_scale(&a->plan, &a->plan_rules));
  (void)end_us;
  wr_window_copy(w, values);
  size_t fill = wr_window_fill(w), missing = FLOW_SAMPLES - fill;
  uint64_t fresh = wr_window_taken(w) - a->taken;
  a->taken = wr_window_taken(w);
  a->windows++;
  for (size_t i = 0; i < FLOW_SAMPLES; i++)
    scaled[i] = i < missing ? FLOW_NONE : (float)(values[i] * scale);
  classifier_run(scaled, NULL, &result);
  for (int i = 0; i < FLOW_CLASSES; i++)
    scores[i] = (double)result.scores[i];
  if (restarted)
    wr_verdict_gap(&a->verdict);
  struct wr_verdict_input in = {.scores = a->model_dead ? NULL : scores,
                                .anomaly = NAN,
                                .values = values + missing,
                                .count = fill,
                                .fresh = fresh < fill ? (size_t)fresh : fill,
                                .plan = a->say,
                                .scale =
                                    wr_plan_scale(&a->plan, &a->plan_rules)};
  if (wr_verdict_step(&a->verdict, &a->rules, &in, &a->decision))
    a->answered = true;
}

void ev_agent_pump(struct ev_agent *a, double running) {
  wr_plan_state(&a->plan, &a->plan_rules, running, WR_SHIPPED_VALID);
}

void ev_agent_setpoint(struct ev_agent *a, double lpm) {
  wr_plan_setpoint(&a->plan, &a->plan_rules, lpm, WR_SHIPPED_VALID);
}

bool ev_agent_sample(struct ev_agent *a, int64_t steady_us, int64_t now_ms,
                     double flow_lpm) {
  a->answered = false;
  a->say = wr_plan_sample(&a->plan, &a->plan_rules, flow_lpm);
  wr_window_push(a->window, 0, steady_us, flow_lpm, now_ms, on_window, a);
  return a->answered;
}

bool ev_agent_second(struct ev_agent *a, double flow_lpm) {
  a->second++;
  return ev_agent_sample(a, a->second * 1000000, a->second * 1000, flow_lpm);
}
