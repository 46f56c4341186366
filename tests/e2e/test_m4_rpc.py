"""m4_rpc as its page describes it: values, arrays, labels, both modes."""

import json
import os
import tempfile
import unittest

import m4case
import weir

FLOW = m4case.FLOW


class ValueTest(m4case.Case):

    def test_values_and_health(self):
        self.begin("--step=flow_rate", "--flow", "12")
        agent = self.agent(self.pump(FLOW, options="Interval 0.1"))
        flows = agent.wait_value(5, plugin="m4_rpc", plugin_instance="pump",
                                 type="flow", type_instance="flow_rate")
        agent.wait_value(2, plugin="m4_rpc", plugin_instance="pump",
                         type="response_time", type_instance="flow_rate")
        self.wait_up(agent, 1)
        for kind in ("timeout", "refused", "protocol", "stale", "remote"):
            found = agent.wait_value(
                2, plugin="m4_rpc", plugin_instance="pump", type="errors",
                type_instance=kind)
            self.assertEqual(found[-1]["value"], 0)
        agent.stop()
        want = [c["value"] for c in self.sim.calls("flow_rate")]
        self.assertEqual([round(v["value"], 4) for v in flows],
                         [round(v, 4) for v in want[:len(flows)]])
        self.assertEqual({v["interval"] for v in flows}, {0.1})
        self.assertNotIn("[error]", agent.log())
        self.assertNotIn("[warning]", agent.log())

    def test_array_with_seq(self):
        """flow_rate makes time pass; flow_stat is asked more and less often
        than there is something new."""
        self.begin("--step=flow_rate")
        often = m4case.method("flow_stat", 'Seq 0', 'Element 0 "gauge" "seq"',
                              'Element 1 "flow" "flow"',
                              'Element 2 "uptime" "m4"', "Interval 0.05")
        agent = self.agent(self.pump(
            m4case.method("flow_rate", 'Type "flow"', "Interval 0.2"), often,
            options="Interval 0.1"))
        seqs = agent.wait_value(5, plugin="m4_rpc", type_instance="seq")
        agent.wait_value(5, plugin="m4_rpc", type="uptime",
                         type_instance="m4")
        agent.stop()
        values = [v["value"] for v in seqs]
        self.assertEqual(values, sorted(set(values)), "a sample came twice")
        self.assertGreater(len(self.sim.calls("flow_stat")), len(values))

    def test_skipped_measurements_are_counted(self):
        self.begin("--step=flow_rate")
        agent = self.agent(self.pump(
            FLOW, m4case.method("flow_stat", "Seq 0",
                                'Element 0 "gauge" "seq"', "Interval 0.35"),
            options="Interval 0.1"))
        self.wait_errors(agent, "skipped-flow_stat", 5)
        counted = self.errors(agent, "skipped-flow_stat")
        seen = len(agent.values(type_instance="seq"))
        seqs = agent.wait_value(seen + 2, type_instance="seq")
        gaps = sum(b["value"] - a["value"] - 1
                   for a, b in zip(seqs, seqs[1:]))
        self.assertGreaterEqual(gaps, counted)
        self.wait_errors(agent, "skipped-flow_stat", gaps)
        agent.stop()

    def test_derive_scale_and_instance(self):
        self.begin("--step=flow_rate", "--flow", "10")
        agent = self.agent(self.pump(
            m4case.method("flow_rate", 'Type "flow"', 'Instance "cubic"',
                          "Scale 0.06"),
            m4case.method("flow_pulses", 'Type "derive"',
                          'Instance "pulses"'), options="Interval 0.1"))
        flows = agent.wait_value(3, plugin="m4_rpc", type="flow",
                                 type_instance="cubic")
        pulses = agent.wait_value(3, plugin="m4_rpc", type="derive",
                                  type_instance="pulses")
        agent.stop()
        self.assertLess(abs(flows[0]["value"] - 0.6), 0.1)
        self.assertEqual([v["value"] for v in pulses],
                         sorted(v["value"] for v in pulses))
        self.assertEqual(pulses[0]["value"], int(pulses[0]["value"]))

    def test_flow_sensor_library(self):
        """1.5 s apart the library shows half too much: 15 for 10."""
        self.begin("--firmware", "note", "--flow", "10")
        agent = self.agent(self.pump(m4case.method(
            "flow_rate", 'Type "flow"', "Compensate true", "Interval 1.5")))
        flows = agent.wait_value(2, plugin="m4_rpc", type="flow")
        agent.stop()
        raw = [c["value"] for c in self.sim.calls("flow_rate")]
        self.assertGreater(max(raw), 13)
        for v in flows:
            self.assertLess(abs(v["value"] - 10), 1, (flows, raw))

    def test_two_boards(self):
        first = self.begin("--flow", "5", name="one")
        second = self.m4sim("--flow", "15", name="two")
        agent = self.agent(
            m4case.block(first.address, FLOW, name="a"),
            m4case.block(second.address, FLOW, name="b"))
        a = agent.wait_value(plugin="m4_rpc", plugin_instance="a", type="flow")
        b = agent.wait_value(plugin="m4_rpc", plugin_instance="b", type="flow")
        agent.stop()
        self.assertLess(a[-1]["value"], 8)
        self.assertGreater(b[-1]["value"], 12)

    def test_address_from_environment(self):
        self.begin()
        host, _, port = self.sim.address.rpartition(":")
        text = m4case.plugin('<M4 "pump">\n%s</M4>\n' % FLOW)
        process = weir.Collectd(self.dir, text, stock=())
        process.env.update(M4_PROXY_HOST=host, M4_PROXY_PORT=port)
        agent = self.run_process(process)
        agent.wait_value(plugin="m4_rpc", type="flow")
        agent.stop()


