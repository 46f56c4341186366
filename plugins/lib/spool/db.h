/* db: the SQLite side of the spool: one connection and its prepared
 * statements; the tables are in schema.h. Functions return SQLite's result
 * codes, or one of the two below; the spool decides what they mean. Threads:
 * one at a time. */
#ifndef WR_SPOOL_DB_H
#define WR_SPOOL_DB_H

#include "lib/spool/spool.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define WR_DB_LATER 1000 /* made by a later version of this program */
#define WR_SPOOL_THIN_LEVELS 4
#define WR_DB_ERAS 64
#define WR_DB_SEQ_MAX (INT64_MAX / 2) /* no row has a higher number */

enum {
  WR_DB_INSERT,
  WR_DB_DELETE,
  WR_DB_NEWEST,
  WR_DB_OLDEST,
  WR_DB_EXPIRE,
  WR_DB_THINNABLE,
  WR_DB_RAISE,
  WR_DB_DROP,
  WR_DB_PAGES,
  WR_DB_FREE_PAGES,
  WR_DB_SAVE,
  WR_DB_COUNT
};

struct wr_db_state {
  int64_t seq;  /* last one given */
  int64_t rows; /* in table value */
  struct wr_spent spent;
};

/* A stretch of time in which nobody set the clock; `id` is its first row. */
struct wr_db_era {
  int64_t id, offset_us;
};

/* On the heap, as SQLite keeps a pointer to it. */
struct wr_db_log {
  int pages;   /* in the write-ahead log, after the last commit */
  int fold_at; /* pages */
};

struct wr_db {
  sqlite3 *handle; /* NULL: closed */
  sqlite3_stmt *statements[WR_DB_COUNT];
  int64_t page_size;
  struct wr_db_log *log; /* of the file alone */
  struct wr_db_state state;
  char boot[64];
  struct wr_db_era eras[WR_DB_ERAS]; /* of this boot, newest last */
  int era_count;
};

struct wr_db_options {
  const char *path; /* NULL: in memory */
  const char *vfs;  /* NULL: the system's */
  const char *boot; /* names the run of the machine; NULL: not known */
  bool read_only;   /* only rows are read; nothing is created or migrated */
  int64_t max_bytes;
};
/* Reads the state. On failure the database is closed and `reason` says why. */
int wr_db_open(struct wr_db *db, const struct wr_db_options *options,
               char *reason, size_t size);
void wr_db_close(struct wr_db *db);
int wr_db_exec(struct wr_db *db, const char *sql);
/* True when the file itself is at fault, not its surroundings. */
bool wr_db_is_corrupt(int code);

/* Pages in use, times their size; -1 on error. */
int64_t wr_db_bytes(struct wr_db *db);
/* Folds the log back into the file, as far as readers allow; SQLITE_BUSY when
 * it could not be emptied. */
int wr_db_fold_log(struct wr_db *db);
/* With these counts of the budget in place of its own. */
int wr_db_save_state(struct wr_db *db, const struct wr_spent *spent);

/* The number of a key (INSERT OR IGNORE), in `number`. */
int wr_db_number(struct wr_db *db, const char *key, int64_t *number);
int wr_db_remember(struct wr_db *db, const char *key,
                   const struct wr_memo *memo);
int wr_db_recall(struct wr_db *db, const char *key, struct wr_memo *memo);

/* row->seq must be set. */
int wr_db_insert(struct wr_db *db, int64_t number, const struct wr_row *row,
                 int level);
/* *gone: 1 when it was there. */
int wr_db_delete(struct wr_db *db, int64_t number, int64_t seq, int *gone);
/* One statement with integer parameters and no rows; *changes of it. */
int wr_db_change(struct wr_db *db, int statement, const int64_t *values,
                 int count, int64_t *changes);
/* SQLite sees damage to the structure of a page, but not to what stands in it:
 * whether number and value, in these columns, can be those of a row. */
bool wr_db_sound(sqlite3_stmt *s, int seq, int value);
/* Up to `max` rows behind `seq` (NEWEST: before it), in their order, without
 * their property; *count of them. SQLITE_CORRUPT for what is no row, or stands
 * in another order. */
int wr_db_select(struct wr_db *db, int statement, int64_t number, int64_t seq,
                 struct wr_row *rows, int max, int *count);
/* Ends a use of a statement; SQLITE_OK for rows and their end. */
int wr_db_finish(sqlite3_stmt *s, int code);
/* A column as text, "" for none, cut to fit. */
void wr_db_copy_text(sqlite3_stmt *s, int column, char *to, size_t size);
/* A value from, and to, a column of a row. */
void wr_db_value(sqlite3_stmt *s, int column, struct wr_value *out);
int wr_db_bind_value(sqlite3_stmt *s, int at, const struct wr_value *v);
/* The era of an offset, begun at row `seq` if it is new; 0: not known. */
int wr_db_era(struct wr_db *db, int64_t offset_us, int64_t seq, int64_t *id);
int64_t wr_db_offset(const struct wr_db *db, int64_t era);

#endif
