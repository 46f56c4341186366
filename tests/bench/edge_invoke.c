/* What target_edge_impulse costs a write thread: the plugin as collectd loads
 * it, with as much of collectd around it as it needs, called by five threads
 * at once, each with its own series, and by one; and the memory of a series.
 * Lines: name value unit. */
#include "tests/bench/collectd.h"

#include <dlfcn.h>
#include <malloc.h>

enum { THREADS = 5, SAMPLES = 400000, FIRST = 12 };

char *hostname_g = (char[]){"bench"};
cdtime_t interval_g = TIME_T_TO_CDTIME_T_STATIC(3600);
const char *global_option_get(const char *option) {
  (void)option;
  return NULL;
}
cdtime_t cdtime(void) { return 0; }

static void *user_data;
static pthread_barrier_t barrier;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The thread's own CPU: five threads have two cores here. */
static double cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *write_thread(void *arg) {
  double *used = arg;
  struct flow_value f;
  flow_value_init(&f);
  snprintf(f.vl.host, sizeof(f.vl.host), "portenta-%p", arg);
  pthread_barrier_wait(&barrier);
  double begin = cpu();
  for (int i = 0; i < SAMPLES; i++) {
    f.vl.time = TIME_T_TO_CDTIME_T(1700000000 + i);
    f.value.gauge = 10.0 + (i % 7) * 0.133333;
    flow_value_hand_in(&f, &user_data);
  }
  *used = cpu() - begin;
  return NULL;
}

static void run(int threads) {
  pthread_t ids[THREADS];
  double used[THREADS], sum = 0;
  pthread_barrier_init(&barrier, NULL, (unsigned)threads);
  double begin = now();
  for (int i = 0; i < threads; i++)
    pthread_create(&ids[i], NULL, write_thread, &used[i]);
  for (int i = 0; i < threads; i++) {
    pthread_join(ids[i], NULL);
    sum += used[i];
  }
  double elapsed = now() - begin;
  pthread_barrier_destroy(&barrier);
  printf("invoke_cpu_%d_thread%-20s %12.3f us\n", threads,
         threads > 1 ? "s" : "", sum / threads / SAMPLES * 1e6);
  printf("invoke_elapsed_%d_thread%-16s %12.3f us\n", threads,
         threads > 1 ? "s" : "", elapsed / threads / SAMPLES * 1e6);
}

/* As many series as there may be: each has begun, and its first samples wait
 * for company; then each has windows. The few in the queue do not count. */
static void memory(int series) {
  struct flow_value f;
  flow_value_init(&f);
  size_t before = mallinfo2().uordblks;
  for (int second = 0; second < FIRST; second++) {
    f.vl.time = TIME_T_TO_CDTIME_T(1700000000 + second);
    for (int i = 0; i < series; i++) {
      snprintf(f.vl.host, sizeof(f.vl.host), "portenta-%05d", i);
      flow_value_hand_in(&f, &user_data);
    }
    if (second == 0 || second == FIRST - 1)
      printf("%-40s %12.0f bytes\n",
             second == 0 ? "memory_per_new_series" : "memory_per_series",
             (double)(mallinfo2().uordblks - before) / series);
  }
}

static oconfig_item_t option(const char *key, oconfig_value_t *value) {
  return (oconfig_item_t){.key = (char *)key, .values = value, .values_num = 1};
}

int main(void) {
  const char *build = getenv("WEIR_BUILD");
  char plugin[512], model[600];
  if (build == NULL)
    build = "build";
  snprintf(plugin, sizeof(plugin), "%s/plugins/target_edge_impulse.so", build);
  snprintf(model, sizeof(model), "%s/model/flow.eim", build);
  char *absolute = realpath(model, NULL);
  void *so = dlopen(plugin, RTLD_NOW);
  if (so == NULL || absolute == NULL) {
    fprintf(stderr, "edge_invoke: %s\n", so == NULL ? dlerror() : model);
    return 1;
  }
  void (*module)(void) = (void (*)(void))dlsym(so, "module_register");
  module();
  oconfig_value_t values[] = {
      {.value.string = absolute, .type = OCONFIG_TYPE_STRING},
      {.value.number = 64, .type = OCONFIG_TYPE_NUMBER}};
  oconfig_item_t options[] = {option("Model", &values[0]),
                              option("QueueLength", &values[1])};
  oconfig_item_t block = {
      .key = "Target", .children = options, .children_num = 2};
  if (target.create(&block, &user_data) != 0 || init() != 0)
    return 1;
  memory(4000);
  run(1);
  run(THREADS);
  shutdown_cb();
  free(absolute);
  return dispatched == 0;
}
