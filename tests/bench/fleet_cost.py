#!/usr/bin/python3
"""make bench-fleet-cost: what one board of a fleet costs, on the wire too.

One real agent, agent-config/collectd.conf with our four plugins, an M4 and a
cloud beside it, sends on every way of agent-config/fleet/ at once, each with
the shipped file of the board and a real server: Prometheus, mosquitto, Kafka;
a UDP socket and an HTTPS server for the network plugin and write_http. A raw
socket counts the bytes of IP, both directions, port by port, in a network
namespace of its own (so it needs root). Then 1 000 boards shake hands with
mosquitto, mutual TLS, and stay connected.

--write: puts the figures into fleet-cost.json and the tables made of them
into dashboards/FLEET.md. BENCH_FLEET_SECONDS: how long (default 300)."""

import gzip
import http.server
import json
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import fleet  # noqa: E402
import broker  # noqa: E402
import fleet_page  # noqa: E402
import stack  # noqa: E402
import test_mqtt  # noqa: E402
import weir  # noqa: E402

SECONDS = int(os.environ.get("BENCH_FLEET_SECONDS", "300"))
DIR = os.path.join(weir.BUILD, "bench-fleet-cost")
BOARDS = 1000
MTU = 1500
HEADERS = 52  # IPv4, TCP with time stamps
NEWNET = 0x40000000


def private_network():
    """Loopback of our own, with the packets of a real link."""
    if weir.LIBC.unshare(NEWNET) != 0:
        sys.exit("fleet_cost: needs root and network namespaces")
    # A second interface: where there is only a loopback, collectd's plugins
    # find no address to bind.
    for line in ("link set lo up mtu %d" % MTU,
                 "link add weir0 type veth peer name weir1",
                 "addr add 192.0.2.1/24 dev weir0", "link set weir0 up",
                 "link set weir1 up"):
        subprocess.run(["ip"] + line.split(), check=True)


