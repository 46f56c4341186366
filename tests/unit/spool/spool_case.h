/* spool_case: what the tests of the spool share: a fresh directory, a spool
 * with a number and a label, rows in. */
#ifndef WEIR_TESTS_SPOOL_CASE_H
#define WEIR_TESTS_SPOOL_CASE_H

#include "lib/spool/db.h"
#include "lib/spool/spool.h"
#include "tests/unit/spool/fault_vfs.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND INT64_C(1000000)
#define WALL (INT64_C(1767225600) * SECOND) /* 2026-01-01 */

enum { FLOW, LABEL };
static const char *const keys[] = {"flow_rate", "classification"};

static char dir[64], path[128];

static inline void fresh_dir(void) {
  /* In memory where possible: thousands of fsyncs are not the point. */
  snprintf(dir, sizeof(dir), "%s/weir-spool-XXXXXX",
           access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  snprintf(path, sizeof(path), "%s/thing.db", dir);
}

static inline void remove_dir(void) {
  static const char *const names[] = {"",         "-wal",   "-shm", ".bad",
                                      ".bad-wal", ".later", ".lock"};
  char name[192];
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    snprintf(name, sizeof(name), "%s%s", path, names[i]);
    unlink(name);
  }
  CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static inline bool exists(const char *suffix) {
  char name[192];
  snprintf(name, sizeof(name), "%s%s", path, suffix);
  return access(name, F_OK) == 0;
}

/* The first column of the first row of a query, as text. */
static inline void check_text(struct wr_db *db, const char *query,
                              const char *want) {
  sqlite3_stmt *s = NULL;
  CU_ASSERT_EQUAL(sqlite3_prepare_v2(db->handle, query, -1, &s, NULL),
                  SQLITE_OK);
  CU_ASSERT_EQUAL_FATAL(sqlite3_step(s), SQLITE_ROW);
  const unsigned char *text = sqlite3_column_text(s, 0);
  CU_ASSERT_STRING_EQUAL(text != NULL ? (const char *)text : "", want);
  sqlite3_finalize(s);
}

static inline struct wr_spool_options options(void) {
  return (struct wr_spool_options){.path = path,
                                   .power = true,
                                   .max_bytes = 64 << 20,
                                   .max_age_us = 30 * 86400 * SECOND,
                                   .memory_bytes = 1 << 20,
                                   .max_accepted = 1000};
}

static inline struct wr_spool *open_with(struct wr_spool_options o) {
  struct wr_spool *s = wr_spool_create(&o, keys, 2);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  wr_spool_open(s, 0);
  return s;
}

static inline int offer_number(struct wr_spool *s, int64_t time_us,
                               double number) {
  return wr_spool_offer(
      s, &(struct wr_row){.property = FLOW,
                          .time_us = time_us,
                          .value = {WR_VALUE_NUMBER, number, ""}});
}

static inline int offer_label(struct wr_spool *s, int64_t time_us,
                              const char *text) {
  struct wr_row row = {.property = LABEL, .time_us = time_us, .state = true};
  row.value.kind = WR_VALUE_TEXT;
  snprintf(row.value.text, sizeof(row.value.text), "%s", text);
  return wr_spool_offer(s, &row);
}

static inline struct wr_spool_status status_of(struct wr_spool *s) {
  struct wr_spool_status st;
  wr_spool_status(s, &st);
  return st;
}

static inline void fill(struct wr_spool *s, int count, int64_t *time_us) {
  for (int i = 0; i < count; i++) {
    *time_us += SECOND;
    offer_number(s, *time_us, i);
    if (i % 500 == 499)
      wr_spool_commit(s, 0, WALL);
  }
  wr_spool_commit(s, 0, WALL);
}

/* --- the file, as other programs see it --- */

static inline void sql(const char *text) {
  sqlite3 *db = NULL;
  char *fault = NULL;
  CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, text, NULL, NULL, &fault) != SQLITE_OK)
    printf("\n%s\n", fault);
  CU_ASSERT_PTR_NULL(fault);
  sqlite3_close(db);
}

static inline int64_t number_of(const char *query) {
  sqlite3 *db = NULL;
  sqlite3_stmt *s = NULL;
  int64_t number = -1;
  sqlite3_open(path, &db);
  if (sqlite3_prepare_v2(db, query, -1, &s, NULL) == SQLITE_OK &&
      sqlite3_step(s) == SQLITE_ROW)
    number = sqlite3_column_int64(s, 0);
  sqlite3_finalize(s);
  sqlite3_close(db);
  return number;
}

#endif
