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
