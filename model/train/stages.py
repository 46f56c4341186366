"""The model's C stages, run as filters: training and evaluation measure the
code that ships, not a second one like it."""

import os
import subprocess

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


class Stages:
    def __init__(self, build):
        self.bin = os.path.join(ROOT, build, "bin")
        self.float_path = os.path.join(ROOT, build, "model", "float.npz")

    def _filter(self, program, mode, windows):
        windows = np.ascontiguousarray(windows, np.float32)
        path = os.path.join(self.bin, program)
        if not os.path.exists(path):
            raise SystemExit("%s is missing: use make" % path)
        out = subprocess.run([path, mode], input=windows.tobytes(),
                             stdout=subprocess.PIPE, check=True).stdout
        return np.frombuffer(out, np.float32).reshape(len(windows), -1).copy()

    def features(self, windows):
        return self._filter("flow-features", "features", windows)

    def spectral(self, windows):
        return self._filter("flow-features", "spectral", windows)

    def scores(self, mode, windows):
        """(scores (n, 4), anomaly (n,) or None) of int8 or rule."""
        out = self._filter("flow-model", mode, windows)
        return out[:, :4], out[:, 4] if out.shape[1] > 4 else None


def feature_names():
    """In the order of features.h, which is the one place that lists them."""
    names = []
    with open(os.path.join(ROOT, "model", "features.h")) as text:
        for line in text:
            if line.startswith("  X("):
                names.append(line.split(",")[1].split(")")[0].strip())
    return names


def anomaly_threshold():
    with open(os.path.join(ROOT, "model", "clusters.h")) as text:
        for line in text:
            if line.startswith("#define CLUSTERS_THRESHOLD"):
                return float(line.split()[2].rstrip("f"))
    raise SystemExit("clusters.h has no threshold: run make train")
