"""write_arduino_cloud: no byte of the secret goes to the wrong peer."""

import os
import shutil
import subprocess
import unittest

import cloudcase
import weir


class CloudTlsTest(cloudcase.Case):
    def refused(self, cloud, reason, env=None, **options):
        agent = self.agent(cloud, flow="MinInterval 0", start=False, **options)
        agent.env.update(env or {})
        agent.start()
        feed = self.feed(agent)
        feed.flow(1)
        agent.wait_log(r'<Thing "pump">: [^\n]*(?i:%s)' % reason)
        self.health(agent, "bool", "up", lambda v: v == 0)
        self.health(agent, "queue_length", "spool", lambda v: v == 1)
        agent.stop()
        counts = cloud.control()["counts"]
        self.assertEqual(0, counts.get("requests", 0))
        self.assertGreater(counts.get("connections", 0), 0)

    def test_unknown_authority(self):
        _, cloud = self.tls_cloud()
        other = weir.Authority(self.dir, "other")
        self.refused(cloud, "certificate", extra='CACert "%s"' % other.cert)

    def test_authorities_of_the_system_do_not_know_it(self):
        _, cloud = self.tls_cloud()
        self.refused(cloud, "certificate")

    def test_expired_certificate(self):
        ca = weir.Authority(self.dir)
        cert, key = ca.expired()
        cloud = self.cloudsim("--cert", cert, "--key", key)
        self.refused(cloud, "certificate", extra='CACert "%s"' % ca.cert)

    def test_wrong_host_name(self):
        ca, cloud = self.tls_cloud(san="DNS:elsewhere.example")
        self.refused(cloud, "certificate|name",
                     extra='CACert "%s"' % ca.cert)

    def test_client_certificate(self):
        ca = weir.Authority(self.dir)
        cert, key = ca.issue()
        mine, my_key = ca.issue("client")
        cloud = self.cloudsim("--cert", cert, "--key", key, "--client-ca",
                              ca.cert)
        agent = self.agent(
            cloud, flow="MinInterval 0", extra='CACert "%s"\nClientCert "%s"\n'
            'ClientKey "%s"' % (ca.cert, mine, my_key))
        self.feed(agent).flow(1)
        cloud.wait_values(1, value=1)
        agent.stop()

    def test_authorities_come_later(self):
        """What is missing beside us stops nothing: values wait, none is lost.
        """
        ca, cloud = self.tls_cloud()
        path = os.path.join(self.dir, "later.pem")
        agent = self.agent(cloud, flow="MinInterval 0", extra='CACert "%s"' %
                           path)
        agent.wait_log('<Thing "pump">: CACert "%s" cannot be read now: No such '
                       "file or directory; values wait until it can" % path)
        self.feed(agent).flow(7)
        self.health(agent, "bool", "up", lambda v: v == 0)
        self.health(agent, "queue_length", "spool", lambda v: v == 1)
        shutil.copyfile(ca.cert, path)
        cloud.wait_values(1, value=7)
        agent.stop()

    def test_old_tls(self):
        """Also where the machine's administrator allows it to others."""
        conf = os.path.join(self.dir, "openssl.cnf")
        with open(conf, "w") as out:
            out.write("openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\n"
                      "system_default = old\n[old]\nMinProtocol = TLSv1\n"
                      "CipherString = ALL:@SECLEVEL=0\n")
        ca, cloud = self.tls_cloud("--old-tls")
        self.assertIn("TLSv1.1", self.peer_of(cloud, conf))
        self.refused(cloud, "tls|ssl", env={"OPENSSL_CONF": conf},
                     extra='CACert "%s"' % ca.cert)

    @staticmethod
    def peer_of(cloud, conf):
        """What the client of OpenSSL gets of it under the same rules."""
        return subprocess.run(
            ["openssl", "s_client", "-connect",
             cloud.url.partition("://")[2]], stdin=subprocess.DEVNULL,
            capture_output=True, text=True,
            env=dict(os.environ, OPENSSL_CONF=conf)).stdout

    def test_plain_text_port(self):
        cloud = self.cloudsim()
        agent = self.agent(cloud, flow="MinInterval 0",
                           url=cloud.url.replace("http:", "https:"))
        self.feed(agent).flow(1)
        agent.wait_log(r'<Thing "pump">: ')
        self.health(agent, "bool", "up", lambda v: v == 0)
        agent.stop()
        self.assertEqual(0, cloud.count("tokens_issued"))


if __name__ == "__main__":
    unittest.main()
