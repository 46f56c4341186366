/* The text of version 1, which is read also after an upgrade: each field where
 * it is, and what each may be. */
#include "lib/base/number.h"
#include "lib/flow/baseline_state.h"

#include "tests/unit/flow/course.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static double next;

static double another(void) { return next++ + 0.25; }

static void fill_points(struct wr_points *p) {
  for (int i = 0; i < WR_POINTS_MAX; i++)
    p->at[i] = (struct wr_point){.level = (float)another(),
                                 .reference = (float)another(),
                                 .origin = (float)another(),
                                 .left_s = (float)another(),
                                 .key = i == 2 ? NAN : (float)another(),
                                 .seen_s = (float)another(),
                                 .held_s = (float)another(),
                                 .visits = (uint8_t)another(),
                                 .used = i % 3 != 1,
                                 .accepted = i % 2};
  p->current = 3;
  p->count = 5;
  p->scale = (float)another();
}

static void fill_totals(struct wr_totals *t) {
  t->litres = another();
  t->hour = another();
  t->day = another();
  t->hour_s = (float)another();
  t->day_s = (float)another();
  t->last_hour = (float)another();
  t->last_day = (float)another();
  t->has_hour = true;
  t->restless = true;
  t->days = 6;
  t->next = 5;
  for (int i = 0; i < WR_TOTALS_DAYS; i++)
    t->least[i] = (float)another();
  t->today = (float)another();
  t->block = (float)another();
  t->block_s = (float)another();
  t->busy_s = (float)another();
}

/* Every field is another number. */
static struct wr_baseline filled(void) {
  struct wr_baseline b;
  wr_baseline_init(&b);
  next = 10;
  b.pace.time_us = 1700000000999999;
  b.age_s = another();
  b.key = (float)another();
  b.learned = b.spread = b.waiting = true;
  b.drift = -1;
  b.slow = 1;
  b.direction = -1;
  b.state = WR_BASELINE_SPREAD;
  b.base = another();
  b.deviation = (float)another();
  b.wander = (float)another();
  b.quantum = (float)another();
  b.drift_left_s = (float)another();
  b.spread_left_s = (float)another();
  b.drift_s = another();
  b.since_s = another();
  fill_points(&b.points);
  fill_totals(&b.totals);
  for (int s = 0; s < WR_TREND_SCALES; s++) {
    struct wr_trend_ring *r = b.u.trend.rings + s;
    *r = (struct wr_trend_ring){.count = (uint8_t)(s + 1),
                                .next = (uint8_t)(s + 1),
                                .filled = (uint8_t)(7 + s),
                                .sum = (float)another()};
    for (int i = 0; i <= s; i++)
      r->means[i] = (int16_t)(-100 * s - i);
  }
  return b;
}

static char *text_of(const struct wr_baseline *b) {
  struct wr_bytes out = WR_BYTES_INIT(WR_BASELINE_STATE_MAX);
  CU_ASSERT_EQUAL_FATAL(wr_baseline_put(&out, b), 0);
  return out.data;
}

static void test_text(void) {
  struct wr_baseline b = filled(), read;
  char *text = text_of(&b);
  course_begin();
  int n = 0;
  for (const char *c = text; *c != '\0'; c++)
    course_put("%c", *c == ' ' && ++n % 8 == 0 ? '\n' : *c);
  course_put("\n");
  course_is("1 1700000000 10.25 11.25 1 -1 1 1\n"
            "0 1 -1 3 12.25 13.25 14.25 15.25\n"
            "16.25 17.25 18.25 19.25 20.25 21.25 22.25 23.25\n"
            "24.25 25.25 26.25 27 1 0 28.25 29.25\n"
            "30.25 31.25 32.25 33.25 34.25 35 0 1\n"
            "36.25 37.25 38.25 39.25 - 40.25 41.25 42\n"
            "1 0 43.25 44.25 45.25 46.25 47.25 48.25\n"
            "49.25 50 1 1 51.25 52.25 53.25 54.25\n"
            "55.25 56.25 57.25 58 0 0 59.25 60.25\n"
            "61.25 62.25 63.25 64.25 65.25 66 1 1\n"
            "3 5 67.25 68.25 69.25 70.25 71.25 72.25\n"
            "73.25 74.25 1 0 1 6 5 75.25\n"
            "76.25 77.25 78.25 79.25 80.25 81.25 82.25 83.25\n"
            "84.25 85.25 1 1 7 86.25 0 2\n"
            "2 8 87.25 -100 -101 3 3 9\n"
            "88.25 -200 -201 -202 \n");
  CU_ASSERT_EQUAL_FATAL(wr_baseline_get(text, &read), 0);
  char *again = text_of(&read);
  CU_ASSERT_STRING_EQUAL(text, again);
  CU_ASSERT_EQUAL(read.pace.time_us, INT64_C(1700000000000000));
  CU_ASSERT_EQUAL(read.direction, -1);
  CU_ASSERT_EQUAL(read.points.at[5].visits, b.points.at[5].visits);
  CU_ASSERT_EQUAL(read.totals.busy_s, b.totals.busy_s);
  CU_ASSERT_EQUAL(read.u.trend.rings[2].means[2], -202);
  free(again);
  free(text);
}

