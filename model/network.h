/* network: the trained classifier in int8.
 *
 * Hidden layers with ReLU and a softmax, as TFLite quantises them: one scale
 * per tensor, int32 sums, a fixed-point multiplier per layer, scores in steps
 * of 1/256. */
#ifndef MODEL_NETWORK_H
#define MODEL_NETWORK_H

#include "model/features.h"

/* Each feature's range in training laid onto -1..1, clipped. */
void network_normalise(const float features[FEATURE_COUNT],
                       float inputs[FEATURE_COUNT]);

/* Scores are multiples of 1/256, at most 255/256. */
void network_int8(const float inputs[FEATURE_COUNT],
                  float scores[FLOW_CLASSES]);

#endif
