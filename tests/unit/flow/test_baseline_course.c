/* The whole course of a baseline: each change of its state and each new point,
 * and now and then all that it says of itself. */
#include "lib/flow/baseline.h"

#include "tests/unit/flow/course.h"

#include <math.h>

#define S INT64_C(1000000)
#define HOUR 3600
#define DAY 86400

static struct wr_baseline b;
static struct wr_baseline_rules rules;
static int64_t time_us, now_ms;
static double interval_s, roughness;

/* Whether it is far enough from nothing to be written with digits. */
static double tidy(double value) {
  return fabs(value) < 1e-6 || isnan(value) ? 0 : value;
}

static void say(const char *what) {
  static const char *const states[] = {"learning", "normal", "restless",
                                       "spread", "drift"};
  struct wr_baseline_view v;
  wr_baseline_view(&b, &rules, &v);
  course_put("%d %s: %s%s for %.0f, level %.4g", (int)(now_ms / 1000), what,
             states[v.state],
             v.direction < 0 ? " down"
             : v.direction   ? " up"
                             : "",
             v.since_s, tidy(v.level));
  if (b.learned)
    course_put(" of %.4g +- %.3g, days %.4g, off %.3g, score %.3g%s, lost %.3g",
               v.baseline, v.half, v.reference, tidy(v.deviation),
               tidy(v.score), v.by_days ? " of the days" : "", tidy(v.lost));
  course_put("\n");
}

static void say_points(void) {
  for (int i = 0; i < WR_POINTS_MAX; i++) {
    const struct wr_point *p = b.points.at + i;
    if (p->used)
      course_put("  %s%s %.4g, days %.4g from %.4g, seen %.0f, held %.0f, left "
                 "%.0f, %u visits, key %.3g\n",
                 i == b.points.current ? "at " : "",
                 p->accepted ? "point" : "candidate", (double)p->level,
                 (double)p->reference, (double)p->origin, (double)p->seen_s,
                 (double)p->held_s, (double)p->left_s, p->visits,
                 tidy((double)p->key));
  }
  course_put("  usual %.3g, wander %.3g, pulse %.3g, litres %.5g\n",
             (double)b.deviation, (double)b.wander, (double)b.quantum,
             b.totals.litres);
}

static void say_forecast(void) {
  struct wr_forecast f;
  wr_baseline_forecast(&b, &rules, &f);
  course_put("  forecast: %s", f.clear ? "" : "none\n");
  if (f.clear)
    course_put("%.3g %% an hour since %.0f, in %.3g (%.3g to %.3g)\n",
               f.per_hour, f.since_s, f.left_s, f.soonest_s, f.latest_s);
}

static void push(double value) {
  time_us += (int64_t)(interval_s * 1e6);
  now_ms += (int64_t)(interval_s * 1e3);
  unsigned events =
      wr_baseline_push(&b, &rules, time_us, now_ms, interval_s, value);
  if (events & WR_BASELINE_POINT)
    course_put("%d a new point\n", (int)(now_ms / 1000));
  if (events & WR_BASELINE_CHANGED)
    say("change");
}

/* So many seconds of it, from one level to another. */
static void flow(double from, double to, int seconds) {
  int samples = (int)(seconds / interval_s);
  for (int i = 0; i < samples; i++) {
    double level = from + (to - from) * i / samples;
    push(level * (1 + roughness * (course_noise() + course_noise())));
  }
}

static void begin(double interval) {
  course_begin();
  course_random = 1;
  rules = (struct wr_baseline_rules)WR_BASELINE_RULES;
  time_us = INT64_C(1700000000) * S;
  now_ms = 0;
  interval_s = interval;
  roughness = 0.004;
  wr_baseline_init(&b);
}

