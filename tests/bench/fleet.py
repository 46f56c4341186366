#!/usr/bin/python3
"""make bench-fleet: how many boards one server of a fleet carries.

Simulated boards at 1 Hz, 36 series each (fleet_load.py), through the ways of
agent-config/fleet/: (a) Prometheus pulls each board, (b) the network plugin,
encrypted, to InfluxDB, (c) the same through a collector's collectd to
VictoriaMetrics; and, to show why not, one write_prometheus in front of all;
(d) MQTT with mutual TLS, (e) Kafka: here some stock collectds, each sending
for its share of the boards. Debian has no Kafka: librdkafka's mock stands in
for it, so (e) says what the boards' end and the protocol take, not a broker.
BENCH_FLEET_SECONDS each (default 30). Prints the table for
agent-config/fleet/README.md.

stored: values in the database of those sent (a: of those due; d, e: values
that a reader has three seconds after the last was sent). CPU: of one core,
over the run; the load generator shares the machine."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "dashboards"))
import kafkasim  # noqa: E402
import stack  # noqa: E402
import test_kafka  # noqa: E402
import test_mqtt  # noqa: E402
import weir  # noqa: E402

SECONDS = int(os.environ.get("BENCH_FLEET_SECONDS", "30"))
SERIES = 36
LOAD = os.path.join(HERE, "fleet_load.py")
DIR = os.path.join(weir.BUILD, "bench-fleet")
FLEET = os.path.join(ROOT, "agent-config", "fleet")
USER, PASSWORD = "pump-house-1", "change me"
GRACE = 3  # seconds: (d) and (e) deliver in batches of one second
TICK = os.sysconf("SC_CLK_TCK")


class Meter:
    """CPU and memory of processes between start and end."""

    def __init__(self, **processes):
        self.pids = {n: p.pid for n, p in processes.items()}
        self.begin = time.monotonic()
        self.before = {n: self.cpu(p) for n, p in self.pids.items()}

    @staticmethod
    def cpu(pid):
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def end(self):
        """{name: (percent of a core, MiB)}"""
        spent = time.monotonic() - self.begin
        out = {}
        for name, pid in self.pids.items():
            with open("/proc/%d/status" % pid) as file:
                rss = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
            out[name] = (100 * (self.cpu(pid) - self.before[name]) / spent,
                         rss / 1024)
        return out


def send(port, boards, user=None):
    """Run the generator to its end: (values sent, whether it kept up).

    port: one, or several joined by commas."""
    argv = [sys.executable, LOAD, "udp", str(port), str(boards), str(SECONDS)]
    if user:
        argv += [user, PASSWORD]
    done = subprocess.run(argv, text=True, capture_output=True, check=True)
    return (int(re.search(r"sent (\d+)", done.stdout).group(1)),
            "late" not in done.stdout)


def settled(count):
    """The number that count() ends at."""
    last, since = count(), time.monotonic()
    while time.monotonic() - since < 3:
        time.sleep(0.5)
        now = count()
        if now != last:
            last, since = now, time.monotonic()
    return last


def pull(work, boards, every, run):
    """(a) one scrape per board."""
    load = subprocess.Popen([sys.executable, LOAD, "http"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            text=True)
    try:
        port = int(load.stdout.readline().split()[-1])
        server = stack.Prometheus(work, [port], scrape="%ds" % every)
        config = os.path.join(work, "prometheus", "prometheus.yml")
        with open(config) as file:
            text = file.read()
        target = '      - targets: ["127.0.0.1:%d"]\n' % port
        assert target in text
        text = text.replace(target, "".join(
            target + "        labels: {__metrics_path__: /board%05d, "
            "instance: target%05d}\n" % (i, i) for i in range(boards)))
        with open(config, "w") as file:
            file.write(text)
        run(server)
        weir.wait_until(lambda: float(first(server.query(
            'count(up{job="weir"} == 1)'))) == boards,
            "every board was scraped", ceiling=60)
        count = lambda: metric(  # noqa: E731
            server, "prometheus_tsdb_head_samples_appended_total")
        before, meter = count(), Meter(prometheus=server)
        begin = time.monotonic()
        time.sleep(SECONDS)
        stored, used = count() - before, meter.end()
        spent = time.monotonic() - begin
        due = boards * (SERIES + 5) * spent / every  # up and four of its own
        return min(1.0, stored / due), used, True
    finally:
        load.stdin.close()
        load.kill()
        load.wait()


def metric(server, name):
    """The sum of a counter of the server itself."""
    text = stack.get(server.url + "/metrics")[1]
    return sum(float(x.split()[-1]) for x in text.splitlines()
               if x.startswith(name))


def first(result):
    return result[0]["value"][1] if result else "0"


def influxdb(work, boards, run):
    """(b) the listener as agent-config/fleet/b-influxdb configures it."""
    server = stack.Influx(work, "encrypt", "%s: %s\n" % (USER, PASSWORD))
    run(server)
    meter = Meter(influxdb=server)
    sent, kept_up = send(server.collectd_port, boards, USER)
    used = meter.end()

    def count():
        total = 0
        for name in ("m4_rpc", "edge_impulse", "write_arduino_cloud"):
            for series in server.query(
                    'SELECT count("value") FROM "%s_value"' % name):
                total += series["values"][0][1]
        return total
    return settled(count) / sent, used, kept_up


def collector(work, boards, run):
    """(c) collectd decrypts and passes on to VictoriaMetrics."""
    http, line = stack.free_port(), stack.free_port()
    server = stack.Server("victoria-metrics", [
        stack.program("victoria-metrics"),
        "-httpListenAddr=127.0.0.1:%d" % http,
        "-influxListenAddr=127.0.0.1:%d" % line,
        "-storageDataPath=" + work + "/vm", "-search.latencyOffset=0s",
        "-loggerLevel=ERROR"], work, http, "/health")
    run(server)
    listen = stack.free_port()
    with open(os.path.join(FLEET, "c-victoriametrics",
                           "collector.conf")) as file:
        config = file.read()
    with open(os.path.join(work, "boards.auth"), "w") as out:
        out.write("%s: %s\n" % (USER, PASSWORD))
    for old, new in (('"0.0.0.0" "25826"', '"127.0.0.1" "%d"' % listen),
                     ("/etc/collectd/boards.auth", work + "/boards.auth"),
                     ('"8089"', '"%d"' % line), ("LoadPlugin syslog\n", "")):
        assert old in config, old
        config = config.replace(old, new)
    agent = run(Collector(work, config))
    meter = Meter(collectd=agent, victoriametrics=server)
    sent, kept_up = send(listen, boards, USER)
    used = meter.end()

    def count():
        stack.get(server.url + "/internal/force_flush")
        return metric(server, 'vm_rows_inserted_total{type="influx')
    own = 40  # the collector's own values, at most
    return min(1.0, max(0, settled(count) - own) / sent), used, kept_up


def aggregate(work, boards, run):
    """Not a way: one write_prometheus for all."""
    listen = stack.free_port()
    port = stack.free_port()
    agent = run(Collector(work, """\
