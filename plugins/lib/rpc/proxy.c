/* rpc_client in front of Arduino's m4-proxy: one connection, one message. */
#include "lib/rpc/base.h"

#include <errno.h>
#include <unistd.h>

/* The proxy waits 1.0 s for the M4; what ends before 50 ms has crashed. */
#define SILENT_US 900000
#define CRASHED_US 50000
#define DRAIN_MAX 64 /* replies drained in one call */

static void closed_early(struct wr_rpc_call *call, int64_t after_us) {
  call->outcome = after_us >= SILENT_US   ? WR_RPC_SILENT
                  : after_us < CRASHED_US ? WR_RPC_CRASHED
                                          : WR_RPC_CLOSED;
}

/* Reads one whole message into call->bytes. Its size; 0: the stream ended
 * without a byte; -errno. */
static int read_message(struct wr_rpc_client *c, int fd,
                        struct wr_rpc_call *call, int64_t deadline_us) {
  size_t len = 0, size = 0;
  for (;;) {
    int n = wr_rpc_recv(fd, &c->options.env, deadline_us, call->bytes + len,
                        sizeof(call->bytes) - len);
    if (n <= 0)
      return n == 0 && len > 0 ? -EBADMSG : n;
    len += (size_t)n;
    int status = wr_rpc_scan(call->bytes, len, &size);
    if (status != -EAGAIN)
      return status == 0 ? (int)len : -EBADMSG;
  }
}

/* Sends one message on a connection of its own and awaits what comes back. On
 * OK, *reply is a reply to whatever request. */
static void exchange(struct wr_rpc_client *c, struct wr_rpc_call *call,
                     const uint8_t *data, size_t len, int64_t deadline_us,
                     struct wr_rpc_reply *reply) {
  int64_t start_us = wr_rpc_now(c);
  call->outcome = WR_RPC_OK;
  int fd = wr_rpc_dial(c, call, deadline_us, data, len);
  if (fd < 0)
    return;
  if (call->sent_us == 0)
    call->sent_us = start_us;
  int n = read_message(c, fd, call, deadline_us);
  close(fd);
  size_t size = 0;
  if (n > 0 && wr_rpc_decode_reply(call->bytes, (size_t)n, reply, &size) != 0)
    n = -EBADMSG;
  if (n == 0 || n == -ECONNRESET)
    closed_early(call, wr_rpc_now(c) - start_us);
  else if (n < 0)
    wr_rpc_fail(call, n);
}

/* Drains until the reply to call->msgid (OK), nothing more (STALE) or trouble.
 * Replies leave the proxy in the order of their requests, so that ours, the
 * last one, is followed by none. */
static void drain(struct wr_rpc_client *c, struct wr_rpc_call *call,
                  int64_t deadline_us, struct wr_rpc_reply *reply) {
  uint8_t message[WR_RPC_REQUEST_MAX];
  for (int i = 0; i < DRAIN_MAX; i++) {
    size_t len = 0;
    wr_rpc_encode_drain(message, &len, wr_rpc_take_msgid(c));
    exchange(c, call, message, len, deadline_us, reply);
    if (call->outcome != WR_RPC_OK || reply->msgid == call->msgid)
      break;
    call->stale++;
  }
  if (call->outcome == WR_RPC_CRASHED)
    call->outcome = WR_RPC_CLOSED; /* not by the method: it was delivered */
  bool nothing = call->outcome == WR_RPC_SILENT ||
                 call->outcome == WR_RPC_TIMEOUT ||
                 (call->outcome == WR_RPC_OK && reply->msgid != call->msgid);
  if (nothing)
    call->outcome = WR_RPC_STALE;
}

static bool lock(struct wr_rpc_client *c, struct wr_rpc_call *call,
                 int64_t deadline_us) {
  int status = wr_rpc_lock_take(&c->lock, &c->options.env, deadline_us);
  if (status == 0)
    return true;
  call->outcome = status == -ECANCELED ? WR_RPC_CANCELLED : WR_RPC_BUSY;
  return false;
}

static void call_one(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  uint8_t message[WR_RPC_REQUEST_MAX];
  size_t len = 0;
  struct wr_rpc_reply reply;
  int64_t start_us = wr_rpc_now(c), until_us = wr_rpc_deadline(c);
  if (!wr_rpc_pack(call, WR_RPC_REQUEST, message, &len) ||
      !lock(c, call, until_us))
    return;
  exchange(c, call, message, len, until_us, &reply);
  if (call->outcome == WR_RPC_OK && reply.msgid != call->msgid) {
    call->stale++;
    drain(c, call, until_us, &reply);
  }
  wr_rpc_lock_give(&c->lock);
  if (call->outcome == WR_RPC_OK)
    wr_rpc_settle(call, &reply);
  call->took_us = wr_rpc_now(c) - start_us;
}

static void call_each(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                      size_t count) {
  bool cancelled = false;
  for (size_t i = 0; i < count; i++) {
    if (cancelled)
      calls[i].outcome = WR_RPC_CANCELLED;
    else
      call_one(c, calls + i);
    cancelled = calls[i].outcome == WR_RPC_CANCELLED;
  }
}

/* The end of the connection shows that the proxy has passed it on, so that
 * the next call cannot overtake it. */
static void notify(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  uint8_t message[WR_RPC_REQUEST_MAX];
  size_t len = 0;
  int64_t until_us = wr_rpc_deadline(c);
  if (!wr_rpc_pack(call, WR_RPC_NOTIFY, message, &len) ||
      !lock(c, call, until_us))
    return;
  int fd = wr_rpc_dial(c, call, until_us, message, len);
  if (fd >= 0) {
    call->sent_us = wr_rpc_now(c);
    int n = read_message(c, fd, call, until_us);
    close(fd);
    if (n > 0)
      call->outcome = WR_RPC_PROTOCOL;
    else if (n < 0 && n != -ECONNRESET)
      wr_rpc_fail(call, n);
  }
  wr_rpc_lock_give(&c->lock);
}

static void drain_alone(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  struct wr_rpc_reply reply;
  int64_t until_us = wr_rpc_deadline(c);
  if (!lock(c, call, until_us))
    return;
  drain(c, call, until_us, &reply);
  wr_rpc_lock_give(&c->lock);
  if (call->outcome == WR_RPC_STALE && call->stale < DRAIN_MAX)
    call->outcome = WR_RPC_OK;
}

const struct wr_rpc_transport wr_rpc_proxy = {
    .locks = true, .call = call_each, .notify = notify, .drain = drain_alone};
