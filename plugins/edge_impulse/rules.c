#include "edge.h"

#include "lib/base/number.h"
#include "lib/flow/shipped.h"

#include "collectd/core/utils/common/common.h"

#include <errno.h>

/* Identifiers that are taken beside the labels: bool-up, bool-uncertain ... */
static const char *const reserved[] = {"up", "shelved", EDGE_UNCERTAIN,
                                       EDGE_UNKNOWN_NAME, NULL};

/* The labels that firmware, dashboards and the table above know. */
static const struct {
  const char *label;
  int severity;
} known[] = {{"Anomalous", NOTIF_FAILURE},
             {"Low", NOTIF_WARNING},
             {"High", NOTIF_WARNING},
             {"Normal", NOTIF_OKAY}};

/* What nobody explained is looked at rather than passed over. */
static int default_severity(const char *label) {
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(known); i++)
    if (strcmp(known[i].label, label) == 0)
      return known[i].severity;
  return NOTIF_WARNING;
}

static int severity_of(const struct edge_options *o, const char *name,
                       int severity) {
  static const int severities[] = {NOTIF_FAILURE, NOTIF_WARNING, NOTIF_OKAY};
  for (size_t i = 0; i < o->label_count; i++)
    if (strcmp(o->labels[i].name, name) == 0 && o->labels[i].severity >= 0)
      severity = severities[o->labels[i].severity];
  return severity;
}

static void apply_options(struct edge_rules *r, const struct edge_options *o,
                          size_t index) {
  const char *name = r->labels.at[index].name;
  r->thresholds[index] = o->threshold;
  for (size_t i = 0; i < o->label_count; i++)
    if (strcmp(o->labels[i].name, name) == 0 && o->labels[i].threshold >= 0)
      r->thresholds[index] = o->labels[i].threshold;
  bool off = (int)index == r->verdict.off_label;
  r->severities[index] =
      severity_of(o, name, off ? NOTIF_OKAY : default_severity(name));
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
  wr_labels_free(&r->before);
  free(r->ranges);
  r->ranges = NULL;
}

static int fill(struct edge_rules *r, const struct edge_options *o,
                const struct wr_model *model) {
  int status = 0;
  /* The model's labels first: so an index means the same in both. */
  for (size_t i = 0; status >= 0 && model != NULL && i < model->labels.count;
       i++)
    status = wr_labels_add(&r->labels, model->labels.at[i].name, reserved);
  if (status >= 0)
    status = add_anomaly(r, o, model);
  if (status >= 0)
    status = add_ranges(r, o, model);
  r->verdict.off_label = WR_UNCERTAIN;
  if (status >= 0 && o->plan.label != NULL)
    status = r->verdict.off_label =
        wr_labels_add(&r->labels, o->plan.label, reserved);
  else if (status >= 0 && o->plan.setpoint != NULL)
    status = r->verdict.off_label = wr_labels_add(&r->labels, "Off", reserved);
  if (status < 0)
    return status;
  for (size_t i = 0; i < r->labels.count; i++)
    apply_options(r, o, i);
  r->uncertain_severity = severity_of(o, EDGE_UNCERTAIN, NOTIF_WARNING);
  r->unknown_severity = severity_of(o, EDGE_UNKNOWN_NAME, NOTIF_FAILURE);
  struct wr_verdict_rules *v = &r->verdict;
  v->labels = model != NULL ? model->labels.count : 0;
  v->hysteresis = o->score_hysteresis;
  v->votes = (struct wr_votes_rules){o->need, o->of,
                                     o->release > 0 ? (int)o->release : o->of};
  v->nominal = o->nominal;
  v->quantum = o->quantum;
  v->dead_band = o->hysteresis * o->nominal;
  /* A model that sees long enough knows a move by itself. */
  bool sees = model != NULL &&
              (int64_t)(model->features / model->axes) * model->interval_us >=
                  WR_CONTEXT_SECONDS * INT64_C(1000000);
  if (v->range_count > 0 && o->axis_count <= 1 &&
      o->context != EDGE_CONTEXT_OFF)
    v->calm_rules = (struct wr_calm_rules){WR_SHIPPED_QUIET,
                                           WR_SHIPPED_LOOK,
                                           sees ? 0 : WR_SHIPPED_TURNS,
                                           WR_SHIPPED_TURNS,
                                           WR_SHIPPED_WIDTH * o->nominal,
                                           WR_SHIPPED_SWING * o->nominal};
  v->policy = (enum wr_range_policy)o->policy;
  v->ranges = r->ranges;
  return 0;
}

