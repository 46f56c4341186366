/* The oracle of what is seen: readings, states and their age, the output, the
 * baseline. Each check names the promise. */
#include "sim.h"

#include "lib/flow/votes.h"

#include <math.h>

/* ISA-18.2 calls the same alarm three times in a minute chatter, which is six
 * changes. Here it is more than six of any kind in two minutes, or four where
 * the flow is steady. A flow that comes and goes by itself (air, slugs,
 * hunting) takes the state along; there as everywhere an alarm stays for some
 * windows, and for twice as many each time that it comes back
 * (lib/flow/votes.h). */
#define CHATTER_US (120 * SIM_S)
#define CHATTER 4
#define CHATTER_MOST 6
#define ALARM "Anomalous"

struct eye {
  bool output;
  bool well;                 /* the state says so */
  int64_t well_us;           /* when it last did */
  int64_t differs_us;        /* since when it does, and the output does not */
  int64_t fault_us;          /* since when the plant is so; 0: it is not */
  char label[WR_LABEL_MAX];  /* as the edge shows it; "": nothing yet */
  int64_t known_us;          /* when it was not "unknown" */
  int64_t fed_us, health_us; /* the last sample, the last health */
  bool windows;              /* there was a sample since the start */
  int64_t changes_us[CHATTER_MOST + 1]; /* of the label; a ring */
  size_t changes;
  int64_t began_us, ended_us; /* the last alarm */
  int returns;                /* how often in a row it came back soon */
  int64_t written_us;         /* a label reached the writers */
  char written[WR_LABEL_MAX];
  char shown[WR_LABEL_MAX]; /* by the cloud */
  int64_t shown_us;
  /* What guard.h makes of early ends of the proxy */
  bool suspect, proven;
  int strikes;            /* since the last sample */
  int64_t rests_until_us; /* what is called then, if it is the method's fault */
};

static struct {
  struct eye eye[SIM_BOARDS];
  int64_t start_us;
  /* what the state file may hold after a restart */
  char *saved, *before;
  bool torn; /* the last write failed half way, perhaps */
  long samples, states, outputs, alarms, crashes, drifts, loads;
} o;

void seen_init(void) {
  for (int b = 0; b < SIM_BOARDS; b++)
    o.eye[b].well_us = -SIM_EPOCH_US;
}

/* --- readings ------------------------------------------------------------- */

void seen_sample(int b, double value, int64_t call_us) {
  const struct sim_board *board = &sim.board[b];
  o.samples++;
  o.eye[b].proven = true;
  o.eye[b].strikes = 0;
  for (size_t i = 0; i < 64 && i < board->readings; i++) {
    const struct sim_reading *r = board->past + i;
    if (r->value == value && r->from_us <= sim.now_us && r->to_us >= call_us)
      return;
  }
  sim_fail("no wrong reading: %.9f is none that M4 %d had since the call",
           value, b);
}

void seen_crash(int b, int in_a_row) {
  o.crashes++;
  if (in_a_row > WR_GUARD_CRASHES)
    sim_fail("guard: %d calls crashed the proxy of M4 %d within %d s", in_a_row,
             b, WR_GUARD_WINDOW_MS / 1000);
}

/* Of a proxy that is not suspect; the promise is in guard.h. */
void seen_end(int b, bool early) {
  struct eye *e = &o.eye[b];
  bool strike = early && !e->suspect && !sim.wire[b].server;
  e->suspect = early;
  e->strikes += strike;
  if (!strike || e->strikes < WR_GUARD_STRIKES)
    return;
  int64_t rest_ms = e->proven ? WR_GUARD_REST_PROVEN_MS : WR_GUARD_REST_MS;
  for (int i = WR_GUARD_STRIKES;
       i < e->strikes && rest_ms < WR_GUARD_REST_MAX_MS; i++)
    rest_ms *= 2;
  e->rests_until_us = sim.now_us + rest_ms * SIM_MS;
}

/* --- states --------------------------------------------------------------- */

void seen_start(void) {
  o.start_us = sim.now_us;
  for (int b = 0; b < SIM_BOARDS; b++) {
    struct eye *e = &o.eye[b];
    e->fed_us = e->health_us = e->written_us = sim.now_us;
    e->windows = e->suspect = e->proven = false;
    e->strikes = 0;
    e->rests_until_us = sim.now_us;
    e->changes = 0;
    e->well = false;
    e->label[0] = '\0';
  }
}

void seen_fed(int b) {
  o.eye[b].fed_us = sim.now_us;
  o.eye[b].windows = true;
}

void seen_health(int b) { o.eye[b].health_us = sim.now_us; }

static double seconds(int64_t since_us) {
  return (double)(sim.now_us - since_us) / 1e6;
}

/* A proxy that our own call crashed is a fault, too, and a rest after that, and
 * an M4 that still works on what was late. */
static bool is_calm(int b, int64_t us) {
  return faults_calm_of(SIM_ALL & ~(SIM_CLOUD | SIM_DISK), b) >= us &&
         sim.now_us - sim.wire[b].restarts_us >= us &&
         sim.now_us - sim.board[b].behind_us >= us &&
         sim.now_us - o.eye[b].rests_until_us >= us;
}

