#include "tests/baseline/plant.h"

#include <math.h>
#include <string.h>

#define DAY_S 86400.0
#define YEAR_S (365.25 * DAY_S)
#define PULSES 7.5 /* a second for 1 L/min */
#define RAMP_S 20.0
#define WARM 0.025
#define WARM_S 2400.0
#define STOP_S 1800.0

static uint64_t draw(struct plant *p) {
  p->random ^= p->random << 13;
  p->random ^= p->random >> 7;
  p->random ^= p->random << 17;
  return p->random;
}

static double uniform(struct plant *p) {
  return ((double)(draw(p) >> 11) + 0.5) / 9007199254740992.0;
}

static double between(struct plant *p, double low, double high) {
  return low + (high - low) * uniform(p);
}

/* Nearly normal: four uniform numbers out of one draw, never beyond 3.5
 * deviations. Weeks of them are to pass in seconds. */
static double normal(struct plant *p) {
  uint64_t r = draw(p);
  double sum = 0;
  for (int i = 0; i < 4; i++, r >>= 16)
    sum += (double)(r & 0xffff) / 65536.0 - 0.5;
  return sum * sqrt(3);
}

void plant_start(struct plant *p, uint64_t seed, enum fault fault, double rate,
                 double begin_s) {
  memset(p, 0, sizeof(*p));
  p->random = seed * 0x9e3779b97f4a7c15u + 1;
  for (int i = 0; i < 20; i++)
    (void)uniform(p);
  p->day = between(p, 6, 20);
  p->night = uniform(p) < 0.5 ? p->day : p->day * between(p, 0.5, 0.8);
  p->noise = between(p, 0.002, 0.01);
  p->pressure = between(p, 0.003, 0.02) / 2; /* of a swing to each side */
  p->pressure_tau = between(p, 20, 200);
  p->hours = 0.003;
  p->noon = between(p, 0, 0.01);
  p->season = 0.02;
  p->season_phase = between(p, 0, 2 * M_PI);
  p->from_s = between(p, 5, 8) * 3600;
  p->to_s = between(p, 19, 23) * 3600;
  p->stops = uniform(p) < 0.5 ? 0 : (int)between(p, 3, 9);
  p->warm = WARM;
  p->fault = fault;
  p->rate = rate / 100;
  p->begin_s = begin_s;
  p->time_s = between(p, 0, DAY_S); /* it was installed at some hour */
  p->begin_s += p->time_s;
  p->level_now = p->day;
}

double plant_effect(const struct plant *p) {
  double t = p->time_s - p->begin_s;
  if (p->fault == FAULT_NONE || t <= 0)
    return 1;
  switch (p->fault) {
  case FAULT_CLOG_HOUR:
    return exp(log(1 - p->rate) * t / 3600);
  case FAULT_CLOG_DAY:
  case FAULT_WEAR:
    return exp(log(1 - p->rate) * t / DAY_S);
  case FAULT_LEAK:
    return 1 + p->rate * fmin(t / 3600, 1);
  default:
    return 1 + p->rate;
  }
}

/* Off for half an hour: planned, or while the sensor is exchanged. */
bool plant_is_stopped(const struct plant *p) {
  double day = floor(p->time_s / DAY_S), of_day = p->time_s - day * DAY_S;
  if (p->stops > 0 && fmod(day, p->stops) == p->stops - 1 &&
      of_day >= p->from_s + 7200 && of_day < p->from_s + 7200 + STOP_S)
    return true;
  return p->fault == FAULT_EXCHANGE && p->time_s >= p->begin_s - STOP_S &&
         p->time_s < p->begin_s;
}

/* Where the valve is on its way to. */
static double wanted(struct plant *p) {
  if (plant_is_stopped(p)) {
    p->warm = WARM;
    return 0;
  }
  double day = floor(p->time_s / DAY_S), of_day = p->time_s - day * DAY_S;
  double shift = 600 * sin(day * 2.3); /* not the same minute every day */
  bool is_day = of_day >= p->from_s + shift && of_day < p->to_s + shift;
  return is_day ? p->day : p->night;
}

/* A step of an Ornstein-Uhlenbeck process of deviation `sd`. */
static double wander(struct plant *p, double now, double sd, double tau) {
  return now + -now / tau + sd * sqrt(2 / tau) * normal(p);
}

double plant_sample(struct plant *p) {
  p->time_s++;
  double goal = wanted(p), most = p->day / RAMP_S;
  p->level_now += fmax(-most, fmin(most, goal - p->level_now));
  p->pressure_now = wander(p, p->pressure_now, p->pressure, p->pressure_tau);
  p->hours_now = wander(p, p->hours_now, p->hours, 7200);
  p->warm -= p->warm / WARM_S;
  double age = p->time_s - p->begin_s;
  double loud =
      p->fault == FAULT_WEAR && age > 0 ? fmin(2, 1 + age / (10 * DAY_S)) : 1;
  double slow =
      p->noon * sin(2 * M_PI * p->time_s / DAY_S) +
      p->season * sin(2 * M_PI * p->time_s / YEAR_S + p->season_phase);
  double flow = p->level_now * plant_effect(p) *
                (1 + slow - p->warm + p->pressure_now + p->hours_now +
                 loud * p->noise * normal(p));
  p->phase += fmax(flow, 0) * PULSES;
  double pulses = floor(p->phase);
  p->phase -= pulses;
  return pulses / PULSES;
}
