/* What a failure means for old rows: the batch, the row alone, and the one that
 * was stepped over. */
#include "tests/unit/cloud/sending_case.h"

/* --- a batch, or one alone --- */

/* Only what fails while the names are answered counts; the pace, each time. */
static void test_failures_of_a_batch_count(void) {
  begin_sending();
  answer_with(0, 503, OWN);
  send_old(0, 1, 4);
  CU_ASSERT_EQUAL(at[0].fails, 1);
  CU_ASSERT_EQUAL(at[0].first_fail_ms, NOW_MS);
  CU_ASSERT_EQUAL(wr_pace_wait(&at[0].pace, NOW_MS), WAIT_MS);
  CU_ASSERT_EQUAL(at[0].pace.asked_ms, 0);
  CU_ASSERT_FALSE(at[0].refused);
  at[0].pace.earliest_ms = 0;
  now.now_ms += 5000;
  send_old(0, 1, 4);
  CU_ASSERT_EQUAL(at[0].fails, 1);
  CU_ASSERT_EQUAL(at[0].batch, 10);
  CU_ASSERT_EQUAL(wr_pace_wait(&at[0].pace, now.now_ms), WAIT_MS);
  names_answered();
  send_old(0, 1, 4);
  CU_ASSERT_EQUAL(at[0].fails, 2);
  CU_ASSERT_EQUAL(at[0].batch, 2);
  at[0].batch = 10;
  send_old(0, 1, 4); /* the same failure is not counted twice */
  CU_ASSERT_EQUAL(at[0].batch, 10);
  CU_ASSERT_EQUAL(at[0].first_fail_ms, NOW_MS);
  CU_ASSERT_EQUAL(sending.one_by_one_ms, 0);
  end_sending();
}

/* A refused batch is halved at once. */
static void test_refused_batch_is_halved(void) {
  for (int count = 2; count <= 5; count++) {
    begin_sending();
    answer_with(0, 400, OWN);
    send_old(0, 1, count);
    CU_ASSERT_EQUAL(at[0].batch, count / 2);
    CU_ASSERT_EQUAL(at[0].skip_count, 0);
    CU_ASSERT_TRUE(at[0].refused);
    CU_ASSERT_EQUAL(wr_pace_wait(&at[0].pace, NOW_MS), WAIT_MS);
    CU_ASSERT_EQUAL(wr_pace_wait(&sending.pace, NOW_MS), 0);
    end_sending();
  }
}

/* A batch of which the call is missing: believed after ten minutes and three
 * failures beside names that are answered. */
static void test_publish_batch_is_missing(void) {
  for (int fails = 1; fails <= 2; fails++)
    for (int by = -1; by <= 0; by++)
      for (int count = 1; count <= 2; count++) {
        begin_sending();
        answer_with(0, 404, OWN);
        at[0].fails = fails;
        at[0].fail_answers = names.answers - 1;
        at[0].first_fail_ms = NOW_MS;
        now.now_ms = NOW_MS + WR_ABSENT_MS + by;
        send_old(0, 1, count);
        bool believed = fails == 2 && by == 0;
        CU_ASSERT_EQUAL(names.no_batch_ms,
                        believed ? now.now_ms + WR_ABSENT_MS : 0);
        CU_ASSERT_EQUAL(names.no_many_ms, 0);
        CU_ASSERT_EQUAL(at[0].batch, 10); /* it is not its length */
        CU_ASSERT_EQUAL(at[0].skip_count, 0);
        CU_ASSERT_TRUE(at[0].refused);
        CU_ASSERT_EQUAL(at[0].fails, fails + 1);
        end_sending();
      }
}

/* That of one without a stamp says nothing about batches. */
static void test_404_of_a_bare_one(void) {
  begin_sending();
  choice.bare = true;
  answer_with(0, 404, OWN);
  at[0].fails = 5;
  send_old(0, 1, 1);
  now.now_ms += WR_ABSENT_MS;
  send_old(0, 1, 1);
  CU_ASSERT_EQUAL(names.no_batch_ms, 0);
  CU_ASSERT_EQUAL(at[0].skip_count, 0);
  end_sending();
}

/* One alone that fails for 15 s, and twice at least, is stepped over: the next
 * one goes at once. */
static void test_stepped_over(void) {
  for (int refused = 0; refused <= 1; refused++)
    for (int answers = 0; answers <= 1; answers++)
      for (int by = -1; by <= 0; by++) {
        begin_sending();
        sending.passed = 3;
        choice.passed = 2;
        answer_with(0, refused ? 400 : 503, OWN);
        send_old(0, 7, 1);
        CU_ASSERT_EQUAL(at[0].skip_count, 0);
        now.now_ms = NOW_MS + WR_STEP_AFTER_MS + by;
        names.answers += answers;
        send_old(0, 7, 1);
        bool over = answers && by == 0;
        CU_ASSERT_EQUAL(at[0].skip_count, over);
        CU_ASSERT_EQUAL(at[0].batch, 10);
        CU_ASSERT_EQUAL(at[0].fails, over ? 0 : 1 + answers);
        CU_ASSERT_EQUAL(wr_pace_wait(&at[0].pace, now.now_ms) > 0, !over);
        if (over) {
          const struct wr_skip *s = at[0].skips;
          CU_ASSERT_EQUAL(s->seq, 7);
          CU_ASSERT_EQUAL(s->until_ms, now.now_ms + WR_SINGLE_MS);
          CU_ASSERT_EQUAL(s->passed, 2);
          CU_ASSERT_EQUAL(s->requests, 3);
          CU_ASSERT_EQUAL(s->refused, refused);
          CU_ASSERT_FALSE(s->tried);
        }
        CU_ASSERT_EQUAL(told.rejections, 0);
        end_sending();
      }
}

