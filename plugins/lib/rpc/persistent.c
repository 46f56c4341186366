/* rpc_client in front of servers that keep the connection: rpclib and the
 * arduino-router. */
#include "lib/rpc/base.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void disconnect(struct wr_rpc_client *c) {
  if (c->fd >= 0)
    close(c->fd);
  c->fd = -1;
  c->len = 0;
}

/* After a timeout, too, the connection is given up: it may lead nowhere, and
 * late replies end with it. */
static int connect_once(struct wr_rpc_client *c, struct wr_rpc_call *call,
                        int64_t deadline_us) {
  if (c->fd >= 0)
    return 0;
  int fd = wr_rpc_dial(c, call, deadline_us, NULL, 0);
  if (fd < 0)
    return fd;
  c->fd = fd;
  return 0;
}

/* While a call waits its outcome is TIMEOUT: what has no better one at the end
 * keeps it. */
static bool waits(const struct wr_rpc_call *call) {
  return call->outcome == WR_RPC_TIMEOUT;
}

/* Gives one reply to its call; one that nobody waits for is counted with the
 * first that waits. */
static void deliver(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                    size_t count, size_t size, bool is_reply, uint32_t msgid) {
  struct wr_rpc_call *mine = NULL, *other = NULL;
  for (size_t i = 0; i < count; i++) {
    if (is_reply && waits(calls + i) && calls[i].msgid == msgid)
      mine = calls + i;
    else if (other == NULL && waits(calls + i))
      other = calls + i;
  }
  if (mine == NULL) {
    if (other != NULL && is_reply)
      other->stale++;
    return;
  }
  struct wr_rpc_reply reply;
  memcpy(mine->bytes, c->in, size);
  wr_rpc_decode_reply(mine->bytes, size, &reply, &size);
  wr_rpc_settle(mine, &reply);
  mine->took_us = wr_rpc_now(c) - mine->sent_us;
}

/* Takes whole messages off the buffer. 0, or -EBADMSG. */
static int take_messages(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                         size_t count) {
  for (;;) {
    struct wr_rpc_reply reply = {.msgid = 0};
    size_t size = 0;
    int status = wr_rpc_decode_reply(c->in, c->len, &reply, &size);
    if (status == -EAGAIN)
      return 0;
    if (status != 0 && status != -ENOMSG)
      return -EBADMSG;
    deliver(c, calls, count, size, status == 0, reply.msgid);
    c->len -= size;
    memmove(c->in, c->in + size, c->len);
  }
}

static size_t waiting(const struct wr_rpc_call *calls, size_t count) {
  size_t n = 0;
  for (size_t i = 0; i < count; i++)
    n += waits(calls + i);
  return n;
}

static int receive_all(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                       size_t count, int64_t deadline_us) {
  while (waiting(calls, count) > 0) {
    int n = wr_rpc_recv(c->fd, &c->options.env, deadline_us, c->in + c->len,
                        sizeof(c->in) - c->len);
    if (n <= 0)
      return n == 0 ? -ECONNRESET : n;
    c->len += (size_t)n;
    int status = take_messages(c, calls, count);
    if (status != 0)
      return status;
  }
  return 0;
}

static int send_all(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                    size_t count, int64_t deadline_us) {
  for (size_t i = 0; i < count; i++) {
    uint8_t message[WR_RPC_REQUEST_MAX];
    size_t len = 0;
    if (!wr_rpc_pack(calls + i, WR_RPC_REQUEST, message, &len))
      continue;
    calls[i].sent_us = wr_rpc_now(c);
    int status = wr_rpc_send(c->fd, &c->options.env, deadline_us, message, len);
    if (status != 0)
      return status;
  }
  return 0;
}

static int try_batch(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                     size_t count, int64_t deadline_us) {
  for (size_t i = 0; i < count; i++)
    calls[i].outcome = WR_RPC_TIMEOUT;
  int status = send_all(c, calls, count, deadline_us);
  if (status == 0)
    status = receive_all(c, calls, count, deadline_us);
  return status;
}

static void fail_waiting(struct wr_rpc_call *calls, size_t count, int status) {
  for (size_t i = 0; i < count; i++)
    if (waits(calls + i))
      wr_rpc_fail(calls + i, status);
}

static void call_batch(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                       size_t count) {
  int64_t until_us = wr_rpc_deadline(c);
  /* A server may have closed an idle connection: then once more, afresh. */
  int tries = c->fd < 0 ? 1 : 2;
  int status = -EPIPE;
  while (tries-- > 0 && wr_rpc_outcome_of(status) == WR_RPC_CLOSED) {
    for (size_t i = 0; i < count; i++)
      wr_rpc_prepare(c, calls + i);
    if (connect_once(c, calls, until_us) != 0) {
      for (size_t i = 1; i < count; i++) {
        calls[i].outcome = calls[0].outcome;
        calls[i].error = calls[0].error;
      }
      return;
    }
    status = try_batch(c, calls, count, until_us);
    if (status == 0)
      return;
    disconnect(c);
  }
  fail_waiting(calls, count, status);
}

static void notify(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  uint8_t message[WR_RPC_REQUEST_MAX];
  size_t len = 0;
  int64_t until_us = wr_rpc_deadline(c);
  if (!wr_rpc_pack(call, WR_RPC_NOTIFY, message, &len) ||
      connect_once(c, call, until_us) != 0)
    return;
  call->sent_us = wr_rpc_now(c);
  int status = wr_rpc_send(c->fd, &c->options.env, until_us, message, len);
  if (status == 0)
    return;
  wr_rpc_fail(call, status);
  disconnect(c);
}

const struct wr_rpc_transport wr_rpc_persistent = {.call = call_batch,
                                                   .notify = notify};
