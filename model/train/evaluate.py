#!/usr/bin/python3
"""Measure the bundled model, at the shipped defaults of the agent.

    evaluate.py --build build --split test --seeds "1 2 3" [RECORDINGS...]

The model and the verdict are the C code that ships (flow-model,
flow-verdict); what they are compared with is trained here, on the train
split. Every seed draws new levels for the recordings, new faults and new
commanded changes. Writes evaluation.md, confusion.png and stream.png. The test
split is for the end: choices are made with --split validation."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys

import numpy as np

import contenders as C
import faults
import metrics
import operators
import pictures
import recipe
import recordings as rec
import report
import rows as R
import stages
import streams
import untrained

TRAIN_ROWS = 4000  # of the contenders that are trained here
ROWS = 1200  # of a seed, for windows
CHANGES = 2000  # commanded, over all seeds
PER_LITRE = (12, 30, 60, 450, 1000, 5880)
SETTLED = 0.02  # of the final level


class Windows:
    """Windows of one seed with their labels."""

    def __init__(self, recordings, rng, stage):
        rows = [R.recorded(recordings, rng, ROWS, edges=False),
                R.moved(R.recorded(recordings, rng, ROWS // 2), rng)]
        for name in faults.LASTING:
            rows.append(R.faulty(R.recorded(recordings, rng, ROWS // 5), rng,
                                 name))
        rows = R.Rows.join(rows)
        got = recipe.Examples(rows, rng, stage, 8)
        # What one or two seconds of fault make of a window nobody can say.
        sure = ((got.weight == 1) | (got.kind == R.CLEAN) &
                (got.weight == np.float32(0.3)))
        self.window, self.label = got.window[sure], got.label()[sure]
        self.old, self.source = got.old[sure], got.source[sure]
        self.edge = rec.near_edge(got.level)[sure]
        self.fault = got.name[sure]

    def take(self, which):
        out = Windows.__new__(Windows)
        for key, value in self.__dict__.items():
            setattr(out, key, value[which])
        return out


def said_by(contender, build, found):
    """What the agent says of streams: for each (n, 4), from the tenth second
    on."""
    window, slices = streams.windows(found)
    scores = contender.score(window)
    pad = np.full((9, 4), np.nan)
    out = stages.Verdict(build, contender.mode).run(
        [s.flow for s in found],
        [np.concatenate([pad, scores[part]]) for part in slices])
    return [x[9:] for x in out]


def commanded(rng, n, per_litre=None):
    found = []
    for i in range(n):
        kind = operators.KINDS[i % len(operators.KINDS)]
        level, at = operators.change(rng, kind)
        flow, quantum = operators.sensor(rng, level, per_litre)
        found.append(streams.Stream("move", flow, level * rec.NOMINAL,
                                    name=kind.__name__, onset=at))
    return found


class Settling:
    """Changes that settle inside a band: is it said six seconds later, and
    what is said on the way?"""

    def __init__(self, found, said):
        self.right, self.all, self.passed = 0, 0, 0
        for s, w in zip(found, said):
            final = s.level[-1]
            if rec.near_edge(final) or not streams.inside(final):
                continue
            off = np.abs(s.level - final) > SETTLED * final
            at = int(np.flatnonzero(off)[-1]) + 1 if off.any() else 0
            if at + 6 - 9 >= len(w) or at < s.onset:
                continue
            self.all += 1
            self.right += w[at + 6 - 9, 0] == rec.state_of(final)
            inside = streams.inside(s.level[s.onset:]).all()
            self.passed += inside and (w[s.onset - 9:, 0] ==
                                       rec.ANOMALOUS).any()


TRUE_CAUSE = {"air": 0, "slug": 0, "cavitation": 1, "hunting": 2, "emi": 3,
              "blockage": 4, "zero": 4, "burst": 5}


class Hints:
    """The causes named at the alarm's rise, and three seconds later."""

    def __init__(self):
        self.first, self.second, self.table = [], [], {}

    def add(self, count, said_of):
        for s, delay in count.later:
            if delay is None:
                continue
            w = said_of[id(s)]
            at = min(max(s.onset - 9, 0) + delay - 1, len(w) - 1)
            one, two = w[at, 2:]
            row = self.table.setdefault(s.name, {})
            row[one] = row.get(one, 0) + 1
            if s.name in TRUE_CAUSE:
                self.first.append(one == TRUE_CAUSE[s.name])
                self.second.append(TRUE_CAUSE[s.name] in (one, two))