/* Learns, and finds a step, a rougher flow, and a drift of minutes. */
static void test_minutes(void) {
  begin(1);
  flow(10, 10, 500);
  say("learnt");
  flow(10.25, 10.25, 60);
  say("step");
  flow(10, 10, 200);
  roughness = 0.015;
  flow(10, 10, 60);
  say("rough");
  roughness = 0.004;
  flow(10, 10, 200);
  flow(10, 9.7, 600);
  say("drifting");
  flow(9.7, 9.7, 600);
  flow(10, 10, HOUR);
  say("after");
  say_points();
  course_is("400 change: normal for 0, level 9.98 of 10 +- 0.18, days 10, off "
            "-0.00246, score 0.137, lost -1.48\n"
            "500 learnt: normal for 100, level 10.01 of 10 +- 0.18, days 10, "
            "off 0.000544, score 0.0302, lost 0.326\n"
            "502 change: spread for 0, level 10.04 of 10 +- 0.18, days 10, off "
            "0.00419, score 0.233, lost 2.51\n"
            "509 change: drift up for 0, level 10.19 of 10 +- 0.18, days 10, "
            "off 0.0185, score 1.03, lost 11.1\n"
            "560 step: drift up for 51, level 10.25 of 10.01 +- 0.18, days 10, "
            "off 0.0247, score 1.37, lost 14.9\n"
            "592 change: spread for 0, level 10.01 of 10.01 +- 0.18, days 10, "
            "off 9.17e-05, score 0.00509, lost 0.055\n"
            "607 change: normal for 0, level 10.01 of 10.01 +- 0.18, days 10, "
            "off 0.000182, score 0.0101, lost 0.109\n"
            "768 change: spread for 0, level 9.973 of 10 +- 0.18, days 10, off "
            "-0.00309, score 0.172, lost -1.85\n"
            "820 rough: spread for 52, level 9.967 of 10 +- 0.18, days 10, off "
            "-0.00357, score 0.198, lost -2.14\n"
            "864 change: normal for 0, level 10 of 10 +- 0.18, days 10, off "
            "0.000267, score 0.0148, lost 0.16\n"
            "1620 drifting: normal for 756, level 9.696 of 9.718 +- 0.175, "
            "days 9.941, off -0.00226, score 0.126, lost -1.32\n"
            "2221 change: spread for 0, level 9.723 of 9.699 +- 0.175, days "
            "9.861, off 0.00247, score 0.137, lost 1.44\n"
            "2228 change: drift up for 0, level 9.896 of 9.699 +- 0.175, days "
            "9.861, off 0.0202, score 1.12, lost 11.8\n"
            "4633 change: normal for 0, level 9.998 of 9.83 +- 0.177, days "
            "9.861, off 0.0171, score 0.948, lost 10.1\n"
            "4667 change: drift up for 0, level 10.03 of 9.849 +- 0.177, days "
            "9.861, off 0.0182, score 1.01, lost 10.7\n"
            "4698 change: normal for 0, level 10.01 of 9.851 +- 0.177, days "
            "9.861, off 0.0166, score 0.92, lost 9.78\n"
            "5820 after: normal for 1122, level 9.976 of 9.991 +- 0.205, days "
            "9.892, off -0.00154, score 0.0755, lost -0.926\n"
            "  at point 10, days 9.892 from 9.892, seen 5400, held 1, left "
            "5800, 1 visits, key 0\n"
            "  usual 0.0316, wander 0.0102, pulse 1.62e-05, litres 965.71\n");
}

