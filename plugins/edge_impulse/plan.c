/* What the operator declared, asked for at each sample: the two series need not
 * pass through this target, and one that fell silent says nothing. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"
#include "glue/options.h"
#include "lib/base/number.h"
#include "lib/flow/shipped.h"

bool edge_is_identifier(const char *name) {
  const char *slash = strchr(name, '/');
  return slash != NULL && slash != name && slash[1] != '\0' &&
         strchr(slash + 1, '/') == NULL;
}

static int check_series(const char *where, const char *option,
                        const char *name) {
  return edge_is_identifier(name)
             ? 0
             : wr_option_fault(where, option, name,
                               "plugin-instance/type-instance, as "
                               "m4_rpc-pump/gauge-pump_on");
}

int edge_plan_read_state(const char *where, const oconfig_item_t *ci,
                         void *target) {
  static const struct wr_option table[] = {
      WR_OPTION("Series", WR_STRING, struct edge_plan_options, series),
      WR_OPTION("Below", WR_NUMBER, struct edge_plan_options, below),
      WR_OPTION_RANGE("MaxFlow", WR_NUMBER, struct edge_plan_options, max_flow,
                      0, 1e9)};
  struct edge_options *o = target;
  const char *name = wr_option_name(where, ci);
  char inner[192];
  if (name == NULL)
    return -1;
  if (strlen(name) >= WR_LABEL_LEN)
    return wr_option_fault(where, "State", name, "a label of up to 255 bytes");
  if (o->plan.label != NULL)
    return wr_option_fault(where, "State", name, "one block");
  snprintf(inner, sizeof(inner), "%s: <State \"%.100s\">", where, name);
  o->plan.label = strdup(name);
  if (o->plan.label == NULL ||
      wr_options_read(inner, ci, table, STATIC_ARRAY_SIZE(table), &o->plan) !=
          0)
    return -1;
  if (o->plan.series != NULL)
    return check_series(inner, "Series", o->plan.series);
  ERROR("%s: the option Series is missing; allowed is the "
        "plugin-instance/type-instance of what says whether the pump is on.",
        inner);
  return -1;
}

int edge_plan_check(const struct edge_options *o) {
  const struct edge_plan_options *p = &o->plan;
  int status = 0;
  if (p->setpoint != NULL)
    status = check_series(EDGE_WHERE, "Setpoint", p->setpoint);
  if (status == 0 && p->setpoint != NULL)
    status = edge_input_want(p->setpoint);
  if (status == 0 && p->series != NULL)
    status = edge_input_want(p->series);
  return status;
}

void edge_plan_free(struct edge_plan_options *p) {
  free(p->label);
  free(p->series);
  free(p->setpoint);
}

bool edge_plan_is_input(const struct edge_options *o, const value_list_t *vl) {
  char name[6 * DATA_MAX_NAME_LEN];
  size_t host = strlen(vl->host) + 1; /* format_name() begins with it */
  if ((o->plan.series == NULL && o->plan.setpoint == NULL) ||
      FORMAT_VL(name, sizeof(name), vl) != 0)
    return false;
  return (o->plan.series != NULL && strcmp(name + host, o->plan.series) == 0) ||
         (o->plan.setpoint != NULL &&
          strcmp(name + host, o->plan.setpoint) == 0);
}

void edge_plan_sample(struct edge_series *s, double flow) {
  const struct edge_options *o = &s->target->o;
  struct wr_plan_rules rules = {
      .off_below = o->plan.below,
      .near_zero = o->plan.max_flow >= 0 ? o->plan.max_flow
                                         : WR_SHIPPED_NEAR_ZERO * o->nominal,
      .nominal = o->nominal,
      .settle = o->plan.settle};
  if (o->plan.series != NULL)
    wr_plan_state(&s->plan, &rules, edge_input_newest(s->host, o->plan.series),
                  WR_SHIPPED_VALID);
  if (o->plan.setpoint != NULL)
    wr_plan_setpoint(&s->plan, &rules,
                     edge_input_newest(s->host, o->plan.setpoint),
                     WR_SHIPPED_VALID);
  s->say = wr_plan_sample(&s->plan, &rules, flow);
  s->scale = wr_plan_scale(&s->plan, &rules);
}

/* From this part of the nominal flow on, a person should know. */
#define COARSE 0.1

void edge_plan_remark(struct edge_series *s) {
  struct edge_state *state = &s->state;
  double nominal = s->target->o.nominal, q = state->verdict.level.quantum;
  if (state->coarse_told || q < COARSE * nominal)
    return;
  state->coarse_told = true;
  wr_say(LOG_WARNING,
         EDGE_WHERE ": one pulse in a sample of %s/%s is %.3g, %.0f %% of "
                    "Nominal: a level is told after %.0f samples, and a swing "
                    "below %.3g cannot be seen.",
         s->host, s->source, q, 100 * q / nominal,
         ceil(q / (WR_SHIPPED_DEAD_BAND * nominal)), 2 * q);
}
