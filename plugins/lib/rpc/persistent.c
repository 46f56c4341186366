/* The session in front of servers that keep the connection: rpclib and the
 * arduino-router. */
#include "lib/rpc/base.h"

#include <errno.h>
#include <string.h>

/* While a call waits its outcome is TIMEOUT: what has no better one at the end
 * keeps it. */
static bool waits(const struct wr_rpc_call *call) {
  return call->outcome == WR_RPC_TIMEOUT;
}

static bool any_waits(const struct wr_rpc_session *s) {
  for (size_t i = 0; i < s->count; i++)
    if (waits(s->calls + i))
      return true;
  return false;
}

static bool pack(struct wr_rpc_session *s) {
  enum wr_rpc_type type =
      s->op == WR_OP_NOTIFY ? WR_RPC_NOTIFY : WR_RPC_REQUEST;
  if (s->op == WR_OP_DRAIN)
    return false; /* there is no channel */
  for (size_t i = 0; i < s->count; i++) {
    size_t len = 0;
    if (!wr_rpc_pack(s->calls + i, type, s->out + s->out_len, &len))
      continue;
    s->out_len += len;
    if (type == WR_RPC_REQUEST)
      s->calls[i].outcome = WR_RPC_TIMEOUT;
  }
  return s->out_len != 0;
}

/* Gives one reply to its call; one that nobody waits for is counted with the
 * first that waits. */
static void deliver(struct wr_rpc_session *s, size_t size, uint32_t msgid,
                    int64_t now_us) {
  struct wr_rpc_call *mine = NULL, *other = NULL;
  for (size_t i = 0; i < s->count; i++) {
    struct wr_rpc_call *call = s->calls + i;
    if (waits(call) && call->msgid == msgid)
      mine = call;
    else if (other == NULL && waits(call))
      other = call;
  }
  if (mine == NULL) {
    if (other != NULL)
      other->stale++;
    return;
  }
  struct wr_rpc_reply reply;
  memcpy(mine->bytes, s->in, size);
  wr_rpc_decode_reply(mine->bytes, size, &reply, &size);
  wr_rpc_settle(s, mine, &reply);
  mine->took_us = now_us - mine->sent_us;
  s->reused = false; /* it lives */
}

/* Answers a request of the peer; anything else that is no reply is dropped. */
static void serve(struct wr_rpc_session *s, int64_t now_us) {
  struct wr_rpc_request request;
  char text[WR_RPC_REQUEST_MAX];
  size_t size = 0, len = 0;
  if (wr_rpc_decode_request(s->in, s->in_len, &request, &size) != 0 ||
      request.method.kind != WR_RPC_TEXT ||
      s->aside_len + WR_RPC_REQUEST_MAX > WR_RPC_ASIDE)
    return;
  bool bound = s->asked != NULL && s->asked(s->asked_user, &request.method,
                                            text, sizeof(text), now_us);
  if (wr_rpc_encode_reply(s->aside + s->aside_len, &len, request.msgid,
                          bound ? NULL : "no such method", text) == 0)
    s->aside_len += len;
}

/* Takes whole messages off the buffer. 0, or -EBADMSG. */
static int take_messages(struct wr_rpc_session *s, int64_t now_us) {
  for (;;) {
    struct wr_rpc_reply reply = {.msgid = 0};
    size_t size = 0;
    int status = wr_rpc_decode_reply(s->in, s->in_len, &reply, &size);
    if (status == -EAGAIN)
      return 0;
    if (status != 0 && status != -ENOMSG)
      return -EBADMSG;
    if (status == 0)
      deliver(s, size, reply.msgid, now_us);
    else
      serve(s, now_us);
    s->in_len -= size;
    memmove(s->in, s->in + size, s->in_len);
  }
}

static void ended(struct wr_rpc_session *s, int error, int64_t now_us) {
  /* A server may have closed an idle connection: then once more, afresh. */
  if (s->reused && error != -ETIMEDOUT && error != -EBADMSG) {
    wr_rpc_dial(s, now_us);
    return;
  }
  for (size_t i = 0; i < s->count; i++)
    if (waits(s->calls + i) || s->op == WR_OP_NOTIFY)
      wr_rpc_fail(s->calls + i, error == 0 ? -ECONNRESET : error);
  wr_rpc_finish(s, false, now_us);
}

/* After a timeout, too, the connection is given up: it may lead nowhere, and
 * late replies end with it. */
static void take_bytes(struct wr_rpc_session *s, const uint8_t *data,
                       size_t len, int64_t now_us) {
  int status = 0;
  while (len > 0 && status == 0) {
    size_t room = 2 * WR_RPC_REPLY_MAX - s->in_len;
    size_t part = len < room ? len : room;
    memcpy(s->in + s->in_len, data, part);
    s->in_len += part;
    data += part;
    len -= part;
    status = take_messages(s, now_us);
  }
  if (status != 0 && s->op != WR_OP_NONE)
    ended(s, status, now_us);
  else if (status != 0) {
    s->open = false;
    s->wish = WR_WISH_CLOSE;
  } else if (s->op == WR_OP_CALL && !any_waits(s))
    wr_rpc_finish(s, true, now_us);
}

const struct wr_rpc_transport wr_rpc_persistent = {
    .keeps = true, .pack = pack, .bytes = take_bytes, .ended = ended};
