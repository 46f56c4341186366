/* What is held back, what an alarm is said to look like, and in which words.
 * Simulated sensors: counted as a YF-S201 does, 7.5 pulses for each L/min. */
#include "lib/flow/hint.h"

#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct wr_context c;

static double counted(double lpm) {
  return floor(lpm * 7.5 + (double)rand() / RAND_MAX) / 7.5;
}

static void add(double lpm) {
  double x = counted(lpm);
  wr_context_add(&c, &x, 1, 1, 1);
}

static void steady(double lpm, int seconds) {
  for (int i = 0; i < seconds; i++)
    add(lpm);
}

static void start(void) {
  srand(5);
  wr_context_init(&c);
  steady(10, 60);
}

static void test_context_keeps_a_minute(void) {
  double x[100];
  wr_context_init(&c);
  for (int i = 0; i < 100; i++)
    x[i] = i;
  wr_context_add(&c, x, 1, 9, 2);
  CU_ASSERT_EQUAL(c.count, 9);
  CU_ASSERT_FALSE(wr_context_judge(&c));
  CU_ASSERT_FALSE(wr_context_excuses(&c));
  wr_context_add(&c, x + 9, 1, 55, 2);
  CU_ASSERT_EQUAL(c.count, 60);
  CU_ASSERT_EQUAL(c.samples[0], 8);
  CU_ASSERT_EQUAL(c.samples[59], 126);
  wr_context_add(&c, x, 1, 100, 1);
  CU_ASSERT_EQUAL(c.samples[0], 40);
  CU_ASSERT_EQUAL(c.samples[59], 99);
  CU_ASSERT_TRUE(wr_context_judge(&c));
  wr_context_add(&c, x, 1, 0, 1);
  CU_ASSERT_TRUE(c.judged);
  wr_context_add(&c, x, 2, 1, 1);
  CU_ASSERT_FALSE(c.judged);
  wr_context_init(&c);
  CU_ASSERT_EQUAL(c.count, 0);
  CU_ASSERT_EQUAL(wr_context_level(&c), 0);
}

/* Held back: the change. Not: what has no change in it, faults, and a level
 * out of the ranges however it got there. */
static void test_excuses_a_clean_change(void) {
  start();
  CU_ASSERT_FALSE(wr_context_excuses(&c));
  for (int i = 0; i < 12; i++) {
    add(14);
    CU_ASSERT_TRUE(wr_context_excuses(&c));
  }
  start();
  for (int i = 1; i <= 20; i++) { /* in 20 s to 6 */
    add(10 - 0.2 * i);
    CU_ASSERT(i < 6 || wr_context_excuses(&c));
  }
  start();
  steady(2, 12);
  CU_ASSERT_FALSE(wr_context_excuses(&c));
  start();
  steady(24, 12);
  CU_ASSERT_FALSE(wr_context_excuses(&c));
  start();
  for (int i = 0; i < 15; i++)
    add(i % 3 == 1 ? 4 : 10);
  CU_ASSERT_FALSE(wr_context_excuses(&c));
  wr_context_init(&c);
  steady(10, 12);
  CU_ASSERT_FALSE(wr_context_excuses(&c));
}

static bool says(const char *words) {
  struct wr_hint h;
  wr_hint(&c, 0, false, &h);
  bool found = strstr(h.text, words) != NULL;
  if (!found)
    printf("\n'%s' lacks '%s'\n", h.text, words);
  return found;
}

static enum wr_cause first(void) {
  struct wr_hint h;
  wr_hint(&c, 0, false, &h);
  return h.first;
}

static void test_air(void) {
  start();
  for (int i = 0; i < 20; i++)
    add(i % 4 == 1 ? 6.9 : 10);
  CU_ASSERT_EQUAL(first(), WR_CAUSE_AIR);
  CU_ASSERT(says("5 dropouts of 1 s in 20 s, down to 6"));
}

static void test_electrical_noise(void) {
  start();
  for (int i = 0; i < 20; i++)
    add(i % 5 == 1 ? 24 : 10);
  CU_ASSERT_EQUAL(first(), WR_CAUSE_NOISE);
  CU_ASSERT(says("electrical noise"));
  CU_ASSERT(says("4 spikes of 1 s in 20 s, up to 24"));
}

