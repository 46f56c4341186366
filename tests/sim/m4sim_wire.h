/* m4sim_wire: MessagePack at the level of single bytes.
 *
 * Not a general library: the quirks of the real path (an old encoder in the
 * proxy, a fixed set of accepted type bytes) are only visible to code that
 * handles every type byte itself. Independent of the plugins' own codec, so
 * that a mistake there is not repeated here. */
#ifndef WEIR_TESTS_M4SIM_WIRE_H
#define WEIR_TESTS_M4SIM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS_MESSAGE_MAX 65536

/* Bytes out. Never overruns: `full` is set and the rest is dropped. */
struct ms_out {
  uint8_t data[MS_MESSAGE_MAX];
  size_t len;
  bool full;
};

void ms_put(struct ms_out *out, const void *bytes, size_t len);
void ms_put_array(struct ms_out *out, uint32_t count);
void ms_put_uint(struct ms_out *out, uint64_t value); /* shortest form */
void ms_put_int(struct ms_out *out, int64_t value);   /* shortest form */
void ms_put_float(struct ms_out *out, float value);   /* ca */
void ms_put_nil(struct ms_out *out);
void ms_put_bool(struct ms_out *out, bool value);
void ms_put_str(struct ms_out *out, const char *text); /* fixstr, d9, da */

enum ms_type {
  MS_NIL,
  MS_BOOL,
  MS_UINT,
  MS_INT, /* negative */
  MS_FLOAT32,
  MS_FLOAT64,
  MS_STR,
  MS_BIN,
  MS_ARRAY,
  MS_MAP,
  MS_EXT,
  MS_NEVER, /* c1 */
};

struct ms_value {
  enum ms_type type;
  uint8_t byte;        /* the type byte */
  uint64_t u;          /* bool, uint; bit pattern of int and of floats */
  const uint8_t *data; /* str, bin, ext; borrowed */
  uint32_t len;        /* of data; or elements, or map pairs */
};

struct ms_in {
  const uint8_t *at, *end;
};

/* Reads one value, for an array or a map only its head. Returns false when
 * the bytes end inside it; `in` is then unchanged. */
bool ms_get(struct ms_in *in, struct ms_value *value);

/* Steps over one whole value. Returns 1, 0 when bytes are missing, -1 when
 * no more bytes could make it valid (c1, or nested deeper than 64). */
int ms_skip(struct ms_in *in);

enum ms_verdict { MS_PASS, MS_SHORT, MS_PANIC, MS_GARBLED };

/* What the proxy's decoder and its old encoder make of one request: reads one
 * value from `in` and appends to `out` the bytes that reach the M4. Floats
 * turn into the number of their bit pattern, strings of 256 bytes and more
 * get a wrong length. MS_PANIC: the proxy dies, *why says of what. MS_GARBLED:
 * rubbish reaches the M4. MS_SHORT: the bytes end inside the value. */
enum ms_verdict ms_transcode(struct ms_in *in, struct ms_out *out,
                             const char **why);

/* The way back: whether the proxy survives this reply of the M4. */
enum ms_verdict ms_check_reply(const uint8_t *data, size_t len,
                               const char **why);

#endif
