/* verdict: from the scores of one window to the state of a series. Pure.
 *
 * A window votes for its best label, if that reaches the label's threshold
 * (less `hysteresis` for the label that is the state already), else for
 * "uncertain". The state changes to a label when `need` of the last `of` votes
 * are for it; until one gets there the state stays what it was, at the
 * beginning uncertain.
 *
 * Ranges of the flow level stand beside the model, because a model that looks
 * at the shape of the flow alone gives the same answer at 0 and at 12 L/min:
 *   WR_RANGES_OFF       not used
 *   WR_RANGES_GUARD     a range with an alarming label overrules the model
 *   WR_RANGES_FALLBACK  as guard; and while the model is unreachable the ranges
 *                       vote alone
 * An anomaly score above its limit votes for the label of anomalies; a model
 * without labels knows that one and its opposite only.
 * Threads: none of its own. */
#ifndef WR_VERDICT_H
#define WR_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WR_UNCERTAIN (-1)
#define WR_VERDICT_VOTES 64

enum wr_range_policy { WR_RANGES_OFF, WR_RANGES_GUARD, WR_RANGES_FALLBACK };

/* min <= level < max */
struct wr_range {
  int label;
  double min, max;
};

struct wr_verdict_rules {
  size_t labels;            /* of the model; ranges may know more */
  const double *thresholds; /* of each label, 0..1 */
  const bool *alarming;     /* of each label: may overrule the model */
  double hysteresis;
  double anomaly_limit; /* NaN: anomaly scores do not vote */
  int anomaly_label;
  int calm_label; /* of a model without labels, at or below the limit */
  int need, of;   /* 1 <= need <= of <= WR_VERDICT_VOTES, need > of / 2 */
  enum wr_range_policy policy;
  const struct wr_range *ranges;
  size_t range_count;
};

struct wr_verdict {
  bool decided; /* there was a vote */
  int state;
  int16_t votes[WR_VERDICT_VOTES];
  int count, next;
};

struct wr_decision {
  int vote;
  int state;
  int previous; /* the state before this window */
  double score; /* of the state, 0..1 */
  bool by_range;
};

void wr_verdict_init(struct wr_verdict *v);
/* Forgets the votes, keeps the state: what came before a gap is no evidence. */
void wr_verdict_gap(struct wr_verdict *v);
/* `scores`: one for each label, NULL while the model is unreachable; `anomaly`:
 * NaN when not computed. False: this window has no answer, nothing changed. */
bool wr_verdict_step(struct wr_verdict *v, const struct wr_verdict_rules *rules,
                     const double *scores, double anomaly, double level,
                     struct wr_decision *out);
/* The label of the range that holds `level`, or WR_UNCERTAIN. */
int wr_verdict_range(const struct wr_verdict_rules *rules, double level);

#endif
