"""The pictures of an evaluation."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

import recordings as rec

plt.rcParams["svg.hashsalt"] = "weir"
COLOURS = {"Anomalous": "#c0392b", "High": "#e67e22", "Low": "#2980b9",
           "Normal": "#27ae60"}


def confusions(path, matrices):
    """matrices: [(title, 4 x 4 counts)], true classes in the rows."""
    figure, axes = plt.subplots(1, len(matrices), squeeze=False, figsize=(
        4.1 * len(matrices), 4.3), layout="constrained")
    axes = axes[0]
    for axis, (title, matrix) in zip(axes, matrices):
        share = matrix / matrix.sum(1, keepdims=True)
        axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for i in range(4):
            for j in range(4):
                axis.text(j, i, "%.1f" % (100 * share[i, j]), ha="center",
                          va="center", fontsize=11,
                          color="white" if share[i, j] > 0.5 else "black")
        accuracy = np.trace(matrix) / matrix.sum()
        axis.set_title("%s\naccuracy %.1f %%" % (title, 100 * accuracy),
                       fontsize=11)
        axis.set_xticks(range(4), rec.LABELS, rotation=30)
        axis.set_yticks(range(4), rec.LABELS)
        axis.set_xlabel("classified as, % of the row")
    axes[0].set_ylabel("true state")
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def stream(path, flow, scores, state, spans):
    """One recording, with spans of (name, onset, end) in which something was
    done to it: the flow, the scores, and the state that the agent shows."""
    first = rec.SAMPLES - 1
    seconds = np.arange(len(flow))
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(11, 5.2), sharex=True, layout="constrained",
        gridspec_kw={"height_ratios": [3, 2]})
    for c, label in enumerate(rec.LABELS):
        for n, at in enumerate(np.flatnonzero(state == c) + first):
            top.axvspan(at - 0.5, at + 0.5, color=COLOURS[label], alpha=0.18,
                        linewidth=0, label="_" * (n > 0) + label)
    top.plot(seconds, flow, color="black", linewidth=1.2, drawstyle="steps-mid")
    for edge in rec.EDGES:
        top.axhline(edge, color="grey", linewidth=0.6, linestyle=":")
    for axis in (top, bottom):
        for _, onset, end in spans:
            axis.axvline(onset, color="black", linestyle="--", linewidth=0.9)
            axis.axvline(end, color="black", linestyle="--", linewidth=0.9)
    height = max(17, flow.max() * 1.15)
    for name, onset, end in spans:
        top.text((onset + end) / 2, height * 0.93, name, ha="center")
    top.set_ylim(0, height)
    top.set_ylabel("flow, L/min\n(nominal = 10)")
    top.set_title("The colour is the state that the agent shows in that second",
                  fontsize=11)
    top.legend(loc="lower left", ncol=4, fontsize=9, framealpha=0.9)
    for c, label in enumerate(rec.LABELS):
        bottom.plot(seconds[first:], scores[:, c], color=COLOURS[label],
                    linewidth=1.3)
    up = state == rec.ANOMALOUS
    bottom.fill_between(seconds[first:], 0, 1, where=up, step="mid",
                        color=COLOURS["Anomalous"], alpha=0.15, linewidth=0)
    bottom.axhline(0.6, color="grey", linewidth=0.6, linestyle=":")
    bottom.set_ylabel("scores; shaded:\nthe alarm stands")
    bottom.set_xlabel("seconds")
    bottom.set_ylim(0, 1.02)
    bottom.set_xlim(0, len(flow) - 1)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
