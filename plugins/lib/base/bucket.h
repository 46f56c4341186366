/* bucket: a token bucket. Holds `burst` tokens at most, gains per_s a second.
 *
 * Example: per_s 1, burst 2 at t=0: two takes succeed, the third is told
 * 1000 ms; at t=500 it is told 500 ms. Time is a parameter (monotonic); time
 * that goes backwards gains nothing. Threads: none of its own. */
#ifndef WR_BUCKET_H
#define WR_BUCKET_H

#include <stdint.h>

struct wr_bucket {
  double per_s;
  double burst;
  double tokens;
  int64_t last_ms;
};

/* Starts full. */
void wr_bucket_init(struct wr_bucket *b, double per_s, double burst,
                    int64_t now_ms);
/* Takes one token and returns 0, or takes none and returns the milliseconds
 * (at least 1) until one will be there. */
int64_t wr_bucket_take(struct wr_bucket *b, int64_t now_ms);

#endif
