/* rounds: one thread that does a round of work again and again.
 *
 * Between two rounds it waits, by the monotonic clock, for as long as the last
 * one asked for, or until somebody wakes it: being woken during a round makes
 * the next one begin at once. One of these is static and begins as
 * WR_ROUNDS_INIT. Start and stop belong to one thread; waking to any, at any
 * time, also before the start. */
#ifndef WR_ROUNDS_H
#define WR_ROUNDS_H

#include "glue/clock.h"

#include <pthread.h>

struct wr_rounds {
  pthread_mutex_t lock;
  pthread_cond_t wake; /* there while `started` */
  pthread_t thread;
  bool started, stop, woken;
  int64_t (*round)(void *arg);
  void *arg;
};

#define WR_ROUNDS_INIT                                                         \
  { .lock = PTHREAD_MUTEX_INITIALIZER }

/* `round` returns milliseconds to the next one; no lock is held. `name`: of the
 * thread, at most 15 letters. 0 or -errno. */
int wr_rounds_start(struct wr_rounds *r, const char *name,
                    int64_t (*round)(void *arg), void *arg);
void wr_rounds_wake(struct wr_rounds *r);
/* Waits for the end of the round under way. Harmless where none was started. */
void wr_rounds_stop(struct wr_rounds *r);

#endif
