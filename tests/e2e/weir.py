"""The harness of the end-to-end tests: stock collectd, our plugins, simulators.

    import unittest
    import weir

    class FlowTest(weir.Case):
        def test_flow_reaches_the_cloud(self):
            m4 = self.m4sim("--flow", "10")       # any option of m4sim
            cloud = self.cloudsim()               # any option of cloudsim.py
            agent = self.collectd(
                weir.m4_block(m4.address) + weir.chain_block() +
                weir.cloud_block(cloud.url, cloud.credentials(self.dir)))
            agent.wait_value(plugin="m4_rpc", type="flow")
            cloud.wait_values(3, property="flow_rate")
            agent.stop()                          # asserts a clean exit

    if __name__ == "__main__":
        unittest.main()

Rules: nothing sleeps and hopes. wait_until() waits for a condition and fails
with a sentence (and the agent's log) after 30 s. Every process is stopped when
the test ends. Files are kept in build/e2e/<test>/ for reading after a failure.

Environment: WEIR_BUILD  build directory (default build);
             WEIR_PARTS  where the model and m4sim are (default WEIR_BUILD);
             WEIR_PLUGINS  where the plugins are (default: in WEIR_BUILD);
             WEIR_SAN    address or thread: what the plugins were built with;
             WEIR_WRAP   a command put in front of collectd, as valgrind.
"""

import ctypes
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import unittest
import urllib.request
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("WEIR_BUILD", "build"))
DATA = os.environ.get("WEIR_DATA",
                      os.path.join(os.path.dirname(ROOT), "shared", "data"))
PARTS = os.path.join(ROOT, os.environ.get("WEIR_PARTS", BUILD))
PLUGINDIR = os.path.join(
    ROOT, os.environ.get("WEIR_PLUGINS", os.path.join(BUILD, "plugins")))
EIM = os.path.join(PARTS, "model", "flow.eim")
STOCK_PLUGINDIR = "/usr/lib/collectd"
COLLECTD = shutil.which("collectd") or "/usr/sbin/collectd"
PYTHON = "/usr/bin/python3"
CEILING = 30.0 * (10 if os.environ.get("WEIR_WRAP") else 1)
REPORTS = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|"
                     r"UndefinedBehaviorSanitizer|runtime error:")


def wait_until(condition, what, ceiling=CEILING, alive=None):
    """Return the first true value of condition(); fail with `what` if none.

    alive: a Process that must not end meanwhile."""
    deadline = time.monotonic() + ceiling
    while True:
        value = condition()
        if value:
            return value
        if alive is not None and alive.poll() is not None:
            raise AssertionError("%s ended (%s) while waiting until %s\n%s" % (
                alive.name, alive.poll(), what, alive.tail()))
        if time.monotonic() > deadline:
            raise AssertionError("waited %g s in vain until %s\n%s" % (
                ceiling, what, alive.tail() if alive else ""))
        time.sleep(0.01)


LIBC = ctypes.CDLL(None)


def end_with_parent():
    """In the child: its own session, so that Ctrl-C reaches only us, and
    SIGTERM when we are gone, however we ended (prctl PR_SET_PDEATHSIG)."""
    os.setsid()
    LIBC.prctl(1, signal.SIGTERM)


