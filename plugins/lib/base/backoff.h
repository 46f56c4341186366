/* backoff: how long to wait before the next try; full jitter with a cap.
 *
 * The n-th failure in a row draws a wait evenly from
 * [min_ms, min(cap_ms, base_ms * 2^(n-1))]. Full jitter spreads a fleet that
 * lost its server at one moment. Randomness is a parameter: tests are exact.
 * Threads: none of its own. */
#ifndef WR_BACKOFF_H
#define WR_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct wr_backoff {
  int64_t min_ms;
  int64_t base_ms;
  int64_t cap_ms;
  unsigned failures;   /* in a row */
  int64_t earliest_ms; /* monotonic: no try before this */
};

#define WR_BACKOFF_INIT(min, base, cap)                                        \
  { .min_ms = (min), .base_ms = (base), .cap_ms = (cap) }

/* Notes a failure at now_ms. `random` is uniform over all 32 bits; a server's
 * own Retry-After (at_least_ms, 0: none) is honoured even beyond the cap.
 * Returns the wait in milliseconds. */
int64_t wr_backoff_fail(struct wr_backoff *b, int64_t now_ms, uint32_t random,
                        int64_t at_least_ms);
void wr_backoff_ok(struct wr_backoff *b);
/* Milliseconds until the next try is due; 0: now. */
int64_t wr_backoff_wait(const struct wr_backoff *b, int64_t now_ms);

#endif
