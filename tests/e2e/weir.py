"""The harness of the end-to-end tests: stock collectd, our plugins, simulators.
processes.py and authority.py are parts of it, seen through this module.

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

import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import unittest

from authority import Authority  # noqa: F401 (a part of this module)
from processes import (BUILD, CEILING, LIBC, PARTS, PYTHON, ROOT,  # noqa: F401
                       CloudSim, M4Sim, Process, Simulator, end_with_parent,
                       read_jsonl, reserved_port, wait_until)

DATA = os.environ.get("WEIR_DATA",
                      os.path.join(os.path.dirname(ROOT), "shared", "data"))
PLUGINDIR = os.path.join(
    ROOT, os.environ.get("WEIR_PLUGINS", os.path.join(BUILD, "plugins")))
EIM = os.path.join(PARTS, "model", "flow.eim")
STOCK_PLUGINDIR = "/usr/lib/collectd"
COLLECTD = shutil.which("collectd") or "/usr/sbin/collectd"
REPORTS = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|"
                     r"UndefinedBehaviorSanitizer|runtime error:")


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
        misuse = re.search(r"(?m)^.*\[error\] \w+: .* == NULL.*$", self.log())
        if misuse:
            raise AssertionError("collectd was called in a wrong way: " +
                                 misuse.group())
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


def preload(directory, source, **env):
    """The environment in which functions in C stand before those of libc."""
    shim = os.path.join(directory, "shim.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", shim],
                   input=source.encode(), check=True)
    before = sanitizer_env().get("LD_PRELOAD")
    return dict(env, LD_PRELOAD=" ".join(filter(None, [before, shim])))


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
