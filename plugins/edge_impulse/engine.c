/* One model: its queue, and the worker that takes windows from it. The worker
 * describes the model first, and again after every failure, at moments that
 * the back-off allows. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"

#include <errno.h>

#define IDLE_MS 10000 /* from one look after silent series to the next */
#define SWEEP_MS 50

struct edge_engine *edge_engines;
struct edge_target *edge_targets;

static bool same(const char *a, const char *b) {
  return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

const char *edge_engine_name(const struct edge_engine *e) {
  return e->url != NULL ? e->url : e->model;
}

static struct edge_engine *engine_create(const struct edge_options *o) {
  struct edge_engine *e = calloc(1, sizeof(*e));
  if (e == NULL)
    return NULL;
  *e = (struct edge_engine){.timeout_ms = o->timeout_ms,
                            .queue_max = o->queue_max,
                            .delay_ms = o->delay_ms,
                            .trouble = WR_TROUBLE_INIT,
                            .http = {.user_agent = "weir/" WEIR_VERSION,
                                     .timeout_ms = o->timeout_ms,
                                     .insecure_peer = !o->verify_peer,
                                     .insecure_host = !o->verify_host,
                                     .use_proxy = o->use_proxy}};
  /* A container that came back must be found within two seconds; a program
   * that dies at every start must not be started every second. */
  e->backoff = o->url != NULL
                   ? (struct wr_backoff)WR_BACKOFF_INIT(20, 100, 1500)
                   : (struct wr_backoff)WR_BACKOFF_INIT(20, 200, 10000);
  e->last = &e->first;
  pthread_mutex_init(&e->lock, NULL);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&e->wake, &attributes);
  pthread_condattr_destroy(&attributes);
  const char *const from[] = {o->url,     o->model,       o->ca_cert,
                              o->ca_path, o->client_cert, o->client_key};
  const char **const to[] = {(const char **)&e->url, (const char **)&e->model,
                             &e->http.ca_cert,       &e->http.ca_path,
                             &e->http.client_cert,   &e->http.client_key};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(from); i++)
    if (from[i] != NULL && (*to[i] = strdup(from[i])) == NULL) {
      edge_engine_destroy(e);
      return NULL;
    }
  return e;
}

/* One connection cannot have two sets of options. */
static bool same_options(const struct edge_engine *e,
                         const struct edge_options *o) {
  return e->timeout_ms == o->timeout_ms && e->queue_max == o->queue_max &&
         e->delay_ms == o->delay_ms &&
         e->http.insecure_peer == !o->verify_peer &&
         e->http.insecure_host == !o->verify_host &&
         e->http.use_proxy == o->use_proxy &&
         same(e->http.ca_cert, o->ca_cert) &&
         same(e->http.ca_path, o->ca_path) &&
         same(e->http.client_cert, o->client_cert) &&
         same(e->http.client_key, o->client_key);
}

struct edge_engine *edge_engine_for(const struct edge_options *o) {
  for (struct edge_engine *e = edge_engines; e != NULL; e = e->next)
    if (same(e->url, o->url) && same(e->model, o->model)) {
      if (same_options(e, o))
        return e;
      ERROR(EDGE_WHERE
            ": two targets share %s but not its Timeout, "
            "QueueLength, MaxDelay, UseProxy and TLS options; allowed is one "
            "set of them.",
            edge_engine_name(e));
      return NULL;
    }
  struct edge_engine *e = engine_create(o);
  if (e != NULL) {
    e->next = edge_engines;
    edge_engines = e;
  }
  return e;
}

static void job_free(struct edge_job *job) {
  edge_series_release(job->series);
  free(job);
}

static void job_drop(struct edge_job *job) {
  job->series->errors[EDGE_DROPPED]++;
  job_free(job);
}

static struct edge_job *take_first(struct edge_engine *e) {
  struct edge_job *job = e->first;
  if (job == NULL)
    return NULL;
  e->first = job->next;
  if (e->first == NULL)
    e->last = &e->first;
  e->queued--;
  job->series->waiting--;
  return job;
}

void edge_engine_wake(struct edge_engine *e) {
  pthread_mutex_lock(&e->lock);
  e->sweep = true;
  pthread_cond_signal(&e->wake);
  pthread_mutex_unlock(&e->lock);
}

void edge_engine_queue(struct edge_engine *e, struct edge_job *job) {
  struct edge_job *oldest = NULL;
  pthread_mutex_lock(&e->lock);
  if (e->queued >= (size_t)e->queue_max)
    oldest = take_first(e);
  *e->last = job;
  e->last = &job->next;
  e->queued++;
  job->series->waiting++;
  pthread_cond_signal(&e->wake);
  pthread_mutex_unlock(&e->lock);
  if (oldest != NULL)
    job_drop(oldest);
}

/* The next window to answer. Of a series that a slow model has left behind,
 * the newest one wins. */
static struct edge_job *take_job(struct edge_engine *e, int64_t now_ms) {
  struct edge_job *job = take_first(e);
  while (job != NULL && job->series->waiting > 0 &&
         now_ms - job->queued_ms > e->delay_ms) {
    job_drop(job);
    job = take_first(e);
  }
  return job;
}

