"""The demo's lines, where there is no terminal for `weir-doctor watch`."""

import time

HEAD = "%8s  %10s  %-10s %6s  %-6s %9s %6s" % (
    "time", "flow L/min", "state", "score", "source", "published", "spool")


def clock(stamp):
    return time.strftime("%H:%M:%S", time.localtime(stamp))


class Table:
    """row() for each sample, change() for each change of the state."""

    def __init__(self, out):
        self.out, self.terminal, self.rows = out, out.isatty(), 0

    def line(self, text):
        print(text, file=self.out, flush=True)

    def head(self, seconds):
        self.line("A simulated Portenta X8 -> collectd -> a local stand-in "
                  "for the Arduino Cloud")
        self.line("%s; Ctrl-C stops it. The first label comes after some "
                  "samples." % ("%d seconds" % seconds if seconds
                                else "without end"))
        self.line("Beside it four days of a filter that clogs pass in fast "
                  "time, for the baseline.")

    def row(self, row):
        if self.terminal:
            return
        if self.rows % 20 == 0:
            self.line(HEAD)
        self.rows += 1
        score = row.get("score")
        self.line("%8s  %10.2f  %-10s %6s  %-6s %9d %6d" % (
            clock(row["time"]), row["flow"], row.get("state", "-"),
            "-" if score is None else "%.2f" % score,
            row.get("source") or "-", row["published"], row["spool"]))

    def change(self, stamp, before, after, row):
        if not self.terminal:
            self.line("%8s  ** %s -> %s (%.2f L/min)" % (
                clock(stamp), before or "start", after, row["flow"]))

    def news(self, day, text):
        """What the baseline notified of its days."""
        if not self.terminal:
            self.line("%8s  ++ %s" % ("day %.1f" % day, text))

    def summary(self, pairs):
        self.line("")
        self.line(", ".join("%s: %s" % p for p in pairs))
