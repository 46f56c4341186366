/* What breaks, when, and for how long: drawn anew for each fault. Each kind
 * rests for minutes to hours and lasts for a second to hours; they overlap as
 * they like. */
#include "sim.h"

#include <math.h>

static const int64_t steps_s[] = {
    2, -2, 40, -40, 3600, -3600, 86400, -86400, 31536000, -31536000, 315360000};

#define ANY_OF(list) (list)[sim_below(sizeof(list) / sizeof((list)[0]))]

static void proxy_away(bool on, int b) {
  sim.wire[b].away = on;
  wire_cut(b);
}

static void board_mute(bool on, int b) { sim.board[b].silent = on; }

static void board_blind(bool on, int b) { sim.board[b].blind = on; }

static void board_reset(bool on, int b) {
  if (on) {
    sim.board[b].up = false;
    sim.wire[b].waiting = 0;
    board_look(b);
  } else if (!sim.board[b].up)
    board_boot(b);
}

static void late_replies(bool on, int b) {
  sim.wire[b].late_every = on ? (int)sim_span(2, 20) : 0;
}

static void torn_replies(bool on, int b) {
  sim.wire[b].torn_every = on ? (int)sim_span(2, 20) : 0;
  sim.wire[b].twice_every = on ? (int)sim_span(2, 20) : 0;
  sim.wire[b].cut_every = on && sim_one_in(2) ? (int)sim_span(10, 100) : 0;
}

/* Another client of the same proxy calls what nobody has bound. */
static void neighbour(bool on, int b) {
  if (on && sim.now_us >= sim.wire[b].restarts_us) {
    sim.wire[b].crashes--; /* not by us */
    wire_crash(b);
  }
}

static void far_side_away(bool on, int b) {
  sim.wire[b].hollow = on;
  wire_cut(b);
}

static void model_dead(bool on, int b) {
  (void)b;
  sim.model_dead = on;
}

static void cloud_fails(bool on, int b) {
  static const int statuses[] = {200, 301, 302, 307, 308, 400, 403, 404, 405,
                                 410, 413, 422, 429, 451, 500, 502, 503, 511};
  (void)b;
  struct sim_cloud *c = &sim.cloud;
  c->mode = on ? (enum cloud_mode)(1 + sim_below(CLOUD_FLAKY)) : CLOUD_GOOD;
  c->status = ANY_OF(statuses);
  /* A service that answers so for ten minutes beside names that it knows is
   * believed to lack the call, and takes the values without stamps. */
  if (c->mode == CLOUD_STATUS && c->status == 404)
    c->status = 503;
  c->retry_after_ms = sim_span(1, 4000000000000LL);
  c->poison = NAN;
  c->most = (int)sim_span(1, SIM_BATCH);
  if (on)
    sim_trace("cloud: mode %d, status %d", (int)c->mode, c->status);
}

static void agent_killed(bool on, int b) {
  (void)b;
  if (on && sim.agent.up)
    agent_stop(true);
  sim.agent.start_us = on ? SIM_NEVER : sim.now_us;
}

static void agent_restarted(bool on, int b) {
  (void)b;
  if (on && sim.agent.up)
    agent_stop(false);
  sim.agent.start_us = on ? SIM_NEVER : sim.now_us;
}

/* Somebody goes back to 0.1, or has tried a later version. */
static void other_version(bool on, int b) {
  bool older = sim_one_in(2);
  agent_restarted(on, b);
  if (!on && disk_is_good() && kept_has_plain_stamps())
    agent_other_version(older ? 1 : 3);
}

static void power_cut(bool on, int b) {
  agent_killed(on, b);
  if (on)
    disk_power_cut();
  kept_excuse();
  for (int i = 0; i < SIM_BOARDS; i++) {
    if (on)
      wire_cut(i);
    board_reset(on, i);
  }
}

static void clock_step(bool on, int b) {
  (void)b;
  sim.wall_off_us = on ? ANY_OF(steps_s) * SIM_S : 0;
  clocks_set();
}

static void disk_fails(bool on, int b) {
  (void)b;
  disk_set(on ? (enum disk_state)(1 + sim_below(DISK_BROKEN)) : DISK_GOOD,
           (int)sim_span(2, 50));
}

