"""`make bench-hub`: boards send with the network plugin, and one collectd
classifies all of their series at 1 Hz through one `.eim`.

BENCH_HUB (100 1000 5000 10000) series, BENCH_SECONDS (30) each, behind the time
in which a window fills. What is sent is a steady flow as a YF-S201 counts it,
spread over the second. For each number of series one line:

    CPU     of collectd and of the model, of one core
    RSS     of collectd, and of it per series against the smallest row
    label   from the stamp of a sample to the score of its window, arrived here,
            of 20 probes among the series, which have no Heartbeat
    lost    windows that were dropped or whose samples did not come (or in time)
            of all, as the target's own counters say; and values that collectd
            dropped

The generator and this program share the machine with what they measure."""

import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import weir  # noqa: E402
from fleet_load import text_part  # noqa: E402

SIZES = [int(x) for x in
         os.environ.get("BENCH_HUB", "100 1000 5000 10000").split()]
SECONDS = int(os.environ.get("BENCH_SECONDS", "30"))
SETTLE = 75  # a minute's window, and health of every series once
PROBES = 20
PER_PACKET = 40
DIR = os.path.join(weir.BUILD, "bench-run", "hub")

CHAIN = """\
WriteQueueLimitHigh 100000
WriteQueueLimitLow 100000
CollectInternalStats true
PluginDir "{stock}"
LoadPlugin network
<Plugin network>
  Listen "127.0.0.1" "{port}"
  MaxPacketSize 1452
</Plugin>
PluginDir "{ours}"
LoadPlugin target_edge_impulse
<Chain "PreCache">
  <Rule "probe">
    <Match "regex">
      Host "^probe"
      Plugin "^m4_rpc$"
    </Match>
    <Target "edge_impulse">
      Model "{eim}"
      MaxSeries 100000
      QueueLength 100000
    </Target>
  </Rule>
  <Rule "board">
    <Match "regex">
      Host "^board"
      Plugin "^m4_rpc$"
    </Match>
    <Target "edge_impulse">
      Model "{eim}"
      MaxSeries 100000
      QueueLength 100000
      Heartbeat {heartbeat}
    </Target>
  </Rule>
</Chain>
<Chain "PostCache">
  <Rule "probe">
    <Match "regex">
      Host "^probe"
      Plugin "^edge_impulse$"
      TypeInstance "^Normal$"
      Type "^percent$"
    </Match>
    <Target "write">
      Plugin "write_log"
    </Target>
  </Rule>
  <Rule "counters">
    <Match "regex">
      Plugin "^(edge_impulse|collectd)$"
      TypeInstance "^(dropped|restart|filled|late)$"
    </Match>
    <Target "write">
      Plugin "write_log"
    </Target>
  </Rule>
</Chain>
"""


class Load(threading.Thread):
    """Sends every series once a second, until `stop`."""

    def __init__(self, port, count):
        super().__init__(daemon=True)
        self.to, self.count, self.stop, self.late = ("127.0.0.1", port), \
            count, False, 0.0
        hosts = ["%s%05d" % ("probe" if i < PROBES else "board", i)
                 for i in range(count)]
        random.Random(20).shuffle(hosts)
        self.packets = [self.packet(hosts[i:i + PER_PACKET])
                        for i in range(0, count, PER_PACKET)]

    @staticmethod
    def packet(hosts):
        out = bytearray(struct.pack(">HHQHHQ", 8, 12, 0, 9, 12, 1 << 30))
        out += text_part(2, "m4_rpc") + text_part(3, "pump")
        out += text_part(4, "flow") + text_part(5, "flow_rate")
        offsets = []
        for host in hosts:
            out += text_part(0, host) + struct.pack(">HHHB", 6, 15, 1, 1)
            offsets.append(len(out))
            out += b"\0" * 8
        return out, offsets

    def run(self):
        link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        chance = random.Random(7)
        begin, second = time.monotonic(), 0
        while not self.stop:
            for i, (out, offsets) in enumerate(self.packets):
                due = begin + second + i / len(self.packets)
                wait = due - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                self.late = max(self.late, -wait)
                struct.pack_into(">Q", out, 4, int(time.time() * (1 << 30)))
                for at in offsets:
                    struct.pack_into("<d", out, at,
                                     chance.choice((74, 75, 75, 76)) / 7.5)
                link.sendto(out, self.to)
            second += 1


