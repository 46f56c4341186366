/* Everything a window leads to: scores, the state, health, notifications. */
#include "edge.h"

#include "lib/base/number.h"

#include "collectd/core/utils/common/common.h"

static const char *label_name(const struct edge_rules *r, int label) {
  return label == WR_UNCERTAIN ? EDGE_UNCERTAIN : r->labels.at[label].name;
}

static meta_data_t *make_meta(const struct edge_rules *r,
                              const struct wr_decision *d) {
  meta_data_t *meta = meta_data_create();
  if (meta == NULL)
    return NULL;
  if (meta_data_add_string(meta, EDGE_META_LABEL, label_name(r, d->state)) ==
          0 &&
      meta_data_add_double(meta, EDGE_META_SCORE, d->score) == 0 &&
      meta_data_add_string(meta, EDGE_META_SOURCE,
                           d->by_range ? "range" : "model") == 0)
    return meta;
  meta_data_destroy(meta);
  return NULL;
}

static struct wr_metric metric_of(const struct edge_job *job,
                                  meta_data_t *meta) {
  const struct wr_window_options *shape = &job->target->shape;
  return (struct wr_metric){.host = job->series->host,
                            .plugin = EDGE_PLUGIN,
                            .plugin_instance = job->series->instance,
                            .time = job->time,
                            .interval = wr_cdtime_from_us(
                                shape->interval_us * (int64_t)shape->stride),
                            .meta = meta};
}

static void put(struct wr_metric m, const char *type, const char *instance,
                double value) {
  m.type = type;
  m.type_instance = instance;
  wr_metric_gauge(&m, value);
}

static void put_scores(const struct wr_metric *m, const struct edge_rules *r,
                       const struct edge_outcome *o) {
  if (o->answer == NULL) { /* the ranges know yes and no */
    for (size_t i = 0; i < r->labels.count; i++)
      put(*m, "percent", r->labels.at[i].id,
          (int)i == o->decision.vote ? 100.0 : 0.0);
    return;
  }
  for (size_t i = 0; i < r->verdict.labels; i++)
    put(*m, "percent", r->labels.at[i].id, o->answer->scores[i] * 100.0);
  if (!isnan(o->answer->anomaly))
    put(*m, "gauge", "anomaly", o->answer->anomaly);
}

static void put_state(const struct wr_metric *m, const struct edge_rules *r,
                      int state) {
  for (size_t i = 0; i < r->labels.count; i++)
    put(*m, "bool", r->labels.at[i].id, (int)i == state ? 1.0 : 0.0);
  put(*m, "bool", EDGE_UNCERTAIN, state == WR_UNCERTAIN ? 1.0 : 0.0);
}

static notification_t notification_of(const struct edge_job *job, int severity,
                                      const char *type, const char *instance) {
  notification_t n = {.severity = severity, .time = job->time};
  sstrncpy(n.host, job->series->host, sizeof(n.host));
  sstrncpy(n.plugin, EDGE_PLUGIN, sizeof(n.plugin));
  sstrncpy(n.plugin_instance, job->series->instance, sizeof(n.plugin_instance));
  sstrncpy(n.type, type, sizeof(n.type));
  sstrncpy(n.type_instance, instance, sizeof(n.type_instance));
  return n;
}

/* A label may be any text; a message is one line in somebody's log or mail. */
static void make_one_line(char *text) {
  for (; *text != '\0'; text++)
    if ((unsigned char)*text < ' ' || *text == 0x7f)
      *text = ' ';
}

static const char *name_of(const struct edge_series *s) {
  return s->instance[0] != '\0' ? s->instance : s->host;
}

/* collectd calls every notification plugin before this returns; the values are
 * on their way by then. */
