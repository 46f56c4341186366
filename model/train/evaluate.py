#!/usr/bin/python3
"""Measure the bundled model on the test split.

    evaluate.py --build build --seeds "1 2 3 4 5" [RECORDINGS...]

Every seed draws new levels for the recordings and new faults. The int8 model
and the rule are the C code that ships (flow-model); the float model is what
training left in the build folder; what they
are compared with, the application note's features and network, and the models
that were never shown a certain fault or fixture, are trained here on the
train split. Writes evaluation.md, confusion.png and stream.png."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import concurrent.futures
import sys

import numpy as np

import faults
import metrics
import network
import pictures
import recipe
import recordings as rec
import report
import stages
import streams
import train as training

SHARE, EPOCHS, ROUNDED = 0.4, 10, 0  # of the models trained here
NOTE_HIDDEN = (30, 10, 15)


class Trained:
    """A float network on features of the C stage `mode`."""

    def __init__(self, stage, windows, mode, hidden, names=()):
        self.compute = getattr(stage, mode)
        features = self.compute(windows.x)
        self.ranges = recipe.Ranges(features, training.LEVELS, names)
        self.net = recipe.fit(self.ranges.apply(features), windows.label,
                              hidden, epochs=EPOCHS, rounded_epochs=ROUNDED)

    def scores(self, x):
        return self.net.scores(self.ranges.apply(self.compute(x)))


def _left_out(job):
    """In a process of its own: recall of a fault, or accuracy on a fixture,
    that the model was not trained on, on the test split."""
    build, paths, kind, name, other, seeds = job
    stage = stages.Stages(build)
    learn, test = rec.load(paths, "train"), rec.load(paths, "test")
    names = faults.NAMES
    if kind == "fault":
        names = [n for n in names if n != name]
    else:
        learn = [r for r in learn if r.fixture != name]
        test = [r for r in test if r.fixture == name]
    model = Trained(stage, recipe.training_windows(
        learn, share=SHARE, names=names, other=other), "features",
        recipe.HIDDEN, stages.feature_names())
    hits = []
    for seed in seeds:
        windows, _ = recipe.test_windows(test, seed)
        if kind == "fault":
            windows = windows.take(windows.fault == name)
        hits.append((model.scores(windows.x).argmax(1) ==
                     windows.label).mean())
    return kind, name, other, float(np.mean(hits))


def leave_out(build, paths, seeds, fixtures):
    jobs = [(build, paths, "fault", n, o, seeds) for n in faults.NAMES
            for o in (True, False)]
    jobs += [(build, paths, "fixture", n, True, seeds) for n in fixtures]
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        done = list(pool.map(_left_out, jobs))
    return {(k, n, o): value for k, n, o, value in done}


class Contender:
    """One way to classify, and everything measured of it."""

    def __init__(self, name, score):
        self.name, self.score = name, score
        self.runs, self.streams, self.recall = [], [], []
        self.matrix = np.zeros((4, 4))
        self.kept = []

    def window_run(self, windows):
        scores = self.score(windows.x)
        self.runs.append(metrics.evaluate(windows.label, scores))
        self.matrix += metrics.confusion(windows.label, scores.argmax(1))
        guess = scores.argmax(1)
        self.recall.append([
            (guess[windows.fault == n] == rec.ANOMALOUS).mean()
            for n in faults.NAMES])
        self.kept.append((windows.label, scores, windows.source))

    def stream_run(self, found):
        self.streams.append(found.judge(self.score(found.x)[:, rec.ANOMALOUS]))

    def mean(self, key):
        return float(np.mean([r[key] for r in self.runs]))

    def spread(self, key):
        return float(np.std([r[key] for r in self.runs]))

    def intervals(self):
        label, scores, source = (np.concatenate(x) for x in zip(*self.kept))
        return metrics.intervals(label, scores, source,
                                 np.random.default_rng(0))

    def stream_mean(self, key):
        return float(np.nanmean([s[key] for s in self.streams]))


def float_model(stage):
    """The network before it was rounded to int8."""
    kept = np.load(stage.float_path)
    ranges = recipe.Ranges.of(kept["low"], kept["high"])
    layers = range(len([k for k in kept if k.startswith("bias")]))
    weights = [kept["weights_%d" % i] for i in layers]
    biases = [kept["bias_%d" % i] for i in layers]
    return lambda x: network.float_scores(
        weights, biases, ranges.apply(stage.features(x)))


def majority(label):
    def score(x):
        out = np.zeros((len(x), 4))
        out[:, label] = 1
        return out
    return score


def compare(int8, float_, windows):
    """What rounding to int8 changes."""
    a = int8.score(windows.x).argmax(1)
    b = float_.score(windows.x).argmax(1)
    return (a == b).mean()


def draw(out, contenders, stage, recordings):
    pictures.confusions(os.path.join(out, "confusion.png"),
                        [(c.name, c.matrix) for c in contenders])
    # The first run of the split that is long and calm enough for two faults.
    rng = np.random.default_rng(3)
    recording = next(r for r in recordings if len(r.pulses) > 180 and
                     streams.steady(rec.scaled(r, 1.0)[0])[20:130].all())
    flow, quantum = rec.scaled(recording, 1.0)
    flow, spans = flow[None, :170], []
    for name, onset, end in (("hunting", 40, 70), ("blockage", 105, 135)):
        flow = faults.inject(name, rng, flow, [onset], [end],
                             np.array([quantum]))
        spans.append((name, onset, end))
    scores, _ = stage.scores("int8", streams.windows_of(flow[0]))
    pictures.stream(os.path.join(out, "stream.png"), flow[0], scores, spans)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--seeds", default="1 2 3 4 5")
    parser.add_argument("--out")
    parser.add_argument("--quick", action="store_true",
                        help="without the models that leave something out")
    parser.add_argument("recordings", nargs="*", default=["../shared/data"])
    args = parser.parse_args()
    out = args.out or os.path.join(stages.ROOT, args.build, "model/evaluate")
    os.makedirs(out, exist_ok=True)
    seeds = [int(s) for s in args.seeds.split()]
    stage = stages.Stages(args.build)
    test = rec.load(args.recordings, "test")
    learn = rec.load(args.recordings, "train")

    train = recipe.training_windows(learn, share=SHARE)
    print("training the note's network on the note's features")
    note = Trained(stage, train, "spectral", NOTE_HIDDEN)
    same = Trained(stage, train, "features", NOTE_HIDDEN,
                   stages.feature_names())
    contenders = [
        Contender("Weir, int8", lambda x: stage.scores("int8", x)[0]),
        Contender("Weir, float", float_model(stage)),
        Contender("Weir's features, note's network", same.scores),
        Contender("tuned rule", lambda x: stage.scores("rule", x)[0]),
        Contender("note's features and network", note.scores),
        Contender("majority class", majority(
            int(np.bincount(train.label).argmax())))]

    left_out, agreement, anomaly, size = [], [], [], 0
    for seed in seeds:
        print("seed %d" % seed)
        windows, share = recipe.test_windows(test, seed)
        found = streams.Streams(test, np.random.default_rng([11, seed]))
        for c in contenders:
            c.window_run(windows)
            c.stream_run(found)
        left_out.append(share)
        size += len(windows)
        agreement.append(compare(contenders[0], contenders[1], windows))
        score = stage.scores("int8", windows.x)[1]
        limit = stages.anomaly_threshold()
        anomaly.append(((score[windows.label != rec.ANOMALOUS] > limit).mean(),
                        (score[windows.fault != ""] > limit).mean()))

    without = {}
    if not args.quick:
        print("training models that have not seen one fault or fixture")
        without = leave_out(args.build, args.recordings, seeds, sorted(
            {r.fixture for r in test}))
    result = report.Result(seeds, len(test), size, float(np.mean(left_out)),
                           contenders, float(np.mean(agreement)),
                           np.mean(anomaly, 0), without)
    with open(os.path.join(out, "evaluation.md"), "w") as text:
        text.write(report.markdown(result))
    draw(out, [contenders[i] for i in (0, 3, 4)], stage, test)
    print(report.markdown(result))
    print("written: evaluation.md confusion.png stream.png in %s" % out)


if __name__ == "__main__":
    sys.exit(main())
