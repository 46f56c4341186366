#include "cloud.h"

#include "glue/options.h"
#include "glue/transport.h"
#include "lib/base/text.h"

#include "collectd/core/utils/common/common.h"

#include <errno.h>

static const char *const kind_words[] = {"number", "boolean", "text", NULL};
static const char *const durability_words[] = {"power", "process", NULL};

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
    WR_OPTION_RANGE("MaxAge", WR_SECONDS, struct property, age.limit_ms, 0,
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
    wr_say(
        LOG_ERR,
        "%s: MaxInterval %g is not allowed: 0, or at least MinInterval (%g).",
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
  bool text = p->kind == WR_VALUE_TEXT;
  if (!text && p->age.limit_ms > 0) {
    ERROR("%s: MaxAge is allowed for texts only.", where);
    return -1;
  }
  if (!text ||
      (p->age.limit_ms < 0 && strcmp(p->meta, "edge_impulse:label") != 0))
    p->age.limit_ms = 0;
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
  if (t->count == CLOUD_PROPERTIES_MAX)
    return wr_option_fault(where, "Property", name, "up to 64 properties");
  struct property *more =
      realloc(t->properties, (size_t)(t->count + 1) * sizeof(*more));
  if (more == NULL)
    return -1;
  t->properties = more;
  struct property *p = more + t->count++;
  *p = (struct property){.key = strdup(name),
                         .kind = -1,
                         .age.limit_ms = -1,
                         .min_ms = 1000,
                         .max_ms = 300000};
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
    WR_OPTION_RANGE("StoreAfter", WR_SECONDS, struct thing, hold_ms, 0, 60),
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

/* A disk that is not mounted yet is no fault of the configuration, and curl
 * reads these files at each connection. */
static void look_at(const char *where, const char *option, const char *path) {
  if (path == NULL || access(path, R_OK) == 0)
    return;
  WARNING("%s: %s \"%s\" cannot be read now: %s; values wait until it can.",
          where, option, path, wr_text_error(errno));
}

static int thing_check(const char *where, struct thing *t) {
  if (wr_transport_load(where) != 0)
    return -1;
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
  /* The secret must not leave in the clear. */
  if (wr_http_proxy_is_tls(t->url) &&
      wr_http_proxy_find(&t->proxy, t->url, getenv) != 0) {
    ERROR("%s: out of memory.", where);
    return -1;
  }
  look_at(where, "CACert", t->ca_cert);
  look_at(where, "CAPath", t->ca_path);
  look_at(where, "ClientCert", t->client_cert);
  look_at(where, "ClientKey", t->client_key);
  return cloud_credentials_begin(where, t);
}

static bool file_name_ok(const char *name) {
  size_t len = strlen(name);
  return len <= 60 && name[0] != '.' &&
         strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                      "0123456789_.-") == len;
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
  for (struct thing *t = cloud_things(); t != NULL; t = t->next)
    if (strcmp(t->name, name) == 0)
      return wr_option_fault(where, "Thing", name, "each name once");
  struct thing *t = cloud_thing_create(name);
  if (t == NULL)
    return -1;
  snprintf(here, sizeof(here), "%s: <Thing \"%s\">", where, name);
  int status = wr_options_read(here, ci, thing_options,
                               STATIC_ARRAY_SIZE(thing_options), t);
  if (status == 0)
    status = thing_check(here, t);
  if (status == 0)
    cloud_thing_add(t);
  else
    cloud_thing_free(t);
  return status;
}

int cloud_config(oconfig_item_t *ci) {
  static const struct wr_option options[] = {
      WR_OPTION_BLOCK("Thing", read_thing)};
  cloud_take_environment();
  return wr_options_read(CLOUD_WHERE, ci, options, 1, NULL);
}
