#include "tests/sim/m4sim_wire.h"

#include <string.h>

#define DEPTH_MAX 64

void ms_put(struct ms_out *out, const void *bytes, size_t len) {
  if (out->full || len > sizeof(out->data) - out->len) {
    out->full = true;
    return;
  }
  memcpy(out->data + out->len, bytes, len);
  out->len += len;
}

static void put_byte(struct ms_out *out, unsigned byte) {
  ms_put(out, &(uint8_t){(uint8_t)byte}, 1);
}

static void put_be(struct ms_out *out, unsigned type, uint64_t value,
                   int bytes) {
  put_byte(out, type);
  while (bytes-- > 0)
    put_byte(out, (unsigned)(value >> (8 * bytes)) & 0xff);
}

void ms_put_array(struct ms_out *out, uint32_t count) {
  if (count < 16)
    put_byte(out, 0x90 | count);
  else if (count <= UINT16_MAX)
    put_be(out, 0xdc, count, 2);
  else
    put_be(out, 0xdd, count, 4);
}

static void put_map(struct ms_out *out, uint32_t pairs) {
  if (pairs < 16)
    put_byte(out, 0x80 | pairs);
  else if (pairs <= UINT16_MAX)
    put_be(out, 0xde, pairs, 2);
  else
    put_be(out, 0xdf, pairs, 4);
}

void ms_put_uint(struct ms_out *out, uint64_t value) {
  if (value < 0x80)
    put_byte(out, (unsigned)value);
  else if (value <= UINT8_MAX)
    put_be(out, 0xcc, value, 1);
  else if (value <= UINT16_MAX)
    put_be(out, 0xcd, value, 2);
  else if (value <= UINT32_MAX)
    put_be(out, 0xce, value, 4);
  else
    put_be(out, 0xcf, value, 8);
}

void ms_put_int(struct ms_out *out, int64_t value) {
  if (value >= 0)
    ms_put_uint(out, (uint64_t)value);
  else if (value >= -32)
    put_byte(out, (unsigned)value & 0xff);
  else if (value >= INT8_MIN)
    put_be(out, 0xd0, (uint64_t)value, 1);
  else if (value >= INT16_MIN)
    put_be(out, 0xd1, (uint64_t)value, 2);
  else if (value >= INT32_MIN)
    put_be(out, 0xd2, (uint64_t)value, 4);
  else
    put_be(out, 0xd3, (uint64_t)value, 8);
}

void ms_put_float(struct ms_out *out, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  put_be(out, 0xca, bits, 4);
}

void ms_put_nil(struct ms_out *out) { put_byte(out, 0xc0); }

void ms_put_bool(struct ms_out *out, bool value) {
  put_byte(out, value ? 0xc3 : 0xc2);
}

void ms_put_str(struct ms_out *out, const char *text) {
  size_t len = strlen(text);
  if (len < 32)
    put_byte(out, 0xa0 | (unsigned)len);
  else if (len <= UINT8_MAX)
    put_be(out, 0xd9, len, 1);
  else
    put_be(out, 0xda, len, 2);
  ms_put(out, text, len);
}

/* Length in bytes of the number that follows each type byte c0..df. */
static const uint8_t head_len[32] = {0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 4,
                                     8, 1, 2, 4, 8, 1, 2, 4, 8, 0, 0,
                                     0, 0, 0, 1, 2, 4, 2, 4, 2, 4};
static const uint8_t type_of[32] = {
    MS_NIL,   MS_NEVER, MS_BOOL, MS_BOOL,    MS_BIN,     MS_BIN,  MS_BIN,
    MS_EXT,   MS_EXT,   MS_EXT,  MS_FLOAT32, MS_FLOAT64, MS_UINT, MS_UINT,
    MS_UINT,  MS_UINT,  MS_INT,  MS_INT,     MS_INT,     MS_INT,  MS_EXT,
    MS_EXT,   MS_EXT,   MS_EXT,  MS_EXT,     MS_STR,     MS_STR,  MS_STR,
    MS_ARRAY, MS_ARRAY, MS_MAP,  MS_MAP};

static void get_fixed(uint8_t byte, struct ms_value *value) {
  if (byte < 0x80) {
    value->type = MS_UINT;
    value->u = byte;
  } else if (byte < 0x90) {
    value->type = MS_MAP;
    value->len = byte & 0x0f;
  } else if (byte < 0xa0) {
    value->type = MS_ARRAY;
    value->len = byte & 0x0f;
  } else if (byte < 0xc0) {
    value->type = MS_STR;
    value->len = byte & 0x1f;
  } else { /* e0.. */
    value->type = MS_INT;
    value->u = (uint64_t)(int64_t)(int8_t)byte;
  }
}

static bool get_headed(struct ms_in *in, uint8_t byte, struct ms_value *value) {
  size_t bytes = head_len[byte - 0xc0];
  if (bytes > (size_t)(in->end - in->at))
    return false;
  uint64_t number = 0;
  for (size_t i = 0; i < bytes; i++)
    number = number << 8 | *in->at++;
  value->type = (enum ms_type)type_of[byte - 0xc0];
  if (value->type == MS_INT && bytes < 8 && number >> (8 * bytes - 1) & 1)
    number |= ~(uint64_t)0 << (8 * bytes);
  if (value->type == MS_INT && (int64_t)number >= 0)
    value->type = MS_UINT;
  value->u = value->type == MS_BOOL ? byte == 0xc3 : number;
  value->len = (uint32_t)number;
  if (byte >= 0xd4 && byte <= 0xd8)
    value->len = 1u << (byte - 0xd4);
  return true;
}