/* The n-th last change before this one. */
static int64_t change_us(const struct eye *e, size_t n) {
  return e->changes > n
             ? e->changes_us[(e->changes - 1 - n) % (CHATTER_MOST + 1)]
             : -SIM_EPOCH_US;
}

static void check_chatter(const struct eye *e, int b) {
  const struct sim_board *board = &sim.board[b];
  int64_t few_us = change_us(e, CHATTER), most_us = change_us(e, CHATTER_MOST);
  bool steady =
      board->steady_us != 0 && board->steady_us + SIM_ALARM_US <= few_us;
  bool restless = sim.now_us - board->restless_us <= CHATTER_US;
  if (!restless && sim.now_us - most_us <= CHATTER_US)
    sim_fail("no chatter: state %d changed %d times in %.0f s", b,
             CHATTER_MOST + 1, seconds(most_us));
  if (steady && sim.now_us - few_us <= CHATTER_US)
    sim_fail("no chatter: state %d changed %d times in %.0f s of steady flow",
             b, CHATTER + 1, seconds(few_us));
}

/* An alarm began or ended by its votes. The flow may have been quiet for nearly
 * WR_SHIPPED_QUIET windows when it began. */
static void note_alarm(struct eye *e, int b, bool begins) {
  if (begins) {
    bool soon = sim.now_us - e->ended_us < (WR_VOTES_AGAIN - 1) * SIM_S;
    e->returns = !soon ? 0 : e->returns + (e->returns < WR_VOTES_PATIENCE);
    e->began_us = sim.now_us;
    return;
  }
  e->ended_us = sim.now_us;
  int least_s = (WR_SHIPPED_OF << e->returns) - WR_SHIPPED_QUIET;
  if (is_calm(b, SIM_HEAL_US) && sim.now_us - e->began_us < least_s * SIM_S)
    sim_fail("no chatter: alarm %d, back %d times, ends after %.0f s", b,
             e->returns, seconds(e->began_us));
}

static void note_change(struct eye *e, int b, const char *label) {
  e->changes_us[e->changes++ % (CHATTER_MOST + 1)] = sim.now_us;
  if (is_calm(b, SIM_HEAL_US))
    check_chatter(e, b);
  bool was = strcmp(e->label, ALARM) == 0, is = strcmp(label, ALARM) == 0;
  if (e->label[0] == '\0' || strcmp(label, WR_ARRIVAL_UNKNOWN) == 0 ||
      strcmp(label, "Off") == 0) { /* nobody voted */
    e->returns = 0;
    e->began_us = e->ended_us = -SIM_EPOCH_US;
  } else if (was != is) {
    note_alarm(e, b, is);
  }
}

void seen_state(int b, const char *label, bool alarming) {
  struct eye *e = &o.eye[b];
  e->well = !alarming;
  if (!alarming)
    e->well_us = sim.now_us;
  if (strcmp(e->label, label) != 0) {
    sim_trace("%d: state %s", b, label);
    note_change(e, b, label);
  }
  snprintf(e->label, sizeof(e->label), "%s", label);
  if (strcmp(label, WR_ARRIVAL_UNKNOWN) != 0)
    e->known_us = sim.now_us;
  o.states++;
}

void seen_written(int b, const char *label) {
  snprintf(o.eye[b].written, sizeof(o.eye[b].written), "%s", label);
  o.eye[b].written_us = sim.now_us;
}

void seen_output(int b, bool well) {
  o.eye[b].output = well;
  o.outputs++;
}

void seen_shown(int b, const char *label) {
  struct eye *e = &o.eye[b];
  if (strcmp(e->shown, label) != 0)
    e->shown_us = sim.now_us;
  snprintf(e->shown, sizeof(e->shown), "%s", label);
}

static void check_alarm(struct eye *e, int b) {
  const struct ms_plant *p = &sim.board[b].plant;
  bool fault =
      p->now.kind != MS_FLOW && (p->level_lpm < 3 || p->level_lpm > 22);
  e->fault_us = !fault ? 0 : e->fault_us == 0 ? sim.now_us : e->fault_us;
  if (!fault || sim.now_us - e->fault_us < SIM_ALARM_US ||
      !is_calm(b, SIM_HEAL_US))
    return;
  o.alarms++;
  if (e->output)
    sim_fail("alarm: the fault of plant %d drops the output within %lld s", b,
             SIM_ALARM_US / SIM_S);
}

/* Of what the edge itself shows and tells. */
static void check_edge(const struct eye *e, int b) {
  const int64_t stale_us = SIM_STALE_US, since_us = e->fed_us;
  bool old = sim.now_us - since_us > stale_us;
  if (!sim.agent.up)
    return;
  if (old && strcmp(e->label, "unknown") != 0)
    sim_fail("no old state: the newest sample of %d is %.0f s old, the state "
             "is \"%s\"",
             b, seconds(since_us), e->label);
  bool owed = old || (e->windows && e->label[0] != '\0');
  if (owed && sim.now_us - e->health_us > SIM_HEALTH_US)
    sim_fail("health, with windows or without: none of %d for %.0f s", b,
             seconds(e->health_us));
}

