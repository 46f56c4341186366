/* The oracle: what is true, and what was promised. Each check names the
 * promise. Rows of a property are kept in the order of their arrival. */
#include "sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct row {
  int64_t true_us; /* of the sample */
  struct wr_value value;
  bool state, committed, lost, delivered;
  bool alone; /* was sent alone, in vain: it may be stepped over */
  bool aside; /* the disk failed: it lies elsewhere, or what is older does */
};

struct stream {
  struct row *rows;
  size_t count, room;
  size_t safe;      /* rows before it are committed or lost */
  size_t first;     /* rows before it are delivered or lost */
  int64_t last_old; /* the newest row delivered with a stamp; -1: none */
};

static struct {
  struct stream stream[SIM_PROPERTIES];
  int64_t well_us; /* when a state last said so */
  bool output;
  int64_t fault_us, fine_us; /* since when the plant is so; 0: it is not */
  char label[WR_LABEL_MAX];
  int64_t label_us;
  int64_t last_request_us;
  bool forked; /* a clock step, a kill or a lost reply lie behind */
  /* what happened */
  long samples, states, outputs, rows, lost, recorded, twice, bare, requests,
      kills, alarms;
} o;

void oracle_init(void) {
  memset(&o, 0, sizeof(o));
  o.well_us = -SIM_EPOCH_US;
  o.last_request_us = -SIM_EPOCH_US;
  for (int i = 0; i < SIM_PROPERTIES; i++)
    o.stream[i].last_old = -1;
}

void oracle_free(void) {
  for (int i = 0; i < SIM_PROPERTIES; i++)
    free(o.stream[i].rows);
}

/* --- readings --------------------------------------------------------------
 */

void oracle_sample(double value, int64_t call_us) {
  const struct sim_board *b = &sim.board;
  o.samples++;
  for (size_t i = 0; i < 64 && i < b->readings; i++) {
    const struct sim_reading *r = b->past + i;
    if (r->value == value && r->from_us <= sim.now_us && r->to_us >= call_us)
      return;
  }
  sim_fail("no wrong reading: %.9f is none that the M4 had since the call",
           value);
}

/* --- states ----------------------------------------------------------------
 */

void oracle_state(const char *label, bool alarming) {
  if (!alarming)
    o.well_us = sim.now_us;
  if (strcmp(o.label, label) != 0)
    sim_trace("state %s", label);
  snprintf(o.label, sizeof(o.label), "%s", label);
  o.label_us = sim.now_us;
  o.states++;
}

void oracle_output(bool well) {
  o.output = well;
  o.outputs++;
}

static bool healthy_since(int64_t us) {
  return sim.faults.healed_us != SIM_NEVER &&
         sim.now_us - sim.faults.healed_us >= us;
}

static void check_alarm(void) {
  const char *expect = sim.board.plant.now.kind == MS_FLOW ? "fine" : "fault";
  bool out = sim.board.plant.level_lpm < 3 || sim.board.plant.level_lpm > 22;
  bool fault = strcmp(expect, "fault") == 0 && out;
  o.fault_us = !fault ? 0 : o.fault_us == 0 ? sim.now_us : o.fault_us;
  if (fault && sim.now_us - o.fault_us >= SIM_ALARM_US &&
      healthy_since(SIM_HEAL_US)) {
    o.alarms++;
    if (o.output)
      sim_fail("a fault drops the output within %lld s", SIM_ALARM_US / SIM_S);
  }
}

void oracle_second(void) {
  if (o.output && sim.now_us - o.well_us > SIM_WELL_US)
    sim_fail("no old state: the output says well, the last well state is "
             "%.0f s old",
             (double)(sim.now_us - o.well_us) / 1e6);
  check_alarm();
  if (healthy_since(SIM_HEAL_US) && sim.now_us - o.label_us > 30 * SIM_S)
    sim_fail("recovery: no state for %.0f s though all is healthy",
             (double)(sim.now_us - o.label_us) / 1e6);
}

/* --- values ----------------------------------------------------------------
 */

void oracle_row(const struct wr_row *row, int64_t true_us) {
  struct stream *s = o.stream + row->property;
  if (s->count == s->room) {
    s->room = s->room * 2 + 1024;
    s->rows = realloc(s->rows, s->room * sizeof(*s->rows));
    if (s->rows == NULL)
      abort();
  }
  s->rows[s->count++] = (struct row){.true_us = true_us,
                                     .value = row->value,
                                     .state = row->state,
                                     .aside = !disk_is_good()};
  o.rows++;
  sim_trace("row %d %.9f %s", row->property, row->value.number,
            row->value.text);
}

void oracle_committed(void) {
  for (int i = 0; i < SIM_PROPERTIES; i++)
    for (struct stream *s = o.stream + i; s->safe < s->count; s->safe++) {
      s->rows[s->safe].committed = true;
      sim_trace("committed %d %.9f", i, s->rows[s->safe].value.number);
    }
}

void oracle_killed(void) {
  o.kills++;
  o.forked = true;
  for (int i = 0; i < SIM_PROPERTIES; i++)
    for (struct stream *s = o.stream + i; s->safe < s->count; s->safe++) {
      s->rows[s->safe].lost = true;
      o.lost++;
    }
}

static bool same(const struct wr_value *a, const struct wr_value *b) {
  return a->kind == b->kind &&
         (a->kind == WR_VALUE_TEXT ? strcmp(a->text, b->text) == 0
                                   : a->number == b->number);
}

static void advance(struct stream *s) {
  while (s->first < s->count &&
         (s->rows[s->first].delivered || s->rows[s->first].lost))
    s->first++;
}

/* The row that a stamped value is: the nearest of its kind in time; of two as
 * near the one that was not yet delivered. */
