/* Where a thing's credentials come from. A file that is not there yet, or not
 * yet as it must be, is no fault of the configuration: it is said, values wait
 * in the spool, and the publisher looks again. */
#include "cloud.h"

#include "collectd/core/utils/common/common.h"

/* Guards every thing's credentials while they may come. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* A name without a slash is looked for among systemd's credentials. */
static int find_file(struct thing *t) {
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

/* The ids that came with them, for properties without one. */
static void take_ids(struct thing *t) {
  for (int i = 0; i < t->count; i++) {
    const char *id =
        wr_credentials_variable(&t->credentials, t->properties[i].key);
    if (t->properties[i].id == NULL && id != NULL)
      t->properties[i].id = strdup(id);
  }
  t->has_credentials = true;
}

bool cloud_credentials_look(struct thing *t) {
  char what[512];
  struct wr_credentials found = {0};
  bool good = wr_credentials_file(&found, t->credentials_file) == 0 &&
              wr_credentials_check(&found, "the file") == 0;
  snprintf(what, sizeof(what),
           CLOUD_WHERE ": <Thing \"%s\">: CredentialsFile \"%s\"", t->name,
           t->credentials_file);
  if (good) {
    pthread_mutex_lock(&lock);
    t->credentials = found;
    take_ids(t);
    pthread_mutex_unlock(&lock);
    wr_trouble_end(&t->token, wr_clock_ms(), what);
  } else
    wr_trouble_begin(&t->token, wr_clock_ms(), LOG_ERR,
                     "%s cannot be used: %s. Values wait in the spool; trying "
                     "again.",
                     what, found.fault);
  wr_credentials_wipe(&found);
  return good;
}

int cloud_credentials_begin(const char *where, struct thing *t) {
  struct wr_credentials *c = &t->credentials;
  int status = find_file(t);
  if (status != 0)
    return status;
  if (t->credentials_file != NULL) {
    (void)cloud_credentials_look(t);
    return 0;
  }
  if (wr_credentials_environment(c, cloud_of_environment) != 0 ||
      wr_credentials_check(c, "the environment") != 0) {
    ERROR("%s: CredentialsFile is missing, and %s.", where, c->fault);
    return -1;
  }
  take_ids(t);
  return 0;
}

int cloud_credentials_sharing(const struct thing *t) {
  int sharing = 0;
  pthread_mutex_lock(&lock);
  for (const struct thing *o = cloud_things(); o != NULL; o = o->next)
    sharing += strcmp(o->credentials.client_id, t->credentials.client_id) == 0;
  pthread_mutex_unlock(&lock);
  return sharing;
}
