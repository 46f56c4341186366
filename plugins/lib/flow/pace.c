#include "lib/flow/pace.h"

#include <math.h>

static enum wr_pace_kind judge(const struct wr_pace *p, int64_t time_us,
                               int64_t now_ms, double interval_s,
                               double *dt_s) {
  double gap_s = fmax(WR_PACE_GAP_S, 10 * interval_s);
  double stamp_s = (double)(time_us - p->time_us) / 1e6;
  *dt_s = interval_s;
  if (p->time_us == 0)
    return WR_PACE_NEXT;
  if (stamp_s == 0)
    return WR_PACE_SAME;
  double passed_s =
      p->now_ms == 0 ? stamp_s : (double)(now_ms - p->now_ms) / 1e3;
  if (passed_s > gap_s) { /* whatever the stamps say */
    *dt_s = fmin(passed_s, WR_PACE_MAX_S);
    return WR_PACE_GAP;
  }
  if (stamp_s > gap_s || stamp_s < -fmax(WR_PACE_LATE_S, 3 * interval_s))
    return WR_PACE_CLOCK;
  *dt_s = fmax(stamp_s, 0);
  return stamp_s > 0 ? WR_PACE_NEXT : WR_PACE_LATE;
}

enum wr_pace_kind wr_pace_step(struct wr_pace *p, int64_t time_us,
                               int64_t now_ms, double interval_s,
                               double *dt_s) {
  enum wr_pace_kind kind = judge(p, time_us, now_ms, interval_s, dt_s);
  if (kind != WR_PACE_LATE && kind != WR_PACE_SAME)
    p->time_us = time_us;
  if (kind != WR_PACE_SAME)
    p->now_ms = now_ms;
  return kind;
}
