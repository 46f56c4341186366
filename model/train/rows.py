"""Rows of flow with the truth of each second, and the windows cut from them.

A row is `SECONDS` long; where a recording is shorter, its first seconds do not
exist (NaN), which is how a window with a short history comes about. The truth:
the level of the flow without faults and without the sensor's errors, and what
fault acts, if any. Flow is in L/min scaled to a nominal of 10."""

import numpy as np

import faults
import moves
import recordings as rec

SECONDS = 100
HISTORY = 60
# What a window is trained to be. A step that settles is what it settles at.
CLEAN, AIR, CAVITATION, HUNTING, EMI, OTHER = range(6)
KINDS = ("clean", "air", "cavitation", "hunting", "emi", "other")
KIND_OF = {"air": AIR, "slug": AIR, "cavitation": CAVITATION,
           "hunting": HUNTING, "emi": EMI, "other": OTHER, "bubbles": AIR,
           "interference": EMI}


# Seconds of the last ten in which a fault has to act before a window is one: a
# held step, or the first quarter of a slow swing, is nothing yet.
SEEN_AFTER = np.array([0, 3, 3, 4, 3, 7])


class Rows:
    """flow, true, fault: (n, seconds); quantum: (n,); source: (n,), the
    number of the recording or -1."""

    def __init__(self, flow, true, quantum, source, fault=None, name=None):
        self.flow, self.true, self.quantum = flow, true, quantum
        self.source = source
        self.name = (np.full(len(flow), "", "U12") if name is None else name)
        self.fault = (np.zeros(flow.shape, np.int8) if fault is None
                      else fault)

    def __len__(self):
        return len(self.flow)

    def take(self, which):
        return Rows(self.flow[which], self.true[which], self.quantum[which],
                    self.source[which], self.fault[which], self.name[which])

    @staticmethod
    def join(parts):
        return Rows(*(np.concatenate([getattr(p, k) for p in parts]) for k in
                      ("flow", "true", "quantum", "source", "fault", "name")))


def count(rng, flow, quantum):
    """Whole pulses again, with what is left over carried on."""
    pulses = np.nan_to_num(flow) / quantum[:, None]
    total = np.cumsum(pulses, 1) + rng.random((len(flow), 1))
    counted = np.diff(np.floor(total), axis=1, prepend=np.floor(
        total[:, :1] - pulses[:, :1]))
    return np.where(np.isnan(flow), np.nan, counted * quantum[:, None])


def smooth(rng, n, seconds, memory):
    white = rng.standard_normal((n, seconds))
    for i in range(1, seconds):
        white[:, i] = memory * white[:, i - 1] + np.sqrt(
            1 - memory ** 2) * white[:, i]
    return white


def running_mean(flow, width):
    """Of the newest `width` samples; of those there are."""
    ok = ~np.isnan(flow)
    total = np.cumsum(np.pad(np.nan_to_num(flow), ((0, 0), (width, 0))), 1)
    number = np.cumsum(np.pad(ok, ((0, 0), (width, 0))), 1)
    return ((total[:, width:] - total[:, :-width]) /
            np.maximum(number[:, width:] - number[:, :-width], 1))


def centred(flow):
    """The level behind the counting noise of a recording."""
    ahead = np.roll(flow, -1, 1)
    ahead[:, -1] = flow[:, -1]
    both = np.stack([np.roll(flow, 1, 1), flow, ahead])
    both[0, :, 0] = flow[:, 0]
    return np.where(np.isnan(flow), np.nan, np.nanmean(
        np.where(np.isnan(both), np.nan_to_num(flow)[None], both), 0))


