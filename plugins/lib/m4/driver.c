#include "lib/m4/driver.h"
#include "lib/m4/service.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SPREAD_MAX_US 10000000 /* the first call comes within this */
#define EVENTS 64

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

/* --- the loop ---
 */

static void turn(struct wr_m4_driver *d, struct wr_m4_board *b) {
  struct wr_rpc_session *s = &b->wire.s;
  enum wr_rpc_op before;
  wr_rpc_tick(s, wr_m4_now_us(d));
  do {
    wr_m4_serve(d, b);
    if (s->op == WR_OP_NONE) {
      wr_m4_leave_gate(d, b);
      wr_m4_release(d, b);
    }
    before = s->op;
    wr_m4_step(&b->life, wr_m4_now_us(d));
  } while (before == WR_OP_NONE && s->op != WR_OP_NONE);
  wr_m4_watch(d, b);
  int64_t at_us = b->life.next_us;
  if (b->retry_us != 0 && b->retry_us < at_us)
    at_us = b->retry_us;
  wr_timers_set(&d->timers, &b->timer, at_us);
}

static void take_answers(struct wr_m4_driver *d) {
  struct wr_rpc_peers peers;
  struct wr_m4_board *b;
  while ((b = wr_rpc_resolver_take(d->resolver, &peers)) != NULL) {
    wr_m4_found(d, b, &peers);
    wr_m4_make_ready(d, b);
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
    wr_m4_make_ready(d, b);
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
  wr_rpc_wire_ready(&b->wire, d->world.clock_us);
  wr_m4_make_ready(d, b);
  return true;
}

static void take_timers(struct wr_m4_driver *d) {
  int64_t at_us = wr_m4_now_us(d);
  struct wr_timer *first;
  while ((first = wr_timers_first(&d->timers)) != NULL &&
         first->at_us <= at_us) {
    wr_timers_remove(&d->timers, first);
    wr_m4_make_ready(
        d, (struct wr_m4_board *)((char *)first -
                                  offsetof(struct wr_m4_board, timer)));
  }
}

static void take_ready(struct wr_m4_driver *d) {
  while (d->ready != NULL) {
    struct wr_m4_board *b = d->ready;
    d->ready = b->ready_next;
    b->ready = false;
    turn(d, b);
    wr_m4_next_in_line(d);
  }
}

static void spread(struct wr_m4_driver *d) {
  int64_t start_us = wr_m4_now_us(d);
  for (size_t i = 0; i < d->count; i++) {
    struct wr_m4_life *l = &d->boards[i]->life;
    int64_t span_us = l->interval_ms * 1000;
    if (span_us > SPREAD_MAX_US)
      span_us = SPREAD_MAX_US;
    wr_m4_start(l, start_us + span_us * (int64_t)i / (int64_t)d->count,
                start_us);
    wr_m4_make_ready(d, d->boards[i]);
  }
}

void wr_m4_driver_run(struct wr_m4_driver *d) {
  struct epoll_event events[EVENTS];
  bool go_on = true;
  spread(d);
  while (go_on) {
    take_ready(d);
    int n = epoll_wait(d->epoll_fd, events, EVENTS, wr_m4_wait_ms(d));
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
                        const char *source, const char *label, double score,
                        int64_t window, int64_t interval_ms) {
  if (!wr_m4_offer(&b->life, source, label, score, window, interval_ms,
                   wr_m4_now_us(d)))
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
