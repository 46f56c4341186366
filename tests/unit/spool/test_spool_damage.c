/* Damage that SQLite does not see, as it keeps no checksums: what stands in a
 * page is wrong, its structure is not. */
#define _GNU_SOURCE /* memmem */
#include "tests/unit/spool/spool_case.h"

#define COUNT 8

/* A closed file with COUNT numbers: 0.5, 1.5, ... */
static void begin(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  for (int i = 0; i < COUNT; i++)
    offer_number(s, WALL + i * SECOND, i + 0.5);
  wr_spool_commit(s, 1, WALL);
  wr_spool_destroy(s);
}

/* In the row of number i the bytes of its place are others now. */
static void change_place(int i, uint16_t to) {
  static unsigned char file[1 << 18];
  unsigned char want[10];
  uint16_t seq = (uint16_t)((i + 1) * 1024);
  uint64_t time_us = (uint64_t)(WALL + i * SECOND);
  want[0] = (unsigned char)(seq >> 8);
  want[1] = (unsigned char)seq;
  for (int k = 0; k < 8; k++)
    want[2 + k] = (unsigned char)(time_us >> (56 - 8 * k));
  int fd = open(path, O_RDWR);
  ssize_t len = read(fd, file, sizeof(file));
  CU_ASSERT_FATAL(len > 0);
  unsigned char *at = memmem(file, (size_t)len, want, sizeof(want));
  CU_ASSERT_PTR_NOT_NULL_FATAL(at);
  want[0] = (unsigned char)(to >> 8);
  want[1] = (unsigned char)to;
  CU_ASSERT_EQUAL(pwrite(fd, want, 2, at - file), 2);
  close(fd);
}

/* All numbers, in order; the first look may be the one that finds the damage.
 */
static int numbers(struct wr_spool *s, double out[COUNT + 4]) {
  struct wr_row rows[COUNT + 4];
  int count = wr_spool_oldest(s, FLOW, 0, rows, COUNT + 4);
  if (count == 0)
    count = wr_spool_oldest(s, FLOW, 0, rows, COUNT + 4);
  for (int i = 0; i < count; i++)
    out[i] = rows[i].value.number;
  return count;
}

static void finish(struct wr_spool *s) {
  wr_spool_destroy(s);
  remove_dir();
}

/* NULL and a blob would be read as 0, which nobody measured. */
static void test_no_value(void) {
  static const char *const damages[] = {
      "UPDATE value SET value=NULL WHERE seq=3072",
      "UPDATE value SET value=x'00' WHERE seq=3072",
      "UPDATE value SET value=9e999 WHERE seq=3072"};
  for (size_t i = 0; i < 3; i++) {
    double got[COUNT + 4];
    begin();
    sql(damages[i]);
    struct wr_spool *s = open_with(options());
    CU_ASSERT_EQUAL_FATAL(numbers(s, got), COUNT - 1);
    for (int k = 0; k < COUNT - 1; k++)
      CU_ASSERT_EQUAL(got[k], k + (k < 2 ? 0.5 : 1.5));
    CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(status_of(s).note, "corrupt"));
    finish(s);
  }
}

/* A row in a wrong place: every value is there, each once, and can be taken
 * out of the queue. */
static void test_wrong_place(void) {
  for (int i = 1; i < COUNT; i++) {
    double got[COUNT + 4];
    struct wr_row rows[COUNT];
    begin();
    change_place(i, 257); /* of two bytes as well */
    struct wr_spool *s = open_with(options());
    CU_ASSERT_EQUAL(numbers(s, got), COUNT);
    CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
    CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, COUNT), COUNT);
    wr_spool_delivered(s, rows, COUNT, NULL);
    CU_ASSERT_EQUAL(numbers(s, got), 0);
    CU_ASSERT_EQUAL(status_of(s).rows, 0);
    finish(s);
  }
}

/* Two rows in one place: one of them is taken, and all others. */
static void test_place_of_another(void) {
  double got[COUNT + 4];
  begin();
  change_place(3, 3072);
  struct wr_spool *s = open_with(options());
  CU_ASSERT_EQUAL_FATAL(numbers(s, got), COUNT - 1);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  for (int k = 0; k < COUNT - 1; k++)
    if (k != 2)
      CU_ASSERT_EQUAL(got[k], k + (k < 2 ? 0.5 : 1.5));
  finish(s);
}

/* A row in the middle seems to belong to another property: what stands behind
 * it is not lost. */
