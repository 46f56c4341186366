"""target_edge_impulse under the stock collectd: windows, labels, loops."""

import json
import os
import unittest

import edgecase
import weir
from edgecase import START

EIM = 'Model "%s"\n' % weir.EIM


class WindowsTest(edgecase.Case):
    def test_each_window_once_in_order_with_its_time(self):
        agent = self.agent([EIM])
        self.put([10, 10.13, 9.87] * 20)
        self.wait_window(agent, 59)
        agent.stop()
        # The first label is debounced like any other, 3 of 5. Until then
        # there are scores, but no state.
        for label in ("Anomalous", "High", "Low", "Normal"):
            got = [v for v in agent.values(
                plugin="edge_impulse", type="percent", type_instance=label)]
            self.assertEqual(sorted(v["time"] for v in got),
                             [START + i for i in range(9, 60)])
            for v in got:
                self.assertEqual((v["plugin_instance"], v["host"],
                                  v["interval"]), ("pump", "testhost", 1))
                early = v["time"] < START + 11
                self.assertEqual(v["meta"].get("edge_impulse:label"),
                                 None if early else "Normal")
                self.assertEqual(v["meta"]["edge_impulse:source"],
                                 "none" if early else "model")
        one_hot = agent.values(plugin="edge_impulse", type="bool")
        for second in range(9, 60):
            on = [v["type_instance"] for v in one_hot if v["value"] == 1 and
                  v["time"] == START + second and "edge_impulse:label"
                  in v["meta"]]
            self.assertEqual(on, ["Normal"] if second >= 11 else [])

    def test_gaps(self):
        """One missing sample is waited for, then held; two restart."""
        name = "testhost/feed-pump/flow-flow_rate"
        agent = self.agent([EIM])
        self.put([10] * 12)
        self.second[name] += 1
        self.put([10])  # nothing follows: a timer has to give up the hole
        self.wait_window(agent, 13)
        self.put(["U", 10])  # NaN counts as missing
        self.wait_window(agent, 15)
        self.second[name] += 2
        self.put([10] * 12)
        self.wait_window(agent, 29)
        agent.stop()
        self.assertEqual(sorted(self.scores(agent, "Normal")),
                         list(range(9, 16)) + [27, 28, 29])

    def test_stride_and_interval(self):
        agent = self.agent([EIM + "Stride 5\nInterval 0.2"])
        self.put([10] * 30, interval=0.2)
        self.wait_window(agent, 5.8)
        agent.stop()
        self.assertEqual(sorted(self.scores(agent, "Normal")),
                         [1.8, 2.8, 3.8, 4.8, 5.8])
        self.assertEqual({v["interval"] for v in agent.values(
            plugin="edge_impulse", type="percent")}, {1.0})

    def test_results_are_never_classified_again(self):
        rename = """\
<Chain "PreCache">
<Rule "rename">
<Match "regex">
Plugin "^edge_impulse$"
</Match>
<Target "set">
Plugin "feed"
TypeInstance "again"
</Target>
</Rule>
</Chain>
"""
        every = edgecase.chain([EIM, EIM + 'Instance "second"'],
                               match='Host "."', rule="all")
        later = edgecase.chain([EIM + 'Instance "third"'], match='Host "."',
                               name="PostCache", rule="later")
        later = later.replace("</Chain>", '<Target "write">\n</Target>\n'
                              "</Chain>").replace(
                                  "LoadPlugin target_edge_impulse\n", "")
        agent = self.agent(every + "LoadPlugin target_set\n".join(
            ["", rename]).replace("LoadPlugin", 'PluginDir "%s"\nLoadPlugin'
                                  % weir.STOCK_PLUGINDIR, 1) + later)
        self.put([10] * 30)
        # three targets, 21 windows each, and not one more
        weir.wait_until(lambda: len(self.results(agent)) >= 63,
                        "every window is answered", alive=agent)
        self.put([10], plugin="feed-other")  # behind them in the queue
        agent.wait_value(plugin="feed", plugin_instance="other")
        agent.stop()
        self.assertEqual(len(self.results(agent)), 63)

    @staticmethod
    def results(agent):
        return [v for v in agent.values(type="percent")
                if "edge_impulse:source" in v["meta"]][::4]

    def test_thousand_series(self):
        agent = self.agent([EIM + "RangePolicy \"off\""], threads=5)
        for second in range(12):
            for i in range(1000):
                self.stream.write(
                    "PUTVAL h%d/feed-pump/flow-flow_rate interval=1 %d:%d\n"
                    % (i, START + second, 10))
                if i % 100 == 99:
                    self.stream.flush()
                    for _ in range(100):
                        self.assertTrue(
                            self.stream.readline().startswith("0 "))
        weir.wait_until(lambda: len(agent.values(
            plugin="edge_impulse", type="percent",
            type_instance="Normal")) >= 3000, "3000 windows", alive=agent)
        agent.stop()
        windows = {(v["host"], v["time"]) for v in agent.values(
            plugin="edge_impulse", type="percent", type_instance="Normal")}
        self.assertEqual(windows, {("h%d" % i, START + s)
                                   for i in range(1000) for s in (9, 10, 11)})

    def test_series_ceiling(self):
        """The newest series is refused, counted and said; none evicts."""
        agent = self.agent([EIM + "MaxSeries 2"], interval=1)
        for _ in range(20):
            for name in ("a", "b", "c"):
                self.put([10], plugin="feed-" + name)
        self.wait_window(agent, 19, plugin_instance="a")
        self.wait_window(agent, 19, plugin_instance="b")
        agent.wait_value(plugin="edge_impulse", type="errors",
                         plugin_instance="", type_instance="series", value=20)
        agent.stop()
        self.assertEqual(agent.values(plugin_instance="c",
                                      plugin="edge_impulse"), [])
        self.assertEqual(agent.log().count("more than 2 series (MaxSeries)"),
                         1)

    def test_other_pace_and_kind_are_said_once(self):
        agent = self.agent([EIM])
        self.put([10] * 30, interval=5)
        self.put([1] * 3, type="derive-x")
        agent.wait_log(r"a sample every 5 s, the model wants one every 1 s")
        agent.wait_log(r"is not one gauge")
        agent.stop()
        self.assertEqual(agent.values(plugin="edge_impulse"), [])
        self.assertEqual(agent.log().count("[warning] target_edge"), 2)


