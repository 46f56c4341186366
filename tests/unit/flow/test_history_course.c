/* What is learned from the first minutes, and what the means of ten minutes
 * tell later. */
#include "lib/flow/learning.h"
#include "lib/flow/recent.h"
#include "lib/flow/trend.h"

#include "tests/unit/flow/course.h"

#include <math.h>

static struct wr_learning learning;
static int second;

/* So many values of it; says what was learned when it was. */
static void learn(double level, double rough, int count, double dt_s) {
  struct wr_learned l;
  for (int i = 0; i < count; i++) {
    double value = level * (1 + rough * course_noise());
    second++;
    if (wr_learning_add(&learning, 400, value, dt_s, &l))
      course_put("%d: %.4g, usual %.3g, wander %.3g, other %.4g%s\n", second,
                 l.level, l.deviation, l.wander, isnan(l.other) ? 0 : l.other,
                 l.rests ? ", rests" : "");
  }
}

static void begin(const char *what) {
  course_put("%s\n", what);
  course_random = 9;
  memset(&learning, 0, sizeof(learning));
  second = 0;
}

static void test_learning(void) {
  course_begin();
  begin("steady");
  learn(10, 0.02, 800, 1);
  begin("slow samples");
  learn(10, 0.02, 41, 30);
  begin("fast samples");
  learn(10, 0.02, 500, 0.9);
  begin("a dropout and a pump that starts");
  learn(2, 0.1, 30, 1);
  learn(10, 0.01, 200, 1);
  learn(0, 0, 25, 1);
  learn(10, 0.01, 200, 1);
  begin("two levels");
  learn(10, 0.004, 240, 1);
  learn(6, 0.004, 160, 1);
  begin("two levels, the second rough");
  learn(10, 0.004, 240, 1);
  for (int i = 0; i < 8; i++)
    learn(6 + i * 0.1, 0.004, 20, 1);
  begin("a quarter without flow");
  for (int i = 0; i < 5; i++) {
    learn(10, 0.01, 80, 1);
    learn(0, 0, 40, 1);
  }
  begin("drifting");
  for (int i = 0; i < 40; i++)
    learn(10 + i * 0.02, 0.004, 20, 1);
  begin("wild");
  for (int i = 0; i < 60; i++)
    learn(1 + i % 19, 0.01, 20, 1);
  course_is("steady\n"
            "400: 10, usual 0.122, wander 0.00137, other 0\n"
            "800: 10, usual 0.116, wander 0.000893, other 0\n"
            "slow samples\n"
            "40: 9.976, usual 0.157, wander 0.00371, other 0\n"
            "fast samples\n"
            "460: 9.988, usual 0.114, wander 0.00117, other 0\n"
            "a dropout and a pump that starts\n"
            "400: 9.992, usual 0.0579, wander 0.000778, other 0\n"
            "two levels\n"
            "400: 9.995, usual 0.0239, wander 0.000718, other 5.999\n"
            "two levels, the second rough\n"
            "400: 9.995, usual 0.0239, wander 0.000718, other 0\n"
            "a quarter without flow\n"
            "560: 9.999, usual 0.0593, wander 0.000435, other 0, rests\n"
            "drifting\n"
            "400: 10.11, usual 0.024, wander 0.0088, other 0\n"
            "800: 10.51, usual 0.0233, wander 0.0081, other 0\n"
            "wild\n");
}

static void forecast(const struct wr_trend *t, double rest_s) {
  struct wr_forecast f;
  double day = 0;
  wr_trend_forecast(t, rest_s, -20, 30, &f);
  course_put("recent %.4g %.4g %.4g", wr_trend_recent(t, 1),
             wr_trend_recent(t, 3), wr_trend_recent(t, 100));
  if (wr_trend_day(t, &day))
    course_put(", day %.4g", day);
  if (f.clear)
    course_put(", %.3g an hour since %.0f, in %.4g (%.4g to %.4g)", f.per_hour,
               f.since_s, f.left_s, f.soonest_s, f.latest_s);
  course_put("\n");
}

