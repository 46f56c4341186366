#include "edge.h"

#include "collectd/core/utils/common/common.h"
#include "glue/instance.h"
#include "glue/options.h"
#include "glue/transport.h"
#include "lib/base/number.h"
#include "lib/flow/shipped.h"

#include <errno.h>
#include <sys/stat.h>

static const char *const policies[] = {"off", "guard", "fallback", NULL};
static const char *const contexts[] = {"off", "on", "auto", NULL};
static const char *const severities[] = {"failure", "warning", "okay", NULL};

static int read_debounce(const char *where, const oconfig_item_t *ci,
                         void *target) {
  struct edge_options *o = target;
  double votes[2];
  if (wr_option_numbers(where, ci, votes, 2, 1, WR_VOTES_MAX) != 0)
    return -1;
  o->need = (int)votes[0];
  o->of = (int)votes[1];
  if (o->need == votes[0] && o->of == votes[1] && o->need <= o->of &&
      2 * o->need > o->of)
    return 0;
  char value[64];
  wr_number_print(value, sizeof(value), "%g %g", votes[0], votes[1]);
  return wr_option_fault(where, ci->key, value,
                         "two whole numbers k n, with k at most n and more "
                         "than half of n");
}

/* One more element behind the `count` there are, or NULL. */
static void *grow(void **list, size_t count, size_t size) {
  void *more = realloc(*list, (count + 1) * size);
  if (more == NULL)
    return NULL;
  *list = more;
  memset((char *)more + count * size, 0, size);
  return (char *)more + count * size;
}

/* The label that a block is for. */
static const char *label_of(const char *where, const oconfig_item_t *ci) {
  const char *name = wr_option_name(where, ci);
  if (name == NULL || strlen(name) < WR_LABEL_LEN)
    return name;
  (void)wr_option_fault(where, ci->key, name, "a label of up to 255 bytes");
  return NULL;
}

static int read_range(const char *where, const oconfig_item_t *ci,
                      void *target) {
  static const struct wr_option table[] = {
      WR_OPTION("Min", WR_NUMBER, struct edge_range_option, min),
      WR_OPTION("Max", WR_NUMBER, struct edge_range_option, max)};
  struct edge_options *o = target;
  const char *name = label_of(where, ci);
  char inner[192];
  if (name == NULL)
    return -1;
  struct edge_range_option *r =
      grow((void **)&o->ranges, o->range_count, sizeof(*r));
  if (r == NULL || (r->name = strdup(name)) == NULL)
    return -1;
  o->range_count++;
  r->min = -HUGE_VAL;
  r->max = HUGE_VAL;
  snprintf(inner, sizeof(inner), "%s: <Range \"%s\">", where, name);
  if (wr_options_read(inner, ci, table, STATIC_ARRAY_SIZE(table), r) != 0)
    return -1;
  if (r->min < r->max && (isfinite(r->min) || isfinite(r->max)))
    return 0;
  char value[64];
  wr_number_print(value, sizeof(value), "%g", r->max);
  return wr_option_fault(inner, "Max", value,
                         "Min or Max or both, with Min below Max");
}

static int read_label(const char *where, const oconfig_item_t *ci,
                      void *target) {
  static const struct wr_option table[] = {
      WR_OPTION_WORD("Severity", struct edge_label_option, severity,
                     severities),
      WR_OPTION_RANGE("Threshold", WR_NUMBER, struct edge_label_option,
                      threshold, 0, 1)};
  struct edge_options *o = target;
  const char *name = label_of(where, ci);
  char inner[192];
  if (name == NULL)
    return -1;
  struct edge_label_option *l =
      grow((void **)&o->labels, o->label_count, sizeof(*l));
  if (l == NULL || (l->name = strdup(name)) == NULL)
    return -1;
  o->label_count++;
  l->severity = -1;
  l->threshold = -1;
  snprintf(inner, sizeof(inner), "%s: <Label \"%s\">", where, name);
  if (wr_options_read(inner, ci, table, STATIC_ARRAY_SIZE(table), l) != 0)
    return -1;
  if (l->threshold < 0 || (strcmp(name, EDGE_UNCERTAIN) != 0 &&
                           strcmp(name, EDGE_UNKNOWN_NAME) != 0))
    return 0;
  ERROR("%s: Threshold is not allowed: no model gives this state a score; "
        "allowed here is Severity.",
        inner);
  return -1;
}

