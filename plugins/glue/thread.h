/* thread: threads of ours in a process that is somebody else's.
 *
 * What we write does not end the process: a write beyond the limit of a file's
 * size (ulimit -f) raises SIGXFSZ, one into a broken pipe SIGPIPE, and both
 * kill where nobody ignores them. On our threads they are blocked, so that such
 * a write fails like any other. All other signals stay as they are. */
#ifndef WR_THREAD_H
#define WR_THREAD_H

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/plugin.h"

#include <pthread.h>
#include <signal.h>

/* plugin_thread_create(), with these two blocked. 0 or an errno. */
int wr_thread_start(pthread_t *thread, void *(*run)(void *), void *arg,
                    const char *name);

/* The same for a thread that is not ours, as in init and shutdown callbacks:
 * what was raised between the two is gone afterwards, and the mask as before.
 * Around whatever writes to the disk or to a peer. */
void wr_thread_shield(sigset_t *before);
void wr_thread_unshield(const sigset_t *before);

/* plugin_dispatch_notification() on a thread of ours. It calls other plugins,
 * which may start programs: these begin without a signal that is blocked by
 * us. */
int wr_thread_notify(const notification_t *n);

#endif
