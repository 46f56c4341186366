/* match_classification: a filter-chain match on the state of a series.
 *
 * A value that target_edge_impulse made, or that carries its label, is judged
 * by that. For any other value the newest state of the series classified from
 * it counts: the states are noted as they pass, on their way to the writers, in
 * the order of their arrival. collectd's own cache will not do: it goes by time
 * stamps, so after the clock has gone back it keeps old states for hours. The
 * two plugins share no memory, and the match works on states that another
 * collectd sent, too. */
#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/filter_chain.h"
#include "collectd/core/daemon/plugin.h"
#include "collectd/core/daemon/utils_cache.h"
#include "collectd/core/utils/common/common.h"

#include "glue/clock.h"
#include "glue/options.h"
#include "lib/base/table.h"
#include "lib/infer/labels.h"

#define WHERE "match_classification plugin"
#define EDGE_PLUGIN "edge_impulse"
#define META_LABEL "edge_impulse:label"
#define META_SCORE "edge_impulse:score"
#define META_PREVIOUS "edge_impulse:previous"
#define UNKNOWN "unknown"
#define STATES 16384 /* series whose state is kept */
#define MAX_AGE_MS 60000

struct match {
  struct wr_labels labels; /* any of them */
  double min_score;        /* 0..1 */
  char *series;            /* plugin_instance to ask for; NULL: the value's */
  bool change;             /* only the value that says so */
  int64_t max_age_ms;
};

