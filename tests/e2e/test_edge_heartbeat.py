"""Heartbeat: what stands still is not said again with every window."""

import struct
import unittest

import edgecase
import weir

EVERY = 3600  # longer than any test
EIM = 'Model "%s"\n' % weir.EIM


class HeartbeatTest(edgecase.Case):
    def fed(self, extra):
        """Windows of a steady flow, of one that falls, and of the new one."""
        agent = self.agent([EIM + extra])
        self.put([10] * 40 + [2] * 40)
        weir.wait_until(lambda: any(v["type_instance"] == "Anomalous" for v in
                                    self.state_values(agent) if v["value"]),
                        "the alarm stands", alive=agent)
        agent.stop()
        return agent

    def state_values(self, agent):
        return [v for v in agent.values(plugin="edge_impulse", type="bool")
                if v["type_instance"] not in ("up", "shelved")]

    def test_changes_alone(self):
        agent = self.fed("Heartbeat %d" % EVERY)
        self.assertEqual({v["interval"] for v in agent.values(
            plugin="edge_impulse", type="percent")}, {EVERY})
        told = {}
        for v in self.state_values(agent):
            self.assertEqual(v["interval"], EVERY)
            told.setdefault(v["time"], []).append(v)
        # All of them at each time, one of them on. The end of collectd cuts
        # the newest off.
        del told[max(told)]
        for values in told.values():
            self.assertEqual(sum(v["value"] for v in values), 1)
            self.assertEqual(len(values), 6)
        # 71 windows; the grid of the heartbeat may add one.
        self.assertLess(len(told), 35)
        # What every window says is kept by those that are sent.
        seen = [v["meta"]["edge_impulse:label"]
                for v in sorted(self.state_values(agent),
                                key=lambda v: v["time"]) if v["value"]]
        self.assertEqual(seen[0], "Normal")
        self.assertEqual(seen[-1], "Anomalous")
        changes = [v for v in self.state_values(agent)
                   if v["value"] and "edge_impulse:previous" in v["meta"]]
        self.assertIn("Anomalous", {v["type_instance"] for v in changes})

    def test_health_goes_on(self):
        """Its interval is its own."""
        agent = self.fed("Heartbeat %d" % EVERY)
        ups = agent.values(plugin="edge_impulse", type="bool",
                           type_instance="up")
        self.assertTrue(ups)
        self.assertEqual({v["interval"] for v in ups}, {1})

    def test_without_it_every_window(self):
        agent = self.fed("")
        self.assertGreaterEqual(
            len({v["time"] for v in self.state_values(agent)}), 30)

    def test_values_that_collectd_drops(self):
        agent = self.agent([EIM])
        queue = {"plugin": "collectd-write_queue", "type": "derive-dropped"}
        self.put([0, 0, 7], **queue)
        agent.wait_log("collectd has dropped 7 values, 7 in all")
        self.put([7], **queue)
        agent.wait_log("collectd drops no values again")
        agent.stop()

    def test_values_that_collectd_drops_as_it_counts_them(self):
        """5.12 sends the bits of a double for a counter."""
        agent = self.agent([EIM])
        bits = struct.unpack("<q", struct.pack("<d", 170.0))[0]
        self.put([0, bits], plugin="collectd-write_queue",
                 type="derive-dropped")
        agent.wait_log("collectd has dropped 170 values, 170 in all")
        agent.stop()

    def test_what_is_allowed(self):
        status, log = weir.check_config(self.dir, edgecase.chain(
            [EIM + "Heartbeat 3601"]))
        self.assertNotEqual(status, 0)
        self.assertIn("Heartbeat", log)


if __name__ == "__main__":
    unittest.main()