class Process:
    """A child whose output goes to a log file; stop() ends it."""

    def __init__(self, name, argv, directory, env=None):
        self.name, self.argv, self.dir = name, argv, directory
        self.env = dict(os.environ, **(env or {}))
        self.log_path = os.path.join(directory, name + ".log")
        self.child = None

    def start(self):
        with open(self.log_path, "a") as log:
            self.log_start = log.tell()
            self.child = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.dir, env=self.env, preexec_fn=end_with_parent)
        return self

    @property
    def pid(self):
        return self.child.pid

    def poll(self):
        return self.child.poll() if self.child else None

    def log(self):
        """The text written since the last start."""
        with open(self.log_path, errors="replace") as log:
            log.seek(self.log_start)
            return log.read()

    def tail(self, lines=40):
        text = [x for x in self.log().splitlines() if "write_log" not in x
                and not x.startswith("[{")]
        return "--- %s ---\n%s" % (self.log_path, "\n".join(text[-lines:]))

    def wait_log(self, pattern, count=1):
        """Wait until the pattern (re) was logged count times; last match."""
        return wait_until(
            lambda: (lambda found: found[-1] if len(found) >= count else None)
            (list(re.finditer(pattern, self.log()))),
            "%s logs %r" % (self.name, pattern), alive=self)

    def signal(self, number):
        self.child.send_signal(number)

    def wait_exit(self):
        wait_until(lambda: self.child.poll() is not None,
                   "%s (pid %d) ends" % (self.name, self.pid))
        return self.child.returncode

    def kill(self):
        """End it whatever it does; harmless when it has ended."""
        if self.child and self.child.poll() is None:
            self.child.kill()
            self.child.wait()

    def stop(self):
        """SIGTERM and wait; returns the exit status."""
        if self.child.poll() is None:
            self.child.terminate()
        return self.wait_exit()


class Simulator(Process):
    """A Process that says `listening on ADDRESS` when it is ready."""

    address = None

    def start(self):
        super().start()
        found = self.wait_log(r"(?m)^listening on (\S+)$")
        self.address = found.group(1)
        return self


class M4Sim(Simulator):
    """tests/sim/m4sim: the Portenta X8's m4-proxy, M4 and sensor."""

    def __init__(self, directory, *args, name="m4sim"):
        self.args = list(args)
        self.calls_path = os.path.join(directory, name + "-calls.jsonl")
        super().__init__(name, None, directory)

    def start(self):
        argv = [os.path.join(PARTS, "bin", "m4sim")] + self.args
        if self.address and "--listen" not in self.args:
            argv += ["--listen", self.address]  # restart on the same port
        elif "--listen" not in self.args:
            argv += ["--listen", "127.0.0.1:0"]
        if "--calls" not in self.args:
            argv += ["--calls", self.calls_path]
        self.argv = argv
        return super().start()

    def calls(self, method=None):
        """What m4sim recorded of the calls it got, oldest first."""
        return [c for c in read_jsonl(self.calls_path)
                if method is None or c.get("method") == method]


class CloudSim(Simulator):
    """tests/sim/cloudsim.py: the Arduino Cloud REST service."""

    CLIENT_ID, CLIENT_SECRET = "demo-client", "demo-secret-5c1e"
    THING = "8f2d9a64-0b7e-5f43-9f0e-2a4c5d6e7f80"

    def __init__(self, directory, *args, name="cloudsim"):
        self.args = list(args)
        self.record_path = os.path.join(directory, name + "-values.jsonl")
        self.request_path = os.path.join(directory, name + "-requests.jsonl")
        super().__init__(name, None, directory,
                         {"CLOUDSIM_SECRET": self.CLIENT_SECRET})

    def start(self):
        self.argv = [PYTHON, os.path.join(ROOT, "tests/sim/cloudsim.py"),
                     "--client-id", self.CLIENT_ID,
                     "--record", self.record_path, "--log", self.request_path]
        if self.address:  # a restart keeps the port
            self.argv += ["--listen", self.address.partition("://")[2]]
        if "--thing" not in self.args:
            self.argv += ["--thing", self.THING, "--property",
                          "flow_rate:FLOAT", "--property",
                          "classification:CHARSTRING"]
        self.argv += self.args
        return super().start()

    @property
    def url(self):
        return self.address

    def property_id(self, name, thing=THING):
        return str(uuid.uuid5(uuid.NAMESPACE_URL, thing + "/" + name))

    def control(self, **order):
        """POST _control (see cloudsim.py); without arguments GET."""
        url = re.search(r"(?m)^control on (\S+)$", self.log()).group(1)
        data = json.dumps(order).encode() if order else None
        with urllib.request.urlopen(url, data, timeout=10) as reply:
            return json.load(reply)

    def fail(self, path, **fault):
        return self.control(fail=[dict(fault, path=path)])

    def count(self, key):
        """A counter, as `values`, `tokens_issued`, `publish 200`."""
        return self.control()["counts"].get(key, 0)

    def values(self, **want):
        """Accepted values, oldest first, as dicts; see --record."""
        return [v for v in read_jsonl(self.record_path)
                if all(v.get(k) == x for k, x in want.items())]

    def requests(self, **want):
        return [v for v in read_jsonl(self.request_path)
                if all(v.get(k) == x for k, x in want.items())]

    def wait_values(self, count, **want):
        return wait_until(
            lambda: (lambda v: v if len(v) >= count else None)
            (self.values(**want)),
            "the cloud accepted %d values %s" % (count, want), alive=self)

    def credentials(self, directory, name="arduino-cloud.env", mode=0o600,
                    **changes):
        """Write a credentials file as the application note's; its path."""
        pairs = {"CLIENT_ID": self.CLIENT_ID,
                 "CLIENT_SECRET": self.CLIENT_SECRET, "THING_ID": self.THING}
        pairs.update(changes)
        path = os.path.join(directory, name)
        with open(path, "w") as out:
            os.fchmod(out.fileno(), mode)
            out.write("".join("%s=%s\n" % p for p in pairs.items()))
        return path


