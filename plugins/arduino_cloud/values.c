#include "cloud.h"

#include "lib/base/number.h"
#include "lib/base/text.h"

#include "collectd/core/daemon/utils_cache.h"
#include "collectd/core/utils/common/common.h"

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

/* A long text is cut between two characters of UTF-8. */
static void set_text(struct wr_value *out, const char *text) {
  size_t len = strlen(text);
  if (len > WR_TEXT_MAX)
    for (len = WR_TEXT_MAX; len > 0 && (text[len] & 0xc0) == 0x80; len--)
      ;
  memcpy(out->text, text, len);
  out->text[len] = '\0';
}

static bool value_of_meta(const struct property *p, const value_list_t *vl,
                          struct wr_value *out) {
  char *text = NULL;
  if (vl->meta == NULL || meta_data_as_string(vl->meta, p->meta, &text) != 0)
    return false;
  bool ok = true;
  out->kind = (enum wr_value_kind)p->kind;
  if (out->kind == WR_VALUE_TEXT)
    set_text(out, text);
  else if (wr_text_same(text, "true") || wr_text_same(text, "false"))
    set_number(out, out->kind, text[0] == 't' || text[0] == 'T');
  else {
    double number = NAN;
    ok = wr_number_read(text, &number) == 0;
    set_number(out, out->kind, number);
  }
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

/* The values of one list, for one property; true when one goes to the spool. */
static bool take(struct thing *t, int index, const data_set_t *ds,
                 const value_list_t *vl) {
  struct property *p = t->properties + index;
  struct wr_row row = {.property = index,
                       .time_us = wr_us_from_cdtime(vl->time)};
  bool found = p->meta != NULL ? value_of_meta(p, vl, &row.value)
                               : value_of_source(p, ds, vl, &row.value);
  if (!found)
    return false;
  int64_t late_us = 2 * wr_us_from_cdtime(vl->interval);
  pthread_mutex_lock(&t->lock);
  enum wr_decision d =
      wr_policy_decide(&p->policy, &row.value, wr_clock_ms(), row.time_us,
                       late_us, t->stats.spacing_ms);
  row.state = d == WR_CHANGE;
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
