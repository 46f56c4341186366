/* verdict: from the scores of one window, and the flow in it, to the state of
 * a series. Pure. The parts: `level` says what the flow is now, `votes` what
 * a row of votes makes of the state.
 *
 * A window has one vote. Two questions are kept apart:
 *   Is it an alarm?   The model says so: its best label, of equal ones the
 *                     first, alarms and reaches its threshold (or its anomaly
 *                     score passes the limit), and nobody knows better
 *                     (`excused`). Or the level lies in the range of a label
 *                     that alarms.
 *   What else is it?  Where the level lies in the range of a label, that label;
 *                     the model has no say, because the newest seconds know it
 *                     better than a window of past ones. A label without a
 *                     range needs the model, and its threshold.
 * Else the vote is for "uncertain".
 *
 * Ranges, by policy:
 *   WR_RANGES_OFF       not used: the model alone
 *   WR_RANGES_GUARD     as above; while the model is away an alarming range
 *                       still alarms, other windows have no answer
 *   WR_RANGES_FALLBACK  as above; while the model is away the ranges vote alone
 * A model without labels knows the label of anomalies and its opposite only.
 *
 * A model of ten seconds cannot tell a moved valve from a fault, and sees
 * a disturbance for as long as it is in the window. So, if the rules ask (see
 * calm.h), an alarm of the model counts only while the flow is disturbed: it
 * turned back and forth lately, and is not quiet now. A flow that is quiet also
 * ends an alarm without waiting for its votes to run out; one that comes back
 * soon is believed longer each time (see votes.h).
 *
 * What the operator declared (see plan.h) stands above all this: a planned stop
 * is the label `off_label`; while a change is awaited only votes for a
 * calm label count.
 * All delays are windows. Threads: none of its own. */
#ifndef WR_VERDICT_H
#define WR_VERDICT_H

#include "lib/flow/calm.h"
#include "lib/flow/level.h"
#include "lib/flow/plan.h"
#include "lib/flow/votes.h"

enum wr_range_policy { WR_RANGES_OFF, WR_RANGES_GUARD, WR_RANGES_FALLBACK };

struct wr_verdict_rules {
  size_t labels;            /* of the model; ranges may know more */
  const double *thresholds; /* of each label, 0..1 */
  const bool *alarming;     /* of each label: severity failure */
  const bool *calm;         /* of each label: severity okay */
  double hysteresis; /* how much less score is enough for the state's label */
  double anomaly_limit; /* NaN: anomaly scores do not vote */
  int anomaly_label;
  int calm_label; /* of a model without labels, at or below the limit */
  int off_label;  /* of a planned stop, or WR_UNCERTAIN */
  struct wr_votes_rules votes;
  struct wr_calm_rules calm_rules; /* at `nominal`; quiet 0: not asked */
  enum wr_range_policy policy;
  const struct wr_range *ranges; /* in the unit of the samples */
  size_t range_count;
  double nominal;   /* the usual level, same unit */
  double dead_band; /* at the edges of ranges, whole width, same unit */
  double quantum;   /* of one sample, same unit; 0: as seen */
};

/* One window. */
struct wr_verdict_input {
  const double *scores;  /* one for each label; NULL: the model is away */
  double anomaly;        /* NaN when not computed */
  const double *values;  /* of axis 0, oldest first, without any padding */
  size_t step;           /* from one of them to the next; 0: 1 */
  size_t count;          /* how many */
  size_t fresh;          /* of them new since the window before */
  bool excused;          /* what the model calls an alarm is none */
  enum wr_plan_say plan; /* what was declared for this moment */
  double scale;          /* of all ranges, for a live set point; 0: 1 */
};

struct wr_verdict {
  struct wr_level level;
  struct wr_votes votes;
};

/* What is left of a verdict between two windows, for a caller whose windows
 * bring all samples that count (see level.h). */
struct wr_verdict_rest {
  struct wr_level_rest level;
  struct wr_votes votes;
};

struct wr_decision {
  int vote;
  int state;
  int previous;  /* the state before this window */
  double score;  /* of the state, 0..1 */
  bool by_range; /* the level said so, and the model did not */
  bool unsure;   /* no label of the model reached its threshold */
  double level;  /* of the newest seconds; NaN when there is none */
};

void wr_verdict_init(struct wr_verdict *v);
/* Forgets samples and votes, keeps the state: what came before a gap is no
 * evidence. */
void wr_verdict_gap(struct wr_verdict *v);
void wr_verdict_rest_init(struct wr_verdict_rest *r);
void wr_verdict_resume(struct wr_verdict *v, const struct wr_verdict_rest *r);
void wr_verdict_leave(const struct wr_verdict *v, struct wr_verdict_rest *r);
/* False: this window has no answer, the state is as before. */
bool wr_verdict_step(struct wr_verdict *v, const struct wr_verdict_rules *rules,
                     const struct wr_verdict_input *in,
                     struct wr_decision *out);

#endif
