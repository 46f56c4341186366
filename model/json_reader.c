#include "model/json_reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum state {
  WANT_VALUE,
  WANT_VALUE_OR_END, /* just after [ */
  WANT_KEY,
  WANT_KEY_OR_END, /* just after { */
  WANT_COLON,
  WANT_COMMA_OR_END,
  IN_STRING,
  IN_ESCAPE,
  IN_HEX,
  IN_NUMBER,
  IN_WORD,
  DONE,
  BAD,
};

void json_reader_init(struct json_reader *reader, json_event_fn *on_event,
                      void *context) {
  memset(reader, 0, sizeof(*reader));
  reader->on_event = on_event;
  reader->context = context;
  reader->state = WANT_VALUE;
}

bool json_reader_done(const struct json_reader *reader) {
  return reader->state == DONE;
}

static int bad(struct json_reader *r) {
  r->state = BAD;
  return -EINVAL;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool top_is_array(const struct json_reader *r) {
  return (r->arrays >> (r->depth - 1)) & 1;
}

static void emit(struct json_reader *r, struct json_event *event) {
  event->depth = r->depth;
  r->on_event(r->context, event);
}

static void value_ended(struct json_reader *r) {
  r->state = r->depth == 0 ? DONE : WANT_COMMA_OR_END;
}

static int open_container(struct json_reader *r, bool array) {
  if (r->depth == JSON_DEPTH_MAX)
    return bad(r);
  emit(r, &(struct json_event){.kind = array ? JSON_ARRAY : JSON_OBJECT});
  uint64_t bit = UINT64_C(1) << r->depth;
  r->arrays = array ? r->arrays | bit : r->arrays & ~bit;
  r->depth++;
  r->state = array ? WANT_VALUE_OR_END : WANT_KEY_OR_END;
  return 0;
}

static int close_container(struct json_reader *r, bool array) {
  if (r->depth == 0 || top_is_array(r) != array)
    return bad(r);
  r->depth--;
  emit(r, &(struct json_event){.kind = JSON_END});
  value_ended(r);
  return 0;
}

static void begin_text(struct json_reader *r, enum state state) {
  r->state = state;
  r->length = 0;
  r->cut = false;
}

static bool keep(struct json_reader *r, char c) {
  if (r->length == JSON_TEXT_MAX - 1)
    return false;
  r->text[r->length++] = c;
  return true;
}

static int begin_value(struct json_reader *r, char c) {
  if (c == '{' || c == '[')
    return open_container(r, c == '[');
  if (c == '"') {
    begin_text(r, IN_STRING);
    r->in_key = false;
    return 0;
  }
  if (c == '-' || is_digit(c))
    begin_text(r, IN_NUMBER);
  else if (c == 't' || c == 'f' || c == 'n')
    begin_text(r, IN_WORD);
  else
    return bad(r);
  keep(r, c);
  return 0;
}

static void end_string(struct json_reader *r) {
  r->text[r->length] = '\0';
  emit(r, &(struct json_event){.kind = r->in_key ? JSON_KEY : JSON_STRING,
                               .text = r->text,
                               .cut = r->cut});
  if (r->in_key)
    r->state = WANT_COLON;
  else
    value_ended(r);
}

static int in_string(struct json_reader *r, char c) {
  if (c == '"') {
    end_string(r);
    return 0;
  }
  if ((unsigned char)c < 0x20)
    return bad(r);
  if (c == '\\')
    r->state = IN_ESCAPE;
  else if (!keep(r, c))
    r->cut = true;
  return 0;
}

static int in_escape(struct json_reader *r, char c) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  if (c == 'u') {
    r->state = IN_HEX;
    r->hex = r->hex_digits = 0;
    return 0;
  }
  const char *at = c == '\0' ? NULL : strchr(from, c);
  if (at == NULL)
    return bad(r);
  if (!keep(r, to[at - from]))
    r->cut = true;
  r->state = IN_STRING;
  return 0;
}

