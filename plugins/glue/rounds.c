#include "glue/rounds.h"

#include "glue/thread.h"

/* The lock is held. */
static void pause_for(struct wr_rounds *r, int64_t ms) {
  struct timespec until = wr_clock_in(ms);
  while (!r->stop && !r->woken &&
         pthread_cond_timedwait(&r->wake, &r->lock, &until) == 0)
    ;
  r->woken = false;
}

static void *run(void *arg) {
  struct wr_rounds *r = arg;
  pthread_mutex_lock(&r->lock);
  while (!r->stop) {
    pthread_mutex_unlock(&r->lock);
    int64_t next_ms = r->round(r->arg);
    pthread_mutex_lock(&r->lock);
    pause_for(r, next_ms);
  }
  pthread_mutex_unlock(&r->lock);
  return NULL;
}

int wr_rounds_start(struct wr_rounds *r, const char *name,
                    int64_t (*round)(void *arg), void *arg) {
  r->round = round;
  r->arg = arg;
  r->stop = false;
  wr_clock_cond_init(&r->wake);
  pthread_mutex_lock(&r->lock);
  int status = -wr_thread_start(&r->thread, run, r, name);
  r->started = status == 0;
  pthread_mutex_unlock(&r->lock);
  if (status != 0)
    pthread_cond_destroy(&r->wake);
  return status;
}

void wr_rounds_wake(struct wr_rounds *r) {
  pthread_mutex_lock(&r->lock);
  r->woken = true;
  if (r->started)
    pthread_cond_signal(&r->wake);
  pthread_mutex_unlock(&r->lock);
}

void wr_rounds_stop(struct wr_rounds *r) {
  pthread_mutex_lock(&r->lock);
  bool started = r->started;
  r->started = false;
  r->stop = true;
  if (started)
    pthread_cond_signal(&r->wake);
  pthread_mutex_unlock(&r->lock);
  if (!started)
    return;
  pthread_join(r->thread, NULL);
  pthread_cond_destroy(&r->wake);
}
