/* Rows of the database, and the eras of the clock that they belong to. */
#include "lib/spool/db.h"

#include <math.h>
#include <string.h>

#define STEP_US 1000000 /* less is drift of the clock, more is a step */

/* --- eras --- */

int64_t wr_db_offset(const struct wr_db *db, int64_t era) {
  for (int i = db->era_count; i-- > 0;)
    if (db->eras[i].id == era)
      return db->eras[i].offset_us;
  return WR_CLOCK_UNKNOWN;
}

int wr_db_era(struct wr_db *db, int64_t offset_us, int64_t seq, int64_t *id) {
  *id = 0;
  if (offset_us == WR_CLOCK_UNKNOWN || db->boot[0] == '\0')
    return SQLITE_OK;
  for (int i = db->era_count; i-- > 0;)
    if (db->eras[i].offset_us - offset_us < STEP_US &&
        offset_us - db->eras[i].offset_us < STEP_US) {
      *id = db->eras[i].id;
      return SQLITE_OK;
    }
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(
      db->handle, "INSERT OR REPLACE INTO era VALUES(?, ?, ?)", -1, &s, NULL);
  if (code != SQLITE_OK)
    return code;
  sqlite3_bind_int64(s, 1, seq);
  sqlite3_bind_text(s, 2, db->boot, -1, SQLITE_STATIC);
  sqlite3_bind_int64(s, 3, offset_us);
  code = sqlite3_step(s);
  sqlite3_finalize(s);
  if (code != SQLITE_DONE)
    return code;
  if (db->era_count == WR_DB_ERAS)
    memmove(db->eras, db->eras + 1, sizeof(db->eras[0]) * --db->era_count);
  db->eras[db->era_count++] = (struct wr_db_era){seq, offset_us};
  *id = seq;
  return SQLITE_OK;
}

/* --- rows --- */

int wr_db_bind_value(sqlite3_stmt *s, int at, const struct wr_value *v) {
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
  int64_t era = 0;
  int code = wr_db_era(db, row->clock_us, row->seq, &era);
  if (code != SQLITE_OK)
    return code;
  sqlite3_stmt *s = db->statements[WR_DB_INSERT];
  sqlite3_bind_int64(s, 1, number);
  sqlite3_bind_int64(s, 2, row->seq);
  sqlite3_bind_int64(s, 3, row->time_us);
  sqlite3_bind_int64(s, 4, era);
  sqlite3_bind_int(s, 5, level);
  code = wr_db_bind_value(s, 6, &row->value);
  return wr_db_finish(s, code == SQLITE_OK ? sqlite3_step(s) : code);
}

int wr_db_delete(struct wr_db *db, int64_t number, int64_t seq, int *gone) {
  const int64_t values[] = {number, seq};
  int64_t changes = 0;
  int code = wr_db_change(db, WR_DB_DELETE, values, 2, &changes);
  *gone = (int)changes;
  return code;
}

void wr_db_value(sqlite3_stmt *s, int column, struct wr_value *out) {
  *out = (struct wr_value){.kind = WR_VALUE_NUMBER};
  switch (sqlite3_column_type(s, column)) {
  case SQLITE_TEXT:
    out->kind = WR_VALUE_TEXT;
    wr_db_copy_text(s, column, out->text, sizeof(out->text));
    break;
  case SQLITE_INTEGER:
    out->kind = WR_VALUE_BOOL;
    out->number = sqlite3_column_int(s, column) != 0;
    break;
  default:
    out->number = sqlite3_column_double(s, column);
  }
}

/* All but the property. */
static void read_row(const struct wr_db *db, sqlite3_stmt *s,
                     struct wr_row *row) {
  row->seq = sqlite3_column_int64(s, 0);
  row->time_us = sqlite3_column_int64(s, 1);
  row->clock_us = wr_db_offset(db, sqlite3_column_int64(s, 2));
  row->state = sqlite3_column_int64(s, 3) < 0;
  wr_db_value(s, 4, &row->value);
}

bool wr_db_sound(sqlite3_stmt *s, int seq, int value) {
  int64_t number = sqlite3_column_int64(s, seq);
  int type = sqlite3_column_type(s, value);
  return number > 0 && number <= WR_DB_SEQ_MAX && type != SQLITE_NULL &&
         type != SQLITE_BLOB &&
         (type != SQLITE_FLOAT || isfinite(sqlite3_column_double(s, value)));
}

int wr_db_select(struct wr_db *db, int statement, int64_t number, int64_t seq,
                 struct wr_row *rows, int max, int *count) {
  sqlite3_stmt *s = db->statements[statement];
  sqlite3_bind_int64(s, 1, number);
  sqlite3_bind_int64(s, 2, seq);
  sqlite3_bind_int(s, 3, max);
  int code = SQLITE_ROW;
  *count = 0;
  while (*count < max && (code = sqlite3_step(s)) == SQLITE_ROW) {
    int64_t next = sqlite3_column_int64(s, 0);
    bool in_order = statement == WR_DB_NEWEST ? next < seq : next > seq;
    if (!in_order || !wr_db_sound(s, 0, 4)) {
      *count = 0;
      return wr_db_finish(s, SQLITE_CORRUPT);
    }
    seq = next;
    read_row(db, s, rows + (*count)++);
  }
  return wr_db_finish(s, code);
}
