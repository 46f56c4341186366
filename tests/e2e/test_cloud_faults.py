"""write_arduino_cloud: what stands between it and the cloud answers, or nobody
does; nothing is lost, and what is said about it is true."""

import os
import unittest

import cloudcase
import weir

PAGE = "<html><body>Please log in.</body></html>"
OWN = '{"id":"x","code":"error","status":%d,"detail":"no"}'
REPLY = 78  # bytes of cloudsim's reply to "cut", all but the last


class CloudFaultsTest(cloudcase.Case):
    def begin(self, extra="RateLimit 10", **options):
        cloud = self.cloudsim()
        agent = self.agent(cloud, flow="MinInterval 0", extra=extra,
                           **options)
        feed = self.feed(agent)
        feed.flow(-1)
        feed.label("Normal")
        cloud.wait_values(1, value=-1)
        cloud.wait_values(1, value="Normal")
        return cloud, agent, feed

    def last_label(self, cloud):
        return cloud.control()["last"].get(
            weir.CloudSim.THING + "/classification")

    def wait_label(self, cloud, agent, label):
        weir.wait_until(lambda: self.last_label(cloud) == label,
                        "the cloud shows " + label, alive=agent)

    def all_there(self, cloud, agent, wanted):
        weir.wait_until(lambda: wanted <= {v["value"] for v in cloud.values()},
                        "every value arrived", alive=agent)

    def test_a_portal_costs_no_value_and_is_said_at_once(self):
        cloud, agent, feed = self.begin()
        cloud.fail("", status=302, body=PAGE, times=0)
        feed.flow(1)
        feed.label("Low")
        agent.wait_log(r"severity = WARNING[^\n]*something on the way answers "
                       r"in place of the cloud \(HTTP 302\)")
        self.health(agent, "bool", "up", lambda v: v == 0)
        for n in range(2, 300):
            feed.flow(n)
        self.health(agent, "queue_length", "spool", lambda v: v >= 300)
        self.assertNotIn("caught up", agent.log())
        cloud.control(clear=True)
        self.wait_label(cloud, agent, "Low")
        self.all_there(cloud, agent, set(range(300)) - {0})
        agent.wait_log("has caught up")
        self.health(agent, "bool", "up", lambda v: v == 1)
        self.health(agent, "errors", "rejected", lambda v: v == 0)
        agent.stop()

    def test_any_status_in_any_words(self):
        cloud, agent, feed = self.begin()
        n = 0
        # One after the other; tests/unit/cloud/test_publisher_faults.c has
        # every status, in virtual time.
        cloud.control(fail=[
            {"status": 302, "body": PAGE}, {"status": 400, "body": PAGE},
            {"status": 400, "body": OWN % 400}, {"status": 403, "body": ""},
            {"status": 404, "body": OWN % 404}, {"status": 407, "body": PAGE},
            {"status": 413, "body": OWN % 413}, {"status": 451, "body": PAGE},
            {"status": 500, "body": ""}, {"status": 200, "body": PAGE}])
        for left in range(10, 0, -1):
            weir.wait_until(lambda: len(cloud.control()["faults"]) <= left,
                            "the next fault is due", alive=agent)
            n += 1
            feed.flow(n)
            feed.label("L%d" % n, labels=("x",))
        self.wait_label(cloud, agent, "L%d" % n)
        self.all_there(cloud, agent, set(range(1, n + 1)) |
                       {"L%d" % i for i in range(1, n + 1)})
        self.health(agent, "queue_length", "spool", lambda v: v == 0)
        agent.stop()
        self.assertNotIn("is rejected", agent.log())
        for name in ("flow_rate", "classification"):
            stamps = [v["timestamp"] for v in cloud.values(property=name)
                      if v["timestamp"]]
            first = list(dict.fromkeys(stamps))
            self.assertEqual(sorted(first), first)

    def test_a_reply_that_ends_early(self):
        for accept in (False, True):
            cloud, agent, feed = self.begin()
            # tests/unit/cloud/test_link.c has every byte.
            cloud.control(fail=[{"path": "publish", "action": "cut",
                                 "bytes": n, "accept": accept}
                                for n in range(0, REPLY, 16)])
            feed.flow(1)
            feed.label("Low")
            weir.wait_until(lambda: not cloud.control()["faults"] and
                            self.last_label(cloud) == "Low",
                            "the faults are over and the label is right",
                            alive=agent)
            feed.flow(2)
            self.all_there(cloud, agent, {1, 2, "Low"})
            self.health(agent, "queue_length", "spool", lambda v: v == 0)
            agent.stop()
            self.doCleanups()
            self.setUp()

    def test_flush_keeps_what_the_server_asked_for(self):
        cloud, agent, feed = self.begin()
        cloud.fail("", status=429, retry_after=4, enforce=True)
        feed.flow(1)
        weir.wait_until(lambda: cloud.count("publish_multi 429"),
                        "it is refused", alive=agent)
        for _ in range(3):
            agent.flush()
        cloud.wait_values(1, value=1)
        agent.stop()
        self.assertEqual(1, len([r for r in cloud.requests()
                                 if r["outcome"] == 429]))

    def test_default_rate_meets_no_limit_of_a_free_account(self):
        cloud = self.cloudsim("--rate", "1")
        agent = self.agent(cloud, flow="MinInterval 0")
        feed = self.feed(agent)
        for n in range(8):
            feed.flow(n)
            feed.label("L%d" % n, labels=("x",))
            cloud.wait_values(1, value="L%d" % n)
        agent.stop()
        self.assertEqual([], [r for r in cloud.requests()
                              if r["outcome"] == 429])

    # -- what is so now

    def test_label_without_meta_data(self):
        """As a hub gets it from collectd's network plugin."""
        cloud, agent, feed = self.begin()
        for label in ("Low", "Anomalous", "unknown", "Normal"):
            feed.put("edge_impulse-pump/bool-up", 1)
            for name in ("Normal", "Low", "Anomalous", "unknown"):
                feed.put("edge_impulse-pump/bool-" + name,
                         int(name == label))
            self.wait_label(cloud, agent, label)
        agent.stop()
        self.assertNotIn("up", [v["value"] for v in cloud.values()])

    def test_old_label_is_unknown(self):
        cloud, agent, feed = self.begin(label="MaxAge 2")
        cloud.wait_values(1, property="classification", value="unknown")
        feed.label("Low")
        self.wait_label(cloud, agent, "Low")
        agent.stop()

    def test_label_that_never_comes_is_unknown(self):
        cloud = self.cloudsim()
        agent = self.agent(cloud, label="MaxAge 1")
        cloud.wait_values(1, property="classification", value="unknown")
        agent.stop()

    def test_old_spool_of_a_dead_sensor_is_history_only(self):
        cloud, agent, feed = self.begin()
        cloud.kill()
        feed.flow(7)
        feed.label("Anomalous")
        self.health(agent, "queue_length", "spool", lambda v: v >= 2)
        agent.stop()
        cloud.start()
        agent.start()
        for value in (7, "Anomalous"):
            cloud.wait_values(1, value=value)
        agent.stop()
        for value in (7, "Anomalous"):
            self.assertTrue(all(v["timestamp"]
                                for v in cloud.values(value=value)))

    # -- what is told

    def test_property_that_nothing_arrives_for_is_named(self):
        cloud = self.cloudsim()
        agent = self.agent(cloud, start=False)
        agent.env.update(weir.preload(
            self.dir, weir_clock(), LATER=os.path.join(self.dir, "later")))
        agent.start()
        feed = self.feed(agent)
        feed.put("edge_impulse-pump/gauge-anomaly", 1)
        feed.put("edge_impulse-pump/bool-Low", 0)
        cloud.wait_log("listening")
        with open(agent.env["LATER"], "w"):
            pass
        agent.wait_log(r'<Property "flow_rate">: in 5 minutes no value arrived '
                       r'that is meant \(Host any, Plugin m4_rpc')
        agent.wait_log(r'<Property "classification">: values arrive, but in 5 '
                       r'minutes none could be used; they have no meta data '
                       r'"edge_impulse:label", which collectd')
        agent.stop()

    def test_two_agents_on_one_spool(self):
        cloud, agent, feed = self.begin()
        other = weir.Collectd(os.path.join(self.dir), weir.cloud_block(
            cloud.url, cloud.credentials(self.dir)), name="other")
        self.addCleanup(other.kill)
        other.start()
        other.wait_log("the spool cannot be used: .*another process uses it; "
                       "each collectd needs a SpoolDir")
        other.stop()
        feed.flow(2)
        cloud.wait_values(1, value=2)
        agent.stop()

    def test_credentials_leave_the_environment(self):
        cloud = self.cloudsim()
        block = weir.cloud_block(cloud.url, "x", flow="MinInterval 0").replace(
            'CredentialsFile "x"', "")
        agent = self.agent(cloud, block=block, start=False)
        agent.env.update(CLIENT_ID=cloud.CLIENT_ID,
                         CLIENT_SECRET=cloud.CLIENT_SECRET,
                         THING_ID=cloud.THING)
        agent.start()
        self.feed(agent).flow(1)
        cloud.wait_values(1, value=1)
        with open("/proc/%d/environ" % agent.pid) as text:
            environ = text.read()
        agent.stop()
        self.assertNotIn(cloud.CLIENT_SECRET, environ)
        self.assertNotIn(cloud.CLIENT_ID, environ)
        self.assertIn("LC_ALL" if "LC_ALL" in agent.env else "PATH", environ)


def weir_clock():
    """The monotonic clock, five minutes later while the file $LATER exists."""
    return r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *ts) {
  int status = (int)syscall(SYS_clock_gettime, id, ts);
  const char *later = getenv("LATER");
  if (id == CLOCK_MONOTONIC && later != NULL && access(later, F_OK) == 0)
    ts->tv_sec += 301;
  return status;
}
"""


if __name__ == "__main__":
    unittest.main()
