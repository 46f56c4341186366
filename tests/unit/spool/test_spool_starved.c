/* The spool while SQLite gets no memory, for a moment or for long: what was
 * taken waits, nothing takes the place of what stands on the disk, and all is
 * delivered in order. */
#include "tests/unit/spool/spool_case.h"

#include <malloc.h>
#include <sqlite3.h>
#include <stdlib.h>

#define BEFORE 200 /* rows on the disk */
#define MEANWHILE 5

static bool starved;
static bool once;
static long left; /* allocations that succeed before that; -1: all */

static bool refused(void) {
  if (once && left == 0)
    left = -2; /* that was it */
  if (left > 0)
    left--;
  return starved || left == 0;
}

static void *m_malloc(int size) {
  return refused() ? NULL : malloc((size_t)size);
}

static void *m_realloc(void *old, int size) {
  return refused() ? NULL : realloc(old, (size_t)size);
}

static int m_size(void *p) { return (int)malloc_usable_size(p); }

static int m_round(int size) { return (size + 7) & ~7; }

static int m_init(void *arg) {
  (void)arg;
  return SQLITE_OK;
}

static void m_shutdown(void *arg) { (void)arg; }

static void feed(void) {
  starved = once = false;
  left = -1;
}

static void check_all(struct wr_spool *s, int count) {
  static struct wr_row rows[BEFORE + 2 * MEANWHILE];
  int found = wr_spool_oldest(s, FLOW, 0, rows, BEFORE + 2 * MEANWHILE);
  CU_ASSERT_EQUAL(found, count);
  for (int i = 0; i < found; i++)
    CU_ASSERT_EQUAL(rows[i].value.number, i);
}

static struct wr_spool *filled(void) {
  struct wr_spool *s;
  fresh_dir();
  s = open_with(options());
  for (int i = 0; i < BEFORE; i++)
    offer_number(s, WALL, i);
  wr_spool_commit(s, 0, WALL);
  return s;
}

/* The disk's connection fails, and none in memory can be opened, either. */
static void test_no_memory_at_all(void) {
  int64_t due_ms = 0;
  struct wr_spool *s = filled();
  starved = true;
  for (int i = 0; i < MEANWHILE; i++) {
    CU_ASSERT_EQUAL(offer_number(s, WALL, BEFORE + i), 0);
    wr_spool_keep(s, 1000 * i, WALL, 0, &due_ms);
    CU_ASSERT_EQUAL(due_ms, 1000 * i + 1000);
  }
  CU_ASSERT_EQUAL(status_of(s).accepted, MEANWHILE);
  CU_ASSERT_EQUAL(status_of(s).dropped, 0);
  CU_ASSERT_EQUAL(status_of(s).committed, BEFORE);
  CU_ASSERT_TRUE(status_of(s).in_memory);
  char fault[192];
  snprintf(fault, sizeof(fault), "%s: out of memory", path);
  CU_ASSERT_STRING_EQUAL(status_of(s).fault, fault);
  feed();
  for (int i = MEANWHILE; i < 2 * MEANWHILE; i++) {
    offer_number(s, WALL, BEFORE + i);
    wr_spool_keep(s, 60000 * i, WALL, 0, &due_ms);
  }
  CU_ASSERT_FALSE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).accepted, 0);
  check_all(s, BEFORE + 2 * MEANWHILE);
  wr_spool_destroy(s);
  remove_dir();
}

/* Nor can the file be read when it starts: nothing is known of numbers. */
static void test_start_without(void) {
  wr_spool_destroy(filled());
  struct wr_spool_options o = options();
  struct wr_spool *s = wr_spool_create(&o, keys, 2);
  starved = true;
  wr_spool_open(s, 0);
  for (int i = 0; i < MEANWHILE; i++) {
    offer_number(s, WALL, BEFORE + i);
    wr_spool_commit(s, 1000 * i, WALL);
  }
  feed();
  wr_spool_commit(s, 120000, WALL);
  CU_ASSERT_FALSE(status_of(s).in_memory);
  check_all(s, BEFORE + MEANWHILE);
  wr_spool_destroy(s);
  remove_dir();
}

/* From the n-th allocation on nothing more, for each n. */
static void test_from_any_moment(void) {
  bool again = true;
  for (long n = 1; again; n += 1 + n / 8) {
    struct wr_spool *s = filled();
    left = n;
    offer_number(s, WALL, BEFORE);
    wr_spool_commit(s, 1000, WALL);
    wr_spool_commit(s, 2000, WALL);
    again = left == 0;
    feed();
    offer_number(s, WALL, BEFORE + 1);
    wr_spool_commit(s, 120000, WALL);
    wr_spool_commit(s, 240000, WALL);
    CU_ASSERT_EQUAL(status_of(s).dropped, 0);
    check_all(s, BEFORE + 2);
    wr_spool_destroy(s);
    remove_dir();
  }
}

/* The n-th allocation of a start fails, and no other: whatever was read of the
 * file by then, it is whole and by the right clock. */
static void test_start_lacks_one(void) {
  struct wr_spool_options o = options();
  struct wr_row row = {.time_us = WALL, .clock_us = WALL - 7};
  bool again = true;
  o.boot = "monday";
  fresh_dir();
  struct wr_spool *s = open_with(o);
  wr_spool_offer(s, &row);
  wr_spool_destroy(s);
  for (long n = 1; again; n++) {
    s = wr_spool_create(&o, keys, 2);
    once = true;
    left = n;
    wr_spool_open(s, 0);
    again = left == -2 || left == 0;
    feed();
    wr_spool_commit(s, 120000, WALL);
    CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, &row, 1), 1);
    CU_ASSERT_EQUAL(row.clock_us, WALL - 7);
    wr_spool_destroy(s);
  }
  remove_dir();
}

