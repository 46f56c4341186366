"""What the last minute of flow is good for in the plugin: a second opinion in
front of the verdict, and what an alarm looks like."""

import math
import unittest

import edgecase
import weir

EIM = 'Model "%s"\n' % weir.EIM


def counted(flow):
    """As a YF-S201 counts it, whole pulses in each second."""
    total, out = 0.37, []
    for lpm in flow:
        before = math.floor(total)
        total += lpm * 7.5
        out.append("%.4f" % ((math.floor(total) - before) / 7.5))
    return out


AIR = counted([10] * 40 + [10, 7, 10, 10] * 8)
MOVE = counted([10] * 40 + [11, 13, 14] + [14] * 40)


class SecondOpinionTest(edgecase.Case):
    """The bad model sees ten samples and cries at any change."""

    def states_of(self, flow, *options):
        model = edgecase.Model(self.dir)
        model.order(alarm_range=1.0)
        agent = self.agent(["\n".join(
            ('Model "%s"' % model.path, 'RangePolicy "off"') + options)])
        self.put(flow)
        self.wait_window(agent, len(flow) - 1)
        agent.stop()
        return set(self.states(agent).values())

    def test_off(self):
        self.assertIn("Anomalous", self.states_of(MOVE, 'Context "off"'))

    def test_auto_is_for_a_model_of_ten_seconds(self):
        self.assertNotIn("Anomalous", self.states_of(MOVE))

    def test_on_holds_no_fault_back(self):
        self.assertIn("Anomalous", self.states_of(AIR, 'Context "on"'))


class HintTest(edgecase.Case):
    def test_alarm_says_what_it_looks_like(self):
        agent = self.agent([EIM])
        self.put(AIR)
        self.wait_window(agent, len(AIR) - 1)
        agent.wait_log(r"pump is Anomalous, was Normal \(score [^)]*\)\. "
                       r"Hint: air")
        self.put(counted([10] * 30))
        self.wait_window(agent, len(AIR) + 29)
        agent.stop()
        values = agent.values(plugin="edge_impulse", type="bool", value=1)
        alarms = [v for v in values if v["type_instance"] == "Anomalous"]
        calm = [v for v in values if v["type_instance"] == "Normal"]
        self.assertRegex(alarms[len(alarms) // 2]["meta"]["edge_impulse:reason"],
                         r"^air.*: [5-7] dropouts of 1 s in 20 s, "
                         r"down to (6\d|7\d) %$")
        self.assertTrue(calm)
        for value in calm:
            self.assertEqual(value["meta"].get("edge_impulse:reason"), "")

    def test_a_pump_that_stops(self):
        agent = self.agent([EIM])
        self.put(counted([10] * 30 + [0] * 12))
        self.wait_window(agent, 41)
        agent.stop()
        values = agent.values(plugin="edge_impulse", type="bool", value=1,
                              type_instance="Anomalous")
        self.assertRegex(values[-1]["meta"]["edge_impulse:reason"],
                         r"^blocked or stopped: 0 % of nominal for \d+ s$")

    def test_first_answer_after_ten_samples_and_after_a_gap(self):
        agent = self.agent([EIM])
        self.put(counted([10] * 12))
        self.wait_window(agent, 11)
        self.second["testhost/feed-pump/flow-flow_rate"] += 20
        self.put(counted([10] * 12))
        self.wait_window(agent, 43)
        agent.stop()
        self.assertEqual(
            sorted({round(v["time"] - edgecase.START) for v in agent.values(
                plugin="edge_impulse", type="percent")}),
            [9, 10, 11, 41, 42, 43])


class CloudTest(edgecase.Case):
    def test_hint_as_a_text_property_goes_away_again(self):
        """The samples have old stamps, so only the newest is sent live."""
        cloud = self.cloudsim(
            "--thing", weir.CloudSim.THING, "--property", "flow_rate:FLOAT",
            "--property", "classification:CHARSTRING",
            "--property", "hint:CHARSTRING")
        hint = ('<Property "hint">\nPlugin "edge_impulse"\nType "bool"\n'
                'Meta "edge_impulse:reason"\nMinInterval 0\n</Property>')
        agent = self.agent(edgecase.chain([EIM]) + weir.cloud_block(
            cloud.url, cloud.credentials(self.dir), extra=hint))
        self.put(counted([10] * 30 + [0] * 12))
        weir.wait_until(
            lambda: any(v["value"].startswith("blocked or stopped: 0 %")
                        for v in cloud.values(property="hint")),
            "the cloud has the hint", alive=agent)
        self.put(counted([10] * 20))
        weir.wait_until(
            lambda: cloud.values(property="hint")[-1]["value"] == "",
            "the hint is empty again", alive=agent)
        agent.stop()


if __name__ == "__main__":
    unittest.main()
