#include "lib/cloud/arrival.h"

static int64_t limit_ms(const struct wr_age *a, int intervals) {
  int64_t ms = intervals * a->interval_ms;
  return ms > WR_ARRIVAL_LEAST_MS ? ms : WR_ARRIVAL_LEAST_MS;
}

void wr_age_heard(struct wr_age *a, int64_t interval_ms, int64_t now_ms) {
  a->heard_ms = now_ms;
  a->interval_ms = interval_ms;
  a->unknown = false;
}

bool wr_age_alive(const struct wr_age *a, int64_t now_ms) {
  return a->unknown || (a->heard_ms != 0 &&
                        now_ms - a->heard_ms <= limit_ms(a, WR_ARRIVAL_ALIVE));
}

bool wr_age_over(struct wr_age *a, int64_t start_ms, int64_t now_ms) {
  int64_t since_ms = a->heard_ms != 0 ? a->heard_ms : start_ms;
  int64_t most_ms = a->limit_ms > 0    ? a->limit_ms
                    : a->heard_ms == 0 ? WR_ARRIVAL_START_MS
                                       : limit_ms(a, WR_ARRIVAL_BELIEVED);
  bool over = a->limit_ms != 0 && !a->unknown && now_ms - since_ms > most_ms;
  a->unknown |= over;
  return over;
}

static int64_t distance(int64_t a, int64_t b) { return a > b ? a - b : b - a; }

int64_t wr_stamps_clock(struct wr_stamps *s, int64_t time_us, int64_t mono_us,
                        int64_t wall_us) {
  int64_t clock_us = wall_us - mono_us;
  if (distance(clock_us, s->clock_us) > WR_ARRIVAL_STEP_US) {
    s->before_us = s->clock_us;
    s->clock_us = clock_us;
  }
  bool before =
      s->before_us != 0 && distance(mono_us + s->before_us, time_us) <
                               distance(mono_us + s->clock_us, time_us);
  return before ? s->before_us : s->clock_us;
}
