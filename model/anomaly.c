#include "model/anomaly.h"

#include <math.h>

#include "model/clusters.h"

float anomaly_score(const float inputs[WR_SHAPE_COUNT]) {
  float best = 1000; /* what Edge Impulse starts from */
  for (int c = 0; c < CLUSTERS_COUNT; c++) {
    float sum = 0;
    for (int i = 0; i < WR_SHAPE_COUNT; i++) {
      float d = (inputs[i] - clusters_centre[c][i]) * clusters_weight[i];
      sum += d * d;
    }
    float score = sqrtf(sum) - clusters_radius[c];
    best = score < best ? score : best;
  }
  return best;
}
