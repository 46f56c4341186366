#include "cloud.h"

#include "lib/base/number.h"
#include "lib/base/text.h"

#include "collectd/core/daemon/utils_cache.h"
#include "collectd/core/utils/common/common.h"

#define LABEL_META "edge_impulse:label"

static bool same(const char *want, const char *have) {
  return want == NULL || strcmp(want, have) == 0;
}

static bool matches(const struct property *p, const value_list_t *vl) {
  return same(p->plugin, vl->plugin) && same(p->type, vl->type) &&
         same(p->type_instance, vl->type_instance) &&
         same(p->plugin_instance, vl->plugin_instance) &&
         same(p->host, vl->host);
}

static void set_number(struct wr_value *out, enum wr_value_kind kind,
                       double number) {
  out->kind = kind;
  out->number = kind == WR_VALUE_BOOL ? number != 0.0 : number;
}

static void set_text(struct wr_value *out, const char *text) {
  size_t len = wr_text_cut(text, WR_TEXT_MAX);
  memcpy(out->text, text, len);
  out->text[len] = '\0';
}

static bool value_of_text(const struct property *p, const char *text,
                          struct wr_value *out) {
  double number = NAN;
  out->kind = (enum wr_value_kind)p->kind;
  if (out->kind == WR_VALUE_TEXT) {
    set_text(out, text);
    return true;
  }
  if (wr_text_same(text, "true") || wr_text_same(text, "false")) {
    set_number(out, out->kind, wr_text_same(text, "true"));
    return true;
  }
  bool ok = wr_number_read(text, &number) == 0;
  set_number(out, out->kind, number);
  return ok;
}

/* collectd's network plugin carries no meta data. The label is in the values as
 * well: of the states of one series, bool-<label>, one is 1. */
static bool label_of_states(const struct property *p, const value_list_t *vl,
                            struct wr_value *out) {
  if (p->kind != WR_VALUE_TEXT || strcmp(p->meta, LABEL_META) != 0 ||
      strcmp(vl->plugin, "edge_impulse") != 0 ||
      strcmp(vl->type, "bool") != 0 || vl->type_instance[0] == '\0' ||
      strcmp(vl->type_instance, "up") == 0 || vl->values_len != 1 ||
      !(vl->values[0].gauge > 0.0))
    return false;
  return value_of_text(p, vl->type_instance, out);
}

static bool value_of_meta(const struct property *p, const value_list_t *vl,
                          struct wr_value *out) {
  char *text = NULL;
  if (vl->meta == NULL || meta_data_as_string(vl->meta, p->meta, &text) != 0)
    return label_of_states(p, vl, out);
  bool ok = value_of_text(p, text, out);
  free(text);
  return ok;
}

static bool value_of_source(const struct property *p, const data_set_t *ds,
                            const value_list_t *vl, struct wr_value *out) {
  size_t i = 0;
  while (p->source != NULL && i < ds->ds_num &&
         strcmp(p->source, ds->ds[i].name) != 0)
    i++;
  if (i >= ds->ds_num || i >= vl->values_len)
    return false;
  double number = vl->values[i].gauge;
  if (ds->ds[i].type != DS_TYPE_GAUGE) {
    gauge_t *rates = uc_get_rate(ds, vl);
    number = rates != NULL ? rates[i] : NAN;
    free(rates);
  }
  set_number(out, (enum wr_value_kind)p->kind, number);
  return isfinite(number);
}

/* --- what arrives --- */

/* The values of one list, for one property; true when one goes to the spool. */
static bool take(struct thing *t, int index, const data_set_t *ds,
                 const value_list_t *vl) {
  struct property *p = t->properties + index;
  struct wr_row row = {.property = index,
                       .time_us = wr_us_from_cdtime(vl->time)};
  atomic_store(&p->met, true);
  bool found = p->meta != NULL ? value_of_meta(p, vl, &row.value)
                               : value_of_source(p, ds, vl, &row.value);
  if (!found)
    return false;
  atomic_store(&p->taken, true);
  int64_t interval_us = wr_us_from_cdtime(vl->interval);
  pthread_mutex_lock(&t->lock);
  wr_age_heard(&p->age, interval_us / 1000, wr_clock_ms());
  enum wr_worth d =
      wr_policy_decide(&p->policy, &row.value, p->age.heard_ms, row.time_us,
                       2 * interval_us, t->stats.spacing_ms);
  row.state = d == WR_CHANGE;
  row.clock_us =
      wr_stamps_clock(&t->stamps, row.time_us, wr_clock_us(), cloud_wall_us());
  if (d != WR_SKIP)
    wr_spool_offer(t->spool, &row);
  pthread_mutex_unlock(&t->lock);
  return d != WR_SKIP;
}

int cloud_write(const data_set_t *ds, const value_list_t *vl, user_data_t *ud) {
  struct thing *t = ud->data;
  bool work = false;
  if (t->spool == NULL)
    return -1; /* init failed; it has said why */
  for (int i = 0; i < t->count; i++)
    if (matches(t->properties + i, vl))
      work |= take(t, i, ds, vl);
  if (work)
    cloud_keeper_wake();
  return 0;
}
