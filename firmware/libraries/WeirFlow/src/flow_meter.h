/* flow_meter: pulses of a turbine flow sensor in, litres out.
 *
 * Plain C, no Arduino, no heap, no libm; also valid C++. Time comes in as
 * microseconds that wrap at 2^32 (Arduino's micros(), every 71.6 minutes),
 * pulses as a counter that wraps at 2^32.
 *
 * Two halves that share nothing but one 32-bit word:
 *
 *   flow_edge   belongs to the interrupt. It alone writes `pulses`; a 32-bit
 *               load is atomic on a Cortex-M, so a reader needs no lock and
 *               no edge is lost between reading and resetting: nothing is
 *               ever reset.
 *   flow_meter  belongs to one thread, that of loop(). It closes a gate when
 *               at least gate_us have passed and divides by the time that
 *               REALLY passed, so a late loop() does not bend the rate.
 *
 * Who calls, and how often, cannot change a reading: callers get the latched
 * value of the last gate. Copy struct flow_reading under a lock if another
 * thread reads it. */
#ifndef FLOW_METER_H
#define FLOW_METER_H

#include <math.h> /* NAN only */
#include <stdbool.h>
#include <stdint.h>

#define FLOW_YF_S201_PULSES_PER_LITRE 450.0f
#define FLOW_GATE_US 1000000u

/* A YF-S201 at its limit of 30 L/min gives an edge every 4.4 ms; contact
 * bounce and ringing on a long cable last some 10 us. */
#define FLOW_DEBOUNCE_US 500u

struct flow_edge {
  volatile uint32_t pulses;
  uint32_t last_us; /* of the last edge that counted */
  uint32_t debounce_us;
  bool any; /* false: last_us means nothing yet */
};

static inline void flow_edge_init(struct flow_edge *edge,
                                  uint32_t debounce_us) {
  edge->pulses = 0;
  edge->last_us = 0;
  edge->debounce_us = debounce_us;
  edge->any = false;
}

/* In the interrupt, on each rising edge. An edge within debounce_us of the
 * last one that counted is bounce. Such edges do not prolong the dead time:
 * interference can then add pulses, at most one per debounce_us, but it can
 * never silence the meter. */
static inline void flow_edge_isr(struct flow_edge *edge, uint32_t now_us) {
  if (edge->any && now_us - edge->last_us < edge->debounce_us)
    return;
  edge->any = true;
  edge->last_us = now_us;
  edge->pulses = edge->pulses + 1;
}

struct flow_reading {
  uint32_t seq;      /* gates since the start; 0: no reading yet */
  float flow_lpm;    /* mean over the last gate; NaN before the first */
  uint32_t uptime_s; /* since the start, at the end of the gate */
};

struct flow_meter {
  float pulses_per_litre;
  float calibration; /* true flow / indicated flow */
  uint32_t gate_us;
  uint32_t seen_pulses, seen_us; /* where the last gate ended */
  uint64_t total_pulses, total_us;
  struct flow_reading reading;
};

/* Begins the first gate now. Returns 0, or -1 when a constant is not above 0
 * (NaN included) or the gate is 0; the meter must then not be used.
 * Calibration: collect a known volume, divide it by what the meter says. */
static inline int flow_meter_init(struct flow_meter *m, float pulses_per_litre,
                                  float calibration, uint32_t gate_us,
                                  uint32_t pulses, uint32_t now_us) {
  if (!(pulses_per_litre > 0) || !(calibration > 0) || gate_us == 0)
    return -1;
  m->pulses_per_litre = pulses_per_litre;
  m->calibration = calibration;
  m->gate_us = gate_us;
  m->seen_pulses = pulses;
  m->seen_us = now_us;
  m->total_pulses = 0;
  m->total_us = 0;
  m->reading.seq = 0;
  m->reading.flow_lpm = NAN;
  m->reading.uptime_s = 0;
  return 0;
}

/* L/min of so many pulses in so many microseconds. */
static inline float flow_lpm(const struct flow_meter *m, uint32_t pulses,
                             uint32_t elapsed_us) {
  float litres = (float)pulses / m->pulses_per_litre * m->calibration;
  return litres * (60e6f / (float)elapsed_us);
}

/* Call it from loop(), as often as you like, at least once an hour (two
 * wraps of the clock cannot be told from one). Returns true when it closed a
 * gate: `reading` is new. */
static inline bool flow_meter_tick(struct flow_meter *m, uint32_t pulses,
                                   uint32_t now_us) {
  uint32_t elapsed_us = now_us - m->seen_us; /* right across the wrap */
  if (elapsed_us < m->gate_us)
    return false;
  uint32_t fresh = pulses - m->seen_pulses;
  m->seen_pulses = pulses;
  m->seen_us = now_us;
  m->total_pulses += fresh;
  m->total_us += elapsed_us;
  m->reading.seq++;
  m->reading.flow_lpm = flow_lpm(m, fresh, elapsed_us);
  m->reading.uptime_s = (uint32_t)(m->total_us / 1000000u);
  return true;
}

/* Volume since the start, gates closed so far. Whole pulses are summed, so
 * the millionth litre is as exact as the first. */
static inline double flow_meter_litres(const struct flow_meter *m) {
  return (double)m->total_pulses / (double)m->pulses_per_litre *
         (double)m->calibration;
}

#endif
