#include "edge.h"

#include "collectd/core/utils/common/common.h"

struct feeding {
  int64_t now_ms;
  cdtime_t time; /* of the sample under way */
  struct edge_target *target;
  struct edge_series *series;
};

#define RETRY_MS 60000 /* whether a name that was taken is free */

atomic_uint_least64_t edge_left_out;

void edge_series_release(void *arg) {
  struct edge_series *s = arg;
  if (atomic_fetch_sub(&s->refs, 1) > 1)
    return;
  wr_window_destroy(s->window);
  pthread_mutex_destroy(&s->state.trouble.lock);
  free(s->state.reason);
  free(s);
}

void edge_series_leave(void *arg) {
  edge_name_release(arg);
  edge_series_release(arg);
}

cdtime_t edge_series_time(struct edge_series *s, int64_t now_ms) {
  pthread_mutex_lock(&s->target->lock);
  cdtime_t time =
      s->feed.own_clock
          ? cdtime()
          : s->feed.time +
                MS_TO_CDTIME_T((cdtime_t)(now_ms - s->feed.sample_ms));
  pthread_mutex_unlock(&s->target->lock);
  return time;
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

#define SOURCE_MAX (6 * DATA_MAX_NAME_LEN)

static const char *source_of(const struct edge_target *t,
                             const value_list_t *vl, char name[SOURCE_MAX]) {
  if (t->o.axis_count > 0)
    return t->o.axes[0].name;
  if (FORMAT_VL(name, SOURCE_MAX, vl) != 0)
    return vl->plugin;
  return name + strlen(vl->host) + 1;
}

/* With its texts behind it. */
static struct edge_series *new_series(const char *host, const char *instance,
                                      const char *source) {
  const char *const texts[] = {host, instance, source};
  size_t sizes[STATIC_ARRAY_SIZE(texts)], all = 0;
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(texts); i++)
    all += sizes[i] = strlen(texts[i]) + 1;
  struct edge_series *s = calloc(1, sizeof(*s) + all);
  if (s == NULL)
    return NULL;
  char **const to[] = {&s->host, &s->instance, &s->source};
  char *at = (char *)(s + 1);
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(texts); at += sizes[i++])
    *to[i] = memcpy(at, texts[i], sizes[i]);
  return s;
}

static struct edge_series *make_series(struct edge_target *t,
                                       const value_list_t *vl, int64_t now_ms) {
  char name[DATA_MAX_NAME_LEN], source[SOURCE_MAX];
  edge_name_of(t, vl, name, sizeof(name));
  struct edge_series *s = new_series(vl->host, name, source_of(t, vl, source));
  if (s == NULL)
    return NULL;
  s->refs = 1;
  s->target = t;
  s->state =
      (struct edge_state){.trouble = WR_TROUBLE_INIT, .number = t->made++};
  wr_beat_init(&s->state.beat, t->o.heartbeat_ms, s->state.number);
  wr_standing_init(&s->state.stands, now_ms);
  s->feed = (struct edge_feed){
      .sample_ms = now_ms, .time = vl->time, .own_clock = true};
  s->scale = 1;
  wr_plan_init(&s->plan);
  wr_verdict_rest_init(&s->state.verdict);
  s->window = wr_window_create(&t->shape);
  if (s->window == NULL) {
    edge_series_release(s);
    return NULL;
  }
  return s;
}

/* Another series may have the name; it keeps it. */
static void claim(struct edge_series *s, int64_t now_ms) {
  char other[6 * DATA_MAX_NAME_LEN];
  bool first = s->retry_ms == 0;
  s->refused = !edge_name_claim(s, other, sizeof(other));
  s->retry_ms = now_ms + RETRY_MS;
  if (s->refused && first)
    ERROR(EDGE_WHERE ": %s and %s of %s would both have results named "
                     "%s-%s; the second is left out. Instance gives it a name "
                     "of its own.",
          other, s->source, s->host, EDGE_PLUGIN, s->instance);
  else if (!s->refused && !first)
    INFO(EDGE_WHERE ": %s of %s now has the results named %s-%s.", s->source,
         s->host, EDGE_PLUGIN, s->instance);
}

static struct edge_series *add_series(struct edge_target *t, const char *key,
                                      size_t len, const value_list_t *vl,
                                      int64_t now_ms) {
  wr_table_expire(t->series, now_ms - t->o.forget_ms);
  if (wr_table_count(t->series) >= (size_t)t->o.series_max) {
    wr_trouble_begin(&t->crowd, now_ms, LOG_WARNING,
                     EDGE_WHERE ": more than %" PRId64 " series (MaxSeries); "
                                "new ones are left out, as %s/%s-%s.",
                     t->o.series_max, vl->host, vl->plugin,
                     vl->plugin_instance);
    return NULL;
  }
  wr_trouble_end(&t->crowd, now_ms, EDGE_WHERE ": new series have room");
  check_pace(t, vl, now_ms);
  struct edge_series *s = make_series(t, vl, now_ms);
  bool dropped = false;
  if (s != NULL &&
      wr_table_put(t->series, key, len, s, now_ms, &dropped) != 0) {
    edge_series_release(s);
    return NULL;
  }
  if (s != NULL)
    claim(s, now_ms);
  return s;
}

/* The wall clock's stamp of a moment on the series' own scale. */
static cdtime_t time_of(const struct feeding *f, int64_t steady_us) {
  int64_t wall_us = wr_steady_wall(&f->series->clock, steady_us);
  return wall_us == wr_us_from_cdtime(f->time) ? f->time
                                               : wr_cdtime_from_us(wall_us);
}