class Collectd(Process):
    """The stock daemon in the foreground, in a directory of its own."""

    BASE = """\
Hostname "testhost"
FQDNLookup false
BaseDir "{dir}"
PIDFile "{dir}/collectd.pid"
TypesDB "/usr/share/collectd/types.db"
Interval {interval}
PluginDir "{stock_dir}"
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File stderr
  Timestamp true
  PrintSeverity true
</Plugin>
LoadPlugin write_log
<Plugin write_log>
  Format JSON
</Plugin>
"""

    def __init__(self, directory, config, interval=1, stock=("match_regex",),
                 name="collectd", extra_args=(), wrap=(), env=None):
        """wrap: a command before it; env: more of the environment."""
        text = self.BASE.format(dir=directory, interval=interval,
                                stock_dir=STOCK_PLUGINDIR)
        text += "".join("LoadPlugin %s\n" % p for p in stock)
        text += 'PluginDir "%s"\n' % PLUGINDIR + config
        self.config_path = os.path.join(directory, name + ".conf")
        with open(self.config_path, "w") as out:
            out.write(text)
        argv = shlex.split(os.environ.get("WEIR_WRAP", "")) + list(wrap) + [
            COLLECTD, "-f", "-C", self.config_path] + list(extra_args)
        super().__init__(name, argv, directory,
                         dict(sanitizer_env(), **(env or {})))
        self._values, self._offset = [], 0
        # Connections to its unixsock. The collectd of Debian 13 does not end
        # while one is open, with or without our plugins.
        self.clients = []

    def start(self):
        super().start()
        self._values, self._offset = [], self.log_start
        return self

    def wait_ready(self):
        """Until every init callback has run."""
        self.wait_log(r"Initialization complete")
        return self

    def values(self, **want):
        """Values as write_log saw them since the start, oldest first.

        Each is a dict: plugin, plugin_instance, type, type_instance, value
        (of the first data source), time, interval, meta."""
        with open(self.log_path, "rb") as log:
            log.seek(self._offset)
            text = log.read()
        end = text.rfind(b"\n") + 1
        self._offset += end
        for line in text[:end].decode(errors="replace").splitlines():
            if line.startswith("[{"):
                for v in json.loads(line):
                    v["value"] = v["values"][0]
                    v.setdefault("meta", {})
                    self._values.append(v)
        return [v for v in self._values
                if all(v.get(k) == x for k, x in want.items())]

    def wait_value(self, count=1, check=lambda v: True, **want):
        """Wait until count values match; the list of the matching."""
        return wait_until(
            lambda: (lambda f: f if len(f) >= count else None)
            ([v for v in self.values(**want) if check(v)]),
            "collectd wrote %d values %s" % (count, want), alive=self)

    def notifications(self):
        """The text of each notification, as logfile printed it."""
        return re.findall(r"Notification: (severity = .*)", self.log())

    def flush(self):
        self.signal(signal.SIGUSR1)

    def check_reports(self):
        found = REPORTS.search(self.log())
        if found:
            raise AssertionError("a sanitizer reports:\n" +
                                 self.log()[found.start() - 200:][:6000])

    def stop(self):
        """SIGTERM; asserts a normal exit and no sanitizer report."""
        while self.clients:
            self.clients.pop().close()
        status = super().stop()
        self.check_reports()
        if status != 0 or "Exiting normally" not in self.log():
            raise AssertionError("collectd ended with %d\n%s"
                                 % (status, self.tail()))
        return status


