/* Scenarios of one kind, made by a seed: what an operator does, what a plant
 * does by itself, what is really wrong. Levels are parts of the nominal flow.
 */
#include "tests/evaluate/evaluate.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define END_S 480.0

static double between(struct ms_rng *rng, double from, double to) {
  return from + (to - from) * ms_rng_uniform(rng);
}

static double one_of(struct ms_rng *rng, const double *of, size_t count) {
  return of[ms_rng_next(rng) % count];
}
#define ONE_OF(rng, ...)                                                       \
  one_of(rng, (const double[]){__VA_ARGS__},                                   \
         sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

void ev_scenario_init(struct ev_scenario *s, const char *name) {
  memset(s, 0, sizeof(*s));
  snprintf(s->name, sizeof(s->name), "%s", name);
  ms_scenario_init(&s->plant);
  s->pulses_per_litre = MS_PULSES_PER_LITRE;
}

void ev_line(struct ev_scenario *s, const char *format, ...) {
  char line[256], err[160];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof(line), format, args);
  va_end(args);
  if (ms_scenario_line(&s->plant, line, err, sizeof(err)) == 0)
    return;
  fprintf(stderr, "evaluate: \"%s\": %s\n", line, err);
  exit(2);
}

/* A loop of another size, now and then with more noise than usual. */
static double loop(struct ev_scenario *s, struct ms_rng *rng) {
  double nominal = ONE_OF(rng, 10, 10, 10, 3, 5, 15, 25);
  ev_line(s, "nominal %g", nominal);
  s->plant.gain = between(rng, 0.97, 1.03);
  s->plant.noise = ONE_OF(rng, 0.003, 0.005, 0.01, 0.02);
  return nominal;
}

/* A level that a loop is run at, never near the edge of an alarm. */
static double level(struct ms_rng *rng) { return between(rng, 0.46, 1.8); }

/* Another one, so far from the last that it is a move. */
static double other_level(struct ms_rng *rng, double last) {
  double to;
  do
    to = level(rng);
  while (fabs(to - last) < 0.1);
  return to;
}

/* -- commanded moves --------------------------------------------------------
 */

static void moves(struct ev_scenario *s, struct ms_rng *rng, double over_s) {
  double n = loop(s, rng), last = level(rng), t = 60;
  ev_line(s, "0 flow %g", last * n);
  while (t + over_s + 15 < END_S) {
    last = other_level(rng, last);
    ev_line(s, "%g flow %g over %g", t, last * n, over_s);
    t += over_s + between(rng, 25, 60);
  }
  ev_line(s, "%g end", END_S);
}

static void make_ramps(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  static const double over[] = {0.3, 1, 2, 3, 5, 10, 20, 40, 60};
  moves(s, rng, over[i % (sizeof(over) / sizeof(over[0]))]);
}

/* A first-order approach: the rotor's lag stands for that of the loop. */
static void make_lags(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  static const double lags[] = {0.5, 1, 2, 4, 7, 10};
  moves(s, rng, 0.3);
  s->plant.lag_s = lags[i % (sizeof(lags) / sizeof(lags[0]))];
}

static void make_overshoot(struct ev_scenario *s, size_t i,
                           struct ms_rng *rng) {
  double n = loop(s, rng), last = between(rng, 0.5, 1.6), t = 60;
  (void)i;
  ev_line(s, "0 flow %g", last * n);
  while (t < END_S - 40) {
    double to = fmin(fmax(other_level(rng, last), 0.52), 1.65);
    double rise = ONE_OF(rng, 1, 2, 4), part = between(rng, 0.05, 0.25);
    ev_line(s, "%g flow %g over %g", t, (to + (to - last) * part) * n, rise);
    ev_line(s, "%g flow %g over %g", t + rise,
            (to - (to - last) * part * 0.3) * n, rise);
    ev_line(s, "%g flow %g over %g", t + 2 * rise, to * n, rise);
    last = to;
    t += 3 * rise + between(rng, 30, 60);
  }
  ev_line(s, "%g end", END_S);
}