static int in_hex(struct json_reader *r, char c) {
  char lower = c | 0x20;
  if (is_digit(c))
    r->hex = r->hex * 16 + (unsigned)(c - '0');
  else if (lower >= 'a' && lower <= 'f')
    r->hex = r->hex * 16 + (unsigned)(lower - 'a') + 10;
  else
    return bad(r);
  if (++r->hex_digits < 4)
    return 0;
  if (!keep(r, r->hex > 0 && r->hex < 0x80 ? (char)r->hex : '?'))
    r->cut = true;
  r->state = IN_STRING;
  return 0;
}

static const char *digits(const char *at) {
  while (is_digit(*at))
    at++;
  return at;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?, the whole text. */
static bool is_number(const char *text, bool *integer) {
  const char *at = text + (*text == '-');
  const char *end = *at == '0' ? at + 1 : digits(at);
  if (end == at)
    return false;
  *integer = *end == '\0';
  if (*end == '.') {
    at = end + 1;
    end = digits(at);
    if (end == at)
      return false;
  }
  if (*end == 'e' || *end == 'E') {
    at = end + 1;
    at += *at == '+' || *at == '-';
    end = digits(at);
    if (end == at)
      return false;
  }
  return *end == '\0';
}

static int end_number(struct json_reader *r) {
  struct json_event event = {.kind = JSON_NUMBER};
  r->text[r->length] = '\0';
  if (!is_number(r->text, &event.integer))
    return bad(r);
  event.number = strtod(r->text, NULL);
  if (!isfinite(event.number))
    return bad(r);
  emit(r, &event);
  value_ended(r);
  return 0;
}

static int end_word(struct json_reader *r) {
  struct json_event event = {.kind = JSON_BOOL};
  r->text[r->length] = '\0';
  if (strcmp(r->text, "null") == 0)
    event.kind = JSON_NULL;
  else if (strcmp(r->text, "true") == 0)
    event.truth = true;
  else if (strcmp(r->text, "false") != 0)
    return bad(r);
  emit(r, &event);
  value_ended(r);
  return 0;
}

static int want_key(struct json_reader *r, char c) {
  if (c == '}' && r->state == WANT_KEY_OR_END)
    return close_container(r, false);
  if (c != '"')
    return bad(r);
  begin_text(r, IN_STRING);
  r->in_key = true;
  return 0;
}

static int want_comma_or_end(struct json_reader *r, char c) {
  if (c == '}' || c == ']')
    return close_container(r, c == ']');
  if (c != ',')
    return bad(r);
  r->state = top_is_array(r) ? WANT_VALUE : WANT_KEY;
  return 0;
}

static int structure(struct json_reader *r, char c) {
  if (is_blank(c))
    return 0;
  switch (r->state) {
  case WANT_VALUE_OR_END:
    if (c == ']')
      return close_container(r, true);
    return begin_value(r, c);
  case WANT_VALUE:
    return begin_value(r, c);
  case WANT_KEY:
  case WANT_KEY_OR_END:
    return want_key(r, c);
  case WANT_COLON:
    if (c != ':')
      return bad(r);
    r->state = WANT_VALUE;
    return 0;
  case WANT_COMMA_OR_END:
    return want_comma_or_end(r, c);
  default: /* DONE, BAD */
    return bad(r);
  }
}

int json_reader_push(struct json_reader *r, char c) {
  switch (r->state) {
  case IN_STRING:
    return in_string(r, c);
  case IN_ESCAPE:
    return in_escape(r, c);
  case IN_HEX:
    return in_hex(r, c);
  case IN_NUMBER:
    if (is_digit(c) || c == '.' || c == '-' || c == '+' || (c | 0x20) == 'e')
      return keep(r, c) ? 0 : bad(r);
    if (end_number(r) != 0)
      return -EINVAL;
    return structure(r, c);
  case IN_WORD:
    if (c >= 'a' && c <= 'z')
      return keep(r, c) ? 0 : bad(r);
    if (end_word(r) != 0)
      return -EINVAL;
    return structure(r, c);
  default:
    return structure(r, c);
  }
}
