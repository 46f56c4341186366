/* Requests with rows, and what a success means. */
#include "tests/unit/cloud/sending_case.h"

#include "tests/unit/alloc.h"

/* --- which request --- */

static void check_sent(const char *url, const char *body) {
  CU_ASSERT_EQUAL(sent.count, 1);
  CU_ASSERT_STRING_EQUAL(sent.url, url);
  CU_ASSERT_STRING_EQUAL(sent.body, body);
}

#define T "https://h/iot/v2/things/t/"
#define BATCH_1 "[{\"timestamp\":\"2025-12-31T23:59:00.000000Z\",\"value\":1}"

static void test_several_live(void) {
  begin_sending();
  strcpy(at[0].cloud.name, "flow");
  at[0].cloud.type = WR_CLOUD_INTEGER;
  choose(0, 1, 2);
  choose(1, 0, 1)->value.number = 1.6;
  wr_send_live(&sending, &now, 2);
  check_sent(T "publish", "{\"to_device\":false,\"properties\":["
                          "{\"property\":\"b\",\"value\":\"L2\"},"
                          "{\"property\":\"flow\",\"value\":2}]}");
  CU_ASSERT_EQUAL(told.count, 0); /* they are to be recorded as well */
  CU_ASSERT_EQUAL(sending.published, 2);
  end_sending();
}

/* Several in one request need the call and a name each; what has no id cannot
 * go one by one. */
