/* Several properties, whose numbers in the file are others than here: rows go
 * with theirs from the disk to the memory and back. */
#include "tests/unit/spool/spool_case.h"

#define KEYS 9

static const char *names[KEYS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};

static struct wr_spool *open_keys(const char *const *list, int count) {
  struct wr_spool_options o = options();
  fault_vfs.fail_at = 0;
  o.vfs = fault_vfs_register();
  struct wr_spool *s = wr_spool_create(&o, list, count);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  wr_spool_open(s, 0);
  return s;
}

static void fill_disk(void) {
  fault_vfs.calls = 0;
  fault_vfs.fail_at = 1;
  fault_vfs.stays = true;
  fault_vfs.code = SQLITE_FULL;
}

static void offer_all(struct wr_spool *s, int round) {
  for (int p = 0; p < KEYS; p++)
    wr_spool_offer(
        s, &(struct wr_row){.property = p,
                            .time_us = WALL + round * SECOND,
                            .value = {WR_VALUE_NUMBER, 10 * p + round, ""}});
}

/* Of each property the rows of rounds 0 to `rounds` - 1. */
static void check_all(struct wr_spool *s, int rounds) {
  CU_ASSERT_EQUAL(status_of(s).rows, KEYS * rounds);
  for (int p = 0; p < KEYS; p++) {
    struct wr_row rows[8], row;
    CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, p, 0, rows, 8), rounds);
    for (int i = 0; i < rounds; i++) {
      CU_ASSERT_EQUAL(rows[i].value.number, 10 * p + i);
      CU_ASSERT_EQUAL(rows[i].property, p);
    }
    for (int max = 1; max < rounds; max++)
      CU_ASSERT_EQUAL(wr_spool_oldest(s, p, 0, rows, max), max);
    CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, p, &row));
    CU_ASSERT_EQUAL(row.seq, rows[rounds - 1].seq);
    CU_ASSERT_EQUAL(row.property, p);
  }
}

static void begin(void) {
  const char *backwards[KEYS];
  for (int p = 0; p < KEYS; p++)
    backwards[p] = names[KEYS - 1 - p];
  fresh_dir();
  wr_spool_destroy(open_keys(backwards, KEYS));
}

static void test_to_the_memory_and_back(void) {
  char fault[192];
  begin();
  struct wr_spool *s = open_keys(names, KEYS);
  int64_t now_ms = 0;
  for (int round = 0; round < 4; round++) {
    offer_all(s, round);
    if (round % 2 == 1)
      fill_disk();
    CU_ASSERT_EQUAL(wr_spool_commit(s, now_ms += 61000, WALL), KEYS);
    CU_ASSERT_EQUAL(status_of(s).in_memory, round % 2 == 1);
    snprintf(fault, sizeof(fault), "%s: database or disk is full", path);
    CU_ASSERT_STRING_EQUAL(status_of(s).fault, round > 0 ? fault : "");
    check_all(s, round + 1);
    fault_vfs.fail_at = 0;
  }
  wr_spool_destroy(s);
  s = open_keys(names, KEYS);
  check_all(s, 4);
  wr_spool_destroy(s);
  remove_dir();
}

/* One row of each property is delivered from a disk that is full, and those
 * alone have left it afterwards. */
static void test_delivered_meanwhile(void) {
  begin();
  struct wr_spool *s = open_keys(names, KEYS);
  for (int round = 0; round < 3; round++)
    offer_all(s, round);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 3 * KEYS);
  fill_disk();
  for (int p = 0; p < KEYS; p++) {
    struct wr_row rows[4];
    CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, p, 0, rows, 4), 3);
    wr_spool_delivered(s, rows + p % 3, 1, &(struct wr_spent){.used = p + 1});
    CU_ASSERT_EQUAL(status_of(s).rows, 3 * KEYS - p - 1);
  }
  fault_vfs.fail_at = 0;
  for (int now = 0; now < 2; now++) {
    for (int p = 0; p < KEYS; p++) {
      struct wr_row rows[4];
      CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, p, 0, rows, 4), 2);
      CU_ASSERT_EQUAL(rows[0].value.number, 10 * p + (p % 3 == 0));
      CU_ASSERT_EQUAL(rows[1].value.number, 10 * p + 2 - (p % 3 == 2));
    }
    wr_spool_commit(s, 61000, WALL);
    CU_ASSERT_FALSE(status_of(s).in_memory);
    CU_ASSERT_EQUAL(status_of(s).rows, 2 * KEYS);
  }
  fill_disk(); /* again */
  struct wr_row row;
  CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, 3, &row));
  wr_spool_delivered(s, &row, 1, &(struct wr_spent){.used = KEYS + 1});
  CU_ASSERT_TRUE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).rows, 2 * KEYS - 1);
  fault_vfs.fail_at = 0;
  wr_spool_destroy(s);
  remove_dir();
}

UNIT_MAIN("spool, several", UNIT(test_to_the_memory_and_back),
          UNIT(test_delivered_meanwhile))
