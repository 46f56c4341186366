/* collectd's part: callbacks and threads of the plugins, one after another. */
#include "sim.h"

#include "lib/infer/labels.h"
#include "lib/spool/schema.h"

#include <errno.h>

#define COMMIT_US 1000 /* until the keeper has its turn */
#define SPOOL DISK_ROOT "pump.db"

static const int64_t whole[] = {WR_M4_WHOLE};
static const char *const keys[SIM_PROPERTIES] = {
    "flow_rate", "classification", "flow_rate_2", "classification_2"};

static int64_t now_ms(void) { return sim.now_us / 1000; }

static struct wr_moment moment(void) {
  return (struct wr_moment){
      .now_ms = now_ms(), .wall_us = sim_wall_us(), .random = sim_random()};
}

/* --- values to the spool (write_arduino_cloud) ---------------------------- */

static void soon(int64_t *at_us, int64_t us) {
  if (us < *at_us)
    *at_us = us;
}

static void offer(struct wr_row *row, int64_t true_us) {
  struct sim_agent *a = &sim.agent;
  row->clock_us =
      wr_stamps_clock(&a->stamps, row->time_us, sim.now_us, sim_wall_us());
  kept_row(row, true_us, wr_spool_offer(a->spool, row));
  soon(&a->commit_us, sim.now_us + COMMIT_US);
}

static void take(int property, const struct wr_value *v, int64_t true_us,
                 int64_t stamp_us) {
  struct sim_agent *a = &sim.agent;
  struct wr_row row = {.property = property, .time_us = stamp_us, .value = *v};
  wr_age_heard(&a->age[property], 1000, now_ms());
  enum wr_worth d =
      wr_policy_decide(a->policy + property, v, now_ms(), row.time_us, 2000000,
                       a->publisher.stats.spacing_ms);
  row.state = d == WR_CHANGE;
  if (d != WR_SKIP)
    offer(&row, true_us);
}

void agent_flow(const struct sim_value *v) {
  take(2 * v->b,
       &(struct wr_value){.kind = WR_VALUE_NUMBER, .number = v->number},
       v->true_us, v->stamp_us);
}

void agent_label(const struct sim_value *v) {
  struct wr_value text = {.kind = WR_VALUE_TEXT};
  snprintf(text.text, sizeof(text.text), "%s", v->label);
  seen_written(v->b, v->label);
  take(2 * v->b + 1, &text, v->true_us, v->stamp_us);
  wr_m4_offer(&sim.agent.pipe[v->b].life, NULL, v->label, v->number, v->window,
              1000, sim.now_us);
}

/* Labels that nobody renews; the keeper's. */
static void age_labels(void) {
  struct sim_agent *a = &sim.agent;
  wr_stamps_look(&a->stamps, sim.now_us, sim_wall_us());
  for (int i = 0; i < SIM_PROPERTIES; i++) {
    if (!wr_age_over(&a->age[i], a->begun_us / 1000, now_ms()))
      continue;
    struct wr_row row = {
        .property = i,
        .time_us = sim_wall_us(),
        .state = true,
        .value = {.kind = WR_VALUE_TEXT, .text = WR_ARRIVAL_UNKNOWN}};
    wr_policy_take(&a->policy[i], &row.value, now_ms());
    offer(&row, SIM_EPOCH_US + sim.now_us);
  }
}

/* --- what the life of an M4 tells (m4_rpc) -------------------------------- */

static int board_of(void *pipe) {
  return (int)((struct sim_pipe *)pipe - sim.agent.pipe);
}

static void on_sample(void *pipe, size_t which, size_t output, double value,
                      int64_t at_us) {
  int b = board_of(pipe);
  (void)which, (void)output;
  seen_sample(b, value, at_us);
  queue_put(
      &(struct sim_value){.kind = SIM_FLOW,
                          .b = b,
                          .number = value,
                          .true_us = SIM_EPOCH_US + at_us,
                          .stamp_us = SIM_EPOCH_US + at_us + sim.wall_off_us});
}

static void on_latency(void *pipe, size_t which, int64_t took_us,
                       int64_t at_us) {
  (void)pipe, (void)which, (void)took_us, (void)at_us;
}

static void on_health(void *pipe) { (void)pipe; }

static void on_event(void *pipe, enum wr_m4_event event, size_t which,
                     int64_t since_us, const char *why) {
  (void)which, (void)since_us;
  sim_trace("%d: m4_rpc event %d: %s", board_of(pipe), (int)event,
            why != NULL ? why : "");
}

/* --- start and end -------------------------------------------------------- */

