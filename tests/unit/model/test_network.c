/* The trained network and the anomaly score, against the arithmetic of the
 * program that trained them, written apart from the C code. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/anomaly.h"
#include "model/clusters.h"
#include "model/network.h"
#include "tests/unit/model/model_vectors.h"
#include "tests/unit/unit.h"

#define VECTORS (sizeof(model_vectors) / sizeof(model_vectors[0]))

static void inputs_of(const float *window, float *inputs) {
  float features[FEATURE_COUNT];
  features_compute(window, features);
  network_normalise(features, inputs);
}

static int greatest(const float *scores) {
  int best = 0;
  for (int i = 1; i < FLOW_CLASSES; i++)
    if (scores[i] > scores[best])
      best = i;
  return best;
}

static void test_int8_is_exact(void) {
  CU_ASSERT_FATAL(VECTORS >= 12);
  for (size_t v = 0; v < VECTORS; v++) {
    float inputs[FEATURE_COUNT], scores[FLOW_CLASSES];
    inputs_of(model_vectors[v].window, inputs);
    network_int8(inputs, scores);
    for (int i = 0; i < FLOW_CLASSES; i++)
      CU_ASSERT_EQUAL(scores[i], model_vectors[v].int8[i]);
  }
}

/* Near a border a step of int8 moves a score far; on the whole it does not. */
static void test_float_is_near(void) {
  double apart = 0;
  for (size_t v = 0; v < VECTORS; v++) {
    float inputs[FEATURE_COUNT], scores[FLOW_CLASSES];
    inputs_of(model_vectors[v].window, inputs);
    network_int8(inputs, scores);
    for (int i = 0; i < FLOW_CLASSES; i++)
      apart += fabs(scores[i] - model_vectors[v].floats[i]);
  }
  CU_ASSERT(apart / (VECTORS * FLOW_CLASSES) < 0.02);
}

static void test_anomaly_is_close(void) {
  for (size_t v = 0; v < VECTORS; v++) {
    float inputs[FEATURE_COUNT];
    inputs_of(model_vectors[v].window, inputs);
    CU_ASSERT_DOUBLE_EQUAL(anomaly_score(inputs), model_vectors[v].anomaly,
                           1e-3);
  }
}

static void test_scores_are_probabilities(void) {
  srand(1);
  for (int n = 0; n < 20000; n++) {
    float window[FLOW_SAMPLES], inputs[FEATURE_COUNT], scores[FLOW_CLASSES];
    float scale = (float)(rand() % 40);
    for (int i = 0; i < FLOW_SAMPLES; i++)
      window[i] = (float)rand() / (float)RAND_MAX * scale;
    inputs_of(window, inputs);
    network_int8(inputs, scores);
    float sum = 0;
    for (int i = 0; i < FLOW_CLASSES; i++) {
      float steps = scores[i] * 256;
      CU_ASSERT(steps >= 0 && steps <= 255 && steps == floorf(steps));
      sum += scores[i];
    }
    CU_ASSERT(sum > 0.98f && sum < 1.01f);
  }
}

static enum flow_class class_of(const float *window) {
  struct classifier_result result;
  classifier_run(window, NULL, &result);
  return (enum flow_class)greatest(result.scores);
}

static void test_levels(void) {
  static const struct {
    float level;
    enum flow_class expected;
  } cases[] = {
      {0, FLOW_ANOMALOUS},  {2, FLOW_ANOMALOUS},  {5, FLOW_LOW},
      {6, FLOW_LOW},        {9, FLOW_NORMAL},     {10, FLOW_NORMAL},
      {11.5, FLOW_NORMAL},  {14, FLOW_HIGH},      {18, FLOW_HIGH},
      {24, FLOW_ANOMALOUS}, {60, FLOW_ANOMALOUS}, {1e30f, FLOW_ANOMALOUS}};
  for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
    float window[FLOW_SAMPLES];
    for (int i = 0; i < FLOW_SAMPLES; i++)
      window[i] = cases[c].level * (i % 3 == 0 ? 1.013f : 1.0f);
    CU_ASSERT_EQUAL(class_of(window), cases[c].expected);
    for (int i = 0; i < FLOW_SAMPLES; i++)
      window[i] = cases[c].level; /* ten equal samples are no fault */
    CU_ASSERT_EQUAL(class_of(window), cases[c].expected);
  }
}

static void test_plain_faults(void) {
  static const float faults[][FLOW_SAMPLES] = {
      {10, 10.1f, 10, 10, 9.9f, 10, 3, 3.1f, 3, 2.9f},       /* blockage */
      {10, 10.1f, 10, 9.9f, 10, 0, 0, 0, 0, 0},              /* stuck at zero */
      {10, 3, 10, 10, 2, 10, 6, 10, 10, 4},                  /* air */
      {10, 13.5f, 10, 6.5f, 10, 13.5f, 10, 6.5f, 10, 13.5f}, /* hunting */
      {10, 22, 10, 10, 25, 10, 17, 10, 10, 30}, /* pulses too many */
      {9, 11, 7, 10, 8, 12, 6, 9, 11, 7},       /* cavitation */
      {10, 9.5f, 9, 8.4f, 7.9f, 7.4f, 6.8f, 6.3f, 5.7f, 5.2f}, /* clogging */
  };
  for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]); f++)
    CU_ASSERT_EQUAL(class_of(faults[f]), FLOW_ANOMALOUS);
}

static void test_anomaly_sees_noise(void) {
  const float quiet[] = {10, 10.1f, 10, 9.9f, 9.9f, 10, 10, 10.1f, 10, 10};
  float noise[FLOW_SAMPLES];
  struct classifier_result result;
  for (int i = 0; i < FLOW_SAMPLES; i++)
    noise[i] = i % 2 ? 6.0f : 14.0f;
  classifier_run(quiet, NULL, &result);
  CU_ASSERT(result.anomaly < 0);
  classifier_run(noise, NULL, &result);
  CU_ASSERT(result.anomaly > CLUSTERS_THRESHOLD);
}

static int64_t ticks(void) {
  static int64_t now_us;
  return now_us += 5;
}

static void test_durations(void) {
  struct classifier_result result;
  classifier_run(model_vectors[0].window, ticks, &result);
  CU_ASSERT_EQUAL(result.dsp_us, 5);
  CU_ASSERT_EQUAL(result.classification_us, 5);
  CU_ASSERT_EQUAL(result.anomaly_us, 5);
}

UNIT_MAIN("network", UNIT(test_int8_is_exact), UNIT(test_float_is_near),
          UNIT(test_anomaly_is_close), UNIT(test_scores_are_probabilities),
          UNIT(test_levels), UNIT(test_plain_faults),
          UNIT(test_anomaly_sees_noise), UNIT(test_durations))
