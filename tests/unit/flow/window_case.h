/* window_case: samples of second after second, and the windows that come of
 * them. */
#ifndef WEIR_TESTS_WINDOW_CASE_H
#define WEIR_TESTS_WINDOW_CASE_H

#include "lib/flow/window.h"

#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

#define S INT64_C(1000000) /* one second */
#define T0 (INT64_C(1700000000) * S)
#define MOST 64

/* What came out: each window as its values, end and restart mark. */
struct log {
  size_t size; /* values of one window */
  size_t missing[MOST];
  size_t count;
  double values[MOST][32];
  int64_t ends[MOST];
  bool restarted[MOST];
};

static inline void keep(void *arg, const struct wr_window *w, int64_t end_us,
                        bool restarted) {
  struct log *l = arg;
  if (l->count == MOST)
    return;
  wr_window_copy(w, l->values[l->count]);
  l->missing[l->count] = l->size - wr_window_fill(w);
  l->ends[l->count] = end_us;
  l->restarted[l->count++] = restarted;
}

static inline struct wr_window_options usual(size_t samples) {
  return (struct wr_window_options){.samples = samples,
                                    .axes = 1,
                                    .stride = 1,
                                    .interval_us = S,
                                    .max_gap = 1,
                                    .late_ms = 250};
}

struct rig {
  struct wr_window *w;
  struct log log;
  int64_t now_ms;
};

static inline void begin(struct rig *r, struct wr_window_options o) {
  memset(r, 0, sizeof(*r));
  r->w = wr_window_create(&o);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r->w);
  r->log.size = o.samples * o.axes;
}

static inline void axis_at(struct rig *r, size_t axis, double seconds,
                           double value) {
  wr_window_push(r->w, axis, T0 + (int64_t)llround(seconds * 1e6), value,
                 r->now_ms, keep, &r->log);
}

static inline void at(struct rig *r, double seconds, double value) {
  axis_at(r, 0, seconds, value);
}

/* Samples whose value is their second, one for each entry; -1 ends. */
static inline void feed(struct rig *r, const double *seconds) {
  for (; *seconds >= 0; seconds++)
    at(r, *seconds, floor(*seconds + 0.5));
}

static inline void patience_ends(struct rig *r) {
  r->now_ms += 1000;
  wr_window_tick(r->w, r->now_ms, keep, &r->log);
}

static inline bool window_is(const struct rig *r, size_t index,
                             const double *want) {
  if (index >= r->log.count)
    return false;
  return memcmp(r->log.values[index], want, r->log.size * sizeof(*want)) == 0;
}

static inline const struct wr_window_counts *counts(const struct rig *r) {
  return wr_window_counts(r->w);
}

#endif
