#include "model/rule.h"

#include <math.h>

#include "model/rule_limits.h"

const struct rule_limits rule_limits = {
    .low = 4.0f,
    .normal = 7.5f,
    .high = 12.5f,
    .top = 20.0f,
    .deviation_abs = RULE_DEVIATION_ABS,
    .deviation_rel = RULE_DEVIATION_REL,
};

static float mean_of(const float *values, int count) {
  float sum = 0;
  for (int i = 0; i < count; i++)
    sum += values[i];
  return sum / (float)count;
}

static float deviation_of(const float *values, int count, float mean) {
  float sum = 0;
  for (int i = 0; i < count; i++)
    sum += (values[i] - mean) * (values[i] - mean);
  return sqrtf(sum / (float)count);
}

enum flow_class rule_classify(const float newest[WR_SHAPE_SAMPLES]) {
  const struct rule_limits *limit = &rule_limits;
  float mean = mean_of(newest, WR_SHAPE_SAMPLES);
  float deviation = deviation_of(newest, WR_SHAPE_SAMPLES, mean);
  float allowed = limit->deviation_abs + limit->deviation_rel * mean;
  if (!(mean >= limit->low && mean <= limit->top && deviation <= allowed))
    return FLOW_ANOMALOUS;
  if (mean < limit->normal)
    return FLOW_LOW;
  return mean < limit->high ? FLOW_NORMAL : FLOW_HIGH;
}