static const char points_course[] =
    "400 change: normal for 0, level 9.98 of 10 +- 0.18, days 10, off "
    "-0.00246, score 0.137, lost -1.48\n"
    "501 change: drift down for 0, level 9.67 of 10 +- 0.18, days 10, off "
    "-0.0331, score 1.84, lost -19.9\n"
    "1119 a new point\n"
    "1119 change: normal for 0, level 9.998 of 9.998 +- 0.18, days 6.001, "
    "off 0, score 0, lost 0\n"
    "1400 second: normal for 281, level 6.002 of 6.003 +- 0.108, days 6.001, "
    "off -0.000127, score 0.00703, lost -0.0456\n"
    "  point 10, days 10 from 10, seen 0, held 1, left 400, 1 visits, key 0\n"
    "  at point 6.001, days 6.001 from 6.001, seen 0, held 600, left 1119, 1 "
    "visits, key 0\n"
    "  usual 0.0306, wander 0.00205, pulse 9.54e-06, litres 173.34\n"
    "2000 near it: normal for 881, level 6.297 of 6.298 +- 0.113, days "
    "6.001, off -0.000159, score 0.00883, lost -0.06\n"
    "5620 change: drift up for 0, level 14 of 9.992 +- 0.18, days 10, off "
    "0.401, score 22.3, lost 241\n"
    "6041 change: spread for 0, level 10 of 9.995 +- 0.18, days 10, off "
    "0.000726, score 0.0403, lost 0.435\n"
    "6049 change: normal for 0, level 9.992 of 9.994 +- 0.18, days 10, off "
    "-0.000187, score 0.0104, lost -0.112\n"
    "6420 change: drift up for 0, level 14 of 10 +- 0.18, days 10, off 0.4, "
    "score 22.2, lost 240\n"
    "6724 a new point\n"
    "6724 change: normal for 0, level 10 of 10 +- 0.18, days 14, off 0, "
    "score 0, lost 0\n"
    "7900 third: normal for 1176, level 14 of 14 +- 0.252, days 14, off "
    "0.00038, score 0.0211, lost 0.319\n"
    "7920 change: drift down for 0, level 0 of 14 +- 0.252, days 14, off -1, "
    "score 55.6, lost -840\n"
    "8220 change: normal for 0, level 14 of 14 +- 0.252, days 10, off 0, "
    "score 0, lost 0\n"
    "  at point 9.999, days 10 from 10, seen 3000, held 1, left 5050, 1 "
    "visits, key 0\n"
    "  point 6.001, days 6.001 from 6.001, seen 0, held 600, left 1119, 1 "
    "visits, key 0\n"
    "  point 14, days 14 from 14, seen 600, held 600, left 7850, 2 visits, "
    "key 0\n"
    "  candidate 0, days 0 from 0, seen 0, held 280, left 8200, 1 visits, "
    "key 0\n"
    "  usual 0.0328, wander 0.00281, pulse 9.54e-06, litres 1388.2\n";

/* A second level: once in the first day by holding, later by coming back. */
static void test_points(void) {
  begin(1);
  flow(10, 10, 500);
  flow(6, 6, 900);
  say("second");
  say_points();
  flow(10, 10, 300);
  flow(6.3, 6.3, 300);
  say("near it");
  flow(10, 10, HOUR);
  for (int i = 0; i < 2; i++) {
    flow(14, 14, 400);
    flow(10, 10, 400);
  }
  flow(14, 14, 700);
  say("third");
  flow(0, 0, 300);
  flow(10, 10, 300);
  say_points();
  course_is(points_course);
}

