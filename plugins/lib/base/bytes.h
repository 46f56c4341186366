/* bytes: a growing byte buffer with a hard ceiling set at creation.
 *
 * Ownership: the buffer owns `data`; wr_bytes_free() releases it and leaves
 * the buffer empty and reusable. Whatever the length, one NUL follows the last
 * byte, so text can be read as a C string; `data` is NULL while empty.
 * At the ceiling: nothing is appended, the buffer stays as it was, -ENOSPC.
 * Threads: none of its own; one owner at a time. */
#ifndef WR_BYTES_H
#define WR_BYTES_H

#include <stddef.h>

struct wr_bytes {
  char *data;
  size_t len;
  size_t cap;
  size_t max; /* ceiling for len, in bytes */
};

#define WR_BYTES_INIT(ceiling)                                                 \
  { .max = (ceiling) }

/* Each returns 0, -ENOSPC at the ceiling or -ENOMEM. */
int wr_bytes_append(struct wr_bytes *b, const void *data, size_t len);
int wr_bytes_text(struct wr_bytes *b, const char *text);
/* As printf() in the C locale, whatever the process's. */
int wr_bytes_printf(struct wr_bytes *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void wr_bytes_reset(struct wr_bytes *b); /* empty, memory kept */
void wr_bytes_free(struct wr_bytes *b);
/* As wr_bytes_free(), with the content overwritten first: for secrets. */
void wr_bytes_wipe(struct wr_bytes *b);

#endif
