"""Shelving: a command keeps notifications back, with an end, and is seen."""

import unittest

import edgecase
import weir

EIM = 'Model "%s"\nStaleAfter 600\n' % weir.EIM


class ShelveTest(edgecase.Case):
    def shelve(self, text, instance="pump"):
        reply = self.command(
            "PUTNOTIF severity=okay time=%d plugin=edge_impulse "
            'plugin_instance=%s type=shelve message="%s"'
            % (edgecase.START, instance, text))
        self.assertTrue(reply.startswith("0 "), reply)

    def told(self, agent):
        """The notifications of the target, without those of the command."""
        return [n for n in agent.notifications() if "type = shelve" not in n]

    def wait_shelved(self, agent, value):
        weir.wait_until(lambda: (agent.values(
            plugin="edge_impulse", type_instance="shelved") or
            [{"value": -1}])[-1]["value"] == value,
            "bool-shelved is %d" % value, alive=agent)

    def alarm(self, agent, second):
        """The flow ends; the state follows, whoever is told."""
        self.put([0.5] * 20)
        self.wait_window(agent, second + 19)
        value = agent.wait_value(plugin="edge_impulse", type="bool",
                                 type_instance="Anomalous", value=1)
        weir.wait_until(lambda: self.states(agent).get(second + 19) ==
                        "Anomalous", "the state is an alarm", alive=agent)
        return value[-1]

    def test_until_it_is_taken_back(self):
        agent = self.agent([EIM])
        self.put([10] * 20)
        self.wait_window(agent, 19)
        agent.wait_log("pump is Normal")
        self.shelve("2h cleaning the filter")
        agent.wait_log("pump is shelved for 7200 s: cleaning the filter "
                       r"\(it is Normal\)")
        self.wait_shelved(agent, 1)
        left = self.alarm(agent, 20)["meta"]["edge_impulse:shelved"]
        self.assertGreater(left, 7000)
        self.assertLess(left, 7200.1)
        self.assertEqual(len(self.told(agent)), 2, self.told(agent))
        self.shelve("0")
        agent.wait_log("pump is no longer shelved; it is Anomalous")
        self.wait_shelved(agent, 0)
        self.put([10] * 30)
        agent.wait_log("pump is Normal, was Anomalous")
        agent.stop()
        told = self.told(agent)
        self.assertEqual(len(told), 4, told)
        self.assertIn("FAILURE", told[2])  # still an alarm: told again

    def test_a_sensor_that_sticks_is_told_at_the_end(self):
        agent = self.agent([EIM])
        self.put([10.07] * 20)
        self.wait_window(agent, 19)
        agent.wait_log("pump is Normal")
        self.shelve("2h")
        self.wait_shelved(agent, 1)
        self.put([10.07] * 60)
        agent.wait_value(plugin="edge_impulse", type_instance="stuck", value=1)
        self.assertEqual(len(self.told(agent)), 2, self.told(agent))
        self.shelve("0")
        self.wait_shelved(agent, 0)
        self.put([10.07] * 5)
        agent.wait_log("the sensor has said 10.07 for at least 60 s")
        agent.stop()
        self.assertEqual(len(self.told(agent)), 4, self.told(agent))

    def test_its_end_comes_by_itself(self):
        agent = self.agent([EIM])
        self.put([10] * 20)
        self.wait_window(agent, 19)
        self.shelve("1s")
        agent.wait_log(r"pump is shelved for 1 s \(it is Normal\)")
        agent.wait_log("pump is no longer shelved; it is Normal")
        self.alarm(agent, 20)
        agent.wait_log("pump is Anomalous, was Normal")
        agent.stop()

    def test_commands_that_cannot_be(self):
        agent = self.agent([EIM])
        self.put([10] * 20)
        self.wait_window(agent, 19)
        for count, text in enumerate(("soon", "30", "169h", "1d", "-1s", "1hx",
                                      "9999999s"), 1):
            self.shelve(text)
            agent.wait_log("is not allowed: a time as 90s", count)
        self.shelve("1h", "other")
        agent.wait_log("there is no series edge_impulse-other")
        agent.stop()
        self.assertEqual(len(self.told(agent)), 1, self.told(agent))


if __name__ == "__main__":
    unittest.main()
