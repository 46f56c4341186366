"""Two boards and a collector, each in a network namespace of its own.

The link of one board is cut for a minute: nothing breaks, the other board is
not disturbed, the gap is a gap in every panel and in both databases, and
values arrive again by themselves. Needs root, iproute2 and network namespaces;
otherwise it SKIPs by name."""

import json
import os
import shutil
import subprocess
import unittest
import urllib.parse

import stack
import boards
import weir

CUT = 60  # seconds without a link
BOARDS = {"board-1": "10.77.0.11", "board-2": "10.77.0.12"}
COLLECTOR = "10.77.0.1"
UDP = 25826

AGENT = """\
Hostname "{name}"
LoadPlugin write_prometheus
<Plugin write_prometheus>
  Host "{address}"
  Port 9103
</Plugin>
LoadPlugin network
<Plugin network>
  <Server "{collector}" "{udp}">
    SecurityLevel "Encrypt"
    Username "weir"
    Password "secret"
  </Server>
</Plugin>
"""


def ip(*args):
    done = subprocess.run(("ip",) + args, text=True, capture_output=True)
    if done.returncode != 0:
        raise OSError("ip %s: %s" % (" ".join(args), done.stderr.strip()))


class Net:
    """Namespaces of this process id: the collector has the bridge."""

    def __init__(self):
        self.mark = "weir%d" % os.getpid()
        self.names = [self.ns("collector")] + [self.ns(b) for b in BOARDS]

    def ns(self, name):
        return "%s-%s" % (self.mark, name)

    def up(self):
        for name in self.names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        hub = self.ns("collector")
        ip("-n", hub, "link", "add", "hub", "type", "bridge")
        ip("-n", hub, "addr", "add", COLLECTOR + "/24", "dev", "hub")
        ip("-n", hub, "link", "set", "hub", "up")
        for board, address in BOARDS.items():
            ip("-n", hub, "link", "add", board, "type", "veth", "peer",
               "name", "eth0", "netns", self.ns(board))
            ip("-n", hub, "link", "set", board, "master", "hub", "up")
            ip("-n", self.ns(board), "addr", "add", address + "/24", "dev",
               "eth0")
            ip("-n", self.ns(board), "link", "set", "eth0", "up")

    def link(self, board, state):
        ip("-n", self.ns("collector"), "link", "set", board, state)

    def down(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name],
                           capture_output=True)

    def inside(self, name, process):
        """The same process, started in that namespace."""
        start = process.start

        def wrapped():
            if process.argv[:3] != ["ip", "netns", "exec"]:
                process.argv = ["ip", "netns", "exec", self.ns(name)
                                ] + process.argv
            return start()
        process.start = wrapped
        return process

    def get(self, url):
        """GET from the collector's namespace."""
        return subprocess.run(
            ["ip", "netns", "exec", self.ns("collector"), "curl", "-s",
             "--max-time", "10", url], text=True, capture_output=True).stdout


class InNet(weir.Process):
    """A server in the collector's namespace, asked from there."""

    def __init__(self, net, server, ready):
        super().__init__(server.name, ["ip", "netns", "exec",
                                       net.ns("collector")] + server.argv,
                         server.dir)
        self.net, self.url, self.ready = net, server.url, ready

    def start(self):
        super().start()
        weir.wait_until(self.answers, "%s answers" % self.name, alive=self)
        return self

    def answers(self):
        done = subprocess.run(
            ["ip", "netns", "exec", self.net.ns("collector"), "curl", "-sf",
             "-o", "/dev/null", self.url + self.ready], capture_output=True)
        return done.returncode == 0

    def ask(self, path, **args):
        return json.loads(self.net.get("%s%s?%s" % (
            self.url, path, urllib.parse.urlencode(args))))