static void writer_hangs(bool on, int b) {
  (void)b;
  queue_hold(on);
}

static void memory_fails(bool on, int b) {
  (void)b;
  memory_short(on ? (int)sim_span(2, 200) : 0);
}

static const struct kind {
  const char *name;
  void (*set)(bool on, int b);
  int domain;
  int64_t rest_s, last_s; /* at most */
  bool one;               /* of one board */
} kinds[FAULTS] = {
    {"m4-proxy away", proxy_away, SIM_M4, 14400, 600, true},
    {"M4 silent", board_mute, SIM_M4, 14400, 600, true},
    {"M4 without reading", board_blind, SIM_M4, 28800, 1200, true},
    {"M4 reset", board_reset, SIM_M4, 28800, 10, true},
    {"late replies", late_replies, SIM_M4, 14400, 600, true},
    {"torn and doubled replies", torn_replies, SIM_M4, 14400, 600, true},
    {"a neighbour crashes the proxy", neighbour, SIM_M4, 14400, 2, true},
    {"far side of the tunnel away", far_side_away, SIM_M4, 28800, 600, true},
    {"model dead", model_dead, SIM_MODEL, 14400, 1800, false},
    {"cloud fails", cloud_fails, SIM_CLOUD, 7200, 10800, false},
    {"SIGKILL", agent_killed, SIM_PROCESS, 14400, 30, false},
    {"restart", agent_restarted, SIM_PROCESS, 28800, 10, false},
    {"restart of another version", other_version, SIM_PROCESS, 43200, 10,
     false},
    {"power cut", power_cut, SIM_PROCESS | SIM_M4, 43200, 60, false},
    {"clock step", clock_step, SIM_CLOCK, 43200, 7200, false},
    {"disk fails", disk_fails, SIM_DISK, 28800, 7200, false},
    {"a writer hangs", writer_hangs, SIM_QUEUE, 28800, 900, false},
    {"memory short", memory_fails, SIM_MEMORY, 28800, 600, false},
};

static int64_t ended_us[FAULTS]; /* or begun: the last turn */

static void plan(size_t i, bool on) {
  struct sim_fault *f = sim.faults.at + i;
  const struct kind *k = kinds + i;
  f->on = on;
  if (on) {
    f->until_us = sim.now_us + sim_span(SIM_S, k->last_s * SIM_S);
    f->b = (int)sim_below(SIM_BOARDS);
  } else
    f->from_us = sim.now_us + sim_span(300 * SIM_S, k->rest_s * SIM_S);
}

int64_t faults_calm_of(int domains, int b) {
  int64_t last_us = 0;
  for (size_t i = 0; i < FAULTS; i++) {
    const struct sim_fault *f = sim.faults.at + i;
    if (!(kinds[i].domain & domains) || (kinds[i].one && b >= 0 && f->b != b))
      continue;
    if (f->on)
      return 0;
    last_us = ended_us[i] > last_us ? ended_us[i] : last_us;
  }
  return sim.now_us - last_us;
}

int64_t faults_calm(int domains) { return faults_calm_of(domains, -1); }

/* Two faults may want the agent down: it comes back when the last ends. */
static void turn(size_t i, bool on) {
  struct sim_fault *f = sim.faults.at + i;
  plan(i, on);
  sim_trace("%s: %s (board %d)", kinds[i].name, on ? "begins" : "ends", f->b);
  ended_us[i] = sim.now_us; /* before what it held back comes */
  kinds[i].set(on, f->b);
  for (size_t k = 0; !on && k < FAULTS; k++)
    if (sim.faults.at[k].on && (kinds[k].domain & SIM_PROCESS))
      sim.agent.start_us = SIM_NEVER;
}

int64_t faults_for(int domain) {
  for (size_t i = 0; i < FAULTS; i++)
    if (kinds[i].domain == domain && sim.faults.at[i].on)
      return sim.now_us - ended_us[i];
  return 0;
}

void faults_init(void) {
  for (size_t i = 0; i < FAULTS; i++)
    plan(i, false);
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
  board_calm(0);
}