int edge_rules_build(struct edge_target *t, const struct wr_model *model,
                     char *text, size_t size) {
  struct edge_rules fresh = {.generation = t->rules.generation + 1};
  int status = fill(&fresh, &t->o, model);
  if (status < 0) {
    edge_rules_free(&fresh);
    if (status == -ENOSPC)
      snprintf(text, size,
               "the labels of the model and of Range are more than %d together",
               WR_LABELS_MAX);
    else
      snprintf(text, size, "a label cannot be taken over: %s",
               STRERROR(-status));
    return status;
  }
  fresh.before = t->rules.labels;
  t->rules.labels = (struct wr_labels){0};
  edge_rules_free(&t->rules);
  t->rules = fresh;
  t->rules.verdict.thresholds = t->rules.thresholds;
  t->rules.verdict.alarming = t->rules.alarming;
  t->rules.verdict.calm = t->rules.calm;
  return 0;
}

const char *edge_label_name(const struct edge_rules *r, int state) {
  return state == WR_UNKNOWN ? EDGE_UNKNOWN_NAME
         : state < 0         ? EDGE_UNCERTAIN
                             : r->labels.at[state].name;
}

const char *edge_label_id(const struct edge_rules *r, int state) {
  return state < 0 ? edge_label_name(r, state) : r->labels.at[state].id;
}

/* `"a", "b"` in a text of limited size. */
static void add_name(char *list, size_t size, const char *name) {
  size_t used = strlen(list);
  snprintf(list + used, size - used, "%s\"%s\"", used > 0 ? ", " : "", name);
}

static bool has_severity(const struct edge_options *o, const char *name,
                         const char *off) {
  for (size_t i = 0; i < o->label_count; i++)
    if (o->labels[i].severity >= 0 && strcmp(o->labels[i].name, name) == 0)
      return true;
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(known); i++)
    if (strcmp(known[i].label, name) == 0)
      return true;
  return name == off;
}

bool edge_rules_remarks(const struct edge_target *t,
                        const struct wr_model *model) {
  const struct edge_options *o = &t->o;
  const struct edge_rules *r = &t->rules;
  char open[400] = "", foreign[400] = "", nothing[400] = "";
  const char *off = r->verdict.off_label >= 0
                        ? r->labels.at[r->verdict.off_label].name
                        : NULL;
  for (size_t i = 0; i < r->labels.count; i++)
    if (!has_severity(o, r->labels.at[i].name, off))
      add_name(open, sizeof(open), r->labels.at[i].name);
  for (size_t i = 0; i < o->range_count; i++)
    if (wr_labels_find(&model->labels, o->ranges[i].name) < 0 &&
        strstr(foreign, o->ranges[i].name) == NULL)
      add_name(foreign, sizeof(foreign), o->ranges[i].name);
  for (size_t i = 0; i < o->label_count; i++)
    if (wr_labels_find(&r->labels, o->labels[i].name) < 0 &&
        strcmp(o->labels[i].name, EDGE_UNCERTAIN) != 0 &&
        strcmp(o->labels[i].name, EDGE_UNKNOWN_NAME) != 0)
      add_name(nothing, sizeof(nothing), o->labels[i].name);
  if (open[0] != '\0')
    WARNING(EDGE_WHERE ": no Severity is given for %s; it is taken as "
                       "\"warning\" (model \"%s\").",
            open, model->name);
  if (foreign[0] != '\0')
    WARNING(EDGE_WHERE ": <Range> names %s, which is no label of the model "
                       "\"%s\".",
            foreign, model->name);
  if (o->policy != WR_RANGES_OFF && r->verdict.range_count == 0)
    WARNING(EDGE_WHERE ": no range watches the level, because the model "
                       "\"%s\" has other labels than the default ranges; "
                       "<Range> blocks can.",
            model->name);
  if (nothing[0] != '\0')
    ERROR(EDGE_WHERE ": <Label> names %s, which is no label of the model "
                     "\"%s\", nor of a <Range>.",
          nothing, model->name);
  return nothing[0] == '\0';
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
  else if (o->window != 0 && (size_t)o->window != samples &&
           (size_t)o->window != model->least)
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
