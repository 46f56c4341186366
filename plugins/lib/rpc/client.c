#include "lib/rpc/client.h"
#include "lib/rpc/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct wr_rpc_client *wr_rpc_client_new(const struct wr_rpc_options *options) {
  struct wr_rpc_client *c = calloc(1, sizeof(*c));
  if (c == NULL)
    return NULL;
  c->options = *options;
  c->transport =
      options->mode == WR_RPC_PROXY ? &wr_rpc_proxy : &wr_rpc_persistent;
  c->next_msgid = options->random;
  c->fd = -1;
  c->lock.fd = -1;
  const struct wr_rpc_address *a = &options->address;
  char name[280];
  if (a->path[0] != '\0')
    snprintf(name, sizeof(name), "%s", a->path);
  else
    snprintf(name, sizeof(name), "%s:%s", a->host, a->port);
  if (c->transport->locks)
    c->lock_error = wr_rpc_lock_open(&c->lock, name, options->lock_directory);
  c->options.lock_directory = NULL;
  return c;
}

void wr_rpc_client_free(struct wr_rpc_client *c) {
  if (c == NULL)
    return;
  if (c->fd >= 0)
    close(c->fd);
  wr_rpc_lock_close(&c->lock);
  free(c);
}

const char *wr_rpc_client_lock(const struct wr_rpc_client *c, int *error) {
  *error = c->lock_error;
  return c->transport->locks ? c->lock.path : NULL;
}

void wr_rpc_call(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                 size_t count) {
  for (size_t i = 0; i < count; i++)
    wr_rpc_prepare(c, calls + i);
  if (count > 0)
    c->transport->call(c, calls, count);
}

void wr_rpc_notify(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  int64_t start_us = wr_rpc_now(c);
  wr_rpc_prepare(c, call);
  c->transport->notify(c, call);
  call->took_us = wr_rpc_now(c) - start_us;
}

void wr_rpc_drain(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  int64_t start_us = wr_rpc_now(c);
  wr_rpc_prepare(c, call);
  if (c->transport->drain != NULL)
    c->transport->drain(c, call);
  call->took_us = wr_rpc_now(c) - start_us;
}

enum wr_rpc_outcome wr_rpc_client_resolve(struct wr_rpc_client *c) {
  struct wr_rpc_call call = {.outcome = WR_RPC_OK};
  c->peers.count = 0;
  wr_rpc_find(c, &call, wr_rpc_deadline(c));
  return call.outcome;
}
