"""What the end-to-end tests of m4_rpc share."""

import bisect
import json
import os
import re
import socket
import time

import weir

M4SIM = os.path.join(weir.BUILD, "bin", "m4sim")


def block(address, methods, name="pump", options="", reports=""):
    """One <M4>; methods: text of <Method> blocks."""
    return """\
<M4 "{}">
  Address "{}"
  {}
  {}
  {}
</M4>
""".format(name, address, options, methods, reports)


def method(name, *options, **named):
    lines = list(options) or ['Type "flow"']
    lines += ["%s %s" % pair for pair in named.items()]
    return '<Method "%s">\n%s\n</Method>\n' % (name, "\n".join(lines))


def report(name="classification", *options):
    return '<Report "%s">\n%s\n</Report>\n' % (name, "\n".join(options))


def plugin(*blocks):
    return "LoadPlugin m4_rpc\n<Plugin m4_rpc>\n%s</Plugin>\n" % "".join(blocks)


FLOW = method("flow_rate")


def unixsock(directory):
    return ('PluginDir "%s"\nLoadPlugin unixsock\n<Plugin unixsock>\n'
            '  SocketFile "%s/unixsock"\n</Plugin>\n'
            % (weir.STOCK_PLUGINDIR, directory))


class Case(weir.Case):
    """A simulated M4 that takes orders, and agents in front of it."""

    def begin(self, *args, **named):
        self.control = os.path.join(self.dir, "control")
        self.sim = self.m4sim("--control", self.control, *args, **named)
        return self.sim

    def order(self, line):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(weir.CEILING)
            peer.connect(self.control)
            peer.sendall(line.encode() + b"\n")
            with peer.makefile() as lines:
                answer = lines.readline().strip()
        self.assertFalse(answer.startswith("error"), answer)
        return answer

    def agent(self, *blocks, stock=(), extra="", **options):
        """collectd with these <M4> blocks; the lock lies in the test's own
        directory."""
        text = plugin(*blocks).replace(
            'Address "', 'LockDirectory "%s"\n  Address "' % self.dir)
        return self.collectd(text + extra, stock=stock, **options)

    def pump(self, *methods, **named):
        return block(self.sim.address, "".join(methods), **named)

    @staticmethod
    def flows(agent, **want):
        want.setdefault("type", "flow")
        return agent.values(plugin="m4_rpc", **want)

    @staticmethod
    def errors(agent, kind, name="pump"):
        """The newest count of errors of this kind; 0 before the first."""
        found = agent.values(plugin="m4_rpc", plugin_instance=name,
                             type="errors", type_instance=kind)
        return found[-1]["value"] if found else 0

    @staticmethod
    def up(agent, name="pump"):
        found = agent.values(plugin="m4_rpc", plugin_instance=name,
                             type="bool", type_instance="up")
        return found[-1]["value"] if found else None

    def wait_up(self, agent, value):
        return weir.wait_until(lambda: self.up(agent) == value,
                               "bool-up is %d" % value, alive=agent)

    def wait_errors(self, agent, kind, count=1):
        return weir.wait_until(
            lambda: self.errors(agent, kind) >= count,
            "errors-%s is %d" % (kind, count), alive=agent)

    def events(self, name):
        return [r for r in weir.read_jsonl(self.sim.calls_path)
                if r.get("event") == name]

    def assert_readings_are_true(self, agent, method):
        """Each pair (seq, flow) belongs to the call made at its time.

        The agent dispatches element 0 as gauge-seq and element 1 as flow-flow
        of one call with the same time, the instant of sending; the record of
        the M4 says what it answered, and when it was asked. So the call of a
        reading is the first one recorded from that time on."""
        calls = self.sim.calls(method)
        seqs = self.flows(agent, type="gauge", type_instance="seq")
        flows = {} # two calls may share a millisecond
        for v in self.flows(agent, type_instance="flow"):
            flows.setdefault(v["time"], []).append(v["value"])
        times = [c["t"] for c in calls]
        for v in seqs:
            # write_log rounds to milliseconds: where two calls were closer
            # than that, it may be either.
            first = bisect.bisect_left(times, v["time"] - 0.0015)
            last = bisect.bisect_left(times, v["time"] + 0.0015)
            own = [c for c in calls[first:last + 1] if c["seq"] == v["value"]]
            self.assertEqual(len(own), 1, "not of its call: %r\n%r" % (
                v, calls[first:last + 1]))
            if v["time"] in flows:
                self.assertIn(round(own[0]["value"], 3),
                              [round(f, 3) for f in flows[v["time"]]])
        return len(seqs)


class LabelCase(Case):
    """Labels come from unixsock here, as the target would write them."""

    def setUp(self):
        super().setUp()
        self.clock = int(time.time())

    def start(self, *options, sim=(), **named):
        self.begin("--step=flow_rate", *sim, **named)
        agent = self.agent(
            self.pump(FLOW, options="Interval 0.2",
                      reports=report("classification", *options)),
            extra=unixsock(self.dir))
        self.wait_up(agent, 1)
        return agent

    def put(self, label, instance="pump", host="testhost",
            plugin="edge_impulse", key="edge_impulse:label"):
        """A value of the target, one second newer than the one before."""
        self.clock += 1
        line = ('PUTVAL %s/%s-%s/bool-%s interval=1 '
                'meta:%s="\\"%s\\"" %d:1\n'
                % (host, plugin, instance, re.sub("[^A-Za-z]", "_", label),
                   key, label, self.clock))
        path = os.path.join(self.dir, "unixsock")
        # Values may be read before the plugin's thread has made its socket.
        weir.wait_until(lambda: os.path.exists(path), "unixsock is there")
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(weir.CEILING)
            weir.wait_until(lambda: peer.connect_ex(path) == 0,
                            "unixsock listens")
            peer.sendall(line.encode())
            with peer.makefile() as answer:
                self.assertTrue(answer.readline().startswith("0"))

    def labels(self):
        return [json.loads(c["payload"])["label"]
                for c in self.sim.calls("classification")]

    def wait_labels(self, agent, count):
        return weir.wait_until(
            lambda: (lambda c: c if len(c) >= count else None)
            (self.sim.calls("classification")),
            "the M4 heard %d labels" % count, alive=agent)
