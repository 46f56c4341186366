/* beat: something that is told when it changes, and else every now and then.
 *
 * What stands still is repeated on a grid of its own, so that many of them do
 * not speak at once; two instants are never farther apart than the distance and
 * the time between two looks. Times: monotonic ms. Threads: none of its own. */
#ifndef WR_BEAT_H
#define WR_BEAT_H

#include <stdbool.h>
#include <stdint.h>

struct wr_beat {
  int64_t every_ms; /* 0: at every look */
  int64_t phase_ms; /* of its grid */
  int64_t slot;     /* of the grid, that was told last */
};

/* The n-th of many has this part of the distance; they are spread evenly,
 * however many come. */
int64_t wr_beat_phase(int64_t every_ms, uint64_t n);
void wr_beat_init(struct wr_beat *b, int64_t every_ms, uint64_t n);
/* Whether it is to be told now; counted as told then. `changed`: it is not what
 * was told last. */
bool wr_beat_due(struct wr_beat *b, bool changed, int64_t now_ms);

#endif
