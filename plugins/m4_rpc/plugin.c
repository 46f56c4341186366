/* m4_rpc: readings from an Arduino board's M4 core, labels back to it.
 *
 *   <M4 "pump">        one thread, one peer
 *     <Method "...">   a function on the M4, called on an absolute schedule
 *     <Report "...">   a function on the M4 that is told the newest label
 *
 * What happens between the instants is lib/m4_loop. Each <M4> has a thread of
 * its own, since a call may wait for seconds and no collectd thread may. Hence
 * there is no read callback: its schedule would drift with the calls, and a
 * failure would stretch it up to a day. The thread dispatches what it reads.
 * Labels arrive in a write callback, which copies them and wakes the thread.
 * The init callback starts the threads; that one exists is also what makes
 * collectd start its write threads. */
#include "block.h"

#include "glue/clock.h"

#include "collectd/core/utils/common/common.h"

#include <sys/eventfd.h>

#define SOURCE "edge_impulse" /* whose labels are reported */

static int stop_fd = -1; /* readable for ever once the daemon stops */

/* --- what the loop tells --- */

static struct wr_metric metric_of(const struct m4 *m4, const char *type,
                                  const char *instance, int64_t interval_ms) {
  return (struct wr_metric){.plugin = M4_PLUGIN,
                            .plugin_instance = m4->name,
                            .type = type,
                            .type_instance = instance,
                            .interval = MS_TO_CDTIME_T(interval_ms)};
}

/* A moment of the monotonic clock as collectd's wall clock time. */
static cdtime_t wall_time(int64_t at_us) {
  return cdtime() - wr_cdtime_from_us(wr_clock_us() - at_us);
}

static void on_sample(void *user, size_t which, size_t output, double value,
                      int64_t at_us) {
  struct m4 *m4 = user;
  const struct method *m = m4_method(m4, which);
  const struct output *o = m->outputs + output;
  struct wr_metric metric =
      metric_of(m4, o->type, o->instance, m->rpc.interval_ms);
  metric.time = wall_time(at_us);
  if (!o->derive)
    wr_metric_gauge(&metric, value);
  else if (fabs(value) < 9e18) /* what a derive can hold */
    wr_metric_derive(&metric, llround(value));
}

static void on_latency(void *user, size_t which, int64_t took_us,
                       int64_t at_us) {
  struct m4 *m4 = user;
  const struct method *m = m4_method(m4, which);
  struct wr_metric metric =
      metric_of(m4, "response_time", m->name, m->rpc.interval_ms);
  metric.time = wall_time(at_us);
  wr_metric_gauge(&metric, (double)took_us / 1e6);
}

static void on_health(void *user) {
  struct m4 *m4 = user;
  struct wr_metric metric = metric_of(m4, "bool", "up", m4->interval_ms);
  wr_metric_gauge(&metric, m4->loop.up ? 1 : 0);
  metric.type = "errors";
  for (int i = 0; i < WR_FAULTS; i++) {
    metric.type_instance = wr_rpc_fault_name((enum wr_rpc_fault)i);
    wr_metric_derive(&metric, m4->loop.faults[i]);
  }
  for (size_t i = 0; i < m4->loop.methods_count; i++) {
    const struct method *m = m4_method(m4, i);
    char instance[DATA_MAX_NAME_LEN];
    snprintf(instance, sizeof(instance), "skipped-%s", m->name);
    metric.type_instance = instance;
    if (m->rpc.seq_index >= 0)
      wr_metric_derive(&metric, (int64_t)m->rpc.seq.skipped);
  }
}

static void on_peer(struct m4 *m4, bool up, const char *why) {
  char text[512];
  snprintf(text, sizeof(text), M4_WHERE ": M4 \"%s\" at %s answers", m4->name,
           m4->address);
  if (up)
    wr_trouble_end(&m4->trouble, wr_clock_ms(), text);
  else
    wr_trouble_begin(&m4->trouble, wr_clock_ms(), LOG_ERR,
                     M4_WHERE ": M4 \"%s\" at %s: %s.", m4->name, m4->address,
                     why);
}

static void on_method(struct m4 *m4, enum wr_m4_event event, struct method *m,
                      const char *why) {
  char text[512];
  snprintf(text, sizeof(text), M4_WHERE ": M4 \"%s\", method \"%s\"", m4->name,
           m->name);
  if (event == WR_M4_METHOD_FAILS)
    wr_trouble_begin(&m->trouble, wr_clock_ms(), LOG_ERR, "%s: %s.", text, why);
  else if (event == WR_M4_METHOD_RESTS)
    ERROR("%s: %s.", text, why);
  else {
    strncat(text, " works", sizeof(text) - strlen(text) - 1);
    wr_trouble_end(&m->trouble, wr_clock_ms(), text);
  }
}

static void on_report(struct m4 *m4, bool works, struct report *r,
                      const char *why) {
  char text[512];
  snprintf(text, sizeof(text), M4_WHERE ": M4 \"%s\" is told labels by \"%s\"",
           m4->name, r->method);
  if (works)
    wr_trouble_end(&r->trouble, wr_clock_ms(), text);
  else
    wr_trouble_begin(&r->trouble, wr_clock_ms(), LOG_WARNING,
                     M4_WHERE
                     ": M4 \"%s\" was not told the label by \"%s\": %s.",
                     m4->name, r->method, why);
}

