#include "lib/flow/votes.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static const char names[] = "AHLN"; /* A alarms; '-' is uncertain */

static int vote_of(char c) {
  const char *at = strchr(names, c);
  return at != NULL ? (int)(at - names) : WR_UNCERTAIN;
}

/* Votes one after the other; writes the state after each, counts changes. */
static int run(struct wr_votes *v, struct wr_votes_rules rules,
               const char *votes, char *states) {
  int changes = 0, last = v->state;
  for (; *votes != '\0'; votes++) {
    int state = wr_votes_cast(v, &rules, vote_of(*votes), *votes == 'A', 0);
    changes += state != last;
    last = state;
    if (states != NULL)
      *states++ = state == WR_UNCERTAIN ? '-' : names[state];
  }
  if (states != NULL)
    *states = '\0';
  return changes;
}

static void test_table(void) {
  static const struct {
    int need, of, release;
    const char *votes, *states;
  } cases[] = {
      /* at once, where nothing is debounced */
      {1, 1, 1, "NANLH-N", "NANLH-N"},
      /* the first state too */
      {3, 5, 5, "NNNN", "--NN"},
      {3, 5, 5, "ANNN", "---N"},
      {3, 5, 5, "AANAA", "----A"},
      /* a burst that is too short */
      {3, 5, 5, "NNNAANNN", "--NNNNNN"},
      {3, 5, 5, "NNNAAA", "--NNNA"},
      {3, 5, 5, "NNNAANAA", "--NNNNNA"},
      /* an alarm ends after a row of `release` others, and not before */
      {3, 5, 5, "AAANNNNNN", "--AAAAANN"},
      {3, 5, 5, "AAANNNNANNNNN", "--AAAAAAAAAAN"},
      {3, 5, 8, "AAANNNNNNNN", "--AAAAAAAAN"},
      {5, 5, 5, "NNNNNAAAAA", "----NNNNNA"},
      /* between labels that do not alarm: as fast as on */
      {3, 5, 5, "NNNLLLHHH", "--NNNLLLH"},
      /* only the last five count, and the newest two have to agree */
      {3, 5, 5, "NNNANNNAA", "--NNNNNNN"},
      {2, 3, 3, "NNNANANLA", "-NNNNNNNN"},
      {2, 3, 3, "NNNAA", "-NNNA"},
      {2, 2, 2, "NNALLAA", "-NNNLLA"},
      /* an alarm does not go to what was elected long ago */
      {3, 5, 5, "AAA-----", "--AAAAA-"},
  };
  for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
    struct wr_votes v;
    char states[64];
    wr_votes_init(&v);
    run(&v,
        (struct wr_votes_rules){cases[c].need, cases[c].of, cases[c].release},
        cases[c].votes, states);
    if (strcmp(states, cases[c].states) != 0)
      printf("case %zu: %s\n", c, states);
    CU_ASSERT_STRING_EQUAL(states, cases[c].states);
  }
}

/* Any two labels, any rule: alternating votes change nothing, whatever the
 * state was before. */
static void test_alternating_votes_change_nothing(void) {
  for (size_t a = 0; a < 4; a++)
    for (size_t b = 0; b < 4; b++)
      for (int need = 2; need <= 5; need++) {
        struct wr_votes v;
        char votes[121];
        wr_votes_init(&v);
        struct wr_votes_rules rules = {need, 2 * need - 1, 5};
        memset(votes, names[a], 20);
        votes[20] = '\0';
        run(&v, rules, votes, NULL);
        for (int i = 0; i < 120; i++)
          votes[i] = names[i % 2 == 0 ? b : a];
        votes[120] = '\0';
        CU_ASSERT_EQUAL(run(&v, rules, votes, NULL), 0);
      }
}

/* Whatever comes: from one alarm to the next it takes a release and an on. */
static void test_no_pattern_chatters(void) {
  struct wr_votes_rules rules = {3, 5, 5};
  for (unsigned pattern = 0; pattern < 4096; pattern++) {
    struct wr_votes v;
    char votes[121];
    wr_votes_init(&v);
    for (int i = 0; i < 120; i++)
      votes[i] = pattern >> i % 12 & 1 ? 'A' : 'N';
    votes[120] = '\0';
    int changes = run(&v, rules, votes, NULL);
    if (changes > 7)
      printf("pattern %03x: %d changes\n", pattern, changes);
    CU_ASSERT_TRUE(changes <= 7);
  }
}

/* An alarm that comes back at once is left more slowly each time; one that
 * comes back much later is not. */
static void test_patience(void) {
  struct wr_votes_rules rules = {3, 5, 5};
  struct wr_votes v;
  char states[256];
  wr_votes_init(&v);
  run(&v, rules, "AAANNNNN", states);
  CU_ASSERT_EQUAL(states[7], 'N');
  run(&v, rules, "AAANNNNNNNNN", states);
  CU_ASSERT_EQUAL(states[11], 'A');
  run(&v, rules, "N", states);
  CU_ASSERT_EQUAL(states[0], 'N');
  for (int i = 0; i < WR_VOTES_AGAIN + 1; i++)
    run(&v, rules, "N", states);
  run(&v, rules, "AAANNNNN", states);
  CU_ASSERT_EQUAL(states[7], 'N');
}

/* Where it is known better that all is quiet, an alarm need not wait for its
 * votes to run out; but with patience. */
