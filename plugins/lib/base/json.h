/* json: read small JSON documents from hostile peers, write correct ones.
 *
 * Reading builds yajl's tree after a scan that refuses what would hurt:
 * more than max_len bytes, nesting deeper than WR_JSON_DEPTH (yajl frees its
 * tree recursively), text after the document. Bytes that are not UTF-8 and
 * the words NaN and Infinity are refused by yajl itself. Memory is bounded by
 * a small multiple of max_len.
 * Ownership: strings and nodes found in a document live until
 * wr_json_free(). Threads: none of its own. */
#ifndef WR_JSON_H
#define WR_JSON_H

#include "lib/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

#define WR_JSON_DEPTH 32

/* 0 and *out; -E2BIG, -ELOOP (too deep), -EBADMSG (not JSON), -ENOMEM.
 * `text` need not end in NUL. On error *out is NULL. */
int wr_json_parse(const char *text, size_t len, size_t max_len, yajl_val *out);
void wr_json_free(yajl_val doc);

/* Member of an object, NULL when absent or when `object` is none. */
yajl_val wr_json_get(yajl_val object, const char *key);
/* Each: 0, -ENOENT when absent (or `object` none), -EINVAL for another type.
 * wr_json_double also refuses what overflows a double. */
int wr_json_string(yajl_val object, const char *key, const char **out);
int wr_json_double(yajl_val object, const char *key, double *out);
int wr_json_int(yajl_val object, const char *key, int64_t *out);
int wr_json_bool(yajl_val object, const char *key, bool *out);

/* Writing, into a bounded buffer; each returns 0 or what wr_bytes_append()
 * returns. wr_json_put_string() adds the quotes and replaces bytes that are not
 * UTF-8 by U+FFFD; wr_json_put_double() writes a short text that reads back
 * as the same double, and null for NaN and infinities. */
int wr_json_put_string(struct wr_bytes *b, const char *text);
int wr_json_put_double(struct wr_bytes *b, double value);

#endif
