/* How long a value stands for what is so now. */
#include "cloud.h"

/* A value is current for three intervals, a label is believed for five; at
 * least for half a minute. */
#define ALIVE_INTERVALS 3
#define AGE_INTERVALS 5
#define ALIVE_MIN_MS 30000
#define AGE_AT_START_MS 60000 /* before the first one */

static int64_t age_limit(const struct property *p, int intervals) {
  int64_t limit_ms = intervals * p->interval_ms;
  return limit_ms > ALIVE_MIN_MS ? limit_ms : ALIVE_MIN_MS;
}

bool cloud_is_alive(const struct property *p, int64_t now_ms) {
  return p->unknown || (p->heard_ms != 0 &&
                        now_ms - p->heard_ms <= age_limit(p, ALIVE_INTERVALS));
}

bool cloud_is_too_old(const struct thing *t, const struct property *p,
                      int64_t now_ms) {
  int64_t since_ms = p->heard_ms != 0 ? p->heard_ms : t->start_ms;
  int64_t limit_ms = p->age_ms > 0      ? p->age_ms
                     : p->heard_ms == 0 ? AGE_AT_START_MS
                                        : age_limit(p, AGE_INTERVALS);
  return p->age_ms != 0 && !p->unknown && now_ms - since_ms > limit_ms;
}
