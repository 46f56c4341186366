/* Names of results: each has one series, so that no two take turns under one
 * name. */
#include "flow_baseline.h"

#include "collectd/core/utils/common/common.h"

#include <search.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *owners; /* a tree of series */

static int compare(const void *a, const void *b) {
  const struct fb_series *x = a, *y = b;
  int host = strcmp(x->host, y->host);
  return host != 0 ? host : strcmp(x->instance, y->instance);
}

/* plugin-instance/type-instance out of a key. */
static void source_text(const struct fb_series *s, char *out, size_t size) {
  const char *plugin = s->source + strlen(s->source) + 1;
  const char *instance = plugin + strlen(plugin) + 1;
  const char *type = instance + strlen(instance) + 1;
  const char *last = type + strlen(type) + 1;
  snprintf(out, size, "%s%s%s/%s%s%s", plugin, *instance ? "-" : "", instance,
           type, *last ? "-" : "", last);
}

bool fb_name_claim(const struct fb_series *s, char *other, size_t size) {
  pthread_mutex_lock(&lock);
  const struct fb_series **owner = tsearch(s, &owners, compare);
  bool mine = owner != NULL && *owner == s;
  if (owner == NULL)
    snprintf(other, size, "a series there is no memory for");
  else
    source_text(*owner, other, size);
  pthread_mutex_unlock(&lock);
  return mine;
}

void fb_name_release(const struct fb_series *s) {
  pthread_mutex_lock(&lock);
  const struct fb_series **owner = tfind(s, &owners, compare);
  if (owner != NULL && *owner == s)
    (void)tdelete(s, &owners, compare);
  pthread_mutex_unlock(&lock);
}
