#include "lib/flow/shape.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define N WR_SHAPE_SAMPLES

#define SHAPE_NAME(upper, lower) #lower,
const char *const wr_shape_names[WR_SHAPE_COUNT] = {WR_SHAPE_LIST(SHAPE_NAME)};

static const float flow_limit = 1e6f;

/* The window and what several features share. */
struct shape {
  float x[N], sorted[N];
  float sum[N + 1], squares[N + 1]; /* of x - mean, of the first i samples */
  float mean, base;                 /* base: what "relative" divides by */
};

static float clamp(float value) {
  if (!(value < flow_limit)) /* NaN too */
    return flow_limit;
  return value < -flow_limit ? -flow_limit : value;
}

float wr_shape_log(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  float exponent = (float)((int)(bits >> 23) - 127);
  bits = (bits & 0x7fffff) | 0x3f800000;
  float m; /* 1..2 */
  memcpy(&m, &bits, sizeof(m));
  /* log2(m) = 2/ln 2 atanh(z) */
  float z = (m - 1) / (m + 1), zz = z * z;
  float log2m = z * (2.8853901f + zz * (0.9617967f + zz * 0.6f));
  return 0.69314718f * (exponent + log2m);
}

static float log_relative(const struct shape *s, float value) {
  return wr_shape_log(value / s->base + WR_SHAPE_FLOOR);
}

static void sort(float *values, int count) {
  for (int i = 1; i < count; i++) {
    float value = values[i];
    int j = i;
    for (; j > 0 && values[j - 1] > value; j--)
      values[j] = values[j - 1];
    values[j] = value;
  }
}

static void measure(struct shape *s, const float window[N]) {
  float total = 0;
  for (int i = 0; i < N; i++) {
    s->x[i] = s->sorted[i] = clamp(window[i]);
    total += s->x[i];
  }
  sort(s->sorted, N);
  s->mean = total / N;
  s->base = fabsf(s->mean) + 0.05f * WR_NOMINAL;
  s->sum[0] = s->squares[0] = 0;
  for (int i = 0; i < N; i++) {
    float r = s->x[i] - s->mean;
    s->sum[i + 1] = s->sum[i] + r;
    s->squares[i + 1] = s->squares[i] + r * r;
  }
}

static void level(const struct shape *s, float *f) {
  f[WR_SHAPE_MIN] = s->sorted[0];
  f[WR_SHAPE_MAX] = s->sorted[N - 1];
  f[WR_SHAPE_MEAN] = s->mean;
  f[WR_SHAPE_FIRST] = s->x[0];
  f[WR_SHAPE_LAST] = s->x[N - 1];
  f[WR_SHAPE_SECOND] = s->sorted[1];
  f[WR_SHAPE_MEDIAN] = (s->sorted[N / 2 - 1] + s->sorted[N / 2]) / 2;
  f[WR_SHAPE_EIGHTH] = s->sorted[N - 2];
}

static void roughness(const struct shape *s, float *f) {
  float median = f[WR_SHAPE_MEDIAN], distance[N];
  float rise = 0, fall = 0, change = 0, bend = 0;
  for (int i = 0; i < N; i++)
    distance[i] = fabsf(s->x[i] - median);
  sort(distance, N);
  for (int i = 1; i < N; i++) {
    float d = s->x[i] - s->x[i - 1];
    rise = d > rise ? d : rise;
    fall = d < fall ? d : fall;
    change += d * d;
    if (i > 1) {
      float dd = d - (s->x[i - 1] - s->x[i - 2]);
      bend += dd * dd;
    }
  }
  f[WR_SHAPE_RISE] = rise / s->base;
  f[WR_SHAPE_FALL] = fall / s->base;
  f[WR_SHAPE_DEVIATION] = log_relative(s, sqrtf(s->squares[N] / N));
  f[WR_SHAPE_SPREAD] =
      log_relative(s, (distance[N / 2 - 1] + distance[N / 2]) / 2);
  f[WR_SHAPE_CHANGE] = log_relative(s, sqrtf(change / (N - 1)));
  f[WR_SHAPE_JUMP] = log_relative(s, rise > -fall ? rise : -fall);
  f[WR_SHAPE_BEND] = log_relative(s, sqrtf(bend / (N - 2)));
}

static void line(const struct shape *s, float *f) {
  const float middle = (N - 1) / 2.0f;
  const float spread = N * (N * N - 1) / 12.0f; /* sum of (i - middle)^2 */
  float dot = 0;
  for (int i = 0; i < N; i++)
    dot += ((float)i - middle) * s->x[i];
  float slope = dot / spread;
  float rest = s->squares[N] - slope * slope * spread;
  f[WR_SHAPE_SLOPE] = slope / s->base;
  f[WR_SHAPE_OFF_LINE] = log_relative(s, sqrtf(rest > 0 ? rest / N : 0));
}

static float mean_between(const struct shape *s, int from, int to) {
  return (s->sum[to] - s->sum[from]) / (float)(to - from);
}

static float rest_between(const struct shape *s, int from, int to) {
  float sum = s->sum[to] - s->sum[from];
  return s->squares[to] - s->squares[from] - sum * sum / (float)(to - from);
}

/* The best two levels; `skip` samples between them belong to neither. */
static float best_step(const struct shape *s, int skip, float *height) {
  float best = INFINITY;
  for (int i = 1; i + skip < N; i++) {
    float rest = rest_between(s, 0, i) + rest_between(s, i + skip, N);
    if (rest < best) {
      best = rest;
      *height = mean_between(s, i + skip, N) - mean_between(s, 0, i);
    }
  }
  return best > 0 ? best : 0;
}

static void step(const struct shape *s, float *f) {
  float height = 0, ignored;
  float rest = best_step(s, 0, &height), least = rest;
  for (int skip = 1; skip <= 2; skip++) {
    float other = best_step(s, skip, &ignored);
    least = other < least ? other : least;
  }
  f[WR_SHAPE_STEP] = height / s->base;
  f[WR_SHAPE_OFF_STEP] = log_relative(s, sqrtf(rest / N));
  f[WR_SHAPE_OFF_MOVE] = log_relative(s, sqrtf(least / N));
}

static void waves(const struct shape *s, float *f) {
  static const float half[N] = {
      0.98768834f,  0.89100652f,  0.70710678f,  0.45399050f,  0.15643447f,
      -0.15643447f, -0.45399050f, -0.70710678f, -0.89100652f, -0.98768834f};
  static const float full[N] = {
      0.95105652f,  0.58778525f,  0.0f, -0.58778525f, -0.95105652f,
      -0.95105652f, -0.58778525f, 0.0f, 0.58778525f,  0.95105652f};
  float first = 0, second = 0, product = 0;
  for (int i = 0; i < N; i++) {
    float r = s->x[i] - s->mean;
    first += half[i] * r;
    second += full[i] * r;
    if (i > 0)
      product += r * (s->x[i - 1] - s->mean);
  }
  f[WR_SHAPE_HALF_WAVE] = log_relative(s, fabsf(first) / N);
  f[WR_SHAPE_FULL_WAVE] = log_relative(s, fabsf(second) / N);
  f[WR_SHAPE_MEMORY] = product / (s->squares[N] + 1e-3f * s->base * s->base);
}

void wr_shape(const float window[N], float features[WR_SHAPE_COUNT]) {
  struct shape shape;
  measure(&shape, window);
  level(&shape, features);
  roughness(&shape, features);
  line(&shape, features);
  step(&shape, features);
  waves(&shape, features);
}
