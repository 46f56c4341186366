#!/usr/bin/python3
"""`make demo`: the whole pipe on one machine, without hardware.

Starts a simulated Portenta X8 (m4sim), a local stand-in for the Arduino Cloud
(cloudsim.py) and the stock collectd with the plugins and the bundled model. A
scenario with three faults plays; beside it, in fast time, four days of a filter
that clogs. On a terminal `weir-doctor watch` shows what the agent sees;
elsewhere each sample is a line.

DEMO_SECONDS  how long, at least 30 (default 120; 0: until Ctrl-C)
DEMO_DIR      where its files go (default: build/demo)

Exit status 0: everything ran and nothing was lost."""

import collections
import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import days  # noqa: E402
import picture  # noqa: E402
import table  # noqa: E402
import weir  # noqa: E402

DIR = os.path.abspath(os.environ.get("DEMO_DIR",
                                     os.path.join(weir.BUILD, "demo")))
DOCTOR = os.path.join(weir.BUILD, "bin", "weir-doctor")
LOOP_SECONDS = 120  # of the scenario when there is no end
FAULTS = (("blockage", 1.5), ("clogging", 6), ("burst", 15))  # L/min
FED = 0.9  # of the time: until then all the days have passed
STOCK = ("match_regex", "rrdtool", "unixsock")

RRDTOOL = """\
<Plugin rrdtool>
  DataDir "{dir}/rrd"
  StepSize 1
  HeartBeat 5
  RRARows 2400
  RRATimespan 2400
  CacheTimeout 0
</Plugin>
<Plugin unixsock>
  SocketFile "{dir}/unixsock"
</Plugin>
"""
BASELINE = """\
<Report "baseline">
      Meta "flow_baseline:state"
    </Report>"""


class Failure(Exception):
    """One sentence for the user."""


def check_parts():
    needs = ((weir.COLLECTD, "collectd is not installed (collectd-core)"),
             (os.path.join(weir.STOCK_PLUGINDIR, "rrdtool.so"),
              "collectd's rrdtool plugin is not installed (collectd-core)"),
             (weir.EIM, "the model is not built: run make"),
             (os.path.join(weir.BUILD, "bin", "m4sim"),
              "m4sim is not built: run make"),
             (DOCTOR, "weir-doctor is not built: run make"))
    for path, sentence in needs:
        if not os.path.exists(path):
            raise Failure(sentence)
    if not shutil.which("rrdtool"):
        raise Failure("the program rrdtool is not installed (rrdtool)")


def length():
    text = os.environ.get("DEMO_SECONDS", "120")
    try:
        seconds = int(text)
    except ValueError:
        seconds = -1
    if seconds != 0 and not 30 <= seconds <= 86400:
        raise Failure("DEMO_SECONDS is '%s'; allowed: 0 (until Ctrl-C) or 30 "
                      "to 86400" % text)
    return seconds


def fault_times(seconds):
    """(begin, end) of the three faults, in seconds from the first sample.

    The first window is full after 10 s, and a window is clean again 10 s after
    a fault: short runs have short faults, and the last is still on at the end.
    """
    if seconds < 70:
        return [(11, 16), (27, 32), (seconds - 5, seconds)]
    share = (seconds - 18) / 3
    return [(18 + i * share, 18 + (i + 0.5) * share) for i in range(3)]


def scenario(seconds):
    lines = ["nominal 10", "0 flow 10"]
    for (begin, end), (fault, level) in zip(fault_times(seconds), FAULTS):
        lines += ["%.1f %s %g over 1" % (begin, fault, level),
                  "%.1f recover" % end]
    path = os.path.join(DIR, "scenario.txt")
    with open(path, "w") as out:
        out.write("\n".join(lines + ["%d end" % (seconds + 2)]) + "\n")
    return path


def decimal(value):
    """collectd's log and the cloud's differ after the seventh digit."""
    return round(value, 5)


