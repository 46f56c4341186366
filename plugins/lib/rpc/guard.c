#include "lib/rpc/guard.h"

#define WINDOW_MS 120000
#define REST_MIN_MS 600000
#define REST_MAX_MS 86400000

/* Whether another crash could be afforded; else *since_ms is the first of
 * those that count. */
static bool affordable(struct wr_rpc_guard *g, int64_t now_ms,
                       int64_t *since_ms) {
  pthread_mutex_lock(&g->lock);
  bool few = g->crashes < WR_GUARD_CRASHES;
  *since_ms = g->crash_ms[g->crashes % WR_GUARD_CRASHES];
  pthread_mutex_unlock(&g->lock);
  return few || now_ms - *since_ms >= WINDOW_MS;
}

static void note(struct wr_rpc_guard *g, int64_t now_ms) {
  pthread_mutex_lock(&g->lock);
  g->crash_ms[g->crashes % WR_GUARD_CRASHES] = now_ms;
  g->crashes++;
  if (g->crashes == 2 * WR_GUARD_CRASHES) /* the count must not wrap to few */
    g->crashes = WR_GUARD_CRASHES;
  pthread_mutex_unlock(&g->lock);
}

static int64_t rest(struct wr_rpc_ward *w, int64_t now_ms) {
  w->rest_ms = w->rest_ms == 0 ? REST_MIN_MS : w->rest_ms * 2;
  if (w->rest_ms > REST_MAX_MS)
    w->rest_ms = REST_MAX_MS;
  w->rests_until_ms = now_ms + w->rest_ms;
  return w->rest_ms;
}

bool wr_rpc_guard_allows(struct wr_rpc_guard *g, const struct wr_rpc_ward *w,
                         int64_t now_ms) {
  int64_t since_ms = 0;
  if (w->rest_ms > 0 && now_ms < w->rests_until_ms)
    return false;
  return affordable(g, now_ms, &since_ms) ||
         (w->proven && w->answered_ms > since_ms);
}

void wr_rpc_guard_answered(struct wr_rpc_ward *w, int64_t now_ms) {
  w->proven = true;
  w->answered_ms = now_ms;
  w->rest_ms = 0;
  w->closed = 0;
}

int64_t wr_rpc_guard_crashed(struct wr_rpc_guard *g, struct wr_rpc_ward *w,
                             int64_t now_ms) {
  note(g, now_ms);
  return rest(w, now_ms);
}

int64_t wr_rpc_guard_closed(struct wr_rpc_guard *g, struct wr_rpc_ward *w,
                            int64_t now_ms) {
  note(g, now_ms);
  return ++w->closed < 2 ? 0 : rest(w, now_ms);
}
