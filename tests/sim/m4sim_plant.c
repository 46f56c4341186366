/* The pipe and the sensor. One simulated second is SUBSTEPS steps of flow,
 * rotor and phase; faults act either on the level in the pipe (blockage,
 * leak, ...) or on what the rotor sees (air, EMI, a stuck sensor). */
#include "tests/sim/m4sim_plant.h"

#include <math.h>
#include <string.h>

#define SUBSTEPS 20
#define DRIFT_TAU_S 60.0
#define ROTOR_STARTS_LPM 0.25

uint64_t ms_rng_next(struct ms_rng *rng) { /* splitmix64 */
  uint64_t z = (rng->state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

double ms_rng_uniform(struct ms_rng *rng) {
  return (double)(ms_rng_next(rng) >> 11) * 0x1.0p-53;
}

double ms_rng_normal(struct ms_rng *rng) {
  double sum = -6; /* the sum of 12 uniforms: sd 1, never wild */
  for (int i = 0; i < 12; i++)
    sum += ms_rng_uniform(rng);
  return sum;
}

void ms_plant_init(struct ms_plant *p, struct ms_scenario *s, uint64_t seed) {
  bool loop = p->loop;
  *p = (struct ms_plant){.scenario = s, .rng = {seed}, .loop = loop};
  p->set_lpm = s->nominal_lpm;
  if (s->events > 0 && s->event[0].at_s <= 0 && s->event[0].kind == MS_FLOW)
    p->set_lpm = s->event[0].value; /* running before the scenario starts */
  p->from_lpm = p->level_lpm = p->rotor_lpm = p->set_lpm;
  p->now.value = p->set_lpm;
}

static void begin(struct ms_plant *p, const struct ms_event *event) {
  p->now = *event;
  p->from_lpm = p->level_lpm;
  if (event->kind == MS_FLOW)
    p->set_lpm = event->value;
}

static void begin_due_events(struct ms_plant *p, double t_s) {
  while (p->next_event < p->scenario->events &&
         p->scenario->event[p->next_event].at_s <= t_s)
    begin(p, &p->scenario->event[p->next_event++]);
}

static double goal_lpm(const struct ms_plant *p) {
  switch (p->now.kind) {
  case MS_FLOW:
  case MS_BLOCKAGE:
  case MS_BURST:
  case MS_LEAK:
  case MS_CLOGGING:
  case MS_PUMP_STOP:
    return p->now.value;
  case MS_CAVITATION: /* the head of the pump drops as well */
    return p->set_lpm * (1 - p->now.value);
  default:
    return p->set_lpm;
  }
}

static double level_at(const struct ms_plant *p, double t_s) {
  double since_s = t_s - p->now.at_s, goal = goal_lpm(p);
  double part = p->now.over_s > 0 ? since_s / p->now.over_s : 1;
  double level = p->from_lpm + (goal - p->from_lpm) * fmin(fmax(part, 0), 1);
  if (p->now.kind == MS_HUNTING && p->now.period_s > 0)
    level *= 1 + p->now.value * sin(2 * M_PI * since_s / p->now.period_s);
  return fmax(level, 0);
}

/* What air, slugs and cavitation leave of the flow in this second. */
static double disturbance(struct ms_plant *p, double t_s) {
  double chance = ms_rng_uniform(&p->rng), depth = ms_rng_uniform(&p->rng);
  double normal = ms_rng_normal(&p->rng); /* always drawn: one sequence */
  switch (p->now.kind) {
  case MS_AIR:
    return chance < p->now.value ? 0.5 * depth : 1;
  case MS_SLUGS:
    return p->now.period_s > 0 && fmod(t_s - p->now.at_s, p->now.period_s) <
                                      p->now.period_s / 2
               ? 1 - p->now.value
               : 1;
  case MS_CAVITATION:
    return fmax(0, 1 + p->now.value * normal);
  default:
    return 1;
  }
}

static uint32_t sensor_faults(struct ms_plant *p, uint32_t pulses) {
  double spikes = ms_rng_uniform(&p->rng) * 2 * p->now.value;
  switch (p->now.kind) {
  case MS_EMI:
    return pulses + (uint32_t)spikes;
  case MS_STUCK:
    return p->last_pulses;
  case MS_ZERO:
    return 0;
  default:
    return pulses;
  }
}

static uint32_t count_second(struct ms_plant *p, double t_s, double *mean_lpm) {
  const struct ms_scenario *s = p->scenario;
  const double dt_s = 1.0 / SUBSTEPS, keep = 1 - 1 / DRIFT_TAU_S;
  double lag = s->lag_s > dt_s ? dt_s / s->lag_s : 1, sum = 0;
  double noise = 1 + s->noise * ms_rng_normal(&p->rng);
  double factor = disturbance(p, t_s);
  p->drift = keep * p->drift +
             sqrt(1 - keep * keep) * s->drift * ms_rng_normal(&p->rng);
  for (int i = 0; i < SUBSTEPS; i++) {
    p->level_lpm = level_at(p, t_s + (i + 1) * dt_s);
    double flow = fmax(0, p->level_lpm * factor * (noise + p->drift));
    sum += flow;
    p->rotor_lpm += (flow - p->rotor_lpm) * lag;
    if (p->rotor_lpm >= ROTOR_STARTS_LPM)
      p->phase += p->rotor_lpm * s->gain * MS_HZ_PER_LPM * dt_s;
  }
  *mean_lpm = sum / SUBSTEPS;
  double whole = floor(p->phase);
  p->phase -= whole;
  return (uint32_t)whole;
}

static const char *truth_of(const struct ms_plant *p, double t_s) {
  if (p->now.kind == MS_FLOW)
    return "steady";
  if (p->now.kind == MS_RECOVER)
    return t_s < p->now.at_s + p->now.over_s ? "recover" : "steady";
  return ms_kind_name(p->now.kind);
}

/* Bands of the nominal flow; any fault in force is Anomalous. */
static const char *label_of(double lpm, double nominal_lpm, bool fault) {
  double part = nominal_lpm > 0 ? lpm / nominal_lpm : 0;
  if (fault || part < 0.40 || part > 2.0)
    return "Anomalous";
  return part < 0.75 ? "Low" : part <= 1.25 ? "Normal" : "High";
}

static bool replay_second(struct ms_plant *p, struct ms_second *out) {
  const struct ms_scenario *s = p->scenario;
  size_t i = (size_t)p->second;
  if (i >= s->replay_len && !p->loop)
    return false;
  uint32_t pulses = s->replay[i % s->replay_len];
  double lpm = pulses / MS_HZ_PER_LPM;
  *out = (struct ms_second){.n = p->second++,
                            .pulses = pulses,
                            .true_lpm = lpm,
                            .truth = "replay",
                            .expect = label_of(lpm, s->nominal_lpm, false)};
  return true;
}

bool ms_plant_play(struct ms_plant *p, struct ms_second *out) {
  const struct ms_scenario *s = p->scenario;
  if (s->replay != NULL)
    return replay_second(p, out);
  double t_s = (double)p->second;
  if (s->end_s >= 0 && p->loop && s->end_s >= 1)
    t_s = fmod(t_s, s->end_s);
  if (p->loop && t_s < 1 && p->second > 0)
    p->next_event = 0;
  if (s->end_s >= 0 && t_s >= s->end_s)
    return false;
  begin_due_events(p, t_s);
  double mean_lpm;
  uint32_t pulses = count_second(p, t_s, &mean_lpm);
  pulses = sensor_faults(p, pulses);
  p->last_pulses = pulses;
  bool fault = p->now.kind != MS_FLOW && p->now.kind != MS_RECOVER;
  *out =
      (struct ms_second){.n = p->second++,
                         .pulses = pulses,
                         .true_lpm = mean_lpm,
                         .truth = truth_of(p, t_s),
                         .expect = label_of(mean_lpm, s->nominal_lpm, fault)};
  return true;
}