static void wait_ms(struct edge_engine *e, int64_t ms) {
  int64_t until_us = wr_clock_us() + ms * 1000;
  struct timespec until = {.tv_sec = until_us / 1000000,
                           .tv_nsec = until_us % 1000000 * 1000};
  (void)pthread_cond_timedwait(&e->wake, &e->lock, &until);
}

/* Windows with a hole wait for a late sample; here their patience ends. */
static void sweep(struct edge_engine *e) {
  bool again = false;
  for (struct edge_target *t = edge_targets; t != NULL; t = t->next)
    if (t->engine == e) {
      edge_series_sweep(t);
      pthread_mutex_lock(&t->lock);
      again = again || t->holes > 0;
      pthread_mutex_unlock(&t->lock);
    }
  if (again)
    edge_engine_wake(e);
}

/* What there is to do now. The engine's lock is held, but not while it does
 * it. */
static void work(struct edge_engine *e, bool describes, bool sweeps) {
  struct edge_job *job = take_job(e, wr_clock_ms());
  if (sweeps)
    e->sweep = false;
  pthread_mutex_unlock(&e->lock);
  if (describes)
    edge_describe(e);
  if (job != NULL) {
    edge_answer(e, job);
    job_free(job);
  }
  if (sweeps)
    sweep(e);
  pthread_mutex_lock(&e->lock);
}

static void *worker(void *arg) {
  struct edge_engine *e = arg;
  int64_t sweep_ms = 0, idle_ms = wr_clock_ms() + IDLE_MS;
  pthread_mutex_lock(&e->lock);
  while (!e->stop) {
    int64_t now_ms = wr_clock_ms();
    int64_t due_ms = e->ready ? IDLE_MS : wr_backoff_wait(&e->backoff, now_ms);
    bool sweeps = (e->sweep && now_ms >= sweep_ms) || now_ms >= idle_ms;
    if (sweeps) {
      sweep_ms = now_ms + SWEEP_MS;
      idle_ms = now_ms + IDLE_MS;
    }
    if (e->first != NULL || due_ms == 0 || sweeps)
      work(e, due_ms == 0, sweeps);
    else
      wait_ms(e, e->sweep && due_ms > SWEEP_MS ? SWEEP_MS : due_ms);
  }
  pthread_mutex_unlock(&e->lock);
  return NULL;
}

static void log_line(void *arg, const char *line) {
  const struct edge_engine *e = arg;
  plugin_log(LOG_DEBUG, EDGE_WHERE ": %s: %s", edge_engine_name(e), line);
}

static int open_inference(struct edge_engine *e, int64_t start_timeout_ms) {
  e->inference = e->url != NULL ? wr_inference_http(e->url, &e->http)
                                : wr_inference_eim(&(struct wr_eim_options){
                                      .path = e->model,
                                      .timeout_ms = e->timeout_ms,
                                      .start_timeout_ms = start_timeout_ms,
                                      .log = log_line,
                                      .log_arg = e});
  return e->inference != NULL ? 0 : -ENOMEM;
}

#define START_TIMEOUT_MS 10000

int edge_engine_probe(struct edge_engine *e) {
  if (open_inference(e, START_TIMEOUT_MS) != 0)
    return -ENOMEM;
  int status = wr_inference_describe(e->inference, &e->info);
  e->described = status == 0;
  if (status != 0)
    ERROR(EDGE_WHERE ": Model \"%s\" is not allowed: %s; allowed is a program "
                     "that speaks the .eim protocol.",
          e->model, e->inference->error);
  wr_inference_destroy(e->inference);
  e->inference = NULL;
  return status;
}

int edge_engine_start(struct edge_engine *e) {
  int status = open_inference(e, START_TIMEOUT_MS);
  if (status == 0)
    status = -plugin_thread_create(&e->thread, worker, e, "edge_impulse");
  e->started = status == 0;
  return status;
}

void edge_engine_stop(struct edge_engine *e) {
  pthread_mutex_lock(&e->lock);
  e->stop = true;
  pthread_cond_signal(&e->wake);
  pthread_mutex_unlock(&e->lock);
  if (e->inference != NULL)
    wr_inference_stop(e->inference);
}

void edge_engine_join(struct edge_engine *e) {
  if (e->started)
    pthread_join(e->thread, NULL);
  e->started = false;
  wr_inference_destroy(e->inference);
  e->inference = NULL;
  for (struct edge_job *job; (job = take_first(e)) != NULL;)
    job_free(job);
}

void edge_engine_destroy(struct edge_engine *e) {
  wr_model_free(&e->info);
  free(e->scaled);
  pthread_cond_destroy(&e->wake);
  pthread_mutex_destroy(&e->lock);
  char *const texts[] = {e->url,
                         e->model,
                         (char *)e->http.ca_cert,
                         (char *)e->http.ca_path,
                         (char *)e->http.client_cert,
                         (char *)e->http.client_key};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(texts); i++)
    free(texts[i]);
  free(e);
}
