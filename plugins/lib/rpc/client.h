/* client: calls to the M4 that end in time and say how they ended, for
 * programs that wait: a session (see session.h) with its socket, look-up
 * and lock.
 *
 * Ownership: results point into the struct wr_rpc_call they belong to.
 * Threads: one owner per client at a time. Only stop_fd ends a wait early.
 * Limits: WR_RPC_BATCH calls in a batch, requests and replies as codec.h. */
#ifndef WR_RPC_CLIENT_H
#define WR_RPC_CLIENT_H

#include "lib/rpc/session.h"

struct wr_rpc_env {
  int64_t (*clock_us)(void); /* monotonic */
  int stop_fd;               /* readable: give up at once; -1: none */
};

struct wr_rpc_options {
  enum wr_rpc_mode mode;
  struct wr_rpc_address address;
  int64_t timeout_ms; /* of one call or batch, with connecting and draining;
                         the wait for the lock has as much of its own; in
                         proxy mode above 1100, or SILENT is never seen */
  uint32_t random;    /* where the msgids start */
  struct wr_rpc_env env;
  const char *lock_directory; /* NULL: see lock.h */
};

struct wr_rpc_client;

/* NULL without memory or descriptors. Opens no connection. */
struct wr_rpc_client *wr_rpc_client_new(const struct wr_rpc_options *options);
void wr_rpc_client_free(struct wr_rpc_client *c);
/* The lock file of the last call, "" before; *error is -errno when it could not
 * be used. NULL in WR_RPC_PERSISTENT. */
const char *wr_rpc_client_lock(const struct wr_rpc_client *c, int *error);

/* Makes the calls: one after another (proxy; each has the whole timeout) or
 * pipelined (persistent). After CANCELLED the rest is CANCELLED too. */
void wr_rpc_call(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                 size_t count);
/* Sends a notification: nobody answers, OK means that it was taken. In proxy
 * mode the end of the connection is awaited. It never crashes a proxy, so that
 * it also serves to find out whether one is there. */
void wr_rpc_notify(struct wr_rpc_client *c, struct wr_rpc_call *call);

/* The steps of a call on their own, for diagnosis. */
enum wr_rpc_outcome wr_rpc_client_resolve(struct wr_rpc_client *c);
/* Empties the proxy's channel: call->stale says how many replies it held.
 * OK: it is empty, as far as can be known: a silent M4 may still answer. */
void wr_rpc_drain(struct wr_rpc_client *c, struct wr_rpc_call *call);

#endif
