/* What a failure means for the values of a live request, and for all others. */
#include "tests/unit/cloud/sending_case.h"

/* --- of any kind --- */

/* After which failures of a live request the cloud may have the values. */
static void test_doubts(void) {
  static const struct {
    int error, status;
    bool doubt;
  } cases[] = {
      {0, 500, true},
      {0, 503, true},
      {0, 499, false},
      {0, 429, false},
      {-ETIMEDOUT, 0, true},
      {-EIO, 200, true},
      {-ECONNREFUSED, 0, false},
      {-ECONNREFUSED, 503, false}, /* of a request before */
      {-EHOSTUNREACH, 0, false},
      {-EPROTO, 0, false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin_sending();
    answer_with(cases[i].error, cases[i].status, OWN);
    choose(0, 1, 5);
    choose(1, 0, 6);
    wr_send_live(&sending, &now, 2);
    CU_ASSERT_EQUAL(at[1].tried_seq, cases[i].doubt ? 5 : 0);
    CU_ASSERT_EQUAL(at[0].tried_seq, cases[i].doubt ? 6 : 0);
    at[0].tried_seq = 0;
    send_old(0, 7, 1); /* it stays where it is, to go with its stamp */
    CU_ASSERT_EQUAL(at[0].tried_seq, 0);
    end_sending();
  }
}

/* After every failure the current states are to be shown again; not if an old
 * value alone was refused. */
static void test_again_after_a_failure(void) {
  static const struct {
    bool live;
    int status;
    bool again;
  } cases[] = {{true, 503, true},  {true, 400, true},   {true, 404, true},
               {false, 503, true}, {false, 400, false}, {false, 404, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int has_last = 0; has_last <= 1; has_last++) {
      begin_sending();
      answer_with(0, cases[i].status, OWN);
      at[0].has_last = at[1].has_last = has_last;
      for (int k = 2; k < PROPERTIES; k++) /* of nobody */
        at[k].has_last = true;
      if (cases[i].live)
        send_live(0, 1);
      else
        send_old(0, 1, 1);
      for (int k = 0; k < 2; k++)
        CU_ASSERT_EQUAL(at[k].again, has_last && cases[i].again);
      CU_ASSERT_FALSE(at[2].again);
      at[1].again = true;
      at[1].has_last = false;
      send_live(0, 1);
      CU_ASSERT_TRUE(at[1].again); /* what is asked for stays so */
      end_sending();
    }
}

/* The names are asked for, whose answer says whether the way is open; not where
 * it is the token. */
static void test_names_are_doubted(void) {
  static const int statuses[] = {400, 401, 402, 404, 503};
  for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
    begin_sending();
    answer_with(0, statuses[i], OWN);
    send_live(0, 1);
    CU_ASSERT_EQUAL(names.known, statuses[i] == 401);
    end_sending();
  }
}

/* Nothing is counted, delivered or shown. */
static void test_nothing_went(void) {
  begin_sending();
  answer_with(0, 400, OWN);
  at[0].batch = 4;
  send_live(0, 1);
  CU_ASSERT_TRUE(link_.owed);
  send_old(0, 1, 1);
  CU_ASSERT_TRUE(link_.owed);
  CU_ASSERT_EQUAL(sent.count, 2);
  CU_ASSERT_EQUAL(told.calls, 0);
  CU_ASSERT_EQUAL(told.rejections, 0);
  CU_ASSERT_EQUAL(sending.passed, 0);
  CU_ASSERT_EQUAL(choice.passed, 0);
  CU_ASSERT_EQUAL(sending.published, 0);
  CU_ASSERT_EQUAL(sending.rejected, 0);
  CU_ASSERT_EQUAL(budget.spent.used, 0);
  CU_ASSERT_EQUAL(at[0].shown_seq, 0);
  CU_ASSERT_EQUAL(at[0].batch, 4);
  end_sending();
}

/* --- live --- */

#define TRIED_AGAIN                                                            \
  "the cloud refuses values of property \"a\" (HTTP 400: no); they are kept "  \
  "and tried again"

static void test_words_of_a_refusal(void) {
  begin_sending();
  answer_with(0, 400, OWN);
  send_live(0, 1);
  CU_ASSERT_EQUAL(link_.state, WR_LINK_REFUSED);
  CU_ASSERT_STRING_EQUAL(link_.fault, TRIED_AGAIN);
  sending.one_by_one_ms = 0;
  choose(0, 0, 1);
  choose(1, 1, 2);
  wr_send_live(&sending, &now, 2);
  CU_ASSERT_STRING_EQUAL(link_.fault,
                         "the cloud refuses values (HTTP 400: no); they are "
                         "kept and tried one by one");
  send_old(0, 1, 2);
  CU_ASSERT_STRING_EQUAL(link_.fault, TRIED_AGAIN);
  answer_with(0, 503, OWN);
  send_live(0, 1);
  CU_ASSERT_STRING_EQUAL(link_.fault, "HTTP 503: no");
  CU_ASSERT_EQUAL(link_.state, WR_LINK_DOWN);
  end_sending();
}

/* Live requests pause after a refusal; after other failures the link waits. */
static void test_pause_after_a_refusal(void) {
  static const int statuses[] = {400, 404, 503};
  for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
    begin_sending();
    answer_with(0, statuses[i], OWN);
    send_live(0, 1);
    bool wait = statuses[i] == 503;
    CU_ASSERT_EQUAL(wr_pace_wait(&sending.pace, NOW_MS), wait ? 0 : WAIT_MS);
    CU_ASSERT_EQUAL(sending.pace.asked_ms, 0);
    CU_ASSERT_EQUAL(wr_link_wait(&link_, NOW_MS), wait ? WAIT_MS : 0);
    CU_ASSERT_EQUAL(at[0].live_fails, 1);
    CU_ASSERT_EQUAL(wr_pace_wait(&at[0].pace, NOW_MS), 0);
    end_sending();
  }
}

