/* lock: one caller at a time at an m4-proxy, between processes.
 *
 * The m4-proxy never matches replies to requests: two callers at once get
 * each other's. Everybody who calls through this library takes an advisory
 * lock (flock) on a file named for the proxy (see wr_rpc_peers_key()), in
 * /run/lock, or where that cannot be written in $TMPDIR, or /tmp. The file is
 * empty and stays. A lock ends with its process. It does not reach across
 * containers unless they share that directory, nor does it hold off callers
 * that do not know it. Threads: one owner per struct; several in one process
 * exclude each other. */
#ifndef WR_RPC_LOCK_H
#define WR_RPC_LOCK_H

#include <stddef.h>

struct wr_rpc_lock {
  int fd;         /* of the file; -1: not open */
  char path[256]; /* for messages; "": not tried yet */
};

/* Tries once. 0: held; -EWOULDBLOCK: another holds it; else -errno of the last
 * directory tried: there can be no lock. `directory` NULL: as above. */
int wr_rpc_lock_try(struct wr_rpc_lock *lock, const char *key,
                    const char *directory);
/* Gives it back, if it is held; the file stays open for the next try. */
void wr_rpc_lock_give(struct wr_rpc_lock *lock);
/* Gives it back and closes the file. */
void wr_rpc_lock_close(struct wr_rpc_lock *lock);

#endif
