#include "model/classifier.h"

#include <stddef.h>

#include "model/anomaly.h"
#include "model/clusters.h"
#include "model/network.h"

const char *const flow_class_names[FLOW_CLASSES] = {"Anomalous", "High", "Low",
                                                    "Normal"};

const struct classifier_info classifier_info = {
    .owner = "Weir",
    .name = "Flow, int8 network on level and shape",
    .project_id = 1,
    .deploy_version = 2,
    .anomaly_block_id = 3,
    .min_anomaly_score = CLUSTERS_THRESHOLD,
};

static int64_t read_clock(int64_t (*now_us)(void)) {
  return now_us != NULL ? now_us() : 0;
}

void classifier_run(const float window[FLOW_SAMPLES], int64_t (*now_us)(void),
                    struct classifier_result *result) {
  float features[FEATURE_COUNT], inputs[FEATURE_COUNT];
  int64_t start_us = read_clock(now_us);
  features_compute(window, features);
  network_normalise(features, inputs);
  int64_t dsp_us = read_clock(now_us);
  network_int8(inputs, result->scores);
  int64_t scored_us = read_clock(now_us);
  result->anomaly = anomaly_score(inputs);
  result->dsp_us = dsp_us - start_us;
  result->classification_us = scored_us - dsp_us;
  result->anomaly_us = read_clock(now_us) - scored_us;
}
