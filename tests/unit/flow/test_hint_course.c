/* What is said of many kinds of flow, in full; and whether a model's alarm
 * would be held back. */
#include "lib/flow/hint.h"

#include "tests/unit/flow/course.h"

#include <math.h>

static struct wr_context c;
static double carried;

/* As a YF-S201 counts it. */
static void add(double lpm) {
  carried += lpm * 7.5;
  double x = floor(carried + 1e-9) / 7.5;
  carried -= floor(carried + 1e-9);
  wr_context_add(&c, &x, 1, 1, 1);
}

static void steady(double lpm, int seconds) {
  for (int i = 0; i < seconds; i++)
    add(lpm);
}

static void begin(double lpm, int seconds) {
  wr_context_init(&c);
  course_random = 5;
  carried = 0.3;
  steady(lpm, seconds);
}

static void say(const char *what, int side, bool stuck) {
  struct wr_hint h;
  wr_hint(&c, side, stuck, &h);
  course_put("%s%s: %s [%d %d] %.3g\n", what,
             wr_context_excuses(&c) ? ", excused" : "", h.text, (int)h.first,
             (int)h.second, (double)wr_context_level(&c));
}

static void test_faults(void) {
  course_begin();
  begin(10, 60);
  say("steady", 0, false);
  for (int i = 0; i < 20; i++)
    add(i % 4 == 1 ? 6.9 : 10);
  say("air", 0, false);
  for (int i = 0; i < 20; i++)
    add(i % 7 < 1 + i / 9 ? 3 : 10);
  say("more air", 0, false);
  begin(10, 60);
  for (int i = 0; i < 20; i++)
    add(i == 9 ? 24 : 10);
  say("a spike", 0, false);
  for (int i = 0; i < 20; i++)
    add(i % 5 == 1 || i == 8 || i == 7 ? 24 : 10);
  say("noise", 0, false);
  begin(10, 60);
  for (int i = 0; i < 24; i++)
    add(10 + (i % 8 < 4 ? 2.5 : -2.5));
  say("swings", 0, false);
  for (int i = 0; i < 30; i++)
    add(10 + (i % 6 < 3 ? 3.1 : -2.2) + course_noise() / 3);
  say("more swings", 0, false);
  begin(10, 60);
  for (int i = 0; i < 24; i++)
    add(8.8 + 1.6 * course_noise());
  say("rough", 0, false);
  for (int i = 0; i < 40; i++)
    add(8.8 + 2.6 * course_noise());
  say("rougher", 0, false);
  for (int i = 0; i < 20; i++)
    add(i % 3 == 1 ? 8 + 3 * course_noise() : 10 + (i % 5));
  say("a mixture", 0, false);
  course_is(
      "steady: unclear: between 100 and 100 % of nominal in 20 s [7 7] 10\n"
      "air: air: 5 dropouts of 1 s in 20 s, down to 68 % [0 7] 8.98\n"
      "more air: air: 3 dropouts of 1-2 s in 20 s, down to 29 % [0 7] 10\n"
      "a spike, excused: unclear: between 100 and 240 % of nominal in 20 s [7 "
      "7] 10\n"
      "noise: electrical noise: 4 spikes of 1-3 s in 20 s, up to 240 % [3 7] "
      "10\n"
      "swings: electrical noise or air: 2 spikes of 4 s in 20 s, up to 168 % "
      "[3 0] 7.51\n"
      "more swings: air: 4 dropouts of 2-3 s in 20 s, down to 57 % [0 7] 7.69\n"
      "rough: cavitation or hunting: noise of 11 % in 20 s, 13 % below what it "
      "was [1 2] 9.07\n"
      "rougher: cavitation: noise of 15 % in 20 s, 7 % below what it was [1 7] "
      "7.96\n"
      "a mixture: hunting or cavitation: swings of +-44 %, one in 6 s [2 1] "
      "10.3\n");
}

