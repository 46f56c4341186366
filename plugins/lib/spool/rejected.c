/* The table of rejected values, read by other programs. */
#include "lib/spool/db.h"
#include "lib/spool/spool.h"

#include <errno.h>
#include <stdio.h>

static const char *text_of(sqlite3_stmt *s, int column) {
  const unsigned char *text = sqlite3_column_text(s, column);
  return text != NULL ? (const char *)text : "";
}

static void read_rejected(sqlite3_stmt *s, struct wr_rejected *r) {
  r->at_us = sqlite3_column_int64(s, 0);
  r->property = text_of(s, 1);
  r->time_us = sqlite3_column_int64(s, 2);
  wr_db_value(s, 3, &r->value);
  r->status = sqlite3_column_int(s, 4);
  r->reason = text_of(s, 5);
}

int wr_spool_read_rejected(const char *path, wr_rejected_fn each, void *arg,
                           char *fault, size_t size) {
  sqlite3 *db = NULL;
  sqlite3_stmt *s = NULL;
  struct wr_rejected r;
  int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
  if (code == SQLITE_OK)
    sqlite3_busy_timeout(db, 2000);
  if (code == SQLITE_OK)
    code = sqlite3_prepare_v2(db,
                              "SELECT at_us, property, time_us, value, status, "
                              "reason FROM rejected ORDER BY id",
                              -1, &s, NULL);
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step(s);
    if (code == SQLITE_ROW) {
      read_rejected(s, &r);
      each(&r, arg);
    }
  }
  if (code != SQLITE_DONE)
    snprintf(fault, size, "%s", sqlite3_errmsg(db));
  sqlite3_finalize(s);
  sqlite3_close(db);
  return code == SQLITE_DONE ? 0 : -EINVAL;
}
