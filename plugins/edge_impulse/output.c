/* The values that a window leads to, or that none does: scores, the state,
 * health. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"

static int put_meta(meta_data_t *meta, const struct edge_outcome *o) {
  const struct edge_state *state = &o->series->state;
  bool unknown = o->shown == WR_UNKNOWN;
  if (o->shown == WR_UNSAID)
    return meta_data_add_string(meta, EDGE_META_SOURCE, "none");
  const char *source = unknown                ? "none"
                       : o->decision.by_range ? "range"
                                              : "model";
  int status = meta_data_add_string(
      meta, EDGE_META_LABEL,
      edge_label_name(&o->series->target->rules, o->shown));
  if (status == 0)
    status = meta_data_add_double(meta, EDGE_META_SCORE,
                                  unknown ? 0.0 : o->decision.score);
  if (status == 0 && o->shown != o->previous)
    status = meta_data_add_string(
        meta, EDGE_META_PREVIOUS,
        edge_label_name(&o->series->target->rules, o->previous));
  if (status == 0)
    status = meta_data_add_string(meta, EDGE_META_SOURCE, source);
  /* Empty while there is nothing to say: what was said must go away. */
  if (status == 0)
    status = meta_data_add_string(meta, EDGE_META_REASON, edge_reason(state));
  if (status == 0 && state->stands.shelved_ms != 0)
    status = meta_data_add_double(
        meta, EDGE_META_SHELVED,
        (double)(state->stands.shelved_ms - wr_clock_ms()) / 1000.0);
  return status;
}

static struct wr_metric metric_of(const struct edge_series *s) {
  const struct wr_window_options *shape = &s->target->shape;
  return (struct wr_metric){.host = s->host,
                            .plugin = EDGE_PLUGIN,
                            .plugin_instance = s->instance,
                            .interval = wr_cdtime_from_us(
                                shape->interval_us * (int64_t)shape->stride)};
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
  put(*m, "bool", EDGE_UNKNOWN_NAME, state == WR_UNKNOWN ? 1.0 : 0.0);
}

void edge_output(const struct edge_outcome *o) {
  const struct edge_rules *r = &o->series->target->rules;
  meta_data_t *meta = meta_data_create();
  /* A value without any of it would be classified again. */
  if (meta != NULL && put_meta(meta, o) == 0) {
    struct wr_metric m = metric_of(o->series);
    cdtime_t beat = MS_TO_CDTIME_T(o->series->target->o.heartbeat_ms);
    if (m.interval < beat)
      m.interval = beat; /* nobody is to miss what is not sent */
    m.time = o->time;
    m.meta = meta;
    if (o->answer != NULL || o->shown != WR_UNKNOWN)
      put_scores(&m, r, o);
    else if (m.interval < interval_g)
      m.interval = interval_g; /* repeated with the health */
    if (o->shown != WR_UNSAID)
      put_state(&m, r, o->shown);
  }
  meta_data_destroy(meta);
}

static void put_count(struct wr_metric m, const char *kind, uint64_t count) {
  m.type = "errors";
  m.type_instance = kind;
  wr_metric_derive(&m, (int64_t)count);
}

void edge_output_health(struct edge_series *s) {
  static const char *const kinds[EDGE_ERRORS] = {[EDGE_TIMEOUT] = "timeout",
                                                 [EDGE_REFUSED] = "refused",
                                                 [EDGE_PROTOCOL] = "protocol",
                                                 [EDGE_MODEL] = "model",
                                                 [EDGE_DROPPED] = "dropped"};
  const struct edge_state *state = &s->state;
  struct wr_metric m = metric_of(s);
  m.time = edge_series_time(s, wr_clock_ms());
  if (m.interval < interval_g)
    m.interval = interval_g;
  put(m, "bool", "up", state->stands.up ? 1.0 : 0.0);
  put(m, "bool", "shelved", state->stands.shelved_ms != 0 ? 1.0 : 0.0);
  if (s->target->o.stuck_ms > 0)
    put(m, "gauge", "stuck", state->stuck_told ? 1.0 : 0.0);
  if (state->stands.up)
    put(m, "response_time", "inference", state->latency_s);
  put(m, "queue_length", "windows", (double)s->target->engine->queued);
  for (size_t i = 0; i < EDGE_ERRORS; i++)
    put_count(m, kinds[i], atomic_load(&s->errors[i]));
  pthread_mutex_lock(&s->target->lock);
  struct wr_window_counts c = *wr_window_counts(s->window);
  c.late += s->feed.jumped;
  pthread_mutex_unlock(&s->target->lock);
  put_count(m, "filled", c.filled);
  put_count(m, "late", c.late);
  put_count(m, "duplicate", c.duplicate);
  put_count(m, "invalid", c.invalid);
  put_count(m, "restart", c.restarts);
}

void edge_output_left_out(void) {
  struct wr_metric m = {
      .host = hostname_g, .plugin = EDGE_PLUGIN, .interval = interval_g};
  put_count(m, "series", atomic_load(&edge_left_out));
}
