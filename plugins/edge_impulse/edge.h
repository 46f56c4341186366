/* edge: what the parts of target_edge_impulse.so share.
 *
 *   invoke() --series, window--> [queue] --> worker --> state --> output
 *                  watch thread ------------------------^
 *
 * A target is one <Target "edge_impulse"> block; its engine (engine.h) is
 * shared with others of the same model. The worker answers windows; the watch
 * sees what does not happen: holes that nothing fills, states that grow old, a
 * model that takes long to start. Calls go downwards only:
 *
 *   target -> config -> rules                  options, and what they mean
 *          -> watch -> answer -> state         one window, or its absence
 *             shelf -> state                   what an operator knows
 *             state -> output, notify, keep    what that leads to
 *             notify -> tell
 *             series -> names, plan            where windows come from
 *             plan -> inputs
 *             series, answer -> engine -> model
 *             answer, state -> minute          the last minute of a series
 *
 * Locks, the outer one first: engine.judging guards rules, verdicts and states;
 * target.lock the series and their windows; engine.lock the queue. Write
 * threads take the last two only. */
#ifndef WR_EDGE_H
#define WR_EDGE_H

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/plugin.h"

#include "engine.h"
#include "lib/base/beat.h"
#include "lib/base/table.h"
#include "lib/flow/capture.h"
#include "lib/flow/context.h"
#include "lib/flow/standing.h"
#include "lib/flow/steady.h"
#include "lib/flow/stuck.h"
#include "lib/flow/verdict.h"
#include "lib/flow/window.h"
#include "lib/net/http_proxy.h"

#define EDGE_PLUGIN "edge_impulse" /* plugin of all that we dispatch */
#define EDGE_META_LABEL "edge_impulse:label"
#define EDGE_META_SCORE "edge_impulse:score"
#define EDGE_META_SOURCE "edge_impulse:source"
#define EDGE_META_REASON "edge_impulse:reason"
#define EDGE_META_PREVIOUS "edge_impulse:previous" /* only at a change */
#define EDGE_UNCERTAIN "uncertain"
#define EDGE_UNKNOWN_NAME "unknown"
#define EDGE_META_SHELVED "edge_impulse:shelved" /* seconds left */
#define EDGE_REASON 160
#define EDGE_LATE_MS 250 /* how long a hole is kept open */

/* Whether a second opinion stands in front of the verdict; auto: where the
 * model sees less than WR_CONTEXT_SECONDS. */
enum { EDGE_CONTEXT_OFF, EDGE_CONTEXT_ON, EDGE_CONTEXT_AUTO };

struct edge_target;

/* What came in since the last window that was full, to say why there is none.
 * target.lock */
struct edge_feed {
  int64_t sample_ms; /* arrival of the newest sample */
  cdtime_t time;     /* its stamp */
  bool own_clock;    /* which is by our clock */
  uint64_t samples, windows;
  uint64_t jumped; /* samples left out because the clock seemed to jump */
};

/* What was dispatched last, beside the state and the reason. */
struct edge_told {
  int vote;
  bool by_range, answered;
};

/* What is known of a series. engine.judging */
struct edge_state {
  unsigned generation; /* of the target's rules that `verdict` is for */
  struct wr_verdict_rest verdict;
  struct wr_standing stands;
  bool stuck_told, stuck_said, coarse_told;
  double latency_s;
  struct edge_feed seen; /* at stands.judged_ms */
  struct wr_window_counts seen_counts;
  struct wr_trouble trouble;
  char *reason; /* of unknown, or what an alarm looks like; NULL: none */
  bool reason_told;
  unsigned alarmed; /* windows since the alarm began */
  struct wr_beat beat;
  struct edge_told values;
  uint64_t number; /* of the series, in the order in which they came */
  int64_t kept_us; /* end of the last window in CaptureDir; the worker's */
};