static size_t find_stamped(const struct stream *s, const struct wr_value *v,
                           int64_t stamp_us) {
  size_t best = s->count;
  int64_t best_us = SIM_STAMP_US;
  for (size_t i = s->count; i-- > 0;) {
    const struct row *r = s->rows + i;
    int64_t away_us = llabs(r->true_us - stamp_us);
    if (r->true_us < stamp_us - SIM_STAMP_US)
      break;
    if (same(&r->value, v) && away_us + (r->delivered ? SIM_S : 0) <= best_us) {
      best = i;
      best_us = away_us + (r->delivered ? SIM_S : 0);
    }
  }
  return best;
}

static void stamped(int property, const struct wr_value *v, int64_t stamp_us) {
  struct stream *s = o.stream + property;
  size_t i = find_stamped(s, v, stamp_us);
  if (i == s->count)
    sim_fail("right time stamps: %s %g %s with a stamp %.1f s ago was never "
             "so",
             property == 0 ? "flow" : "label", v->number, v->text,
             (double)(SIM_EPOCH_US + sim.now_us - stamp_us) / 1e6);
  if (s->rows[i].delivered) {
    o.twice++;
    return;
  }
  if ((int64_t)i < s->last_old && !s->rows[i].alone && !s->rows[i].aside &&
      !s->rows[s->last_old].aside)
    sim_fail(
        "order: value %zu of property %d (%.0f s old) comes after value "
        "%lld (%.0f s old)",
        i, property,
        (double)(SIM_EPOCH_US + sim.now_us - s->rows[i].true_us) / 1e6,
        (long long)s->last_old,
        (double)(SIM_EPOCH_US + sim.now_us - s->rows[s->last_old].true_us) /
            1e6);
  /* A batch ends with what is so now, whatever still waits before it. */
  if ((int64_t)i > s->last_old && i + 1 < s->safe)
    s->last_old = (int64_t)i;
  s->rows[i].delivered = true;
}

void oracle_refused(int property, const struct wr_value *v, int64_t stamp_us) {
  struct stream *s = o.stream + property;
  size_t i = find_stamped(s, v, stamp_us);
  sim_trace("not taken, alone: %d %.9f %s", property, v->number, v->text);
  if (i < s->count)
    s->rows[i].alone = true;
}

/* Shown as what is so now: the newest row that was safe. An older one goes
 * without a stamp only where it can have none. */
static void live(int property, const struct wr_value *v) {
  struct stream *s = o.stream + property;
  for (size_t i = s->count; i-- > 0;) {
    struct row *r = s->rows + i;
    if (!same(&r->value, v))
      continue;
    int64_t age_us = SIM_EPOCH_US + sim.now_us - r->true_us;
    bool newest = i + 1 >= s->safe;
    if (!newest && age_us > WR_LIVE_AGE_US + SIM_S && !o.forked)
      sim_fail("what is shown is so now: property %d shows what was so %.0f s "
               "ago",
               property, (double)age_us / 1e6);
    o.bare += !newest && age_us > WR_LIVE_AGE_US + SIM_S;
    /* One that is old is recorded once more, with its time. */
    o.twice += r->delivered;
    r->delivered |= !newest || age_us <= WR_LIVE_AGE_US;
    return;
  }
  sim_fail("no invented value: property %d never was %g %s", property,
           v->number, v->text);
}

void oracle_recorded(int property, const struct wr_value *v, int64_t stamp_us) {
  o.recorded++;
  sim_trace("recorded %d %.9f %s %s", property, v->number, v->text,
            stamp_us == 0 ? "live" : "stamped");
  if (stamp_us == 0)
    live(property, v);
  else
    stamped(property, v, stamp_us);
  advance(o.stream + property);
}

/* --- the account -----------------------------------------------------------
 */

void oracle_request(bool token) {
  o.requests++;
  if (!token && sim.now_us - o.last_request_us < SIM_S)
    sim_fail("rate: two requests within %.3f s",
             (double)(sim.now_us - o.last_request_us) / 1e6);
  if (!token)
    o.last_request_us = sim.now_us;
}

void oracle_budget(int64_t records) {
  if (records > 100000)
    sim_fail("budget: %lld records today", (long long)records);
}

void oracle_rejected(int64_t count) {
  if (count > 0)
    sim_fail("no value is given up: the service has refused none, but %lld "
             "are rejected",
             (long long)count);
}

void oracle_final(void) {
  for (int i = 0; i < SIM_PROPERTIES; i++) {
    struct stream *s = o.stream + i;
    advance(s);
    for (size_t k = s->first; k < s->count; k++) {
      const struct row *r = s->rows + k;
      int64_t age_us = SIM_EPOCH_US + sim.now_us - r->true_us;
      if (!r->delivered && !r->lost && r->committed && age_us > 3600 * SIM_S)
        sim_fail("every committed value arrives: property %d, %g %s, %.0f s "
                 "old, does not",
                 i, r->value.number, r->value.text, (double)age_us / 1e6);
    }
  }
  if (!o.output || strcmp(o.label, "Normal") != 0)
    sim_fail("recovery: the flow is normal, the state is %s and the output "
             "says %s",
             o.label, o.output ? "well" : "alarm");
}

void oracle_report(FILE *f) {
  fprintf(f,
          "seed %llu: %.1f hours, %ld samples, %ld states, %ld moves of the "
          "output, %ld seconds of alarm checked, %ld rows, %ld lost "
          "uncommitted in %ld kills, %ld recorded, %ld twice, %ld without "
          "stamp, %ld requests\n",
          (unsigned long long)sim.seed, (double)sim.now_us / 3.6e9, o.samples,
          o.states, o.outputs, o.alarms, o.rows, o.lost, o.kills, o.recorded,
          o.twice, o.bare, o.requests);
}