static int read_axis(const char *where, const oconfig_item_t *ci,
                     void *target) {
  struct edge_options *o = target;
  const char *name = wr_option_name(where, ci);
  if (name == NULL)
    return -1;
  if (!edge_is_identifier(name))
    return wr_option_fault(where, "Axis", name,
                           "plugin-instance/type-instance, as "
                           "m4_rpc-pump/flow-flow_rate");
  for (size_t i = 0; i < o->axis_count; i++)
    if (strcmp(o->axes[i].name, name) == 0)
      return wr_option_fault(where, "Axis", name, "each series once");
  if (o->axis_count == WR_WINDOW_AXES)
    return wr_option_fault(where, "Axis", name, "at most 16 axes");
  struct edge_axis *a = grow((void **)&o->axes, o->axis_count, sizeof(*a));
  if (a == NULL)
    return -1;
  o->axis_count++;
  size_t plugin = strcspn(name, "-/");
  size_t end = strcspn(name, "/");
  a->name = strdup(name);
  a->instance = name[plugin] == '-'
                    ? strndup(name + plugin + 1, end - plugin - 1)
                    : strdup("");
  return a->name != NULL && a->instance != NULL ? 0 : -1;
}

static int read_expect(const char *where, const oconfig_item_t *ci,
                       void *target) {
  struct edge_options *o = target;
  value_list_t vl;
  const char *name = wr_option_name(where, ci);
  if (name == NULL)
    return -1;
  if (!edge_is_identifier(name) || edge_name_parse(name, "", &vl) != 0)
    return wr_option_fault(where, "Expect", name,
                           "plugin-instance/type-instance, as "
                           "m4_rpc-pump/flow-flow_rate");
  char **e = grow((void **)&o->expected, o->expected_count, sizeof(*e));
  if (e == NULL || (*e = strdup(name)) == NULL)
    return -1;
  o->expected_count++;
  return 0;
}

#define TEXT(name, field) WR_OPTION(name, WR_STRING, struct edge_options, field)
#define FLAG(name, field)                                                      \
  WR_OPTION(name, WR_BOOLEAN, struct edge_options, field)
#define RANGE(name, kind, field, min, max)                                     \
  WR_OPTION_RANGE(name, kind, struct edge_options, field, min, max)

