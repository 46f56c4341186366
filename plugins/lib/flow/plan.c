#include "lib/flow/plan.h"

#include <math.h>
#include <string.h>

void wr_plan_init(struct wr_plan *p) { memset(p, 0, sizeof(*p)); }

static bool is_off(const struct wr_plan *p) {
  return p->stopped || (p->has_word && p->off);
}

/* A change was declared. */
static void await(struct wr_plan *p, const struct wr_plan_rules *rules) {
  int64_t left = WR_PLAN_PATIENCE * rules->settle - p->waited;
  p->wait = left < rules->settle ? left : rules->settle;
}

void wr_plan_state(struct wr_plan *p, const struct wr_plan_rules *rules,
                   double value, int64_t valid) {
  if (!isfinite(value))
    return;
  bool off = value < rules->off_below;
  if (p->has_word && off != p->off)
    await(p, rules);
  p->has_word = true;
  p->off = off;
  p->age = 0;
  p->valid = valid;
}

void wr_plan_setpoint(struct wr_plan *p, const struct wr_plan_rules *rules,
                      double value, int64_t valid) {
  if (!isfinite(value))
    return;
  bool known = p->setpoint > 0 || p->stopped, stopped = value <= 0;
  if (known &&
      (stopped != p->stopped ||
       (!stopped && fabs(value - p->setpoint) > WR_PLAN_STEP * p->setpoint)))
    await(p, rules);
  p->stopped = stopped;
  p->stop_age = 0;
  p->stop_valid = valid;
  if (!stopped)
    p->setpoint = value;
}

enum wr_plan_say wr_plan_sample(struct wr_plan *p,
                                const struct wr_plan_rules *rules,
                                double flow) {
  if (p->has_word && p->valid > 0 && ++p->age > p->valid)
    p->has_word = false;
  if (p->stopped && p->stop_valid > 0 && ++p->stop_age > p->stop_valid)
    p->stopped = false;
  bool off = is_off(p) && fabs(flow) <= rules->near_zero;
  bool waits = p->wait > 0;
  p->wait -= waits;
  if (waits && !off)
    p->waited++;
  else if (p->waited > 0)
    p->waited--;
  return off ? WR_PLAN_OFF : waits ? WR_PLAN_WAIT : WR_PLAN_NONE;
}

double wr_plan_scale(const struct wr_plan *p,
                     const struct wr_plan_rules *rules) {
  return p->setpoint > 0 ? p->setpoint / rules->nominal : 1.0;
}
