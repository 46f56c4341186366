/* What was really the matter in one second. */
#include "tests/evaluate/evaluate.h"

#include <math.h>

#define EDGE 0.08     /* within this part of an edge either label is right */
#define ALIASED_S 1.0 /* swings faster than this no 1 s gate can see */
#define MOVES 0.01    /* of nominal in a second: the level is on its way */

static const double edges[] = {0.4, 0.75, 1.25, 2.0};

static enum ev_fault fault_of(const struct ms_event *e) {
  switch (e->kind) {
  case MS_AIR:
  case MS_SLUGS:
  case MS_CAVITATION:
  case MS_EMI:
  case MS_ZERO:
    return EV_LASTING;
  case MS_HUNTING:
    return e->period_s > ALIASED_S ? EV_LASTING : EV_FINE;
  case MS_STUCK:
    return EV_UNSEEN;
  default: /* a level: somebody's will, or the same flow as one */
    return EV_FINE;
  }
}

static enum ev_label label_of(double level) {
  if (level < edges[0] || level >= edges[3])
    return EV_ANOMALOUS;
  return level < edges[1] ? EV_LOW : level < edges[2] ? EV_NORMAL : EV_HIGH;
}

void ev_truth_of(const struct ev_scenario *s, const struct ms_plant *plant,
                 double level_lpm, double before_lpm, struct ev_truth *out) {
  double nominal = s->setpoint ? plant->set_lpm : s->plant.nominal_lpm;
  double level = level_lpm / nominal * s->plant.gain * MS_PULSES_PER_LITRE /
                 s->pulses_per_litre;
  *out = (struct ev_truth){.fault = fault_of(&plant->now),
                           .level = level,
                           .label = label_of(level),
                           .event = (int)plant->next_event - 1};
  out->moving = fabs(level_lpm - before_lpm) > MOVES * nominal;
  for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
    out->edge = out->edge || fabs(level - edges[i]) <= EDGE * edges[i];
  bool declared = s->declared || s->setpoint;
  if (out->fault == EV_LASTING)
    out->label = EV_ANOMALOUS;
  else if (s->declared && level < 0.05)
    out->label = EV_OFF;
  else if (declared && out->label == EV_ANOMALOUS) {
    out->label = level < 1 ? EV_LOW : EV_HIGH; /* on its way, as declared */
    out->edge = true;
  }
  if (out->fault == EV_LASTING)
    out->edge = false;
}
