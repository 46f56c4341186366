#include "lib/cloud/pace.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

void wr_pace_fail(struct wr_pace *p, int64_t now_ms, uint32_t random,
                  const struct wr_pace_rule *rule, int64_t asked_ms) {
  if (!p->failing)
    p->since_ms = now_ms;
  p->failing = true;
  int64_t age_ms = now_ms - p->since_ms;
  int64_t grown_ms = rule->patience > 0 ? age_ms / rule->patience : 0;
  int64_t top_ms = least(most(grown_ms, WR_PACE_BRISK_MS),
                         most(rule->cap_ms, WR_PACE_BRISK_MS));
  uint64_t span = (uint64_t)(top_ms - WR_PACE_MIN_MS) + 1;
  p->earliest_ms = now_ms + WR_PACE_MIN_MS + (int64_t)((span * random) >> 32);
  if (asked_ms > 0)
    p->asked_ms = now_ms + least(asked_ms, WR_PACE_ASKED_MAX_MS);
}

void wr_pace_ok(struct wr_pace *p) { *p = (struct wr_pace){0}; }

void wr_pace_hurry(struct wr_pace *p) { p->earliest_ms = 0; }

int64_t wr_pace_wait(const struct wr_pace *p, int64_t now_ms) {
  return most(most(p->earliest_ms, p->asked_ms) - now_ms, 0);
}
