/* rpc_base: what a client and its transports stand on; nobody else's.
 *
 *   client        chooses a transport and keeps the whole time of a call
 *   proxy, persistent    each a table of operations
 *   base          the state, prepare, pack, dial, settle, deadline
 *
 * Includes and calls go downwards only. */
#ifndef WR_RPC_BASE_H
#define WR_RPC_BASE_H

#include "lib/rpc/client.h"
#include "lib/rpc/lock.h"

struct wr_rpc_transport {
  bool locks; /* one caller at a time: see rpc_lock.h */
  /* Each sets the outcome of every call; calls[] were prepared. */
  void (*call)(struct wr_rpc_client *c, struct wr_rpc_call *calls,
               size_t count);
  void (*notify)(struct wr_rpc_client *c, struct wr_rpc_call *call);
  void (*drain)(struct wr_rpc_client *c, struct wr_rpc_call *call);
};

extern const struct wr_rpc_transport wr_rpc_proxy, wr_rpc_persistent;

struct wr_rpc_client {
  struct wr_rpc_options options;
  const struct wr_rpc_transport *transport;
  struct wr_rpc_peers peers; /* none: to be resolved */
  struct wr_rpc_lock lock;   /* proxy */
  int lock_error;
  uint32_t next_msgid;
  int fd;     /* persistent: the connection, or -1 */
  size_t len; /* persistent: received, not yet read */
  uint8_t in[2 * WR_RPC_REPLY_MAX];
};

int64_t wr_rpc_now(const struct wr_rpc_client *c);
int64_t wr_rpc_deadline(const struct wr_rpc_client *c);
uint32_t wr_rpc_take_msgid(struct wr_rpc_client *c);

enum wr_rpc_outcome wr_rpc_outcome_of(int error);
void wr_rpc_prepare(struct wr_rpc_client *c, struct wr_rpc_call *call);
void wr_rpc_fail(struct wr_rpc_call *call, int error);
void wr_rpc_settle(struct wr_rpc_call *call, const struct wr_rpc_reply *reply);
/* False: UNSENDABLE. */
bool wr_rpc_pack(struct wr_rpc_call *call, enum wr_rpc_type type,
                 uint8_t *message, size_t *len);
/* Has the peer's address looked up, unless it is known. 0, or -errno with the
 * call failed. */
int wr_rpc_find(struct wr_rpc_client *c, struct wr_rpc_call *call,
                int64_t deadline_us);
/* Connects and sends; the socket, or -errno with the call failed. A failure
 * forgets the address, which may have changed. */
int wr_rpc_dial(struct wr_rpc_client *c, struct wr_rpc_call *call,
                int64_t deadline_us, const void *data, size_t len);

#endif
