"""make soak: the real daemon for a long time, and whether it grows.

SECONDS (3600) of flow, ten samples a second with INTERVAL=0.1: 24 hours at one
a second are 8640 s of it. Parameters are those of the examples: `make soak
INTERVAL=1` is the real hour. Every few seconds memory and descriptors of
collectd and of its model are read; what they did in the first third does not
count. Then a line through the rest, with the interval in which its slope lies
to 95 per cent: it has to hold 0, or less than what a year could bear.

SAN as in chaos.py is not meant for this: sanitizers keep memory."""

import os
import shutil
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
BEARABLE = 0.75
HOURS = 86400.0


def memory(pid):
    """Private and dirty: what only this process needs."""
    with open("/proc/%d/smaps_rollup" % pid) as text:
        return sum(int(line.split()[1]) * 1024 for line in text
                   if line.startswith(("Private_Dirty:", "Anonymous:"))) // 2


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
        self.dir = os.path.join(weir.BUILD, "soak")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.table = open(os.path.join(self.dir, "points"), "w")
        self.m4 = weir.M4Sim(
            self.dir, "--scenario", self.scenario(), "--loop", "--calls",
            "/dev/null").start()
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
        self.agent.start().wait_ready()

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
                    "</Rule>" % INTERVAL)
        text = weir.chain_block(interval=INTERVAL)
        return "LoadPlugin target_flow_baseline\n" + text.replace(
            "</Rule>", baseline)

    def quiet(self):
        """write_log prints each value, which is not what runs for years."""
        with open(self.agent.config_path) as text:
            config = text.read()
        config = config.replace("LoadPlugin write_log\n", "").replace(
            "<Plugin write_log>\n  Format JSON\n</Plugin>\n", "")
        if PLANT == "leak":
            config += ('PluginDir "%s"\nLoadPlugin python\n<Plugin python>\n'
                       'ModulePath "%s"\nImport "leaky"\n</Plugin>\n' % (
                           weir.STOCK_PLUGINDIR, self.dir))
            with open(os.path.join(self.dir, "leaky.py"), "w") as out:
                out.write("import collectd\nkept = []\ndef leak():\n"
                          "    kept.append(bytearray(20000))\n"
                          "    kept.append(open('/dev/null'))\n"
                          "collectd.register_read(leak, 1)\n")
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
            if at < SECONDS / 3:
                continue
            self.look(points, at)
        return points

    def look(self, points, at):
        pids = {"collectd": self.agent.pid}
        for pid in edgecase.children_named(self.agent.pid, "flow.eim"):
            pids["model"] = pid
        for name, pid in pids.items():
            for what, value in (("bytes", memory(pid)),
                                ("descriptors", descriptors(pid))):
                points.setdefault("%s, %s" % (name, what), []).append(
                    (at, value))
                self.table.write("%.0f %s %s %d\n" % (at, name, what, value))

    def close(self):
        self.table.close()
        for process in (self.agent, self.m4, self.cloud):
            process.kill()


def judge(points):
    faults = 0
    for name, series in sorted(points.items()):
        slope, half = (x * INTERVAL for x in line(series))
        bearable = BEARABLE if name.endswith("bytes") else 0.0
        grows = slope - half > bearable
        faults += grows
        print("%-4s %-22s %9.0f to %9.0f, %+.4f +- %.4f a sample, "
              "%+.0f +- %.0f a day at 1 Hz" % (
                  "FAIL" if grows else "ok", name, series[0][1], series[-1][1],
                  slope, half, slope * HOURS, half * HOURS))
    return faults


def main():
    print("soak: %g s, %.1f hours at one sample a second%s" % (
        SECONDS, SECONDS / INTERVAL / 3600, ", PLANT=" + PLANT if PLANT
        else ""), flush=True)
    soak = Soak()
    try:
        points = soak.watch()
        soak.agent.stop()
    finally:
        soak.close()
    faults = judge(points)
    print("counted %d %d 0" % (len(points) - faults, faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
