/* flow_baseline: what the parts of target_flow_baseline.so share.
 *
 *   invoke() --series: one step--> values
 *                      \--event--> worker --> notifications
 *   worker: what became silent, the state file, commands' answers
 *
 * Who calls whom: target -> command -> worker -> store, say, values; all of
 * them -> config -> series -> names. A target is one <Target "flow_baseline">
 * block.
 *
 * Locks: target.lock guards all of a target but its options. Nothing is
 * dispatched and nothing touches the disk while it is held; the one worker
 * serves all targets. What is marked "worker" belongs to it alone. */
#ifndef WR_FLOW_BASELINE_H
#define WR_FLOW_BASELINE_H

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/plugin.h"

#include "glue/clock.h"
#include "glue/report.h"
#include "lib/base/table.h"
#include "lib/flow/baseline.h"

#include <pthread.h>

#define FB_PLUGIN "flow_baseline"
#define FB_WHERE "target_flow_baseline plugin"
#define FB_META_STATE "flow_baseline:state"
#define FB_META_DEVIATION "flow_baseline:deviation"

/* Litres: what the unit of a series is a flow by. */
enum fb_litres { FB_AUTO, FB_OFF, FB_SECOND, FB_MINUTE, FB_HOUR };

struct fb_options {
  char *instance;
  int64_t learn_ms, hold_ms;     /* these six 0: not given */
  double band, follow, day_band; /* per cent */
  double spread;
  double nominal, low, high; /* 0: not given */
  double constant;           /* pulses per litre; 0: not given */
  char *setpoint;            /* plugin-instance/type-instance; NULL: none */
  int litres;                /* enum fb_litres */
  int severity;              /* index into failure, warning, okay */
  char *state_file;
  int64_t save_ms, stale_ms, forget_ms, interval_ms, series_max;
};

enum fb_command { FB_NONE, FB_RESET, FB_CONFIRM, FB_FORGET, FB_TOO_EARLY };
#define FB_SHOW 8 /* beside wr_baseline_event: dispatch its values */

struct fb_series {
  struct wr_baseline b;
  int64_t seen_ms;         /* monotonic: its newest sample */
  int64_t out_ms;          /* values were dispatched; 0: never */
  double out_s;            /* the same, age of the series */
  cdtime_t time, interval; /* of the newest sample */
  struct fb_series *next;  /* of those the worker has to look at */
  uint8_t events;          /* bits that the worker has not seen */
  bool queued;
  bool unknown;   /* silent for too long */
  bool forgotten; /* the worker takes it out */
  bool told_unknown;
  bool told_trend; /* a forecast of this alarm */
  uint8_t told;    /* enum wr_baseline_state */
  int8_t told_direction;
  double told_s;               /* age of the series then */
  bool litres;                 /* its litres are counted */
  uint8_t done;                /* enum fb_command to be answered */
  const char *host, *instance; /* of the results */
  const char *source;          /* key, as fb_key() makes it */
  size_t source_len;
  char names[]; /* host, instance, and the five of the source */
};

/* A name as wr_table wants it: host, plugin, instance, type, instance, each
 * with its NUL. */
#define FB_KEY_MAX (5 * DATA_MAX_NAME_LEN)
size_t fb_key(const value_list_t *vl, char key[FB_KEY_MAX]);

struct fb_target {
  struct fb_target *next;
  struct fb_options o;
  struct wr_baseline_rules rules[2]; /* of series without, with litres */
  pthread_mutex_t lock;
  struct wr_table *series, *setpoints;
  struct fb_series *first; /* the worker has to look at these */
  size_t forgotten;        /* series that are marked so */
  struct wr_trouble crowd, kind, twice, disk;
  int64_t saved_ms; /* worker */
  bool dirty;       /* worker: something is to be saved now */
};

/* config.c: owns the list, which is made while the configuration is read. */
extern struct fb_target *fb_targets;
/* A new target, in the list; NULL with the fault logged. */
struct fb_target *fb_target_create(const oconfig_item_t *ci);
void fb_target_destroy(struct fb_target *t); /* accepts NULL */

/* series.c; target.lock is held, except where it says so */
/* One value of the chain. True: *view is to be dispatched for *s, a copy of
 * which the caller gets. */
struct fb_report {
  struct wr_baseline_view view;
  struct wr_forecast forecast;
  struct wr_totals totals;
  char host[DATA_MAX_NAME_LEN], instance[DATA_MAX_NAME_LEN];
  cdtime_t time, interval;
  bool unknown, litres;
};
bool fb_series_value(struct fb_target *t, const value_list_t *vl, double value,
                     struct fb_report *report);
/* A new one with a name of its own; NULL with the reason said. */
struct fb_series *fb_series_add(struct fb_target *t, const value_list_t *vl,
                                int64_t now_ms);
void fb_series_free(void *series); /* the table's */
/* The worker has to look at it. */
void fb_series_queue(struct fb_target *t, struct fb_series *s, unsigned events);
void fb_series_report(const struct fb_target *t, const struct fb_series *s,
                      bool forecast, struct fb_report *report);

/* It is taken out when nobody waits for the worker's look at it. */
void fb_series_forget(struct fb_target *t, struct fb_series *s);

/* names.c: one owner for each output name. Any thread. False: it is another's,
 * whose key and length are written, or 0 where memory is short. */
bool fb_name_claim(const struct fb_series *s, char key[FB_KEY_MAX],
                   size_t *len);
/* plugin-instance/type-instance out of a key. */
void fb_source_text(const char *key, char *out, size_t size);
void fb_name_release(const struct fb_series *s);

/* values.c; no lock is held */
const char *fb_state_name(const struct fb_report *r);
void fb_values(const struct fb_report *r);

/* say.c; no lock is held. Dispatches one notification. */
void fb_say_state(const struct fb_target *t, const struct fb_report *r,
                  enum wr_baseline_state before, double before_s);
void fb_say_point(const struct fb_report *r);
void fb_say_done(const struct fb_report *r, enum fb_command command);

/* store.c; target.lock is not held */
void fb_store_load(struct fb_target *t);
void fb_store_save(struct fb_target *t);

/* command.c: collectd's notification callback. */
int fb_command(const notification_t *n, user_data_t *unused);

/* worker.c */
int fb_worker_start(void); /* 0 or -errno */
void fb_worker_wake(void);
void fb_worker_stop(void); /* waits for its end */

#endif
