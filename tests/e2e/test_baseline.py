"""target_flow_baseline in the stock collectd, fed over its own socket."""

import time
import unittest

import baselinecase
import weir
from baselinecase import READY, steady


class BaselineTest(baselinecase.Case):
    def test_a_step_is_an_alarm_and_ends(self):
        agent = self.start()
        self.put(steady(10, 20))
        v = self.newest(agent, "bool", "learning", lambda v: v["value"] == 1)
        self.assertEqual(v["meta"]["flow_baseline:state"], "learning")
        self.put(steady(10, READY - 20))
        agent.wait_log("its normal is 10")
        self.put(steady(9.7, 20))
        line = self.told(agent, "below its normal 10")
        self.assertRegex(line, r"severity = WARNING")
        self.assertRegex(line, r"pump: [\d.]+ % below .* L/h missing")
        v = self.newest(agent, "bool", "drift", lambda v: v["value"] == 1)
        self.assertEqual(v["meta"]["flow_baseline:state"], "low")
        self.assertEqual(v["plugin_instance"], "pump")
        v = self.newest(agent, "gauge", "deviation",
                        lambda v: v["value"] < -1.8)
        percent = self.newest(agent, "percent", "deviation",
                              lambda v: v["value"] > 1.8)
        self.assertLess(percent["value"], 100)
        self.put(steady(10, 60))
        self.assertRegex(self.told(agent, "normal again"), "OKAY")
        self.put(steady(10.3, 20))
        self.assertRegex(self.told(agent, "above its normal 10"), "L/h more")
        v = self.newest(agent, "bool", "drift", lambda v:
                        v["meta"]["flow_baseline:state"] == "high")
        agent.stop()

    def test_the_interval_is_that_of_the_values(self):
        """Else a cache, and write_prometheus, takes them for gone."""
        agent = self.agent(baselinecase.chain("Interval 10"))
        self.put(steady(10, 3))
        v = self.newest(agent, "bool", "learning")
        self.assertEqual(v["interval"], 10)
        agent.stop()

    def test_litres(self):
        agent = self.start()
        self.put([60] * 80)  # one litre a second
        litres = agent.wait_value(80, plugin="flow_baseline", type="derive",
                                  type_instance="litres")
        self.assertEqual([v["value"] for v in litres], list(range(1, 81)))
        agent.stop()

    def test_what_is_no_flow_has_no_litres(self):
        agent = self.start()
        self.put(steady(20, READY), type="temperature-in")
        self.newest(agent, "gauge", "baseline")
        self.assertEqual(agent.values(plugin="flow_baseline", type="derive"),
                         [])
        agent.stop()

    def test_silence_is_unknown(self):
        agent = self.start("StaleAfter 1\n")
        self.learn(agent)
        line = self.told(agent, "no sample any more")
        self.assertRegex(line, "severity = FAILURE")
        v = self.newest(agent, "bool", "unknown", lambda v: v["value"] == 1)
        self.assertEqual(v["meta"]["flow_baseline:state"], "unknown")
        drift = agent.values(plugin="flow_baseline", type="bool",
                             type_instance="drift")[-1]
        self.put(steady(10, 40))
        self.told(agent, "normal again")
        agent.stop()
        self.assertEqual(drift["value"], 0)

    def test_a_clock_that_is_set(self):
        """Three years on and back: no gap, no alarm, nothing is forgotten."""
        agent = self.start()
        self.learn(agent)
        series = "testhost/feed-pump/flow-flow_rate"
        for jump in (10 ** 8, -10 ** 8 - 3600):
            self.second[series] += jump
            self.put(steady(10, 30))
        self.put(steady(9.7, 20))
        self.told(agent, "below its normal 10")
        self.assertEqual(len(agent.notifications()), 2, agent.notifications())
        agent.stop()

    def test_nan_is_silence(self):
        agent = self.start("StaleAfter 3\n")
        self.learn(agent)
        begun = time.monotonic()
        weir.wait_until(lambda: self.put(["nan"]) or "no sample any more" in
                        agent.log(), "NaN is no sample", alive=agent)
        self.assertLess(time.monotonic() - begun, weir.CEILING)
        agent.stop()

    def test_two_series_one_name(self):
        agent = self.start()
        self.put(steady(10, 3))
        self.put(steady(5, 3), type="flow-second")
        agent.wait_log(r"feed-pump/flow-second would have the name "
                       r"flow_baseline-pump, which is that of "
                       r"feed-pump/flow-flow_rate")
        agent.stop()

    def test_instance_gives_names(self):
        agent = self.start('Instance "%{plugin_instance}-%{type_instance}"\n')
        self.put(steady(10, 3))
        self.put(steady(5, 3), type="flow-second")
        for name in ("pump-flow_rate", "pump-second"):
            agent.wait_value(plugin="flow_baseline", plugin_instance=name)
        self.assertNotIn("would have the name", agent.log())
        agent.stop()

    def test_the_newest_series_are_refused(self):
        agent = self.start("MaxSeries 1\n")
        self.put(steady(10, 30))
        self.put(steady(10, 3), plugin="feed-second")
        agent.wait_log(r"more than 1 series \(MaxSeries\); feed-second")
        self.put(steady(10, READY - 30))
        agent.wait_log("pump: its normal is 10")
        self.assertEqual(agent.values(plugin="flow_baseline",
                                      plugin_instance="second"), [])
        agent.stop()


