/* What the level is known to be, second by second, and the band it is in. */
#include "lib/flow/level.h"

#include "tests/unit/flow/course.h"

#include <math.h>

static const struct wr_range ranges[] = {
    {0, 0, 4}, {1, 4, 7.5}, {2, 7.5, 12.5}, {3, 14, 20}};
static struct wr_level level;
static struct wr_bands bands;
static double quantum;
static int second;

static void begin(double given) {
  course_begin();
  course_random = 3;
  wr_level_init(&level);
  bands = (struct wr_bands){ranges, 4, 1, 0.5};
  quantum = given;
  second = 0;
}

/* One sample; all that is known then, if asked for. */
static void feed(double sample, bool say) {
  wr_level_add(&level, sample);
  wr_level_look(&level, quantum);
  int band = wr_level_band(&level, &bands);
  second++;
  if (!say)
    return;
  course_put("%d: %.4g -> ", second, sample);
  if (isnan(level.value))
    course_put("nothing");
  else
    course_put("%.4g +- %.3g of %zu, noise %.3g, quantum %.3g", level.value,
               level.doubt, level.seconds, fabs(level.noise), level.quantum);
  course_put(", band %d, anchor %.4g\n", band,
             level.chosen ? level.anchor : 0.0);
}

/* The next `count` seconds of a flow, as pulses of this size count it. */
static void flow(double lpm, double rough, double pulse, int count, int every) {
  static double carried;
  if (second == 0)
    carried = 0;
  for (int i = 1; i <= count; i++) {
    carried += lpm + rough * course_noise();
    double counted =
        pulse > 0 ? floor(carried / pulse + 1e-9) * pulse : carried;
    carried -= counted;
    feed(counted, i % every == 0);
  }
}

static const char counted_course[] =
    "1: 10 -> nothing, band -1, anchor 0\n"
    "2: 10 -> 10 +- 0.0625 of 2, noise 0, quantum 0.125, band 2, anchor 10\n"
    "3: 10 -> 10 +- 0.168 of 3, noise 0.0625, quantum 0.125, band 2, anchor "
    "10\n"
    "4: 10 -> 10 +- 0.141 of 4, noise 0.0625, quantum 0.125, band 2, anchor "
    "10\n"
    "5: 10.12 -> 10.03 +- 0.141 of 4, noise 0.0625, quantum 0.125, band 2, "
    "anchor 10\n"
    "6: 10 -> 10.02 +- 0.11 of 6, noise 0.0625, quantum 0.125, band 2, "
    "anchor 10.02\n"
    "7: 10 -> 10.02 +- 0.11 of 6, noise 0.0625, quantum 0.125, band 2, "
    "anchor 10.02\n"
    "8: 10 -> 10.02 +- 0.11 of 6, noise 0.0625, quantum 0.125, band 2, "
    "anchor 10.02\n"
    "9: 10.12 -> 10.03 +- 0.0868 of 9, noise 0.0625, quantum 0.125, band 2, "
    "anchor 10.03\n"
    "10: 6.875 -> 8.5 +- 1.62 of 2, noise 0.0625, quantum 0.125, band 2, "
    "anchor 10.03\n"
    "11: 6.875 -> 6.875 +- 0.217 of 2, noise 0.0625, quantum 0.125, band 1, "
    "anchor 6.875\n"
    "12: 6.875 -> 6.875 +- 0.168 of 3, noise 0.0625, quantum 0.125, band 1, "
    "anchor 6.875\n"
    "13: 6.875 -> 6.875 +- 0.141 of 4, noise 0.0625, quantum 0.125, band 1, "
    "anchor 6.875\n"
    "14: 7 -> 6.906 +- 0.141 of 4, noise 0.0625, quantum 0.125, band 1, "
    "anchor 6.875\n"
    "15: 6.875 -> 6.896 +- 0.11 of 6, noise 0.0625, quantum 0.125, band 1, "
    "anchor 6.896\n";