class VerdictTest(edgecase.Case):
    def test_change_is_notified_once_with_severity(self):
        agent = self.agent([EIM + '<Label "Anomalous">\nSeverity "warning"\n'
                            "</Label>"])
        self.put([10] * 20 + [0.5] * 20 + [10] * 20)
        self.wait_window(agent, 59)
        agent.wait_log(r"pump is Normal, was Anomalous")
        agent.stop()
        told = agent.notifications()
        self.assertEqual([("WARNING" in n, "is Anomalous" in n) for n in told],
                         [(False, False), (True, True), (False, False)])

    def test_guard_overrules_a_model_that_is_blind_to_the_level(self):
        """The bad model says Low to everything below 5, also to zero."""
        model = edgecase.Model(self.dir)
        agent = self.agent(['Model "%s"' % model.path])
        self.put([0] * 20)
        self.wait_window(agent, 19)
        agent.stop()
        self.assertEqual(self.settled(agent), {"Anomalous"})
        self.assertEqual({v["meta"]["edge_impulse:source"] for v in
                          agent.values(plugin="edge_impulse",
                                       type="bool", type_instance="Low")},
                         {"range"})

    def test_policy_off_leaves_it_to_the_model(self):
        model = edgecase.Model(self.dir)
        agent = self.agent(['Model "%s"\nRangePolicy "off"' % model.path])
        self.put([0] * 20)
        self.wait_window(agent, 19)
        agent.stop()
        self.assertEqual(self.settled(agent), {"Low"})

    def test_ranges_scale_with_nominal_or_are_ones_own(self):
        model = edgecase.Model(self.dir)
        own = ('<Range "Anomalous">\nMax 1.5\n</Range>\n'
               '<Range "Normal">\nMin 1.5\n</Range>')
        agent = self.agent(edgecase.chain(
            ['Model "%s"\nNominal 2.0' % model.path], match='PluginInstance '
            '"^nominal$"', rule="a") + edgecase.chain(
                ['Model "%s"\n%s' % (model.path, own)],
                match='PluginInstance "^own$"', rule="b").replace(
                    "LoadPlugin target_edge_impulse\n", ""))
        for name in ("nominal", "own"):
            self.put([0.9] * 15, plugin="feed-" + name)
            self.wait_window(agent, 14, plugin_instance=name)
        agent.stop()
        # half of the nominal flow is low; the other's own table calls it
        # anomalous. Both models say Low.
        self.assertEqual(self.settled(agent, plugin_instance="nominal"),
                         {"Low"})
        self.assertEqual(self.settled(agent, plugin_instance="own"),
                         {"Anomalous"})

    def test_fallback_answers_while_the_model_is_gone(self):
        model = edgecase.Model(self.dir)
        agent = self.agent(['Model "%s"\nRangePolicy "fallback"' % model.path])
        self.put([10] * 15)
        self.wait_window(agent, 14)
        model.order(start="exit", mode="crash")
        self.put([6] * 25)
        self.wait_window(agent, 39)
        weir.wait_until(lambda: self.states(agent).get(39) == "Low",
                        "the range Low is the state", alive=agent)
        last = agent.values(plugin="edge_impulse", type="bool",
                            type_instance="Low", value=1)[-1]
        self.assertEqual(last["meta"]["edge_impulse:source"], "range")
        self.assertEqual(agent.values(plugin="edge_impulse",
                                      type_instance="up")[-1]["value"], 0)
        agent.stop()

    def test_stuck_sensor(self):
        agent = self.agent([EIM])
        self.put([10.07] * 75 + [10.2, 10.07] * 5)
        self.wait_window(agent, 84)
        agent.wait_log(r"the sensor moves again")
        agent.stop()
        stuck = [(v["time"] - START, v["value"]) for v in sorted(
            agent.values(plugin="edge_impulse", type_instance="stuck"),
            key=lambda v: v["time"])]
        self.assertEqual([s for s in stuck if s[1]][0][1], 1)
        self.assertEqual(stuck[-1][1], 0)
        self.assertRegex(agent.log(), r"pump: the sensor has said 10.07 for "
                         r"at least 60 s")