def sanitizer_env():
    """LD_PRELOAD for the stock daemon when the plugins are sanitized."""
    kind = os.environ.get("WEIR_SAN", "")
    if not kind:
        return {}
    names = {"address": ["libasan.so", "libubsan.so"],
             "thread": ["libtsan.so"]}[kind]
    paths = [subprocess.check_output(
        ["gcc", "-print-file-name=" + n], text=True).strip() for n in names]
    return {"LD_PRELOAD": " ".join(paths),
            "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS":
            "print_stacktrace=1", "TSAN_OPTIONS":
            "report_signal_unsafe=0"}


def check_config(directory, config, **options):
    """Run collectd -T on a configuration: (exit status, log text)."""
    agent = Collectd(directory, config, name="check", extra_args=["-T"],
                     **options)
    agent.start()
    status = agent.wait_exit()
    agent.check_reports()
    return status, agent.log()


def runner_program():
    """Edge Impulse's runner from npm, installed if it is missing: its path.

    Skips where npm is missing or cannot reach its packages."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise unittest.SkipTest("%s is not installed" % program)
    folder = os.path.join(ROOT, "build", "runner")
    done = subprocess.run(
        [os.path.join(ROOT, "tests", "install-runner"), folder],
        capture_output=True, text=True)
    if done.returncode != 0:
        raise unittest.SkipTest("npm could not install the runner: %s" %
                                (done.stderr.strip().splitlines() or
                                 ["?"])[0])
    return os.path.join(folder, "node_modules", "edge-impulse-linux", "build",
                        "cli", "linux", "runner.js")


def read_jsonl(path):
    """The complete lines of a JSON-lines file; none when it is missing."""
    try:
        with open(path) as lines:
            return [json.loads(x) for x in lines if x.endswith("\n")]
    except FileNotFoundError:
        return []


# -- configuration blocks, with the defaults of the tests --------------------

def m4_block(address, name="pump", interval=0.1, report=True, extra=""):
    """interval: of the samples; ten a second keep the tests short."""
    return """\
LoadPlugin m4_rpc
<Plugin m4_rpc>
  <M4 "{name}">
    Address "{address}"
    Interval {interval}
    {extra}
    <Method "flow_rate">
      Type "flow"
    </Method>
    {report}
  </M4>
</Plugin>
""".format(name=name, address=address, extra=extra,
           interval=interval,
           report='<Report "classification">\n    OnChange true\n'
           '  </Report>' if report else "")


def chain_block(source=None, extra="", match='Plugin "^m4_rpc$"',
                interval=0.1):
    """source: `Model "..."` (default: the bundled one) or `URL "..."`.

    interval: of the samples, as that of m4_block(); the model wants 1."""
    return """\
LoadPlugin target_edge_impulse
<Chain "PreCache">
  <Rule "classify_flow">
    <Match "regex">
      {match}
      Type "^flow$"
    </Match>
    <Target "edge_impulse">
      {source}
      Interval {interval}
      {extra}
    </Target>
  </Rule>
