#include "lib/spool/db.h"

#include "lib/base/file.h"
#include "lib/spool/schema.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const statement_text[WR_DB_COUNT] = {
    [WR_DB_INSERT] = "INSERT OR REPLACE INTO value VALUES(?, ?, ?, ?, ?, ?)",
    [WR_DB_DELETE] = "DELETE FROM value WHERE property=? AND seq=?",
    [WR_DB_NEWEST] = "SELECT seq, time_us, era, level, value FROM value WHERE "
                     "property=? AND seq<? ORDER BY seq DESC LIMIT ?",
    [WR_DB_OLDEST] = "SELECT seq, time_us, era, level, value FROM value WHERE "
                     "property=? AND seq>? ORDER BY seq LIMIT ?",
    [WR_DB_EXPIRE] =
        "DELETE FROM value WHERE property=?1 AND seq < coalesce((SELECT seq "
        "FROM value WHERE property=?1 AND time_us - coalesce((SELECT offset_us "
        "FROM era WHERE id=value.era AND id>=?4), ?3) >= ?2 ORDER BY seq "
        "LIMIT 1), 9223372036854775807)",
    [WR_DB_THINNABLE] =
        "SELECT seq, time_us, era, level, value FROM value WHERE property=? "
        "AND seq>? AND level BETWEEN 0 AND 3 ORDER BY seq LIMIT ?",
    [WR_DB_RAISE] = "UPDATE value SET level=level+1 WHERE property=? AND seq=?",
    [WR_DB_DROP] =
        "DELETE FROM value WHERE property=?1 AND seq IN (SELECT seq FROM value "
        "WHERE property=?1 AND level>=?2 ORDER BY seq LIMIT ?3)",
    [WR_DB_PAGES] = "PRAGMA page_count",
    [WR_DB_FREE_PAGES] = "PRAGMA freelist_count",
    [WR_DB_SAVE] = "UPDATE state SET seq=?, rows=?, budget_day=?, "
                   "budget_used=?, budget_old=? WHERE one=1",
};

