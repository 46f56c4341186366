"""An evaluation as Markdown: tables, and the aims beside what was reached."""

import numpy as np

import faults
import stages
import untrained

WINDOWS_ONLY = ("Weir, float", "majority class")
DRAWN = ("Weir, int8", "ten seconds, with Context", "tuned rule")


def _percent(value):
    return "-" if np.isnan(value) else "%.1f" % (100 * value)


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |",
             "|" + "|".join("---" if i == 0 else "---:"
                            for i in range(len(head))) + "|"]
    return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in rows])


def _windows(results):
    rows = []
    for r in results:
        span = r.intervals()
        rows.append([
            r.contender.name,
            "%s (%s-%s)" % (_percent(r.mean("accuracy")),
                            *map(_percent, span["accuracy"])),
            _percent(r.mean("f1")),
            "%.3f (%.3f-%.3f)" % (r.mean("auc"), *span["auc"]),
            "%s / %.3f" % (_percent(r.mean("accuracy", "old_runs")),
                           r.mean("auc", "old_runs")),
            "%s / %.3f" % (_percent(r.mean("accuracy", "edge_runs")),
                           r.mean("auc", "edge_runs"))])
    return _table(["", "accuracy, %", "F1, %", "AUC",
                   "accuracy / AUC, label as in 0.1.0",
                   "accuracy / AUC, with band edges"], rows)


def _alarms(results):
    rows = []
    for r in results:
        d, settled = r.delays(), sum(s.all for s in r.settling)
        rows.append([
            r.contender.name, "%.2f" % r.per_hour("steady"),
            "%.1f" % (24 * r.per_hour("steady")), "%.2f" % r.per_hour("use"),
            "%d of %d" % (r.total("rises", "move"), r.total("streams", "move")),
            _percent(len(d) / r.faults()), "%.0f" % np.median(d),
            "%.0f" % np.percentile(d, 90),
            _percent(sum(s.right for s in r.settling) / settled),
            "%d" % sum(s.passed for s in r.settling)])
    return _table(["", "truly false alarms per hour of steady flow", "per day",
                   "per hour of any use", "in commanded changes",
                   "lasting faults found, %", "median s", "p90 s",
                   "right level 6 s after settling, %",
                   "changes that pass through Anomalous"], rows)


def _quiet(results):
    rows = [[r.contender.name] + [
        "%.1f" % r.per_hour(kind, "changes") for kind in ("steady", "use")] + [
        "%.2f" % (r.total("changes", "move") / r.total("streams", "move")),
        "%.2f" % r.per_hour("steady", "rises", "with_edges"),
        "%.2f" % r.per_hour("use", "rises", "with_edges")] for r in results]
    return _table(["", "notifications per hour of steady flow",
                   "per hour of any use", "per commanded change",
                   "false alarms with the edges of the range, per hour steady",
                   "per hour of any use"], rows)


def _faults(results):
    first = results[0]
    names = list(faults.LASTING) + ["zero", "blockage", "burst"]
    rows = []
    for name in names:
        hit = np.concatenate([c.found.get(name, []) for c in first.counts])
        n = sum(c.faults.get(name, 0) for c in first.counts)
        recall = first.recall.get(name)
        rows.append([name, "%d" % n, _percent(len(hit) / max(n, 1)),
                     "%.0f" % np.median(hit) if len(hit) else "-",
                     "%.0f" % np.percentile(hit, 90) if len(hit) else "-",
                     _percent(np.mean(recall)) if recall else "-",
                     _causes(first.hints.table.get(name, {}))])
    return _table(["fault", "streams", "found, %", "median s", "p90 s",
                   "windows, recall %", "first hint, %"], rows)


def _causes(row):
    total = max(sum(row.values()), 1)
    ranked = sorted(row.items(), key=lambda x: -x[1])
    return ", ".join("%s %.0f" % (stages.Verdict.CAUSES[k], 100 * v / total)
                     for k, v in ranked[:3])


def _untrained(results):
    rows = []
    for name in untrained.NAMES:
        rows.append([name.replace("_", " ")] + [
            "%s / %s" % (_percent(r.untrained[name][0]),
                         "-" if np.isnan(r.untrained[name][1]) else
                         "%.0f" % r.untrained[name][1]) for r in results] + [
            _causes(results[0].unknown_hints.table.get(name, {}))])
    return _table(["found, % / median s"] + [r.contender.name
                                             for r in results] + [
        "first hint of Weir, %"], rows)


