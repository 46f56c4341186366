/* Sentences for people: one notification each. */
#include "flow_baseline.h"

#include "collectd/core/utils/common/common.h"
#include "glue/instance.h"
#include "glue/thread.h"
#include "lib/base/number.h"

#define NAME_MAX_TEXT 48
#define PART 64

/* Three digits say what a flow sensor knows. */
static const char *figure(double value, char out[PART]) {
  wr_number_print(out, PART, fabs(value) < 1000 ? "%.3g" : "%.0f", value);
  return out;
}

/* "14 s", "5 min", "3.2 h", "6 days" */
static const char *duration(double s, char out[PART]) {
  if (s < 120)
    wr_number_print(out, PART, "%.0f s", s);
  else if (s < 7200)
    wr_number_print(out, PART, "%.0f min", s / 60);
  else if (s < 172800)
    wr_number_print(out, PART, "%.1f h", s / 3600);
  else
    wr_number_print(out, PART, "%.0f days", s / 86400);
  return out;
}

/* ", 25 L/h missing": what a deviation amounts to. */
static const char *loss(const struct fb_report *r, char out[PART]) {
  out[0] = '\0';
  if (r->litres && fabs(r->view.lost) >= 0.05)
    wr_number_print(out, PART, ", %.3g L/h %s", fabs(r->view.lost),
                    r->view.lost < 0 ? "missing" : "more");
  return out;
}

/* " 4.1 % a day: at the limit in 6 days (4 days to 9 days)." */
static void trend(const struct fb_report *r, char *out, size_t size) {
  char left[PART], soonest[PART], latest[PART];
  const struct wr_forecast *f = &r->forecast;
  out[0] = '\0';
  if (!f->clear || f->left_s <= 0)
    return;
  bool hours = fabs(f->per_hour) >= 0.5;
  wr_number_print(out, size, " %.1f %% %s: at the %s limit in %s (%s to %s).",
                  fabs(f->per_hour) * (hours ? 1 : 24),
                  hours ? "an hour" : "a day", f->per_hour < 0 ? "low" : "high",
                  duration(f->left_s, left), duration(f->soonest_s, soonest),
                  isfinite(f->latest_s) ? duration(f->latest_s, latest)
                                        : "never");
}

static const char *type_instance(const struct fb_report *r) {
  static const char *const names[] = {[WR_BASELINE_LEARNING] = "learning",
                                      [WR_BASELINE_NORMAL] = "drift",
                                      [WR_BASELINE_RESTLESS] = "night_flow",
                                      [WR_BASELINE_SPREAD] = "spread",
                                      [WR_BASELINE_DRIFT] = "drift"};
  return r->unknown ? "unknown" : names[r->view.state];
}

static void notify(const struct fb_report *r, int severity, const char *text) {
  char name[NAME_MAX_TEXT];
  notification_t n = {.severity = severity, .time = cdtime()};
  wr_text_part(r->instance[0] != '\0' ? r->instance : r->host, name,
               sizeof(name));
  sstrncpy(n.host, r->host, sizeof(n.host));
  sstrncpy(n.plugin, FB_PLUGIN, sizeof(n.plugin));
  sstrncpy(n.plugin_instance, r->instance, sizeof(n.plugin_instance));
  sstrncpy(n.type, "bool", sizeof(n.type));
  sstrncpy(n.type_instance, type_instance(r), sizeof(n.type_instance));
  snprintf(n.message, sizeof(n.message), "%s: %s", name, text);
  plugin_notification_meta_add_string(&n, "state", fb_state_name(r));
  plugin_notification_meta_add_double(&n, "deviation", r->view.deviation);
  plugin_notification_meta_add_double(&n, "litres_per_hour", r->view.lost);
  wr_thread_notify(&n);
  plugin_notification_meta_free(n.meta);
}

static void write_drift(const struct fb_report *r, char *out, size_t size) {
  char litres[PART], when[PART], level[PART], more[2 * PART];
  const struct wr_baseline_view *v = &r->view;
  double since =
      v->by_days && r->forecast.clear ? r->forecast.since_s : v->since_s;
  double normal = v->by_days ? v->reference : v->baseline;
  trend(r, more, sizeof(more));
  wr_number_print(out, size, "%.1f %% %s its normal %s%s, since %s.%s",
                  100 * fabs(v->deviation),
                  v->deviation < 0 ? "below" : "above", figure(normal, level),
                  loss(r, litres), duration(since, when), more);
}

static void write_calm(const struct fb_report *r, enum wr_baseline_state before,
                       double before_s, char *out, size_t size) {
  char when[PART], level[PART];
  figure(r->view.baseline, level);
  if (r->unknown)
    wr_number_print(out, size,
                    "no sample any more: whether the flow is normal is "
                    "unknown.");
  else if (r->view.state == WR_BASELINE_LEARNING)
    wr_number_print(out, size, "learning its normal flow.");
  else if (before == WR_BASELINE_LEARNING)
    wr_number_print(out, size, "its normal is %s, learnt in %s.", level,
                    duration(before_s, when));
  else
    wr_number_print(out, size, "normal again at %s, after %s.", level,
                    duration(before_s, when));
}

void fb_say_state(const struct fb_target *t, const struct fb_report *r,
                  enum wr_baseline_state before, double before_s) {
  static const int severities[] = {NOTIF_FAILURE, NOTIF_WARNING, NOTIF_OKAY};
  int severity = severities[t->o.severity];
  double rest = wr_totals_rest(&r->totals) / fmax(t->rules[1].per_second, 1e-9);
  char text[200];
  if (r->unknown)
    severity = NOTIF_FAILURE;
  if (r->unknown || r->view.state <= WR_BASELINE_NORMAL) {
    write_calm(r, before, before_s, text, sizeof(text));
    severity = r->unknown ? NOTIF_FAILURE : NOTIF_OKAY;
  } else if (r->view.state == WR_BASELINE_DRIFT)
    write_drift(r, text, sizeof(text));
  else if (r->view.state == WR_BASELINE_SPREAD)
    wr_number_print(text, sizeof(text),
                    "unsteady: it varies more than %.3g times as usual.",
                    t->rules[0].spread);
  else
    wr_number_print(text, sizeof(text),
                    "never at rest for 30 h; every day it used to come below "
                    "%.3g. A leak, or something left on?",
                    rest);
  notify(r, severity, text);
}

void fb_say_point(const struct fb_report *r) {
  char text[128], level[PART];
  wr_number_print(text, sizeof(text), "a new operating point, %s.",
                  figure(r->view.reference, level));
  notify(r, NOTIF_OKAY, text);
}

void fb_say_done(const struct fb_report *r, enum fb_command command) {
  char text[128], level[PART];
  static const char *const texts[] = {
      [FB_RESET] = "learning its normal anew, as told.",
      [FB_FORGET] = "forgotten, as told.",
      [FB_TOO_EARLY] = "nothing to confirm yet; say it again later."};
  if (command == FB_CONFIRM)
    wr_number_print(text, sizeof(text), "%s is normal from now on, as told.",
                    figure(r->view.baseline, level));
  else
    snprintf(text, sizeof(text), "%s", texts[command]);
  notify(r, NOTIF_OKAY, text);
}
