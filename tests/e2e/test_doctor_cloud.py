"""weir-doctor cloud: each way to the cloud can fail, one verdict for each."""

import json
import os
import sqlite3
import unittest

import weir
from doctorcase import Case, closed_port, doctor, steps

GONE = "11111111-2222-3333-4444-555555555555"


class CloudTest(Case):
    def cloud(self, name, *args, sim=(), fail=None, url=None, env=None,
              **changes):
        cloud = self.cloudsim(*sim)
        for path, fault in (fail or {}).items():
            cloud.fail(path, times=0, **fault)
        said = self.expect(name, "cloud", "--url", url or cloud.url, "--env",
                           cloud.credentials(self.dir, **changes), *args,
                           env=env)
        self.assertNotIn(cloud.CLIENT_SECRET, json.dumps(said))
        cloud.stop()
        return said

    def test_well(self):
        self.cloud("cloud-well")

    # -- what is read here

    def test_secrets_missing(self):
        self.expect("secrets-missing", "cloud", "--env", "/nonexistent/env")

    def test_secrets_forbidden(self):
        with self.folder_for_all() as folder:
            path = weir.CloudSim.credentials(weir.CloudSim, folder)
            self.as_nobody("secrets-forbidden", folder, "cloud", "--env", path)

    def test_secrets_open(self):
        for mode in (0o644, 0o660):
            said = self.cloud("secrets-open", mode=mode)
            self.assertIn("chmod 600", said["remedy"])

    def test_secrets_incomplete(self):
        said = self.cloud("secrets-incomplete", CLIENT_ID="")
        self.assertIn("CLIENT_ID", steps(said))
        self.expect("secrets-incomplete", "cloud", env={"CLIENT_ID": ""})

    def test_ca_missing(self):
        self.cloud("ca-missing", "--ca-cert", "/nonexistent/ca.pem")

    # -- the way

    def test_dns(self):
        self.cloud("cloud-dns", url="https://cloud.invalid")

    def test_proxy(self):
        self.cloud("cloud-proxy", url="https://cloud.invalid",
                   env={"https_proxy": "http://proxy.invalid:3128"})

    def test_refused(self):
        self.cloud("cloud-refused", url="http://127.0.0.1:%d" % closed_port())

    def test_timeout(self):
        self.cloud("cloud-timeout", fail={"token": {"action": "hang",
                                                    "seconds": 25}})

    def tls(self, name, ca, cert, key, trust=None):
        self.cloud(name, "--ca-cert", trust or ca.cert,
                   sim=["--cert", cert, "--key", key])

    def test_clock(self):
        ca = weir.Authority(self.dir)
        self.tls("cloud-clock", ca, *ca.expired())
        self.tls("cloud-clock", ca, *ca.issue(
            "future", start="20450101000000Z", end="20460101000000Z"))

    def test_tls(self):
        ca = weir.Authority(self.dir)
        self.tls("cloud-tls", ca, *ca.issue("other", san="DNS:elsewhere.test"))
        self.tls("cloud-tls", ca, *ca.issue(),
                 trust=weir.Authority(self.dir, "stranger").cert)
        self.tls("cloud-well", ca, *ca.issue("mine"))

    def test_no_tls_there(self):
        cloud = self.cloudsim()
        self.expect("cloud-tls", "cloud", "--url",
                    cloud.url.replace("http:", "https:"), "--env",
                    cloud.credentials(self.dir))

    def test_broken(self):
        self.cloud("cloud-broken", fail={"token": {"action": "reset"}})

    def test_portal(self):
        for fault in ({"status": 302}, {"status": 404}, {"status": 200,
                                                         "body": "<html>"}):
            self.cloud("not-the-cloud", fail={"token": fault})

    # -- token

    def test_token_limit(self):
        self.cloud("token-limit", fail={"token": {"status": 429}})

    def test_token_down(self):
        self.cloud("token-down", fail={"token": {"status": 503}})

    def test_token_refused(self):
        self.cloud("token-refused", CLIENT_SECRET="no")

    # -- properties

    def test_thing_limit(self):
        said = self.cloud("thing-limit", fail={"properties": {"status": 429}})
        self.assertIn("RateLimit", said["remedy"])

    def test_thing_down(self):
        self.cloud("thing-down", fail={"properties": {"status": 500}})

    def test_thing_forbidden(self):
        self.cloud("thing-forbidden", fail={"properties": {"status": 403}})

    def test_thing_unknown(self):
        self.cloud("thing-unknown", THING_ID=GONE)

    def test_property_missing(self):
        said = self.cloud("property-missing", sim=[
            "--thing", weir.CloudSim.THING, "--property", "flow_rate:FLOAT"])
        self.assertIn("no property for classification", steps(said))

    def test_property_type(self):
        said = self.cloud("property-type", sim=[
            "--thing", weir.CloudSim.THING, "--property", "flow_rate:FLOAT",
            "--property", "classification:FLOAT"])
        self.assertIn("classification has the type FLOAT but must take a text",
                      steps(said))

    # -- where the agent looks

    def test_environment_of_the_container(self):
        ca = weir.Authority(self.dir)
        cert, key = ca.issue()
        cloud = self.cloudsim("--cert", cert, "--key", key)
        self.expect("cloud-well", "cloud", env={
            "CLOUD_URL": cloud.url, "CLOUD_CACERT": ca.cert,
            "CLIENT_ID": cloud.CLIENT_ID, "THING_ID": cloud.THING,
            "CLIENT_SECRET": cloud.CLIENT_SECRET})

    def test_properties_of_the_block(self):
        cloud = self.cloudsim("--thing", weir.CloudSim.THING,
                              "--property", "flow:FLOAT",
                              "--property", "label:FLOAT")
        text = weir.cloud_block(cloud.url, cloud.credentials(self.dir))
        text = text.replace('"flow_rate"', '"flow"').replace(
            '"classification"', '"label"')
        path = os.path.join(self.dir, "c.conf")
        with open(path, "w") as out:
            out.write(text)
        status, said = doctor("--json", "-C", path)
        self.assertEqual(said["checks"][0]["name"], "property-type", said)
        self.assertIn("label has the type FLOAT", steps(said["checks"][0]))

    def test_plain_http_elsewhere_is_refused(self):
        status, said = doctor("--json", "cloud", "--url", "http://192.0.2.1")
        self.assertEqual(status, 2)
        self.assertIn("https://", said["verdict"])

    # -- what was rejected

    def test_spool_unreadable(self):
        self.expect("spool-unreadable", "cloud", "--rejected", "/dev/null")

    def test_values_rejected(self):
        path = os.path.join(self.dir, "spool.db")
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE rejected(id INTEGER PRIMARY KEY, at_us "
                       "INTEGER, property TEXT, time_us INTEGER, value, "
                       "status INTEGER, reason TEXT)")
        self.expect("none-rejected", "cloud", "--rejected", path)
        with sqlite3.connect(path) as db:
            db.execute("INSERT INTO rejected VALUES(1, 1, 'flow', 1, 9.5, 400,"
                       " 'too big')")
        said = self.expect("values-rejected", "cloud", "--rejected", path)
        self.assertIn("too big", steps(said))

    def test_values_resent(self):
        path = os.path.join(self.dir, "spool.db")
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE rejected(id INTEGER PRIMARY KEY, again)")
            db.execute("INSERT INTO rejected VALUES(1, 0)")
        said = self.expect("values-resent", "cloud", "--resend", path)
        self.assertIn("1 values", steps(said))
        with sqlite3.connect(path) as db:
            self.assertEqual([(1,)],
                             list(db.execute("SELECT again FROM rejected")))

    def test_spool_of_the_older_version(self):
        self.expect("spool-unchanged", "cloud", "--to-0.1", "/dev/null")
        self.expect("spool-unchanged", "cloud", "--resend", "/dev/null")
        path = os.path.join(self.dir, "old.db")
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version=1")
        self.expect("spool-older", "cloud", "--to-0.1", path)


if __name__ == "__main__":
    unittest.main()
