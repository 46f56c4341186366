/* rule: the level-and-deviation rule that every model is measured against.
 *
 * Ten seconds are Anomalous when their mean leaves the range of the three level
 * classes or their standard deviation passes a limit; else the mean alone
 * decides between Low, Normal and High. It is what a careful operator would
 * write with two thresholds, tuned on the training recordings. */
#ifndef MODEL_RULE_H
#define MODEL_RULE_H

#include "model/classifier.h"

/* Limits on the mean, in the window's units, and on the deviation relative
 * to the mean. */
struct rule_limits {
  float low, normal, high, top; /* lower edges of Low, Normal, High; end */
  float deviation_abs, deviation_rel;
};
extern const struct rule_limits rule_limits;

enum flow_class rule_classify(const float newest[WR_SHAPE_SAMPLES]);

#endif
