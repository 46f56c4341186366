#include "lib/rpc/base.h"

#include <errno.h>

int64_t wr_rpc_now(const struct wr_rpc_client *c) {
  return c->options.env.clock_us();
}

int64_t wr_rpc_deadline(const struct wr_rpc_client *c) {
  return wr_rpc_now(c) + c->options.timeout_ms * 1000;
}

/* An odd step visits all 2^32 values: no msgid comes twice in that many calls,
 * and another client, which started elsewhere, hardly ever has the same. */
uint32_t wr_rpc_take_msgid(struct wr_rpc_client *c) {
  c->next_msgid += 0x9e3779b1u;
  return c->next_msgid;
}

enum wr_rpc_outcome wr_rpc_outcome_of(int error) {
  switch (error) {
  case -ECANCELED:
    return WR_RPC_CANCELLED;
  case -ETIMEDOUT:
    return WR_RPC_TIMEOUT;
  case -ECONNREFUSED:
  case -ENOENT: /* a unix socket that nobody has made */
    return WR_RPC_REFUSED;
  case -EPIPE:
  case -ECONNRESET:
    return WR_RPC_CLOSED;
  case -EBADMSG:
    return WR_RPC_PROTOCOL;
  default:
    return WR_RPC_UNREACHABLE;
  }
}

void wr_rpc_fail(struct wr_rpc_call *call, int error) {
  call->outcome = wr_rpc_outcome_of(error);
  call->error = error;
}

void wr_rpc_prepare(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  call->outcome = WR_RPC_OK;
  call->error = 0;
  call->stale = 0;
  call->sent_us = call->took_us = 0;
  call->result = (struct wr_rpc_value){.kind = WR_RPC_NIL};
  call->msgid = wr_rpc_take_msgid(c);
}

void wr_rpc_settle(struct wr_rpc_call *call, const struct wr_rpc_reply *reply) {
  bool good = reply->error.kind == WR_RPC_NIL;
  call->outcome = good ? WR_RPC_OK : WR_RPC_REMOTE;
  call->result = good ? reply->result : reply->error;
}

bool wr_rpc_pack(struct wr_rpc_call *call, enum wr_rpc_type type,
                 uint8_t *message, size_t *len) {
  call->error = wr_rpc_encode(message, len, type, call->msgid, call->method,
                              call->args, call->args_count);
  if (call->error != 0)
    call->outcome = WR_RPC_UNSENDABLE;
  return call->error == 0;
}

int wr_rpc_find(struct wr_rpc_client *c, struct wr_rpc_call *call,
                int64_t deadline_us) {
  if (c->peers.count > 0)
    return 0;
  int status = wr_rpc_resolve(&c->options.address, &c->options.env, deadline_us,
                              &c->peers);
  if (status == 0)
    return 0;
  wr_rpc_fail(call, status);
  if (call->outcome != WR_RPC_CANCELLED)
    call->outcome = WR_RPC_UNRESOLVED;
  return status;
}

int wr_rpc_dial(struct wr_rpc_client *c, struct wr_rpc_call *call,
                int64_t deadline_us, const void *data, size_t len) {
  int fd = wr_rpc_find(c, call, deadline_us);
  if (fd != 0)
    return fd;
  fd = wr_rpc_open(&c->peers, &c->options.env, deadline_us, data, len);
  if (fd >= 0)
    return fd;
  c->peers.count = 0;
  wr_rpc_fail(call, fd);
  return fd;
}
