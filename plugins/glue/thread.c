#include "glue/thread.h"

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/plugin.h"
#include "collectd/core/utils/common/common.h"

#include <time.h>

static const int faults[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                             SIGABRT, SIGTRAP, SIGSYS};
static const int raised_by_writes[] = {SIGXFSZ, SIGPIPE};

int wr_thread_start(pthread_t *thread, void *(*run)(void *), void *arg,
                    const char *name) {
  sigset_t ours, before;
  sigfillset(&ours);
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(faults); i++)
    sigdelset(&ours, faults[i]);
  pthread_sigmask(SIG_SETMASK, &ours, &before); /* a new thread inherits it */
  int status = plugin_thread_create(thread, run, arg, name);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return status;
}

static void writes(sigset_t *set) {
  sigemptyset(set);
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(raised_by_writes); i++)
    sigaddset(set, raised_by_writes[i]);
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