Interval 10
LoadPlugin network
<Plugin network>
  Listen "127.0.0.1" "%d"
</Plugin>
LoadPlugin write_prometheus
<Plugin write_prometheus>
  Host "127.0.0.1"
  Port %d
</Plugin>
""" % (listen, port)))
    server = run(stack.Prometheus(work, [port], scrape="5s"))
    meter = Meter(collectd=agent, prometheus=server)
    _, kept_up = send(listen, boards)
    found = float(first(server.query(
        'count({__name__=~"collectd_(m4_rpc|edge_impulse|write_arduino_cloud)'
        '_.+"})')))
    return found / (boards * SERIES), meter.end(), kept_up


class Lines:
    """Counts the boards' values that write_influxdb_udp sends here.

    Its last packet, a dozen values, stays in its buffer."""

    def __init__(self):
        self.count = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            self.count += self.socket.recv(65536).count(b"host=board")


class Messages:
    """Counts the messages of a topic: write_kafka sends one per value."""

    def __init__(self, *cluster):
        self.count = 0
        self.consumer = kafkasim.Consumer(*cluster)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        def one(_):
            self.count += 1
        while True:
            self.consumer.read(one)


def senders(work, config, count, run):
    """Stock collectds that send for many boards: (them, their ports)."""
    agents, ports = {}, []
    for i in range(count):
        part = os.path.join(work, "sender%d" % i)
        os.makedirs(part)
        ports.append(str(stack.free_port()))
        agents["sender%d" % i] = run(Collector(part, """\
LoadPlugin network
<Plugin network>
  Listen "127.0.0.1" "%s"
</Plugin>
%s""" % (ports[-1], config(i))))
    return agents, ",".join(ports)


def delivered(meter, ports, boards, reader):
    """Send for SECONDS; what the reader has soon after that."""
    sent, kept_up = send(ports, boards)
    used = meter.end()
    time.sleep(GRACE)
    return reader.count / sent, used, kept_up


def mqtt(work, boards, count, run):
    """(d) through mosquitto to a collector; its database only counts."""
    authority, port = weir.Authority(work), stack.free_port()
    server = run(test_mqtt.broker(work, authority, port, """