class DaysTest(baselinecase.Case):
    """One reading a minute, so that days pass in a moment."""
    OPTIONS = "Interval 3600\nStaleAfter 86400\n"
    DAY, HOUR = 1440, 60

    def gauge(self, agent, instance, low, high):
        self.newest(agent, "gauge", instance,
                    lambda v: low <= v["value"] <= high)

    def test_clogging_is_foreseen_and_mended(self):
        agent = self.start("Low 8\n")
        self.put(steady(10, self.DAY), interval=60)
        agent.wait_log("its normal is 10")
        clogs = [10 * (1 - 0.06 * i / self.DAY) for i in range(self.DAY)]
        self.put([f * n for f, n in zip(clogs, steady(1, self.DAY))],
                 interval=60)
        line = self.told(agent, "below its normal (10|9.9)")
        self.assertRegex(line, r"\d+ L/h missing, since [\d.]+ h\. [56]\.\d % "
                         r"a day: at the low limit in \d+ (h|days) \(")
        self.gauge(agent, "limit_hours", 30, 90)  # 20 %, less what is past
        self.gauge(agent, "litres_hour", 598, 602)
        self.gauge(agent, "litres_day", 14350, 14450)
        self.gauge(agent, "reference", 9.9, 10.1)
        self.put(steady(10, 2 * self.HOUR), interval=60)
        self.told(agent, "normal again at 10")
        self.assertNotRegex(agent.log(), "Notification: .*above")
        agent.stop()

    def test_a_flow_that_never_rests(self):
        agent = self.start()
        day = steady(10, 22 * self.HOUR) + [0] * (2 * self.HOUR)
        for _ in range(4):
            self.put(day, interval=60)
        self.assertNotIn("never at rest", agent.log())
        # It used to be 0 for two hours; something is left on, or leaks.
        leaks = steady(10, 22 * self.HOUR) + steady(1, 2 * self.HOUR, 0.01)
        self.put(2 * leaks, interval=60)
        line = self.told(agent, "never at rest for 30 h")
        self.assertIn("A leak, or something left on", line)
        v = self.newest(agent, "bool", "night_flow",
                        lambda v: v["value"] == 1)
        self.assertEqual(v["plugin_instance"], "pump")
        self.put(2 * day, interval=60)
        weir.wait_until(lambda: agent.values(
            plugin="flow_baseline", type_instance="night_flow")[-1]["value"]
            == 0, "it rests again", alive=agent)
        agent.stop()


class CloudTest(baselinecase.Case):
    def test_the_state_reaches_the_cloud(self):
        cloud = self.cloudsim("--thing", weir.CloudSim.THING, "--property",
                              "flow_state:CHARSTRING")
        agent = self.start(extra="""\
PluginDir "%s"
LoadPlugin write_arduino_cloud
<Plugin write_arduino_cloud>
  <Thing "pump">
    URL "%s"
    CredentialsFile "%s"
    <Property "flow_state">
      Plugin "flow_baseline"
      Type "bool"
      TypeInstance "drift"
      Meta "flow_baseline:state"
    </Property>
  </Thing>
</Plugin>
""" % (weir.PLUGINDIR, cloud.url, cloud.credentials(self.dir)))
        self.learn(agent)
        cloud.wait_values(1, property="flow_state", value="normal")
        self.put(steady(9.6, 40))
        cloud.wait_values(1, property="flow_state", value="low")
        agent.stop()


class SetpointTest(baselinecase.Case):
    def test_a_set_point_names_its_normal(self):
        agent = self.start('Setpoint "feed-pump/flow-setpoint"\n')
        self.put([10], type="flow-setpoint")
        self.learn(agent)
        self.put([6], type="flow-setpoint")
        self.put(steady(10, 5) + steady(6, 90))
        self.told(agent, "a new operating point")
        self.newest(agent, "gauge", "baseline",
                    lambda v: abs(v["value"] - 6) < 0.05)
        self.put([10], type="flow-setpoint")
        self.put(steady(10, 90))
        self.put([6], type="flow-setpoint")
        self.put(steady(6, 90))
        self.assertNotRegex(agent.log(), "Notification: .*(below|above)")
        self.put(steady(5.7, 30))
        self.told(agent, "below its normal (6|5.9)")
        agent.stop()


if __name__ == "__main__":
    unittest.main()