static void push(struct wr_trend *t, double from, double to, int count) {
  for (int i = 0; i < count; i++)
    wr_trend_push(t, from + (to - from) * i / count + 0.2 * course_noise());
}

static void test_trend(void) {
  struct wr_trend t = {0};
  course_begin();
  course_random = 9;
  forecast(&t, 0);
  push(&t, 1, 1, 4);
  forecast(&t, 0);
  push(&t, 1, -4, 12);
  forecast(&t, 60);
  push(&t, -4, -18, 30);
  forecast(&t, 500);
  push(&t, -18, -22, 10);
  forecast(&t, 0);
  memset(&t, 0, sizeof(t));
  push(&t, 0, 0, 400);
  forecast(&t, 0);
  push(&t, 0, 8, 150);
  forecast(&t, 0);
  push(&t, 8, 12, 900);
  forecast(&t, 300);
  push(&t, 12, 29, 900);
  forecast(&t, 0);
  push(&t, 29, 29, 40);
  forecast(&t, 0);
  push(&t, 500, -500, 4);
  forecast(&t, 0);
  course_is(
      "recent 0 0 0\n"
      "recent 0.8 0.9433 0.9325\n"
      "recent -3.5 -3.203 -0.75, -2.46 an hour since 6960, in 2.367e+04 "
      "(2.13e+04 to 2.662e+04)\n"
      "recent -17.67 -17.07 -12.16, -2.8 an hour since 14600, in 2394 (2277 to "
      "2519)\n"
      "recent -21.67 -21.27 -16.69, -2.66 an hour since 14100, in 0 (0 to 0)\n"
      "recent -0.11 -0.1133 0.01042, day 0.0025\n"
      "recent 7.81 7.883 7.342, day 3.608, 0.325 an hour since 88800, in "
      "2.438e+05 (2.394e+05 to 2.483e+05)\n"
      "recent 11.93 11.99 11.95, day 11.64, 0.0622 an hour since 827100, in "
      "9.173e+05 (5.4e+05 to 2.637e+06)\n"
      "recent 29 28.97 28.79, day 27.43, 0.0717 an hour since 1280400, in "
      "2.108e+05 (1.478e+05 to 3.247e+05)\n"
      "recent 29.05 29.09 29, day 28.25, 0.0717 an hour since 1304400, in "
      "1.868e+05 (1.238e+05 to 3.007e+05)\n"
      "recent -249.9 0.03333 37.81, day 28.25, 0.0717 an hour since 1306800, "
      "in 1.844e+05 (1.214e+05 to 2.983e+05)\n");
}

static void test_recent(void) {
  struct wr_recent r = {0};
  struct wr_recent_look look;
  course_begin();
  course_random = 9;
  for (int i = 0; i < 70; i++) {
    if (i % 23 == 0 || i == 1 || i == 7) {
      wr_recent_look(&r, 5, 12, 20, &look);
      course_put("%d: %.4g %.4g %.4g, %.4g %.4g, %.4g %.4g\n", i, look.few,
                 look.more, look.deviation, wr_recent_mean(&r, 5),
                 wr_recent_mean(&r, WR_RECENT_MAX), wr_recent_deviation(&r, 5),
                 wr_recent_deviation(&r, WR_RECENT_MAX));
    }
    wr_recent_push(&r, 1000 + i * 0.1 + course_noise());
  }
  course_is("0: 0 0 0, 0 0, 0 0\n"
            "1: 999.5 999.5 0, 999.5 999.5, 0 0\n"
            "7: 1000 999.9 0.6671, 1000 999.9, 0.6628 0.6671\n"
            "23: 1002 1002 0.9279, 1002 1001, 0.6089 0.9279\n"
            "46: 1004 1004 0.7874, 1004 1004, 0.6471 0.7874\n"
            "69: 1007 1006 0.8277, 1007 1006, 0.7003 0.8277\n");
}

UNIT_MAIN("history, its course", UNIT(test_learning), UNIT(test_trend),
          UNIT(test_recent))
