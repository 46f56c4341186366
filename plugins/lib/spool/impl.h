/* impl: what the files of the spool share; see spool.h.
 *
 *   spool.c    the queue: accept, commit, select
 *   order.c    the place of a row
 *   fresh.c    rows that are seen and not stored yet
 *   leaving.c  remove, reject, take back
 *   store.c    the database in use: disk or memory
 *   moving.c   back to the disk
 *   room.c     ceilings in bytes and in age
 *   salvage.c  what can still be read from a file that is set aside
 *   rejected.c the table of rejected values
 *   db.c, rows.c, schema.c  SQLite
 *
 * Two locks: `accept` guards the rows accepted and the status, and is held for
 * moments; `db_lock` guards the rest and is held during transactions. Who needs
 * both takes db_lock first. The functions here want db_lock held; those that
 * return int return SQLite's codes. */
#ifndef WR_SPOOL_IMPL_H
#define WR_SPOOL_IMPL_H

#include "lib/base/backoff.h"
#include "lib/spool/db.h"
#include "lib/spool/fresh.h"
#include "lib/spool/order.h"
#include "lib/spool/spool.h"

#include <pthread.h>

struct wr_rows {
  struct wr_row *at;
  int count, cap;
};

/* Rows on the disk that were delivered while it could not be written. */
struct wr_done {
  int64_t *seqs; /* ascending */
  int count, cap;
};

struct wr_spool {
  struct wr_spool_options options;
  char *path, *vfs, *boot;
  char **keys;
  int count;
  int lock_fd; /* tells other processes that the file is ours; -1: not held */

  pthread_mutex_t accept;
  struct wr_rows accepted;
  struct wr_spool_status status;

  pthread_mutex_t db_lock;
  struct wr_fresh fresh;
  struct wr_db db;
  struct wr_spent saved; /* what a start after a kill would find */
  bool *empty;           /* of a property: the file has no row of it */
  int64_t *numbers;      /* of the properties, in db */
  struct wr_order *orders;
  /* While the memory is in use: the disk, to read from. */
  struct wr_db disk;
  int64_t *disk_numbers;
  int64_t disk_seq; /* its last row */
  struct wr_done done;
  bool numbered; /* rows in memory go on counting where the disk stopped */
  struct wr_backoff disk_retry;
  bool opened;
  int64_t now_ms; /* of the latest call that brought a time */
  int64_t clock_offset_us, steady_since_ms;
};

/* One phrase about the database, for the status; NULL: keep the old one. */
void wr_spool_say(struct wr_spool *s, bool in_memory, const char *reason);
void wr_spool_note(struct wr_spool *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Opens the file, in `db`; one that is no good is moved aside and a new one
 * tried. */
int wr_spool_open_disk(struct wr_spool *s, struct wr_db *db, int64_t *numbers);
/* Opens it to read, in s->disk, where it cannot be written. */
void wr_spool_open_to_read(struct wr_spool *s);
int wr_spool_open_memory(struct wr_spool *s);
/* After `code` from the database in use: another one, if possible. */
int wr_spool_recover(struct wr_spool *s, int code);
/* Where the file was taken away: another one, with what this one has. */
void wr_spool_follow(struct wr_spool *s);
/* Opens the file anew, or the memory; s->db is closed, its state is kept. */
int wr_spool_reopen(struct wr_spool *s);
/* Rows leave the memory only in a transaction that the disk's commit ends. */
void wr_spool_return_to_disk(struct wr_spool *s);
/* Rows on the disk that are not delivered yet, while the memory is in use. */
int64_t wr_spool_stranded(const struct wr_spool *s);

/* The path with a suffix; -1 when it is too long. */
int wr_spool_suffixed(const struct wr_spool *s, const char *suffix, char *out,
                      size_t size);
/* Brings the counters of the status up to date. */
void wr_spool_recount(struct wr_spool *s, int committed, int lost);
/* Takes back rejected rows that are marked to be sent again; how many. */
int64_t wr_spool_bring_back(struct wr_spool *s);

bool wr_done_has(const struct wr_done *d, int64_t seq);
/* False: no memory; the row will be sent twice. */
bool wr_done_add(struct wr_done *d, int64_t seq);

/* Would a start after a kill find at least what is spent? */
bool wr_spool_spent_is_saved(const struct wr_spool *s);
/* Rows may have come to the file. */
void wr_spool_doubt_empty(struct wr_spool *s);

typedef int (*wr_spool_work_fn)(struct wr_spool *s, void *arg);
/* One transaction, again on another database when the first one fails. `sync`:
 * with fsync, if the options want it at all. Where `work` changes nothing,
 * nothing is written. */
int wr_spool_transact(struct wr_spool *s, bool sync, wr_spool_work_fn work,
                      void *arg);

/* Takes over what can be read from the file at `path`, whatever is wrong with
 * it, into `db`; returns how many rows. */
int64_t wr_spool_salvage(const char *path, struct wr_db *db);

/* Within a transaction: makes room for the sake of property `first`. */
int wr_spool_keep_ceiling(struct wr_spool *s, int first);
/* The status's bytes anew, where nothing is stored that would do it. */
void wr_spool_measure(struct wr_spool *s);
int wr_spool_expire(struct wr_spool *s, int64_t oldest_us);
/* True when wall and monotonic clock have run side by side for an hour. */
bool wr_spool_clock_is_steady(struct wr_spool *s, int64_t now_ms,
                              int64_t wall_us);

#endif
