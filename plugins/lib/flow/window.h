/* window: the last samples of one series, on an even time grid.
 *
 * Samples are sorted by their own time stamps, so the windows do not depend
 * on the order in which threads hand them in. A window is given out at the
 * moment its last sample is there; only a hole makes it wait, for the late
 * sample, at most late_ms (checked at the next push or wr_window_tick()).
 *
 *   missing samples   up to max_gap in a row hold the last value; more restart
 *   NaN, infinities   count as missing; so do times before 1970 or beyond
 *                     WR_WINDOW_TIME_US
 *   a time stamp seen before, or less than half an interval after the last
 *                     is a duplicate and dropped
 *   older than what was given out   late and dropped; two rising ones in a
 *                     row mean that the clock went back: restart
 *   a jump forwards   is a gap like any other
 *
 * A sample up to 3/4 of an interval late still takes its own place: slow
 * reads do not look like a gap followed by a duplicate. The grid follows the
 * samples by an eighth of what they are off. The first of them wait for each
 * other, as many as a window needs but 15 at most.
 * Several axes: axis 0 gives the time grid; each other axis contributes its
 * newest sample within half an interval, else its last one if that is at
 * most max_gap intervals older; of two places it lies exactly between it is
 * the first one's. Windows are interleaved: s0a0 s0a1 s1a0 ...
 * Memory is fixed at creation, but for up to 16 samples of an axis that have to
 * wait; where there is none for them they count as late. Threads: none of its
 * own; the caller locks. */
#ifndef WR_WINDOW_H
#define WR_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WR_WINDOW_AXES 16      /* most axes */
#define WR_WINDOW_VALUES 65536 /* most samples x axes */
#define WR_WINDOW_PENDING 16   /* most samples of an axis that wait */
#define WR_WINDOW_TIME_US (INT64_MAX / 4) /* sums of times cannot overflow */

struct wr_window_options {
  size_t samples; /* of one axis in a window */
  size_t axes;
  size_t stride;       /* new samples from one window to the next */
  int64_t interval_us; /* between two samples */
  size_t max_gap;
  int64_t late_ms;
  size_t least; /* samples in the first window; 0: all. In front of fewer
                 * stand NaN */
  size_t kept;  /* places that are remembered; less than a window: that */
};

struct wr_window_counts {
  uint64_t filled;    /* places that hold the last value */
  uint64_t late;      /* samples that came after their window */
  uint64_t duplicate; /* samples for a place already taken */
  uint64_t invalid;   /* NaN and infinities */
  uint64_t restarts;  /* gaps and clock jumps that emptied the window */
};

struct wr_window;

/* Called for each full window, in order of time. end_us is the time stamp of
 * its newest sample. `restarted`: the first one after a restart. It may call
 * wr_window_copy() only. */
typedef void (*wr_window_fn)(void *arg, const struct wr_window *w,
                             int64_t end_us, bool restarted);

/* NULL when memory is short or an option is out of range. */
struct wr_window *wr_window_create(const struct wr_window_options *options);
void wr_window_destroy(struct wr_window *w); /* accepts NULL */

/* One sample; calls `full` zero or more times before it returns. */
void wr_window_push(struct wr_window *w, size_t axis, int64_t time_us,
                    double value, int64_t now_ms, wr_window_fn full, void *arg);
/* Gives up holes that are older than late_ms; as push. */
void wr_window_tick(struct wr_window *w, int64_t now_ms, wr_window_fn full,
                    void *arg);
/* True while a hole is kept open: a tick will be needed. */
bool wr_window_waits(const struct wr_window *w);

/* As it was made. */
const struct wr_window_options *wr_window_shape(const struct wr_window *w);
/* Places taken since the beginning, those of gaps too: what is new from one
 * window to another is the difference. */
uint64_t wr_window_taken(const struct wr_window *w);
/* Places of a window that hold samples; the others come first. */
size_t wr_window_fill(const struct wr_window *w);
/* Places, of those that are kept, that hold samples. */
size_t wr_window_held(const struct wr_window *w);
/* All samples x axes values into out, oldest first; NaN where there has been
 * no sample yet. */
void wr_window_copy(const struct wr_window *w, double *out);
/* The same of the newest places, of those that are kept. */
void wr_window_newest(const struct wr_window *w, size_t places, double *out);
const struct wr_window_counts *wr_window_counts(const struct wr_window *w);

#endif
