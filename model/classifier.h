/* classifier: one window of flow in, the score of each class out.
 *
 * A window is FLOW_SAMPLES samples taken once a second, the oldest first, in
 * L/min scaled so that the loop's nominal flow is FLOW_NOMINAL. The classes,
 * in the order of enum flow_class, are sorted by name as Edge Impulse does. */
#ifndef MODEL_CLASSIFIER_H
#define MODEL_CLASSIFIER_H

#include <stdbool.h>
#include <stdint.h>

#define FLOW_SAMPLES 10
#define FLOW_INTERVAL_MS 1000
#define FLOW_NOMINAL 10.0f

enum flow_class { FLOW_ANOMALOUS, FLOW_HIGH, FLOW_LOW, FLOW_NORMAL };
#define FLOW_CLASSES 4

extern const char *const flow_class_names[FLOW_CLASSES];

struct classifier_info {
  const char *owner, *name; /* what a client shows as the model's origin */
  int project_id, deploy_version;
  int anomaly_block_id; /* 0: there is no anomaly score */
  float min_anomaly_score;
};
extern const struct classifier_info classifier_info;

struct classifier_result {
  float scores[FLOW_CLASSES]; /* 0..1 */
  float anomaly;              /* above 0: unlike all that was trained on */
  /* Microseconds spent in each stage. */
  int64_t dsp_us, classification_us, anomaly_us;
};

/* `now_us` is any monotonic clock; NULL leaves the durations 0. */
void classifier_run(const float window[FLOW_SAMPLES], int64_t (*now_us)(void),
                    struct classifier_result *result);

#endif
