/* spool_db: the SQLite side of the spool: one connection, its prepared
 * statements and its schema. Functions return SQLite's result codes; the spool
 * decides what they mean. Threads: one at a time.
 *
 *   value     what waits; level -1: a change of state, 0..4: how often the
 *             sample's surroundings were thinned
 *   property  number of a property of the configuration, and what the cloud
 *             said about it, for starts without a link
 *   state     one row: counters that must survive
 *   rejected  what the cloud refused, newest WR_SPOOL_REJECTED_MAX */
#ifndef WR_SPOOL_DB_H
#define WR_SPOOL_DB_H

#include "lib/spool/spool.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define WR_SPOOL_REJECTED_MAX 1000
#define WR_SPOOL_THIN_LEVELS 4

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
  int64_t budget_day, budget_used;
};

struct wr_db {
  sqlite3 *handle; /* NULL: closed */
  sqlite3_stmt *statements[WR_DB_COUNT];
  int64_t page_size;
  struct wr_db_state state;
};

/* `path` NULL: in memory. Reads the state. On failure the database is closed
 * and `reason` says why. `vfs` NULL: the system's. */
int wr_db_open(struct wr_db *db, const char *path, const char *vfs,
               char *reason, size_t size);
void wr_db_close(struct wr_db *db);
int wr_db_exec(struct wr_db *db, const char *sql);
/* True when the file itself is at fault, not its surroundings. */
bool wr_db_is_corrupt(int code);

/* Pages in use, times their size; -1 on error. */
int64_t wr_db_bytes(struct wr_db *db);
int wr_db_save_state(struct wr_db *db);

/* Numbers for the keys (INSERT OR IGNORE), in `numbers`. */
int wr_db_number(struct wr_db *db, const char *key, int64_t *number);
int wr_db_remember(struct wr_db *db, const char *key,
                   const struct wr_memo *memo);
int wr_db_recall(struct wr_db *db, const char *key, struct wr_memo *memo);

int wr_db_insert(struct wr_db *db, int64_t number, const struct wr_row *row,
                 int level);
/* *gone: 1 when it was there. */
int wr_db_delete(struct wr_db *db, int64_t number, int64_t time_us, int64_t seq,
                 int *gone);
/* One statement with integer parameters and no rows; *changes of it. */
int wr_db_change(struct wr_db *db, int statement, const int64_t *values,
                 int count, int64_t *changes);
/* Up to `max` rows, newest or oldest first; *count of them. */
int wr_db_select(struct wr_db *db, int statement, int64_t number,
                 struct wr_row *rows, int max, int *count);
/* A value from a column of a row. */
void wr_db_value(sqlite3_stmt *s, int column, struct wr_value *out);
int wr_db_reject(struct wr_db *db, const char *key, const struct wr_row *row,
                 int status, const char *reason, int64_t wall_us);

#endif
