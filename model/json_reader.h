/* json_reader: a strict JSON reader that is fed one byte at a time.
 *
 * It keeps no text but the token being read, so a message of any length is
 * read in constant memory, and it never allocates. Values are reported
 * through one callback as they end; what the caller does not want it simply
 * does not store.
 *
 * Limits: nesting up to JSON_DEPTH_MAX, a number or a key up to
 * JSON_TEXT_MAX - 1 bytes. A longer number, or deeper nesting, is an error;
 * a longer string is reported with `cut` set. The number grammar is RFC
 * 8259's; a number too large for a double is an error. Strings are checked
 * for control characters and escapes; only their ASCII bytes are kept exactly
 * (every other escape becomes '?'), because no name of the protocol needs
 * more. Not thread-safe per reader; readers are independent. */
#ifndef MODEL_JSON_READER_H
#define MODEL_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 64
#define JSON_TEXT_MAX 64

enum json_kind {
  JSON_KEY,
  JSON_STRING,
  JSON_NUMBER,
  JSON_BOOL,
  JSON_NULL,
  JSON_OBJECT,
  JSON_ARRAY,
  JSON_END, /* of the object or array that encloses it */
};

struct json_event {
  enum json_kind kind;
  int depth;        /* of the enclosing containers; the outermost value is 0 */
  const char *text; /* KEY, STRING: NUL-terminated, valid during the call */
  bool cut;         /* text is only the beginning */
  bool truth;       /* BOOL */
  double number;    /* NUMBER: finite */
  bool integer;     /* NUMBER: written without fraction and exponent */
};

typedef void json_event_fn(void *context, const struct json_event *event);

struct json_reader {
  json_event_fn *on_event;
  void *context;
  uint8_t state;
  bool in_key, cut;
  int depth;
  uint64_t arrays; /* bit d: the container at depth d is an array */
  size_t length;
  unsigned hex, hex_digits;
  char text[JSON_TEXT_MAX];
};

void json_reader_init(struct json_reader *reader, json_event_fn *on_event,
                      void *context);

/* Reads the next byte. Returns 0, or -EINVAL at the byte that makes the text
 * no JSON; every later call returns -EINVAL as well. */
int json_reader_push(struct json_reader *reader, char byte);

/* True once one whole value was read and nothing but blanks followed. */
bool json_reader_done(const struct json_reader *reader);

#endif
