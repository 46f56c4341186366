#include "lib/flow/learning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HALF (WR_LEARNING_BLOCKS / 2)
#define QUARTER (WR_LEARNING_BLOCKS / 4)
#define APART 0.03 /* relative: two levels, not one that drifts */
#define TOGETHER 0.01

struct block {
  float mean, deviation;
};

static int by_mean(const void *a, const void *b) {
  float x = ((const struct block *)a)->mean,
        y = ((const struct block *)b)->mean;
  return (x > y) - (x < y);
}

static int by_value(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* Index of the first of the `count` neighbours that lie closest together. */
static unsigned densest(const struct block *sorted, unsigned n,
                        unsigned count) {
  unsigned best = 0;
  for (unsigned i = 1; i + count <= n; i++)
    if (sorted[i + count - 1].mean - sorted[i].mean <
        sorted[best + count - 1].mean - sorted[best].mean)
      best = i;
  return best;
}

/* A second cluster, well away from the first; NaN when there is none. */
static double find_other(const struct block *sorted, double level) {
  struct block rest[WR_LEARNING_BLOCKS];
  unsigned n = 0;
  for (unsigned i = 0; i < WR_LEARNING_BLOCKS; i++)
    if (fabs((double)sorted[i].mean - level) > APART * fabs(level))
      rest[n++] = sorted[i];
  if (n < QUARTER)
    return NAN;
  unsigned at = densest(rest, n, QUARTER);
  double low = (double)rest[at].mean,
         high = (double)rest[at + QUARTER - 1].mean;
  return high - low <= TOGETHER * fabs(high) ? (low + high) / 2 : (double)NAN;
}

static bool conclude(struct wr_learning *l, struct wr_learned *out) {
  struct block sorted[WR_LEARNING_BLOCKS];
  float deviations[HALF];
  for (unsigned i = 0; i < WR_LEARNING_BLOCKS; i++)
    sorted[i] = (struct block){l->means[i], l->deviations[i]};
  qsort(sorted, WR_LEARNING_BLOCKS, sizeof(*sorted), by_mean);
  const struct block *half = sorted + densest(sorted, WR_LEARNING_BLOCKS, HALF);
  double low = (double)half[0].mean, high = (double)half[HALF - 1].mean;
  for (unsigned i = 0; i < HALF; i++)
    deviations[i] = half[i].deviation;
  qsort(deviations, HALF, sizeof(*deviations), by_value);
  out->level =
      ((double)half[HALF / 2 - 1].mean + (double)half[HALF / 2].mean) / 2;
  out->deviation = (double)deviations[HALF / 2];
  out->wander = fmax(high - out->level, out->level - low) / fabs(out->level);
  out->other = find_other(sorted, out->level);
  out->rests = l->idle >= QUARTER;
  memset(l, 0, sizeof(*l));
  return high - low <= WR_LEARNING_STEADY * fabs(out->level);
}

static void end_block(struct wr_learning *l) {
  double n = l->samples, mean = l->sum / n;
  double rest = fmax(l->squares - n * mean * mean, 0);
  if (l->squares == 0 && l->first == 0) {
    if (l->idle < UINT8_MAX)
      l->idle++;
  } else {
    l->means[l->blocks] = (float)(l->first + mean);
    l->deviations[l->blocks] = (float)sqrt(rest / (n - 1));
    l->blocks++;
  }
  l->samples = 0;
  l->block_s = 0;
  l->sum = l->squares = 0;
}

bool wr_learning_add(struct wr_learning *l, double learn_s, double value,
                     double dt_s, struct wr_learned *out) {
  if (l->samples == 0)
    l->first = value;
  double d = value - l->first;
  l->sum += d;
  l->squares += d * d;
  l->block_s += (float)dt_s;
  if (l->samples < UINT16_MAX)
    l->samples++;
  if ((double)l->block_s < learn_s / WR_LEARNING_BLOCKS * 0.999 ||
      l->samples < WR_LEARNING_SAMPLES)
    return false;
  end_block(l);
  return l->blocks == WR_LEARNING_BLOCKS && conclude(l, out);
}
