"""The alarm output of the sketch, from a value of the agent to the pin.

The sketch's own parser and its own rule run behind m4sim; what stands in the
record is the pin: high with ok and warning, low with everything else."""

import os
import re
import signal
import subprocess
import unittest

import edgecase
import m4case
import weir


class OutputTest(m4case.LabelCase):
    def level(self):
        found = [e["detail"] for e in self.events("output")]
        return found[-1] if found else "silent"

    def wait_level(self, agent, level):
        weir.wait_until(lambda: self.level() == level,
                        "the output says " + level, alive=agent)

    def test_label_decides(self):
        agent = self.start("Heartbeat 60")
        for label, level in (("Normal", "ok"), ("Anomalous", "alarm"),
                             ("Low", "warning"), ("unknown", "unknown"),
                             ("High", "warning"), ("Leak", "unknown"),
                             ("Normal", "ok"), ("L" * 40, "unknown"),
                             ("Normal", "ok"), ("Größe (neu)", "unknown")):
            self.put(label)
            self.wait_level(agent, level)
        agent.stop()

    def test_an_old_label_is_no_label(self):
        """The agent lives, but nobody classifies any more: the output drops at
        MaxAge, not only when the heartbeats stop, and comes back."""
        agent = self.start("MaxAge 1", "Heartbeat 0.2")
        self.wait_level(agent, "unknown") # none since the start
        self.put("Normal")
        self.wait_level(agent, "ok")
        self.wait_level(agent, "unknown")
        told = len(self.labels())
        self.wait_labels(agent, told + 5)
        self.assertEqual(set(self.labels()[told:]), {"unknown"})
        self.put("Normal")
        self.wait_level(agent, "ok")
        agent.stop()

    def test_nobody_reports_any_more(self):
        agent = self.start("Heartbeat 0.2", sim=["--report-hold", "2000"])
        self.put("Normal")
        self.wait_level(agent, "ok")
        agent.stop()
        self.wait_level(None, "silent")

    def test_heartbeats_keep_it_high(self):
        agent = self.start("Heartbeat 0.2", sim=["--report-hold", "2000"])
        self.put("Normal")
        weir.wait_until(lambda: len(self.sim.calls("classification")) > 20,
                        "twenty heartbeats", alive=agent)
        agent.stop()
        self.assertEqual([e["detail"] for e in self.events("output")][:1],
                         ["ok"])
        last = self.sim.calls("classification")[-1]["t"]
        for e in self.events("output"):
            self.assertFalse(e["detail"] == "silent" and e["t"] < last, e)

    def test_m4_that_restarts_begins_low(self):
        agent = self.start("Heartbeat 0.5")
        self.put("Normal")
        self.wait_level(agent, "ok")
        self.order("restart m4")
        levels = lambda: [e["detail"] for e in self.events("output")]
        weir.wait_until(lambda: levels()[-3:] == ["ok", "silent", "ok"],
                        "low, then told again: %s" % levels(), alive=agent)
        agent.stop()


class ChainTest(m4case.LabelCase):
    """The whole way, from the sensor to the pin."""

    def wait_output(self, agent, level):
        weir.wait_until(
            lambda: [e["detail"] for e in self.events("output")][-1:] ==
            [level], "the output says " + level, alive=agent)

    def test_dead_model_and_dead_sensor(self):
        self.begin("--flow", "10", "--exact")
        model = edgecase.Model(self.dir)
        agent = self.agent(
            self.pump(m4case.FLOW, options="Interval 0.1",
                      reports=m4case.report("classification", "MaxAge 5",
                                            "Heartbeat 1")),
            extra=weir.chain_block('Model "%s"' % model.path,
                                   extra="StaleAfter 2"),
            stock=("match_regex",))
        self.wait_output(agent, "ok")
        model.order(start="exit")
        os.kill(model.starts()[-1], signal.SIGKILL)
        self.wait_output(agent, "unknown")
        model.order(start="ok")
        self.wait_output(agent, "ok")
        self.order("event zero")
        self.wait_output(agent, "alarm")
        agent.stop()


class PageTest(m4case.Case):
    def test_line_of_step_4_reads_the_pulses(self):
        """Before anything of Weir is on the board."""
        with open(os.path.join(weir.ROOT, "BOARD.md")) as text:
            lines = re.findall(r"^(ask.*)$", text.read(), re.M)
        self.assertEqual(len(lines), 2)
        self.begin("--flow", "10", "--exact")
        port = self.sim.address.rpartition(":")[2]
        script = "\n".join(lines).replace("/5001", "/" + port)
        done = subprocess.run(["bash", "-c", script], capture_output=True,
                              text=True, timeout=weir.CEILING)
        self.assertEqual(done.stderr, "")
        told = bytes.fromhex(done.stdout)
        self.assertEqual(told[:4], b"\x94\x01\x01\xc0")
        self.assertEqual(int.from_bytes(told[-1:], "big"), 75)


if __name__ == "__main__":
    unittest.main()
