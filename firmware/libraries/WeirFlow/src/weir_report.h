/* weir_report: what the agent tells the M4, {"label":"Normal","value":10.1}.
 *
 * Plain C, no heap, no recursion, reads no byte beyond `len`. Any key order,
 * any further keys (skipped, nested ones up to 16 levels), white space and
 * escapes are fine; whatever is not one JSON object with a label is refused
 * as a whole, because half a report must not move an output. A label longer
 * than 31 bytes becomes WEIR_LABEL_TOO_LONG, which nobody knows: the report
 * is whole, so that the label before it must not stand any longer. The last of
 * several equal keys counts. */
#ifndef WEIR_REPORT_H
#define WEIR_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WEIR_LABEL_MAX 31
#define WEIR_LABEL_TOO_LONG "?"
#define WEIR_REPORT_DEPTH 16

struct weir_report {
  char label[WEIR_LABEL_MAX + 1]; /* UTF-8, ends with NUL */
  bool has_value;                 /* false: absent or null */
  float value;
};

struct weir_cursor {
  const char *at, *end;
};

static inline void weir_space(struct weir_cursor *c) {
  while (c->at < c->end &&
         (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
    c->at++;
}

static inline bool weir_take(struct weir_cursor *c, char what) {
  if (c->at == c->end || *c->at != what)
    return false;
  c->at++;
  return true;
}

static inline bool weir_word(struct weir_cursor *c, const char *word) {
  size_t len = strlen(word);
  if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0)
    return false;
  c->at += len;
  return true;
}

static inline bool weir_hex4(struct weir_cursor *c, uint32_t *out) {
  *out = 0;
  for (int i = 0; i < 4; i++) {
    if (c->at == c->end)
      return false;
    char x = *c->at++;
    if (x >= '0' && x <= '9')
      *out = *out << 4 | (uint32_t)(x - '0');
    else if ((x | 0x20) >= 'a' && (x | 0x20) <= 'f')
      *out = *out << 4 | (uint32_t)((x | 0x20) - 'a' + 10);
    else
      return false;
  }
  return true;
}

/* After \u: one character, of one or two escapes. */
static inline bool weir_unicode(struct weir_cursor *c, uint32_t *code) {
  uint32_t low;
  if (!weir_hex4(c, code) || (*code >= 0xdc00 && *code <= 0xdfff))
    return false;
  if (*code < 0xd800 || *code > 0xdbff)
    return true;
  if (!weir_word(c, "\\u") || !weir_hex4(c, &low) || low < 0xdc00 ||
      low > 0xdfff)
    return false;
  *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
  return true;
}

static inline size_t weir_utf8(uint32_t code, char *out) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
  out[0] = (char)(lead[more] | code >> (6 * more));
  for (size_t i = 1; i <= more; i++)
    out[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3f));
  return more + 1;
}

/* One character of a string, as 1 to 4 bytes; 0: not valid. */
static inline size_t weir_char(struct weir_cursor *c, char *out) {
  static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  uint32_t code;
  if (c->at == c->end || (unsigned char)*c->at < 0x20)
    return 0;
  out[0] = *c->at++;
  if (out[0] != '\\')
    return 1;
  if (c->at == c->end)
    return 0;
  char escape = *c->at++;
  if (escape == 'u') /* NUL would end the label early */
    return weir_unicode(c, &code) && code != 0 ? weir_utf8(code, out) : 0;
  const char *found = escape != '\0' ? strchr(plain, escape) : NULL;
  if (found == NULL)
    return 0;
  out[0] = meant[found - plain];
  return 1;
}

/* A string into out, which has room for `room` bytes with the NUL; out may
 * be NULL to skip it. *fits says whether all of it is there. */
static inline bool weir_string(struct weir_cursor *c, char *out, size_t room,
                               bool *fits) {
  char bytes[4];
  size_t len = 0;
  *fits = true;
  if (!weir_take(c, '"'))
    return false;
  while (!weir_take(c, '"')) {
    size_t n = weir_char(c, bytes);
    if (n == 0)
      return false;
    if (len + n >= room) {
      *fits = false;
      continue;
    }
    memcpy(out + len, bytes, n);
    len += n;
  }
  if (out != NULL)
    out[len] = '\0';
  return true;
}

static inline bool weir_digits(struct weir_cursor *c, double *value,
                               int *count) {
  *count = 0;
  while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
    *value = *value * 10 + (*c->at++ - '0');
    (*count)++;
  }
  return *count > 0;
}

