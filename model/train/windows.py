"""Windows with their labels, for training and for evaluation.

The label is the true state: Anomalous if a fault has acted for MINIMUM of the
10 s; else the class of the mean flow, which a person may be changing at that
moment. Windows within 8 % of a band's edge are not scored. Training does use
them: else flow near an edge would be known from faults alone.
"""

import numpy as np

import faults
import recordings as rec


class Windows:
    """Parallel arrays: x (n, 10), label, fault ("" if none), the number of
    the recording that each was cut from (-1: simulated)."""

    def __init__(self, x, label, fault, source):
        self.x, self.label = x.astype(np.float32), label
        self.fault, self.source = fault, source

    def __len__(self):
        return len(self.label)

    def take(self, which):
        return Windows(self.x[which], self.label[which], self.fault[which],
                       self.source[which])

    @staticmethod
    def join(parts):
        return Windows(*(np.concatenate([getattr(p, k) for p in parts])
                         for k in ("x", "label", "fault", "source")))


def _sliding(values, stride, first):
    view = np.lib.stride_tricks.sliding_window_view(values, rec.SAMPLES)
    return view[first::stride]


def natural(recordings, rng, draws, stride, gain=0.0, edges=False):
    """(Windows, quantum, left out): every stride-th window of each
    recording, at `draws` levels."""
    xs, means, quanta, sources = [], [], [], []
    for number, recording in enumerate(recordings):
        for _ in range(draws):
            trim = int(rng.integers(0, 3)) if edges else 1
            flow, quantum = rec.scaled(recording, rec.draw_level(rng), trim)
            if edges and rng.random() < 0.35:
                flow = flow[::-1]  # moves of a tap, the other way round
            first = int(rng.integers(0, min(stride, len(flow) - 9)))
            x = _sliding(flow, stride, first)
            unit = np.clip(rng.normal(1, gain), 0.9, 1.1) if gain else 1.0
            xs.append(x * unit)
            means.append(x.mean(1))
            quanta.append(np.full(len(x), quantum * unit))
            sources.append(np.full(len(x), number))
    return _labelled(xs, means, quanta, sources, edges)


def simulated(rng, loops, seconds, stride, edges=False):
    xs, means, quanta, sources = [], [], [], []
    for _ in range(loops):
        measured, true, quantum = rec.simulate(rng, seconds)
        x = _sliding(measured, stride, 0)
        xs.append(x)
        means.append(_sliding(true, stride, 0).mean(1))
        quanta.append(np.full(len(x), quantum))
        sources.append(np.full(len(x), -1))
    return _labelled(xs, means, quanta, sources, edges)


def _labelled(xs, means, quanta, sources, edges):
    x, mean = np.concatenate(xs), np.concatenate(means)
    keep = ~rec.near_edge(mean) | edges
    windows = Windows(x, rec.state_of(mean), np.full(len(x), "", "U12"),
                      np.concatenate(sources)).take(keep)
    return windows, np.concatenate(quanta)[keep], 1 - keep.mean()


def with_faults(windows, quantum, rng, count, names=faults.NAMES):
    """`count` windows drawn from those in a level class, one fault each."""
    usable = np.flatnonzero(windows.label != rec.ANOMALOUS)
    parts = []
    for i, name in enumerate(names):
        n = count * (i + 1) // len(names) - count * i // len(names)
        chosen = rng.choice(usable, n)
        onset, end = faults.visible(name, rng, rec.SAMPLES, n)
        x = faults.inject(name, rng, windows.x[chosen].astype(float), onset,
                          end, quantum[chosen])
        parts.append(Windows(x, np.full(n, rec.ANOMALOUS),
                             np.full(n, name, "U12"), windows.source[chosen]))
    return Windows.join(parts)
