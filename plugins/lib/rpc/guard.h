/* guard: which calls may be made at an m4-proxy that may have crashed.
 *
 * A call to a method that the M4 has not bound crashes the proxy. systemd
 * starts it again after 2 s, but only ten times in 120 s; then it stays down
 * until somebody comes. All that shows is a connection that ends early, and so
 * it also ends when somebody else's call crashed the proxy, or behind a tunnel
 * whose far side restarts. Hence:
 *
 * - After an early end the proxy is suspect: nothing is called but one proven
 *   method, once (wr_rpc_guard_trial()), or the message that no M4 answers and
 *   a living proxy holds for 1 s. Any answer, and that second, clear it.
 * - It was a crash when nobody listens right after (wr_rpc_guard_refused()); a
 *   connection that is accepted was none.
 * - A method gets a strike when its call was cut short at a proxy that was not
 *   suspect, so alone. WR_GUARD_STRIKES in a row, with no answer between them,
 *   and it rests: for WR_GUARD_REST_MS, or WR_GUARD_REST_PROVEN_MS when it has
 *   answered before, as two crashes of others may have met it. After a rest one
 *   strike is enough for the next, twice as long, up to WR_GUARD_REST_MAX_MS.
 *   So what was flashed away costs 13 crashes in the first day.
 * - Once WR_GUARD_CRASHES crashes lie within the last 120 s, only methods that
 *   have answered since the first of them are called: well below ten, since
 *   others may share the proxy.
 *
 * Time is a parameter. Threads: none of its own. */
#ifndef WR_RPC_GUARD_H
#define WR_RPC_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#define WR_GUARD_CRASHES 4
#define WR_GUARD_WINDOW_MS 120000
#define WR_GUARD_STRIKES 2
#define WR_GUARD_REST_MS 600000
#define WR_GUARD_REST_PROVEN_MS 60000
#define WR_GUARD_REST_MAX_MS 86400000

struct wr_rpc_guard { /* one per proxy; all zero at first */
  int64_t crash_ms[WR_GUARD_CRASHES];
  unsigned crashes; /* all that were noted */
  bool suspect;
  bool unclear; /* whether the early end was a crash */
  int64_t cut_ms;
};

struct wr_rpc_ward { /* one per method; all zero at first */
  int64_t rests_until_ms;
  int64_t rest_ms; /* the last rest; 0: none since it answered */
  bool proven;
  bool tried; /* while suspect, since it answered */
  int64_t answered_ms;
  unsigned strikes; /* since it answered */
};

/* Whether the method may be called at a proxy that is not suspect. */
bool wr_rpc_guard_allows(const struct wr_rpc_guard *g,
                         const struct wr_rpc_ward *w, int64_t now_ms);
/* Whether it may be called at one that is. */
bool wr_rpc_guard_trial(const struct wr_rpc_guard *g,
                        const struct wr_rpc_ward *w, int64_t now_ms);

/* How the call ended. `w` NULL: it was the message that no M4 answers. */
void wr_rpc_guard_answered(struct wr_rpc_guard *g, struct wr_rpc_ward *w,
                           int64_t now_ms);
/* The proxy lives, although the M4 did not answer. */
void wr_rpc_guard_alive(struct wr_rpc_guard *g);
/* It ended early. Returns for how long the method rests now, in ms; 0: not.
 * `w` NULL also when what ended was no call, but a message that drains replies.
 */
int64_t wr_rpc_guard_cut(struct wr_rpc_guard *g, struct wr_rpc_ward *w,
                         int64_t now_ms);
/* Nobody listens. True: so that early end was a crash, which is noted now. */
bool wr_rpc_guard_refused(struct wr_rpc_guard *g, int64_t now_ms);

#endif
