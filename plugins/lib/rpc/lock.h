/* rpc_lock: one caller at a time at an m4-proxy, between processes.
 *
 * The m4-proxy never matches replies to requests: two callers at once get
 * each other's. Everybody who calls through this library takes an advisory
 * lock (flock) on a file named for the address, in /run/lock, or where that
 * cannot be written in $TMPDIR, or /tmp. The file is empty and stays. A lock
 * ends with its process. It does not reach across containers unless they share
 * that directory, nor does it hold off callers that do not know it.
 * Threads: one owner per struct; several in one process exclude each other. */
#ifndef WR_RPC_LOCK_H
#define WR_RPC_LOCK_H

#include "lib/rpc/conn.h"

struct wr_rpc_lock {
  int fd;         /* -1: none could be opened, and calls go unlocked */
  char path[256]; /* for messages */
};

/* Opens the lock file of an address ("host:port"); `directory` NULL: as above.
 * 0, or -errno of the last directory tried, with fd -1. */
int wr_rpc_lock_open(struct wr_rpc_lock *lock, const char *address,
                     const char *directory);
void wr_rpc_lock_close(struct wr_rpc_lock *lock);

/* 0 (also when there is no file), -ETIMEDOUT or -ECANCELED. Tries again every
 * few milliseconds: flock() itself knows no deadline. */
int wr_rpc_lock_take(const struct wr_rpc_lock *lock,
                     const struct wr_rpc_env *env, int64_t deadline_us);
void wr_rpc_lock_give(const struct wr_rpc_lock *lock);

#endif
