#include "lib/flow/plan.h"

#include <math.h>
#include <string.h>

void wr_plan_init(struct wr_plan *p) { memset(p, 0, sizeof(*p)); }

static bool is_off(const struct wr_plan *p) {
  return p->stopped || (p->has_word && p->off);
}

void wr_plan_state(struct wr_plan *p, const struct wr_plan_rules *rules,
                   double value, int64_t valid) {
  if (!isfinite(value))
    return;
  bool off = value < rules->off_below;
  if (p->has_word && off != p->off)
    p->wait = rules->settle;
  p->has_word = true;
  p->off = off;
  p->age = 0;
  p->valid = valid;
}

void wr_plan_setpoint(struct wr_plan *p, const struct wr_plan_rules *rules,
                      double value) {
  if (!isfinite(value))
    return;
  bool known = p->setpoint > 0 || p->stopped, stopped = value <= 0;
  if (known && (stopped != p->stopped ||
                (!stopped && p->setpoint > 0 &&
                 fabs(value - p->setpoint) > WR_PLAN_STEP * p->setpoint)))
    p->wait = rules->settle;
  p->stopped = stopped;
  if (!stopped)
    p->setpoint = value;
}

enum wr_plan_say wr_plan_sample(struct wr_plan *p,
                                const struct wr_plan_rules *rules,
                                double flow) {
  if (p->has_word && p->valid > 0 && ++p->age > p->valid)
    p->has_word = false;
  bool waits = p->wait > 0;
  p->wait -= waits;
  if (is_off(p) && fabs(flow) <= rules->near_zero)
    return WR_PLAN_OFF;
  return waits ? WR_PLAN_WAIT : WR_PLAN_NONE;
}

double wr_plan_scale(const struct wr_plan *p,
                     const struct wr_plan_rules *rules) {
  return p->setpoint > 0 ? p->setpoint / rules->nominal : 1.0;
}
