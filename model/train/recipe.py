"""What the bundled model is trained on and how; used by train.py, and by
evaluate.py for the models that it compares with and leaves faults out of."""

import numpy as np

import faults
import network
import recordings as rec
import windows

SEED = 20190227
HIDDEN = (96, 32)
FAULT_SHARE = 0.40  # fault windows for each window without
OTHER_SHARE = 0.12  # of those that nobody has named
DRAWS, STRIDE = 18, 3  # levels for each recording, seconds between windows
LOOPS, LOOP_SECONDS, LOOP_STRIDE = 800, 600, 5
EPOCHS, ROUNDED_EPOCHS = 32, 8


def training_windows(recordings, seed=SEED, share=1.0, names=faults.NAMES,
                     other=True):
    """share: of the usual amount of data; names: the faults to train on."""
    rng = np.random.default_rng(seed)
    real, real_quantum, _ = windows.natural(
        recordings, rng, max(int(DRAWS * share), 1), STRIDE, 0.02, edges=True)
    made, made_quantum, _ = windows.simulated(
        rng, int(LOOPS * share), LOOP_SECONDS, LOOP_STRIDE, edges=True)
    base = windows.Windows.join([real, made])
    quantum = np.concatenate([real_quantum, made_quantum])
    parts = [base, windows.with_faults(base, quantum, rng, int(
        len(base) * FAULT_SHARE), names)]
    if other:
        parts.append(windows.with_faults(
            base, quantum, rng, int(len(base) * OTHER_SHARE), ["other"]))
    return windows.Windows.join(parts)


class Ranges:
    """Each feature's range, laid onto -1..1."""

    def __init__(self, features, level_names=(), names=()):
        self.low = np.quantile(features, 0.0005, 0).astype(np.float32)
        self.high = np.quantile(features, 0.9995, 0).astype(np.float32)
        for i, name in enumerate(names):
            if name in level_names:  # L/min: above 2.5 nominals all is one
                self.low[i], self.high[i] = 0, 25
        self.high = np.maximum(self.high, self.low + np.float32(1e-3))

    @staticmethod
    def of(low, high):
        ranges = Ranges.__new__(Ranges)
        ranges.low, ranges.high = low, high
        return ranges

    def apply(self, features):
        # In the same order of operations as network_normalise().
        value = (features - self.low) / (self.high - self.low)
        return np.clip(value * np.float32(2) - np.float32(1), -1, 1).astype(
            np.float32)


def fit(inputs, label, hidden=HIDDEN, seed=SEED, epochs=EPOCHS,
        rounded_epochs=ROUNDED_EPOCHS):
    rng = np.random.default_rng(seed)
    net = network.Network((inputs.shape[1],) + tuple(hidden) +
                          (network.CLASSES,), rng)
    target = np.eye(network.CLASSES, dtype=np.float32)[label]
    net.fit(inputs, target, np.ones(len(label), np.float32), rng, epochs,
            rounded_epochs)
    return net


def test_windows(recordings, seed, stride=1):
    """Windows to score: natural ones, and half as many with a fault.
    Returns (Windows, share left out near an edge)."""
    rng = np.random.default_rng([SEED, seed])
    base, quantum, left_out = windows.natural(recordings, rng, 1, stride)
    return windows.Windows.join([base, windows.with_faults(
        base, quantum, rng, len(base) // 2)]), left_out


def rule_scores(x, limit_abs, limit_rel):
    mean, deviation = x.mean(1), x.std(1)
    state = np.where(deviation <= limit_abs + limit_rel * mean,
                     rec.state_of(mean), rec.ANOMALOUS)
    return np.eye(4)[state]


def tune_rule(train):
    """The deviation limits with the best accuracy on these windows."""
    best = (0, 0, 0)
    for a in (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0):
        for r in (0, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1,
                  0.12, 0.15):
            guess = rule_scores(train.x, a, r).argmax(1)
            best = max(best, ((guess == train.label).mean(), a, r))
    return best[1:]
