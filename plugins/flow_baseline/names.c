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

void fb_source_text(const char *key, char *out, size_t size) {
  const char *plugin = key + strlen(key) + 1;
  const char *instance = plugin + strlen(plugin) + 1;
  const char *type = instance + strlen(instance) + 1;
  const char *last = type + strlen(type) + 1;
  snprintf(out, size, "%s%s%s/%s%s%s", plugin, *instance ? "-" : "", instance,
           type, *last ? "-" : "", last);
}

bool fb_name_claim(const struct fb_series *s, char key[FB_KEY_MAX],
                   size_t *len) {
  pthread_mutex_lock(&lock);
  const struct fb_series **owner = tsearch(s, &owners, compare);
  bool mine = owner != NULL && *owner == s;
  *len = owner != NULL ? (*owner)->source_len : 0;
  if (owner != NULL)
    memcpy(key, (*owner)->source, *len);
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
