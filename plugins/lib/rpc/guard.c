#include "lib/rpc/guard.h"

#include <stddef.h>

/* A process that dies may accept and drop a last connection. */
#define DYING_MS 200

/* Whether another crash could be afforded; else *since_ms is the first of
 * those that count. */
static bool affordable(const struct wr_rpc_guard *g, int64_t now_ms,
                       int64_t *since_ms) {
  *since_ms = g->crash_ms[g->crashes % WR_GUARD_CRASHES];
  return g->crashes < WR_GUARD_CRASHES ||
         now_ms - *since_ms >= WR_GUARD_WINDOW_MS;
}

static void note(struct wr_rpc_guard *g, int64_t now_ms) {
  g->crash_ms[g->crashes % WR_GUARD_CRASHES] = now_ms;
  g->crashes++; /* one a second wraps in 136 years */
}

static int64_t rest(struct wr_rpc_ward *w, int64_t now_ms) {
  w->rest_ms = w->rest_ms != 0 ? w->rest_ms * 2
               : w->proven     ? WR_GUARD_REST_PROVEN_MS
                               : WR_GUARD_REST_MS;
  if (w->rest_ms > WR_GUARD_REST_MAX_MS)
    w->rest_ms = WR_GUARD_REST_MAX_MS;
  w->rests_until_ms = now_ms + w->rest_ms;
  w->proven = false;
  return w->rest_ms;
}

bool wr_rpc_guard_allows(const struct wr_rpc_guard *g,
                         const struct wr_rpc_ward *w, int64_t now_ms) {
  int64_t since_ms = 0;
  if (w->rest_ms != 0 && now_ms < w->rests_until_ms)
    return false;
  return affordable(g, now_ms, &since_ms) ||
         (w->proven && w->answered_ms > since_ms);
}

bool wr_rpc_guard_trial(const struct wr_rpc_guard *g,
                        const struct wr_rpc_ward *w, int64_t now_ms) {
  return w->proven && !w->tried && wr_rpc_guard_allows(g, w, now_ms);
}

void wr_rpc_guard_answered(struct wr_rpc_guard *g, struct wr_rpc_ward *w,
                           int64_t now_ms) {
  wr_rpc_guard_alive(g);
  w->proven = true;
  w->tried = false;
  w->answered_ms = now_ms;
  w->rest_ms = 0;
  w->strikes = 0;
}

void wr_rpc_guard_alive(struct wr_rpc_guard *g) {
  g->suspect = false;
  g->unclear = false;
}

int64_t wr_rpc_guard_cut(struct wr_rpc_guard *g, struct wr_rpc_ward *w,
                         int64_t now_ms) {
  if (g->suspect) {
    if (now_ms - g->cut_ms >= DYING_MS)
      g->unclear = false; /* accepted: nothing has crashed */
    if (w != NULL)
      w->tried = true;
    return 0;
  }
  g->suspect = true;
  g->unclear = true;
  g->cut_ms = now_ms;
  if (w == NULL || (++w->strikes < WR_GUARD_STRIKES && w->rest_ms == 0))
    return 0;
  return rest(w, now_ms);
}

bool wr_rpc_guard_refused(struct wr_rpc_guard *g, int64_t now_ms) {
  bool crashed = g->unclear;
  g->unclear = false;
  if (crashed)
    note(g, now_ms);
  return crashed;
}
