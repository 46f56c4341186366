"""An evaluation as Markdown: tables, and the aims beside what was reached."""

import collections

import numpy as np

import faults

Result = collections.namedtuple(
    "Result", "seeds recordings windows left_out contenders agreement anomaly "
    "without")


def _percent(value):
    return "%.1f" % (100 * value)


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |",
             "|" + "|".join("---" if i == 0 else "---:"
                            for i in range(len(head))) + "|"]
    return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in rows])


def _windows(result):
    rows = []
    for c in result.contenders:
        span = c.intervals()
        rows.append([c.name, "%s (%s-%s)" % (
            _percent(c.mean("accuracy")), *map(_percent, span["accuracy"]))] + [
            _percent(c.mean(k)) for k in ("precision", "recall")] + [
            "%s (%s-%s)" % (_percent(c.mean("f1")), *map(
                _percent, span["f1"])),
            "%.3f (%.3f-%.3f)" % (c.mean("auc"), *span["auc"]),
            "%.2f" % (100 * c.spread("accuracy"))])
    return _table(["", "accuracy, %", "precision, %", "recall, %", "F1, %",
                   "AUC", "accuracy, sd over seeds"], rows)


def _recalls(result):
    shown = [result.contenders[i] for i in (0, 1, 3, 4)]
    rows = []
    for i, name in enumerate(faults.NAMES):
        row = [name] + [_percent(np.mean(c.recall, 0)[i]) for c in shown]
        for other in (True, False):
            value = result.without.get(("fault", name, other))
            row.append("-" if value is None else _percent(value))
        rows.append(row)
    means = ["mean"] + [_percent(np.mean(c.recall)) for c in shown]
    for other in (True, False):
        values = [v for (k, _, o), v in result.without.items()
                  if k == "fault" and o == other]
        means.append(_percent(np.mean(values)) if values else "-")
    return _table(["fault"] + [c.name for c in shown] + [
        "left out of training", "left out, no unnamed ones"], rows + [means])


def _streams(result):
    rows = []
    for c in result.contenders[:5]:
        rows.append([c.name] + [form % c.stream_mean(k) for form, k in (
            ("%.2f", "false_per_hour"),)] + [
            "%.0f" % (24 * c.stream_mean("false_per_hour")),
            "%.1f" % c.stream_mean("false_per_hour_any"),
            _percent(c.stream_mean("detected")),
            "%.1f" % c.stream_mean("delay_median"),
            "%.1f" % c.stream_mean("delay_p90")])
    return _table(["", "false alarms per hour of steady flow", "per day",
                   "per hour of any use", "faults detected, %",
                   "delay, median s", "p90 s"], rows)


def _aims(result):
    int8, float_, _, rule = result.contenders[:4]
    recalls = np.mean(int8.recall, 0)
    loss = abs(float_.mean("accuracy") - int8.mean("accuracy"))
    checks = [
        ("accuracy at least 96.5 %", int8.mean("accuracy"), 0.965, 1),
        ("weighted F1 at least 96.5 %", int8.mean("f1"), 0.965, 1),
        ("points above the tuned rule, at least 1.5",
         int8.mean("accuracy") - rule.mean("accuracy"), 0.015, 1),
        ("points between int8 and float, at most 0.3", loss, 0.003, -1),
        ("detected at least 95 %", int8.stream_mean("detected"), 0.95, 1),
        ("least recall of a fault, at least 80 %", recalls.min(), 0.80, 1)]
    values = [v for (k, _, o), v in result.without.items()
              if k == "fault" and o]
    if values:
        checks.append(("mean recall of a fault left out of training, at "
                       "least 85 %", np.mean(values), 0.85, 1))
    rows = [[n, _percent(v), _verdict(v, aim, sign)]
            for n, v, aim, sign in checks]
    for n, v, aim, sign, form in (
            ("AUC at least 0.992", int8.mean("auc"), 0.992, 1, "%.4f"),
            ("false alarms per hour of steady flow, at most 0.5",
             int8.stream_mean("false_per_hour"), 0.5, -1, "%.2f"),
            ("median delay at most 5 s", int8.stream_mean("delay_median"), 5,
             -1, "%.1f")):
        rows.append([n, form % v, _verdict(v, aim, sign)])
    return _table(["aim", "measured", ""], rows)


def _verdict(value, aim, sign):
    return "reached" if sign * (value - aim) >= 0 else "missed"


def _confusion(contender):
    labels = ("Anomalous", "High", "Low", "Normal")
    share = contender.matrix / contender.matrix.sum(1, keepdims=True)
    return _table(["true \\ classified, %"] + list(labels), [
        [labels[i]] + [_percent(v) for v in share[i]] for i in range(4)])


def _fixtures(result):
    rows = [[n, _percent(v)] for (k, n, _), v in result.without.items()
            if k == "fixture"]
    return _table(["fixture", "accuracy, %"], rows) if rows else "Not run."


def markdown(result):
    streams = result.contenders[0].streams
    return """\
# Evaluation of the bundled model

Written by `make evaluate`. %d recordings of the test split, seeds %s, %d
windows; %s %% of the windows without a fault lay within 8 %% of a band's edge
and are not scored. In brackets: 95 %% intervals, drawing recordings.

## Aims

%s

## Windows

%s

int8 and float agree on %.2f %% of the windows.

%s

![confusion matrices](confusion.png)

## Recall of each fault, windows

%s

"Left out": a model with the shipped recipe that was never shown that fault;
in the last column nor the training's faults without a name.

## Streams

Alarm: Anomalous above 0.9 in 3 of 5 windows. %.1f hours of steady flow and
%d faults of 30 s in each seed. "Any use" counts every move of a tap.

%s

![a stream](stream.png)

## Fixtures that were never seen

%s

## Anomaly score

Above the exported threshold: %s %% of normal windows, %s %% of windows with
a fault.
""" % (result.recordings, ", ".join(map(str, result.seeds)), result.windows,
       _percent(result.left_out), _aims(result), _windows(result),
       100 * result.agreement, _confusion(result.contenders[0]),
       _recalls(result), np.mean([s["steady_hours"] for s in streams]),
       np.mean([s["faults"] for s in streams]), _streams(result),
       _fixtures(result), *map(_percent, result.anomaly))
