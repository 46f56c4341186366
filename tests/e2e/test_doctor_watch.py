"""weir-doctor watch: a live view over collectd's unixsock."""

import os
import pty
import re
import subprocess
import unittest

import m4case
import weir
from doctorcase import DOCTOR, Case, Peer, doctor

CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def terminal(*args, **env):
    """What the program writes to a terminal."""
    around = dict(os.environ, TERM="xterm")
    around.update(env)
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(DOCTOR, [DOCTOR] + list(args), around)
    text = b""
    while True:
        try:
            part = os.read(fd, 65536)
        except OSError:  # the other side has gone
            part = b""
        if not part:
            break
        text += part
    os.close(fd)
    os.waitpid(pid, 0)
    return text.decode()


class Sock(Peer):
    """An unixsock with made-up values: identifier -> text of the value."""

    def __init__(self, path, values):
        self.values, self.connections = values, 0
        super().__init__(Sock.answer, path=path)

    def answer(self, conn):
        self.connections += 1
        with conn.makefile("rw") as link:
            for line in link:
                if line == "LISTVAL\n":
                    link.write("%d Values found\n" % len(self.values))
                    for name in self.values:
                        link.write("1.000 %s\n" % name)
                else:
                    name = line[len('GETVAL "'):-2]
                    if name in self.values:
                        link.write("1 Value found\nvalue=%s\n"
                                   % self.values[name])
                    else:
                        link.write("-1 No such value\n")
                link.flush()


class WatchTest(Case):
    VALUES = {
        "h/m4_rpc-pump/flow-flow_rate": "1.002000e+01",
        "h/m4_rpc-pump/bool-up": "1",
        "h/edge_impulse-pump/bool-up": "1",
        "h/edge_impulse-pump/bool-shelved": "1",
        "h/edge_impulse-pump/bool-Normal": "1",
        "h/edge_impulse-pump/bool-Low": "0",
        "h/edge_impulse-pump/percent-Normal": "97.2",
        "h/edge_impulse-pump/percent-Low": "2.1",
        "h/flow_baseline-pump/bool-drift": "1",
        "h/write_arduino_cloud-pump/queue_length-spool": "12",
        "h/write_arduino_cloud-pump/bool-up": "0",
        "h/cpu-0/cpu-idle": "5",
        "h/edge_impulse/queue_length-windows": "0",
    }

    def sock(self, **changes):
        sock = Sock(os.path.join(self.dir, "sock"), dict(self.VALUES))
        sock.values.update(changes.pop("values", {}))
        self.addCleanup(sock.stop)
        self.path = os.path.join(self.dir, "sock")
        return sock

    def screen(self, *args, **env):
        text = terminal("watch", self.path, "--count", "1", *args, **env)
        for line in CODES.sub("", text).splitlines():
            self.assertLessEqual(len(line), 80, line)
        return text

    def test_screen(self):
        self.sock()
        text = CODES.sub("", self.screen())
        for words in ("pump            10.02 L/min █", "state   Normal",
                      "Normal 97 %  Low 2 %",
                      "health  M4 up, model up, shelved, baseline drift",
                      "cloud pump: down, 12 values in the spool",
                      "pump: - -> Normal"):
            self.assertIn(words, text)
        self.assertNotIn("cpu", text)
        self.assertNotIn("no flow", text)

    def test_colour_is_that_of_the_state(self):
        for label, code in (("Normal", "32"), ("Low", "36"), ("High", "33"),
                            ("Anomalous", "1;31"), ("unknown", "35"),
                            ("Leak", "33")):
            sock = self.sock(values={
                "h/edge_impulse-pump/bool-Normal": "0",
                "h/edge_impulse-pump/bool-" + label: "1"})
            text = self.screen()
            self.assertRegex(text, "\x1b\\[%sm█\x1b" % code, label)
            self.assertRegex(text, "\x1b\\[%sm%s" % (code, label))
            self.assertNotIn("\x1b[%s" % code, self.screen(NO_COLOR="1"))
            sock.stop()
            os.unlink(self.path)

    def test_one_short_connection_for_each_look(self):
        sock = self.sock()
        status, text = doctor("watch", self.path, "--count", "3",
                              "--interval", "0.1")
        self.assertEqual((status, sock.connections), (0, 3))
        self.assertEqual(text.count("\n"), 3)

    def test_plain_lines_without_a_terminal(self):
        self.sock()
        for text in (doctor("watch", self.path, "--count", "1")[1],
                     terminal("watch", self.path, "--count", "1",
                              TERM="dumb").replace("\r", "")):
            self.assertRegex(text, r"^\d\d:\d\d:\d\d pump flow 10.02 L/min "
                             "state Normal M4 up model up\n$")

    def test_hostile_names_do_nothing_to_the_terminal(self):
        evil = "h/m4_rpc-\x1b[2J\x07evil\u202e/flow-x"
        self.sock(values={evil: "nan", "h/edge_impulse-pump/bool-Normal": "0",
                          "h/edge_impulse-pump/bool-\x1b]0;x": "1",
                          "h/" + "y" * 500 + "/flow-z": "1", "h/m4_rpc": "1"})
        text = self.screen(NO_COLOR="1")
        self.assertIn("evil?", text)
        self.assertEqual(set(re.findall("\x1b.{2}", text)),
                         {"\x1b[H", "\x1b[J"} & set(
                             re.findall("\x1b.{2}", text)))
        self.assertNotIn("\x07", text)

    def test_many_loops(self):
        self.sock(values={"h/m4_rpc-p%02d/flow-flow_rate" % i: "1"
                          for i in range(40)})
        self.assertIn("more than 16 loops", self.screen())

    def test_nobody_at_the_socket(self):
        status, said = doctor("watch", "/nonexistent/sock")
        self.assertEqual(status, 1)
        self.assertIn("unixsock cannot be reached", said)
        self.assertIn("examples/unixsock.conf", said)  # "unixsock-missing"

    def test_collectd_that_goes_away_meanwhile(self):
        sock = self.sock()
        watch = subprocess.Popen(
            [DOCTOR, "watch", self.path, "--interval", "0.1"],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)
        self.assertIn("pump flow", watch.stdout.readline())
        sock.stop()
        os.unlink(self.path)
        for line in watch.stdout:
            if "collectd does not answer" in line:
                break
        self.sock()
        for line in watch.stdout:
            if "pump flow" in line:
                break
        watch.stdout.close()

    def test_faults_of_the_command_line(self):
        for args in (["--interval", "0"], ["--count", "x"], ["a", "b"],
                     ["--json"]):
            self.assertEqual(doctor("watch", *args)[0], 2, args)


class RealTest(m4case.Case):
    def test_the_real_agent(self):
        self.begin("--flow", "10")
        agent = self.agent(self.pump(m4case.FLOW, options="Interval 0.1"),
                           extra=m4case.unixsock(self.dir) +
                           'PluginDir "%s"\n' % weir.PLUGINDIR +
                           weir.chain_block(), stock=("match_regex",))
        agent.wait_value(plugin="edge_impulse", type="bool",
                         type_instance="Normal", check=lambda v:
                         v["value"] == 1)
        text = CODES.sub("", terminal(
            "watch", os.path.join(self.dir, "unixsock"), "--count", "1"))
        self.assertRegex(text, r"pump +(9|10)\.\d\d L/min")
        self.assertIn("state   Normal", text)
        self.assertRegex(text, r"Normal \d+ %")
        self.assertIn("M4 up, model up", text)
        agent.stop()  # nobody stays connected


if __name__ == "__main__":
    unittest.main()
