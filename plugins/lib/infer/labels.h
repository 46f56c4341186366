/* labels: names of classes, any text, and the identifiers they go by.
 *
 * An identifier is what collectd accepts as a type instance: letters, digits,
 * '.', '_', '-' and valid UTF-8 beyond ASCII stay; everything else becomes
 * '_'. No two labels share one, and none is a reserved word: where that would
 * happen, or where a label is too long, the identifier ends in a hash of
 * the label. A label that needs no change always keeps its spelling, whatever
 * stands beside it: the other one, that would become the same, gets the hash.
 * Threads: none of its own; read-only after wr_labels_init(). */
#ifndef WR_LABELS_H
#define WR_LABELS_H

#include <stddef.h>

#define WR_LABELS_MAX 256
#define WR_LABEL_LEN 256 /* longest name in bytes, with its NUL */
#define WR_LABEL_ID 64   /* longest identifier, with its NUL */

struct wr_label {
  char *name;
  char id[WR_LABEL_ID];
};

struct wr_labels {
  size_t count;
  struct wr_label *at;
};

/* Adds a name unless it is there. Its index, -ENOSPC (too many), -EINVAL (empty
 * or too long) or -ENOMEM. `reserved` ends in NULL, may be NULL. */
int wr_labels_add(struct wr_labels *l, const char *name,
                  const char *const *reserved);
/* Index or -ENOENT. */
int wr_labels_find(const struct wr_labels *l, const char *name);
void wr_labels_free(struct wr_labels *l);

#endif