user sender
topic write collectd/#
"""))
    server.wait_log("running")
    lines = Lines()
    config = test_mqtt.client("collector.conf", authority, port, "collector",
                              "collector")
    assert '"8089"' in config
    agent = run(Collector(work, config.replace('"8089"', '"%d"'
                                               % lines.port)))
    server.wait_log("as collector")
    config = test_mqtt.client("board.conf", authority, port, "sender-N",
                              "sender")
    agents, ports = senders(
        work, lambda i: config.replace("sender-N", "sender-%d" % i), count,
        run)
    return delivered(Meter(mosquitto=server, collectd=agent, **agents),
                     ports, boards, lines)


def kafka(work, boards, count, run):
    """(e) write_kafka to the mock cluster, and a consumer that counts."""
    topic, partitions = test_kafka.shipped("")[1], 6
    server = run(test_kafka.Mock(work, topic, partitions))
    reader = Messages(server.address, topic, partitions)
    # One key would put all boards into one partition.
    config = re.sub(r'Key ".+"', 'Key "Random"',
                    test_kafka.shipped(server.address)[0])
    agents, ports = senders(work, lambda i: config, count, run)
    return delivered(Meter(mock=server, **agents), ports, boards, reader)


class Collector(weir.Process):
    """collectd without the readers and the log of the tests."""

    def __init__(self, work, config):
        path = os.path.join(work, "collector.conf")
        with open(path, "w") as out:
            out.write('Hostname "collector"\nFQDNLookup false\nBaseDir "%s"\n'
                      'PIDFile "%s/pid"\nTypesDB '
                      '"/usr/share/collectd/types.db"\nPluginDir "%s"\n'
                      "LoadPlugin logfile\n<Plugin logfile>\n  LogLevel info\n"
                      "  File stderr\n</Plugin>\n" % (
                          work, work, weir.STOCK_PLUGINDIR) +
                      config.replace('Hostname "collector"\n', "").replace(
                          "FQDNLookup false\n", ""))
        super().__init__("collector", [weir.COLLECTD, "-f", "-C", path], work)

    def start(self):
        super().start()
        self.wait_log("Initialization complete")
        return self


RUNS = [
    ("(a) Prometheus pulls, 1 s", pull, (100, 1000), {"every": 1}),
    ("(a) Prometheus pulls, 5 s", pull, (1000, 3000), {"every": 5}),
    ("(b) encrypted to InfluxDB", influxdb, (100, 1000, 2000, 4000), {}),
    ("(c) encrypted, collectd, VictoriaMetrics", collector,
     (100, 1000, 2000, 4000), {}),
    ("(d) MQTT, mutual TLS", mqtt, (100, 500, 1000, 2000), {"count": 2}),
    ("(e) write_kafka to a mock", kafka, (100, 1000, 2000, 4000),
     {"count": 2}),
    ("not: one write_prometheus", aggregate, (250, 500), {}),
]


def measure(way, boards, more):
    work = os.path.join(DIR, "%s-%d" % (way.__name__, boards))
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    running = []

    def run(process):
        running.append(process)
        return process.start()
    try:
        return way(work, boards, run=run, **more)
    finally:
        for process in reversed(running):
            process.kill()
        shutil.rmtree(work, ignore_errors=True)


def main():
    only = sys.argv[1:]  # parts of the names of ways; none: all
    print("| way | boards | series | values/s | stored | CPU of a core, "
          "memory |\n|---|---|---|---|---|---|")
    for title, way, sizes, more in RUNS:
        if only and not any(o in title for o in only):
            continue
        for boards in sizes:
            stored, used, kept_up = measure(way, boards, more)
            costs = ", ".join("%s %.0f %% %.0f MiB" % (n, c, m)
                              for n, (c, m) in used.items())
            print("| %s | %d | %d | %d | %.1f %%%s | %s |" % (
                title, boards, boards * SERIES,
                boards * SERIES / more.get("every", 1), 100 * stored,
                "" if kept_up else " (generator late)", costs), flush=True)
    print("\nmake bench-fleet: %d s per row, %d CPUs, %s" % (
        SECONDS, os.cpu_count(), cpu_model()))


def cpu_model():
    with open("/proc/cpuinfo") as file:
        found = re.search(r"model name\s*: (.+)", file.read())
    return found.group(1) if found else "CPU unknown"


if __name__ == "__main__":
    main()
