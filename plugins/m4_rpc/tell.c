#include "tell.h"

#include "glue/clock.h"

#include "collectd/core/utils/common/common.h"

#define WORDS 512

/* --- values --- */

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

/* A counter goes out when it has changed and else now and then: five of them
 * that stand still would be most of what a board costs. */
static void tell_count(const struct m4 *m4, struct counter *c, bool anyway,
                       const char *type_instance, int64_t count) {
  struct wr_metric metric = metric_of(m4, "errors", type_instance,
                                      m4->interval_ms * m4->counts_every);
  if (!anyway && count == c->told)
    return;
  c->told = count;
  metric.time = cdtime();
  wr_metric_derive(&metric, count);
}

static void on_health(void *user) {
  struct m4 *m4 = user;
  const struct wr_m4_life *l = &m4->board.life;
  struct wr_metric metric = metric_of(m4, "bool", "up", m4->interval_ms);
  bool anyway = m4->healths++ % (unsigned)m4->counts_every == 0;
  metric.time = cdtime();
  wr_metric_gauge(&metric, l->up ? 1 : 0);
  for (int i = 0; i < WR_FAULTS; i++)
    tell_count(m4, m4->faults + i, anyway,
               wr_rpc_fault_name((enum wr_rpc_fault)i), l->faults[i]);
  for (size_t i = 0; i < l->methods_count; i++) {
    struct method *m = m4_method(m4, i);
    char instance[DATA_MAX_NAME_LEN];
    if (m->rpc.seq_index < 0)
      continue;
    snprintf(instance, sizeof(instance), "skipped-%s", m->name);
    tell_count(m4, &m->skipped, anyway, instance, (int64_t)m->rpc.seq.skipped);
  }
}

/* --- log --- */

/* Trouble begins when the first call went out that was not answered, not when
 * that was sure. */
static int64_t moment(const struct wr_trouble *t, int64_t since_us) {
  return t->since_ms == 0 ? since_us / 1000 : wr_clock_ms();
}

static void on_peer(struct m4 *m4, int64_t since_us, const char *why) {
  wr_trouble_begin(&m4->trouble, moment(&m4->trouble, since_us), LOG_ERR,
                   M4_WHERE ": M4 \"%s\" at %s: %s.", m4->name, m4->address,
                   why);
}

static void on_peer_up(struct m4 *m4) {
  char text[WORDS];
  snprintf(text, sizeof(text), M4_WHERE ": M4 \"%s\" at %s answers", m4->name,
           m4->address);
  wr_trouble_end(&m4->trouble, wr_clock_ms(), text);
}

static void on_method(struct m4 *m4, struct method *m, int64_t since_us,
                      const char *why) {
  wr_trouble_begin(&m->trouble, moment(&m->trouble, since_us), LOG_ERR,
                   M4_WHERE ": M4 \"%s\", method \"%s\": %s.", m4->name,
                   m->name, why);
}

static void on_method_works(struct m4 *m4, struct method *m) {
  char text[WORDS];
  snprintf(text, sizeof(text), M4_WHERE ": M4 \"%s\", method \"%s\" works",
           m4->name, m->name);
  wr_trouble_end(&m->trouble, wr_clock_ms(), text);
}

/* A report is told, or registered at a router for those who ask. */
static void on_report(struct m4 *m4, struct report *r, int64_t since_us,
                      const char *why) {
  const char *what = r->rpc.serve ? "has no place at the router for"
                                  : "was not told the label by";
  wr_trouble_begin(&r->trouble, moment(&r->trouble, since_us), LOG_WARNING,
                   M4_WHERE ": M4 \"%s\" %s \"%s\": %s.", m4->name, what,
                   r->method, why);
}

static void on_report_works(struct m4 *m4, struct report *r) {
  char text[WORDS];
  snprintf(text, sizeof(text), M4_WHERE ": M4 \"%s\" is %s \"%s\"", m4->name,
           r->rpc.serve ? "asked for labels by" : "told labels by", r->method);
  wr_trouble_end(&r->trouble, wr_clock_ms(), text);
}

static void on_lock(struct m4 *m4, int64_t since_us) {
  const struct wr_m4_gate *gate = m4->board.gate;
  wr_trouble_begin(
      &m4->lock_trouble, moment(&m4->lock_trouble, since_us), LOG_WARNING,
      M4_WHERE ": M4 \"%s\": another process does not give back the lock "
               "\"%s\" of the proxy (fuser shows which); calls go on "
               "without it.",
      m4->name, gate != NULL ? gate->lock.path : "");
}

static void on_lock_free(struct m4 *m4) {
  char text[WORDS];
  snprintf(text, sizeof(text),
           M4_WHERE ": M4 \"%s\": the lock of the proxy is free", m4->name);
  wr_trouble_end(&m4->lock_trouble, wr_clock_ms(), text);
}

static void on_event(void *user, enum wr_m4_event event, size_t which,
                     int64_t since_us, const char *why) {
  struct m4 *m4 = user;
  switch (event) {
  case WR_M4_DOWN:
    on_peer(m4, since_us, why);
    break;
  case WR_M4_UP:
    on_peer_up(m4);
    break;
  case WR_M4_METHOD_FAILS:
    on_method(m4, m4_method(m4, which), since_us, why);
    break;
  case WR_M4_METHOD_WORKS:
    on_method_works(m4, m4_method(m4, which));
    break;
  case WR_M4_REPORT_FAILS:
    on_report(m4, m4_report(m4, which), since_us, why);
    break;
  case WR_M4_REPORT_WORKS:
    on_report_works(m4, m4_report(m4, which));
    break;
  case WR_M4_LOCK_HELD:
    on_lock(m4, since_us);
    break;
  case WR_M4_LOCK_FREE:
    on_lock_free(m4);
    break;
  }
}

struct wr_m4_sink m4_sink(struct m4 *m4) {
  return (struct wr_m4_sink){m4, on_sample, on_latency, on_health, on_event};
}

void m4_lock_fault(void *user, const char *path, int error) {
  const struct m4 *m4 = user;
  WARNING(M4_WHERE
          ": M4 \"%s\": the lock file \"%s\" cannot be used: %s; other "
          "processes that call the same proxy are not held off.",
          m4->name, path, STRERROR(-error));
}
