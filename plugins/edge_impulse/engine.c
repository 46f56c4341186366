/* One model: its queue, and the worker that takes windows from it. The worker
 * describes the model first, and again after every failure, at moments that
 * the back-off allows. */
#include "engine.h"

#include "collectd/core/utils/common/common.h"
#include "glue/thread.h"

#include <errno.h>

#define IDLE_MS 10000
#define PATIENCE_MS 500 /* with a worker that is absent */

struct edge_engine *edge_engines;

static bool same(const char *a, const char *b) {
  return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Every text of the options, to copy and to free. */
#define TEXTS 8
static void texts_of(struct edge_engine_options *o, const char **out[TEXTS]) {
  const char **const at[TEXTS] = {&o->url,
                                  &o->model,
                                  &o->http.proxy,
                                  &o->http.no_proxy,
                                  &o->http.ca_cert,
                                  &o->http.ca_path,
                                  &o->http.client_cert,
                                  &o->http.client_key};
  memcpy(out, at, sizeof(at));
}

static int copy_texts(struct edge_engine *e,
                      const struct edge_engine_options *from) {
  struct edge_engine_options source = *from;
  const char **to[TEXTS], **of[TEXTS];
  texts_of(&e->o, to);
  texts_of(&source, of);
  for (size_t i = 0; i < TEXTS; i++)
    *to[i] = NULL;
  for (size_t i = 0; i < TEXTS; i++)
    if (*of[i] != NULL && (*to[i] = strdup(*of[i])) == NULL)
      return -ENOMEM;
  return 0;
}

static struct edge_engine *
engine_create(const struct edge_engine_options *o,
              const struct edge_engine_calls *calls) {
  struct edge_engine *e = calloc(1, sizeof(*e));
  if (e == NULL)
    return NULL;
  *e =
      (struct edge_engine){.o = *o, .calls = calls, .trouble = WR_TROUBLE_INIT};
  /* A container that came back must be found within two seconds; a program
   * that dies at every start must not be started every second. */
  e->backoff = o->url != NULL
                   ? (struct wr_backoff)WR_BACKOFF_INIT(20, 100, 1500)
                   : (struct wr_backoff)WR_BACKOFF_INIT(20, 200, 10000);
  wr_queue_init(&e->queue, (size_t)o->queue_max, o->delay_ms);
  pthread_mutex_init(&e->lock, NULL);
  pthread_mutex_init(&e->judging, NULL);
  wr_clock_cond_init(&e->wake);
  if (copy_texts(e, o) == 0)
    return e;
  edge_engine_destroy(e);
  return NULL;
}

/* One connection cannot have two sets of options. */
static bool same_options(const struct edge_engine_options *a,
                         const struct edge_engine_options *b) {
  return a->timeout_ms == b->timeout_ms && a->queue_max == b->queue_max &&
         a->delay_ms == b->delay_ms &&
         a->http.insecure_peer == b->http.insecure_peer &&
         a->http.insecure_host == b->http.insecure_host &&
         same(a->http.proxy, b->http.proxy) &&
         same(a->http.no_proxy, b->http.no_proxy) &&
         same(a->http.ca_cert, b->http.ca_cert) &&
         same(a->http.ca_path, b->http.ca_path) &&
         same(a->http.client_cert, b->http.client_cert) &&
         same(a->http.client_key, b->http.client_key);
}

struct edge_engine *edge_engine_for(const struct edge_engine_options *o,
                                    const struct edge_engine_calls *calls) {
  for (struct edge_engine *e = edge_engines; e != NULL; e = e->next)
    if (same(e->o.url, o->url) && same(e->o.model, o->model)) {
      if (same_options(&e->o, o))
        return e;
      ERROR(EDGE_WHERE
            ": two targets share %s but not its Timeout, "
            "QueueLength, MaxDelay, UseProxy and TLS options; allowed is one "
            "set of them.",
            edge_engine_name(e));
      return NULL;
    }
  struct edge_engine *e = engine_create(o, calls);
  if (e != NULL) {
    e->next = edge_engines;
    edge_engines = e;
  }
  return e;
}

void edge_engine_queue(struct edge_engine *e, struct wr_job *job) {
  pthread_mutex_lock(&e->lock);
  struct wr_job *oldest = wr_queue_put(&e->queue, job, wr_clock_ms());
  e->queued = e->queue.count;
  pthread_cond_signal(&e->wake);
  pthread_mutex_unlock(&e->lock);
  if (oldest != NULL)
    e->calls->drop(oldest);
}

void edge_engine_drop(struct edge_engine *e, struct wr_job *list) {
  while (list != NULL) {
    struct wr_job *next = list->next;
    e->calls->drop(list);
    list = next;
  }
}

void edge_engine_absent(struct edge_engine *e, bool absent) {
  pthread_mutex_lock(&e->lock);
  e->absent_ms = absent ? wr_clock_ms() : 0;
  pthread_mutex_unlock(&e->lock);
}

struct wr_job *edge_engine_take(struct edge_engine *e, struct wr_job **late) {
  struct wr_job *job = NULL;
  *late = NULL;
  pthread_mutex_lock(&e->lock);
  if (e->absent_ms != 0 && wr_clock_ms() - e->absent_ms >= PATIENCE_MS)
    job = wr_queue_take(&e->queue, wr_clock_ms(), late);
  e->queued = e->queue.count;
  pthread_mutex_unlock(&e->lock);
  return job;
}

void edge_engine_why(struct edge_engine *e, char *out, size_t size) {
  pthread_mutex_lock(&e->lock);
  snprintf(out, size, "%s", e->why);
  pthread_mutex_unlock(&e->lock);
}

static void wait_ms(struct edge_engine *e, int64_t ms) {
  struct timespec until = wr_clock_in(ms);
  (void)pthread_cond_timedwait(&e->wake, &e->lock, &until);
}

/* The engine's lock is held, but not meanwhile. */
static void describe(struct edge_engine *e) {
  bool changed = false;
  e->absent_ms = wr_clock_ms();
  pthread_mutex_unlock(&e->lock);
  if (edge_model_describe(e, &changed) == 0 && changed)
    e->calls->adopt(e);
  pthread_mutex_lock(&e->lock);
  e->absent_ms = 0;
}

/* As describe(). */
static void answer(struct edge_engine *e) {
  struct wr_job *late, *job = wr_queue_take(&e->queue, wr_clock_ms(), &late);
  e->queued = e->queue.count;
  pthread_mutex_unlock(&e->lock);
  edge_engine_drop(e, late);
  if (job != NULL)
    e->calls->answer(e, job);
  pthread_mutex_lock(&e->lock);
}

static void *worker(void *arg) {
  struct edge_engine *e = arg;
  pthread_mutex_lock(&e->lock);
  while (!e->stop) {
    int64_t due_ms =
        e->ready ? IDLE_MS : wr_backoff_wait(&e->backoff, wr_clock_ms());
    if (due_ms == 0)
      describe(e);
    else if (e->queue.first != NULL)
      answer(e);
    else
      wait_ms(e, due_ms);
  }
  pthread_mutex_unlock(&e->lock);
  return NULL;
}

int edge_engine_probe(struct edge_engine *e) {
  if (edge_model_open(e) != 0)
    return -ENOMEM;
  int status = wr_inference_describe(e->inference, &e->info);
  e->described = status == 0;
  if (status != 0)
    edge_model_complain(e, status, wr_clock_ms());
  wr_inference_destroy(e->inference);
  e->inference = NULL;
  return status;
}

int edge_engine_start(struct edge_engine *e) {
  int status = edge_model_open(e);
  if (status == 0)
    status = -wr_thread_start(&e->thread, worker, e, "edge_impulse");
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
  struct wr_job *late = NULL;
  if (e->started)
    pthread_join(e->thread, NULL);
  e->started = false;
  wr_inference_destroy(e->inference);
  e->inference = NULL;
  for (struct wr_job *job; (job = wr_queue_take(&e->queue, 0, &late)) != NULL;)
    e->calls->drop(job);
}

void edge_engine_destroy(struct edge_engine *e) {
  const char **texts[TEXTS];
  wr_model_free(&e->info);
  free(e->scaled);
  pthread_cond_destroy(&e->wake);
  pthread_mutex_destroy(&e->lock);
  pthread_mutex_destroy(&e->judging);
  texts_of(&e->o, texts);
  for (size_t i = 0; i < TEXTS; i++)
    free((char *)*texts[i]);
  free(e);
}