/* Days at ten seconds a sample: a slow loss, its forecast, and its mending. */
static void test_days(void) {
  begin(10);
  flow(10, 10, DAY);
  say("a day");
  flow(10, 9.8, DAY);
  say("two");
  say_forecast();
  flow(9.8, 9.2, DAY);
  say("three");
  say_forecast();
  say_points();
  flow(9.2, 8.6, DAY);
  say("four");
  say_forecast();
  flow(10, 10, HOUR);
  say("mended");
  say_points();
  rules.low = 9;
  rules.high = 10.5;
  flow(10, 10.4, DAY / 4);
  say_forecast();
  course_is("400 change: normal for 0, level 10 of 9.996 +- 0.18, days 9.996, "
            "off 0.000666, score 0.037, lost 0.399\n"
            "86400 a day: normal for 86000, level 10 of 9.993 +- 0.18, days "
            "10, off 0.000721, score 0.04, lost 0.432\n"
            "172800 two: normal for 172400, level 9.798 of 9.785 +- 0.176, "
            "days 9.951, off -0.0152, score 0.38 of the days, lost -9.08\n"
            "  forecast: -0.0844 % an hour since 86000, in 1.14e+06 (1.12e+06 "
            "to 1.16e+06)\n"
            "212200 change: drift down for 0, level 9.52 of 9.512 +- 0.171, "
            "days 9.928, off -0.0408, score 1.02 of the days, lost -24.3\n"
            "259200 three: drift down for 47000, level 9.2 of 9.193 +- 0.165, "
            "days 9.926, off -0.075, score 1.88 of the days, lost -44.7\n"
            "  forecast: -0.23 % an hour since 114800, in 3.25e+05 (2.81e+05 "
            "to 3.86e+05)\n"
            "  at point 9.519, days 9.926 from 10, seen 258600, held 1, left "
            "259000, 1 visits, key 0\n"
            "  usual 0.0283, wander 0.00405, pulse 5.72e-06, litres 42335\n"
            "345600 four: drift down for 133400, level 8.6 of 8.598 +- 0.155, "
            "days 9.921, off -0.103, score 4.31 of the days, lost -61.6\n"
            "  forecast: -0.271 % an hour since 172400, in 1.84e+05 (1.81e+05 "
            "to 1.88e+05)\n"
            "345650 change: normal for 0, level 10.03 of 10.03 +- 0.18, days "
            "9.921, off 0.00796, score 0.199 of the days, lost 4.79\n"
            "349200 mended: normal for 3550, level 9.994 of 9.981 +- 0.18, "
            "days 9.922, off 0.00815, score 0.204 of the days, lost 4.88\n"
            "  at point 10.01, days 9.922 from 10, seen 348000, held 1, left "
            "348700, 1 visits, key 0\n"
            "  usual 0.0281, wander 0.00408, pulse 5.72e-06, litres 55752\n"
            "368500 change: drift up for 0, level 10.35 of 10.35 +- 0.186, "
            "days 9.934, off 0.0405, score 1.01 of the days, lost 25.2\n"
            "  forecast: 0.659 % an hour since 14600, in 5.1e+03 (4.78e+03 to "
            "5.45e+03)\n");
}

/* Limits beyond which it is already, and one that is never reached. */
static void test_forecast_of_limits(void) {
  begin(10);
  flow(10, 10, DAY / 2);
  flow(10, 9.5, DAY / 8);
  say_forecast();
  rules.low = 9.4;
  say_forecast();
  rules.low = 9.8;
  say_forecast();
  rules.high = 11;
  flow(9.5, 10.5, DAY / 4);
  say_forecast();
  course_is("400 change: normal for 0, level 10 of 9.996 +- 0.18, days 9.996, "
            "off 0.000666, score 0.037, lost 0.399\n"
            "53800 change: drift down for 0, level 9.502 of 9.495 +- 0.171, "
            "days 9.951, off -0.0419, score 1.05 of the days, lost -25\n"
            "  forecast: -1.53 % an hour since 11000, in 5.69e+04 (5.49e+04 to "
            "5.9e+04)\n"
            "  forecast: -1.53 % an hour since 11000, in 2.48e+03 (2.38e+03 to "
            "2.6e+03)\n"
            "  forecast: -1.53 % an hour since 11000, in 0 (0 to 0)\n"
            "58600 change: normal for 0, level 9.702 of 9.704 +- 0.175, days "
            "9.951, off -0.0285, score 0.712 of the days, lost -17\n"
            "74200 change: drift up for 0, level 10.44 of 10.44 +- 0.188, days "
            "9.977, off 0.0412, score 1.03 of the days, lost 25.8\n"
            "  forecast: 1.54 % an hour since 14300, in 1.07e+04 (1.03e+04 to "
            "1.12e+04)\n");
}