def recorded(recordings, rng, n, seconds=SECONDS, edges=True):
    """n rows cut from recordings, each laid at a level drawn for it."""
    weight = np.array([min(len(r.pulses), 300) for r in recordings], float)
    which = rng.choice(len(recordings), n, p=weight / weight.sum())
    flow = np.full((n, seconds), np.nan)
    quantum = np.empty(n)
    for i, number in enumerate(which):
        r = recordings[number]
        trim = int(rng.integers(0, 3)) if edges else 1
        x, quantum[i] = rec.scaled(r, rec.draw_level(rng), trim)
        if edges and rng.random() < 0.35:
            x = x[::-1]  # moves of a tap, the other way round
        length = min(len(x), seconds)
        first = int(rng.integers(0, len(x) - length + 1))
        if rng.random() < 0.3:
            first = 0
        flow[i, seconds - length:] = x[first:first + length]
    return Rows(flow, centred(flow), quantum, which)


def coarser(rows, rng, share):
    """Some of the rows as a sensor with fewer pulses would count them."""
    less = np.where(rng.random(len(rows)) < share,
                    np.exp(rng.uniform(0, np.log(8), len(rows))), 1.0)
    q = rows.quantum * less
    flow = np.where((less > 1)[:, None], count(rng, rows.flow, q), rows.flow)
    return Rows(flow, rows.true, q, rows.source, rows.fault)


def moved(rows, rng):
    """Commanded moves laid over the rows."""
    n, seconds = rows.flow.shape
    factor = np.ones((n, seconds))
    base = np.nanmedian(rows.true, 1)
    for _ in range(2):
        onset = rng.integers(0, seconds, n)
        goal = moves.draw_level(rng, n) * rec.NOMINAL / np.maximum(base, 0.5)
        share = moves.profile(rng, n, seconds, onset)
        share *= rng.random((n, 1)) < 0.7
        factor += (goal[:, None] - factor) * share
    factor = np.maximum(factor, 0)
    return Rows(count(rng, rows.flow * factor, rows.quantum),
                rows.true * factor, rows.quantum, rows.source, rows.fault)


def touched(rows, rng, share):
    """Once in some of the rows something short, of 1 to 3 s, that is no
    alarm: a tap that is shaken, a cough of air. Half of them come with a
    move."""
    n, seconds = rows.flow.shape
    t = np.arange(seconds)[None, :]
    since = t - rng.integers(0, seconds, (n, 1))
    short = (since >= 0) & (since < rng.integers(1, 4, (n, 1)))
    down = rng.random((n, 1)) < 0.6
    depth = np.where(down, rng.uniform(0, 0.85, (n, seconds)),
                     rng.uniform(1.15, 2.5, (n, seconds)))
    goal = np.where(rng.random((n, 1)) < 0.5, 1,
                    np.exp(rng.normal(0, 0.3, (n, 1))))
    after = 1 + (goal - 1) * np.clip(since / rng.uniform(0.5, 5, (n, 1)), 0, 1)
    chosen = rng.random(n) < share
    factor = np.where(chosen[:, None], np.where(short, depth, 1) * after, 1)
    flow = np.where(chosen[:, None], count(rng, rows.flow * factor,
                                           rows.quantum), rows.flow)
    return Rows(flow, rows.true * np.where(chosen[:, None], after, 1),
                rows.quantum, rows.source, rows.fault)


def simulated(rng, n, seconds=SECONDS):
    """Loops with moves, seen through sensors of 12 to 6 000 pulses/L."""
    true = moves.levels(rng, n, seconds) * rec.NOMINAL
    rough = np.where(rng.random(n) < 0.25, rng.uniform(0.02, 0.055, n),
                     np.exp(rng.uniform(np.log(0.002), np.log(0.02), n)))
    noise = smooth(rng, n, seconds, rng.uniform(0, 0.6)) * rough[:, None]
    t = np.arange(seconds)[None, :]
    drift = rng.uniform(0.0, 0.02, (n, 1)) * np.sin(2 * np.pi * (
        t / rng.uniform(20, 200, (n, 1)) + rng.random((n, 1))))
    # The newest second alone, for rotors that follow at once; more for slow.
    lag = np.exp(-1 / rng.uniform(0.05, 0.3, (n, 1)))
    flow = np.maximum(true * (1 + noise + drift), 0)
    for i in range(1, seconds):
        flow[:, i] = lag[:, 0] * flow[:, i - 1] + (1 - lag[:, 0]) * flow[:, i]
    per_second = np.where(rng.random(n) < 0.5, rng.uniform(20, 190, n),
                          np.exp(rng.uniform(np.log(2), np.log(2000), n)))
    quantum = rec.NOMINAL / per_second
    gain = np.clip(rng.normal(1, 0.02, (n, 1)), 0.9, 1.1)
    flow[flow * per_second[:, None] < 0.2 * quantum[:, None]] = 0
    flow = count(rng, flow * gain, quantum)
    # Readings that are no whole multiples: a gate that is never quite 1 s.
    uneven = (rng.random((n, 1)) < 0.15) * rng.uniform(0, 0.01, (n, 1))
    flow *= 1 + uneven * rng.standard_normal((n, seconds))
    start = np.where(rng.random(n) < 0.3, rng.integers(0, seconds - 12, n), 0)
    flow[t < start[:, None]] = np.nan
    return Rows(flow, true, quantum, np.full(n, -1))


