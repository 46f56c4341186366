/* What target_flow_baseline costs: one step of a series alone, the plugin as
 * collectd loads it with as much of collectd around it as it needs, and 10 000
 * series in one process. Lines: name value unit. */
#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/configfile.h"
#include "collectd/core/daemon/filter_chain.h"
#include "collectd/core/daemon/plugin.h"
#include "collectd/core/utils/common/common.h"

#include "lib/flow/baseline.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdarg.h>

enum { SERIES = 10000, SECONDS = 450, STEPS = 2000000 };

/* collectd, as far as the plugin sees it. */
cdtime_t interval_g = TIME_T_TO_CDTIME_T_STATIC(10);
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
int plugin_register_notification(const char *name, plugin_notification_cb cb,
                                 user_data_t const *data) {
  (void)name;
  (void)cb;
  (void)data;
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
const char *global_option_get(const char *name) {
  (void)name;
  return "/tmp";
}
cdtime_t cdtime(void) { return TIME_T_TO_CDTIME_T(1700000000); }
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

static void *user_data;

static double cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double value_at(int i) { return 10.0 + (i % 7) * 0.02; }

/* A series that has learnt, and one in alarm. */
static void steps(const char *name, double level) {
  static struct wr_baseline b;
  struct wr_baseline_rules rules = WR_BASELINE_RULES;
  wr_baseline_init(&b);
  double begin = 0;
  for (int i = 0; i < STEPS + SECONDS; i++) {
    if (i == SECONDS)
      begin = cpu();
    (void)wr_baseline_push(&b, &rules, (1700000000 + i) * INT64_C(1000000),
                           1 + i * INT64_C(1000), 1,
                           value_at(i) * (i < SECONDS ? 1 : level));
  }
  printf("%-40s %12.1f ns\n", name, (cpu() - begin) / STEPS * 1e9);
}

static oconfig_item_t option(const char *key, oconfig_value_t *value) {
  return (oconfig_item_t){.key = (char *)key, .values = value, .values_num = 1};
}

/* One sample of each of 10 000 series a second, as their boards would send. */
static void fleet(void) {
  static data_source_t source = {"value", DS_TYPE_GAUGE, 0, 1e9};
  data_set_t ds = {"flow", 1, &source};
  value_t value = {.gauge = 10.0};
  value_list_t vl = VALUE_LIST_INIT;
  vl.values = &value;
  vl.values_len = 1;
  vl.interval = TIME_T_TO_CDTIME_T(1);
  sstrncpy(vl.plugin, "m4_rpc", sizeof(vl.plugin));
  sstrncpy(vl.plugin_instance, "pump", sizeof(vl.plugin_instance));
  sstrncpy(vl.type, "flow", sizeof(vl.type));
  sstrncpy(vl.type_instance, "flow_rate", sizeof(vl.type_instance));
  size_t before = mallinfo2().uordblks;
  double begin = 0;
  for (int second = 0; second < SECONDS + 50; second++) {
    if (second == SECONDS)
      begin = cpu();
    vl.time = TIME_T_TO_CDTIME_T(1700000000 + second);
    value.gauge = value_at(second);
    for (int i = 0; i < SERIES; i++) {
      snprintf(vl.host, sizeof(vl.host), "portenta-%05d", i);
      target.invoke(&ds, &vl, NULL, &user_data);
    }
    if (second == 0) /* every series is there, and nothing is being saved */
      printf("%-40s %12.0f bytes\n", "memory_per_series",
             (double)(mallinfo2().uordblks - before) / SERIES);
  }
  printf("%-40s %12.0f ns\n", "invoke_of_10000_series",
         (cpu() - begin) / 50 / SERIES * 1e9);
}

int main(void) {
  const char *build = getenv("WEIR_BUILD");
  char plugin[512];
  snprintf(plugin, sizeof(plugin), "%s/plugins/target_flow_baseline.so",
           build != NULL ? build : "build");
  printf("%-40s %12zu bytes\n", "sizeof_series", sizeof(struct wr_baseline));
  steps("step_normal", 1);
  steps("step_in_alarm", 0.95);
  void *so = dlopen(plugin, RTLD_NOW);
  if (so == NULL) {
    fprintf(stderr, "flow_baseline: %s\n", dlerror());
    return 1;
  }
  void (*module)(void) = (void (*)(void))dlsym(so, "module_register");
  module();
  oconfig_value_t values[] = {
      {.value.string = (char *)"/tmp/weir-bench-baseline.state",
       .type = OCONFIG_TYPE_STRING}};
  oconfig_item_t options[] = {option("StateFile", &values[0])};
  oconfig_item_t block = {
      .key = "Target", .children = options, .children_num = 1};
  if (target.create(&block, &user_data) != 0 || init() != 0)
    return 1;
  fleet();
  shutdown_cb();
  (void)unlink("/tmp/weir-bench-baseline.state");
  (void)unlink("/tmp/weir-bench-baseline.state.old");
  return dispatched == 0;
}
