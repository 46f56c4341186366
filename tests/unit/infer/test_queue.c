#include "lib/infer/queue.h"
#include "tests/unit/unit.h"

static struct wr_job jobs[6];
static size_t waiting[2]; /* of two series */

static void begin(struct wr_queue *q, size_t max, int64_t delay_ms) {
  wr_queue_init(q, max, delay_ms);
  waiting[0] = waiting[1] = 0;
  for (int i = 0; i < 6; i++) /* even ones of one series, odd of the other */
    jobs[i] = (struct wr_job){.waiting = &waiting[i % 2]};
}

static void test_in_the_order_they_came(void) {
  struct wr_queue q;
  struct wr_job *late;
  begin(&q, 10, 1000);
  CU_ASSERT_PTR_NULL(wr_queue_take(&q, 0, &late));
  CU_ASSERT_PTR_NULL(late);
  for (int round = 0; round < 2; round++) { /* empty it and begin again */
    for (int i = 0; i < 3; i++)
      CU_ASSERT_PTR_NULL(wr_queue_put(&q, &jobs[i], i));
    CU_ASSERT_EQUAL(q.count, 3);
    CU_ASSERT_EQUAL(waiting[0], 2);
    for (int i = 0; i < 3; i++)
      CU_ASSERT_PTR_EQUAL(wr_queue_take(&q, 3, &late), &jobs[i]);
    CU_ASSERT_PTR_NULL(wr_queue_take(&q, 3, &late));
    CU_ASSERT_EQUAL(q.count + waiting[0] + waiting[1], 0);
  }
}

static void test_at_the_ceiling_the_oldest_goes(void) {
  struct wr_queue q;
  struct wr_job *late;
  begin(&q, 2, 1000);
  CU_ASSERT_PTR_NULL(wr_queue_put(&q, &jobs[0], 0));
  CU_ASSERT_PTR_NULL(wr_queue_put(&q, &jobs[1], 0));
  CU_ASSERT_PTR_EQUAL(wr_queue_put(&q, &jobs[2], 0), &jobs[0]);
  CU_ASSERT_EQUAL(q.count, 2);
  CU_ASSERT_EQUAL(waiting[0], 1);
  CU_ASSERT_PTR_EQUAL(wr_queue_take(&q, 0, &late), &jobs[1]);
  begin(&q, 1, 1000);
  CU_ASSERT_PTR_NULL(wr_queue_put(&q, &jobs[0], 0));
  CU_ASSERT_PTR_EQUAL(wr_queue_put(&q, &jobs[1], 0), &jobs[0]);
  CU_ASSERT_PTR_EQUAL(wr_queue_take(&q, 0, &late), &jobs[1]);
  CU_ASSERT_PTR_NULL(wr_queue_take(&q, 0, &late));
}

static void test_newest_of_a_series_wins_when_late(void) {
  struct wr_queue q;
  struct wr_job *late;
  begin(&q, 10, 100);
  for (int i = 0; i < 5; i++)
    (void)wr_queue_put(&q, &jobs[i], 0);
  CU_ASSERT_PTR_EQUAL(wr_queue_take(&q, 100, &late), &jobs[0]);
  CU_ASSERT_PTR_NULL(late); /* the limit itself is not late */
  CU_ASSERT_PTR_EQUAL(wr_queue_take(&q, 101, &late), &jobs[3]);
  CU_ASSERT_PTR_EQUAL(late, &jobs[1]);
  CU_ASSERT_PTR_EQUAL(late->next, &jobs[2]);
  CU_ASSERT_PTR_NULL(late->next->next);
  /* the last one of a series is answered, however late */
  CU_ASSERT_PTR_EQUAL(wr_queue_take(&q, 100000, &late), &jobs[4]);
  CU_ASSERT_PTR_NULL(late);
}

/* The age counts from when it was put in, whatever the clock says then. */
static void test_age(void) {
  struct wr_queue q;
  struct wr_job *late;
  begin(&q, 10, 100);
  for (int i = 0; i < 4; i++)
    (void)wr_queue_put(&q, &jobs[i], 1000 + 40 * i);
  CU_ASSERT_PTR_EQUAL(wr_queue_take(&q, 1100, &late), &jobs[0]);
  CU_ASSERT_PTR_NULL(late);
  CU_ASSERT_PTR_EQUAL(wr_queue_take(&q, 1141, &late), &jobs[2]);
  CU_ASSERT_PTR_EQUAL(late, &jobs[1]);
  CU_ASSERT_PTR_EQUAL(wr_queue_take(&q, 1141, &late), &jobs[3]);
}

/* Whatever a node pointed to before, it stands alone when it comes and goes. */
static void test_used_nodes(void) {
  struct wr_queue q;
  struct wr_job *late;
  begin(&q, 2, 1000);
  for (int i = 0; i < 3; i++)
    jobs[i].next = &jobs[5];
  for (int i = 0; i < 2; i++) {
    CU_ASSERT_PTR_NULL(wr_queue_put(&q, &jobs[i], 0));
    CU_ASSERT_PTR_NULL(jobs[i].next);
  }
  CU_ASSERT_PTR_EQUAL(wr_queue_put(&q, &jobs[2], 0), &jobs[0]);
  CU_ASSERT_PTR_NULL(jobs[0].next);
  for (int i = 1; i < 3; i++) {
    CU_ASSERT_PTR_EQUAL(wr_queue_take(&q, 0, &late), &jobs[i]);
    CU_ASSERT_PTR_NULL(jobs[i].next);
  }
  CU_ASSERT_PTR_NULL(wr_queue_take(&q, 0, &late));
}

UNIT_MAIN("queue", UNIT(test_age), UNIT(test_used_nodes),
          UNIT(test_in_the_order_they_came),
          UNIT(test_at_the_ceiling_the_oldest_goes),
          UNIT(test_newest_of_a_series_wins_when_late))
