/* What can still be read from a file that is set aside.
 *
 * Damage is a few pages among many. Rows are asked for from the lowest number
 * up until SQLite meets a damaged page, then from the highest down; what lies
 * between is cut in two and asked for again. Where the very first page is
 * damaged, a new database lends its own: ours are always laid out alike. Where
 * the page is damaged that all others of the table hang on, each of them is
 * read as if it were the table. */
#include "lib/spool/impl.h"

#include "lib/spool/rejected.h"
#include "lib/spool/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096
#define LAST (INT64_MAX - 1)
#define PROBES 4096    /* queries in all, so that it ends */
#define BARREN 6       /* a 64th of a range that has no row is damage alone */
#define PROPERTIES 256 /* of a file */

struct salvage {
  sqlite3 *from;
  struct wr_db *to;
  sqlite3_stmt *up, *down;
  int64_t number; /* of the property, in `to` */
  int probes;
  int64_t seen;  /* rows, also those that are not taken */
  bool rootless; /* no row of a property could be reached */
  int64_t rows;
};

/* --- the first page --- */

/* The first page of a new database. */
static bool template_page(unsigned char *page) {
  sqlite3 *db = NULL;
  unsigned char *image = NULL;
  if (sqlite3_open(":memory:", &db) == SQLITE_OK &&
      wr_schema_create(db) == SQLITE_OK)
    image = sqlite3_serialize(db, "main", NULL, 0);
  bool ok = image != NULL;
  if (ok) {
    memcpy(page, image, PAGE);
    page[18] = page[19] = 2; /* with a write-ahead log */
    memset(page + 28, 0, 4); /* as many pages as the file has */
  }
  sqlite3_free(image);
  sqlite3_close(db);
  return ok;
}

static void mend_first_page(const char *path) {
  unsigned char page[PAGE];
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return;
  if (pread(fd, page, sizeof(page), 0) == PAGE &&
      memcmp(page, "SQLite format 3", 16) != 0 && template_page(page)) {
    ssize_t written = pwrite(fd, page, sizeof(page), 0);
    (void)written; /* else nothing can be read from it, that is all */
  }
  close(fd);
}

/* --- rows --- */

/* Takes the row that a step found, if it is one of ours. */
static void take(struct salvage *s, sqlite3_stmt *found) {
  struct wr_row row = {.seq = sqlite3_column_int64(found, 0),
                       .time_us = sqlite3_column_int64(found, 1),
                       .clock_us = WR_CLOCK_UNKNOWN};
  int level = sqlite3_column_int(found, 2);
  if (sqlite3_column_type(found, 2) != SQLITE_INTEGER || level < -1 ||
      level > WR_SPOOL_THIN_LEVELS || !wr_db_sound(found, 0, 3))
    return;
  wr_db_value(found, 3, &row.value);
  if (wr_db_insert(s->to, s->number, &row, level) == SQLITE_OK &&
      row.seq > s->to->state.seq)
    s->to->state.seq = row.seq;
}

/* Rows of low..high in one direction; true: all were read. *reached: the key of
 * the last one. */
static bool scan(struct salvage *s, sqlite3_stmt *query, int64_t low,
                 int64_t high, int64_t *reached) {
  sqlite3_bind_int64(query, 2, low);
  sqlite3_bind_int64(query, 3, high);
  int code;
  s->probes++;
  while ((code = sqlite3_step(query)) == SQLITE_ROW) {
    *reached = sqlite3_column_int64(query, 4);
    s->seen++;
    take(s, query);
  }
  sqlite3_reset(query);
  return code == SQLITE_DONE;
}

/* `barren`: so many cuts in a row have found no row. */
static void salvage_range(struct salvage *s, int64_t low, int64_t high,
                          int barren) {
  int64_t bottom = low - 1, top = high + 1, before = s->seen;
  if (low > high || barren > BARREN || s->probes >= PROBES ||
      scan(s, s->up, low, high, &bottom))
    return;
  low = bottom + 1;
  if (low > high || scan(s, s->down, low, high, &top))
    return;
  high = top - 1;
  barren = s->seen > before ? 0 : barren + 1;
  s->rootless |= low == 0 && high == LAST;
  if (s->rootless)
    return;
  int64_t middle = low + (high - low) / 2;
  salvage_range(s, low, middle, barren);
  salvage_range(s, middle + 1, high, barren);
}

