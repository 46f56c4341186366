#define _GNU_SOURCE /* RTLD_NEXT */
#include "lib/base/bytes.h"
#include "lib/base/number.h"
#include "tests/unit/unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double values[] = {0,      0.1,     -1.0 / 3, 1e300,   5e-324,
                                10.13,  123456,  1e15,     DBL_MAX, -0.5,
                                1e-320, DBL_MIN, 0x1p-53,  2.5e9,   1.0 / 7};

/* Takes the place of libc's: how often its long way was gone. */
static int long_ways;

locale_t newlocale(int mask, const char *name, locale_t base) {
  static locale_t (*real)(int, const char *, locale_t);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "newlocale");
  long_ways++;
  return real(mask, name, base);
}

static bool read_at_once(const char *text) {
  double value;
  long_ways = 0;
  CU_ASSERT_EQUAL(wr_number_read(text, &value), 0);
  return long_ways == 0;
}

static bool written_at_once(double value) {
  char text[WR_NUMBER_MAX];
  long_ways = 0;
  wr_number_write(text, value);
  return long_ways == 0;
}

static bool nine_at_once(double value) {
  char text[WR_NUMBER_MAX];
  long_ways = 0;
  wr_number_write_nine(text, value);
  return long_ways == 0;
}

static bool float_at_once(float value) {
  char text[WR_NUMBER_MAX];
  long_ways = 0;
  wr_number_write_float(text, value);
  return long_ways == 0;
}

/* The numbers of every day cost no locale; where it begins to. */
static void test_short_way(void) {
  CU_ASSERT_TRUE(read_at_once("0"));
  CU_ASSERT_TRUE(read_at_once("-12.5"));
  CU_ASSERT_TRUE(read_at_once("123456789012345"));
  CU_ASSERT_FALSE(read_at_once("1234567890123456"));
  CU_ASSERT_TRUE(read_at_once("1.5e-21"));
  CU_ASSERT_FALSE(read_at_once("1.5e-22"));
  CU_ASSERT_TRUE(read_at_once("1e-22"));
  CU_ASSERT_FALSE(read_at_once("1e-23"));
  CU_ASSERT_TRUE(read_at_once("9e-09"));
  CU_ASSERT_FALSE(read_at_once("1e5"));
  CU_ASSERT_TRUE(written_at_once(0));
  CU_ASSERT_TRUE(written_at_once(-0.1));
  CU_ASSERT_TRUE(written_at_once(1));
  CU_ASSERT_TRUE(written_at_once(999999999999999));
  CU_ASSERT_FALSE(written_at_once(1e15));
  CU_ASSERT_FALSE(written_at_once(0.1 + 0.2));
  CU_ASSERT_TRUE(written_at_once(1e-8));
  CU_ASSERT_FALSE(written_at_once(9e-9));
  CU_ASSERT_FALSE(written_at_once(NAN));
  CU_ASSERT_TRUE(nine_at_once(1.0 / 3));
  CU_ASSERT_TRUE(nine_at_once(999999999));
  CU_ASSERT_FALSE(nine_at_once(1e9));
  CU_ASSERT_TRUE(nine_at_once(1e-9));
  CU_ASSERT_FALSE(nine_at_once(9e-10));
  CU_ASSERT_FALSE(nine_at_once(HUGE_VAL));
  CU_ASSERT_TRUE(nine_at_once(99999999.99));
  CU_ASSERT_TRUE(float_at_once(0));
  CU_ASSERT_TRUE(float_at_once(0.1f));
  CU_ASSERT_TRUE(float_at_once(999999));
  CU_ASSERT_FALSE(float_at_once(1e6f));
  CU_ASSERT_TRUE(float_at_once(-3.21006966f));
  CU_ASSERT_TRUE(float_at_once(2e-8f));
  CU_ASSERT_TRUE(float_at_once(1019.49097f)); /* needs all nine digits */
  CU_ASSERT_FALSE(float_at_once(1e-10f));
}

