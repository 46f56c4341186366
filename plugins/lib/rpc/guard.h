/* rpc_guard: calls that crash the m4-proxy are not repeated.
 *
 * A call to a method that the M4 has not bound crashes the proxy. systemd
 * starts it again after 2 s, but only ten times in 120 s; then it stays down
 * until somebody comes. Hence two rules. A method that crashed the proxy rests
 * for 10 minutes, then 20, 40 ... up to a day. And once WR_GUARD_CRASHES
 * crashes lie within the last 120 s, only methods that have answered since the
 * first of them are called: well below ten, since others may share the proxy.
 * A connection that closes without an answer, but too late for a crash to be
 * certain, is one crash more; the second in a row lets the method rest, too.
 * Time is a parameter. Threads: a guard may be shared by any; a ward belongs to
 * one. */
#ifndef WR_RPC_GUARD_H
#define WR_RPC_GUARD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define WR_GUARD_CRASHES 4

struct wr_rpc_guard { /* one per proxy */
  int64_t crash_ms[WR_GUARD_CRASHES];
  unsigned crashes; /* all that were noted */
  pthread_mutex_t lock;
};

#define WR_RPC_GUARD_INIT                                                      \
  { .lock = PTHREAD_MUTEX_INITIALIZER }

struct wr_rpc_ward { /* one per method */
  int64_t rests_until_ms;
  int64_t rest_ms; /* the last rest; 0: it never crashed anything */
  bool proven;
  int64_t answered_ms;
  unsigned closed; /* in a row */
};

bool wr_rpc_guard_allows(struct wr_rpc_guard *g, const struct wr_rpc_ward *w,
                         int64_t now_ms);
void wr_rpc_guard_answered(struct wr_rpc_ward *w, int64_t now_ms);
/* Returns for how long the method rests now, in ms. */
int64_t wr_rpc_guard_crashed(struct wr_rpc_guard *g, struct wr_rpc_ward *w,
                             int64_t now_ms);
/* As wr_rpc_guard_crashed(), for a connection closed too late to be sure;
 * returns 0 when the method does not rest. */
int64_t wr_rpc_guard_closed(struct wr_rpc_guard *g, struct wr_rpc_ward *w,
                            int64_t now_ms);

#endif
