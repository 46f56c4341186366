#include "rpc_client.h"
#include "rpc_lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The proxy waits 1.0 s for the M4; what ends before 50 ms has crashed. */
#define SILENT_US 900000
#define CRASHED_US 50000
#define DRAIN_MAX 64 /* replies drained in one call */

struct wr_rpc_client {
  struct wr_rpc_options options;
  struct wr_rpc_peers peers;
  struct wr_rpc_lock lock;
  int lock_error;
  uint32_t next_msgid;
  int fd; /* persistent: the connection, or -1 */
  size_t len;
  uint8_t in[2 * WR_RPC_REPLY_MAX]; /* persistent: received, not yet read */
};

struct wr_rpc_client *wr_rpc_client_new(const struct wr_rpc_options *options) {
  struct wr_rpc_client *c = calloc(1, sizeof(*c));
  if (c == NULL)
    return NULL;
  c->options = *options;
  c->next_msgid = options->random;
  c->fd = -1;
  c->lock.fd = -1;
  const struct wr_rpc_address *a = &options->address;
  char name[280];
  if (a->path[0] != '\0')
    snprintf(name, sizeof(name), "%s", a->path);
  else
    snprintf(name, sizeof(name), "%s:%s", a->host, a->port);
  if (options->mode == WR_RPC_PROXY)
    c->lock_error = wr_rpc_lock_open(&c->lock, name, options->lock_directory);
  c->options.lock_directory = NULL;
  return c;
}

static void disconnect(struct wr_rpc_client *c) {
  if (c->fd >= 0)
    close(c->fd);
  c->fd = -1;
  c->len = 0;
}

void wr_rpc_client_free(struct wr_rpc_client *c) {
  if (c == NULL)
    return;
  disconnect(c);
  wr_rpc_lock_close(&c->lock);
  free(c);
}

const char *wr_rpc_client_lock(const struct wr_rpc_client *c, int *error) {
  *error = c->lock_error;
  return c->options.mode == WR_RPC_PROXY ? c->lock.path : NULL;
}

static int64_t now(const struct wr_rpc_client *c) {
  return c->options.env.clock_us();
}

static int64_t deadline(const struct wr_rpc_client *c) {
  return now(c) + c->options.timeout_ms * 1000;
}

/* An odd step visits all 2^32 values: no msgid comes twice in that many calls,
 * and another client, which started elsewhere, hardly ever has the same. */
static uint32_t take_msgid(struct wr_rpc_client *c) {
  c->next_msgid += 0x9e3779b1u;
  return c->next_msgid;
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
  default:
    return WR_RPC_UNREACHABLE;
  }
}

static void fail(struct wr_rpc_call *call, int error) {
  call->outcome = outcome_of(error);
  call->error = error;
}

static int resolve(struct wr_rpc_client *c, struct wr_rpc_call *call,
                   int64_t deadline_us) {
  if (c->peers.count > 0)
    return 0;
  int status = wr_rpc_resolve(&c->options.address, &c->options.env, deadline_us,
                              &c->peers);
  if (status == 0)
    return 0;
  fail(call, status);
  if (call->outcome != WR_RPC_CANCELLED)
    call->outcome = WR_RPC_UNRESOLVED;
  return status;
}

/* Connects and sends. A failure forgets the address, which may have changed. */
static int open_and_send(struct wr_rpc_client *c, struct wr_rpc_call *call,
                         int64_t deadline_us, const void *data, size_t len) {
  int fd = resolve(c, call, deadline_us);
  if (fd != 0)
    return fd;
  fd = wr_rpc_open(&c->peers, &c->options.env, deadline_us, data, len);
  if (fd >= 0)
    return fd;
  c->peers.count = 0;
  fail(call, fd);
  return fd;
}

static void prepare(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  call->outcome = WR_RPC_OK;
  call->error = 0;
  call->stale = 0;
  call->sent_us = call->took_us = 0;
  call->result = (struct wr_rpc_value){.kind = WR_RPC_NIL};
  call->msgid = take_msgid(c);
}

static void settle(struct wr_rpc_call *call, const struct wr_rpc_reply *reply) {
  bool good = reply->error.kind == WR_RPC_NIL;
  call->outcome = good ? WR_RPC_OK : WR_RPC_REMOTE;
  call->result = good ? reply->result : reply->error;
}

/* --- proxy: one connection, one message ---------------------------------- */

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
  int64_t start_us = now(c);
  call->outcome = WR_RPC_OK;
  int fd = open_and_send(c, call, deadline_us, data, len);
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
    closed_early(call, now(c) - start_us);
  else if (n == -EBADMSG)
    call->outcome = WR_RPC_PROTOCOL;
  else if (n < 0)
    fail(call, n);
}

/* Drains until the reply to call->msgid (OK), nothing more (STALE) or trouble.
 * Replies leave the proxy in the order of their requests, so that ours, the
 * last one, is followed by none. */