class PersistentTest(m4case.Case):

    def pump(self, *methods, options="", **named):
        return super().pump(*methods, options='Mode "persistent"\n' + options,
                            **named)

    def test_router_socket(self):
        place = tempfile.TemporaryDirectory() # a short path
        self.addCleanup(place.cleanup)
        path = os.path.join(place.name, "router.sock")
        self.begin("--ideal", "--step=flow_rate", "--listen", "unix:" + path)
        agent = self.agent(m4case.block(
            "unix:" + path, FLOW, options='Mode "persistent"\nInterval 0.05'))
        agent.wait_value(20, plugin="m4_rpc", type="flow")
        agent.stop()
        self.assertGreaterEqual(len(self.sim.calls("flow_rate")), 20)

    def test_pipelined_and_out_of_order(self):
        self.begin("--ideal", "--step=flow_stat", "--shuffle", "20")
        stat = m4case.method("flow_stat", 'Element 0 "gauge" "seq"',
                             'Element 1 "flow" "flow"')
        agent = self.agent(self.pump(
            stat, m4case.method("flow_pulses", 'Type "derive"'),
            m4case.method("flow_rate", 'Type "flow"'),
            options="Interval 0.05"))
        agent.wait_value(60, plugin="m4_rpc", type_instance="seq")
        status = json.loads(self.order("status"))
        agent.stop()
        self.assertEqual(status["connections"], 1)
        self.assert_readings_are_true(agent, "flow_stat")
        for kind in ("timeout", "protocol", "stale"):
            self.assertEqual(self.errors(agent, kind), 0)

    def test_errors_of_every_style(self):
        answered = "the M4 answered with an error: .*"
        for style, words in (
                ("string", answered + "(rpclib|error)"),
                ("array", "the router answers but knows nobody .*: 2 "),
                ("map", answered + "[a-z]")):
            with self.subTest(style):
                self.begin("--ideal", "--error-style", style, name=style)
                agent = self.agent(self.pump(
                    m4case.method("no_such_method"), FLOW,
                    options="Interval 0.1"), name="agent-" + style)
                self.wait_errors(agent, "remote", 2)
                agent.wait_value(plugin="m4_rpc", type="flow")
                agent.stop()
                self.assertEqual(self.up(agent), 1)
                self.assertRegex(
                    agent.log(), r'method "no_such_method": %s' % words)

    def test_server_restarts(self):
        self.begin("--ideal")
        agent = self.agent(self.pump(FLOW, options="Interval 0.1"))
        self.wait_up(agent, 1)
        self.sim.stop()
        self.wait_up(agent, 0)
        self.sim.start()
        self.wait_up(agent, 1)
        agent.stop()

    def test_mute(self):
        self.begin("--ideal")
        agent = self.agent(self.pump(
            FLOW, options="Interval 0.1\nTimeout 0.2"))
        self.wait_up(agent, 1)
        self.order("mute on")
        self.wait_errors(agent, "timeout", 2)
        self.order("mute off")
        self.wait_up(agent, 1)
        agent.stop()


