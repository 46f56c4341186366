/* json: read small JSON documents from hostile peers, write correct ones.
 *
 * Reading builds a tree that is one block of memory: sixteen bytes for each
 * value and each key, and the text once more, which is at most nine bytes for
 * each byte of the document. What is refused stands in json_reader.h;
 * also what is longer than max_len, and text after the document.
 * Of equal keys the last one counts. A NUL in a string is read as U+FFFD, so
 * that all texts are C strings.
 * Ownership: a document is freed by wr_json_free(); values and texts found in
 * it live until then. Threads: none of its own. */
#ifndef WR_JSON_H
#define WR_JSON_H

#include "lib/base/bytes.h"
#include "lib/base/json_reader.h"

#include <stdint.h>

/* One value of a document; the first is the outermost. NULL stands for a value
 * that is not there, and may be passed wherever one is read. */
struct wr_json;

/* 0 and *out; -E2BIG, -ELOOP (too deep), -EBADMSG (not JSON), -ENOMEM.
 * `text` need not end in NUL. On error *out is NULL. */
int wr_json_parse(const char *text, size_t len, size_t max_len,
                  struct wr_json **out);
void wr_json_free(struct wr_json *document);

enum wr_json_kind wr_json_kind(const struct wr_json *value);
/* A string's text; NULL for another kind. */
const char *wr_json_text(const struct wr_json *value);
/* The elements of an array, or the members' values of an object, in their
 * order: the first for `after` NULL, NULL behind the last. */
const struct wr_json *wr_json_next(const struct wr_json *container,
                                   const struct wr_json *after);
/* The key of a value that wr_json_next() found in an object. */
const char *wr_json_key(const struct wr_json *member);

/* Member of an object, NULL when absent or when `object` is none. */
const struct wr_json *wr_json_get(const struct wr_json *object,
                                  const char *key);
/* Each: 0, -ENOENT when absent (or `object` none), -EINVAL for another type;
 * *out changes only with 0. wr_json_double() also refuses what overflows a
 * double, wr_json_int() what is not written as an integer of 64 bits. */
int wr_json_string(const struct wr_json *object, const char *key,
                   const char **out);
int wr_json_double(const struct wr_json *object, const char *key, double *out);
int wr_json_int(const struct wr_json *object, const char *key, int64_t *out);
int wr_json_bool(const struct wr_json *object, const char *key, bool *out);

/* Writing, into a bounded buffer; each returns 0 or what wr_bytes_append()
 * returns. wr_json_put_string() adds the quotes and replaces bytes that are not
 * UTF-8 by U+FFFD; wr_json_put_double() writes a short text that reads back
 * as the same double, and null for NaN and infinities. */
int wr_json_put_string(struct wr_bytes *b, const char *text);
int wr_json_put_double(struct wr_bytes *b, double value);

#endif
