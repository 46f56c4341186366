#include "lib/m4/driver.h"
#include "lib/rpc/resolver.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SPREAD_MAX_US 10000000 /* the first call comes within this */
#define EVENTS 64

struct wr_m4_driver {
  struct wr_m4_world world;
  size_t descriptors, open;
  int epoll_fd, wake_fd;
  struct wr_rpc_resolver *resolver;
  struct wr_timers timers;
  struct wr_m4_gate *gates;
  struct wr_m4_board **boards;
  size_t count;
  struct wr_m4_board *ready, *ready_last; /* to be turned, in order */
  struct wr_m4_board *line, *line_last;   /* wait for a descriptor */
  pthread_mutex_t lock;                   /* of what follows */
  struct wr_m4_board *woken;
  bool stop;
};

static int64_t now_us(const struct wr_m4_driver *d) {
  return d->world.clock_us();
}

static int watch_fd(struct wr_m4_driver *d, int fd, void *tag) {
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = tag};
  return epoll_ctl(d->epoll_fd, EPOLL_CTL_ADD, fd, &e);
}

struct wr_m4_driver *wr_m4_driver_new(const struct wr_m4_world *world,
                                      size_t descriptors) {
  struct wr_m4_driver *d = calloc(1, sizeof(*d));
  if (d == NULL)
    return NULL;
  d->world = *world;
  d->descriptors = descriptors;
  pthread_mutex_init(&d->lock, NULL);
  d->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  d->resolver = wr_rpc_resolver_new(WR_M4_LOOKUPS);
  if (d->epoll_fd >= 0 && d->wake_fd >= 0 && d->resolver != NULL &&
      watch_fd(d, d->wake_fd, &d->wake_fd) == 0 &&
      watch_fd(d, wr_rpc_resolver_fd(d->resolver), &d->resolver) == 0)
    return d;
  wr_m4_driver_free(d);
  return NULL;
}

void wr_m4_driver_free(struct wr_m4_driver *d) {
  if (d == NULL)
    return;
  for (size_t i = 0; i < d->count; i++) {
    wr_rpc_wire_close(&d->boards[i]->wire);
    wr_m4_close(&d->boards[i]->life);
  }
  wr_rpc_resolver_free(d->resolver);
  wr_m4_gates_free(&d->gates);
  wr_timers_free(&d->timers);
  free(d->boards);
  if (d->wake_fd >= 0)
    close(d->wake_fd);
  if (d->epoll_fd >= 0)
    close(d->epoll_fd);
  pthread_mutex_destroy(&d->lock);
  free(d);
}

int wr_m4_driver_add(struct wr_m4_driver *d, struct wr_m4_board *b) {
  size_t batch = b->mode == WR_RPC_PERSISTENT ? b->life.methods_count : 1;
  struct wr_m4_board **boards =
      realloc(d->boards, (d->count + 1) * sizeof(struct wr_m4_board *));
  if (boards == NULL)
    return -ENOMEM;
  d->boards = boards;
  wr_rpc_wire_init(&b->wire);
  b->life.session = &b->wire.s;
  b->life.guard = &b->guard;
  b->life.random = d->world.random;
  if (wr_timers_reserve(&d->timers, d->count + 1) != 0 ||
      wr_rpc_session_open(&b->wire.s, b->mode, b->timeout_ms, d->world.random(),
                          batch > 0 ? batch : 1) != 0)
    return -ENOMEM;
  if (wr_m4_open(&b->life) != 0) {
    wr_rpc_wire_close(&b->wire);
    return -ENOMEM;
  }
  d->boards[d->count++] = b;
  return 0;
}

/* --- who is next ---
 */

