#include "lib/rpc/client.h"
#include "lib/rpc/lock.h"
#include "lib/rpc/resolver.h"
#include "lib/rpc/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_US 3000

struct wr_rpc_client {
  struct wr_rpc_options options;
  char *lock_directory;
  struct wr_rpc_wire wire;
  struct wr_rpc_resolver *resolver;
  struct wr_rpc_lock lock; /* proxy */
  char key[WR_RPC_KEY_MAX];
  int lock_error;
  int64_t lock_until_us; /* 0: it is not being waited for */
};

struct wr_rpc_client *wr_rpc_client_new(const struct wr_rpc_options *options) {
  struct wr_rpc_client *c = calloc(1, sizeof(*c));
  if (c == NULL)
    return NULL;
  c->options = *options;
  c->lock.fd = -1;
  wr_rpc_wire_init(&c->wire);
  if (options->lock_directory != NULL)
    c->lock_directory = strdup(options->lock_directory);
  c->resolver = wr_rpc_resolver_new(1);
  int status =
      wr_rpc_session_open(&c->wire.s, options->mode, options->timeout_ms,
                          options->random, WR_RPC_BATCH);
  if (status == 0 && c->resolver != NULL &&
      (c->lock_directory != NULL || options->lock_directory == NULL))
    return c;
  wr_rpc_client_free(c);
  return NULL;
}

void wr_rpc_client_free(struct wr_rpc_client *c) {
  if (c == NULL)
    return;
  wr_rpc_wire_close(&c->wire);
  wr_rpc_resolver_free(c->resolver);
  free(c->lock_directory);
  free(c);
}

const char *wr_rpc_client_lock(const struct wr_rpc_client *c, int *error) {
  *error = c->lock_error;
  return wr_rpc_session_locks(&c->wire.s) ? c->lock.path : NULL;
}

static int64_t now_us(const struct wr_rpc_client *c) {
  return c->options.env.clock_us();
}

static void found(struct wr_rpc_client *c, const struct wr_rpc_peers *peers) {
  wr_rpc_found(&c->wire.s, peers, now_us(c));
}

static void look_up(struct wr_rpc_client *c) {
  struct wr_rpc_peers peers;
  c->wire.s.wish = WR_WISH_NOTHING;
  if (wr_rpc_address_known(&c->options.address, &peers) ||
      wr_rpc_resolver_ask(c->resolver, &c->options.address, c) != 0)
    found(c, &peers);
}

/* Tries the lock until its time is over; then without. */
static void take_lock(struct wr_rpc_client *c) {
  int64_t at_us = now_us(c);
  if (c->lock_until_us == 0) {
    c->lock_until_us = at_us + c->options.timeout_ms * 1000;
    wr_rpc_peers_key(&c->wire.s.peers, c->key, sizeof(c->key));
  }
  int status = wr_rpc_lock_try(&c->lock, c->key, c->lock_directory);
  if (status == -EWOULDBLOCK && at_us < c->lock_until_us)
    return;
  c->lock_error = status == -EWOULDBLOCK ? 0 : status;
  c->lock_until_us = 0;
  wr_rpc_locked(&c->wire.s, status != -EWOULDBLOCK, at_us);
}

/* Serves what can be served without waiting. */
static void serve(struct wr_rpc_client *c) {
  for (;;) {
    wr_rpc_wire_serve(&c->wire, c->options.env.clock_us);
    if (c->wire.s.wish == WR_WISH_ADDRESS)
      look_up(c);
    else if (c->wire.s.wish == WR_WISH_LOCK)
      take_lock(c);
    if (c->wire.s.wish == WR_WISH_NOTHING || c->lock_until_us != 0)
      return;
  }
}

static int wait_ms(const struct wr_rpc_client *c) {
  return wr_rpc_poll_ms(c->lock_until_us != 0 ? RETRY_US
                                              : c->wire.s.next_us - now_us(c));
}

/* False: stop_fd. */
static bool turn(struct wr_rpc_client *c) {
  struct pollfd fds[3] = {
      {.fd = c->wire.fd, .events = wr_rpc_wire_events(&c->wire)},
      {.fd = wr_rpc_resolver_fd(c->resolver), .events = POLLIN},
      {.fd = c->options.env.stop_fd, .events = POLLIN}};
  struct wr_rpc_peers peers;
  poll(fds, 3, wait_ms(c)); /* where it fails nothing is ready */
  if (fds[2].revents != 0)
    return false;
  if (fds[0].revents != 0)
    wr_rpc_wire_ready(&c->wire, c->options.env.clock_us);
  if (fds[1].revents != 0 && wr_rpc_resolver_take(c->resolver, &peers) != NULL)
    found(c, &peers);
  wr_rpc_tick(&c->wire.s, now_us(c));
  return true;
}

static void run(struct wr_rpc_client *c, enum wr_rpc_op op,
                struct wr_rpc_call *calls, size_t count) {
  struct wr_rpc_session *s = &c->wire.s;
  wr_rpc_begin(s, op, calls, count, now_us(c));
  serve(c);
  while (s->op != WR_OP_NONE) {
    if (!turn(c))
      wr_rpc_cancel(s, now_us(c));
    serve(c);
  }
  wr_rpc_resolver_forget(c->resolver, c);
  c->lock_until_us = 0;
  wr_rpc_lock_close(&c->lock); /* the next address may be another proxy's */
}

static void call_each(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                      size_t count) {
  bool cancelled = false;
  for (size_t i = 0; i < count; i++) {
    if (cancelled) {
      wr_rpc_begin(&c->wire.s, WR_OP_CALL, calls + i, 1, now_us(c));
      wr_rpc_cancel(&c->wire.s, now_us(c));
    } else
      run(c, WR_OP_CALL, calls + i, 1);
    cancelled |= calls[i].outcome == WR_RPC_CANCELLED;
  }
}

void wr_rpc_call(struct wr_rpc_client *c, struct wr_rpc_call *calls,
                 size_t count) {
  if (wr_rpc_session_locks(&c->wire.s))
    call_each(c, calls, count);
  else
    run(c, WR_OP_CALL, calls, count);
}

void wr_rpc_notify(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  run(c, WR_OP_NOTIFY, call, 1);
}

void wr_rpc_drain(struct wr_rpc_client *c, struct wr_rpc_call *call) {
  run(c, WR_OP_DRAIN, call, 1);
}

enum wr_rpc_outcome wr_rpc_client_resolve(struct wr_rpc_client *c) {
  struct wr_rpc_peers peers;
  int64_t until_us = now_us(c) + c->options.timeout_ms * 1000;
  struct pollfd fds[2] = {
      {.fd = wr_rpc_resolver_fd(c->resolver), .events = POLLIN},
      {.fd = c->options.env.stop_fd, .events = POLLIN}};
  if (!wr_rpc_address_known(&c->options.address, &peers) &&
      wr_rpc_resolver_ask(c->resolver, &c->options.address, c) == 0) {
    poll(fds, 2, wr_rpc_poll_ms(until_us - now_us(c)));
    wr_rpc_resolver_take(c->resolver, &peers);
    wr_rpc_resolver_forget(c->resolver, c);
  }
  found(c, &peers);
  if (fds[1].revents != 0)
    return WR_RPC_CANCELLED;
  return peers.count > 0 ? WR_RPC_OK : WR_RPC_UNRESOLVED;
}
