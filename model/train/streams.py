"""Streams of windows, one a second, as an agent sees them.

An alarm is raised while `need` of the last `of` windows have an Anomalous
score above the threshold. On flow without faults each rise is a false alarm;
on flow with a fault the delay counts from the fault's first second.
"""

import numpy as np

import faults
import recordings as rec

THRESHOLD, NEED, OF = 0.9, 3, 5
SETTLE = 15  # seconds: a window and the debounce behind it
MOVE = 0.15  # a move of the tap changes the level by this share
FAULT_SECONDS = 30


def windows_of(flow):
    return np.lib.stride_tricks.sliding_window_view(flow, rec.SAMPLES)


def alarms(scores):
    """For each window, whether the debounced alarm stands."""
    over = (scores > THRESHOLD).astype(int)
    votes = np.convolve(over, np.ones(OF, int))[:len(over)]
    return votes >= NEED


def steady(flow):
    """For each second: in range, and no move of the tap in the last SETTLE
    seconds. A move is a change of the 5 s median by MOVE or more."""
    n = len(flow)
    padded = np.pad(flow, 2, mode="edge")
    median = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), 1)
    moved = np.ones(n, bool)  # the ends: the tap is opened and closed there
    before, after = median[:-5], median[5:]
    change = np.abs(after - before) > MOVE * np.maximum(after, before)
    moved[5:-5] = np.convolve(change, np.ones(6, bool))[5:n - 5 - 5 + 5] > 0
    recent = np.convolve(moved, np.ones(SETTLE, int))[:n] > 0
    in_range = (median >= rec.EDGES[0] * 1.08) & (median <= rec.EDGES[3] * .92)
    return in_range & ~recent


def levels_for_streams(rng, count):
    """Away from the edges of the whole range; the inner ones do not matter."""
    return rng.uniform(0.45, 1.8, count)


class Streams:
    """Every recording of a minute or more, once without a fault and once
    with one, laid at a drawn level."""

    def __init__(self, recordings, rng):
        self.normal, self.faulty = [], []
        self.windows = []
        long = [(i, r) for i, r in enumerate(recordings)
                if len(r.pulses) >= 60]
        order = rng.permutation(len(faults.NAMES) * len(long))
        for j, (i, recording) in enumerate(long):
            level = levels_for_streams(rng, 1)[0]
            flow, quantum = rec.scaled(recording, level)
            calm = steady(flow)
            self.normal.append((i, self._add(flow), calm))
            name = faults.NAMES[order[j] % len(faults.NAMES)]
            places = np.flatnonzero(calm[:len(flow) - FAULT_SECONDS])
            if not len(places):
                continue
            onset = int(rng.choice(places))
            changed = faults.inject(name, rng, flow[None, :], [onset],
                                    [onset + FAULT_SECONDS],
                                    np.array([quantum]))[0]
            self.faulty.append((i, self._add(changed), onset, name))
        self.x = np.concatenate(self.windows).astype(np.float32)

    def _add(self, flow):
        start = sum(len(w) for w in self.windows)
        self.windows.append(windows_of(flow))
        return slice(start, start + len(self.windows[-1]))

    def judge(self, anomalous):
        """anomalous: the score of every window of self.x. Returns a dict."""
        rises = seconds = all_rises = all_seconds = 0
        for _, part, calm in self.normal:
            up = alarms(anomalous[part])
            rise = up & ~np.concatenate([[False], up[:-1]])
            here = calm[rec.SAMPLES - 1:]
            rises += (rise & here).sum()
            seconds += here.sum()
            all_rises += rise.sum()
            all_seconds += len(here)
        delays, missed = [], {}
        for _, part, onset, name in self.faulty:
            up = alarms(anomalous[part])
            first = onset - (rec.SAMPLES - 1)
            ends = np.flatnonzero(up[max(first, 0):first + FAULT_SECONDS])
            if len(ends):
                delays.append(ends[0] + 1)
            else:
                missed[name] = missed.get(name, 0) + 1
        total = len(self.faulty)
        return {
            "false_per_hour": rises * 3600 / max(seconds, 1),
            "steady_hours": seconds / 3600,
            "false_per_hour_any": all_rises * 3600 / max(all_seconds, 1),
            "hours": all_seconds / 3600,
            "detected": len(delays) / max(total, 1), "faults": total,
            "delay_median": float(np.median(delays)) if delays else np.nan,
            "delay_p90": float(np.percentile(delays, 90)) if delays else np.nan,
            "missed": missed}
