/* Names of results: each has one series, so that no two states take turns under
 * one name. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"
#include "glue/instance.h"

#include <errno.h>
#include <search.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *owners; /* a tree of series */

void edge_name_of(const struct edge_target *t, const value_list_t *vl,
                  char *out, size_t size) {
  const char *given = t->o.instance;
  if (given == NULL)
    given = t->o.axis_count > 0 ? t->o.axes[0].instance : "%{plugin_instance}";
  wr_instance_expand(given, vl, out, size);
}

/* "a-b" into two fields; what does not fit is a fault. */
static bool split(const char *text, size_t len, char *a, char *b) {
  size_t dash = strcspn(text, "-");
  if (dash > len)
    dash = len;
  size_t rest = dash < len ? len - dash - 1 : 0;
  if (dash >= DATA_MAX_NAME_LEN || rest >= DATA_MAX_NAME_LEN)
    return false;
  memcpy(a, text, dash);
  a[dash] = '\0';
  memcpy(b, text + (dash < len ? dash + 1 : len), rest);
  b[rest] = '\0';
  return true;
}

int edge_name_parse(const char *name, const char *host, value_list_t *vl) {
  size_t slash = strcspn(name, "/");
  *vl = (value_list_t){0};
  sstrncpy(vl->host, host, sizeof(vl->host));
  return name[slash] == '/' &&
                 split(name, slash, vl->plugin, vl->plugin_instance) &&
                 split(name + slash + 1, strlen(name + slash + 1), vl->type,
                       vl->type_instance)
             ? 0
             : -EINVAL;
}

static int compare(const void *a, const void *b) {
  const struct edge_series *x = a, *y = b;
  int host = strcmp(x->host, y->host);
  return host != 0 ? host : strcmp(x->instance, y->instance);
}

bool edge_name_claim(struct edge_series *s, char *other, size_t size) {
  pthread_mutex_lock(&lock);
  struct edge_series **owner = tsearch(s, &owners, compare);
  bool mine = owner != NULL && *owner == s;
  snprintf(other, size, "%s",
           owner == NULL ? "" : (*owner)->source); /* NULL: no memory */
  pthread_mutex_unlock(&lock);
  return mine;
}

void edge_name_release(struct edge_series *s) {
  pthread_mutex_lock(&lock);
  struct edge_series **owner = tfind(s, &owners, compare);
  if (owner != NULL && *owner == s)
    (void)tdelete(s, &owners, compare);
  pthread_mutex_unlock(&lock);
}
