#include "cloud.h"

#include "lib/base/number.h"

#include "collectd/core/utils/common/common.h"

/* --- the log --- */

void cloud_tell_spool(struct thing *t) {
  struct wr_spool_status s;
  char what[256];
  wr_spool_status(t->spool, &s);
  int64_t now_ms = wr_clock_ms();
  if (s.moved_aside != t->seen.moved_aside)
    WARNING(CLOUD_WHERE ": <Thing \"%s\">: the spool was corrupt and is now "
                        "%s/%s.db.bad; a new one is begun (%s).",
            t->name, t->spool_dir, t->name, s.fault);
  snprintf(what, sizeof(what),
           CLOUD_WHERE ": <Thing \"%s\">: values are stored on disk", t->name);
  if (s.in_memory)
    wr_trouble_begin(&t->disk, now_ms, LOG_WARNING,
                     CLOUD_WHERE ": <Thing \"%s\">: values wait in memory "
                                 "only, the spool cannot be used: %s.",
                     t->name, s.fault);
  else
    wr_trouble_end(&t->disk, now_ms, what);
  int64_t lost = s.thinned + s.dropped + s.expired;
  if (lost > t->seen.thinned + t->seen.dropped + t->seen.expired)
    wr_trouble_begin(&t->loss, now_ms, LOG_WARNING,
                     CLOUD_WHERE ": <Thing \"%s\">: the spool is at its "
                                 "ceiling: %" PRIi64
                                 " values thinned out, %" PRIi64
                                 " dropped, %" PRIi64 " too old.",
                     t->name, s.thinned, s.dropped, s.expired);
  else if (s.rows == 0) {
    snprintf(what, sizeof(what),
             CLOUD_WHERE ": <Thing \"%s\">: the spool keeps every value",
             t->name);
    wr_trouble_end(&t->loss, now_ms, what);
  }
  t->seen = s;
}

static void tell_state(struct thing *t, struct wr_trouble *trouble, bool bad,
                       int severity, const char *text, const char *well) {
  char what[256];
  snprintf(what, sizeof(what), CLOUD_WHERE ": <Thing \"%s\">: %s", t->name,
           well);
  if (bad)
    wr_trouble_begin(trouble, wr_clock_ms(), severity,
                     CLOUD_WHERE ": <Thing \"%s\">: %s.", t->name, text);
  else
    wr_trouble_end(trouble, wr_clock_ms(), what);
}

void cloud_tell_publisher(struct thing *t, int64_t rejected_before) {
  const struct wr_publisher_stats *s = &t->publisher.stats;
  tell_state(t, &t->link, s->state == WR_LINK_DOWN, LOG_WARNING, s->fault,
             "the cloud answers");
  tell_state(t, &t->token, s->state == WR_LINK_NO_TOKEN, LOG_ERR, s->fault,
             "the cloud takes the credentials");
  tell_state(t, &t->blocked, s->state == WR_LINK_BLOCKED, LOG_ERR, s->fault,
             "the cloud accepts values");
  tell_state(t, &t->advice, s->advice[0] != '\0', LOG_WARNING, s->advice,
             "all properties are usable");
  if (s->rejected > rejected_before)
    tell_state(t, &t->refusal, true, LOG_WARNING, s->refusal, "");
}

/* --- metrics and notifications --- */

static void metric(const struct thing *t, const char *type,
                   const char *type_instance, double value) {
  wr_metric_gauge(&(struct wr_metric){.plugin = CLOUD_PLUGIN,
                                      .plugin_instance = t->name,
                                      .type = type,
                                      .type_instance = type_instance,
                                      .interval = plugin_get_interval()},
                  value);
}

static void counter(const struct thing *t, const char *type,
                    const char *type_instance, int64_t value) {
  wr_metric_derive(&(struct wr_metric){.plugin = CLOUD_PLUGIN,
                                       .plugin_instance = t->name,
                                       .type = type,
                                       .type_instance = type_instance,
                                       .interval = plugin_get_interval()},
                   value);
}

static void notify(const struct thing *t, int severity, const char *text) {
  notification_t n = {.severity = severity, .time = cdtime()};
  sstrncpy(n.host, hostname_g, sizeof(n.host));
  sstrncpy(n.plugin, CLOUD_PLUGIN, sizeof(n.plugin));
  sstrncpy(n.plugin_instance, t->name, sizeof(n.plugin_instance));
  sstrncpy(n.type, "queue_length", sizeof(n.type));
  sstrncpy(n.type_instance, "spool", sizeof(n.type_instance));
  sstrncpy(n.message, text, sizeof(n.message));
  plugin_dispatch_notification(&n);
}

static void alert(struct thing *t, double age_s, int64_t rows) {
  char text[NOTIF_MAX_MSG_LEN];
  double limit_s = (double)t->alert_ms / 1000.0;
  if (t->alert_ms > 0 && age_s > limit_s && !t->alerted) {
    wr_number_print(text, sizeof(text),
                    "Thing \"%s\": %" PRIi64
                    " values wait for the Arduino Cloud, "
                    "the oldest for %.0f minutes.",
                    t->name, rows, age_s / 60.0);
    notify(t, NOTIF_WARNING, text);
    t->alerted = true;
  } else if (t->alerted && age_s <= limit_s && (age_s > 0 || rows == 0)) {
    snprintf(text, sizeof(text),
             "Thing \"%s\": the Arduino Cloud has caught up.", t->name);
    notify(t, NOTIF_OKAY, text);
    t->alerted = false;
  }
}

int cloud_health(user_data_t *ud) {
  struct thing *t = ud->data;
  struct wr_spool_status s;
  if (t->spool == NULL)
    return 0;
  pthread_mutex_lock(&t->lock);
  struct wr_publisher_stats p = t->stats;
  pthread_mutex_unlock(&t->lock);
  wr_spool_status(t->spool, &s);
  double age_s = p.oldest_us > 0 && s.rows > 0
                     ? (double)(cloud_wall_us() - p.oldest_us) / 1e6
                     : 0.0;
  if (age_s < 0)
    age_s = 0;
  metric(t, "bool", "up", p.state == WR_LINK_OK && p.requests > 0);
  metric(t, "bool", "spool_on_disk", !s.in_memory);
  metric(t, "queue_length", "spool", (double)s.rows);
  metric(t, "duration", "spool_age", age_s);
  metric(t, "percent", "spool_full",
         100.0 * (double)s.bytes / (double)(t->spool_mib << 20));
  if (p.budget_left != INT64_MAX)
    metric(t, "records", "budget_left", (double)p.budget_left);
  counter(t, "total_requests", "published", p.published);
  counter(t, "total_requests", "backfilled", p.backfilled);
  counter(t, "total_requests", "http", p.requests);
  counter(t, "total_requests", "token", p.tokens);
  counter(t, "errors", "retry", p.retries);
  counter(t, "errors", "unauthorised", p.reauthorised);
  counter(t, "errors", "rejected", p.rejected);
  counter(t, "errors", "dropped", s.dropped + s.expired);
  counter(t, "errors", "thinned", s.thinned);
  alert(t, age_s, s.rows);
  return 0;
}