class AnomalyTest(edgecase.Case):
    def test_model_that_only_knows_anomalies(self):
        model = edgecase.Model(self.dir)
        model.order(labels=[])
        agent = self.agent(['Model "%s"\nDebounce 1 1' % model.path])
        self.put([10] * 15 + [2] * 15)  # the newest below 5: anomaly 1.5
        self.wait_anomaly(agent, 29)
        agent.stop()
        state = self.states(agent)
        self.assertEqual({state[s] for s in range(9, 15)}, {"Normal"})
        self.assertEqual({state[s] for s in range(15, 30)}, {"Anomalous"})
        self.assertEqual(agent.values(type="percent"), [])

    def test_anomaly_beside_labels_and_not_computed(self):
        model = edgecase.Model(self.dir)
        model.order(anomaly=True)
        agent = self.agent(['Model "%s"\nDebounce 1 1\nRangePolicy "off"\n'
                            'AnomalyThreshold 1' % model.path])
        self.put([10] * 15 + [2] * 10)
        self.wait_anomaly(agent, 24)
        self.assertEqual(self.states(agent)[24], "Anomalous")
        model.order(anomaly=None)
        self.put([2] * 5)
        self.wait_window(agent, 29)
        agent.stop()
        self.assertEqual(self.states(agent)[29], "Low")
        self.assertEqual(max(v["time"] for v in agent.values(
            plugin="edge_impulse", type="gauge",
            type_instance="anomaly")), edgecase.START + 24)

    def test_threshold_for_a_model_without_anomalies(self):
        model = edgecase.Model(self.dir)
        status, log = weir.check_config(self.dir, edgecase.chain(
            ['Model "%s"\nAnomalyThreshold 1' % model.path]))
        self.assertEqual(status, 1)
        self.assertRegex(log, "AnomalyThreshold 1 does not fit the model")

    def wait_anomaly(self, agent, second):
        weir.wait_until(lambda: second in self.states(agent) and agent.values(
            type="gauge", type_instance="anomaly",
            time=edgecase.START + second),
            "the window that ends at %d s has a score" % second, alive=agent)


class CaptureTest(edgecase.Case):
    def test_windows_to_learn_from_are_kept(self):
        model = edgecase.Model(self.dir)
        folder = os.path.join(self.dir, "capture")
        agent = self.agent([
            'Model "%s"\nNominal 5\nThreshold 0.9\nRangePolicy "guard"\n'
            'CaptureDir "%s"\nCaptureFiles 2\n<Label "Low">\nThreshold 1\n'
            '</Label>' % (model.path, folder)])
        # Normal; no flow: Anomalous by range; scaled 4.4: Low, but 0.96 < 1
        self.put([5] * 30 + [0] * 60 + [2.2] * 60)
        self.wait_window(agent, 149)
        agent.stop()
        names = sorted(os.listdir(folder), key=lambda n: n.split(".")[2])
        self.assertEqual([n.split(".")[0] for n in names],
                         ["uncertain", "uncertain"])
        with open(os.path.join(folder, names[-1])) as text:
            document = json.load(text)
        payload = document["payload"]
        self.assertEqual(payload["values"], [[4.4]] * 10)
        self.assertEqual((payload["device_name"], payload["interval_ms"]),
                         ("testhost/pump", 1000))
        self.assertEqual(document["signature"], "0" * 64)
        first, second = (int(n.split(".")[2]) for n in names)
        self.assertEqual(second - first, 10000)  # they do not overlap


