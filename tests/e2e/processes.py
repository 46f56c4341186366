"""Processes of the tests: what is started, waited for and ended, and the
simulators. weir.py says how they are used."""

import ctypes
import json
import os
import random
import re
import signal
import socket
import subprocess
import time
import urllib.request
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("WEIR_BUILD", "build"))
PARTS = os.path.join(ROOT, os.environ.get("WEIR_PARTS", BUILD))
PYTHON = "/usr/bin/python3"
CEILING = 30.0 * (10 if os.environ.get("WEIR_WRAP") else 1)


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


_reserved = []  # kept until this process ends


def reserved_port():
    """A port of 127.0.0.1, TCP and UDP, for a program that cannot say which
    one it got, or for nobody. The kernel gives it to no one by itself: not to
    a server that asks for any, nor to a connection. Among the tests it belongs
    to who holds the socket of its name."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        low, high = map(int, file.read().split())
    ours = [p for p in range(10000, 65536) if not low <= p <= high]
    for port in random.sample(ours, len(ours)):
        mine = socket.socket(socket.AF_UNIX)
        try:
            mine.bind("\0weir-test-port-%d" % port)
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            mine.close()
            continue
        _reserved.append(mine)
        return port
    raise AssertionError("no port is free outside of %d to %d" % (low, high))


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


def read_jsonl(path):
    """The complete lines of a JSON-lines file; none when it is missing."""
    try:
        with open(path) as lines:
            return [json.loads(x) for x in lines if x.endswith("\n")]
    except FileNotFoundError:
        return []


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
                if "kind" in c and method in (None, c.get("method"))]


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
