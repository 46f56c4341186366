#include "lib/flow/look.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define N WR_LOOK_SAMPLES
#define RECENT 10 /* samples that are not "before" */

static const int lengths[WR_LOOK_LENGTHS] = {3, 5, 10, 20, 30, 60};

/* The samples, newest first. */
struct past {
  int count;
  float x[N];
  float d[N]; /* d[i] = x[i] - x[i + 1], of count - 1 */
  float base; /* what "relative" divides by */
  float jump; /* a change of more than that is a jump */
};

static float least(float a, float b) { return a < b ? a : b; }
static float most(float a, float b) { return a > b ? a : b; }

static float clamp(float value) {
  if (!(value < 1e6f)) /* NaN too */
    return 1e6f;
  return value < -1e6f ? -1e6f : value;
}

/* The values that `low` and `high` others are less than. No sorting: the inner
 * loop is of the kind that compilers make vectors of. */
static void find_two(const float *values, int count, int low, int high,
                     float found[2]) {
  bool has_low = false, has_high = false;
  found[0] = found[1] = 0;
  for (int i = 0; i < count && !(has_low && has_high); i++) {
    int below = 0, upto = 0;
    for (int j = 0; j < count; j++) {
      below += values[j] < values[i];
      upto += values[j] <= values[i];
    }
    if (below <= low && low < upto) {
      found[0] = values[i];
      has_low = true;
    }
    if (below <= high && high < upto) {
      found[1] = values[i];
      has_high = true;
    }
  }
}

static float median(const float *values, int count) {
  float found[2];
  find_two(values, count, count / 2, count / 2, found);
  return found[0];
}

static bool is_multiple(float value, float quantum) {
  float pulses = value / quantum;
  float off = fabsf(pulses - (float)(int)(pulses + 0.5f));
  return off <= 0.1f && off * quantum <= 0.015f * value;
}

#define FLICKERS 3 /* changes that make it likely; a step is one */

/* Of a steady flow the counts differ by one, so the smallest change is one
 * pulse; where the flow is rougher, a few of them. No flow tells nothing. */
static float quantum_of(const struct past *p) {
  float total = 0, smallest = 1e6f;
  int flickers = 0;
  for (int i = 0; i < p->count; i++)
    total += fabsf(p->x[i]);
  float matters = 0.01f * total / (float)p->count + 1e-3f;
  for (int i = 0; i + 1 < p->count; i++) {
    float d = fabsf(p->d[i]);
    bool flicker = d > matters && least(p->x[i], p->x[i + 1]) >= matters;
    flickers += flicker;
    smallest = flicker ? least(smallest, d) : smallest;
  }
  for (int pulses = 1; pulses <= 4 && flickers >= FLICKERS; pulses++) {
    float quantum = smallest / (float)pulses;
    int i = 0;
    while (i < p->count && is_multiple(p->x[i], quantum))
      i++;
    if (quantum > matters && i == p->count)
      return quantum;
  }
  return 0;
}

/* Counting alone makes changes of one pulse, and now and then of two. Where a
 * pulse is much of the flow, two are a change. */
static float jump_of(float base, float quantum) {
  float counted = least(2.01f * quantum, 1.01f * quantum + 0.12f * base);
  return most(0.03f * base, counted);
}

static void recall(struct past *p, const float *samples, size_t count) {
  p->count = (int)count;
  for (int i = 0; i < p->count; i++)
    p->x[i] = clamp(samples[p->count - 1 - i]);
  for (int i = 0; i + 1 < p->count; i++)
    p->d[i] = p->x[i] - p->x[i + 1];
}

static void relate(struct past *p, float quantum) {
  float total = 0;
  for (int i = 0; i < RECENT; i++)
    total += p->x[i];
  p->base = fabsf(total / RECENT) + 0.05f * WR_NOMINAL;
  p->jump = jump_of(p->base, quantum);
}

float wr_look_quantum(const float *samples, size_t count) {
  struct past p;
  recall(&p, samples, count);
  return quantum_of(&p);
}

static int upto(const struct past *p, int length) {
  return length < p->count ? length : p->count;
}

static void levels(const struct past *p, float *f) {
  float sum = 0, squares = 0, low = p->x[0], high = p->x[0];
  for (int i = 0, w = 0; w < WR_LOOK_LENGTHS; w++) {
    int n = upto(p, lengths[w]);
    for (; i < n; i++) {
      float r = p->x[i] - p->x[0];
      sum += r;
      squares += r * r;
      low = least(low, p->x[i]);
      high = most(high, p->x[i]);
    }
    float mean = sum / (float)n, rest = squares / (float)n - mean * mean;
    f[WR_LOOK_MEAN + w] = (p->x[0] + mean) / p->base;
    f[WR_LOOK_DEVIATION + w] =
        wr_shape_log(sqrtf(rest > 0 ? rest : 0) / p->base + WR_SHAPE_FLOOR);
    if (w < WR_LOOK_LENGTHS - 1)
      f[WR_LOOK_RANGE + w] = (high - low) / p->base;
  }
}

