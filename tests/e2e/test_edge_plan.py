"""What the operator declared: a planned stop, a live set point, a sensor that
is known to be coarse."""

import unittest

import edgecase
import weir

EIM = 'Model "%s"\n' % weir.EIM
STATE = EIM + '<State "Off">\nSeries "feed-pump/gauge-pump_on"\n</State>'


class PlanCase(edgecase.Case):
    def play(self, minutes, **declared):
        """[(flow, {series: value}), ...]: each second once, what is declared in
        front of the flow, as a read plugin would."""
        for flow, values in minutes:
            for name, value in values.items():
                self.put([value], type="gauge-%s" % name)
            self.put([flow])

    def labels(self, agent):
        states = self.states(agent)
        return [states[s] for s in sorted(states)]

    def changes(self, agent):
        labels = self.labels(agent)
        return [b for a, b in zip([None] + labels, labels) if a != b]


class StateTest(PlanCase):
    def test_a_declared_stop_is_no_alarm(self):
        agent = self.agent([STATE])
        run, stop = {"pump_on": 1}, {"pump_on": 0}
        self.play([(10, run)] * 20 + [(7, stop), (3, stop)] + [(0, stop)] * 30 +
                  [(0, run), (4, run), (8, run)] + [(10, run)] * 20)
        self.wait_window(agent, 74)
        agent.stop()
        self.assertEqual(self.changes(agent), ["Normal", "Off", "Normal"])
        told = agent.notifications()
        self.assertEqual([n.split(",")[0] for n in told],
                         ["severity = OKAY"] * 3)
        off = agent.values(plugin="edge_impulse", type="bool",
                           type_instance="Off", value=1)
        self.assertEqual({v["meta"]["edge_impulse:label"] for v in off},
                         {"Off"})

    def test_a_stop_that_nobody_declared_is_one(self):
        agent = self.agent([STATE])
        self.play([(10, {"pump_on": 1})] * 20 + [(0, {"pump_on": 1})] * 20)
        self.wait_window(agent, 39)
        agent.stop()
        self.assertEqual(self.changes(agent), ["Normal", "Anomalous"])

    def test_an_old_word_with_a_newer_stamp(self):
        """The clock goes back a day: "off" was said before, "on" is said now."""
        agent = self.agent([STATE])
        self.play([(10, {"pump_on": 1})] * 20 + [(0, {"pump_on": 0})] * 20)
        self.wait_window(agent, 39)
        for name in self.second:
            self.second[name] -= 86400
        self.play([(0, {"pump_on": 1})] * 30)
        weir.wait_until(lambda: self.states(agent).get(69 - 86400) ==
                        "Anomalous", "a stop nobody declares is an alarm",
                        alive=agent)
        agent.stop()

    def test_a_stop_by_command(self):
        """One PUTVAL by hand; its interval says how long it holds."""
        agent = self.agent([STATE])
        self.put([1], type="gauge-pump_on", interval=3600)
        self.put([10] * 20)
        self.put([0], type="gauge-pump_on", interval=3600)
        self.put([0] * 60)
        self.wait_window(agent, 79)
        agent.stop()
        self.assertEqual(self.changes(agent), ["Normal", "Off"])

    def test_the_series_that_declares_is_not_classified(self):
        agent = self.agent([STATE])
        self.play([(10, {"pump_on": 1})] * 20)
        self.wait_window(agent, 19)
        agent.stop()
        self.assertNotIn("would both have results", agent.log())

    def test_bad_options(self):
        for options, sentence in (
                ('<State "Off">\n</State>', "Series is missing"),
                ('<State "Off">\nSeries "x"\n</State>',
                 'Series "x" is not allowed: plugin-instance/type-instance'),
                ('<State "Off">\nSeries "a/b"\nMaxFlow -1\n</State>',
                 'MaxFlow "-1"'),
                ('<State "Off">\nSeries "a/b"\n</State>\n'
                 '<State "No">\nSeries "a/b"\n</State>', "one block"),
                ('Setpoint "flow"', 'Setpoint "flow" is not allowed'),
                ('Settle -1', 'Settle "-1"'),
                ('Quantum -1', 'Quantum "-1"')):
            with self.subTest(options):
                status, log = weir.check_config(
                    self.dir, edgecase.chain([EIM + options]))
                self.assertEqual(status, 1)
                self.assertRegex(log, r"\[error\].*" + sentence)


class SetpointTest(PlanCase):
    def test_the_nominal_flow_follows(self):
        """From 10 to 3 L/min and to 25, by will: always Normal; 0 is Off."""
        agent = self.agent([EIM + 'Setpoint "feed-pump/gauge-wanted"'])
        moves = [(10, {"wanted": 10})] * 20
        for level, before in ((3, 10), (25, 3), (0, 25), (10, 0)):
            moves += [((before + level) / 2, {"wanted": level})] * 3
            moves += [(level, {"wanted": level})] * 25
        self.play(moves)
        self.wait_window(agent, len(moves) - 1)
        agent.stop()
        self.assertEqual(self.changes(agent), ["Normal", "Off", "Normal"])

    def test_a_flow_that_does_not_follow_is_told(self):
        agent = self.agent([EIM + 'Setpoint "feed-pump/gauge-wanted"'])
        self.play([(10, {"wanted": 10})] * 20 + [(10, {"wanted": 4})] * 30)
        self.wait_window(agent, 49)
        agent.stop()
        self.assertEqual(self.changes(agent), ["Normal", "Anomalous"])


class CoarseTest(edgecase.Case):
    def test_a_coarse_sensor_is_said_once_and_is_no_alarm(self):
        """A YF-S201 at 1 L/min: 7 or 8 pulses in a second."""
        agent = self.agent([EIM + "Nominal 1"])
        self.put([round(n / 7.5, 4) for n in [7, 8, 7, 8, 8, 7, 7, 8] * 8])
        self.wait_window(agent, 63)
        agent.stop()
        self.assertEqual(self.settled(agent), {"Normal"})
        self.assertEqual(len(agent.notifications()), 1)
        self.assertEqual(agent.log().count("one pulse in a sample of"), 1)


if __name__ == "__main__":
    unittest.main()
