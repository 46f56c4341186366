/* The table of rejected values: ours, and as other programs read it. */
#include "lib/spool/rejected.h"

#include "lib/spool/order.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 200 /* rows read at a time: no reader may hold up the log */

static const char insert_text[] =
    "INSERT INTO rejected(at_us, property, time_us, value, status, reason, "
    "seq, era, level) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)";

int wr_db_reject(struct wr_db *db, const char *key, const struct wr_row *row,
                 int status, const char *reason, int64_t wall_us) {
  sqlite3_stmt *s = NULL;
  int64_t era = 0;
  int code = wr_db_era(db, row->clock_us, row->seq, &era);
  if (code == SQLITE_OK)
    code = sqlite3_prepare_v2(db->handle, insert_text, -1, &s, NULL);
  if (code != SQLITE_OK)
    return code;
  sqlite3_bind_int64(s, 1, wall_us);
  sqlite3_bind_text(s, 2, key, -1, SQLITE_STATIC);
  sqlite3_bind_int64(s, 3, row->time_us);
  wr_db_bind_value(s, 4, &row->value);
  sqlite3_bind_int(s, 5, status);
  sqlite3_bind_text(s, 6, reason, -1, SQLITE_STATIC);
  sqlite3_bind_int64(s, 7, row->seq);
  sqlite3_bind_int64(s, 8, era);
  sqlite3_bind_int(s, 9, row->state ? -1 : 0);
  code = sqlite3_step(s);
  sqlite3_finalize(s);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

int wr_db_mark_again(struct wr_db *db, const char *key, int64_t *marked) {
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(
      db->handle, "UPDATE rejected SET again=1 WHERE property=?", -1, &s, NULL);
  if (code == SQLITE_OK) {
    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    code = sqlite3_step(s);
  }
  sqlite3_finalize(s);
  *marked = code == SQLITE_DONE ? sqlite3_changes(db->handle) : 0;
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

int wr_db_any_again(struct wr_db *db, bool *any) {
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(db->handle,
                                "SELECT 1 FROM rejected WHERE again<>0 LIMIT 1",
                                -1, &s, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_step(s);
  sqlite3_finalize(s);
  *any = code == SQLITE_ROW;
  return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int number_of(const char *key, char *const *keys, const int64_t *numbers,
                     int count, int64_t *number) {
  for (int i = 0; i < count; i++)
    if (strcmp(keys[i], key) == 0) {
      *number = numbers[i];
      return SQLITE_OK;
    }
  return SQLITE_NOTFOUND;
}

/* The row that a step of the query in wr_db_take_back() found. Rows of version
 * 1 have no place of their own and go to the end. */
static int put_back(struct wr_db *db, sqlite3_stmt *s, int64_t number) {
  struct wr_row row = {.time_us = sqlite3_column_int64(s, 1),
                       .seq = sqlite3_column_int64(s, 3),
                       .clock_us = wr_db_offset(db, sqlite3_column_int64(s, 4)),
                       .state = sqlite3_column_int64(s, 5) < 0};
  wr_db_value(s, 2, &row.value);
  if (sqlite3_column_type(s, 3) == SQLITE_NULL)
    row.seq = (db->state.seq += WR_ORDER_STEP);
  return wr_db_insert(db, number, &row, row.state ? -1 : 0);
}

/* What went back leaves the table; strangers stay, and are no reason to look
 * again. */
static int settle_marks(struct wr_db *db, char *const *keys, int count) {
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(
      db->handle, "DELETE FROM rejected WHERE again<>0 AND property=?", -1, &s,
      NULL);
  for (int i = 0; code == SQLITE_OK && i < count; i++) {
    sqlite3_bind_text(s, 1, keys[i], -1, SQLITE_STATIC);
    code = wr_db_finish(s, sqlite3_step(s));
  }
  sqlite3_finalize(s);
  return code == SQLITE_OK
             ? wr_db_exec(db, "UPDATE rejected SET again=0 WHERE again<>0")
             : code;
}

int wr_db_take_back(struct wr_db *db, char *const *keys, const int64_t *numbers,
                    int count, int64_t *back) {
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(
      db->handle,
      "SELECT property, time_us, value, seq, era, level FROM rejected "
      "WHERE again<>0 ORDER BY id",
      -1, &s, NULL);
  *back = 0;
  while (code == SQLITE_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
    int64_t number = 0;
    const char *key = (const char *)sqlite3_column_text(s, 0);
    code = number_of(key != NULL ? key : "", keys, numbers, count, &number);
    if (code == SQLITE_OK)
      code = put_back(db, s, number);
    *back += code == SQLITE_OK;
    if (code == SQLITE_NOTFOUND)
      code = SQLITE_OK;
  }
  sqlite3_finalize(s);
  if (code != SQLITE_DONE)
    return code;
  db->state.rows += *back;
  return settle_marks(db, keys, count);
}

int wr_db_drop_rejected(struct wr_db *db, int max, int64_t *gone) {
  char sql[128];
  snprintf(sql, sizeof(sql),
           "DELETE FROM rejected WHERE id IN (SELECT id FROM rejected ORDER BY "
           "id LIMIT %d)",
           max);
  int code = wr_db_exec(db, sql);
  *gone = code == SQLITE_OK ? sqlite3_changes(db->handle) : 0;
  return code;
}

int wr_db_move_rejected(struct wr_db *from, struct wr_db *to) {
  sqlite3_stmt *in = NULL, *out = NULL;
  int code = sqlite3_prepare_v2(
      from->handle,
      "SELECT at_us, property, time_us, value, status, reason, seq, era, level "
      "FROM rejected ORDER BY id",
      -1, &in, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_prepare_v2(to->handle, insert_text, -1, &out, NULL);
  while (code == SQLITE_OK && (code = sqlite3_step(in)) == SQLITE_ROW) {
    for (int i = 0; i < 9; i++)
      sqlite3_bind_value(out, i + 1, sqlite3_column_value(in, i));
    sqlite3_bind_int64(out, 8, 0); /* eras are numbered per database */
    code = sqlite3_step(out);
    sqlite3_reset(out);
    code = code == SQLITE_DONE ? SQLITE_OK : code;
  }
  sqlite3_finalize(in);
  sqlite3_finalize(out);
  if (code == SQLITE_DONE)
    code = wr_db_exec(from, "DELETE FROM rejected");
  return code;
}

/* --- for other programs --- */

static const char *text_of(sqlite3_stmt *s, int column) {
  const unsigned char *text = sqlite3_column_text(s, column);
  return text != NULL ? (const char *)text : "";
}

static int open_other(const char *path, bool write, sqlite3 **db) {
  int code = sqlite3_open_v2(
      path, db, write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY, NULL);
  if (code == SQLITE_OK)
    sqlite3_busy_timeout(*db, 5000);
  return code;
}

/* A chunk of them, behind *id; SQLITE_DONE: there are no more. The reading ends
 * before `each` is called, which may be slow. */
static int read_chunk(sqlite3 *db, int64_t *id, struct wr_rejected *rows,
                      int *count) {
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(db,
                                "SELECT id, at_us, property, time_us, value, "
                                "status, reason FROM rejected WHERE id>? "
                                "ORDER BY id LIMIT ?",
                                -1, &s, NULL);
  if (code == SQLITE_OK) {
    sqlite3_bind_int64(s, 1, *id);
    sqlite3_bind_int(s, 2, CHUNK);
  }
  *count = 0;
  while (code == SQLITE_OK && *count < CHUNK &&
         (code = sqlite3_step(s)) == SQLITE_ROW) {
    struct wr_rejected *r = rows + (*count)++;
    *id = sqlite3_column_int64(s, 0);
    r->at_us = sqlite3_column_int64(s, 1);
    snprintf(r->property, sizeof(r->property), "%s", text_of(s, 2));
    r->time_us = sqlite3_column_int64(s, 3);
    wr_db_value(s, 4, &r->value);
    r->status = sqlite3_column_int(s, 5);
    snprintf(r->reason, sizeof(r->reason), "%s", text_of(s, 6));
    code = SQLITE_OK;
  }
  sqlite3_finalize(s);
  return code;
}

int wr_spool_read_rejected(const char *path, wr_rejected_fn each, void *arg,
                           char *fault, size_t size) {
  struct wr_rejected *rows = calloc(CHUNK, sizeof(*rows));
  sqlite3 *db = NULL;
  int64_t id = -1;
  int count = 0;
  int code = rows != NULL ? open_other(path, false, &db) : SQLITE_NOMEM;
  while (code == SQLITE_OK) {
    code = read_chunk(db, &id, rows, &count);
    for (int i = 0; i < count; i++)
      each(rows + i, arg);
  }
  if (code != SQLITE_DONE)
    snprintf(fault, size, "%s", sqlite3_errmsg(db));
  sqlite3_close(db);
  free(rows);
  return code == SQLITE_DONE ? 0 : -EINVAL;
}

int wr_spool_resend_rejected(const char *path, int64_t *marked, char *fault,
                             size_t size) {
  sqlite3 *db = NULL;
  int code = open_other(path, true, &db);
  if (code == SQLITE_OK)
    code = sqlite3_exec(db, "UPDATE rejected SET again=1", NULL, NULL, NULL);
  *marked = code == SQLITE_OK ? sqlite3_changes(db) : 0;
  if (code != SQLITE_OK)
    snprintf(fault, size, "%s", sqlite3_errmsg(db));
  sqlite3_close(db);
  return code == SQLITE_OK ? 0 : -EINVAL;
}
