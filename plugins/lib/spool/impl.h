/* spool_impl: what the three files of the spool share; see spool.h.
 *
 *   spool.c        the queue: accept, commit, select, remove
 *   spool_store.c  the database in use: disk or memory, and the way between
 *   spool_room.c   ceilings in bytes and in age
 *
 * Two locks: `accept` guards the rows accepted and the status, and is held for
 * moments; `db_lock` guards the rest and is held during transactions. Who needs
 * both takes db_lock first. The functions here want db_lock held; those that
 * return int return SQLite's codes. */
#ifndef WR_SPOOL_IMPL_H
#define WR_SPOOL_IMPL_H

#include "lib/base/backoff.h"
#include "lib/spool/db.h"
#include "lib/spool/spool.h"

#include <pthread.h>

struct wr_rows {
  struct wr_row *at;
  int count, cap;
};

struct wr_spool {
  struct wr_spool_options options;
  char *path, *vfs;
  char **keys;
  int count;

  pthread_mutex_t accept;
  struct wr_rows accepted; /* swapped with `batch` at a commit */
  struct wr_spool_status status;

  pthread_mutex_t db_lock;
  struct wr_rows batch;
  struct wr_db db;
  int64_t *numbers; /* of the properties, in db */
  struct wr_backoff disk_retry;
  bool opened;
  int64_t stranded; /* rows on the disk while the memory is in use */
  int64_t now_ms;   /* of the latest call that brought a time */
  int64_t clock_offset_us, steady_since_ms;
};

/* One phrase about the database, for the status; NULL: keep the old one. */
void wr_spool_say(struct wr_spool *s, bool in_memory, const char *reason);

/* Opens the file, in `db`; a corrupt one is moved aside and a new one tried. */
int wr_spool_open_disk(struct wr_spool *s, struct wr_db *db, int64_t *numbers);
int wr_spool_open_memory(struct wr_spool *s);
/* After `code` from the database in use: another one, if possible. */
int wr_spool_recover(struct wr_spool *s, int code);
/* Rows leave the memory only in a transaction that the disk's commit ends. */
void wr_spool_return_to_disk(struct wr_spool *s);

typedef int (*wr_spool_work_fn)(struct wr_spool *s, void *arg);
/* One transaction, again on another database when the first one fails. `sync`:
 * with fsync, if the options want it at all. */
int wr_spool_transact(struct wr_spool *s, bool sync, wr_spool_work_fn work,
                      void *arg);

/* Within a transaction: makes room for the sake of property `first`. */
int wr_spool_keep_ceiling(struct wr_spool *s, int first);
int wr_spool_expire(struct wr_spool *s, int64_t oldest_us);
/* True when wall and monotonic clock have run side by side for an hour. */
bool wr_spool_clock_is_steady(struct wr_spool *s, int64_t now_ms,
                              int64_t wall_us);

#endif
