/* edge: what the parts of target_edge_impulse.so share.
 *
 *   invoke() --series, window--> [queue] --> worker of the engine --> output
 *
 * A target is one <Target "edge_impulse"> block. Targets that name the same
 * container or the same `.eim` share one engine: one queue, one worker thread,
 * one request in flight, because the runner mixes up concurrent ones.
 *
 * Locks: target.lock guards its series and their windows; engine.lock guards
 * the queue. Where both are held, target.lock is the outer
 * one. What is marked "worker" belongs to the engine's worker alone. */
#ifndef WR_EDGE_H
#define WR_EDGE_H

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/plugin.h"

#include "glue/clock.h"
#include "glue/report.h"
#include "lib/base/backoff.h"
#include "lib/base/table.h"
#include "lib/flow/capture.h"
#include "lib/flow/stuck.h"
#include "lib/flow/verdict.h"
#include "lib/flow/window.h"
#include "lib/infer/inference.h"
#include "lib/infer/labels.h"

#include <pthread.h>
#include <stdatomic.h>

#define EDGE_PLUGIN "edge_impulse" /* plugin of all that we dispatch */
#define EDGE_WHERE "target_edge_impulse plugin"
#define EDGE_META_LABEL "edge_impulse:label"
#define EDGE_META_SCORE "edge_impulse:score"
#define EDGE_META_SOURCE "edge_impulse:source"
#define EDGE_UNCERTAIN "uncertain"
#define EDGE_LATE_MS 250 /* how long a hole is kept open */

enum edge_error {
  EDGE_TIMEOUT,  /* no answer in time */
  EDGE_REFUSED,  /* model not reachable */
  EDGE_PROTOCOL, /* an answer that is none */
  EDGE_MODEL,    /* the model itself refused */
  EDGE_DROPPED,  /* windows: the queue was full */
  EDGE_ERRORS
};

struct edge_target;

struct edge_series {
  atomic_int refs; /* the table's and one for each job */
  struct wr_window *window;
  char *host;
  char *instance; /* plugin_instance of the source */
  size_t waiting; /* windows in the queue; engine.lock */
  struct wr_stuck stuck;
  bool is_stuck;
  atomic_uint_least64_t errors[EDGE_ERRORS];
  /* worker: */
  unsigned generation; /* of the target's rules that `verdict` is for */
  struct wr_verdict verdict;
  int64_t health_ms; /* when health was last dispatched; 0: never */
  bool up;
  bool stuck_told;
  int64_t kept_us; /* end of the last window in CaptureDir; 0: none */
};

struct edge_job {
  struct edge_job *next;
  struct edge_target *target;
  struct edge_series *series;
  int64_t end_us; /* time stamp of the newest sample */
  cdtime_t time;  /* the same, not rounded */
  int64_t queued_ms;
  bool restarted, stuck;
  size_t count;
  double features[]; /* as measured, not scaled */
};

struct edge_engine {
  struct edge_engine *next;
  char *url;   /* one of the two is set */
  char *model; /* path */
  struct wr_http_options http;
  int64_t timeout_ms;
  int64_t queue_max, delay_ms;
  struct wr_inference *inference;
  pthread_t thread;
  bool started;
  pthread_mutex_t lock;
  pthread_cond_t wake; /* monotonic */
  bool stop;
  bool sweep; /* a window waits: look after it soon */
  struct edge_job *first, **last;
  atomic_size_t queued;
  /* worker (and the configuration, before it starts): */
  struct wr_model info;
  double *scaled; /* info.features values for the model */
  bool described; /* info is valid */
  bool ready;     /* the next classify may be tried */
  struct wr_backoff backoff;
  struct wr_trouble trouble;
  enum edge_error last_error;
};

struct edge_label_option {
  char *name;
  int severity;     /* index into failure, warning, okay; -1: the default */
  double threshold; /* < 0: that of the target */
};

struct edge_range_option {
  char *name;
  double min, max;
};

/* An axis of a model of several: plugin-instance/type-instance. */
struct edge_axis {
  char *name;
  char *instance; /* plugin_instance in it, "" when there is none */
};

