/* The worker's talk with its model: what it is, and what it says to a window.
 * Every failure is classified, counted by kind, damped in the log and followed
 * by a wait. */
#include "engine.h"

#include "collectd/core/utils/common/common.h"

#include <errno.h>

#define START_TIMEOUT_MS 10000

const char *edge_engine_name(const struct edge_engine *e) {
  return e->o.url != NULL ? e->o.url : e->o.model;
}

static void log_line(void *arg, const char *line) {
  const struct edge_engine *e = arg;
  plugin_log(LOG_DEBUG, EDGE_WHERE ": %s: %s", edge_engine_name(e), line);
}

int edge_model_open(struct edge_engine *e) {
  struct wr_eim_options program = {.path = e->o.model,
                                   .timeout_ms = e->o.timeout_ms,
                                   .start_timeout_ms = START_TIMEOUT_MS,
                                   .log = log_line,
                                   .log_arg = e};
  wr_scratch_find_places(&program.places, getenv, global_option_get("BaseDir"));
  e->inference = e->o.url != NULL ? wr_inference_http(e->o.url, &e->o.http)
                                  : wr_inference_eim(&program);
  return e->inference != NULL ? 0 : -ENOMEM;
}

static enum edge_error error_kind(int status) {
  switch (status) {
  case -ETIMEDOUT:
    return EDGE_TIMEOUT;
  case -ECONNREFUSED:
    return EDGE_REFUSED;
  case -EREMOTEIO:
  case -ENOTSUP:
    return EDGE_MODEL;
  default:
    return EDGE_PROTOCOL;
  }
}

void edge_model_complain(struct edge_engine *e, int status, int64_t now_ms) {
  wr_trouble_begin(&e->trouble, now_ms, LOG_WARNING,
                   EDGE_WHERE ": the model at %s %s: %s. Trying again.",
                   edge_engine_name(e),
                   status == -ENOTSUP ? "cannot be used" : "does not answer",
                   e->inference->error);
}

static void failed(struct edge_engine *e, int status) {
  if (status == -ECANCELED)
    return;
  int64_t now_ms = wr_clock_ms();
  e->last_error = error_kind(status);
  pthread_mutex_lock(&e->lock);
  snprintf(e->why, sizeof(e->why), "%s", e->inference->error);
  pthread_mutex_unlock(&e->lock);
  wr_backoff_fail(&e->backoff, now_ms, wr_clock_random(), 0);
  edge_model_complain(e, status, now_ms);
}

static void succeeded(struct edge_engine *e) {
  char what[512];
  wr_backoff_ok(&e->backoff);
  if (!wr_trouble_stands(&e->trouble))
    return;
  snprintf(what, sizeof(what), EDGE_WHERE ": the model at %s answers",
           edge_engine_name(e));
  wr_trouble_end(&e->trouble, wr_clock_ms(), what);
}

int edge_model_describe(struct edge_engine *e, bool *changed) {
  struct wr_model info;
  int status = wr_inference_describe(e->inference, &info);
  double *scaled =
      status == 0 ? realloc(e->scaled, info.features * sizeof(*scaled)) : NULL;
  *changed = false;
  if (scaled == NULL) {
    if (status == 0) {
      wr_model_free(&info);
      status = -ENOMEM;
    }
    failed(e, status);
    return status;
  }
  e->scaled = scaled;
  e->ready = true;
  if (e->described && wr_model_same(&e->info, &info)) {
    wr_model_free(&info);
    return 0;
  }
  wr_say(LOG_INFO,
         EDGE_WHERE ": the model at %s is \"%s\", version %" PRId64 ": %zu "
                    "values, %zu labels, one sample every %.3f s.",
         edge_engine_name(e), info.name, info.version, info.features,
         info.labels.count, (double)info.interval_us / 1e6);
  wr_model_free(&e->info);
  e->info = info;
  e->described = *changed = true;
  return 0;
}

int edge_model_ask(struct edge_engine *e, struct wr_answer *answer,
                   double *latency_s) {
  bool changed = false;
  int64_t begin_us = wr_clock_us();
  int status = wr_inference_classify(e->inference, &e->info, e->scaled, answer,
                                     &changed);
  *latency_s = (double)(wr_clock_us() - begin_us) / 1e6;
  if (status == 0)
    succeeded(e);
  else
    failed(e, status);
  /* A program that refuses one window goes on with the next; a container may
   * say the same because its program is dead. */
  if (changed || (status != 0 && !(status == -EREMOTEIO && e->o.url == NULL)))
    e->ready = false;
  return status;
}