static const struct wr_option options[] = {
    TEXT("URL", url),
    TEXT("Model", model),
    TEXT("Instance", instance),
    RANGE("Nominal", WR_NUMBER, nominal, 1e-9, 1e9),
    RANGE("Threshold", WR_NUMBER, threshold, 0, 1),
    RANGE("Hysteresis", WR_NUMBER, hysteresis, 0, 1),
    RANGE("ScoreHysteresis", WR_NUMBER, score_hysteresis, 0, 1),
    RANGE("Release", WR_INTEGER, release, 1, WR_VOTES_MAX),
    RANGE("AnomalyThreshold", WR_NUMBER, anomaly_threshold, 0, 999),
    WR_OPTION_BLOCK("Debounce", read_debounce),
    WR_OPTION_WORD("RangePolicy", struct edge_options, policy, policies),
    WR_OPTION_WORD("Context", struct edge_options, context, contexts),
    WR_OPTION_BLOCK("Range", read_range),
    WR_OPTION_BLOCK("Label", read_label),
    WR_OPTION_BLOCK("Axis", read_axis),
    WR_OPTION_BLOCK("Expect", read_expect),
    WR_OPTION_BLOCK("State", edge_plan_read_state),
    TEXT("Setpoint", plan.setpoint),
    RANGE("Settle", WR_INTEGER, plan.settle, 0, 3600),
    RANGE("Quantum", WR_NUMBER, quantum, 0, 1e9),
    RANGE("Window", WR_INTEGER, window, 1, WR_WINDOW_VALUES),
    RANGE("Stride", WR_INTEGER, stride, 1, WR_WINDOW_VALUES),
    RANGE("Interval", WR_SECONDS, interval_ms, 0.001, 86400),
    RANGE("MaxGap", WR_INTEGER, max_gap, 0, 1000),
    FLAG("Padding", padding),
    RANGE("Timeout", WR_SECONDS, timeout_ms, 0.01, 60),
    RANGE("QueueLength", WR_INTEGER, queue_max, 1, 100000),
    RANGE("MaxDelay", WR_SECONDS, delay_ms, 0.1, 3600),
    RANGE("MaxSeries", WR_INTEGER, series_max, 1, 1000000),
    RANGE("StaleAfter", WR_SECONDS, stale_ms, 1, 86400),
    RANGE("Heartbeat", WR_SECONDS, heartbeat_ms, 0, 3600),
    RANGE("ForgetAfter", WR_SECONDS, forget_ms, 1, 31536000),
    RANGE("StuckAfter", WR_SECONDS, stuck_ms, 0, 31536000),
    FLAG("VerifyPeer", verify_peer),
    FLAG("VerifyHost", verify_host),
    TEXT("CACert", ca_cert),
    TEXT("CAPath", ca_path),
    TEXT("ClientCert", client_cert),
    TEXT("ClientKey", client_key),
    FLAG("UseProxy", use_proxy),
    TEXT("CaptureDir", capture_dir),
    FLAG("CaptureUncertain", capture_uncertain),
    RANGE("CaptureFiles", WR_INTEGER, capture_files, 1, 1000000),
    RANGE("CaptureBytes", WR_INTEGER, capture_bytes, 4096, 1e12)};

static const struct edge_options defaults = {
    .nominal = WR_SHIPPED_NOMINAL,
    .threshold = WR_SHIPPED_THRESHOLD,
    .hysteresis = WR_SHIPPED_DEAD_BAND,
    .anomaly_threshold = -1,
    .need = WR_SHIPPED_NEED,
    .of = WR_SHIPPED_OF,
    .plan = {.below = WR_SHIPPED_OFF_BELOW,
             .max_flow = -1,
             .settle = WR_SHIPPED_SETTLE},
    .policy = WR_RANGES_GUARD,
    .context = EDGE_CONTEXT_AUTO,
    .max_gap = WR_SHIPPED_MAX_GAP,
    .timeout_ms = 1000,
    .forget_ms = 86400000,
    .stuck_ms = 60000,
    .queue_max = 4096,
    .delay_ms = 5000,
    .series_max = 4096,
    .verify_peer = true,
    .verify_host = true,
    .capture_uncertain = true,
    .capture_files = 1000,
    .capture_bytes = 10 << 20};

static int check_source(struct edge_options *o) {
  if ((o->url == NULL) == (o->model == NULL)) {
    ERROR(EDGE_WHERE ": %s; allowed is exactly one of URL (a container) and "
                     "Model (an .eim file).",
          o->url == NULL ? "neither URL nor Model is given"
                         : "both URL and Model are given");
    return -1;
  }
  if (o->model != NULL) /* whether there is one yet is no fault of ours */
    return o->model[0] == '/'
               ? 0
               : wr_option_fault(EDGE_WHERE, "Model", o->model,
                                 "the absolute path of an executable file");
  if (wr_transport_load(EDGE_WHERE) != 0)
    return -1;
  const char *fault = wr_http_url_fault(o->url, false);
  if (fault != NULL)
    return wr_option_fault(EDGE_WHERE, "URL", o->url, fault);
  if (o->use_proxy && wr_http_proxy_find(&o->proxy, o->url, getenv) != 0) {
    ERROR(EDGE_WHERE ": out of memory.");
    return -1;
  }
  return 0;
}

