#define _GNU_SOURCE /* strtod_l */
#include "lib/base/number.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libc has this one built in: no memory, no file, nothing to free. */
static locale_t c_locale(void) { return newlocale(LC_ALL_MASK, "C", NULL); }

/* --- the short way ---
 *
 * A sample is written and read sixty times, once for each window it is in, and
 * libc takes a thousand instructions for it. A decimal of up to 15 digits needs
 * no long arithmetic: its digits and a power of ten are doubles without error,
 * and IEEE 754 rounds their quotient right (Clinger, "How to read floating
 * point numbers accurately", 1990). Where that is not enough the answer is
 * "false", and libc does it. */

static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define TEN_MAX 22
#define DIGITS_MAX 15

/* digits / 10^decimals. */
struct decimal {
  bool negative, exponent; /* written with one */
  uint64_t digits;
  int decimals;
};

/* x87 rounds twice. */
static bool is_exact(void) { return FLT_EVAL_METHOD == 0; }

static unsigned digit_of(char c) { return (unsigned char)c - (unsigned)'0'; }

/* "e-07": how many more decimals that makes; -1: it is something else. */
static int read_exponent(const char *text) {
  if (*text == '\0')
    return 0;
  if (text[0] != 'e' || text[1] != '-' || digit_of(text[2]) > 9 ||
      digit_of(text[3]) > 9 || text[4] != '\0')
    return -1;
  return (int)(digit_of(text[2]) * 10 + digit_of(text[3]));
}

/* A sign, digits and a point; where they end. *count: of the digits, of which
 * more than 15 do not fit. */
static const char *read_digits(const char *at, const char *end,
                               struct decimal *d, size_t *count) {
  bool negative = at < end && *at == '-';
  const char *begin = at += negative, *point = NULL;
  uint64_t digits = 0;
  for (; at < end; at++) {
    unsigned digit = digit_of(*at);
    if (digit <= 9)
      digits = digits * 10 + digit;
    else if (*at == '.' && point == NULL)
      point = at;
    else
      break;
  }
  *d = (struct decimal){.negative = negative, .digits = digits};
  d->decimals = point != NULL ? (int)(at - point - 1) : 0;
  *count = (size_t)(at - begin) - (point != NULL);
  return at;
}

static bool is_short(const struct decimal *d, size_t count) {
  return count > 0 && count <= DIGITS_MAX && d->decimals <= TEN_MAX &&
         is_exact();
}

static double value_of(const struct decimal *d) {
  double value = (double)d->digits / tens[d->decimals];
  return d->negative ? -value : value;
}

static bool read_short(const char *text, double *out) {
  struct decimal d;
  size_t count;
  const char *end = text + strnlen(text, WR_NUMBER_MAX);
  int more = read_exponent(read_digits(text, end, &d, &count));
  d.decimals += more;
  if (more < 0 || !is_short(&d, count))
    return false;
  *out = value_of(&d);
  return true;
}

/* Rounds to `count` digits, as "%.*g" does where the exponent is not above
 * zero; the sign is there already. *rest is how far the digits are from what
 * they stand for, in units of the last, with an error below 10^count / 2^53. */
static bool round_short(double value, int count, struct decimal *out,
                        double *rest) {
  double size = fabs(value);
  if (!is_exact() || !(size >= 1e-9 && size < tens[count]))
    return false;
  int whole = 0; /* digits in front of the point; -3 for 0.000123 */
  if (size >= 1)
    while (size >= tens[whole])
      whole++;
  else
    while (size * tens[1 - whole] < 1)
      whole--;
  out->exponent = whole <= -4;
  out->decimals = count - whole;
  if (out->decimals > TEN_MAX)
    return false;
  double scaled = size * tens[out->decimals];
  out->digits = (uint64_t)scaled;
  *rest = scaled - (double)out->digits;
  if (*rest >= 0.5)
    out->digits++;
  /* One more digit in front of the point may want an exponent, or none. */
  return (double)out->digits < tens[count] ||
         (out->decimals > 0 && !out->exponent);
}

/* Zeros behind the point say nothing. */
static void write_short(char *out, struct decimal d) {
  char text[32], *at = text + sizeof(text);
  while (d.decimals > 3 && d.digits % 10000 == 0) {
    d.digits /= 10000;
    d.decimals -= 4;
  }
  while (d.decimals > 0 && d.digits % 10 == 0) {
    d.digits /= 10;
    d.decimals--;
  }
  *--at = '\0';
  if (d.exponent) { /* one digit in front of the point */
    int behind = 0;
    while (d.digits >= (uint64_t)tens[behind + 1])
      behind++;
    *--at = (char)('0' + d.decimals - behind);
    at -= 3;
    memcpy(at, "e-0", 3);
    d.decimals = behind;
  }
  for (int i = 0; d.digits > 0 || i <= d.decimals; i++) {
    if (i == d.decimals && i > 0)
      *--at = '.';
    *--at = (char)('0' + d.digits % 10);
    d.digits /= 10;
  }
  if (d.negative)
    *--at = '-';
  memcpy(out, at, (size_t)(text + sizeof(text) - at));
}

