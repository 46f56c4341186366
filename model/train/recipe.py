"""What the bundled model is trained on and how."""

import numpy as np

import faults
import network
import own
import recordings as rec
import rows as R

SEED = 20190227
HIDDEN = (64, 32)
ROWS = 20000  # recorded ones without a fault; the others follow from it
EACH = 10  # windows from a row
EPOCHS, ROUNDED_EPOCHS = 24, 6
COARSER, TOUCHED = 0.15, 0.1  # shares of the rows
FAULTS = 1.8  # rows with a fault for each row without
SHARES = {"air": 1.0, "slug": 1.0, "cavitation": 1.6, "hunting": 1.6,
          "emi": 1.0, "other": 1.2, "blockage": 0.3, "burst": 0.3,
          "zero": 0.2, "clog": 0.5, "bubbles": 0.8, "interference": 0.8}


def _recorded(recordings, rng, n):
    return R.coarser(R.recorded(recordings, rng, n), rng, COARSER)


def _moved(recordings, rng, n):
    return R.coarser(R.moved(R.recorded(recordings, rng, n), rng), rng,
                     COARSER)


def _bases(recordings, rng, recorded, moved, simulated):
    """Rows without faults, so many of each; without recordings all of them
    simulated."""
    if not recordings:
        return [R.simulated(rng, recorded + moved + simulated)]
    return [_recorded(recordings, rng, recorded),
            _moved(recordings, rng, moved), R.simulated(rng, simulated)]


def training_rows(recordings, rng, n=ROWS):
    parts = [R.touched(rows, rng, TOUCHED)
             for rows in _bases(recordings, rng, n, n, 2 * n)]
    total = sum(SHARES.values())
    for name, share in SHARES.items():
        some = int(FAULTS * n * share / total) // 4
        for base in _bases(recordings, rng, 2 * some, some, some):
            parts.append(R.faulty(base, rng, name))
    return R.Rows.join(parts)


def own_rows(owns, quantum, rng, share, n):
    """Rows of one's own loop, about `share` of n: as they are, and what is
    clean of them with faults laid over it."""
    once = own.rows(owns, quantum, 1, rng)
    copies = int(np.clip(share * n / max(len(once), 1), 1, 60))
    parts = [own.rows(owns, quantum, copies, rng)]
    clean = parts[0].take(np.flatnonzero(~(parts[0].fault > 0).any(1)))
    total = sum(SHARES.values())
    for name, part in SHARES.items():
        count = int(len(clean) * part / total)
        if count:
            some = clean.take(rng.integers(0, len(clean), count))
            parts.append(R.faulty(some, rng, name))
    return R.Rows.join(parts)


class Examples:
    """look: features; window: the samples; kind: see rows.KINDS; weight."""

    def __init__(self, rows, rng, stage, each=EACH):
        kind, weight = R.truth(rows)
        row, end = R.draw_ends(rows, rng, each)
        self.window = R.windows(rows.flow, row, end)
        self.kind, self.weight = kind[row, end], weight[row, end]
        self.level = R.running_mean(rows.true, 3)[row, end]
        self.source = rows.source[row]
        kinds = rows.fault.max(1)[row]
        acted = R.running_mean((rows.fault > 0).astype(float), 10)[row, end]
        # The label of version 0.1.0: the mean of ten seconds.
        self.old = np.where(acted > 0.25, rec.ANOMALOUS, rec.state_of(
            R.running_mean(rows.true, 10)[row, end]))
        self.name = np.where((self.kind != R.CLEAN) & (kinds > 0),
                             rows.name[row], "")
        self.look = stage.look(self.window)

    def label(self):
        """One of four: a fault, or the level of the newest seconds."""
        return np.where(self.kind != R.CLEAN, rec.ANOMALOUS,
                        rec.state_of(self.level))

    def __len__(self):
        return len(self.kind)


class Ranges:
    """Each feature's range, laid onto -1..1."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    @staticmethod
    def of(features, levels):
        """levels: how many of the first are in L/min; above 2.5 nominal
        flows all is one."""
        low = np.quantile(features, 0.0005, 0).astype(np.float32)
        high = np.quantile(features, 0.9995, 0).astype(np.float32)
        low[:levels], high[:levels] = 0, 25
        return Ranges(low, np.maximum(high, low + np.float32(1e-3)))

    def apply(self, features):
        # In the same order of operations as wr_nature_inputs().
        value = (features - self.low) / (self.high - self.low)
        return np.clip(value * np.float32(2) - np.float32(1), -1, 1).astype(
            np.float32)


def fit(inputs, kind, weight, hidden=HIDDEN, seed=SEED, epochs=EPOCHS,
        rounded_epochs=ROUNDED_EPOCHS, kinds=len(R.KINDS)):
    rng = np.random.default_rng(seed)
    net = network.Network((inputs.shape[1],) + tuple(hidden) + (kinds,), rng)
    target = np.eye(kinds, dtype=np.float32)[kind]
    net.fit(inputs, target, weight, rng, epochs, rounded_epochs)
    return net


def rule_scores(x, limit_abs, limit_rel):
    mean, deviation = x.mean(1), x.std(1)
    state = np.where(deviation <= limit_abs + limit_rel * mean,
                     rec.state_of(mean), rec.ANOMALOUS)
    return np.eye(4)[state]


def tune_rule(newest, label):
    """The deviation limits with the best accuracy on these windows."""
    best = (0, 0, 0)
    for a in (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0):
        for r in (0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25,
                  0.3, 0.4):
            guess = rule_scores(newest, a, r).argmax(1)
            best = max(best, ((guess == label).mean(), a, r))
    return best[1:]