static void test_levels(void) {
  course_begin();
  begin(10, 60);
  steady(0, 8);
  say("stopped", 0, false);
  say("stopped, and always the same", 0, true);
  steady(0, 60);
  say("for long", 0, false);
  begin(10, 60);
  steady(25, 5);
  say("burst", 0, false);
  begin(10, 60);
  steady(7, 30);
  say("inside", 0, false);
  say("below", -1, false);
  say("above", 1, false);
  say("always the same", 0, true);
  say("both", -1, true);
  begin(10, 60);
  for (int i = 0; i < 20; i++)
    add(i % 3 ? 3 : 5);
  say("at the edge", 0, false);
  say("at the edge, below", -1, false);
  begin(10, 60);
  for (int i = 0; i < 20; i++)
    add(i % 3 ? 22 : 19);
  say("at the upper edge", 1, false);
  course_is(
      "stopped: blocked or stopped: 0 % of nominal for 8 s [4 7] 0\n"
      "stopped, and always the same: blocked or stopped: 0 % of nominal for 8 "
      "s [4 7] 0\n"
      "for long: blocked or stopped: 0 % of nominal for at least 60 s [4 7] 0\n"
      "burst: burst or too high: 250 % of nominal for 5 s [5 7] 25\n"
      "inside, excused: unclear: between 69 and 71 % of nominal in 20 s [7 7] "
      "7.02\n"
      "below, excused: blocked or stopped: 70 % of nominal for 30 s [4 7] "
      "7.02\n"
      "above, excused: burst or too high: 70 % of nominal for at least 60 s [5 "
      "7] 7.02\n"
      "always the same, excused: sensor: the same reading for long [6 7] 7.02\n"
      "both, excused: sensor or blocked or stopped: the same reading for long "
      "[6 4] 7.02\n"
      "at the edge: air or blocked or stopped: 7 dropouts of 1-2 s in 20 s, "
      "down to 59 % [0 4] 3.69\n"
      "at the edge, below: air or blocked or stopped: 7 dropouts of 1-2 s in "
      "20 s, down to 59 % [0 4] 3.69\n"
      "at the upper edge: burst or too high: 210 % of nominal for 1 s [5 7] "
      "21\n");
}

static void test_changes(void) {
  course_begin();
  begin(10, 60);
  steady(14, 3);
  say("opened", 0, false);
  steady(14, 12);
  say("12 s later", 0, false);
  steady(14, 30);
  say("long after", 0, false);
  begin(10, 60);
  for (int i = 1; i <= 20; i++)
    add(10 - 0.2 * i);
  say("slowly closed", 0, false);
  begin(10, 60);
  steady(4.3, 6);
  say("nearly too low", 0, false);
  steady(3.7, 6);
  say("too low", 0, false);
  course_is(
      "opened, excused: unclear: between 100 and 140 % of nominal in 20 s [7 "
      "7] 14\n"
      "12 s later, excused: unclear: between 100 and 140 % of nominal in 20 s "
      "[7 7] 14\n"
      "long after, excused: unclear: between 140 and 140 % of nominal in 20 s "
      "[7 7] 14\n"
      "slowly closed, excused: unclear: between 60 and 97 % of nominal in 20 s "
      "[7 7] 6.22\n"
      "nearly too low, excused: unclear: between 43 and 100 % of nominal in 20 "
      "s [7 7] 4.27\n"
      "too low: blocked or stopped: 37 % of nominal for 12 s [4 7] 3.69\n");
}

static void test_short(void) {
  static const double wild[] = {1e9, NAN};
  course_begin();
  for (int i = 0; i < 2; i++) {
    wr_context_init(&c);
    wr_context_add(&c, wild + i, 1, 1, 1);
    say("wild", 1, false);
  }
  begin(10, 0);
  say("nothing", 0, false);
  say("nothing, below", -1, true);
  steady(10, 2);
  say("two seconds", 0, false);
  steady(1, 2);
  say("four", 0, false);
  steady(1, 5);
  say("nine", 0, false);
  steady(1, 1);
  say("ten", 0, false);
  say("ten, above", 1, false);
  course_is(
      "wild: burst or too high: 9999 % of nominal for 1 s [5 7] 1e+09\n"
      "wild: burst or too high: 9999 % of nominal for 0 s [5 7] nan\n"
      "nothing: unclear: between 0 and 0 % of nominal in 0 s [7 7] 0\n"
      "nothing, below: unclear: between 0 and 0 % of nominal in 0 s [7 7] 0\n"
      "two seconds: unclear: between 100 and 100 % of nominal in 2 s [7 7] 10\n"
      "four: unclear: between 9 and 100 % of nominal in 4 s [7 7] 4\n"
      "nine: blocked or stopped: 10 % of nominal for 7 s [4 7] 0.978\n"
      "ten: blocked or stopped: 10 % of nominal for 8 s [4 7] 1.02\n"
      "ten, above: burst or too high: 10 % of nominal for 10 s [5 7] 1.02\n");
}

UNIT_MAIN("hint, its course", UNIT(test_faults), UNIT(test_levels),
          UNIT(test_changes), UNIT(test_short))