/* What waits in memory stays there when there is no more of it, and goes on
 * when there is. */
static void test_memory_ends_in_memory(void) {
  bool again = true;
  fresh_dir();
  struct wr_spool *first = open_with(options());
  for (long n = 1; again; n += 1 + n / 8) {
    struct wr_spool *s = open_with(options());
    for (int i = 0; i < 3; i++)
      offer_number(s, WALL, i);
    CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 3);
    CU_ASSERT_TRUE(status_of(s).in_memory);
    left = n;
    offer_number(s, WALL, 3);
    wr_spool_commit(s, 1000, WALL);
    again = left == 0;
    feed();
    offer_number(s, WALL, 4);
    wr_spool_commit(s, 2000, WALL);
    CU_ASSERT_EQUAL(status_of(s).accepted, 0);
    CU_ASSERT_EQUAL(status_of(s).dropped, 0);
    check_all(s, 5);
    wr_spool_destroy(s);
  }
  wr_spool_destroy(first);
  remove_dir();
}

/* Rows that are held are none that found no place, however many they are. */
static void test_held_without_memory(void) {
  struct wr_spool_options o = options();
  const int64_t hour_ms = 3600000;
  fresh_dir();
  o.max_accepted = 2;
  struct wr_spool *s = open_with(o);
  wr_spool_keep(s, 0, WALL, 0, NULL);
  for (int i = 0; i < 6; i++) {
    offer_number(s, WALL, i);
    if (i % 2 == 1)
      wr_spool_keep(s, hour_ms, WALL + hour_ms * 1000, 10000, NULL);
  }
  CU_ASSERT_EQUAL(status_of(s).accepted, 6);
  starved = true; /* when ages are looked at */
  wr_spool_keep(s, hour_ms, WALL + hour_ms * 1000, 10000, NULL);
  feed();
  CU_ASSERT_TRUE(status_of(s).in_memory);
  CU_ASSERT_EQUAL(status_of(s).dropped, 0);
  wr_spool_commit(s, 2 * hour_ms, WALL);
  CU_ASSERT_EQUAL(status_of(s).accepted, 0);
  check_all(s, 6);
  wr_spool_destroy(s);
  remove_dir();
}

/* What is said to be back is there. */
static void test_again_lacks_memory(void) {
  bool again = true;
  for (long n = 1; again; n++) {
    struct wr_row row;
    fresh_dir();
    struct wr_spool *s = open_with(options());
    offer_number(s, WALL, 1);
    wr_spool_commit(s, 0, WALL);
    CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
    wr_spool_reject(s, &row, 400, "no", WALL);
    left = n;
    int back = wr_spool_again(s, FLOW);
    again = left == 0;
    feed();
    CU_ASSERT_TRUE(back == 0 || back == 1);
    CU_ASSERT_TRUE(wr_spool_oldest(s, FLOW, 0, &row, 1) >= back);
    CU_ASSERT_EQUAL(status_of(s).rows, back);
    wr_spool_destroy(s);
    remove_dir();
  }
}

/* What cannot be read may be newer than what was sent last. */
static void test_hidden(void) {
  struct wr_row row;
  struct wr_spool *s = filled();
  CU_ASSERT_EQUAL(wr_spool_hidden(s), 0);
  CU_ASSERT(wr_spool_newest(s, FLOW, &row));
  starved = true;
  offer_number(s, WALL, BEFORE);
  wr_spool_commit(s, 1000, WALL);
  /* Some versions of SQLite still read then. */
  struct wr_row found;
  bool seen = wr_spool_newest(s, FLOW, &found) && found.seq >= row.seq;
  CU_ASSERT(seen || wr_spool_hidden(s) >= row.seq);
  feed();
  wr_spool_commit(s, 120000, WALL);
  CU_ASSERT_EQUAL(wr_spool_hidden(s), 0);
  wr_spool_destroy(s);
  remove_dir();
}

/* More than may wait: the oldest give way, and are counted. */
static void test_too_much(void) {
  struct wr_spool_options o = options();
  fresh_dir();
  o.max_accepted = MEANWHILE;
  struct wr_spool *s = open_with(o);
  starved = true;
  for (int i = 0; i < 3 * MEANWHILE; i++) {
    offer_number(s, WALL, i - 2 * MEANWHILE);
    wr_spool_commit(s, 1000 * i, WALL);
  }
  CU_ASSERT_EQUAL(status_of(s).dropped, 2 * MEANWHILE);
  feed();
  wr_spool_commit(s, 120000, WALL);
  check_all(s, MEANWHILE);
  wr_spool_destroy(s);
  remove_dir();
}

static int start(void) {
  static const sqlite3_mem_methods methods = {
      m_malloc, free, m_realloc, m_size, m_round, m_init, m_shutdown, NULL};
  feed();
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

static void test_config(void) { CU_ASSERT_EQUAL_FATAL(start(), SQLITE_OK); }

UNIT_MAIN("spool without memory for SQLite", UNIT(test_config),
          UNIT(test_no_memory_at_all), UNIT(test_start_without),
          UNIT(test_from_any_moment), UNIT(test_start_lacks_one),
          UNIT(test_memory_ends_in_memory), UNIT(test_held_without_memory),
          UNIT(test_again_lacks_memory), UNIT(test_hidden), UNIT(test_too_much))
