/* collectd's part: callbacks and threads of the plugins, one after another. */
#include "sim.h"

#include "lib/infer/labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMIT_US 500000
#define AWAIT_MAX 70 /* missing seconds worth telling the window */

static char directory[64], spool_path[96];
static const int64_t whole[] = {WR_M4_WHOLE};
static const char *const keys[SIM_PROPERTIES] = {"flow_rate", "classification"};

static int64_t now_ms(void) { return sim.now_us / 1000; }

static struct wr_moment moment(void) {
  return (struct wr_moment){
      .now_ms = now_ms(), .wall_us = sim_wall_us(), .random = sim_random()};
}

/* --- values to the spool (write_arduino_cloud's write callback) ----------- */

static int64_t distance(int64_t a, int64_t b) { return a > b ? a - b : b - a; }

static void offer(int property, const struct wr_value *v, int64_t true_us) {
  struct sim_agent *a = &sim.agent;
  int64_t clock_us = sim_wall_us() - sim.now_us;
  if (a->spool == NULL)
    return;
  if (distance(clock_us, a->clock_us) > SIM_S) {
    a->clock_before_us = a->clock_us;
    a->clock_us = clock_us;
  }
  struct wr_row row = {.property = property,
                       .time_us = true_us + sim.wall_off_us,
                       .clock_us = clock_us,
                       .value = *v};
  enum wr_worth d =
      wr_policy_decide(a->policy + property, v, now_ms(), row.time_us, 2000000,
                       a->publisher.stats.spacing_ms);
  if (d == WR_SKIP)
    return;
  row.state = d == WR_CHANGE;
  if (wr_spool_offer(a->spool, &row) == 0)
    oracle_row(&row, true_us);
  if (a->commit_us == SIM_NEVER)
    a->commit_us = sim.now_us + COMMIT_US;
}

static void offer_label(const char *label) {
  struct wr_value v = {.kind = WR_VALUE_TEXT};
  snprintf(v.text, sizeof(v.text), "%s", label);
  offer(1, &v, SIM_EPOCH_US + sim.now_us);
}

/* --- samples to states (target_edge_impulse) ------------------------------ */

static const char *label_of(int state) {
  return state == WR_UNCERTAIN ? "uncertain"
         : state == EV_OFF     ? "Off"
                               : flow_class_names[state];
}

static void on_answer(const struct wr_decision *d) {
  const char *label = label_of(d->state);
  oracle_state(label, d->state == EV_ANOMALOUS || d->state == WR_UNCERTAIN);
  offer_label(label);
  wr_m4_offer(&sim.agent.life, NULL, label, d->score, ++sim.agent.window, 1000,
              sim.now_us);
}

static void on_sample(void *user, size_t which, size_t output, double value,
                      int64_t at_us) {
  struct sim_agent *a = user;
  (void)which, (void)output;
  oracle_sample(value, at_us);
  int64_t missing =
      a->heard_us == 0 ? 0 : (at_us - a->heard_us + SIM_S / 2) / SIM_S - 1;
  a->heard_us = at_us;
  for (int64_t i = 0; i < missing && i < AWAIT_MAX; i++)
    ev_agent_second(&a->alarm, NAN);
  a->alarm.model_dead = sim.model_dead;
  offer(0, &(struct wr_value){.kind = WR_VALUE_NUMBER, .number = value},
        SIM_EPOCH_US + at_us);
  if (ev_agent_second(&a->alarm, value))
    on_answer(&a->alarm.decision);
}

static void on_latency(void *user, size_t which, int64_t took_us,
                       int64_t at_us) {
  (void)user, (void)which, (void)took_us, (void)at_us;
}

static void on_health(void *user) { (void)user; }

static void on_event(void *user, enum wr_m4_event event, size_t which,
                     int64_t since_us, const char *why) {
  (void)user, (void)which, (void)since_us;
  sim_trace("m4_rpc event %d: %s", (int)event, why != NULL ? why : "");
}

/* --- start and end ---------------------------------------------------------
 */

