/* cloud: what the files of write_arduino_cloud share.
 *
 *   thing.c    the list of things, and the life of one
 *   config.c   <Thing> and <Property> blocks
 *   credentials.c  where a thing's credentials come from, and when
 *   environment.c  credentials that the environment brings
 *   values.c   the write callback: match, policy, spool
 *   age.c      labels that nobody renews
 *   threads.c  the keeper (spools to disk) and the publishers (to the cloud)
 *   health.c   metrics, notifications, log lines */
#ifndef WR_CLOUD_H
#define WR_CLOUD_H

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/plugin.h"

#include <stdatomic.h>

#include "glue/clock.h"
#include "glue/report.h"
#include "lib/cloud/arrival.h"
#include "lib/cloud/credentials.h"
#include "lib/cloud/publish_policy.h"
#include "lib/cloud/publisher.h"
#include "lib/net/http.h"
#include "lib/net/http_proxy.h"
#include "lib/spool/spool.h"

#define CLOUD_PLUGIN "write_arduino_cloud"
#define CLOUD_WHERE CLOUD_PLUGIN " plugin"
#define CLOUD_PROPERTIES_MAX WR_CREDENTIAL_VARIABLES

struct property {
  char *key;
  char *host, *plugin, *plugin_instance, *type, *type_instance; /* NULL: any */
  char *source, *meta, *id;
  int kind; /* index into kind_words; -1: by the type */
  double dead_band;
  int64_t min_ms, max_ms;
  struct wr_policy policy; /* guarded by the thing's lock, as is: */
  struct wr_age age;
  /* Values that are meant, and of these, those that could be taken. */
  atomic_bool met, taken;
  bool told; /* the health callback's own: that there was none */
};

/* What the operator has been told by a notification. */
struct cloud_alert {
  bool refused, late;
  int64_t rejected; /* values, when it began */
};

/* Values that were stored although the cloud answers. */
struct cloud_outpaced {
  int64_t values, since_ms, told_ms;
};

struct thing {
  char *name, *url, *credentials_file, *spool_dir;
  char *ca_cert, *ca_path, *client_cert, *client_key;
  struct wr_http_proxy proxy; /* none for plain http */
  int durability;
  int64_t spool_mib, spool_age_ms, timeout_ms, alert_ms;
  int64_t hold_ms; /* -1: as the durability wants it */
  int64_t batch, daily_records;
  double rate;
  struct property *properties;
  int count;
  struct wr_credentials credentials;
  bool has_credentials; /* they came, with the configuration or later */

  int64_t start_ms;
  pthread_mutex_t lock; /* guards the policies and these: */
  struct wr_stamps stamps;
  pthread_cond_t wake; /* the publisher's */
  bool stop, flush, news;
  bool resting; /* the publisher; news can wait */
  bool open;    /* the way to the cloud is: http and publisher */
  struct wr_publisher_stats stats; /* as of its last step */

  struct cloud_alert alert; /* the health callback's own */
  struct wr_spool *spool;
  struct wr_http *http;
  struct wr_publisher publisher;
  struct wr_property *published;
  pthread_t thread;
  bool running, abandoned;
  struct wr_trouble link, token, blocked, advice, refusal, budget, disk, loss;
  struct wr_spool_status seen;    /* what the keeper has told about */
  int64_t stored_ms;              /* the keeper's own: its last commit */
  struct cloud_outpaced outpaced; /* the keeper's own */
  struct thing *next;
};

static inline int64_t cloud_wall_us(void) {
  return wr_us_from_cdtime(cdtime());
}

/* A thing with the defaults; it belongs to the caller until cloud_thing_add().
 * NULL: no memory. */
struct thing *cloud_thing_create(const char *name);
void cloud_thing_add(struct thing *t);
void cloud_thing_free(struct thing *t); /* accepts NULL */
/* The things of the configuration, in its order. */
struct thing *cloud_things(void);
void cloud_things_free(void);

int cloud_config(oconfig_item_t *ci);
/* Takes our variables out of the environment; as getenv(), of what was in it;
 * and forgets them, when no more things will come. Main thread. */
void cloud_take_environment(void);
char *cloud_of_environment(const char *name);
void cloud_forget_environment(void);

/* Labels that were heard too long ago become "unknown"; the keeper. */
void cloud_age_labels(struct thing *t);
/* The first look, while the configuration is read: 0, or -1 when nothing says
 * where the credentials are, with the fault logged. */
int cloud_credentials_begin(const char *where, struct thing *t);
/* Looks at the file; false: it cannot be used, which is logged, damped. */
bool cloud_credentials_look(struct thing *t);
/* How many things have the client id of this one. */
int cloud_credentials_sharing(const struct thing *t);

int cloud_write(const data_set_t *ds, const value_list_t *vl, user_data_t *ud);

/* Opens the spools, starts the threads; 0 or -1 with the fault logged. */
int cloud_start(void);
/* Ends them within two seconds and frees the things. */
void cloud_stop(void);
void cloud_keeper_wake(void); /* there are values to store */
int cloud_flush(cdtime_t timeout, const char *identifier, user_data_t *ud);

int cloud_health(user_data_t *ud);
void cloud_tell_spool(struct thing *t); /* the keeper's thread or init */
void cloud_tell_publisher(struct thing *t, int64_t rejected_before);
/* So many values were stored just now although the cloud answers; the keeper.
 */
void cloud_tell_pace(struct thing *t, int64_t now_ms, int64_t stored);

#endif
