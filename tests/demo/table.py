"""The demo's live table: coloured on a terminal, plain lines elsewhere."""

import time

BAR_LPM = 20.0  # a full bar
BAR_CELLS = 20
STYLE = {"Normal": "32", "Low": "36", "High": "33", "Anomalous": "1;31"}
HEAD = "%8s  %10s  %-10s %6s  %-6s %9s %6s" % (
    "time", "flow L/min", "state", "score", "source", "published", "spool")
EIGHTHS = " ▏▎▍▌▋▊▉█"


def clock(stamp):
    return time.strftime("%H:%M:%S", time.localtime(stamp))


def bar(flow):
    """A horizontal bar in eighths of a character."""
    cells = max(0.0, min(flow / BAR_LPM, 1.0)) * BAR_CELLS
    part = EIGHTHS[int(cells % 1 * 8)] if cells < BAR_CELLS else ""
    return ("█" * int(cells) + part).ljust(BAR_CELLS)


class Table:
    """row() for each sample, change() for each change of the state."""

    def __init__(self, out):
        self.out, self.terminal, self.rows = out, out.isatty(), 0

    def line(self, text, style=None):
        if style and self.terminal:
            text = "\033[%sm%s\033[0m" % (style, text)
        print(text, file=self.out, flush=True)

    def head(self, seconds):
        self.line("A simulated Portenta X8 -> collectd -> a local stand-in "
                  "for the Arduino Cloud")
        self.line("%s; Ctrl-C stops it. The first window is full after 10 "
                  "samples." % ("%d seconds" % seconds if seconds
                                else "without end"))

    def row(self, row):
        if self.rows % 20 == 0:
            self.line(HEAD, "1")
        self.rows += 1
        state = row.get("state", "-")
        score = row.get("score")
        text = "%8s  %10.2f  %-10s %6s  %-6s %9d %6d" % (
            clock(row["time"]), row["flow"], state,
            "-" if score is None else "%.2f" % score,
            row.get("source") or "-", row["published"], row["spool"])
        if self.terminal:
            text += "  " + bar(row["flow"])
        self.line(text, STYLE.get(state))

    def change(self, stamp, before, after, row):
        self.line("%8s  ** %s -> %s (%.2f L/min)" % (
            clock(stamp), before or "start", after, row["flow"]),
            "7;" + STYLE.get(after, "0"))

    def summary(self, pairs):
        self.line("")
        self.line(", ".join("%s: %s" % p for p in pairs), "1")
