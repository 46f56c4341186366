/* write_arduino_cloud: sends values to the properties of an Arduino Cloud
 * thing. The write callback applies the publish policy and hands the value to
 * the thing's spool, in memory. One keeper thread makes the spools of all
 * things safe; one publisher thread per thing talks to the cloud. */
#define _GNU_SOURCE /* pthread_timedjoin_np() */
#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/plugin.h"
#include "collectd/core/daemon/utils_cache.h"
#include "collectd/core/utils/common/common.h"

#include "glue/clock.h"
#include "glue/options.h"
#include "glue/report.h"
#include "lib/credentials.h"
#include "lib/http.h"
#include "lib/publish_policy.h"
#include "lib/publisher.h"
#include "lib/spool.h"

#include <curl/curl.h>

#define PLUGIN "write_arduino_cloud"
#define COMMIT_MS 500 /* between two commits, with Durability "power" */
#define TICK_MS 5000  /* of the keeper without work */
#define JOIN_S 2
#define PROPERTIES_MAX 64
#define ACCEPTED_MAX 8192

struct property {
  char *key;
  char *host, *plugin, *plugin_instance, *type, *type_instance; /* NULL: any */
  char *source, *meta, *id;
  int kind; /* index into kind_words; -1: by the type */
  double dead_band;
  int64_t min_ms, max_ms;
  struct wr_policy policy;
};

struct thing {
  char *name, *url, *credentials_file, *spool_dir;
  char *ca_cert, *ca_path, *client_cert, *client_key;
  int durability;
  int64_t spool_mib, spool_age_ms, timeout_ms, alert_ms;
  int64_t batch, daily_records;
  double rate;
  struct property *properties;
  int count;
  struct wr_credentials credentials;

  pthread_mutex_t lock; /* guards what follows, and the policies */
  pthread_cond_t wake;  /* the publisher's */
  bool stop, flush, news, alerted;
  struct wr_publisher_stats stats;

  struct wr_spool *spool;
  struct wr_http *http;
  struct wr_publisher publisher;
  struct wr_publisher_property *published;
  pthread_t thread;
  bool running, abandoned;
  struct wr_trouble link, token, blocked, advice, refusal, disk, loss;
  struct wr_spool_status seen; /* what the keeper has told about */
  struct thing *next;
};

static struct thing *things;

static struct {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  pthread_t thread;
  bool running, stop, work;
} keeper = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *const kind_words[] = {"number", "boolean", "text", NULL};
static const char *const durability_words[] = {"power", "process", NULL};

static int64_t wall_us(void) { return wr_us_from_cdtime(cdtime()); }

static void wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms) {
  struct timespec until;
  int64_t end_us = wr_clock_us() + ms * 1000;
  until.tv_sec = (time_t)(end_us / 1000000);
  until.tv_nsec = (long)(end_us % 1000000) * 1000;
  pthread_cond_timedwait(cond, lock, &until);
}

static void init_cond(pthread_cond_t *cond) {
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(cond, &attr);
  pthread_condattr_destroy(&attr);
}

