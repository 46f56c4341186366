#include "edge.h"

#include "lib/base/number.h"
#include "lib/flow/shipped.h"

#include "collectd/core/utils/common/common.h"

#include <errno.h>

/* Identifiers that are taken beside the labels: bool-up, bool-uncertain ... */
static const char *const reserved[] = {"up", EDGE_UNCERTAIN, NULL};

static int default_severity(const char *label) {
  if (strcmp(label, "Anomalous") == 0)
    return NOTIF_FAILURE;
  if (strcmp(label, "Low") == 0 || strcmp(label, "High") == 0)
    return NOTIF_WARNING;
  return NOTIF_OKAY;
}

static void apply_options(struct edge_rules *r, const struct edge_options *o,
                          size_t index) {
  static const int severities[] = {NOTIF_FAILURE, NOTIF_WARNING, NOTIF_OKAY};
  const char *name = r->labels.at[index].name;
  r->thresholds[index] = o->threshold;
  r->severities[index] = default_severity(name);
  for (size_t i = 0; i < o->label_count; i++) {
    const struct edge_label_option *l = o->labels + i;
    if (strcmp(l->name, name) != 0)
      continue;
    if (l->threshold >= 0)
      r->thresholds[index] = l->threshold;
    if (l->severity >= 0)
      r->severities[index] = severities[l->severity];
  }
  r->alarming[index] = r->severities[index] == NOTIF_FAILURE;
  r->calm[index] = r->severities[index] == NOTIF_OKAY;
}

/* The default table speaks of flow: it stands beside a model only where the
 * model knows the same labels. */
static bool defaults_apply(const struct wr_model *model) {
  for (size_t i = 0; model != NULL && i < WR_SHIPPED_RANGES; i++)
    if (wr_labels_find(&model->labels, wr_shipped_ranges[i].label) < 0)
      return false;
  return true;
}

static int add_ranges(struct edge_rules *r, const struct edge_options *o,
                      const struct wr_model *model) {
  bool own = o->range_count > 0;
  size_t count = own ? o->range_count : WR_SHIPPED_RANGES;
  double scale = own ? 1.0 : o->nominal / WR_SHIPPED_NOMINAL;
  if (o->policy == WR_RANGES_OFF || (!own && !defaults_apply(model)))
    return 0;
  r->ranges = calloc(count, sizeof(*r->ranges));
  if (r->ranges == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < count; i++) {
    struct wr_shipped_range from =
        own ? (struct wr_shipped_range){o->ranges[i].name, o->ranges[i].min,
                                        o->ranges[i].max}
            : wr_shipped_ranges[i];
    int label = wr_labels_add(&r->labels, from.label, reserved);
    if (label < 0)
      return label;
    r->ranges[i] = (struct wr_range){label, from.min * scale, from.max * scale};
  }
  r->verdict.range_count = count;
  return 0;
}

/* What an anomaly score has to exceed to vote; NaN: it has no vote. */
static double anomaly_limit(const struct edge_options *o,
                            const struct wr_model *model) {
  if (model == NULL || !model->has_anomaly)
    return NAN;
  if (o->anomaly_threshold >= 0)
    return o->anomaly_threshold;
  if (model->labels.count > 0)
    return NAN;
  return isnan(model->anomaly_threshold) ? 0.3 : model->anomaly_threshold;
}

/* The labels that anomaly scores vote for. */
static int add_anomaly(struct edge_rules *r, const struct edge_options *o,
                       const struct wr_model *model) {
  struct wr_verdict_rules *v = &r->verdict;
  v->anomaly_limit = anomaly_limit(o, model);
  v->anomaly_label = v->calm_label = WR_UNCERTAIN;
  if (isnan(v->anomaly_limit))
    return 0;
  v->anomaly_label = wr_labels_add(&r->labels, "Anomalous", reserved);
  if (v->anomaly_label >= 0 && model->labels.count == 0)
    v->calm_label = wr_labels_add(&r->labels, "Normal", reserved);
  return v->anomaly_label < 0 || (model->labels.count == 0 && v->calm_label < 0)
             ? -ENOMEM
             : 0;
}

void edge_rules_free(struct edge_rules *r) {
  wr_labels_free(&r->labels);
  free(r->ranges);
  r->ranges = NULL;
}

int edge_rules_build(struct edge_target *t, const struct wr_model *model) {
  struct edge_rules *r = &t->rules;
  const struct edge_options *o = &t->o;
  unsigned generation = r->generation + 1;
  int status = 0;
  edge_rules_free(r);
  *r = (struct edge_rules){.generation = generation};
  /* The model's labels first: so an index means the same in both. */
  for (size_t i = 0; status >= 0 && model != NULL && i < model->labels.count;
       i++)
    status = wr_labels_add(&r->labels, model->labels.at[i].name, reserved);
  if (status >= 0)
    status = add_anomaly(r, o, model);
  if (status >= 0)
    status = add_ranges(r, o, model);
  if (status < 0)
    return status;
  for (size_t i = 0; i < r->labels.count; i++)
    apply_options(r, o, i);
  struct wr_verdict_rules *v = &r->verdict;
  v->labels = model != NULL ? model->labels.count : 0;
  v->thresholds = r->thresholds;
  v->alarming = r->alarming;
  v->calm = r->calm;
  v->off_label = WR_UNCERTAIN;
  v->hysteresis = o->score_hysteresis;
  v->votes = (struct wr_votes_rules){o->need, o->of,
                                     o->release > 0 ? (int)o->release : o->of};
  v->nominal = o->nominal;
  v->dead_band = o->hysteresis * o->nominal;
  if (v->range_count > 0 && o->axis_count <= 1)
    v->calm_rules = (struct wr_calm_rules){
        WR_SHIPPED_QUIET, WR_SHIPPED_LOOK, WR_SHIPPED_TURNS,
        WR_SHIPPED_WIDTH * o->nominal, WR_SHIPPED_SWING * o->nominal};
  v->policy = (enum wr_range_policy)o->policy;
  v->ranges = r->ranges;
  return 0;
}

const char *edge_rules_misfit(const struct edge_options *o,
                              const struct wr_model *model, char *text,
                              size_t size) {
  size_t samples = model->features / model->axes;
  size_t axes = o->axis_count > 0 ? o->axis_count : 1;
  if (model->axes != axes)
    snprintf(text, size,
             "the model \"%s\" wants %zu axes, but %zu are given (Axis)",
             model->name, model->axes, axes);
  else if (o->window != 0 && (size_t)o->window != samples)
    snprintf(text, size,
             "Window %" PRId64 " does not fit the model \"%s\", which wants "
             "%zu samples",
             o->window, model->name, samples);
  else if (o->anomaly_threshold >= 0 && !model->has_anomaly)
    wr_number_print(
        text, size,
        "AnomalyThreshold %g does not fit the model \"%s\", which has "
        "no anomaly score",
        o->anomaly_threshold, model->name);
  else if (o->stride > (int64_t)samples)
    snprintf(text, size,
             "Stride %" PRId64 " is larger than the window of the model "
             "\"%s\", %zu samples",
             o->stride, model->name, samples);
  else
    return NULL;
  return text;
}