struct edge_series {
  atomic_int refs; /* the table's and one for each job */
  struct edge_target *target;
  /* In the same allocation: */
  char *host;
  char *instance; /* plugin_instance of the results */
  char *source;   /* plugin-instance/type-instance of what comes in */
  size_t waiting; /* windows in the queue; engine.lock */
  atomic_uint_least64_t errors[EDGE_ERRORS];
  /* target.lock: */
  bool refused; /* another series has its name: no window */
  int64_t retry_ms;
  struct wr_window *window;
  struct wr_steady clock;
  struct wr_stuck stuck;
  bool is_stuck;
  struct edge_feed feed;
  struct wr_plan plan;
  enum wr_plan_say say; /* at the newest sample */
  double scale;         /* of the ranges, for a live set point */
  struct edge_state state;
};

struct edge_job {
  struct wr_job queued; /* first */
  struct edge_series *series;
  size_t axes;
  int64_t end_us; /* time stamp of the newest sample */
  cdtime_t time;  /* the same, not rounded */
  bool restarted, stuck;
  enum wr_plan_say say;
  double scale;   /* of the ranges */
  size_t missing; /* values in front of the first sample, NaN */
  size_t count;   /* values of the window */
  size_t held;    /* places that hold samples, those before the window too */
  const double *features; /* the window, as measured, not scaled; the end of: */
  double values[];
};

/* Their values. */
static inline const double *edge_job_held(const struct edge_job *job) {
  return job->features + job->count - job->held * job->axes;
}

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

/* What the operator declares: see lib/flow/plan.h. */
struct edge_plan_options {
  char *label, *series; /* of <State>; NULL: none */
  double below;         /* the series says "off" below this */
  double max_flow;      /* that still counts as none; < 0: a part of nominal */
  char *setpoint;       /* NULL: none */
  int64_t settle;       /* samples that a declared change may take */
};

struct edge_options {
  char *url, *model;
  double nominal, threshold;
  double hysteresis;        /* at the edges of ranges, of `nominal` */
  double score_hysteresis;  /* for the label that is the state */
  double anomaly_threshold; /* < 0: the model's, where it has no labels */
  int need, of;
  int64_t release; /* 0: as many as `of` */
  double quantum;  /* what one pulse in one sample is worth; 0: seen */
  struct edge_plan_options plan;
  int policy, context;
  int64_t window, stride, max_gap;         /* window 0: the model's */
  int64_t interval_ms;                     /* 0: the model's */
  int64_t timeout_ms, forget_ms, stuck_ms; /* stuck 0: not watched */
  int64_t stale_ms;                        /* 0: three windows */
  int64_t heartbeat_ms;                    /* 0: with every window */
  char *instance;                          /* NULL: that of the series */
  int64_t queue_max, series_max, delay_ms;
  bool padding;
  bool verify_peer, verify_host, use_proxy;
  struct wr_http_proxy proxy; /* that of the environment, with UseProxy */
  char *ca_cert, *ca_path, *client_cert, *client_key;
  char *capture_dir; /* NULL: windows are not kept */
  bool capture_uncertain;
  int64_t capture_files, capture_bytes;
  char **expected; /* series that are known before they come */
  size_t expected_count;
  struct edge_axis *axes; /* none: every series is one of its own */
  size_t axis_count;
  struct edge_label_option *labels;
  size_t label_count;
  struct edge_range_option *ranges;
  size_t range_count;
};

/* What the options mean for one model. engine.judging */
struct edge_rules {
  unsigned generation; /* counts what was built */
  struct wr_labels labels;
  struct wr_labels before; /* those of the generation before */
  double thresholds[WR_LABELS_MAX];
  int severities[WR_LABELS_MAX]; /* NOTIF_... */
  int uncertain_severity, unknown_severity;
  bool alarming[WR_LABELS_MAX], calm[WR_LABELS_MAX];
  struct wr_range *ranges;
  struct wr_verdict_rules verdict;
};