static const char counted_course2[] =
    "2: 10 -> 9.938 +- 0.0625 of 2, noise 0, quantum 0, band 2, anchor "
    "9.938\n"
    "4: 10.12 -> 10.06 +- 0.397 of 4, noise 0.227, quantum 0, band 2, "
    "anchor 10.06\n"
    "6: 10.12 -> 10.06 +- 0.11 of 6, noise 0.0625, quantum 0.125, band "
    "2, anchor 10.06\n"
    "8: 10 -> 10.1 +- 0.11 of 6, noise 0.0625, quantum 0.125, band 2, "
    "anchor 10.06\n"
    "10: 10.25 -> 10 +- 0.25 of 2, noise 0.0625, quantum 0.125, band "
    "2, anchor 10.03\n"
    "12: 10.12 -> 10.04 +- 0.0868 of 9, noise 0.0625, quantum 0.125, "
    "band 2, anchor 10.03\n"
    "14: 10.12 -> 10.06 +- 0.0703 of 13, noise 0.0625, quantum 0.125, "
    "band 2, anchor 10.04\n"
    "16: 10.25 -> 10.07 +- 0.0703 of 13, noise 0.0625, quantum 0.125, "
    "band 2, anchor 10.04\n"
    "18: 10 -> 10.05 +- 0.271 of 13, noise 0.269, quantum 0.125, band "
    "2, anchor 10.04\n"
    "20: 10 -> 10.05 +- 0.151 of 19, noise 0.18, quantum 0.125, band "
    "2, anchor 10.04\n"
    "22: 10 -> 10.03 +- 0.0568 of 19, noise 0.0625, quantum 0.125, "
    "band 2, anchor 10.04\n"
    "24: 10 -> 10.03 +- 0.0568 of 19, noise 0.0625, quantum 0.125, "
    "band 2, anchor 10.04\n"
    "25: 4.125 -> 7.062 +- 2.94 of 2, noise 0.0625, quantum 0.125, "
    "band 2, anchor 10.04\n"
    "26: 4 -> 4.062 +- 0.217 of 2, noise 0.0625, quantum 0.125, band "
    "2, anchor 10.04\n"
    "27: 4.125 -> 4.083 +- 0.168 of 3, noise 0.0625, quantum 0.125, "
    "band 2, anchor 10.04\n"
    "28: 4.125 -> 4.094 +- 0.141 of 4, noise 0.0625, quantum 0.125, "
    "band 2, anchor 10.04\n"
    "29: 4.125 -> 4.094 +- 0.141 of 4, noise 0.0625, quantum 0.125, "
    "band 2, anchor 10.04\n"
    "30: 4.125 -> 4.104 +- 0.11 of 6, noise 0.0625, quantum 0.125, "
    "band 1, anchor 4.104\n"
    "31: 4 -> 4.083 +- 0.11 of 6, noise 0.0625, quantum 0.125, band 1, "
    "anchor 4.083\n"
    "32: 4.125 -> 4.104 +- 0.107 of 6, noise 0.0606, quantum 0.125, "
    "band 1, anchor 4.083\n"
    "33: 4.125 -> 4.097 +- 0.0789 of 9, noise 0.0557, quantum 0.125, "
    "band 1, anchor 4.097\n";

/* Whole pulses of an eighth of a litre, as given and as seen. */
static void test_counted(void) {
  begin(0.125);
  flow(10.03, 0, 0.125, 9, 1);
  flow(6.9, 0, 0.125, 6, 1);
  course_is(counted_course);
  begin(0);
  flow(10.03, 0.2, 0.125, 24, 2);
  flow(4.1, 0, 0.125, 9, 1);
  course_is(counted_course2);
}

