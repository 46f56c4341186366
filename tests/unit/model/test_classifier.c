/* The classifier, and the network inside it against the arithmetic of the
 * program that trained it, written apart from the C code. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/flow/nature.h"
#include "model/anomaly.h"
#include "model/classifier.h"
#include "model/clusters.h"
#include "tests/unit/model/model_vectors.h"
#include "tests/unit/unit.h"

#define VECTORS (sizeof(model_vectors) / sizeof(model_vectors[0]))
#define N FLOW_SAMPLES

static void inputs_of(const float *window, float *inputs) {
  float features[WR_LOOK_COUNT];
  int missing = 0;
  while (window[missing] <= FLOW_NONE)
    missing++;
  wr_look(window + missing, (size_t)(N - missing), 0, features);
  wr_nature_inputs(features, inputs);
}

static int greatest(const float *scores) {
  int best = 0;
  for (int i = 1; i < FLOW_CLASSES; i++)
    if (scores[i] > scores[best])
      best = i;
  return best;
}

static void test_int8_is_exact(void) {
  CU_ASSERT_FATAL(VECTORS >= 20);
  for (size_t v = 0; v < VECTORS; v++) {
    float inputs[WR_LOOK_COUNT], scores[WR_NATURE_COUNT];
    inputs_of(model_vectors[v].window, inputs);
    wr_nature(inputs, scores);
    for (int i = 0; i < WR_NATURE_COUNT; i++)
      CU_ASSERT_EQUAL(scores[i], model_vectors[v].int8[i]);
  }
}

/* Near a border a step of int8 moves a score far; on the whole it does not. */
static void test_float_is_near(void) {
  double apart = 0;
  for (size_t v = 0; v < VECTORS; v++) {
    float inputs[WR_LOOK_COUNT], scores[WR_NATURE_COUNT];
    inputs_of(model_vectors[v].window, inputs);
    wr_nature(inputs, scores);
    for (int i = 0; i < WR_NATURE_COUNT; i++)
      apart += fabs(scores[i] - model_vectors[v].floats[i]);
  }
  CU_ASSERT(apart / (VECTORS * WR_NATURE_COUNT) < 0.02);
}

static void test_anomaly_is_close(void) {
  for (size_t v = 0; v < VECTORS; v++) {
    float inputs[WR_LOOK_COUNT];
    inputs_of(model_vectors[v].window, inputs);
    CU_ASSERT_DOUBLE_EQUAL(anomaly_score(inputs), model_vectors[v].anomaly,
                           1e-3);
  }
}

/* Whatever comes in, four numbers that sum to 1; but none at all of fewer
 * samples than the least. */
static void test_scores_sum_to_one(void) {
  srand(1);
  for (int n = 0; n < 20000; n++) {
    struct classifier_result result;
    float window[N], scale = (float)(rand() % 40), sum = 0;
    int missing = rand() % (N + 1);
    for (int i = 0; i < N; i++)
      window[i] =
          i < missing ? FLOW_NONE : (float)rand() / (float)RAND_MAX * scale;
    if (n % 100 == 0 && N - missing >= FLOW_LEAST)
      window[N - 1 - n / 100 % 10] = n % 200 ? NAN : 1e30f;
    classifier_run(window, NULL, &result);
    for (int i = 0; i < FLOW_CLASSES; i++) {
      float steps = result.scores[i] * 256;
      CU_ASSERT(steps >= 0 && steps <= 256 && steps == floorf(steps));
      sum += result.scores[i];
    }
    CU_ASSERT_EQUAL(sum, N - missing >= FLOW_LEAST ? 1.0f : 0.0f);
    CU_ASSERT(isfinite(result.anomaly));
  }
}

/* A steady loop as a YF-S201 counts it, and then `count` more samples. */
static void fill(float *window, float level, const float *newest, int count) {
  for (int i = 0; i < N; i++)
    window[i] = level + (i % 3 == 0 ? 0.13f : 0);
  memcpy(window + N - count, newest, (size_t)count * sizeof(float));
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
    float window[N];
    for (int missing = 0; missing <= 50; missing += 10) {
      for (int i = 0; i < N; i++)
        window[i] = i < missing ? FLOW_NONE
                                : cases[c].level * (i % 3 == 0 ? 1.013f : 1);
      CU_ASSERT_EQUAL(class_of(window), cases[c].expected);
      for (int i = missing; i < N; i++)
        window[i] = cases[c].level; /* equal samples are no fault */
      CU_ASSERT_EQUAL(class_of(window), cases[c].expected);
    }
  }
}

