/* fresh: rows that have their places in the queue and are seen by who sends
 * them, but are not stored yet. One that is delivered before its time never
 * touches the disk. In the order of their numbers.
 * Ownership: rows are copied. Bound: the caller's. Threads: none of its own. */
#ifndef WR_SPOOL_FRESH_H
#define WR_SPOOL_FRESH_H

#include "lib/spool/value.h"

struct wr_fresh_row {
  struct wr_row row;
  int64_t since_ms; /* when it came */
};

struct wr_fresh {
  struct wr_fresh_row *at;
  int count, cap;
  int64_t since_ms; /* of the row that waits longest, while there is one */
};

/* Room for `more` rows: 0 or -ENOMEM. */
int wr_fresh_reserve(struct wr_fresh *f, int more);
/* There is room for it. */
void wr_fresh_add(struct wr_fresh *f, const struct wr_row *row,
                  int64_t since_ms);
/* False: it is not here. */
bool wr_fresh_remove(struct wr_fresh *f, int property, int64_t seq);
/* The newest row of a property; false: none. */
bool wr_fresh_newest(const struct wr_fresh *f, int property,
                     struct wr_row *row);
/* Adds those of a property behind `seq` to `count` rows that are there, in
 * their order, up to `max` rows; returns how many there are then. */
int wr_fresh_merge(const struct wr_fresh *f, int property, int64_t seq,
                   struct wr_row *rows, int count, int max);
/* Only the newest `most` stay; returns how many went. */
int wr_fresh_trim(struct wr_fresh *f, int most);
void wr_fresh_free(struct wr_fresh *f);

#endif