class Evaluation:
    """Everything measured of one contender."""

    def __init__(self, contender):
        self.contender = contender
        self.runs, self.old_runs, self.edge_runs = [], [], []
        self.matrix = np.zeros((4, 4))
        self.kept, self.recall = [], {}
        self.counts, self.with_edges, self.settling = [], [], []
        self.hints, self.unknown_hints = Hints(), Hints()
        self.untrained, self.coarse = {}, {}

    def windows(self, w):
        scores = self.contender.score(w.window)
        guess = scores.argmax(1)
        clear = ~w.edge
        self.edge_runs.append(metrics.evaluate(w.label, scores))
        self.runs.append(metrics.evaluate(w.label[clear], scores[clear]))
        same = clear & (w.old == w.label)
        self.old_runs.append(metrics.evaluate(w.label[same], scores[same]))
        self.matrix += metrics.confusion(w.label[clear], guess[clear])
        self.kept.append((w.label[clear], scores[clear], w.source[clear]))
        for name in faults.LASTING:
            hit = guess[w.fault == name] == rec.ANOMALOUS
            self.recall.setdefault(name, []).append(hit.mean())
        return guess

    def streams(self, build, found, changes):
        said = said_by(self.contender, build, found + changes)
        states = [w[:, 0] for w in said]
        self.counts.append(streams.Count(found + changes, states))
        self.with_edges.append(streams.Count(found + changes, states, 0.0))
        self.settling.append(Settling(changes, said[len(found):]))
        self.hints.add(self.counts[-1], {id(s): w for s, w in zip(
            found + changes, said)})

    def other_faults(self, build, found):
        said = said_by(self.contender, build, found)
        count = streams.Count(found, [w[:, 0] for w in said])
        self.untrained_count = count
        self.unknown_hints.add(count, {id(s): w for s, w in zip(found, said)})
        for name in count.faults:
            hit = count.found.get(name, [])
            self.untrained[name] = (len(hit) / count.faults[name],
                                    np.median(hit) if hit else np.nan)

    def sensors(self, build, per_litre, found):
        said = said_by(self.contender, build, found)
        self.coarse[per_litre] = streams.Count(found, [w[:, 0] for w in said])

    def mean(self, key, runs="runs"):
        return float(np.mean([r[key] for r in getattr(self, runs)]))

    def intervals(self):
        label, scores, source = (np.concatenate(x) for x in zip(*self.kept))
        return metrics.intervals(label, scores, source,
                                 np.random.default_rng(0), 100)

    def total(self, what, kind, counts="counts"):
        return sum(getattr(c, what)[kind] for c in getattr(self, counts))

    def per_hour(self, kind, what="rises", counts="counts"):
        return self.total(what, kind, counts) * 3600 / max(
            self.total("seconds", kind), 1)

    def delays(self):
        return np.concatenate([c.delays for c in self.counts])

    def faults(self):
        return sum(sum(c.faults.values()) for c in self.counts)


def coarse_streams(rng, per_litre, n):
    """Steady flow and commanded changes, and faults on steady flow, as a
    sensor of so many pulses for each litre sees them."""
    found = commanded(rng, n, per_litre)
    for i in range(n):
        level = np.full(150, rng.uniform(0.45, 1.8))
        flow, quantum = operators.sensor(rng, level, per_litre)
        name = faults.LASTING[i % len(faults.LASTING)]
        x = faults.inject(name, rng, flow[None, :], [70], [100],
                          np.array([quantum]))[0]
        found.append(streams.Stream("fault", x, level * rec.NOMINAL,
                                    name=name, onset=70, end=100))
    return found


