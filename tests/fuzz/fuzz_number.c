/* Numbers in texts: what is read is what C reads from the same characters, and
 * nothing but the decimal grammar is taken; what is written is read back as the
 * same number, in the shortest of the texts that are. */
#include "lib/base/number.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <math.h>

static const char *digits(const char *p, bool *any) {
  const char *start = p;
  while (*p >= '0' && *p <= '9')
    p++;
  *any = p > start;
  return p;
}

/* The grammar once more, by hand: [sign] (d [. [d]] | . d) [e [sign] d] */
static bool is_decimal(const char *p) {
  bool whole, fraction = false, exponent;
  p += *p == '+' || *p == '-';
  p = digits(p, &whole);
  if (*p == '.')
    p = digits(p + 1, &fraction);
  if (!whole && !fraction)
    return false;
  if (*p != 'e' && *p != 'E')
    return *p == '\0';
  p++;
  p += *p == '+' || *p == '-';
  p = digits(p, &exponent);
  return exponent && *p == '\0';
}

static void read_text(const char *text) {
  double value = -1.5;
  int status = wr_number_read(text, &value);
  if (!is_decimal(text) || strlen(text) >= WR_NUMBER_MAX) {
    check(status == -EINVAL && value == -1.5);
    return;
  }
  double other = strtod(text, NULL); /* this process has the C locale */
  check(status == (isfinite(other) ? 0 : -ERANGE));
  check(status != 0 || (value == other && !signbit(value) == !signbit(other)));
}

/* What is at its beginning, if anything, is that very number. */
static void scan_text(const char *text, size_t size) {
  char copy[WR_NUMBER_MAX];
  double value = -1.5, other;
  size_t len = wr_number_scan(text, size, &value);
  check(len <= size && (len > 0 || value == -1.5));
  if (len == 0)
    return;
  check(len < sizeof(copy));
  memcpy(copy, text, len);
  copy[len] = '\0';
  check(is_decimal(copy) && strpbrk(copy, "+eE") == NULL);
  check(wr_number_read(copy, &other) == 0 && other == value);
}

static void write_double(double value) {
  char text[WR_NUMBER_MAX], shorter[WR_NUMBER_MAX];
  double back;
  check(wr_number_write(text, value) == text);
  if (!isfinite(value))
    return;
  check(wr_number_read(text, &back) == 0 && back == value);
  for (int n = 15; n < 17; n++) { /* no shorter one would have done */
    snprintf(shorter, sizeof(shorter), "%.*g", n, value);
    if (strtod(shorter, NULL) == value) {
      check(strlen(text) <= strlen(shorter));
      break;
    }
  }
}

static void write_float(float value) {
  char text[WR_NUMBER_MAX];
  double back;
  wr_number_write_float(text, value);
  if (isfinite(value))
    check(wr_number_read(text, &back) == 0 && (float)back == value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  double wide;
  float narrow;
  char *text = malloc(size + 1);
  check(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  read_text(text);
  free(text);
  scan_text((const char *)data, size);
  if (size >= sizeof(wide)) {
    memcpy(&wide, data, sizeof(wide));
    memcpy(&narrow, data, sizeof(narrow));
    write_double(wide);
    write_float(narrow);
  }
  return 0;
}
