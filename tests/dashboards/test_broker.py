"""agent-config/fleet/e-kafka with a real broker: the shipped files.

The broker is Apache Kafka's own (broker.py), boards are stock collectds with
write_kafka, readers are librdkafka's; everybody speaks mutual TLS. Without
Java or the broker's jars it SKIPs by name. KAFKA_OUTAGE: how many seconds the
broker is away in one test (default 20)."""

import json
import os
import re
import shutil
import socket
import subprocess
import unittest

import broker
import influxsink
import stack
import weir
from test_kafka import FEED, START, dial

OUTAGE = int(os.environ.get("KAFKA_OUTAGE", "20"))
BOUND = int(re.search(r'"queue.buffering.max.messages" "(\d+)"',
                      stack.shipped("e-kafka/board.conf")).group(1))


def setUpModule():
    reason = broker.missing()
    if reason:
        raise unittest.SkipTest(reason)
    global DIR, KAFKA
    DIR = os.path.join(weir.BUILD, "broker")
    shutil.rmtree(DIR, ignore_errors=True)
    os.makedirs(DIR)
    KAFKA = broker.Broker(DIR)
    unittest.addModuleCleanup(KAFKA.kill)
    KAFKA.start()
    KAFKA.add("--reader", "telegraf")


class Topic:
    """What a reader has found in a board's topic, by series and time."""

    def __init__(self, board):
        self.name = "weir." + board
        self.consumer = KAFKA.reader("telegraf", self.name)
        self.values, self.keys = {}, set()

    def read(self):
        for key, payload in self.consumer.messages():
            self.keys.add(key)
            for v in json.loads(payload):
                self.values[identity(v)] = v
        return self.values


def denied(what):
    """Wait until the broker has refused this."""
    KAFKA.wait_log("Principal = User:%s" % what.replace(
        " ", " is Denied operation = ", 1))


def identity(v):
    return (v["host"], v["plugin"], v["plugin_instance"], v["type"],
            v["type_instance"], round(v["time"], 3))


