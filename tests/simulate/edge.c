/* target_edge_impulse without collectd: a sample becomes a window, that a
 * decision, that a state; the watch sees what does not happen. */
#include "sim.h"

#define WATCH_US SIM_S /* IDLE_MS of edge_impulse/watch.c */

struct wr_standing_rules edge_rules(void) {
  return (struct wr_standing_rules){
      .stale_ms = wr_standing_stale_ms(0, FLOW_LEAST, 1,
                                       (int64_t)FLOW_INTERVAL_MS * 1000),
      .health_ms = WR_STANDING_HEALTH_MS,
      .of = WR_SHIPPED_OF};
}

static const char *label_of(int state) {
  return state == WR_UNKNOWN     ? "unknown"
         : state == WR_UNCERTAIN ? "uncertain"
         : state == EV_OFF       ? "Off"
                                 : flow_class_names[state];
}

/* The values of the state, on their way to the writers; by the clock that
 * stamps the samples. */
static void show(int b, double score) {
  struct sim_pipe *p = &sim.agent.pipe[b];
  int shown = p->stands.shown;
  if (shown == WR_UNSAID)
    return;
  seen_state(b, label_of(shown), shown < 0 || shown == EV_ANOMALOUS);
  int64_t since_us = sim.now_us - p->fed_us;
  bool ours = p->own_clock && since_us > 0;
  struct sim_value v = {
      .kind = SIM_LABEL,
      .b = b,
      .number = score,
      .true_us = ours ? SIM_EPOCH_US + sim.now_us : p->true_us + since_us,
      .stamp_us = ours ? sim_wall_us() : p->stamp_us + since_us,
      .window = ++p->window};
  snprintf(v.label, sizeof(v.label), "%s", label_of(shown));
  queue_put(&v);
}

static void notify(int b) {
  int previous = 0;
  struct wr_standing *s = &sim.agent.pipe[b].stands;
  if (wr_standing_notify(s, &previous))
    sim_trace("%d: notification: %s, was %s", b, label_of(s->shown),
              label_of(previous));
}

static void tell_health(int b) {
  seen_health(b);
  wr_standing_health_told(&sim.agent.pipe[b].stands, sim.now_us / 1000);
}

void edge_start(int b) {
  struct sim_pipe *p = &sim.agent.pipe[b];
  ev_agent_init(&p->alarm, 10, 0);
  p->clock = (struct wr_steady){.running = false};
  wr_standing_init(&p->stands, sim.now_us / 1000); /* as Expect makes it */
  p->look_us = p->fed_us = sim.now_us;
  p->true_us = SIM_EPOCH_US + sim.now_us;
  p->stamp_us = sim_wall_us();
  p->own_clock = true;
}

void edge_stop(int b) { ev_agent_free(&sim.agent.pipe[b].alarm); }

void edge_sample(const struct sim_value *v) {
  int b = v->b;
  struct sim_pipe *p = &sim.agent.pipe[b];
  struct wr_standing_rules rules = edge_rules();
  int64_t steady_us, now_ms = sim.now_us / 1000;
  seen_fed(b);
  p->fed_us = sim.now_us;
  p->true_us = v->true_us;
  p->stamp_us = v->stamp_us;
  p->own_clock = wr_steady_is_own(v->stamp_us, sim_wall_us());
  if (!wr_steady_step(&p->clock, v->stamp_us, now_ms, FLOW_INTERVAL_MS * 1000,
                      &steady_us))
    return;
  p->alarm.model_dead = sim.model_dead;
  if (ev_agent_sample(&p->alarm, steady_us, now_ms, v->number)) {
    wr_standing_judged(&p->stands, &rules, p->alarm.decision.state, now_ms);
    show(b, p->alarm.decision.score);
    notify(b);
  }
  if (p->alarm.windows != p->judged &&
      wr_standing_answered(&p->stands, &rules, !sim.model_dead, false, now_ms))
    tell_health(b);
  p->judged = p->alarm.windows;
}

void edge_look(int b) {
  struct sim_pipe *p = &sim.agent.pipe[b];
  struct wr_standing_rules rules = edge_rules();
  int64_t wait_ms = 0;
  enum wr_standing_due due =
      wr_standing_review(&p->stands, &rules, sim.now_us / 1000, &wait_ms);
  if (due == WR_STANDING_UNKNOWN) {
    if (wr_standing_lose(&p->stands))
      wr_votes_init(&p->alarm.verdict.votes);
    show(b, 0);
  }
  if (due != WR_STANDING_NOTHING)
    tell_health(b);
  if (due == WR_STANDING_UNKNOWN)
    notify(b);
  int64_t wait_us = wait_ms * 1000 < WATCH_US ? wait_ms * 1000 : WATCH_US;
  p->look_us = sim.now_us + (wait_us > 50000 ? wait_us : 50000);
}
