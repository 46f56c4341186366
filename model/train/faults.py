"""Faults laid over normal flow.

Each fault works on rows of flow, (n, seconds), from the second `onset` of its
row to before `end`, both integers and possibly outside the row. The flow is
changed by a factor or by pulses added to it; then whole pulses are counted
again, so that a fault is as coarse as the recording it is laid on.

Two kinds. A STEP settles: a pipe that is half blocked is the same flow as a tap
that is half shut, and is judged by its level. A LASTING fault is seen as long
as it acts.
"""

import numpy as np

STEP = ("blockage", "burst", "zero", "clog")
LASTING = ("air", "slug", "cavitation", "hunting", "emi")
NAMES = STEP[:3] + LASTING + STEP[3:]
MINIMUM = 3  # seconds of the last ten that make a fault


def _column(values):
    return np.asarray(values)[:, None]


def _uniform(rng, low, high, n):
    return _column(rng.uniform(low, high, n))


def _approach(since, seconds, target):
    """Factor that goes from 1 to target within `seconds` of onset."""
    share = np.clip((since + 1) / np.maximum(seconds, 1e-9), 0, 1)
    return 1 + (target - 1) * share


def blockage(rng, since, n):
    """Loses 30-90 % of the flow within 3 s."""
    return _approach(since, _uniform(rng, 0.2, 3, n),
                     _uniform(rng, 0.1, 0.7, n))


def burst(rng, since, n):
    """Gains 30-200 % within 3 s."""
    return _approach(since, _uniform(rng, 0.2, 3, n),
                     _uniform(rng, 1.3, 3.0, n))


def zero(rng, since, n):
    """No flow, or no pulses, from one second to the next."""
    return _approach(since, _uniform(rng, 0.2, 1, n), np.zeros((n, 1)))


def clog(rng, since, n):
    """Falls steadily, 30-80 % within 8-25 s."""
    return _approach(since, _uniform(rng, 8, 25, n),
                     _uniform(rng, 0.2, 0.7, n))


def _hits(rng, shape):
    """Single seconds at gaps of 1 to 2, 3 or 4 s, the most drawn per row."""
    most = rng.integers(2, 5, shape[0])
    hit = np.zeros(shape, bool)
    wait = np.zeros(shape[0], int)
    for i in range(shape[1]):
        hit[:, i] = wait == 0
        wait = np.where(wait == 0, rng.integers(1, most + 1), wait) - 1
    return hit


def air(rng, since, n):
    """Bubbles: single seconds lose 30-100 %."""
    depth = rng.uniform(0.3, 1.0, since.shape)
    return np.where(_hits(rng, since.shape), 1 - depth, 1.0)


def slug(rng, since, n):
    """Plugs of gas and water in turn, 2-8 s."""
    period = _uniform(rng, 2, 8, n)
    phase = (since / period + _uniform(rng, 0, 1, n)) % 1.0
    low = _uniform(rng, 0.0, 0.6, n)
    high = _uniform(rng, 1.0, 1.35, n)
    wobble = 1 + 0.05 * rng.standard_normal(since.shape)
    return np.where(phase < _uniform(rng, 0.3, 0.7, n), low, high) * wobble


def cavitation(rng, since, n):
    """The mean goes down a little, the noise up to 6-30 %."""
    noise = rng.standard_normal(since.shape)
    memory = _uniform(rng, 0.0, 0.5, n)
    for i in range(1, since.shape[1]):
        noise[:, i] = (memory[:, 0] * noise[:, i - 1] +
                       np.sqrt(1 - memory[:, 0] ** 2) * noise[:, i])
    return (_uniform(rng, 0.7, 0.97, n) *
            np.maximum(1 + _uniform(rng, 0.06, 0.30, n) * noise, 0))


def hunting(rng, since, n):
    """A control loop swings 8-40 % at 0.06-0.4 Hz."""
    angle = since * _uniform(rng, 0.06, 0.4, n) + _uniform(rng, 0, 1, n)
    return 1 + _uniform(rng, 0.08, 0.40, n) * np.sin(2 * np.pi * angle)


def emi(rng, since, n):
    """Electrical noise counted as pulses: single seconds gain 25-300 %."""
    gain = rng.uniform(0.25, 3.0, since.shape)
    return np.where(_hits(rng, since.shape), 1 + gain, 1.0)


def _beats(rng, since, n):
    """1 or 2 s in every 2 to 7, more or less regularly; only for training."""
    period = rng.integers(2, 8, n)
    long = np.where(period > 3, rng.integers(1, 3, n), 1)
    loose = rng.random(n) < 0.5
    hit = np.zeros(since.shape, bool)
    wait = rng.integers(0, 3, n)
    for i in range(since.shape[1]):
        phase = (wait % period) < long
        hit[:, i] = phase
        wait = wait + np.where(loose & (rng.random(n) < 0.25), 2, 1)
    return hit


def bubbles(rng, since, n):
    """Air again, in other rhythms."""
    depth = _uniform(rng, 0.25, 1.0, n) * rng.uniform(0.7, 1.0, since.shape)
    return np.where(_beats(rng, since, n), 1 - depth, 1.0)


def interference(rng, since, n):
    """Electrical noise again, in other rhythms."""
    gain = _uniform(rng, 0.25, 3.0, n) * rng.uniform(0.6, 1.0, since.shape)
    return np.where(_beats(rng, since, n), 1 + gain, 1.0)


def other(rng, since, n):
    """What nobody has named, only for training: random factors, each held
    for 1-5 s, more or less like the one before, half of them gliding from
    one to the next."""
    return _random_steps(rng, since, n)


def _random_steps(rng, since, n):
    seconds = since.shape[1]
    hold = rng.integers(1, 6, n)
    memory = rng.uniform(0, 0.9, n)
    spread = rng.uniform(0.08, 0.7, n)
    state = rng.standard_normal(n)
    wait = hold.copy()
    log = np.empty((n, seconds))
    for i in range(seconds):
        started = since[:, i] >= 0
        change = started & (wait == 0)
        fresh = memory * state + np.sqrt(1 - memory ** 2) * (
            rng.standard_normal(n))
        state = np.where(change, fresh, state)
        wait = np.where(change, hold, wait) - started
        log[:, i] = state * spread
    width = np.minimum(hold, 6)
    total = np.cumsum(np.pad(log, ((0, 0), (7, 0))), 1)
    at = np.arange(7, seconds + 7)[None, :]
    mean = (np.take_along_axis(total, np.repeat(at, n, 0), 1) -
            np.take_along_axis(total, at - _column(width), 1)) / _column(width)
    log = np.where(_column(rng.random(n) < 0.5), mean, log)
    return np.exp(np.clip(log, -3, 1.3))


FUNCTIONS = {f.__name__: f for f in (blockage, burst, zero, clog, air, slug,
                                     cavitation, hunting, emi, other, bubbles,
                                     interference)}


def inject(name, rng, flow, onset, end, quantum):
    """A copy of `flow` (n, seconds) with the fault in it: one of FUNCTIONS, or
    another of that form.

    onset, end: (n,) integers; quantum: (n,) flow per pulse."""
    n, seconds = flow.shape
    since = np.arange(seconds)[None, :] - _column(onset)
    function = FUNCTIONS[name] if isinstance(name, str) else name
    factor = function(rng, since.astype(float), n)
    active = (since >= 0) & (np.arange(seconds)[None, :] < _column(end))
    changed = np.maximum(flow * factor, 0) / _column(quantum)
    pulses = np.floor(changed + rng.random((n, seconds)))
    return np.where(active, pulses * _column(quantum), flow)

