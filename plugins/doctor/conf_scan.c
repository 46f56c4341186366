/* Tokens of collectd's configuration. As in a scanner made by flex, the longest
 * match counts and, of equal ones, the rule that stands first: 5 is a number,
 * 5a a word, 5.5 a number, 1.2.3.4 an address. */
#include "doctor/conf.h"

#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

static bool word_char(char c) { return wr_text_is_alnum(c) || c == '_'; }

static size_t span(const struct conf_scan *s, bool (*is)(char c)) {
  const char *at = s->at;
  while (at < s->end && is(*at))
    at++;
  return (size_t)(at - s->at);
}

static bool is_hex(char c) {
  return wr_text_is_digit(c) ||
         (wr_text_upper(c) >= 'A' && wr_text_upper(c) <= 'F');
}

static size_t digits(const char *at, const char *end) {
  size_t n = 0;
  while (at + n < end && wr_text_is_digit(at[n]))
    n++;
  return n;
}

/* [+-]digits, [+-][digits].digits[e[+-]digits], 0x...; 0: none. */
static size_t number_len(const struct conf_scan *s) {
  const char *at = s->at;
  if (s->end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X') &&
      is_hex(at[2])) {
    struct conf_scan rest = {.at = at + 2, .end = s->end};
    return 2 + span(&rest, is_hex);
  }
  at += at < s->end && (*at == '+' || *at == '-');
  size_t whole = digits(at, s->end);
  const char *dot = at + whole;
  size_t fraction = dot < s->end && *dot == '.' ? digits(dot + 1, s->end) : 0;
  if (fraction == 0)
    return whole > 0 ? (size_t)(dot - s->at) : 0;
  const char *e = dot + 1 + fraction;
  if (s->end - e > 2 && (*e == 'e' || *e == 'E') &&
      (e[1] == '+' || e[1] == '-') && wr_text_is_digit(e[2]))
    e += 2 + digits(e + 2, s->end);
  return (size_t)(e - s->at);
}

static bool address_char(char c) { return is_hex(c) || c == ':' || c == '.'; }

/* a.b.c.d with an optional :port, something with two colons, or that in square
 * brackets, with a port; collectd takes all of them without quotes. 0: none. */
static size_t address_len(const struct conf_scan *s) {
  bool bracket = s->at < s->end && *s->at == '[';
  struct conf_scan rest = {.at = s->at + bracket, .end = s->end};
  size_t len = span(&rest, address_char), dots = 0, colons = 0;
  for (size_t i = 0; i < len; i++) {
    dots += rest.at[i] == '.';
    colons += rest.at[i] == ':';
  }
  bool v4 = dots == 3 && colons < 2 && wr_text_is_digit(rest.at[0]);
  bool v6 = colons > 1 && dots % 3 == 0;
  const char *behind = rest.at + len;
  if (!bracket)
    return v4 || v6 ? len : 0;
  if (!v6 || behind == s->end || *behind++ != ']')
    return 0;
  if (s->end - behind > 1 && *behind == ':' && wr_text_is_digit(behind[1]))
    behind += 1 + digits(behind + 1, s->end);
  return (size_t)(behind - s->at);
}

static enum conf_token take(struct conf_scan *s, enum conf_token kind,
                            size_t len) {
  s->text = strndup(s->at, len);
  s->at += len;
  return s->text != NULL ? kind : CONF_BAD;
}

static bool is_truth(const char *text) {
  static const char *const words[] = {"true",  "yes", "on",
                                      "false", "no",  "off"};
  for (size_t i = 0; i < 6; i++)
    if (wr_text_same(text, words[i]))
      return true;
  return false;
}

/* Behind the quote: a backslash takes the next character as it is, at the end
 * of a line it joins the lines. */
static enum conf_token take_quoted(struct conf_scan *s) {
  char *out = malloc((size_t)(s->end - s->at) + 1);
  size_t used = 0;
  while (out != NULL && s->at < s->end && *s->at != '"') {
    char c = *s->at++;
    if (c == '\\' && s->at < s->end) {
      c = *s->at++;
      if (c == '\r' && s->at < s->end && *s->at == '\n')
        c = *s->at++;
      s->line += c == '\n';
      if (c == '\n')
        continue;
    } else {
      s->line += c == '\n';
    }
    out[used++] = c;
  }
  if (out == NULL || s->at == s->end) {
    free(out);
    return CONF_BAD;
  }
  s->at++;
  out[used] = '\0';
  s->text = out;
  return CONF_QUOTED;
}

static void skip_blank(struct conf_scan *s) {
  while (s->at < s->end) {
    if (*s->at == ' ' || *s->at == '\t' || *s->at == '\b')
      s->at++;
    else if (*s->at == '#')
      while (s->at < s->end && *s->at != '\n')
        s->at++;
    else if (s->end - s->at > 1 && s->at[0] == '\\' && s->at[1] == '\n') {
      s->at += 2;
      s->line++;
    } else if (s->end - s->at > 2 && memcmp(s->at, "\\\r\n", 3) == 0) {
      s->at += 3;
      s->line++;
    } else
      break;
  }
}

static enum conf_token take_bare(struct conf_scan *s) {
  size_t word = span(s, word_char), number = number_len(s),
         address = address_len(s);
  if (address >= word && address > number)
    return take(s, CONF_WORD, address);
  if (number >= word && number > 0)
    return take(s, CONF_DIGITS, number);
  if (word == 0)
    return CONF_BAD;
  enum conf_token kind = take(s, CONF_WORD, word);
  return kind == CONF_WORD && is_truth(s->text) ? CONF_TRUTH : kind;
}

char *conf_take(struct conf_scan *s) {
  char *text = s->text;
  s->text = NULL;
  return text;
}

enum conf_token conf_next(struct conf_scan *s) {
  free(conf_take(s));
  skip_blank(s);
  if (s->at == s->end)
    return CONF_END;
  switch (*s->at) {
  case '\r':
    if (s->end - s->at < 2 || s->at[1] != '\n')
      return CONF_BAD;
    s->at++;
    /* fall through */
  case '\n':
    s->at++;
    s->line++;
    return CONF_EOL;
  case '<':
    s->at++;
    return CONF_OPEN;
  case '>':
    s->at++;
    return CONF_CLOSE;
  case '/':
    s->at++;
    return CONF_SLASH;
  case '"':
    s->at++;
    return take_quoted(s);
  default:
    return take_bare(s);
  }
}