static void drain(struct wr_rpc_client *c, struct wr_rpc_call *call,
                  int64_t deadline_us, struct wr_rpc_reply *reply) {
  uint8_t message[WR_RPC_REQUEST_MAX];
  for (int i = 0; i < DRAIN_MAX; i++) {
    size_t len = 0;
    wr_rpc_encode_drain(message, &len, take_msgid(c));
    exchange(c, call, message, len, deadline_us, reply);
    if (call->outcome != WR_RPC_OK || reply->msgid == call->msgid)
      break;
    call->stale++;
  }
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

static bool encode(struct wr_rpc_call *call, enum wr_rpc_type type,
                   uint8_t *message, size_t *len) {
  if (wr_rpc_encode(message, len, type, call->msgid, call->method, call->args,
                    call->args_count) == 0)
    return true;
  call->outcome = WR_RPC_UNSENDABLE;
  return false;
}

static void call_proxy(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  uint8_t message[WR_RPC_REQUEST_MAX];
  size_t len = 0;
  struct wr_rpc_reply reply;
  int64_t start_us = now(c), until_us = deadline(c);
  if (!encode(call, WR_RPC_REQUEST, message, &len) || !lock(c, call, until_us))
    return;
  exchange(c, call, message, len, until_us, &reply);
  if (call->outcome == WR_RPC_OK && reply.msgid != call->msgid) {
    call->stale++;
    drain(c, call, until_us, &reply);
  }
  wr_rpc_lock_give(&c->lock);
  if (call->outcome == WR_RPC_OK)
    settle(call, &reply);
  call->took_us = now(c) - start_us;
}

static void notify_proxy(struct wr_rpc_client *c, struct wr_rpc_call *call,
                         const uint8_t *message, size_t len, int64_t until_us) {
  if (!lock(c, call, until_us))
    return;
  int fd = open_and_send(c, call, until_us, message, len);
  if (fd >= 0) {
    call->sent_us = now(c);
    int n = read_message(c, fd, call, until_us);
    close(fd);
    if (n > 0)
      call->outcome = WR_RPC_PROTOCOL;
    else if (n < 0 && n != -ECONNRESET)
      fail(call, n);
  }
  wr_rpc_lock_give(&c->lock);
}

void wr_rpc_drain(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  struct wr_rpc_reply reply;
  int64_t start_us = now(c), until_us = deadline(c);
  prepare(c, call);
  if (c->options.mode != WR_RPC_PROXY || !lock(c, call, until_us))
    return;
  drain(c, call, until_us, &reply);
  wr_rpc_lock_give(&c->lock);
  if (call->outcome == WR_RPC_STALE && call->stale < DRAIN_MAX)
    call->outcome = WR_RPC_OK;
  call->took_us = now(c) - start_us;
}

/* --- persistent: one connection, many messages ---------------------------- */

static int connect_once(struct wr_rpc_client *c, struct wr_rpc_call *call,
                        int64_t deadline_us) {
  if (c->fd >= 0)
    return 0;
  int fd = open_and_send(c, call, deadline_us, NULL, 0);
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
  settle(mine, &reply);
  mine->took_us = now(c) - mine->sent_us;
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
    if (!encode(calls + i, WR_RPC_REQUEST, message, &len))
      continue;
    calls[i].sent_us = now(c);
    int status = wr_rpc_send(c->fd, &c->options.env, deadline_us, message, len);
    if (status != 0)
      return status;
  }
  return 0;
}

static int try_batch(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                     size_t count, int64_t deadline_us) {
  for (size_t i = 0; i < count; i++) {
    prepare(c, calls + i);
    calls[i].outcome = WR_RPC_TIMEOUT;
  }
  int status = send_all(c, calls, count, deadline_us);
  if (status == 0)
    status = receive_all(c, calls, count, deadline_us);
  return status;
}

static void fail_waiting(struct wr_rpc_call *calls, size_t count, int status) {
  for (size_t i = 0; i < count; i++) {
    if (!waits(calls + i))
      continue;
    fail(calls + i, status);
    if (status == -EBADMSG)
      calls[i].outcome = WR_RPC_PROTOCOL;
  }
}

static void call_persistent(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                            size_t count) {
  int64_t until_us = deadline(c);
  /* A server may have closed an idle connection: then once more, afresh. */
  int tries = c->fd < 0 ? 1 : 2;
  int status = -EPIPE;
  while (tries-- > 0 && outcome_of(status) == WR_RPC_CLOSED) {
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

/* --- either ----------------------------------------------------------------
 */

void wr_rpc_call(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                 size_t count) {
  for (size_t i = 0; i < count; i++)
    prepare(c, calls + i);
  if (c->options.mode == WR_RPC_PERSISTENT) {
    if (count > 0)
      call_persistent(c, calls, count);
    return;
  }
  bool cancelled = false;
  for (size_t i = 0; i < count; i++) {
    if (cancelled)
      calls[i].outcome = WR_RPC_CANCELLED;
    else
      call_proxy(c, calls + i);
    cancelled = calls[i].outcome == WR_RPC_CANCELLED;
  }
}

void wr_rpc_notify(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  uint8_t message[WR_RPC_REQUEST_MAX];
  size_t len = 0;
  int64_t start_us = now(c), until_us = deadline(c);
  prepare(c, call);
  if (!encode(call, WR_RPC_NOTIFY, message, &len))
    return;
  if (c->options.mode == WR_RPC_PROXY) {
    notify_proxy(c, call, message, len, until_us);
  } else if (connect_once(c, call, until_us) == 0) {
    call->sent_us = start_us;
    int status = wr_rpc_send(c->fd, &c->options.env, until_us, message, len);
    if (status != 0) {
      fail(call, status);
      disconnect(c);
    }
  }
  call->took_us = now(c) - start_us;
}

enum wr_rpc_outcome wr_rpc_client_resolve(struct wr_rpc_client *c) {
  struct wr_rpc_call call = {.outcome = WR_RPC_OK};
  c->peers.count = 0;
  resolve(c, &call, deadline(c));
  return call.outcome;
}
