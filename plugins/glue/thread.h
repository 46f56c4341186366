/* thread: threads of ours in a process that is somebody else's.
 *
 * Which signals the process takes, and how, is the daemon's affair and that of
 * other plugins. None of their handlers runs on a thread of ours. Nor does what
 * we do end the process: a write beyond the limit of a file's size (ulimit -f)
 * raises SIGXFSZ, one into a broken pipe SIGPIPE, and both kill where nobody
 * ignores them; on our threads they fail like any other write. */
#ifndef WR_THREAD_H
#define WR_THREAD_H

#include <pthread.h>
#include <signal.h>

/* plugin_thread_create(), with all signals blocked but those that tell of a
 * fault of the thread itself. 0 or an errno. */
int wr_thread_start(pthread_t *thread, void *(*run)(void *), void *arg,
                    const char *name);

/* The same for a thread that is not ours, as in init and shutdown callbacks:
 * what was raised between the two is gone afterwards, and the mask as before.
 * Around whatever writes to the disk or to a peer. */
void wr_thread_shield(sigset_t *before);
void wr_thread_unshield(const sigset_t *before);

#endif
