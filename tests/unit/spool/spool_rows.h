/* spool_rows: a file with many rows, to be damaged and looked through. */
#ifndef WEIR_TESTS_SPOOL_ROWS_H
#define WEIR_TESTS_SPOOL_ROWS_H

#include "tests/unit/spool/spool_case.h"

#define ROWS 400

static inline void write_rows(void) {
  struct wr_spool_options o = options();
  o.power = false;
  struct wr_spool *s = open_with(o);
  for (int i = 0; i < ROWS; i++)
    offer_number(s, WALL + i * SECOND, i);
  offer_label(s, WALL, "Low");
  wr_spool_commit(s, 0, WALL);
  wr_spool_destroy(s);
}

static inline off_t length_of(const char *name) {
  struct stat st;
  return stat(name, &st) == 0 ? st.st_size : -1;
}

static inline void spoil(off_t at) {
  unsigned char noise[4096];
  unsigned dice = 12345;
  for (size_t i = 0; i < sizeof(noise); i++)
    noise[i] = (unsigned char)((dice = dice * 1103515245 + 12345) >> 16);
  int fd = open(path, O_WRONLY);
  CU_ASSERT_EQUAL(pwrite(fd, noise, sizeof(noise), at), sizeof(noise));
  close(fd);
}

static inline int count_rows(struct wr_spool *s) {
  static struct wr_row rows[2 * ROWS];
  int count = wr_spool_oldest(s, FLOW, 0, rows, 2 * ROWS);
  for (int i = 0; i < count; i++) {
    CU_ASSERT_EQUAL(rows[i].time_us,
                    WALL + (int64_t)rows[i].value.number * SECOND);
    CU_ASSERT_TRUE(i == 0 || rows[i].seq > rows[i - 1].seq);
  }
  return count;
}

#endif
