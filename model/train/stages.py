"""The model's C stages, run as filters: training and evaluation measure the
code that ships, not a second one like it."""

import os
import subprocess

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


class Stages:
    def __init__(self, build):
        self.build = build
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

    def look(self, windows):
        """Of windows of a minute, NaN in front of a short history."""
        return self._filter("flow-features", "look", windows)

    def shape(self, windows):
        return self._filter("flow-features", "shape", windows)

    def spectral(self, windows):
        return self._filter("flow-features", "spectral", windows)

    def scores(self, mode, windows):
        """(scores (n, 4), anomaly (n,) or None) of int8 or rule."""
        windows = np.where(np.isnan(windows), np.float32(-1000), windows)
        out = self._filter("flow-model", mode, windows)
        return out[:, :4], out[:, 4] if out.shape[1] > 4 else None


class Verdict:
    """What the agent makes of scores: states (-1 uncertain), whether the
    level decided, and the two causes that the hint names, by second."""

    CAUSES = ("air", "cavitation", "hunting", "electrical noise",
              "blocked or stopped", "burst or too high", "sensor", "unclear")

    def __init__(self, build, mode="minute"):
        self.command = [os.path.join(ROOT, build, "bin", "flow-verdict"), mode]

    def run(self, flows, scores):
        """flows: a list of (n,); scores: of (n, 4), NaN where there is none
        yet. A list of (n, 4) integers."""
        parts = []
        for flow, score in zip(flows, scores):
            parts.append(np.int32(len(flow)).tobytes())
            parts.append(np.column_stack([flow, score]).astype(
                np.float32).tobytes())
        out = subprocess.run(self.command, input=b"".join(parts),
                             stdout=subprocess.PIPE, check=True).stdout
        said = np.frombuffer(out, np.int32).reshape(-1, 4)
        cuts = np.cumsum([len(f) for f in flows])[:-1]
        return np.split(said, cuts)


def shape_names():
    """In the order of shape.h, which is the one place that lists them."""
    names = []
    with open(os.path.join(ROOT, "plugins/lib/flow/shape.h")) as text:
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
