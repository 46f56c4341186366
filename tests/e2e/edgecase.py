"""What the tests of target_edge_impulse share: a feed and a bad model."""

import json
import os
import shutil
import socket

import weir

BADEIM = os.path.join(weir.ROOT, "tests", "sim", "badeim.py")
START = 1700000000  # time stamp of the first sample of every feed
WINDOW = 10


def chain(targets, match='Plugin "^feed$"', name="PreCache", rule="classify"):
    """A chain with one <Target "edge_impulse"> for each text in targets."""
    blocks = "".join('<Target "edge_impulse">\n%s\n</Target>\n' % t
                     for t in targets)
    return """\
LoadPlugin target_edge_impulse
<Chain "%s">
<Rule "%s">
<Match "regex">
%s
</Match>
%s</Rule>
</Chain>
""" % (name, rule, match, blocks)


class Model:
    """A copy of tests/sim/badeim.py, and orders for it."""

    def __init__(self, directory, name="bad"):
        self.base = os.path.join(directory, name)
        self.path = self.base + ".eim"
        shutil.copy(BADEIM, self.path)
        os.chmod(self.path, 0o755)

    def order(self, **orders):
        with open(self.base + ".new", "w") as out:
            json.dump(orders, out)
        os.rename(self.base + ".new", self.base + ".json")

    def log(self, word):
        try:
            with open(self.base + ".log") as lines:
                return [int(x.split()[1]) for x in lines
                        if x.startswith(word)]
        except FileNotFoundError:
            return []

    def starts(self):
        """The process ids of all starts, the newest last."""
        return self.log("start")

    def requests(self):
        return len(self.log("request"))


def alive(pid):
    """False also for a zombie."""
    try:
        with open("/proc/%d/stat" % pid) as text:
            return text.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid):
    found = []
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/children" % (pid, task)) as text:
                found += [int(x) for x in text.read().split()]
        except FileNotFoundError:
            pass
    return found


def children_named(pid, name):
    """The children that run this program."""
    found = []
    for child in children(pid):
        try:
            with open("/proc/%d/cmdline" % child, "rb") as text:
                program = text.read().split(b"\0")[0].decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.path.basename(program) == name:
            found.append(child)
    return found


def files_of(pid):
    return os.listdir("/proc/%d/fd" % pid)


class Case(weir.Case):
    def agent(self, targets, extra="", threads=1, **options):
        """collectd with stock unixsock for the feed, and one chain.

        threads: write threads. The feed is so quick that several of them
        would shuffle more samples than a window's memory holds."""
        self.socket_path = os.path.join(self.dir, "sock")
        config = chain(targets) if isinstance(targets, list) else targets
        config += """\
WriteThreads %d
PluginDir "%s"
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "%s"
</Plugin>
%s""" % (threads, weir.STOCK_PLUGINDIR, self.socket_path, extra)
        agent = self.collectd(config, **options)
        agent.wait_ready()
        self.dial(agent)
        self.second = {}
        return agent

    def dial(self, agent):
        """The feed's connection; it is closed when the agent stops."""
        weir.wait_until(self.connect, "unixsock listens", alive=agent)
        agent.clients += [self.link, self.stream]

    def connect(self):
        path = os.path.relpath(self.socket_path)  # sun_path is short
        if len(self.socket_path) < len(path):
            path = self.socket_path
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(path)
        except OSError:
            link.close()
            return False
        self.addCleanup(link.close)
        self.link, self.stream = link, link.makefile("rw")
        self.addCleanup(self.stream.close)
        return True

    def put(self, values, plugin="feed-pump", type="flow-flow_rate",
            interval=1, host="testhost"):
        """One sample a second, from where the series stands."""
        name = "%s/%s/%s" % (host, plugin, type)
        second = self.second.get(name, 0)
        for value in values:
            self.stream.write("PUTVAL %s interval=%g %.3f:%s\n" % (
                name, interval, START + second * interval, value))
            self.stream.flush()
            reply = self.stream.readline()
            assert reply.startswith("0 "), reply
            second += 1
        self.second[name] = second

    def settled(self, agent, first=WINDOW - 1, **want):
        """All states; the first two windows have none, but scores."""
        states = self.states(agent, **want)
        assert min(states) == first + 2, states
        return set(states.values())

    def command(self, line):
        """One line to unixsock; its answer."""
        self.stream.write(line + "\n")
        self.stream.flush()
        return self.stream.readline()

    def states(self, agent, **want):
        """{second: label} of the debounced state."""
        return {round(v["time"] - START): v["type_instance"]
                for v in agent.values(plugin="edge_impulse", type="bool",
                                      value=1, **want)
                if v["type_instance"] not in ("up", "shelved")}

    def scores(self, agent, label, **want):
        return {round(v["time"] - START, 3): v["value"]
                for v in agent.values(plugin="edge_impulse", type="percent",
                                      type_instance=label, **want)}

    def wait_window(self, agent, second, label="Normal", **want):
        weir.wait_until(lambda: second in self.scores(agent, label, **want),
                        "the window that ends at %d s is answered" % second,
                        alive=agent)

    def errors(self, agent, kind):
        found = agent.values(plugin="edge_impulse", type="errors",
                             type_instance=kind)
        return max((v["value"] for v in found), default=0)
