"""Recordings of one's own loop, as the agent writes them.

    flow-flow_rate-2026-01-31      a file of collectd's csv plugin, as it is
    air.flow-flow_rate-2026-01-31  the same; all of it is air (by its name)
    notes.csv                      from,to,label: what an operator wrote down
    <label>.<source>.<time>.weir.json   a window that CaptureDir kept

A csv file has a line of titles and then `epoch,value`, in L/min; a third
column, where there is one, is the label of that second. Times in notes are
epoch seconds or `2026-01-31 14:05:00` (local time). Labels: air, cavitation,
hunting, noise (electrical); Anomalous for any other fault; everything else,
as Normal, Low, High or no label at all, is flow without a fault. A fault of
which only the hour is known is better left out than put in with a guess."""

import csv
import datetime
import glob
import json
import math
import os

import numpy as np

import recordings as rec
import rows as R

GAP = 3.0  # seconds without a sample that end a recording
LABELS = {"air": R.AIR, "slug": R.AIR, "cavitation": R.CAVITATION,
          "hunting": R.HUNTING, "noise": R.EMI, "emi": R.EMI,
          "anomalous": R.OTHER, "fault": R.OTHER}
FEW, ENOUGH = 60, 1000  # windows


class Own:
    """Seconds of one's own loop: flow scaled to a nominal of 10, and what
    was going on."""

    def __init__(self, name, flow, kind):
        self.name, self.flow, self.kind = name, flow, kind


def kind_of(label):
    return LABELS.get((label or "").strip().lower(), R.CLEAN)


def _seconds(text):
    try:
        return float(text)
    except ValueError:
        return datetime.datetime.fromisoformat(text.strip()).timestamp()


def _notes(folder):
    """[(from, to, kind)] of notes.csv beside the files, if there is one."""
    path = os.path.join(folder, "notes.csv")
    if not os.path.exists(path):
        return []
    with open(path, newline="") as text:
        found = []
        for number, row in enumerate(csv.DictReader(text), 2):
            try:
                found.append((_seconds(row["from"]), _seconds(row["to"]),
                              kind_of(row["label"])))
            except (KeyError, TypeError, ValueError):
                raise SystemExit("%s, line %d: not from,to,label" % (
                    path, number))
    return found


def _csv(path, notes, scale):
    base = os.path.basename(path)
    named = kind_of(base.split(".")[0]) if "." in base else R.CLEAN
    time, value, kind = [], [], []
    with open(path, newline="") as text:
        for number, row in enumerate(csv.reader(text), 1):
            try:
                t, v = float(row[0]), float(row[1])
            except (IndexError, ValueError):
                if number == 1:
                    continue  # the titles
                raise SystemExit("%s, line %d: not epoch,value" % (
                    path, number))
            if math.isnan(v):
                continue
            k = kind_of(row[2]) if len(row) > 2 else named
            for start, end, noted in notes:
                k = noted if start <= t < end else k
            time.append(t)
            value.append(v * scale)
            kind.append(k)
    return _pieces(path, np.array(time), np.array(value), np.array(kind, int))


def _pieces(path, time, value, kind):
    if not len(time):
        return []
    cuts = np.flatnonzero((np.diff(time) > GAP) | (np.diff(time) <= 0)) + 1
    return [Own(path, v, k) for v, k in zip(np.split(value, cuts),
                                            np.split(kind, cuts))
            if len(v) >= rec.SAMPLES]


def _window(path):
    """CaptureDir's values are scaled already."""
    with open(path) as text:
        values = json.load(text)["payload"]["values"]
    flow = np.array([v[0] if isinstance(v, list) else v for v in values],
                    float)
    kind = kind_of(os.path.basename(path).split(".")[0])
    return [Own(path, flow, np.full(len(flow), kind))]


def is_own(path):
    """Whether it is of one's own loop, and not a file of recordings.py."""
    if os.path.isdir(path):
        return not os.path.exists(os.path.join(path, rec.FILE))
    if path.endswith(".gz"):
        return False
    with open(path) as text:
        return not text.readline().startswith("fixture,")


def load(path, nominal):
    """What a file or a folder has."""
    if os.path.isdir(path):
        found = []
        for name in sorted(glob.glob(os.path.join(path, "*"))):
            if os.path.isfile(name) and os.path.basename(name) != "notes.csv":
                found += load(name, nominal)
        return found
    if path.endswith(".weir.json"):
        return _window(path)
    return _csv(path, _notes(os.path.dirname(path)), 10.0 / nominal)


def windows(owns):
    """How many windows of ten seconds there are."""
    return sum(len(o.flow) - rec.SAMPLES + 1 for o in owns)


def advise(owns):
    """One sentence on whether that is enough."""
    n = windows(owns)
    faults = sum(int((o.kind > 0).sum()) for o in owns)
    text = "%d windows of your own, %d seconds of them with a fault: " % (
        n, faults)
    if n <= FEW:
        return text + "too few to help; the bundled model is the better one."
    if n < ENOUGH:
        return text + "a beginning; about %d make a difference." % ENOUGH
    return text + "good."


def rows(owns, quantum, copies, rng):
    """Rows for training, each recording `copies` times: as it was, and laid
    at other levels, so that its shape counts as well."""
    seconds = R.SECONDS
    flow, fault = [], []
    for own in owns:
        starts = range(0, max(len(own.flow) - seconds, 0) + 1, seconds // 2)
        for first in starts:
            x = np.full(seconds, np.nan)
            k = np.zeros(seconds, np.int8)
            part = own.flow[first:first + seconds]
            x[seconds - len(part):] = part
            k[seconds - len(part):] = own.kind[first:first + seconds]
            flow += [x] * copies
            fault += [k] * copies
    flow, fault = np.array(flow), np.array(fault)
    level = np.exp(rng.normal(0, 0.3, len(flow)))
    level[::2] = 1
    flow *= level[:, None]
    return R.Rows(flow, R.centred(flow), quantum * level,
                  np.full(len(flow), -1), fault)