static inline double weir_scale(double value, int exponent) {
  while (exponent > 0 && value < 1e300) {
    value *= 10;
    exponent--;
  }
  while (exponent < 0 && value > 0) {
    value /= 10;
    exponent++;
  }
  return value;
}

/* A JSON number that a float can hold; strtod() would need a NUL. */
static inline bool weir_number(struct weir_cursor *c, float *out) {
  double value = 0, exponent = 0;
  int count, fraction = 0;
  bool minus = weir_take(c, '-');
  if (c->end - c->at > 1 && c->at[0] == '0' && c->at[1] >= '0' &&
      c->at[1] <= '9')
    return false; /* 01 is not JSON */
  if (!weir_digits(c, &value, &count))
    return false;
  if (weir_take(c, '.') && !weir_digits(c, &value, &fraction))
    return false;
  if (weir_take(c, 'e') || weir_take(c, 'E')) {
    bool negative = weir_take(c, '-');
    if (!negative)
      weir_take(c, '+');
    if (!weir_digits(c, &exponent, &count) || exponent > 400)
      return false;
    if (negative)
      exponent = -exponent;
  }
  value = weir_scale(value, (int)exponent - fraction);
  if (value > 3.4e38)
    return false;
  *out = (float)(minus ? -value : value);
  return true;
}

static inline bool weir_scalar(struct weir_cursor *c) {
  bool fits;
  float unused;
  if (c->at < c->end && *c->at == '"')
    return weir_string(c, NULL, 0, &fits);
  return weir_word(c, "true") || weir_word(c, "false") ||
         weir_word(c, "null") || weir_number(c, &unused);
}

static inline bool weir_key(struct weir_cursor *c, char *out, size_t room) {
  bool fits;
  weir_space(c);
  if (!weir_string(c, out, room, &fits))
    return false;
  if (out != NULL && !fits)
    out[0] = '\0'; /* longer than any key of ours */
  weir_space(c);
  return weir_take(c, ':');
}

/* Steps over one value. `open` is the stack of closing brackets. */
static inline bool weir_skip(struct weir_cursor *c) {
  char open[WEIR_REPORT_DEPTH];
  size_t depth = 0;
  for (;;) { /* here a value begins */
    weir_space(c);
    if (c->at < c->end && (*c->at == '{' || *c->at == '[')) {
      if (depth == WEIR_REPORT_DEPTH)
        return false;
      open[depth++] = *c->at++ == '{' ? '}' : ']';
      weir_space(c);
      if (c->at == c->end || *c->at != open[depth - 1]) {
        if (open[depth - 1] == '}' && !weir_key(c, NULL, 0))
          return false;
        continue;
      }
    } else if (!weir_scalar(c))
      return false;
    for (;;) { /* here one has ended */
      weir_space(c);
      if (depth == 0)
        return true;
      if (weir_take(c, ','))
        break;
      if (!weir_take(c, open[--depth]))
        return false;
    }
    if (open[depth - 1] == '}' && !weir_key(c, NULL, 0))
      return false;
  }
}

static inline bool weir_member(struct weir_cursor *c, struct weir_report *out) {
  char key[8];
  bool fits;
  if (!weir_key(c, key, sizeof(key)))
    return false;
  weir_space(c);
  if (strcmp(key, "label") == 0) {
    if (!weir_string(c, out->label, sizeof(out->label), &fits))
      return false;
    if (!fits)
      strcpy(out->label, WEIR_LABEL_TOO_LONG);
    return true;
  }
  if (strcmp(key, "value") != 0)
    return weir_skip(c);
  out->has_value = !weir_word(c, "null");
  return !out->has_value || weir_number(c, &out->value);
}

/* Returns 0, or -1: *out is then all zero. */
static inline int weir_report_parse(const char *text, size_t len,
                                    struct weir_report *out) {
  struct weir_cursor c = {text, text + len};
  memset(out, 0, sizeof(*out));
  weir_space(&c);
  bool ok = weir_take(&c, '{');
  weir_space(&c);
  if (ok && !weir_take(&c, '}')) {
    do
      ok = weir_member(&c, out);
    while (ok && (weir_space(&c), weir_take(&c, ',')));
    ok = ok && weir_take(&c, '}');
  }
  weir_space(&c);
  if (ok && c.at == c.end && out->label[0] != '\0')
    return 0;
  memset(out, 0, sizeof(*out));
  return -1;
}

#endif