/* With Axis, series of one host become one. */
static int check_instance(const struct edge_options *o) {
  const char *fault =
      o->instance != NULL ? wr_instance_fault(o->instance) : NULL;
  if (fault == NULL && o->instance != NULL && o->axis_count > 0 &&
      (strstr(o->instance, "%{plugin") != NULL ||
       strstr(o->instance, "%{type") != NULL))
    fault = "a text with no placeholder but %{host}, because of Axis";
  return fault != NULL
             ? wr_option_fault(EDGE_WHERE, "Instance", o->instance, fault)
             : 0;
}

static int check_stride(const struct edge_options *o) {
  if (o->window == 0 || o->stride <= o->window)
    return 0;
  char value[32];
  snprintf(value, sizeof(value), "%" PRId64, o->stride);
  return wr_option_fault(EDGE_WHERE, "Stride", value,
                         "a whole number from 1 to Window");
}

/* Each directory has one owner, which keeps its size. */
static int check_capture(const struct edge_options *o,
                         const struct edge_target *others) {
  if (o->capture_dir == NULL)
    return 0;
  struct stat st;
  const char *fault = NULL;
  if (o->capture_dir[0] != '/')
    fault = "the absolute path of a directory";
  else if (stat(o->capture_dir, &st) == 0 && !S_ISDIR(st.st_mode))
    fault = "a directory";
  for (const struct edge_target *t = others; t != NULL; t = t->next)
    if (t->o.capture_dir != NULL &&
        strcmp(t->o.capture_dir, o->capture_dir) == 0)
      fault = "a directory of its own for each target";
  return fault != NULL
             ? wr_option_fault(EDGE_WHERE, "CaptureDir", o->capture_dir, fault)
             : 0;
}

/* Starts the program for a moment: this is the last moment to say as a fault of
 * the configuration that the two do not fit. One that does not run yet is
 * tried again later. The child is gone before collectd goes into the
 * background. */
static int check_model(struct edge_target *t) {
  const struct wr_model *model = &t->engine->info;
  char text[256];
  /* Ranges alone, for as long as no model is known: also a check of them. */
  const char *fault =
      edge_rules_build(t, NULL, text, sizeof(text)) != 0 ? text : NULL;
  bool is_program = t->engine->o.model != NULL;
  if (fault == NULL && is_program) {
    if (!t->engine->described && edge_engine_probe(t->engine) != 0)
      return 0;
    fault = edge_rules_misfit(&t->o, model, text, sizeof(text));
    if (fault == NULL && edge_rules_build(t, model, text, sizeof(text)) != 0)
      fault = text;
    t->fits = fault == NULL;
  }
  if (fault == NULL)
    return is_program && !edge_rules_remarks(t, model) ? -1 : 0;
  ERROR(EDGE_WHERE ": %s.", fault);
  return -1;
}

/* A model that tells no sample from no flow may wait less. */
size_t edge_least(const struct edge_options *o, const struct wr_model *m) {
  if (m != NULL && m->least != 0)
    return m->least;
  return o->padding ? 1 : 0;
}

static int prepare(struct edge_target *t) {
  const struct edge_options *o = &t->o;
  t->axes = o->axis_count > 0 ? o->axis_count : 1;
  const struct wr_model *m = t->engine->described ? &t->engine->info : NULL;
  t->fitted = m != NULL;
  t->shape = (struct wr_window_options){
      .samples = m != NULL        ? m->features / m->axes
                 : o->window != 0 ? (size_t)o->window
                                  : 10,
      .axes = t->axes,
      .stride = o->stride != 0 ? (size_t)o->stride : 1,
      .interval_us = o->interval_ms != 0 ? o->interval_ms * 1000
                     : m != NULL         ? m->interval_us
                                         : 1000000,
      .max_gap = (size_t)o->max_gap,
      .late_ms = EDGE_LATE_MS,
      .kept = WR_LEVEL_SAMPLES,
      .least = edge_least(o, m)};
  t->series = wr_table_create((size_t)o->series_max, edge_series_leave);
  return t->series != NULL ? 0 : -ENOMEM;
}

