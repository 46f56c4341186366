#include "lib/flow/steady.h"

#define LIVE 3

static bool believe(struct wr_steady *s, int64_t time_us, int64_t arrived_ms,
                    int64_t *steady_us) {
  s->running = true;
  s->suspects = false;
  s->time_us = time_us;
  s->arrived_ms = arrived_ms;
  *steady_us = time_us + s->offset_us;
  return true;
}

/* The clock has jumped: the series goes on at its own pace. */
static bool jump(struct wr_steady *s, int64_t time_us, int64_t arrived_ms,
                 int64_t *steady_us) {
  int64_t passed_us = (arrived_ms - s->arrived_ms) * 1000;
  s->offset_us += s->time_us + passed_us - time_us;
  s->jumps++;
  return believe(s, time_us, arrived_ms, steady_us);
}

static int64_t distance(int64_t a, int64_t b) { return a > b ? a - b : b - a; }

/* This one goes on from where the last suspect was. */
static bool goes_on(const struct wr_steady *s, int64_t time_us,
                    int64_t arrived_ms, int64_t interval_us) {
  return s->suspects && time_us > s->suspect_us &&
         distance(time_us - s->suspect_us,
                  (arrived_ms - s->suspect_at_ms) * 1000) < interval_us;
}

bool wr_steady_step(struct wr_steady *s, int64_t time_us, int64_t arrived_ms,
                    int64_t interval_us, int64_t *steady_us) {
  if (!s->running)
    return believe(s, time_us, arrived_ms, steady_us);
  int64_t claimed_us = time_us - s->time_us;
  int64_t passed_us = (arrived_ms - s->arrived_ms) * 1000;
  int64_t off_us = distance(claimed_us, passed_us);
  if (off_us * 2 >= 3 * interval_us &&
      goes_on(s, time_us, arrived_ms, interval_us))
    return jump(s, time_us, arrived_ms, steady_us);
  bool fits = claimed_us * 2 >= -3 * interval_us &&
              claimed_us <= passed_us + 2 * interval_us;
  if (fits || s->live < LIVE) {
    if (off_us * 2 >= interval_us)
      s->live = 0;
    else if (s->live < LIVE)
      s->live++;
    return believe(s, time_us, arrived_ms, steady_us);
  }
  s->suspects = true;
  s->suspect_us = time_us;
  s->suspect_at_ms = arrived_ms;
  return false;
}