/* Version 1 sorts by time, later ones by number. */
static int prepare(struct salvage *s) {
  int version = 0;
  char sql[256];
  int code = wr_schema_version(s->from, &version);
  const char *key = version == 1 ? "time_us" : "seq";
  for (int down = 0; down < 2 && code == SQLITE_OK; down++) {
    snprintf(sql, sizeof(sql),
             "SELECT seq, time_us, level, value, %s FROM value WHERE "
             "property=?1 AND %s>=?2 AND %s<=?3 ORDER BY %s%s",
             key, key, key, key, down ? " DESC" : "");
    code = sqlite3_prepare_v2(s->from, sql, -1, down ? &s->down : &s->up, NULL);
  }
  return code;
}

/* --- properties --- */

struct names {
  int64_t old[PROPERTIES], number[PROPERTIES];
  int count;
};

/* The index of the keys has all that is needed, should the table be damaged. */
static void read_names(struct salvage *s, struct names *n) {
  static const char *const sql[] = {
      "SELECT number, key FROM property ORDER BY number",
      "SELECT number, key FROM property INDEXED BY "
      "sqlite_autoindex_property_1 ORDER BY key"};
  for (int i = 0; i < 2 && n->count == 0; i++) {
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(s->from, sql[i], -1, &q, NULL);
    while (code == SQLITE_OK && n->count < PROPERTIES &&
           sqlite3_step(q) == SQLITE_ROW) {
      const char *key = (const char *)sqlite3_column_text(q, 1);
      n->old[n->count] = sqlite3_column_int64(q, 0);
      if (key != NULL &&
          wr_db_number(s->to, key, &n->number[n->count]) == SQLITE_OK)
        n->count++;
    }
    sqlite3_finalize(q);
  }
}

/* --- page by page --- */

#define LEAF 0x0a /* the first byte of a page that rows stand in */

/* The rows of one page, which is made the root of the table for it. */
static void read_page(struct salvage *s, const struct names *n, int page) {
  char sql[160];
  sqlite3_stmt *q = NULL;
  snprintf(sql, sizeof(sql),
           "PRAGMA writable_schema=ON; UPDATE sqlite_master SET rootpage=%d "
           "WHERE name='value'; PRAGMA writable_schema=RESET",
           page);
  if (sqlite3_exec(s->from, sql, NULL, NULL, NULL) != SQLITE_OK ||
      sqlite3_prepare_v2(s->from,
                         "SELECT seq, time_us, level, value, property FROM "
                         "value",
                         -1, &q, NULL) != SQLITE_OK)
    return;
  while (sqlite3_step(q) == SQLITE_ROW)
    for (int i = 0; i < n->count; i++)
      if (sqlite3_column_type(q, 4) == SQLITE_INTEGER &&
          n->old[i] == sqlite3_column_int64(q, 4)) {
        s->number = n->number[i];
        take(s, q);
      }
  sqlite3_finalize(q);
}

/* Delivered rows may come back with it, which costs a repetition. */
static void salvage_pages(struct salvage *s, const struct names *n,
                          const char *path) {
  unsigned char kind = 0;
  sqlite3_exec(s->from,
               "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous=OFF", NULL,
               NULL, NULL);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  for (off_t at = PAGE; pread(fd, &kind, 1, at) == 1; at += PAGE)
    if (kind == LEAF)
      read_page(s, n, (int)(at / PAGE) + 1);
  if (fd >= 0)
    close(fd);
}

/* In the end, as some are taken twice. */
static void count_rows(struct salvage *s) {
  sqlite3_stmt *q = NULL;
  if (sqlite3_prepare_v2(s->to->handle, "SELECT count(*) FROM value", -1, &q,
                         NULL) == SQLITE_OK &&
      sqlite3_step(q) == SQLITE_ROW)
    s->rows = s->to->state.rows = sqlite3_column_int64(q, 0);
  sqlite3_finalize(q);
}

