/* pace: how much time lies between two samples of a series, and what to think
 * of it. Pure.
 *
 * Order is the order of arrival. Time stamps give distances only, because
 * clocks jump both ways; the monotonic clock says which of two stories is true
 * when a time stamp jumps:
 *
 *   WR_PACE_NEXT   the usual case: dt_s seconds after the one before
 *   WR_PACE_LATE   older by a little (write threads overtake each other), or
 *                  the clock went back by a little: its value counts, its
 *                  time, which has passed already, does not: dt_s is 0
 *   WR_PACE_SAME   the same time stamp again: a duplicate, to be dropped
 *   WR_PACE_CLOCK  the stamp jumped while next to no time passed: the clock was
 *                  set; dt_s is one interval
 *   WR_PACE_GAP    dt_s seconds really passed without a sample
 *
 * Recordings may be replayed faster than real time: a distance below the gap
 * limit is always believed. After a restart only the stamps are there to tell.
 * Threads: none of its own. Start with {0}. */
#ifndef WR_PACE_H
#define WR_PACE_H

#include <stdint.h>

#define WR_PACE_GAP_S 60.0  /* or 10 intervals: longer is a gap */
#define WR_PACE_LATE_S 10.0 /* or 3 intervals: earlier is another clock */
#define WR_PACE_MAX_S 3.2e7 /* a year: no gap counts for more */

enum wr_pace_kind {
  WR_PACE_NEXT,
  WR_PACE_LATE,
  WR_PACE_SAME,
  WR_PACE_CLOCK,
  WR_PACE_GAP
};

struct wr_pace {
  int64_t time_us; /* stamp of the newest sample; 0: none yet */
  int64_t now_ms;  /* monotonic, when it came; 0: before a restart */
};

/* `interval_s` is what the source says of itself, above 0. The first sample is
 * WR_PACE_NEXT with one interval. */
enum wr_pace_kind wr_pace_step(struct wr_pace *p, int64_t time_us,
                               int64_t now_ms, double interval_s, double *dt_s);

#endif
