/* What breaks, when, and for how long: drawn anew for each fault. Each kind
 * rests for minutes to hours and lasts for a second to hours; they overlap as
 * they like. */
#include "sim.h"

#include <string.h>

static const int64_t steps_s[] = {
    2, -2, 40, -40, 3600, -3600, 86400, -86400, 31536000, -31536000, 315360000};

static void proxy_away(bool on) {
  sim.wire.away_until_us = on ? SIM_NEVER : 0;
  wire_cut();
}

static void board_mute(bool on) { sim.board.silent = on; }

static void board_reset(bool on) {
  if (on) {
    sim.board.up = false;
    sim.wire.waiting = 0;
    board_look();
  } else if (!sim.board.up)
    board_boot();
}

static void late_replies(bool on) {
  sim.wire.late_every = on ? (int)sim_span(2, 20) : 0;
}

static void torn_replies(bool on) {
  sim.wire.torn_every = on ? (int)sim_span(2, 20) : 0;
  sim.wire.twice_every = on ? (int)sim_span(2, 20) : 0;
}

static void model_dead(bool on) { sim.model_dead = on; }

static void cloud_fails(bool on) {
  /* No 404: a service that answers so for ten minutes beside names that it
   * knows is believed to lack the call, and takes the values without stamps. */
  static const int statuses[] = {200, 302, 307, 400, 403, 405, 410, 413,
                                 422, 429, 451, 500, 502, 503, 511};
  sim.cloud.mode =
      on ? (enum cloud_mode)(1 + sim_below(CLOUD_FLAKY)) : CLOUD_GOOD;
  sim.cloud.status =
      statuses[sim_below((int64_t)(sizeof(statuses) / sizeof(statuses[0])))];
  sim.cloud.retry_after_ms = sim_span(1, 4000000000000LL);
  if (on)
    sim_trace("cloud: mode %d, status %d", (int)sim.cloud.mode,
              sim.cloud.status);
}

static void agent_killed(bool on) {
  if (on && sim.agent.up)
    agent_stop(true);
  sim.agent.start_us = on ? SIM_NEVER : sim.now_us;
}

static void agent_restarted(bool on) {
  if (on && sim.agent.up)
    agent_stop(false);
  sim.agent.start_us = on ? SIM_NEVER : sim.now_us;
}

static void power_cut(bool on) {
  agent_killed(on);
  if (on) {
    disk_power_cut();
    wire_cut();
  }
  board_reset(on);
}

static void clock_step(bool on) {
  sim.wall_off_us =
      on ? steps_s[sim_below((int64_t)(sizeof(steps_s) / sizeof(steps_s[0])))] *
               SIM_S
         : 0;
}

static void disk_fails(bool on) {
  disk_set(on ? (enum disk_state)(1 + sim_below(DISK_BROKEN)) : DISK_GOOD,
           (int)sim_span(2, 50));
}

static const struct kind {
  const char *name;
  void (*set)(bool on);
  int64_t rest_s, last_s; /* at most */
} kinds[FAULTS] = {
    {"m4-proxy away", proxy_away, 14400, 600},
    {"M4 silent", board_mute, 14400, 600},
    {"M4 reset", board_reset, 28800, 10},
    {"late replies", late_replies, 14400, 600},
    {"torn and doubled replies", torn_replies, 14400, 600},
    {"model dead", model_dead, 14400, 1800},
    {"cloud fails", cloud_fails, 7200, 10800},
    {"SIGKILL", agent_killed, 14400, 30},
    {"restart", agent_restarted, 28800, 10},
    {"power cut", power_cut, 43200, 60},
    {"clock step", clock_step, 43200, 7200},
    {"disk fails", disk_fails, 28800, 7200},
};

static void plan(size_t i, bool on) {
  struct sim_fault *f = sim.faults.at + i;
  const struct kind *k = kinds + i;
  f->on = on;
  if (on)
    f->until_us = sim.now_us + sim_span(SIM_S, k->last_s * SIM_S);
  else
    f->from_us = sim.now_us + sim_span(300 * SIM_S, k->rest_s * SIM_S);
}

static bool any(void) {
  for (size_t i = 0; i < FAULTS; i++)
    if (sim.faults.at[i].on)
      return true;
  return false;
}

static bool keeps_agent_down(void (*set)(bool on)) {
  return set == agent_killed || set == agent_restarted || set == power_cut;
}

/* Two faults may want the agent down: it comes back when the last ends. */
static void turn(size_t i, bool on) {
  sim_trace("%s: %s", kinds[i].name, on ? "begins" : "ends");
  plan(i, on);
  kinds[i].set(on);
  for (size_t k = 0; !on && k < FAULTS; k++)
    if (sim.faults.at[k].on && keeps_agent_down(kinds[k].set))
      sim.agent.start_us = SIM_NEVER;
  if (any())
    sim.faults.healed_us = SIM_NEVER;
  else
    sim.faults.healed_us = sim.now_us;
}

void faults_init(void) {
  for (size_t i = 0; i < FAULTS; i++)
    plan(i, false);
  sim.faults.healed_us = sim.now_us;
}

void faults_step(void) {
  for (size_t i = 0; i < FAULTS; i++) {
    struct sim_fault *f = sim.faults.at + i;
    if (f->on && f->until_us <= sim.now_us)
      turn(i, false);
    else if (!f->on && !sim.faults.quiet && f->from_us <= sim.now_us)
      turn(i, true);
  }
}

int64_t faults_next_us(void) {
  int64_t next = SIM_NEVER;
  for (size_t i = 0; i < FAULTS; i++) {
    const struct sim_fault *f = sim.faults.at + i;
    int64_t at = f->on              ? f->until_us
                 : sim.faults.quiet ? SIM_NEVER
                                    : f->from_us;
    next = at < next ? at : next;
  }
  return next;
}

void faults_end(void) {
  sim.faults.quiet = true;
  for (size_t i = 0; i < FAULTS; i++)
    if (sim.faults.at[i].on)
      turn(i, false);
  board_calm();
}
