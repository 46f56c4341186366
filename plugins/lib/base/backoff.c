#include "lib/base/backoff.h"

int64_t wr_backoff_fail(struct wr_backoff *b, int64_t now_ms, uint32_t random,
                        int64_t at_least_ms) {
  int64_t top = b->base_ms;
  for (unsigned i = 0; i < b->failures && top < b->cap_ms; i++)
    top *= 2;
  if (top > b->cap_ms)
    top = b->cap_ms;
  if (top < b->min_ms)
    top = b->min_ms;
  uint64_t span = (uint64_t)(top - b->min_ms) + 1;
  int64_t wait = b->min_ms + (int64_t)((span * random) >> 32);
  if (wait < at_least_ms)
    wait = at_least_ms;
  if (b->failures < UINT32_MAX)
    b->failures++;
  b->earliest_ms = now_ms + wait;
  return wait;
}

void wr_backoff_ok(struct wr_backoff *b) {
  b->failures = 0;
  b->earliest_ms = 0;
}

int64_t wr_backoff_wait(const struct wr_backoff *b, int64_t now_ms) {
  return b->earliest_ms > now_ms ? b->earliest_ms - now_ms : 0;
}
