#!/usr/bin/python3
"""`make evaluate-baseline`: what target_flow_baseline is worth.

The C code of the plugin judges (build/bin/evaluate-baseline), this counts:
SKAB's labelled experiments by its own protocol, its normal run from 20 starts,
steps and ramps laid on that, the leaks of UCI 447, and simulated weeks; other
methods beside it. Writes build/baseline/baseline.md.

usage: evaluate.py --build DIR [--normal FILE] [--seeds FIRST COUNT] DATA"""

import argparse
import collections
import concurrent.futures
import csv
import gzip
import json
import os
import statistics
import subprocess
import sys

import numpy

import others

LEARN = 400  # rows of each file: SKAB's protocol
STARTS = 20
PLACES = 12  # where steps and ramps are laid on the normal run
NAMES = {"none": 0, "clog_hour": 1, "clog_day": 2, "leak": 3, "wear": 4,
         "exchange": 5}
BEGIN = 7.37  # days of normal flow before a fault
FAULTS = [("clog_hour", 1, 9), ("clog_hour", 5, 8.5), ("clog_hour", 10, 8),
          ("clog_hour", 20, 8), ("clog_day", 1, 38), ("clog_day", 2, 24),
          ("clog_day", 3, 20), ("clog_day", 5, 15), ("clog_day", 10, 11),
          ("leak", 1, 14), ("leak", 2, 14), ("leak", 3, 14), ("leak", 5, 14),
          ("leak", 10, 14), ("wear", 1, 38), ("exchange", 4, 14)]
SAY = {"clog_hour": "clogging, %g %% an hour", "clog_day":
       "clogging, %g %% a day", "leak": "leak of %g %%",
       "wear": "pump wear, %g %% a day and twice the noise",
       "exchange": "another sensor, %g %% more"}


