/* json_reader: reads JSON of hostile peers piece by piece, through yajl.
 *
 * The caller pushes bytes as they come and is told of each value by one
 * callback; nothing is kept but the token being read. yajl checks the grammar
 * (RFC 8259); what it lets pass is refused here: nesting deeper than
 * WR_JSON_DEPTH, bytes that are not UTF-8, numbers of WR_NUMBER_MAX characters
 * and more, a string that never ends behind the document. Numbers are handed
 * over as they are written: yajl would convert them by the process's locale.
 *
 * Memory: yajl does not survive malloc() saying no, so it gets its memory here:
 * when there is none, the reader leaves yajl by longjmp() and gives back what
 * yajl had. A string in pieces or with escapes takes up to four times its
 * length, so strings and numbers have a ceiling.
 * Threads: none of its own; readers are independent. */
#ifndef WR_JSON_READER_H
#define WR_JSON_READER_H

#include "lib/base/number.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

#define WR_JSON_DEPTH 64
/* What yajl has in use at a time: its parser, lexer, two buffers of two parts
 * each and a stack. */
#define WR_JSON_BLOCKS 8

enum wr_json_kind {
  WR_JSON_NONE, /* no value at all */
  WR_JSON_NULL,
  WR_JSON_BOOL,
  WR_JSON_NUMBER,
  WR_JSON_STRING,
  WR_JSON_ARRAY,
  WR_JSON_OBJECT,
  WR_JSON_KEY, /* of the member whose value comes next */
  WR_JSON_END, /* of the array or object that encloses it */
};

struct wr_json_event {
  enum wr_json_kind kind;
  unsigned depth;   /* enclosing arrays and objects; the outermost value is 0 */
  const char *text; /* KEY, STRING: decoded, `len` bytes, may contain NUL;
                       NUMBER: as it was written, with a NUL behind. Valid
                       during the call. */
  size_t len;
  bool truth; /* BOOL */
};

/* Returns 0, or -errno to end the reading with it. */
typedef int wr_json_event_fn(void *context, const struct wr_json_event *event);

struct wr_json_reader {
  wr_json_event_fn *on_event;
  void *context;
  void *yajl;
  void *block[WR_JSON_BLOCKS];
  jmp_buf no_memory;
  int status; /* of the first failure */
  unsigned depth;
  size_t text_max;
  struct { /* of the text, before yajl sees it */
    bool in_string, escaped;
    unsigned depth;
    size_t length; /* of the string or word so far */
  } scan;
};

/* No string, key or number may be longer than `text_max` bytes as it is
 * written. Takes no memory yet. `on_event` runs inside push and end. */
void wr_json_reader_init(struct wr_json_reader *reader, size_t text_max,
                         wr_json_event_fn *on_event, void *context);

/* 0, or what ended the reading: -EBADMSG (no JSON), -ELOOP (too deep), -E2BIG
 * (beyond text_max), -ENOMEM, or what on_event() returned. Every later call
 * returns the same. */
int wr_json_reader_push(struct wr_json_reader *reader, const char *text,
                        size_t len);
/* No more bytes: 0 when they were one whole value, else as above. */
int wr_json_reader_end(struct wr_json_reader *reader);

/* Whether its text is this one. */
bool wr_json_event_is(const struct wr_json_event *event, const char *text);

/* Gives its memory back; also after a failure, also twice. */
void wr_json_reader_free(struct wr_json_reader *reader);

#endif
