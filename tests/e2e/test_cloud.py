"""write_arduino_cloud and the stock collectd against the cloud stand-in."""

import os
import signal
import subprocess
import time
import unittest

import cloudcase
import weir


class CloudTest(cloudcase.Case):
    def test_values_and_labels_arrive_over_tls(self):
        ca, cloud = self.tls_cloud()
        agent = self.agent(cloud, extra='CACert "%s"' % ca.cert,
                           flow="MinInterval 0")
        feed = self.feed(agent)
        feed.flow(10.25)
        feed.label("Normal")
        cloud.wait_values(1, property="flow_rate", value=10.25)
        cloud.wait_values(1, property="classification", value="Normal")
        feed.label("Low")
        cloud.wait_values(1, property="classification", value="Low")
        self.health(agent, "queue_length", "spool", lambda v: v == 0)
        self.health(agent, "bool", "up", lambda v: v == 1)
        agent.stop()
        # One value per label and window came in, one went out.
        self.assertEqual(
            ["Normal", "Low"],
            [v["value"] for v in cloud.values(property="classification")])
        self.assertEqual(1, cloud.count("tokens_issued"))
        self.assertEqual(1, cloud.count("connections"))

    def test_outage_of_ten_hours_is_back_filled(self):
        """The time stamps are of the outage; nothing waits for it."""
        cloud = self.cloudsim()
        agent = self.agent(cloud, flow="MinInterval 0",
                           extra="RateLimit 10\nTimeout 2")
        feed = self.feed(agent)
        cloud.wait_log("listening")
        cloud.kill()
        start = int(time.time()) - 36000
        for n in range(600):
            feed.flow(n, start + 60 * n)
            if n % 100 == 0:
                feed.label("Low" if n % 200 else "Normal", start + 60 * n)
        self.health(agent, "queue_length", "spool", lambda v: v == 606)
        self.health(agent, "bool", "up", lambda v: v == 0)
        cloud.start()
        feed.flow(-1)
        weir.wait_until(
            lambda: {v["value"] for v in cloud.values(
                property="flow_rate")} >= set(range(-1, 600)),
            "every value arrived", alive=agent)
        agent.flush()
        self.health(agent, "queue_length", "spool", lambda v: v == 0)
        agent.stop()
        live = cloud.values()[0]
        self.assertEqual(-1 if live["property"] == "flow_rate" else "Low",
                         live["value"])
        for name, count in (("flow_rate", 600), ("classification", 6)):
            old = [v for v in cloud.values(property=name) if v["timestamp"]]
            stamps = [cloudcase.seconds(v["timestamp"]) for v in old]
            self.assertEqual(sorted(stamps), stamps)
            outage = [v for v in old if
                      cloudcase.seconds(v["timestamp"]) <= start + 36000 - 60]
            self.assertEqual(count, len(outage))
            self.assertEqual(count, len({v["timestamp"] for v in outage}))

    def test_restart_in_the_middle_of_an_outage(self):
        cloud = self.cloudsim()
        agent = self.agent(cloud, flow="MinInterval 0")
        feed = self.feed(agent)
        cloud.kill()
        start = int(time.time()) - 1000
        for n in range(10):
            feed.flow(n, start + n)
        agent.stop()
        cloud.start()
        agent.start()
        cloud.wait_values(10, property="flow_rate", endpoint="publish_batch")
        agent.stop()
        self.assertEqual(list(range(10)), [
            v["value"] for v in cloud.values(endpoint="publish_batch")])

    def test_401_in_the_middle(self):
        cloud = self.cloudsim()
        agent = self.agent(cloud, flow="MinInterval 0")
        feed = self.feed(agent)
        feed.flow(1)
        cloud.wait_values(1, value=1)
        cloud.control(expire_tokens=True)
        feed.flow(2)
        cloud.wait_values(1, value=2)
        self.health(agent, "errors", "unauthorised", lambda v: v >= 0)
        agent.stop()
        self.assertEqual(2, cloud.count("tokens_issued"))
        self.assertEqual(1, len(cloud.values(value=2)))

    def test_429_with_retry_after(self):
        cloud = self.cloudsim()
        agent = self.agent(cloud, flow="MinInterval 0",
                           extra="RateLimit 10")
        feed = self.feed(agent)
        feed.flow(1)
        cloud.wait_values(1, value=1)
        cloud.fail("/publish$", status=429, retry_after=3, enforce=True)
        feed.flow(2)
        cloud.wait_values(1, value=2)
        agent.stop()
        # Whoever comes back too early is refused once more.
        self.assertEqual(1, len([r for r in cloud.requests()
                                 if r["outcome"] == 429]))

    def check_fault(self, **fault):
        """A fault of one reply: the value arrives all the same."""
        cloud = self.cloudsim()
        agent = self.agent(cloud, flow="MinInterval 0",
                           extra="RateLimit 10\nTimeout 1")
        feed = self.feed(agent)
        feed.flow(1)
        cloud.wait_values(1, value=1)
        cloud.fail("publish", **fault)
        feed.flow(2)
        cloud.wait_values(2 if fault.get("accept") else 1, value=2)
        agent.stop()
        values = cloud.values(value=2)
        # Only where the cloud took it and then did not say so, twice.
        self.assertEqual(2 if fault.get("accept") else 1, len(values))
        if "status" in fault and fault.get("accept"):
            self.assertIsNotNone(values[1]["timestamp"])

    def test_500s(self):
        self.check_fault(status=500, times=3)

    def test_500_after_the_value_was_taken(self):
        self.check_fault(status=500, accept=True)

    def test_slow_body(self):
        self.check_fault(action="slow", seconds=20)

    def test_half_closed_connection(self):
        self.check_fault(action="half")

    def test_connection_closed_without_reply(self):
        self.check_fault(action="close")

    def test_connection_reset(self):
        # libcurl itself repeats a request on a kept connection that died.
        self.check_fault(action="reset", accept=True)

    def test_garbage(self):
        self.check_fault(action="garbage")

    def test_endless_body(self):
        self.check_fault(action="endless")

    def test_hanging_reply(self):
        self.check_fault(action="hang", seconds=20)

    def test_write_and_shutdown_do_not_wait_for_the_cloud(self):
        cloud = self.cloudsim()
        cloud.fail("", action="hang", times=0)
        agent = self.agent(cloud, flow="MinInterval 0",
                           extra="Timeout 300")
        feed = self.feed(agent)
        start = int(time.time()) - 1000
        for n in range(500):
            feed.flow(n, start + n)
        # All 500 passed write(): the daemon's own metrics still flow.
        self.health(agent, "queue_length", "spool", lambda v: v == 500)
        self.assertGreater(cloud.count("connections"), 0)
        agent.stop()  # within the harness' ceiling, not the Timeout of 300 s
        cloud.control(clear=True, release=True)
        agent.start()
        cloud.wait_values(500, endpoint="publish_batch")
        agent.stop()
        self.assertEqual(list(range(500)), [
            v["value"] for v in cloud.values(endpoint="publish_batch")])

    def test_flush_sends_at_once(self):
        cloud = self.cloudsim()
        cloud.fail("/publish$", status=403, body='{"detail":"no access"}')
        agent = self.agent(cloud, flow="MinInterval 0")
        feed = self.feed(agent)
        feed.flow(1)
        agent.wait_log(r'<Thing "pump">: the cloud refuses \(HTTP 403: '
                       r'no access\); check that the API key')
        before = len(cloud.requests())
        feed.flow(2)
        feed.flow(3)
        self.health(agent, "queue_length", "spool", lambda v: v == 3)
        self.assertEqual(before, len(cloud.requests()))  # no hammering
        agent.flush()
        cloud.wait_values(1, value=3)
        agent.wait_log("the cloud accepts values again")
        agent.stop()

    def test_values_faster_than_the_rate_are_said(self):
        cloud = self.cloudsim()
        agent = self.agent(cloud, flow="MinInterval 0",
                           extra="RateLimit 2\nStoreAfter 0.1")
        feed, sent = self.feed(agent), 0
        for _ in range(10):
            for _ in range(60):  # no more than one batch holds
                feed.flow(sent)
                sent += 1
            weir.wait_until(
                lambda: {v["value"] for v in cloud.values()} >=
                set(range(sent)), "all %d are there" % sent, alive=agent)
            if "values come faster than RateLimit" in agent.log():
                break
        agent.wait_log(r'<Thing "pump">: the cloud answers, but values come '
                       r'faster than RateLimit .* StoreAfter spares it\.')
        agent.stop()
        self.assertEqual(1, agent.log().count("faster than RateLimit"))

    def test_proxy_never_sees_plain_text(self):
        cloud = self.cloudsim()
        agent = self.agent(cloud, start=False, flow="MinInterval 0")
        agent.env.update(http_proxy="http://127.0.0.1:9", no_proxy="")
        agent.start()
        self.feed(agent).flow(1)
        cloud.wait_values(1, value=1)
        agent.stop()

    def test_proxy_of_the_environment(self):
        ca, cloud = self.tls_cloud()
        agent = self.agent(cloud, start=False, flow="MinInterval 0",
                           extra='CACert "%s"' % ca.cert)
        agent.env.update(https_proxy="http://127.0.0.1:9", no_proxy="")
        agent.start()
        self.feed(agent).flow(1)
        agent.wait_log('<Thing "pump">: [^\n]*127.0.0.1 port 9')
        agent.stop()
        self.assertEqual(0, cloud.count("connections"))

    def test_dns_failure(self):
        cloud = self.cloudsim()
        agent = self.agent(cloud, url="https://weir.invalid")
        feed = self.feed(agent)
        feed.flow(1)
        agent.wait_log(r'<Thing "pump">: .*weir\.invalid')
        self.health(agent, "bool", "up", lambda v: v == 0)
        self.health(agent, "queue_length", "spool", lambda v: v == 1)
        agent.stop()

    def test_two_things_do_not_slow_each_other(self):
        one, two = self.cloudsim(), self.cloudsim(name="cloudsim2")
        one.fail("", action="hang", times=0)
        block = weir.cloud_block(one.url, one.credentials(self.dir),
                                 flow="MinInterval 0")
        second = weir.cloud_block(two.url, two.credentials(self.dir),
                                  flow="MinInterval 0")
        second = second.replace('Thing "pump"', 'Thing "tank"')
        agent = self.agent(one, block=block + second.replace(
            "LoadPlugin write_arduino_cloud\n", ""))
        feed = self.feed(agent)
        feed.flow(1)
        two.wait_values(1, value=1)
        feed.flow(2)
        two.wait_values(1, value=2)
        agent.stop()
        self.assertEqual([], one.values())

    def test_alert_and_all_clear(self):
        cloud = self.cloudsim()
        agent = self.agent(cloud, flow="MinInterval 0",
                           extra="AlertAfter 60\nRateLimit 10")
        feed = self.feed(agent)
        cloud.kill()
        feed.flow(1, int(time.time()) - 600)
        agent.wait_log(r"severity = WARNING.*1 values wait for the Arduino "
                       r"Cloud, the oldest for 10 minutes")
        cloud.start()
        agent.flush()
        agent.wait_log(r"severity = OKAY.*has caught up")
        agent.stop()

    def test_property_that_the_thing_lacks(self):
        cloud = self.cloudsim("--thing", weir.CloudSim.THING, "--property",
                              "classification:CHARSTRING")
        agent = self.agent(cloud, flow="MinInterval 0")
        feed = self.feed(agent)
        feed.flow(1)
        feed.label("Low")
        cloud.wait_values(1, value="Low")
        agent.wait_log(r'the thing has no property "flow_rate"; create it')
        self.health(agent, "queue_length", "spool", lambda v: v == 1)
        agent.stop()

    def test_endpoints_of_2026_missing(self):
        cloud = self.cloudsim("--off", "publish_multi", "--off",
                              "publish_batch")
        agent = self.agent(cloud, flow="MinInterval 0",
                           extra="RateLimit 10")
        feed = self.feed(agent)
        feed.flow(1)
        feed.label("Low")
        cloud.wait_values(1, value=1, endpoint="publish")
        cloud.wait_values(1, value="Low", endpoint="publish")
        agent.stop()

    def test_rejected_value_is_kept_with_the_reason(self):
        """One value that the service itself refuses, while others pass; one
        command sends it again."""
        import sqlite3
        cloud = self.cloudsim()
        cloud.fail("publish", status=400, times=0, holds="1000000000",
                   body='{"code":"invalid_value","detail":"out of range"}')
        agent = self.agent(cloud, flow="MinInterval 0",
                           extra="RateLimit 10")
        feed = self.feed(agent)
        feed.flow(1e9)
        agent.wait_log(r"severity = WARNING.*does not take the values")
        for n in range(2, 12):
            feed.flow(n)
        cloud.wait_values(1, value=11)
        agent.wait_log(r'a value is rejected, of property "flow_rate" '
                       r'\(HTTP 400: out of range\)')
        agent.stop()
        db = sqlite3.connect(os.path.join(
            self.dir, "write_arduino_cloud", "pump.db"))
        self.assertEqual(
            [("flow_rate", 1e9, 400, "HTTP 400: out of range")],
            list(db.execute("SELECT property, value, status, reason "
                            "FROM rejected")))
        db.close()
        done = subprocess.run(
            [os.path.join(weir.BUILD, "bin", "weir-doctor"), "cloud",
             "--rejected", os.path.join(
                 self.dir, "write_arduino_cloud", "pump.db")],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("flow_rate = 1e+09: HTTP 400: out of range",
                      done.stdout)
        cloud.control(clear=True)
        agent.start()
        done = subprocess.run(
            [os.path.join(weir.BUILD, "bin", "weir-doctor"), "cloud",
             "--resend", os.path.join(
                 self.dir, "write_arduino_cloud", "pump.db")],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        cloud.wait_values(1, value=1e9)
        agent.stop()

    def test_space_and_ids_of_the_credentials_file(self):
        cloud = self.cloudsim("--space", "sp-1")
        path = cloud.credentials(
            self.dir, SPACE_ID="sp-1",
            FLOWRATE_VARIABLE_ID=cloud.property_id("flow_rate"),
            CLASSIFICATION_VARIABLE_ID=cloud.property_id("classification"))
        agent = self.agent(cloud, credentials=path, flow="MinInterval 0")
        feed = self.feed(agent)
        feed.flow(1)
        cloud.wait_values(1, value=1)
        agent.stop()

    def test_rates_booleans_integers_and_data_sources(self):
        cloud = self.cloudsim(
            "--thing", weir.CloudSim.THING, "--property", "pulses:COUNT",
            "--property", "pump_on:STATUS", "--property", "load5:FLOAT",
            "--property", "score:PERCENTAGE")
        block = """\
LoadPlugin write_arduino_cloud
<Plugin write_arduino_cloud>
  <Thing "pump">
    URL "%s"
    CredentialsFile "%s"
    <Property "pulses">
      Type "derive"
      MinInterval 0
    </Property>
    <Property "pump_on">
      Type "bool"
      TypeInstance "on"
    </Property>
    <Property "load5">
      Type "load"
      DataSource "midterm"
    </Property>
    <Property "score">
      Meta "edge_impulse:score"
      Kind "number"
    </Property>
  </Thing>
</Plugin>
""" % (cloud.url, cloud.credentials(self.dir))
        agent = self.agent(cloud, block=block)
        feed = self.feed(agent)
        now = time.time()
        feed.put("x/derive-pulses", 100, now - 2)
        agent.wait_value(plugin="x", type="derive")  # threads may overtake
        feed.put("x/derive-pulses", 115, now - 1)
        feed.put("x/bool-on", 1)
        feed.put("x/load", "1:2.5:3")
        feed.put("x/gauge-a", "nan", edge_impulse__score="0.25")
        feed.put("x/gauge-b", 5, edge_impulse__score="many")
        cloud.wait_values(1, property="pulses", value=15)
        cloud.wait_values(1, property="pump_on", value=True)
        cloud.wait_values(1, property="load5", value=2.5)
        cloud.wait_values(1, property="score", value=0.25)
        agent.stop()
        self.assertEqual(4, len({v["property"] for v in cloud.values()}))

    def test_secret_stays_secret(self):
        cloud = self.cloudsim()
        cloud.fail("token", status=401, times=1)
        agent = self.agent(cloud)
        self.feed(agent).flow(1)
        agent.wait_log("the cloud refuses the credentials")
        agent.flush()
        cloud.wait_values(1, value=1)
        with open("/proc/%d/cmdline" % agent.pid) as ps, \
                open("/proc/%d/environ" % agent.pid) as environ:
            seen = ps.read() + environ.read() + agent.log()
        agent.stop()
        seen += agent.log()
        self.assertNotIn(cloud.CLIENT_SECRET, seen)
        self.assertNotIn("tok-1", seen)

    def test_daemonised(self):
        """Threads begin after the fork, or a daemon would have none."""
        cloud = self.cloudsim()
        agent = self.agent(cloud, start=False, flow="MinInterval 0")
        agent.argv.remove("-f")
        pid_file = os.path.join(self.dir, "collectd.pid")
        agent.start()
        self.assertEqual(0, agent.wait_exit())
        pid = int(weir.wait_until(
            lambda: os.path.exists(pid_file) and self.read(pid_file),
            "the daemon writes its pid"))
        self.addCleanup(self.end, pid)
        feed = weir.wait_until(self.try_feed, "the socket answers")
        feed.flow(1)
        cloud.wait_values(1, value=1)
        feed.close()

    def try_feed(self):
        return cloudcase.Feed.open(self.socket_path)

    @staticmethod
    def read(path):
        with open(path) as text:
            return text.read()

    @staticmethod
    def end(pid):
        os.kill(pid, signal.SIGTERM)
        weir.wait_until(lambda: not os.path.exists("/proc/%d" % pid),
                        "the daemon ends")


if __name__ == "__main__":
    unittest.main()
