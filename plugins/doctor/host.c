/* The symbols of collectd that a plugin of Weir asks for, as the daemon has
 * them before its init callbacks run. */
#include "doctor/host.h"

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/configfile.h"
#include "collectd/core/daemon/filter_chain.h"
#include "collectd/core/daemon/plugin.h"
#include "collectd/core/utils/common/common.h"

#include "lib/base/text.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdarg.h>

#define REGISTERED 16

char *hostname_g;
cdtime_t interval_g;

static struct {
  char name[DATA_MAX_NAME_LEN];
  int (*config)(oconfig_item_t *);
} plugins[REGISTERED];
static size_t plugins_count;
static struct {
  char name[DATA_MAX_NAME_LEN];
  target_proc_t proc;
} targets[REGISTERED];
static size_t targets_count;
static struct {
  char name[DATA_MAX_NAME_LEN];
  match_proc_t proc;
} matches[REGISTERED];
static size_t matches_count;
static doctor_host_log listener;
static void *listener_arg;

void doctor_host_listen(doctor_host_log log, void *arg) {
  listener = log;
  listener_arg = arg;
}

/* -- what is kept -----------------------------------------------------------
 */

int plugin_register_complex_config(const char *name,
                                   int (*callback)(oconfig_item_t *)) {
  if (plugins_count == REGISTERED)
    return -1;
  sstrncpy(plugins[plugins_count].name, name, DATA_MAX_NAME_LEN);
  plugins[plugins_count++].config = callback;
  return 0;
}

int fc_register_target(const char *name, target_proc_t proc) {
  if (targets_count == REGISTERED)
    return -1;
  sstrncpy(targets[targets_count].name, name, DATA_MAX_NAME_LEN);
  targets[targets_count++].proc = proc;
  return 0;
}

int fc_register_match(const char *name, match_proc_t proc) {
  if (matches_count == REGISTERED)
    return -1;
  sstrncpy(matches[matches_count].name, name, DATA_MAX_NAME_LEN);
  matches[matches_count++].proc = proc;
  return 0;
}

void plugin_log(int level, const char *format, ...) {
  char text[1024];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof(text), format, ap);
  va_end(ap);
  if (level <= LOG_WARNING && listener != NULL)
    listener(listener_arg, level <= LOG_ERR, text);
}

/* -- small helpers of the daemon, which do what they say --------------------
 */

char *sstrncpy(char *dest, const char *src, size_t n) {
  snprintf(dest, n, "%s", src);
  return dest;
}

char *sstrdup(const char *s) { return s != NULL ? strdup(s) : NULL; }

char *sstrerror(int errnum, char *buf, size_t buflen) {
  const char *text = strerror(errnum);
  snprintf(buf, buflen, "%s", text);
  return buf;
}

cdtime_t cdtime(void) { return TIME_T_TO_CDTIME_T(time(NULL)); }
cdtime_t cf_get_default_interval(void) { return TIME_T_TO_CDTIME_T(10); }
cdtime_t plugin_get_interval(void) { return cf_get_default_interval(); }

plugin_ctx_t plugin_get_ctx(void) {
  return (plugin_ctx_t){.interval = cf_get_default_interval()};
}

plugin_ctx_t plugin_set_ctx(plugin_ctx_t ctx) { return ctx; }

/* -- the block as liboconfig would give it ----------------------------------
 */

static void item_free(oconfig_item_t *i) {
  for (int k = 0; k < i->children_num; k++)
    item_free(i->children + k);
  for (int v = 0; v < i->values_num; v++)
    if (i->values[v].type == OCONFIG_TYPE_STRING)
      free(i->values[v].value.string);
  free(i->children);
  free(i->values);
  free(i->key);
}

static bool is_true(const char *text) {
  return wr_text_same(text, "true") || wr_text_same(text, "yes") ||
         wr_text_same(text, "on");
}

static int copy_value(const struct conf_value *from, oconfig_value_t *to) {
  switch (from->kind) {
  case CONF_NUMBER:
    to->type = OCONFIG_TYPE_NUMBER;
    to->value.number = strtod(from->text, NULL);
    return 0;
  case CONF_BOOLEAN:
    to->type = OCONFIG_TYPE_BOOLEAN;
    to->value.boolean = is_true(from->text);
    return 0;
  default:
    to->type = OCONFIG_TYPE_STRING;
    to->value.string = strdup(from->text);
    return to->value.string != NULL ? 0 : -ENOMEM;
  }
}

/* 0 or -ENOMEM; `to` is to be freed in both cases. */
static int copy_item(const struct conf_item *from, oconfig_item_t *to) {
  *to = (oconfig_item_t){.key = strdup(from->key)};
  to->values = calloc(from->values_count + 1, sizeof(*to->values));
  to->children = calloc(from->children_count + 1, sizeof(*to->children));
  if (to->key == NULL || to->values == NULL || to->children == NULL)
    return -ENOMEM;
  for (size_t v = 0; v < from->values_count; v++) {
    if (copy_value(&from->values[v], &to->values[v]) != 0)
      return -ENOMEM;
    to->values_num++;
  }
  for (size_t k = 0; k < from->children_count; k++) {
    to->children_num++;
    if (copy_item(&from->children[k], &to->children[k]) != 0)
      return -ENOMEM;
    to->children[k].parent = to;
  }
  return 0;
}

/* -- for the doctor ---------------------------------------------------------
 */

int doctor_host_load(const char *folder, const char *name, const char **why) {
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s/%s.so", folder, name);
  *why = "there is no such file";
  if (access(path, R_OK) != 0)
    return -ENOENT;
  void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  void (*begin)(void) =
      so != NULL ? (void (*)(void))dlsym(so, "module_register") : NULL;
  if (begin == NULL) {
    *why = dlerror();
    return -ELIBBAD;
  }
  begin();
  return 0;
}

int doctor_host_plugin(const struct conf_item *block) {
  oconfig_item_t item;
  int status = copy_item(block, &item);
  size_t i = 0;
  while (i < plugins_count && !wr_text_same(plugins[i].name, conf_name(block)))
    i++;
  if (status == 0)
    status = i < plugins_count ? plugins[i].config(&item) : -ENOENT;
  item_free(&item);
  return status;
}

int doctor_host_target(const struct conf_item *block) {
  oconfig_item_t item;
  void *data = NULL;
  int status = copy_item(block, &item);
  size_t i = 0;
  while (i < targets_count && !wr_text_same(targets[i].name, conf_name(block)))
    i++;
  if (status == 0)
    status = i < targets_count ? targets[i].proc.create(&item, &data) : -ENOENT;
  item_free(&item);
  return status;
}

int doctor_host_match(const struct conf_item *block) {
  oconfig_item_t item;
  void *data = NULL;
  int status = copy_item(block, &item);
  size_t i = 0;
  while (i < matches_count && !wr_text_same(matches[i].name, conf_name(block)))
    i++;
  if (status == 0)
    status = i < matches_count ? matches[i].proc.create(&item, &data) : -ENOENT;
  item_free(&item);
  return status;
}
