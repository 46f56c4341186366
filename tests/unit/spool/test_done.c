/* The list of what was delivered while the disk was away. */
#include "lib/spool/impl.h"
#include "tests/unit/unit.h"

#define MOST 262144

/* Odd numbers, in turn before and behind all others. */
static void test_in_any_order(void) {
  struct wr_done d = {.count = 0};
  int bad = 0;
  for (int64_t i = 0; i < 3000; i++) {
    int64_t n = i % 2 ? 3000 + i : 3000 - i;
    bad += !wr_done_add(&d, 2 * n + 1);
    if (i == 1000) /* twice is once */
      bad += !wr_done_add(&d, 2 * n + 1) || d.count != 1001;
  }
  CU_ASSERT_EQUAL(bad, 0);
  for (int i = 1; i < d.count; i++)
    bad += d.seqs[i - 1] >= d.seqs[i];
  CU_ASSERT_EQUAL(bad, 0);
  CU_ASSERT_TRUE(wr_done_has(&d, d.seqs[0]));
  CU_ASSERT_TRUE(wr_done_has(&d, d.seqs[d.count - 1]));
  CU_ASSERT_FALSE(wr_done_has(&d, d.seqs[0] - 1));
  CU_ASSERT_FALSE(wr_done_has(&d, d.seqs[d.count - 1] + 1));
  free(d.seqs);
}

static void test_ceiling(void) {
  struct wr_done d = {.count = 0};
  int bad = 0;
  for (int64_t i = 1; i <= MOST; i++)
    bad += !wr_done_add(&d, i);
  CU_ASSERT_EQUAL(bad, 0);
  CU_ASSERT_EQUAL(d.count, MOST);
  CU_ASSERT_FALSE(wr_done_add(&d, MOST + 1));
  CU_ASSERT_TRUE(wr_done_add(&d, MOST)); /* there already */
  CU_ASSERT_EQUAL(d.count, MOST);
  CU_ASSERT_TRUE(wr_done_has(&d, MOST));
  CU_ASSERT_FALSE(wr_done_has(&d, MOST + 1));
  free(d.seqs);
}

UNIT_MAIN("spool_done", UNIT(test_in_any_order), UNIT(test_ceiling))