static void test_rest_is_hidden(void) {
  static unsigned char file[1 << 18];
  struct wr_row rows[COUNT + 1];
  unsigned char want[3] = {2, 2048 >> 8, 2048 & 255}; /* property, number */
  fresh_dir();
  struct wr_spool *s = open_with(options());
  for (int i = 0; i < COUNT; i++)
    offer_label(s, WALL + i * SECOND, i % 2 ? "Low" : "Normal");
  wr_spool_destroy(s);
  sql("PRAGMA wal_checkpoint(TRUNCATE)");
  int fd = open(path, O_RDWR);
  ssize_t len = read(fd, file, sizeof(file));
  CU_ASSERT_FATAL(len > 0);
  unsigned char *at = memmem(file, (size_t)len, want, sizeof(want));
  CU_ASSERT_PTR_NOT_NULL_FATAL(at);
  CU_ASSERT_EQUAL(pwrite(fd, "\x7f", 1, at - file), 1);
  close(fd);
  s = open_with(options());
  CU_ASSERT_EQUAL(wr_spool_oldest(s, LABEL, 0, rows, 1), 1);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 0);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, LABEL, 0, rows, COUNT + 1), 0);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  int count = wr_spool_oldest(s, LABEL, 0, rows, COUNT + 1);
  CU_ASSERT_TRUE_FATAL(count == COUNT - 1 || count == COUNT);
  for (int i = 1; i <= COUNT - 2; i++)
    CU_ASSERT_EQUAL(rows[count - i].seq, 1024 * (COUNT + 1 - i));
  CU_ASSERT_EQUAL(rows[0].seq, 1024);
  finish(s);
}

/* The last row seems to stand before all others: nothing comes after it, and
 * new ones follow in their order. */
static void test_hidden(void) {
  double got[COUNT + 4];
  begin();
  change_place(COUNT - 1, 30000);
  struct wr_spool *s = open_with(options());
  offer_number(s, WALL + 100 * SECOND, 77);
  wr_spool_commit(s, 2, WALL);
  CU_ASSERT_EQUAL_FATAL(numbers(s, got), COUNT + 1);
  CU_ASSERT_EQUAL(got[COUNT], 77);
  finish(s);
}

/* A row that is read and cannot be found again is not sent for ever. */
static void test_not_found(void) {
  begin();
  struct wr_spool *s = open_with(options());
  struct wr_row row;
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, &row, 1), 1);
  wr_spool_delivered(s, &row, 1, NULL);
  CU_ASSERT_EQUAL(status_of(s).rows, COUNT - 1);
  wr_spool_delivered(s, &row, 1, NULL); /* once more: it is gone, all is well */
  CU_ASSERT_EQUAL(status_of(s).rows, COUNT - 1);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 0);
  finish(s);
}

/* One that stands where nothing finds it is delivered all the same, once. */
static void test_not_found_in_its_place(void) {
  struct wr_row row;
  double got[COUNT + 4];
  begin();
  change_place(0, 30000);
  struct wr_spool *s = open_with(options());
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, &row, 1), 1);
  CU_ASSERT_EQUAL(row.seq, 30000);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 0);
  wr_spool_delivered(s, &row, 1, NULL);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  CU_ASSERT_EQUAL(status_of(s).rows, COUNT - 1);
  CU_ASSERT_EQUAL_FATAL(numbers(s, got), COUNT - 1);
  for (int k = 0; k < COUNT - 1; k++)
    CU_ASSERT_EQUAL(got[k], k + 1.5);
  finish(s);
}

/* The count of numbers given is too low: no value takes another's place. */
static void test_old_count(void) {
  static const char *const damages[] = {
      "UPDATE state SET seq=0", "UPDATE state SET seq=4096",
      "UPDATE state SET seq=NULL", "UPDATE state SET seq=-5",
      "UPDATE state SET seq=9223372036854775807"};
  for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
    double got[COUNT + 4];
    begin();
    sql(damages[i]);
    struct wr_spool *s = open_with(options());
    for (int k = 0; k < 3; k++)
      offer_number(s, WALL + (100 + k) * SECOND, 70 + k);
    wr_spool_commit(s, 2, WALL);
    CU_ASSERT_EQUAL_FATAL(numbers(s, got), COUNT + 3);
    for (int k = 0; k < COUNT + 3; k++)
      CU_ASSERT_EQUAL(got[k], k < COUNT ? k + 0.5 : 70 + k - COUNT);
    finish(s);
  }
}

