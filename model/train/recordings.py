"""Recordings of normal flow, and a simulated YF-S201 beside them.

A recording is a household run of water: pulses per second, one tap from open
to closed, with every move of the tap in it. None of it is a fault.

Nothing here says what the nominal flow of such a loop would be, so one is
chosen: the middle of the recording (its median) is laid at a level drawn
anew for every use, anywhere from a trickle to three times the nominal. What
is learned is then the shape of flow and its level relative to the nominal,
not the fixtures. All flows below are in L/min scaled to a nominal of 10.
"""

import csv
import gzip
import os

import numpy as np

NOMINAL = 10.0
SAMPLES = 10
EDGES = (4.0, 7.5, 12.5, 20.0)  # of Low, Normal and High
LABELS = ("Anomalous", "High", "Low", "Normal")
ANOMALOUS, HIGH, LOW, NORMAL = range(4)
FILE = "weusedto_pulses.csv.gz"

# Where a recording's median is laid, relative to nominal: (low, high, share).
LEVELS = ((0.05, 0.40, 0.05), (0.40, 0.75, 0.30), (0.75, 1.25, 0.30),
          (1.25, 2.00, 0.30), (2.00, 3.00, 0.05))


class Recording:
    def __init__(self, name, fixture, pulses):
        self.name, self.fixture, self.pulses = name, fixture, pulses
        self.median = float(np.median(pulses))


def load(paths, split):
    """The recordings of one split, in the order of the files."""
    found = []
    for path in paths:
        if os.path.isdir(path):
            path = os.path.join(path, FILE)
        opener = gzip.open if path.endswith(".gz") else open
        with opener(path, "rt", newline="") as text:
            for row in csv.DictReader(text):
                pulses = np.array(row["pulses_per_s"].split(), float)
                # No median, no level to lay: the tap was hardly open.
                if (row["split"] != split or len(pulses) < SAMPLES + 4 or
                        np.median(pulses) < 4):
                    continue
                found.append(Recording(
                    "%s-%s" % (row["fixture"], row["epoch_start"]),
                    row["fixture"], pulses))
    if not found:
        raise SystemExit("no %r recordings in %s" % (split, ", ".join(paths)))
    return found


def draw_level(rng, size=None):
    """Levels relative to nominal, by the shares of LEVELS."""
    shares = np.array([x[2] for x in LEVELS])
    which = rng.choice(len(LEVELS), size, p=shares)
    low = np.array([x[0] for x in LEVELS])[which]
    high = np.array([x[1] for x in LEVELS])[which]
    return rng.uniform(low, high)


def scaled(recording, level, trim=1):
    """(flow, quantum): the recording with its median at this level, and
    the flow that one pulse stands for.

    trim: seconds left out at both ends. The first and the last second of a
    run are whole seconds of counting but not of flow."""
    quantum = level * NOMINAL / recording.median
    return recording.pulses[trim:len(recording.pulses) - trim] * quantum, quantum


def simulate(rng, seconds, moves=True):
    """(measured, true, quantum) of a simulated loop, as `seconds` samples.

    The set point stays for a while and is then moved, as by a person;
    process noise, pressure drift, rotor lag, the unit's gain and the
    counting of whole pulses in one-second gates are added."""
    nominal_lpm = rng.uniform(3.0, 25.0)
    level = np.empty(seconds)
    at, current = 0, draw_level(rng)
    while at < seconds:
        hold = int(rng.exponential(90)) + 20 if moves else seconds
        level[at:at + hold] = current
        target = draw_level(rng)
        ramp = min(int(rng.integers(1, 5)), max(seconds - at - hold, 0))
        if ramp:
            level[at + hold:at + hold + ramp] = np.linspace(
                current, target, ramp + 2)[1:-1]
        at += hold + ramp
        current = target
    t = np.arange(seconds)
    drift = 1 + rng.uniform(0.003, 0.02) * np.sin(
        2 * np.pi * (t / rng.uniform(20, 200) + rng.random()))
    noise = smooth(rng, seconds, 0.3) * rng.uniform(0.002, 0.01)
    true = level * drift * (1 + noise) * NOMINAL
    lag = np.exp(-1 / rng.uniform(0.05, 0.3))
    rotor = np.empty(seconds)
    state = true[0]
    for i in range(seconds):
        state = lag * state + (1 - lag) * true[i]
        rotor[i] = state
    lpm = rotor / NOMINAL * nominal_lpm
    lpm[lpm < 0.25] = 0.0
    gain = np.clip(rng.normal(1, 0.02), 0.9, 1.1)
    total = np.cumsum(lpm * 7.5 * gain) + rng.random()
    pulses = np.diff(np.floor(total), prepend=np.floor(total[0] - lpm[0] * 7.5))
    quantum = NOMINAL / nominal_lpm / 7.5
    return np.maximum(pulses, 0) * quantum, true, quantum


def smooth(rng, count, memory):
    """Noise of unit variance that remembers the share `memory`."""
    white = rng.standard_normal(count)
    out = np.empty(count)
    state = white[0]
    for i in range(count):
        state = memory * state + np.sqrt(1 - memory ** 2) * white[i]
        out[i] = state
    return out


def state_of(mean):
    """The class of a mean flow without a fault."""
    mean = np.asarray(mean)
    state = np.full(mean.shape, ANOMALOUS)
    state[(mean >= EDGES[0]) & (mean < EDGES[1])] = LOW
    state[(mean >= EDGES[1]) & (mean < EDGES[2])] = NORMAL
    state[(mean >= EDGES[2]) & (mean <= EDGES[3])] = HIGH
    return state


def near_edge(mean, margin=0.08):
    """Too close to a band's edge to be scored."""
    ratio = np.asarray(mean)[..., None] / np.array(EDGES)
    return (np.abs(ratio - 1) < margin).any(-1)
