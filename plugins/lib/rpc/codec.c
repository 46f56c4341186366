#include "lib/rpc/codec.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Bytes out into a buffer that never grows; what does not fit sets `full`. */
struct sink {
  uint8_t *buf;
  size_t len;
  bool full;
};

static void put(struct sink *s, const void *bytes, size_t len) {
  s->full |= len > WR_RPC_REQUEST_MAX - s->len;
  if (s->full)
    return;
  memcpy(s->buf + s->len, bytes, len);
  s->len += len;
}

static void put_byte(struct sink *s, unsigned byte) {
  uint8_t one = (uint8_t)byte;
  put(s, &one, 1);
}

/* A type byte and the low `width` bytes of a number, the highest first. */
static void put_head(struct sink *s, unsigned type, uint64_t number,
                     unsigned width) {
  uint8_t bytes[9] = {(uint8_t)type};
  for (unsigned i = 0; i < width; i++)
    bytes[1 + i] = (uint8_t)(number >> 8 * (width - 1 - i));
  put(s, bytes, 1 + width);
}

static void put_uint(struct sink *s, uint64_t n) {
  if (n < 0x80)
    put_byte(s, (unsigned)n);
  else if (n <= UINT8_MAX)
    put_head(s, 0xcc, n, 1);
  else if (n <= UINT16_MAX)
    put_head(s, 0xcd, n, 2);
  else if (n <= UINT32_MAX)
    put_head(s, 0xce, n, 4);
  else
    put_head(s, 0xcf, n, 8);
}

static void put_int(struct sink *s, int64_t n) {
  if (n >= 0)
    put_uint(s, (uint64_t)n);
  else if (n >= -32)
    put_byte(s, (unsigned)(n & 0xff));
  else if (n >= INT8_MIN)
    put_head(s, 0xd0, (uint64_t)n, 1);
  else if (n >= INT16_MIN)
    put_head(s, 0xd1, (uint64_t)n, 2);
  else if (n >= INT32_MIN)
    put_head(s, 0xd2, (uint64_t)n, 4);
  else
    put_head(s, 0xd3, (uint64_t)n, 8);
}

static void put_array(struct sink *s, size_t count) {
  if (count < 16)
    put_byte(s, 0x90 | (unsigned)count);
  else
    put_head(s, 0xdc, count, 2);
}

/* The specification before str8 and bin: fixstr, else raw16. */
static void put_text(struct sink *s, const char *text) {
  _Static_assert(WR_RPC_STRING_MAX >= WR_RPC_REQUEST_MAX, "none fits that is");
  size_t len = strlen(text);
  if (len < 32)
    put_byte(s, 0xa0 | (unsigned)len);
  else
    put_head(s, 0xda, len, 2);
  put(s, text, len);
}

static void put_arg(struct sink *s, const struct wr_rpc_arg *arg) {
  switch (arg->kind) {
  case WR_ARG_TEXT:
    put_text(s, arg->text);
    break;
  case WR_ARG_INT:
    put_int(s, arg->i);
    break;
  case WR_ARG_BOOL:
    put_byte(s, arg->b ? 0xc3 : 0xc2);
    break;
  }
}

int wr_rpc_encode(uint8_t *buf, size_t *len, enum wr_rpc_type type,
                  uint32_t msgid, const char *method,
                  const struct wr_rpc_arg *args, size_t args_count) {
  if (method[0] == '\0')
    return -EINVAL;
  struct sink s = {.buf = buf};
  put_array(&s, type == WR_RPC_NOTIFY ? 3 : 4);
  put_uint(&s, type);
  if (type != WR_RPC_NOTIFY)
    put_uint(&s, msgid);
  put_text(&s, method);
  put_array(&s, args_count);
  for (size_t i = 0; i < args_count && !s.full; i++)
    put_arg(&s, args + i);
  if (s.full)
    return -EMSGSIZE;
  *len = s.len;
  return 0;
}

int wr_rpc_encode_reply(uint8_t *buf, size_t *len, uint32_t msgid,
                        const char *error, const char *result) {
  struct sink s = {.buf = buf};
  put_array(&s, 4);
  put_uint(&s, WR_RPC_REPLY);
  put_uint(&s, msgid);
  if (error != NULL)
    put_text(&s, error);
  put_byte(&s, 0xc0);
  if (error == NULL)
    put_text(&s, result);
  *len = s.len;
  return s.full ? -EMSGSIZE : 0;
}

void wr_rpc_encode_drain(uint8_t *buf, size_t *len, uint32_t msgid) {
  struct sink s = {.buf = buf};
  put_array(&s, 5);
  put_uint(&s, WR_RPC_REQUEST);
  put_uint(&s, msgid);
  put_text(&s, "x");
  put_array(&s, 0);
  put_uint(&s, 0);
  *len = s.len;
}

