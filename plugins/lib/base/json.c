#include "lib/base/json.h"

#include "lib/base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Values stand in the order of the text, a key before its value; `span` counts
 * a value and all inside it, so that value + span is the one behind it. */
struct wr_json {
  const char *text; /* KEY, STRING, NUMBER */
  uint32_t span;
  uint8_t kind;
};

/* --- building --- */

struct builder {
  struct wr_json *values;
  size_t count, max;
  char *text;                   /* where the next one goes */
  uint32_t open[WR_JSON_DEPTH]; /* the containers around it */
};

/* How many values and keys there are: each begins with a bracket, with a quote
 * or with the first character of a number or word. */
static size_t count_values(const char *text, size_t len) {
  size_t count = 0;
  bool in_string = false, in_word = false;
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    if (in_string) {
      i += c == '\\';
      in_string = c != '"';
      continue;
    }
    bool word = wr_text_is_alnum(c) || c == '-' || c == '+' || c == '.';
    count += c == '"' || c == '[' || c == '{' || (word && !in_word);
    in_string = c == '"';
    in_word = word;
  }
  return count;
}

/* Decoded text is never longer than it was written: \u0000 has six
 * characters, what stands for it three. */
static void keep_text(struct builder *b, const struct wr_json_event *event) {
  b->values[b->count].text = b->text;
  for (size_t i = 0; i < event->len; i++)
    if (event->text[i] != '\0')
      *b->text++ = event->text[i];
    else {
      memcpy(b->text, "\xef\xbf\xbd", 3);
      b->text += 3;
    }
  *b->text++ = '\0';
}

static int build(void *context, const struct wr_json_event *event) {
  struct builder *b = context;
  if (event->kind == WR_JSON_END) {
    uint32_t open = b->open[event->depth];
    b->values[open].span = (uint32_t)(b->count - open);
    return 0;
  }
  if (b->count == b->max)
    return -EBADMSG;
  if (event->kind == WR_JSON_ARRAY || event->kind == WR_JSON_OBJECT)
    b->open[event->depth] = (uint32_t)b->count;
  if (event->text != NULL)
    keep_text(b, event);
  else if (event->kind == WR_JSON_BOOL)
    b->values[b->count].text = event->truth ? "true" : NULL;
  b->values[b->count].span = 1;
  b->values[b->count++].kind = (uint8_t)event->kind;
  return 0;
}

int wr_json_parse(const char *text, size_t len, size_t max_len,
                  struct wr_json **out) {
  *out = NULL;
  if (len > max_len || len > UINT32_MAX / 2)
    return -E2BIG;
  size_t count = count_values(text, len);
  struct wr_json *values = calloc(1, count * sizeof(*values) + len + 1);
  if (values == NULL)
    return -ENOMEM;
  struct builder builder = {
      .values = values, .max = count, .text = (char *)(values + count)};
  struct wr_json_reader reader;
  wr_json_reader_init(&reader, len, build, &builder);
  int status = wr_json_reader_push(&reader, text, len);
  if (status == 0)
    status = wr_json_reader_end(&reader);
  wr_json_reader_free(&reader);
  if (status == 0)
    *out = values;
  else
    free(values);
  return status;
}

void wr_json_free(struct wr_json *document) { free(document); }

/* --- finding --- */

enum wr_json_kind wr_json_kind(const struct wr_json *v) {
  return v == NULL ? WR_JSON_NONE : (enum wr_json_kind)v->kind;
}

const char *wr_json_text(const struct wr_json *v) {
  return wr_json_kind(v) == WR_JSON_STRING ? v->text : NULL;
}

const char *wr_json_key(const struct wr_json *member) {
  return member[-1].text;
}

const struct wr_json *wr_json_next(const struct wr_json *container,
                                   const struct wr_json *after) {
  enum wr_json_kind kind = wr_json_kind(container);
  if (kind != WR_JSON_ARRAY && kind != WR_JSON_OBJECT)
    return NULL;
  const struct wr_json *next =
      after == NULL ? container + 1 : after + after->span;
  if (next == container + container->span)
    return NULL;
  return kind == WR_JSON_OBJECT ? next + 1 : next;
}

const struct wr_json *wr_json_get(const struct wr_json *object,
                                  const char *key) {
  const struct wr_json *found = NULL;
  if (wr_json_kind(object) != WR_JSON_OBJECT)
    return NULL;
  for (const struct wr_json *v = wr_json_next(object, NULL); v != NULL;
       v = wr_json_next(object, v))
    if (strcmp(wr_json_key(v), key) == 0)
      found = v;
  return found;
}

/* The member, if it is of this kind. */
static int member(const struct wr_json *object, const char *key,
                  enum wr_json_kind kind, const struct wr_json **out) {
  *out = wr_json_get(object, key);
  if (*out == NULL)
    return -ENOENT;
  return wr_json_kind(*out) == kind ? 0 : -EINVAL;
}

int wr_json_string(const struct wr_json *object, const char *key,
                   const char **out) {
  const struct wr_json *v;
  int status = member(object, key, WR_JSON_STRING, &v);
  if (status == 0)
    *out = v->text;
  return status;
}

int wr_json_double(const struct wr_json *object, const char *key, double *out) {
  const struct wr_json *v;
  int status = member(object, key, WR_JSON_NUMBER, &v);
  if (status != 0)
    return status;
  return wr_number_read(v->text, out) == 0 ? 0 : -EINVAL;
}

int wr_json_int(const struct wr_json *object, const char *key, int64_t *out) {
  const struct wr_json *v;
  int status = member(object, key, WR_JSON_NUMBER, &v);
  if (status != 0)
    return status;
  char *end;
  errno = 0;
  int64_t value = strtoll(v->text, &end, 10);
  if (errno != 0 || *end != '\0')
    return -EINVAL;
  *out = value;
  return 0;
}

int wr_json_bool(const struct wr_json *object, const char *key, bool *out) {
  const struct wr_json *v;
  int status = member(object, key, WR_JSON_BOOL, &v);
  if (status == 0)
    *out = v->text != NULL;
  return status;
}

/* --- writing --- */

static int put_char(struct wr_bytes *b, const char *s, size_t len) {
  if (len == 0)
    return wr_bytes_text(b, "\xef\xbf\xbd");
  if (*s == '"' || *s == '\\')
    return wr_bytes_printf(b, "\\%c", *s);
  if ((unsigned char)*s < 0x20)
    return wr_bytes_printf(b, "\\u%04x", *s);
  return wr_bytes_append(b, s, len);
}

int wr_json_put_string(struct wr_bytes *b, const char *text) {
  int status = wr_bytes_text(b, "\"");
  size_t left = strlen(text);
  while (status == 0 && left > 0) {
    size_t len = wr_text_utf8(text, left);
    status = put_char(b, text, len);
    size_t step = len == 0 ? 1 : len;
    text += step;
    left -= step;
  }
  return status != 0 ? status : wr_bytes_text(b, "\"");
}

int wr_json_put_double(struct wr_bytes *b, double value) {
  char text[WR_NUMBER_MAX];
  if (!isfinite(value))
    return wr_bytes_text(b, "null");
  return wr_bytes_text(b, wr_number_write(text, value));
}