static void start_m4(int b) {
  struct sim_pipe *p = &sim.agent.pipe[b];
  struct sim_wire *w = &sim.wire[b];
  p->method = (struct wr_m4_method){.name = "flow_rate",
                                    .interval_ms = 1000,
                                    .seq_index = -1,
                                    .indices = whole,
                                    .indices_count = 1,
                                    .scale = 1};
  p->ghost = p->method;
  p->ghost.name = "ghost";
  p->report =
      (struct wr_m4_report){.method = "classification",
                            .call = sim.seed % 4 < 2,
                            .state = {.on_change = true,
                                      .heartbeat_ms = WR_LABEL_HEARTBEAT_MS,
                                      .backoff = WR_LABEL_BACKOFF}};
  w->server = (sim.seed + (uint64_t)b) % 2 == 1;
  w->router = (sim.seed + (uint64_t)b) % 4 == 1;
  p->report.serve = (sim.seed + (uint64_t)b) % 8 == 1;
  p->life = (struct wr_m4_life){
      .session = &p->session,
      .guard = &p->guard,
      .interval_ms = 1000,
      .random = sim_random,
      .methods = {&p->method, &p->ghost},
      .methods_count = (sim.seed + (uint64_t)b) % 5 == 0 ? 2 : 1,
      .reports = {&p->report},
      .reports_count = 1,
      .sink = {p, on_sample, on_latency, on_health, on_event}};
  w->crashes = 0; /* what the guard knows of */
  if (wr_rpc_session_open(&p->session,
                          w->server ? WR_RPC_PERSISTENT : WR_RPC_PROXY, 1500,
                          sim_random(), 3) != 0 ||
      wr_m4_open(&p->life) != 0)
    abort();
  wr_m4_start(&p->life, sim.now_us + sim_below(SIM_S), sim.now_us);
}

static const struct wr_spool_options spool_options = {
    .path = SPOOL,
    .power = true,
    .max_bytes = SIM_SPOOL_BYTES,
    .max_age_us = 30LL * 86400 * SIM_S,
    .memory_bytes = 1 << 20,
    .max_accepted = SIM_ACCEPTED,
    .boot = "simulated"};

static void start_spool(struct sim_agent *a) {
  struct wr_spool_status status;
  a->spool = wr_spool_create(&spool_options, keys, SIM_PROPERTIES);
  if (a->spool == NULL)
    abort();
  wr_spool_open(a->spool, now_ms());
  wr_spool_status(a->spool, &status);
  sim_trace("spool: opened with %lld rows, %s, %s %s", (long long)status.rows,
            status.in_memory ? "in memory" : "on disk", status.fault,
            status.note);
}

static void start_cloud(struct sim_agent *a) {
  for (int i = 0; i < SIM_PROPERTIES; i++) {
    bool number = i % 2 == 0;
    a->age[i].limit_ms = number ? 0 : -1;
    a->policy[i] = (struct wr_policy){.dead_band = number ? 0.1 : 0,
                                      .min_ms = number ? 10000 : 0,
                                      .max_ms = 300000};
    a->property[i] =
        (struct wr_property){.key = keys[i],
                             .name = keys[i],
                             .kind = number ? WR_VALUE_NUMBER : WR_VALUE_TEXT};
  }
  start_spool(a);
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
              .batch = SIM_BATCH,
              .daily_records = SIM_DAILY},
          a->property, SIM_PROPERTIES, a->spool, &t) != 0)
    abort();
}

void agent_start(void) {
  struct sim_agent *a = &sim.agent;
  memset(a, 0, sizeof(*a));
  sim_trace("agent starts");
  a->up = true;
  a->start_us = SIM_NEVER;
  a->begun_us = sim.now_us;
  a->commit_us = sim.now_us + SIM_KEEPER_US;
  a->publish_us = sim.now_us;
  seen_start();
  base_start();
  for (int b = 0; b < SIM_BOARDS; b++) {
    edge_start(b);
    start_m4(b);
  }
  start_cloud(a);
}

static void stop_m4(int b) {
  struct sim_pipe *p = &sim.agent.pipe[b];
  wr_m4_close(&p->life);
  wr_rpc_session_close(&p->session);
  edge_stop(b);
  wire_cut(b);
  sim.wire[b].connected = false;
}

void agent_stop(bool killed) {
  struct sim_agent *a = &sim.agent;
  if (!a->up)
    return;
  sim_trace("agent %s", killed ? "is killed" : "ends");
  struct wr_spool_status status = {.in_memory = true};
  queue_forget();
  disk_freeze(killed);
  if (!killed) {
    wr_spool_commit(a->spool, now_ms(), sim_wall_us());
    wr_spool_status(a->spool, &status);
    base_save();
  }
  if (status.in_memory) /* what has found no disk ends with the process */
    kept_killed();
  else
    kept_committed();
  wr_publisher_free(&a->publisher);
  wr_spool_destroy(a->spool);
  disk_freeze(false);
  for (int b = 0; b < SIM_BOARDS; b++)
    stop_m4(b);
  a->up = false;
  a->start_us = SIM_NEVER;
  if (memory_held() != 0 || files_open() != 0)
    sim_fail("ceilings: the agent has ended and holds %lld bytes and %d files",
             (long long)memory_held(), files_open());
}

