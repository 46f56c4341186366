#include "edge/edge.h"

#include "collectd/core/utils/common/common.h"

struct feed {
  struct edge_target *target;
  struct edge_series *series;
};

void edge_series_release(void *arg) {
  struct edge_series *s = arg;
  if (atomic_fetch_sub(&s->refs, 1) > 1)
    return;
  wr_window_destroy(s->window);
  free(s->host);
  free(s->instance);
  free(s);
}

/* host, plugin, instance, type, instance, each with its NUL: no two series
 * make the same key. */
static size_t make_key(const value_list_t *vl, char *key) {
  const char *const parts[] = {vl->host, vl->plugin, vl->plugin_instance,
                               vl->type, vl->type_instance};
  char *end = key;
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(parts); i++) {
    size_t len = strnlen(parts[i], DATA_MAX_NAME_LEN - 1);
    memcpy(end, parts[i], len);
    end[len] = '\0';
    end += len + 1;
  }
  return (size_t)(end - key);
}

static struct edge_series *make_series(struct edge_target *t,
                                       const value_list_t *vl) {
  struct edge_series *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return NULL;
  s->refs = 1;
  wr_verdict_init(&s->verdict);
  s->window = wr_window_create(&t->shape);
  s->host = strdup(vl->host);
  s->instance = strdup(vl->plugin_instance);
  if (s->window == NULL || s->host == NULL || s->instance == NULL) {
    edge_series_release(s);
    return NULL;
  }
  return s;
}

static struct edge_series *find_series(struct edge_target *t,
                                       const value_list_t *vl, int64_t now_ms) {
  char key[5 * DATA_MAX_NAME_LEN];
  size_t len = make_key(vl, key);
  struct edge_series *s = wr_table_get(t->series, key, len, now_ms);
  if (s != NULL)
    return s;
  wr_table_expire(t->series, now_ms - t->o.forget_ms);
  s = make_series(t, vl);
  bool dropped = false;
  if (s != NULL &&
      wr_table_put(t->series, key, len, s, now_ms, &dropped) != 0) {
    edge_series_release(s);
    return NULL;
  }
  if (dropped)
    wr_trouble_begin(&t->crowd, now_ms, LOG_WARNING,
                     EDGE_WHERE ": more than %" PRId64 " series (MaxSeries); "
                                "the least recently used ones are forgotten.",
                     t->o.series_max);
  return s;
}

/* A full window becomes a job. */
static void on_window(void *arg, const struct wr_window *w, int64_t end_us,
                      bool restarted) {
  struct feed *f = arg;
  size_t count = f->target->shape.samples * f->target->shape.axes;
  struct edge_job *job = malloc(sizeof(*job) + count * sizeof(double));
  if (job == NULL) {
    f->series->errors[EDGE_DROPPED]++;
    return;
  }
  *job = (struct edge_job){.target = f->target,
                           .series = f->series,
                           .end_us = end_us,
                           .restarted = restarted,
                           .count = count};
  wr_window_copy(w, job->features);
  f->series->refs++;
  edge_engine_queue(f->target->engine, job);
}

void edge_series_sample(struct edge_target *t, const value_list_t *vl,
                        double value) {
  int64_t now_ms = wr_clock_ms();
  struct feed f = {.target = t};
  f.series = find_series(t, vl, now_ms);
  if (f.series != NULL)
    wr_window_push(f.series->window, 0, wr_us_from_cdtime(vl->time), value,
                   now_ms, on_window, &f);
}