static void on_event(void *user, enum wr_m4_event event, size_t which,
                     const char *why) {
  struct m4 *m4 = user;
  switch (event) {
  case WR_M4_DOWN:
  case WR_M4_UP:
    on_peer(m4, event == WR_M4_UP, why);
    break;
  case WR_M4_METHOD_FAILS:
  case WR_M4_METHOD_RESTS:
  case WR_M4_METHOD_WORKS:
    on_method(m4, event, m4_method(m4, which), why);
    break;
  case WR_M4_REPORT_FAILS:
  case WR_M4_REPORT_WORKS:
    on_report(m4, event == WR_M4_REPORT_WORKS, m4_report(m4, which), why);
    break;
  }
}

/* --- labels --- */

/* Labels of other hosts, as an agent that collects from many sees them, are
 * none of this board's business. */
static int on_write(const data_set_t *ds, const value_list_t *vl,
                    user_data_t *ud) {
  (void)ds;
  (void)ud;
  char *label = NULL;
  double score = NAN;
  if (strcmp(vl->plugin, SOURCE) != 0 || strcmp(vl->host, hostname_g) != 0 ||
      vl->meta == NULL ||
      meta_data_get_string(vl->meta, SOURCE ":label", &label) != 0)
    return 0;
  meta_data_get_double(vl->meta, SOURCE ":score", &score);
  for (struct m4 *m4 = m4_first(); m4 != NULL; m4 = m4->next)
    if (m4->running && strcmp(vl->plugin_instance, m4->name) == 0)
      wr_m4_offer(&m4->loop, label, score, wr_us_from_cdtime(vl->time));
  sfree(label);
  return 0;
}

/* --- start and end --- */

static void check_lock(const struct m4 *m4) {
  int error = 0;
  const char *path = wr_rpc_client_lock(m4->loop.client, &error);
  if (error != 0)
    WARNING(M4_WHERE
            ": M4 \"%s\": the lock file \"%s\" cannot be used: %s; other "
            "processes that call the same proxy are not held off.",
            m4->name, path, STRERROR(-error));
}

static void *m4_main(void *arg) {
  wr_m4_run(&((struct m4 *)arg)->loop);
  return NULL;
}

/* Blocks at one proxy ration its crashes together. */
static struct wr_rpc_guard *guard_of(struct m4 *m4) {
  struct m4 *first = m4_first();
  while (memcmp(&first->loop.rpc.address, &m4->loop.rpc.address,
                sizeof(first->loop.rpc.address)) != 0)
    first = first->next;
  return &first->guard;
}

static int start(struct m4 *m4) {
  struct wr_m4_loop *l = &m4->loop;
  l->rpc.mode = (enum wr_rpc_mode)m4->mode;
  l->rpc.timeout_ms = m4->timeout_ms;
  l->rpc.lock_directory = m4->lock_directory;
  l->rpc.random = wr_clock_random();
  l->rpc.env = (struct wr_rpc_env){wr_clock_us, stop_fd};
  l->guard = guard_of(m4);
  l->interval_ms = m4->interval_ms;
  l->random = wr_clock_random;
  l->sink = (struct wr_m4_sink){m4, on_sample, on_latency, on_health, on_event};
  int status = wr_m4_open(l);
  if (status != 0) {
    ERROR(M4_WHERE ": M4 \"%s\": %s.", m4->name, STRERROR(-status));
    return -1;
  }
  check_lock(m4);
  status = plugin_thread_create(&m4->thread, m4_main, m4, M4_PLUGIN);
  m4->running = status == 0;
  if (status != 0)
    ERROR(M4_WHERE ": M4 \"%s\": no thread can be started: %s.", m4->name,
          STRERROR(status));
  return status;
}

static int on_init(void) {
  if (stop_fd >= 0)
    return 0;
  for (struct m4 *m4 = m4_first(); m4 != NULL; m4 = m4->next)
    if (m4_check_types(m4) != 0)
      return -1;
  stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  bool reports = false;
  for (struct m4 *m4 = m4_first(); m4 != NULL; m4 = m4->next) {
    if (stop_fd < 0 || start(m4) != 0)
      return -1;
    reports = reports || m4->loop.reports_count > 0;
  }
  return reports ? plugin_register_write(M4_PLUGIN, on_write, NULL) : 0;
}

/* The write threads have ended before. */
static int on_shutdown(void) {
  if (stop_fd >= 0)
    eventfd_write(stop_fd, 1);
  for (struct m4 *m4 = m4_first(); m4 != NULL; m4 = m4->next)
    if (m4->running)
      pthread_join(m4->thread, NULL);
  m4_free_all();
  if (stop_fd >= 0)
    close(stop_fd);
  stop_fd = -1;
  return 0;
}

void module_register(void) {
  plugin_register_complex_config(M4_PLUGIN, m4_config);
  plugin_register_init(M4_PLUGIN, on_init);
  plugin_register_shutdown(M4_PLUGIN, on_shutdown);
}
