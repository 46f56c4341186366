"""docker/m4-firewall, tried: a board in a network of its own, with the bridges
that Docker and compose.yaml make, and somebody behind each of them.

Needs iptables and a kernel that lets us make networks; skips where not. With
the real engine and compose: tests/packaging/image-check."""

import os
import re
import select
import shutil
import socket
import subprocess
import sys
import threading
import unittest

import weir

DOCKER = os.path.join(weir.ROOT, "docker")
FIREWALL = os.path.join(DOCKER, "m4-firewall")
DOCTOR = os.path.join(weir.BUILD, "bin", "weir-doctor")
# docker0 answers for `host-gateway`, also where nobody is behind it.
BRIDGES = {"docker0": "172.17.0", "weir0": "172.18.0",
           "br-0a1b2c3d4e5f": "172.19.0", "lan0": "192.168.7"}
HOST_GATEWAY = "172.17.0.1"


def run(*command, **named):
    return subprocess.run(command, check=True, text=True, capture_output=True,
                          **named).stdout


class Neighbour:
    """A child in a network of its own that tries one connection at a time."""

    def __init__(self, alone=True):
        self.ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            if alone and weir.LIBC.unshare(0x40000000) != 0:  # CLONE_NEWNET
                os._exit(1)
            self.serve(theirs)
        theirs.close()
        assert self.ours.recv(64) == b"ready", "no network of its own"

    @staticmethod
    def serve(orders):
        orders.sendall(b"ready")
        while True:
            address, port = orders.recv(64).decode().split()
            kind = socket.AF_INET6 if ":" in address else socket.AF_INET
            with socket.socket(kind) as link:
                link.setblocking(False)
                link.connect_ex((address, int(port)))
                _, done, _ = select.select([orders], [link], [])
                if done:
                    error = link.getsockopt(socket.SOL_SOCKET,
                                            socket.SO_ERROR)
                    orders.sendall(os.strerror(error).encode()
                                   if error else b"connected")
                orders.recv(64)  # "enough"
            orders.sendall(b"closed")

    def try_one(self, address, port, dropped):
        """True: connected. False: a packet of it was dropped."""
        before = dropped()
        self.ours.sendall(b"%s %d" % (address.encode(), port))
        self.ours.settimeout(0.05)
        said = None
        while said is None:
            try:
                said = self.ours.recv(64).decode()
            except TimeoutError:
                if dropped() > before:
                    break
        self.ours.sendall(b"enough")
        self.ours.settimeout(weir.CEILING)
        while self.ours.recv(64) != b"closed":
            pass  # no packet of it is on the way any more
        if said not in (None, "connected"):
            raise AssertionError("%s port %d: %s" % (address, port, said))
        return said is not None


class Board:
    """Inside the namespaces: the bridges, and a neighbour behind each."""

    def __init__(self):
        run("ip", "link", "set", "lo", "up")
        self.neighbours = {None: Neighbour(alone=False)}  # the board itself
        for number, (bridge, net) in enumerate(BRIDGES.items()):
            run("ip", "link", "add", "name", bridge, "type", "bridge")
            run("ip", "address", "add", net + ".1/24", "dev", bridge)
            run("ip", "address", "add", "fd00:%d::1/64" % number, "dev",
                bridge, "nodad")
            run("ip", "link", "set", bridge, "up")
            self.neighbours[bridge] = self.connect(bridge, net, number)

    def connect(self, bridge, net, number):
        child = Neighbour()
        run("ip", "link", "add", "name", "v%d" % number, "type", "veth",
            "peer", "name", "eth0", "netns", str(child.pid))
        run("ip", "link", "set", "v%d" % number, "master", bridge, "up")
        run(*self.at(bridge, child), "sh", "-c", """
            ip address add %s.2/24 dev eth0
            ip address add fd00:%d::2/64 dev eth0 nodad
            ip link set eth0 up
            ip route add default via %s.1""" % (net, number, net))
        return child

    def at(self, bridge, child=None):
        child = child or self.neighbours[bridge]
        return ["nsenter", "-t", str(child.pid), "--net"]

    @staticmethod
    def dropped():
        """Packets that the rules have thrown away so far."""
        count = 0
        for tool in ("iptables", "ip6tables"):
            rules = subprocess.run([tool, "-w", "-vxnL", "weir-m4"], text=True,
                                   capture_output=True).stdout
            count += sum(int(x) for x in re.findall(r"(?m)^ *(\d+) .* DROP",
                                                    rules))
        return count

    def reaches(self, bridge, address, port):
        return self.neighbours[bridge].try_one(address, port, self.dropped)


