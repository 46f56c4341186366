/* edge: what the parts of target_edge_impulse.so share.
 *
 *   invoke() --series, window--> [queue] --> worker of the engine --> output
 *
 * A target is one <Target "edge_impulse"> block; its engine (engine.h) is
 * shared with others of the same model. Calls go downwards only:
 *
 *   target -> config -> rules          options, and what they mean
 *          -> answer -> output, keep   one window, what it leads to
 *          -> series -> engine -> model
 *
 * target.lock guards its series and their windows, and is taken before
 * engine.lock. What is marked "worker" belongs to the engine's worker alone. */
#ifndef WR_EDGE_H
#define WR_EDGE_H

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/plugin.h"

#include "engine.h"
#include "lib/base/table.h"
#include "lib/flow/capture.h"
#include "lib/flow/stuck.h"
#include "lib/flow/verdict.h"
#include "lib/flow/window.h"

#define EDGE_PLUGIN "edge_impulse" /* plugin of all that we dispatch */
#define EDGE_META_LABEL "edge_impulse:label"
#define EDGE_META_SCORE "edge_impulse:score"
#define EDGE_META_SOURCE "edge_impulse:source"
#define EDGE_UNCERTAIN "uncertain"
#define EDGE_LATE_MS 250 /* how long a hole is kept open */

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
  uint64_t taken;    /* of the last window that was judged */
  int64_t health_ms; /* when health was last dispatched; 0: never */
  bool up;
  bool stuck_told;
  int64_t kept_us; /* end of the last window in CaptureDir; 0: none */
};

struct edge_job {
  struct wr_job queued; /* first */
  struct edge_target *target;
  struct edge_series *series;
  int64_t end_us; /* time stamp of the newest sample */
  cdtime_t time;  /* the same, not rounded */
  bool restarted, stuck;
  uint64_t taken; /* places of the window that were ever taken */
  size_t fill;    /* places that hold samples */
  size_t count;
  double features[]; /* as measured, not scaled */
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
  double nominal, threshold;
  double hysteresis;        /* at the edges of ranges, of `nominal` */
  double score_hysteresis;  /* for the label that is the state */
  double anomaly_threshold; /* < 0: the model's, where it has no labels */
  int need, of;
  int64_t release; /* 0: as many as `of` */
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
  bool alarming[WR_LABELS_MAX], calm[WR_LABELS_MAX];
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

/* config.c: reads a block into a new target that stands beside `others` (a
 * list); NULL with the fault logged. */
struct edge_target *edge_target_create(const oconfig_item_t *ci,
                                       const struct edge_target *others,
                                       const struct edge_engine_calls *calls);
void edge_target_destroy(struct edge_target *t); /* accepts NULL */

/* rules.c: labels, thresholds and ranges for `model` (NULL: not known yet).
 * 0 or -ENOMEM. */
int edge_rules_build(struct edge_target *t, const struct wr_model *model);
void edge_rules_free(struct edge_rules *r);
/* A phrase that says why the model does not fit the options, or NULL. */
const char *edge_rules_misfit(const struct edge_options *o,
                              const struct wr_model *model, char *text,
                              size_t size);

/* answer.c; the engine's worker */
/* The model is known, perhaps another one than before. */
void edge_target_adopt(struct edge_target *t, const struct wr_model *model);
/* Answers one window, or counts why it has none. */
void edge_answer(struct edge_engine *e, struct edge_job *job);

/* series.c */
/* target.lock is held */
void edge_series_sample(struct edge_target *t, const value_list_t *vl,
                        double value);
/* Gives up holes that waited too long, forgets what is silent. Takes
 * target.lock. True: there are holes left. */
bool edge_series_sweep(struct edge_target *t);
/* Gives back one reference. */
void edge_series_release(void *series);
void edge_job_free(struct edge_job *job);

/* output.c; the engine's worker */
struct edge_outcome {
  const struct wr_answer *answer; /* NULL: the model is unreachable */
  struct wr_decision decision;
  double latency_s;
};
void edge_output(const struct edge_job *job, const struct edge_outcome *o);
void edge_output_health(const struct edge_job *job, bool up, double latency_s,
                        size_t queued);

/* keep.c; the engine's worker. `scaled`: the values as the model saw them. */
void edge_keep(const struct edge_job *job, const struct wr_decision *d,
               const double *scaled);

#endif
