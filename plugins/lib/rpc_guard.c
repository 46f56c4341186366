#include "rpc_guard.h"

#define WINDOW_MS 120000
#define REST_MIN_MS 600000
#define REST_MAX_MS 86400000

bool wr_rpc_guard_allows(const struct wr_rpc_guard *g,
                         const struct wr_rpc_ward *w, int64_t now_ms) {
  if (w->rest_ms > 0 && now_ms < w->rests_until_ms)
    return false;
  if (g->crashes < WR_GUARD_CRASHES)
    return true;
  int64_t oldest_ms = g->crash_ms[g->crashes % WR_GUARD_CRASHES];
  return now_ms - oldest_ms >= WINDOW_MS ||
         (w->proven && w->answered_ms > oldest_ms);
}

void wr_rpc_guard_answered(struct wr_rpc_ward *w, int64_t now_ms) {
  w->proven = true;
  w->answered_ms = now_ms;
  w->rest_ms = 0;
}

int64_t wr_rpc_guard_crashed(struct wr_rpc_guard *g, struct wr_rpc_ward *w,
                             int64_t now_ms) {
  g->crash_ms[g->crashes++ % WR_GUARD_CRASHES] = now_ms;
  w->rest_ms = w->rest_ms == 0 ? REST_MIN_MS : w->rest_ms * 2;
  if (w->rest_ms > REST_MAX_MS)
    w->rest_ms = REST_MAX_MS;
  w->rests_until_ms = now_ms + w->rest_ms;
  return w->rest_ms;
}
