/* steady: time stamps of a series that jumps of the clock do not touch. Pure.
 *
 * Windows need to know how far samples lie apart; the wall clock, which stamps
 * them, jumps by seconds, hours and years, both ways. While samples come at the
 * pace that their stamps claim (three in a row: a live series), a stamp that
 * disagrees with the arrival by two intervals or more is suspect and its
 * sample left out; if the next one goes on from there, the clock has jumped,
 * and the series goes on where it was, with one place to fill. A stray sample
 * of a delayed thread, or a single wild stamp, so changes nothing. Samples that
 * are merely late, in a burst after a pause, are believed; so are those of a
 * series that is not live, as a recording played in fast time. Times: stamps in
 * microseconds, arrival in monotonic milliseconds. Threads: none of its own.
 * Start with {0}. */
#ifndef WR_STEADY_H
#define WR_STEADY_H

#include <stdbool.h>
#include <stdint.h>

struct wr_steady {
  bool running, suspects;
  int live;          /* samples in a row at the pace of their stamps */
  int64_t offset_us; /* what all jumps so far add up to */
  int64_t time_us, arrived_ms;       /* of the newest one believed */
  int64_t suspect_us, suspect_at_ms; /* of the one left out before */
  uint64_t jumps;                    /* of the clock, so far */
};

/* True and *steady_us, a stamp on the time scale of the series; false: leave
 * this sample out. interval_us: between two samples. */
bool wr_steady_step(struct wr_steady *s, int64_t time_us, int64_t arrived_ms,
                    int64_t interval_us, int64_t *steady_us);
/* The stamp that the clock, as it goes now, would have given. */
static inline int64_t wr_steady_wall(const struct wr_steady *s,
                                     int64_t steady_us) {
  return steady_us - s->offset_us;
}

/* Is the stamp of a sample that arrives now by our own clock? Then what is said
 * without a sample, later, is stamped by that clock as it goes then; else by
 * the source's. */
#define WR_STEADY_OWN_US 60000000
static inline bool wr_steady_is_own(int64_t time_us, int64_t wall_us) {
  int64_t off_us = time_us - wall_us;
  return off_us < WR_STEADY_OWN_US && off_us > -WR_STEADY_OWN_US;
}

#endif
