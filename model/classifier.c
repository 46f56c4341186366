#include "model/classifier.h"

#include <stddef.h>

#include "lib/flow/nature.h"
#include "model/anomaly.h"
#include "model/clusters.h"

const char *const flow_class_names[FLOW_CLASSES] = {"Anomalous", "High", "Low",
                                                    "Normal"};

const struct classifier_info classifier_info = {
    .owner = "Weir",
    .name = "Flow, a minute of shape and level",
    .project_id = 1,
    .deploy_version = 3,
    .anomaly_block_id = 3,
    .min_anomaly_score = CLUSTERS_THRESHOLD,
};

static int64_t read_clock(int64_t (*now_us)(void)) {
  return now_us != NULL ? now_us() : 0;
}

int classifier_missing(const float window[FLOW_SAMPLES]) {
  int missing = 0;
  while (missing < FLOW_SAMPLES && window[missing] <= FLOW_NONE)
    missing++;
  return missing;
}

/* The mean of the newest 3 to 5 seconds, of those without a jump; of up to 10
 * where one pulse is much of the flow. */
static float level_of(const float window[FLOW_SAMPLES], const float *look) {
  int most = look[WR_LOOK_QUANTUM] > 0.1f ? 10 : 5;
  int since = (int)(look[WR_LOOK_CALM] * WR_LOOK_SAMPLES + 0.5f) + 1;
  int seconds = since < 3 ? 3 : since > most ? most : since;
  float total = 0;
  for (int i = 1; i <= seconds; i++)
    total += window[FLOW_SAMPLES - i];
  return total / (float)seconds;
}

/* How much of a level lies above an edge: 0 to 1 within 3 % of nominal. */
static float above(float level, float edge) {
  float share = 0.5f + (level - edge) / (0.06f * WR_NOMINAL);
  return !(share < 1) ? 1 : share < 0 ? 0 : share; /* NaN: above all */
}

static void share_out(float fault, float level, float scores[FLOW_CLASSES]) {
  float low = above(level, 4.0f), normal = above(level, 7.5f);
  float high = above(level, 12.5f), beyond = above(level, 20.0f);
  float rest = (1 - fault) * low * (1 - beyond);
  int steps[FLOW_CLASSES], left = 256;
  steps[FLOW_HIGH] = (int)(rest * high * 256 + 0.5f);
  steps[FLOW_LOW] = (int)(rest * (1 - normal) * 256 + 0.5f);
  steps[FLOW_NORMAL] = (int)(rest * (normal - high) * 256 + 0.5f);
  for (int i = FLOW_HIGH; i <= FLOW_NORMAL; i++) {
    steps[i] = steps[i] < left ? steps[i] : left;
    left -= steps[i];
  }
  steps[FLOW_ANOMALOUS] = left;
  for (int i = 0; i < FLOW_CLASSES; i++)
    scores[i] = (float)steps[i] / 256;
}

void classifier_run(const float window[FLOW_SAMPLES], int64_t (*now_us)(void),
                    struct classifier_result *result) {
  float look[WR_LOOK_COUNT], inputs[WR_LOOK_COUNT], kinds[WR_NATURE_COUNT];
  int missing = classifier_missing(window);
  int64_t start_us = read_clock(now_us);
  *result = (struct classifier_result){0};
  if (FLOW_SAMPLES - missing < FLOW_LEAST)
    return;
  wr_look(window + missing, (size_t)(FLOW_SAMPLES - missing), 0, look);
  wr_nature_inputs(look, inputs);
  int64_t dsp_us = read_clock(now_us);
  wr_nature(inputs, kinds);
  share_out(1 - kinds[WR_NATURE_CLEAN], level_of(window, look), result->scores);
  int64_t scored_us = read_clock(now_us);
  result->anomaly = anomaly_score(inputs);
  result->dsp_us = dsp_us - start_us;
  result->classification_us = scored_us - dsp_us;
  result->anomaly_us = read_clock(now_us) - scored_us;
}
