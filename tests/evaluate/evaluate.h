/* evaluate: the alarm as it is shipped, judged second by second.
 *
 *   scenario -> plant (tests/sim) -> window -> bundled model -> verdict
 *        |                                                        |
 *        +--> truth ------------------> tally <-------------------+
 *
 * No collectd, no sockets, no clock: a scenario of eight minutes takes
 * a millisecond or so, and the same seed gives the same figures everywhere. */
#ifndef WEIR_TESTS_EVALUATE_H
#define WEIR_TESTS_EVALUATE_H

#include "lib/flow/plan.h"
#include "lib/flow/verdict.h"
#include "lib/flow/window.h"
#include "model/classifier.h"
#include "tests/sim/m4sim_plant.h"

#include <stdio.h>

#define EV_SECONDS_MAX 4096
#define EV_FAMILIES_MAX 64

/* -- the agent: what the plugin does, at its default options --------------- */

/* The labels in the model's order, then what the verdict adds. */
enum ev_label { EV_ANOMALOUS, EV_HIGH, EV_LOW, EV_NORMAL, EV_OFF, EV_LABELS };

struct ev_agent {
  double nominal;
  bool model_dead;
  struct wr_window *window;
  struct wr_verdict verdict;
  struct wr_verdict_rules rules;
  struct wr_plan plan;
  struct wr_plan_rules plan_rules;
  enum wr_plan_say say;
  struct wr_range ranges[8];
  int64_t second;
  uint64_t windows, taken; /* see wr_window_taken() */
  bool answered;
  struct wr_decision decision;
};

/* `quantum`: of one pulse in one second, L/min; 0: the agent has to see it. */
void ev_agent_init(struct ev_agent *a, double nominal, double quantum);
void ev_agent_free(struct ev_agent *a);
/* What a series of the pump's state says, and one of the set point. */
void ev_agent_pump(struct ev_agent *a, double running);
void ev_agent_setpoint(struct ev_agent *a, double lpm);
/* One second of flow; true when there was an answer, then in a->decision. NaN:
 * no sample. */
bool ev_agent_second(struct ev_agent *a, double flow_lpm);
/* The same of a sample with a stamp, see lib/flow/steady.h. */
bool ev_agent_sample(struct ev_agent *a, int64_t steady_us, int64_t now_ms,
                     double flow_lpm);

/* -- truth ----------------------------------------------------------------- */

enum ev_fault {
  EV_FINE,    /* nothing, or a level that is somebody's will */
  EV_LASTING, /* a pattern that does not settle */
  EV_UNSEEN,  /* a frozen sensor: other parts of Weir look for it */
};

struct ev_truth {
  enum ev_fault fault;
  double level;        /* of nominal, in the pipe */
  enum ev_label label; /* by fault and level */
  bool edge;           /* within 8 % of an edge: either label is right */
  bool moving;         /* the level changed in this second */
  int event;           /* index of the event in force */
};

/* -- one scenario ---------------------------------------------------------- */

struct ev_scenario {
  char name[64];
  struct ms_scenario plant;
  double pulses_per_litre; /* of the sensor; 450 is a YF-S201 */
  bool declared; /* a series says whether the pump is on: flow above 0 */
  bool setpoint; /* a series says what flow is wanted */
  bool model_dead;
};

struct ev_tally {
  size_t scenarios, seconds;
  size_t changes;               /* set points */
  size_t false_alarms;          /* FAILUREs without any cause */
  size_t notifications, excess; /* more than true changes of the label */
  size_t true_changes;          /* of the label, and the first one */
  size_t state[EV_LABELS], uncertain, wrong; /* seconds */
  size_t settled, settled_right; /* steps; with the right label 6 s later */
  size_t lasting, detected;      /* faults that do not settle */
  double *delays;                /* of those detected; owned */
  size_t delay_room;
};

/* The flow as the sensor's lag lets it appear, but without noise: in this
 * second and the one before. */
void ev_truth_of(const struct ev_scenario *s, const struct ms_plant *plant,
                 double level_lpm, double before_lpm, struct ev_truth *out);
/* Plays it once and adds what happened. With `trace`, a line per second. */
void ev_play(const struct ev_scenario *s, uint64_t seed, struct ev_tally *t,
             FILE *trace);
void ev_tally_add(struct ev_tally *sum, const struct ev_tally *t);
void ev_tally_free(struct ev_tally *t);
/* The p-quantile of the delays, NaN without any. Sorts them. */
double ev_tally_delay(struct ev_tally *t, double p);

/* -- families: scenarios of one kind, made by a seed ------------------------
 */

struct ev_family {
  const char *name, *what;
  size_t count; /* scenarios in it */
  /* Makes the i-th one. The scenario is initialised. */
  void (*make)(struct ev_scenario *s, size_t i, struct ms_rng *rng);
};

extern const struct ev_family ev_families[];
extern const size_t ev_families_count; /* at most EV_FAMILIES_MAX */

/* All scenarios of a family; `each` may be NULL. */
void ev_family_play(
    const struct ev_family *f, uint64_t seed, struct ev_tally *sum,
    void (*each)(void *arg, const char *name, struct ev_tally *t), void *arg);

void ev_scenario_init(struct ev_scenario *s, const char *name);
/* printf of one scenario line; ends the program on a fault in it. */
void ev_line(struct ev_scenario *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* -- files and tables --------------------------------------------------------
 */

/* A scenario file of m4sim; a line that begins with "#!" says what m4sim does
 * not know: "declared", "setpoint", "dead", "pulses N". 0, or -1 with a
 * sentence on stderr. */
int ev_file_load(struct ev_scenario *s, const char *path);

/* One line for people. */
void ev_print_head(FILE *f);
void ev_print_row(FILE *f, const char *name, struct ev_tally *t);
/* The whole of model/alarms.md. */
int ev_report(FILE *f, char *const *files, size_t count);
/* Its part on the named files alone: what a check compares. */
int ev_report_named(FILE *f, char *const *files, size_t count);

#endif