def draw(out, results, stage, recordings):
    pictures.confusions(os.path.join(out, "confusion.png"),
                        [(r.contender.name, r.matrix) for r in results])
    rng = np.random.default_rng(3)
    recording = next(r for r in recordings if len(r.pulses) > 230 and
                     streams.steady(rec.scaled(r, 1.0)[0])[20:190].all())
    flow, quantum = rec.scaled(recording, 1.0)
    flow, spans = flow[None, :220], []
    for name, onset, end in (("hunting", 40, 70), ("air", 150, 180)):
        flow = faults.inject(name, rng, flow, [onset], [end],
                             np.array([quantum]))
        spans.append((name, onset, end))
    share = np.clip((np.arange(220) - 100) / 3, 0, 1)[None, :]
    flow = R.count(rng, flow * (1 + 0.6 * share), np.array([quantum]))
    spans.append(("a valve is opened", 100, 104))
    stream = streams.Stream("use", flow[0], flow[0])
    x, _ = streams.windows([stream])
    said = said_by(results[0].contender, stage.build, [stream])[0]
    pictures.stream(os.path.join(out, "stream.png"), flow[0],
                    stage.scores("int8", x)[0], said[:, 0], spans)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--split", default="test")
    parser.add_argument("--seeds", default="1 2 3 4 5")
    parser.add_argument("--out")
    parser.add_argument("--only", action="store_true",
                        help="the bundled model alone")
    parser.add_argument("recordings", nargs="*", default=["../shared/data"])
    args = parser.parse_args()
    out = args.out or os.path.join(stages.ROOT, args.build, "model/evaluate")
    os.makedirs(out, exist_ok=True)
    seeds = [int(s) for s in args.seeds.split()]
    stage = stages.Stages(args.build)
    judged = rec.load(args.recordings, args.split)

    if args.only:
        found = [C.bundled(stage)]
    else:
        learn = rec.load(args.recordings, "train")
        rng = np.random.default_rng(recipe.SEED)
        train = recipe.Examples(recipe.training_rows(learn, rng, TRAIN_ROWS),
                                rng, stage)
        print("training what it is compared with: %d windows" % len(train))
        found = C.all_of(stage, train)
    results = [Evaluation(c) for c in found]
    agreement, anomaly, size = [], [], 0
    for seed in seeds:
        print("seed %d" % seed, flush=True)
        rng = np.random.default_rng([11, seed])
        w = Windows(judged, rng, stage)
        size += len(w.label)
        guesses = [r.windows(w) for r in results]
        if len(guesses) > 1:
            agreement.append((guesses[0] == guesses[1]).mean())
        score, limit = stage.scores("int8", w.window)[1], (
            stages.anomaly_threshold())
        anomaly.append(((score[w.fault == ""] > limit).mean(),
                        (score[w.fault != ""] > limit).mean()))
        use = streams.uses(judged, rng) + streams.out_of_range(judged, rng, 60)
        changes = commanded(rng, CHANGES // len(seeds))
        for r in results:
            if r.contender.name not in report.WINDOWS_ONLY:
                r.streams(args.build, use, changes)
    rng = np.random.default_rng([13, seeds[0]])
    other = [s for name in untrained.NAMES for s in streams.with_fault(
        judged, rng, name, untrained.FUNCTIONS[name], 60)]
    sensors = [(k, coarse_streams(rng, k, 80)) for k in PER_LITRE]
    for r in results:
        if r.contender.name not in report.WINDOWS_ONLY:
            r.other_faults(args.build, other)
            for per_litre, some in sensors:
                r.sensors(args.build, per_litre, some)
    text = report.markdown(args.split, seeds, len(judged), size, results,
                           agreement, np.mean(anomaly, 0))
    with open(os.path.join(out, "evaluation.md"), "w") as file:
        file.write(text)
    draw(out, [r for r in results if r.contender.name in report.DRAWN], stage,
         judged)
    print(text)
    print("written: evaluation.md confusion.png stream.png in %s" % out)


if __name__ == "__main__":
    sys.exit(main())
