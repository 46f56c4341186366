"""agent-config/fleet/f-telegraf, g-opentelemetry and the scrape that several
vmagents share: the shipped files.

Boards are stock collectds with our plugins; Telegraf, the OpenTelemetry
Collector and VictoriaMetrics are real. InfluxDB 2 and 3 are in no Debian:
influxsink.py stands in for their write API. Neither is Telegraf nor the
collector: without `telegraf` or `otelcol` in the PATH the tests that need it
SKIP by name."""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import influxsink
import stack
import weir
from stack import shipped, write

DIR = os.path.join(weir.BUILD, "intake")


def telegraf(work, name, pairs, sink):
    """The shipped configuration of this name, writing to the sink."""
    config = write(os.path.join(work, "telegraf.conf"), shipped(name, pairs + (
        ("http://127.0.0.1:8086", sink),)))
    return weir.Process("telegraf", [stack.program("telegraf"), "--config",
                                     config], work,
                        {"INFLUX_TOKEN": "secret"})


class IntakeTest(unittest.TestCase):
    needs = ()

    def setUp(self):
        for program in self.needs:
            try:
                stack.program(program)
            except AssertionError:
                self.skipTest("no %s in the PATH or in %s/bin" % (
                    program, stack.TOOLS))
        self.dir = os.path.join(DIR, self._testMethodName)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)

    def run_process(self, process):
        self.addCleanup(process.kill)
        return process.start()

    def sink(self):
        sink = influxsink.Sink()
        self.addCleanup(sink.stop)
        return sink

    def board(self, name, config):
        """A board with an M4, the model and this configuration."""
        work = os.path.join(self.dir, name)
        os.makedirs(work)
        m4 = self.run_process(weir.M4Sim(work, "--flow", "10"))
        agent = weir.Collectd(
            work, weir.m4_block(m4.address, interval=1) +
            weir.chain_block(interval=1) + 'PluginDir "%s"\n' %
            weir.STOCK_PLUGINDIR + config)
        with open(agent.config_path, "a") as out:
            out.write('Hostname "%s"\n' % name)
        return self.run_process(agent).wait_ready()

    def victoria(self):
        port = stack.free_port()
        return self.run_process(stack.Server("victoria-metrics", [
            stack.program("victoria-metrics"), "-httpListenAddr=127.0.0.1:%d"
            % port, "-storageDataPath=" + self.dir + "/vm",
            "-search.latencyOffset=0s"], self.dir, port, "/health"))


def query(server, expression):
    """[(labels, value)] of now, from VictoriaMetrics."""
    status, text = stack.get(server.url + "/api/v1/query?" +
                             stack.urllib.parse.urlencode(
                                 {"query": expression}))
    assert status == 200, text
    return [(r["metric"], float(r["value"][1]))
            for r in json.loads(text)["data"]["result"]]


class TelegrafTest(IntakeTest):
    needs = ("telegraf",)

    def listener(self, url):
        port = stack.free_port()
        users = write(os.path.join(self.dir, "users"),
                      "pump-house-1: change me\n")
        server = self.run_process(telegraf(
            self.dir, "f-telegraf/telegraf.conf", (
                ("udp://:25826", "udp://127.0.0.1:%d" % port),
                ("8MiB", "64KiB"),
                ("/etc/telegraf/collectd-users", users)), url))
        server.wait_log("Listening on udp://127")
        return port

    @staticmethod
    def sender(port, *pairs):
        return shipped("f-telegraf/board.conf", (
            ('"telegraf.example.org" "25826"', '"127.0.0.1" "%d"' % port),
        ) + pairs)

    def test_boards_reach_influxdb_with_the_dashboards_names(self):
        sink = self.sink()
        port = self.listener(sink.url)
        agent = self.board("board-1", self.sender(port))
        self.board("board-2", self.sender(port, ("change me", "wrong")))
        weir.wait_until(lambda: sink.find(
            "edge_impulse_value", host="board-1", instance="pump",
            type="bool", type_instance="Normal"), "the state arrives",
            alive=agent)
        sink.away = True
        down = stack.now()
        agent.wait_value(3, check=lambda v: v["time"] > down,
                         plugin="m4_rpc", type="flow")
        sink.away = False
        due = {round(v["time"], 3) for v in agent.values(
            plugin="m4_rpc", type="flow")}
        weir.wait_until(
            lambda: not due - {round(p[3], 3) for p in sink.find(
                "m4_rpc_value", type="flow", type_instance="flow_rate")},
            "the %d readings, those of the outage too" % len(due),
            alive=agent)
        self.assertEqual(sink.errors, [])
        self.assertEqual({p[1]["host"] for p in sink.points}, {"board-1"})

    def test_victoriametrics_takes_the_same(self):
        """Its write API is InfluxDB's: a database, not a stand-in."""
        server = self.victoria()
        agent = self.board("board-1", self.sender(self.listener(server.url)))
        weir.wait_until(lambda: [v for _, v in query(
            server, 'm4_rpc_value_value{host="board-1",type="flow",'
            'instance="pump"}') if v > 5], "the flow is stored", alive=agent)

    def test_telegraf_pulls_a_board(self):
        sink, port = self.sink(), stack.free_port()
        agent = self.board("board-1", shipped("a-prometheus/board.conf", (
            ("Port 9103", "Port %d" % port),)))
        agent.wait_value(plugin="edge_impulse", type="bool")
        self.run_process(telegraf(self.dir, "f-telegraf/telegraf-pull.conf", (
            ("10.8.0.11:9103", "127.0.0.1:%d" % port),
            ('interval = "5s"\n  flush', 'interval = "1s"\n  flush')),
            sink.url))
        found = weir.wait_until(lambda: sink.find(
            "collectd_edge_impulse_bool", instance="board-1", type="Normal"),
            "the state arrives", alive=agent)[0]
        self.assertEqual(found[1:3], (
            {"instance": "board-1", "edge_impulse": "pump",
             "type": "Normal"}, {"gauge": found[2]["gauge"]}))
        self.assertEqual(sink.errors, [])


