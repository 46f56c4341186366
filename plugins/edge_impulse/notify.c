/* One notification for each change; its values are on their way before. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"
#include "glue/instance.h"
#include "lib/base/number.h"

static int severity_of(const struct edge_rules *r, int state) {
  return state == WR_UNKNOWN ? r->unknown_severity
         : state < 0         ? r->uncertain_severity
                             : r->severities[state];
}

static notification_t notification_of(const struct edge_series *s,
                                      cdtime_t time, int severity,
                                      const char *type, const char *instance) {
  notification_t n = {.severity = severity, .time = time};
  sstrncpy(n.host, s->host, sizeof(n.host));
  sstrncpy(n.plugin, EDGE_PLUGIN, sizeof(n.plugin));
  sstrncpy(n.plugin_instance, s->instance, sizeof(n.plugin_instance));
  sstrncpy(n.type, type, sizeof(n.type));
  sstrncpy(n.type_instance, instance, sizeof(n.type_instance));
  return n;
}

static const char *name_of(const struct edge_series *s) {
  return s->instance[0] != '\0' ? s->instance : s->host;
}

#define MESSAGE_MAX                                                            \
  253 /* bytes: collectd cuts at 256, perhaps in a character */
#define HINT " Hint: "

/* As much of it as there is room for; a stump helps nobody. */
static void add_reason(const char *reason, char *out, int room) {
  char part[EDGE_REASON];
  int size = room - (int)sizeof(HINT) - 1;
  if (reason[0] == '\0' || size < 24)
    return;
  wr_text_part(reason, part,
               size < (int)sizeof(part) ? (size_t)size : sizeof(part));
  snprintf(out, (size_t)room, HINT "%s.", part);
}

static void write_message(const struct edge_outcome *o, char *out,
                          size_t size) {
  const struct edge_rules *r = &o->series->target->rules;
  char name[56], label[48], before[48], reason[88], flow[24];
  wr_text_part(name_of(o->series), name, sizeof(name));
  wr_text_part(edge_label_name(r, o->shown), label, sizeof(label));
  wr_text_part(edge_label_name(r, o->previous), before, sizeof(before));
  wr_text_part(edge_reason(&o->series->state), reason, sizeof(reason));
  if (o->shown == WR_UNKNOWN)
    snprintf(out, size, "%s is %s, was %s: %s.", name, label, before, reason);
  else {
    wr_number_print(flow, sizeof(flow),
                    fabs(o->decision.level) < 1e9 ? "%.2f" : "%.4g",
                    o->decision.level);
    int used = wr_number_print(out, size,
                               "%s is %s, was %s (score %.2f by %s, flow %s).",
                               name, label, before, o->decision.score,
                               o->decision.by_range ? "range" : "model", flow);
    add_reason(reason, out + used, used > 0 ? MESSAGE_MAX - used : 0);
  }
}

void edge_notify_state(const struct edge_outcome *o) {
  const struct edge_rules *r = &o->series->target->rules;
  const char *label = edge_label_name(r, o->shown);
  notification_t n =
      notification_of(o->series, o->time, severity_of(r, o->shown), "bool",
                      edge_label_id(r, o->shown));
  write_message(o, n.message, sizeof(n.message));
  plugin_notification_meta_add_string(&n, "label", label);
  plugin_notification_meta_add_string(&n, "previous",
                                      edge_label_name(r, o->previous));
  plugin_notification_meta_add_double(
      &n, "score", o->shown == WR_UNKNOWN ? 0.0 : o->decision.score);
  if (o->series->state.reason != NULL)
    plugin_notification_meta_add_string(&n, "reason", o->series->state.reason);
  edge_tell(&n);
}

void edge_notify_stuck(struct edge_series *s, bool stuck, double value) {
  char name[64];
  notification_t n =
      notification_of(s, edge_series_time(s, wr_clock_ms()),
                      stuck ? NOTIF_WARNING : NOTIF_OKAY, "gauge", "stuck");
  wr_text_part(name_of(s), name, sizeof(name));
  if (stuck)
    wr_number_print(n.message, sizeof(n.message),
                    "%s: the sensor has said %.4g for at least %.0f s.", name,
                    value, (double)s->target->o.stuck_ms / 1000.0);
  else
    snprintf(n.message, sizeof(n.message), "%s: the sensor moves again.", name);
  edge_tell(&n);
}

void edge_notify_shelved(struct edge_series *s, int64_t ms, const char *why) {
  const struct edge_rules *r = &s->target->rules;
  int shown = s->state.stands.shown;
  char name[56], label[48], reason[88];
  notification_t n = notification_of(
      s, edge_series_time(s, wr_clock_ms()),
      ms > 0 ? NOTIF_OKAY : severity_of(r, shown), "bool", "shelved");
  wr_text_part(name_of(s), name, sizeof(name));
  wr_text_part(edge_label_name(r, shown), label, sizeof(label));
  wr_text_part(why, reason, sizeof(reason));
  if (ms > 0)
    snprintf(n.message, sizeof(n.message),
             "%s is shelved for %" PRId64 " s%s%s (it is %s).", name, ms / 1000,
             why[0] != '\0' ? ": " : "", reason, label);
  else
    snprintf(n.message, sizeof(n.message), "%s is no longer shelved; it is %s.",
             name, label);
  plugin_notification_meta_add_string(&n, "label", edge_label_name(r, shown));
  edge_tell(&n);
}