/* Six seconds after a step that settles, the label is the new level's. */
static void test_steps_settle(void) {
  static const struct {
    float from, to;
    enum flow_class expected;
  } cases[] = {{10, 6, FLOW_LOW}, {10, 14, FLOW_HIGH}, {6, 10, FLOW_NORMAL},
               {14, 5, FLOW_LOW}, {5, 18, FLOW_HIGH},  {12, 8.5f, FLOW_NORMAL}};
  for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++)
    for (int after = 4; after < 40; after++) {
      float window[N], newest[40];
      for (int i = 0; i < after; i++)
        newest[i] = cases[c].to + (i % 4 == 0 ? 0.13f : 0);
      fill(window, cases[c].from, newest, after);
      CU_ASSERT_EQUAL(class_of(window), cases[c].expected);
    }
}

static void test_plain_faults(void) {
  static const float faults[][10] = {
      {10, 10.1f, 10, 9.9f, 10, 0, 0, 0, 0, 0},              /* stopped */
      {10, 3, 10, 10, 2, 10, 6, 10, 10, 4},                  /* air */
      {10, 13.5f, 10, 6.5f, 10, 13.5f, 10, 6.5f, 10, 13.5f}, /* hunting */
      {10, 22, 10, 10, 25, 10, 17, 10, 10, 30}, /* pulses too many */
      {9, 11, 7, 10, 8, 12, 6, 9, 11, 7},       /* cavitation */
  };
  for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]); f++) {
    float window[N];
    fill(window, 10, faults[f], 10);
    CU_ASSERT_EQUAL(class_of(window), FLOW_ANOMALOUS);
    for (int i = 0; i < N - 10; i++) /* and with no history */
      window[i] = FLOW_NONE;
    CU_ASSERT_EQUAL(class_of(window), FLOW_ANOMALOUS);
  }
}

/* A minute in which the pump started is not one that nothing is known of. */
static void test_zeros_are_samples(void) {
  float started[N], unknown[N];
  struct classifier_result a, b;
  for (int i = 0; i < N; i++) {
    started[i] = i < N - 15 ? 0 : 10;
    unknown[i] = i < N - 15 ? FLOW_NONE : 10;
  }
  CU_ASSERT_EQUAL(class_of(started), FLOW_NORMAL);
  CU_ASSERT_EQUAL(class_of(unknown), FLOW_NORMAL);
  float x[WR_LOOK_COUNT], y[WR_LOOK_COUNT];
  inputs_of(started, x);
  inputs_of(unknown, y);
  CU_ASSERT(memcmp(x, y, sizeof(x)) != 0);
  classifier_run(started, NULL, &a);
  classifier_run(unknown, NULL, &b);
  CU_ASSERT_EQUAL(a.anomaly, b.anomaly); /* that looks at ten seconds */
}

static void test_anomaly_sees_noise(void) {
  const float quiet[] = {10, 10.1f, 10, 9.9f, 9.9f, 10, 10, 10.1f, 10, 10};
  float window[N], noise[10];
  struct classifier_result result;
  for (int i = 0; i < 10; i++)
    noise[i] = i % 2 ? 6.0f : 14.0f;
  fill(window, 10, quiet, 10);
  classifier_run(window, NULL, &result);
  CU_ASSERT(result.anomaly < 0);
  fill(window, 10, noise, 10);
  classifier_run(window, NULL, &result);
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

UNIT_MAIN("classifier", UNIT(test_int8_is_exact), UNIT(test_float_is_near),
          UNIT(test_anomaly_is_close), UNIT(test_scores_sum_to_one),
          UNIT(test_levels), UNIT(test_steps_settle), UNIT(test_plain_faults),
          UNIT(test_zeros_are_samples), UNIT(test_anomaly_sees_noise),
          UNIT(test_durations))