struct edge_options {
  char *url, *model;
  double nominal, threshold, hysteresis;
  double anomaly_threshold; /* < 0: the model's, where it has no labels */
  int need, of;
  int policy;
  int64_t window, stride, max_gap;         /* window 0: the model's */
  int64_t interval_ms;                     /* 0: the model's */
  int64_t timeout_ms, forget_ms, stuck_ms; /* stuck 0: not watched */
  int64_t queue_max, series_max, delay_ms;
  bool padding;
  bool verify_peer, verify_host, use_proxy;
  char *ca_cert, *ca_path, *client_cert, *client_key;
  char *capture_dir; /* NULL: windows are not kept */
  bool capture_uncertain;
  int64_t capture_files, capture_bytes;
  struct edge_axis *axes; /* none: every series is one of its own */
  size_t axis_count;
  struct edge_label_option *labels;
  size_t label_count;
  struct edge_range_option *ranges;
  size_t range_count;
};

/* What the options mean for one model. worker */
struct edge_rules {
  unsigned generation; /* 0: never built */
  struct wr_labels labels;
  double thresholds[WR_LABELS_MAX];
  int severities[WR_LABELS_MAX]; /* NOTIF_... */
  bool alarming[WR_LABELS_MAX];
  struct wr_range *ranges;
  struct wr_verdict_rules verdict;
};

struct edge_target {
  struct edge_target *next;
  struct edge_options o;
  struct edge_engine *engine;
  struct edge_rules rules;
  struct wr_trouble misfit, crowd, pace, kind, disk;
  struct wr_capture *capture; /* worker */
  size_t axes;                /* at least 1 */
  pthread_mutex_t lock;
  bool fitted;  /* shape is that of a model, not a guess */
  size_t holes; /* series whose window waits for a late sample */
  struct wr_window_options shape; /* of windows to be made */
  struct wr_table *series;
};

/* config.c: reads a block into a new target; NULL with the fault logged. */
struct edge_target *edge_target_create(const oconfig_item_t *ci);
void edge_target_destroy(struct edge_target *t); /* accepts NULL */

/* rules.c: labels, thresholds and ranges for `model` (NULL: not known yet).
 * 0 or -ENOMEM. */
int edge_rules_build(struct edge_target *t, const struct wr_model *model);
void edge_rules_free(struct edge_rules *r);
/* A phrase that says why the model does not fit the options, or NULL. */
const char *edge_rules_misfit(const struct edge_options *o,
                              const struct wr_model *model, char *text,
                              size_t size);

/* engine.c */
extern struct edge_engine *edge_engines;
extern struct edge_target *edge_targets;
struct edge_engine *edge_engine_for(const struct edge_options *o);
/* Runs the .eim for as long as hello takes; 0, or -errno with the fault logged.
 */
int edge_engine_probe(struct edge_engine *e);
/* From the init callback on: 0 or -errno. */
int edge_engine_start(struct edge_engine *e);
void edge_engine_stop(struct edge_engine *e); /* tells it to end */
void edge_engine_join(struct edge_engine *e);
void edge_engine_destroy(struct edge_engine *e);
/* Takes the job; drops the oldest one at the ceiling, and later on those that
 * waited longer than delay_ms while a newer one of the series is there.
 * target.lock is held. */
void edge_engine_queue(struct edge_engine *e, struct edge_job *job);
/* A window of one of its targets began to wait. target.lock is held. */
void edge_engine_wake(struct edge_engine *e);

const char *edge_engine_name(const struct edge_engine *e);

/* answer.c; the engine's worker */
/* Asks what the model is; its targets take it over. Sets e->ready. */
void edge_describe(struct edge_engine *e);
/* Answers one window, or counts why it has none. */
void edge_answer(struct edge_engine *e, struct edge_job *job);

/* series.c */
/* target.lock is held */
void edge_series_sample(struct edge_target *t, const value_list_t *vl,
                        double value);
/* Gives up holes that waited too long, forgets what is silent. Takes
 * target.lock. */
void edge_series_sweep(struct edge_target *t);
/* Gives back one reference. */
void edge_series_release(void *series);

/* output.c; the engine's worker */
struct edge_outcome {
  const struct wr_answer *answer; /* NULL: the model is unreachable */
  struct wr_decision decision;
  double level;
  double latency_s;
};
void edge_output(const struct edge_job *job, const struct edge_outcome *o);
void edge_output_health(const struct edge_job *job, bool up, double latency_s,
                        size_t queued);

/* keep.c; the engine's worker. `scaled`: the values as the model saw them. */
void edge_keep(const struct edge_job *job, const struct wr_decision *d,
               const double *scaled);

#endif
