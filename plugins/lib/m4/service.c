#include "lib/m4/service.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>

int64_t wr_m4_now_us(const struct wr_m4_driver *d) {
  return d->world.clock_us();
}

/* --- who is next ---
 */

void wr_m4_make_ready(struct wr_m4_driver *d, struct wr_m4_board *b) {
  if (b->ready)
    return;
  b->ready = true;
  b->ready_next = NULL;
  *(d->ready == NULL ? &d->ready : &d->ready_last->ready_next) = b;
  d->ready_last = b;
}

static void queue_up(struct wr_m4_driver *d, struct wr_m4_board *b) {
  if (b->in_line)
    return;
  b->in_line = true;
  b->line_next = NULL;
  *(d->line == NULL ? &d->line : &d->line_last->line_next) = b;
  d->line_last = b;
}

int wr_m4_wait_ms(const struct wr_m4_driver *d) {
  const struct wr_timer *first = wr_timers_first(&d->timers);
  if (d->ready != NULL)
    return 0;
  if (first == NULL)
    return -1;
  return wr_rpc_poll_ms(first->at_us - wr_m4_now_us(d));
}

/* --- what a board wishes ---
 */

static struct wr_m4_board *board_of(struct wr_m4_visitor *v) {
  return (struct wr_m4_board *)((char *)v -
                                offsetof(struct wr_m4_board, visitor));
}

/* The proxy's gate and guard, whatever its address was called. */
static void meet(struct wr_m4_driver *d, struct wr_m4_board *b) {
  char key[WR_RPC_KEY_MAX];
  if (b->mode != WR_RPC_PROXY || b->wire.s.peers.count == 0)
    return;
  wr_rpc_peers_key(&b->wire.s.peers, key, sizeof(key));
  struct wr_m4_gate *gate = wr_m4_gate_find(&d->gates, key, b->lock_directory);
  if (gate == NULL)
    return; /* no memory: as before */
  b->gate = gate;
  b->life.guard = &gate->guard;
}

void wr_m4_found(struct wr_m4_driver *d, struct wr_m4_board *b,
                 const struct wr_rpc_peers *peers) {
  wr_rpc_found(&b->wire.s, peers, wr_m4_now_us(d));
  meet(d, b);
}

static void look_up(struct wr_m4_driver *d, struct wr_m4_board *b) {
  struct wr_rpc_peers peers = {.count = 0};
  b->wire.s.wish = WR_WISH_NOTHING;
  if (wr_rpc_address_known(&b->address, &peers) ||
      wr_rpc_resolver_ask(d->resolver, &b->address, b) != 0)
    wr_m4_found(d, b, &peers);
}

static void say_lock_fault(const struct wr_m4_driver *d, struct wr_m4_board *b,
                           int before) {
  const struct wr_m4_gate *g = b->gate;
  if (g->lock_error != 0 && g->lock_error != before)
    d->world.lock_fault(b->life.sink.user, g->lock.path, g->lock_error);
}

/* False: it has to wait. */
static bool take_lock(struct wr_m4_driver *d, struct wr_m4_board *b) {
  enum wr_m4_entry entry = WR_M4_IN;
  b->retry_us = 0;
  if (b->gate != NULL) {
    int before = b->gate->lock_error;
    b->at_gate = true;
    entry = wr_m4_gate_enter(b->gate, &b->visitor, b->timeout_ms * 1000,
                             wr_m4_now_us(d));
    say_lock_fault(d, b, before);
  }
  if (entry == WR_M4_LATER)
    b->retry_us = wr_m4_now_us(d) + WR_M4_GATE_RETRY_US;
  if (entry == WR_M4_LATER || entry == WR_M4_LINE)
    return false;
  wr_rpc_locked(&b->wire.s, entry == WR_M4_IN, wr_m4_now_us(d));
  return true;
}

void wr_m4_leave_gate(struct wr_m4_driver *d, struct wr_m4_board *b) {
  if (!b->at_gate)
    return;
  b->at_gate = false;
  struct wr_m4_visitor *next = wr_m4_gate_leave(b->gate, &b->visitor);
  if (next != NULL)
    wr_m4_make_ready(d, board_of(next));
}

/* A lock's file counts, too: a call through a gate takes two. */
static size_t needs(const struct wr_m4_board *b) {
  return b->mode == WR_RPC_PROXY ? 2 : 1;
}

static bool grant(struct wr_m4_driver *d, struct wr_m4_board *b) {
  if (d->held + needs(b) > d->descriptors)
    return false;
  d->held += needs(b);
  b->holds = true;
  return true;
}

/* Before anything is opened. False: the board waits in line. */
static bool hold(struct wr_m4_driver *d, struct wr_m4_board *b) {
  if (b->holds || (d->line == NULL && grant(d, b)))
    return true;
  queue_up(d, b);
  return false;
}

void wr_m4_next_in_line(struct wr_m4_driver *d) {
  while (d->line != NULL && grant(d, d->line)) {
    struct wr_m4_board *b = d->line;
    d->line = b->line_next;
    b->in_line = false;
    wr_m4_make_ready(d, b);
  }
}

void wr_m4_release(struct wr_m4_driver *d, struct wr_m4_board *b) {
  if (!b->holds || b->wire.fd >= 0 || b->wire.s.op != WR_OP_NONE)
    return;
  d->held -= needs(b);
  b->holds = false;
}

/* Serves the board until it has to wait for something. */
void wr_m4_serve(struct wr_m4_driver *d, struct wr_m4_board *b) {
  for (;;) {
    enum wr_rpc_wish wish = b->wire.s.wish;
    bool opens = wish == WR_WISH_CONNECT || wish == WR_WISH_LOCK;
    if (opens && !hold(d, b))
      return;
    wr_rpc_wire_serve(&b->wire, d->world.clock_us);
    if (b->wire.s.wish == WR_WISH_ADDRESS)
      look_up(d, b);
    else if (b->wire.s.wish == WR_WISH_NOTHING ||
             (wish == WR_WISH_LOCK && !take_lock(d, b)))
      return;
  }
}

/* Tells epoll which socket there is and what for; a closed one leaves by
 * itself. */
void wr_m4_watch(struct wr_m4_driver *d, struct wr_m4_board *b) {
  short events = wr_rpc_wire_events(&b->wire);
  bool fresh = b->watched != b->wire.serial;
  if (events == 0 || (!fresh && events == b->events))
    return;
  struct epoll_event e = {.events = (uint32_t)events, .data.ptr = b};
  epoll_ctl(d->epoll_fd, fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, b->wire.fd, &e);
  b->watched = b->wire.serial;
  b->events = events;
}