def _coarse(results):
    rows = []
    for per_litre in results[0].coarse:
        row = ["%d" % per_litre]
        for r in results[:3]:
            c = r.coarse[per_litre]
            row.append("%d of %d; %s; %s" % (
                c.rises["move"], c.streams["move"], _percent(c.detected()),
                "-" if np.isnan(c.delay(50)) else "%.0f" % c.delay(50)))
        rows.append(row)
    return _table(["pulses per litre"] + [
        r.contender.name + ": false in changes; found, %; median s"
        for r in results[:3]], rows)


def _confusion(result):
    labels = ("Anomalous", "High", "Low", "Normal")
    share = result.matrix / result.matrix.sum(1, keepdims=True)
    return _table(["true \\ classified, %"] + list(labels), [
        [labels[i]] + [_percent(v) for v in share[i]] for i in range(4)])


def _aims(r):
    d = r.delays()
    settled = sum(s.right for s in r.settling) / sum(s.all for s in r.settling)
    checks = [
        ("truly false alarms per hour of any use, at most 0.5",
         "%.2f" % r.per_hour("use"), r.per_hour("use") <= 0.5),
        ("per hour of steady flow, at most 0.2", "%.2f" % r.per_hour("steady"),
         r.per_hour("steady") <= 0.2),
        ("commanded changes with a false alarm, 0 of %d" % r.total(
            "streams", "move"), "%d" % r.total("rises", "move"),
         r.total("rises", "move") == 0),
        ("lasting faults found, at least 99 %",
         _percent(len(d) / r.faults()), len(d) / r.faults() >= 0.99),
        ("median delay at most 5 s", "%.0f" % np.median(d),
         np.median(d) <= 5),
        ("90 % within 8 s", "%.0f" % np.percentile(d, 90),
         np.percentile(d, 90) <= 8),
        ("right level 6 s after settling, at least 99 %", _percent(settled),
         settled >= 0.99),
        ("accuracy where the label is as in 0.1.0, at least 97 %",
         _percent(r.mean("accuracy", "old_runs")),
         r.mean("accuracy", "old_runs") >= 0.97),
        ("AUC there, at least 0.997", "%.4f" % r.mean("auc", "old_runs"),
         r.mean("auc", "old_runs") >= 0.997),
        ("right hint first, at least 80 %", _percent(np.mean(r.hints.first)),
         np.mean(r.hints.first) >= 0.8),
        ("right hint among two, at least 95 %",
         _percent(np.mean(r.hints.second)), np.mean(r.hints.second) >= 0.95)]
    return _table(["aim", "measured", ""], [
        [n, v, "reached" if ok else "missed"] for n, v, ok in checks])


def markdown(split, seeds, recordings, size, results, agreement, anomaly):
    used = [r for r in results if r.contender.name not in WINDOWS_ONLY]
    first = results[0]
    agree = ("int8 and float agree on %.2f %% of the windows.\n\n" % (
        100 * np.mean(agreement)) if agreement else "")
    return """\
# Evaluation of the bundled model

Written by `make evaluate`: %d recordings of the %s split, seeds %s, %d
windows. Everything with alarms went through the agent's own verdict at its
shipped defaults; no other threshold is used anywhere.

## Aims

%s

## Alarms

%.1f hours of use, %.1f of them steady; %d faults that last (patterns of 30 s,
and steps that leave Low to High). "Truly false": no fault, and the level has
been inside Low to High, 8 %% away from their ends, for 6 s.

%s

%s

## Faults that last

%s

The hint is that of the moment when the alarm rises.

## Faults that nobody was trained on

%s

## Coarse and fine sensors

%s

## Windows

A window's label is the fault that acts in it, else the level of the newest
3 s. Windows within 8 %% of a band's edge are scored in the last column only. In
brackets: 95 %% intervals, drawing recordings.

%s

%s%s

![confusion matrices](confusion.png)

![a stream](stream.png)

Anomaly score above the exported threshold: %s %% of windows without, %s %% of
windows with a fault.
""" % (recordings, split, ", ".join(map(str, seeds)), size, _aims(first),
       first.total("seconds", "use") / 3600,
       first.total("seconds", "steady") / 3600, first.faults(), _alarms(used),
       _quiet(used), _faults(used), _untrained(used), _coarse(used),
       _windows(results), agree, _confusion(first), *map(_percent, anomaly))
