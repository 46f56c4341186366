/* The list of things, and the life of one. */
#include "cloud.h"

#include "collectd/core/utils/common/common.h"

static struct thing *things;

struct thing *cloud_things(void) {
  return things;
}

void cloud_thing_add(struct thing *t) {
  struct thing **end = &things;
  while (*end != NULL)
    end = &(*end)->next;
  *end = t;
}

struct thing *cloud_thing_create(const char *name) {
  struct thing *t = calloc(1, sizeof(*t));
  if (t == NULL)
    return NULL;
  pthread_mutex_init(&t->lock, NULL);
  wr_clock_cond_init(&t->wake);
  struct wr_trouble well = WR_TROUBLE_INIT;
  t->link = t->token = t->blocked = t->advice = t->refusal = t->budget =
      t->disk = t->loss = well;
  t->name = strdup(name);
  t->url = strdup(WR_CLOUD_URL);
  t->spool_dir = strdup(CLOUD_PLUGIN);
  t->spool_mib = 64;
  t->spool_age_ms = INT64_C(30) * 86400 * 1000;
  t->timeout_ms = 15000;
  t->alert_ms = 900000;
  t->hold_ms = -1;
  t->rate = 0; /* a share of what a free account may */
  t->batch = 100;
  t->daily_records = 100000;
  if (t->name != NULL && t->url != NULL && t->spool_dir != NULL)
    return t;
  cloud_thing_free(t);
  return NULL;
}

static void property_free(struct property *p) {
  char *const strings[] = {p->key,    p->host, p->plugin,
                           p->meta,   p->type, p->type_instance,
                           p->source, p->id,   p->plugin_instance};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(strings); i++)
    free(strings[i]);
}

void cloud_thing_free(struct thing *t) {
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
  wr_http_proxy_free(&t->proxy);
  free(t->properties);
  free(t->published);
  wr_credentials_wipe(&t->credentials);
  pthread_mutex_destroy(&t->lock);
  pthread_cond_destroy(&t->wake);
  free(t);
}

void cloud_things_free(void) {
  while (things != NULL) {
    struct thing *t = things;
    things = t->next;
    cloud_thing_free(t);
  }
}
