/* simulate: the whole pipe in one process, one thread and virtual time.
 *
 *   plant, sensor, sketch (board)  ~~ wire ~~  life (agent)
 *        ^                                      |  queue: collectd's values
 *        |                                      v
 *        +--- label report <-- window, model, verdict, standing (edge),
 *                              baseline and its state file (base)
 *                                               |
 *             cloud <-- publisher, spool on a disk of ours (agent, disk, files)
 *
 * What runs between the wire and the cloud is the shipped code; `agent`,
 * `edge`, `base` and `queue` stand for collectd's callbacks and threads alone.
 * `faults` breaks things, `memory` lets allocations fail, the oracle knows what
 * is true: `seen` of readings, states and the output, `kept` of values on their
 * way to the cloud. Everything that happens follows from the seed: the same
 * seed and code give the same run, to the byte of the trace.
 *
 * There are SIM_BOARDS boards with a plant, an M4 and a way to it each; `b` is
 * the number of one. Times: now_us is the machine's monotonic clock and, with
 * SIM_EPOCH_US added, the true time, which the cloud has; the machine's wall
 * clock is off by wall_off_us. */
#ifndef WEIR_TESTS_SIM_H
#define WEIR_TESTS_SIM_H

#include "firmware/libraries/WeirFlow/src/flow_meter.h"
#include "firmware/libraries/WeirFlow/src/weir_alarm.h"
#include "lib/cloud/arrival.h"
#include "lib/cloud/publisher.h"
#include "lib/flow/baseline.h"
#include "lib/flow/shipped.h"
#include "lib/flow/standing.h"
#include "lib/flow/steady.h"
#include "lib/m4/life.h"
#include "tests/evaluate/evaluate.h"
#include "tests/sim/m4sim_plant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIM_BOARDS 2
#define SIM_S 1000000LL
#define SIM_MS 1000LL
#define SIM_EPOCH_US 1767225600000000LL /* 2026-01-01 */
#define SIM_NEVER INT64_MAX
/* Of each board: 2 b is its flow, 2 b + 1 its label. */
#define SIM_PROPERTIES (2 * SIM_BOARDS)

#include "tests/simulate/bounds.h"

/* --- the M4 --------------------------------------------------------------- */

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
  bool blind;  /* it answers that it has no reading */
  int64_t boot_us, gate_us;
  uint32_t seq, millis0;
  int64_t serial; /* of readings, makes each one unlike all others */
  double latched; /* NaN before the first gate */
  struct sim_reading past[64]; /* what it said lately; a ring */
  size_t readings;
  bool output; /* high: all is well */
  int64_t busy_until_us;
  int64_t behind_us;   /* it is late until then with what it was asked */
  int64_t steady_us;   /* since when its flow is one level; 0: it is not */
  int64_t restless_us; /* when the flow last came and went by itself */
};

/* The plant of the first board plays two and a half hours again and again; then
 * at last nothing but steady flow. That of the others is steady all along. */
void board_begin(int b);
void board_calm(int b);
void board_boot(int b);
void board_gate(int b);
/* One request or notification; the reply's bytes, 0: none. */
size_t board_hear(int b, const uint8_t *data, size_t len, uint8_t *reply);
void board_look(int b); /* at the output: tells the oracle of changes */
/* A report, as text; -1: it is none. */
int board_told(int b, const uint8_t *text, size_t len);

/* --- the way to it -------------------------------------------------------- */

#define WIRE_CHANNEL 16
#define WIRE_RESTART_US (2 * SIM_S) /* systemd's, of a crashed m4-proxy */

struct sim_packet {
  uint8_t data[WR_RPC_REPLY_MAX];
  size_t len;
  int64_t at_us;
};

struct sim_wire {
  bool server;         /* keeps connections; else an m4-proxy */
  bool router;         /* a server between, as arduino-router */
  bool registered;     /* there: who asks for the label is sent to the agent */
  bool away;           /* nobody listens */
  bool hollow;         /* a tunnel whose far side is away: what is accepted
                        * ends at once */
  int64_t restarts_us; /* a crashed proxy is back then */
  int64_t crash_us[4 * WR_GUARD_CRASHES]; /* by our own calls; a ring */
  size_t crashes;
  bool connected;
  bool early;        /* nothing has come of it yet */
  int64_t closes_us; /* the proxy gives up on a silent M4 */
  bool wants;        /* the proxy waits for the channel */
  struct sim_packet channel[WIRE_CHANNEL]; /* from the M4, in order */
  size_t waiting;
  struct sim_packet inbox[WIRE_CHANNEL]; /* on its way to the agent */
  size_t inbox_count;
  int64_t end_us; /* the connection ends; SIM_NEVER: not */
  /* one in so many; 0: none */
  int late_every, torn_every, twice_every, cut_every;
  long answers; /* since the last cut */
};

void wire_cut(int b); /* whatever is open ends */
void wire_crash(int b);
/* The sketch asks for the label, once a second, where it is registered. */
void wire_ask(int b);
void wire_serve(int b, struct wr_rpc_session *s);
void wire_happen(int b, struct wr_rpc_session *s);
int64_t wire_next_us(int b);

