/* The publisher without memory: each allocation of a life from the first token
 * to the last value fails once. Nothing is rejected for it, nothing is lost,
 * and what was lacking is asked for again. */
#include "tests/unit/alloc.h"
#include "tests/unit/cloud/fake_cloud.h"

/* One value now, then several that have become old: all three ways to send. */
static void offer(void) {
  flow(1);
  label("Normal");
  run(10000);
  plan("/publish", 503, "", 3);
  for (int i = 0; i < 5; i++) {
    flow(2 + i);
    run(2000);
  }
}

static void test_no_value_is_rejected(void) {
  long rounds = 0;
  unit_alloc_burst(20);
  for (long n = 0;; n++) {
    start();
    if (!unit_alloc_arm(n)) {
      stop();
      break;
    }
    offer();
    run(600000);
    wr_spool_commit(spool, t.now_ms, t.wall_us); /* the keeper's next turn */
    run(600000);
    unit_alloc_off();
    CU_ASSERT_EQUAL(pub.stats.rejected, 0);
    CU_ASSERT_EQUAL(rows_left(), 0);
    struct wr_spool_status status;
    wr_spool_status(spool,
                    &status); /* what it could not even take is counted */
    CU_ASSERT(pub.stats.published + status.dropped >= 7);
    CU_ASSERT_EQUAL(pub.stats.state, WR_LINK_OK);
    rounds++;
    stop();
  }
  CU_ASSERT(rounds > 10);
}

UNIT_MAIN("publisher without memory", UNIT(test_no_value_is_rejected))