bool ms_get(struct ms_in *in, struct ms_value *value) {
  struct ms_in try = *in;
  if (try.at == try.end)
    return false;
  uint8_t byte = *try.at++;
  *value = (struct ms_value){.byte = byte};
  if (byte < 0xc0 || byte >= 0xe0)
    get_fixed(byte, value);
  else if (!get_headed(&try, byte, value))
    return false;
  if (value->type == MS_STR || value->type == MS_BIN || value->type == MS_EXT) {
    size_t need = (size_t)value->len + (value->type == MS_EXT);
    if (need > (size_t)(try.end - try.at))
      return false;
    value->data = try.at;
    try.at += need;
  }
  *in = try;
  return true;
}

static uint64_t children(const struct ms_value *value) {
  return value->type == MS_ARRAY ? value->len
         : value->type == MS_MAP ? 2 * (uint64_t)value->len
                                 : 0;
}

int ms_skip(struct ms_in *in) {
  struct ms_in try = *in;
  uint64_t open[DEPTH_MAX + 1] = {1};
  int depth = 0;
  while (depth >= 0) {
    struct ms_value value;
    if (open[depth] == 0) {
      depth--;
      continue;
    }
    if (!ms_get(&try, &value))
      return 0;
    if (value.type == MS_NEVER || depth == DEPTH_MAX)
      return -1;
    open[depth]--;
    open[++depth] = children(&value);
  }
  *in = try;
  return 1;
}

static void put_old_raw(struct ms_out *out, const struct ms_value *value) {
  if (value->len < 32)
    put_byte(out, 0xa0 | value->len);
  else { /* the high byte of the length comes from the wrong shift */
    put_byte(out, 0xda);
    put_byte(out, (value->len >> 16) & 0xff);
    put_byte(out, value->len & 0xff);
  }
  ms_put(out, value->data, value->len);
}

static enum ms_verdict transcode_one(const struct ms_value *value,
                                     struct ms_out *out, const char **why) {
  switch (value->type) {
  case MS_BOOL:
    ms_put_bool(out, value->u);
    return MS_PASS;
  case MS_UINT:
  case MS_FLOAT32:
  case MS_FLOAT64:
    ms_put_uint(out, value->u);
    return MS_PASS;
  case MS_INT:
    ms_put_int(out, (int64_t)value->u);
    return MS_PASS;
  case MS_STR:
    if (value->byte == 0xd9)
      break;
    put_old_raw(out, value);
    return MS_PASS;
  case MS_ARRAY:
    ms_put_array(out, value->len);
    return MS_PASS;
  case MS_MAP:
    put_map(out, value->len);
    return MS_PASS;
  case MS_BIN:
    if (value->byte == 0xc4)
      return MS_GARBLED;
    break;
  default:
    break;
  }
  static const char *const names[] = {[MS_NIL] = "nil",
                                      [MS_STR] = "unsupported code: 217 (str8)",
                                      [MS_BIN] = "bin",
                                      [MS_EXT] = "ext",
                                      [MS_NEVER] = "code 0xc1"};
  *why = names[value->type];
  return MS_PANIC;
}

enum ms_verdict ms_transcode(struct ms_in *in, struct ms_out *out,
                             const char **why) {
  uint64_t left = 1;
  bool garbled = false;
  for (bool first = true; left > 0; first = false) {
    struct ms_value value;
    /* str8 and c1 kill it before the missing bytes could matter */
    if (in->at < in->end && (*in->at == 0xd9 || *in->at == 0xc1)) {
      *why = *in->at == 0xc1 ? "code 0xc1" : "unsupported code: 217 (str8)";
      return MS_PANIC;
    }
    if (!ms_get(in, &value))
      return MS_SHORT;
    if (first && (value.type != MS_ARRAY || value.len == 0)) {
      *why = value.type == MS_ARRAY ? "empty array" : "not an array";
      return MS_PANIC;
    }
    enum ms_verdict verdict = transcode_one(&value, out, why);
    if (verdict == MS_PANIC)
      return MS_PANIC;
    garbled |= verdict == MS_GARBLED;
    left += children(&value) - 1;
  }
  return garbled ? MS_GARBLED : MS_PASS;
}

enum ms_verdict ms_check_reply(const uint8_t *data, size_t len,
                               const char **why) {
  struct ms_in in = {data, data + len};
  struct ms_value value;
  if (len > 128) { /* the M7 splits here, the proxy parses each part */
    *why = "reply longer than 128 bytes";
    return MS_PANIC;
  }
  while (ms_get(&in, &value))
    if (value.type == MS_STR && value.byte == 0xd9) {
      *why = "unsupported code: 217 (str8 from the M4)";
      return MS_PANIC;
    }
  return MS_PASS;
}
