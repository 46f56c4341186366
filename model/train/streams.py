"""Streams of flow, one sample a second, as an agent sees them; and what is
said of them counted.

Three kinds: uses as they were recorded, the same with a fault of 30 s laid
over them, and commanded moves of a simulated loop. A rise of the alarm is
truly false when there is no fault and the true level has been inside Low to
High, and not near the ends of that, for LATELY seconds: beyond them the alarm
is right, and near them nobody can say."""

import numpy as np

import faults
import recordings as rec
import rows as R

SETTLE = 15  # seconds: a window of ten and the debounce behind it
MOVE = 0.15  # a move of the tap changes the level by this share
FAULT_SECONDS = 30
LATELY = 6
NEAR = 0.08  # of an edge
SHORTEST = 60  # seconds of a use


def median_of_five(flow):
    padded = np.pad(flow, 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), 1)


def inside(level, near=NEAR):
    low, high = rec.EDGES[0] * (1 + near), rec.EDGES[3] * (1 - near)
    return (level >= low) & (level <= high)


def steady(flow):
    """For each second: inside, and no move of the tap in the last SETTLE
    seconds. A move is a change of the 5 s median by MOVE or more."""
    n = len(flow)
    median = median_of_five(flow)
    moved = np.ones(n, bool)  # the ends: the tap is opened and closed there
    before, after = median[:-5], median[5:]
    change = np.abs(after - before) > MOVE * np.maximum(after, before)
    moved[5:-5] = np.convolve(change, np.ones(6, bool))[5:n - 10 + 5] > 0
    recent = np.convolve(moved, np.ones(SETTLE, int))[:n] > 0
    return inside(median) & ~recent


class Stream:
    def __init__(self, kind, flow, level, **more):
        self.kind, self.flow, self.level = kind, flow, level
        self.name = more.get("name", "")  # of the fault
        self.onset, self.end = more.get("onset", 0), more.get("end", 0)
        self.calm = more.get("calm")
        self.source = more.get("source", -1)

    def good(self, near=NEAR):
        """For each second: an alarm that rises now is truly false."""
        out = ~inside(self.level, near)
        return np.convolve(out, np.ones(LATELY + 1, int))[:len(out)] == 0


def uses(recordings, rng, draws=1):
    """Each long recording at a drawn level, without and with a fault."""
    found, number = [], int(rng.integers(0, 100))
    for _ in range(draws):
        for i, recording in enumerate(recordings):
            if len(recording.pulses) < SHORTEST:
                continue
            flow, quantum = rec.scaled(recording, rng.uniform(0.45, 1.8))
            calm, level = steady(flow), median_of_five(flow)
            found.append(Stream("use", flow, level, calm=calm, source=i))
            places = np.flatnonzero(calm[:len(flow) - FAULT_SECONDS])
            if not len(places):
                continue
            name = faults.LASTING[number % len(faults.LASTING)]
            number += 1
            onset = int(rng.choice(places))
            end = onset + FAULT_SECONDS
            x = faults.inject(name, rng, flow[None, :], [onset], [end],
                              np.array([quantum]))[0]
            found.append(Stream("fault", x, level, name=name, onset=onset,
                                end=end, source=i))
    return found


def out_of_range(recordings, rng, n):
    """Steps that settle beyond Low to High: they last, too."""
    found = []
    calm = uses(recordings, rng)
    calm = [s for s in calm if s.kind == "use" and
            s.calm[:-FAULT_SECONDS].any()]
    for i in rng.integers(0, len(calm), n):
        s = calm[i]
        places = np.flatnonzero(s.calm[:-FAULT_SECONDS])
        onset = int(rng.choice(places))
        now = float(s.level[onset])
        name = ("zero", "blockage", "burst")[int(rng.integers(3))]
        goal = {"zero": 0.0, "blockage": rng.uniform(0.3, 3.5),
                "burst": rng.uniform(22, 40)}[name]
        share = np.clip((np.arange(len(s.flow)) - onset + 1) /
                        rng.uniform(0.3, 3), 0, 1)
        flow = s.flow * (1 + (goal / now - 1) * share)
        found.append(Stream("fault", flow, s.level, name=name, onset=onset,
                            end=onset + FAULT_SECONDS, source=s.source))
    return found


