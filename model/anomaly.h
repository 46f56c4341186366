/* anomaly: how far a window is from all normal flow that was trained on.
 *
 * K-means clusters of the normalised features, as in Edge Impulse's anomaly
 * block: the distance to the nearest cluster's centre less that cluster's
 * radius, the least over all clusters. Below 0 is inside a cluster. */
#ifndef MODEL_ANOMALY_H
#define MODEL_ANOMALY_H

#include "model/features.h"

/* `inputs`: from network_normalise(). */
float anomaly_score(const float inputs[FEATURE_COUNT]);

#endif
