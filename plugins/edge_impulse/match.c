/* match_classification: a filter-chain match on the latest state of a series.
 *
 * A value that target_edge_impulse made, or that carries its label, is judged
 * by that. For any other value collectd's cache is asked for the state of the
 * series classified from it: <host>/edge_impulse-<plugin instance>/bool-<label>
 * and percent-<label>. So the two plugins share no memory, and the match works
 * on states that another collectd sent, too. */
#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/filter_chain.h"
#include "collectd/core/daemon/plugin.h"
#include "collectd/core/daemon/utils_cache.h"
#include "collectd/core/utils/common/common.h"

#include "glue/options.h"
#include "lib/infer/labels.h"

#define WHERE "match_classification plugin"
#define EDGE_PLUGIN "edge_impulse"
#define META_LABEL "edge_impulse:label"
#define META_SCORE "edge_impulse:score"

struct match {
  struct wr_labels labels; /* any of them */
  double min_score;        /* 0..1 */
  char *series;            /* plugin_instance to ask for; NULL: the value's */
};

static int read_label(const char *where, const oconfig_item_t *ci,
                      void *target) {
  /* Identifiers of metrics that are not labels: see the target. */
  static const char *const reserved[] = {"up", NULL};
  struct match *m = target;
  const char *name = wr_option_name(where, ci);
  if (name == NULL)
    return -1;
  return wr_labels_add(&m->labels, name, reserved) < 0
             ? wr_option_fault(where, "Label", name,
                               "up to 256 labels of up to 255 bytes")
             : 0;
}

static const struct wr_option options[] = {
    WR_OPTION_BLOCK("Label", read_label),
    WR_OPTION_RANGE("MinScore", WR_NUMBER, struct match, min_score, 0, 1),
    WR_OPTION("Instance", WR_STRING, struct match, series)};

static int match_destroy(void **user_data) {
  struct match *m = *user_data;
  if (m == NULL)
    return 0;
  wr_labels_free(&m->labels);
  free(m->series);
  free(m);
  *user_data = NULL;
  return 0;
}

static int match_create(const oconfig_item_t *ci, void **user_data) {
  struct match *m = calloc(1, sizeof(*m));
  void *made = m;
  if (m == NULL)
    return -ENOMEM;
  if (wr_options_read(WHERE, ci, options, STATIC_ARRAY_SIZE(options), m) == 0) {
    if (m->labels.count > 0) {
      *user_data = m;
      return 0;
    }
    ERROR(WHERE ": the option Label is missing; at least one is needed.");
  }
  match_destroy(&made);
  return -1;
}

/* The label and score that a value carries itself. */
static bool by_meta(const struct match *m, const value_list_t *vl,
                    bool *matches) {
  char *label = NULL;
  double score = 0;
  if (vl->meta == NULL ||
      meta_data_get_string(vl->meta, META_LABEL, &label) != 0)
    return false;
  (void)meta_data_get_double(vl->meta, META_SCORE, &score);
  *matches = wr_labels_find(&m->labels, label) >= 0 && score >= m->min_score;
  free(label);
  return true;
}

/* A gauge of the series in the cache; NaN when it is not there or too old. */
static double cached(const struct match *m, const value_list_t *vl,
                     const char *type, const char *id) {
  char name[6 * DATA_MAX_NAME_LEN];
  gauge_t *values = NULL;
  size_t count = 0;
  double value = NAN;
  if (format_name(name, sizeof(name), vl->host, EDGE_PLUGIN,
                  m->series != NULL ? m->series : vl->plugin_instance, type,
                  id) != 0 ||
      uc_get_rate_by_name(name, &values, &count) != 0)
    return NAN;
  if (count == 1)
    value = values[0];
  free(values);
  return value;
}

static bool by_cache(const struct match *m, const value_list_t *vl) {
  for (size_t i = 0; i < m->labels.count; i++) {
    const char *id = m->labels.at[i].id;
    if (cached(m, vl, "bool", id) != 1.0)
      continue;
    return m->min_score <= 0 ||
           cached(m, vl, "percent", id) >= m->min_score * 100.0;
  }
  return false;
}

static int match_match(const data_set_t *ds, const value_list_t *vl,
                       notification_meta_t **meta, void **user_data) {
  (void)ds;
  (void)meta;
  const struct match *m = *user_data;
  bool matches = false;
  if (!by_meta(m, vl, &matches) && strcmp(vl->plugin, EDGE_PLUGIN) != 0)
    matches = by_cache(m, vl);
  return matches ? FC_MATCH_MATCHES : FC_MATCH_NO_MATCH;
}

void module_register(void) {
  fc_register_match("classification", (match_proc_t){.create = match_create,
                                                     .destroy = match_destroy,
                                                     .match = match_match});
}