class OpenTelemetryTest(IntakeTest):
    needs = ("otelcol", "victoria-metrics")

    def collector(self, server):
        """The shipped configuration; its address and its authority."""
        authority, port = weir.Authority(self.dir), stack.free_port()
        cert, key = authority.issue("otel")
        config = write(os.path.join(self.dir, "otelcol.yaml"), shipped(
            "g-opentelemetry/otelcol.yaml", (
                ("0.0.0.0:8081", "127.0.0.1:%d" % port),
                ("/etc/otelcol/otel.pem", cert), ("/etc/otelcol/otel.key",
                                                  key),
                ("/etc/otelcol/ca.pem", authority.cert),
                ("http://127.0.0.1:8428", server.url))) +
            "  telemetry:\n    metrics:\n      level: none\n")
        self.run_process(weir.Process("otelcol", [
            stack.program("otelcol"), "--config", config], self.dir)
        ).wait_log("Everything is ready")
        return "127.0.0.1:%d" % port, authority

    def test_series_are_those_of_write_prometheus(self):
        server, port = self.victoria(), stack.free_port()
        address, authority = self.collector(server)
        cert, key = authority.issue("board-1")
        agent = self.board("board-1", shipped("g-opentelemetry/board.conf", (
            ("otel.example.org:8081", address),
            ("/etc/weir/otel/ca.pem", authority.cert),
            ("/etc/weir/otel/board.pem", cert),
            ("/etc/weir/otel/board.key", key),
            ("BufferSize 65536", "BufferSize 1024"))) + shipped(
            "a-prometheus/board.conf", (("Port 9103", "Port %d" % port),)))
        weir.wait_until(lambda: query(server, (
            'collectd_edge_impulse_bool{instance="board-1",'
            'edge_impulse="pump",type="Normal"} == 1')),
            "the state arrives", alive=agent)

        def missing():
            there = {series(dict(m)) for m, _ in query(
                server, '{__name__=~"collectd_.+"}')}
            return set(exposed(port)) ^ there
        weir.wait_until(lambda: not missing(), "the series are the same",
                        alive=agent)

    def test_no_certificate_no_connection(self):
        address, authority = self.collector(self.victoria())
        done = subprocess.run(
            ["openssl", "s_client", "-connect", address, "-CAfile",
             authority.cert, "-tls1_2"], text=True, capture_output=True,
            input="")
        self.assertIn("alert", done.stderr + done.stdout)


class ShardTest(IntakeTest):
    needs = ("vmagent", "victoria-metrics")
    BOARDS, MEMBERS = 40, 2

    def boards(self):
        """Pages of boards, and the inventory that names them: its URL."""
        load = subprocess.Popen(
            [sys.executable, os.path.join(stack.ROOT, "tests", "bench",
                                          "fleet_load.py"), "http"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (load.communicate(), load.wait()))
        port = load.stdout.readline().split()[-1]
        answer = json.dumps([
            {"targets": ["127.0.0.1:" + port], "labels":
             {"__metrics_path__": "/board%05d" % i,
              "board": "board%05d" % i}} for i in range(self.BOARDS)]).encode()

        class Inventory(stack.Web):
            def answer(self, *_):
                return 200, answer

        inventory = Inventory()
        self.addCleanup(inventory.stop)
        return inventory.address

    def test_each_board_has_one_owner(self):
        inventory, server = self.boards(), self.victoria()
        config = write(os.path.join(self.dir, "sharded.yml"), shipped(
            "a-prometheus/sharded.yml", (
                ("inventory.example.org", inventory),
                ("scrape_interval: 30s", "scrape_interval: 1s"))))
        for i in range(self.MEMBERS):
            self.run_process(weir.Process("vmagent%d" % i, [
                stack.program("vmagent"), "-promscrape.config=" + config,
                "-promscrape.cluster.membersCount=%d" % self.MEMBERS,
                "-promscrape.cluster.memberNum=%d" % i,
                "-httpListenAddr=127.0.0.1:%d" % stack.free_port(),
                "-remoteWrite.tmpDataPath=%s/agent%d" % (self.dir, i),
                "-remoteWrite.label=member=m%d" % i,
                "-remoteWrite.url=%s/api/v1/write" % server.url], self.dir))

        def up():
            return [(m["board"], m["member"]) for m, v in query(
                server, "up == 1")]
        found = weir.wait_until(
            lambda: (lambda u: u if len(u) >= self.BOARDS else None)(up()),
            "every board is scraped")
        self.assertEqual(len({b for b, _ in found}), self.BOARDS)
        self.assertEqual(len(found), self.BOARDS)
        self.assertEqual(len({m for _, m in found}), self.MEMBERS)
        weir.wait_until(lambda: len(query(
            server, 'collectd_m4_rpc_flow{instance=~"board.+"}'))
            == self.BOARDS, "every board's flow is there under its name")


def series(labels):
    name = labels.pop("__name__")
    return name, tuple(sorted(labels.items()))


def exposed(port):
    """The series that write_prometheus serves now."""
    for line in stack.get("http://127.0.0.1:%d/metrics" % port)[
            1].splitlines():
        found = re.match(r"(collectd_\w+)\{(.*)\} ", line)
        if found:
            yield found[1], tuple(sorted(re.findall(r'(\w+)="([^"]*)"',
                                                    found[2])))


if __name__ == "__main__":
    unittest.main(verbosity=2)
