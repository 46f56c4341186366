/* m4sim_plant: the pipe, the pump and a simulated YF-S201 in it.
 *
 * A scenario is a list of events on a time line of whole or broken seconds
 * (format: scenarios/README.md). The plant plays it one second at a time and
 * says how many pulses the sensor gave in that second: a phase accumulator of
 * 7.5 Hz per L/min (450 pulses per litre), cut at each one-second gate, so
 * the reading moves in steps of 0.133 L/min. Rotor lag, process noise, slow
 * drift, the gain error of the one sensor at hand and a dead zone below 0.25
 * L/min are included. The same seed gives the same pulses.
 *
 * No clock is read here and nothing is allocated after loading. */
#ifndef WEIR_TESTS_M4SIM_PLANT_H
#define WEIR_TESTS_M4SIM_PLANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS_PULSES_PER_LITRE 450.0
#define MS_HZ_PER_LPM 7.5
#define MS_EVENTS_MAX 256

enum ms_kind {
  MS_FLOW, /* a set-point: wanted, not a fault */
  MS_RECOVER,
  MS_BLOCKAGE,
  MS_BURST,
  MS_LEAK,
  MS_CLOGGING,
  MS_PUMP_STOP,
  MS_AIR,
  MS_SLUGS,
  MS_CAVITATION,
  MS_HUNTING,
  MS_EMI,
  MS_STUCK,
  MS_ZERO,
  MS_END,
};

struct ms_event {
  double at_s;
  enum ms_kind kind;
  double value;    /* L/min, or what scenarios/README.md says for the kind */
  double over_s;   /* how long the change takes */
  double period_s; /* slugs and hunting */
};

struct ms_scenario {
  struct ms_event event[MS_EVENTS_MAX];
  size_t events;
  double nominal_lpm, gain, noise, drift, lag_s;
  double end_s;     /* < 0: never */
  uint16_t *replay; /* pulses per second; owned, NULL for a scenario */
  size_t replay_len;
};

/* One second as the sensor saw it. */
struct ms_second {
  int64_t n;          /* 0 for the first */
  uint32_t pulses;    /* of this gate */
  double true_lpm;    /* mean flow in the pipe, without sensor errors */
  const char *truth;  /* "steady", "blockage", ... or "replay" */
  const char *expect; /* Low, Normal, High, Anomalous; by the true state */
};

struct ms_rng {
  uint64_t state;
};

struct ms_plant {
  struct ms_scenario *scenario; /* borrowed */
  struct ms_rng rng;
  size_t next_event;
  struct ms_event now; /* the event in force */
  double set_lpm;      /* where `recover` goes back to */
  double from_lpm;     /* the level when the event began */
  double level_lpm, rotor_lpm, drift, phase;
  uint32_t last_pulses;
  int64_t second;
  bool loop;
};

uint64_t ms_rng_next(struct ms_rng *rng);
double ms_rng_uniform(struct ms_rng *rng); /* [0, 1) */
double ms_rng_normal(struct ms_rng *rng);  /* mean 0, sd 1 */

/* Sets the defaults: nominal and set-point 10 L/min, no event. */
void ms_scenario_init(struct ms_scenario *s);
void ms_scenario_free(struct ms_scenario *s);

/* All four return 0, or -1 with one sentence in err. */
int ms_scenario_load(struct ms_scenario *s, const char *path, char *err,
                     size_t errlen);
int ms_scenario_load_csv(struct ms_scenario *s, const char *path, char *err,
                         size_t errlen);
int ms_scenario_line(struct ms_scenario *s, const char *line, char *err,
                     size_t errlen);
/* "blockage 2 over 1": the event begins with the plant's next second. */
int ms_plant_event(struct ms_plant *p, const char *text, char *err,
                   size_t errlen);

void ms_plant_init(struct ms_plant *p, struct ms_scenario *s, uint64_t seed);

/* Plays the next second. Returns false, and does nothing, after the end. */
bool ms_plant_play(struct ms_plant *p, struct ms_second *out);

const char *ms_kind_name(enum ms_kind kind);

#endif