struct edge_target {
  struct edge_target *next;
  struct edge_options o;
  struct edge_engine *engine;
  struct edge_rules rules;
  bool fits;    /* rules are for the model as it is now; engine.judging */
  bool misfits; /* they cannot be; engine.judging */
  struct wr_trouble misfit, crowd, pace, kind, disk;
  struct wr_capture *capture; /* the worker's */
  size_t axes;                /* at least 1 */
  /* For one window at a time; engine.judging: */
  struct wr_verdict verdict;
  struct wr_context minute;
  pthread_mutex_t lock;
  bool fitted;   /* shape is that of a model, not a guess */
  size_t holes;  /* series whose window waits for a late sample */
  uint64_t made; /* series there ever were */
  struct wr_window_options shape; /* of windows to be made */
  struct wr_table *series;
};

/* config.c: reads a block into a new target that stands beside `others` (a
 * list); NULL with the fault logged. */
struct edge_target *edge_target_create(const oconfig_item_t *ci,
                                       const struct edge_target *others,
                                       const struct edge_engine_calls *calls);
/* Samples that a first window has; 0: all. `m` NULL: not known yet. */
size_t edge_least(const struct edge_options *o, const struct wr_model *m);
void edge_target_destroy(struct edge_target *t); /* accepts NULL */

/* rules.c: labels, thresholds and ranges for `model` (NULL: ranges alone). 0;
 * on error, with a phrase in text, the rules are as before. engine.judging, or
 * while the configuration is read. */
int edge_rules_build(struct edge_target *t, const struct wr_model *model,
                     char *text, size_t size);
void edge_rules_free(struct edge_rules *r);
/* A phrase that says why the model does not fit the options, or NULL. */
const char *edge_rules_misfit(const struct edge_options *o,
                              const struct wr_model *model, char *text,
                              size_t size);
/* Logs what the options and the model leave open. False: a <Label> names
 * nothing there is. */
bool edge_rules_remarks(const struct edge_target *t,
                        const struct wr_model *model);
/* "uncertain" and "unknown" included. */
const char *edge_label_name(const struct edge_rules *r, int state);
const char *edge_label_id(const struct edge_rules *r, int state);

/* names.c: each name of results (host and plugin instance) has one series. Any
 * thread. */
/* How Instance, with its placeholders, names the results of `vl`. */
void edge_name_of(const struct edge_target *t, const value_list_t *vl,
                  char *out, size_t size);
/* False: a series with another source has it, told in other. */
bool edge_name_claim(struct edge_series *s, char *other, size_t size);
void edge_name_release(struct edge_series *s);
/* The parts of plugin-instance/type-instance, of a host. 0 or -EINVAL. */
int edge_name_parse(const char *name, const char *host, value_list_t *vl);

/* series.c */
/* target.lock is held. Whether a window now waits for a late sample: the watch
 * should look after it. */
bool edge_series_sample(struct edge_target *t, const value_list_t *vl,
                        double value);
/* Makes the series that are expected, and sees to it that none is forgotten.
 * target.lock is held; from the init callback on. */
void edge_series_expect(struct edge_target *t);
/* Gives up holes that waited too long, forgets what is silent. Takes
 * target.lock. True: there are holes left. */
bool edge_series_sweep(struct edge_target *t);
/* References to all series with a window, in *out, to be released and freed;
 * how many. Takes target.lock. */
size_t edge_series_list(struct edge_target *t, struct edge_series ***out);
/* It leaves its table: the name is free, the table's reference given back. */
void edge_series_leave(void *series);
/* This moment as the clock that stamps the series has it; takes target.lock. */
cdtime_t edge_series_time(struct edge_series *s, int64_t now_ms);
/* Gives back one reference. */
void edge_series_release(void *series);
void edge_job_free(struct edge_job *job);
/* Samples left out because MaxSeries was reached or the name was taken. */
extern atomic_uint_least64_t edge_left_out;

/* inputs.c: series of other plugins, by plugin-instance/type-instance. */
/* While the configuration is read: 0 or -1. */
int edge_input_want(const char *name);
/* The newest value of a host's series; NaN when there is none, or it is older
 * than two of its intervals. Any thread. */
