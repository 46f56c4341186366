#!/usr/bin/python3
"""Train the bundled model and write it as C headers.

    train.py --build build [RECORDINGS...]

RECORDINGS: files like weusedto_pulses.csv.gz, or folders with it (default
../shared/data). Only rows of the `train` split are trained on. Rows of the
`validation` split choose the two numbers that are no weights: how sharp the
scores are, and the anomaly threshold. Rows of the `test` split are not read.

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
import faults
import kmeans
import network
import recipe
import recordings as rec
import stages
import streams
import windows

LEVELS = ("min", "max", "mean", "first", "last", "second", "median", "eighth")
TEMPERATURES = (0.8, 0.85, 0.9, 0.95, 1.0, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8,
                2.0)
# The most false alarms per hour of steady flow that a sharper score may cost.
# Far below what is wanted in use: the split has three hours, so that a few
# moments of a few recordings decide.
FALSE_PER_HOUR = 0.25
STREAM_SEEDS = range(101, 107)


def sharpen(net, apply, recordings):
    """The greatest temperature that keeps false alarms below the limit on
    the validation split; the sharper, the sooner an alarm."""
    sets = [streams.Streams(recordings, np.random.default_rng([7, seed]))
            for seed in STREAM_SEEDS]
    inputs = [apply(s.x) for s in sets]
    best = TEMPERATURES[0]
    for temperature in TEMPERATURES:
        form = network.Int8(net, temperature)
        found = [s.judge(form.scores(x)[:, rec.ANOMALOUS])
                 for s, x in zip(sets, inputs)]
        mean = {k: np.mean([f[k] for f in found]) for k in
                ("false_per_hour", "detected", "delay_median")}
        print("  sharpness %.2f: %.2f false alarms/h, %.1f %% detected, "
              "delay %.1f s" % (temperature, mean["false_per_hour"],
                                100 * mean["detected"], mean["delay_median"]))
        if mean["false_per_hour"] <= FALSE_PER_HOUR:
            best = temperature
    return best


def digest(paths):
    total = hashlib.sha256()
    for path in paths:
        path = os.path.join(path, rec.FILE) if os.path.isdir(path) else path
        with open(path, "rb") as data:
            total.update(data.read())
    return total.hexdigest()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--out", default=os.path.join(stages.ROOT, "model"))
    parser.add_argument("--vectors", default=os.path.join(
        stages.ROOT, "tests/unit/model/model_vectors.h"))
    parser.add_argument("recordings", nargs="*", default=["../shared/data"])
    args = parser.parse_args()
    stage = stages.Stages(args.build)
    names = stages.feature_names()
    learn = rec.load(args.recordings, "train")
    choose = rec.load(args.recordings, "validation")

    train = recipe.training_windows(learn)
    print("%d windows from %d recordings and %d simulated loops" % (
        len(train), len(learn), recipe.LOOPS))
    features = stage.features(train.x)
    ranges = recipe.Ranges(features, LEVELS, names)
    inputs = ranges.apply(features)

    def apply(x):
        return ranges.apply(stage.features(x))

    net = recipe.fit(inputs, train.label)
    temperature = sharpen(net, apply, choose)
    int8 = network.Int8(net, temperature)
    weights, biases = network.sharpened(net, temperature)

    check, _ = recipe.test_windows(choose, 0)
    x = apply(check.x)
    for name, scores in (("float", network.float_scores(weights, biases, x)),
                         ("int8", int8.scores(x))):
        print("  validation accuracy, %s: %.4f" % (
            name, (scores.argmax(1) == check.label).mean()))

    normal = inputs[(train.label != rec.ANOMALOUS) & (train.fault == "")]
    clusters = kmeans.fit(normal, names, np.random.default_rng(recipe.SEED))
    usual = clusters.scores(x[check.label != rec.ANOMALOUS])
    threshold = float(np.quantile(usual, 0.99))
    odd = clusters.scores(x[check.fault != ""])
    print("  anomaly above %.3f: 1 %% of normal windows, %.1f %% of faults" % (
        threshold, 100 * (odd > threshold).mean()))

    rule = recipe.tune_rule(train)
    print("  rule: deviation up to %.2f + %.2f of the mean" % rule)

    source = export.Provenance(digest(args.recordings), len(learn),
                               len(train), recipe.SEED)
    export.write_weights(args.out, source, ranges, int8)
    export.write_float(stage.float_path, ranges, weights, biases)
    export.write_clusters(args.out, source, clusters, threshold)
    export.write_rule(args.out, source, rule)
    shown = np.concatenate([np.flatnonzero(check.label == c)[:4]
                            for c in range(4)])
    export.write_vectors(
        args.vectors, source,
        check.x[shown], int8.scores(x[shown]),
        network.float_scores(weights, biases, x[shown]),
        clusters.scores(x[shown]))
    print("written: weights.h clusters.h rule_limits.h in %s" %
          args.out)


if __name__ == "__main__":
    sys.exit(main())
