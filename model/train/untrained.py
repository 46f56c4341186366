"""Fault kinds that no training has: only the test knows them. Same form as in
faults.py."""

import numpy as np

from faults import _column, _uniform


def slow_clogging(rng, since, n):
    """20-50 % in 60 to 200 s: hardly anything in ten of them."""
    share = np.clip((since + 1) / _uniform(rng, 60, 200, n), 0, 1)
    return 1 - _uniform(rng, 0.2, 0.5, n) * share


def mild_noise(rng, since, n):
    """3-6 % of noise where there was less."""
    return 1 + _uniform(rng, 0.03, 0.06, n) * rng.standard_normal(since.shape)


def stick_slip(rng, since, n):
    """A valve or rotor that creeps and jumps: a saw of 15-50 %."""
    period = _uniform(rng, 4, 15, n)
    phase = (since / period + _uniform(rng, 0, 1, n)) % 1.0
    up = np.where(_column(rng.random(n) < 0.5), phase, 1 - phase)
    return 1 + _uniform(rng, 0.15, 0.5, n) * (up - 0.5)


def valve_ring(rng, since, n):
    """Struck again and again: each time it rings out."""
    every, period = _uniform(rng, 8, 20, n), _uniform(rng, 2, 5, n)
    t = since % every
    return 1 + _uniform(rng, 0.2, 0.6, n) * np.exp(-t / 4) * np.sin(
        2 * np.pi * t / period)


def half_pulses(rng, since, n):
    """A magnet is lost: half the pulses, now and then all of them."""
    return np.where(rng.random(since.shape) < 0.7, 0.5, 1.0)


def doubled_pulses(rng, since, n):
    """Contact bounce: in some seconds each pulse counts twice."""
    return np.where(rng.random(since.shape) < 0.3, 2.0, 1.0)


def spikes(rng, since, n):
    """A single second of 3 to 10 times the flow, every 5-12 s."""
    hit = rng.random(since.shape) < 1 / _uniform(rng, 5, 12, n)
    return np.where(hit, _uniform(rng, 3, 10, n), 1.0)


FUNCTIONS = {f.__name__: f for f in (
    slow_clogging, mild_noise, stick_slip, valve_ring, half_pulses,
    doubled_pulses, spikes)}
NAMES = tuple(FUNCTIONS)
