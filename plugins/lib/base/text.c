#include "lib/base/text.h"

#include <locale.h>
#include <string.h>

bool wr_text_is_digit(char c) { return c >= '0' && c <= '9'; }

bool wr_text_is_alnum(char c) {
  char lower = c | 0x20;
  return wr_text_is_digit(c) || (lower >= 'a' && lower <= 'z');
}

bool wr_text_is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

char wr_text_upper(char c) {
  return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool wr_text_same(const char *a, const char *b) {
  while (*a != '\0' && wr_text_upper(*a) == wr_text_upper(*b)) {
    a++;
    b++;
  }
  return wr_text_upper(*a) == wr_text_upper(*b);
}

/* The range of the second byte rules out overlong forms, surrogates and what
 * is beyond the last code point. */
static bool second_byte_ok(unsigned char first, unsigned char second) {
  unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high;
}

size_t wr_text_utf8(const char *s, size_t len) {
  const unsigned char *u = (const unsigned char *)s;
  if (len == 0)
    return 0;
  if (u[0] < 0x80)
    return 1;
  size_t need = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
  if (u[0] < 0xc2 || u[0] > 0xf4 || len < need || !second_byte_ok(u[0], u[1]))
    return 0;
  for (size_t i = 2; i < need; i++)
    if ((u[i] & 0xc0) != 0x80)
      return 0;
  return need;
}

bool wr_text_is_utf8(const char *s, size_t len) {
  while (len > 0) {
    size_t step = wr_text_utf8(s, len);
    if (step == 0)
      return false;
    s += step;
    len -= step;
  }
  return true;
}

size_t wr_text_cut(const char *s, size_t max) {
  size_t len = strnlen(s, max + 1);
  if (len > max)
    for (len = max; len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80; len--)
      ;
  return len;
}

const char *wr_text_error(int error) {
  return strerror_l(error, newlocale(LC_ALL_MASK, "C", NULL));
}
