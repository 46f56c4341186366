"""Commanded changes for the test: what people, valves, pumps and controllers do
to a flow, each written down for itself. Nothing of it is shared with moves.py,
which training uses; levels, times and shapes are drawn anew.

Each kind gives the course of the flow, in nominal flows, for every second from
60 s before the command to 90 s after it. None of it is a fault."""

import numpy as np

BEFORE, AFTER = 60, 90
FINE = 10  # steps in a second


def _time():
    return np.arange(-BEFORE * FINE, AFTER * FINE) / FINE


def _go(t, duration):
    """0 before, 1 after, straight between."""
    return np.minimum(np.maximum(t, 0) / duration, 1)


def turn_at_once(rng, t):
    return _go(t, rng.uniform(0.2, 1.0))


def turn_slowly(rng, t):
    return _go(t, rng.uniform(3, 20))


def turn_very_slowly(rng, t):
    return _go(t, rng.uniform(20, 60))


def settle_first_order(rng, t):
    tau = rng.uniform(0.5, 10)
    return np.where(t > 0, 1 - np.exp(-np.maximum(t, 0) / tau), 0)


def settle_second_order(rng, t):
    """Two lags in a row: it starts gently."""
    a, b = rng.uniform(0.5, 4), rng.uniform(4.5, 9)
    p = np.maximum(t, 0)
    return np.where(t > 0, 1 - (b * np.exp(-p / b) - a * np.exp(-p / a)) /
                    (b - a), 0)


def overshoot(rng, t):
    """A controller that goes too far once or twice, 5 to 30 %."""
    peak, period = rng.uniform(0.05, 0.30), rng.uniform(3, 20)
    log = np.log(peak)
    zeta = -log / np.sqrt(np.pi ** 2 + log ** 2)
    wd = 2 * np.pi / period
    wn = wd / np.sqrt(1 - zeta ** 2)
    p = np.maximum(t, 0)
    return np.where(t > 0, 1 - np.exp(-zeta * wn * p) * (
        np.cos(wd * p) + zeta * wn / wd * np.sin(wd * p)), 0)


def stairs_quick(rng, t):
    steps, hold = rng.integers(3, 7), rng.uniform(1.5, 5)
    return np.minimum(np.floor(np.maximum(t, -1) / hold + 1), steps) / steps


def stairs_slow(rng, t):
    steps, hold = rng.integers(2, 5), rng.uniform(8, 18)
    return np.minimum(np.floor(np.maximum(t, -1) / hold + 1), steps) / steps


def valve_equal_percentage(rng, t):
    opening = _go(t, rng.uniform(2, 30))
    ratio = rng.uniform(20, 50)
    return (ratio ** opening - 1) / (ratio - 1)


def valve_quick_opening(rng, t):
    return _go(t, rng.uniform(2, 30)) ** rng.uniform(0.3, 0.6)


def valve_that_sticks_first(rng, t):
    """Nothing for a while, then at once, then the rest."""
    share, pause = rng.uniform(0.3, 0.7), rng.uniform(1, 6)
    return share * _go(t, 0.5) + (1 - share) * _go(t - pause, rng.uniform(
        0.5, 8))


def hand_corrects(rng, t):
    """Too far, and after a few seconds back to what was wanted."""
    over, pause = rng.uniform(0.1, 0.5), rng.uniform(2, 10)
    return (1 + over) * _go(t, rng.uniform(0.5, 3)) - over * _go(
        t - pause - 3, rng.uniform(0.5, 3))


def there_and_back(rng, t):
    """A short draw: another tap opens and closes."""
    hold = rng.uniform(5, 30)
    return _go(t, rng.uniform(0.3, 2)) - _go(t - hold, rng.uniform(0.3, 2))


def two_commands(rng, t):
    share, pause = rng.uniform(-0.5, 1.5), rng.uniform(5, 40)
    return share * _go(t, rng.uniform(0.3, 5)) + (1 - share) * _go(
        t - pause, rng.uniform(0.3, 5))


def pump_speed(rng, t):
    """A drive that speeds up evenly against a load that grows by squares."""
    s = _go(t, rng.uniform(1, 15))
    return s * (1 + 0.5 * (1 - s)) / 1.0


def pump_stop_and_start(rng, t):
    """Off at 0, on again later: the level leaves the range for that time.
    The course is a factor of the level before."""
    off, down, up = rng.uniform(10, 40), rng.uniform(0.5, 4), rng.uniform(
        0.5, 6)
    return _go(t, down) - _go(t - off, up)


KINDS = (turn_at_once, turn_slowly, turn_very_slowly, settle_first_order,
         settle_second_order, overshoot, stairs_quick, stairs_slow,
         valve_equal_percentage, valve_quick_opening,
         valve_that_sticks_first, hand_corrects, there_and_back,
         two_commands, pump_speed, pump_stop_and_start)


def _levels(rng):
    """Where from and where to: at least 8 % apart, away from the ends."""
    while True:
        a, b = rng.uniform(0.45, 1.85, 2)
        if abs(a - b) > 0.08 * max(a, b):
            return a, b


def change(rng, kind):
    """(flow in nominal flows for every second, second of the command)."""
    t = _time() - rng.random()
    course = kind(rng, t)
    a, b = _levels(rng)
    if kind is pump_stop_and_start:
        b = 0.0
    level = np.maximum(a + (b - a) * course, 0)
    return level.reshape(-1, FINE).mean(1), BEFORE


def sensor(rng, level, pulses_per_litre=None):
    """What a pulse sensor counts of it, in L/min scaled to a nominal of 10;
    and the flow of one pulse."""
    nominal = np.exp(rng.uniform(np.log(3), np.log(25)))
    per_litre = pulses_per_litre or 450
    n = len(level)
    noise = np.zeros(n)
    memory, strength = rng.uniform(0, 0.5), rng.uniform(0.002, 0.012)
    for i in range(1, n):
        noise[i] = memory * noise[i - 1] + strength * rng.standard_normal()
    slow = rng.uniform(0, 0.015) * np.sin(
        np.arange(n) / rng.uniform(6, 40) + rng.uniform(0, 6))
    lag = rng.uniform(0.05, 0.5)
    rotor = np.empty(n)
    state = level[0]
    for i in range(n):
        state += (level[i] - state) * (1 - np.exp(-1 / lag))
        rotor[i] = state
    per_second = nominal / 60 * per_litre  # at the nominal flow
    pulses = np.maximum(rotor * (1 + noise + slow), 0) * per_second
    total = np.floor(np.cumsum(pulses) + rng.random())
    counted = np.diff(total, prepend=total[0] - round(pulses[0]))
    return counted * 10 / per_second, 10 / per_second
