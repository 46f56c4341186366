#include "lib/flow/standing.h"

#include "lib/flow/votes.h"

int64_t wr_standing_stale_ms(int64_t stale_ms, size_t first, size_t stride,
                             int64_t interval_us) {
  int64_t stride_ms = (int64_t)stride * interval_us / 1000;
  int64_t ms = stale_ms;
  if (ms == 0)
    ms = 3 * (int64_t)first * interval_us / 1000;
  if (ms < WR_STANDING_STALE_MS && stale_ms == 0)
    ms = WR_STANDING_STALE_MS;
  return ms > 2 * stride_ms ? ms : 2 * stride_ms;
}

void wr_standing_init(struct wr_standing *s, int64_t now_ms) {
  *s = (struct wr_standing){
      .shown = WR_UNSAID, .told = WR_UNCERTAIN, .judged_ms = now_ms};
}

/* Votes that no label has won yet say little: after a while they say that
 * nobody can tell. */
static bool is_known(struct wr_standing *s, const struct wr_standing_rules *r,
                     int state) {
  bool held = s->shown == WR_UNKNOWN || s->shown == WR_UNSAID;
  return !held || state != WR_UNCERTAIN || ++s->held >= r->of;
}

bool wr_standing_judged(struct wr_standing *s,
                        const struct wr_standing_rules *r, int state,
                        int64_t arrived_ms) {
  s->judged_ms = arrived_ms;
  bool known = is_known(s, r, state);
  if (known)
    s->shown = state;
  return known;
}

bool wr_standing_answered(struct wr_standing *s,
                          const struct wr_standing_rules *r, bool up,
                          bool turned, int64_t now_ms) {
  s->up = up;
  bool due = !s->answered || s->up != s->up_told || turned ||
             now_ms - s->told_ms >= r->health_ms;
  s->answered = true;
  return due;
}

void wr_standing_health_told(struct wr_standing *s, int64_t now_ms) {
  s->told_ms = now_ms;
  s->up_told = s->up;
}

bool wr_standing_notify(struct wr_standing *s, int *previous) {
  if (s->shown == WR_UNSAID || s->shown == s->told || s->shelved_ms != 0)
    return false;
  *previous = s->told;
  s->told = s->shown;
  return true;
}

bool wr_standing_shelve(struct wr_standing *s, int64_t ms, int64_t now_ms) {
  if (ms == 0 && s->shelved_ms == 0)
    return false;
  s->shelved_ms = ms > 0 ? now_ms + ms : 0;
  if (ms == 0)
    s->told = s->shown == WR_UNSAID ? WR_UNCERTAIN : s->shown;
  return true;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

enum wr_standing_due wr_standing_review(const struct wr_standing *s,
                                        const struct wr_standing_rules *r,
                                        int64_t now_ms, int64_t *wait_ms) {
  int64_t stale_ms = s->judged_ms + r->stale_ms - now_ms;
  int64_t health_ms = s->told_ms + r->health_ms - now_ms;
  bool health = health_ms <= 0;
  if (stale_ms > 0 && !s->answered) {
    *wait_ms = stale_ms;
    return WR_STANDING_NOTHING;
  }
  bool unknown = stale_ms <= 0 && (s->shown != WR_UNKNOWN || health);
  if (health || unknown)
    health_ms = r->health_ms;
  *wait_ms = stale_ms > 0 ? least(health_ms, stale_ms) : health_ms;
  return unknown  ? WR_STANDING_UNKNOWN
         : health ? WR_STANDING_HEALTH
                  : WR_STANDING_NOTHING;
}

bool wr_standing_lose(struct wr_standing *s) {
  bool was = s->shown != WR_UNKNOWN;
  if (was) {
    s->held = 0;
    s->up = false;
  }
  s->shown = WR_UNKNOWN;
  return was;
}
