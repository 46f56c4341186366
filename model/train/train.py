#!/usr/bin/python3
"""Train the bundled model and write it as C headers.

    train.py --build build [RECORDINGS...]

RECORDINGS: files like weusedto_pulses.csv.gz, or folders with it (default
../shared/data); and files and folders of one's own loop, see own.py. Only rows of the `train` split are trained on. Rows of the
`validation` split choose the two numbers that are no weights: how much clean
flow is favoured, and the anomaly threshold. Rows of the `test` split are not read.

The same recordings give the same bytes: seeds are fixed, and numpy is kept to
instructions that every x86-64 of the last ten years has."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")
os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", "AVX512F AVX512CD "
                      "AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL")

import argparse
import hashlib
import sys
import warnings

warnings.simplefilter("ignore", ImportWarning)  # a CPU without AVX-512

import numpy as np

import export
import kmeans
import network
import own
import recipe
import recordings as rec
import rows as R
import stages
import streams

LEVELS, SHAPE = 8, 23  # of the features: in L/min, and of ten seconds
OWN_SHARE = 0.2  # of the training, for recordings of one's own
# The most truly false alarms per hour of use, and of moves one upon the other,
# on the validation split; within that, what finds faults soonest.
FALSE_IN_USE, FALSE_IN_MOVES = 0.9, 0.65
FAVOURS = np.arange(-1.0, 3.01, 0.25)


def choose_favour(net, apply, recordings):
    """How much the logit of clean flow is raised: the least that keeps truly
    false alarms below the limit on the validation split."""
    rng = np.random.default_rng([7, recipe.SEED])
    found = streams.uses(recordings, rng, 3) + streams.moves(rng, 600)
    x, slices = streams.windows(found)
    inputs, best = apply(x), None
    for favour in FAVOURS:
        fault = 1 - network.Int8(net, favour).scores(inputs)[:, 0]
        c = streams.Count(found, [streams.guess_alarms(s.flow, fault[part])
                                  for s, part in zip(found, slices)])
        print("  favour %+.2f: per hour steady %.2f, use %.2f, moves %.2f; "
              "detected %.1f %%, delay %.1f, median %.0f, p90 %.0f s, missed %s" % (
                  favour, c.per_hour("steady"), c.per_hour("use"),
                  c.per_hour("move"), 100 * c.detected(), np.mean(c.delays), c.delay(50),
                  c.delay(90), c.missed))
        if (best is None and c.per_hour("use") <= FALSE_IN_USE and
                c.per_hour("move") <= FALSE_IN_MOVES):
            best = favour
    return FAVOURS[-1] if best is None else best


def files_of(path):
    if not os.path.isdir(path):
        return [path]
    if not own.is_own(path):
        return [os.path.join(path, rec.FILE)]
    return [os.path.join(path, name) for name in sorted(os.listdir(path))
            if os.path.isfile(os.path.join(path, name))]


def digest(paths):
    total = hashlib.sha256()
    for path in paths:
        for name in files_of(path):
            with open(name, "rb") as data:
                total.update(data.read())
    return total.hexdigest()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--out", default=os.path.join(stages.ROOT, "model"))
    parser.add_argument("--lib", default=os.path.join(
        stages.ROOT, "plugins/lib/flow"))
    parser.add_argument("--vectors", default=os.path.join(
        stages.ROOT, "tests/unit/model/model_vectors.h"))
    parser.add_argument("--nominal", type=float, default=10.0,
                        help="of one's own loop, L/min")
    parser.add_argument("--pulses", type=float, default=450.0,
                        help="of one's own sensor, for each litre")
    parser.add_argument("recordings", nargs="*", default=["../shared/data"])
    args = parser.parse_args()
    stage = stages.Stages(args.build)
    base = [p for p in args.recordings if not own.is_own(p)]
    owns = [o for p in args.recordings if own.is_own(p)
            for o in own.load(p, args.nominal)]
    learn = rec.load(base, "train") if base else []
    choose = rec.load(base, "validation") if base else []
    if owns:
        print(own.advise(owns))

    rng = np.random.default_rng(recipe.SEED)
    rows = recipe.training_rows(learn, rng)
    if owns:
        rows = R.Rows.join([rows, recipe.own_rows(
            owns, 600 / args.pulses / args.nominal, rng, OWN_SHARE,
            len(rows))])
    train = recipe.Examples(rows, rng, stage)
    print("%d windows from %d recordings and simulated loops" % (
        len(train), len(learn)))
    ranges = recipe.Ranges.of(train.look, LEVELS)
    inputs = ranges.apply(train.look)

    def apply(x):
        return ranges.apply(stage.look(x))

    net = recipe.fit(inputs, train.kind, train.weight)
    favour = choose_favour(net, apply, choose) if choose else 0.0
    int8 = network.Int8(net, favour)
    weights, biases = network.favoured(net, favour)

    check = recipe.Examples(recipe.training_rows(choose, rng, 1000), rng,
                            stage)
    x = ranges.apply(check.look)
    for name, scores in (("float", network.float_scores(weights, biases, x)),
                         ("int8", int8.scores(x))):
        good = check.weight == 1
        print("  validation, right kind, %s: %.4f" % (
            name, (scores.argmax(1) == check.kind)[good].mean()))

    normal = (train.kind == R.CLEAN) & (train.weight == 1)
    clusters = kmeans.fit(inputs[normal][:, :SHAPE], stages.shape_names(), rng)
    calm = (check.kind == R.CLEAN) & (check.weight == 1)
    usual = clusters.scores(x[calm][:, :SHAPE])
    threshold = float(np.quantile(usual, 0.99))
    odd = clusters.scores(x[check.kind != R.CLEAN][:, :SHAPE])
    print("  anomaly above %.3f: 1 %% of normal windows, %.1f %% of faults" % (
        threshold, 100 * (odd > threshold).mean()))

    label = np.where(train.kind == R.CLEAN, rec.state_of(train.level),
                     rec.ANOMALOUS)
    sure = (train.weight == 1) & ~rec.near_edge(train.level)
    rule = recipe.tune_rule(train.window[sure][:, -10:], label[sure])
    print("  rule: deviation up to %.2f + %.2f of the mean" % rule)

    source = export.Provenance(digest(args.recordings), len(learn),
                               len(train), recipe.SEED, own.windows(owns))
    export.write_weights(os.path.join(args.lib, "nature_weights.h"), source,
                         ranges, int8)
    export.write_float(stage.float_path, ranges, weights, biases)
    export.write_clusters(args.out, source, clusters, threshold)
    export.write_rule(args.out, source, rule)
    shown = np.concatenate([np.flatnonzero(check.kind == c)[:4]
                            for c in range(len(R.KINDS))])
    export.write_vectors(
        args.vectors, source, check.window[shown], int8.scores(x[shown]),
        network.float_scores(weights, biases, x[shown]),
        clusters.scores(x[shown][:, :SHAPE]))
    print("written: nature_weights.h, clusters.h, rule_limits.h")


if __name__ == "__main__":
    sys.exit(main())