static void test_which_way_live(void) {
  static const struct {
    bool no_many;
    int one_by_one_ms;
    const char *id, *name;  /* of the first */
    const char *other_name; /* of the second */
    bool many;
  } cases[] = {
      {false, 0, "a", "a", "b", true},
      {true, 0, "a", "a", "b", false},
      {false, NOW_MS, "a", "a", "b", true},
      {false, NOW_MS + 1, "a", "a", "b", false},
      {false, NOW_MS + 1, NULL, "a", "b", true},
      {false, 0, "a", NULL, "b", false},
      {false, 0, "a", "a", NULL, false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin_sending();
    names.no_many_ms = NOW_MS + cases[i].no_many;
    sending.one_by_one_ms = cases[i].one_by_one_ms;
    at[0].id = cases[i].id;
    at[0].name = cases[i].name;
    at[1].name = cases[i].other_name;
    choose(0, 0, 1);
    choose(1, 1, 2);
    choose(2, 2, 3); /* of another request, without a name */
    at[2].name = NULL;
    wr_send_live(&sending, &now, 2);
    if (cases[i].many)
      check_sent(T "publish", "{\"to_device\":false,\"properties\":["
                              "{\"property\":\"a\",\"value\":1},"
                              "{\"property\":\"b\",\"value\":\"L2\"}]}");
    else
      check_sent(T "properties/a/publish", "{\"value\":1}");
    CU_ASSERT_EQUAL(sending.published, cases[i].many ? 2 : 1);
    end_sending();
  }
}

/* Old ones go in a batch; without a stamp, an id or the call one alone. */
static void test_which_way_old(void) {
  static const struct {
    bool bare, no_batch, id;
    const char *url, *body;
  } cases[] = {
      {false, false, true, T "properties/a/publish_batch",
       BATCH_1 ",{\"timestamp\":\"2025-12-31T23:59:00.000000Z\",\"value\":2}]"},
      {true, false, true, T "properties/a/publish", "{\"value\":1}"},
      {false, true, true, T "properties/a/publish", "{\"value\":1}"},
      {false, false, false, T "publish",
       "{\"to_device\":false,\"properties\":["
       "{\"property\":\"a\",\"value\":1}]}"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin_sending();
    choice.bare = cases[i].bare;
    names.no_batch_ms = NOW_MS + cases[i].no_batch;
    at[0].id = cases[i].id ? "a" : NULL;
    send_old(0, 1, 2);
    check_sent(cases[i].url, cases[i].body);
    CU_ASSERT_EQUAL(told.count, i == 0 ? 2 : 1);
    end_sending();
  }
}

/* As many rows as a batch may have. */
static void test_longest_batch(void) {
  begin_sending();
  wr_choice_free(&choice);
  CU_ASSERT_EQUAL_FATAL(
      wr_choice_init(&choice, &names, NULL, &budget, WR_BATCH_MAX), 0);
  send_old(0, 1, WR_BATCH_MAX);
  CU_ASSERT_EQUAL(sent.count, 1);
  CU_ASSERT_EQUAL(told.count, WR_BATCH_MAX);
  CU_ASSERT_EQUAL(told.delivered[WR_BATCH_MAX - 1].seq, WR_BATCH_MAX);
  end_sending();
}

/* --- it went --- */

static void check_delivered(int count, int64_t first) {
  CU_ASSERT_EQUAL(told.calls, 1);
  CU_ASSERT_EQUAL(told.count, count);
  for (int i = 0; i < count; i++)
    CU_ASSERT_EQUAL(told.delivered[i].seq, first + i);
  CU_ASSERT_PTR_EQUAL(told.spent, &budget.spent);
}

/* Everything that is counted, of both kinds. */
static void test_counts(void) {
  begin_sending();
  link_.owed = true;
  sending.pace.failing = true;
  sending.pace.earliest_ms = NOW_MS + 1;
  send_old(0, 3, 3);
  check_delivered(3, 3);
  CU_ASSERT_FALSE(link_.owed);
  CU_ASSERT_EQUAL(sending.passed, 1);
  CU_ASSERT_EQUAL(choice.passed, 1);
  CU_ASSERT_EQUAL(sending.published, 3);
  CU_ASSERT_EQUAL(sending.backfilled, 3);
  CU_ASSERT_EQUAL(budget.spent.used, 3);
  CU_ASSERT_EQUAL(budget.spent.old, 3);
  CU_ASSERT_EQUAL(at[0].shown_seq, 5);
  CU_ASSERT_FALSE(sending.pace.failing);
  CU_ASSERT_EQUAL(sending.pace.earliest_ms, 0);
  told.calls = 0;
  at[0].live_fails = 2;
  choose(0, 0, 7)->time_us = WALL;
  choose(1, 1, 8)->time_us = WALL;
  wr_send_live(&sending, &now, 2);
  check_delivered(2, 7);
  CU_ASSERT_EQUAL(sending.passed, 2);
  CU_ASSERT_EQUAL(choice.passed, 1);
  CU_ASSERT_EQUAL(sending.published, 5);
  CU_ASSERT_EQUAL(sending.backfilled, 3);
  CU_ASSERT_EQUAL(budget.spent.used, 5);
  CU_ASSERT_EQUAL(budget.spent.old, 3);
  CU_ASSERT_EQUAL(at[0].shown_seq, 7);
  CU_ASSERT_EQUAL(at[1].shown_seq, 8);
  CU_ASSERT_EQUAL(at[0].live_fails, 0);
  CU_ASSERT_EQUAL(sending.rejected, 0);
  end_sending();
}

/* An older one does not take back what was shown. */
static void test_shown_only_grows(void) {
  begin_sending();
  at[0].shown_seq = 9;
  send_old(0, 3, 1);
  CU_ASSERT_EQUAL(at[0].shown_seq, 9);
  send_live(0, 4);
  CU_ASSERT_EQUAL(at[0].shown_seq, 9);
  end_sending();
}

/* A batch that passed: the next one is twice as long, and what had failed is
 * forgotten, but for the rows that were stepped over. */
static void test_a_batch_passed(void) {
  static const int batches[][2] = {{1, 2},  {2, 4},  {4, 8},
                                   {5, 10}, {6, 10}, {10, 10}};
  for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
    for (int skips = 0; skips <= 1; skips++) {
      begin_sending();
      at[0].batch = batches[i][0];
      at[0].fails = 2;
      at[0].pace.earliest_ms = NOW_MS + 9;
      at[0].refused = !skips;
      at[0].skip_count = skips;
      send_old(0, 1, 1);
      CU_ASSERT_EQUAL(at[0].batch, batches[i][1]);
      CU_ASSERT_EQUAL(at[0].fails, 0);
      CU_ASSERT_EQUAL(at[0].pace.earliest_ms, 0);
      CU_ASSERT_EQUAL(at[0].refused, skips);
      end_sending();
    }
}

/* Which live rows stay, to be recorded with their own time: those that are not
 * fresh and can have a stamp, where there is the call for it. */
static void test_recorded_as_well(void) {
  static const struct {
    int64_t age_s, service_s; /* its clock is so much ahead; 0: not known */
    int64_t late_s;           /* the clock of the row was; 0: not known */
    bool no_batch, stays;
  } cases[] = {
      {60, 0, 0, false, true},     {60, 0, 0, true, false},
      {5, 0, 0, false, false},     {-120, 0, 0, false, false},
      {-120, 600, 0, false, true}, {60, -600, 0, false, false},
      {60, 0, 3600, false, true},  {60, 1, 3600, false, false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin_sending();
    int64_t clock_us = WALL - NOW_MS * 1000;
    if (cases[i].service_s != 0)
      link_.clock_us = clock_us + cases[i].service_s * SECOND;
    names.no_batch_ms = NOW_MS + cases[i].no_batch;
    struct wr_row *row = choose(0, 0, 1);
    row->time_us = WALL - cases[i].age_s * SECOND;
    if (cases[i].late_s != 0)
      row->clock_us = clock_us - cases[i].late_s * SECOND;
    choose(1, 1, 2)->time_us = WALL; /* which is fresh */
    wr_send_live(&sending, &now, 2);
    check_delivered(cases[i].stays ? 1 : 2, cases[i].stays ? 2 : 1);
    CU_ASSERT_EQUAL(at[0].shown_seq, 1);
    end_sending();
  }
}

/* After old ones the current state is shown again, where it was not the last
 * of them. */
static void test_again_after_old_ones(void) {
  static const struct {
    int property;
    bool has_last;
    int64_t last, first;
    int count;
    bool before, after;
  } cases[] = {
      {1, true, 5, 5, 1, true, false},   {1, true, 5, 4, 2, true, false},
      {1, true, 5, 4, 1, false, true},   {1, true, 5, 6, 1, false, false},
      {1, true, 5, 6, 1, true, true},    {1, true, 5, 5, 2, false, true},
      {1, false, 5, 4, 1, false, false}, {1, false, 5, 5, 1, true, true},
      {0, true, 5, 4, 1, false, false},  {1, true, 6, 5, 1, false, true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_property *q = at + cases[i].property;
    begin_sending();
    q->has_last = cases[i].has_last;
    q->last.seq = cases[i].last;
    q->again = cases[i].before;
    send_old(cases[i].property, cases[i].first, cases[i].count);
    CU_ASSERT_EQUAL(q->again, cases[i].after);
    end_sending();
  }
}

/* What is shown live is not to be shown again, if it is the current one. */
static void test_again_after_live_ones(void) {
  for (int64_t seq = 4; seq <= 6; seq++)
    for (int has_last = 0; has_last <= 1; has_last++) {
      begin_sending();
      at[1].has_last = has_last;
      at[1].last.seq = 5;
      at[1].again = true;
      send_live(1, seq);
      CU_ASSERT_EQUAL(at[1].again, !has_last || seq < 5);
      end_sending();
    }
}

/* --- it cannot be sent --- */

/* Without memory nobody has seen it: a wait, and nothing is at fault. */
static void test_no_memory(void) {
  begin_sending();
  choose(0, 0, 1);
  CU_ASSERT_TRUE(unit_alloc_arm(0));
  wr_send_old(&sending, &now, 1);
  unit_alloc_off();
  CU_ASSERT_EQUAL(sent.count, 0);
  CU_ASSERT_EQUAL(link_.state, WR_LINK_DOWN);
  CU_ASSERT_STRING_EQUAL(link_.fault, "no memory for a request");
  CU_ASSERT_EQUAL(wr_link_wait(&link_, NOW_MS), WAIT_MS);
  CU_ASSERT_EQUAL(at[0].skip_count, 0);
  CU_ASSERT_EQUAL(wr_pace_wait(&at[0].pace, NOW_MS), 0);
  end_sending();
}

/* Too much for one request: half of it, and one alone is stepped over. */
static void test_too_much(void) {
  for (int count = 1; count <= 5; count++) {
    begin_sending();
    link_.body.max = 20;
    at[0].batch = 7;
    at[0].fails = 1;
    send_old(0, 1, count);
    CU_ASSERT_EQUAL(sent.count, 0);
    CU_ASSERT_EQUAL(at[0].batch, count > 1 ? count / 2 : 7);
    CU_ASSERT_EQUAL(at[0].skip_count, count == 1);
    CU_ASSERT_EQUAL(at[0].skips[0].seq, count == 1);
    CU_ASSERT_FALSE(at[0].skips[0].refused);
    CU_ASSERT_EQUAL(at[0].fails, count > 1);
    CU_ASSERT_EQUAL(wr_pace_wait(&at[0].pace, NOW_MS), WAIT_MS);
    CU_ASSERT_EQUAL(at[0].pace.asked_ms, 0);
    CU_ASSERT_EQUAL(link_.state, WR_LINK_OK);
    end_sending();
  }
}

/* An address that is too long is as little sent. */
static void test_no_address(void) {
  begin_sending();
  link_.url.max = 5;
  send_old(0, 1, 1);
  CU_ASSERT_EQUAL(sent.count, 0);
  CU_ASSERT_EQUAL(at[0].skip_count, 1);
  end_sending();
}

UNIT_MAIN("sending", UNIT(test_several_live), UNIT(test_which_way_live),
          UNIT(test_which_way_old), UNIT(test_longest_batch), UNIT(test_counts),
          UNIT(test_shown_only_grows), UNIT(test_a_batch_passed),
          UNIT(test_recorded_as_well), UNIT(test_again_after_old_ones),
          UNIT(test_again_after_live_ones), UNIT(test_no_memory),
          UNIT(test_too_much), UNIT(test_no_address))
