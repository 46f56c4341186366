#include "lib/flow/verdict.h"

#include <math.h>
#include <string.h>

void wr_verdict_init(struct wr_verdict *v) {
  memset(v, 0, sizeof(*v));
  v->state = WR_UNCERTAIN;
}

void wr_verdict_gap(struct wr_verdict *v) { v->count = v->next = 0; }

int wr_verdict_range(const struct wr_verdict_rules *rules, double level) {
  for (size_t i = 0; i < rules->range_count; i++)
    if (level >= rules->ranges[i].min && level < rules->ranges[i].max)
      return rules->ranges[i].label;
  return WR_UNCERTAIN;
}

static int best_label(const struct wr_verdict *v,
                      const struct wr_verdict_rules *rules,
                      const double *scores) {
  int best = WR_UNCERTAIN;
  for (size_t i = 0; i < rules->labels; i++)
    if (isfinite(scores[i]) &&
        (best == WR_UNCERTAIN || scores[i] > scores[best]))
      best = (int)i;
  if (best == WR_UNCERTAIN)
    return best;
  double threshold = rules->thresholds[best];
  if (best == v->state)
    threshold -= rules->hysteresis;
  return scores[best] >= threshold ? best : WR_UNCERTAIN;
}

static int model_vote(const struct wr_verdict *v,
                      const struct wr_verdict_rules *rules,
                      const double *scores, double anomaly) {
  bool judged = !isnan(rules->anomaly_limit) && !isnan(anomaly);
  if (judged && anomaly > rules->anomaly_limit)
    return rules->anomaly_label;
  if (judged && rules->labels == 0)
    return rules->calm_label;
  return best_label(v, rules, scores);
}

static int cast_vote(const struct wr_verdict *v,
                     const struct wr_verdict_rules *rules, const double *scores,
                     double anomaly, double level, bool *by_range) {
  int range = rules->policy == WR_RANGES_OFF ? WR_UNCERTAIN
                                             : wr_verdict_range(rules, level);
  int vote =
      scores != NULL ? model_vote(v, rules, scores, anomaly) : WR_UNCERTAIN;
  *by_range = scores == NULL || (range != WR_UNCERTAIN &&
                                 rules->alarming[range] && range != vote);
  return *by_range ? range : vote;
}

/* Puts the vote in; the label that `need` of the last `of` votes are for. */
static int count_votes(struct wr_verdict *v,
                       const struct wr_verdict_rules *rules, int vote) {
  v->votes[v->next] = (int16_t)vote;
  v->next = (v->next + 1) % rules->of;
  if (v->count < rules->of)
    v->count++;
  int same = 0;
  for (int i = 0; i < v->count; i++)
    same += v->votes[i] == vote;
  return same >= rules->need || !v->decided ? vote : v->state;
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

bool wr_verdict_step(struct wr_verdict *v, const struct wr_verdict_rules *rules,
                     const double *scores, double anomaly, double level,
                     struct wr_decision *out) {
  if (scores == NULL && rules->policy != WR_RANGES_FALLBACK)
    return false;
  out->vote = cast_vote(v, rules, scores, anomaly, level, &out->by_range);
  out->previous = v->state;
  v->state = out->state = count_votes(v, rules, out->vote);
  v->decided = true;
  out->score = score_of(rules, out, scores);
  return true;
}
