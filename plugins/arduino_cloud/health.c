#include "cloud.h"

#include "lib/base/number.h"

#include "collectd/core/utils/common/common.h"

#define SILENCE_MS 300000
#define HOUR_MS INT64_C(3600000)
#define OUTPACED 100 /* values in an hour: worth a word */
#define FRESH_S 30.0 /* what waits for less is on its way */

/* --- the log --- */

static void tell_end(const struct thing *t, struct wr_trouble *trouble,
                     const char *well) {
  char what[256];
  if (!wr_trouble_stands(trouble))
    return;
  snprintf(what, sizeof(what), CLOUD_WHERE ": <Thing \"%s\">: %s", t->name,
           well);
  wr_trouble_end(trouble, wr_clock_ms(), what);
}

void cloud_tell_spool(struct thing *t) {
  struct wr_spool_status s;
  wr_spool_status(t->spool, &s);
  int64_t now_ms = wr_clock_ms();
  if (s.notes != t->seen.notes)
    WARNING(CLOUD_WHERE ": <Thing \"%s\">: %s.", t->name, s.note);
  if (s.in_memory)
    wr_trouble_begin(&t->disk, now_ms, LOG_WARNING,
                     CLOUD_WHERE ": <Thing \"%s\">: values wait in memory "
                                 "only, the spool cannot be used: %s.",
                     t->name, s.fault);
  else
    tell_end(t, &t->disk, "values are stored on disk");
  int64_t lost = s.thinned + s.dropped + s.expired;
  if (lost > t->seen.thinned + t->seen.dropped + t->seen.expired)
    wr_trouble_begin(&t->loss, now_ms, LOG_WARNING,
                     CLOUD_WHERE ": <Thing \"%s\">: the spool is at its "
                                 "ceiling: %" PRIi64
                                 " values thinned out, %" PRIi64
                                 " dropped, %" PRIi64 " too old.",
                     t->name, s.thinned, s.dropped, s.expired);
  else if (s.rows == 0)
    tell_end(t, &t->loss, "the spool keeps every value");
  t->seen = s;
}

static void tell_state(struct thing *t, struct wr_trouble *trouble, bool bad,
                       int severity, const char *text, const char *well) {
  if (bad)
    wr_trouble_begin(trouble, wr_clock_ms(), severity,
                     CLOUD_WHERE ": <Thing \"%s\">: %s.", t->name, text);
  else
    tell_end(t, trouble, well);
}

void cloud_tell_publisher(struct thing *t, int64_t rejected_before) {
  const struct wr_publisher_stats *s = &t->publisher.stats;
  tell_state(t, &t->link, s->state == WR_LINK_DOWN, LOG_WARNING, s->fault,
             "the cloud answers");
  tell_state(t, &t->token, s->state == WR_LINK_NO_TOKEN, LOG_ERR, s->fault,
             "the cloud takes the credentials");
  tell_state(t, &t->blocked,
             s->state == WR_LINK_BLOCKED || s->state == WR_LINK_REFUSED,
             LOG_ERR, s->fault, "the cloud accepts values");
  tell_state(t, &t->advice, s->advice[0] != '\0', LOG_WARNING, s->advice,
             "all properties are usable");
  tell_state(t, &t->budget, s->budget[0] != '\0', LOG_WARNING, s->budget,
             "DailyRecords is enough");
  if (s->rejected > rejected_before)
    tell_state(t, &t->refusal, true, LOG_WARNING, s->refusal, "");
}

/* Not while a backlog is sent: then each value has to wait, once. */
void cloud_tell_pace(struct thing *t, int64_t now_ms, int64_t stored) {
  struct cloud_outpaced *o = &t->outpaced;
  if (stored == 0 || t->seen.rows > OUTPACED)
    return;
  if (o->values == 0 || now_ms - o->since_ms > HOUR_MS)
    *o = (struct cloud_outpaced){.since_ms = now_ms, .told_ms = o->told_ms};
  o->values += stored;
  if (o->values < OUTPACED ||
      (o->told_ms != 0 && now_ms - o->told_ms < 24 * HOUR_MS))
    return;
  o->told_ms = now_ms;
  NOTICE(CLOUD_WHERE ": <Thing \"%s\">: the cloud answers, but values come "
                     "faster than RateLimit lets them go: in less than an "
                     "hour %" PRIi64 " were stored first, which wears the "
                     "disk. MinInterval, DeadBand or StoreAfter spares it.",
         t->name, o->values);
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

static void notify_text(const struct thing *t, int severity, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));
static void notify_text(const struct thing *t, int severity, const char *format,
                        ...) {
  char text[NOTIF_MAX_MSG_LEN];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof(text), format, ap);
  va_end(ap);
  notify(t, severity, text);
}

