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

void wr_stamps_look(struct wr_stamps *s, int64_t mono_us, int64_t wall_us) {
  int64_t clock_us = wall_us - mono_us;
  if (distance(clock_us, s->clock_us) > WR_ARRIVAL_STEP_US) {
    s->before_us = s->clock_us;
    s->clock_us = clock_us;
    s->kept_us = s->looked_us;
    s->set_us = mono_us;
  }
  s->looked_us = mono_us;
}

int64_t wr_stamps_clock(struct wr_stamps *s, int64_t time_us, int64_t mono_us,
                        int64_t wall_us) {
  wr_stamps_look(s, mono_us, wall_us);
  /* When it was stamped, by either clock. */
  int64_t now_us = time_us - s->clock_us, then_us = time_us - s->before_us;
  bool by_now = now_us >= s->kept_us && now_us <= mono_us + WR_ARRIVAL_STEP_US;
  bool by_then = s->before_us != 0 && then_us <= s->set_us;
  if (by_now != by_then || s->before_us == 0)
    return by_then ? s->before_us : s->clock_us;
  return distance(mono_us, then_us) < distance(mono_us, now_us) ? s->before_us
                                                                : s->clock_us;
}
