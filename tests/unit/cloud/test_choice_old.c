/* Which rows of the backlog go next. */
#include "tests/unit/cloud/choice_case.h"

/* All rows of a property are old, the newest as well. */
static void begin_shown(int count, int property, int rows) {
  begin(count);
  for (int i = 0; i < rows; i++)
    put(property);
  at[property].shown_seq = rows;
}

/* The property whose first row has waited longest, and no other. */
static void test_who_has_waited_longest(void) {
  begin(3);
  CU_ASSERT_EQUAL(old(), 0);
  put(3); /* of nobody */
  put(2);
  put(0);
  put(1);
  put(2);
  put(0);
  for (int i = 0; i < PROPERTIES; i++)
    at[i].shown_seq = 6;
  CHECK_ROWS(old(), 2, 5);
  at[2].pace.earliest_ms = NOW_MS;
  CHECK_ROWS(old(), 2, 5);
  at[2].pace.earliest_ms = NOW_MS + 1;
  CHECK_ROWS(old(), 3, 6);
  at[0].missing = true;
  CHECK_ROWS(old(), 4);
  at[1].misfit = true;
  CU_ASSERT_EQUAL(old(), 0);
  CU_ASSERT_FALSE(choice.bare);
  end();
}

/* Without an id a row waits for the names, until there is no such list. */
static void test_ids(void) {
  for (int unserved = 0; unserved <= 1; unserved++)
    for (int id = 0; id <= 1; id++) {
      begin_shown(1, 0, 1);
      at[0].id = id ? "a" : NULL;
      names.unserved = unserved;
      CU_ASSERT_EQUAL(old(), unserved || id);
      end();
    }
}

