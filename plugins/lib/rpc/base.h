/* base: what the session and its transports stand on; nobody else's. */
#ifndef WR_RPC_BASE_H
#define WR_RPC_BASE_H

#include "lib/rpc/session.h"

struct wr_rpc_transport {
  bool locks; /* one caller at a time: see lock.h */
  bool keeps; /* the connection outlives the operation */
  /* Writes `out` for the operation; false: nothing can be sent, and every call
   * has its outcome. */
  bool (*pack)(struct wr_rpc_session *s);
  void (*bytes)(struct wr_rpc_session *s, const uint8_t *data, size_t len,
                int64_t now_us);
  /* 0: the peer closed; -ETIMEDOUT: the time is over; -errno. */
  void (*ended)(struct wr_rpc_session *s, int error, int64_t now_us);
};

extern const struct wr_rpc_transport wr_rpc_proxy, wr_rpc_persistent;

uint32_t wr_rpc_take_msgid(struct wr_rpc_session *s);
void wr_rpc_fail(struct wr_rpc_call *call, int error);
void wr_rpc_settle(const struct wr_rpc_session *s, struct wr_rpc_call *call,
                   const struct wr_rpc_reply *reply);
/* False: UNSENDABLE. */
bool wr_rpc_pack(struct wr_rpc_call *call, enum wr_rpc_type type,
                 uint8_t *message, size_t *len);
/* Wishes for a new connection, on which `out` goes out. */
void wr_rpc_dial(struct wr_rpc_session *s, int64_t now_us);
/* Ends the operation; a connection that may not be kept is closed. */
void wr_rpc_finish(struct wr_rpc_session *s, bool keep, int64_t now_us);

#endif