class Wire:
    """Counts bytes of IP by port: {port: bytes}."""

    def __init__(self):
        self.bytes = {}
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                    socket.htons(0x0800))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self.socket.bind(("lo", 0x0800))
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            data, address = self.socket.recvfrom(1 << 17)
            if address[2] != socket.PACKET_HOST or len(data) < 28:
                continue
            at = 4 * (data[0] & 15)
            size = struct.unpack_from(">H", data, 2)[0] or len(data)
            if data[9] == socket.IPPROTO_TCP and size > MTU:
                # The kernel would cut it on a real link.
                size += HEADERS * ((size - HEADERS) // (MTU - HEADERS))
            for port in struct.unpack_from(">HH", data, at):
                self.bytes[port] = self.bytes.get(port, 0) + size


class Https(threading.Thread):
    """Takes what write_http posts; demands a certificate, keeps alive."""

    def __init__(self, authority):
        super().__init__(daemon=True)
        cert, key = authority.issue("otel")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        context.load_verify_locations(authority.cert)
        context.verify_mode = ssl.CERT_REQUIRED

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                if self.headers.get("Expect"):
                    self.send_response_only(100)
                    self.end_headers()
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.port = self.server.server_address[1]
        self.server.socket = context.wrap_socket(self.server.socket,
                                                 server_side=True)
        self.start()

    def run(self):
        self.server.serve_forever()


def agent_config(m4, cloud, work, port):
    """agent-config/collectd.conf, all four plugins on, paths changed."""
    folder = os.path.join(stack.ROOT, "agent-config")
    with open(os.path.join(folder, "collectd.conf")) as file:
        text = re.sub(r"(?ms)^<Include .*?</Include>\n?", "", file.read())
    text = re.sub(r"(?ms)^LoadPlugin syslog.*?</Plugin>\n", "", text)
    for name in ("weir-25-flow_baseline", "weir-30-write_arduino_cloud"):
        with open(os.path.join(folder, "collectd.conf.d",
                               name + ".conf")) as file:
            text += re.sub(r"(?m)^#([^#])", r"\1", file.read()).replace(
                "Nominal 10.0\n", "Nominal 10.0\n      Learn 40\n")
    for old, new in (
            ("127.0.0.1:5001", m4.address),
            ("/usr/lib/weir/flow.eim", weir.EIM),
            ('CredentialsFile "/etc/weir/arduino-cloud.env"\n    SpoolSize',
             'URL "%s"\n    CredentialsFile "%s"\n    SpoolSize' % (
                 cloud.url, cloud.credentials(work))),
            ("Port 9103", "Port %d" % port)):
        assert old in text, old
        text = text.replace(old, new)
    ours = 'PluginDir "%s"\n' % weir.PLUGINDIR
    stock = 'PluginDir "%s"\n' % weir.STOCK_PLUGINDIR
    return re.sub(
        r"(?m)^LoadPlugin (?=m4_rpc|target_|write_arduino)(.*)$",
        lambda m: ours + m.group(0) + "\n" + stock.rstrip(), stock + text)


class Setup:
    """The servers, the ports and the agent."""

    def __init__(self, work, run):
        self.ports, config = {}, ""
        authority = weir.Authority(work)
        self.ports["network"] = port = self.udp(lambda data: None)
        self.values = 0
        config += """\
LoadPlugin network
<Plugin network>
  Server "127.0.0.1" "%d"
</Plugin>
""" % self.udp(self.count)
        config += stack.shipped("b-influxdb/board.conf", (
            ('"influxdb.example.org" "25826"', '"127.0.0.1" "%d"' % port),))
        self.ports["mqtt"] = port = stack.free_port()
        self.mosquitto = run(test_mqtt.broker(work, authority, port, """
user board-1
topic write collectd/#
"""))
        self.mosquitto.wait_log("running")
        self.authority = authority
        config += test_mqtt.client("board.conf", authority, port, "board-1",
                                   "board-1")
        if not broker.missing():
            kafka = run(broker.Broker(work))
            kafka.add("board-1")
            self.ports["kafka"] = kafka.port
            config += kafka.board("board-1")
        self.ports["http"] = port = Https(authority).port
        cert, key = authority.issue("board-http")
        config += stack.shipped("g-opentelemetry/board.conf", (
            ("otel.example.org:8081", "127.0.0.1:%d" % port),
            ("/etc/weir/otel/ca.pem", authority.cert),
            ("/etc/weir/otel/board.pem", cert),
            ("/etc/weir/otel/board.key", key)))
        m4 = run(weir.M4Sim(work, "--flow", "10"))
        cloud = run(weir.CloudSim(work))
        self.ports["scrape"] = stack.free_port()
        self.agent = run(fleet.Collector(work, agent_config(
            m4, cloud, work, self.ports["scrape"]) + config))
        self.prometheus = run(stack.Prometheus(
            work, [self.ports["scrape"]], scrape="5s"))

    @staticmethod
    def udp(take):
        """A port whose datagrams go to take()."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind(("127.0.0.1", 0))

        def read():
            while True:
                take(listener.recv(65536))
        threading.Thread(target=read, daemon=True).start()
        return listener.getsockname()[1]

    def count(self, data):
        """Parts of type 6 are value lists."""
        at = 0
        while at + 4 <= len(data):
            kind, size = struct.unpack_from(">HH", data, at)
            self.values += kind == 6
            at += max(4, size)

    def page(self):
        return stack.get("http://127.0.0.1:%d/metrics"
                         % self.ports["scrape"])[1]


def traffic(setup, wire):
    """({way: bytes per hour}, values per hour), over SECONDS."""
    bytes_before, values_before = dict(wire.bytes), setup.values
    begin = time.monotonic()
    time.sleep(SECONDS)
    hour = 3600 / (time.monotonic() - begin)
    return ({way: round((wire.bytes.get(port, 0) - bytes_before.get(port, 0)) *
                        hour) for way, port in setup.ports.items()},
            round((setup.values - values_before) * hour))


def handshakes(setup):
    """What BOARDS connections cost mosquitto, and bytes of one."""
    cert, key = setup.authority.issue("board-h")
    context = ssl.create_default_context(cafile=setup.authority.cert)
    context.load_cert_chain(cert, key)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # as board.conf says
    port = setup.ports["mqtt"]
    wire = Wire()
    meter = fleet.Meter(mosquitto=setup.mosquitto)
    cpu, rss = meter.before["mosquitto"], meter.end()["mosquitto"][1]
    own, begin, held = time.process_time(), time.monotonic(), []
    for i in range(BOARDS):
        raw = socket.create_connection(("127.0.0.1", port))
        tls = context.wrap_socket(raw, server_hostname="127.0.0.1")
        name = b"h%05d" % i
        tls.sendall(b"\x10" + bytes([12 + len(name)]) + b"\0\4MQTT\4\2\0\x3c" +
                    struct.pack(">H", len(name)) + name)
        assert tls.recv(4) == b"\x20\x02\0\0", "no CONNACK"
        held.append(tls)
    spent = time.monotonic() - begin
    own = time.process_time() - own
    time.sleep(1)
    pid = setup.mosquitto.pid
    used = fleet.Meter.cpu(pid) - cpu
    grown = fleet.Meter(mosquitto=setup.mosquitto).end()["mosquitto"][1] - rss
    out = {"boards": BOARDS, "seconds": round(spent, 1),
           "server_ms": round(1000 * used / BOARDS, 2),
           "client_ms": round(1000 * own / BOARDS, 2),
           "server_kib": round(1024 * grown / BOARDS, 1),
           "bytes": round(wire.bytes.get(port, 0) / BOARDS)}
    for tls in held:
        tls.close()
    return out


def series(page):
    """{plugin: number of series} of what write_prometheus serves."""
    out = {}
    for line in page.splitlines():
        found = re.match(r"collectd_(m4_rpc|edge_impulse|flow_baseline|"
                         r"write_arduino_cloud|\w+?)_", line)
        if found:
            name = found[1] if found[1] in fleet_page.OURS else "stock"
            out[name] = out.get(name, 0) + 1
    return out


def measure():
    shutil.rmtree(DIR, ignore_errors=True)
    os.makedirs(DIR)
    running = []

    def run(process):
        running.append(process)
        return process.start()
    try:
        setup, wire = Setup(DIR, run), Wire()
        weir.wait_until(lambda: set(series(setup.page())) >= set(
            fleet_page.OURS) and 'type="band_low"' in setup.page(),
            "all plugins have values, the baseline is learnt", ceiling=180,
            alive=setup.agent)
        time.sleep(10)  # connections stand, windows are decided
        sent, values = traffic(setup, wire)
        page = setup.page().encode()
        found = {"seconds": SECONDS, "cpu": fleet.cpu_model(),
                 "cores": os.cpu_count(), "bytes_per_hour": sent,
                 "values_per_hour": values, "page_bytes": len(page),
                 "page_gzip_bytes": len(gzip.compress(page)),
                 "series": series(page.decode())}
        found["handshake"] = handshakes(setup)
        return found
    finally:
        for process in reversed(running):
            process.kill()


def main():
    private_network()
    found = dict(fleet_page.load(), **measure())
    print(json.dumps(found, indent=2))
    for name, table in fleet_page.tables(found).items():
        print("\n%s\n%s" % (name, table))
    if "--write" in sys.argv:
        fleet_page.write(found)


if __name__ == "__main__":
    main()
