#include "lib/flow/nature.h"

#include "lib/flow/nature_weights.h"

_Static_assert(WR_LOOK_COUNT == WEIGHTS_INPUTS, "run `make train` again");

#define LAYERS ((int)(sizeof(weights_layers) / sizeof(weights_layers[0])))

void wr_nature_inputs(const float features[WR_LOOK_COUNT],
                      float inputs[WR_LOOK_COUNT]) {
  for (int i = 0; i < WR_LOOK_COUNT; i++) {
    float low = weights_input_low[i], high = weights_input_high[i];
    float value = (features[i] - low) / (high - low) * 2 - 1;
    inputs[i] = value < -1 ? -1 : value > 1 ? 1 : value;
  }
}

/* value * multiplier / 2^(31 + shift), rounded half away from zero. */
static int32_t rescale(int32_t value, int32_t multiplier, int shift) {
  int64_t product = (int64_t)value * multiplier;
  int64_t half = INT64_C(1) << (30 + shift);
  int64_t sum = product + (product >= 0 ? half : half - 1);
  return (int32_t)(sum >> (31 + shift));
}

/* Weights and values have 8 bits; 16 are what processors multiply at once. */
static void run_layer(const struct weights_layer *layer, const int16_t *inputs,
                      int16_t *outputs) {
  const int16_t *weight = layer->weights;
  for (int o = 0; o < layer->outputs; o++, weight += layer->inputs) {
    int32_t sum = layer->bias[o];
    for (int i = 0; i < layer->inputs; i++)
      sum += weight[i] * inputs[i];
    int32_t value = rescale(sum, layer->multiplier, layer->shift);
    value += layer->zero_point;
    /* ReLU: the zero point of a hidden layer is its least value. */
    outputs[o] = (int16_t)(value < -128 ? -128 : value > 127 ? 127 : value);
  }
}

static void softmax(const int16_t *logits, float scores[WR_NATURE_COUNT]) {
  int greatest = logits[0];
  float total = 0;
  for (int i = 1; i < WR_NATURE_COUNT; i++)
    greatest = logits[i] > greatest ? logits[i] : greatest;
  for (int i = 0; i < WR_NATURE_COUNT; i++) {
    scores[i] = weights_exp[greatest - logits[i]];
    total += scores[i];
  }
  for (int i = 0; i < WR_NATURE_COUNT; i++) {
    int steps = (int)(scores[i] / total * 256 + 0.5f);
    scores[i] = (float)(steps > 255 ? 255 : steps) / 256;
  }
}

void wr_nature(const float inputs[WR_LOOK_COUNT],
               float scores[WR_NATURE_COUNT]) {
  int16_t values[2][WEIGHTS_WIDEST] = {{0}};
  for (int i = 0; i < WR_LOOK_COUNT; i++) {
    float steps = inputs[i] * 127;
    values[0][i] = (int16_t)(steps < 0 ? steps - 0.5f : steps + 0.5f);
  }
  for (int i = 0; i < LAYERS; i++)
    run_layer(&weights_layers[i], values[i % 2], values[1 - i % 2]);
  softmax(values[LAYERS % 2], scores);
}
