/* child: a program that lives no longer than we do.
 *
 * It runs in its own process group, with no descriptor of ours but its
 * output pipe, with default signals and a minimal environment (PATH, HOME, LANG
 * and the like: no secrets of ours or of others), and with PR_SET_PDEATHSIG:
 * the kernel kills it when the *thread* that started it ends, also by SIGKILL.
 * That is why this is fork() and exec() and not posix_spawn(), which cannot set
 * it. The child calls nothing between the two that is not async-signal-safe. It
 * is reaped even where the process ignores SIGCHLD, or where another part of it
 * waits for every child (collectd's exec plugin does). Threads: start and end
 * from one thread. */
#ifndef WR_CHILD_H
#define WR_CHILD_H

#include <sys/types.h>

struct wr_child {
  pid_t pid; /* 0: none */
  int pidfd; /* readable when it has ended; -1 where the kernel has none */
  int out;   /* its standard output and error, non-blocking */
};

#define WR_CHILD_INIT                                                          \
  { .pidfd = -1, .out = -1 }

/* Starts `path` with one argument. 0 or -errno, also of exec(): then nothing is
 * left behind. */
int wr_child_start(struct wr_child *c, const char *path, const char *arg);
/* Waits at most grace_ms for it to end by itself, then kills its whole process
 * group. Afterwards there is none. Nothing happens where there is none. */
void wr_child_end(struct wr_child *c, int grace_ms);

#endif