static void make_stairs(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  double n = loop(s, rng), at = 0.5, t = 60, up = 1;
  double step = between(rng, 0.08, 0.3);
  double wait = ((const double[]){3, 5, 8, 15})[i % 4];
  ev_line(s, "0 flow %g", at * n);
  while (t < END_S - 20) {
    if (at + up * step > 1.75 || at + up * step < 0.47) {
      up = -up;
      t += 40;
      continue;
    }
    at += up * step;
    ev_line(s, "%g flow %g over 1", t, at * n);
    t += wait;
  }
  ev_line(s, "%g end", END_S);
}

/* A valve that opens slowly, then fast, then slowly. */
static void make_valve(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  double n = loop(s, rng), last = level(rng), t = 60;
  (void)i;
  ev_line(s, "0 flow %g", last * n);
  while (t < END_S - 60) {
    double to = other_level(rng, last), part = ONE_OF(rng, 2, 4, 8, 15);
    ev_line(s, "%g flow %g over %g", t, (last + (to - last) * 0.15) * n, part);
    ev_line(s, "%g flow %g over %g", t + part, (last + (to - last) * 0.85) * n,
            part / 2);
    ev_line(s, "%g flow %g over %g", t + 1.5 * part, to * n, part);
    last = to;
    t += 2.5 * part + between(rng, 25, 50);
  }
  ev_line(s, "%g end", END_S);
}

/* Two levels, to and fro, as a batch or somebody at a tap does. */
static void make_batch(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  double n = loop(s, rng), a = level(rng), b = other_level(rng, a);
  double over = ((const double[]){0.5, 1, 2, 5, 10})[i % 5];
  double every = over + ONE_OF(rng, 20, 30, 45, 60);
  ev_line(s, "0 flow %g", a * n);
  for (double t = 60; t < END_S - every; t += every) {
    double c = a;
    ev_line(s, "%g flow %g over %g", t, b * n, over);
    a = b;
    b = c;
  }
  ev_line(s, "%g end", END_S);
}

static void stops(struct ev_scenario *s, struct ms_rng *rng) {
  double n = loop(s, rng), at = between(rng, 0.8, 1.2);
  double over = ONE_OF(rng, 1, 3, 6, 10);
  bool on = ms_rng_next(rng) & 1;
  ev_line(s, "0 flow %g", on ? at * n : 0);
  for (double t = 60; t < END_S - 60; t += between(rng, 50, 90)) {
    on = !on;
    ev_line(s, "%g flow %g over %g", t, on ? at * n : 0, over);
  }
  ev_line(s, "%g end", END_S);
}

static void make_declared(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  (void)i;
  s->declared = true;
  stops(s, rng);
}

static void make_setpoint(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  double n = loop(s, rng), at = 1, t = 60;
  (void)i;
  s->setpoint = true;
  ev_line(s, "0 flow %g", n);
  while (t < END_S - 40) {
    at = fmin(fmax(at * ONE_OF(rng, 0.3, 0.5, 0.7, 1.4, 2, 3), 0.2), 4);
    ev_line(s, "%g flow %g over %g", t, at * n, ONE_OF(rng, 1, 3, 8));
    t += between(rng, 40, 70);
  }
  ev_line(s, "%g end", END_S);
}

/* -- steady flow ------------------------------------------------------------
 */

static void steady(struct ev_scenario *s, double at, double noise,
                   double drift) {
  s->plant.noise = noise;
  s->plant.drift = drift;
  ev_line(s, "0 flow %g", at * s->plant.nominal_lpm);
  ev_line(s, "%g end", END_S);
}

static void make_steady(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  ev_line(s, "nominal %g", ONE_OF(rng, 3, 5, 10, 10, 15, 25));
  steady(s, ((const double[]){0.41, 0.5, 0.6, 1, 1, 1.5, 1.95})[i % 7],
         ONE_OF(rng, 0, 0.005, 0.01, 0.02), ONE_OF(rng, 0, 0.005, 0.005));
}

