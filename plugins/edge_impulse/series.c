#include "edge.h"

#include "collectd/core/utils/common/common.h"

struct feed {
  int64_t now_ms;
  cdtime_t time; /* of the sample under way */
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

void edge_job_free(struct edge_job *job) {
  edge_series_release(job->series);
  free(job);
}

/* plugin, instance, type, instance, each with its NUL: no two series make the
 * same key. A fusion of several series belongs to their host. */
static size_t make_key(const struct edge_target *t, const value_list_t *vl,
                       char *key) {
  const char *const parts[] = {vl->host, vl->plugin, vl->plugin_instance,
                               vl->type, vl->type_instance};
  size_t count = t->o.axis_count > 0 ? 1 : STATIC_ARRAY_SIZE(parts);
  char *end = key;
  for (size_t i = 0; i < count; i++) {
    size_t len = strnlen(parts[i], DATA_MAX_NAME_LEN - 1);
    memcpy(end, parts[i], len);
    end[len] = '\0';
    end += len + 1;
  }
  return (size_t)(end - key);
}

/* Which axis a value is; axis_count when it is none. */
static size_t axis_of(const struct edge_target *t, const value_list_t *vl) {
  char name[5 * DATA_MAX_NAME_LEN];
  size_t host = strlen(vl->host) + 1; /* format_name() begins with it */
  if (FORMAT_VL(name, sizeof(name), vl) != 0)
    return t->o.axis_count;
  size_t i = 0;
  while (i < t->o.axis_count && strcmp(t->o.axes[i].name, name + host) != 0)
    i++;
  return i;
}

/* A series at another pace than the model's has gaps, or is thinned out. */
static void check_pace(struct edge_target *t, const value_list_t *vl,
                       int64_t now_ms) {
  double has = CDTIME_T_TO_DOUBLE(vl->interval);
  double wants = (double)t->shape.interval_us / 1e6;
  if (!t->fitted || has <= 0 || (has < wants * 1.5 && has > wants / 1.5))
    return;
  wr_trouble_begin(&t->pace, now_ms, LOG_WARNING,
                   EDGE_WHERE ": %s-%s/%s has a sample every %g s, the model "
                              "wants one every %g s: %s.",
                   vl->plugin, vl->plugin_instance, vl->type, has, wants,
                   has > wants ? "windows will be missing"
                               : "some are left out");
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
  s->instance =
      strdup(t->o.axis_count > 0 ? t->o.axes[0].instance : vl->plugin_instance);
  if (s->window == NULL || s->host == NULL || s->instance == NULL) {
    edge_series_release(s);
    return NULL;
  }
  return s;
}

static struct edge_series *add_series(struct edge_target *t, const char *key,
                                      size_t len, const value_list_t *vl,
                                      int64_t now_ms) {
  wr_table_expire(t->series, now_ms - t->o.forget_ms);
  check_pace(t, vl, now_ms);
  struct edge_series *s = make_series(t, vl);
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
  *job = (struct edge_job){.queued = {.waiting = &f->series->waiting},
                           .target = f->target,
                           .series = f->series,
                           .end_us = end_us,
                           .time = end_us == wr_us_from_cdtime(f->time)
                                       ? f->time
                                       : wr_cdtime_from_us(end_us),
                           .restarted = restarted,
                           .taken = wr_window_taken(w),
                           .fill = wr_window_fill(w),
                           .stuck = f->series->is_stuck,
                           .count = count};
  wr_window_copy(w, job->features);
  f->series->refs++;
  edge_engine_queue(f->target->engine, &job->queued);
}

void edge_series_sample(struct edge_target *t, const value_list_t *vl,
                        double value) {
  char key[5 * DATA_MAX_NAME_LEN];
  size_t axis = t->o.axis_count > 0 ? axis_of(t, vl) : 0;
  if (axis > 0 && axis == t->o.axis_count)
    return;
  int64_t now_ms = wr_clock_ms(), time_us = wr_us_from_cdtime(vl->time);
  size_t len = make_key(t, vl, key);
  struct edge_series *s = wr_table_get(t->series, key, len, now_ms);
  if (s == NULL && (s = add_series(t, key, len, vl, now_ms)) == NULL)
    return;
  if (axis == 0 && t->o.stuck_ms > 0)
    s->is_stuck =
        wr_stuck_step(&s->stuck, time_us, value, t->o.stuck_ms * 1000);
  struct feed f = {now_ms, vl->time, t, s};
  bool waited = wr_window_waits(s->window);
  wr_window_push(s->window, axis, time_us, value, now_ms, on_window, &f);
  if (!waited && wr_window_waits(s->window) && t->holes++ == 0)
    edge_engine_wake(t->engine);
}

static void tick(void *value, void *arg) {
  struct feed *f = arg;
  f->series = value;
  if (wr_window_waits(f->series->window))
    wr_window_tick(f->series->window, f->now_ms, on_window, f);
  f->target->holes += wr_window_waits(f->series->window);
}

bool edge_series_sweep(struct edge_target *t) {
  struct feed f = {.now_ms = wr_clock_ms(), .target = t};
  pthread_mutex_lock(&t->lock);
  wr_table_expire(t->series, f.now_ms - t->o.forget_ms);
  if (t->holes > 0) {
    t->holes = 0; /* counted anew */
    wr_table_each(t->series, tick, &f);
  }
  bool again = t->holes > 0;
  pthread_mutex_unlock(&t->lock);
  return again;
}
