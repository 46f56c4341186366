#include "glue/thread.h"

#include "collectd/core/utils/common/common.h"

#include <time.h>

static const int raised_by_writes[] = {SIGXFSZ, SIGPIPE};

static sigset_t usual; /* of the thread that started ours */

static void writes(sigset_t *set) {
  sigemptyset(set);
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(raised_by_writes); i++)
    sigaddset(set, raised_by_writes[i]);
}

int wr_thread_start(pthread_t *thread, void *(*run)(void *), void *arg,
                    const char *name) {
  wr_thread_shield(&usual); /* a new thread inherits it */
  int status = plugin_thread_create(thread, run, arg, name);
  pthread_sigmask(SIG_SETMASK, &usual, NULL);
  return status;
}

void wr_thread_shield(sigset_t *before) {
  sigset_t set;
  writes(&set);
  pthread_sigmask(SIG_BLOCK, &set, before);
}

void wr_thread_unshield(const sigset_t *before) {
  const struct timespec now = {0};
  sigset_t set;
  writes(&set);
  while (sigtimedwait(&set, NULL, &now) > 0)
    ;
  pthread_sigmask(SIG_SETMASK, before, NULL);
}

int wr_thread_notify(const notification_t *n) {
  sigset_t ours;
  pthread_sigmask(SIG_SETMASK, NULL, &ours);
  wr_thread_unshield(&usual);
  int status = plugin_dispatch_notification(n);
  pthread_sigmask(SIG_SETMASK, &ours, NULL);
  return status;
}
