#include <math.h>
#include <string.h>

#include "model/network.h"
#include "model/weights_float.h"

#define LAYERS                                                                 \
  ((int)(sizeof(weights_float_layers) / sizeof(weights_float_layers[0])))

void network_float(const float inputs[FEATURE_COUNT],
                   float scores[FLOW_CLASSES]) {
  float values[2][WEIGHTS_FLOAT_WIDEST];
  memcpy(values[0], inputs, FEATURE_COUNT * sizeof(float));
  for (int l = 0; l < LAYERS; l++) {
    const struct weights_float_layer *layer = &weights_float_layers[l];
    const float *weight = layer->weights, *from = values[l % 2];
    float *to = values[1 - l % 2];
    for (int o = 0; o < layer->outputs; o++, weight += layer->inputs) {
      float sum = layer->bias[o];
      for (int i = 0; i < layer->inputs; i++)
        sum += weight[i] * from[i];
      to[o] = sum < 0 && l < LAYERS - 1 ? 0 : sum;
    }
  }
  const float *logits = values[LAYERS % 2];
  float greatest = logits[0], total = 0;
  for (int i = 1; i < FLOW_CLASSES; i++)
    greatest = logits[i] > greatest ? logits[i] : greatest;
  for (int i = 0; i < FLOW_CLASSES; i++)
    total += scores[i] = expf(logits[i] - greatest);
  for (int i = 0; i < FLOW_CLASSES; i++)
    scores[i] /= total;
}
