/* simulate: the whole pipe in one process, one thread and virtual time.
 *
 *   plant, sensor, sketch (board)  ~~ wire ~~  life, window, model, verdict,
 *   label report, spool on a disk of ours (disk), publisher  ~~  cloud
 *
 * What runs between the wire and the cloud is the shipped code; `agent` stands
 * for collectd's callbacks and threads alone. `faults` breaks things, `oracle`
 * knows what is true. Everything that happens follows from the seed: the same
 * seed and code give the same run, to the byte of the trace.
 *
 * Times: now_us is the machine's monotonic clock and, with SIM_EPOCH_US added,
 * the true time, which the cloud has; the machine's wall clock is off by
 * wall_off_us. */
#ifndef WEIR_TESTS_SIM_H
#define WEIR_TESTS_SIM_H

#include "firmware/libraries/WeirFlow/src/flow_meter.h"
#include "firmware/libraries/WeirFlow/src/weir_alarm.h"
#include "lib/cloud/publisher.h"
#include "lib/m4/life.h"
#include "tests/evaluate/evaluate.h"
#include "tests/sim/m4sim_plant.h"

#include <stdio.h>

#define SIM_S 1000000LL
#define SIM_EPOCH_US 1767225600000000LL /* 2026-01-01 */
#define SIM_NEVER INT64_MAX
#define SIM_PROPERTIES 2   /* flow_rate, classification */
#define SIM_HOLD_MS 150000 /* the sketch's */

/* --- the bounds, as the headers and man pages state them --- */

/* From a fault to the output, when all else is healthy. */
#define SIM_ALARM_US (30 * SIM_S)
/* The output may say "well" so long after the last well state: the report's
 * age limit (label_report.h), a heartbeat that was lost, the sketch's hold. */
#define SIM_WELL_US (WR_LABEL_AGE_MS * 1000LL + SIM_HOLD_MS * 1000LL + SIM_S)
#define SIM_HEAL_US (240 * SIM_S) /* from the last fault's end to labels */
#define SIM_STAMP_US (31 * SIM_S) /* choice.h: less is no step of a clock */
#define SIM_DRAIN_US (12 * 3600 * SIM_S) /* at most, for what waits */

/* --- the M4 ------------------------------------------------------------------
 */

struct sim_reading {
  double value;
  int64_t from_us, to_us; /* while it was the latched one */
};

struct sim_board {
  struct ms_scenario scenario;
  struct ms_plant plant;
  struct weir_alarm alarm;
  bool up;     /* the M4 runs */
  bool silent; /* it runs, but answers nothing */
  int64_t boot_us, gate_us;
  uint32_t seq, millis0;
  int64_t serial; /* of readings, makes each one unlike all others */
  double latched; /* NaN before the first gate */
  struct sim_reading past[64]; /* what it said lately; a ring */
  size_t readings;
  bool output; /* high: all is well */
  int64_t busy_until_us;
};

/* Its plant plays two hours again and again; then, at last, nothing but steady
 * flow. */
void board_begin(void);
void board_calm(void);
void board_boot(void);
void board_gate(void);
uint32_t board_millis(void);
/* One request or notification; the reply's bytes, 0: none. */
size_t board_hear(const uint8_t *data, size_t len, uint8_t *reply);
void board_look(void); /* at the output: tells the oracle of changes */

/* --- the way to it -----------------------------------------------------------
 */

#define WIRE_CHANNEL 16

struct sim_packet {
  uint8_t data[WR_RPC_REPLY_MAX];
  size_t len;
  int64_t at_us;
};

struct sim_wire {
  bool server;           /* keeps connections; else an m4-proxy */
  int64_t away_until_us; /* nobody listens */
  bool connected;
  int64_t closes_us; /* the proxy gives up on a silent M4 */
  bool wants;        /* the proxy waits for the channel */
  struct sim_packet channel[WIRE_CHANNEL]; /* from the M4, in order */
  size_t waiting;
  struct sim_packet inbox[WIRE_CHANNEL]; /* on its way to the agent */
  size_t inbox_count;
  int64_t end_us; /* the connection ends; SIM_NEVER: not */
  int late_every, torn_every, twice_every; /* one in so many; 0: none */
};

void wire_cut(void); /* whatever is open ends */
void wire_serve(struct wr_rpc_session *s);
void wire_happen(struct wr_rpc_session *s);
int64_t wire_next_us(void);

/* --- the disk ----------------------------------------------------------------
 */

enum disk_state { DISK_GOOD, DISK_FULL, DISK_READ_ONLY, DISK_BROKEN };

