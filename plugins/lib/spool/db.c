#include "lib/spool/db.h"

#include <stdio.h>
#include <string.h>

#define VERSION 1

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS value(property INTEGER, time_us INTEGER,"
    " seq INTEGER, level INTEGER, value, PRIMARY KEY(property, time_us, seq))"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS property(number INTEGER PRIMARY KEY,"
    " key TEXT UNIQUE, id TEXT, name TEXT, type TEXT);"
    "CREATE TABLE IF NOT EXISTS state(one INTEGER PRIMARY KEY CHECK(one = 1),"
    " seq INTEGER, rows INTEGER, budget_day INTEGER, budget_used INTEGER);"
    "CREATE TABLE IF NOT EXISTS rejected(id INTEGER PRIMARY KEY,"
    " at_us INTEGER, property TEXT, time_us INTEGER, value, status INTEGER,"
    " reason TEXT);"
    "INSERT OR IGNORE INTO state VALUES(1, 0, 0, 0, 0);"
    "PRAGMA user_version=1;"
    "COMMIT;";

static const char *const statement_text[WR_DB_COUNT] = {
    [WR_DB_INSERT] = "INSERT OR REPLACE INTO value VALUES(?, ?, ?, ?, ?)",
    [WR_DB_DELETE] =
        "DELETE FROM value WHERE property=? AND time_us=? AND seq=?",
    [WR_DB_NEWEST] = "SELECT time_us, seq, level, value FROM value WHERE "
                     "property=? ORDER BY time_us DESC, seq DESC LIMIT ?",
    [WR_DB_OLDEST] = "SELECT time_us, seq, level, value FROM value WHERE "
                     "property=? ORDER BY time_us, seq LIMIT ?",
    [WR_DB_EXPIRE] = "DELETE FROM value WHERE property=? AND time_us<?",
    [WR_DB_THINNABLE] =
        "SELECT time_us, seq, level, value FROM value WHERE property=? AND "
        "level BETWEEN 0 AND 3 ORDER BY time_us, seq LIMIT ?",
    [WR_DB_RAISE] = "UPDATE value SET level=level+1 WHERE property=? AND "
                    "time_us=? AND seq=?",
    [WR_DB_DROP] =
        "DELETE FROM value WHERE property=?1 AND (time_us, seq) IN (SELECT "
        "time_us, seq FROM value WHERE property=?1 AND level>=?2 ORDER BY "
        "time_us, seq LIMIT ?3)",
    [WR_DB_PAGES] = "PRAGMA page_count",
    [WR_DB_FREE_PAGES] = "PRAGMA freelist_count",
    [WR_DB_SAVE] = "UPDATE state SET seq=?, rows=?, budget_day=?, "
                   "budget_used=? WHERE one=1",
};

int wr_db_exec(struct wr_db *db, const char *sql) {
  return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

bool wr_db_is_corrupt(int code) {
  code &= 0xff; /* without SQLite's extension of the code */
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
         code == SQLITE_SCHEMA || code == SQLITE_ERROR ||
         code == SQLITE_MISMATCH || code == SQLITE_CONSTRAINT ||
         code == SQLITE_FORMAT;
}

/* Runs a query of one integer. */
static int get_int(struct wr_db *db, const char *sql, int64_t *out) {
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_step(s);
  if (code == SQLITE_ROW) {
    *out = sqlite3_column_int64(s, 0);
    code = SQLITE_OK;
  } else if (code == SQLITE_DONE)
    code = SQLITE_CORRUPT; /* the row must be there */
  sqlite3_finalize(s);
  return code;
}

static int read_state(struct wr_db *db) {
  int64_t *const to[] = {&db->state.seq, &db->state.rows, &db->state.budget_day,
                         &db->state.budget_used};
  static const char *const sql[] = {
      "SELECT seq FROM state", "SELECT rows FROM state",
      "SELECT budget_day FROM state", "SELECT budget_used FROM state"};
  int code = SQLITE_OK;
  for (int i = 0; code == SQLITE_OK && i < 4; i++)
    code = get_int(db, sql[i], to[i]);
  return code;
}

static int set_up(struct wr_db *db, bool memory) {
  int64_t version = 0;
  /* Small caches: the queue is read at its two ends. The write-ahead log is
   * folded back at 1000 pages, as SQLite does. */
  int code = wr_db_exec(
      db, memory ? "PRAGMA cache_size=-64"
                 : "PRAGMA journal_mode=WAL;"
                   "PRAGMA journal_size_limit=4194304;"
                   "PRAGMA cache_size=-512; PRAGMA temp_store=MEMORY");
  if (code == SQLITE_OK)
    code = get_int(db, "PRAGMA user_version", &version);
  if (code == SQLITE_OK && version != 0 && version != VERSION)
    return SQLITE_NOTADB;
  if (code == SQLITE_OK && version == 0)
    code = wr_db_exec(db, schema);
  for (int i = 0; code == SQLITE_OK && i < WR_DB_COUNT; i++)
    code =
        sqlite3_prepare_v3(db->handle, statement_text[i], -1,
                           SQLITE_PREPARE_PERSISTENT, &db->statements[i], NULL);
  if (code == SQLITE_OK)
    code = get_int(db, "PRAGMA page_size", &db->page_size);
  return code == SQLITE_OK ? read_state(db) : code;
}

int wr_db_open(struct wr_db *db, const char *path, const char *vfs,
               char *reason, size_t size) {
  memset(db, 0, sizeof(*db));
  int code = sqlite3_open_v2(path != NULL ? path : ":memory:", &db->handle,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                 SQLITE_OPEN_NOMUTEX,
                             path != NULL ? vfs : NULL);
  if (code == SQLITE_OK && sqlite3_db_readonly(db->handle, "main") == 1)
    code = SQLITE_READONLY;
  if (code == SQLITE_OK) {
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, 200);
    code = set_up(db, path == NULL);
  }
  if (code != SQLITE_OK) {
    snprintf(reason, size, "%s", sqlite3_errstr(code));
    wr_db_close(db);
  }
  return code;
}

void wr_db_close(struct wr_db *db) {
  for (int i = 0; i < WR_DB_COUNT; i++)
    sqlite3_finalize(db->statements[i]);
  sqlite3_close_v2(db->handle);
  memset(db, 0, sizeof(*db));
}

static int finish(sqlite3_stmt *s, int code) {
  sqlite3_reset(s);
  sqlite3_clear_bindings(s);
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
    if (finish(s, code) != SQLITE_OK)
      return -1;
  }
  return (pages[0] - pages[1]) * db->page_size;
}

int wr_db_change(struct wr_db *db, int statement, const int64_t *values,
                 int count, int64_t *changes) {
  sqlite3_stmt *s = db->statements[statement];
  for (int i = 0; i < count; i++)
    sqlite3_bind_int64(s, i + 1, values[i]);
  int code = finish(s, sqlite3_step(s));
  if (changes != NULL)
    *changes = code == SQLITE_OK ? sqlite3_changes(db->handle) : 0;
  return code;
}

int wr_db_save_state(struct wr_db *db) {
  const struct wr_db_state *t = &db->state;
  const int64_t values[] = {t->seq, t->rows, t->budget_day, t->budget_used};
  return wr_db_change(db, WR_DB_SAVE, values, 4, NULL);
}

/* Runs `sql` with text parameters; *number gets the first column of a row. */
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
  int code = with_texts(db, "INSERT OR IGNORE INTO property(key) VALUES(?)",
                        texts, 1, &s);
  sqlite3_finalize(s);
  if (code != SQLITE_DONE)
    return code;
  code =
      with_texts(db, "SELECT number FROM property WHERE key=?", texts, 1, &s);
  *number = code == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
  sqlite3_finalize(s);
  return code == SQLITE_ROW    ? SQLITE_OK
         : code == SQLITE_DONE ? SQLITE_CORRUPT
                               : code;
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

static void copy_column(sqlite3_stmt *s, int column, char *to, size_t size) {
  snprintf(to, size, "%s", sqlite3_column_text(s, column));
}

int wr_db_recall(struct wr_db *db, const char *key, struct wr_memo *memo) {
  sqlite3_stmt *s = NULL;
  const char *const texts[] = {key};
  int code = with_texts(
      db, "SELECT id, name, type FROM property WHERE key=? AND id IS NOT NULL",
      texts, 1, &s);
  memset(memo, 0, sizeof(*memo));
  if (code == SQLITE_ROW) {
    copy_column(s, 0, memo->id, sizeof(memo->id));
    copy_column(s, 1, memo->name, sizeof(memo->name));
    copy_column(s, 2, memo->type, sizeof(memo->type));
    code = SQLITE_OK;
  }
  sqlite3_finalize(s);
  return code;
}

static int bind_value(sqlite3_stmt *s, int at, const struct wr_value *v) {
  switch (v->kind) {
  case WR_VALUE_NUMBER:
    return sqlite3_bind_double(s, at, v->number);
  case WR_VALUE_BOOL:
    return sqlite3_bind_int(s, at, v->number != 0.0);
  case WR_VALUE_TEXT:
    return sqlite3_bind_text(s, at, v->text, -1, SQLITE_TRANSIENT);
  }
  return SQLITE_MISUSE;
}

int wr_db_insert(struct wr_db *db, int64_t number, const struct wr_row *row,
                 int level) {
  sqlite3_stmt *s = db->statements[WR_DB_INSERT];
  sqlite3_bind_int64(s, 1, number);
  sqlite3_bind_int64(s, 2, row->time_us);
  sqlite3_bind_int64(s, 3, row->seq);
  sqlite3_bind_int(s, 4, level);
  int code = bind_value(s, 5, &row->value);
  return finish(s, code == SQLITE_OK ? sqlite3_step(s) : code);
}

int wr_db_delete(struct wr_db *db, int64_t number, int64_t time_us, int64_t seq,
                 int *gone) {
  const int64_t values[] = {number, time_us, seq};
  int64_t changes = 0;
  int code = wr_db_change(db, WR_DB_DELETE, values, 3, &changes);
  *gone = (int)changes;
  return code;
}

void wr_db_value(sqlite3_stmt *s, int column, struct wr_value *out) {
  memset(out, 0, sizeof(*out));
  switch (sqlite3_column_type(s, column)) {
  case SQLITE_TEXT:
    out->kind = WR_VALUE_TEXT;
    snprintf(out->text, sizeof(out->text), "%s",
             sqlite3_column_text(s, column));
    break;
  case SQLITE_INTEGER:
    out->kind = WR_VALUE_BOOL;
    out->number = sqlite3_column_int(s, column) != 0;
    break;
  default:
    out->kind = WR_VALUE_NUMBER;
    out->number = sqlite3_column_double(s, column);
  }
}

static void read_row(sqlite3_stmt *s, struct wr_row *row) {
  memset(row, 0, sizeof(*row));
  row->time_us = sqlite3_column_int64(s, 0);
  row->seq = sqlite3_column_int64(s, 1);
  row->state = sqlite3_column_int64(s, 2) < 0;
  wr_db_value(s, 3, &row->value);
}

int wr_db_select(struct wr_db *db, int statement, int64_t number,
                 struct wr_row *rows, int max, int *count) {
  sqlite3_stmt *s = db->statements[statement];
  sqlite3_bind_int64(s, 1, number);
  sqlite3_bind_int(s, 2, max);
  int code = SQLITE_ROW;
  *count = 0;
  while (*count < max && (code = sqlite3_step(s)) == SQLITE_ROW)
    read_row(s, rows + (*count)++);
  return finish(s, code);
}

int wr_db_reject(struct wr_db *db, const char *key, const struct wr_row *row,
                 int status, const char *reason, int64_t wall_us) {
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(
      db->handle,
      "INSERT INTO rejected(at_us, property, time_us, value, status, reason) "
      "VALUES(?, ?, ?, ?, ?, ?)",
      -1, &s, NULL);
  if (code != SQLITE_OK)
    return code;
  sqlite3_bind_int64(s, 1, wall_us);
  sqlite3_bind_text(s, 2, key, -1, SQLITE_STATIC);
  sqlite3_bind_int64(s, 3, row->time_us);
  bind_value(s, 4, &row->value);
  sqlite3_bind_int(s, 5, status);
  sqlite3_bind_text(s, 6, reason, -1, SQLITE_STATIC);
  code = sqlite3_step(s);
  sqlite3_finalize(s);
  char trim[128];
  snprintf(trim, sizeof(trim),
           "DELETE FROM rejected WHERE id <= (SELECT max(id) FROM rejected) "
           "- %d",
           WR_SPOOL_REJECTED_MAX);
  return code == SQLITE_DONE ? wr_db_exec(db, trim) : code;
}