static void make_ready(struct wr_m4_driver *d, struct wr_m4_board *b) {
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

static void next_in_line(struct wr_m4_driver *d) {
  struct wr_m4_board *b = d->line;
  d->line = b->line_next;
  b->in_line = false;
  make_ready(d, b);
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
  if (b->gate != NULL && strcmp(b->gate->key, key) == 0)
    return;
  struct wr_m4_gate *gate = wr_m4_gate_find(&d->gates, key, b->lock_directory);
  if (gate == NULL)
    return; /* no memory: as before */
  b->gate = gate;
  b->life.guard = &gate->guard;
}

static void found(struct wr_m4_driver *d, struct wr_m4_board *b,
                  const struct wr_rpc_peers *peers) {
  wr_rpc_found(&b->wire.s, peers, now_us(d));
  meet(d, b);
}

static void look_up(struct wr_m4_driver *d, struct wr_m4_board *b) {
  struct wr_rpc_peers peers = {.count = 0};
  b->wire.s.wish = WR_WISH_NOTHING;
  if (wr_rpc_address_known(&b->address, &peers) ||
      wr_rpc_resolver_ask(d->resolver, &b->address, b) != 0)
    found(d, b, &peers);
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
    entry =
        wr_m4_gate_enter(b->gate, &b->visitor, b->timeout_ms * 1000, now_us(d));
    say_lock_fault(d, b, before);
  }
  if (entry == WR_M4_LATER)
    b->retry_us = now_us(d) + WR_M4_GATE_RETRY_US;
  if (entry == WR_M4_LATER || entry == WR_M4_LINE)
    return false;
  b->wire.s.wish = WR_WISH_NOTHING;
  wr_rpc_locked(&b->wire.s, entry == WR_M4_IN, now_us(d));
  return true;
}

static void leave_gate(struct wr_m4_driver *d, struct wr_m4_board *b) {
  if (!b->at_gate)
    return;
  b->at_gate = false;
  b->retry_us = 0;
  struct wr_m4_visitor *next = wr_m4_gate_leave(b->gate, &b->visitor);
  if (next != NULL)
    make_ready(d, board_of(next));
}

/* A lock's file counts, too: a call through a gate takes two. */
static size_t needs(const struct wr_m4_board *b) {
  return b->mode == WR_RPC_PROXY ? 2 : 1;
}

static void count_open(struct wr_m4_driver *d, const struct wr_m4_board *b,
                       bool was_open) {
  bool is_open = b->wire.fd >= 0;
  if (is_open && !was_open)
    d->open += needs(b);
  else if (!is_open && was_open)
    d->open -= needs(b);
}

/* Serves the board until it has to wait for something. */
static void serve(struct wr_m4_driver *d, struct wr_m4_board *b) {
  for (;;) {
    bool was_open = b->wire.fd >= 0;
    bool room = !b->in_line && d->open + needs(b) <= d->descriptors;
    if (b->wire.s.wish == WR_WISH_CONNECT && !was_open && !room) {
      queue_up(d, b);
      return;
    }
    wr_rpc_wire_serve(&b->wire, d->world.clock_us);
    count_open(d, b, was_open);
    if (b->wire.s.wish == WR_WISH_ADDRESS)
      look_up(d, b);
    else if (b->wire.s.wish != WR_WISH_LOCK || !take_lock(d, b))
      return;
  }
}

/* Tells epoll which socket there is and what for; a closed one leaves by
 * itself. */
static void watch(struct wr_m4_driver *d, struct wr_m4_board *b) {
  short events = wr_rpc_wire_events(&b->wire);
  bool fresh = b->watched != b->wire.serial;
  if (events == 0 || (!fresh && events == b->events))
    return;
  struct epoll_event e = {.events = (uint32_t)events, .data.ptr = b};
  epoll_ctl(d->epoll_fd, fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, b->wire.fd, &e);
  b->watched = b->wire.serial;
  b->events = events;
}

static void turn(struct wr_m4_driver *d, struct wr_m4_board *b) {
  struct wr_rpc_session *s = &b->wire.s;
  enum wr_rpc_op before;
  wr_rpc_tick(s, now_us(d));
  do {
    serve(d, b);
    if (s->op == WR_OP_NONE)
      leave_gate(d, b);
    before = s->op;
    wr_m4_step(&b->life, now_us(d));
  } while (before == WR_OP_NONE && s->op != WR_OP_NONE);
  if (s->wish == WR_WISH_CLOSE)
    serve(d, b);
  watch(d, b);
  int64_t at_us = b->life.next_us;
  if (b->retry_us != 0 && b->retry_us < at_us)
    at_us = b->retry_us;
  wr_timers_set(&d->timers, &b->timer, at_us);
}

/* --- the loop ---
 */

