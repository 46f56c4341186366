/* stuck: a sensor that says the same for too long. Pure.
 *
 * Water at rest is a steady zero, so zero never counts; ten identical readings
 * of a coarse sensor are normal, so the time has to be long (60 s).
 * Threads: none of its own. Start with {0}. */
#ifndef WR_STUCK_H
#define WR_STUCK_H

#include <stdbool.h>
#include <stdint.h>

struct wr_stuck {
  double value;
  int64_t since_us; /* time stamp of the first of the identical readings */
  bool known;
};

/* One reading; NaN is ignored. True: the same non-zero value for at least
 * after_us. A clock that goes back starts the count anew. */
bool wr_stuck_step(struct wr_stuck *s, int64_t time_us, double value,
                   int64_t after_us);

#endif
