#include "lib/base/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Brackets outside strings; the parser proper checks everything else. */
static int check_depth(const char *text, size_t len) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    if (in_string) {
      if (c == '\\')
        i++;
      else if (c == '"')
        in_string = false;
    } else if (c == '"')
      in_string = true;
    else if (c == '{' || c == '[') {
      if (++depth > WR_JSON_DEPTH)
        return -ELOOP;
    } else if (c == '}' || c == ']')
      depth--;
  }
  return 0;
}

int wr_json_parse(const char *text, size_t len, size_t max_len, yajl_val *out) {
  *out = NULL;
  if (len > max_len)
    return -E2BIG;
  if (memchr(text, '\0', len) != NULL)
    return -EBADMSG; /* yajl_tree_parse() would stop there */
  int status = check_depth(text, len);
  if (status != 0)
    return status;
  char *copy = strndup(text, len);
  if (copy == NULL)
    return -ENOMEM;
  *out = yajl_tree_parse(copy, NULL, 0);
  free(copy);
  return *out == NULL ? -EBADMSG : 0;
}

void wr_json_free(yajl_val doc) { yajl_tree_free(doc); }

yajl_val wr_json_get(yajl_val object, const char *key) {
  if (!YAJL_IS_OBJECT(object))
    return NULL;
  for (size_t i = 0; i < YAJL_GET_OBJECT(object)->len; i++)
    if (strcmp(YAJL_GET_OBJECT(object)->keys[i], key) == 0)
      return YAJL_GET_OBJECT(object)->values[i];
  return NULL;
}

int wr_json_string(yajl_val object, const char *key, const char **out) {
  yajl_val v = wr_json_get(object, key);
  if (v == NULL)
    return -ENOENT;
  if (!YAJL_IS_STRING(v))
    return -EINVAL;
  *out = YAJL_GET_STRING(v);
  return 0;
}

int wr_json_double(yajl_val object, const char *key, double *out) {
  yajl_val v = wr_json_get(object, key);
  if (v == NULL)
    return -ENOENT;
  if (!YAJL_IS_NUMBER(v))
    return -EINVAL;
  double d =
      YAJL_IS_DOUBLE(v) ? YAJL_GET_DOUBLE(v) : strtod(YAJL_GET_NUMBER(v), NULL);
  if (!isfinite(d))
    return -EINVAL;
  *out = d;
  return 0;
}

int wr_json_int(yajl_val object, const char *key, int64_t *out) {
  yajl_val v = wr_json_get(object, key);
  if (v == NULL)
    return -ENOENT;
  if (!YAJL_IS_INTEGER(v))
    return -EINVAL;
  *out = YAJL_GET_INTEGER(v);
  return 0;
}

int wr_json_bool(yajl_val object, const char *key, bool *out) {
  yajl_val v = wr_json_get(object, key);
  if (v == NULL)
    return -ENOENT;
  if (!YAJL_IS_TRUE(v) && !YAJL_IS_FALSE(v))
    return -EINVAL;
  *out = YAJL_IS_TRUE(v);
  return 0;
}

/* Length of the UTF-8 sequence at s, 0 when it is none (RFC 3629: no
 * overlong forms, no surrogates, at most U+10FFFF). */
static size_t utf8_len(const unsigned char *s) {
  if (s[0] < 0x80)
    return 1;
  size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
  if (s[0] < 0xc2 || s[0] > 0xf4)
    return 0;
  for (size_t i = 1; i < len; i++)
    if ((s[i] & 0xc0) != 0x80)
      return 0; /* also stops at the NUL */
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
      (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
    return 0;
  return len;
}

static int put_char(struct wr_bytes *b, const unsigned char *s, size_t len) {
  if (len == 0)
    return wr_bytes_text(b, "\xef\xbf\xbd");
  if (*s == '"' || *s == '\\')
    return wr_bytes_printf(b, "\\%c", *s);
  if (*s < 0x20)
    return wr_bytes_printf(b, "\\u%04x", *s);
  return wr_bytes_append(b, s, len);
}

int wr_json_put_string(struct wr_bytes *b, const char *text) {
  int status = wr_bytes_text(b, "\"");
  const unsigned char *s = (const unsigned char *)text;
  while (status == 0 && *s != '\0') {
    size_t len = utf8_len(s);
    status = put_char(b, s, len);
    s += len == 0 ? 1 : len;
  }
  return status != 0 ? status : wr_bytes_text(b, "\"");
}

int wr_json_put_double(struct wr_bytes *b, double value) {
  if (!isfinite(value))
    return wr_bytes_text(b, "null");
  char text[32];
  /* 15 digits give back what people wrote (0.1); 17 always suffice. */
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof(text), "%.*g", digits, value);
    if (strtod(text, NULL) == value)
      break;
  }
  return wr_bytes_text(b, text);
}