/* Rough, creeping across an edge, and a single odd second. */
static void test_rough(void) {
  begin(0);
  flow(8, 0.3, 0, 30, 6);
  for (int i = 0; i < 30; i++)
    flow(8 - i * 0.04, 0.1, 0, 1, i % 5 == 4 ? 1 : 2);
  feed(2, true);
  flow(6.8, 0.1, 0, 6, 2);
  flow(7.7, 0.1, 0, 12, 3);
  course_is("6: 8.219 -> 8.069 +- 0.217 of 6, noise 0.152, quantum 0, band 2, "
            "anchor 8.069\n"
            "12: 8.175 -> 8.019 +- 0.301 of 9, noise 0.258, quantum 0, band 2, "
            "anchor 8.017\n"
            "18: 7.914 -> 8.025 +- 0.33 of 13, noise 0.34, quantum 0, band 2, "
            "anchor 8.023\n"
            "24: 7.977 -> 7.995 +- 0.0788 of 19, noise 0.0981, quantum 0, band "
            "2, anchor 8.02\n"
            "30: 8.291 -> 8.152 +- 0.0844 of 6, noise 0.0591, quantum 0, band "
            "2, anchor 8.017\n"
            "35: 7.777 -> 7.856 +- 0.103 of 4, noise 0.0591, quantum 0, band "
            "2, anchor 8.017\n"
            "40: 7.541 -> 7.767 +- 0.0859 of 9, noise 0.0736, quantum 0, band "
            "2, anchor 8.017\n"
            "45: 7.519 -> 7.662 +- 0.0791 of 13, noise 0.0815, quantum 0, band "
            "2, anchor 8.017\n"
            "50: 7.256 -> 7.473 +- 0.0989 of 13, noise 0.102, quantum 0, band "
            "1, anchor 7.473\n"
            "55: 7.023 -> 7.276 +- 0.101 of 13, noise 0.104, quantum 0, band "
            "1, anchor 7.473\n"
            "60: 6.824 -> 7.086 +- 0.108 of 13, noise 0.111, quantum 0, band "
            "1, anchor 7.473\n"
            "61: 2 -> 4.412 +- 2.41 of 2, noise 0.117, quantum 0, band 1, "
            "anchor 7.473\n"
            "63: 6.805 -> 6.763 +- 0.394 of 2, noise 0.159, quantum 0, band 1, "
            "anchor 7.473\n"
            "65: 6.884 -> 6.785 +- 0.244 of 4, noise 0.14, quantum 0, band 1, "
            "anchor 7.473\n"
            "67: 6.75 -> 6.78 +- 0.217 of 6, noise 0.152, quantum 0, band 1, "
            "anchor 7.473\n"
            "70: 7.709 -> 7.251 +- 0.307 of 42, noise 0.568, quantum 0, band "
            "1, anchor 7.251\n"
            "73: 7.684 -> 7.696 +- 0.183 of 6, noise 0.128, quantum 0, band 1, "
            "anchor 7.251\n"
            "76: 7.653 -> 7.685 +- 0.0274 of 9, noise 0.0235, quantum 0, band "
            "1, anchor 7.251\n"
            "79: 7.771 -> 7.692 +- 0.0641 of 9, noise 0.055, quantum 0, band "
            "1, anchor 7.251\n");
}

