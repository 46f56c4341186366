#include "lib/rpc/client.h"
#include "lib/rpc/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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

void wr_rpc_client_free(struct wr_rpc_client *c) {
  if (c == NULL)
    return;
  wr_rpc_disconnect(c);
  wr_rpc_lock_close(&c->lock);
  free(c);
}

const char *wr_rpc_client_lock(const struct wr_rpc_client *c, int *error) {
  *error = c->lock_error;
  return c->options.mode == WR_RPC_PROXY ? c->lock.path : NULL;
}

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

static int resolve(struct wr_rpc_client *c, struct wr_rpc_call *call,
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
  int fd = resolve(c, call, deadline_us);
  if (fd != 0)
    return fd;
  fd = wr_rpc_open(&c->peers, &c->options.env, deadline_us, data, len);
  if (fd >= 0)
    return fd;
  c->peers.count = 0;
  wr_rpc_fail(call, fd);
  return fd;
}

static void call_each(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                      size_t count) {
  bool cancelled = false;
  for (size_t i = 0; i < count; i++) {
    wr_rpc_prepare(c, calls + i);
    if (cancelled)
      calls[i].outcome = WR_RPC_CANCELLED;
    else
      wr_rpc_proxy_call(c, calls + i);
    cancelled = calls[i].outcome == WR_RPC_CANCELLED;
  }
}

void wr_rpc_call(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                 size_t count) {
  if (c->options.mode == WR_RPC_PROXY)
    call_each(c, calls, count);
  else if (count > 0)
    wr_rpc_persistent_call(c, calls, count);
}

void wr_rpc_notify(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  int64_t start_us = wr_rpc_now(c);
  wr_rpc_prepare(c, call);
  if (c->options.mode == WR_RPC_PROXY)
    wr_rpc_proxy_notify(c, call);
  else
    wr_rpc_persistent_notify(c, call);
  call->took_us = wr_rpc_now(c) - start_us;
}

void wr_rpc_drain(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  int64_t start_us = wr_rpc_now(c);
  wr_rpc_prepare(c, call);
  if (c->options.mode == WR_RPC_PROXY)
    wr_rpc_proxy_drain(c, call);
  call->took_us = wr_rpc_now(c) - start_us;
}

enum wr_rpc_outcome wr_rpc_client_resolve(struct wr_rpc_client *c) {
  struct wr_rpc_call call = {.outcome = WR_RPC_OK};
  c->peers.count = 0;
  resolve(c, &call, wr_rpc_deadline(c));
  return call.outcome;
}
