/* anomaly: how far a window is from all normal flow that was trained on.
 *
 * K-means clusters of the normalised features of ten seconds, as in Edge
 * Impulse's anomaly block: the distance to the nearest cluster's centre less
 * that cluster's radius, the least over all clusters. Below 0 is inside a
 * cluster. */
#ifndef MODEL_ANOMALY_H
#define MODEL_ANOMALY_H

#include "lib/flow/shape.h"

/* `inputs`: from wr_nature_inputs(); the first are those of the shape. */
float anomaly_score(const float inputs[WR_SHAPE_COUNT]);

#endif