class Listener(threading.Thread):
    """Reads what write_log writes, as it comes."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.times, self.counters = path, [], {}
        self.measuring = False
        os.mkfifo(path)

    def run(self):
        # Opened for writing too: collectd opens and closes it for each line.
        with os.fdopen(os.open(self.path, os.O_RDWR)) as pipe:
            for line in pipe:
                now = time.time()
                if line.startswith("[{"):
                    self.take(json.loads(line)[0], now)

    def take(self, v, now):
        if v["type"] == "percent":
            if self.measuring:
                self.times.append(1000 * (now - v["time"]))
        else:
            self.counters[v["host"], v["plugin"], v["type_instance"]] = \
                v["values"][0]

    def sum(self, which):
        """Of a counter, over all series; NaN-like None counts as none."""
        return {k: v or 0 for k, v in self.counters.items()
                if k[1] == "edge_impulse" and k[2] == which}


def ticks(pid):
    with open("/proc/%d/stat" % pid) as text:
        return sum(int(x) for x in text.read().rpartition(")")[2].split()[11:13])


def rss(pid):
    with open("/proc/%d/statm" % pid) as text:
        return int(text.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1024


def children(pid):
    found = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task)) as text:
            found += [int(x) for x in text.read().split()]
    return found


def udp_drops(port):
    """Packets that the kernel had no room for."""
    with open("/proc/net/udp") as lines:
        for line in lines:
            words = line.split()
            if words[1].endswith(":%04X" % port):
                return int(words[-1])
    return 0


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(directory, port):
    agent = weir.Collectd(directory, CHAIN.format(
        stock=weir.STOCK_PLUGINDIR, ours=weir.PLUGINDIR, eim=weir.EIM,
        port=port, heartbeat=os.environ.get("BENCH_HEARTBEAT", "10")),
        interval=10)
    with open(agent.config_path) as text:
        config = text.read()
    listener = Listener(os.path.join(directory, "lines"))
    with open(agent.config_path, "w") as out:
        out.write(config.replace("File stderr", 'File "%s"' % listener.path))
    listener.start()
    agent.start()
    return agent, listener


def wait(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.5)


def measure(count):
    """{what: figure} of one hub."""
    directory, port = os.path.join(DIR, str(count)), free_port()
    os.makedirs(directory)
    agent, listener = start(directory, port)
    load = Load(port, count)
    try:
        wait(2)
        load.start()
        wait(SETTLE)
        before = {w: listener.sum(w) for w in ("dropped", "restart", "filled",
                                               "late")}
        pids = [agent.pid] + children(agent.pid)
        used = [ticks(p) for p in pids]
        listener.measuring, begun = True, time.monotonic()
        wait(SECONDS)
        elapsed = time.monotonic() - begun
        listener.measuring = False
        hz = os.sysconf("SC_CLK_TCK")
        found = {"cpu": [100 * (ticks(p) - u) / hz / elapsed
                         for p, u in zip(pids, used)],
                 "rss": rss(agent.pid), "udp": udp_drops(port),
                 "late": load.late}
        wait(12)  # health of every series once more
        found["lost"] = {w: sum(listener.sum(w).values()) -
                         sum(before[w].values()) for w in before}
        found["times"] = sorted(listener.times)
        found["answers"] = len(listener.times) / (min(PROBES, count) * elapsed)
        return found
    finally:
        load.stop = True
        agent.child.terminate()
        agent.wait_exit()


def main():
    shutil.rmtree(DIR, ignore_errors=True)
    least = None
    print("command: make bench-hub   (%d CPUs, %d s per row)"
          % (os.cpu_count(), SECONDS))
    for count in SIZES:
        m = measure(count)
        least = least or (count, m["rss"])
        each = (m["rss"] - least[1]) / (count - least[0]) \
            if count > least[0] else 0
        times = m["times"] or [float("nan")]
        print("hub_%d  CPU %.1f + %.1f %%  RSS %.1f MB (%.2f kB per series)  "
              "label p50 %.1f p99 %.1f max %.1f ms  answered %.3f  lost %s, "
              "packets %d  generator late %.0f ms"
              % (count, m["cpu"][0], sum(m["cpu"][1:]), m["rss"] / 1024, each,
                 times[len(times) // 2], times[int(len(times) * 0.99)],
                 times[-1], m["answers"],
                 " ".join("%s %d" % x for x in sorted(m["lost"].items())),
                 m["udp"], 1000 * m["late"]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
