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
#include "glue/clock.h"
#include "glue/options.h"
#include "glue/report.h"

#include "collectd/core/utils/common/common.h"

#include "lib/m4_loop.h"

#include <sys/eventfd.h>

#define PLUGIN "m4_rpc"
#define WHERE PLUGIN " plugin"
#define SOURCE "edge_impulse" /* whose labels are reported */
#define INTERVAL_MS 1000
#define REPAIR_INTERVAL_MS 1020 /* see m4_values.h */
#define OUTPUTS_MAX 16
#define REPORTS_MAX 8

struct output {
  char *type, *instance;
  bool derive;
};

/* The options of <Method>; `loop` is what the thread works with. */
struct method {
  char *name, *type, *instance;
  int64_t interval_ms; /* 0: not given */
  bool compensate;
  double scale;
  int64_t seq_index;
  int64_t indices[OUTPUTS_MAX];
  struct output outputs[OUTPUTS_MAX];
  size_t outputs_count;
  struct wr_trouble trouble;
};

struct report {
  char *method;
  bool on_change, call;
  int64_t heartbeat_ms;
  struct wr_trouble trouble;
};

struct m4 {
  char *name, *address;
  int mode;
  int64_t interval_ms, timeout_ms; /* 0: not given */
  struct method methods[WR_M4_METHODS];
  struct report reports[REPORTS_MAX];
  struct wr_m4_method loop_methods[WR_M4_METHODS];
  struct wr_m4_report loop_reports[REPORTS_MAX];
  struct wr_m4_loop loop;
  struct wr_trouble trouble;
  pthread_t thread;
  bool running;
  struct m4 *next;
};

static struct m4 *all;
static int stop_fd = -1; /* readable for ever once the daemon stops */

/* --- what the loop tells
 * ------------------------------------------------------
 */

static struct wr_metric metric_of(const struct m4 *m4, const char *type,
                                  const char *instance, int64_t interval_ms) {
  return (struct wr_metric){.plugin = PLUGIN,
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
  const struct output *o = m4->methods[which].outputs + output;
  struct wr_metric metric =
      metric_of(m4, o->type, o->instance, m4->loop_methods[which].interval_ms);
  metric.time = wall_time(at_us);
  if (o->derive)
    wr_metric_derive(&metric, llround(value));
  else
    wr_metric_gauge(&metric, value);
}

static void on_latency(void *user, size_t which, int64_t took_us,
                       int64_t at_us) {
  struct m4 *m4 = user;
  struct wr_metric metric =
      metric_of(m4, "response_time", m4->methods[which].name,
                m4->loop_methods[which].interval_ms);
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
    char instance[DATA_MAX_NAME_LEN];
    snprintf(instance, sizeof(instance), "skipped-%s", m4->methods[i].name);
    metric.type_instance = instance;
    if (m4->methods[i].seq_index >= 0)
      wr_metric_derive(&metric, (int64_t)m4->loop_methods[i].seq.skipped);
  }
}

static void on_event(void *user, enum wr_m4_event event, size_t which,
                     const char *why) {
  struct m4 *m4 = user;
  int64_t now_ms = wr_clock_ms();
  char text[512];
  struct method *m = m4->methods + which;
  struct report *r = m4->reports + which;
  switch (event) {
  case WR_M4_DOWN:
    wr_trouble_begin(&m4->trouble, now_ms, LOG_ERR,
                     WHERE ": M4 \"%s\" at %s: %s.", m4->name, m4->address,
                     why);
    break;
  case WR_M4_UP:
    snprintf(text, sizeof(text), WHERE ": M4 \"%s\" at %s answers", m4->name,
             m4->address);
    wr_trouble_end(&m4->trouble, now_ms, text);
    break;
  case WR_M4_METHOD_FAILS:
    wr_trouble_begin(&m->trouble, now_ms, LOG_ERR,
                     WHERE ": M4 \"%s\", method \"%s\": %s.", m4->name, m->name,
                     why);
    break;
  case WR_M4_METHOD_RESTS:
    ERROR(WHERE ": M4 \"%s\", method \"%s\": %s.", m4->name, m->name, why);
    break;
  case WR_M4_METHOD_WORKS:
    snprintf(text, sizeof(text), WHERE ": M4 \"%s\", method \"%s\" works",
             m4->name, m->name);
    wr_trouble_end(&m->trouble, now_ms, text);
    break;
  case WR_M4_REPORT_FAILS:
    wr_trouble_begin(&r->trouble, now_ms, LOG_WARNING,
                     WHERE ": M4 \"%s\" was not told the label by \"%s\": %s.",
                     m4->name, r->method, why);
    break;
  case WR_M4_REPORT_WORKS:
    snprintf(text, sizeof(text), WHERE ": M4 \"%s\" is told labels by \"%s\"",
             m4->name, r->method);
    wr_trouble_end(&r->trouble, now_ms, text);
    break;
  }
}

