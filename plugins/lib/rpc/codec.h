/* codec: MessagePack-RPC messages, bytes out and hostile bytes in.
 *
 * Out: only what every server on the way understands. The m4-proxy decodes
 * with a MessagePack of 2012: nil, floats, bin and str8 as arguments crash or
 * garble it, so that strings are fixstr or the old raw16, and the arguments
 * are strings, whole numbers and booleans. The kernel's SPI driver drops what
 * is longer than 251 bytes; the proxy garbles strings longer than 255.
 * In: every kind of value, wherever it was packed. A message is scanned before
 * anything is read from it: nesting, number of values and length have a
 * ceiling, nothing is allocated and no recursion goes deeper than
 * WR_RPC_DEPTH.
 * One code does both, and it is ours. msgpack-c 4.0 was measured beside it:
 * packing a request takes 204 instructions there and 191 here, reading a reply
 * [seq, flow, uptime] 1 122 and 2 090; but five hostile bytes (dd 07 ff ff ff)
 * make it reserve 4 GB, and its depth is bounded by how it was built.
 * Ownership: a decoded value points into the bytes it was decoded from.
 * Threads: none of its own. */
#ifndef WR_RPC_CODEC_H
#define WR_RPC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WR_RPC_REQUEST_MAX 250 /* bytes of a whole request */
#define WR_RPC_STRING_MAX 255  /* bytes of one argument or method name */
#define WR_RPC_REPLY_MAX 1024  /* bytes of a whole reply; the M4 sends 496 */
#define WR_RPC_DEPTH 8
#define WR_RPC_VALUES 256 /* values in one message, containers included */

enum wr_rpc_type { WR_RPC_REQUEST = 0, WR_RPC_REPLY = 1, WR_RPC_NOTIFY = 2 };

enum wr_rpc_kind {
  WR_RPC_NIL,
  WR_RPC_BOOL,
  WR_RPC_INT,  /* negative only */
  WR_RPC_UINT, /* zero and above, however it was packed */
  WR_RPC_FLOAT,
  WR_RPC_TEXT, /* raw, str and, from old packers, bin that holds text */
  WR_RPC_BIN,
  WR_RPC_ARRAY,
  WR_RPC_MAP,
  WR_RPC_EXT,
};

struct wr_rpc_value {
  enum wr_rpc_kind kind;
  union {
    bool b;
    int64_t i;
    uint64_t u;
    double d;
  };
  const uint8_t *data; /* text, bin, ext: the bytes; containers: the elements */
  size_t len;          /* of data */
  uint32_t count;      /* array: elements; map: pairs */
};

struct wr_rpc_arg {
  enum { WR_ARG_TEXT, WR_ARG_INT, WR_ARG_BOOL } kind;
  const char *text;
  int64_t i;
  bool b;
};

/* Builds one message in buf[WR_RPC_REQUEST_MAX]; *len is its length. msgid is
 * not sent in a WR_RPC_NOTIFY. 0; -EMSGSIZE when the message or a string is
 * too long, -EINVAL when the method is empty. */
int wr_rpc_encode(uint8_t *buf, size_t *len, enum wr_rpc_type type,
                  uint32_t msgid, const char *method,
                  const struct wr_rpc_arg *args, size_t args_count);
/* The same for the answer to a request: its result, or, when `error` is not
 * NULL, that error. -EMSGSIZE when the text is too long. */
int wr_rpc_encode_reply(uint8_t *buf, size_t *len, uint32_t msgid,
                        const char *error, const char *result);
/* The message of five elements that the M4 ignores, while the m4-proxy still
 * hands over one reply that waits in its channel. */
void wr_rpc_encode_drain(uint8_t *buf, size_t *len, uint32_t msgid);

/* Measures the value at the start of data: 0 and *size; -EAGAIN when it is not
 * complete, -EBADMSG (not MessagePack), -ELOOP (too deep), -E2BIG (more values
 * or bytes than a message may have). */
int wr_rpc_scan(const void *data, size_t len, size_t *size);

/* Reads the value at *at of scanned bytes and moves *at behind it. 0, or what
 * wr_rpc_scan() returns. */
int wr_rpc_read(const uint8_t **at, const uint8_t *end,
                struct wr_rpc_value *out);
/* 0; -ENOENT when the array has no such element; -EINVAL: not an array. */
int wr_rpc_element(const struct wr_rpc_value *array, uint32_t index,
                   struct wr_rpc_value *out);

struct wr_rpc_reply {
  uint32_t msgid;
  struct wr_rpc_value error; /* WR_RPC_NIL: none */
  struct wr_rpc_value result;
};

/* Decodes the message at the start of data. 0 and *size; -ENOMSG and *size for
 * a well-formed message that is no reply; else what wr_rpc_scan() returns. */
int wr_rpc_decode_reply(const void *data, size_t len, struct wr_rpc_reply *out,
                        size_t *size);

struct wr_rpc_request {
  uint32_t msgid;
  struct wr_rpc_value method, params;
};

/* The same for a request; a notification is none. */
int wr_rpc_decode_request(const void *data, size_t len,
                          struct wr_rpc_request *out, size_t *size);

/* A number from a bool, whole number or float. 0; -EINVAL for other kinds;
 * -ERANGE for NaN and infinities. */
int wr_rpc_number(const struct wr_rpc_value *value, double *out);
/* A value for people, as JSON would write it, cut at size; bytes that are not
 * printable ASCII become '?'. */
void wr_rpc_print(const struct wr_rpc_value *value, char *buf, size_t size);
/* An error object for people: "text", [code,"text"] and {"message":...} give
 * the text, with the code in front; the rest as wr_rpc_print(). */
void wr_rpc_print_error(const struct wr_rpc_value *error, char *buf,
                        size_t size);

#endif