static void test_hunting(void) {
  start();
  for (int i = 0; i < 24; i++)
    add(10 + 2.5 * sin(2 * M_PI * i / 8));
  CU_ASSERT_EQUAL(first(), WR_CAUSE_HUNTING);
  CU_ASSERT(says("hunting"));
  CU_ASSERT(says("swings of +-2"));
  CU_ASSERT(says("one in 8 s"));
}

static void test_cavitation(void) {
  start();
  for (int i = 0; i < 24; i++) {
    double sum = 0;
    for (int k = 0; k < 12; k++)
      sum += (double)rand() / RAND_MAX - 0.5;
    add(8.8 * (1 + 0.12 * sum));
  }
  CU_ASSERT_EQUAL(first(), WR_CAUSE_CAVITATION);
  CU_ASSERT(says("noise of 1"));
  CU_ASSERT(says("below what it was"));
}

static void test_levels(void) {
  struct wr_hint h;
  start();
  steady(0, 8);
  CU_ASSERT_EQUAL(first(), WR_CAUSE_BLOCKED);
  CU_ASSERT(says("blocked or stopped"));
  CU_ASSERT(says("0 % of nominal for 8 s"));
  start();
  steady(25, 5);
  CU_ASSERT_EQUAL(first(), WR_CAUSE_BURST);
  CU_ASSERT(says("of nominal for 5 s"));
  start();
  steady(7, 30); /* beyond ranges of one's own */
  wr_hint(&c, -1, false, &h);
  CU_ASSERT_EQUAL(h.first, WR_CAUSE_BLOCKED);
  wr_hint(&c, 0, true, &h);
  CU_ASSERT_EQUAL(h.first, WR_CAUSE_SENSOR);
  CU_ASSERT(strstr(h.text, "sensor") == h.text);
}

/* Somebody else's model alarms, and nothing is to be seen. */
static void test_unclear(void) {
  struct wr_hint h;
  start();
  CU_ASSERT_EQUAL(first(), WR_CAUSE_UNCLEAR);
  CU_ASSERT(says("unclear: between "));
  wr_context_init(&c);
  wr_hint(&c, 0, false, &h);
  CU_ASSERT_EQUAL(h.first, WR_CAUSE_UNCLEAR);
  wr_hint(&c, -1, false, &h); /* a level of which nothing is known */
  CU_ASSERT_EQUAL(h.first, WR_CAUSE_UNCLEAR);
}

/* Whatever flow: a text that fits, with causes that differ. */
static void test_any_flow(void) {
  struct wr_hint h;
  srand(3);
  for (int n = 0; n < 3000; n++) {
    wr_context_init(&c);
    for (int i = rand() % 70; i > 0; i--) {
      double x = rand() % 50 ? rand() % 300 / 10.0 : rand() % 2 ? 1e30 : NAN;
      wr_context_add(&c, &x, 1, 1, n % 7 + 0.1);
    }
    wr_hint(&c, n % 3 - 1, n % 11 == 0, &h);
    CU_ASSERT(strlen(h.text) > 5 && strlen(h.text) < WR_HINT_TEXT - 1);
    CU_ASSERT(h.first != h.second || h.first == WR_CAUSE_UNCLEAR);
    CU_ASSERT(strstr(h.text, wr_cause_name(h.first)) == h.text);
  }
}

/* For how long: a tenth of nominal above the level still is the level. */
static void test_how_long(void) {
  static const struct {
    double values[5];
    int side;
    const char *words;
  } cases[] = {{{2.7, 2.7, 2, 2, 2}, -1, "20 % of nominal for 5 s"},
               {{3.2, 2.7, 2, 2, 2}, -1, "20 % of nominal for 4 s"},
               {{0.5, 2, 2, 2, 2}, -1, "20 % of nominal for 5 s"},
               {{24.3, 24.3, 25, 25, 25}, 1, "250 % of nominal for 5 s"},
               {{23.8, 24.3, 25, 25, 25}, 1, "250 % of nominal for 4 s"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_hint h;
    wr_context_init(&c);
    wr_context_add(&c, cases[i].values, 1, 5, 1);
    wr_hint(&c, cases[i].side, false, &h);
    CU_ASSERT_PTR_NOT_NULL(strstr(h.text, cases[i].words));
  }
}

UNIT_MAIN("hint", UNIT(test_how_long), UNIT(test_context_keeps_a_minute),
          UNIT(test_excuses_a_clean_change), UNIT(test_air),
          UNIT(test_electrical_noise), UNIT(test_hunting),
          UNIT(test_cavitation), UNIT(test_levels), UNIT(test_unclear),
          UNIT(test_any_flow))
