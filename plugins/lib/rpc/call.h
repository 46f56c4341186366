/* call: one call to the M4, how it ended, and in which words.
 *
 * Ownership: the result points into the struct wr_rpc_call it belongs to.
 * Threads: none of its own. */
#ifndef WR_RPC_CALL_H
#define WR_RPC_CALL_H

#include "lib/rpc/codec.h"

/* How a call ended. "Proxy" outcomes only arise in front of an m4-proxy. */
enum wr_rpc_outcome {
  WR_RPC_OK,
  WR_RPC_REMOTE,      /* the M4 answered with an error: see result */
  WR_RPC_UNROUTED,    /* an arduino-router knows nobody for this method */
  WR_RPC_SILENT,      /* proxy: closed without a byte after about 1 s */
  WR_RPC_CRASHED,     /* proxy: closed without a byte within 50 ms */
  WR_RPC_CLOSED,      /* closed without an answer at another moment */
  WR_RPC_REFUSED,     /* nobody listens */
  WR_RPC_UNREACHABLE, /* no way there, or another failure to connect */
  WR_RPC_UNRESOLVED,  /* the name has no address */
  WR_RPC_STALE,       /* only replies to other requests came */
  WR_RPC_PROTOCOL,    /* what came is not MessagePack-RPC */
  WR_RPC_TIMEOUT,     /* no end within the timeout */
  WR_RPC_BUSY,        /* waits for its turn; set by its user */
  WR_RPC_UNSENDABLE,  /* the request is too long; nothing was sent */
  WR_RPC_CANCELLED,   /* stop_fd */
  WR_RPC_WITHHELD,    /* not made, see guard.h; set by its user */
};

/* The outcomes as a user counts them. */
enum wr_rpc_fault {
  WR_FAULT_TIMEOUT,  /* silent, timeout, busy */
  WR_FAULT_REFUSED,  /* refused, unreachable, unresolved */
  WR_FAULT_PROTOCOL, /* protocol, crashed, closed, unsendable, withheld */
  WR_FAULT_STALE,
  WR_FAULT_REMOTE, /* remote, unrouted */
  WR_FAULTS,
  WR_FAULT_NONE = WR_FAULTS, /* ok, cancelled */
};
enum wr_rpc_fault wr_rpc_fault_of(enum wr_rpc_outcome outcome);
const char *wr_rpc_fault_name(enum wr_rpc_fault fault); /* "timeout" ... */

struct wr_rpc_call {
  const char *method;
  const struct wr_rpc_arg *args;
  size_t args_count;
  /* Set by the call: */
  enum wr_rpc_outcome outcome;
  int error;                  /* -errno behind the outcome; 0: none */
  bool unlocked;              /* made although another held the proxy's lock */
  unsigned stale;             /* foreign replies seen and dropped */
  int64_t sent_us;            /* when it went out; 0: it did not */
  int64_t took_us;            /* until the outcome */
  struct wr_rpc_value result; /* of OK: the result; of REMOTE: the error */
  uint32_t msgid;
  uint8_t bytes[WR_RPC_REPLY_MAX];
};

#define WR_RPC_BATCH 32

/* A clause without a full stop, as `the M4 is silent (no reply within 1 s)`;
 * includes the remote error's or the system's words. */
void wr_rpc_explain(const struct wr_rpc_call *call, char *buf, size_t size);

#endif
