/* What the cloud refused, and its way back into the queue. */
#include "tests/unit/spool/spool_case.h"

static void reject_two(struct wr_spool *s) {
  struct wr_row rows[4];
  for (int i = 0; i < 4; i++)
    offer_number(s, WALL + i * SECOND, i);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 4);
  wr_spool_reject(s, rows + 1, 400, "no", WALL);
  wr_spool_reject(s, rows + 2, 400, "no", WALL);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 2);
}

static void check_four(struct wr_spool *s) {
  struct wr_row rows[8];
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 4);
  for (int i = 0; i < 4; i++)
    CU_ASSERT_EQUAL(rows[i].value.number, i);
  CU_ASSERT_EQUAL(status_of(s).rows, 4);
}

static void test_rejected_values_go_back_to_their_place(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  reject_two(s);
  CU_ASSERT_EQUAL(wr_spool_again(s, LABEL), 0);
  CU_ASSERT_EQUAL(wr_spool_again(s, FLOW), 2);
  check_four(s);
  CU_ASSERT_EQUAL(wr_spool_again(s, FLOW), 0);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_another_program_has_them_sent_again(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  char fault[128] = "";
  int64_t marked = 0;
  reject_two(s);
  CU_ASSERT_EQUAL(wr_spool_resend_rejected(path, &marked, fault, sizeof(fault)),
                  0);
  CU_ASSERT_EQUAL(marked, 2);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 1000, WALL), 2);
  check_four(s);
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(
      wr_spool_resend_rejected("/nowhere/x.db", &marked, fault, sizeof(fault)),
      -EINVAL);
  remove_dir();
}

static void test_rejected_values_give_way_at_the_ceiling(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.max_bytes = 256 << 10;
  o.power = false;
  struct wr_spool *s = open_with(o);
  struct wr_row row;
  for (int i = 0; i < 4000; i++) {
    offer_number(s, WALL + i, i);
    wr_spool_commit(s, i * 1000, WALL);
    CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
    wr_spool_reject(s, &row, 400, "HTTP 400: too wet", WALL);
  }
  CU_ASSERT_TRUE(status_of(s).bytes <= o.max_bytes + (16 << 10));
  CU_ASSERT_TRUE(status_of(s).dropped > 0); /* and that is said */
  wr_spool_destroy(s);
  remove_dir();
}

UNIT_MAIN("spool, rejected", UNIT(test_rejected_values_go_back_to_their_place),
          UNIT(test_another_program_has_them_sent_again),
          UNIT(test_rejected_values_give_way_at_the_ceiling))