static void test_quiet(void) {
  struct wr_votes_rules rules = {3, 5, 5};
  struct wr_votes v;
  wr_votes_init(&v);
  for (int i = 0; i < 3; i++)
    wr_votes_cast(&v, &rules, 0, true, 0);
  CU_ASSERT_EQUAL(wr_votes_cast(&v, &rules, 3, false, 4), 0);
  CU_ASSERT_EQUAL(wr_votes_cast(&v, &rules, 0, true, 5), 0);
  CU_ASSERT_EQUAL(wr_votes_cast(&v, &rules, 3, false, 6), 3);
  for (int i = 0; i < 3; i++)
    wr_votes_cast(&v, &rules, 0, true, 0);
  for (int quiet = 5; quiet < 10; quiet++)
    CU_ASSERT_EQUAL(wr_votes_cast(&v, &rules, 3, false, quiet), 0);
  CU_ASSERT_EQUAL(wr_votes_cast(&v, &rules, 3, false, 10), 3);
}

static void test_gap_forgets_votes(void) {
  struct wr_votes_rules rules = {3, 5, 5};
  struct wr_votes v;
  char states[16];
  wr_votes_init(&v);
  run(&v, rules, "NNNAA", states);
  wr_votes_gap(&v);
  run(&v, rules, "AAA", states);
  CU_ASSERT_STRING_EQUAL(states, "NNA");
  wr_votes_gap(&v);
  run(&v, rules, "NNNNN", states);
  CU_ASSERT_STRING_EQUAL(states, "AAAAN");
}

static void test_set(void) {
  struct wr_votes_rules rules = {3, 5, 5};
  struct wr_votes v;
  char states[16];
  wr_votes_init(&v);
  run(&v, rules, "NNNAA", states);
  wr_votes_set(&v, 0, true);
  CU_ASSERT_EQUAL(v.state, 0);
  run(&v, rules, "NNNNN", states);
  CU_ASSERT_STRING_EQUAL(states, "AAAAN");
}

/* The votes before are no part of it. */
static void test_set_forgets_votes(void) {
  struct wr_votes_rules rules = {3, 5, 5};
  struct wr_votes v;
  char states[16];
  wr_votes_init(&v);
  run(&v, rules, "NNNAA", states);
  wr_votes_set(&v, 2, false);
  CU_ASSERT_EQUAL(v.count, 0);
  run(&v, rules, "AAA", states);
  CU_ASSERT_STRING_EQUAL(states, "LLA");
}

/* So many votes that are no alarm, where each vote counts at once, and what
 * an alarm after them makes of the patience. */
static void test_within_how_many_windows(void) {
  static const struct {
    int others, patience;
  } cases[] = {{0, 2},
               {1, 2},
               {WR_VOTES_AGAIN - 1, 2},
               {WR_VOTES_AGAIN, 1},
               {WR_VOTES_AGAIN + 1, 0}};
  for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
    struct wr_votes_rules rules = {1, 1, 1};
    struct wr_votes v;
    wr_votes_init(&v);
    run(&v, rules, "ANANN", NULL); /* the second time it takes two */
    CU_ASSERT_EQUAL(v.patience, 1);
    CU_ASSERT_FALSE(v.alarm);
    for (int i = 0; i < cases[c].others; i++)
      run(&v, rules, "N", NULL);
    run(&v, rules, "A", NULL);
    CU_ASSERT_TRUE(v.alarm);
    CU_ASSERT_EQUAL(v.patience, cases[c].patience);
  }
}

/* Eight times as long, and no longer however often it comes back. */
static void test_most_patience(void) {
  static const int releases[] = {2, 4, 8, 16, 16, 16};
  struct wr_votes_rules rules = {1, 1, 2};
  struct wr_votes v;
  wr_votes_init(&v);
  for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
    run(&v, rules, "A", NULL);
    for (int n = 1; n <= releases[i]; n++) {
      CU_ASSERT_TRUE(v.alarm);
      run(&v, rules, "N", NULL);
    }
    CU_ASSERT_FALSE(v.alarm);
  }
}

/* The longest rules there are; nothing counts further than they need. */
static void test_longest_rules(void) {
  struct wr_votes_rules rules = {WR_VOTES_MAX, WR_VOTES_MAX, WR_VOTES_MAX};
  struct wr_votes v;
  wr_votes_init(&v);
  for (int i = 0; i < WR_VOTES_MAX; i++) {
    CU_ASSERT_EQUAL(v.state, WR_UNCERTAIN);
    run(&v, rules, "A", NULL);
  }
  CU_ASSERT_EQUAL(v.state, 0);
  for (int i = 0; i < 600; i++)
    run(&v, rules, "N", NULL);
  CU_ASSERT_EQUAL(v.state, 3);
  CU_ASSERT_EQUAL(v.count, WR_VOTES_MAX);
  CU_ASSERT_EQUAL(v.calm, WR_VOTES_MAX << WR_VOTES_PATIENCE);
}

UNIT_MAIN("votes", UNIT(test_table),
          UNIT(test_alternating_votes_change_nothing),
          UNIT(test_no_pattern_chatters), UNIT(test_patience), UNIT(test_quiet),
          UNIT(test_gap_forgets_votes), UNIT(test_set),
          UNIT(test_set_forgets_votes), UNIT(test_within_how_many_windows),
          UNIT(test_most_patience), UNIT(test_longest_rules))
