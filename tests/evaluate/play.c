/* One scenario through the agent, and what of it was right. */
#include "tests/evaluate/evaluate.h"

#include <math.h>
#include <stdlib.h>

#define TAIL_S 12   /* a FAILURE so long after its cause is not false */
#define STEADY_S 6  /* a level that stood so long has its label */
#define ANSWER_S 14 /* the first label: ten samples and the debounce */

struct play {
  struct ev_scenario *s;
  struct ev_tally *t;
  struct ms_plant plant;
  struct ev_agent agent;
  struct ev_truth truth;
  int state, notified;
  int64_t now;
  int64_t cause;      /* the last second in which an alarm was right */
  int64_t still;      /* seconds that the level has stood */
  bool moved;         /* it stood elsewhere before */
  enum ev_label last; /* that was true before */
  size_t true_changes;
  int fault_event; /* the lasting fault under way, or -1 */
  int64_t fault_s; /* when it began */
  bool fault_seen;
};

static bool is_cause(const struct play *p) {
  const struct ev_truth *t = &p->truth;
  return t->label == EV_ANOMALOUS || t->fault != EV_FINE ||
         (t->edge && !p->s->declared && !p->s->setpoint &&
          (t->level < 0.5 || t->level > 1.8));
}

static void add_delay(struct ev_tally *t, double delay) {
  if (t->detected == t->delay_room) {
    t->delay_room = t->delay_room == 0 ? 16 : t->delay_room * 2;
    t->delays = realloc(t->delays, t->delay_room * sizeof(*t->delays));
    if (t->delays == NULL)
      abort();
  }
  t->delays[t->detected++] = delay;
}

/* A fault that does not settle: a pattern, or a level out of all ranges. Until
 * it ends or the next event begins, somebody must have been told. */
static void follow_fault(struct play *p) {
  const struct ev_truth *t = &p->truth;
  bool on = t->label == EV_ANOMALOUS && !t->edge;
  if (p->fault_event >= 0 && !p->fault_seen && p->state == EV_ANOMALOUS) {
    p->fault_seen = true;
    add_delay(p->t, (double)(p->now - p->fault_s));
  }
  if (p->fault_event >= 0 && (!on || t->event != p->fault_event))
    p->fault_event = -1;
  if (on && p->fault_event < 0) {
    p->fault_event = t->event;
    p->fault_s = p->now;
    p->fault_seen = p->state == EV_ANOMALOUS;
    p->t->lasting++;
    if (p->fault_seen)
      add_delay(p->t, 0);
  }
}

static void follow_level(struct play *p) {
  const struct ev_truth *t = &p->truth;
  if (t->moving || t->fault != EV_FINE || p->s->model_dead) {
    p->moved = p->moved || p->still >= STEADY_S;
    p->still = 0;
    return;
  }
  p->still++;
  bool judged = !t->edge && p->now - p->cause >= 0 && p->now > ANSWER_S;
  if (p->still == STEADY_S && p->moved && judged) {
    p->t->settled++;
    p->t->settled_right += p->state == (int)t->label;
  }
  if (p->still > STEADY_S && judged && p->state != (int)t->label)
    p->t->wrong++;
}

/* How often a person had to be told something new. */
static void follow_label(struct play *p) {
  const struct ev_truth *t = &p->truth;
  if (t->label != p->last)
    p->true_changes++;
  p->last = t->label;
}

static void follow_state(struct play *p) {
  const struct wr_decision *d = &p->agent.decision;
  if (is_cause(p))
    p->cause = p->now;
  if (!p->agent.answered || d->state == p->state)
    return;
  p->t->notifications++;
  p->notified++;
  if (d->state == EV_ANOMALOUS && p->now - p->cause > TAIL_S)
    p->t->false_alarms++;
  p->state = d->state;
}

static void count_second(struct play *p) {
  p->t->seconds++;
  if (p->state == WR_UNCERTAIN)
    p->t->uncertain++;
  else
    p->t->state[p->state]++;
}