static void changes(const struct past *p, float *f) {
  float way = 0, last = 0;
  int jumps = 0, turns = 0, calm = p->count;
  for (int i = 0, w = 1; w < WR_LOOK_LENGTHS; w++) {
    int n = upto(p, lengths[w]) - 1;
    for (; i < n; i++) {
      way += fabsf(p->d[i]);
      if (fabsf(p->d[i]) <= p->jump)
        continue;
      calm = jumps++ == 0 ? i : calm;
      turns += last * p->d[i] < 0;
      last = p->d[i];
    }
    float net = p->x[0] - p->x[n];
    f[WR_LOOK_WAY + w - 1] = way / p->base;
    f[WR_LOOK_NET + w - 1] = net / p->base;
    f[WR_LOOK_STRAIGHT + w - 1] = fabsf(net) / (way + 0.02f * p->base);
    f[WR_LOOK_JUMPS + w - 1] = (float)jumps / (float)n;
    if (w > 1)
      f[WR_LOOK_TURNS + w - 2] = (float)turns / (float)n;
  }
  f[WR_LOOK_CALM] = (float)calm / N;
}

/* What the flow was like until ten seconds ago; of a history too short for
 * that, as if it had been like now. Returns the level. */
static float before(const struct past *p, float *f) {
  float rough[N], found[2] = {0, 0}, level = f[WR_SHAPE_MEAN];
  int n = p->count - RECENT;
  if (n >= RECENT) {
    level = median(p->x + RECENT, n);
    for (int i = 0; i < n - 1; i++)
      rough[i] = fabsf(p->d[RECENT + i]);
    find_two(rough, n - 1, (n - 1) / 4, (n - 1) * 9 / 10, found);
  }
  f[WR_LOOK_BEFORE] = level / p->base;
  f[WR_LOOK_QUARTER] = found[0] / p->base;
  f[WR_LOOK_TENTH] = found[1] / p->base;
  return level;
}

#define BESIDE 3 /* seconds on each side that a dip stands out from */

/* Seconds that are far below the usual and what is on both sides of them
 * (sign -1), or far above: of the newest `near`, and of all. */
static void outliers(const struct past *p, float sign, float lately,
                     float usual, float *f) {
  float padded[N + 2 * BESIDE], side[N + BESIDE + 1];
  float margin = most(p->jump, 0.08f * p->base);
  int count = p->count, near = upto(p, 20), found = 0;
  for (int i = 0; i < BESIDE; i++) /* beyond all: no end stands out */
    padded[i] = padded[BESIDE + count + i] = 1e6f;
  for (int i = 0; i < count; i++)
    padded[BESIDE + i] = sign * p->x[i];
  for (int i = 1; i < count + BESIDE + 1; i++)
    side[i] = least(padded[i], least(padded[i + 1], padded[i + 2]));
  for (int i = 1; i < count; i++) {
    float beside = most(side[i], side[i + BESIDE + 1]);
    float level = sign * (i < near ? lately : usual);
    found += sign * p->x[i] > most(level, beside) + margin;
    if (i == near - 1)
      f[0] = (float)found / (float)near;
  }
  f[1] = (float)found / (float)count;
}

static void dips_and_peaks(const struct past *p, float usual, float *f) {
  float lately = median(p->x, upto(p, 20));
  outliers(p, -1, lately, usual, f + WR_LOOK_DIPS);
  outliers(p, 1, lately, usual, f + WR_LOOK_PEAKS);
}

#define LAGS 16 /* up to half of thirty seconds */

/* The newest n samples without their mean. */
static void swing(const struct past *p, int n, float *r) {
  float mean = 0;
  for (int i = 0; i < n; i++)
    mean += p->x[i] / (float)n;
  for (int i = 0; i < n; i++)
    r[i] = p->x[i] - mean;
}

/* The first lag at which the last half minute repeats itself. */
static void rhythm(const struct past *p, float *f) {
  float r[30 + LAGS] = {0}, corr[LAGS] = {0};
  int n = upto(p, 30), lags = n / 2;
  swing(p, n, r);
  for (int i = 0; i < n; i++)
    for (int k = 0; k < LAGS; k++)
      corr[k] += r[i] * r[i + k];
  for (int k = 0; k <= lags; k++)
    corr[k] /= (float)(n - k);
  float floor = 1e-4f * p->base * p->base, best = 0;
  int lag = 0;
  for (int k = 2; k < lags; k++)
    if (corr[k] > corr[k - 1] && corr[k] >= corr[k + 1] && corr[k] > best) {
      best = corr[k];
      lag = k;
    }
  f[WR_LOOK_PERIODIC] = best / (corr[0] + floor);
  f[WR_LOOK_PERIOD] = (float)lag / 20;
  float same = 0, all = floor;
  for (int i = 0; i < upto(p, 20) - 1; i++) {
    all += p->d[i] * p->d[i];
    if (i > 0)
      same += p->d[i] * p->d[i - 1];
  }
  f[WR_LOOK_AGAIN] = same / all;
}

void wr_look(const float *samples, size_t count, float quantum,
             float features[WR_LOOK_COUNT]) {
  struct past p;
  recall(&p, samples, count);
  if (!(quantum > 0))
    quantum = quantum_of(&p);
  relate(&p, quantum);
  wr_shape(samples + count - WR_SHAPE_SAMPLES, features + WR_LOOK_SHAPE);
  levels(&p, features);
  changes(&p, features);
  dips_and_peaks(&p, before(&p, features), features);
  rhythm(&p, features);
  features[WR_LOOK_HISTORY] = (float)count / N;
  features[WR_LOOK_QUANTUM] = least(quantum / p.base, 1);
}