/* A hole between two bands, both ends, another scale, and a gap. */
static void test_bands(void) {
  begin(0.1);
  flow(12, 0, 0.1, 8, 8);
  flow(13, 0, 0.1, 8, 2);
  flow(15, 0, 0.1, 8, 2);
  flow(25, 0, 0.1, 4, 2);
  bands.scale = 2;
  feed(25, true);
  flow(0, 0, 0.1, 4, 1);
  wr_level_gap(&level);
  feed(9, true);
  feed(9, true);
  feed(NAN, true);
  bands.count = 1;
  feed(9, true);
  course_is(
      "8: 12 -> 12 +- 0.0881 of 6, noise 0.05, quantum 0.1, band 2, anchor 12\n"
      "10: 13 -> 13 +- 0.174 of 2, noise 0.05, quantum 0.1, band -1, anchor "
      "13\n"
      "12: 13 -> 13 +- 0.113 of 4, noise 0.05, quantum 0.1, band -1, anchor "
      "13\n"
      "14: 13 -> 13 +- 0.0881 of 6, noise 0.05, quantum 0.1, band -1, anchor "
      "13\n"
      "16: 13 -> 13 +- 0.0881 of 6, noise 0.05, quantum 0.1, band -1, anchor "
      "13\n"
      "18: 15 -> 15 +- 0.174 of 2, noise 0.05, quantum 0.1, band 3, anchor 15\n"
      "20: 15 -> 15 +- 0.113 of 4, noise 0.05, quantum 0.1, band 3, anchor 15\n"
      "22: 15 -> 15 +- 0.0881 of 6, noise 0.05, quantum 0.1, band 3, anchor "
      "15\n"
      "24: 15 -> 15 +- 0.0881 of 6, noise 0.05, quantum 0.1, band 3, anchor "
      "15\n"
      "26: 25 -> 25 +- 0.174 of 2, noise 0.05, quantum 0.1, band -1, anchor "
      "25\n"
      "28: 25 -> 25 +- 0.113 of 4, noise 0.05, quantum 0.1, band -1, anchor "
      "25\n"
      "29: 25 -> 25 +- 0.113 of 4, noise 0.05, quantum 0.1, band -1, anchor "
      "25\n"
      "30: 0 -> 12.5 +- 12.5 of 2, noise 0.05, quantum 0.1, band -1, anchor "
      "25\n"
      "31: 0 -> 0 +- 0.174 of 2, noise 0.05, quantum 0.1, band -1, anchor 25\n"
      "32: 0 -> 0 +- 0.134 of 3, noise 0.05, quantum 0.1, band -1, anchor 25\n"
      "33: 0 -> 0 +- 0.113 of 4, noise 0.05, quantum 0.1, band -1, anchor 25\n"
      "34: 9 -> nothing, band -1, anchor 25\n"
      "35: 9 -> 9 +- 0.05 of 2, noise 0, quantum 0.1, band 1, anchor 9\n"
      "36: nan -> 9 +- 0.05 of 2, noise 0, quantum 0.1, band 1, anchor 9\n"
      "37: 9 -> 9 +- 0.134 of 3, noise 0.05, quantum 0.1, band -1, anchor 9\n");
}

/* More samples than are kept: the ring comes round. */
static void test_long(void) {
  begin(0.1);
  flow(10, 0.05, 0.1, 200, 50);
  flow(10.3, 0.05, 0.1, 100, 25);
  course_put("%.3g %.3g %.3g\n", wr_level_sample(&level, 0),
             wr_level_sample(&level, 1), wr_level_sample(&level, 63));
  course_is("50: 10 -> 9.998 +- 0.0294 of 42, noise 0.05, quantum 0.1, band 2, "
            "anchor 9.998\n"
            "100: 10 -> 10 +- 0.0236 of 63, noise 0.05, quantum 0.1, band 2, "
            "anchor 9.998\n"
            "150: 10 -> 10 +- 0.0236 of 63, noise 0.05, quantum 0.1, band 2, "
            "anchor 9.998\n"
            "200: 10 -> 10 +- 0.0236 of 63, noise 0.05, quantum 0.1, band 2, "
            "anchor 9.998\n"
            "225: 10.3 -> 10.27 +- 0.0366 of 28, noise 0.05, quantum 0.1, band "
            "2, anchor 9.998\n"
            "250: 10.2 -> 10.3 +- 0.0294 of 42, noise 0.05, quantum 0.1, band "
            "2, anchor 9.998\n"
            "275: 10.3 -> 10.3 +- 0.0236 of 63, noise 0.05, quantum 0.1, band "
            "2, anchor 9.998\n"
            "300: 10.2 -> 10.3 +- 0.0236 of 63, noise 0.05, quantum 0.1, band "
            "2, anchor 9.998\n"
            "10.2 10.3 10.3\n");
}

UNIT_MAIN("level, its course", UNIT(test_counted), UNIT(test_rough),
          UNIT(test_bands), UNIT(test_long))
