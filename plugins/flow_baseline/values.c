/* What a series says of itself, as values. */
#include "flow_baseline.h"

const char *fb_state_name(const struct fb_report *r) {
  static const char *const names[] = {[WR_BASELINE_LEARNING] = "learning",
                                      [WR_BASELINE_NORMAL] = "normal",
                                      [WR_BASELINE_RESTLESS] = "night_flow",
                                      [WR_BASELINE_SPREAD] = "spread"};
  if (r->unknown)
    return "unknown";
  if (r->view.state == WR_BASELINE_DRIFT)
    return r->view.direction < 0 ? "low" : "high";
  return names[r->view.state];
}

static meta_data_t *make_meta(const struct fb_report *r) {
  meta_data_t *meta = meta_data_create();
  if (meta == NULL)
    return NULL;
  if (meta_data_add_string(meta, FB_META_STATE, fb_state_name(r)) == 0 &&
      meta_data_add_double(meta, FB_META_DEVIATION, r->view.deviation) == 0)
    return meta;
  meta_data_destroy(meta);
  return NULL;
}

static void put(const struct wr_metric *m, const char *type,
                const char *instance, double value) {
  struct wr_metric one = *m;
  one.type = type;
  one.type_instance = instance;
  if (isfinite(value))
    wr_metric_gauge(&one, value);
}

/* One of them is 1, or none while all is well. */
static void put_states(const struct wr_metric *m, const struct fb_report *r) {
  enum wr_baseline_state state = r->view.state;
  bool known = !r->unknown;
  put(m, "bool", "drift", known && state == WR_BASELINE_DRIFT);
  put(m, "bool", "spread", known && state == WR_BASELINE_SPREAD);
  put(m, "bool", "learning", known && state == WR_BASELINE_LEARNING);
  put(m, "bool", "unknown", !known);
  if (r->litres)
    put(m, "bool", "night_flow", known && r->totals.restless);
}

static void put_level(const struct wr_metric *m, const struct fb_report *r) {
  const struct wr_baseline_view *v = &r->view;
  double per_cent = 100 * v->deviation;
  put(m, "gauge", "baseline", v->baseline);
  put(m, "gauge", "reference", v->reference);
  put(m, "gauge", "band_low", v->baseline - v->half);
  put(m, "gauge", "band_high", v->baseline + v->half);
  put(m, "gauge", "score", fmin(v->score, 1000));
  put(m, "gauge", "deviation", per_cent);
  put(m, "percent", "deviation", fmin(fabs(per_cent), 100));
  if (r->litres)
    put(m, "gauge", "lost", v->lost);
  if (r->forecast.clear)
    put(m, "gauge", "limit_hours", r->forecast.left_s / 3600);
}

static void put_litres(const struct wr_metric *m, const struct fb_report *r) {
  struct wr_metric one = *m;
  one.type = "derive";
  one.type_instance = "litres";
  wr_metric_derive(&one, (int64_t)r->totals.litres);
  if (r->totals.has_hour)
    put(m, "gauge", "litres_hour", (double)r->totals.last_hour);
  if (r->totals.has_day)
    put(m, "gauge", "litres_day", (double)r->totals.last_day);
}

void fb_values(const struct fb_report *r) {
  meta_data_t *meta = make_meta(r);
  if (meta == NULL)
    return; /* a result that does not look like one would be judged again */
  struct wr_metric m = {.host = r->host,
                        .plugin = FB_PLUGIN,
                        .plugin_instance = r->instance,
                        .time = r->time,
                        .interval = r->interval,
                        .meta = meta};
  put_states(&m, r);
  if (!r->unknown && r->view.state != WR_BASELINE_LEARNING)
    put_level(&m, r);
  if (!r->unknown && r->litres)
    put_litres(&m, r);
  meta_data_destroy(meta);
}
