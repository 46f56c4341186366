#include "lib/flow/verdict.h"

#include <math.h>
#include <string.h>

#define NEAR 0.1 /* of the level */

void wr_verdict_init(struct wr_verdict *v) {
  wr_level_init(&v->level);
  wr_votes_init(&v->votes);
}

void wr_verdict_gap(struct wr_verdict *v) {
  wr_level_gap(&v->level);
  wr_votes_gap(&v->votes);
}

void wr_verdict_rest_init(struct wr_verdict_rest *r) {
  wr_level_rest_init(&r->level);
  wr_votes_init(&r->votes);
}

void wr_verdict_resume(struct wr_verdict *v, const struct wr_verdict_rest *r) {
  wr_level_resume(&v->level, &r->level);
  v->votes = r->votes;
}

void wr_verdict_leave(const struct wr_verdict *v, struct wr_verdict_rest *r) {
  wr_level_leave(&v->level, &r->level);
  r->votes = v->votes;
}

/* The label of the range that holds the level. */
static int look(struct wr_verdict *v, const struct wr_verdict_rules *rules,
                const struct wr_verdict_input *in) {
  struct wr_bands bands = {.ranges = rules->ranges,
                           .count = rules->range_count,
                           .scale = in->scale > 0 ? in->scale : 1};
  bands.dead_band = rules->dead_band * bands.scale;
  size_t first = 0, step = in->step > 0 ? in->step : 1;
  if (in->fresh >= in->count)
    wr_level_gap(&v->level);
  else if (v->level.count > 0)
    first = in->count - in->fresh;
  for (size_t i = first; i < in->count; i++)
    wr_level_add(&v->level, in->values[i * step]);
  wr_level_look(&v->level, rules->quantum);
  int band = rules->policy == WR_RANGES_OFF ? WR_NO_BAND
                                            : wr_level_band(&v->level, &bands);
  return band == WR_NO_BAND ? WR_UNCERTAIN : rules->ranges[band].label;
}

static bool alarms(const struct wr_verdict_rules *rules, int label) {
  return label != WR_UNCERTAIN && rules->alarming[label];
}

/* For how many samples the flow has been quiet, at a level that does not alarm.
 */
static int quiet_for(const struct wr_verdict *v,
                     const struct wr_verdict_rules *rules, int range) {
  if (rules->calm_rules.quiet == 0 || range == WR_UNCERTAIN ||
      alarms(rules, range))
    return 0;
  return wr_calm_quiet(&v->level, rules->calm_rules.width * v->level.scale);
}

/* A model that knows the level calls one near the edge of an alarm now this,
 * now that; the range knows it better. */
static bool is_near_alarm(const struct wr_verdict *v,
                          const struct wr_verdict_rules *rules) {
  double level = v->level.value, scale = v->level.scale;
  for (size_t i = 0; i < rules->range_count; i++) {
    const struct wr_range *r = &rules->ranges[i];
    if (alarms(rules, r->label) &&
        (fabs(level - r->min * scale) < NEAR * fabs(level) ||
         fabs(level - r->max * scale) < NEAR * fabs(level)))
      return true;
  }
  return false;
}

/* A disturbance of the flow that is going on. What swings at a level above the
 * nominal one swings more. */
static bool is_disturbed(const struct wr_verdict *v,
                         const struct wr_verdict_rules *rules, int quiet) {
  const struct wr_calm_rules *c = &rules->calm_rules;
  double nominal = rules->nominal * v->level.scale;
  double swing = c->swing * fmax(1, v->level.value / nominal) * v->level.scale;
  int turns = is_near_alarm(v, rules) ? c->at_edge : c->turns;
  return c->quiet == 0 || (quiet < c->quiet &&
                           wr_calm_turns(&v->level, c->look, swing) >= turns);
}