class Judge:
    """The C program."""

    def __init__(self, build):
        self.program = os.path.join(build, "bin", "evaluate-baseline")

    def replay(self, runs, *rules):
        text = "".join("%d %s\n" % (len(r), " ".join("%.10g" % x for x in r))
                       for r in runs)
        done = subprocess.run([self.program, *rules, "replay"], input=text,
                              stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.split()

    def weeks(self, seed, fault, rate, days):
        done = subprocess.run(
            [self.program, "weeks", str(seed), str(NAMES[fault]), str(rate),
             str(BEGIN if fault != "none" else 1e6), str(days)],
            stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)


def alarms(letters):
    return numpy.array([x in "dsSr" for x in letters])


def read_skab(data):
    """{file: (values, labels)}, and the normal run or None."""
    path = os.path.join(data, "skab_flow.csv.gz")
    files, normal = collections.OrderedDict(), []
    with gzip.open(path, "rt") as text:
        for row in csv.DictReader(text):
            value = float(row["flow_lpm"])
            if "free" in row["file"]:
                normal.append(value)
            else:
                files.setdefault(row["file"], ([], []))
                files[row["file"]][0].append(value)
                files[row["file"]][1].append(float(row["anomaly"]) > 0.5)
    return ({f: (numpy.array(v), numpy.array(a)) for f, (v, a)
             in files.items()}, normal)


def read_normal(path):
    """Any csv with a column whose name begins with flow or Volume Flow."""
    with open(path) as text:
        dialect = ";" if ";" in text.readline() else ","
        text.seek(0)
        rows = csv.DictReader(text, delimiter=dialect)
        name = next(n for n in rows.fieldnames
                    if n.lower().startswith(("flow", "volume flow")))
        return [float(r[name]) for r in rows]


def scores(alarm, label):
    tp, fp = (alarm & label).sum(), (alarm & ~label).sum()
    fn, tn = (~alarm & label).sum(), (~alarm & ~label).sum()
    f1 = 2 * tp / max(2 * tp + fp + fn, 1)
    return f1, 100 * fp / max(fp + tn, 1), 100 * fn / max(fn + tp, 1)


def pooled(files, judged):
    alarm = numpy.concatenate([judged[f][LEARN:] for f in files])
    label = numpy.concatenate([files[f][1][LEARN:] for f in files])
    return scores(alarm, label)


def skab_rows(judge, files):
    """[(name, F1, FAR, MAR)], and the alarms of ours."""
    runs = [v for v, _ in files.values()]
    ours = dict(zip(files, map(alarms, judge.replay(runs))))
    rows = [("**flow_baseline**", *pooled(files, ours))]
    for name, method in others.METHODS:
        judged = {f: method(v, LEARN) for f, (v, _) in files.items()}
        rows.append((name, *pooled(files, judged)))
    return rows, ours


def delay(alarm, label):
    """Rows from the first label behind the learning to the first alarm."""
    marked = numpy.flatnonzero(label)
    marked = marked[marked >= LEARN]
    if len(marked) == 0:
        return None
    hits = numpy.flatnonzero(alarm & label)
    hits = hits[hits >= marked[0]]
    return int(hits[0] - marked[0]) if len(hits) else None


def missed_where(alarm, label):
    """Missed rows of a file: before its first alarm, between, after the last.
    """
    rows = numpy.flatnonzero(label)
    rows = rows[rows >= LEARN]
    missed = rows[~alarm[rows]]
    hits = rows[alarm[rows]]
    if len(hits) == 0:
        return len(missed), 0, 0
    return ((missed < hits[0]).sum(),
            ((missed > hits[0]) & (missed < hits[-1])).sum(),
            (missed > hits[-1]).sum())


def part_missed(files, ours, beyond, out):
    """MAR, in points, by cause."""
    marked = sum(label[LEARN:].sum() for _, label in files.values())
    where = {f: missed_where(ours[f], files[f][1]) for f in files}
    never = sum(sum(where[f]) for f in beyond)
    rest = [sum(w[i] for f, w in where.items() if f not in beyond)
            for i in range(3)]
    points = [100 * n / marked for n in [never] + rest]
    out.append("Of the %.1f points of MAR %.1f are those files; in the others "
               "%.1f lie before the first alarm, %.1f between two, %.1f behind "
               "the last.\n" % (sum(points), *points))


def part_skab(judge, files, out):
    rows, ours = skab_rows(judge, files)
    out.append("## SKAB\n\n%d labelled experiments on a water loop, the flow "
               "channel alone. Its protocol: learn from the first %d rows of "
               "each file, judge the rest, pool all rows. One setting for all "
               "files, the shipped one.\n" % (len(files), LEARN))
    out.append("| | F1 | false alarms, % of normal rows (FAR) | missed, % of "
               "anomalous rows (MAR) |\n|---|---|---|---|")
    out.extend("| %s | %.3f | %.1f | %.1f |" % r for r in rows)
    single = {f: (*scores(ours[f][LEARN:], files[f][1][LEARN:]),
                  delay(ours[f], files[f][1])) for f in files}
    beyond = [f for f in files if single[f][2] > 85]
    delays = [s[3] for s in single.values() if s[3] is not None]
    out.append("\nBeyond reach, more than 85 %% missed: %s. Median delay of "
               "the others from the first labelled row: %d s (the label begins "
               "with the command to the valve, not with the flow).\n"
               % (", ".join(f.replace(".csv", "") for f in beyond) or "none",
                  statistics.median(delays)))
    part_missed(files, ours, beyond, out)
    out.append("| file | F1 | FAR | MAR | delay, s |\n|---|---|---|---|---|")
    out.extend("| %s | %.2f | %.1f | %.1f | %s |" % (
        f.replace(".csv", ""), *s[:3], "-" if s[3] is None else s[3])
        for f, s in single.items())
    return rows[0]


def episodes(alarm):
    return int((numpy.diff(alarm.astype(int), prepend=0) == 1).sum())


def part_normal(judge, normal, out):
    starts = [int(i * (len(normal) - 2500) / (STARTS - 1))
              for i in range(STARTS)]
    result = {}
    out.append("\n## The normal run\n\n%.1f hours of SKAB without a fault, "
               "warming up by 3 %%, from %d starts; each learns for %d s.\n"
               % (len(normal) / 3600, STARTS, LEARN))
    out.append("| | alarms an hour, worst start | time in alarm, all starts | "
               "worst start |\n|---|---|---|---|")
    pieces = [numpy.array(normal[s:]) for s in starts]
    table = [("**flow_baseline**",
              [alarms(x) for x in judge.replay(pieces)])]
    for name, method in others.METHODS:
        table.append((name, [method(x, LEARN) for x in pieces]))
    for name, judged in table:
        judged = [a[LEARN:] for a in judged]
        rate = [3600 * episodes(a) / len(a) for a in judged]
        share = [100 * a.mean() for a in judged]
        total = 100 * numpy.concatenate(judged).mean()
        out.append("| %s | %.2f | %.2f %% | %.2f %% |"
                   % (name, max(rate), total, max(share)))
        result.setdefault("normal", (max(rate), total, max(share)))
    result.update(part_steps(judge, normal, out))
    part_ramps(judge, normal, out)
    return result


def laid_on(normal, effect, before=900, after=20):
    """Runs of the normal run with `effect(seconds)` from a moment on."""
    runs = []
    for i in range(PLACES):
        at = 1200 + i * ((len(normal) - 1200 - after) // PLACES)
        piece = numpy.array(normal[at - before:at + after])
        piece[before:] *= [effect(s) for s in range(len(piece) - before)]
        runs.append(piece)
    return runs


def first_alarms(judge, runs, before):
    """Seconds from the begin to an alarm that was not there before."""
    found = []
    for letters in judge.replay(runs):
        hits = numpy.flatnonzero(alarms(letters)[before:])
        found.append(int(hits[0]) + 1 if len(hits) else None)
    return found


def part_steps(judge, normal, out):
    out.append("\nSteps laid on it at %d places: found within 20 s, and the "
               "longest delay of those.\n" % PLACES)
    out.append("| step | down | up |\n|---|---|---|")
    result = {}
    for percent in (1, 2, 3, 5):
        cells = []
        for way in (-1, 1):
            runs = laid_on(normal, lambda s: 1 + way * percent / 100)
            found = [f for f in first_alarms(judge, runs, 900)
                     if f is not None]
            cells.append("%d of %d%s" % (len(found), PLACES, ", %d s" %
                                         max(found) if found else ""))
            if percent == 2:
                result["step%+d" % way] = len(found)
        out.append("| %d %% | %s | %s |" % (percent, *cells))
    return result


def part_ramps(judge, normal, out):
    out.append("\nRamps downwards for 30 minutes (the minutes alone; what is "
               "slower is for the days): found, median time.\n")
    out.append("| per cent an hour | found | median, min |\n|---|---|---|")
    for rate in (1, 5, 10, 20, 40, 80):
        runs = laid_on(normal, lambda s: 1 - rate / 100 * s / 3600, 900, 1800)
        plain = laid_on(normal, lambda s: 1, 900, 1800)
        found = []
        for with_it, without in zip(judge.replay(runs), judge.replay(plain)):
            new = alarms(with_it)[900:] & ~alarms(without)[900:]
            if new.any():
                found.append(int(numpy.flatnonzero(new)[0]))
        out.append("| %d | %d of %d | %s |" % (
            rate, len(found), PLACES,
            "%.0f" % (statistics.median(found) / 60) if found else "-"))


def part_uci(judge, data, out):
    path = os.path.join(data, "uci447_fs1_1hz.csv.gz")
    if not os.path.exists(path):
        return skip("UCI 447", path)
    with gzip.open(path, "rt") as text:
        rows = list(csv.DictReader(text))
    by_leak = collections.defaultdict(list)
    for r in rows:
        cycle = [float(r["s%d" % i]) for i in range(60)]
        by_leak[int(r["pump_leak"])].append(statistics.mean(cycle))
    out.append("\n## UCI 447\n\nThe mean flow of each cycle of 60 s of a "
               "hydraulic rig, one value a minute, as one series: it learns "
               "from the first 20 cycles without a leak, sees the others, then "
               "those with one. The rig changes cooler, valve and "
               "accumulator all the time.\n")
    out.append("| pump leak | cycles | in alarm | first alarm, cycle |"
               "\n|---|---|---|---|")
    sound = by_leak.pop(0)
    learn = ("learn=1200", "interval=60")
    for leak, cycles in [(0, [])] + sorted(by_leak.items()):
        judged = alarms(judge.replay([sound + cycles], *learn)[0])
        judged = judged[40:len(sound)] if leak == 0 else judged[len(sound):]
        hits = numpy.flatnonzero(judged)
        out.append("| %s | %d | %.0f %% | %s |" % (
            "none" if leak == 0 else leak, len(judged), 100 * judged.mean(),
            hits[0] + 1 if len(hits) else "-"))


def hours(seconds):
    if seconds >= 48 * 3600:
        return "%.1f days" % (seconds / 86400)
    return "%.1f h" % (seconds / 3600)


def fault_row(name, rate, runs):
    found = sorted(r["found_s"] for r in runs if r["found_s"] >= 0)
    told = [r for r in runs if r["left_s"] > 0]
    right = [r for r in told
             if abs(r["left_s"] - r["true_s"]) <= 0.3 * r["true_s"]]
    held = [r for r in told if r["soonest_s"] <= r["true_s"] <= r["latest_s"]]
    grows = name in ("clog_hour", "clog_day", "wear")
    return ("| %s | %d of %d | %s | %s | %s | %s |" % (
        SAY[name] % rate, len(found), len(runs),
        hours(statistics.median(found)) if found else "-",
        hours(found[-1]) if found else "-",
        "%d of %d" % (len(right), len(told)) if grows else "",
        "%d" % len(held) if grows else ""), found, len(right))


def part_weeks(judge, seeds, out):
    jobs = [("none", 0, 28)] + FAULTS
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = [[pool.submit(judge.weeks, s, *job) for s in seeds]
                   for job in jobs]
        runs = [[f.result() for f in row] for row in futures]
    normal = runs[0]
    result = {"false": sum(r["others"] for r in normal), "runs": len(normal),
              "first_day": sum(r["first_day"] for r in normal)}
    share = 100 * sum(r["alarm_s"] for r in normal) / (len(normal) * 28 * 86400)
    out.append("\n## Simulated weeks\n\nA YF-S201 on a loop of one level or "
               "two (day and night), with noise, pressure that wanders, noon, "
               "seasons, warming up and stops (tests/baseline/plant.h has all "
               "of it). %d loops of 28 days without a fault: %d alarms after "
               "the first day but for %d first stops that nobody had announced"
               "; %d in the first day, while operating points and wander are "
               "still new; %.3f %% of the time in alarm. With a fault after %g "
               "days:\n" % (len(normal), result["false"],
                            sum(r["stops"] for r in normal),
                            result["first_day"], share, BEGIN))
    out.append("| fault | found | median | last | first forecast within 30 % "
               "| truth within its interval |\n|---|---|---|---|---|---|")
    for (name, rate, _), row in zip(FAULTS, runs[1:]):
        line, found, right = fault_row(name, rate, row)
        out.append(line)
        result[name, rate] = (found, right, len(row))
    return result


def skip(what, path):
    print("SKIP %s: %s is not there" % (what, path))


def aim(name, reached, figure):
    return "| %s | %s | %s |" % (name, figure, "yes" if reached else "**no**")


def aims(skab, run, weeks):
    rows = ["| aim | figure | reached |\n|---|---|---|"]
    if skab:
        _, f1, far, mar = skab
        rows += [aim("SKAB, F1 at least .80", f1 >= .8, "%.3f" % f1),
                 aim("SKAB, FAR at most 11", far <= 11, "%.1f" % far),
                 aim("SKAB, MAR at most 27", mar <= 27, "%.1f" % mar)]
    if run:
        rate, total, worst = run["normal"]
        rows += [aim("normal run, at most 1 alarm an hour from any start",
                     rate <= 1, "%.2f" % rate),
                 aim("normal run, in alarm under 2 % of the time", total < 2,
                     "%.2f %% (worst start %.2f %%)" % (total, worst)),
                 aim("a step of 2 % within 20 s in 12 of 12",
                     run["step-1"] == run["step+1"] == PLACES,
                     "%d down, %d up" % (run["step-1"], run["step+1"]))]

    def within(key, limit):
        found, _, count = weeks[key]
        late = [f for f in found if f > limit]
        return len(found) == count and not late, (
            "%d of %d, last after %s" % (len(found), count, hours(found[-1])))
    rows.append(aim("simulated weeks, 0 false in 12", weeks["false"] == 0,
                    "%d in %d of 28 days (%d more in first days)" % (
                        weeks["false"], weeks["runs"], weeks["first_day"])))
    for text, key, limit in (
            ("clogging of 5 % an hour within 4 h", ("clog_hour", 5), 14400),
            ("clogging of 3 % a day within 3 days", ("clog_day", 3), 259200),
            ("leak of 5 % within a day", ("leak", 5), 86400)):
        rows.append(aim(text, *within(key, limit)))
    right = [weeks[k][1] for k in weeks if k[0] in ("clog_hour", "clog_day")]
    count = sum(weeks[k][2] for k in weeks
                if k[0] in ("clog_hour", "clog_day"))
    rows.append(aim("remaining time right within 30 % in half the cases",
                    2 * sum(right) >= count, "%d of %d" % (sum(right), count)))
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--normal")
    parser.add_argument("--seeds", nargs=2, type=int, default=(101, 12))
    parser.add_argument("data")
    args = parser.parse_args()
    judge = Judge(args.build)
    body, skab, run, normal = [], None, None, []
    path = os.path.join(args.data, "skab_flow.csv.gz")
    if os.path.exists(path):
        files, normal = read_skab(args.data)
        skab = part_skab(judge, files, body)
    else:
        skip("SKAB", path)
    if args.normal:
        normal = read_normal(args.normal)
    if normal:
        run = part_normal(judge, normal, body)
    else:
        skip("normal run", "one in %s or NORMAL=file" % path)
    part_uci(judge, args.data, body)
    first, count = args.seeds
    weeks = part_weeks(judge, range(first, first + count), body)
    head = ["# What the baseline is worth\n\nWritten by `make "
            "evaluate-baseline`: the C code of target_flow_baseline at its "
            "defaults, one setting for everything. Speed and memory: `make "
            "bench` (tests/bench/flow_baseline).\n"]
    text = "\n".join(head + aims(skab, run, weeks) + [""] + body) + "\n"
    folder = os.path.join(args.build, "baseline")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "baseline.md"), "w") as out:
        out.write(text)
    print(text)


if __name__ == "__main__":
    sys.exit(main())