static uint64_t big_endian(const uint8_t *p, unsigned width) {
  uint64_t v = 0;
  for (unsigned i = 0; i < width; i++)
    v = v << 8 | p[i];
  return v;
}

/* What a first byte announces: `width` bytes of number or length follow it,
 * then `extra` bytes (the type of an ext) belong to the head as well. */
struct shape {
  enum wr_rpc_kind kind;
  uint8_t width;
  uint8_t extra;
  bool is_signed;
  uint32_t fixed; /* length or value when width is 0 */
};

/* 0xc0..0xdf; the rest of the table of the specification is ranges. */
static const struct shape shapes[32] = {
    {WR_RPC_NIL, 0, 0, false, 0},   {WR_RPC_EXT, 0, 0, true, 0}, /* c1 */
    {WR_RPC_BOOL, 0, 0, false, 0},  {WR_RPC_BOOL, 0, 0, false, 1},
    {WR_RPC_BIN, 1, 0, false, 0},   {WR_RPC_BIN, 2, 0, false, 0},
    {WR_RPC_BIN, 4, 0, false, 0},   {WR_RPC_EXT, 1, 1, false, 0},
    {WR_RPC_EXT, 2, 1, false, 0},   {WR_RPC_EXT, 4, 1, false, 0},
    {WR_RPC_FLOAT, 4, 0, false, 0}, {WR_RPC_FLOAT, 8, 0, false, 0},
    {WR_RPC_UINT, 1, 0, false, 0},  {WR_RPC_UINT, 2, 0, false, 0},
    {WR_RPC_UINT, 4, 0, false, 0},  {WR_RPC_UINT, 8, 0, false, 0},
    {WR_RPC_UINT, 1, 0, true, 0},   {WR_RPC_UINT, 2, 0, true, 0},
    {WR_RPC_UINT, 4, 0, true, 0},   {WR_RPC_UINT, 8, 0, true, 0},
    {WR_RPC_EXT, 0, 1, false, 1},   {WR_RPC_EXT, 0, 1, false, 2},
    {WR_RPC_EXT, 0, 1, false, 4},   {WR_RPC_EXT, 0, 1, false, 8},
    {WR_RPC_EXT, 0, 1, false, 16},  {WR_RPC_TEXT, 1, 0, false, 0},
    {WR_RPC_TEXT, 2, 0, false, 0},  {WR_RPC_TEXT, 4, 0, false, 0},
    {WR_RPC_ARRAY, 2, 0, false, 0}, {WR_RPC_ARRAY, 4, 0, false, 0},
    {WR_RPC_MAP, 2, 0, false, 0},   {WR_RPC_MAP, 4, 0, false, 0}};

static struct shape shape_of(uint8_t head) {
  if (head < 0x80)
    return (struct shape){.kind = WR_RPC_UINT, .fixed = head};
  if (head < 0x90)
    return (struct shape){.kind = WR_RPC_MAP, .fixed = head & 15u};
  if (head < 0xa0)
    return (struct shape){.kind = WR_RPC_ARRAY, .fixed = head & 15u};
  if (head < 0xc0)
    return (struct shape){.kind = WR_RPC_TEXT, .fixed = head & 31u};
  if (head < 0xe0)
    return shapes[head - 0xc0];
  return (struct shape){.kind = WR_RPC_INT, .fixed = head};
}

static void set_whole(struct wr_rpc_value *v, uint64_t bits, unsigned width) {
  unsigned shift = 64 - 8 * width;
  int64_t i = (int64_t)(bits << shift) >> shift;
  v->kind = i < 0 ? WR_RPC_INT : WR_RPC_UINT;
  v->i = i;
}

/* The bits of a double are in their place already. */
static void widen_float(struct wr_rpc_value *v) {
  uint32_t narrow = (uint32_t)v->u;
  float f = 0;
  memcpy(&f, &narrow, sizeof(f));
  v->d = (double)f;
}

/* Reads the head of a value and, of those that are no container, the body;
 * `at` ends behind what was read. */
static int read_head(const uint8_t **at, const uint8_t *end,
                     struct wr_rpc_value *v) {
  const uint8_t *p = *at;
  if (p == end)
    return -EAGAIN;
  if (*p == 0xc1)
    return -EBADMSG;
  struct shape s = shape_of(*p++);
  if ((size_t)(end - p) < (size_t)s.width + s.extra)
    return -EAGAIN;
  uint64_t number = s.width > 0 ? big_endian(p, s.width) : s.fixed;
  p += s.width + s.extra;
  *v = (struct wr_rpc_value){.kind = s.kind, .u = number, .data = p};
  size_t body = 0;
  if (s.kind == WR_RPC_TEXT || s.kind == WR_RPC_BIN || s.kind == WR_RPC_EXT)
    body = v->len = (size_t)number;
  else if (s.kind == WR_RPC_ARRAY || s.kind == WR_RPC_MAP)
    v->count = (uint32_t)number;
  else if (s.kind == WR_RPC_INT)
    set_whole(v, number, 1);
  else if (s.is_signed)
    set_whole(v, number, s.width);
  else if (s.kind == WR_RPC_FLOAT && s.width == 4)
    widen_float(v);
  else if (s.kind == WR_RPC_BOOL)
    v->b = number != 0;
  if (body > WR_RPC_REPLY_MAX)
    return -E2BIG;
  if (body > (size_t)(end - p))
    return -EAGAIN;
  *at = p + body;
  return 0;
}