class BrokerTest(unittest.TestCase):
    def run_process(self, process):
        self.addCleanup(process.kill)
        return process.start()

    def board(self, name, config, more="", **options):
        """A collectd of this name with this configuration."""
        KAFKA.know(name)
        work = os.path.join(DIR, name)
        os.makedirs(work)
        agent = weir.Collectd(
            work, more + 'PluginDir "%s"\n' % weir.STOCK_PLUGINDIR +
            config + FEED % os.path.join(work, "sock"), **options)
        with open(agent.config_path, "a") as out:
            out.write('Hostname "%s"\n' % name)
        return self.run_process(agent).wait_ready()

    def put(self, name, values, first=START, host=None):
        """These values of the flow, a second apart, to the agent of host."""
        with socket.socket(socket.AF_UNIX) as out:
            dial(out, os.path.join(DIR, host or name, "sock"))
            stream = out.makefile("rw")
            for second, value in enumerate(values):
                stream.write("PUTVAL %s/m4_rpc-pump/flow-flow_rate "
                             "interval=1 %d:%g\n" % (name, first + second,
                                                     value))
                stream.flush()
                self.assertRegex(stream.readline(), "^0 ")

    def test_values_and_the_label_reach_a_reader(self):
        self.board("board-1", KAFKA.board("board-1"),
                   weir.chain_block(interval=1))
        samples = [10 + 0.1 * (i % 3) for i in range(12)]
        self.put("board-1", samples)
        topic = Topic("board-1")

        def found(plugin, type):
            return [v for v in topic.read().values()
                    if (v["plugin"], v["type"]) == (plugin, type)]
        weir.wait_until(lambda: len(found("m4_rpc", "flow")) == 12 and
                        len(found("edge_impulse", "percent")) >= 3,
                        "samples and three windows arrive")
        self.assertEqual([v["values"][0] for v in found("m4_rpc", "flow")],
                         samples)
        self.assertIn("Normal", [v["meta"].get("edge_impulse:label")
                                 for v in found("edge_impulse", "percent")])
        self.assertEqual(topic.keys, {b"board-1"})

    def test_another_board_neither_reads_nor_writes(self):
        KAFKA.know("board-2")
        own = KAFKA.board("board-3")
        foreign = re.search(r"(?s)<Topic .*</Topic>", KAFKA.board(
            "board-3", "weir.board-2")).group(0)
        self.board("board-3", own.replace("<Topic", foreign + "\n  <Topic"))
        self.board("board-2", KAFKA.board("board-2"))
        for name in ("board-3", "board-2"):
            self.put(name, range(5))
            topic = Topic(name)
            weir.wait_until(lambda: len(topic.read()) >= 5,
                            "%s reaches its own topic" % name)
        denied(r"board-3 .*(WRITE|DESCRIBE).*weir\.board-2 for request = "
               r"(Produce|Metadata)")
        for who in ("board-3", "board-2", "nobody"):
            reader = KAFKA.reader(who, "weir.board-2")
            denied(who + r" .*(READ|DESCRIBE).*weir\.board-2")
            self.assertEqual(reader.messages(), [])
        self.assertEqual({v[0] for v in topic.read()}, {"board-2"})

    def test_add_board_says_what_is_no_name(self):
        for name in ("admin", "broker", "a b", "User:x", "", "..", "*"):
            with self.assertRaisesRegex(AssertionError, "is no name"):
                KAFKA.add("fine", name)
        with self.assertRaisesRegex(AssertionError, "add-board NAME"):
            KAFKA.add()

    def test_a_file_of_names_is_one_start(self):
        names = ["shelf-%04d" % i for i in range(510)]
        path = stack.write(os.path.join(DIR, "names"), "\n".join(names) + "\n")
        before = KAFKA.starts()
        for _ in range(2):  # twice is as good as once
            KAFKA.add("--file", path)
        self.assertEqual(KAFKA.starts(), before + 2)
        rights = KAFKA.run("kafka-acls.sh", "--bootstrap-server",
                           KAFKA.address, "--command-config",
                           KAFKA.file("admin.properties"), "--list",
                           "--topic", "weir.shelf-0509")
        self.assertEqual(sorted(re.findall(
            r"principal=User:(\S+), .*operation=(\w+)", rights)),
            [("shelf-0509", "DESCRIBE"), ("shelf-0509", "WRITE")])
        with self.assertRaisesRegex(AssertionError, "is no name"):
            KAFKA.add("--file", stack.write(path, "fine-1\nnot fine\n"))
        with self.assertRaisesRegex(AssertionError, "cannot read"):
            KAFKA.add("--file", os.path.join(DIR, "nothing"))

    def test_a_board_that_is_removed_is_refused(self):
        self.board("board-4", KAFKA.board("board-4"))
        topic = Topic("board-4")
        self.put("board-4", range(5))
        weir.wait_until(lambda: len(topic.read()) == 5, "values arrive")
        KAFKA.add("--remove", "board-4")
        KAFKA.add("--remove", "board-4")  # twice is as good as once
        self.put("board-4", [1], START + 100)
        denied(r"board-4 .*WRITE.*weir\.board-4")
        self.assertEqual(len(topic.read()), 5)

    def test_no_certificate_no_connection(self):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", KAFKA.address, "-CAfile",
             KAFKA.authority.cert, "-verify_return_error", "-tls1_2"],
            text=True, capture_output=True, input="")
        self.assertIn("alert", done.stderr + done.stdout)
        self.assertNotEqual(done.returncode, 0)

    def test_an_outage_loses_nothing(self):
        """The broker dies; one board runs, another starts meanwhile."""
        agents = {}

        def start(name):
            work = os.path.join(DIR, name + "-m4")
            os.makedirs(work)
            m4 = self.run_process(weir.M4Sim(work, "--flow", "10"))
            agents[name] = self.board(
                name, KAFKA.board(name), weir.m4_block(
                    m4.address, interval=1) + weir.chain_block(interval=1))
        KAFKA.know("board-6")
        start("board-5")
        agents["board-5"].wait_value(3, plugin="m4_rpc", type="flow")
        KAFKA.kill()
        gone = stack.now()
        start("board-6")
        weir.wait_until(lambda: stack.now() > gone + OUTAGE,
                        "%d s without a broker" % OUTAGE,
                        ceiling=OUTAGE + 30, alive=agents["board-5"])
        KAFKA.start()
        back = stack.now()
        for name, agent in agents.items():
            self.complete(name, agent, gone, back)

    def complete(self, name, agent, gone, back):
        """Everything that collectd wrote until the return has arrived."""
        agent.wait_value(check=lambda v: v["time"] > back)
        due = {identity(v) for v in agent.values() if v["time"] < back}
        self.assertGreater(len([d for d in due if d[-1] > gone]), OUTAGE)
        topic = Topic(name)
        weir.wait_until(lambda: not due - set(topic.read()),
                        "all %d values of %s arrive" % (len(due), name),
                        ceiling=120, alive=agent)
        self.assertIn("Normal", {v.get("meta", {}).get("edge_impulse:label")
                                 for v in topic.values.values()})
        print("NOTICE %s: broker away for %.0f s, %d values due, %d lost" % (
            name, back - gone, len(due), len(due - set(topic.values))))

    def test_what_waits_is_bounded(self):
        """More than the bound: the oldest stay, memory does not grow on."""
        KAFKA.know("board-7")
        KAFKA.kill()
        agent = self.board("board-7", "WriteQueueLimitHigh 0\n"
                           "WriteQueueLimitLow 0\n" + KAFKA.board("board-7"))
        before = rss(agent)
        self.put("board-7", range(BOUND))
        full = rss(agent)
        self.put("board-7", range(BOUND), START + BOUND)
        print("NOTICE memory: %.0f MiB, with %d waiting %.0f MiB, with twice "
              "as many put %.0f MiB" % (before, BOUND, full, rss(agent)))
        KAFKA.start()
        topic = Topic("board-7")
        last = START + 3 * BOUND

        def again():
            nonlocal last
            last += 1
            self.put("board-7", [1], last)
            return any(t > START + 2 * BOUND for *_, t in topic.read())
        weir.wait_until(again, "new values arrive", ceiling=120, alive=agent)
        kept = [t for *_, t in topic.values if t < START + 2 * BOUND]
        self.assertLessEqual(len(kept), BOUND)
        self.assertGreater(len(kept), BOUND / 2)
        self.assertEqual(sorted(kept), list(range(START, START + len(kept))))


    def test_telegraf_writes_what_all_boards_sent(self):
        """Values of several numbers, the label, and whose it really is."""
        try:
            stack.program("telegraf")
        except AssertionError:
            self.skipTest("no telegraf in the PATH or in %s/bin"
                          % stack.TOOLS)
        KAFKA.know("board-8")  # before Telegraf looks which topics there are
        sink = influxsink.Sink()
        self.addCleanup(sink.stop)
        cert, key = KAFKA.certificate("telegraf")
        self.run_process(weir.Process("telegraf", [
            stack.program("telegraf"), "--config", stack.write(
                os.path.join(DIR, "telegraf.conf"), stack.shipped(
                    "e-kafka/telegraf.conf", (
                        ("kafka.example.org:9093", KAFKA.address),
                        ("/etc/telegraf/kafka/ca.pem", KAFKA.authority.cert),
                        ("/etc/telegraf/kafka/telegraf.pem", cert),
                        ("/etc/telegraf/kafka/telegraf.key", key),
                        ("http://127.0.0.1:8086", sink.url),
                        ('flush_interval = "5s"', 'flush_interval = "1s"'))))
            ], DIR, {"INFLUX_TOKEN": "secret"}))
        self.board("board-8", KAFKA.board("board-8"), weir.chain_block(
            interval=1), stock=("match_regex", "load"))
        self.put("board-1", [10.25] * 12, host="board-8")
        flow = {"host": "board-8", "instance": "pump", "type": "flow",
                "type_instance": "flow_rate"}

        def complete():
            return len(sink.find("m4_rpc_value", **flow)) >= 12 and [
                p for p in sink.find("edge_impulse_value", host="board-8",
                                     type="percent")
                if p[2].get("label") == "Normal"] and sink.find(
                "load_longterm", host="board-8", type="load")
        weir.wait_until(complete, "readings, label and load arrive")
        self.assertEqual(sink.find("m4_rpc_value", host="board-1"), [])
        self.assertEqual([(p[1], p[2], p[3]) for p in sink.find(
            "m4_rpc_value", **flow)][0], (flow, {"value": 10.25}, START))
        self.assertTrue([p for p in sink.find("load_longterm") if p[3] % 1],
                        "times are cut to whole seconds")
        self.assertEqual(sink.errors, [])


def rss(process):
    with open("/proc/%d/status" % process.pid) as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024


if __name__ == "__main__":
    unittest.main(verbosity=2)