/* A VFS of SQLite in memory; what was not synced may be lost at a power cut. */
const char *disk_register(void);
bool disk_is_good(void);
void disk_set(enum disk_state state, int fail_every);
/* From here nothing reaches it: the process or the machine is dead. */
void disk_freeze(bool frozen);
/* What was written and not synced is lost, but for a random beginning. */
void disk_power_cut(void);
void disk_wipe(void);

/* --- the cloud ---------------------------------------------------------------
 */

enum cloud_mode {
  CLOUD_GOOD,
  CLOUD_GONE,   /* refused at once */
  CLOUD_BLACK,  /* time-outs */
  CLOUD_PORTAL, /* somebody else answers: `status`, with HTML or nothing */
  CLOUD_STATUS, /* the service answers `status` to everything but tokens */
  CLOUD_DEAF,   /* takes values, but the reply is lost */
  CLOUD_FLAKY,  /* a random one of these for each request */
};

struct sim_cloud {
  enum cloud_mode mode;
  int status;
  int64_t retry_after_ms;
  int64_t token_until_us;
  int64_t last_us; /* the last request that the service saw */
  int64_t busy_us; /* how long the last request took */
  int64_t day, records;
};

int cloud_send(void *arg, const struct wr_http_request *request,
               struct wr_http_reply *reply);

/* --- the agent: collectd's callbacks and threads -----------------------------
 */

struct sim_agent {
  bool up;
  int64_t start_us; /* when it comes back */
  struct wr_m4_life life;
  struct wr_rpc_session session;
  struct wr_rpc_guard guard;
  struct wr_m4_method method;
  struct wr_m4_report report;
  struct ev_agent alarm;
  struct wr_policy policy[SIM_PROPERTIES];
  struct wr_property property[SIM_PROPERTIES];
  struct wr_spool *spool;
  struct wr_publisher publisher;
  int64_t commit_us, publish_us; /* when due */
  int64_t heard_us;              /* of the last sample */
  int64_t clock_us, clock_before_us;
  int64_t window;
  int64_t gone;   /* rows that the spool has given up */
  bool in_memory; /* of the spool, as told last */
  char fault[256];
};

void agent_start(void);
/* As SIGTERM, or as SIGKILL: then nothing is told to anybody. */
void agent_stop(bool killed);
void agent_step(void);
int64_t agent_next_us(void);
/* Removes what it left in /tmp. */
void agent_clean(void);
int64_t sim_wall_us(void);

/* --- what breaks -------------------------------------------------------------
 */

#define FAULTS 12

struct sim_fault {
  int64_t from_us, until_us; /* the next one, or the one in force */
  bool on;
};

struct sim_faults {
  struct sim_fault at[FAULTS];
  bool quiet;        /* no more of them */
  int64_t healed_us; /* since when nothing is broken; SIM_NEVER: it is */
};

void faults_init(void);
void faults_step(void);
int64_t faults_next_us(void);
void faults_end(void); /* all of them: the quiet phase */

/* --- the oracle --------------------------------------------------------------
 */

void oracle_init(void);
void oracle_free(void);
/* A value reached the agent from the call that went out then. */
void oracle_sample(double value, int64_t call_us);
void oracle_state(const char *label, bool alarming);
void oracle_output(bool well);
void oracle_second(void);
/* A row was handed to the spool; a commit made all so far safe; a kill threw
 * the others away. */
void oracle_row(const struct wr_row *row, int64_t true_us);
void oracle_committed(void);
void oracle_killed(void);
/* A request reached the service. */
void oracle_request(bool token);
/* The service has taken a value. stamp_us 0: live. */
void oracle_recorded(int property, const struct wr_value *v, int64_t stamp_us);
/* A batch of this one value was not taken. */
void oracle_refused(int property, const struct wr_value *v, int64_t stamp_us);
void oracle_budget(int64_t records);
void oracle_rejected(int64_t count);
/* At the end of the quiet phase. */
void oracle_final(void);
void oracle_report(FILE *f);

/* --- the world ---------------------------------------------------------------
 */

struct sim {
  uint64_t seed;
  struct ms_rng rng;
  int64_t now_us, end_us;
  int64_t wall_off_us;
  bool model_dead;
  FILE *trace;
  struct sim_board board;
  struct sim_wire wire;
  struct sim_cloud cloud;
  struct sim_agent agent;
  struct sim_faults faults;
};
extern struct sim sim;

uint32_t sim_random(void);
/* 0 .. n - 1 */
int64_t sim_below(int64_t n);
bool sim_one_in(int64_t n); /* never for n 0 */
/* Somewhere in between, small ones as likely as large ones. */
int64_t sim_span(int64_t least, int64_t most);
void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A promise is broken: says so with the seed and how to see it, and ends. */
void sim_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