static void test_doubles_read_back(void) {
  char text[WR_NUMBER_MAX];
  for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    double back = 7;
    wr_number_write(text, values[i]);
    CU_ASSERT_EQUAL(wr_number_read(text, &back), 0);
    CU_ASSERT_EQUAL(back, values[i]);
    CU_ASSERT_EQUAL(strtof(wr_number_write_float(text, (float)values[i]), NULL),
                    (float)values[i]);
  }
}

static void test_short_texts(void) {
  char text[WR_NUMBER_MAX];
  CU_ASSERT_STRING_EQUAL(wr_number_write(text, 0.1), "0.1");
  CU_ASSERT_STRING_EQUAL(wr_number_write(text, 0.1 + 0.2),
                         "0.30000000000000004");
  CU_ASSERT_STRING_EQUAL(wr_number_write(text, 10), "10");
  CU_ASSERT_STRING_EQUAL(wr_number_write_float(text, 0.1f), "0.1");
  CU_ASSERT_STRING_EQUAL(wr_number_write_float(text, 16777216), "16777216");
  CU_ASSERT_STRING_EQUAL(wr_number_write_float(text, -3.21006966f),
                         "-3.2100697");
  CU_ASSERT_STRING_EQUAL(wr_number_write_float(text, 1019.49097f),
                         "1019.49097");
  CU_ASSERT_STRING_EQUAL(wr_number_write_float(text, 0.000998832f),
                         "0.000998832"); /* seven would end in 1 */
  CU_ASSERT_STRING_EQUAL(wr_number_write_float(text, 1e-45f), "1.4013e-45");
  CU_ASSERT_STRING_EQUAL(wr_number_write(text, NAN), "nan");
}

