"""The demo's fourth part: four days of a filter that clogs, in fast time.

One reading a minute goes through the same agent, but into the target
flow_baseline, which goes by the time of the samples. What it says of them is
kept for the picture, and its notifications become lines."""

import math
import os
import random
import re
import socket

import weir

DAY = 86400
STEP = 60  # seconds of a reading
SHOW = 900  # seconds between two values of the target
LENGTH = 4 * DAY
CLOGS, CLEANED = 1.5 * DAY, 3.25 * DAY
RATE = 0.06  # of the flow, a day
NORMAL = 10.0  # L/min

# The readings end here: they are no readings of this pump.
CHAIN = """\
WriteThreads 1
LoadPlugin target_flow_baseline
<Chain "PreCache">
  <Rule "days">
    <Match "regex">
      Plugin "^days$"
    </Match>
    <Target "flow_baseline">
      Nominal %g
      Interval %d
      StaleAfter 86400
    </Target>
    Target "stop"
  </Rule>
</Chain>
""" % (NORMAL, SHOW)


def flow(second, noise):
    """Pressure wanders by half a per cent within a day; the filter clogs."""
    level = NORMAL * (1 + 0.005 * math.sin(2 * math.pi * second / DAY))
    if CLOGS <= second < CLEANED:
        level *= 1 - RATE * (second - CLOGS) / DAY
    return level * (1 + noise.gauss(0, 0.002))


class Days:
    def __init__(self, now):
        self.start = int(now) - LENGTH
        self.noise, self.fed, self.told = random.Random(1), 0, 0
        self.read = 0  # bytes of the agent's log
        self.flows = []  # (second, L/min)
        self.rows = {}  # second -> {"baseline": ..., "drift": ...}
        self.link = self.stream = None

    def connect(self, path):
        near = os.path.relpath(path)  # sun_path is short
        self.link = socket.socket(socket.AF_UNIX)
        self.link.connect(near if len(near) < len(path) else path)
        self.stream = self.link.makefile("rw")

    def close(self):
        """collectd of Debian 13 does not end while this stays open."""
        if self.stream:
            self.stream.close()
            self.link.close()
        self.stream = self.link = None

    def feed(self, share):
        """Readings up to this share of all days, but no chapter begins before
        the one before it was told."""
        chapters = (CLOGS, CLEANED, LENGTH)
        end = min(LENGTH * share, chapters[min(self.told, 2)])
        lines = 0
        while self.fed + STEP <= end:
            self.fed += STEP
            self.flows.append((self.fed, flow(self.fed, self.noise)))
            self.stream.write(
                "PUTVAL testhost/days-pump/flow-flow_rate interval=%d %d:%.4f"
                "\n" % (STEP, self.start + self.fed, self.flows[-1][1]))
            lines += 1
        self.stream.flush()
        for _ in range(lines):
            reply = self.stream.readline()
            if not reply.startswith("0 "):
                raise OSError("collectd refused a reading: %s" % reply)

    def take(self, value):
        name = "%s-%s" % (value["type"], value["type_instance"])
        second = round(value["time"]) - self.start
        self.rows.setdefault(second, {})[name] = value["value"]

    def is_whole(self):
        """Everything was fed, and the newest value of the target came."""
        return self.fed == LENGTH and max(self.rows, default=0) > LENGTH - SHOW

    def day(self):
        return 1 + self.fed / DAY

    def news(self, path):
        """(day, text) of what the target notified since the last time, from
        the agent's log."""
        with open(path, "rb") as log:
            log.seek(self.read)
            text = log.read()
        end = text.rfind(b"\n") + 1
        self.read += end
        new = re.findall(r"Notification: .*plugin = flow_baseline,.*"
                         r"message = \w+: (.*)",
                         text[:end].decode(errors="replace"))
        self.told += len(new)
        return [(self.day(), t) for t in new]


def block():
    return 'PluginDir "%s"\n%s' % (weir.PLUGINDIR, CHAIN)
