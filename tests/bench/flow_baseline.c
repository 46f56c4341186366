/* What target_flow_baseline costs: one step of a series alone, the plugin as
 * collectd loads it with as much of collectd around it as it needs, and 10 000
 * series in one process. Lines: name value unit. */
#include "tests/bench/collectd.h"

#include "lib/flow/baseline.h"

#include <dlfcn.h>
#include <malloc.h>

enum { SERIES = 10000, SECONDS = 450, STEPS = 2000000 };

cdtime_t interval_g = TIME_T_TO_CDTIME_T_STATIC(10);
const char *global_option_get(const char *name) {
  (void)name;
  return "/tmp";
}
cdtime_t cdtime(void) { return TIME_T_TO_CDTIME_T(1700000000); }

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
  struct flow_value f;
  flow_value_init(&f);
  size_t before = mallinfo2().uordblks;
  double begin = 0;
  for (int second = 0; second < SECONDS + 50; second++) {
    if (second == SECONDS)
      begin = cpu();
    f.vl.time = TIME_T_TO_CDTIME_T(1700000000 + second);
    f.value.gauge = value_at(second);
    for (int i = 0; i < SERIES; i++) {
      snprintf(f.vl.host, sizeof(f.vl.host), "portenta-%05d", i);
      flow_value_hand_in(&f, &user_data);
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