/* --- labels
 * ------------------------------------------------------------------- */

static int on_write(const data_set_t *ds, const value_list_t *vl,
                    user_data_t *ud) {
  (void)ds;
  (void)ud;
  char *label = NULL;
  double score = NAN;
  if (strcmp(vl->plugin, SOURCE) != 0 || vl->meta == NULL ||
      meta_data_get_string(vl->meta, SOURCE ":label", &label) != 0)
    return 0;
  meta_data_get_double(vl->meta, SOURCE ":score", &score);
  for (struct m4 *m4 = all; m4 != NULL; m4 = m4->next)
    if (m4->running && strcmp(vl->plugin_instance, m4->name) == 0)
      wr_m4_offer(&m4->loop, label, score, wr_us_from_cdtime(vl->time));
  sfree(label);
  return 0;
}

/* --- configuration
 * -------------------------------------------------------------
 */

static int read_output(const char *where, const oconfig_item_t *ci,
                       void *target) {
  struct method *m = target;
  bool good = ci->values_num >= 2 && ci->values_num <= 3 &&
              ci->values[0].type == OCONFIG_TYPE_NUMBER;
  for (int i = 1; i < ci->values_num; i++)
    good = good && ci->values[i].type == OCONFIG_TYPE_STRING;
  double index = good ? ci->values[0].value.number : -1;
  if (index < 0 || index > WR_RPC_VALUES || index != floor(index) ||
      m->outputs_count == OUTPUTS_MAX) {
    ERROR("%s: Element is not allowed like this: it needs an index from 0, a "
          "type in quotes and perhaps a type instance, at most %d times.",
          where, OUTPUTS_MAX);
    return -1;
  }
  struct output *o = m->outputs + m->outputs_count;
  m->indices[m->outputs_count++] = (int64_t)index;
  o->type = sstrdup(ci->values[1].value.string);
  o->instance =
      sstrdup(ci->values_num == 3 ? ci->values[2].value.string : m->name);
  return o->type != NULL && o->instance != NULL ? 0 : -1;
}

static const struct wr_option method_options[] = {
    WR_OPTION("Type", WR_STRING, struct method, type),
    WR_OPTION("Instance", WR_STRING, struct method, instance),
    WR_OPTION_RANGE("Interval", WR_SECONDS, struct method, interval_ms, 0.05,
                    86400),
    WR_OPTION("Scale", WR_NUMBER, struct method, scale),
    WR_OPTION("Compensate", WR_BOOLEAN, struct method, compensate),
    WR_OPTION_RANGE("Seq", WR_INTEGER, struct method, seq_index, 0,
                    WR_RPC_VALUES),
    WR_OPTION_BLOCK("Element", read_output),
};

/* A method without Element gives its one result to Type. */
static int complete_outputs(const char *where, struct method *m) {
  if ((m->type != NULL) == (m->outputs_count > 0) ||
      (m->instance != NULL && m->type == NULL)) {
    ERROR("%s: exactly one of Type (for a single result, with Instance) and "
          "Element (for elements of an array) is needed.",
          where);
    return -1;
  }
  if (m->seq_index >= 0 && m->outputs_count == 0) {
    ERROR("%s: Seq is only allowed together with Element.", where);
    return -1;
  }
  if (m->outputs_count > 0)
    return 0;
  m->outputs_count = 1;
  m->indices[0] = WR_M4_WHOLE;
  m->outputs[0].type = sstrdup(m->type);
  m->outputs[0].instance = sstrdup(m->instance != NULL ? m->instance : m->name);
  return 0;
}