static void make_noise(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  (void)rng;
  steady(s, ((const double[]){1, 0.6, 1.5})[i % 3],
         ((const double[]){0.03, 0.04, 0.05})[i / 3 % 3], 0.005);
}

static void make_drift(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  (void)rng;
  steady(s, ((const double[]){1, 0.55, 1.6})[i % 3], 0.005, 0.03);
}

static void make_edges(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  ev_line(s, "nominal %g", ONE_OF(rng, 5, 10, 10, 25));
  steady(s, ((const double[]){0.4, 0.75, 1.25, 2})[i % 4],
         ((const double[]){0, 0.005, 0.01, 0.02})[i / 4 % 4], 0.005);
}

/* One scenario for each coarse sensor, at its edges too. */
static void make_coarse(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  static const double sensors[] = {12, 60, 98, 450, 1000, 5880};
  s->pulses_per_litre = sensors[i % 6];
  double at = ((const double[]){1, 0.6, 1.5})[i / 6 % 3];
  steady(s, at * between(rng, 0.97, 1.03), 0.005, 0.005);
}

/* Small loops: a YF-S201 gives a few pulses in a second. */
static void make_small(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  static const double nominals[] = {0.5, 1, 2};
  double n = nominals[i % 3];
  ev_line(s, "nominal %g", n);
  s->plant.gain = between(rng, 0.95, 1.05);
  if (i / 3 % 2 == 0) {
    steady(s, between(rng, 0.9, 1.1), 0.005, 0.005);
    return;
  }
  ev_line(s, "0 flow %g", n);
  for (double t = 60, at = 1; t < END_S - 40; t += 60) {
    at = at == 1 ? ONE_OF(rng, 1.4, 1.6) : 1;
    ev_line(s, "%g flow %g over 2", t, at * n);
  }
  ev_line(s, "%g end", END_S);
}

static void make_piston(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  (void)rng;
  ev_line(s, "0 flow 10");
  ev_line(s, "5 hunting %g period %g", ((const double[]){0.5, 0.3, 0.1})[i % 3],
          ((const double[]){0.5, 0.25})[i / 3 % 2]);
  ev_line(s, "%g end", END_S);
}

/* -- faults -----------------------------------------------------------------
 */

/* Six times the same fault, 20 s each, at one operating point. */
static void faults(struct ev_scenario *s, struct ms_rng *rng,
                   const char *event) {
  double n = loop(s, rng), at = between(rng, 0.8, 1.2);
  ev_line(s, "0 flow %g", at * n);
  for (double t = 50; t < END_S - 40; t += 70) {
    ev_line(s, "%g %s", t, event);
    ev_line(s, "%g recover", t + 20);
  }
  ev_line(s, "%g end", END_S);
}

static void make_patterns(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  char event[64];
  switch (i % 5) {
  case 0:
    snprintf(event, sizeof(event), "air %g", between(rng, 0.2, 0.6));
    break;
  case 1:
    snprintf(event, sizeof(event), "slugs %g period %g", between(rng, 0.4, 0.9),
             ONE_OF(rng, 3, 4, 6, 8));
    break;
  case 2:
    snprintf(event, sizeof(event), "cavitation %g", between(rng, 0.1, 0.3));
    break;
  case 3:
    snprintf(event, sizeof(event), "hunting %g period %g",
             between(rng, 0.15, 0.4), between(rng, 3, 12));
    break;
  default:
    snprintf(event, sizeof(event), "emi %g", between(rng, 40, 120));
    break;
  }
  faults(s, rng, event);
}

static void make_out_of_range(struct ev_scenario *s, size_t i,
                              struct ms_rng *rng) {
  double n = loop(s, rng), at = between(rng, 0.8, 1.2);
  static const char *const kinds[] = {"blockage", "burst", "pump_stop", "zero"};
  const char *kind = kinds[i % 4];
  double to = i % 4 == 1 ? between(rng, 2.2, 3) : between(rng, 0.05, 0.35);
  ev_line(s, "0 flow %g", at * n);
  for (double t = 50; t < END_S - 40; t += 70) {
    if (i % 4 == 3)
      ev_line(s, "%g zero", t);
    else
      ev_line(s, "%g %s %g over %g", t, kind, i % 4 == 2 ? 0 : to * n,
              ONE_OF(rng, 0.5, 1, 2, 3));
    ev_line(s, "%g recover", t + 20);
  }
  ev_line(s, "%g end", END_S);
}