/* --- the disk ------------------------------------------------------------- */

#define DISK_ROOT "/simulated/"

enum disk_state { DISK_GOOD, DISK_FULL, DISK_READ_ONLY, DISK_BROKEN };

/* A VFS of SQLite in memory; what was not synced may be lost at a power cut.
 * `files` lets the C library's functions see the same files. */
void disk_register(void);
bool disk_is_good(void);
void disk_set(enum disk_state state, int fail_every);
/* From here nothing reaches it: the process or the machine is dead. */
void disk_freeze(bool frozen);
/* What was written and not synced is lost, but for a random beginning. */
void disk_power_cut(void);
void disk_wipe(void);

/* For files.c: as the VFS, 0 or -errno. */
struct file;
struct file *disk_find(const char *name, bool make);
int disk_open(struct file *f, int by); /* counts who has it open */
int disk_read(struct file *f, void *out, size_t len, int64_t at);
int disk_write(struct file *f, const void *data, size_t len, int64_t at);
int disk_cut(struct file *f, int64_t size);
int disk_sync(struct file *f);
int64_t disk_size(const struct file *f);
int disk_may_create(void);
int disk_remove(const char *name);
int disk_rename(const char *from, const char *to);

/* --- memory: the allocator of the shipped code ----------------------------
 * One allocation in `every` fails while the agent works; 0: none. The
 * simulator's own never do: they go around it. */
void memory_short(int every);
void memory_working(bool on);
bool memory_is_short(void);
int64_t memory_held(void); /* by the shipped code and SQLite, in bytes */
int files_open(void);      /* of the C library's, on our disk */
void memory_register(void);
void memory_report(FILE *f);

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *p);
#define malloc __real_malloc
#define calloc __real_calloc
#define realloc __real_realloc

/* --- the cloud ------------------------------------------------------------ */

enum cloud_mode {
  CLOUD_GOOD,
  CLOUD_GONE,   /* refused at once */
  CLOUD_BLACK,  /* time-outs */
  CLOUD_PORTAL, /* somebody else answers: `status`, with HTML or nothing */
  CLOUD_STATUS, /* the service answers `status` to everything but tokens */
  CLOUD_DEAF,   /* takes values, but the reply is lost */
  CLOUD_POISON, /* one value makes the service fail: 500 */
  CLOUD_SMALL,  /* a batch of more than `most` rows takes too long */
  CLOUD_FLAKY,  /* a random one of the modes for each request */
};

struct sim_cloud {
  enum cloud_mode mode;
  int status;
  int64_t retry_after_ms;
  int most;
  double poison; /* NaN: the next old one that comes */
  int64_t token_until_us;
  int64_t last_us; /* the last request that the service saw */
  int64_t busy_us; /* how long the last request took */
  int64_t day, records;
  /* What its dashboard shows of each property, and since when. */
  char shown[SIM_PROPERTIES][WR_TEXT_MAX + 1];
};

int cloud_send(void *arg, const struct wr_http_request *request,
               struct wr_http_reply *reply);

/* --- the agent: collectd's callbacks and threads -------------------------- */

/* collectd's values between read, chain and writers. */
enum sim_kind { SIM_FLOW, SIM_LABEL };
struct sim_value {
  enum sim_kind kind;
  int b;
  double number; /* the flow, or the score */
  char label[WR_LABEL_MAX];
  int64_t true_us, stamp_us, window;
};

/* What one M4 has in the agent. */
struct sim_pipe {
  struct wr_m4_life life;
  struct wr_rpc_session session;
  struct wr_rpc_guard guard;
  struct wr_m4_method method, ghost; /* of a name that no M4 has bound */
  struct wr_m4_report report;
  /* edge.c */
  struct ev_agent alarm;
  struct wr_steady clock;
  struct wr_standing stands;
  int64_t look_us;           /* the watch's */
  int64_t window, fed_us;    /* when the newest sample came */
  int64_t true_us, stamp_us; /* of that */
  bool own_clock;            /* it is stamped by ours */
  uint64_t judged;           /* windows */
  /* base.c */
  struct wr_baseline baseline;
};

struct sim_agent {
  bool up;
  int64_t start_us; /* when it comes back */
  int64_t begun_us;
  struct sim_pipe pipe[SIM_BOARDS];
  struct wr_policy policy[SIM_PROPERTIES];
  struct wr_property property[SIM_PROPERTIES];
  struct wr_age age[SIM_PROPERTIES];
  struct wr_stamps stamps;
  struct wr_spool *spool;
  struct wr_publisher publisher;
  int64_t commit_us, publish_us, save_us; /* when due */
  int64_t gone;                           /* rows that the spool has given up */
  bool in_memory;                         /* of the spool, as told last */
  char fault[256];
};

