#include "flow_baseline.h"

#include "collectd/core/utils/common/common.h"
#include "glue/instance.h"

size_t fb_key(const value_list_t *vl, char key[FB_KEY_MAX]) {
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

/* Whether litres are counted: by default where the type says it is a flow. */
static bool has_litres(const struct fb_target *t, const value_list_t *vl) {
  return t->o.litres == FB_AUTO ? strcmp(vl->type, "flow") == 0
                                : t->o.litres != FB_OFF;
}

static struct fb_series *make(const struct fb_target *t,
                              const value_list_t *vl) {
  char key[FB_KEY_MAX], instance[DATA_MAX_NAME_LEN];
  size_t key_len = fb_key(vl, key);
  wr_instance_expand(t->o.instance != NULL ? t->o.instance
                                           : "%{plugin_instance}",
                     vl, instance, sizeof(instance));
  size_t instance_len = strlen(instance) + 1;
  struct fb_series *s = calloc(1, sizeof(*s) + key_len + instance_len);
  if (s == NULL)
    return NULL;
  wr_baseline_init(&s->b);
  memcpy(s->names, key, key_len);
  memcpy(s->names + key_len, instance, instance_len);
  s->source = s->host = s->names; /* a key begins with the host */
  s->source_len = key_len;
  s->instance = s->names + key_len;
  s->litres = has_litres(t, vl);
  return s;
}

void fb_series_free(void *arg) {
  struct fb_series *s = arg;
  fb_name_release(s);
  free(s);
}

void fb_series_forget(struct fb_target *t, struct fb_series *s) {
  t->forgotten += !s->forgotten;
  s->forgotten = true;
}

/* Its name has an owner. One that has been silent for too long gives it up: a
 * source that was renamed is not another one. */
static void refuse(struct fb_target *t, const struct fb_series *s,
                   const char *key, size_t len, int64_t now_ms) {
  char mine[FB_KEY_MAX], other[FB_KEY_MAX] = "a series out of memory";
  struct fb_series *owner =
      len > 0 ? wr_table_get(t->series, key, len, now_ms) : NULL;
  fb_source_text(s->source, mine, sizeof(mine));
  if (len > 0)
    fb_source_text(key, other, sizeof(other));
  if (owner != NULL && owner->unknown) {
    if (!owner->forgotten)
      NOTICE(FB_WHERE ": %s is silent and forgotten; its name, " FB_PLUGIN
                      "-%s, goes to %s.",
             other, s->instance, mine);
    fb_series_forget(t, owner);
    return;
  }
  wr_trouble_begin(&t->twice, now_ms, LOG_WARNING,
                   FB_WHERE ": the results of %s would have the name " FB_PLUGIN
                            "-%s, which is that of %s; it has none. Give one "
                            "of them a name of its own (Instance).",
                   mine, s->instance, other);
}

struct fb_series *fb_series_add(struct fb_target *t, const value_list_t *vl,
                                int64_t now_ms) {
  char key[FB_KEY_MAX];
  size_t len;
  bool dropped;
  if (wr_table_count(t->series) >= (size_t)t->o.series_max) {
    wr_trouble_begin(&t->crowd, now_ms, LOG_WARNING,
                     FB_WHERE ": more than %" PRId64
                              " series (MaxSeries); %s-%s/%s-%s and others "
                              "have no baseline.",
                     t->o.series_max, vl->plugin, vl->plugin_instance, vl->type,
                     vl->type_instance);
    return NULL;
  }
  struct fb_series *s = make(t, vl);
  if (s == NULL)
    return NULL;
  if (!fb_name_claim(s, key, &len)) {
    refuse(t, s, key, len, now_ms);
    free(s);
    return NULL;
  }
  s->seen_ms = now_ms;
  if (wr_table_put(t->series, s->source, s->source_len, s, now_ms, &dropped) ==
      0)
    return s;
  fb_series_free(s);
  return NULL;
}

void fb_series_queue(struct fb_target *t, struct fb_series *s,
                     unsigned events) {
  s->events |= (uint8_t)events;
  if (s->queued)
    return;
  s->queued = true;
  s->next = t->first;
  t->first = s;
}

void fb_series_report(const struct fb_target *t, const struct fb_series *s,
                      bool forecast, struct fb_report *r) {
  const struct wr_baseline_rules *rules = t->rules + s->litres;
  cdtime_t beat = MS_TO_CDTIME_T(t->o.interval_ms);
  *r = (struct fb_report){.totals = s->b.totals,
                          .time = s->time,
                          /* Nobody is to miss what is not sent. */
                          .interval = s->interval > beat ? s->interval : beat,
                          .unknown = s->unknown,
                          .litres = s->litres};
  wr_baseline_view(&s->b, rules, &r->view);
  if (forecast)
    wr_baseline_forecast(&s->b, rules, &r->forecast);
  sstrncpy(r->host, s->host, sizeof(r->host));
  sstrncpy(r->instance, s->instance, sizeof(r->instance));
}

/* plugin-instance/type-instance of a value. */
static bool is_setpoint(const struct fb_target *t, const value_list_t *vl) {
  char name[FB_KEY_MAX];
  size_t host = strlen(vl->host) + 1; /* format_name() begins with it */
  return FORMAT_VL(name, sizeof(name), vl) == 0 &&
         strcmp(name + host, t->o.setpoint) == 0;
}

static void keep_setpoint(struct fb_target *t, const value_list_t *vl,
                          double value, int64_t now_ms) {
  size_t len = strlen(vl->host);
  bool dropped;
  double *kept = wr_table_get(t->setpoints, vl->host, len, now_ms);
  if (!isfinite(value))
    return;
  if (kept != NULL) {
    *kept = value;
    return;
  }
  kept = malloc(sizeof(*kept));
  if (kept == NULL)
    return;
  *kept = value;
  if (wr_table_put(t->setpoints, vl->host, len, kept, now_ms, &dropped) != 0)
    free(kept);
}

static unsigned take(struct fb_target *t, struct fb_series *s,
                     const value_list_t *vl, double value, int64_t now_ms) {
  unsigned events = 0;
  double interval_s = CDTIME_T_TO_DOUBLE(vl->interval);
  const double *key =
      t->o.setpoint != NULL
          ? wr_table_get(t->setpoints, vl->host, strlen(vl->host), now_ms)
          : NULL;
  if (key != NULL)
    events = wr_baseline_setpoint(&s->b, *key, interval_s);
  return events | wr_baseline_push(&s->b, t->rules + s->litres,
                                   wr_us_from_cdtime(vl->time), now_ms,
                                   interval_s, value);
}

bool fb_series_value(struct fb_target *t, const value_list_t *vl, double value,
                     struct fb_report *report) {
  char key[FB_KEY_MAX];
  int64_t now_ms = wr_clock_ms();
  if (t->o.setpoint != NULL && is_setpoint(t, vl)) {
    keep_setpoint(t, vl, value, now_ms);
    return false;
  }
  if (!isfinite(value))
    return false; /* silence is noticed by the worker */
  size_t len = fb_key(vl, key);
  struct fb_series *s = wr_table_get(t->series, key, len, now_ms);
  if (s == NULL && (s = fb_series_add(t, vl, now_ms)) == NULL)
    return false;
  unsigned events = take(t, s, vl, value, now_ms);
  bool back = s->unknown;
  s->unknown = false;
  s->seen_ms = now_ms;
  s->time = vl->time;
  s->interval = vl->interval;
  if (back || (events & (WR_BASELINE_CHANGED | WR_BASELINE_POINT)) != 0)
    fb_series_queue(t, s, events);
  /* By the time of the samples: recordings may pass more quickly. */
  bool due = s->out_ms == 0 ||
             (s->b.age_s - s->out_s) * 1000 >= (double)t->o.interval_ms - 1;
  if (!back && (events & WR_BASELINE_CHANGED) == 0 && !due)
    return false;
  s->out_ms = now_ms;
  s->out_s = s->b.age_s;
  fb_series_report(t, s, s->b.drift != 0 || s->b.slow != 0, report);
  return true;
}
