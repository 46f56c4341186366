/* salvage_case: a file with many rows, page by page, and what is salvaged of
 * it. */
#ifndef WEIR_TESTS_SALVAGE_CASE_H
#define WEIR_TESTS_SALVAGE_CASE_H

#include "lib/spool/impl.h"
#include "lib/spool/schema.h"
#include "tests/unit/spool/spool_rows.h"

static inline struct wr_db target(void) {
  struct wr_db db;
  char reason[160];
  struct wr_db_options o = {.path = NULL};
  CU_ASSERT_EQUAL_FATAL(wr_db_open(&db, &o, reason, sizeof(reason)), SQLITE_OK);
  return db;
}

static inline struct wr_db salvaged(int64_t rows) {
  struct wr_db db = target();
  int open_files = unit_open_files();
  CU_ASSERT_EQUAL(wr_spool_salvage(path, &db), rows);
  CU_ASSERT_EQUAL(db.state.rows, rows);
  CU_ASSERT_EQUAL(unit_open_files(), open_files);
  return db;
}

#define MANY 3000

struct leaf {
  off_t at;
  int rows;
};

/* The pages of the table that rows stand in. */
static inline int leaves(struct leaf *out, int max) {
  unsigned char head[8];
  int count = 0, fd = open(path, O_RDONLY);
  for (off_t at = 4096; count < max && pread(fd, head, 8, at) == 8; at += 4096)
    if (head[0] == 0x0a && head[3] * 256 + head[4] > 20)
      out[count++] = (struct leaf){at, head[3] * 256 + head[4]};
  close(fd);
  return count;
}

static inline void write_many(int version, int rows) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.power = false;
  struct wr_spool *s = open_with(o);
  int64_t time_us = WALL;
  char fault[128];
  fill(s, rows, &time_us);
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(wr_spool_convert(path, version, fault, sizeof(fault)), 0);
  sql("PRAGMA wal_checkpoint(TRUNCATE)");
}

#endif