static void start_m4(struct sim_agent *a) {
  a->method = (struct wr_m4_method){.name = "flow_rate",
                                    .interval_ms = 1000,
                                    .seq_index = -1,
                                    .indices = whole,
                                    .indices_count = 1,
                                    .scale = 1};
  a->report = (struct wr_m4_report){
      .method = "classification",
      .call = sim.seed % 4 < 2,
      .state = {.on_change = true,
                .heartbeat_ms = 60000,
                .backoff = WR_BACKOFF_INIT(2000, 2000, 30000)}};
  a->life = (struct wr_m4_life){
      .session = &a->session,
      .guard = &a->guard,
      .interval_ms = 1000,
      .random = sim_random,
      .methods = {&a->method},
      .methods_count = 1,
      .reports = {&a->report},
      .reports_count = 1,
      .sink = {a, on_sample, on_latency, on_health, on_event}};
  sim.wire.server = sim.seed % 2 == 1;
  if (wr_rpc_session_open(&a->session,
                          sim.wire.server ? WR_RPC_PERSISTENT : WR_RPC_PROXY,
                          1500, sim_random(), 2) != 0 ||
      wr_m4_open(&a->life) != 0)
    abort();
  wr_m4_start(&a->life, sim.now_us + sim_below(SIM_S), sim.now_us);
}

static void start_cloud(struct sim_agent *a) {
  if (directory[0] == '\0') {
    snprintf(directory, sizeof(directory), "/tmp/weir-simulate-XXXXXX");
    if (mkdtemp(directory) == NULL)
      abort();
    snprintf(spool_path, sizeof(spool_path), "%s/pump.db", directory);
  }
  for (int i = 0; i < SIM_PROPERTIES; i++) {
    a->policy[i] = (struct wr_policy){.dead_band = i == 0 ? 0.1 : 0,
                                      .min_ms = i == 0 ? 10000 : 0,
                                      .max_ms = 300000};
    a->property[i] =
        (struct wr_property){.key = keys[i],
                             .name = keys[i],
                             .kind = i == 0 ? WR_VALUE_NUMBER : WR_VALUE_TEXT};
  }
  a->spool = wr_spool_create(
      &(struct wr_spool_options){.path = spool_path,
                                 .power = true,
                                 .max_bytes = 16 << 20,
                                 .max_age_us = 30LL * 86400 * SIM_S,
                                 .memory_bytes = 1 << 20,
                                 .max_accepted = 32768,
                                 .boot = "simulated",
                                 .vfs = disk_register()},
      keys, SIM_PROPERTIES);
  if (a->spool == NULL)
    abort();
  wr_spool_open(a->spool, now_ms());
  struct wr_spool_status status;
  wr_spool_status(a->spool, &status);
  sim_trace("spool: opened with %lld rows, %s, %s %s", (long long)status.rows,
            status.in_memory ? "in memory" : "on disk", status.fault,
            status.note);
  struct wr_moment t = moment();
  if (wr_publisher_init(
          &a->publisher,
          &(struct wr_publisher_options){
              .link = {.url = "https://cloud.example",
                       .thing_id = "8f2d9a64-0b7e-5f43-9f0e-2a4c5d6e7f80",
                       .client_id = "id",
                       .client_secret = "secret",
                       .send = cloud_send},
              .rate = 0.9,
              .batch = 200,
              .daily_records = 100000},
          a->property, SIM_PROPERTIES, a->spool, &t) != 0)
    abort();
}

void agent_start(void) {
  struct sim_agent *a = &sim.agent;
  memset(a, 0, sizeof(*a));
  sim_trace("agent starts");
  a->up = true;
  a->start_us = SIM_NEVER;
  a->clock_us = sim_wall_us() - sim.now_us;
  a->commit_us = SIM_NEVER;
  a->publish_us = sim.now_us;
  ev_agent_init(&a->alarm, 10, 0);
  start_m4(a);
  start_cloud(a);
}

