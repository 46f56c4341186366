"""From end to end: whatever breaks, no wrong "all is well" is left standing.

m4sim with the firmware's own code, the agent with all that lies between, and
three places to look at: the notification, the M4's output (a relay on it drops
out), and the values that dashboards and alert rules are made of. One fault at
a time; each has to reach all three, and has to end."""

import json
import os
import signal
import unittest

import edgecase
import m4case
import test_cloud_disk
import weir

INTERVAL = 0.1
AGE = 2  # StaleAfter, and MaxAge of the report
HOLD_MS = 4000  # the M4's own patience with an agent that is gone
WELL = ("ok", "warning")


class FailSafeCase(m4case.Case):
    def setUp(self):
        super().setUp()
        self.model = edgecase.Model(self.dir)  # Normal from 5 up
        self.begin("--flow", "10", "--report-hold", str(HOLD_MS))
        self.shift = os.path.join(self.dir, "shift")
        self.collectd_agent()
        self.wait_state("Normal")
        weir.wait_until(lambda: self.output() == "ok", "the M4 is told so",
                        alive=self.daemon)

    def collectd_agent(self):
        report = ('<Report "classification">\nOnChange true\nHeartbeat 1\n'
                  "MaxAge %g\n</Report>" % AGE)
        text = weir.m4_block(self.sim.address, interval=INTERVAL, extra=report,
                             report=False) + weir.chain_block(
            'Model "%s"' % self.model.path, "StaleAfter %g\nTimeout 0.3" % AGE,
            interval=INTERVAL)
        agent = weir.Collectd(self.dir, text.replace(
            'Address "', 'LockDirectory "%s"\n    Address "' % self.dir))
        agent.env.update(weir.preload(self.dir, test_cloud_disk.CLOCK_SHIM,
                                      CLOCK_SHIFT=self.shift))
        self.daemon = self.run_process(agent)

    def output(self):
        """What the M4's output says, by the firmware's own rules."""
        return json.loads(self.order("status"))["output"]

    def state(self):
        found = [v for v in self.daemon.values(
            plugin="edge_impulse", type="bool", value=1)
            if v["type_instance"] not in ("up", "shelved")]
        return found[-1]["type_instance"] if found else None

    def wait_state(self, *states):
        weir.wait_until(lambda: self.state() in states,
                        "the state is one of %s" % (states,),
                        alive=self.daemon)

    def failures(self):
        return [n for n in self.daemon.notifications()
                if "severity = FAILURE" in n]

    def check(self, *states):
        """The fault is known at all three places."""
        self.wait_state(*states)
        weir.wait_until(self.failures, "a notification says so",
                        alive=self.daemon)
        weir.wait_until(lambda: self.output() not in WELL,
                        "the M4's output drops out", alive=self.daemon)

    def check_end(self):
        self.wait_state("Normal")
        weir.wait_until(lambda: self.output() == "ok",
                        "the M4's output says that all is well",
                        alive=self.daemon)
        self.daemon.stop()
        self.assertEqual(len(self.failures()), 1, self.failures())


class FaultTest(FailSafeCase):
    def test_the_model_dies(self):
        self.model.order(start="exit")
        os.kill(self.model.starts()[-1], signal.SIGKILL)
        self.check("unknown")
        self.model.order(start="ok")
        self.check_end()

    def test_the_model_hangs(self):
        self.model.order(start="deaf", mode="hang")
        self.check("unknown")
        self.model.order(start="ok", mode="ok")
        os.kill(self.model.starts()[-1], signal.SIGKILL)
        self.check_end()

    def test_the_sensor_is_dead(self):
        self.order("event zero")
        self.check("Anomalous")
        self.order("event recover")
        self.check_end()

    def test_the_sensor_is_dead_and_so_is_the_model(self):
        self.model.order(start="exit")
        os.kill(self.model.starts()[-1], signal.SIGKILL)
        self.order("event zero")
        self.check("Anomalous")
        self.model.order(start="ok")
        self.order("event recover")
        self.check_end()

    def test_the_m4_is_mute(self):
        self.order("mute on")
        self.check("unknown")
        self.order("mute off")
        self.check_end()

    def test_the_proxy_is_gone(self):
        self.sim.stop()
        self.wait_state("unknown")
        weir.wait_until(self.failures, "a notification says so",
                        alive=self.daemon)
        self.sim.start()  # its output is low until it hears that all is well
        self.assertNotIn(self.output(), WELL)
        self.check_end()

    def test_the_agent_is_gone(self):
        """Nobody is left to tell; the M4 counts for itself."""
        self.daemon.signal(signal.SIGSTOP)
        weir.wait_until(lambda: self.output() not in WELL,
                        "the M4's output drops out")
        self.daemon.signal(signal.SIGCONT)
        self.wait_state("Normal")
        weir.wait_until(lambda: self.output() == "ok", "all is well again",
                        alive=self.daemon)
        self.daemon.stop()


class ClockTest(FailSafeCase):
    def jump(self, seconds):
        """The clock jumps while all is well: that is no fault. Then the flow
        ends: no old state with a newer stamp may hide it."""
        before = self.newest()["time"]
        test_cloud_disk.CloudDiskTest.set_clock(self.shift, seconds)
        weir.wait_until(
            lambda: abs(self.newest()["time"] - before - seconds) < 60,
            "the values have the new time", alive=self.daemon)
        self.wait_state("Normal")
        self.order("event zero")
        self.check("Anomalous")
        self.order("event recover")
        self.check_end()
        self.assertEqual(self.daemon.values(
            plugin="edge_impulse", type_instance="unknown", value=1), [])

    def newest(self):
        return self.daemon.values(plugin="edge_impulse", type="percent")[-1]


# seconds: what NTP, a wrong time zone, a dead clock battery do
for name, seconds in {"five_seconds": 5, "an_hour": 3600,
                      "years": 5 * 365 * 86400}.items():
    for way, sign in (("forwards", 1), ("back", -1)):
        setattr(ClockTest, "test_the_clock_jumps_%s_%s" % (name, way),
                lambda self, by=sign * seconds: self.jump(by))


if __name__ == "__main__":
    unittest.main()
