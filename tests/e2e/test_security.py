"""What SECURITY.md says and no other test holds."""

import os
import re
import stat
import unittest

import edgecase
import weir

ROOTS = (weir.ROOT, os.path.join(weir.ROOT, "tests"),
         os.path.join(weir.ROOT, "tests", "e2e"))


def listening(pid):
    """Addresses of the network that the process takes connections or datagrams
    on, as /proc/net has them."""
    sockets = set()
    for name in os.listdir("/proc/%d/fd" % pid):
        try:
            target = os.readlink("/proc/%d/fd/%s" % (pid, name))
        except OSError:
            continue  # closed meanwhile
        found = re.match(r"socket:\[(\d+)\]", target)
        if found:
            sockets.add(found.group(1))
    listen = []
    for kind, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", None),
                        ("udp6", None), ("raw", None), ("raw6", None)):
        with open("/proc/%d/net/%s" % (pid, kind)) as table:
            for line in table.read().splitlines()[1:]:
                words = line.split()
                if words[9] in sockets and state in (None, words[3]) and \
                        words[1].partition(":")[2] != "0000":
                    listen.append((kind, words[1]))
    return listen


class AgentTest(weir.Case):
    def setUp(self):
        super().setUp()
        self.m4, self.cloud = self.m4sim("--flow", "10"), self.cloudsim()
        baseline = ('<Target "flow_baseline">\n  StateFile "%s/state"\n'
                    "</Target>\n</Rule>" % self.dir)
        self.agent = self.collectd(
            weir.m4_block(self.m4.address) +
            "LoadPlugin target_flow_baseline\n" +
            weir.chain_block().replace("</Rule>", baseline) +
            weir.cloud_block(self.cloud.url, self.cloud.credentials(self.dir),
                             flow="MinInterval 0"))
        self.agent.wait_value(plugin="edge_impulse", type="bool",
                              type_instance="Normal",
                              check=lambda v: v["value"])
        self.cloud.wait_values(1, property="flow_rate")

    def test_no_port_is_open(self):
        self.assertEqual(listening(self.agent.pid), [])
        for pid in edgecase.children(self.agent.pid):
            self.assertEqual(listening(pid), [])

    def test_the_look_sees_an_open_port(self):
        self.assertEqual([kind for kind, _ in listening(self.m4.child.pid)],
                         ["tcp"])

    def test_the_model_knows_no_secret(self):
        children = edgecase.children(self.agent.pid)
        self.assertEqual(len(children), 1)
        for name in ("environ", "cmdline"):
            with open("/proc/%d/%s" % (children[0], name)) as text:
                seen = text.read()
            self.assertNotIn(self.cloud.CLIENT_SECRET, seen)
            self.assertNotIn("tok-", seen)

    def test_modes_of_files(self):
        self.agent.stop()
        for name, mode in (("write_arduino_cloud/pump.db", 0o644),
                           ("state", 0o640)):
            path = os.path.join(self.dir, name)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), mode, name)


class PageTest(unittest.TestCase):
    def test_what_it_names_is_there(self):
        with open(os.path.join(weir.ROOT, "SECURITY.md")) as text:
            page = text.read()
        paths = set(re.findall(r"`([\w.-]+/[\w./-]+)`", page))
        paths |= {name + ".py" for name in re.findall(r"`(test_\w+)`", page)}
        self.assertGreater(len(paths), 15)
        for path in paths:
            self.assertTrue(any(os.path.exists(os.path.join(root, path))
                                for root in ROOTS), path)


if __name__ == "__main__":
    unittest.main()