void agent_stop(bool killed) {
  struct sim_agent *a = &sim.agent;
  if (!a->up)
    return;
  sim_trace("agent %s", killed ? "is killed" : "ends");
  struct wr_spool_status status = {.in_memory = true};
  disk_freeze(killed);
  if (!killed) {
    wr_spool_commit(a->spool, now_ms(), sim_wall_us());
    wr_spool_status(a->spool, &status);
  }
  if (status.in_memory) /* what has found no disk ends with the process */
    oracle_killed();
  else
    oracle_committed();
  wr_publisher_free(&a->publisher);
  wr_spool_destroy(a->spool);
  disk_freeze(false);
  wr_m4_close(&a->life);
  wr_rpc_session_close(&a->session);
  ev_agent_free(&a->alarm);
  wire_cut();
  sim.wire.connected = false;
  a->up = false;
  a->start_us = SIM_NEVER;
}

/* --- the threads ------------------------------------------------------------
 */

static void step_m4(struct sim_agent *a) {
  enum wr_rpc_op before;
  wire_happen(&a->session);
  wr_rpc_tick(&a->session, sim.now_us);
  do {
    wire_serve(&a->session);
    before = a->session.op;
    wr_m4_step(&a->life, sim.now_us);
  } while (before == WR_OP_NONE && a->session.op != WR_OP_NONE);
  wire_serve(&a->session);
}

static void commit(struct sim_agent *a) {
  struct wr_spool_status status;
  a->commit_us = SIM_NEVER;
  int rows = wr_spool_commit(a->spool, now_ms(), sim_wall_us());
  wr_spool_status(a->spool, &status);
  if (!status.in_memory)
    oracle_committed();
  if (strcmp(a->fault, status.fault) != 0 || a->in_memory != status.in_memory)
    sim_trace("spool: %s, %s", status.in_memory ? "in memory" : "on disk",
              status.fault);
  a->in_memory = status.in_memory;
  snprintf(a->fault, sizeof(a->fault), "%s", status.fault);
  if (rows > 0 && a->publish_us > sim.now_us)
    a->publish_us = sim.now_us;
  if (status.thinned + status.dropped + status.expired > a->gone) {
    a->gone = status.thinned + status.dropped + status.expired;
    sim_trace("spool: %lld thinned, %lld dropped, %lld expired at %lld bytes",
              (long long)status.thinned, (long long)status.dropped,
              (long long)status.expired, (long long)status.bytes);
  }
  if (status.bytes > 16 << 20)
    sim_fail("the spool has %lld bytes", (long long)status.bytes);
  if (status.accepted > 0 || status.in_memory)
    a->commit_us = sim.now_us + 5 * SIM_S; /* the keeper's own tick */
}

static void publish(struct sim_agent *a) {
  struct wr_moment t = moment();
  sim.cloud.busy_us = 0;
  for (int i = 0; i < SIM_PROPERTIES; i++)
    a->property[i].alive = sim.now_us - a->heard_us < 15 * SIM_S;
  int64_t wait_ms = wr_publisher_step(&a->publisher, &t);
  oracle_rejected(a->publisher.stats.rejected);
  if (wait_ms < 0)
    sim_fail("the publisher wants its next step %lld ms ago",
             (long long)wait_ms);
  a->publish_us = sim.now_us + sim.cloud.busy_us + wait_ms * 1000;
}

void agent_step(void) {
  struct sim_agent *a = &sim.agent;
  if (!a->up && a->start_us <= sim.now_us)
    agent_start();
  if (!a->up)
    return;
  step_m4(a);
  if (a->commit_us <= sim.now_us)
    commit(a);
  if (a->publish_us <= sim.now_us)
    publish(a);
}

int64_t agent_next_us(void) {
  const struct sim_agent *a = &sim.agent;
  if (!a->up)
    return a->start_us;
  int64_t next = a->life.next_us;
  next = a->commit_us < next ? a->commit_us : next;
  return a->publish_us < next ? a->publish_us : next;
}

void agent_clean(void) {
  char lock[128];
  snprintf(lock, sizeof(lock), "%s-lock", spool_path);
  unlink(lock);
  rmdir(directory);
}
