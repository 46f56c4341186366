/* engine: one model, its queue, and the worker that takes windows from it.
 *
 * Targets that name the same container or the same `.eim` share one engine: one
 * queue, one worker thread, one request in flight, because the runner mixes up
 * concurrent ones. An engine knows no target: what its worker does is given as
 * callbacks.
 *
 * engine.lock guards the queue; where another lock is held as well, that is the
 * outer one. No lock is held during a callback. `judging` is for the callbacks:
 * what they change is changed under it, also by other threads. What is marked
 * "worker" belongs to the worker alone (and to the configuration, before it
 * starts). */
#ifndef WR_EDGE_ENGINE_H
#define WR_EDGE_ENGINE_H

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/plugin.h"

#include "glue/clock.h"
#include "glue/report.h"
#include "lib/base/backoff.h"
#include "lib/infer/inference.h"
#include "lib/infer/queue.h"

#include <pthread.h>
#include <stdatomic.h>

#define EDGE_WHERE "target_edge_impulse plugin"

enum edge_error {
  EDGE_TIMEOUT,  /* no answer in time */
  EDGE_REFUSED,  /* model not reachable */
  EDGE_PROTOCOL, /* an answer that is none */
  EDGE_MODEL,    /* the model itself refused */
  EDGE_DROPPED,  /* windows: the queue was full */
  EDGE_ERRORS
};

struct edge_engine;

/* The worker's; no lock is held. */
struct edge_engine_calls {
  /* The model is known, perhaps another one than before. */
  void (*adopt)(struct edge_engine *e);
  void (*answer)(struct edge_engine *e, struct wr_job *job); /* takes the job */
  void (*drop)(struct wr_job *job);                          /* takes it, too */
};

/* Where the model is and how it is asked. Strings are copied. */
struct edge_engine_options {
  const char *url, *model; /* one of them; model is a path */
  struct wr_http_options http;
  int64_t timeout_ms;
  int64_t queue_max, delay_ms;
};

struct edge_engine {
  struct edge_engine *next;
  struct edge_engine_options o;
  const struct edge_engine_calls *calls;
  struct wr_inference *inference;
  pthread_t thread;
  bool started;
  pthread_mutex_t judging;
  pthread_mutex_t lock;
  pthread_cond_t wake; /* monotonic */
  bool stop;
  int64_t absent_ms; /* since when the worker is busy with something else than
                        windows; 0: it is not */
  struct wr_queue queue;
  atomic_size_t queued; /* of it; any thread */
  char why[320];        /* the last failure, for people; lock */
  /* worker: */
  struct wr_model info;
  double *scaled; /* info.features values for the model */
  bool described; /* info is valid */
  bool ready;     /* the next classify may be tried */
  struct wr_backoff backoff;
  struct wr_trouble trouble;
  enum edge_error last_error;
};

extern struct edge_engine *edge_engines; /* all there are */

/* The engine for these options, a new one if need be; NULL with the fault
 * logged. */
struct edge_engine *edge_engine_for(const struct edge_engine_options *o,
                                    const struct edge_engine_calls *calls);
const char *edge_engine_name(const struct edge_engine *e);
/* Runs the .eim for as long as hello takes; 0, or -errno with the trouble
 * logged.
 */
int edge_engine_probe(struct edge_engine *e);
/* From the init callback on: 0 or -errno. */
int edge_engine_start(struct edge_engine *e);
void edge_engine_stop(struct edge_engine *e); /* tells it to end */
void edge_engine_join(struct edge_engine *e); /* drops what waits */
void edge_engine_destroy(struct edge_engine *e);

/* Takes the job; may drop an older one. Any thread. */
void edge_engine_queue(struct edge_engine *e, struct wr_job *job);
/* The worker: from here on it is busy with something else (a model that starts,
 * a disk), or no longer. It holds no window that is not judged. */
void edge_engine_absent(struct edge_engine *e, bool absent);
/* The next window while the worker is absent for long; else NULL.
 * engine.judging is held: so windows stay in order. *late: as wr_queue_take().
 */
struct wr_job *edge_engine_take(struct edge_engine *e, struct wr_job **late);
void edge_engine_drop(struct edge_engine *e, struct wr_job *list);
/* A phrase: why the model does not answer. Any thread. */
void edge_engine_why(struct edge_engine *e, char *out, size_t size);

/* model.c; the worker */
/* Opens the way to the model. 0 or -ENOMEM. */
int edge_model_open(struct edge_engine *e);
/* Says, damped, why it cannot be used or does not answer. */
void edge_model_complain(struct edge_engine *e, int status, int64_t now_ms);
/* Asks what the model is. 0, *changed: it is not the one described before;
 * else -errno, and e->backoff knows. Sets e->ready. */
int edge_model_describe(struct edge_engine *e, bool *changed);
/* Asks about e->scaled. 0 and *answer; else -errno, and the engine knows. */
int edge_model_ask(struct edge_engine *e, struct wr_answer *answer,
                   double *latency_s);

#endif
