/* The spool without memory: each allocation of a life fails once. What was
 * taken is delivered once and in order; what was not is counted. */
#include "tests/unit/alloc.h"
#include "tests/unit/spool/spool_case.h"

static void test_create(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.boot = "monday";
  o.vfs = "unix";
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_spool *s = wr_spool_create(&o, keys, 2);
    CU_ASSERT_EQUAL(s == NULL, unit_alloc_failed());
    wr_spool_destroy(s);
  }
  remove_dir();
}

/* Opened without memory, it says so, and is whole when there is some again. */
static void test_open(void) {
  long n = 0;
  for (bool again = true; again; n++) {
    fresh_dir();
    struct wr_row row;
    struct wr_spool_options o = options();
    struct wr_spool *s = wr_spool_create(&o, keys, 2);
    (void)unit_alloc_arm(n);
    wr_spool_open(s, 0);
    again = unit_alloc_failed();
    unit_alloc_off();
    CU_ASSERT_EQUAL(status_of(s).in_memory && !again, false);
    offer_number(s, WALL, n);
    wr_spool_commit(s, 120000, WALL);
    CU_ASSERT_FALSE(status_of(s).in_memory);
    wr_spool_destroy(s);
    s = open_with(options());
    CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
    CU_ASSERT_EQUAL(row.value.number, n);
    wr_spool_destroy(s);
    remove_dir();
  }
  CU_ASSERT(n > 1);
}

#define OFFERED 40 /* grows what holds them, twice */

static void live(struct wr_spool *s, int *taken) {
  struct wr_row rows[4];
  for (int i = 0; i < OFFERED; i++)
    *taken += offer_number(s, WALL + i * SECOND, i) == 0;
  wr_spool_commit(s, 1000, WALL);
  if (wr_spool_oldest(s, FLOW, 0, rows, 4) == 4) {
    wr_spool_reject(s, rows, 400, "no", WALL);
    wr_spool_again(s, FLOW);
  }
  offer_label(s, WALL, "Low");
  wr_spool_commit(s, 2000, WALL);
}

static void test_a_life(void) {
  long n = 0;
  for (bool again = true; again; n++) {
    fresh_dir();
    static struct wr_row rows[OFFERED + 1];
    int taken = 0;
    struct wr_spool *s = open_with(options());
    (void)unit_alloc_arm(n);
    live(s, &taken);
    again = unit_alloc_failed();
    unit_alloc_off();
    wr_spool_commit(s, 120000, WALL);
    wr_spool_again(s, FLOW);
    struct wr_spool_status st = status_of(s);
    CU_ASSERT_FALSE(st.in_memory);
    CU_ASSERT_EQUAL(st.dropped > 0, taken < OFFERED);
    int count = wr_spool_oldest(s, FLOW, 0, rows, OFFERED + 1);
    CU_ASSERT_EQUAL(count + st.dropped, OFFERED);
    for (int i = 1; i < count; i++)
      CU_ASSERT(rows[i].value.number > rows[i - 1].value.number);
    CU_ASSERT_EQUAL(wr_spool_oldest(s, LABEL, 0, rows, 4), 1);
    wr_spool_destroy(s);
    remove_dir();
  }
  CU_ASSERT(n > 3);
}

UNIT_MAIN("spool without memory", UNIT(test_create), UNIT(test_open),
          UNIT(test_a_life))