static const char set_points_course[] =
    "0 set to 10: 0\n"
    "400 change: normal for 0, level 9.98 of 10 +- 0.18, days 10, off "
    "-0.00246, score 0.137, lost -1.48\n"
    "500 there: normal for 100, level 10.01 of 10 +- 0.18, days 10, off "
    "0.000544, score 0.0302, lost 0.326\n"
    "500 set to 6: 4\n"
    "700 there: normal for 300, level 6.007 of 6 +- 0.108, days 6.002, off "
    "0.00126, score 0.0699, lost 0.453\n"
    "700 set to 10: 0\n"
    "900 there: normal for 500, level 10 of 9.995 +- 0.18, days 10, off "
    "0.000844, score 0.0469, lost 0.506\n"
    "900 set to 6.05: 0\n"
    "1100 there: normal for 700, level 6.043 of 6.047 +- 0.109, days 6.002, "
    "off -0.000649, score 0.036, lost -0.235\n"
    "1100 set to 12: 4\n"
    "1300 there: normal for 900, level 12.01 of 12.01 +- 0.216, days 11.98, "
    "off 0, score 0, lost 0\n"
    "1300 set to 6: 0\n"
    "1500 there: normal for 1100, level 6.001 of 5.998 +- 0.108, days 6.002, "
    "off 0.000591, score 0.0328, lost 0.213\n"
    "1520 change: drift up for 0, level 6.299 of 5.998 +- 0.108, days 6.002, "
    "off 0.0501, score 2.78, lost 18\n"
    "  point 10, days 10 from 10, seen 0, held 1, left 400, 1 visits, key "
    "10\n"
    "  at point 6.002, days 6.002 from 6.002, seen 0, held 1, left 500, 1 "
    "visits, key 6\n"
    "  point 11.98, days 11.98 from 11.98, seen 0, held 1, left 1100, 1 "
    "visits, key 12\n"
    "  usual 0.0306, wander 0.0023, pulse 1.62e-05, litres 223.14\n"
    "1601 change: normal for 0, level 12.01 of 12 +- 0.216, days 12, off "
    "0.000785, score 0.0436, lost 0.565\n"
    "1620 twice as large: normal for 19, level 11.99 of 12 +- 0.216, days "
    "12, off -0.000481, score 0.0267, lost -0.346\n"
    "  point 20.01, days 20.01 from 20.01, seen 0, held 1, left 400, 1 "
    "visits, key 0\n"
    "  at point 12, days 12 from 12, seen 0, held 1, left 500, 1 visits, key "
    "0\n"
    "  point 23.97, days 23.97 from 23.97, seen 0, held 1, left 1100, 1 "
    "visits, key 0\n"
    "  usual 0.0611, wander 0.00229, pulse 3.24e-05, litres 235.13\n"
    "1740 by itself: normal for 139, level 23.97 of 23.99 +- 0.432, days "
    "23.97, off -0.000754, score 0.0419, lost -1.08\n"
    "1\n"
    "1740 confirmed: normal for 139, level 23.97 of 23.98 +- 0.432, days "
    "23.98, off -0.000659, score 0.0366, lost -0.949\n"
    "  point 20.01, days 20.01 from 20.01, seen 0, held 1, left 400, 1 "
    "visits, key 0\n"
    "  point 12, days 12 from 12, seen 0, held 1, left 500, 1 visits, key 0\n"
    "  at point 23.98, days 23.98 from 23.98, seen 0, held 1, left 1100, 1 "
    "visits, key 0\n"
    "  usual 0.0854, wander 0.00228, pulse 3.24e-05, litres 283.12\n";

/* Set points: each has its normal, learnt where it first was. */
static void test_set_points(void) {
  static const double keys[] = {10, 6, 10, 6.05, 12, 6};
  begin(1);
  wr_baseline_setpoint(&b, 10, 1);
  for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
    unsigned events = wr_baseline_setpoint(&b, keys[i], 1);
    course_put("%d set to %g: %u\n", (int)(now_ms / 1000), keys[i], events);
    flow(keys[i], keys[i], i == 0 ? 500 : 200);
    say("there");
  }
  flow(6.3, 6.3, 60);
  say_points();
  wr_baseline_rescale(&b, 2);
  flow(12, 12, 60);
  say("twice as large");
  wr_baseline_unkey(&b);
  say_points();
  flow(24, 24, 120);
  say("by itself");
  course_put("%d\n", wr_baseline_confirm(&b));
  say("confirmed");
  say_points();
  course_is(set_points_course);
}

