/* spool: the durable, bounded queue of one Thing, on SQLite in WAL mode.
 *
 * A row is accepted by wr_spool_offer() into memory, which never waits for a
 * disk, gets its place in the next wr_spool_keep(), from when on it is seen,
 * and is made safe there when one has waited for hold_ms, or there are more
 * than a thousand: one transaction for all, with fsync when `power`. One that
 * was delivered before then never touches the disk, and its record of the
 * budget only when `spent_ahead` of them have come together. What leaves the
 * queue (delivered, rejected) is not fsynced: a power cut repeats it, with the
 * same time stamp. Rows stand in the order of their arrival, whatever their
 * time stamps say; only neighbours that overtook each other on their way in are
 * put right.
 *
 * At the ceiling (max_bytes, pages in use): the oldest rejected rows go first,
 * as nobody waits for them; then samples are thinned, the oldest of the
 * property that needs room first, every second one, up to four times over; then
 * those of other properties; then the oldest samples are dropped; changes of
 * state go last. All are counted. Rows older than max_age_us are dropped: of
 * this boot by the monotonic clock, of earlier ones by the wall clock when it
 * has run evenly for an hour; a clock that jumps must not empty the queue.
 * SQLite's log is folded back in time; when another program reads for so long
 * that it would pass max_bytes, the disk counts as not usable.
 *
 * When the disk fails (full, read-only, locked, I/O error) the spool goes on in
 * a database in memory, bounded by memory_bytes; what stands on the disk is
 * read from there as long as that works. It tries the disk again every 5 to 60
 * s and moves what it has there. A corrupt file, or one of a later version, is
 * renamed to <path>.bad (one is kept), a new one begun, and every row that can
 * still be read is taken over. A file of an earlier version is migrated. A file
 * that another process uses is left alone. Rows that no database takes, as
 * there is no memory, wait as they are, max_accepted of them at most. No
 * function fails because of the disk.
 *
 * Ownership: rows are copied. Threads: every function may be called from any
 * thread; offer and status take only a short lock, the others wait for a
 * transaction under way. */
#ifndef WR_SPOOL_H
#define WR_SPOOL_H

#include "lib/spool/value.h"

#include <stddef.h>

struct wr_spool;

struct wr_spool_options {
  const char *path; /* the directory must exist */
  bool power;       /* a commit survives a power cut, else a crash of us */
  int64_t max_bytes;
  int64_t max_age_us;
  int64_t memory_bytes;
  int max_accepted; /* rows accepted and not yet committed */
  const char *vfs;  /* of SQLite; NULL: the system's */
  /* Names this run of the machine, so that clock_us of rows can be compared;
   * NULL: it cannot. */
  const char *boot;
  /* So many records more than were spent are stored as spent, so that not each
   * has to be: what a kill costs of a budget. */
  int64_t spent_ahead;
};

struct wr_spool_status {
  int64_t rows;      /* accepted or stored, not yet delivered */
  int64_t accepted;  /* of these, not yet committed */
  int64_t committed; /* rows made safe since the start */
  int64_t bytes;     /* of the database, as of the last commit */
  int64_t thinned, dropped, expired, rejected; /* rows, since the start */
  bool in_memory;                              /* the disk is not usable */
  int moved_aside;  /* files since the start: corrupt, or of a later version */
  int64_t salvaged; /* rows taken over from them */
  char fault[256];  /* why, the last time: one phrase */
  int notes;        /* raised with each new note */
  char note[384]; /* what became of the file, one sentence without full stop */
};

/* `keys` name the properties, in the order of their indices. NULL: no memory.
 * The disk is not touched before wr_spool_open(). */
struct wr_spool *wr_spool_create(const struct wr_spool_options *options,
                                 const char *const *keys, int count);
void wr_spool_open(struct wr_spool *s, int64_t now_ms);
/* Commits and closes. Accepts NULL. */
void wr_spool_destroy(struct wr_spool *s);

