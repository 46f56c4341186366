/* session: one conversation with an M4, without any I/O of its own.
 *
 *   session         the steps of an operation: address, lock, connection
 *   proxy, persistent   each a table of operations: what goes out, what an
 *                   answer is, what the end of a connection means
 *   base            what the tables share
 *
 * Bytes, answers and the time go in by the functions below; what comes out is
 * `wish`, the one thing that is wanted next, and `next_us`, when to come back
 * at the latest. Who serves it (wire.h, a simulator) fulfils the wish and
 * says so, until `op` is WR_OP_NONE: then every call has its outcome.
 *
 * WR_RPC_PROXY is for Arduino's m4-proxy, which answers one request per
 * connection, closes after 1.0 s when the M4 is silent, and hands a reply that
 * comes later to whoever asks next, for ever. Every reply is therefore
 * compared by msgid; after a foreign one the proxy's channel is emptied with a
 * message that the M4 ignores, until the caller's own reply or nothing more
 * comes. Calls are made under the proxy's lock (lock.h); when another does
 * not give it back in time they are made without, and say so.
 * WR_RPC_PERSISTENT is for servers that keep the connection (rpclib, the
 * arduino-router of the UNO Q): the calls of one batch are pipelined and their
 * replies may come in any order. A connection that turns out to be dead is
 * replaced once within an operation.
 *
 * Threads: one owner at a time. What the m4-proxy does was measured on the
 * real one. */
#ifndef WR_RPC_SESSION_H
#define WR_RPC_SESSION_H

#include "lib/rpc/address.h"
#include "lib/rpc/call.h"

enum wr_rpc_mode { WR_RPC_PROXY, WR_RPC_PERSISTENT };

enum wr_rpc_op { WR_OP_NONE, WR_OP_CALL, WR_OP_NOTIFY, WR_OP_DRAIN };

enum wr_rpc_wish {
  WR_WISH_NOTHING, /* wait for bytes, or next_us */
  WR_WISH_ADDRESS, /* look the address up, then wr_rpc_found() */
  WR_WISH_LOCK,    /* of the proxy at `peers`, then wr_rpc_locked() */
  WR_WISH_CONNECT, /* close what is open; connect to peers.at[peer] and send
                      `out` in one piece, then wr_rpc_connected() */
  WR_WISH_SEND,    /* send `out` on the open connection */
  WR_WISH_CLOSE,   /* close the connection */
};

#define WR_RPC_ASIDE (4 * WR_RPC_REQUEST_MAX)

struct wr_rpc_session {
  const struct wr_rpc_transport *transport;
  int64_t timeout_ms;
  uint32_t next_msgid;
  /* For who serves it: */
  enum wr_rpc_wish wish; /* set it to NOTHING when it is taken up */
  int64_t next_us;       /* INT64_MAX: whenever */
  struct wr_rpc_peers peers;
  unsigned peer;
  uint8_t *out;
  size_t out_len;
  uint8_t *aside; /* answers to the peer's own requests: to be sent, or dropped
                     where that is not possible at once */
  size_t aside_len;
  /* A request of the peer (persistent): writes the text of its result into buf
   * and returns true; false: there is no such method. NULL: there is none. */
  bool (*asked)(void *user, const struct wr_rpc_value *method, char *buf,
                size_t size, int64_t now_us);
  void *asked_user;
  /* The operation: */
  enum wr_rpc_op op;
  struct wr_rpc_call *calls;
  size_t count;
  int64_t start_us, until_us;
  int64_t talk_us;   /* when the last message had gone out */
  bool fresh;        /* peers were looked up since the last failure */
  bool finding;      /* that is under way, for this operation */
  bool open, reused; /* there is a connection; it was there before */
  unsigned dials;    /* connections so far */
  bool draining;
  uint8_t *in; /* persistent; proxy: the call's own bytes */
  size_t in_len;
};

/* `batch`: most calls of one operation (1 for WR_RPC_PROXY). `random`: where
 * the msgids start. 0 or -ENOMEM. */
int wr_rpc_session_open(struct wr_rpc_session *s, enum wr_rpc_mode mode,
                        int64_t timeout_ms, uint32_t random, size_t batch);
void wr_rpc_session_close(struct wr_rpc_session *s);
/* Whether calls are made under the proxy's lock, one at a time. */
bool wr_rpc_session_locks(const struct wr_rpc_session *s);

/* Begins an operation; `op` must be NONE. The calls belong to the session
 * until it is NONE again; WR_OP_NOTIFY and WR_OP_DRAIN take one. */
void wr_rpc_begin(struct wr_rpc_session *s, enum wr_rpc_op op,
                  struct wr_rpc_call *calls, size_t count, int64_t now_us);
/* Ends it at once: CANCELLED. */
void wr_rpc_cancel(struct wr_rpc_session *s, int64_t now_us);

/* An empty `peers`: not found; then what was known before serves. An answer
 * that comes after its operation serves the next. */
void wr_rpc_found(struct wr_rpc_session *s, const struct wr_rpc_peers *peers,
                  int64_t now_us);
/* `got` false: another would not give it. From here the timeout counts. */
void wr_rpc_locked(struct wr_rpc_session *s, bool got, int64_t now_us);
/* 0: connected and `out` sent; or -errno. */
void wr_rpc_connected(struct wr_rpc_session *s, int error, int64_t now_us);
void wr_rpc_bytes(struct wr_rpc_session *s, const void *data, size_t len,
                  int64_t now_us);
/* The connection ended: 0 in good order, or -errno. */
void wr_rpc_ended(struct wr_rpc_session *s, int error, int64_t now_us);
/* The time; to be told at next_us, harmless before. */
void wr_rpc_tick(struct wr_rpc_session *s, int64_t now_us);

#endif
