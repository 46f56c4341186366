/* bench/collectd: as much of collectd as a target sees of it, for programs that
 * load one: what it registers is kept, what it dispatches is counted. Included
 * once, by the program, which adds global_option_get(), cdtime() and the global
 * variables that its target wants. */
#ifndef WEIR_BENCH_COLLECTD_H
#define WEIR_BENCH_COLLECTD_H

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/configfile.h"
#include "collectd/core/daemon/filter_chain.h"
#include "collectd/core/daemon/plugin.h"
#include "collectd/core/utils/common/common.h"

#include <stdarg.h>

static target_proc_t target;
static plugin_init_cb init;
static int (*shutdown_cb)(void);
static unsigned long dispatched;

int fc_register_target(const char *name, target_proc_t proc) {
  (void)name;
  target = proc;
  return 0;
}
int plugin_register_init(const char *name, plugin_init_cb callback) {
  (void)name;
  init = callback;
  return 0;
}
int plugin_register_shutdown(const char *name, int (*callback)(void)) {
  (void)name;
  shutdown_cb = callback;
  return 0;
}
int plugin_register_write(const char *name, plugin_write_cb cb,
                          user_data_t const *user_data) {
  (void)name;
  (void)cb;
  (void)user_data;
  return 0;
}
int plugin_register_notification(const char *name, plugin_notification_cb cb,
                                 user_data_t const *user_data) {
  (void)name;
  (void)cb;
  (void)user_data;
  return 0;
}
int plugin_thread_create(pthread_t *thread, void *(*run)(void *), void *arg,
                         char const *name) {
  (void)name;
  return pthread_create(thread, NULL, run, arg);
}
int plugin_dispatch_values(value_list_t const *vl) {
  (void)vl;
  __atomic_add_fetch(&dispatched, 1, __ATOMIC_RELAXED);
  return 0;
}
int plugin_dispatch_notification(const notification_t *n) {
  (void)n;
  return 0;
}
void plugin_log(int level, const char *format, ...) {
  va_list ap;
  if (level > LOG_WARNING)
    return;
  va_start(ap, format);
  vfprintf(stderr, format, ap);
  va_end(ap);
  fputc('\n', stderr);
}
meta_data_t *meta_data_create(void) { return calloc(1, 8); }
void meta_data_destroy(meta_data_t *md) { free(md); }
int meta_data_exists(meta_data_t *md, const char *key) {
  (void)md;
  (void)key;
  return 0;
}
int meta_data_add_string(meta_data_t *md, const char *k, const char *v) {
  (void)md;
  (void)k;
  (void)v;
  return 0;
}
int meta_data_add_double(meta_data_t *md, const char *k, double v) {
  (void)md;
  (void)k;
  (void)v;
  return 0;
}
int plugin_notification_meta_add_string(notification_t *n, const char *k,
                                        const char *v) {
  (void)n;
  (void)k;
  (void)v;
  return 0;
}
int plugin_notification_meta_add_double(notification_t *n, const char *k,
                                        double v) {
  (void)n;
  (void)k;
  (void)v;
  return 0;
}
int plugin_notification_meta_free(notification_meta_t *n) {
  (void)n;
  return 0;
}
char *sstrncpy(char *to, const char *from, size_t n) {
  snprintf(to, n, "%s", from);
  return to;
}
char *sstrerror(int error, char *buffer, size_t size) {
  snprintf(buffer, size, "error %d", error);
  return buffer;
}
int format_name(char *out, int size, const char *host, const char *plugin,
                const char *pi, const char *type, const char *ti) {
  snprintf(out, (size_t)size, "%s/%s-%s/%s-%s", host, plugin, pi, type, ti);
  return 0;
}

/* One gauge of a board's flow, as m4_rpc dispatches it once a second: `host`,
 * time and value are to be set. */
struct flow_value {
  value_t value;
  value_list_t vl;
};

static void flow_value_init(struct flow_value *f) {
  *f = (struct flow_value){.value.gauge = 10.0, .vl = VALUE_LIST_INIT};
  f->vl.values = &f->value;
  f->vl.values_len = 1;
  f->vl.interval = TIME_T_TO_CDTIME_T(1);
  sstrncpy(f->vl.plugin, "m4_rpc", sizeof(f->vl.plugin));
  sstrncpy(f->vl.plugin_instance, "pump", sizeof(f->vl.plugin_instance));
  sstrncpy(f->vl.type, "flow", sizeof(f->vl.type));
  sstrncpy(f->vl.type_instance, "flow_rate", sizeof(f->vl.type_instance));
}

static void flow_value_hand_in(struct flow_value *f, void **user_data) {
  static data_source_t source = {"value", DS_TYPE_GAUGE, 0, 1e9};
  static const data_set_t ds = {"flow", 1, &source};
  target.invoke(&ds, &f->vl, NULL, user_data);
}

#endif