class Demo:
    def __init__(self, seconds):
        self.seconds = seconds
        shutil.rmtree(DIR, ignore_errors=True)
        os.makedirs(DIR)
        self.children, self.viewer, self.days = [], None, None
        self.view = table.Table(sys.stdout)
        self.rows = collections.OrderedDict()  # sample time -> its row
        self.flows, self.windows, self.changes = [], set(), []
        self.state, self.spool, self.stories = None, 0, []

    def start(self, process):
        self.children.append(process)
        return process.start()

    def start_all(self):
        seconds = self.seconds or LOOP_SECONDS
        self.m4 = self.start(weir.M4Sim(
            DIR, "--hold", "--loop", "--scenario", scenario(seconds)))
        self.cloud = self.start(weir.CloudSim(DIR))
        config = (RRDTOOL.format(dir=DIR) + days.block() +
                  weir.m4_block(self.m4.address, interval=1, extra=BASELINE) +
                  weir.chain_block(interval=1) +
                  weir.cloud_block(self.cloud.url,
                                   self.cloud.credentials(DIR),
                                   flow="DeadBand 0\n      MinInterval 0"))
        self.agent = self.start(weir.Collectd(DIR, config, interval=1,
                                              stock=STOCK))
        self.began = time.time()
        self.days = days.Days(self.began)
        self.socket = os.path.join(DIR, "unixsock")
        self.agent.wait_ready()
        weir.wait_until(lambda: os.path.exists(self.socket),
                        "unixsock listens", alive=self.agent)
        self.days.connect(self.socket)

    def watch(self):
        """The live view, as on a board; it owns the terminal until the end."""
        self.viewer = subprocess.Popen([DOCTOR, "watch", self.socket])

    def unwatch(self):
        if self.viewer:
            self.viewer.terminate()
            self.viewer.wait()
        self.viewer = None

    def stop_all(self):
        self.unwatch()
        if self.days:
            self.days.close()
        for child in reversed(self.children):
            child.kill()

    # -- what the agent says -------------------------------------------------
    def take(self, value):
        plugin, kind = value["plugin"], value["type"]
        if plugin == "m4_rpc" and kind == "flow":
            self.flows.append(value["value"])
            self.row(value)["flow"] = value["value"]
        elif plugin == "edge_impulse" and kind == "percent":
            self.windows.add(value["time"])
        elif plugin == "edge_impulse" and kind == "bool":
            self.take_state(value)
        elif plugin == "write_arduino_cloud" and kind == "queue_length":
            self.spool = int(value["value"])
        elif plugin == "flow_baseline":
            self.days.take(value)

    def row(self, value):
        """The row of this time stamp; flow and state come in any order."""
        return self.rows.setdefault(value["time"], {"time": value["time"]})

    def take_state(self, value):
        if value["type_instance"] == "up" or not value["value"]:
            return
        row = self.row(value)
        row["state"] = value["type_instance"]
        row["score"] = value["meta"].get("edge_impulse:score")
        row["source"] = value["meta"].get("edge_impulse:source")

    def show(self, last=False):
        """Print rows that are complete: classified, or followed by another."""
        published = len(self.cloud.values())
        for stamp in sorted(self.rows):
            row = self.rows[stamp]
            newest = stamp == max(self.rows)
            if "flow" not in row or ("state" not in row and newest
                                     and not last):
                break
            row.update(published=published, spool=self.spool)
            self.view.row(row)
            if row.get("state", self.state) != self.state:
                self.changes.append((stamp, self.state, row["state"]))
                self.view.change(stamp, self.state, row["state"], row)
                self.state = row["state"]
            del self.rows[stamp]

    def poll(self):
        seen = getattr(self, "seen", 0)
        values = self.agent.values()
        for value in values[seen:]:
            self.take(value)
        self.seen = len(values)
        for day, text in self.days.news(self.agent.log_path):
            self.view.news(day, text)
            self.stories.append((day, text))
        for child in self.children:
            if child.poll() is not None:
                raise Failure("%s ended by itself:\n%s"
                              % (child.name, child.tail(8)))
        self.show()

    def run(self):
        self.view.head(self.seconds)
        if self.view.terminal:
            self.watch()
        end = self.began + (self.seconds or float("inf"))
        whole = FED * (self.seconds or LOOP_SECONDS)
        while time.time() < end:
            self.days.feed((time.time() - self.began) / whole)
            self.poll()
            time.sleep(0.1)

    # -- the end -------------------------------------------------------------
    def lost(self):
        """Values the agent read or decided that the cloud does not have."""
        got = collections.Counter(
            decimal(v["value"]) for v in self.cloud.values(
                property="flow_rate"))
        had = collections.Counter(map(decimal, self.flows))
        missing = sum((had - got).values())
        told = [v["value"] for v in
                self.cloud.values(property="classification")]
        for _, _, state in self.changes:
            if state in told:
                told = told[told.index(state) + 1:]
            else:
                missing += 1
        return missing

    def faults(self):
        """(name, begin, end) of what the simulated M4 says it did."""
        found = []
        for call in weir.read_jsonl(os.path.join(DIR, "m4sim-calls.jsonl")):
            name, at = call.get("truth"), call["t"]
            if name not in picture.STRIPS:
                name = None
            if found and found[-1][0] == name:
                found[-1][2] = at
            else:
                found.append([name, at, at])
        return [f for f in found if f[0]]

    def finish(self):
        """No more samples; what was read is published; the agent ends."""
        self.unwatch()
        self.children.remove(self.m4)
        self.m4.stop()
        deadline = time.monotonic() + 15
        while ((self.poll() or self.lost() or not self.days.is_whole())
               and time.monotonic() < deadline):
            self.days.feed(1)
            time.sleep(0.1)
        self.days.close()
        self.show(last=True)
        self.children.remove(self.agent)
        self.agent.stop()
        lost = self.lost()
        self.view.summary([
            ("samples", len(self.flows)), ("windows", len(self.windows)),
            ("state changes", len(self.changes)),
            ("values published", len(self.cloud.values())),
            ("lost", lost or "none")])
        for day, text in self.stories if self.view.terminal else ():
            self.view.line("day %.1f: %s" % (day, text))
        path = picture.draw(DIR, int(self.began), int(time.time()),
                            self.faults(), self.days)
        self.view.line("picture: " + os.path.relpath(path, weir.ROOT))
        if lost or not self.flows or not self.windows:
            raise Failure("%d values were lost; see %s" % (lost, DIR))


def main():
    demo = None
    for number in (signal.SIGINT, signal.SIGTERM):  # also where ignored
        signal.signal(number, signal.default_int_handler)
    try:
        check_parts()
        demo = Demo(length())
        demo.start_all()
        demo.run()
        demo.finish()
        return 0
    except KeyboardInterrupt:
        print("\nstopped", flush=True)
        return 130
    except (Failure, AssertionError, OSError) as err:
        print("demo: %s" % err, file=sys.stderr)
        return 1
    finally:
        if demo:
            demo.stop_all()


if __name__ == "__main__":
    sys.exit(main())
