/* Values of the codec as text for people. */
#include "lib/rpc/codec.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
  char *buf;
  size_t size, len;
};

static void put(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  int n = vsnprintf(t->buf + t->len, t->size - t->len, format, ap);
  va_end(ap);
  t->len += (size_t)n; /* it fails for wide characters alone */
  if (t->len >= t->size)
    t->len = t->size - 1;
}

static void put_text(struct text *t, const struct wr_rpc_value *v) {
  for (size_t i = 0; i < v->len; i++) {
    uint8_t c = v->data[i];
    put(t, "%c", c >= 0x20 && c < 0x7f ? c : '?');
  }
}

static void put_value(struct text *t, const struct wr_rpc_value *v);

/* Recursion is bounded: what was scanned is at most WR_RPC_DEPTH deep. */
static void put_elements(struct text *t, const struct wr_rpc_value *v) {
  bool map = v->kind == WR_RPC_MAP;
  const uint8_t *at = v->data, *end = v->data + v->len;
  uint32_t count = v->count * (map ? 2u : 1u);
  put(t, map ? "{" : "[");
  for (uint32_t i = 0; i < count; i++) {
    struct wr_rpc_value e;
    if (wr_rpc_read(&at, end, &e) != 0)
      break;
    put(t, "%s", i == 0 ? "" : map && i % 2 == 1 ? ":" : ",");
    put_value(t, &e);
  }
  put(t, map ? "}" : "]");
}

static void put_value(struct text *t, const struct wr_rpc_value *v) {
  switch (v->kind) {
  case WR_RPC_NIL:
    put(t, "null");
    break;
  case WR_RPC_BOOL:
    put(t, v->b ? "true" : "false");
    break;
  case WR_RPC_INT:
    put(t, "%" PRId64, v->i);
    break;
  case WR_RPC_UINT:
    put(t, "%" PRIu64, v->u);
    break;
  case WR_RPC_FLOAT:
    put(t, "%.9g", v->d);
    break;
  case WR_RPC_TEXT:
  case WR_RPC_BIN:
    put(t, "\"");
    put_text(t, v);
    put(t, "\"");
    break;
  case WR_RPC_ARRAY:
  case WR_RPC_MAP:
    put_elements(t, v);
    break;
  case WR_RPC_EXT:
    put(t, "(%zu bytes of an extension type)", v->len);
    break;
  }
}

static bool is_text(const struct wr_rpc_value *v) {
  return v->kind == WR_RPC_TEXT || v->kind == WR_RPC_BIN;
}

/* {"code":2,"message":"..."}: the first text that is a value, not a key. */
static bool text_in_map(const struct wr_rpc_value *map,
                        struct wr_rpc_value *out) {
  const uint8_t *at = map->data, *end = map->data + map->len;
  struct wr_rpc_value key;
  for (uint32_t i = 0; i < map->count; i++)
    if (wr_rpc_read(&at, end, &key) == 0 && wr_rpc_read(&at, end, out) == 0 &&
        is_text(out))
      return true;
  return false;
}

void wr_rpc_print(const struct wr_rpc_value *value, char *buf, size_t size) {
  struct text t = {.buf = buf, .size = size};
  if (size > 0)
    put_value(&t, value);
}

void wr_rpc_print_error(const struct wr_rpc_value *error, char *buf,
                        size_t size) {
  struct text t = {.buf = buf, .size = size};
  struct wr_rpc_value code, text;
  if (size == 0)
    return;
  buf[0] = '\0';
  if (is_text(error)) {
    put_text(&t, error);
  } else if (error->kind == WR_RPC_ARRAY && error->count == 2 &&
             wr_rpc_element(error, 0, &code) == 0 &&
             wr_rpc_element(error, 1, &text) == 0 && is_text(&text)) {
    put_value(&t, &code);
    put(&t, " ");
    put_text(&t, &text);
  } else if (error->kind == WR_RPC_MAP && text_in_map(error, &text)) {
    put_text(&t, &text);
  } else {
    put_value(&t, error);
  }
}
