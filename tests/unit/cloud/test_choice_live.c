/* Which rows are shown live. */
#include "tests/unit/alloc.h"
#include "tests/unit/cloud/choice_case.h"

#include <errno.h>

static void test_no_memory(void) {
  for (long n = 0; unit_alloc_arm(n); n++) {
    int status = wr_choice_init(&choice, &names, NULL, &budget, 10);
    CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
    wr_choice_free(&choice);
    CU_ASSERT_PTR_NULL(choice.rows);
  }
}

static void test_calls_that_are_not_there(void) {
  begin(1);
  for (int by = -1; by <= 1; by++) {
    names.no_many_ms = names.no_batch_ms = NOW_MS + by;
    CU_ASSERT_EQUAL(wr_choice_no_many(&choice, &t), by > 0);
    CU_ASSERT_EQUAL(wr_choice_no_batch(&choice, &t), by > 0);
  }
  end();
}

/* A property needs a name or an id, and the call for it. */
static void test_who_may_send(void) {
  static const struct {
    const char *id, *name;
    bool no_many, missing, misfit, may;
  } cases[] = {
      {"a", "a", false, false, false, true},
      {"a", NULL, false, false, false, true},
      {"a", NULL, true, false, false, true},
      {NULL, "a", false, false, false, true},
      {NULL, "a", true, false, false, false},
      {NULL, NULL, false, false, false, false},
      {"a", "a", false, true, false, false},
      {"a", "a", false, false, true, false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin(1);
    names.unserved = true;
    names.no_many_ms = NOW_MS + cases[i].no_many;
    at[0].id = cases[i].id;
    at[0].name = cases[i].name;
    at[0].missing = cases[i].missing;
    at[0].misfit = cases[i].misfit;
    put(0);
    CU_ASSERT_EQUAL(live(), cases[i].may);
    at[0].shown_seq = 1;
    CU_ASSERT_EQUAL(old(), cases[i].may);
    end();
  }
}

/* The newest row, number 5, in every situation of its property. */
static void test_what_is_live(void) {
  static const struct {
    bool dead;
    int64_t first, shown, hidden, hidden_until_ms, tried;
    bool fresh, no_batch, live;
  } cases[] = {
      {false, 4, 4, 0, 0, 0, false, false, true},
      {true, 4, 4, 0, 0, 0, false, false, false},
      {false, 5, 4, 0, 0, 0, false, false, false},
      {false, 6, 4, 0, 0, 0, false, false, false},
      {false, 4, 5, 0, 0, 0, false, false, false},
      {false, 4, 6, 0, 0, 0, false, false, false},
      {false, 4, 4, 5, NOW_MS, 0, false, false, true},
      {false, 4, 4, 5, NOW_MS + 1, 0, false, false, false},
      {false, 4, 4, 4, NOW_MS + 1, 0, false, false, true},
      {false, 4, 4, 0, 0, 5, true, false, false},
      {false, 4, 4, 0, 0, 5, true, true, true},
      {false, 4, 4, 0, 0, 5, false, false, true},
      {false, 4, 4, 0, 0, 4, true, false, true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin(1);
    for (int k = 0; k < 5; k++)
      put(0);
    stored.rows[4].time_us = cases[i].fresh ? WALL : WALL - 60 * SECOND;
    choice.first_seq = cases[i].first;
    at[0].alive = !cases[i].dead;
    at[0].shown_seq = cases[i].shown;
    at[0].hidden_seq = cases[i].hidden;
    at[0].hidden_until_ms = cases[i].hidden_until_ms;
    at[0].tried_seq = cases[i].tried;
    names.no_batch_ms = NOW_MS + cases[i].no_batch;
    CU_ASSERT_EQUAL(live(), cases[i].live);
    if (cases[i].live)
      CU_ASSERT_EQUAL(choice.rows[0].seq, 5);
    CU_ASSERT_FALSE(at[0].has_last); /* a number is none */
    end();
  }
}

static void test_what_is_there_at_the_start_is_history(void) {
  stored.seq = 3;
  CU_ASSERT_EQUAL(wr_choice_init(&choice, &names, NULL, &budget, 10), 0);
  CU_ASSERT_EQUAL(choice.first_seq, 3);
  end();
}

/* A number needs a record of the plan, a state none. */
static void test_plan(void) {
  for (int left = 0; left <= 1; left++) {
    begin(2);
    budget = (struct wr_budget){.daily = 10, .spent = {.used = 10 - left}};
    put(0);
    put(1);
    if (left == 0)
      CHECK_ROWS(live(), 2);
    else
      CHECK_ROWS(live(), 2, 1);
    end();
  }
}

static void test_states_first(void) {
  begin(4);
  for (int i = 0; i < 4; i++)
    put(i);
  CHECK_ROWS(live(), 2, 4, 3, 1);
  end();
  begin(4);
  put(0);
  put(3);
  CHECK_ROWS(live(), 2, 1);
  names.count = 3;
  CHECK_ROWS(live(), 1);
  end();
}

/* The state that was shown last is shown again when asked for, also when its
 * row is gone. */
static void test_again(void) {
  static const struct {
    bool again, dead;
    int64_t stored_hidden, hidden, hidden_until_ms;
    bool shown;
  } cases[] = {
      {true, false, 0, 0, 0, true},
      {false, false, 0, 0, 0, false},
      {true, true, 0, 0, 0, false},
      {true, false, 1, 0, 0, true},
      {true, false, 2, 0, 0, false},
      {true, false, 3, 0, 0, false},
      {true, false, 0, 2, NOW_MS, true},
      {true, false, 0, 2, NOW_MS + 1, false},
      {true, false, 0, 1, NOW_MS + 1, true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int gone = 0; gone <= 1; gone++) {
      begin(2);
      put(0);
      put(1);
      CHECK_ROWS(live(), 2, 1);
      CU_ASSERT_TRUE(at[1].has_last);
      CU_ASSERT_EQUAL(at[1].last.seq, 2);
      at[0].shown_seq = 1;
      at[1].shown_seq = 2;
      at[1].again = cases[i].again;
      at[1].alive = !cases[i].dead;
      at[1].hidden_seq = cases[i].hidden;
      at[1].hidden_until_ms = cases[i].hidden_until_ms;
      stored.hidden = cases[i].stored_hidden;
      stored.count -= gone;
      CU_ASSERT_EQUAL(live(), cases[i].shown);
      if (cases[i].shown)
        CU_ASSERT_EQUAL(choice.rows[0].seq, 2);
      end();
    }
}

/* A state nobody has is not shown again. */
static void test_nothing_to_show_again(void) {
  begin(2);
  at[1].again = true;
  CU_ASSERT_EQUAL(live(), 0);
  end();
}

/* What came last is kept, of this process; never something older. */
static void test_last(void) {
  begin(2);
  put(1);
  put(1);
  choice.first_seq = 2;
  live();
  CU_ASSERT_FALSE(at[1].has_last);
  choice.first_seq = 1;
  live();
  CU_ASSERT_TRUE(at[1].has_last);
  CU_ASSERT_EQUAL(at[1].last.seq, 2);
  put(1);
  live();
  CU_ASSERT_EQUAL(at[1].last.seq, 3);
  stored.count = 2; /* it went, but is not forgotten */
  live();
  CU_ASSERT_EQUAL(at[1].last.seq, 3);
  end();
}

UNIT_MAIN("choice, live", UNIT(test_no_memory),
          UNIT(test_calls_that_are_not_there), UNIT(test_who_may_send),
          UNIT(test_what_is_live),
          UNIT(test_what_is_there_at_the_start_is_history), UNIT(test_plan),
          UNIT(test_states_first), UNIT(test_again),
          UNIT(test_nothing_to_show_again), UNIT(test_last))
