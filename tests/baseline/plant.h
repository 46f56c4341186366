/* plant: a cooling loop with a YF-S201, for weeks of simulated flow. Pure.
 *
 * One sample a second, in L/min as whole pulses (7.5 a second for 1 L/min).
 * What is normal, drawn for each seed: one level or two (day and night, with
 * the change at a slightly different minute each day), noise of 0.2 to 1 %,
 * pressure that wanders by 0.3 to 2 % within 20 to 200 s and by 0.3 % within
 * hours, up to 1 % between noon and midnight, 2 % between the seasons, warming
 * up by 2.5 % after a start, a stop of half an hour now and then. A fault lies
 * on top of it from its begin on. */
#ifndef WR_TESTS_PLANT_H
#define WR_TESTS_PLANT_H

#include <stdbool.h>
#include <stdint.h>

enum fault {
  FAULT_NONE,
  FAULT_CLOG_HOUR, /* `rate` per cent an hour less, of what is left */
  FAULT_CLOG_DAY,  /* the same a day */
  FAULT_LEAK,      /* `rate` per cent more, within an hour */
  FAULT_WEAR,      /* `rate` per cent a day less, and noise that doubles */
  FAULT_EXCHANGE   /* another sensor: `rate` per cent more, after a stop */
};

struct plant {
  uint64_t random;
  double day, night; /* levels, L/min */
  double noise, pressure, pressure_tau, hours;
  double noon, season, season_phase;
  double from_s, to_s; /* of the day's level, seconds of the day */
  double pressure_now, hours_now, level_now, phase, warm;
  int stops; /* days from one stop to the next; 0: none */
  enum fault fault;
  double rate, begin_s; /* of the fault */
  double time_s;
};

void plant_start(struct plant *p, uint64_t seed, enum fault fault, double rate,
                 double begin_s);
/* The next sample, L/min. */
double plant_sample(struct plant *p);
/* Nobody told the baseline of it. */
bool plant_is_stopped(const struct plant *p);
/* What the fault does at this moment: 1 is nothing. */
double plant_effect(const struct plant *p);

#endif
