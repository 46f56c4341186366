#include "lib/flow/calm.h"

#include <math.h>

int wr_calm_quiet(const struct wr_level *l, double width) {
  double least = INFINITY, most = -INFINITY;
  size_t n = 0;
  width = fmax(width, 2.01 * l->quantum);
  for (; n < l->count; n++) {
    least = fmin(least, wr_level_sample(l, n));
    most = fmax(most, wr_level_sample(l, n));
    if (most - least > width)
      break;
  }
  return (int)n;
}

int wr_calm_turns(const struct wr_level *l, int look, double swing) {
  double least = INFINITY, most = -INFINITY; /* since the last turn */
  int turns = 0, way = 0;
  swing = fmax(swing, 2.01 * l->quantum);
  for (size_t i = 0; i < l->count && i < (size_t)look; i++) {
    double x = wr_level_sample(l, i);
    least = fmin(least, x);
    most = fmax(most, x);
    bool rises = way <= 0 && x - least > swing;
    bool falls = way >= 0 && most - x > swing;
    if (!rises && !falls)
      continue;
    turns += way != 0;
    way = rises ? 1 : -1;
    least = most = x;
  }
  return turns;
}