def with_fault(recordings, rng, name, function, n, seconds=60):
    """Uses with a fault of another kind, to the end of the use."""
    found = []
    calm = [s for s in uses(recordings, rng) if s.kind == "use" and
            s.calm[:-FAULT_SECONDS].any()]
    for i in rng.integers(0, len(calm), n):
        s = calm[i]
        onset = int(rng.choice(np.flatnonzero(s.calm[:-FAULT_SECONDS])))
        end = min(onset + seconds, len(s.flow))
        steps = np.diff(np.unique(s.flow))
        quantum = steps[steps > 1e-6].min() if len(steps) else 0.1
        flow = faults.inject(function, rng, s.flow[None, :], [onset], [end],
                             np.array([quantum]))[0]
        found.append(Stream("fault", flow, s.level, name=name, onset=onset,
                            end=end, source=s.source))
    return found


def moves(rng, n):
    rows = R.simulated(rng, n)
    first = np.isnan(rows.flow).sum(1)
    return [Stream("move", rows.flow[i, k:], rows.true[i, k:])
            for i, k in enumerate(first)]


def windows(streams):
    """The windows of all streams, and the slice of each stream."""
    parts, slices, at = [], [], 0
    for s in streams:
        end = np.arange(9, len(s.flow))
        parts.append(R.windows(s.flow[None, :], np.zeros(len(end), int), end))
        slices.append(slice(at, at + len(end)))
        at += len(end)
    return np.concatenate(parts), slices


def rises(up):
    return up & ~np.concatenate([[False], up[:-1]])


def guess_alarms(flow, fault, threshold=0.6, need=3, of=5):
    """A verdict in short, for choices in training: like the agent's, from the
    score of faults and the level of three seconds. One value for each second
    from the tenth on."""
    level = np.convolve(flow, np.ones(3) / 3)[9:len(flow)]
    over = (fault > threshold) | (level < rec.EDGES[0]) | (level > rec.EDGES[3])
    return np.convolve(over.astype(int), np.ones(of, int))[:len(over)] >= need


class Count:
    """What was said of streams. states: for each stream, the label of each
    second from the tenth on (-1: uncertain), or just true and false: whether
    the alarm stands."""

    def __init__(self, streams, states, near=NEAR):
        self.near = near
        self.rises = {"steady": 0, "use": 0, "move": 0}
        self.seconds, self.changes = dict(self.rises), dict(self.rises)
        self.streams = {"use": 0, "move": 0}
        self.delays, self.faults, self.missed = [], {}, {}
        self.found = {}  # delays, by the name of the fault
        self.later = []  # (stream, seconds from onset to the alarm or None)
        for s, state in zip(streams, states):
            up = state if state.dtype == bool else state == rec.ANOMALOUS
            if s.kind == "fault":
                self._fault(s, up)
            else:
                self._clean(s, up, state)

    def _clean(self, s, up, state):
        false = rises(up) & s.good(self.near)[9:]
        change = np.concatenate([[False], state[1:] != state[:-1]])
        self.streams[s.kind] += 1
        self._add(s.kind, false, change, np.ones(len(up), bool))
        if s.calm is not None:
            self._add("steady", false, change, s.calm[9:])

    def _add(self, kind, false, change, where):
        self.rises[kind] += int((false & where).sum())
        self.changes[kind] += int((change & where).sum())
        self.seconds[kind] += int(where.sum())

    def _fault(self, s, up):
        self.faults[s.name] = self.faults.get(s.name, 0) + 1
        first = max(s.onset - 9, 0)
        found = np.flatnonzero(up[first:s.end - 9])
        if len(found):
            delay = int(found[0]) + 1
            self.delays.append(delay)
            self.found.setdefault(s.name, []).append(delay)
            self.later.append((s, delay))
        else:
            self.missed[s.name] = self.missed.get(s.name, 0) + 1
            self.later.append((s, None))

    def per_hour(self, kind, what="rises"):
        return getattr(self, what)[kind] * 3600 / max(self.seconds[kind], 1)

    def detected(self):
        return len(self.delays) / max(sum(self.faults.values()), 1)

    def delay(self, percent):
        if not self.delays:
            return np.nan
        return float(np.percentile(self.delays, percent))