static int complete_interval(const char *where, const struct m4 *m4,
                             struct method *m) {
  if (m->interval_ms == 0)
    m->interval_ms = m4->interval_ms > 0 ? m4->interval_ms
                     : m->compensate     ? REPAIR_INTERVAL_MS
                                         : INTERVAL_MS;
  if (!m->compensate || wr_m4_repair_serves(m->interval_ms))
    return 0;
  char value[32];
  snprintf(value, sizeof(value), "%g", (double)m->interval_ms / 1000);
  return wr_option_fault(
      where, "Interval", value,
      "with Compensate at least 1.01 and 0.01 or more away from a whole number "
      "of seconds, because the FlowSensor library drops what it counted when "
      "it is asked after less than a second and rounds down the seconds");
}

static int complete_method(const struct m4 *m4, struct method *m,
                           struct wr_m4_method *out) {
  char where[300];
  snprintf(where, sizeof(where), WHERE ": <M4 \"%s\">, <Method \"%s\">",
           m4->name, m->name);
  if (complete_outputs(where, m) != 0 || complete_interval(where, m4, m) != 0)
    return -1;
  if (m->compensate && (m->outputs_count > 1 || m->seq_index >= 0)) {
    ERROR("%s: Compensate is only allowed for one number without Seq.", where);
    return -1;
  }
  *out = (struct wr_m4_method){.name = m->name,
                               .interval_ms = m->interval_ms,
                               .seq_index = m->seq_index,
                               .indices = m->indices,
                               .indices_count = m->outputs_count,
                               .repair = m->compensate,
                               .scale = m->scale};
  return 0;
}

/* The name of a block: a method that fits into a request. */
static char *method_name(const char *where, const oconfig_item_t *ci) {
  const char *name = wr_option_name(where, ci);
  if (name != NULL && strlen(name) <= 100)
    return sstrdup(name);
  if (name != NULL)
    wr_option_fault(where, ci->key, name, "a name of at most 100 bytes");
  return NULL;
}

static int read_method(const char *where, const oconfig_item_t *ci,
                       void *target) {
  struct m4 *m4 = target;
  struct method *m = m4->methods + m4->loop.methods_count;
  if (m4->loop.methods_count == WR_M4_METHODS) {
    ERROR("%s: more than %d <Method> blocks are not allowed.", where,
          WR_M4_METHODS);
    return -1;
  }
  *m = (struct method){.scale = 1, .seq_index = -1, .trouble = WR_TROUBLE_INIT};
  m->name = method_name(where, ci);
  if (m->name == NULL)
    return -1;
  m4->loop.methods_count++;
  char inner[300];
  snprintf(inner, sizeof(inner), "%s, <Method \"%s\">", where, m->name);
  return wr_options_read(inner, ci, method_options,
                         STATIC_ARRAY_SIZE(method_options), m);
}

static const struct wr_option report_options[] = {
    WR_OPTION("OnChange", WR_BOOLEAN, struct report, on_change),
    WR_OPTION_RANGE("Heartbeat", WR_SECONDS, struct report, heartbeat_ms, 0,
                    86400),
    WR_OPTION("Call", WR_BOOLEAN, struct report, call),
};

static int read_report(const char *where, const oconfig_item_t *ci,
                       void *target) {
  struct m4 *m4 = target;
  struct report *r = m4->reports + m4->loop.reports_count;
  if (m4->loop.reports_count == REPORTS_MAX) {
    ERROR("%s: more than %d <Report> blocks are not allowed.", where,
          REPORTS_MAX);
    return -1;
  }
  *r = (struct report){
      .on_change = true, .heartbeat_ms = 60000, .trouble = WR_TROUBLE_INIT};
  r->method = method_name(where, ci);
  if (r->method == NULL)
    return -1;
  m4->loop.reports_count++;
  char inner[300];
  snprintf(inner, sizeof(inner), "%s, <Report \"%s\">", where, r->method);
  return wr_options_read(inner, ci, report_options,
                         STATIC_ARRAY_SIZE(report_options), r);
}

static const char *const modes[] = {"proxy", "persistent", NULL};
static const struct wr_option m4_options[] = {
    WR_OPTION("Address", WR_STRING, struct m4, address),
    WR_OPTION_WORD("Mode", struct m4, mode, modes),
    WR_OPTION_RANGE("Interval", WR_SECONDS, struct m4, interval_ms, 0.05,
                    86400),
    WR_OPTION_RANGE("Timeout", WR_SECONDS, struct m4, timeout_ms, 0.05, 60),
    WR_OPTION_BLOCK("Method", read_method),
    WR_OPTION_BLOCK("Report", read_report),
};

