"""agent-config/fleet/d-mqtt: mosquitto with mutual TLS, the shipped files.

Two boards publish and a collector reads; who has no certificate, or writes
another board's branch, gets nowhere."""

import os
import re
import shutil
import subprocess
import unittest

import stack
import weir
from stack import shipped, write

SHUT_OUT = """
user board-5
topic deny collectd/#
"""


def broker(work, authority, port, acl="", options=()):
    """mosquitto as shipped, on this port; acl: more lines for its file."""
    cert, key = authority.issue("broker")
    acl_file = write(os.path.join(work, "weir.acl"),
                     shipped("d-mqtt/weir.acl") + acl)
    config = shipped("d-mqtt/mosquitto.conf", (
        ("listener 8883", "listener %d 127.0.0.1" % port),
        ("/etc/mosquitto/certs/ca.pem", authority.cert),
        ("/etc/mosquitto/certs/broker.pem", cert),
        ("/etc/mosquitto/certs/broker.key", key),
        ("/etc/mosquitto/weir.acl", acl_file),
        ("/var/lib/mosquitto/", work + "/")))
    path = write(os.path.join(work, "mosquitto.conf"), "user root\n" + config)
    return weir.Process("mosquitto", [stack.program("mosquitto"), "-c", path,
                                      *options], work)


def client(file, authority, port, name, role):
    """The shipped file with this client's name and own certificate."""
    cert, key = authority.issue(role)  # the common name: the user
    config = shipped("d-mqtt/" + file, (
        ("broker.example.org", "127.0.0.1"), ("Port 8883", "Port %d" % port),
        ("/etc/weir/mqtt/ca.pem", authority.cert)))
    config = re.sub(r'(CertificateFile) ".*"', r'\1 "%s"' % cert, config)
    config = re.sub(r'(CertificateKeyFile) ".*"', r'\1 "%s"' % key, config)
    config = re.sub(r'ClientId ".*"', 'ClientId "%s"' % name, config)
    return config.replace("LoadPlugin syslog\n", "")


class MqttTest(unittest.TestCase):
    def setUp(self):
        self.dir = os.path.join(weir.BUILD, "mqtt")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.authority = weir.Authority(self.dir)
        self.port = stack.free_port()
        self.log = self.run_process(broker(
            self.dir, self.authority, self.port, acl=SHUT_OUT,
            options=("-v",)))
        self.log.wait_log(r"running")

    def run_process(self, process):
        self.addCleanup(process.kill)
        return process.start()

    def client(self, file, name, role, host=None):
        """Stock collectd with the shipped file and its own certificate."""
        config = client(file, self.authority, self.port, name, role)
        config = re.sub(r"(?s)LoadPlugin write_influxdb_udp.*", "", config)
        work = os.path.join(self.dir, name)
        os.makedirs(work)
        text = 'PluginDir "%s"\nLoadPlugin uptime\n%s' % (
            weir.STOCK_PLUGINDIR, config)
        if host:
            text += 'Hostname "%s"\n' % host
        return self.run_process(weir.Collectd(work, text, interval=0.5))

    def test_boards_reach_the_collector_and_nobody_else_does(self):
        collector = self.client("collector.conf", "c", "collector")
        self.client("board.conf", "b1", "board-1", host="board-1")
        self.client("board.conf", "b2", "board-2", host="board-2")
        for host in ("board-1", "board-2"):
            collector.wait_value(2, host=host, plugin="uptime")
        # board-3 has a certificate of its own and says that it is board-4.
        self.client("board.conf", "b3", "board-3", host="board-4")
        self.log.wait_log(r"Denied PUBLISH from b3", 2)
        # board-5 has the right of every board, and was shut out.
        self.client("board.conf", "b5", "board-5", host="board-5")
        self.log.wait_log(r"Denied PUBLISH from b5", 2)
        self.assertEqual(collector.values(host="board-4"), [])
        self.assertEqual(collector.values(host="board-5"), [])

    def test_no_certificate_no_connection(self):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", "127.0.0.1:%d" % self.port,
             "-CAfile", self.authority.cert, "-verify_return_error",
             "-tls1_2"], text=True, capture_output=True, input="")
        self.assertIn("alert", done.stderr + done.stdout)
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
