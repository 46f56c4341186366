#!/usr/bin/python3
"""What recordings of one's own are worth: a model that has only seen simulated
flow, and 0, 60, 200, 1 000 ... windows of the recordings beside it, judged on
recordings that it has not seen.

    curve.py --build build [RECORDINGS...]"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys

import numpy as np

import own
import recipe
import recordings as rec
import rows as R
import stages

SIMULATED, EPOCHS = 1500, 8
WINDOWS = (0, 60, 200, 1000, 5000)


def some_of(recordings, rng, windows):
    """Recordings until there are so many windows, as own.py would load
    them."""
    found, n = [], 0
    for i in rng.permutation(len(recordings)):
        if n >= windows:
            break
        flow, _ = rec.scaled(recordings[i], rec.draw_level(rng))
        flow = flow[:windows - n + rec.SAMPLES - 1]
        found.append(own.Own("", flow, np.zeros(len(flow), int)))
        n += len(flow) - rec.SAMPLES + 1
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("recordings", nargs="*", default=["../shared/data"])
    args = parser.parse_args()
    stage = stages.Stages(args.build)
    learn = rec.load(args.recordings, "train")
    judge = rec.load(args.recordings, "validation")
    rng = np.random.default_rng(5)
    check = recipe.Examples(recipe.training_rows(judge, rng, 600), rng, stage)
    real = (check.source >= 0) & (check.weight == 1)
    print("| windows of your own | right kind, % | faults taken for clean, % | "
          "clean taken for a fault, % |\n|---:|---:|---:|---:|")
    for windows in WINDOWS:
        rng = np.random.default_rng(7)
        rows = recipe.training_rows([], rng, SIMULATED)
        if windows:
            rows = R.Rows.join([rows, recipe.own_rows(
                some_of(learn, rng, windows), 0.4, rng, 0.5, len(rows))])
        train = recipe.Examples(rows, rng, stage)
        ranges = recipe.Ranges.of(train.look, 8)
        net = recipe.fit(ranges.apply(train.look), train.kind, train.weight,
                         epochs=EPOCHS, rounded_epochs=0)
        kind = net.scores(ranges.apply(check.look[real])).argmax(1)
        true = check.kind[real]
        clean = true == R.CLEAN
        print("| %d | %.1f | %.1f | %.1f |" % (
            windows, 100 * (kind == true).mean(),
            100 * (kind[~clean] == R.CLEAN).mean(),
            100 * (kind[clean] != R.CLEAN).mean()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
