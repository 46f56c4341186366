/* Names of results: each has one series, so that no two states take turns under
 * one name. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"

#include <errno.h>
#include <search.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *owners; /* a tree of series */

/* As collectd's own targets have them. */
static const char *const placeholders[] = {"%{host}", "%{plugin}",
                                           "%{plugin_instance}", "%{type}",
                                           "%{type_instance}"};

const char *edge_name_fault(const char *instance) {
  for (const char *at = instance; (at = strstr(at, "%{")) != NULL; at++) {
    size_t i = 0;
    while (i < STATIC_ARRAY_SIZE(placeholders) &&
           strncmp(at, placeholders[i], strlen(placeholders[i])) != 0)
      i++;
    if (i == STATIC_ARRAY_SIZE(placeholders))
      return "a text in which %{host}, %{plugin}, %{plugin_instance}, %{type} "
             "and %{type_instance} stand for those of the series";
  }
  return NULL;
}

/* Replaces the placeholder at `at` (with its length) by value; the end of it.
 */
static char *put_value(char *to, char *end, const char *value) {
  while (*value != '\0' && to < end)
    *to++ = *value++;
  return to;
}

static void expand(const char *text, const value_list_t *vl, char *out,
                   size_t size) {
  const char *const values[] = {vl->host, vl->plugin, vl->plugin_instance,
                                vl->type, vl->type_instance};
  char *to = out, *end = out + size - 1;
  while (*text != '\0' && to < end) {
    size_t i = 0;
    while (i < STATIC_ARRAY_SIZE(placeholders) &&
           strncmp(text, placeholders[i], strlen(placeholders[i])) != 0)
      i++;
    if (i < STATIC_ARRAY_SIZE(placeholders)) {
      to = put_value(to, end, values[i]);
      text += strlen(placeholders[i]);
    } else
      *to++ = *text++;
  }
  *to = '\0';
}

void edge_name_of(const struct edge_target *t, const value_list_t *vl,
                  char *out, size_t size) {
  const char *given = t->o.instance;
  if (given == NULL)
    given = t->o.axis_count > 0 ? t->o.axes[0].instance : "%{plugin_instance}";
  expand(given, vl, out, size);
  for (char *c = out; *c != '\0'; c++) /* as collectd does */
    if (*c == '/')
      *c = '_';
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
