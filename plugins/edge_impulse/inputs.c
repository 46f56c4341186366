/* What is noted of the values on their way to the writers, in the order of
 * their arrival: the newest of series that a target asks for by name, and how
 * many values collectd had to drop. collectd's own cache will not do: it goes
 * by time stamps, so that after the clock has gone back an old "the pump is
 * off" would stand for hours. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"

#define SERIES_MAX 65536 /* hosts times names */
#define VALID 2          /* intervals; collectd's own patience */

struct wanted {
  struct wanted *next;
  char *name;      /* as configured */
  value_list_t id; /* its parts, without a host */
};

struct input {
  double value;
  int64_t until_ms; /* it counts as known until then */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wanted *all; /* since the configuration */
static struct wr_table *inputs;

static struct wanted *find(const char *name) {
  struct wanted *w = all;
  while (w != NULL && strcmp(w->name, name) != 0)
    w = w->next;
  return w;
}

int edge_input_want(const char *name) {
  if (find(name) != NULL)
    return 0;
  struct wanted *w = calloc(1, sizeof(*w));
  if (w == NULL)
    return -1;
  w->name = strdup(name);
  if (w->name == NULL || edge_name_parse(name, "", &w->id) != 0) {
    free(w->name);
    free(w);
    return -1;
  }
  w->next = all;
  all = w;
  return 0;
}

static size_t make_key(const struct wanted *w, const char *host, char *key) {
  size_t len = strlen(host) + 1;
  memcpy(key, host, len);
  memcpy(key + len, &w, sizeof(w));
  return len + sizeof(w);
}

static void keep(const struct wanted *w, const char *host, double value,
                 int64_t until_ms) {
  char key[DATA_MAX_NAME_LEN + sizeof(w)];
  size_t len = make_key(w, host, key);
  int64_t now_ms = wr_clock_ms();
  bool dropped;
  pthread_mutex_lock(&lock);
  if (inputs == NULL)
    inputs = wr_table_create(SERIES_MAX, free);
  struct input *in =
      inputs != NULL ? wr_table_get(inputs, key, len, now_ms) : NULL;
  if (in == NULL && inputs != NULL && (in = malloc(sizeof(*in))) != NULL &&
      wr_table_put(inputs, key, len, in, now_ms, &dropped) != 0) {
    free(in);
    in = NULL;
  }
  if (in != NULL)
    *in = (struct input){value, until_ms};
  pthread_mutex_unlock(&lock);
}

/* collectd 5.12 puts a gauge where the type says derive: 1.0 is 0x3ff0... */
static int64_t count_of(value_t v) {
  return v.derive >> 52 != 0 ? (int64_t)v.gauge : v.derive;
}

/* CollectInternalStats counts them; a sample or a label may have been one. */
static void note_dropped(const value_list_t *vl) {
  static struct wr_trouble trouble = WR_TROUBLE_INIT;
  static atomic_int_least64_t before;
  int64_t count = count_of(vl->values[0]);
  int64_t more = count - atomic_exchange(&before, count);
  if (more > 0)
    wr_trouble_begin(&trouble, wr_clock_ms(), LOG_WARNING,
                     EDGE_WHERE
                     ": collectd has dropped %" PRId64 " values, %" PRId64
                     " in all, since its write queue was full. Raise "
                     "WriteQueueLimitHigh and WriteQueueLimitLow, or give the "
                     "targets a Heartbeat.",
                     more, count);
  else
    wr_trouble_end(&trouble, wr_clock_ms(),
                   EDGE_WHERE ": collectd drops no values");
}

static bool counts_dropped(const data_set_t *ds, const value_list_t *vl) {
  return strcmp(vl->plugin, "collectd") == 0 &&
         strcmp(vl->plugin_instance, "write_queue") == 0 &&
         strcmp(vl->type_instance, "dropped") == 0 && ds->ds_num == 1 &&
         ds->ds[0].type == DS_TYPE_DERIVE && strcmp(vl->host, hostname_g) == 0;
}

static int note(const data_set_t *ds, const value_list_t *vl, user_data_t *ud) {
  (void)ud;
  if (counts_dropped(ds, vl))
    note_dropped(vl);
  for (const struct wanted *w = all; w != NULL; w = w->next)
    if (strcmp(vl->type, w->id.type) == 0 &&
        strcmp(vl->plugin, w->id.plugin) == 0 &&
        strcmp(vl->type_instance, w->id.type_instance) == 0 &&
        strcmp(vl->plugin_instance, w->id.plugin_instance) == 0 &&
        ds->ds_num == 1 && ds->ds[0].type == DS_TYPE_GAUGE)
      keep(w, vl->host, vl->values[0].gauge,
           wr_clock_ms() + VALID * (int64_t)CDTIME_T_TO_MS(vl->interval));
  return 0;
}

double edge_input_newest(const char *host, const char *name) {
  const struct wanted *w = find(name);
  char key[DATA_MAX_NAME_LEN + sizeof(w)];
  double value = NAN;
  if (w == NULL)
    return NAN;
  size_t len = make_key(w, host, key);
  int64_t now_ms = wr_clock_ms();
  pthread_mutex_lock(&lock);
  const struct input *in =
      inputs != NULL ? wr_table_get(inputs, key, len, now_ms) : NULL;
  if (in != NULL && now_ms <= in->until_ms)
    value = in->value;
  pthread_mutex_unlock(&lock);
  return value;
}

int edge_input_start(void) {
  return plugin_register_write("target_edge_impulse", note, NULL);
}

void edge_input_stop(void) {
  wr_table_destroy(inputs);
  inputs = NULL;
  while (all != NULL) {
    struct wanted *w = all;
    all = w->next;
    free(w->name);
    free(w);
  }
}
