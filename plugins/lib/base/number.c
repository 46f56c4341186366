#define _GNU_SOURCE /* strtod_l */
#include "lib/base/number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libc has this one built in: no memory, no file, nothing to free. */
static locale_t c_locale(void) { return newlocale(LC_ALL_MASK, "C", NULL); }

int wr_number_read(const char *text, double *out) {
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

const char *wr_number_write_float(char out[WR_NUMBER_MAX], float value) {
  locale_t before = uselocale(c_locale());
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(out, WR_NUMBER_MAX, "%.*g", digits, (double)value);
    if (strtof(out, NULL) == value)
      break;
  }
  uselocale(before);
  return out;
}
