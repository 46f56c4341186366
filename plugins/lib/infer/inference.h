/* inference: a model that answers windows, over one of two transports.
 *
 *   wr_inference_http()  Edge Impulse's runner, one kept-alive connection
 *   wr_inference_eim()   the `.eim` program as a child process, one socket
 *
 * Describe first; classify then takes windows of model.features values. When
 * either fails, describe again before the next classify: for a child process
 * that is also what starts it anew. When to try again is the caller's
 * affair. Errors of both calls, with a sentence in `error`:
 *   -ETIMEDOUT     no answer in time (a child that hangs has been killed)
 *   -ECONNREFUSED  not reachable, does not start, ended
 *   -EPROTO        an answer that is not the protocol
 *   -EREMOTEIO     the model itself refuses
 *   -ENOTSUP       a model of another kind
 *   -ECANCELED     wr_inference_stop() was called
 *   -ENOMEM
 * Threads: one at a time, and for a child process always the same thread from
 * the first describe on, because the kernel ends the child with that thread.
 * Only wr_inference_stop() may be called from another one, at any moment. */
#ifndef WR_INFERENCE_H
#define WR_INFERENCE_H

#include "lib/infer/ei_proto.h"
#include "lib/net/http.h"
#include "lib/net/scratch.h"

struct wr_inference {
  const struct wr_inference_ops *ops;
  char error[320];
};

/* What a transport provides; callers use the functions below. */
struct wr_inference_ops {
  int (*describe)(struct wr_inference *i, struct wr_model *out);
  int (*classify)(struct wr_inference *i, const struct wr_model *model,
                  const double *features, struct wr_answer *out, bool *changed);
  void (*stop)(struct wr_inference *i);
  void (*destroy)(struct wr_inference *i);
};

/* NULL when memory is short. Strings are copied. `url` is the runner's base,
 * as http://inference:1337. */
struct wr_inference *wr_inference_http(const char *url,
                                       const struct wr_http_options *options);

struct wr_eim_options {
  const char *path;
  int64_t timeout_ms;              /* of one answer */
  int64_t start_timeout_ms;        /* from start to the answer to hello */
  struct wr_scratch_places places; /* for the socket */
  /* Called with each line the program prints; may be NULL. */
  void (*log)(void *arg, const char *line);
  void *log_arg;
};
struct wr_inference *wr_inference_eim(const struct wr_eim_options *options);

/* 0 and *out, which the caller frees with wr_model_free(). */
static inline int wr_inference_describe(struct wr_inference *i,
                                        struct wr_model *out) {
  return i->ops->describe(i, out);
}
/* 0 and *out; *changed: the model behind may no longer be the one described, so
 * describe again before the next window. */
static inline int wr_inference_classify(struct wr_inference *i,
                                        const struct wr_model *model,
                                        const double *features,
                                        struct wr_answer *out, bool *changed) {
  return i->ops->classify(i, model, features, out, changed);
}
/* For good: calls under way and to come end with -ECANCELED. */
static inline void wr_inference_stop(struct wr_inference *i) {
  i->ops->stop(i);
}
/* Ends the child process, within half a second. Accepts NULL. */
static inline void wr_inference_destroy(struct wr_inference *i) {
  if (i != NULL)
    i->ops->destroy(i);
}

#endif
