/* clock: where lib gets its time and its randomness from. Any thread. */
#ifndef WR_CLOCK_H
#define WR_CLOCK_H

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/utils_time.h"

#include <pthread.h>

int64_t wr_clock_ms(void);      /* monotonic milliseconds, for intervals */
int64_t wr_clock_us(void);      /* monotonic microseconds, for latencies */
uint32_t wr_clock_random(void); /* from the kernel, all 32 bits */

/* A condition whose pthread_cond_timedwait() goes by the monotonic clock, and
 * the moment for it: in ms from now. */
void wr_clock_cond_init(pthread_cond_t *cond);
struct timespec wr_clock_in(int64_t ms);

/* collectd counts in 2^-30 s since the epoch; lib in microseconds. */
static inline int64_t wr_us_from_cdtime(cdtime_t t) {
  return (int64_t)CDTIME_T_TO_US(t);
}
static inline cdtime_t wr_cdtime_from_us(int64_t us) {
  return US_TO_CDTIME_T(us);
}

#endif