/* Blockage, burst and leak that settle inside the bands: the level says it. */
static void make_settling(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  static const char *const kinds[] = {"blockage", "burst", "leak"};
  double n = loop(s, rng);
  double to = i % 3 == 0 ? between(rng, 0.45, 0.68) : between(rng, 1.36, 1.8);
  ev_line(s, "0 flow %g", n);
  for (double t = 50; t < END_S - 40; t += 70) {
    ev_line(s, "%g %s %g", t, kinds[i % 3], to * n);
    ev_line(s, "%g recover", t + 25);
  }
  ev_line(s, "%g end", END_S);
}

static void make_frozen(struct ev_scenario *s, size_t i, struct ms_rng *rng) {
  (void)i;
  faults(s, rng, "stuck");
}

/* The model is away: ranges still have to alarm, and nothing else may. */
static void make_dead_model(struct ev_scenario *s, size_t i,
                            struct ms_rng *rng) {
  make_out_of_range(s, i, rng);
  s->model_dead = true;
}

const struct ev_family ev_families[] = {
    {"ramps", "set points by ramps of 0.3 to 60 s", 90, make_ramps},
    {"lags", "set points, first-order lag of 0.5 to 10 s", 60, make_lags},
    {"overshoot", "set points with a swing over and back", 40, make_overshoot},
    {"stairs", "stairs of 3 to 15 s", 40, make_stairs},
    {"valve", "slow, fast, slow", 40, make_valve},
    {"batch", "two levels, to and fro", 50, make_batch},
    {"declared", "pump stops and starts, told by a series", 30, make_declared},
    {"setpoint", "set points far beyond the bands, told by a series", 30,
     make_setpoint},
    {"steady", "steady, noise to 2 %", 42, make_steady},
    {"noise", "steady, noise 3 to 5 %", 18, make_noise},
    {"drift", "steady, drift 3 %", 12, make_drift},
    {"edges", "steady on an edge", 32, make_edges},
    {"coarse", "sensors of 12 to 5880 pulses per litre", 36, make_coarse},
    {"small", "nominal 0.5, 1 and 2 L/min, YF-S201", 36, make_small},
    {"piston", "pump pulses that the gate cannot see", 6, make_piston},
    {"frozen", "frozen sensor", 6, make_frozen},
    {"settling", "blockage, burst, leak inside the bands", 30, make_settling},
    {"patterns", "air, slugs, cavitation, hunting, EMI", 50, make_patterns},
    {"out", "blockage, burst, stop, zero beyond the bands", 40,
     make_out_of_range},
    {"dead", "the same without a model", 20, make_dead_model},
};
const size_t ev_families_count = sizeof(ev_families) / sizeof(ev_families[0]);
_Static_assert(sizeof(ev_families) / sizeof(ev_families[0]) <= EV_FAMILIES_MAX,
               "more families than a report holds");

void ev_family_play(
    const struct ev_family *f, uint64_t seed, struct ev_tally *sum,
    void (*each)(void *arg, const char *name, struct ev_tally *t), void *arg) {
  for (size_t i = 0; i < f->count; i++) {
    struct ev_scenario s;
    struct ev_tally t = {0};
    char name[64];
    struct ms_rng rng = {seed * 1000003 + i * 7919};
    for (const char *c = f->name; *c != '\0'; c++)
      rng.state = rng.state * 31 + (unsigned char)*c;
    snprintf(name, sizeof(name), "%s-%zu", f->name, i);
    ev_scenario_init(&s, name);
    f->make(&s, i, &rng);
    ev_play(&s, seed, &t, NULL);
    if (each != NULL)
      each(arg, name, &t);
    ev_tally_add(sum, &t);
    ev_tally_free(&t);
    ms_scenario_free(&s.plant);
  }
}