class ReportTest(m4case.LabelCase):
    def test_on_change(self):
        agent = self.start()
        for label in ("Normal", "Normal", "Low", "Low", "Normal"):
            self.put(label)
        self.put("High", instance="other")
        self.put("High", host="elsewhere")
        self.put("Anomalous")
        weir.wait_until(lambda: self.labels()[-1:] == ["Anomalous"],
                        "the last label is heard", alive=agent)
        agent.stop()
        labels = self.labels()
        self.assertNotIn("High", labels)
        for before, after in zip(labels, labels[1:]):
            self.assertNotEqual(before, after)
        self.assertEqual({c["kind"] for c in self.sim.calls("classification")},
                         {"notification"})

    def test_state_of_another_plugin(self):
        """The baseline's state has a report and an age of its own."""
        self.begin("--step=flow_rate")
        agent = self.agent(
            self.pump(FLOW, options="Interval 0.2",
                      reports=m4case.report("classification")
                      + m4case.report("baseline", "MaxAge 2",
                                      'Meta "flow_baseline:state"')),
            extra=m4case.unixsock(self.dir))
        self.wait_up(agent, 1)
        self.put("Normal")
        self.put("other", plugin="flow_baseline") # the key of another plugin
        self.put("low", plugin="flow_baseline", key="flow_baseline:state")
        self.put("High", key="flow_baseline:state")

        def states():
            return [json.loads(c["payload"])["label"]
                    for c in self.sim.calls("baseline")]
        weir.wait_until(lambda: states()[-2:] == ["low", "unknown"],
                        "the M4 heard low, then that it is too old",
                        alive=agent)
        self.assertEqual([e["detail"] for e in self.events("baseline")],
                         ["off"])
        self.put("normal", plugin="flow_baseline", key="flow_baseline:state")
        weir.wait_until(lambda: [e["detail"] for e in
                                 self.events("baseline")] == ["off", "well"],
                        "the light is that of a normal flow", alive=agent)
        agent.stop()
        self.assertLessEqual(set(self.labels()), {"Normal", "unknown"})

    def test_call_and_heartbeat(self):
        agent = self.start("Call true", "Heartbeat 0.3")
        self.put("Low")
        calls = self.wait_labels(agent, 3)
        self.assertEqual({c["kind"] for c in calls}, {"call"}, calls)
        self.order("restart m4")
        self.wait_labels(agent, len(self.sim.calls("classification")) + 2)
        agent.stop()

    def test_every_window(self):
        agent = self.start("OnChange false", "Heartbeat 0")
        for n in range(1, 4):
            self.put("Low")
            self.wait_labels(agent, n)
        agent.stop()
        self.assertEqual(len(self.sim.calls("classification")), 3)

    def test_proxy_down_meanwhile(self):
        agent = self.start()
        self.sim.stop()
        self.wait_up(agent, 0)
        self.put("Low")
        agent.wait_log("was not told the label")
        self.put("Anomalous")
        self.sim.start()
        self.wait_labels(agent, 1)
        agent.stop()
        self.assertEqual(self.labels(), ["Anomalous"])

    def test_a_dead_connection_loses_no_label(self):
        """The server restarts, and the label is the first to notice."""
        self.begin("--ideal")
        agent = self.agent(
            self.pump(FLOW, options='Mode "persistent"\nInterval 3',
                      reports=m4case.report("classification")),
            extra=m4case.unixsock(self.dir))
        self.wait_up(agent, 1)
        self.put("Normal")
        self.wait_labels(agent, 1)
        self.sim.stop()
        self.sim.start()
        self.put("Low")
        weir.wait_until(lambda: "Low" in self.labels(), "it is heard",
                        alive=agent)
        agent.stop()

    def test_order_of_arrival(self):
        """The clock of the labels jumps both ways by years."""
        agent = self.start("Heartbeat 0")
        for step, label in ((0, "Normal"), (-3, "Low"), (-3600, "High"),
                            (-10 ** 8, "Normal"), (2 * 10 ** 8, "Anomalous"),
                            (-10 ** 8, "Low")):
            self.clock += step
            self.put(label)
            weir.wait_until(lambda: self.labels()[-1:] == [label],
                            "%s is heard" % label, alive=agent)
        agent.stop()

    def test_unbound_report_rests(self):
        """As a call it crashes the proxy twice; then it is left alone."""
        self.begin("--step=flow_rate", "--outage", "100")
        agent = self.agent(
            self.pump(FLOW, options="Interval 0.1",
                      reports=m4case.report("unbound", "Call true",
                                            "Heartbeat 0.1")),
            extra=m4case.unixsock(self.dir))
        self.wait_up(agent, 1)
        self.put("Low")
        weir.wait_until(lambda: len(self.events("crash")) == 2, "two crashes",
                        alive=agent)
        before = len(self.flows(agent))
        self.put("High")
        agent.wait_value(before + 40, plugin="m4_rpc", type="flow")
        agent.stop()
        self.assertEqual(len(self.events("crash")), 2)


if __name__ == "__main__":
    unittest.main()