/* Of the label in the cloud. */
static void check_cloud(const struct eye *e, int b) {
  int domains = SIM_CLOUD | SIM_PROCESS | SIM_DISK | SIM_MEMORY | SIM_CLOCK;
  if (faults_calm(domains) < SIM_SHOWN_US || !sim.agent.up)
    return;
  if (sim.now_us - e->written_us > SIM_CLOUD_AGE_US &&
      strcmp(e->shown, WR_ARRIVAL_UNKNOWN) != 0)
    sim_fail("no old state: no label %d was written for %.0f s, the cloud "
             "shows \"%s\"",
             b, seconds(e->written_us), e->shown);
}

/* What is so now is what the cloud shows, once it and the way are healthy. */
static void check_shown(struct eye *e, int b) {
  int64_t bound_us = SIM_CLOUD_AGE_US;
  if (faults_calm(SIM_ALL) < SIM_SHOWN_US || !sim.agent.up)
    return;
  bool differs = strcmp(e->shown, e->written) != 0;
  if (differs && sim.now_us - e->shown_us > bound_us &&
      change_us(e, 0) < sim.now_us - bound_us)
    sim_fail("recovery: the state of %d is \"%s\", the cloud has shown \"%s\" "
             "for %.0f s",
             b, e->written, e->shown, seconds(e->shown_us));
}

/* A well state is at the output, too. */
static void check_output(struct eye *e, int b) {
  if (e->output || !e->well || !sim.agent.up)
    e->differs_us = sim.now_us;
  if (is_calm(b, SIM_HEAL_US) && sim.now_us - e->differs_us > SIM_OUTPUT_US)
    sim_fail("recovery: the state of %d is %s, its output has said alarm for "
             "%.0f s",
             b, e->label, seconds(e->differs_us));
}

static void look(int b) {
  struct eye *e = &o.eye[b];
  if (e->output && sim.now_us - e->well_us > SIM_WELL_US)
    sim_fail("no old state: output %d says well, the last well state is "
             "%.0f s old",
             b, seconds(e->well_us));
  check_alarm(e, b);
  check_output(e, b);
  check_edge(e, b);
  check_cloud(e, b);
  check_shown(e, b);
  if (is_calm(b, SIM_HEAL_US) && sim.now_us - e->known_us > SIM_STALE_US)
    sim_fail("recovery: the state of %d has been unknown for %.0f s though all "
             "is healthy",
             b, seconds(e->known_us));
}

void seen_second(void) {
  for (int b = 0; b < SIM_BOARDS; b++)
    look(b);
}

/* --- the baseline --------------------------------------------------------- */

void seen_baseline(int b, const struct wr_baseline *was,
                   const struct wr_baseline *is) {
  if (is->state == was->state)
    return;
  sim_trace("%d: baseline %d", b, is->state);
  if (is->state != WR_BASELINE_DRIFT || b == 0)
    return;
  o.drifts++;
  if (is_calm(b, SIM_HEAL_US))
    sim_fail("no false drift: flow %d is steady, its baseline of %.0f s says "
             "it drifts",
             b, is->age_s);
}

static char *keep(const char *text, size_t len) {
  char *copy = malloc(len + 1);
  if (copy == NULL)
    abort();
  memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

void seen_saved(const char *text, size_t len, bool ok) {
  if (!ok) {
    o.torn = true; /* renamed or not: the old one, or the one before it */
    return;
  }
  free(o.before);
  o.before = o.saved;
  o.saved = keep(text, len);
  o.torn = false;
}

static bool same(const char *text, size_t len, const char *saved) {
  return saved != NULL && strlen(saved) == len && memcmp(text, saved, len) == 0;
}

void seen_loaded(const char *text, size_t len) {
  o.loads++;
  if (o.saved == NULL || !disk_is_good())
    return;
  if (text == NULL)
    sim_fail("state survives: a baseline was saved, none is found");
  if (!same(text, len, o.saved) && !(o.torn && same(text, len, o.before)))
    sim_fail("state survives: the baseline that is found is not the last one "
             "saved");
}

/* --- the end -------------------------------------------------------------- */

void seen_final(void) {
  for (int b = 0; b < SIM_BOARDS; b++) {
    const struct eye *e = &o.eye[b];
    if (!e->output || strcmp(e->label, "Normal") != 0)
      sim_fail("recovery: flow %d is normal, the state is %s and the output "
               "says %s",
               b, e->label, e->output ? "well" : "alarm");
  }
}

void seen_free(void) {
  free(o.saved);
  free(o.before);
}

void seen_report(FILE *f) {
  fprintf(f,
          ", %ld samples, %ld states, %ld moves of an output, %ld seconds of "
          "alarm checked, %ld crashes by calls, %ld drifts that were none, "
          "%ld states loaded",
          o.samples, o.states, o.outputs, o.alarms, o.crashes, o.drifts,
          o.loads);
}