/* A gap, a restart, late and doubled samples: no alarm by them, none ended. */
static void test_gaps(void) {
  begin(1);
  flow(10, 10, 200);
  time_us += 600 * S;
  now_ms += 600000;
  flow(10, 10, 300);
  say("learning anew");
  flow(10, 10, 200);
  flow(10.4, 10.4, 60);
  time_us += 600 * S;
  now_ms += 600000;
  flow(10.4, 10.4, 60);
  say("alarm after a gap");
  wr_baseline_resume(&b);
  flow(10, 10, 120);
  say("resumed");
  time_us += 3600 * S;
  now_ms += 3600000;
  flow(10.3, 10.3, 120);
  say("near after a gap");
  time_us += 3600 * S;
  now_ms += 3600000;
  flow(11, 11, 120);
  say("far after a gap");
  time_us -= 1 * S;
  push(11);
  interval_s = 0.25;
  flow(11, 11, 60);
  say("four a second");
  wr_baseline_reset(&b);
  say("reset");
  say_points();
  course_is("1100 learning anew: learning for 1100, level 10.01\n"
            "1200 change: normal for 0, level 9.996 of 9.999 +- 0.18, days "
            "9.999, off -0.000348, score 0.0194, lost -0.209\n"
            "1302 change: spread for 0, level 10.08 of 10 +- 0.18, days 9.999, "
            "off 0.00809, score 0.45, lost 4.86\n"
            "1306 change: drift up for 0, level 10.19 of 10 +- 0.18, days "
            "9.999, off 0.0194, score 1.08, lost 11.6\n"
            "2020 alarm after a gap: drift up for 714, level 10.39 of 10 +- "
            "0.18, days 9.999, off 0.0386, score 2.14, lost 23.2\n"
            "2080 change: normal for 0, level 9.985 of 10 +- 0.18, days 9.999, "
            "off -0.00176, score 0.0976, lost -1.05\n"
            "2140 resumed: normal for 60, level 9.994 of 10 +- 0.18, days "
            "9.999, off -0.000927, score 0.0515, lost -0.557\n"
            "5860 near after a gap: normal for 3780, level 10.29 of 10.29 +- "
            "0.185, days 9.999, off 0.000278, score 0.0154, lost 0.172\n"
            "9491 change: drift up for 0, level 11 of 9.999 +- 0.18, days "
            "9.999, off 0.0997, score 5.54, lost 59.8\n"
            "9580 far after a gap: drift up for 89, level 10.99 of 10 +- 0.18, "
            "days 9.999, off 0.0995, score 5.53, lost 59.7\n"
            "9641 four a second: drift up for 149, level 11 of 10 +- 0.18, "
            "days 9.999, off 0.0998, score 5.54, lost 59.9\n"
            "9641 reset: learning for 0, level 0\n"
            "  usual 0, wander 0, pulse 0, litres 211.07\n");
}