/* Several that fail go one by one for a minute: at once when they are refused,
 * else when they fail again although the names were answered. */
static void test_one_by_one(void) {
  for (int refused = 0; refused <= 1; refused++) {
    begin_sending();
    answer_with(0, refused ? 400 : 503, OWN);
    for (int i = 1; i <= 3; i++) {
      choose(0, 0, 1);
      choose(1, 1, 2);
      wr_send_live(&sending, &now, 2);
      CU_ASSERT_EQUAL(sending.one_by_one_ms,
                      refused || i == 3 ? NOW_MS + WR_SINGLE_MS : 0);
      CU_ASSERT_EQUAL(at[0].live_fails, i == 3 ? 2 : 1);
      if (i == 2)
        names_answered();
      sending.one_by_one_ms = 0;
    }
    end_sending();
  }
  begin_sending();
  answer_with(0, 400, OWN);
  names.no_many_ms = NOW_MS + 1;
  send_live(0, 1); /* which is alone already */
  CU_ASSERT_EQUAL(sending.one_by_one_ms, 0);
  end_sending();
}

/* `publish` of several is not there: for ten minutes if there is another way,
 * for a moment if there is none. */
static void test_publish_of_several_is_missing(void) {
  for (int id = 0; id <= 1; id++) {
    begin_sending();
    at[0].id = id ? "a" : NULL;
    answer_with(0, 404, OWN);
    send_live(0, 1);
    CU_ASSERT_EQUAL(names.no_many_ms,
                    NOW_MS + (id ? WR_ABSENT_MS : WR_PACE_BRISK_MS));
    CU_ASSERT_EQUAL(names.no_batch_ms, 0);
    end_sending();
  }
  begin_sending(); /* no other status says so, nor that of another call */
  answer_with(0, 400, OWN);
  send_live(0, 1);
  CU_ASSERT_EQUAL(names.no_many_ms, 0);
  sending.one_by_one_ms = NOW_MS + 1;
  answer_with(0, 404, OWN);
  send_live(0, 1);
  CU_ASSERT_EQUAL(names.no_many_ms, 0);
  end_sending();
}

/* One that fails for the third time alone, while others pass and the names are
 * answered, is not shown for a minute. */
static void test_one_is_hidden(void) {
  for (int passed = 0; passed <= 1; passed++)
    for (int count = 1; count <= 2; count++) {
      begin_sending();
      sending.passed = 5;
      for (int i = 1; i <= 3; i++) {
        CU_ASSERT_EQUAL(at[0].hidden_seq, 0);
        answer_with(0, 503, OWN);
        choose(0, 0, 7);
        choose(1, 1, 8);
        sending.one_by_one_ms = 0;
        wr_send_live(&sending, &now, count);
        names_answered();
        CU_ASSERT_EQUAL(at[0].live_passed, 5);
        if (passed && i == 1)
          sending.passed++;
      }
      bool hidden = passed && count == 1;
      CU_ASSERT_EQUAL(at[0].hidden_seq, hidden ? 7 : 0);
      CU_ASSERT_EQUAL(at[0].hidden_until_ms,
                      hidden ? NOW_MS + WR_SINGLE_MS : 0);
      end_sending();
    }
}

UNIT_MAIN("sending, failed", UNIT(test_doubts),
          UNIT(test_again_after_a_failure), UNIT(test_names_are_doubted),
          UNIT(test_nothing_went), UNIT(test_words_of_a_refusal),
          UNIT(test_pause_after_a_refusal), UNIT(test_one_by_one),
          UNIT(test_publish_of_several_is_missing), UNIT(test_one_is_hidden))