</Chain>
""".format(match=match, interval=interval, source=source or 'Model "%s"' % EIM, extra=extra)


def cloud_block(url, credentials, flow="", extra="", label=""):
    return """\
LoadPlugin write_arduino_cloud
<Plugin write_arduino_cloud>
  <Thing "pump">
    URL "{url}"
    CredentialsFile "{credentials}"
    {extra}
    <Property "flow_rate">
      Plugin "m4_rpc"
      Type "flow"
      {flow}
    </Property>
    <Property "classification">
      Plugin "edge_impulse"
      Type "bool"
      Meta "edge_impulse:label"
      {label}
    </Property>
  </Thing>
</Plugin>
""".format(url=url, credentials=credentials, flow=flow, extra=extra,
           label=label)


# -- a certificate authority for the tests -----------------------------------

class Authority:
    """A private CA: Authority(dir).issue("name") -> (cert, key) paths."""

    CONFIG = """\
[ca]
default_ca = me
[me]
dir = {dir}
database = {dir}/index.txt
rand_serial = yes
new_certs_dir = {dir}
default_md = sha256
policy = any
[any]
commonName = supplied
"""

    def __init__(self, directory, name="ca"):
        self.dir = os.path.join(directory, name)
        os.makedirs(self.dir)
        self.config = self.path("ca.cnf")
        with open(self.config, "w") as out:
            out.write(self.CONFIG.format(dir=self.dir))
        open(self.path("index.txt"), "w").close()
        self.cert, self.key = self.path("ca.pem"), self.path("ca.key")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                     "/CN=test " + name, "-days", "30", "-keyout", self.key,
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                     "-out", self.cert)

    def path(self, name):
        return os.path.join(self.dir, name)

    @staticmethod
    def openssl(*args):
        done = subprocess.run(("openssl",) + args, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise AssertionError("openssl %s: %s" % (args[0], done.stderr))

    def issue(self, name="server", san="IP:127.0.0.1,DNS:localhost",
              start=None, end=None):
        """start, end: YYYYMMDDHHMMSSZ, for expired or future ones."""
        key, csr, cert = (self.path(name + x) for x in
                          (".key", ".csr", ".pem"))
        ext = self.path(name + ".ext")
        with open(ext, "w") as out:
            out.write("subjectAltName=%s\nauthorityKeyIdentifier=keyid\n"
                      % san)
        self.openssl("req", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                     "/CN=" + name, "-keyout", key, "-out", csr)
        self.openssl("ca", "-batch", "-notext", "-config", self.config,
                     "-cert", self.cert, "-keyfile", self.key, "-in", csr,
                     "-out", cert, "-extfile", ext,
                     "-startdate", start or time.strftime(
                         "%Y%m%d%H%M%SZ", time.gmtime(time.time() - 86400)),
                     "-enddate", end or time.strftime(
                         "%Y%m%d%H%M%SZ", time.gmtime(time.time() + 864000)))
        return cert, key

    def expired(self, name="expired"):
        return self.issue(name, start="20200101000000Z", end="20200201000000Z")


# -- the base class of the tests ---------------------------------------------

class Case(unittest.TestCase):
    """A directory per test; what it starts is stopped when it ends."""

    def setUp(self):
        name = self.id().rpartition(".")[2]
        mark = hashlib.sha1(self.id().encode()).hexdigest()[:6]
        self.dir = os.path.join(BUILD, "e2e", name[:32] + "-" + mark)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)

    def run_process(self, process):
        self.addCleanup(process.kill)
        return process.start()

    def m4sim(self, *args, **named):
        return self.run_process(M4Sim(self.dir, *args, **named))

    def cloudsim(self, *args, **named):
        return self.run_process(CloudSim(self.dir, *args, **named))

    def collectd(self, config, **options):
        return self.run_process(Collectd(self.dir, config, **options))

    def notice(self, text):
        """A line that a reader of the run must see."""
        print("NOTICE: %s: %s" % (self.id(), text), file=sys.stderr,
              flush=True)