/* At the ceiling nothing is: it is not a matter of single rows. */
static void test_too_many_to_step_over(void) {
  for (int count = WR_SKIPS_MAX - 1; count <= WR_SKIPS_MAX; count++) {
    begin_sending();
    answer_with(0, 503, OWN);
    at[0].skip_count = count;
    at[0].fails = 1;
    at[0].fail_answers = -1;
    send_old(0, 7, 1);
    CU_ASSERT_EQUAL(at[0].skip_count, WR_SKIPS_MAX);
    bool room = count < WR_SKIPS_MAX;
    CU_ASSERT_EQUAL(at[0].skips[WR_SKIPS_MAX - 1].seq, room ? 7 : 0);
    CU_ASSERT_EQUAL(at[0].fails, room ? 0 : 2);
    end_sending();
  }
}

/* --- one that was stepped over --- */

/* Row 7, the second of two. */
static struct wr_skip *begin_skipped(bool refused_before) {
  begin_sending();
  at[0].skips[0] = (struct wr_skip){.seq = 4, .passed = 5, .requests = 5};
  at[0].skips[1] = (struct wr_skip){
      .seq = 7, .passed = 5, .requests = 5, .refused = refused_before};
  at[0].skip_count = 2;
  choice.passed = sending.passed = 5;
  at[0].fails = 3;
  at[0].refused = true;
  return at[0].skips + 1;
}

/* Tried again and refused again, after others have passed: it is the value. */
static void test_rejected(void) {
  for (int way = 0; way < 2; way++) {
    begin_skipped(true);
    choice.passed += way == 0;
    sending.passed += way == 1;
    answer_with(0, 400, OWN);
    send_old(0, 7, 1);
    CU_ASSERT_EQUAL(told.rejections, 1);
    CU_ASSERT_EQUAL(told.rejected.seq, 7);
    CU_ASSERT_EQUAL(told.status, 400);
    CU_ASSERT_STRING_EQUAL(told.reason, "HTTP 400: no");
    CU_ASSERT_EQUAL(told.wall_us, WALL);
    CU_ASSERT_EQUAL(told.calls, 0);
    CU_ASSERT_EQUAL(sending.rejected, 1);
    CU_ASSERT_STRING_EQUAL(
        sending.refusal,
        "a value is rejected, of property \"a\" (HTTP 400: no)");
    CU_ASSERT_EQUAL(at[0].skip_count, 1);
    CU_ASSERT_EQUAL(at[0].skips[0].seq, 4);
    CU_ASSERT_EQUAL(at[0].fails, 0);
    CU_ASSERT_FALSE(at[0].refused);
    CU_ASSERT_EQUAL(link_.state, WR_LINK_OK);
    end_sending();
  }
}

/* The first of two leaves its place to the other. */
static void test_rejected_first(void) {
  begin_skipped(true)[-1].refused = true;
  choice.passed++;
  answer_with(0, 400, OWN);
  send_old(0, 4, 1);
  CU_ASSERT_EQUAL(told.rejected.seq, 4);
  CU_ASSERT_EQUAL(at[0].skip_count, 1);
  CU_ASSERT_EQUAL(at[0].skips[0].seq, 7);
  end_sending();
}

/* Else it stays: for ten minutes if others passed meanwhile, for one if nothing
 * does, which may be not its fault. */
static void test_not_rejected(void) {
  static const struct {
    bool before, others;
    int status;
    bool refused;
  } cases[] = {{false, true, 400, true},   {true, false, 400, true},
               {true, true, 503, true},    {false, true, 503, false},
               {false, false, 503, false}, {false, false, 400, true},
               {true, true, 404, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_skip *s = begin_skipped(cases[i].before);
    choice.passed += cases[i].others;
    sending.passed += 2 * cases[i].others;
    answer_with(0, cases[i].status, OWN);
    send_old(0, 7, 1);
    CU_ASSERT_EQUAL(told.rejections, 0);
    CU_ASSERT_EQUAL(at[0].skip_count, 2);
    CU_ASSERT_EQUAL(s->refused, cases[i].refused);
    CU_ASSERT_EQUAL(s->tried, cases[i].others);
    CU_ASSERT_EQUAL(s->passed, choice.passed);
    CU_ASSERT_EQUAL(s->requests, sending.passed);
    CU_ASSERT_EQUAL(s->until_ms, NOW_MS + (cases[i].others ? WR_STEP_BACK_MS
                                                           : WR_SINGLE_MS));
    CU_ASSERT_EQUAL(at[0].fails, 3); /* it is not that of the next batch */
    CU_ASSERT_EQUAL(wr_pace_wait(&at[0].pace, NOW_MS), 0);
    end_sending();
  }
}

/* One that is no longer stepped over fails as any other. */
static void test_no_longer_stepped_over(void) {
  begin_skipped(true);
  at[0].skip_count = 1;
  at[0].first_fail_ms = NOW_MS;
  choice.passed++;
  answer_with(0, 400, OWN);
  send_old(0, 7, 1);
  CU_ASSERT_EQUAL(told.rejections, 0);
  CU_ASSERT_EQUAL(at[0].fails, 3); /* no names were answered since */
  CU_ASSERT_EQUAL(wr_pace_wait(&at[0].pace, NOW_MS), WAIT_MS);
  end_sending();
}

UNIT_MAIN("sending, old", UNIT(test_failures_of_a_batch_count),
          UNIT(test_refused_batch_is_halved),
          UNIT(test_publish_batch_is_missing), UNIT(test_404_of_a_bare_one),
          UNIT(test_stepped_over), UNIT(test_too_many_to_step_over),
          UNIT(test_rejected), UNIT(test_rejected_first),
          UNIT(test_not_rejected), UNIT(test_no_longer_stepped_over))
