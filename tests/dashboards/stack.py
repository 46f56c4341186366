"""Real servers for the live tests: Prometheus, Alertmanager, InfluxDB.

All of them bind 127.0.0.1, keep their data below the test's directory, and
are stopped by their process id when the test ends. Programs come from the
PATH or from build/tools (tests/dashboards/fetch)."""

import http.server
import json
import os
import shutil
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(ROOT, "tests", "e2e"), HERE,
                os.path.join(ROOT, "dashboards"),
                os.path.join(ROOT, "dashboards", "grafana")]
import weir  # noqa: E402

FLEET = os.path.join(ROOT, "agent-config", "fleet")
TOOLS = os.path.join(weir.BUILD, "tools", "usr")
PROMETHEUS_FILES = os.path.join(ROOT, "dashboards", "prometheus")


def program(name):
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin",
                            os.path.join(TOOLS, "bin"),
                            os.path.join(TOOLS, "sbin")])
    found = shutil.which(name, path=path)
    if not found:
        raise AssertionError("%s is missing: run tests/dashboards/fetch"
                             % name)
    return found


free_port = weir.reserved_port  # these servers cannot say what they got


def get(url, data=None, headers=None):
    request = urllib.request.Request(url, data, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except (urllib.error.URLError, ConnectionError) as error:
        return 0, str(error)


def shipped(name, pairs=()):
    """A file of agent-config/fleet with paths and addresses replaced."""
    with open(os.path.join(FLEET, name)) as file:
        text = file.read()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def write(path, text):
    """The path again; nobody else may read it."""
    with open(path, "w") as out:
        os.fchmod(out.fileno(), 0o600)
        out.write(text)
    return path


class Server(weir.Process):
    """A Process with an HTTP port that answers when it is ready."""

    def __init__(self, name, argv, directory, port, ready):
        super().__init__(name, argv, directory)
        self.url = "http://127.0.0.1:%d" % port
        self.ready = ready

    def start(self):
        super().start()
        weir.wait_until(lambda: get(self.url + self.ready)[0] in (200, 204),
                        "%s answers" % self.name, alive=self)
        return self


class Prometheus(Server):
    def __init__(self, directory, targets, rules=None, alertmanager=None,
                 scrape="1s", evaluate="1s", lookback="5m"):
        port = free_port()
        work = os.path.join(directory, "prometheus")
        os.makedirs(work)
        if rules:
            with open(os.path.join(work, "weir.rules.yml"), "w") as out:
                out.write(rules)
        with open(os.path.join(PROMETHEUS_FILES, "prometheus.yml")) as file:
            config = file.read()
        for old, new in (
                ("scrape_interval: 5s", "scrape_interval: " + scrape),
                ("evaluation_interval: 15s",
                 "evaluation_interval: " + evaluate),
                ('"127.0.0.1:9093"', '"%s"' % (
                    alertmanager.url.partition("://")[2]
                    if alertmanager else "127.0.0.1:1")),
                ('"127.0.0.1:9103"', ", ".join(
                    '"127.0.0.1:%d"' % p for p in targets)),
                ("  - weir.rules.yml\n",
                 "  - weir.rules.yml\n" if rules else "")):
            assert old in config, old
            config = config.replace(old, new)
        with open(os.path.join(work, "prometheus.yml"), "w") as out:
            out.write(config)
        super().__init__("prometheus", [
            program("prometheus"), "--config.file", work + "/prometheus.yml",
            "--storage.tsdb.path", work + "/data", "--query.lookback-delta",
            lookback, "--web.listen-address", "127.0.0.1:%d" % port],
            directory, port, "/-/ready")

    def api(self, path, **arguments):
        status, text = get("%s/api/v1/%s?%s" % (
            self.url, path, urllib.parse.urlencode(arguments)))
        if status != 200:
            raise AssertionError("%s %s: %s %s" % (path, arguments, status,
                                                   text[:400]))
        return json.loads(text)["data"]

    def query(self, expr, **arguments):
        return self.api("query", query=expr, **arguments)["result"]

    def query_range(self, expr, start, end, step):
        return self.api("query_range", query=expr, start=start, end=end,
                        step=step)["result"]

    def firing(self):
        """{alert name: [labels]} of what fires now."""
        out = {}
        for a in self.api("alerts")["alerts"]:
            if a["state"] == "firing":
                out.setdefault(a["labels"]["alertname"], []).append(a)
        return out


TEMPLATE = "/usr/share/prometheus/alertmanager/default.tmpl"
OVER_SHARE = 'mount -t overlay overlay -o lowerdir="$0":/usr/share ' \
    '/usr/share && exec "$@"'


def no_template():
    """Why Alertmanager cannot start here, or None. Debian's has the path of
    its template compiled in, and tests/dashboards/fetch only unpacks: root
    lays the unpacked folder over /usr/share, for that process alone."""
    if os.path.exists(TEMPLATE) or os.geteuid() == 0:
        return None
    return "needs root, or prometheus-alertmanager installed"


def with_template(argv):
    if os.path.exists(TEMPLATE):
        return argv
    return ["unshare", "-m", "sh", "-c", OVER_SHARE,
            os.path.join(TOOLS, "share")] + argv


class Alertmanager(Server):
    """With the example's routes and inhibitions; receivers at `hook`."""

    def __init__(self, directory, hook, **changes):
        port = free_port()
        work = os.path.join(directory, "alertmanager")
        os.makedirs(work)
        with open(os.path.join(PROMETHEUS_FILES, "alertmanager.yml")) as file:
            config = file.read()
        pairs = {"http://127.0.0.1:9095": hook.url, "group_wait: 10s":
                 "group_wait: 0s", "group_interval: 1m": "group_interval: 1s"}
        pairs.update(changes)
        for old, new in pairs.items():
            assert old in config, old
            config = config.replace(old, new)
        with open(os.path.join(work, "alertmanager.yml"), "w") as out:
            out.write(config)
        super().__init__("alertmanager", with_template([
            program(name_of("prometheus-alertmanager", "alertmanager")),
            "--config.file", work + "/alertmanager.yml", "--storage.path",
            work + "/data", "--cluster.listen-address=",
            "--web.listen-address", "127.0.0.1:%d" % port]),
            directory, port, "/-/ready")

    def alerts(self):
        return json.loads(get(self.url + "/api/v2/alerts")[1])


def name_of(*names):
    """The first of these programs that is there."""
    for name in names:
        try:
            program(name)
            return name
        except AssertionError:
            pass
    return names[0]


class Web:
    """An HTTP server of the tests, on a port of its own, until stop().

    answer(path, headers, body) gives (status, text); body is None for GET."""

    def __init__(self):
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.reply(None)

            def do_POST(self):
                self.reply(request_body(self))

            def reply(self, body):
                status, text = web.answer(self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        self.url = "http://" + self.address
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def request_body(request):
    """Of a known length, or in chunks."""
    if "chunked" not in request.headers.get("Transfer-Encoding", ""):
        return request.rfile.read(int(request.headers["Content-Length"]))
    body = b""
    while True:
        size = int(request.rfile.readline(), 16)
        body += request.rfile.read(size)
        request.rfile.readline()
        if size == 0:
            return body


class Hook(Web):
    """A webhook receiver: what Alertmanager tells people, oldest first."""

    def __init__(self):
        self.messages = []
        super().__init__()

    def answer(self, path, _, body):
        self.messages.append((path.strip("/"), json.loads(body)))
        return 200, b""

    def alerts(self, name, status):
        """(receiver, alert) for every alert of this name and status."""
        return [(r, a) for r, m in list(self.messages) for a in m["alerts"]
                if a["labels"]["alertname"] == name and
                a["status"] == status]


INFLUX_SERVER = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{work}/meta"
[data]
  dir = "{work}/data"
  wal-dir = "{work}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
"""


class Influx(Server):
    """InfluxDB 1.x with the collectd listener of agent-config/fleet/."""

    def __init__(self, directory, security="encrypt", auth="weir: secret\n",
                 listen=None):
        port, self.collectd_port = free_port(), free_port()
        listen = listen or "127.0.0.1:%d" % self.collectd_port
        work = os.path.join(directory, "influxdb")
        os.makedirs(work)
        listener = shipped("b-influxdb/influxdb.conf", (
            ('":25826"', '"%s"' % listen),
            ('"encrypt"', '"%s"' % security),
            ("/etc/influxdb/collectd-users",
             write(os.path.join(work, "auth"), auth))))
        write(os.path.join(work, "influxdb.conf"), INFLUX_SERVER.format(
            rpc=free_port(), work=work, port=port) + listener)
        super().__init__("influxd", [
            program("influxd"), "-config", work + "/influxdb.conf"],
            directory, port, "/ping")

    def query(self, text):
        """The series of one statement; [] when there are none."""
        status, body = get(self.url + "/query?" + urllib.parse.urlencode(
            {"q": text, "db": "weir", "epoch": "ms"}))
        reply = json.loads(body)
        error = reply.get("error") or reply["results"][0].get("error")
        if status != 200 or error:
            raise AssertionError("%s: %s" % (text, error))
        return reply["results"][0].get("series", [])


def now():
    return time.time()