/* One loop with a small stack of what is left to read in each container. */
static int skip(const uint8_t **at, const uint8_t *end) {
  uint64_t left[WR_RPC_DEPTH + 1] = {1};
  unsigned depth = 0, values = 0;
  for (;;) {
    while (left[depth] == 0) {
      if (depth == 0)
        return 0;
      depth--;
    }
    struct wr_rpc_value v;
    int status = read_head(at, end, &v);
    if (status != 0)
      return status;
    if (++values > WR_RPC_VALUES || v.count >= WR_RPC_VALUES)
      return -E2BIG;
    left[depth]--;
    if (v.kind != WR_RPC_ARRAY && v.kind != WR_RPC_MAP)
      continue;
    if (++depth > WR_RPC_DEPTH)
      return -ELOOP;
    left[depth] = (uint64_t)v.count * (v.kind == WR_RPC_MAP ? 2 : 1);
  }
}

int wr_rpc_scan(const void *data, size_t len, size_t *size) {
  const uint8_t *start = data, *at = start;
  size_t seen = len > WR_RPC_REPLY_MAX ? WR_RPC_REPLY_MAX : len;
  int status = skip(&at, start + seen);
  if (status == -EAGAIN && len >= WR_RPC_REPLY_MAX)
    return -E2BIG;
  *size = (size_t)(at - start);
  return status;
}

int wr_rpc_read(const uint8_t **at, const uint8_t *end,
                struct wr_rpc_value *out) {
  const uint8_t *start = *at;
  int status = read_head(at, end, out);
  if (status != 0 || (out->kind != WR_RPC_ARRAY && out->kind != WR_RPC_MAP))
    return status;
  *at = start;
  status = skip(at, end);
  if (status == 0)
    out->len = (size_t)(*at - out->data);
  return status;
}

int wr_rpc_element(const struct wr_rpc_value *array, uint32_t index,
                   struct wr_rpc_value *out) {
  if (array->kind != WR_RPC_ARRAY)
    return -EINVAL;
  if (index >= array->count)
    return -ENOENT;
  const uint8_t *at = array->data, *end = array->data + array->len;
  int status = 0;
  for (uint32_t i = 0; i <= index && status == 0; i++)
    status = wr_rpc_read(&at, end, out);
  return status;
}

/* [type, msgid, one, two], which requests and replies both are. */
static int decode_four(const void *data, size_t len, enum wr_rpc_type type,
                       uint32_t *msgid, struct wr_rpc_value *one,
                       struct wr_rpc_value *two, size_t *size) {
  int status = wr_rpc_scan(data, len, size);
  if (status != 0)
    return status;
  const uint8_t *at = data, *end = at + *size;
  struct wr_rpc_value message, kind, id;
  read_head(&at, end, &message);
  if (message.kind != WR_RPC_ARRAY || message.count != 4)
    return -ENOMSG;
  wr_rpc_read(&at, end, &kind);
  wr_rpc_read(&at, end, &id);
  wr_rpc_read(&at, end, one);
  wr_rpc_read(&at, end, two);
  if (kind.kind != WR_RPC_UINT || kind.u != (uint64_t)type ||
      id.kind != WR_RPC_UINT || id.u > UINT32_MAX)
    return -ENOMSG;
  *msgid = (uint32_t)id.u;
  return 0;
}

int wr_rpc_decode_reply(const void *data, size_t len, struct wr_rpc_reply *out,
                        size_t *size) {
  return decode_four(data, len, WR_RPC_REPLY, &out->msgid, &out->error,
                     &out->result, size);
}

int wr_rpc_decode_request(const void *data, size_t len,
                          struct wr_rpc_request *out, size_t *size) {
  return decode_four(data, len, WR_RPC_REQUEST, &out->msgid, &out->method,
                     &out->params, size);
}

int wr_rpc_number(const struct wr_rpc_value *value, double *out) {
  switch (value->kind) {
  case WR_RPC_BOOL:
    *out = value->b ? 1.0 : 0.0;
    return 0;
  case WR_RPC_INT:
    *out = (double)value->i;
    return 0;
  case WR_RPC_UINT:
    *out = (double)value->u;
    return 0;
  case WR_RPC_FLOAT:
    if (!isfinite(value->d))
      return -ERANGE;
    *out = value->d;
    return 0;
  default:
    return -EINVAL;
  }
}