void agent_other_version(int version) {
  sqlite3 *db = NULL;
  int is = 0;
  if (sqlite3_open_v2(SPOOL, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
      wr_schema_version(db, &is) == SQLITE_OK && is == WR_SCHEMA_VERSION) {
    char later[48];
    snprintf(later, sizeof(later), "PRAGMA user_version=%d", version);
    int code = version < is ? wr_schema_migrate(db, is, version)
                            : sqlite3_exec(db, later, NULL, NULL, NULL);
    sim_trace("the spool is of version %d now: %s", version,
              sqlite3_errstr(code));
  }
  sqlite3_close(db);
}

/* --- the threads ---------------------------------------------------------- */

static void step_m4(int b) {
  struct sim_pipe *p = &sim.agent.pipe[b];
  enum wr_rpc_op before;
  wire_happen(b, &p->session);
  wr_rpc_tick(&p->session, sim.now_us);
  do {
    wire_serve(b, &p->session);
    before = p->session.op;
    wr_m4_step(&p->life, sim.now_us);
  } while (before == WR_OP_NONE && p->session.op != WR_OP_NONE);
  wire_serve(b, &p->session);
}

static void note_gone(struct sim_agent *a,
                      const struct wr_spool_status *status) {
  int64_t gone = status->thinned + status->dropped + status->expired;
  if (gone > a->gone)
    sim_trace("spool: %lld thinned, %lld dropped, %lld expired at %lld bytes",
              (long long)status->thinned, (long long)status->dropped,
              (long long)status->expired, (long long)status->bytes);
  a->gone = gone;
  if (memory_held() > SIM_HELD_BYTES)
    sim_fail("ceilings: the agent holds %lld bytes", (long long)memory_held());
  if (status->bytes > SIM_SPOOL_BYTES)
    sim_fail("ceilings: the spool has %lld bytes", (long long)status->bytes);
}

/* While the cloud answers values wait in memory for it, see threads.c. */
static int64_t hold_ms(const struct sim_agent *a) {
  const struct wr_publisher_stats *s = &a->publisher.stats;
  return s->state == WR_LINK_OK && s->requests > 0 ? SIM_HOLD_VALUES_MS : 0;
}

/* The keeper. */
static void commit(struct sim_agent *a) {
  struct wr_spool_status status;
  age_labels();
  a->commit_us = sim.now_us + SIM_KEEPER_US;
  int64_t due_ms;
  int rows =
      wr_spool_keep(a->spool, now_ms(), sim_wall_us(), hold_ms(a), &due_ms);
  if (due_ms != INT64_MAX)
    soon(&a->commit_us, due_ms * 1000);
  wr_spool_status(a->spool, &status);
  if (!status.in_memory && status.accepted == 0)
    kept_committed();
  if (strcmp(a->fault, status.fault) != 0 || a->in_memory != status.in_memory)
    sim_trace("spool: %s, %s", status.in_memory ? "in memory" : "on disk",
              status.fault);
  a->in_memory = status.in_memory;
  snprintf(a->fault, sizeof(a->fault), "%s", status.fault);
  if (rows > 0)
    soon(&a->publish_us, sim.now_us);
  note_gone(a, &status);
}

static void publish(struct sim_agent *a) {
  struct wr_moment t = moment();
  sim.cloud.busy_us = 0;
  for (int i = 0; i < SIM_PROPERTIES; i++)
    a->property[i].alive = wr_age_alive(&a->age[i], now_ms());
  int64_t wait_ms = wr_publisher_step(&a->publisher, &t);
  kept_rejected(a->publisher.stats.rejected);
  if (wait_ms < 0)
    sim_fail("the publisher wants its next step %lld ms ago",
             (long long)-wait_ms);
  a->publish_us = sim.now_us + sim.cloud.busy_us + wait_ms * 1000;
}

static void work(struct sim_agent *a) {
  for (int b = 0; b < SIM_BOARDS; b++) {
    step_m4(b);
    if (a->pipe[b].look_us <= sim.now_us)
      edge_look(b);
  }
  if (a->commit_us <= sim.now_us)
    commit(a);
  if (a->publish_us <= sim.now_us)
    publish(a);
  if (a->save_us <= sim.now_us)
    base_save();
}

void agent_step(void) {
  struct sim_agent *a = &sim.agent;
  if (!a->up && a->start_us <= sim.now_us)
    agent_start();
  if (!a->up)
    return;
  memory_working(true);
  work(a);
  memory_working(false);
}

int64_t agent_next_us(void) {
  const struct sim_agent *a = &sim.agent;
  int64_t next = SIM_NEVER;
  if (!a->up)
    return a->start_us;
  for (int b = 0; b < SIM_BOARDS; b++) {
    soon(&next, a->pipe[b].life.next_us);
    soon(&next, a->pipe[b].look_us);
  }
  soon(&next, a->commit_us);
  soon(&next, a->publish_us);
  soon(&next, a->save_us);
  return next;
}