/* A full window becomes a job. */
static void on_window(void *arg, const struct wr_window *w, int64_t end_us,
                      bool restarted) {
  struct feeding *f = arg;
  /* There may be no memory for windows of the target's shape. */
  const struct wr_window_options *shape = wr_window_shape(w);
  size_t places = shape->kept > shape->samples ? shape->kept : shape->samples;
  size_t count = shape->samples * shape->axes, all = places * shape->axes;
  struct edge_job *job = malloc(sizeof(*job) + all * sizeof(job->values[0]));
  if (job == NULL) {
    f->series->errors[EDGE_DROPPED]++;
    return;
  }
  *job = (struct edge_job){.queued = {.waiting = &f->series->waiting},
                           .series = f->series,
                           .axes = shape->axes,
                           .end_us = wr_steady_wall(&f->series->clock, end_us),
                           .time = time_of(f, end_us),
                           .restarted = restarted,
                           .held = wr_window_held(w),
                           .features = job->values + (all - count),
                           .stuck = f->series->is_stuck,
                           .say = f->series->say,
                           .scale = f->series->scale,
                           .count = count};
  job->missing = count - wr_window_fill(w) * shape->axes;
  wr_window_newest(w, places, job->values);
  f->series->refs++;
  f->series->feed.windows++;
  edge_engine_queue(f->target->engine, &job->queued);
}

/* One sample of a series; whether a hole opened by it. */
static bool feed(struct edge_target *t, struct edge_series *s, size_t axis,
                 const value_list_t *vl, double value, int64_t now_ms) {
  int64_t steady_us;
  s->feed.sample_ms = now_ms;
  s->feed.time = vl->time;
  s->feed.own_clock = wr_steady_is_own(wr_us_from_cdtime(vl->time),
                                       wr_us_from_cdtime(cdtime()));
  s->feed.samples++;
  if (!wr_steady_step(&s->clock, wr_us_from_cdtime(vl->time), now_ms,
                      t->shape.interval_us, &steady_us)) {
    s->feed.jumped++;
    return false;
  }
  if (axis == 0)
    edge_plan_sample(s, value);
  if (axis == 0 && t->o.stuck_ms > 0)
    s->is_stuck =
        wr_stuck_step(&s->stuck, steady_us, value, t->o.stuck_ms * 1000);
  struct feeding f = {now_ms, vl->time, t, s};
  bool waited = wr_window_waits(s->window);
  wr_window_push(s->window, axis, steady_us, value, now_ms, on_window, &f);
  return !waited && wr_window_waits(s->window) && t->holes++ == 0;
}

bool edge_series_sample(struct edge_target *t, const value_list_t *vl,
                        double value) {
  char key[5 * DATA_MAX_NAME_LEN];
  if (edge_plan_is_input(&t->o, vl))
    return false;
  size_t axis = t->o.axis_count > 0 ? axis_of(t, vl) : 0;
  if (axis > 0 && axis == t->o.axis_count)
    return false;
  int64_t now_ms = wr_clock_ms();
  size_t len = make_key(t, vl, key);
  struct edge_series *s = wr_table_get(t->series, key, len, now_ms);
  if (s == NULL)
    s = add_series(t, key, len, vl, now_ms);
  else if (s->refused && now_ms >= s->retry_ms)
    claim(s, now_ms);
  if (s == NULL || s->refused) {
    edge_left_out++;
    return false;
  }
  return feed(t, s, axis, vl, value, now_ms);
}

void edge_series_expect(struct edge_target *t) {
  char key[5 * DATA_MAX_NAME_LEN];
  int64_t now_ms = wr_clock_ms();
  for (size_t i = 0; i < t->o.expected_count; i++) {
    value_list_t vl;
    if (edge_name_parse(t->o.expected[i], hostname_g, &vl) != 0)
      continue; /* checked when it was read */
    size_t len = make_key(t, &vl, key);
    vl.time = cdtime();
    if (wr_table_get(t->series, key, len, now_ms) == NULL)
      (void)add_series(t, key, len, &vl, now_ms);
  }
}

static void tick(void *value, void *arg) {
  struct feeding *f = arg;
  f->series = value;
  f->time = 0;
  if (wr_window_waits(f->series->window))
    wr_window_tick(f->series->window, f->now_ms, on_window, f);
  f->target->holes += wr_window_waits(f->series->window);
}

bool edge_series_sweep(struct edge_target *t) {
  struct feeding f = {.now_ms = wr_clock_ms(), .target = t};
  pthread_mutex_lock(&t->lock);
  edge_series_expect(t);
  wr_table_expire(t->series, f.now_ms - t->o.forget_ms);
  if (t->holes > 0) {
    t->holes = 0; /* counted anew */
    wr_table_each(t->series, tick, &f);
  }
  bool again = t->holes > 0;
  pthread_mutex_unlock(&t->lock);
  return again;
}

struct list {
  struct edge_series **at;
  size_t count;
};

static void note(void *value, void *arg) {
  struct edge_series *s = value;
  struct list *l = arg;
  if (s->refused)
    return;
  s->refs++;
  l->at[l->count++] = s;
}

size_t edge_series_list(struct edge_target *t, struct edge_series ***out) {
  struct list l = {0};
  pthread_mutex_lock(&t->lock);
  size_t count = wr_table_count(t->series);
  if (count > 0)
    l.at = calloc(count, sizeof(struct edge_series *));
  if (l.at != NULL)
    wr_table_each(t->series, note, &l);
  pthread_mutex_unlock(&t->lock);
  *out = l.at;
  return l.count;
}
