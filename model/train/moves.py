"""Moves that somebody or something commanded: a tap, a valve, a set point, a
pump. For training; the test has another generator, operators.py, which shares
nothing with this one.

A move takes rows of flow, (n, seconds), from one level to another, in nominal
flows. None of it is a fault, whatever the shape, the time it takes and the two
levels."""

import numpy as np

SHAPES = ("ramp", "lag", "smooth", "overshoot", "stairs", "valve", "pulse")


def draw_level(rng, n, wild=0.1):
    """Mostly inside Low, Normal and High, now and then off or beyond."""
    level = rng.uniform(0.42, 1.95, n)
    out = rng.uniform(0.0, 3.0, n)
    return np.where(rng.random(n) < wild, out, level)


def _spread(rng, low, high, n):
    return np.exp(rng.uniform(np.log(low), np.log(high), n))[:, None]


def _ramp(rng, t, n):
    return np.clip(t / _spread(rng, 0.3, 60, n), 0, 1)


def _lag(rng, t, n):
    return 1 - np.exp(-np.maximum(t, 0) / _spread(rng, 0.3, 15, n))


def _smooth(rng, t, n):
    s = np.clip(t / _spread(rng, 1, 60, n), 0, 1)
    return s * s * (3 - 2 * s)


def _overshoot(rng, t, n):
    damping = rng.uniform(0.25, 0.9, n)[:, None]
    w = _spread(rng, 0.15, 2.0, n)
    t = np.maximum(t, 0)
    inner = np.sqrt(1 - damping ** 2)
    return 1 - np.exp(-damping * w * t) * (
        np.cos(w * inner * t) + damping / inner * np.sin(w * inner * t))


def _stairs(rng, t, n):
    steps = rng.integers(2, 8, n)[:, None]
    hold = _spread(rng, 1.5, 25, n)
    blur = _spread(rng, 0.3, 4, n)
    whole = np.floor(t / hold)
    within = np.clip((t - whole * hold) / np.minimum(blur, hold), 0, 1)
    return np.clip((whole + within) / steps, 0, 1)


def _valve(rng, t, n):
    """A valve that turns evenly, but whose flow does not."""
    s = np.clip(t / _spread(rng, 0.5, 60, n), 0, 1)
    equal = (30 ** s - 1) / 29
    quick = np.sqrt(s)
    return np.where((rng.random(n) < 0.5)[:, None], equal, quick)


def _pulse(rng, t, n):
    """There, and after a while back again."""
    hold = _spread(rng, 4, 50, n)
    takes = np.minimum(_spread(rng, 0.3, 10, n), hold)
    up = np.clip(t / takes, 0, 1)
    return up - np.clip((t - hold) / takes, 0, 1)


_DRAW = {"ramp": _ramp, "lag": _lag, "smooth": _smooth,
         "overshoot": _overshoot, "stairs": _stairs, "valve": _valve,
         "pulse": _pulse}


def profile(rng, n, seconds, onset):
    """How far each row has got, (n, seconds): 0 before, 1 in the end."""
    # The mean of what happens within a second is what a sensor counts.
    fine = (np.arange(seconds * 4) / 4 + 0.125)[None, :] - (
        onset + rng.random(n))[:, None]
    which = rng.integers(0, len(SHAPES), n)
    out = np.zeros((n, seconds * 4), np.float32)
    for i, name in enumerate(SHAPES):
        rows = np.flatnonzero(which == i)
        if len(rows):
            moved = _DRAW[name](rng, fine[rows], len(rows))
            out[rows] = np.where(fine[rows] > 0, moved, 0)
    return out.reshape(n, seconds, 4).mean(2)


def levels(rng, n, seconds, most=3):
    """(n, seconds) of nominal flow, with 0 to `most` moves in each row."""
    now = draw_level(rng, n)[:, None] * np.ones((1, seconds))
    for _ in range(most):
        onset = rng.integers(-20, seconds, n)
        target = draw_level(rng, n)[:, None]
        small = now[:, :1] * np.exp(rng.normal(0, 0.15, (n, 1)))
        target = np.where(rng.random((n, 1)) < 0.3, small, target)
        moves = rng.random((n, 1)) < 0.55
        share = np.where(moves, profile(rng, n, seconds, onset), 0)
        now = now + (target - now) * share
    return np.maximum(now, 0)
