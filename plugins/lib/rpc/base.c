#include "lib/rpc/base.h"

#include <errno.h>

/* An odd step visits all 2^32 values: no msgid comes twice in that many calls,
 * and another client, which started elsewhere, hardly ever has the same. */
uint32_t wr_rpc_take_msgid(struct wr_rpc_session *s) {
  s->next_msgid += 0x9e3779b1u;
  return s->next_msgid;
}

static enum wr_rpc_outcome outcome_of(int error) {
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
  case -EADDRNOTAVAIL:
    return WR_RPC_UNRESOLVED;
  default:
    return WR_RPC_UNREACHABLE;
  }
}

void wr_rpc_fail(struct wr_rpc_call *call, int error) {
  call->outcome = outcome_of(error);
  call->error = error;
}

/* What an arduino-router itself answers: [2, "method ... not available"]. */
static bool by_router(const struct wr_rpc_value *error) {
  struct wr_rpc_value code;
  return error->kind == WR_RPC_ARRAY && error->count == 2 &&
         wr_rpc_element(error, 0, &code) == 0 && code.kind == WR_RPC_UINT &&
         code.u == 2;
}

void wr_rpc_settle(const struct wr_rpc_session *s, struct wr_rpc_call *call,
                   const struct wr_rpc_reply *reply) {
  bool good = reply->error.kind == WR_RPC_NIL;
  call->outcome = good ? WR_RPC_OK : WR_RPC_REMOTE;
  call->result = good ? reply->result : reply->error;
  if (!good && s->transport->keeps && by_router(&reply->error))
    call->outcome = WR_RPC_UNROUTED;
}

bool wr_rpc_pack(struct wr_rpc_call *call, enum wr_rpc_type type,
                 uint8_t *message, size_t *len) {
  call->error = wr_rpc_encode(message, len, type, call->msgid, call->method,
                              call->args, call->args_count);
  if (call->error != 0)
    call->outcome = WR_RPC_UNSENDABLE;
  return call->error == 0;
}

/* A dead first address leaves time for the second. */
static void dial_peer(struct wr_rpc_session *s, int64_t now_us) {
  s->wish = WR_WISH_CONNECT;
  s->open = false;
  s->in_len = 0;
  s->next_us = s->until_us;
  if (s->peer + 1 < s->peers.count)
    s->next_us = now_us + (s->until_us - now_us) / 2;
}

void wr_rpc_dial(struct wr_rpc_session *s, int64_t now_us) {
  s->peer = 0;
  s->reused = false;
  s->dials++;
  for (size_t i = 0; i < s->count; i++)
    if (s->calls[i].sent_us == 0)
      s->calls[i].sent_us = now_us;
  dial_peer(s, now_us);
}

void wr_rpc_finish(struct wr_rpc_session *s, bool keep, int64_t now_us) {
  for (size_t i = 0; i < s->count; i++)
    if (s->calls[i].took_us == 0)
      s->calls[i].took_us = now_us - s->start_us;
  s->open = s->open && keep;
  s->op = WR_OP_NONE;
  s->calls = NULL;
  s->count = 0;
  s->out_len = 0;
  s->next_us = INT64_MAX;
  s->wish = s->open ? WR_WISH_NOTHING : WR_WISH_CLOSE;
}

/* --- the answers to the wish for a connection --- */

static void give_up(struct wr_rpc_session *s, int error, int64_t now_us) {
  s->fresh = false; /* the address may have changed */
  for (size_t i = 0; i < s->count; i++) {
    if (s->calls[i].outcome != WR_RPC_UNSENDABLE)
      wr_rpc_fail(s->calls + i, error);
    s->calls[i].sent_us = 0;
  }
  wr_rpc_finish(s, false, now_us);
}

void wr_rpc_connected(struct wr_rpc_session *s, int error, int64_t now_us) {
  if (error == 0) {
    s->open = true;
    s->talk_us = now_us;
    s->next_us = s->until_us;
    if (s->op == WR_OP_NOTIFY && s->transport->keeps)
      wr_rpc_finish(s, true, now_us);
  } else if (++s->peer < s->peers.count)
    dial_peer(s, now_us);
  else
    give_up(s, error, now_us);
}
