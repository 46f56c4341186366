"""make soak: the real daemon for a long time, and whether it grows.

SECONDS (3600) of flow, ten samples a second with INTERVAL=0.1; with 0.02 and
1728 s they are those of 24 hours at one a second, `make soak INTERVAL=1` is the
real hour. Parameters are otherwise those of the examples.

Looked at: what collectd has on its heap, to the byte (heap.c counts it), pages
beside the heap and pages of its model, descriptors. What they did in the first
third does not count: a window, a table, the pages of SQLite fill up. Through the
rest goes a line, with the interval in which its slope lies to 95 per cent; a
slope that is above what a year could bear with all of that interval is a failure.

The heap tells a leak of a byte or two a sample within minutes. Pages beside it
are above all stacks, which get their depth on paths that few hours see; a short
run says so and does not judge them. Pages of the heap grow for hours while what
is in use stays the same to the byte: the C library keeps blocks for each thread,
and holes between others. That has an end, but no line; so they have a ceiling,
FRAGMENTED times what is in use. PLANT=leak leaks 24 bytes for every ten samples,
PLANT=descriptors one of those for every hundred: the run has to be red.

SAN as in chaos.py is not meant for this: sanitizers keep memory."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import edgecase  # noqa: E402
import weir  # noqa: E402

SECONDS = float(os.environ.get("SECONDS") or 3600)
INTERVAL = float(os.environ.get("INTERVAL") or 0.1)
PLANT = os.environ.get("PLANT", "")
SAMPLES = 600
# Bytes for each sample of flow: at one a second 24 MB in a year, which a board
# of 2 GB bears. A leak of a block for each sample is 32 or more.
BEARABLE = {"heap": 0.1, "pages": 0.75, "descriptors": 0.0}
FRAGMENTED = 1.5
HOURS = 86400.0
# Below this pages have not had the time.
PAGES_NEED = 1700.0
LEAKY = """\
import collectd, ctypes
kept, malloc = [], ctypes.CDLL(None).malloc
def leak():
    if "%s" == "leak":
        malloc(24)
    else:
        kept.append(open("/dev/null"))
collectd.register_read(leak, %g)
"""


def pages(pid):
    """Bytes of pages that only this process has: of the heap, and others."""
    heap_pages, others, name = 0, 0, ""
    with open("/proc/%d/smaps" % pid) as text:
        for row in text:
            words = row.split()
            if not words[0].endswith(":"):
                name = words[-1]
            elif words[0] == "Anonymous:" and name == "[heap]":
                heap_pages += int(words[1]) * 1024
            elif words[0] == "Anonymous:":
                others += int(words[1]) * 1024
    return heap_pages, others


def heap(path):
    """Bytes; the least of some looks, so that what waits just now in a request
    or a reply is not among them."""
    least = None
    for _ in range(5):
        with open(path, "rb") as count:
            now = int.from_bytes(count.read(8), "little", signed=True)
        least = now if least is None else min(now, least)
        time.sleep(0.05)
    return least


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def line(points):
    """Slope of a line through (x, y), and half of its interval (95 %). What
    follows on each other is not independent: as many points count as
    there are changes of sign around the line."""
    n = len(points)
    mx = sum(x for x, _ in points) / n
    my = sum(y for _, y in points) / n
    sxx = sum((x - mx) ** 2 for x, _ in points)
    slope = sum((x - mx) * (y - my) for x, y in points) / sxx
    rest = [y - my - slope * (x - mx) for x, y in points]
    turns = sum(a * b < 0 for a, b in zip(rest, rest[1:]))
    free = max(4, min(n, turns + 2)) - 2
    sigma = (sum(r * r for r in rest) / max(1, n - 2)) ** 0.5
    spread = sigma / sxx ** 0.5 * (n / (free + 2)) ** 0.5
    # Student's t for 95 %, as near as is needed.
    return slope, spread * (1.96 + 2.4 / free + 5.0 / free ** 2)


class Soak:
    def __init__(self):
        self.dir = os.path.join(weir.BUILD, "soak-%g" % INTERVAL)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.table = open(os.path.join(self.dir, "points"), "w")
        self.control = os.path.join(self.dir, "control")
        self.m4 = weir.M4Sim(
            self.dir, "--scenario", self.scenario(), "--loop", "--calls",
            "/dev/null", "--control", self.control).start()
        self.cloud = weir.CloudSim(self.dir).start()
        self.cloud.record_path = self.cloud.request_path = os.devnull
        self.agent = weir.Collectd(
            self.dir, weir.m4_block(self.m4.address, interval=INTERVAL,
                                    extra='LockDirectory "%s"' % self.dir) +
            self.chain() + weir.cloud_block(
                self.cloud.url, self.cloud.credentials(self.dir),
                extra="DailyRecords 0\nRateLimit 10",
                flow="MinInterval %g" % (10 * INTERVAL)), interval=10)
        self.quiet()
        # One arena: of a dozen, one for each thread, pages are touched for hours
        # before each has had all that it ever will.
        self.agent.env["GLIBC_TUNABLES"] = "glibc.malloc.arena_max=1"
        self.count_heap()
        self.agent.start().wait_ready()

    def count_heap(self):
        shim = os.path.join(self.dir, "heap.so")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", shim,
                        os.path.join(HERE, "heap.c")], check=True)
        self.heap = os.path.join(self.dir, "heap")
        self.agent.env.update(LD_PRELOAD=shim, HEAP_COUNT=self.heap)

    def scenario(self):
        """Set points, stops and faults by turns, as a plant has them; all of
        them several times before it counts."""
        path = os.path.join(self.dir, "day.scenario")
        with open(path, "w") as out:
            out.write("0 flow 10\n20 flow 7 over 2\n40 flow 10 over 2\n"
                      "50 blockage 2 over 1\n55 recover\n65 pump_stop\n"
                      "70 recover\n75 air 0.5\n80 recover\n100 end\n")
        return path

    @staticmethod
    def chain():
        baseline = ('<Target "flow_baseline">\nInterval %g\n</Target>\n'
                    "</Rule>" % max(0.1, INTERVAL))  # which is its least
        text = weir.chain_block(interval=INTERVAL)
        return "LoadPlugin target_flow_baseline\n" + text.replace(
            "</Rule>", baseline)

    def quiet(self):
        """write_log prints each value, which is not what runs for years."""
        with open(self.agent.config_path) as text:
            config = text.read()
        config = config.replace("LoadPlugin write_log\n", "").replace(
            "<Plugin write_log>\n  Format JSON\n</Plugin>\n", "")
        if PLANT:
            config += ('PluginDir "%s"\nLoadPlugin python\n<Plugin python>\n'
                       'ModulePath "%s"\nImport "leaky"\n</Plugin>\n' % (
                           weir.STOCK_PLUGINDIR, self.dir))
            with open(os.path.join(self.dir, "leaky.py"), "w") as out:
                out.write(LEAKY % (PLANT, INTERVAL * (
                    10 if PLANT == "leak" else 100)))
        with open(self.agent.config_path, "w") as out:
            out.write(config)

    def watch(self):
        points = {}
        began = time.monotonic()
        step = max(1.0, SECONDS / SAMPLES)
        while time.monotonic() - began < SECONDS:
            time.sleep(step)
            if self.agent.poll() is not None:
                raise AssertionError("collectd ended\n" + self.agent.tail())
            at = time.monotonic() - began
            # All of it is in the table; what counts is the rest.
            self.look({} if at < SECONDS / 3 else points, at)
        return points

    def look(self, points, at):
        self.note(points, at, "collectd, heap", heap(self.heap))
        pids = {"collectd": self.agent.pid}
        for pid in edgecase.children_named(self.agent.pid, "flow.eim"):
            pids["model"] = pid
        for name, pid in pids.items():
            of_heap, others = pages(pid)
            if name == "collectd":
                self.note(points, at, name + ", pages of the heap", of_heap)
            else:  # what of it is in use is not counted
                others += of_heap
            self.note(points, at, name + ", pages", others)
            self.note(points, at, name + ", descriptors", descriptors(pid))

    def samples(self):
        """How often the M4 was asked, and said something."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(self.control)
            peer.sendall(b"status\n")
            with peer.makefile() as lines:
                return json.loads(lines.readline())["answered"]

    def note(self, points, at, name, value):
        points.setdefault(name, []).append((at, value))
        self.table.write("%.0f %s %d\n" % (at, name, value))
        self.table.flush()

    def close(self):
        self.table.close()
        for process in (self.agent, self.m4, self.cloud):
            process.kill()


