#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include "lib/base/timers.h"

#include <errno.h>
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

static void test_no_memory(void) {
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_timers t = WR_TIMERS_INIT;
    struct wr_timer one = {.place = 0};
    int status = wr_timers_reserve(&t, 1);
    CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
    if (status == 0)
      wr_timers_set(&t, &one, 5);
    CU_ASSERT_PTR_EQUAL(wr_timers_first(&t), status == 0 ? &one : NULL);
    wr_timers_free(&t);
  }
}

/* Room that is there is not asked for again, and is never given away. */
static void test_room_that_is_there(void) {
  struct wr_timers t = WR_TIMERS_INIT;
  CU_ASSERT_EQUAL(wr_timers_reserve(&t, 0), 0);
  CU_ASSERT_EQUAL(wr_timers_reserve(&t, 5), 0);
  CU_ASSERT_TRUE(unit_alloc_arm(0));
  CU_ASSERT_EQUAL(wr_timers_reserve(&t, 5), 0);
  CU_ASSERT_EQUAL(wr_timers_reserve(&t, 1), 0);
  CU_ASSERT_EQUAL(wr_timers_reserve(&t, 6), -ENOMEM);
  unit_alloc_off();
  CU_ASSERT_EQUAL(wr_timers_reserve(&t, 6), 0);
  wr_timers_free(&t);
}

UNIT_MAIN("timers", UNIT(test_no_memory), UNIT(test_room_that_is_there),
          UNIT(test_first_is_first), UNIT(test_in_order))
