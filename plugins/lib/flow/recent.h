/* recent: the newest values of a series, and what they say together. Pure.
 *
 * Threads: none of its own. Start with {0}. */
#ifndef WR_RECENT_H
#define WR_RECENT_H

#include <stdint.h>

#define WR_RECENT_MAX 20

struct wr_recent {
  float values[WR_RECENT_MAX];
  uint8_t count, next;
};

void wr_recent_push(struct wr_recent *r, double value);
/* Of the newest n (at most WR_RECENT_MAX); of fewer while there are fewer, and
 * 0 of none. The deviation is that of a sample (n - 1). */
double wr_recent_mean(const struct wr_recent *r, unsigned n);
double wr_recent_deviation(const struct wr_recent *r, unsigned n);

/* All that a step wants to know, in one pass over at most the newest `wide`:
 * the means of `few` and of `more`, and the deviation of `wide` values
 * (few <= more <= wide). */
struct wr_recent_look {
  double few, more, deviation;
};
void wr_recent_look(const struct wr_recent *r, unsigned few, unsigned more,
                    unsigned wide, struct wr_recent_look *out);

#endif