def faulty(rows, rng, name, least=12):
    """The fault from a moment drawn for each row, to the end or for a while.
    Faults that settle are no fault of a second; their level is the truth."""
    n, seconds = rows.flow.shape
    first = np.isnan(rows.flow).sum(1)
    onset = rng.integers(np.minimum(first - 10, seconds - least), seconds - 3)
    end = np.where(rng.random(n) < 0.25,
                   onset + rng.integers(5, 40, n), seconds)
    flow = faults.inject(name, rng, rows.flow, onset, end, rows.quantum)
    t = np.arange(seconds)[None, :]
    active = (t >= onset[:, None]) & (t < end[:, None])
    fault, true = rows.fault.copy(), rows.true
    if name in faults.STEP:
        true = np.where(active, centred(flow), true)
    else:
        fault[active] = KIND_OF[name]
    return Rows(flow, true, rows.quantum, rows.source, fault,
                np.full(n, name, "U12"))


def truth(rows):
    """(kind, weight) of the window that ends at each second."""
    active = rows.fault > 0
    ten = running_mean(active.astype(float), 10) * 10
    two = running_mean(active.astype(float), 2) > 0
    five = running_mean(active.astype(float), 5) > 0
    acting = rows.fault.max(1)[:, None]
    on = (ten > SEEN_AFTER[acting] - 0.5) & two & (acting > 0)
    kind = np.where(on, acting, CLEAN)
    weight = np.ones(kind.shape, np.float32)
    weight[(ten > 0) & ~on] = 0
    weight[(ten > 0) & ~on & ~five] = 0.5  # over for five seconds
    level = running_mean(rows.true, 3)
    out = ~on & ((level < rec.EDGES[0]) | (level > rec.EDGES[3]))
    weight[out] *= 0.3  # the level says it
    return kind, weight


def windows(flow, row, end):
    """The last minute before (and with) each second `end` of each `row`."""
    padded = np.pad(flow, ((0, 0), (HISTORY, 0)), constant_values=np.nan)
    at = end[:, None] + np.arange(1, HISTORY + 1)[None, :]
    return padded[row[:, None], at].astype(np.float32)


def draw_ends(rows, rng, each):
    """(row, end): seconds with ten samples or more behind them, most of them
    soon after a change, because that is where it is hard."""
    n, seconds = rows.flow.shape
    first = np.isnan(rows.flow).sum(1) + 9
    base = running_mean(rows.flow, 10) + 0.05 * rec.NOMINAL
    change = np.abs(np.diff(np.nan_to_num(rows.flow), axis=1, prepend=0))
    recent = running_mean((change > 0.08 * base).astype(float), 12) > 0
    chance = np.where(np.arange(seconds)[None, :] >= first[:, None],
                      0.25 + recent, 0)
    total = np.cumsum(chance, 1)
    at = rng.random((n, each, 1)) * total[:, None, -1:]
    end = (total[:, None, :] <= at).sum(2).reshape(-1)
    row = np.repeat(np.arange(n), each)
    keep = (end < seconds) & (total[row, -1] > 0)
    return row[keep], end[keep]
