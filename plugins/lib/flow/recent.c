#include "lib/flow/recent.h"

#include <math.h>

void wr_recent_push(struct wr_recent *r, double value) {
  r->values[r->next] = (float)value;
  r->next = (uint8_t)((r->next + 1) % WR_RECENT_MAX);
  if (r->count < WR_RECENT_MAX)
    r->count++;
}

/* The index of the first of the newest n, which wraps around at the end. */
static unsigned first_of(const struct wr_recent *r, unsigned n) {
  return (r->next + WR_RECENT_MAX - n) % WR_RECENT_MAX;
}

double wr_recent_mean(const struct wr_recent *r, unsigned n) {
  double sum = 0;
  if (n > r->count)
    n = r->count;
  for (unsigned i = 0, at = first_of(r, n); i < n; i++) {
    sum += (double)r->values[at];
    at = at + 1 == WR_RECENT_MAX ? 0 : at + 1;
  }
  return n > 0 ? sum / n : 0;
}

/* From the differences to the mean: exact also where the level is large. */
double wr_recent_deviation(const struct wr_recent *r, unsigned n) {
  double mean = wr_recent_mean(r, n), sum = 0;
  if (n > r->count)
    n = r->count;
  for (unsigned i = 0, at = first_of(r, n); i < n; i++) {
    double d = (double)r->values[at] - mean;
    sum += d * d;
    at = at + 1 == WR_RECENT_MAX ? 0 : at + 1;
  }
  return n > 1 ? sqrt(sum / (n - 1)) : 0;
}

/* Backwards from the newest value; differences to it keep the squares small. */
void wr_recent_look(const struct wr_recent *r, unsigned few, unsigned more,
                    unsigned wide, struct wr_recent_look *out) {
  unsigned at = r->next, n = wide < r->count ? wide : r->count;
  double pivot = 0, sum = 0, squares = 0;
  *out = (struct wr_recent_look){0};
  for (unsigned i = 0; i < n; i++) {
    at = at == 0 ? WR_RECENT_MAX - 1 : at - 1;
    if (i == 0)
      pivot = (double)r->values[at];
    double d = (double)r->values[at] - pivot;
    sum += d;
    squares += d * d;
    if (i < few)
      out->few = sum;
    if (i < more)
      out->more = sum;
  }
  if (n == 0)
    return;
  out->few = pivot + out->few / (few < n ? few : n);
  out->more = pivot + out->more / (more < n ? more : n);
  double rest = n > 1 ? (squares - sum * sum / n) / (n - 1) : 0;
  out->deviation = rest > 0 ? sqrt(rest) : 0;
}
