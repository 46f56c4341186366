/* classifier: the last minute of flow in, the score of each class out.
 *
 * A window is FLOW_SAMPLES samples taken once a second, the oldest first, in
 * L/min scaled so that the loop's nominal flow is 10. In front of a shorter
 * history stand values of FLOW_NONE or below, which no flow is; FLOW_LEAST
 * samples there must be. The classes, in the order of enum flow_class, are
 * sorted by name as Edge Impulse does.
 *
 * Anomalous comes from the shape of the flow (lib/flow/nature) or from a level
 * beyond Low and High; the other three share the rest by the level of the
 * newest seconds. */
#ifndef MODEL_CLASSIFIER_H
#define MODEL_CLASSIFIER_H

#include "lib/flow/look.h"

#include <stdbool.h>
#include <stdint.h>

#define FLOW_SAMPLES WR_LOOK_SAMPLES
#define FLOW_LEAST WR_LOOK_LEAST
#define FLOW_NONE (-1000.0f)
#define FLOW_INTERVAL_MS 1000

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
  float scores[FLOW_CLASSES]; /* multiples of 1/256 whose sum is 1 */
  float anomaly;              /* above 0: unlike all that was trained on */
  /* Microseconds spent in each stage. */
  int64_t dsp_us, classification_us, anomaly_us;
};

/* Values in front that are no samples: 0 .. FLOW_SAMPLES. */
int classifier_missing(const float window[FLOW_SAMPLES]);

/* `now_us` is any monotonic clock; NULL leaves the durations 0. With fewer
 * than FLOW_LEAST samples all scores are 0. */
void classifier_run(const float window[FLOW_SAMPLES], int64_t (*now_us)(void),
                    struct classifier_result *result);

#endif