class FusionTest(edgecase.Case):
    def test_two_axes(self):
        model = edgecase.Model(self.dir)
        model.order(axes=2)
        agent = self.agent(edgecase.chain(
            ['Model "%s"\nAxis "feed-pump/flow-flow_rate"\n'
             'Axis "env-room/temperature"\nRangePolicy "off"' % model.path],
            match='Host "."'))
        for second in range(20):
            self.put([10 if second % 2 else 3])
            self.put([20 + second], plugin="env-room", type="temperature")
            self.put([1], plugin="env-other", type="temperature")
        self.wait_window(agent, 19, plugin_instance="pump")
        agent.stop()
        normal = self.scores(agent, "Normal")
        self.assertEqual(sorted(normal), list(range(9, 20)))
        for second, score in normal.items():
            self.assertEqual(score > 50, second % 2 == 1)

    def test_axes_that_do_not_fit(self):
        model = edgecase.Model(self.dir)
        for text in ('Axis "feed-pump/flow-flow_rate"\nAxis "a/b"',
                     'Axis "nonsense"', 'Axis "a/b"\nAxis "a/b"'):
            status, log = weir.check_config(self.dir, edgecase.chain(
                ['Model "%s"\n%s' % (model.path, text)]))
            self.assertEqual(status, 1)
            self.assertRegex(log, r"\[error\] target_edge_impulse plugin: .*"
                             r"(wants 1 axes, but 2|Axis)")


class BadConfigTest(edgecase.Case):
    def refused(self, text, sentence):
        status, log = weir.check_config(self.dir, edgecase.chain([text]))
        self.assertEqual(status, 1, log)
        faults = [x for x in log.splitlines()
                  if "[error] target_edge_impulse plugin:" in x]
        self.assertEqual(len(faults), 1, log)
        self.assertRegex(faults[0], sentence)

    def test_table(self):
        for text, sentence in (
                (EIM + "Window 12", r"Window 12 does not fit the model .* "
                 "wants 60 samples"),
                (EIM + "Stride 61", "Stride 61 is larger"),
                (EIM + "Window 10\nStride 11", 'Stride "11".*1 to Window'),
                (EIM + "Debounce 1 5", 'Debounce "1 5".*more than half'),
                (EIM + "Debounce 2.5 3", "Debounce"),
                (EIM + '<Range "Low">\nMin 5\nMax 4\n</Range>', "Min below"),
                (EIM + '<Range "Low">\n</Range>', "Min or Max"),
                (EIM + '<Label "Low">\nSeverity "bad"\n</Label>',
                 'Severity "bad" .*failure'),
                (EIM + 'RangePolicy "on"', 'RangePolicy "on".*guard'),
                (EIM + "Nominal 0", 'Nominal "0"'),
                (EIM + "Timeout 61", 'Timeout "61".*60'),
                (EIM + "Interval 0", 'Interval "0"'),
                ('URL "http://127.0.0.1:99999"', "URL .*65535"),
                ('URL "http://u:p@127.0.0.1"', "without user name"),
                ('Model "flow.eim"', "absolute path"),
                ('Model "tmp/flow.eim"', "absolute path")):
            with self.subTest(text):
                self.refused(text, sentence)

    def tolerated(self, target, words):
        """What its surroundings lack is no fault of the configuration."""
        status, log = weir.check_config(self.dir, edgecase.chain([target]))
        self.assertEqual(status, 0, log)
        self.assertRegex(log, r"\[warning\].*the model at \S+ does not answer: "
                         ".*%s.*Trying again" % words)

    def test_model_that_does_not_start(self):
        model = edgecase.Model(self.dir)
        for start, words in (("exit", "printed last: .cannot allocate"),
                             ("refuse", "not today")):
            with self.subTest(start):
                model.order(start=start)
                self.tolerated('Model "%s"' % model.path, words)

    def test_program_that_is_no_model(self):
        self.tolerated('Model "/none/flow.eim"', "there is no such file")
        self.tolerated('Model "/tmp"', "it is not a file")
        self.tolerated('Model "/bin/true"', "ended before it listened")
        path = os.path.join(self.dir, "not-elf.eim")
        with open(path, "w") as out:
            out.write("neither a program nor a script\n")
        self.tolerated('Model "%s"' % path, "not executable; chmod")
        os.chmod(path, 0o755)
        self.tolerated('Model "%s"' % path, "no program for this machine")

    def test_shared_model_with_two_timeouts(self):
        status, log = weir.check_config(self.dir, edgecase.chain(
            [EIM + "Timeout 1", EIM + "Timeout 2"]))
        self.assertEqual(status, 1)
        self.assertIn("two targets share", log)


if __name__ == "__main__":
    unittest.main()