static void notify(const struct edge_job *job, const struct edge_rules *r,
                   const struct edge_outcome *o) {
  const struct wr_decision *d = &o->decision;
  const char *label = label_name(r, d->state);
  const char *previous = label_name(r, d->previous);
  bool none = d->state == WR_UNCERTAIN;
  notification_t n = notification_of(
      job, none ? NOTIF_WARNING : r->severities[d->state], "bool",
      none ? EDGE_UNCERTAIN : r->labels.at[d->state].id);
  wr_number_print(n.message, sizeof(n.message),
                  "%.60s is %.60s, was %.60s (score %.2f by %s, flow %.2f).",
                  name_of(job->series), label, previous, d->score,
                  d->by_range ? "range" : "model", d->level);
  make_one_line(n.message);
  plugin_notification_meta_add_string(&n, "label", label);
  plugin_notification_meta_add_string(&n, "previous", previous);
  plugin_notification_meta_add_double(&n, "score", d->score);
  plugin_dispatch_notification(&n);
  plugin_notification_meta_free(n.meta);
}

void edge_output(const struct edge_job *job, const struct edge_outcome *o) {
  const struct edge_rules *r = &job->target->rules;
  meta_data_t *meta = make_meta(r, &o->decision);
  if (meta == NULL)
    return; /* a value without its label would be classified again */
  struct wr_metric m = metric_of(job, meta);
  put_scores(&m, r, o);
  put_state(&m, r, o->decision.state);
  meta_data_destroy(meta);
  if (o->decision.state != o->decision.previous)
    notify(job, r, o);
}

static void put_count(struct wr_metric m, const char *kind, uint64_t count) {
  m.type = "errors";
  m.type_instance = kind;
  wr_metric_derive(&m, (int64_t)count);
}

static void notify_stuck(const struct edge_job *job, bool stuck) {
  size_t newest = job->count - job->target->axes;
  notification_t n = notification_of(job, stuck ? NOTIF_WARNING : NOTIF_OKAY,
                                     "gauge", "stuck");
  if (stuck)
    wr_number_print(n.message, sizeof(n.message),
                    "%.60s: the sensor has said %.4g for at least %.0f s.",
                    name_of(job->series), job->features[newest],
                    (double)job->target->o.stuck_ms / 1000.0);
  else
    snprintf(n.message, sizeof(n.message), "%.60s: the sensor moves again.",
             name_of(job->series));
  plugin_dispatch_notification(&n);
}

void edge_output_health(const struct edge_job *job, bool up, double latency_s,
                        size_t queued) {
  static const char *const kinds[EDGE_ERRORS] = {[EDGE_TIMEOUT] = "timeout",
                                                 [EDGE_REFUSED] = "refused",
                                                 [EDGE_PROTOCOL] = "protocol",
                                                 [EDGE_MODEL] = "model",
                                                 [EDGE_DROPPED] = "dropped"};
  struct edge_series *s = job->series;
  int64_t now_ms = wr_clock_ms();
  int64_t every_ms = (int64_t)CDTIME_T_TO_MS(interval_g);
  bool stuck = job->stuck, turned = stuck != s->stuck_told;
  if (s->health_ms != 0 && s->up == up && !turned &&
      now_ms - s->health_ms < every_ms)
    return;
  struct wr_metric m = metric_of(job, NULL);
  if (m.interval < interval_g)
    m.interval = interval_g;
  put(m, "bool", "up", up ? 1.0 : 0.0);
  if (job->target->o.stuck_ms > 0)
    put(m, "gauge", "stuck", stuck ? 1.0 : 0.0);
  if (up)
    put(m, "response_time", "inference", latency_s);
  put(m, "queue_length", "windows", (double)queued);
  for (size_t i = 0; i < EDGE_ERRORS; i++)
    put_count(m, kinds[i], atomic_load(&s->errors[i]));
  pthread_mutex_lock(&job->target->lock);
  struct wr_window_counts c = *wr_window_counts(s->window);
  pthread_mutex_unlock(&job->target->lock);
  put_count(m, "filled", c.filled);
  put_count(m, "late", c.late);
  put_count(m, "duplicate", c.duplicate);
  put_count(m, "invalid", c.invalid);
  put_count(m, "restart", c.restarts);
  s->health_ms = now_ms;
  s->up = up;
  s->stuck_told = stuck;
  if (turned)
    notify_stuck(job, stuck);
}