static const char rest_course[] =
    "400 change: normal for 0, level 8.005 of 7.992 +- 0.144, days 7.992, "
    "off 0.00167, score 0.0925, lost 0.799\n"
    "28810 change: drift down for 0, level 7.347 of 8.019 +- 0.196, days "
    "7.999, off -0.0838, score 3.43, lost -40.3\n"
    "29440 a new point\n"
    "29440 change: normal for 0, level 8.016 of 8.016 +- 0.196, days 0, off "
    "0, score 0, lost 0\n"
    "43250 change: drift up for 0, level 1.253 of 8.886e-06 +- 0.0338, days "
    "0, off 0.783, score 37.1, lost 75.2\n"
    "43850 a new point\n"
    "43850 change: normal for 0, level 0.0005331 of 0.0005331 +- 0.0338, "
    "days 2.998, off 0, score 0, lost 0\n"
    "86400 a day: normal for 42550, level 0 of 0 +- 0.0288, days 0, off 0, "
    "score 0, lost 0\n"
    "172800 a day: normal for 128950, level 0 of 0 +- 0.0288, days 0, off 0, "
    "score 0, lost 0\n"
    "172960 change: drift up for 0, level 8.023 of 8.89e-06 +- 0.0288, days "
    "0, off 5.01, score 279, lost 481\n"
    "173040 change: normal for 0, level 7.112e-05 of 7.112e-05 +- 0.0288, "
    "days 7.999, off 0.0003, score 0.0075 of the days, lost 0.144\n"
    "237650 change: drift down for 0, level 1.874 of 2.995 +- 0.0656, days "
    "3, off -0.374, score 17.1, lost -67.3\n"
    "259200 a day: drift down for 21550, level 0.2999 of 2.96 +- 0.0648, "
    "days 3, off -0.899, score 41.1, lost -160\n"
    "259220 change: drift up for 0, level 1.589 of 2.96 +- 0.0648, days 3, "
    "off -0.463, score 21.2, lost -82.3\n"
    "259250 change: normal for 0, level 2.96 of 2.96 +- 0.0648, days 7.999, "
    "off 0, score 0 of the days, lost 0\n"
    "260650 change: spread for 0, level 8.023 of 8.021 +- 0.174, days 7.999, "
    "off 0.000334, score 0.0154, lost 0.161\n"
    "260710 change: normal for 0, level 8.031 of 8.017 +- 0.174, days 7.999, "
    "off 0.00173, score 0.0796, lost 0.831\n"
    "324050 a new point\n"
    "345600 a day: normal for 84890, level 0.2999 of 0.3006 +- 0.0288, days "
    "0.3001, off -0.000439, score 0.0244, lost -0.0421\n"
    "432000 a day: normal for 171290, level 0.3009 of 0.3003 +- 0.0288, days "
    "0.3, off 0.000339, score 0.0188, lost 0.0326\n"
    "  point 8.009, days 8 from 7.999, seen 96000, held 1, left 373870, 1 "
    "visits, key 0\n"
    "  point 0, days 0 from 0, seen 110400, held 600, left 388300, 1 visits, "
    "key 0\n"
    "  point 2.995, days 3 from 3, seen 104400, held 600, left 409900, 1 "
    "visits, key 0\n"
    "  at point 0.3, days 0.3 from 0.3, seen 42000, held 21550, left 431500, "
    "1 visits, key 0\n"
    "  usual 0.0248, wander 0.00837, pulse 3.28e-07, litres 24922\n"
    "  rest 0.00116, 5 days, restless 0, 5027 in the last day, 18.01 in the "
    "last hour\n";

/* A loop that rests at night, and then no longer does. */
static void test_rest(void) {
  begin(10);
  roughness = 0.01;
  for (int day = 0; day < 5; day++) {
    flow(8, 8, DAY / 3);
    flow(0, 0, DAY / 6);
    flow(3, 3, DAY / 4);
    flow(day < 2 ? 0 : 0.3, day < 2 ? 0 : 0.3, DAY / 4);
    say("a day");
  }
  say_points();
  course_put("  rest %.3g, %d days, restless %d, %.4g in the last day, %.4g in "
             "the last hour\n",
             wr_totals_rest(&b.totals), b.totals.days, b.totals.restless,
             (double)b.totals.last_day, (double)b.totals.last_hour);
  course_is(rest_course);
}

UNIT_MAIN("baseline, its course", UNIT(test_minutes), UNIT(test_points),
          UNIT(test_days), UNIT(test_forecast_of_limits), UNIT(test_set_points),
          UNIT(test_gaps), UNIT(test_rest))
