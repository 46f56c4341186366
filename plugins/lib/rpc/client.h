/* rpc_client: calls to the M4 that end in time and say how they ended.
 *
 * Two modes. WR_RPC_PROXY is for Arduino's m4-proxy, which answers one request
 * per connection, closes after 1.0 s when the M4 is silent, and hands a reply
 * that comes later to whoever asks next, for ever. Every reply is therefore
 * compared by msgid; after a foreign one the proxy's channel is emptied with a
 * message that the M4 ignores, until the caller's own reply or nothing more
 * comes. Calls are serialised, between processes by rpc_lock.
 * WR_RPC_PERSISTENT is for servers that keep the connection (rpclib, the
 * arduino-router of the UNO Q): the calls of one batch are pipelined and their
 * replies may come in any order.
 *
 * Ownership: results point into the struct wr_rpc_call they belong to.
 * Threads: one owner per client at a time. Only stop_fd ends a wait early.
 * Limits: WR_RPC_BATCH calls in a batch, requests and replies as rpc_codec.
 * What the m4-proxy does was measured on the real one. */
#ifndef WR_RPC_CLIENT_H
#define WR_RPC_CLIENT_H

#include "lib/rpc/codec.h"
#include "lib/rpc/conn.h"

enum wr_rpc_mode { WR_RPC_PROXY, WR_RPC_PERSISTENT };

/* How a call ended. "Proxy" outcomes only arise in WR_RPC_PROXY. */
enum wr_rpc_outcome {
  WR_RPC_OK,
  WR_RPC_REMOTE,      /* the M4 answered with an error: see result */
  WR_RPC_SILENT,      /* proxy: closed without a byte after about 1 s */
  WR_RPC_CRASHED,     /* proxy: closed without a byte within 50 ms */
  WR_RPC_CLOSED,      /* closed without an answer at another moment */
  WR_RPC_REFUSED,     /* nobody listens */
  WR_RPC_UNREACHABLE, /* no way there, or another failure to connect */
  WR_RPC_UNRESOLVED,  /* the name has no address */
  WR_RPC_STALE,       /* only replies to other requests came */
  WR_RPC_PROTOCOL,    /* what came is not MessagePack-RPC */
  WR_RPC_TIMEOUT,     /* no end within the timeout */
  WR_RPC_BUSY,        /* another process held the proxy all the time */
  WR_RPC_UNSENDABLE,  /* the request is too long; nothing was sent */
  WR_RPC_CANCELLED,   /* stop_fd */
  WR_RPC_WITHHELD,    /* not made, see rpc_guard.h; set by its user */
};

/* The outcomes as a user counts them. */
enum wr_rpc_fault {
  WR_FAULT_TIMEOUT,  /* silent, timeout, busy */
  WR_FAULT_REFUSED,  /* refused, unreachable, unresolved */
  WR_FAULT_PROTOCOL, /* protocol, crashed, closed, unsendable, withheld */
  WR_FAULT_STALE,
  WR_FAULT_REMOTE,
  WR_FAULTS,
  WR_FAULT_NONE = WR_FAULTS, /* ok, cancelled */
};
enum wr_rpc_fault wr_rpc_fault_of(enum wr_rpc_outcome outcome);
const char *wr_rpc_fault_name(enum wr_rpc_fault fault); /* "timeout" ... */

struct wr_rpc_options {
  enum wr_rpc_mode mode;
  struct wr_rpc_address address;
  int64_t timeout_ms; /* of one call or batch, with connecting and draining; in
                         proxy mode above 1100, or SILENT is never seen */
  uint32_t random;    /* where the msgids start */
  struct wr_rpc_env env;
  const char *lock_directory; /* NULL: see rpc_lock.h; not kept */
};

struct wr_rpc_call {
  const char *method;
  const struct wr_rpc_arg *args;
  size_t args_count;
  /* Set by the call: */
  enum wr_rpc_outcome outcome;
  int error;                  /* -errno behind the outcome; 0: none */
  unsigned stale;             /* foreign replies seen and dropped */
  int64_t sent_us;            /* when it went out; 0: it did not */
  int64_t took_us;            /* until the outcome */
  struct wr_rpc_value result; /* of OK: the result; of REMOTE: the error */
  uint32_t msgid;
  uint8_t bytes[WR_RPC_REPLY_MAX];
};

#define WR_RPC_BATCH 32

struct wr_rpc_client;

/* NULL without memory. Opens nothing but the lock file. */
struct wr_rpc_client *wr_rpc_client_new(const struct wr_rpc_options *options);
void wr_rpc_client_free(struct wr_rpc_client *c);
/* The lock file's path; *error is -errno when it cannot be used. NULL in
 * WR_RPC_PERSISTENT. */
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

/* A clause without a full stop, as `the M4 is silent (no reply within 1 s)`;
 * includes the remote error's or the system's words. */
void wr_rpc_explain(const struct wr_rpc_call *call, char *buf, size_t size);

#endif
