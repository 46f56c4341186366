#include "tests/unit/unit.h"

#include "lib/base/timers.h"

#include <stdlib.h>

#define TIMERS 100

/* Against a look at all of them, over thousands of random moves. */
static void test_first_is_first(void) {
  struct wr_timers t = WR_TIMERS_INIT;
  struct wr_timer timer[TIMERS] = {{0}};
  CU_ASSERT_EQUAL_FATAL(wr_timers_reserve(&t, TIMERS), 0);
  unsigned seed = 7;
  for (int i = 0; i < 20000; i++) {
    struct wr_timer *one = timer + rand_r(&seed) % TIMERS;
    if (rand_r(&seed) % 4 == 0)
      wr_timers_remove(&t, one);
    else
      wr_timers_set(&t, one, rand_r(&seed) % 1000);
    int64_t first = INT64_MAX;
    size_t count = 0;
    for (int j = 0; j < TIMERS; j++) {
      count += timer[j].place > 0;
      if (timer[j].place > 0 && timer[j].at_us < first)
        first = timer[j].at_us;
    }
    CU_ASSERT_EQUAL_FATAL(t.count, count);
    struct wr_timer *found = wr_timers_first(&t);
    CU_ASSERT_EQUAL_FATAL(found != NULL ? found->at_us : INT64_MAX, first);
  }
  wr_timers_free(&t);
}

static void test_in_order(void) {
  struct wr_timers t = WR_TIMERS_INIT;
  struct wr_timer timer[TIMERS] = {{0}};
  CU_ASSERT_EQUAL_FATAL(wr_timers_reserve(&t, TIMERS), 0);
  CU_ASSERT_PTR_NULL(wr_timers_first(&t));
  for (int i = 0; i < TIMERS; i++)
    wr_timers_set(&t, timer + i, i * 37 % TIMERS);
  for (int i = 0; i < TIMERS; i++) {
    struct wr_timer *first = wr_timers_first(&t);
    CU_ASSERT_EQUAL(first->at_us, i);
    wr_timers_remove(&t, first);
    wr_timers_remove(&t, first); /* harmless */
  }
  CU_ASSERT_PTR_NULL(wr_timers_first(&t));
  wr_timers_free(&t);
}

UNIT_MAIN("timers", UNIT(test_first_is_first), UNIT(test_in_order))