def listen(address, port, family=socket.AF_INET):
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((address, port))
    server.listen(64)

    def serve():
        while True:
            server.accept()[0].close()
    threading.Thread(target=serve, daemon=True).start()


def expect(board, who, *allowed):
    for bridge, net in list(BRIDGES.items()) + [(None, "127.0.0")]:
        number = list(BRIDGES).index(bridge) if bridge else 0
        targets = [(net + ".1", 5000), (HOST_GATEWAY, 5001),
                   (net + ".1", 5020), ("fd00:%d::1" % number, 5000)]
        for address, port in targets:
            got = board.reaches(bridge, address, port)
            if got != (bridge in allowed):
                raise AssertionError("%s: %s -> %s port %d: %s" % (
                    who, bridge or "the board", address, port, got))
        # Nothing else is shut.
        assert board.reaches(bridge, net + ".1", 4999), (who, bridge)
        assert board.reaches(bridge, net + ".1", 5021), (who, bridge)


def inside(m4sim):
    board = Board()
    sim = subprocess.Popen([m4sim, "--listen", "0.0.0.0:5001"],
                           stdout=subprocess.PIPE, text=True)
    sim.stdout.readline()
    for port in (4999, 5000, 5020, 5021):
        listen("0.0.0.0", port)
    listen("::", 5000, socket.AF_INET6)
    everybody = list(BRIDGES) + [None]
    expect(board, "without rules", *everybody)
    run(FIREWALL, "up")
    expect(board, "up", "weir0", None)
    # What the agent in the container asks.
    said = run(*board.at("weir0"), DOCTOR, "m4",
               HOST_GATEWAY + ":5001")
    assert "plausible" in said, said
    rules = run("iptables", "-S"), run("ip6tables", "-S")
    run(FIREWALL, "up")
    assert rules == (run("iptables", "-S"), run("ip6tables", "-S")), "twice"
    run(FIREWALL, "up", "docker0", "br-+")
    expect(board, "up docker0 br-+", "weir0", "docker0", "br-0a1b2c3d4e5f",
           None)
    run(FIREWALL, "down")
    expect(board, "down", *everybody)
    assert "weir" not in run("iptables", "-S") + run("ip6tables", "-S")
    print("all as said")


class FirewallTest(weir.Case):
    def test_agent_in_everybody_else_out(self):
        for tool in ("iptables", "ip", "nsenter"):
            if not shutil.which(tool, path=os.environ["PATH"] +
                                ":/usr/sbin:/sbin"):
                self.skipTest("%s is not installed" % tool)
        own = ["unshare", "--net", "--pid", "--mount", "--fork",
               "--kill-child", "--mount-proc"]
        if os.geteuid() != 0:
            own += ["--map-root-user"]
        if subprocess.run(own + ["sh", "-c", "ip link add name weir0 type bridge && "
                                 "iptables -w -L"], env=self.env(),
                          capture_output=True).returncode:
            self.skipTest("no network of one's own, with bridges and rules, "
                          "can be made here")
        done = subprocess.run(own + [sys.executable, __file__, "--inside",
                                     os.path.join(weir.PARTS, "bin",
                                                  "m4sim")],
                              capture_output=True, text=True, env=self.env())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("all as said", done.stdout)

    @staticmethod
    def env():
        return dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")

    def test_it_says_what_it_takes(self):
        done = subprocess.run([FIREWALL, "sideways"], text=True,
                              capture_output=True, env=self.env())
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("m4-firewall", done.stderr)

    def test_compose_names_the_bridge_that_is_let_in(self):
        with open(os.path.join(DOCKER, "compose.yaml")) as text:
            name, = re.findall(r"com\.docker\.network\.bridge\.name: (\S+)",
                               text.read())
        with open(FIREWALL) as text:
            self.assertIn("for interface in lo %s " % name, text.read())
        self.assertLess(len(name), 16)  # what the kernel takes

    def test_no_page_has_rules_of_its_own(self):
        """They are tried in one place, so they stand in one place."""
        for folder in ("README.md", "BOARD.md", "docker/README.md",
                       "agent-config/README.md", "SECURITY.md"):
            with open(os.path.join(weir.ROOT, folder)) as text:
                self.assertNotIn("iptables -", text.read(), folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2])
    else:
        unittest.main()