/* A place so high that none comes after it. */
static void test_highest_place(void) {
  double got[COUNT + 4];
  begin();
  sql("UPDATE value SET seq=9223372036854775807 WHERE seq=3072");
  struct wr_spool *s = open_with(options());
  offer_number(s, WALL + 100 * SECOND, 77);
  wr_spool_commit(s, 2, WALL);
  CU_ASSERT_EQUAL_FATAL(numbers(s, got), COUNT);
  CU_ASSERT_EQUAL(got[COUNT - 1], 77);
  finish(s);
}

/* What the cloud had refused is kept with its reason, also out of a damaged
 * file; every kind of value comes back as what it was. */
static void note(const struct wr_rejected *r, void *arg) {
  int *count = arg;
  *count += strcmp(r->reason, "no such thing") == 0 && r->status == 400 &&
            r->value.kind == WR_VALUE_BOOL && r->value.number == 1.0;
}

static void test_refused_are_kept(void) {
  char fault[128];
  struct wr_row row = {.property = FLOW,
                       .time_us = WALL + 50 * SECOND,
                       .value = {WR_VALUE_BOOL, 1.0, ""}};
  double got[COUNT + 4];
  int count = 0;
  begin();
  struct wr_spool *s = open_with(options());
  wr_spool_offer(s, &row);
  wr_spool_commit(s, 2, WALL);
  CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
  CU_ASSERT_EQUAL(row.value.kind, WR_VALUE_BOOL);
  CU_ASSERT_EQUAL(row.value.number, 1.0);
  wr_spool_reject(s, &row, 400, "no such thing", WALL);
  wr_spool_destroy(s);
  sql("UPDATE value SET value=NULL WHERE seq=3072");
  s = open_with(options());
  CU_ASSERT_EQUAL(numbers(s, got), COUNT - 1);
  CU_ASSERT_EQUAL(status_of(s).moved_aside, 1);
  CU_ASSERT_EQUAL(
      wr_spool_read_rejected(path, note, &count, fault, sizeof(fault)), 0);
  CU_ASSERT_EQUAL(count, 1);
  finish(s);
}

/* A clock that was set more often than is remembered. */
static void test_many_clocks(void) {
  struct wr_spool_options o = options();
  struct wr_row rows[2];
  o.boot = "boot";
  fresh_dir();
  struct wr_spool *s = open_with(o);
  for (int i = 0; i < WR_DB_ERAS + 6; i++)
    wr_spool_offer(s, &(struct wr_row){.property = FLOW,
                                       .time_us = WALL,
                                       .clock_us = WALL + i * 5 * SECOND,
                                       .value = {WR_VALUE_NUMBER, i, ""}});
  CU_ASSERT_EQUAL(wr_spool_commit(s, 2, WALL), WR_DB_ERAS + 6);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 1), 1);
  CU_ASSERT_EQUAL(rows[0].clock_us, WR_CLOCK_UNKNOWN);
  CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, rows));
  CU_ASSERT_EQUAL(rows[0].clock_us, WALL + (WR_DB_ERAS + 5) * 5 * SECOND);
  CU_ASSERT_EQUAL(rows[0].value.number, WR_DB_ERAS + 5);
  finish(s);
}

/* The disk is full at any moment of a commit: the rows go to memory, each with
 * one place, in their order. */
static void test_order_when_full(void) {
  for (long at = 1; at < 12; at++) {
    struct wr_spool_options o = options();
    struct wr_row rows[8];
    o.vfs = fault_vfs_register();
    fresh_dir();
    struct wr_spool *s = open_with(o);
    for (int i = 0; i < 6; i++) {
      if (i == 2) {
        fault_vfs.code = SQLITE_FULL;
        fault_vfs.stays = true;
        fault_vfs.fail_at = fault_vfs.calls + at;
      }
      wr_spool_offer(s, &(struct wr_row){.property = FLOW,
                                         .time_us = WALL + i * SECOND / 4,
                                         .clock_us = WALL,
                                         .value = {WR_VALUE_NUMBER, i, ""}});
      if (i % 2 == 1)
        wr_spool_commit(s, i, WALL);
    }
    CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 6);
    for (int i = 0; i < 6; i++)
      CU_ASSERT_EQUAL(rows[i].value.number, i);
    fault_vfs.fail_at = 0;
    finish(s);
  }
}

UNIT_MAIN("spool, damage", UNIT(test_no_value), UNIT(test_wrong_place),
          UNIT(test_hidden), UNIT(test_rest_is_hidden),
          UNIT(test_place_of_another), UNIT(test_not_found),
          UNIT(test_not_found_in_its_place), UNIT(test_old_count),
          UNIT(test_highest_place), UNIT(test_refused_are_kept),
          UNIT(test_many_clocks), UNIT(test_order_when_full))
