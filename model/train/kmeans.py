"""K-means over steady normal flow, for the anomaly score."""

import numpy as np

COUNT, ROUNDS, SAMPLE = 12, 30, 60000
# The level and the roughness that is left when a move is taken out; with all
# features the moves of a tap hide every fault.
AXES = ("mean", "off_move", "off_line", "bend", "spread", "memory", "change")
# The farthest windows are those in which a person moves the tap. They would
# become clusters of their own that faults fall into.
TRIMMED = 0.06
RADIUS_QUANTILE = 0.90


class Clusters:
    """weight: per feature, 0 where it is not used; radius: per cluster."""

    def __init__(self, weight, centre, radius):
        self.weight, self.centre, self.radius = weight, centre, radius

    def distances(self, inputs):
        z, c = inputs * self.weight, self.centre * self.weight
        square = (z * z).sum(1)[:, None] - 2 * z @ c.T + (c * c).sum(1)
        return np.sqrt(np.maximum(square, 0))

    def scores(self, inputs):
        return (self.distances(inputs) - self.radius).min(1)

    def _settle(self, inputs):
        """Lloyd's algorithm; how many windows each cluster has."""
        for _ in range(ROUNDS):
            nearest = self.distances(inputs).argmin(1)
            for c in range(COUNT):
                if (nearest == c).any():
                    self.centre[c] = inputs[nearest == c].mean(0)
        return np.bincount(nearest, minlength=COUNT)


def fit(inputs, names, rng):
    """names: of the columns of `inputs`. Clusters of normal windows."""
    inputs = inputs[rng.permutation(len(inputs))[:SAMPLE]].astype(np.float64)
    used = np.array([name in AXES for name in names])
    weight = np.where(used, 1 / np.maximum(inputs.std(0), 0.02), 0.0)
    found = Clusters(weight, inputs[:COUNT].copy(), np.zeros(COUNT))
    size = found._settle(inputs)
    large = size > 0.01 * len(inputs)
    far = found.distances(inputs)[:, large].min(1)
    inputs = inputs[far < np.quantile(far, 1 - TRIMMED)]
    found.centre = inputs[:COUNT].copy()
    found._settle(inputs)
    distances = found.distances(inputs)
    nearest = distances.argmin(1)
    own = distances[np.arange(len(inputs)), nearest]
    for c in range(COUNT):
        if (nearest == c).any():
            found.radius[c] = np.quantile(own[nearest == c], RADIUS_QUANTILE)
    return found