/* Takes over row->{property,time_us,clock_us,state,value}. 0; -ENOSPC: the
 * ceiling max_accepted; the oldest accepted sample was dropped for it, or the
 * oldest change of state where there is no sample. */
int wr_spool_offer(struct wr_spool *s, const struct wr_row *row);
/* Shows what was accepted, stores it when it is due, and takes back rejected
 * rows that are to be sent again; returns how many rows can be seen anew. In
 * *due_ms (NULL: not wanted) when it wants to be called again, INT64_MAX: when
 * rows are offered. Where the disk is not usable nothing is held. */
int wr_spool_keep(struct wr_spool *s, int64_t now_ms, int64_t wall_us,
                  int64_t hold_ms, int64_t *due_ms);
/* The same with a hold_ms of 0: stores what was accepted. */
int wr_spool_commit(struct wr_spool *s, int64_t now_ms, int64_t wall_us);

/* The row of a property that arrived last; false: none. */
bool wr_spool_newest(struct wr_spool *s, int property, struct wr_row *row);
/* Up to `max` rows of a property that arrived after row `seq` (0: all), first
 * come first; returns their number. */
int wr_spool_oldest(struct wr_spool *s, int property, int64_t seq,
                    struct wr_row *rows, int max);
/* Rows up to this number may stand where they cannot be read at the moment: on
 * a disk that fails. 0: none. */
int64_t wr_spool_hidden(struct wr_spool *s);
/* The number of the last row stored so far. */
int64_t wr_spool_seq(struct wr_spool *s);

/* What a budget has to remember. */
struct wr_spent {
  int64_t day;  /* UTC day the counts belong to, since the epoch */
  int64_t used; /* records on that day; of these: */
  int64_t old;  /* of the backlog */
};

/* What the peer said about a property: text that the spool keeps and does not
 * read. */
struct wr_memo {
  char id[65];
  char name[65];
  char type[40];
};

/* The rows have reached the cloud; `spent` is stored in the same go. */
void wr_spool_delivered(struct wr_spool *s, const struct wr_row *rows,
                        int count, const struct wr_spent *spent);
/* The cloud refused the row for good: it moves to the table of rejected rows
 * with the status and the reason. */
void wr_spool_reject(struct wr_spool *s, const struct wr_row *row, int status,
                     const char *reason, int64_t wall_us);
/* What was wrong with a property is mended: its rejected rows go back to where
 * they stood in the queue. Returns their number. */
int wr_spool_again(struct wr_spool *s, int property);

/* The day and the counts of a budget, as last stored. */
void wr_spool_load_spent(struct wr_spool *s, struct wr_spent *spent);
/* For starts without a link. False: nothing is known. */
void wr_spool_remember(struct wr_spool *s, int property,
                       const struct wr_memo *memo);
bool wr_spool_recall(struct wr_spool *s, int property, struct wr_memo *memo);

void wr_spool_status(struct wr_spool *s, struct wr_spool_status *out);

/* --- for other programs, also while collectd has the file open --- */

/* A value that the cloud refused. */
struct wr_rejected {
  int64_t at_us; /* when it was refused */
  char property[65];
  int64_t time_us;
  struct wr_value value;
  int status; /* of HTTP */
  char reason[256];
};
typedef void (*wr_rejected_fn)(const struct wr_rejected *r, void *arg);
/* Calls `each` for the rejected values in a spool file, oldest first. It may be
 * slow: nothing is held meanwhile. 0, or -EINVAL with a phrase in `fault`. */
int wr_spool_read_rejected(const char *path, wr_rejected_fn each, void *arg,
                           char *fault, size_t size);
/* All of them are to be sent again, by collectd; *marked of them. */
int wr_spool_resend_rejected(const char *path, int64_t *marked, char *fault,
                             size_t size);
/* Makes a file of another version of it, for a program of that version.
 * collectd must not run. 0, or -EINVAL with a phrase in `fault`. */
int wr_spool_convert(const char *path, int version, char *fault, size_t size);

#endif