static void salvage_rejected(struct salvage *s) {
  sqlite3_stmt *q = NULL;
  if (sqlite3_prepare_v2(s->from,
                         "SELECT at_us, property, time_us, value, status, "
                         "reason FROM rejected ORDER BY id",
                         -1, &q, NULL) != SQLITE_OK)
    return;
  while (sqlite3_step(q) == SQLITE_ROW) {
    struct wr_row row = {.seq = (s->to->state.seq += WR_ORDER_STEP),
                         .time_us = sqlite3_column_int64(q, 2),
                         .clock_us = WR_CLOCK_UNKNOWN};
    const char *key = (const char *)sqlite3_column_text(q, 1);
    const char *reason = (const char *)sqlite3_column_text(q, 5);
    wr_db_value(q, 3, &row.value);
    if (key != NULL)
      wr_db_reject(s->to, key, &row, sqlite3_column_int(q, 4),
                   reason != NULL ? reason : "", sqlite3_column_int64(q, 0));
  }
  sqlite3_finalize(q);
}

/* What is spent today, so that it is not spent again. */
static void salvage_spent(struct salvage *s) {
  static const char *const sql[] = {
      "SELECT budget_day, budget_used, budget_old FROM state",
      "SELECT budget_day, budget_used, 0 FROM state"}; /* of version 1 */
  struct wr_spent *spent = &s->to->state.spent;
  sqlite3_stmt *q = NULL;
  if ((sqlite3_prepare_v2(s->from, sql[0], -1, &q, NULL) == SQLITE_OK ||
       sqlite3_prepare_v2(s->from, sql[1], -1, &q, NULL) == SQLITE_OK) &&
      sqlite3_step(q) == SQLITE_ROW)
    *spent = (struct wr_spent){.day = sqlite3_column_int64(q, 0),
                               .used = sqlite3_column_int64(q, 1),
                               .old = sqlite3_column_int64(q, 2)};
  sqlite3_finalize(q);
}

static void salvage_all(struct salvage *s, const char *path) {
  struct names n = {.count = 0};
  read_names(s, &n);
  for (int i = 0; i < n.count; i++) {
    s->number = n.number[i];
    sqlite3_bind_int64(s->up, 1, n.old[i]);
    sqlite3_bind_int64(s->down, 1, n.old[i]);
    salvage_range(s, 0, LAST, 0);
    /* Also from behind: a row may hide those after it from the way up. */
    int64_t reached = 0;
    scan(s, s->down, 0, LAST, &reached);
  }
  salvage_rejected(s);
  salvage_spent(s);
  if (s->rootless)
    salvage_pages(s, &n, path);
  count_rows(s);
}

int64_t wr_spool_salvage(const char *path, struct wr_db *db) {
  struct salvage s = {.to = db};
  mend_first_page(path);
  if (sqlite3_open_v2(path, &s.from, SQLITE_OPEN_READWRITE, NULL) ==
          SQLITE_OK &&
      prepare(&s) == SQLITE_OK &&
      wr_db_exec(db, "BEGIN IMMEDIATE") == SQLITE_OK) {
    struct wr_db_state before = db->state;
    salvage_all(&s, path);
    if (wr_db_save_state(db, &db->state.spent) != SQLITE_OK ||
        wr_db_exec(db, "COMMIT") != SQLITE_OK) {
      wr_db_exec(db, "ROLLBACK");
      db->state = before;
      s.rows = 0;
    }
  }
  sqlite3_finalize(s.up);
  sqlite3_finalize(s.down);
  sqlite3_close(s.from);
  return s.rows;
}

/* --- for a program of another version --- */

int wr_spool_convert(const char *path, int version, char *fault, size_t size) {
  sqlite3 *db = NULL;
  int have = 0;
  int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
  if (code == SQLITE_OK)
    code = wr_schema_version(db, &have);
  if (code == SQLITE_OK && have != version)
    code = wr_schema_migrate(db, have, version);
  if (code == SQLITE_MISMATCH)
    snprintf(fault, size,
             "it is of version %d, and no way to version %d is "
             "known",
             have, version);
  else if (code != SQLITE_OK) /* errmsg() tells of the ROLLBACK by now */
    snprintf(fault, size, "%s", sqlite3_errstr(code));
  sqlite3_close(db);
  return code == SQLITE_OK ? 0 : -EINVAL;
}