/* --- values in --- */

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
  else if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0)
    set_number(out, out->kind, text[0] == 't' || text[0] == 'T');
  else {
    char *end = NULL;
    set_number(out, out->kind, strtod(text, &end));
    ok = end != text && *end == '\0' && isfinite(out->number);
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

static int cloud_write(const data_set_t *ds, const value_list_t *vl,
                       user_data_t *ud) {
  struct thing *t = ud->data;
  bool work = false;
  if (t->spool == NULL)
    return -1; /* init failed; it has said why */
  for (int i = 0; i < t->count; i++)
    if (matches(t->properties + i, vl))
      work |= take(t, i, ds, vl);
  if (work) {
    pthread_mutex_lock(&keeper.lock);
    keeper.work = true;
    pthread_cond_signal(&keeper.wake);
    pthread_mutex_unlock(&keeper.lock);
  }
  return 0;
}

/* --- the keeper: spools to disk --- */

static void tell_spool(struct thing *t) {
  struct wr_spool_status s;
  char what[256];
  wr_spool_status(t->spool, &s);
  int64_t now_ms = wr_clock_ms();
  if (s.moved_aside != t->seen.moved_aside)
    WARNING(PLUGIN " plugin: <Thing \"%s\">: the spool was corrupt and is now "
                   "%s/%s.db.bad; a new one is begun (%s).",
            t->name, t->spool_dir, t->name, s.fault);
  snprintf(what, sizeof(what),
           PLUGIN " plugin: <Thing \"%s\">: values are stored on disk",
           t->name);
  if (s.in_memory)
    wr_trouble_begin(&t->disk, now_ms, LOG_WARNING,
                     PLUGIN " plugin: <Thing \"%s\">: values wait in memory "
                            "only, the spool cannot be used: %s.",
                     t->name, s.fault);
  else
    wr_trouble_end(&t->disk, now_ms, what);
  int64_t lost = s.thinned + s.dropped + s.expired;
  if (lost > t->seen.thinned + t->seen.dropped + t->seen.expired)
    wr_trouble_begin(&t->loss, now_ms, LOG_WARNING,
                     PLUGIN " plugin: <Thing \"%s\">: the spool is at its "
                            "ceiling: %" PRIi64 " values thinned out, %" PRIi64
                            " dropped, %" PRIi64 " too old.",
                     t->name, s.thinned, s.dropped, s.expired);
  else if (s.rows == 0) {
    snprintf(what, sizeof(what),
             PLUGIN " plugin: <Thing \"%s\">: the spool keeps every value",
             t->name);
    wr_trouble_end(&t->loss, now_ms, what);
  }
  t->seen = s;
}

static void keep(struct thing *t) {
  bool was_in_memory = t->seen.in_memory;
  bool work = wr_spool_commit(t->spool, wr_clock_ms(), wall_us()) > 0;
  tell_spool(t);
  if (!work && t->seen.in_memory == was_in_memory)
    return;
  pthread_mutex_lock(&t->lock);
  t->news = true;
  pthread_cond_signal(&t->wake);
  pthread_mutex_unlock(&t->lock);
}

static int64_t commit_spacing(void) {
  for (struct thing *t = things; t != NULL; t = t->next)
    if (t->durability == 0)
      return COMMIT_MS;
  return 0;
}

static void *keeper_main(void *arg) {
  (void)arg;
  int64_t spacing = commit_spacing(), last = -COMMIT_MS;
  pthread_mutex_lock(&keeper.lock);
  for (bool stop = false; !stop;) {
    if (!keeper.work && !keeper.stop)
      wait_ms(&keeper.wake, &keeper.lock, TICK_MS);
    while (!keeper.stop && wr_clock_ms() < last + spacing)
      wait_ms(&keeper.wake, &keeper.lock, last + spacing - wr_clock_ms());
    stop = keeper.stop;
    keeper.work = false;
    pthread_mutex_unlock(&keeper.lock);
    for (struct thing *t = things; t != NULL; t = t->next)
      keep(t);
    last = wr_clock_ms();
    pthread_mutex_lock(&keeper.lock);
  }
  pthread_mutex_unlock(&keeper.lock);
  return NULL;
}

/* --- the publisher: spool to cloud --- */

static void tell_state(struct thing *t, struct wr_trouble *trouble, bool bad,
                       int severity, const char *text, const char *well) {
  char what[256];
  snprintf(what, sizeof(what), PLUGIN " plugin: <Thing \"%s\">: %s", t->name,
           well);
  if (bad)
    wr_trouble_begin(trouble, wr_clock_ms(), severity,
                     PLUGIN " plugin: <Thing \"%s\">: %s.", t->name, text);
  else
    wr_trouble_end(trouble, wr_clock_ms(), what);
}

static void tell_publisher(struct thing *t, int64_t rejected_before) {
  const struct wr_publisher_stats *s = &t->publisher.stats;
  tell_state(t, &t->link, s->state == WR_PUBLISHER_NO_LINK, LOG_WARNING,
             s->fault, "the cloud answers");
  tell_state(t, &t->token, s->state == WR_PUBLISHER_NO_TOKEN, LOG_ERR, s->fault,
             "the cloud takes the credentials");
  tell_state(t, &t->blocked, s->state == WR_PUBLISHER_BLOCKED, LOG_ERR,
             s->fault, "the cloud accepts values");
  tell_state(t, &t->advice, s->advice[0] != '\0', LOG_WARNING, s->advice,
             "all properties are usable");
  if (s->rejected > rejected_before)
    tell_state(t, &t->refusal, true, LOG_WARNING, s->refusal, "");
}

static void *publisher_main(void *arg) {
  struct thing *t = arg;
  pthread_mutex_lock(&t->lock);
  while (!t->stop) {
    bool flush = t->flush;
    t->flush = t->news = false;
    pthread_mutex_unlock(&t->lock);
    if (flush)
      wr_publisher_hurry(&t->publisher);
    int64_t rejected = t->publisher.stats.rejected;
    int64_t wait = wr_publisher_step(
        &t->publisher, &(struct wr_moment){.now_ms = wr_clock_ms(),
                                           .wall_us = wall_us(),
                                           .random = wr_clock_random()});
    tell_publisher(t, rejected);
    pthread_mutex_lock(&t->lock);
    t->stats = t->publisher.stats;
    if (wait > 0 && !t->stop && !t->flush && !t->news)
      wait_ms(&t->wake, &t->lock, wait);
  }
  pthread_mutex_unlock(&t->lock);
  return NULL;
}

static int cloud_send(void *arg, const struct wr_http_request *request,
                      struct wr_http_reply *reply) {
  return wr_http_perform(arg, request, reply);
}

static int cloud_flush(cdtime_t timeout, const char *identifier,
                       user_data_t *ud) {
  (void)timeout;
  (void)identifier;
  struct thing *t = ud->data;
  pthread_mutex_lock(&t->lock);
  t->flush = true;
  pthread_cond_signal(&t->wake);
  pthread_mutex_unlock(&t->lock);
  return 0;
}

/* --- health --- */

static void metric(const struct thing *t, const char *type,
                   const char *type_instance, double value) {
  wr_metric_gauge(&(struct wr_metric){.plugin = PLUGIN,
                                      .plugin_instance = t->name,
                                      .type = type,
                                      .type_instance = type_instance,
                                      .interval = plugin_get_interval()},
                  value);
}

static void counter(const struct thing *t, const char *type,
                    const char *type_instance, int64_t value) {
  wr_metric_derive(&(struct wr_metric){.plugin = PLUGIN,
                                       .plugin_instance = t->name,
                                       .type = type,
                                       .type_instance = type_instance,
                                       .interval = plugin_get_interval()},
                   value);
}

static void notify(const struct thing *t, int severity, const char *text) {
  notification_t n = {.severity = severity, .time = cdtime()};
  sstrncpy(n.host, hostname_g, sizeof(n.host));
  sstrncpy(n.plugin, PLUGIN, sizeof(n.plugin));
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
    snprintf(text, sizeof(text),
             "Thing \"%s\": %" PRIi64 " values wait for the Arduino Cloud, "
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

static int cloud_health(user_data_t *ud) {
  struct thing *t = ud->data;
  struct wr_spool_status s;
  if (t->spool == NULL)
    return 0;
  pthread_mutex_lock(&t->lock);
  struct wr_publisher_stats p = t->stats;
  pthread_mutex_unlock(&t->lock);
  wr_spool_status(t->spool, &s);
  double age_s = p.oldest_us > 0 && s.rows > 0
                     ? (double)(wall_us() - p.oldest_us) / 1e6
                     : 0.0;
  if (age_s < 0)
    age_s = 0;
  metric(t, "bool", "up", p.state == WR_PUBLISHER_OK);
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

/* --- configuration --- */

static const struct wr_option property_options[] = {
    WR_OPTION("Host", WR_STRING, struct property, host),
    WR_OPTION("Plugin", WR_STRING, struct property, plugin),
    WR_OPTION("PluginInstance", WR_STRING, struct property, plugin_instance),
    WR_OPTION("Type", WR_STRING, struct property, type),
    WR_OPTION("TypeInstance", WR_STRING, struct property, type_instance),
    WR_OPTION("DataSource", WR_STRING, struct property, source),
    WR_OPTION("Meta", WR_STRING, struct property, meta),
    WR_OPTION_WORD("Kind", struct property, kind, kind_words),
    WR_OPTION("ID", WR_STRING, struct property, id),
    WR_OPTION_RANGE("DeadBand", WR_NUMBER, struct property, dead_band, 0, 1e15),
    WR_OPTION_RANGE("MinInterval", WR_SECONDS, struct property, min_ms, 0,
                    86400),
    WR_OPTION_RANGE("MaxInterval", WR_SECONDS, struct property, max_ms, 0,
                    604800),
};

static int property_check(const char *where, struct property *p) {
  if (p->plugin == NULL && p->type == NULL && p->meta == NULL) {
    ERROR("%s: Plugin, Type or Meta is missing: it says which values are "
          "meant.",
          where);
    return -1;
  }
  if (p->id != NULL && !wr_cloud_id_ok(p->id))
    return wr_option_fault(where, "ID", p->id,
                           "up to 64 letters, digits and dashes");
  if (p->meta != NULL && p->source != NULL)
    return wr_option_fault(where, "DataSource", p->source,
                           "not together with Meta");
  if (p->max_ms > 0 && p->max_ms < p->min_ms) {
    ERROR("%s: MaxInterval %g is not allowed: 0, or at least MinInterval (%g).",
          where, (double)p->max_ms / 1e3, (double)p->min_ms / 1e3);
    return -1;
  }
  if (p->kind < 0)
    p->kind = p->meta != NULL ? WR_VALUE_TEXT
              : p->type != NULL && strcmp(p->type, "bool") == 0
                  ? WR_VALUE_BOOL
                  : WR_VALUE_NUMBER;
  if (p->kind == WR_VALUE_TEXT && p->meta == NULL)
    return wr_option_fault(where, "Kind", "text",
                           "number or boolean, as there is no Meta");
  p->policy = (struct wr_policy){
      .dead_band = p->dead_band, .min_ms = p->min_ms, .max_ms = p->max_ms};
  return 0;
}

static int read_property(const char *where, const oconfig_item_t *ci,
                         void *target) {
  struct thing *t = target;
  char here[256];
  const char *name = wr_option_name(where, ci);
  if (name == NULL)
    return -1;
  if (!wr_cloud_name_ok(name))
    return wr_option_fault(where, "Property", name,
                           "a variable name of up to 64 letters, digits and "
                           "underscores that does not begin with a digit");
  for (int i = 0; i < t->count; i++)
    if (strcmp(t->properties[i].key, name) == 0)
      return wr_option_fault(where, "Property", name, "each name once");
  if (t->count == PROPERTIES_MAX)
    return wr_option_fault(where, "Property", name, "up to 64 properties");
  struct property *more =
      realloc(t->properties, (size_t)(t->count + 1) * sizeof(*more));
  if (more == NULL)
    return -1;
  t->properties = more;
  struct property *p = more + t->count++;
  *p = (struct property){
      .key = strdup(name), .kind = -1, .min_ms = 1000, .max_ms = 300000};
  if (p->key == NULL)
    return -1;
  snprintf(here, sizeof(here), "%s <Property \"%s\">", where, name);
  int status = wr_options_read(here, ci, property_options,
                               STATIC_ARRAY_SIZE(property_options), p);
  return status == 0 ? property_check(here, p) : status;
}

static const struct wr_option thing_options[] = {
    WR_OPTION("URL", WR_STRING, struct thing, url),
    WR_OPTION("CredentialsFile", WR_STRING, struct thing, credentials_file),
    WR_OPTION("SpoolDir", WR_STRING, struct thing, spool_dir),
    WR_OPTION_RANGE("SpoolSize", WR_INTEGER, struct thing, spool_mib, 1, 65536),
    WR_OPTION_RANGE("SpoolAge", WR_SECONDS, struct thing, spool_age_ms, 60,
                    315360000),
    WR_OPTION_WORD("Durability", struct thing, durability, durability_words),
    WR_OPTION_RANGE("Timeout", WR_SECONDS, struct thing, timeout_ms, 0.1, 300),
    WR_OPTION_RANGE("RateLimit", WR_NUMBER, struct thing, rate, 0.01, 10),
    WR_OPTION_RANGE("BatchSize", WR_INTEGER, struct thing, batch, 1,
                    WR_BATCH_MAX),
    WR_OPTION_RANGE("DailyRecords", WR_INTEGER, struct thing, daily_records, 0,
                    1e9),
    WR_OPTION_RANGE("AlertAfter", WR_SECONDS, struct thing, alert_ms, 0,
                    8640000),
    WR_OPTION("CACert", WR_STRING, struct thing, ca_cert),
    WR_OPTION("CAPath", WR_STRING, struct thing, ca_path),
    WR_OPTION("ClientCert", WR_STRING, struct thing, client_cert),
    WR_OPTION("ClientKey", WR_STRING, struct thing, client_key),
    WR_OPTION_BLOCK("Property", read_property),
};

static int credentials_fault(const char *where, const struct thing *t) {
  ERROR("%s: CredentialsFile \"%s\" cannot be used: %s.", where,
        t->credentials_file, t->credentials.fault);
  return -1;
}

/* A name without a slash is looked for among systemd's credentials. */
static int find_credentials(struct thing *t) {
  const char *dir = getenv("CREDENTIALS_DIRECTORY");
  char path[PATH_MAX];
  const char *name = t->credentials_file;
  if (dir == NULL || (name != NULL && strchr(name, '/') != NULL))
    return 0;
  snprintf(path, sizeof(path), "%s/%s", dir,
           name != NULL ? name : "arduino-cloud.env");
  if (access(path, F_OK) != 0)
    return 0;
  free(t->credentials_file);
  t->credentials_file = strdup(path);
  return t->credentials_file != NULL ? 0 : -1;
}

static int read_credentials(const char *where, struct thing *t) {
  struct wr_credentials *c = &t->credentials;
  int status = find_credentials(t);
  if (status != 0)
    return status;
  if (t->credentials_file != NULL) {
    if (wr_credentials_file(c, t->credentials_file) != 0 ||
        wr_credentials_check(c, "the file") != 0)
      return credentials_fault(where, t);
  } else if (wr_credentials_environment(c, getenv) != 0 ||
             wr_credentials_check(c, "the environment") != 0) {
    ERROR("%s: CredentialsFile is missing, and %s.", where, c->fault);
    return -1;
  }
  for (int i = 0; i < t->count; i++) {
    const char *id = wr_credentials_variable(c, t->properties[i].key);
    if (t->properties[i].id == NULL && id != NULL)
      t->properties[i].id = strdup(id);
  }
  return 0;
}

static int file_check(const char *where, const char *option, const char *path) {
  if (path != NULL && access(path, R_OK) != 0)
    return wr_option_fault(where, option, path, "a file that can be read");
  return 0;
}

static int thing_check(const char *where, struct thing *t) {
  const char *fault = wr_http_url_fault(t->url, true);
  if (fault != NULL)
    return wr_option_fault(where, "URL", t->url, fault);
  for (size_t len = strlen(t->url); len > 0 && t->url[len - 1] == '/';)
    t->url[--len] = '\0';
  if (t->count == 0) {
    ERROR("%s: there is no <Property> block, so there is nothing to send.",
          where);
    return -1;
  }
  if ((t->client_cert == NULL) != (t->client_key == NULL)) {
    ERROR("%s: ClientCert and ClientKey are allowed together only.", where);
    return -1;
  }
  if (file_check(where, "CACert", t->ca_cert) != 0 ||
      file_check(where, "CAPath", t->ca_path) != 0 ||
      file_check(where, "ClientCert", t->client_cert) != 0 ||
      file_check(where, "ClientKey", t->client_key) != 0)
    return -1;
  return read_credentials(where, t);
}

static void property_free(struct property *p) {
  char *const strings[] = {p->key,    p->host, p->plugin,
                           p->meta,   p->type, p->type_instance,
                           p->source, p->id,   p->plugin_instance};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(strings); i++)
    free(strings[i]);
}

static void thing_free(void *arg) {
  struct thing *t = arg;
  if (t == NULL || t->abandoned)
    return; /* a thread hangs in it */
  if (t->published != NULL)
    wr_publisher_free(&t->publisher);
  wr_http_destroy(t->http);
  wr_spool_destroy(t->spool);
  for (int i = 0; i < t->count; i++)
    property_free(t->properties + i);
  char *const strings[] = {t->name,        t->url,       t->credentials_file,
                           t->ca_cert,     t->ca_path,   t->spool_dir,
                           t->client_cert, t->client_key};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(strings); i++)
    free(strings[i]);
  free(t->properties);
  free(t->published);
  wr_credentials_wipe(&t->credentials);
  pthread_mutex_destroy(&t->lock);
  pthread_cond_destroy(&t->wake);
  free(t);
}

static bool file_name_ok(const char *name) {
  size_t len = strlen(name);
  return len <= 60 && name[0] != '.' &&
         strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                      "0123456789_.-") == len;
}

static struct thing *thing_create(const char *name) {
  struct thing *t = calloc(1, sizeof(*t));
  if (t == NULL)
    return NULL;
  pthread_mutex_init(&t->lock, NULL);
  init_cond(&t->wake);
  struct wr_trouble well = WR_TROUBLE_INIT;
  t->link = t->token = t->blocked = t->advice = t->refusal = t->disk = t->loss =
      well;
  t->name = strdup(name);
  t->url = strdup(WR_CLOUD_URL);
  t->spool_dir = strdup(PLUGIN);
  t->spool_mib = 64;
  t->spool_age_ms = INT64_C(30) * 86400 * 1000;
  t->timeout_ms = 15000;
  t->alert_ms = 900000;
  t->rate = 1;
  t->batch = 100;
  t->daily_records = 100000;
  if (t->name != NULL && t->url != NULL && t->spool_dir != NULL)
    return t;
  thing_free(t);
  return NULL;
}

static void thing_register(struct thing *t) {
  char name[DATA_MAX_NAME_LEN];
  struct thing **end = &things;
  while (*end != NULL)
    end = &(*end)->next;
  *end = t;
  snprintf(name, sizeof(name), PLUGIN "/%s", t->name);
  user_data_t ud = {.data = t};
  plugin_register_complex_read(PLUGIN, name, cloud_health, 0, &ud);
  plugin_register_flush(name, cloud_flush, &ud);
  plugin_register_write(name, cloud_write, &ud);
}

static int read_thing(const char *where, const oconfig_item_t *ci,
                      void *target) {
  (void)target;
  char here[192];
  const char *name = wr_option_name(where, ci);
  if (name == NULL)
    return -1;
  if (!file_name_ok(name))
    return wr_option_fault(where, "Thing", name,
                           "up to 60 letters, digits, '_', '-' and '.', not "
                           "beginning with '.'");
  for (struct thing *t = things; t != NULL; t = t->next)
    if (strcmp(t->name, name) == 0)
      return wr_option_fault(where, "Thing", name, "each name once");
  struct thing *t = thing_create(name);
  if (t == NULL)
    return -1;
  snprintf(here, sizeof(here), "%s: <Thing \"%s\">", where, name);
  int status = wr_options_read(here, ci, thing_options,
                               STATIC_ARRAY_SIZE(thing_options), t);
  if (status == 0)
    status = thing_check(here, t);
  if (status == 0)
    thing_register(t);
  else
    thing_free(t);
  return status;
}

static int cloud_config(oconfig_item_t *ci) {
  static const struct wr_option options[] = {
      WR_OPTION_BLOCK("Thing", read_thing)};
  return wr_options_read(PLUGIN " plugin", ci, options, 1, NULL);
}

/* --- start and end --- */

static int open_spool(struct thing *t) {
  char path[PATH_MAX];
  const char *keys[PROPERTIES_MAX];
  for (int i = 0; i < t->count; i++)
    keys[i] = t->properties[i].key;
  snprintf(path, sizeof(path), "%s/%s.db", t->spool_dir, t->name);
  if (check_create_dir(path) != 0)
    WARNING(PLUGIN " plugin: <Thing \"%s\">: cannot create the directory "
                   "\"%s\" for the spool.",
            t->name, t->spool_dir);
  t->spool = wr_spool_create(
      &(struct wr_spool_options){.path = path,
                                 .power = t->durability == 0,
                                 .max_bytes = t->spool_mib << 20,
                                 .max_age_us = t->spool_age_ms * 1000,
                                 .memory_bytes = 1 << 20,
                                 .max_accepted = ACCEPTED_MAX},
      keys, t->count);
  if (t->spool == NULL)
    return -1;
  wr_spool_open(t->spool, wr_clock_ms());
  tell_spool(t);
  return 0;
}

static int open_publisher(struct thing *t) {
  t->http = wr_http_create(
      &(struct wr_http_options){.user_agent = "weir/" WEIR_VERSION,
                                .timeout_ms = t->timeout_ms,
                                .max_body = 1 << 20,
                                .use_proxy = true,
                                .ca_cert = t->ca_cert,
                                .ca_path = t->ca_path,
                                .client_cert = t->client_cert,
                                .client_key = t->client_key});
  t->published = calloc((size_t)t->count, sizeof(*t->published));
  if (t->http == NULL || t->published == NULL)
    return -1;
  for (int i = 0; i < t->count; i++) {
    const struct property *p = t->properties + i;
    t->published[i] =
        (struct wr_publisher_property){.key = p->key,
                                       .name = p->id == NULL ? p->key : NULL,
                                       .id = p->id,
                                       .kind = (enum wr_value_kind)p->kind};
  }
  const struct wr_credentials *c = &t->credentials;
  return wr_publisher_init(
      &t->publisher,
      &(struct wr_publisher_options){
          .url = t->url,
          .thing_id = c->thing_id,
          .space_id = c->space_id[0] != '\0' ? c->space_id : NULL,
          .client_id = c->client_id,
          .client_secret = c->client_secret,
          .rate = t->rate,
          .batch = (int)t->batch,
          .daily_records = t->daily_records,
          .send = cloud_send,
          .send_arg = t->http},
      t->published, t->count, t->spool,
      &(struct wr_moment){.now_ms = wr_clock_ms(), .wall_us = wall_us()});
}

static int thing_start(struct thing *t) {
  if (open_spool(t) != 0 || open_publisher(t) != 0 ||
      plugin_thread_create(&t->thread, publisher_main, t, "cloud publish") !=
          0) {
    ERROR(PLUGIN " plugin: <Thing \"%s\">: out of memory or threads.", t->name);
    return -1;
  }
  t->running = true;
  return 0;
}

static int cloud_init(void) {
  int status = 0;
  if (keeper.running || things == NULL)
    return 0;
  curl_global_init(CURL_GLOBAL_ALL);
  init_cond(&keeper.wake);
  for (struct thing *t = things; t != NULL && status == 0; t = t->next)
    status = thing_start(t);
  if (status == 0)
    status =
        plugin_thread_create(&keeper.thread, keeper_main, NULL, "cloud keeper");
  keeper.running = status == 0;
  return status;
}

/* False when the thread did not end in time; it is left alone then. */
static bool join(pthread_t thread, const struct timespec *until) {
  return pthread_timedjoin_np(thread, NULL, until) == 0;
}

static void stop_thing(struct thing *t) {
  wr_http_stop(t->http);
  pthread_mutex_lock(&t->lock);
  t->stop = true;
  pthread_cond_signal(&t->wake);
  pthread_mutex_unlock(&t->lock);
}

static int cloud_shutdown(void) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until); /* what the join wants */
  until.tv_sec += JOIN_S;
  pthread_mutex_lock(&keeper.lock);
  keeper.stop = true;
  if (keeper.running)
    pthread_cond_signal(&keeper.wake);
  pthread_mutex_unlock(&keeper.lock);
  for (struct thing *t = things; t != NULL; t = t->next)
    if (t->running)
      stop_thing(t);
  bool kept = !keeper.running || join(keeper.thread, &until);
  if (!kept)
    ERROR(PLUGIN " plugin: the disk does not answer; the newest values may be "
                 "lost.");
  while (things != NULL) {
    struct thing *t = things;
    things = t->next;
    if (t->running && !join(t->thread, &until))
      t->abandoned = true;
    t->abandoned |= !kept;
    thing_free(t);
  }
  return 0;
}

void module_register(void) {
  plugin_register_complex_config(PLUGIN, cloud_config);
  plugin_register_init(PLUGIN, cloud_init);
  plugin_register_shutdown(PLUGIN, cloud_shutdown);
}