int wr_db_exec(struct wr_db *db, const char *sql) {
  return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

bool wr_db_is_corrupt(int code) {
  if (code == WR_DB_LATER)
    return false;
  code &= 0xff; /* without SQLite's extension of the code */
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
         code == SQLITE_SCHEMA || code == SQLITE_ERROR ||
         code == SQLITE_MISMATCH || code == SQLITE_CONSTRAINT ||
         code == SQLITE_FORMAT;
}

/* --- open and close --- */

static int read_state(struct wr_db *db) {
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(db->handle,
                                "SELECT seq, rows, budget_day, budget_used, "
                                "budget_old FROM state",
                                -1, &s, NULL);
  if (code == SQLITE_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
    db->state.seq = sqlite3_column_int64(s, 0);
    db->state.rows = sqlite3_column_int64(s, 1);
    db->state.spent.day = sqlite3_column_int64(s, 2);
    db->state.spent.used = sqlite3_column_int64(s, 3);
    db->state.spent.old = sqlite3_column_int64(s, 4);
    bool sound = db->state.seq >= 0 && db->state.seq <= WR_DB_SEQ_MAX &&
                 db->state.rows >= 0;
    code = sound ? SQLITE_OK : SQLITE_CORRUPT;
  } else if (code == SQLITE_DONE)
    code = SQLITE_CORRUPT; /* the row must be there */
  sqlite3_finalize(s);
  return code;
}

static int read_eras(struct wr_db *db) {
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(
      db->handle, "SELECT id, offset_us FROM era WHERE boot=? ORDER BY id DESC",
      -1, &s, NULL);
  if (code == SQLITE_OK)
    sqlite3_bind_text(s, 1, db->boot, -1, SQLITE_STATIC);
  struct wr_db_era newest[WR_DB_ERAS];
  int count = 0;
  while (code == SQLITE_OK && count < WR_DB_ERAS &&
         (code = sqlite3_step(s)) == SQLITE_ROW) {
    newest[count++] = (struct wr_db_era){sqlite3_column_int64(s, 0),
                                         sqlite3_column_int64(s, 1)};
    code = SQLITE_OK;
  }
  sqlite3_finalize(s);
  for (int i = 0; i < count; i++)
    db->eras[i] = newest[count - 1 - i];
  db->era_count = count;
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int bring_up(struct wr_db *db) {
  int version = 0;
  int code = wr_schema_version(db->handle, &version);
  if (code != SQLITE_OK)
    return code;
  if (version > WR_SCHEMA_VERSION)
    return WR_DB_LATER;
  if (version == 0)
    return wr_schema_create(db->handle);
  return version == WR_SCHEMA_VERSION
             ? SQLITE_OK
             : wr_schema_migrate(db->handle, version, WR_SCHEMA_VERSION);
}

/* Folds the log back as SQLite does by itself, and notes its length. */
static int note_log(void *arg, sqlite3 *handle, const char *name, int pages) {
  struct wr_db_log *log = arg;
  log->pages = pages;
  if (pages >= log->fold_at)
    sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL,
                              NULL);
  return SQLITE_OK;
}

/* A quarter of a small spool, or the 1000 pages that SQLite takes. */
static int watch_log(struct wr_db *db, int64_t max_bytes) {
  int64_t pages = max_bytes / 4 / db->page_size;
  db->log = calloc(1, sizeof(*db->log));
  if (db->log == NULL)
    return SQLITE_NOMEM;
  db->log->fold_at = pages > 1000 ? 1000 : pages < 16 ? 16 : (int)pages;
  sqlite3_wal_hook(db->handle, note_log, db->log);
  return SQLITE_OK;
}

/* Small caches: the queue is read at its two ends. */
static int tune(struct wr_db *db, const struct wr_db_options *o) {
  if (o->path == NULL || o->read_only)
    return wr_db_exec(db, "PRAGMA cache_size=-64");
  return wr_db_exec(db, "PRAGMA journal_mode=WAL;"
                        "PRAGMA journal_size_limit=4194304;"
                        "PRAGMA cache_size=-512; PRAGMA temp_store=MEMORY");
}

static int page_size(struct wr_db *db) {
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(db->handle, "PRAGMA page_size", -1, &s, NULL);
  if (code == SQLITE_OK && (code = sqlite3_step(s)) == SQLITE_ROW)
    db->page_size = sqlite3_column_int64(s, 0);
  sqlite3_finalize(s);
  return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int set_up(struct wr_db *db, const struct wr_db_options *o) {
  snprintf(db->boot, sizeof(db->boot), "%s", o->boot != NULL ? o->boot : "");
  int code = tune(db, o);
  if (code != SQLITE_OK)
    return code;
  if (!o->read_only)
    code = bring_up(db);
  for (int i = 0; code == SQLITE_OK && i < WR_DB_COUNT; i++)
    code =
        sqlite3_prepare_v3(db->handle, statement_text[i], -1,
                           SQLITE_PREPARE_PERSISTENT, &db->statements[i], NULL);
  if (code == SQLITE_OK)
    code = page_size(db);
  if (code == SQLITE_OK)
    code = read_state(db);
  if (code == SQLITE_OK)
    code = read_eras(db);
  return code == SQLITE_OK && o->path != NULL && !o->read_only
             ? watch_log(db, o->max_bytes)
             : code;
}

static int open_handle(struct wr_db *db, const struct wr_db_options *o,
                       const char *name) {
  int flags = o->read_only ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
                           : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (!o->read_only && o->path != NULL) {
    int fd = wr_file_create(AT_FDCWD, name, O_RDWR | O_EXCL, 0644);
    if (fd >= 0)
      close(fd); /* an empty file is a new database, with the right mode */
  }
  int code = sqlite3_open_v2(name, &db->handle, flags | SQLITE_OPEN_NOMUTEX,
                             o->path != NULL ? o->vfs : NULL);
  if (code == SQLITE_OK && !o->read_only &&
      sqlite3_db_readonly(db->handle, "main") == 1)
    code = SQLITE_READONLY;
  if (code != SQLITE_OK)
    return code;
  sqlite3_busy_timeout(db->handle, 200);
  return SQLITE_OK;
}

int wr_db_open(struct wr_db *db, const struct wr_db_options *o, char *reason,
               size_t size) {
  memset(db, 0, sizeof(*db));
  int code = open_handle(db, o, o->path != NULL ? o->path : ":memory:");
  if (code == SQLITE_OK)
    code = set_up(db, o);
  if (code != SQLITE_OK) {
    if (code == WR_DB_LATER)
      snprintf(reason, size, "it is of a later version");
    else
      snprintf(reason, size, "%s", sqlite3_errstr(code));
    wr_db_close(db);
  }
  return code;
}

void wr_db_close(struct wr_db *db) {
  for (int i = 0; i < WR_DB_COUNT; i++)
    sqlite3_finalize(db->statements[i]);
  sqlite3_close_v2(db->handle);
  free(db->log);
  memset(db, 0, sizeof(*db));
}

int wr_db_fold_log(struct wr_db *db) {
  return sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE,
                                   NULL, NULL);
}

/* --- statements --- */

int wr_db_finish(sqlite3_stmt *s, int code) {
  sqlite3_reset(s);
  return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

int64_t wr_db_bytes(struct wr_db *db) {
  int64_t pages[2] = {0, 0};
  static const int which[] = {WR_DB_PAGES, WR_DB_FREE_PAGES};
  for (int i = 0; i < 2; i++) {
    sqlite3_stmt *s = db->statements[which[i]];
    int code = sqlite3_step(s);
    if (code == SQLITE_ROW)
      pages[i] = sqlite3_column_int64(s, 0);
    if (wr_db_finish(s, code) != SQLITE_OK)
      return -1;
  }
  return (pages[0] - pages[1]) * db->page_size;
}

int wr_db_change(struct wr_db *db, int statement, const int64_t *values,
                 int count, int64_t *changes) {
  sqlite3_stmt *s = db->statements[statement];
  for (int i = 0; i < count; i++)
    sqlite3_bind_int64(s, i + 1, values[i]);
  int code = wr_db_finish(s, sqlite3_step(s));
  if (changes != NULL)
    *changes = code == SQLITE_OK ? sqlite3_changes(db->handle) : 0;
  return code;
}

int wr_db_save_state(struct wr_db *db, const struct wr_spent *spent) {
  const struct wr_db_state *t = &db->state;
  const int64_t values[] = {t->seq, t->rows, spent->day, spent->used,
                            spent->old};
  return wr_db_change(db, WR_DB_SAVE, values, 5, NULL);
}

/* --- properties --- */

/* Runs `sql` with text parameters. */
static int with_texts(struct wr_db *db, const char *sql,
                      const char *const *texts, int count, sqlite3_stmt **out) {
  int code = sqlite3_prepare_v2(db->handle, sql, -1, out, NULL);
  for (int i = 0; code == SQLITE_OK && i < count; i++)
    code = sqlite3_bind_text(*out, i + 1, texts[i], -1, SQLITE_STATIC);
  return code == SQLITE_OK ? sqlite3_step(*out) : code;
}

int wr_db_number(struct wr_db *db, const char *key, int64_t *number) {
  sqlite3_stmt *s = NULL;
  const char *const texts[] = {key};
  int code =
      with_texts(db, "SELECT number FROM property WHERE key=?", texts, 1, &s);
  *number = code == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
  sqlite3_finalize(s);
  if (code == SQLITE_ROW)
    return SQLITE_OK;
  if (code != SQLITE_DONE)
    return code;
  code = with_texts(db, "INSERT INTO property(key) VALUES(?)", texts, 1, &s);
  *number = sqlite3_last_insert_rowid(db->handle);
  sqlite3_finalize(s);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

int wr_db_remember(struct wr_db *db, const char *key,
                   const struct wr_memo *memo) {
  sqlite3_stmt *s = NULL;
  const char *const texts[] = {memo->id, memo->name, memo->type, key};
  int code = with_texts(
      db, "UPDATE property SET id=?, name=?, type=? WHERE key=?", texts, 4, &s);
  sqlite3_finalize(s);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

void wr_db_copy_text(sqlite3_stmt *s, int column, char *to, size_t size) {
  const unsigned char *text = sqlite3_column_text(s, column);
  snprintf(to, size, "%s", text != NULL ? (const char *)text : "");
}

int wr_db_recall(struct wr_db *db, const char *key, struct wr_memo *memo) {
  sqlite3_stmt *s = NULL;
  const char *const texts[] = {key};
  int code = with_texts(
      db, "SELECT id, name, type FROM property WHERE key=? AND id IS NOT NULL",
      texts, 1, &s);
  memset(memo, 0, sizeof(*memo));
  if (code == SQLITE_ROW) {
    wr_db_copy_text(s, 0, memo->id, sizeof(memo->id));
    wr_db_copy_text(s, 1, memo->name, sizeof(memo->name));
    wr_db_copy_text(s, 2, memo->type, sizeof(memo->type));
    code = SQLITE_OK;
  }
  sqlite3_finalize(s);
  return code;
}
