/* sample_clock: sampling instants that do not drift.
 *
 * The instants are start + k * interval for ever; a late turn does not move
 * the later ones, and instants that have passed meanwhile are skipped and
 * counted, never made up for. Example: interval 1 s, started at 10.0 s, first
 * turn at 10.0 (next 11.0), then at 13.2: two are skipped (11.0 serves as the
 * turn, 12.0 and 13.0 are lost), next 14.0. Time is a parameter, monotonic
 * microseconds. Threads: none of its own. */
#ifndef WR_SAMPLE_CLOCK_H
#define WR_SAMPLE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct wr_sample_clock {
  int64_t interval_us;
  int64_t next_us;
  uint64_t skipped;
};

/* The first instant is now. */
void wr_sample_clock_start(struct wr_sample_clock *c, int64_t interval_us,
                           int64_t now_us);
/* True once per instant that has come. */
bool wr_sample_clock_due(struct wr_sample_clock *c, int64_t now_us);

#endif