/* What the model says, whatever its score. */
static int best_label(const struct wr_verdict_rules *rules,
                      const struct wr_verdict_input *in) {
  bool judged = !isnan(rules->anomaly_limit) && !isnan(in->anomaly);
  int best = WR_UNCERTAIN;
  if (judged && in->anomaly > rules->anomaly_limit)
    return rules->anomaly_label;
  if (judged && rules->labels == 0)
    return rules->calm_label;
  for (size_t i = 0; i < rules->labels; i++)
    if (isfinite(in->scores[i]) &&
        (best == WR_UNCERTAIN || in->scores[i] > in->scores[best]))
      best = (int)i;
  return best;
}

static bool is_sure(const struct wr_verdict *v,
                    const struct wr_verdict_rules *rules,
                    const struct wr_verdict_input *in, int label) {
  if (label == WR_UNCERTAIN)
    return false;
  if (label >= (int)rules->labels ||
      (!isnan(rules->anomaly_limit) && in->anomaly > rules->anomaly_limit))
    return true; /* anomaly scores know yes and no */
  double less = label == v->votes.state ? rules->hysteresis : 0;
  return in->scores[label] >= rules->thresholds[label] - less;
}

static bool has_range(const struct wr_verdict_rules *rules, int label) {
  for (size_t i = 0; i < rules->range_count; i++)
    if (rules->ranges[i].label == label)
      return true;
  return false;
}

static int cast_vote(const struct wr_verdict *v,
                     const struct wr_verdict_rules *rules,
                     const struct wr_verdict_input *in, int range,
                     bool disturbed, struct wr_decision *out) {
  int model = in->scores != NULL ? best_label(rules, in) : WR_UNCERTAIN;
  bool sure = in->scores != NULL && is_sure(v, rules, in, model);
  bool alarm = sure && alarms(rules, model) && !in->excused && disturbed;
  out->unsure = in->scores != NULL && !sure;
  out->by_range = false;
  if (alarm)
    return model;
  bool unranged = model != WR_UNCERTAIN && !alarms(rules, model) &&
                  !has_range(rules, model);
  if (range == WR_UNCERTAIN || (unranged && !alarms(rules, range)))
    return sure && !alarms(rules, model) ? model : WR_UNCERTAIN;
  out->by_range = range != model;
  return range;
}

/* Ranges and anomalies know yes and no; they have the labels behind those of
 * the model, and may share them. */
static double score_of(const struct wr_verdict_rules *rules,
                       const struct wr_decision *d, const double *scores) {
  if (d->state == WR_UNCERTAIN)
    return 0.0;
  if (d->by_range && d->state == d->vote)
    return 1.0;
  if (d->state >= (int)rules->labels)
    return d->state == d->vote ? 1.0 : 0.0;
  return scores != NULL && isfinite(scores[d->state]) ? scores[d->state] : 0.0;
}

/* What was declared, before what was seen. */
static int overrule(const struct wr_verdict_rules *rules,
                    const struct wr_verdict_input *in, int vote, bool *counts) {
  *counts = true;
  if (in->plan == WR_PLAN_OFF && rules->off_label != WR_UNCERTAIN)
    return rules->off_label;
  if (in->plan == WR_PLAN_WAIT)
    *counts = vote != WR_UNCERTAIN && rules->calm[vote];
  return vote;
}

bool wr_verdict_step(struct wr_verdict *v, const struct wr_verdict_rules *rules,
                     const struct wr_verdict_input *in,
                     struct wr_decision *out) {
  int range = look(v, rules, in);
  bool alone = rules->policy == WR_RANGES_FALLBACK ||
               (rules->policy == WR_RANGES_GUARD && alarms(rules, range)) ||
               in->plan == WR_PLAN_OFF;
  out->level = v->level.value;
  out->previous = out->state = v->votes.state;
  if (in->scores == NULL && !alone) {
    wr_votes_gap(&v->votes);
    return false;
  }
  int quiet = quiet_for(v, rules, range);
  bool disturbed = is_disturbed(v, rules, quiet), counts;
  int vote = cast_vote(v, rules, in, range, disturbed, out);
  out->vote = overrule(rules, in, vote, &counts);
  if (counts)
    out->state = wr_votes_cast(&v->votes, &rules->votes, out->vote,
                               alarms(rules, out->vote), quiet);
  out->score = score_of(rules, out, in->scores);
  return true;
}
