#include "lib/cloud/arrival.h"

#include <string.h>

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
  if (s->count == 0 ||
      distance(clock_us, s->eras[0].clock_us) > WR_ARRIVAL_STEP_US) {
    struct wr_era era = {clock_us, s->count == 0 ? mono_us : s->looked_us,
                         mono_us};
    s->count += s->count < WR_ARRIVAL_ERAS;
    memmove(s->eras + 1, s->eras, (size_t)(s->count - 1) * sizeof(era));
    s->eras[0] = era;
  }
  s->looked_us = mono_us;
}

/* How far an instant lies outside of a stretch; 0: in it. */
static int64_t outside(int64_t at_us, int64_t from_us, int64_t to_us) {
  return at_us < from_us ? from_us - at_us : at_us > to_us ? at_us - to_us : 0;
}

int64_t wr_stamps_clock(struct wr_stamps *s, int64_t time_us, int64_t mono_us,
                        int64_t wall_us) {
  wr_stamps_look(s, mono_us, wall_us);
  int best = 0;
  int64_t best_us = 0, least_us = INT64_MAX;
  int64_t end_us = mono_us + WR_ARRIVAL_STEP_US;
  for (int i = 0; i < s->count; i++) {
    int64_t at_us = time_us - s->eras[i].clock_us;
    int64_t off_us =
        outside(at_us, s->eras[i].before_us - WR_ARRIVAL_LAG_US, end_us);
    if (off_us < least_us || (off_us == least_us && at_us > best_us)) {
      best = i;
      best_us = at_us;
      least_us = off_us;
    }
    end_us = s->eras[i].from_us;
  }
  return s->eras[best].clock_us;
}
