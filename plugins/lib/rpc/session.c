#include "lib/rpc/session.h"
#include "lib/rpc/base.h"

#include <errno.h>
#include <stdlib.h>

int wr_rpc_session_open(struct wr_rpc_session *s, enum wr_rpc_mode mode,
                        int64_t timeout_ms, uint32_t random, size_t batch) {
  bool keeps = mode == WR_RPC_PERSISTENT;
  *s = (struct wr_rpc_session){.transport =
                                   keeps ? &wr_rpc_persistent : &wr_rpc_proxy,
                               .timeout_ms = timeout_ms,
                               .next_msgid = random,
                               .next_us = INT64_MAX};
  size_t out = batch * WR_RPC_REQUEST_MAX;
  s->out = malloc(out + (keeps ? 2 * WR_RPC_REPLY_MAX + WR_RPC_ASIDE : 0));
  if (keeps && s->out != NULL) {
    s->in = s->out + out;
    s->aside = s->in + 2 * WR_RPC_REPLY_MAX;
  }
  return s->out != NULL ? 0 : -ENOMEM;
}

void wr_rpc_session_close(struct wr_rpc_session *s) {
  free(s->out);
  *s = (struct wr_rpc_session){.next_us = INT64_MAX};
}

bool wr_rpc_session_locks(const struct wr_rpc_session *s) {
  return s->transport->locks;
}

static void prepare(struct wr_rpc_session *s, struct wr_rpc_call *call) {
  call->outcome = WR_RPC_OK;
  call->error = 0;
  call->stale = 0;
  call->unlocked = false;
  call->sent_us = call->took_us = 0;
  call->result = (struct wr_rpc_value){.kind = WR_RPC_NIL};
  call->msgid = wr_rpc_take_msgid(s);
}

static void seek(struct wr_rpc_session *s, int64_t now_us) {
  if (s->open) {
    s->wish = WR_WISH_SEND;
    s->reused = true;
    for (size_t i = 0; i < s->count; i++)
      s->calls[i].sent_us = now_us;
  } else if (!s->fresh) {
    s->wish = WR_WISH_ADDRESS;
    s->finding = true;
  } else if (s->transport->locks) {
    s->wish = WR_WISH_LOCK;
    s->next_us = INT64_MAX; /* who serves the wish bounds the wait */
  } else
    wr_rpc_dial(s, now_us);
}

void wr_rpc_begin(struct wr_rpc_session *s, enum wr_rpc_op op,
                  struct wr_rpc_call *calls, size_t count, int64_t now_us) {
  s->op = op;
  s->calls = calls;
  s->count = count;
  s->draining = op == WR_OP_DRAIN;
  s->start_us = now_us;
  s->next_us = s->until_us = now_us + s->timeout_ms * 1000;
  for (size_t i = 0; i < count; i++)
    prepare(s, calls + i);
  if (s->transport->pack(s))
    seek(s, now_us);
  else
    wr_rpc_finish(s, true, now_us);
}

void wr_rpc_cancel(struct wr_rpc_session *s, int64_t now_us) {
  for (size_t i = 0; i < s->count; i++)
    if (s->calls[i].took_us == 0)
      s->calls[i].outcome = WR_RPC_CANCELLED;
  wr_rpc_finish(s, false, now_us);
}

void wr_rpc_found(struct wr_rpc_session *s, const struct wr_rpc_peers *peers,
                  int64_t now_us) {
  bool wanted = s->op != WR_OP_NONE && s->finding;
  if (!wanted && (peers->count == 0 || s->op != WR_OP_NONE))
    return; /* in the middle of a call with an older address */
  s->finding = false;
  if (peers->count > 0)
    s->peers = *peers;
  s->fresh = s->peers.count > 0;
  if (!wanted)
    return;
  if (now_us >= s->until_us) /* the look-up took it all */
    s->next_us = s->until_us = now_us + s->timeout_ms * 1000;
  if (s->fresh)
    seek(s, now_us);
  else
    wr_rpc_connected(s, -EADDRNOTAVAIL, now_us);
}

void wr_rpc_locked(struct wr_rpc_session *s, bool got, int64_t now_us) {
  s->calls->unlocked = !got;
  s->until_us = now_us + s->timeout_ms * 1000;
  wr_rpc_dial(s, now_us);
}

void wr_rpc_bytes(struct wr_rpc_session *s, const void *data, size_t len,
                  int64_t now_us) {
  s->transport->bytes(s, data, len, now_us);
}

void wr_rpc_ended(struct wr_rpc_session *s, int error, int64_t now_us) {
  s->open = false;
  if (s->op != WR_OP_NONE)
    s->transport->ended(s, error, now_us);
  else
    s->wish = WR_WISH_CLOSE;
}

void wr_rpc_tick(struct wr_rpc_session *s, int64_t now_us) {
  static const struct wr_rpc_peers none;
  if (s->op == WR_OP_NONE || now_us < s->next_us)
    return;
  if (s->open)
    wr_rpc_ended(s, -ETIMEDOUT, now_us);
  else if (s->finding)
    wr_rpc_found(s, &none, now_us);
  else
    wr_rpc_connected(s, -ETIMEDOUT, now_us);
}