/* What is wrong with what the cloud does not take; NULL: it takes it, or it is
 * a matter of the way there. */
static const char *refusal_of(const struct wr_publisher_stats *p) {
  switch (p->state) {
  case WR_LINK_NO_TOKEN:
  case WR_LINK_BLOCKED:
  case WR_LINK_REFUSED:
    return p->fault;
  case WR_LINK_OK:
  case WR_LINK_DOWN:
    break;
  }
  return p->advice[0] != '\0' ? p->advice : NULL;
}

/* True only when nothing old waits and everything is taken. */
static bool caught_up(const struct thing *t, const struct wr_publisher_stats *p,
                      double age_s, int64_t rows) {
  double limit_s = (double)t->alert_ms / 1000.0;
  return p->up &&
         (rows == 0 || age_s <= (limit_s < FRESH_S ? limit_s : FRESH_S));
}

static void alert(struct thing *t, const struct wr_publisher_stats *p,
                  double age_s, int64_t rows) {
  struct cloud_alert *a = &t->alert;
  const char *refusal = refusal_of(p);
  if (t->alert_ms == 0)
    return;
  if (!a->refused && !a->late)
    a->rejected = p->rejected;
  if (refusal != NULL && !a->refused) {
    a->refused = true;
    notify_text(t, NOTIF_WARNING,
                "Thing \"%s\": the Arduino Cloud does not take the values; "
                "they wait. %s.",
                t->name, refusal);
  }
  if (age_s > (double)t->alert_ms / 1000.0 && !a->late) {
    a->late = true;
    notify_text(t, NOTIF_WARNING,
                "Thing \"%s\": %" PRIi64 " values wait for the Arduino Cloud, "
                "the oldest for %.0f minutes.",
                t->name, rows, age_s / 60.0);
  }
  if ((!a->refused && !a->late) || !caught_up(t, p, age_s, rows))
    return;
  if (p->rejected > a->rejected)
    notify_text(t, NOTIF_OKAY,
                "Thing \"%s\": the Arduino Cloud takes values again; %" PRIi64
                " were rejected and set aside.",
                t->name, p->rejected - a->rejected);
  else
    notify_text(t, NOTIF_OKAY, "Thing \"%s\": the Arduino Cloud has caught up.",
                t->name);
  *a = (struct cloud_alert){.rejected = p->rejected};
}

/* --- properties that nothing arrives for --- */

static const char *or_any(const char *text) {
  return text != NULL ? text : "any";
}

static void tell_silent(const struct thing *t, const struct property *p) {
  if (atomic_load(&p->met))
    WARNING(CLOUD_WHERE ": <Thing \"%s\"> <Property \"%s\">: values arrive, "
                        "but in 5 minutes none could be used%s%s%s.",
            t->name, p->key,
            p->meta != NULL ? "; they have no meta data \"" : "",
            p->meta != NULL ? p->meta : "",
            p->meta != NULL ? "\", which collectd's network plugin does not "
                              "carry"
                            : "");
  else
    WARNING(CLOUD_WHERE ": <Thing \"%s\"> <Property \"%s\">: in 5 minutes no "
                        "value arrived that is meant (Host %s, Plugin %s, "
                        "PluginInstance %s, Type %s, TypeInstance %s).",
            t->name, p->key, or_any(p->host), or_any(p->plugin),
            or_any(p->plugin_instance), or_any(p->type),
            or_any(p->type_instance));
}

static void look_for_silence(struct thing *t) {
  if (wr_clock_ms() - t->start_ms < SILENCE_MS)
    return;
  for (int i = 0; i < t->count; i++) {
    struct property *p = t->properties + i;
    if (!p->told && !atomic_load(&p->taken))
      tell_silent(t, p);
    p->told = true;
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
  metric(t, "bool", "up", p.up);
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
  alert(t, &p, age_s, s.rows);
  look_for_silence(t);
  return 0;
}