/* The text with its n-th number replaced; false: it has no such. */
static bool replace(const char *text, int n, const char *value, char *out,
                    size_t size) {
  const char *at = text;
  for (; n > 0 && at != NULL; n--)
    at = strchr(at, ' ') != NULL ? strchr(at, ' ') + 1 : NULL;
  if (at == NULL)
    return false;
  const char *rest = strchr(at, ' ');
  snprintf(out, size, "%.*s%s%s", (int)(at - text), text, value,
           rest != NULL ? rest : "");
  return true;
}

static const char ranges_course[] =
    "-2:\n"
    " 000100000000100000111110100000111010000011101000001110100000\n"
    " 111010000011101000000001110000000000000000000000011000111000\n"
    " 11110\n"
    "-1:\n"
    " 000101100010100000111110100000111010000011101000001110100000\n"
    " 111010000011101000000001110000000000000000000000011000111000\n"
    " 11110\n"
    "0:\n"
    " 011101111111111111111111111111111111111111111111111111111101\n"
    " 111111111111111111111111111111111111111111111101111011111011\n"
    " 11110\n"
    "1:\n"
    " 111111111111111111111111111111111111111111111111111111111111\n"
    " 111111111111111111110111111111111111111111111111111011111011\n"
    " 11110\n"
    "2:\n"
    " 011100000001111111111111111100111111110011111111001111111100\n"
    " 111111110011111111001111111111000111111111111101111111111011\n"
    " 11110\n"
    "4:\n"
    " 011100000001111111111111111100111111110011111111001111111100\n"
    " 111111110011111111000111111111000111111111111101111011111011\n"
    " 11110\n"
    "5:\n"
    " 011100000000111111111111111100111111110011111111001111111100\n"
    " 111111110011111111001111111111000111111111111101111011111011\n"
    " 11110\n"
    "6:\n"
    " 011100000000111111111111111100111111110011111111001111111100\n"
    " 111111110011111111000111111111000111111111111101111011111011\n"
    " 11110\n"
    "7:\n"
    " 011100000000111111111111111100111111110011111111001111111100\n"
    " 111111110011111111000011111111000101111111111101111011111011\n"
    " 11110\n"
    "8:\n"
    " 011100000000111111111111111100111111110011111111001111111100\n"
    " 111111110011111111000011111111000001111111111101111011111011\n"
    " 11110\n"
    "24:\n"
    " 011100000000111111111111111100111111110011111111001111111100\n"
    " 111111110011111111000011111111000001111111111100111001111001\n"
    " 11110\n"
    "25:\n"
    " 011100000000111111111111111100111111110011111111001111111100\n"
    " 111111110011111111000011111111000001111111111100011000111000\n"
    " 11110\n"
    "0.5:\n"
    " 011100000000111111111111111000111111100011111110001111111000\n"
    " 111111100011111110000011111111000001111111111100010000100000\n"
    " 10000\n"
    "255:\n"
    " 011100000000111111111111111100111111110011111111001111111100\n"
    " 111111110011111111000011111111000001111111111100011000111000\n"
    " 11110\n"
    "256:\n"
    " 011100000000111111111111111000111111100011111110001111111000\n"
    " 111111100011111110000011111111000001111111111100011000111000\n"
    " 11110\n"
    "32767:\n"
    " 011100000000111111111111111000111111100011111110001111111000\n"
    " 111111100011111110000011111111000001111111111100011000111000\n"
    " 11110\n"
    "-:\n"
    " 000100000000000000000000100000000010000000001000000000100000\n"
    " 000010000000001000000000000000000000000000000000000000000000\n"
    " 00000\n"
    "x:\n"
    " 000000000000000000000000000000000000000000000000000000000000\n"
    " 000000000000000000000000000000000000000000000000000000000000\n"
    " 00000\n"
    ":\n"
    " 000000000000000000000000000000000000000000000000000000000000\n"
    " 000000000000000000000000000000000000000000000000000000000000\n"
    " 00001\n"
    "nan:\n"
    " 000000000000000000000000000000000000000000000000000000000000\n"
    " 000000000000000000000000000000000000000000000000000000000000\n"
    " 00000\n"
    "1e11:\n"
    " 011100000000111111111111111000111111100011111110001111111000\n"
    " 111111100011111110000011111111000001111111111100010000100000\n"
    " 10000\n"
    "2e11:\n"
    " 001100000000111111111111111000111111100011111110001111111000\n"
    " 111111100011111110000011111111000001111111111100010000100000\n"
    " 10000\n"
    "1e15:\n"
    " 001100000000111111111111111000111111100011111110001111111000\n"
    " 111111100011111110000011111111000001111111111100010000100000\n"
    " 10000\n"
    "2e15:\n"
    " 000000000000000000000000000000000000000000000000000000000000\n"
    " 000000000000000000000000000000000000000000000000000000000000\n"
    " 00000\n"
    "-1e15:\n"
    " 000100000000100000111110100000111010000011101000001110100000\n"
    " 111010000011101000000001110000000000000000000000010000100000\n"
    " 10000\n"
    "-2e15:\n"
    " 000000000000000000000000000000000000000000000000000000000000\n"
    " 000000000000000000000000000000000000000000000000000000000000\n"
    " 00000\n"
    "1e40:\n"
    " 000000000000000000000000000000000000000000000000000000000000\n"
    " 000000000000000000000000000000000000000000000000000000000000\n"
    " 00000\n";