static void trace_second(const struct play *p, double flow, FILE *f) {
  static const char *const names[] = {"Anomalous", "High", "Low", "Normal",
                                      "Off"};
  const struct wr_level *l = &p->agent.verdict.level;
  fprintf(f,
          "%4d flow %10.6f level %7.3f +-%.3f n %2zu vote %-9s state %-9s "
          "truth %-9s%s%s\n",
          (int)p->now, flow, l->value, l->doubt, l->seconds,
          !p->agent.answered || p->agent.decision.vote < 0
              ? "-"
              : names[p->agent.decision.vote],
          p->state < 0 ? "-" : names[p->state], names[p->truth.label],
          p->truth.edge ? " edge" : "", p->truth.moving ? " moving" : "");
}

static void tell_agent(struct play *p) {
  if (p->s->declared)
    ev_agent_pump(&p->agent, p->plant.set_lpm > 0);
  if (p->s->setpoint)
    ev_agent_setpoint(&p->agent, p->plant.set_lpm);
}

static void count_changes(struct play *p) {
  for (size_t i = 0; i < p->s->plant.events; i++)
    p->t->changes +=
        p->s->plant.event[i].kind == MS_FLOW && p->s->plant.event[i].at_s > 0;
}

void ev_play(const struct ev_scenario *scenario, uint64_t seed,
             struct ev_tally *t, FILE *trace) {
  struct ev_scenario copy = *scenario, *s = &copy;
  struct play p = {.s = s, .t = t, .state = WR_UNCERTAIN, .fault_event = -1};
  double per_lpm = s->pulses_per_litre / 60;
  p.cause = -TAIL_S - 1;
  p.last = EV_LABELS;
  s->plant.gain *= s->pulses_per_litre / MS_PULSES_PER_LITRE;
  ms_plant_init(&p.plant, &s->plant, seed);
  ev_agent_init(&p.agent, s->plant.nominal_lpm, 0);
  p.agent.model_dead = s->model_dead;
  t->scenarios++;
  count_changes(&p);
  struct ms_second second;
  double level_lpm = p.plant.level_lpm, follow = 1;
  if (s->plant.lag_s > 0)
    follow = 1 - exp(-1 / s->plant.lag_s);
  for (; p.now < EV_SECONDS_MAX && ms_plant_play(&p.plant, &second); p.now++) {
    double before_lpm = level_lpm;
    level_lpm += (p.plant.level_lpm - level_lpm) * follow;
    ev_truth_of(s, &p.plant, level_lpm, before_lpm, &p.truth);
    tell_agent(&p);
    ev_agent_second(&p.agent, second.pulses / per_lpm);
    follow_state(&p);
    follow_level(&p);
    follow_label(&p);
    follow_fault(&p);
    count_second(&p);
    if (trace != NULL)
      trace_second(&p, second.pulses / per_lpm, trace);
  }
  t->true_changes += p.true_changes;
  if ((size_t)p.notified > p.true_changes)
    t->excess += (size_t)p.notified - p.true_changes;
  ev_agent_free(&p.agent);
}

void ev_tally_add(struct ev_tally *sum, const struct ev_tally *t) {
  sum->scenarios += t->scenarios;
  sum->seconds += t->seconds;
  sum->changes += t->changes;
  sum->false_alarms += t->false_alarms;
  sum->notifications += t->notifications;
  sum->excess += t->excess;
  sum->true_changes += t->true_changes;
  for (int i = 0; i < EV_LABELS; i++)
    sum->state[i] += t->state[i];
  sum->uncertain += t->uncertain;
  sum->wrong += t->wrong;
  sum->settled += t->settled;
  sum->settled_right += t->settled_right;
  sum->lasting += t->lasting;
  for (size_t i = 0; i < t->detected; i++)
    add_delay(sum, t->delays[i]);
}

void ev_tally_free(struct ev_tally *t) {
  free(t->delays);
  t->delays = NULL;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double ev_tally_delay(struct ev_tally *t, double p) {
  if (t->detected == 0)
    return NAN;
  qsort(t->delays, t->detected, sizeof(*t->delays), compare);
  return t->delays[(size_t)(p * (double)(t->detected - 1) + 0.5)];
}
