"""The network as the kernel makes it fail: namespaces, netfilter, queues.

In a network namespace of our own the loopback can be taken down, and what runs
over it be dropped by netfilter or held up by a queue: the TCP of the kernel
sends again, and its connections stay half open, which no proxy of ours shows
(wire.py). Delay alone needs netem, which not every kernel has."""

import os
import shutil
import subprocess
import sys

from parts import say


def run(*command):
    return subprocess.run(command, capture_output=True).returncode == 0


def must(*command):
    subprocess.run(command, check=True)


def namespace(program):
    """Ourselves once more, in a network and a mount namespace of our own."""
    if os.environ.get("CHAOS_NET") is not None:
        return
    can = shutil.which("unshare") and shutil.which("ip") and run(
        "unshare", "--net", "--mount", "sh", "-c",
        "ip link set lo up && ip link set lo down")
    os.environ["CHAOS_NET"] = "1" if can else ""
    if can:
        os.execvp("unshare", ["unshare", "--net", "--mount", "--",
                              sys.executable, program])
    say("NOTICE no namespace of our own: the network never goes down")


class Net:
    """What of it this machine can do. Each fault returns what heals it."""

    def __init__(self, dice):
        self.dice, self.shape = dice, None
        self.down = bool(os.environ.get("CHAOS_NET"))
        self.delay = self.drop = self.queue = False
        if not self.down:
            return
        # Packets as on a wire, not one of 64 kB for each piece.
        must("ip", "link", "set", "lo", "up", "mtu", "1500")
        self.delay = self.probe("netem", "delay", "1ms")
        self.queue = self.probe("tbf", "rate", "1mbit", "burst", "3kb",
                                "limit", "20kb")
        self.drop = bool(shutil.which("iptables")) and all(
            run("iptables", "-A", "INPUT", "-p", "tcp", "--dport", "9",
                *(rule + ("-j", "DROP")))
            for rule in (self.LOSS + ("0.1",), self.LONG))
        run("iptables", "-F", "INPUT")
        self.notice()

    def notice(self):
        for there, text in (
                (self.delay, "no netem in this kernel: packets are lost and "
                 "queue up, but delay comes from a proxy of ours alone"),
                (self.drop, "no netfilter: no packet is lost"),
                (self.queue, "no tbf in this kernel: bandwidth comes from a "
                 "proxy of ours")):
            if not there:
                say("NOTICE " + text)

    @staticmethod
    def probe(*shape):
        return run("tc", "qdisc", "add", "dev", "lo", "root", *shape) and \
            run("tc", "qdisc", "del", "dev", "lo", "root")

    def shaped(self, *shape):
        """One at a time: a second one leaves the first as it is."""
        if self.shape:
            return lambda: None
        say("  " + " ".join(shape))
        must("tc", "qdisc", "add", "dev", "lo", "root", *shape)
        self.shape = shape

        def heal():
            must("tc", "qdisc", "del", "dev", "lo", "root")
            self.shape = None
        return heal

    # -- faults --

    LOSS = ("-m", "statistic", "--mode", "random", "--probability")
    LONG = ("-m", "length", "--length", "400:65535")

    def link_down(self):
        """All of the loopback: a black hole, then it is there again."""
        must("ip", "link", "set", "lo", "down")
        return lambda: must("ip", "link", "set", "lo", "up")

    def netem(self):
        """Loss, delay and bandwidth at once."""
        dice = self.dice
        return self.shaped(
            "netem", "loss", "%d%%" % dice.randrange(1, 15),
            "delay", "%dms" % dice.randrange(5, 100),
            "%dms" % dice.randrange(1, 20),
            "rate", "%dkbit" % dice.randrange(200, 2000))

    def narrow(self):
        """A narrow line with a long queue before it."""
        return self.shaped("tbf", "rate", "%dkbit" % self.dice.randrange(
            60, 500), "burst", "3kb", "limit", "20kb")

    def dropped(self, port):
        """Some packets, those that are long (a path that nobody told the MTU
        of), or all, on the way there, on the way back, or on both."""
        loss = "%.2f" % self.dice.uniform(0.02, 0.4)
        rule = self.dice.choice([self.LOSS + (loss,), self.LONG, ()])
        ways = self.dice.choice([["--dport"], ["--sport"],
                                 ["--dport", "--sport"]])
        lines = [("INPUT", "-p", "tcp", way, port) + rule + ("-j", "DROP")
                 for way in ways]
        for line in lines:
            say("  " + " ".join(line))
            must("iptables", "-A", *line)

        def heal():
            for line in lines:
                must("iptables", "-D", *line)
        return heal

    def choices(self, ports):
        """(name, longest duration, what it does); ports: {name: number}."""
        found = []
        if self.down:
            found.append(("network down", 8, self.link_down))
        if self.delay:
            found.append(("netem", 30, self.netem))
        if self.queue:
            found.append(("network narrow", 20, self.narrow))
        if self.drop:
            found += [("packets to the %s lost" % name, 30,
                       lambda port=port: self.dropped("%d" % port))
                      for name, port in sorted(ports.items())]
        return found