/* Of each number in turn: is it taken (1) or refused (0) as this? */
static void test_ranges(void) {
  static const char *const values[] = {
      "-2", "-1",  "0",    "1",    "2",    "4",    "5",     "6",     "7",
      "8",  "24",  "25",   "0.5",  "255",  "256",  "32767", "-",     "x",
      "",   "nan", "1e11", "2e11", "1e15", "2e15", "-1e15", "-2e15", "1e40"};
  struct wr_baseline b = filled(), read;
  char *text = text_of(&b), *other = malloc(WR_BASELINE_STATE_MAX);
  CU_ASSERT_PTR_NOT_NULL_FATAL(other);
  course_begin();
  for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
    course_put("%s:", values[v]);
    for (int n = 0; replace(text, n, values[v], other, WR_BASELINE_STATE_MAX);
         n++)
      course_put("%s%d", n % 60 == 0 ? "\n " : "",
                 wr_baseline_get(other, &read) == 0);
    course_put("\n");
  }
  course_is(ranges_course);
  free(other);
  free(text);
}

/* Every number comes back as the very same one, the shortest that does. */
static void test_the_same_numbers(void) {
  struct wr_baseline b = filled(), read;
  double *const doubles[] = {&b.age_s,     &b.base,          &b.drift_s,
                             &b.since_s,   &b.totals.litres, &b.totals.hour,
                             &b.totals.day};
  for (int i = 0; i < 7; i++)
    *doubles[i] = 16777217 + i / 7.0;
  b.quantum = 0.1f;
  b.u.trend.rings[0].next = WR_TREND_BLOCKS - 1;
  char *text = text_of(&b);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, " 0.1 "));
  CU_ASSERT_EQUAL_FATAL(wr_baseline_get(text, &read), 0);
  CU_ASSERT_EQUAL(read.age_s, b.age_s);
  CU_ASSERT_EQUAL(read.base, b.base);
  CU_ASSERT_EQUAL(read.drift_s, b.drift_s);
  CU_ASSERT_EQUAL(read.since_s, b.since_s);
  CU_ASSERT_EQUAL(read.totals.litres, b.totals.litres);
  CU_ASSERT_EQUAL(read.totals.hour, b.totals.hour);
  CU_ASSERT_EQUAL(read.totals.day, b.totals.day);
  CU_ASSERT_EQUAL(read.quantum, 0.1f);
  CU_ASSERT_EQUAL(read.u.trend.rings[0].next, WR_TREND_BLOCKS - 1);
  free(text);
  b.u.trend.rings[0].next = WR_TREND_BLOCKS; /* there is no such place */
  text = text_of(&b);
  CU_ASSERT_EQUAL(wr_baseline_get(text, &read), -EBADMSG);
  free(text);
}

/* A word is shorter than any number needs to be; a version is a whole number.
 */
static void test_words(void) {
  static const struct {
    const char *version;
    int status;
  } versions[] = {{"0", -ENOTSUP},     {"2", -ENOTSUP},  {"32767", -ENOTSUP},
                  {"32768", -EBADMSG}, {"-1", -EBADMSG}, {"1.5", -EBADMSG},
                  {"-", -EBADMSG},     {"1", 0}};
  struct wr_baseline b = filled(), read;
  char *text = text_of(&b), other[WR_BASELINE_STATE_MAX];
  char word[WR_NUMBER_MAX + 32];
  for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
    CU_ASSERT_TRUE(replace(text, 0, versions[i].version, other, sizeof(other)));
    CU_ASSERT_EQUAL(wr_baseline_get(other, &read), versions[i].status);
  }
  for (int len = WR_NUMBER_MAX - 1; len < WR_NUMBER_MAX + 20; len++) {
    snprintf(word, sizeof(word), "%-*s", len, "11.5");
    for (char *c = word; *c != '\0'; c++)
      *c = *c == ' ' ? '0' : *c;
    CU_ASSERT_TRUE(replace(text, 2, word, other, sizeof(other)));
    memset(&read, 0, sizeof(read));
    CU_ASSERT_EQUAL(wr_baseline_get(other, &read),
                    len < WR_NUMBER_MAX ? 0 : -EBADMSG);
    CU_ASSERT_EQUAL(read.age_s, len < WR_NUMBER_MAX ? 11.5 : 0);
  }
  free(text);
}

UNIT_MAIN("baseline, its text", UNIT(test_text), UNIT(test_ranges),
          UNIT(test_the_same_numbers), UNIT(test_words))