class NetworkTest(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0 or not shutil.which("ip"):
            self.skipTest("root and iproute2 are needed")
        self.net = Net()
        self.addCleanup(self.net.down)
        try:
            self.net.up()
        except OSError as error:
            self.skipTest("no network namespaces here: %s" % error)
        self.dir = os.path.join(weir.BUILD, "network")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)

    def run_process(self, process):
        self.addCleanup(process.kill)
        return process.start()

    def board(self, name, address):
        work = os.path.join(self.dir, name)
        os.makedirs(work)
        m4 = self.run_process(self.m4sim(name, work))
        agent = weir.Collectd(
            work, weir.m4_block(m4.address, interval=1) +
            weir.chain_block(interval=1) +
            'PluginDir "%s"\n' % weir.STOCK_PLUGINDIR + AGENT.format(
                name=name, address=address, collector=COLLECTOR, udp=UDP))
        return self.run_process(self.net.inside(name, agent))

    def m4sim(self, name, work):
        m4, net = weir.M4Sim(work, "--flow", "10"), self.net
        popen = weir.subprocess.Popen

        def start():
            def inside(argv, **more):
                return popen(["ip", "netns", "exec", net.ns(name)] + argv,
                             **more)
            weir.subprocess.Popen = inside
            try:
                return weir.M4Sim.start(m4)
            finally:
                weir.subprocess.Popen = popen
        m4.start = start
        return m4

    def prometheus(self):
        server = stack.Prometheus(self.dir, [9103])
        path = os.path.join(self.dir, "prometheus", "prometheus.yml")
        with open(path) as file:
            text = file.read()
        assert '"127.0.0.1:9103"' in text
        with open(path, "w") as file:
            file.write(text.replace('"127.0.0.1:9103"', ", ".join(
                '"%s:9103"' % a for a in BOARDS.values())))
        return self.run_process(InNet(self.net, server, "/-/ready"))

    def influxdb(self):
        server = stack.Influx(self.dir, listen="%s:%d" % (COLLECTOR, UDP))
        return self.run_process(InNet(self.net, server, "/ping"))

    def samples(self, board):
        """Times of the raw samples in Prometheus, s."""
        found = self.prom.ask("/api/v1/query", query=(
            'collectd_m4_rpc_flow{instance="%s"}[1h]' % board))
        result = found["data"]["result"]
        return [float(t) for t, _ in result[0]["values"]] if result else []

    def stored(self, board):
        """The same in InfluxDB."""
        found = self.influx.ask(
            "/query", db="weir", epoch="ms", q='SELECT "value" FROM '
            "\"m4_rpc_value\" WHERE \"type\" = 'flow' AND \"host\" = '%s'"
            % board)
        series = found["results"][0].get("series")
        return [t / 1000 for t, _ in series[0]["values"]] if series else []

    def drawn(self, board, begin, end):
        """Times at which the Flow panel has a point."""
        panel = next(p for p in boards.panels(boards.load()["weir-flow"])
                     if p["title"] == "Flow" and p["type"] == "timeseries")
        window = boards.Window(int(begin), int(end), board=board)
        expr = boards.expand(panel["targets"][0]["expr"], window.values)
        found = self.prom.ask("/api/v1/query_range", query=expr,
                              start=window.start, end=window.end, step=1)
        return [float(t) for r in found["data"]["result"]
                for t, _ in r["values"]]

    def test_a_cut_link_is_a_gap(self):
        self.prom, self.influx = self.prometheus(), self.influxdb()
        agents = {n: self.board(n, a) for n, a in BOARDS.items()}
        for name in BOARDS:
            for source in (self.samples, self.stored):
                weir.wait_until(lambda: len(source(name)) >= 10,
                                "%s is seen" % name, alive=agents[name])
        cut = stack.now()
        self.net.link("board-1", "down")
        weir.wait_until(lambda: self.samples("board-2")[-1] > cut + CUT,
                        "a minute of the other board", ceiling=CUT + 60,
                        alive=agents["board-2"])
        joined = stack.now()
        self.net.link("board-1", "up")
        for source in (self.samples, self.stored):
            weir.wait_until(lambda: source("board-1")[-1] > joined + 10,
                            "board-1 is seen again", ceiling=90,
                            alive=agents["board-1"])
            self.assertGreater(longest(source("board-1")), CUT - 5)
            self.assertLess(longest(source("board-2")), CUT / 4)
        drawn = self.drawn("board-1", cut, joined)
        self.assertEqual([t for t in drawn if t > cut + 10], [])
        self.assertTrue(self.drawn("board-1", joined, stack.now()))
        other = self.drawn("board-2", cut + 5, joined)
        self.assertLess(longest(other), 5)
        for agent in agents.values():
            agent.stop()


def longest(times):
    """The longest pause between two times."""
    return max(b - a for a, b in zip(times, times[1:]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