static struct edge_engine_options engine_options(const struct edge_options *o) {
  return (struct edge_engine_options){
      .url = o->url,
      .model = o->model,
      .http = {.user_agent = "weir/" WEIR_VERSION,
               .timeout_ms = o->timeout_ms,
               .insecure_peer = !o->verify_peer,
               .insecure_host = !o->verify_host,
               .proxy = o->proxy.url,
               .no_proxy = o->proxy.except,
               .ca_cert = o->ca_cert,
               .ca_path = o->ca_path,
               .client_cert = o->client_cert,
               .client_key = o->client_key},
      .timeout_ms = o->timeout_ms,
      .queue_max = o->queue_max,
      .delay_ms = o->delay_ms};
}

struct edge_target *edge_target_create(const oconfig_item_t *ci,
                                       const struct edge_target *others,
                                       const struct edge_engine_calls *calls) {
  struct edge_target *t = calloc(1, sizeof(*t));
  if (t == NULL)
    return NULL;
  t->o = defaults;
  pthread_mutex_init(&t->lock, NULL);
  pthread_mutex_init(&t->misfit.lock, NULL);
  pthread_mutex_init(&t->crowd.lock, NULL);
  pthread_mutex_init(&t->pace.lock, NULL);
  pthread_mutex_init(&t->kind.lock, NULL);
  pthread_mutex_init(&t->disk.lock, NULL);
  if (wr_options_read(EDGE_WHERE, ci, options, STATIC_ARRAY_SIZE(options),
                      &t->o) == 0 &&
      check_source(&t->o) == 0 && check_instance(&t->o) == 0 &&
      check_stride(&t->o) == 0 && edge_plan_check(&t->o) == 0 &&
      check_capture(&t->o, others) == 0) {
    struct edge_engine_options o = engine_options(&t->o);
    t->engine = edge_engine_for(&o, calls);
    if (t->engine != NULL && check_model(t) == 0 && prepare(t) == 0)
      return t;
  }
  edge_target_destroy(t);
  return NULL;
}

void edge_target_destroy(struct edge_target *t) {
  if (t == NULL)
    return;
  struct edge_options *o = &t->o;
  wr_table_destroy(t->series);
  wr_capture_close(t->capture);
  edge_rules_free(&t->rules);
  for (size_t i = 0; i < o->expected_count; i++)
    free(o->expected[i]);
  free(o->expected);
  edge_plan_free(&o->plan);
  for (size_t i = 0; i < o->label_count; i++)
    free(o->labels[i].name);
  for (size_t i = 0; i < o->range_count; i++)
    free(o->ranges[i].name);
  for (size_t i = 0; i < o->axis_count; i++) {
    free(o->axes[i].name);
    free(o->axes[i].instance);
  }
  wr_http_proxy_free(&o->proxy);
  void *const texts[] = {o->url,         o->model,       o->ca_cert, o->ca_path,
                         o->client_cert, o->client_key,  o->labels,  o->ranges,
                         o->axes,        o->capture_dir, o->instance};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(texts); i++)
    free(texts[i]);
  pthread_mutex_destroy(&t->disk.lock);
  pthread_mutex_destroy(&t->kind.lock);
  pthread_mutex_destroy(&t->pace.lock);
  pthread_mutex_destroy(&t->crowd.lock);
  pthread_mutex_destroy(&t->misfit.lock);
  pthread_mutex_destroy(&t->lock);
  free(t);
}
