#include "glue/report.h"

#include "lib/base/number.h"

#include "collectd/core/utils/common/common.h"

#include <stdarg.h>

#define MINUTE_MS 60000

static void dispatch(const struct wr_metric *m, value_t value) {
  value_list_t vl = VALUE_LIST_INIT;
  vl.values = &value;
  vl.values_len = 1;
  vl.time = m->time;
  vl.interval = m->interval;
  vl.meta = m->meta; /* collectd clones it */
  const char *const from[] = {m->host, m->plugin, m->plugin_instance, m->type,
                              m->type_instance};
  char *const to[] = {vl.host, vl.plugin, vl.plugin_instance, vl.type,
                      vl.type_instance};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(from); i++)
    if (from[i] != NULL)
      sstrncpy(to[i], from[i], DATA_MAX_NAME_LEN);
  plugin_dispatch_values(&vl);
}

void wr_metric_gauge(const struct wr_metric *m, double value) {
  dispatch(m, (value_t){.gauge = value});
}

void wr_metric_derive(const struct wr_metric *m, int64_t value) {
  dispatch(m, (value_t){.derive = value});
}

static void say(int severity, const char *format, va_list ap) {
  char text[900]; /* plugin_log() cuts at 1024 */
  wr_number_vprint(text, sizeof(text), format, ap);
  plugin_log(severity, "%s", text);
}

void wr_say(int severity, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  say(severity, format, ap);
  va_end(ap);
}

/* True when this report is to be logged; *first when it opens the trouble. */
static bool due(struct wr_trouble *t, int64_t now_ms, bool *first) {
  pthread_mutex_lock(&t->lock);
  *first = t->since_ms == 0;
  bool log = *first || now_ms >= t->next_ms;
  if (*first) {
    t->since_ms = now_ms;
    t->distance_ms = MINUTE_MS;
  } else if (log && t->distance_ms < 1440 * (int64_t)MINUTE_MS)
    t->distance_ms *= 2;
  if (log)
    t->next_ms = now_ms + t->distance_ms;
  pthread_mutex_unlock(&t->lock);
  return log;
}

bool wr_trouble_begin(struct wr_trouble *t, int64_t now_ms, int severity,
                      const char *format, ...) {
  bool first = false;
  if (!due(t, now_ms, &first))
    return false;
  va_list ap;
  va_start(ap, format);
  say(severity, format, ap);
  va_end(ap);
  return first;
}

bool wr_trouble_stands(struct wr_trouble *t) {
  pthread_mutex_lock(&t->lock);
  bool stands = t->since_ms != 0;
  pthread_mutex_unlock(&t->lock);
  return stands;
}

bool wr_trouble_end(struct wr_trouble *t, int64_t now_ms, const char *what) {
  pthread_mutex_lock(&t->lock);
  int64_t since_ms = t->since_ms;
  t->since_ms = 0;
  pthread_mutex_unlock(&t->lock);
  if (since_ms == 0)
    return false;
  wr_say(LOG_INFO, "%s again, after %.1f s.", what,
         (double)(now_ms - since_ms) / 1000.0);
  return true;
}
