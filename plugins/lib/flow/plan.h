/* plan: what the operator declared: a planned stop, a live set point. Pure.
 *
 * A series may say whether the pump is on ("word of the state"), another one
 * what flow is wanted ("word of the set point"). From these and the flow comes
 * what the verdict has to know about one sample:
 *   WR_PLAN_NONE  nothing was declared: judge as usual
 *   WR_PLAN_OFF   the pump is meant to be off, and the flow is near 0
 *   WR_PLAN_WAIT  a change was declared less than `settle` samples ago: the
 *                 flow is on its way, and no alarm is raised
 * A pump that is said to be off while the flow goes on is judged as usual, and
 * so is one whose word is older than it is valid: an old word is no word. The
 * last set point stays; the flow is still at it. A set point of 0 or less is
 * a planned stop, and a word that grows old. Changes that never end do not hold
 * alarms back for ever: after WR_PLAN_PATIENCE times `settle` samples of
 * waiting, at most half of the samples wait; each that did not gives one back.
 * Time is counted in samples of the flow. Threads: none of its own. */
#ifndef WR_PLAN_H
#define WR_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define WR_PLAN_STEP 0.05 /* of the set point: more is a change */
#define WR_PLAN_PATIENCE 8

enum wr_plan_say { WR_PLAN_NONE, WR_PLAN_OFF, WR_PLAN_WAIT };

struct wr_plan_rules {
  double off_below; /* the state's series says "off" below this */
  double near_zero; /* flow that still counts as none */
  double nominal;   /* that a set point is compared with */
  int64_t settle;   /* samples that a change may take */
};

struct wr_plan {
  bool has_word, off; /* of the state */
  int64_t age, valid; /* of that word, in samples; valid 0: for ever */
  double setpoint;    /* 0: none yet */
  bool stopped;       /* by a set point of 0 or less */
  int64_t stop_age, stop_valid; /* of that set point, as above */
  int64_t wait;                 /* samples left */
  int64_t waited;               /* of the patience */
};

void wr_plan_init(struct wr_plan *p);
/* What a series says; it holds for `valid` samples of the flow. A value that is
 * not finite is no word. */
void wr_plan_state(struct wr_plan *p, const struct wr_plan_rules *rules,
                   double value, int64_t valid);
void wr_plan_setpoint(struct wr_plan *p, const struct wr_plan_rules *rules,
                      double value, int64_t valid);
/* One sample of the flow passes. */
enum wr_plan_say wr_plan_sample(struct wr_plan *p,
                                const struct wr_plan_rules *rules, double flow);
/* The wanted flow as a multiple of the nominal one; 1 without a set point. */
double wr_plan_scale(const struct wr_plan *p,
                     const struct wr_plan_rules *rules);

#endif