static struct decimal zero(double value) {
  return (struct decimal){.negative = signbit(value) != 0};
}

/* The digits of "%.15g", if they read back as `value`: no two decimals of 15
 * digits do. */
static bool write_double(char *out, double value) {
  struct decimal d = zero(value);
  double rest;
  if (value != 0 && !(round_short(value, DIGITS_MAX, &d, &rest) &&
                      (double)d.digits / tens[d.decimals] == fabs(value)))
    return false;
  write_short(out, d);
  return true;
}

/* 24 bits of a float, times 5^12. */
#define FLOAT_EXACT 12

/* As "%.*g" with up to nine digits: a half that is nearer than the error of
 * *rest is left to libc. Of a float there is no error, and the half of a score
 * that is a multiple of 1/256 goes to the even digit. */
static bool round_nine(double value, int count, bool is_float,
                       struct decimal *out) {
  double rest = 0;
  *out = zero(value);
  if (value != 0 && !round_short(value, count, out, &rest))
    return false;
  if (is_float && out->decimals <= FLOAT_EXACT)
    out->digits -= rest == 0.5 && out->digits % 2 != 0;
  else if (fabs(rest - 0.5) <= 1e-6)
    return false;
  return true;
}

/* Reading back rounds twice, to a double and to a float. That is wrong where
 * the double is the very middle of two floats, which no decimal of so few
 * digits beside one of them is: all there are were tried. */
static bool write_float(char *out, float value) {
  struct decimal d;
  /* With nine digits it ends at the latest. */
  for (int count = 6; round_nine((double)value, count, true, &d); count++) {
    if ((float)value_of(&d) == value) {
      write_short(out, d);
      return true;
    }
  }
  return false;
}

size_t wr_number_scan(const char *text, size_t len, double *out) {
  struct decimal d;
  size_t count;
  const char *end = read_digits(text, text + len, &d, &count);
  const char *first = text + d.negative;
  size_t whole = count - (size_t)d.decimals;
  if (!is_short(&d, count) || whole == 0 || (*first == '0' && whole > 1) ||
      end[-1] == '.')
    return 0;
  *out = value_of(&d);
  return (size_t)(end - text);
}

/* --- libc --- */

int wr_number_read(const char *text, double *out) {
  if (read_short(text, out))
    return 0;
  size_t len = strnlen(text, WR_NUMBER_MAX);
  if (len == 0 || len == WR_NUMBER_MAX || strspn(text, "0123456789+-.eE") < len)
    return -EINVAL;
  char *end;
  double value = strtod_l(text, &end, c_locale());
  if (end != text + len)
    return -EINVAL;
  if (!isfinite(value))
    return -ERANGE;
  *out = value;
  return 0;
}

int wr_number_vprint(char *out, size_t size, const char *format, va_list ap) {
  locale_t before = uselocale(c_locale()); /* of this thread alone */
  int len = vsnprintf(out, size, format, ap);
  uselocale(before);
  return len;
}

int wr_number_print(char *out, size_t size, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  int len = wr_number_vprint(out, size, format, ap);
  va_end(ap);
  return len;
}

const char *wr_number_write(char out[WR_NUMBER_MAX], double value) {
  if (write_double(out, value))
    return out;
  locale_t before = uselocale(c_locale());
  /* 15 digits give back what people wrote (0.1); 17 always suffice. */
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(out, WR_NUMBER_MAX, "%.*g", digits, value);
    if (strtod(out, NULL) == value)
      break;
  }
  uselocale(before);
  return out;
}

const char *wr_number_write_nine(char out[WR_NUMBER_MAX], double value) {
  struct decimal d;
  if (round_nine(value, 9, false, &d))
    write_short(out, d);
  else
    wr_number_print(out, WR_NUMBER_MAX, "%.9g", value);
  return out;
}

const char *wr_number_write_float(char out[WR_NUMBER_MAX], float value) {
  if (write_float(out, value))
    return out;
  locale_t before = uselocale(c_locale());
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(out, WR_NUMBER_MAX, "%.*g", digits, (double)value);
    if (strtof(out, NULL) == value)
      break;
  }
  uselocale(before);
  return out;
}