void agent_start(void);
/* As SIGTERM, or as SIGKILL: then nothing is told to anybody. */
void agent_stop(bool killed);
void agent_step(void);
int64_t agent_next_us(void);
/* A flow or a label arrives at write_arduino_cloud and m4_rpc. */
void agent_flow(const struct sim_value *v);
void agent_label(const struct sim_value *v);
/* While it is down another version uses its spool, and leaves it as `version`.
 */
void agent_other_version(int version);
int64_t sim_wall_us(void);

void queue_put(const struct sim_value *v);
/* Somebody's write callback hangs: values wait, and then come all at once. */
void queue_hold(bool on);
/* Is what arrives part of such a flood? */
bool queue_drains(void);
void queue_forget(void);

/* target_edge_impulse: worker and watch. */
void edge_start(int b);
void edge_stop(int b);
void edge_sample(const struct sim_value *v);
void edge_look(int b);
struct wr_standing_rules edge_rules(void);

/* target_flow_baseline: invoke() and its worker. */
void base_start(void);
void base_sample(const struct sim_value *v);
void base_save(void);

/* --- what breaks ---------------------------------------------------------- */

enum sim_domain {             /* bits */
                  SIM_M4 = 1, /* the M4 and the way to it */
                  SIM_MODEL = 2,
                  SIM_CLOUD = 4,
                  SIM_PROCESS = 8, /* the agent is down */
                  SIM_CLOCK = 16,
                  SIM_DISK = 32,
                  SIM_QUEUE = 64,
                  SIM_MEMORY = 128,
                  SIM_ALL = 255
};

#define FAULTS 18

struct sim_fault {
  int64_t from_us, until_us; /* the next one, or the one in force */
  int b;                     /* which board */
  bool on;
};

struct sim_faults {
  struct sim_fault at[FAULTS];
  bool quiet; /* no more of them */
};

void faults_init(void);
void faults_step(void);
int64_t faults_next_us(void);
void faults_end(void); /* all of them: the quiet phase */
/* For how long nothing of these domains has been broken. */
int64_t faults_calm(int domains);
/* The same of what concerns board `b`. */
int64_t faults_calm_of(int domains, int b);
/* For how long the fault of this domain has been in force; 0: it is not. */
int64_t faults_for(int domain);

/* --- the oracle: what is seen --------------------------------------------- */

void seen_init(void);
/* A value reached the agent from the call that went out then. */
void seen_sample(int b, double value, int64_t call_us);
/* The edge got a sample; it shows a state; it tells its health. */
void seen_fed(int b);
void seen_state(int b, const char *label, bool alarming);
void seen_health(int b);
/* A label reached the writers. */
void seen_written(int b, const char *label);
void seen_output(int b, bool well);
void seen_start(void);
/* A proxy crashed by a call of ours. */
void seen_crash(int b, int in_a_row);
/* A connection to the proxy has ended, early or after its time. */
void seen_end(int b, bool early);
/* The service shows a label. */
void seen_shown(int b, const char *label);
void seen_baseline(int b, const struct wr_baseline *was,
                   const struct wr_baseline *is);
void seen_saved(const char *text, size_t len, bool ok);
void seen_loaded(const char *text, size_t len);
void seen_second(void);
void seen_final(void);
void seen_report(FILE *f);
void seen_free(void);

/* --- the oracle: what is kept --------------------------------------------- */

void kept_init(void);
void kept_free(void);
/* A row was handed to the spool (0, or -ENOSPC: the oldest one gave way); a
 * commit made all so far safe; a kill threw the others away. */
void kept_row(const struct wr_row *row, int64_t true_us, int status);
void kept_committed(void);
void kept_killed(void);
/* Could another version tell when all that waits was so? */
bool kept_has_plain_stamps(void);
/* From here back what was delivered may go once more: a kill, a power cut, a
 * disk or memory that failed. */
void kept_excuse(void);
/* A request reached the service. */
void kept_request(bool token);
/* The service has taken a value. stamp_us 0: live. */
void kept_recorded(int property, const struct wr_value *v, int64_t stamp_us);
/* A batch of this one value was not taken. */
void kept_refused(int property, const struct wr_value *v, int64_t stamp_us);
/* The end of a request: did the agent hear that its values were taken? */
void kept_answered(bool ok);
void kept_budget(int64_t records);
void kept_rejected(int64_t count);
void kept_second(void);
/* At the end of the quiet phase. */
void kept_final(void);
void kept_report(FILE *f);

/* --- the oracle: what the machine's clock said ----------------------------
 */

/* From now on it is off by sim.wall_off_us. */
void clocks_set(void);
/* A value of `true_us`, stamped `stamp_us`, arrives now: the youngest instant
 * that this stamp can mean by the clocks of late. Where the machine's clock was
 * set while a writer hung, that is another one, and arrival.h takes it. */
int64_t clocks_youngest(int64_t true_us, int64_t stamp_us);

/* --- the world ------------------------------------------------------------ */

struct sim {
  uint64_t seed;
  struct ms_rng rng;
  int64_t now_us, end_us;
  int64_t wall_off_us;
  bool model_dead;
  FILE *trace;
  struct sim_board board[SIM_BOARDS];
  struct sim_wire wire[SIM_BOARDS];
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
