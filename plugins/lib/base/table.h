/* table: a bounded hash table of texts that forgets what was not used.
 *
 * Keys are copied; values belong to the table from wr_table_put() on and go
 * to `release` when they leave. At the ceiling a new key replaces the one that
 * was used longest ago (wr_table_put() says so). Every operation is O(1) but
 * for long keys. Threads: none of its own; the caller locks. */
#ifndef WR_TABLE_H
#define WR_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wr_table;

/* `max` at least 1. NULL when memory is short. `release` may be NULL. */
struct wr_table *wr_table_create(size_t max, void (*release)(void *value));
void wr_table_destroy(struct wr_table *t); /* accepts NULL */
size_t wr_table_count(const struct wr_table *t);

/* The value, marked as used at now_ms, or NULL. */
void *wr_table_get(struct wr_table *t, const char *key, size_t len,
                   int64_t now_ms);
/* Adds a key that is not there. 0 or -ENOMEM (then nothing changed, and the
 * value still belongs to the caller). *dropped: another key had to go. */
int wr_table_put(struct wr_table *t, const char *key, size_t len, void *value,
                 int64_t now_ms, bool *dropped);
/* Releases one. False: it is not there. */
bool wr_table_remove(struct wr_table *t, const char *key, size_t len);
/* Releases what was not used since before_ms; how many. */
size_t wr_table_expire(struct wr_table *t, int64_t before_ms);
void wr_table_clear(struct wr_table *t);
/* Calls `visit` for each value, most recently used last. */
void wr_table_each(struct wr_table *t, void (*visit)(void *value, void *arg),
                   void *arg);

#endif