def slope_fault(name, series):
    """Prints the line; whether it grows; None: not judged."""
    slope, half = (x * INTERVAL for x in line(series))
    bearable = BEARABLE[name.rpartition(" ")[2]]
    grows = slope - half > bearable
    if name.endswith("pages") and SECONDS < PAGES_NEED:
        grows = None
    print("%-4s %-27s %9.0f to %9.0f, %+.4f +- %.4f a sample, "
          "%+.0f +- %.0f a day at 1 Hz" % (
              {None: "-", True: "FAIL", False: "ok"}[grows], name,
              series[0][1], series[-1][1], slope, half, slope * HOURS,
              half * HOURS))
    return grows


def ceiling_fault(name, series, used):
    most = max(y for _, y in series)
    above = most > FRAGMENTED * used
    print("%-4s %-27s %9.0f to %9.0f, at most %.2f times what is in use" % (
        "FAIL" if above else "ok", name, series[0][1], series[-1][1],
        most / used))
    return above


def judge(points):
    """The number that was judged, and that of those which grow."""
    used = min(y for _, y in points["collectd, heap"])
    found = [ceiling_fault(name, series, used) if name.endswith("the heap")
             else slope_fault(name, series)
             for name, series in sorted(points.items())]
    if None in found:
        print("NOTICE pages are not judged below %g s" % PAGES_NEED)
    return sum(x is not None for x in found), sum(bool(x) for x in found)


def main():
    print("soak: %g s, %.1f hours at one sample a second%s" % (
        SECONDS, SECONDS / INTERVAL / 3600, ", PLANT=" + PLANT if PLANT
        else ""), flush=True)
    soak = Soak()
    try:
        points = soak.watch()
        samples = soak.samples()
        soak.agent.stop()
    finally:
        soak.close()
    judged, faults = judge(points)
    enough = samples > 0.8 * SECONDS / INTERVAL
    print("%-4s %d samples came, %d were due" % (
        "ok" if enough else "FAIL", samples, SECONDS / INTERVAL))
    judged, faults = judged + 1, faults + (not enough)
    print("counted %d %d 0" % (judged - faults, faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