/* Address, else what the environment says, else Arduino's own. */
static int complete_address(const char *where, struct m4 *m4) {
  if (m4->address == NULL) {
    const char *host = getenv("M4_PROXY_HOST"), *port = getenv("M4_PROXY_PORT");
    m4->address = ssnprintf_alloc(
        "%s:%s", host != NULL && host[0] != '\0' ? host : "m4proxy",
        port != NULL && port[0] != '\0' ? port : WR_RPC_PORT);
  }
  const char *why = "";
  if (m4->address == NULL)
    return -1;
  if (wr_rpc_address_parse(m4->address, &m4->loop.rpc.address, &why) == 0)
    return 0;
  char allowed[200];
  snprintf(allowed, sizeof(allowed),
           "\"host:port\" or \"unix:/path\" is expected, and %s", why);
  return wr_option_fault(where, "Address", m4->address, allowed);
}

static int complete_timeout(const char *where, struct m4 *m4) {
  if (m4->timeout_ms == 0)
    m4->timeout_ms = 1500;
  if (m4->mode != WR_RPC_PROXY || m4->timeout_ms >= 1200)
    return 0;
  char value[32];
  snprintf(value, sizeof(value), "%g", (double)m4->timeout_ms / 1000);
  return wr_option_fault(where, "Timeout", value,
                         "in Mode \"proxy\" at least 1.2 s, because the proxy "
                         "itself waits 1 s for the M4");
}

static void complete_reports(struct m4 *m4) {
  for (size_t i = 0; i < m4->loop.reports_count; i++)
    m4->loop_reports[i] = (struct wr_m4_report){
        .method = m4->reports[i].method,
        .call = m4->reports[i].call,
        .state = {.on_change = m4->reports[i].on_change,
                  .heartbeat_ms = m4->reports[i].heartbeat_ms,
                  .backoff = WR_BACKOFF_INIT(2000, 2000, 30000)}};
}

static int complete_m4(const char *where, struct m4 *m4) {
  for (const struct m4 *o = all; o != NULL; o = o->next)
    if (strcasecmp(o->name, m4->name) == 0)
      return wr_option_fault(where, "M4", m4->name, "the name is taken");
  if (m4->loop.methods_count + m4->loop.reports_count == 0) {
    ERROR("%s: neither a <Method> nor a <Report> is given.", where);
    return -1;
  }
  if (complete_address(where, m4) != 0 || complete_timeout(where, m4) != 0)
    return -1;
  for (size_t i = 0; i < m4->loop.methods_count; i++)
    if (complete_method(m4, m4->methods + i, m4->loop_methods + i) != 0)
      return -1;
  complete_reports(m4);
  if (m4->interval_ms == 0)
    m4->interval_ms = INTERVAL_MS;
  return 0;
}

static void m4_free(struct m4 *m4) {
  wr_m4_close(&m4->loop);
  for (size_t i = 0; i < m4->loop.methods_count; i++) {
    struct method *m = m4->methods + i;
    for (size_t j = 0; j < m->outputs_count; j++) {
      free(m->outputs[j].type);
      free(m->outputs[j].instance);
    }
    free(m->name);
    free(m->type);
    free(m->instance);
  }
  for (size_t i = 0; i < m4->loop.reports_count; i++)
    free(m4->reports[i].method);
  free(m4->name);
  free(m4->address);
  free(m4);
}

static int read_m4(const char *where, const oconfig_item_t *ci, void *target) {
  (void)target;
  const char *name = wr_option_name(where, ci);
  if (name == NULL)
    return -1;
  struct m4 *m4 = calloc(1, sizeof(*m4));
  if (m4 == NULL || (m4->name = sstrdup(name)) == NULL) {
    free(m4);
    return -1;
  }
  m4->trouble = (struct wr_trouble)WR_TROUBLE_INIT;
  char inner[200];
  snprintf(inner, sizeof(inner), WHERE ": <M4 \"%.100s\">", name);
  if (wr_options_read(inner, ci, m4_options, STATIC_ARRAY_SIZE(m4_options),
                      m4) != 0 ||
      complete_m4(inner, m4) != 0) {
    m4_free(m4);
    return -1;
  }
  struct m4 **end = &all;
  while (*end != NULL)
    end = &(*end)->next;
  *end = m4;
  return 0;
}

