/* The session in front of Arduino's m4-proxy: one connection, one message. */
#include "lib/rpc/base.h"

#include <errno.h>
#include <string.h>

/* The proxy waits 1.0 s for the M4; what ends before 50 ms may have crashed. */
#define SILENT_US 900000
#define CRASHED_US 50000
#define DRAIN_MAX 64 /* replies drained in one call */

static bool pack(struct wr_rpc_session *s) {
  struct wr_rpc_call *call = s->calls;
  if (s->op == WR_OP_DRAIN) {
    wr_rpc_encode_drain(s->out, &s->out_len, wr_rpc_take_msgid(s));
    return true;
  }
  return wr_rpc_pack(call, s->op == WR_OP_CALL ? WR_RPC_REQUEST : WR_RPC_NOTIFY,
                     s->out, &s->out_len);
}

/* Another message, which brings one more reply out of the channel. Replies
 * leave the proxy in the order of their requests, so that ours, the last one,
 * is followed by none. */
static void drain_on(struct wr_rpc_session *s, int64_t now_us) {
  s->draining = true;
  wr_rpc_encode_drain(s->out, &s->out_len, wr_rpc_take_msgid(s));
  wr_rpc_dial(s, now_us);
}

static void finish(struct wr_rpc_session *s, enum wr_rpc_outcome outcome,
                   int64_t now_us) {
  struct wr_rpc_call *call = s->calls;
  call->outcome = outcome;
  call->took_us = now_us - call->sent_us;
  wr_rpc_finish(s, false, now_us);
}

static void replied(struct wr_rpc_session *s, const struct wr_rpc_reply *reply,
                    int64_t now_us) {
  struct wr_rpc_call *call = s->calls;
  if (s->op == WR_OP_NOTIFY)
    finish(s, WR_RPC_PROTOCOL, now_us); /* nothing may come back */
  else if (s->op == WR_OP_CALL && reply->msgid == call->msgid) {
    wr_rpc_settle(s, call, reply);
    finish(s, call->outcome, now_us);
  } else if (++call->stale > DRAIN_MAX)
    finish(s, WR_RPC_STALE, now_us);
  else
    drain_on(s, now_us);
}

static void take_bytes(struct wr_rpc_session *s, const uint8_t *data,
                       size_t len, int64_t now_us) {
  struct wr_rpc_call *call = s->calls;
  if (s->op == WR_OP_NONE)
    return;
  size_t room = sizeof(call->bytes) - s->in_len, size = 0;
  len = len < room ? len : room;
  memcpy(call->bytes + s->in_len, data, len);
  s->in_len += len;
  struct wr_rpc_reply reply;
  int status = wr_rpc_decode_reply(call->bytes, s->in_len, &reply, &size);
  if (status == 0)
    replied(s, &reply, now_us);
  else if (status != -EAGAIN)
    finish(s, WR_RPC_PROTOCOL, now_us);
}

static enum wr_rpc_outcome closed_early(int64_t after_us) {
  return after_us >= SILENT_US   ? WR_RPC_SILENT
         : after_us < CRASHED_US ? WR_RPC_CRASHED
                                 : WR_RPC_CLOSED;
}

/* Nothing more in the channel: for a call that means that only late replies
 * came; an early end was not the method's doing, it was delivered. */
static enum wr_rpc_outcome drained(const struct wr_rpc_session *s,
                                   enum wr_rpc_outcome outcome) {
  bool quiet = outcome == WR_RPC_SILENT || outcome == WR_RPC_TIMEOUT;
  if (quiet)
    return s->op == WR_OP_DRAIN ? WR_RPC_OK : WR_RPC_STALE;
  if (outcome == WR_RPC_CRASHED && s->op == WR_OP_CALL)
    return WR_RPC_CLOSED;
  return outcome;
}

static void ended(struct wr_rpc_session *s, int error, int64_t now_us) {
  struct wr_rpc_call *call = s->calls;
  enum wr_rpc_outcome outcome = WR_RPC_OK;
  if (error == -ETIMEDOUT)
    outcome = WR_RPC_TIMEOUT;
  else if (s->in_len > 0)
    outcome = WR_RPC_PROTOCOL; /* ended in the middle */
  else if (error != 0 && error != -ECONNRESET) {
    wr_rpc_fail(call, error);
    outcome = call->outcome;
  } else if (s->op != WR_OP_NOTIFY) /* whose end shows that it was passed on */
    outcome = closed_early(now_us - s->talk_us);
  finish(s, s->draining ? drained(s, outcome) : outcome, now_us);
}

const struct wr_rpc_transport wr_rpc_proxy = {
    .locks = true, .pack = pack, .bytes = take_bytes, .ended = ended};