/* The newest state of a series. */
struct state {
  char label[WR_LABEL_LEN]; /* as spelled; or the identifier, by_id; "": none */
  bool by_id;
  double score; /* NaN: not told */
  int64_t arrived_ms;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wr_table *states;

static size_t make_key(const char *host, const char *instance, char *key) {
  size_t len = strlen(host) + 1;
  memcpy(key, host, len);
  memcpy(key + len, instance, strlen(instance) + 1);
  return len + strlen(instance) + 1;
}

/* The entry of a series, made if need be; NULL without memory. lock is held. */
static struct state *state_of(const char *host, const char *instance) {
  char key[2 * DATA_MAX_NAME_LEN];
  size_t len = make_key(host, instance, key);
  int64_t now_ms = wr_clock_ms();
  bool dropped;
  if (states == NULL && (states = wr_table_create(STATES, free)) == NULL)
    return NULL;
  struct state *s = wr_table_get(states, key, len, now_ms);
  if (s != NULL || (s = calloc(1, sizeof(*s))) == NULL)
    return s;
  s->arrived_ms = now_ms;
  if (wr_table_put(states, key, len, s, now_ms, &dropped) == 0)
    return s;
  free(s);
  return NULL;
}

/* Identifiers of metrics that are not labels: see the target. */
static bool is_label(const char *id) {
  return strcmp(id, "up") != 0 && strcmp(id, "shelved") != 0;
}

/* The label whose bool is 1 is the state. */
static int note(const data_set_t *ds, const value_list_t *vl, user_data_t *ud) {
  (void)ud;
  char *label = NULL;
  double score = NAN;
  if (strcmp(vl->plugin, EDGE_PLUGIN) != 0 || strcmp(vl->type, "bool") != 0 ||
      ds->ds_num != 1 || vl->values[0].gauge != 1.0 ||
      !is_label(vl->type_instance))
    return 0;
  if (vl->meta != NULL) {
    (void)meta_data_get_string(vl->meta, META_LABEL, &label);
    (void)meta_data_get_double(vl->meta, META_SCORE, &score);
  }
  pthread_mutex_lock(&lock);
  struct state *s = state_of(vl->host, vl->plugin_instance);
  if (s != NULL) {
    sstrncpy(s->label, label != NULL ? label : vl->type_instance,
             sizeof(s->label));
    s->by_id = label == NULL;
    s->score = score;
    s->arrived_ms = wr_clock_ms();
  }
  pthread_mutex_unlock(&lock);
  free(label);
  return 0;
}

static int read_label(const char *where, const oconfig_item_t *ci,
                      void *target) {
  static const char *const reserved[] = {"up", "shelved", NULL};
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
    WR_OPTION("Instance", WR_STRING, struct match, series),
    WR_OPTION("Change", WR_BOOLEAN, struct match, change),
    WR_OPTION_RANGE("MaxAge", WR_SECONDS, struct match, max_age_ms, 1, 86400)};

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
  m->max_age_ms = MAX_AGE_MS;
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

/* A state that is unknown has no score to compare, and must not be missed for
 * that: it is an alarm. */
static bool is_enough(const struct match *m, const char *label, double score) {
  return m->min_score <= 0 || score >= m->min_score ||
         strcmp(label, UNKNOWN) == 0;
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
  *matches =
      wr_labels_find(&m->labels, label) >= 0 && is_enough(m, label, score);
  free(label);
  return true;
}

/* One value for each change: the bool of the label that is the state now. */
static bool is_change(const value_list_t *vl) {
  return vl->meta != NULL && strcmp(vl->type, "bool") == 0 &&
         vl->values[0].gauge == 1.0 &&
         meta_data_exists(vl->meta, META_PREVIOUS);
}

/* The score of a state that came without meta data: as the cache has it. */
static double cached_score(const struct match *m, const value_list_t *vl,
                           const char *id) {
  char name[6 * DATA_MAX_NAME_LEN];
  gauge_t *values = NULL;
  size_t count = 0;
  double value = NAN;
  if (format_name(name, sizeof(name), vl->host, EDGE_PLUGIN,
                  m->series != NULL ? m->series : vl->plugin_instance,
                  "percent", id) != 0 ||
      uc_get_rate_by_name(name, &values, &count) != 0)
    return NAN;
  if (count == 1)
    value = values[0] / 100.0;
  free(values);
  return value;
}

static int find(const struct match *m, const struct state *s) {
  if (!s->by_id)
    return wr_labels_find(&m->labels, s->label);
  for (size_t i = 0; i < m->labels.count; i++)
    if (strcmp(m->labels.at[i].id, s->label) == 0)
      return (int)i;
  return -1;
}

static bool by_state(const struct match *m, const value_list_t *vl) {
  struct state now = {0};
  bool wants_unknown = wr_labels_find(&m->labels, UNKNOWN) >= 0;
  const char *instance = m->series != NULL ? m->series : vl->plugin_instance;
  char key[2 * DATA_MAX_NAME_LEN];
  size_t len = make_key(vl->host, instance, key);
  int64_t now_ms = wr_clock_ms();
  pthread_mutex_lock(&lock);
  /* Who asks for unknown waits for a state: from now on it grows old. */
  struct state *s = wants_unknown    ? state_of(vl->host, instance)
                    : states != NULL ? wr_table_get(states, key, len, now_ms)
                                     : NULL;
  if (s != NULL)
    now = *s;
  pthread_mutex_unlock(&lock);
  if (s == NULL)
    return false;
  if (now_ms - now.arrived_ms > m->max_age_ms)
    return wants_unknown;
  if (find(m, &now) < 0)
    return false;
  if (isnan(now.score))
    now.score = cached_score(m, vl, now.label);
  return is_enough(m, now.label, now.score);
}

static int match_match(const data_set_t *ds, const value_list_t *vl,
                       notification_meta_t **meta, void **user_data) {
  (void)ds;
  (void)meta;
  const struct match *m = *user_data;
  bool matches = false;
  if (m->change && !is_change(vl))
    return FC_MATCH_NO_MATCH;
  if (!by_meta(m, vl, &matches) && strcmp(vl->plugin, EDGE_PLUGIN) != 0)
    matches = by_state(m, vl);
  return matches ? FC_MATCH_MATCHES : FC_MATCH_NO_MATCH;
}

/* Without an init callback collectd may not start its write threads. */
static int match_init(void) { return 0; }

static int match_shutdown(void) {
  wr_table_destroy(states);
  states = NULL;
  return 0;
}

void module_register(void) {
  fc_register_match("classification", (match_proc_t){.create = match_create,
                                                     .destroy = match_destroy,
                                                     .match = match_match});
  plugin_register_init("match_classification", match_init);
  plugin_register_write("match_classification", note, NULL);
  plugin_register_shutdown("match_classification", match_shutdown);
}
