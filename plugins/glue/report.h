/* report: what a plugin tells its operator: metrics, and trouble without
 * flooding the log. */
#ifndef WR_REPORT_H
#define WR_REPORT_H

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/plugin.h"

#include <pthread.h>

/* Where a value goes; NULL stands for "". `host` NULL or "": this host.
 * `time` 0: now; `interval` is required, because most of our threads have
 * none of their own. `meta` is copied, may be NULL. */
struct wr_metric {
  const char *host;
  const char *plugin;
  const char *plugin_instance;
  const char *type;
  const char *type_instance;
  cdtime_t time;
  cdtime_t interval;
  meta_data_t *meta;
};

/* Hand one value to collectd; never wait. Any thread. */
void wr_metric_gauge(const struct wr_metric *m, double value);
void wr_metric_derive(const struct wr_metric *m, int64_t value);

/* As plugin_log(), with numbers written the same in any locale. */
void wr_say(int severity, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One thing that can be broken. Logs when it breaks, again at 1, 2, 4 ... 1440
 * minutes while it stays so, and once when it is well, with how long it took.
 * Any thread; initialise with WR_TROUBLE_INIT. */
struct wr_trouble {
  pthread_mutex_t lock;
  int64_t since_ms; /* 0: all is well */
  int64_t next_ms;
  int64_t distance_ms;
};

#define WR_TROUBLE_INIT                                                        \
  { .lock = PTHREAD_MUTEX_INITIALIZER }

/* Returns true when this call is the one that began the trouble. */
bool wr_trouble_begin(struct wr_trouble *t, int64_t now_ms, int severity,
                      const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Whether there is trouble: spares the text for wr_trouble_end(). */
bool wr_trouble_stands(struct wr_trouble *t);
/* Logs "<what> again, after <duration>." at INFO and returns true, if there was
 * trouble. `what` reads like: m4_rpc plugin: M4 "pump" answers */
bool wr_trouble_end(struct wr_trouble *t, int64_t now_ms, const char *what);

#endif