/* Numbers have their half of the day's records, states all of them. */
static void test_plan(void) {
  static const struct {
    int property;
    int64_t daily, used, old;
    int rows;
  } cases[] = {
      {0, 0, 1000, 1000, 5}, {0, 20, 10, 10, 0}, {0, 20, 9, 9, 1},
      {0, 20, 4, 4, 5},      {0, 20, 5, 5, 5},   {0, 20, 6, 6, 4},
      {1, 20, 20, 20, 0},    {1, 20, 19, 19, 5}, {1, 0, 20, 20, 5},
      {1, 1, 0, 0, 5},       {1, 1, 1, 0, 0},    {1, 20, 21, 0, 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin_shown(2, cases[i].property, 5);
    budget = (struct wr_budget){
        .daily = cases[i].daily,
        .spent = {.used = cases[i].used, .old = cases[i].old}};
    CU_ASSERT_EQUAL(old(), cases[i].rows);
    end();
  }
}

/* As many as a batch has; one at a time where the call for it is missing. */
static void test_batch(void) {
  begin_shown(1, 0, 12);
  CU_ASSERT_EQUAL(old(), 10);
  at[0].batch = 3;
  CHECK_ROWS(old(), 1, 2, 3);
  names.no_batch_ms = NOW_MS + 1;
  CHECK_ROWS(old(), 1);
  end();
}

/* The newest is left out while it is to be shown. */
static void test_newest_is_left_out(void) {
  begin(1);
  put(0);
  CU_ASSERT_EQUAL(old(), 0);
  put(0);
  CHECK_ROWS(old(), 1);
  put(0);
  CHECK_ROWS(old(), 1, 2);
  at[0].batch = 2; /* which ends before it */
  CHECK_ROWS(old(), 1, 2);
  at[0].batch = 10;
  choice.first_seq = 3; /* of an earlier process: it is not */
  CHECK_ROWS(old(), 1, 2, 3);
  choice.first_seq = 0;
  at[0].alive = false;
  CHECK_ROWS(old(), 1, 2, 3);
  end();
}

/* What can have no stamp goes alone, what stands before it does not. */
static void test_stamps(void) {
  for (int bad = 1; bad <= 4; bad++) {
    begin_shown(1, 0, 3);
    stored.rows[bad - 1].time_us = WALL + WR_CLOCK_AHEAD_US + 1;
    CU_ASSERT_EQUAL(old(), bad == 1 ? 1 : bad - 1);
    CU_ASSERT_EQUAL(choice.bare, bad == 1);
    CU_ASSERT_EQUAL(choice.rows[0].seq, 1);
    end();
  }
  /* The clock was an hour late, which the service has told. */
  begin_shown(1, 0, 2);
  for (int i = 0; i < 2; i++) {
    stored.rows[i].clock_us = WALL - NOW_MS * 1000 - 3600 * SECOND;
    stored.rows[i].time_us = WALL - 3660 * SECOND;
  }
  CU_ASSERT_EQUAL(old(), 2);
  for (int i = 0; i < 2; i++)
    CU_ASSERT_EQUAL(choice.rows[i].time_us, WALL - 60 * SECOND);
  choice.bare = true; /* the one before was */
  CU_ASSERT_EQUAL(wr_choose_old(&choice, &t, 0), 2);
  for (int i = 0; i < 2; i++)
    CU_ASSERT_EQUAL(choice.rows[i].time_us, WALL - 3660 * SECOND);
  CU_ASSERT_FALSE(choice.bare);
  end();
}

/* Two old states, and what is so now, number 3, which has gone. */
static void begin_states(void) {
  begin(2);
  for (int i = 0; i < 3; i++)
    put(1);
  live();
  at[1].shown_seq = 3;
  stored.count = 2;
}

/* The last batch of states ends with what is so now. */
static void test_ends_with_what_is_so_now(void) {
  begin_states();
  CHECK_ROWS(old(), 1, 2, 3);
  at[1].batch = 3;
  CHECK_ROWS(old(), 1, 2, 3);
  at[1].batch = 2; /* there may be more */
  CHECK_ROWS(old(), 1, 2);
  at[1].batch = 1;
  CHECK_ROWS(old(), 1);
  at[1].batch = 10;
  names.no_batch_ms = NOW_MS + 1;
  CHECK_ROWS(old(), 1);
  names.no_batch_ms = 0;
  stored.count = 3; /* it is there itself */
  CHECK_ROWS(old(), 1, 2, 3);
  stored.count = 1;
  CHECK_ROWS(old(), 1, 3);
  end();
}

static void test_when_it_does_not(void) {
  begin_states();
  at[1].alive = false;
  CHECK_ROWS(old(), 1, 2);
  at[1].alive = true;
  at[1].fails = 1;
  CHECK_ROWS(old(), 1, 2);
  at[1].fails = 0;
  stored.hidden = 3; /* there may be later ones */
  CHECK_ROWS(old(), 1, 2);
  stored.hidden = 2;
  CHECK_ROWS(old(), 1, 2, 3);
  at[1].last.time_us = WALL + WR_CLOCK_AHEAD_US + 1;
  CHECK_ROWS(old(), 1, 2);
  at[1].last.time_us = WALL;
  stored.rows[1].time_us = WALL + WR_CLOCK_AHEAD_US + 1;
  CHECK_ROWS(old(), 1); /* the second one comes first */
  stored.rows[0].time_us = WALL + WR_CLOCK_AHEAD_US + 1;
  CHECK_ROWS(old(), 1);
  stored.count = 1;
  CHECK_ROWS(old(), 1);
  CU_ASSERT_TRUE(choice.bare);
  end();
}

/* Of numbers nothing is so now. */
static void test_numbers_end_as_they_are(void) {
  begin_shown(1, 0, 2);
  at[0].last = stored.rows[1];
  stored.count = 1;
  CHECK_ROWS(old(), 1);
  end();
}

static void skip(int property, int64_t seq, int64_t until_ms, int64_t passed,
                 bool tried) {
  struct wr_property *q = at + property;
  q->skips[q->skip_count++] = (struct wr_skip){
      .seq = seq, .until_ms = until_ms, .passed = passed, .tried = tried};
}

/* What is stepped over is left out, at whatever place it stands. */
static void test_stepped_over(void) {
  for (int64_t seq = 1; seq <= 3; seq++) {
    begin_shown(1, 0, 3);
    at[0].batch = 2;
    skip(0, seq, EVER, 0, true);
    if (seq == 1)
      CHECK_ROWS(old(), 2, 3);
    else if (seq == 2)
      CHECK_ROWS(old(), 1, 3);
    else
      CHECK_ROWS(old(), 1, 2);
    CU_ASSERT_EQUAL(at[0].skip_count, 1);
    end();
  }
  begin_shown(1, 0, 5);
  at[0].skips[0].seq = 1; /* it was, but is not */
  at[0].batch = 2;
  CHECK_ROWS(old(), 1, 2);
  skip(0, 5, EVER, 0, true); /* which is not among the first */
  CHECK_ROWS(old(), 1, 2);
  end();
  begin_shown(1, 0, 2);
  skip(0, 1, EVER, 0, true);
  skip(0, 2, EVER, 0, true);
  CU_ASSERT_EQUAL(old(), 0);
  end();
}

/* A full batch beside as many as can be stepped over. */
static void test_full_batch_beside_all_skips(void) {
  begin(1);
  wr_choice_free(&choice);
  CU_ASSERT_EQUAL_FATAL(wr_choice_init(&choice, &names, NULL, &budget, 100), 0);
  for (int i = 0; i < 120; i++)
    put(0);
  at[0].batch = 100;
  for (int i = 0; i < WR_SKIPS_MAX; i++)
    skip(0, 1 + i, EVER, 0, true);
  CU_ASSERT_EQUAL(old(), 100);
  CU_ASSERT_EQUAL(choice.rows[0].seq, 1 + WR_SKIPS_MAX);
  CU_ASSERT_EQUAL(choice.rows[99].seq, 100 + WR_SKIPS_MAX);
  end();
}

/* When it goes again, alone: after its time, or at once when another batch has
 * passed and it was not tried since. */
static void test_whose_turn_has_come(void) {
  static const struct {
    int64_t until_ms, passed;
    bool tried, due;
  } cases[] = {
      {NOW_MS, 5, true, true},       {NOW_MS + 1, 5, true, false},
      {NOW_MS + 1, 5, false, false}, {NOW_MS + 1, 4, false, true},
      {NOW_MS + 1, 4, true, false},  {NOW_MS + 1, 6, false, false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int second = 0; second <= 1; second++) {
      begin_shown(1, 0, 4);
      choice.passed = 5;
      if (second)
        skip(0, 2, EVER, 5, true);
      skip(0, 3, cases[i].until_ms, cases[i].passed, cases[i].tried);
      if (cases[i].due)
        CHECK_ROWS(old(), 3);
      else if (second)
        CHECK_ROWS(old(), 1, 4);
      else
        CHECK_ROWS(old(), 1, 2, 4);
      CU_ASSERT_FALSE(choice.bare);
      CU_ASSERT_EQUAL(at[0].skip_count, 1 + second);
      end();
    }
}

/* Those that are gone are forgotten, wherever they stand. */
static void test_gone_ones_are_forgotten(void) {
  begin_shown(2, 1, 4);
  skip(1, 99, EVER, 0, true);
  skip(1, 3, EVER, 0, true);
  skip(1, 98, 0, 0, true);
  CHECK_ROWS(old(), 1, 2, 4);
  CU_ASSERT_EQUAL(at[1].skip_count, 1);
  CU_ASSERT_EQUAL(at[1].skips[0].seq, 3);
  skip(1, 99, EVER, 0, true);
  at[1].skips[0] = (struct wr_skip){.seq = 97};
  skip(1, 2, NOW_MS, 0, true);
  CHECK_ROWS(old(), 2);
  CU_ASSERT_EQUAL(at[1].skip_count, 2);
  end();
}

/* What was stepped over needs a way and a record like all others. */
static void test_skips_that_wait(void) {
  begin_shown(2, 1, 2);
  skip(1, 2, 0, 0, false);
  CHECK_ROWS(old(), 2);
  at[1].missing = true;
  put(2); /* of nobody */
  skip(2, 3, 0, 0, false);
  CU_ASSERT_EQUAL(old(), 0);
  at[1].missing = false;
  budget = (struct wr_budget){.daily = 10, .spent = {.used = 10}};
  CU_ASSERT_EQUAL(old(), 0);
  budget.spent.used = 9;
  stored.rows[1].time_us = WALL + WR_CLOCK_AHEAD_US + 1;
  CHECK_ROWS(old(), 2);
  CU_ASSERT_TRUE(choice.bare);
  end();
}

/* Rows may go between two looks: the ceiling of the spool, or their age. */
static void test_rows_that_go_meanwhile(void) {
  begin_states();
  stored.looks = 2;                   /* one for each property */
  choice.rows[0].time_us = INT64_MAX; /* what stood there is not looked at */
  CU_ASSERT_EQUAL(old(), 0);
  end();
}

/* The oldest stamp of all that waits. */
static void test_oldest(void) {
  begin(1);
  put(0)->time_us = 5; /* the first row of all */
  CU_ASSERT_EQUAL(wr_choice_oldest_us(&choice), 5);
  end();
  begin(3);
  CU_ASSERT_EQUAL(wr_choice_oldest_us(&choice), 0);
  put(3)->time_us = 1; /* of nobody */
  CU_ASSERT_EQUAL(wr_choice_oldest_us(&choice), 0);
  put(2)->time_us = 300;
  CU_ASSERT_EQUAL(wr_choice_oldest_us(&choice), 300);
  put(1)->time_us = 400;
  CU_ASSERT_EQUAL(wr_choice_oldest_us(&choice), 300);
  put(0)->time_us = 200;
  put(0)->time_us = 100; /* it came later */
  CU_ASSERT_EQUAL(wr_choice_oldest_us(&choice), 200);
  end();
}

UNIT_MAIN("choice, old", UNIT(test_who_has_waited_longest), UNIT(test_ids),
          UNIT(test_plan), UNIT(test_batch), UNIT(test_newest_is_left_out),
          UNIT(test_stamps), UNIT(test_ends_with_what_is_so_now),
          UNIT(test_when_it_does_not), UNIT(test_numbers_end_as_they_are),
          UNIT(test_stepped_over), UNIT(test_full_batch_beside_all_skips),
          UNIT(test_whose_turn_has_come), UNIT(test_gone_ones_are_forgotten),
          UNIT(test_skips_that_wait), UNIT(test_rows_that_go_meanwhile),
          UNIT(test_oldest))