static void take_answers(struct wr_m4_driver *d) {
  struct wr_rpc_peers peers;
  struct wr_m4_board *b;
  while ((b = wr_rpc_resolver_take(d->resolver, &peers)) != NULL) {
    found(d, b, &peers);
    make_ready(d, b);
  }
}

/* False: stop. */
static bool take_woken(struct wr_m4_driver *d) {
  eventfd_t ignored;
  eventfd_read(d->wake_fd, &ignored);
  pthread_mutex_lock(&d->lock);
  bool go_on = !d->stop;
  while (d->woken != NULL) {
    struct wr_m4_board *b = d->woken;
    d->woken = b->woken_next;
    b->woken = false;
    make_ready(d, b);
  }
  pthread_mutex_unlock(&d->lock);
  return go_on;
}

static bool take_event(struct wr_m4_driver *d, void *tag) {
  if (tag == &d->wake_fd)
    return take_woken(d);
  if (tag == &d->resolver) {
    take_answers(d);
    return true;
  }
  struct wr_m4_board *b = tag;
  bool was_open = b->wire.fd >= 0;
  wr_rpc_wire_ready(&b->wire, d->world.clock_us);
  count_open(d, b, was_open);
  make_ready(d, b);
  return true;
}

/* epoll_wait() counts in milliseconds: rounding up keeps it from spinning, and
 * lets what falls into one go together. */
static int wait_ms(const struct wr_m4_driver *d) {
  const struct wr_timer *first = wr_timers_first(&d->timers);
  if (d->ready != NULL)
    return 0;
  if (first == NULL)
    return -1;
  int64_t left_us = first->at_us - now_us(d);
  if (left_us <= 0)
    return 0;
  return left_us > 3600000000 ? 3600000 : (int)((left_us + 999) / 1000);
}

static void take_timers(struct wr_m4_driver *d) {
  int64_t at_us = now_us(d);
  struct wr_timer *first;
  while ((first = wr_timers_first(&d->timers)) != NULL &&
         first->at_us <= at_us) {
    wr_timers_remove(&d->timers, first);
    make_ready(d, (struct wr_m4_board *)((char *)first -
                                         offsetof(struct wr_m4_board, timer)));
  }
}

static void take_ready(struct wr_m4_driver *d) {
  while (d->ready != NULL) {
    struct wr_m4_board *b = d->ready;
    d->ready = b->ready_next;
    b->ready = false;
    turn(d, b);
    if (d->line != NULL && d->open + needs(d->line) <= d->descriptors)
      next_in_line(d);
  }
}

static void spread(struct wr_m4_driver *d) {
  int64_t start_us = now_us(d);
  for (size_t i = 0; i < d->count; i++) {
    struct wr_m4_life *l = &d->boards[i]->life;
    int64_t span_us = l->interval_ms * 1000;
    if (span_us > SPREAD_MAX_US)
      span_us = SPREAD_MAX_US;
    wr_m4_start(l, start_us + span_us * (int64_t)i / (int64_t)d->count,
                start_us);
    make_ready(d, d->boards[i]);
  }
}

void wr_m4_driver_run(struct wr_m4_driver *d) {
  struct epoll_event events[EVENTS];
  bool go_on = true;
  spread(d);
  while (go_on) {
    take_ready(d);
    int n = epoll_wait(d->epoll_fd, events, EVENTS, wait_ms(d));
    for (int i = 0; i < n; i++)
      go_on &= take_event(d, events[i].data.ptr);
    take_timers(d);
  }
}

/* --- from other threads ---
 */

void wr_m4_driver_stop(struct wr_m4_driver *d) {
  pthread_mutex_lock(&d->lock);
  d->stop = true;
  pthread_mutex_unlock(&d->lock);
  eventfd_write(d->wake_fd, 1);
}

void wr_m4_driver_offer(struct wr_m4_driver *d, struct wr_m4_board *b,
                        const char *label, double score, int64_t window,
                        int64_t interval_ms) {
  if (!wr_m4_offer(&b->life, label, score, window, interval_ms, now_us(d)))
    return;
  pthread_mutex_lock(&d->lock);
  bool first = d->woken == NULL;
  if (!b->woken) {
    b->woken = true;
    b->woken_next = d->woken;
    d->woken = b;
  }
  pthread_mutex_unlock(&d->lock);
  if (first)
    eventfd_write(d->wake_fd, 1);
}
