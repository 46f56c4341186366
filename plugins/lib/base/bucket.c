#include "lib/base/bucket.h"

#include <math.h>

void wr_bucket_init(struct wr_bucket *b, double per_s, double burst,
                    int64_t now_ms) {
  *b = (struct wr_bucket){
      .per_s = per_s, .burst = burst, .tokens = burst, .last_ms = now_ms};
}

int64_t wr_bucket_take(struct wr_bucket *b, int64_t now_ms) {
  if (now_ms > b->last_ms) {
    b->tokens += (double)(now_ms - b->last_ms) / 1000.0 * b->per_s;
    if (b->tokens > b->burst)
      b->tokens = b->burst;
  }
  b->last_ms = now_ms;
  /* A whole token is often reached by sums of fractions: allow their error. */
  if (b->tokens >= 1.0 - 1e-9) {
    b->tokens -= 1.0;
    return 0;
  }
  int64_t wait = (int64_t)ceil((1.0 - b->tokens) / b->per_s * 1000.0 - 1e-6);
  return wait < 1 ? 1 : wait;
}