static void test_what_is_a_number(void) {
  static const struct {
    const char *text;
    int status;
    double value;
  } cases[] = {
      {"7", 0, 7},           {"-7.25e+1", 0, -72.5}, {"+.5", 0, 0.5},
      {"1E-400", 0, 0},      {"1e999", -ERANGE, 0},  {"-1e999", -ERANGE, 0},
      {"", -EINVAL, 0},      {"1,5", -EINVAL, 0},    {"1 ", -EINVAL, 0},
      {" 1", -EINVAL, 0},    {"1.5x", -EINVAL, 0},   {"1.5.2", -EINVAL, 0},
      {"0x10", -EINVAL, 0},  {"nan", -EINVAL, 0},    {"inf", -EINVAL, 0},
      {"-", -EINVAL, 0},     {"e5", -EINVAL, 0},     {"1e", -EINVAL, 0},
      {"1e-05", 0, 1e-5},    {"1x-05", -EINVAL, 0},  {"1ex05", -EINVAL, 0},
      {"1e-/5", -EINVAL, 0}, {"1e-:5", -EINVAL, 0},  {"1e-0/", -EINVAL, 0},
      {"1e-0:", -EINVAL, 0}, {"1e-05x", -EINVAL, 0}, {"1e-05.", -EINVAL, 0},
      {"1/", -EINVAL, 0},    {"1:", -EINVAL, 0},     {".", -EINVAL, 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    double value = 42;
    CU_ASSERT_EQUAL(wr_number_read(cases[i].text, &value), cases[i].status);
    CU_ASSERT_EQUAL(value, cases[i].status == 0 ? cases[i].value : 42);
  }
}

/* One character below the ceiling, at it, above it. */
static void test_long_texts(void) {
  for (int len = WR_NUMBER_MAX - 2; len <= WR_NUMBER_MAX + 1; len++) {
    char text[WR_NUMBER_MAX + 2];
    double value = 0;
    snprintf(text, sizeof(text), "0.%0*d", len - 2, 5);
    CU_ASSERT_EQUAL(wr_number_read(text, &value),
                    len < WR_NUMBER_MAX ? 0 : -EINVAL);
  }
}

static void print_all(char out[512]) {
  char text[WR_NUMBER_MAX], other[WR_NUMBER_MAX], third[64];
  struct wr_bytes b = WR_BYTES_INIT(100);
  wr_number_print(third, sizeof(third), "%.3f %'d %5.1e", 1234.5, 1234567, 0.5);
  CU_ASSERT_EQUAL(wr_bytes_printf(&b, "%g %.1f", 0.25, 1e6), 0);
  snprintf(out, 512, "%s %s %s %s", wr_number_write(text, 1234.5),
           wr_number_write_float(other, 0.5f), third, b.data);
  wr_bytes_free(&b);
}

/* The locale of the process, and the one of this thread, stay as they are. */
static void test_any_locale(void) {
  char plain[512], comma[512], seen[32];
  double value = 0;
  print_all(plain);
  CU_ASSERT_STRING_EQUAL(plain,
                         "1234.5 0.5 1234.500 1234567 5.0e-01 0.25 1000000.0");
  unit_set_locale("de_DE.UTF-8");
  snprintf(seen, sizeof(seen), "%.1f", 0.5);
  CU_ASSERT_STRING_EQUAL(seen, "0,5"); /* the locale is one that matters */
  print_all(comma);
  CU_ASSERT_STRING_EQUAL(comma, plain);
  CU_ASSERT_EQUAL(wr_number_read("0.5", &value), 0);
  CU_ASSERT_EQUAL(value, 0.5);
  CU_ASSERT_EQUAL(wr_number_read("0,5", &value), -EINVAL);
  snprintf(seen, sizeof(seen), "%.1f", 0.5);
  CU_ASSERT_STRING_EQUAL(seen, "0,5");
  locale_t own = newlocale(LC_ALL_MASK, "de_DE.UTF-8", NULL);
  locale_t before = uselocale(own);
  print_all(comma);
  CU_ASSERT_STRING_EQUAL(comma, plain);
  CU_ASSERT_EQUAL(uselocale(before), own);
  freelocale(own);
  unit_set_locale("C");
}

/* Numbers of every size, with many digits or few, and such as lie in the
 * middle between two roundings. */
static double any_number(unsigned i) {
  static uint64_t state = 20;
  state = state * 6364136223846793005u + 1442695040888963407u;
  uint64_t r = state >> 11, bits = state;
  double value = (double)(r % 2000000000) / 1e5 / (double)(1 + r % 97);
  double scale = 1;
  for (unsigned n = r / 7 % 14; n > 0; n--)
    scale *= 10;
  switch (i % 9) {
  case 0:
    memcpy(&value, &bits, sizeof(value)); /* may be NaN */
    return value;
  case 1: /* pulses of a sensor */
    return (double)(r % 500) / 7.5;
  case 2:
    return -value * scale / 1e7;
  case 3:
    return ((double)(r % 1000000000) + 0.5) / scale;
  case 4:
    return (double)(r % 1000) / scale;
  case 5: /* nines, rounded up to a power of ten */
    return (1 - 1 / scale / (double)(1 + r % 9)) * scale / 1e5;
  case 7: /* of a quantised model */
    return (double)(r % 4096) / 4096 * (r % 3 != 0 ? 1 : scale);
  case 6: /* a score that is next to nothing */
    return (double)(r % 1000000) / scale / 1e6;
  default:
    return value / scale;
  }
}

/* The same text and the same number as libc's own, whichever way it takes. */
static void test_as_libc(void) {
  char text[WR_NUMBER_MAX], want[WR_NUMBER_MAX];
  int wrong = 0;
  for (unsigned i = 0; i < 40000; i++) {
    double value = any_number(i), back = 0;
    snprintf(want, sizeof(want), "%.9g", value);
    wrong += strcmp(wr_number_write_nine(text, value), want) != 0;
    for (int digits = 15; digits <= 17; digits++) {
      snprintf(want, sizeof(want), "%.*g", digits, value);
      if (strtod(want, NULL) == value)
        break;
    }
    wrong += strcmp(wr_number_write(text, value), want) != 0;
    if (isfinite(value))
      wrong += wr_number_read(want, &back) != 0 || back != value ||
               signbit(back) != signbit(value);
    for (int digits = 6; digits <= 9; digits++) {
      snprintf(want, sizeof(want), "%.*g", digits, (double)(float)value);
      if (strtof(want, NULL) == (float)value)
        break;
    }
    wrong += strcmp(wr_number_write_float(text, (float)value), want) != 0;
    if (isfinite((float)value))
      wrong += wr_number_read(want, &back) != 0 || back != strtod(want, NULL);
  }
  CU_ASSERT_EQUAL(wrong, 0);
  CU_ASSERT_STRING_EQUAL(wr_number_write_nine(text, -0.0), "-0");
  CU_ASSERT_STRING_EQUAL(wr_number_write_nine(text, 0.0001), "0.0001");
  CU_ASSERT_STRING_EQUAL(wr_number_write_nine(text, 999999999.6), "1e+09");
  CU_ASSERT_STRING_EQUAL(wr_number_write_nine(text, 10 / 7.5), "1.33333333");
  CU_ASSERT_STRING_EQUAL(wr_number_write_nine(text, 99999999.99), "100000000");
  CU_ASSERT_STRING_EQUAL(wr_number_write_nine(text, 9.99999999996e-5),
                         "0.0001");
  CU_ASSERT_STRING_EQUAL(wr_number_write_nine(text, 9.99999999996e-6), "1e-05");
  CU_ASSERT_STRING_EQUAL(wr_number_write(text, 1.0001), "1.0001");
  CU_ASSERT_STRING_EQUAL(wr_number_write(text, 120000000000.0), "120000000000");
}

/* As much as is a number, whatever stands behind it; nothing behind `len` is
 * looked at. */
static void test_scan(void) {
  static const struct {
    const char *text;
    size_t len;
    double value;
  } cases[] = {{"7", 1, 7},
               {"-7.25,", 5, -7.25},
               {"0]", 1, 0},
               {"-0.5}", 4, -0.5},
               {"10.1333333,10", 10, 10.1333333},
               {"123456789012345", 15, 123456789012345},
               {"0.12345678901234", 16, 0.12345678901234},
               {"1.5.2", 3, 1.5},
               {"1e5", 1, 1},
               /* another one, or none */
               {"1234567890123456", 0, 0},
               {"0.123456789012345", 0, 0},
               {"", 0, 0},
               {"-", 0, 0},
               {"+1", 0, 0},
               {".5", 0, 0},
               {"5.", 0, 0},
               {"5.,", 0, 0},
               {"-.5", 0, 0},
               {"01", 0, 0},
               {"-00.5", 0, 0},
               {" 1", 0, 0},
               {"x", 0, 0}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    size_t len = strlen(cases[i].text);
    char *block = malloc(len + 1), *text = block + 1; /* no NUL: sanitizers */
    double value = 42;                                /* see the end */
    memcpy(text, cases[i].text, len);
    CU_ASSERT_EQUAL(wr_number_scan(text, len, &value), cases[i].len);
    CU_ASSERT_EQUAL(value, cases[i].len > 0 ? cases[i].value : 42);
    free(block);
  }
  double value = 0;
  CU_ASSERT_EQUAL(wr_number_scan("12345", 2, &value), 2);
  CU_ASSERT_EQUAL(value, 12);
  CU_ASSERT_EQUAL(wr_number_scan("-0", 2, &value), 2);
  CU_ASSERT(value == 0 && signbit(value));
}

UNIT_MAIN("number", UNIT(test_short_way), UNIT(test_doubles_read_back),
          UNIT(test_short_texts), UNIT(test_what_is_a_number),
          UNIT(test_long_texts), UNIT(test_any_locale), UNIT(test_as_libc),
          UNIT(test_scan))