double edge_input_newest(const char *host, const char *name);
int edge_input_start(void); /* from the init callback on; 0 or an error */
void edge_input_stop(void);

/* plan.c */
/* plugin[-instance]/type[-instance], as collectd writes it behind the host. */
bool edge_is_identifier(const char *name);
/* Reads <State>. */
int edge_plan_read_state(const char *where, const oconfig_item_t *ci,
                         void *target);
int edge_plan_check(const struct edge_options *o);
void edge_plan_free(struct edge_plan_options *p);
/* Is it one of the series that a declaration comes from? They are asked of the
 * cache, and never classified. */
bool edge_plan_is_input(const struct edge_options *o, const value_list_t *vl);
/* One sample of a series: sets say and scale. target.lock is held. */
void edge_plan_sample(struct edge_series *s, double flow);
/* Says once of a series that its sensor is coarse. engine.judging is held. */
void edge_plan_remark(struct edge_series *s);

/* state.c; engine.judging is held */
/* The rules may be others than those the state was made with. */
void edge_state_sync(struct edge_series *s);
struct edge_outcome {
  struct edge_series *series;
  cdtime_t time;
  const struct wr_answer *answer; /* NULL: the model is away */
  struct wr_decision decision;
  int shown, previous; /* the state as it is shown, and was before */
};
static inline const char *edge_reason(const struct edge_state *s) {
  return s->reason != NULL ? s->reason : "";
}
/* A window was judged. */
void edge_state_judged(const struct edge_job *job, struct edge_outcome *o);
/* A window was answered by the model (up) or not. */
void edge_state_answered(const struct edge_job *job, bool up, double latency_s);
/* Keeps notifications back for ms; 0: no longer. */
void edge_state_shelve(struct edge_series *s, int64_t ms, const char *why,
                       int64_t now_ms);
/* What time alone changes: unknown, health. Milliseconds to the next look. */
int64_t edge_state_review(struct edge_series *s, int64_t now_ms);
int64_t edge_stale_ms(const struct edge_target *t);

/* output.c; engine.judging is held */
void edge_output(const struct edge_outcome *o);
void edge_output_health(struct edge_series *s);
/* edge_left_out, as a value of this host. */
void edge_output_left_out(void);

/* notify.c; engine.judging is held */
void edge_notify_state(const struct edge_outcome *o);
/* ms 0: no longer shelved, and the state is told as it is now. */
void edge_notify_shelved(struct edge_series *s, int64_t ms, const char *why);
void edge_notify_stuck(struct edge_series *s, bool stuck, double value);

/* minute.c; engine.judging is held */
/* The minute that ends with a window, until the next call; NULL: not known. */
struct wr_context *edge_minute(const struct edge_job *job);

/* keep.c; the worker, with no lock held: it may wait for the disk. `scaled`:
 * the values as the model saw them. */
void edge_keep(const struct edge_job *job, const struct wr_decision *d,
               const double *scaled);

/* answer.c */
/* The model is known, perhaps another one than before. The worker. */
void edge_target_adopt(struct edge_target *t, const struct wr_model *model);
/* Answers one window, or counts why it has none. The worker. */
void edge_answer(struct edge_engine *e, struct edge_job *job);
/* The same without the model. engine.judging is held. */
void edge_answer_away(struct edge_job *job, enum edge_error kind);

/* tell.c: takes the notification, with its meta data. Any thread, never waits.
 */
void edge_tell(notification_t *n);
int edge_tell_start(void); /* 0 or -errno */
void edge_tell_stop(void);

/* shelf.c: from the init callback on. */
int edge_shelf_start(struct edge_target *all);

/* watch.c */
/* One thread for all targets; from the init callback on. 0 or -errno. */
int edge_watch_start(struct edge_target *targets);
void edge_watch_stop(void);
void edge_watch_wake(void); /* any thread */

#endif