static const struct wr_option plugin_options[] = {
    WR_OPTION_BLOCK("M4", read_m4)};

static int on_config(oconfig_item_t *ci) {
  return wr_options_read(WHERE, ci, plugin_options,
                         STATIC_ARRAY_SIZE(plugin_options), NULL);
}

/* --- start and end
 * -------------------------------------------------------------
 */

/* The types are known only now: the configuration was read before types.db. */
static int check_type(const struct m4 *m4, struct output *o) {
  const data_set_t *ds = plugin_get_ds(o->type);
  if (ds != NULL && ds->ds_num == 1 &&
      (ds->ds[0].type == DS_TYPE_GAUGE || ds->ds[0].type == DS_TYPE_DERIVE)) {
    o->derive = ds->ds[0].type == DS_TYPE_DERIVE;
    return 0;
  }
  char where[256];
  snprintf(where, sizeof(where), WHERE ": <M4 \"%s\">", m4->name);
  return wr_option_fault(where, "Type", o->type,
                         "a type of types.db with one value, gauge or derive");
}

static int check_types(const struct m4 *m4) {
  for (size_t i = 0; i < m4->loop.methods_count; i++)
    for (size_t j = 0; j < m4->methods[i].outputs_count; j++)
      if (check_type(m4, (struct output *)&m4->methods[i].outputs[j]) != 0)
        return -1;
  return 0;
}

static void check_lock(const struct m4 *m4) {
  int error = 0;
  const char *path = wr_rpc_client_lock(m4->loop.client, &error);
  if (error != 0)
    WARNING(WHERE ": M4 \"%s\": the lock file \"%s\" cannot be used: %s; other "
                  "processes that call the same proxy are not held off.",
            m4->name, path, STRERROR(-error));
}

static void *m4_main(void *arg) {
  wr_m4_run(&((struct m4 *)arg)->loop);
  return NULL;
}

static int start(struct m4 *m4) {
  struct wr_m4_loop *l = &m4->loop;
  l->rpc.mode = (enum wr_rpc_mode)m4->mode;
  l->rpc.timeout_ms = m4->timeout_ms;
  l->rpc.random = wr_clock_random();
  l->rpc.env = (struct wr_rpc_env){wr_clock_us, stop_fd};
  l->interval_ms = m4->interval_ms;
  l->random = wr_clock_random;
  l->sink = (struct wr_m4_sink){m4, on_sample, on_latency, on_health, on_event};
  l->methods = m4->loop_methods;
  l->reports = m4->loop_reports;
  int status = wr_m4_open(l);
  if (status != 0) {
    ERROR(WHERE ": M4 \"%s\": %s.", m4->name, STRERROR(-status));
    return -1;
  }
  check_lock(m4);
  status = plugin_thread_create(&m4->thread, m4_main, m4, PLUGIN);
  m4->running = status == 0;
  if (status != 0)
    ERROR(WHERE ": M4 \"%s\": no thread can be started: %s.", m4->name,
          STRERROR(status));
  return status;
}

static int on_init(void) {
  if (stop_fd >= 0)
    return 0;
  for (struct m4 *m4 = all; m4 != NULL; m4 = m4->next)
    if (check_types(m4) != 0)
      return -1;
  stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  bool reports = false;
  for (struct m4 *m4 = all; m4 != NULL; m4 = m4->next) {
    if (stop_fd < 0 || start(m4) != 0)
      return -1;
    reports = reports || m4->loop.reports_count > 0;
  }
  return reports ? plugin_register_write(PLUGIN, on_write, NULL) : 0;
}

/* The write threads have ended before. */
static int on_shutdown(void) {
  if (stop_fd >= 0)
    eventfd_write(stop_fd, 1);
  while (all != NULL) {
    struct m4 *next = all->next;
    if (all->running)
      pthread_join(all->thread, NULL);
    m4_free(all);
    all = next;
  }
  if (stop_fd >= 0)
    close(stop_fd);
  stop_fd = -1;
  return 0;
}

void module_register(void) {
  plugin_register_complex_config(PLUGIN, on_config);
  plugin_register_init(PLUGIN, on_init);
  plugin_register_shutdown(PLUGIN, on_shutdown);
}
