/* timers: which of many instants comes first.
 *
 * A binary heap of timers that their owners embed; adding, moving and taking
 * out cost O(log n). Ownership: the timers belong to their owners and must be
 * taken out before they go. Threads: none of its own. */
#ifndef WR_TIMERS_H
#define WR_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct wr_timer {
  int64_t at_us;
  size_t place; /* 0: not in */
};

struct wr_timers {
  struct wr_timer **at; /* 1..count */
  size_t count, room;
};

#define WR_TIMERS_INIT                                                         \
  { .at = NULL }

/* Makes room for so many. 0 or -ENOMEM. */
int wr_timers_reserve(struct wr_timers *t, size_t room);
void wr_timers_free(struct wr_timers *t);

/* Adds the timer, or moves it. There must be room. */
void wr_timers_set(struct wr_timers *t, struct wr_timer *timer, int64_t at_us);
void wr_timers_remove(struct wr_timers *t, struct wr_timer *timer);
/* The one that comes first; NULL: none. */
struct wr_timer *wr_timers_first(const struct wr_timers *t);

#endif
