/* The network in integers against the same one written down as TFLite has it,
 * with quotients for shifts. */
#include "lib/flow/nature.h"
#include "lib/flow/nature_weights.h"

#include "tests/unit/flow/course.h"

#include <math.h>

#define LAYERS 3

/* Each feature's range is laid onto -1..1, and what is beyond is clipped. */
static void test_inputs(void) {
  float features[WR_LOOK_COUNT], inputs[WR_LOOK_COUNT];
  static const struct {
    float part, input;
  } cases[] = {{0, -1},        {1, 1},      {0.5f, 0},
               {0.25f, -0.5f}, {-0.5f, -1}, {1.5f, 1}};
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    for (int i = 0; i < WR_LOOK_COUNT; i++) {
      float low = weights_input_low[i], high = weights_input_high[i];
      features[i] = low + cases[k].part * (high - low);
      inputs[i] = 7;
    }
    wr_nature_inputs(features, inputs);
    for (int i = 0; i < WR_LOOK_COUNT; i++)
      CU_ASSERT_DOUBLE_EQUAL((double)inputs[i], (double)cases[k].input, 1e-6);
  }
}

static int clipped(int64_t value) {
  return value < -128 ? -128 : value > 127 ? 127 : (int)value;
}

/* Half away from zero, as a quotient of magnitudes. */
static int64_t rounded(int64_t value, int bits) {
  int64_t one = (int64_t)1 << bits;
  int64_t size = value < 0 ? -value : value;
  int64_t steps = (2 * size + one) / (2 * one);
  return value < 0 ? -steps : steps;
}

static void reference(const float *inputs, double *scores) {
  int from[WEIGHTS_WIDEST] = {0}, to[WEIGHTS_WIDEST];
  for (int i = 0; i < WR_LOOK_COUNT; i++)
    from[i] = (int)lround((double)(inputs[i] * 127));
  for (int n = 0; n < LAYERS; n++) {
    const struct weights_layer *layer = &weights_layers[n];
    for (int o = 0; o < layer->outputs; o++) {
      int64_t sum = layer->bias[o];
      for (int i = 0; i < layer->inputs; i++)
        sum += layer->weights[o * layer->inputs + i] * from[i];
      to[o] = clipped(rounded(sum * layer->multiplier, 31 + layer->shift) +
                      layer->zero_point);
    }
    memcpy(from, to, sizeof(to));
  }
  double total = 0;
  int best = from[0];
  for (int i = 0; i < WR_NATURE_COUNT; i++)
    best = from[i] > best ? from[i] : best;
  for (int i = 0; i < WR_NATURE_COUNT; i++)
    total += (double)weights_exp[best - from[i]];
  for (int i = 0; i < WR_NATURE_COUNT; i++) {
    double share = (double)weights_exp[best - from[i]] / total;
    scores[i] = fmin(floor(share * 256 + 0.5), 255) / 256;
  }
}

/* Whatever goes in; extremes, too. */
static void test_scores(void) {
  int winners[WR_NATURE_COUNT] = {0};
  course_random = 5;
  for (int n = 0; n < 1500; n++) {
    float inputs[WR_LOOK_COUNT], got[WR_NATURE_COUNT];
    double want[WR_NATURE_COUNT], sum = 0;
    for (int i = 0; i < WR_LOOK_COUNT; i++) {
      double value = course_noise() * (1 + n % 3);
      inputs[i] = (float)fmax(-1, fmin(1, value));
    }
    reference(inputs, want);
    for (int i = 0; i < WR_NATURE_COUNT; i++)
      got[i] = -1;
    wr_nature(inputs, got);
    for (int i = 0; i < WR_NATURE_COUNT; i++) {
      CU_ASSERT_EQUAL((double)got[i], want[i]);
      sum += (double)got[i];
      winners[i] += want[i] > 0.5;
    }
    CU_ASSERT_DOUBLE_EQUAL(sum, 1, 4 / 256.0);
  }
  int kinds = 0;
  for (int i = 0; i < WR_NATURE_COUNT; i++)
    kinds += winners[i] > 0;
  CU_ASSERT(kinds >= 3); /* it was not always the same */
}

UNIT_MAIN("nature", UNIT(test_inputs), UNIT(test_scores))
