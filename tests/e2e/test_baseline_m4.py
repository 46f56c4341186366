"""The M4 hears of the baseline: the configuration we ship for it, with the real
m4_rpc, both targets and the sketch's own arithmetic in m4sim."""

import json
import os
import re
import subprocess
import unittest

import baselinecase
import weir
from baselinecase import steady

EXAMPLE = os.path.join(weir.ROOT, "agent-config", "examples",
                       "label-and-baseline.conf")
DOCTOR = os.path.join(weir.BUILD, "bin", "weir-doctor")
SERIES = {"plugin": "m4_rpc-pump", "type": "flow-flow_rate"}


class M4Test(baselinecase.Case):
    def example(self, address):
        """As shipped, but for places of this machine, and the M4's own flow
        is no flow: the rule's readings are fed, faster than real time."""
        with open(EXAMPLE) as text:
            config = text.read()
        for old, new in (('"127.0.0.1:5001"', '"%s"\nLockDirectory "%s"'
                          % (address, self.dir)),
                         ("/usr/lib/weir/flow.eim", weir.EIM),
                         ('Type "flow"\n    </Method>',
                          'Type "gauge"\n    </Method>'),
                         ("LoadPlugin match_regex\n", "")):
            self.assertIn(old, config)
            config = config.replace(old, new)
        return config

    def told(self, method):
        return [json.loads(c["payload"])["label"]
                for c in self.m4.calls(method)]

    def light(self):
        return [e["detail"] for e in weir.read_jsonl(self.m4.calls_path)
                if e.get("event") == "baseline"]

    def test_the_m4_hears_a_drift_and_its_end(self):
        self.m4 = self.m4sim("--flow", "10")
        agent = self.agent(self.example(self.m4.address))
        self.put(steady(10, 420), **SERIES)
        weir.wait_until(lambda: self.told("baseline")[-1:] == ["normal"],
                        "the M4 hears that it has learnt", alive=agent)
        self.put(steady(9.6, 40), **SERIES)
        weir.wait_until(lambda: self.told("baseline")[-1:] == ["low"],
                        "the M4 hears of the drift", alive=agent)
        weir.wait_until(lambda: self.light() == ["off"],
                        "the light is on", alive=agent)
        self.put(steady(10, 80), **SERIES)
        weir.wait_until(lambda: self.told("baseline")[-1:] == ["normal"] and
                        self.light() == ["off", "well"],
                        "the light goes out", alive=agent)
        agent.stop()
        # 4 % less is no other label.
        self.assertEqual(set(self.told("classification")) - {"unknown"},
                         {"Normal"})
        deviation = min(json.loads(c["payload"])["value"]
                        for c in self.m4.calls("baseline"))
        self.assertAlmostEqual(deviation, -0.04, delta=0.025)

    def test_the_doctor_accepts_it(self):
        path = os.path.join(self.dir, "example.conf")
        with open(path, "w") as out:
            out.write('PluginDir "%s"\nLoadPlugin match_regex\nPluginDir '
                      '"%s"\n' % (weir.STOCK_PLUGINDIR, weir.PLUGINDIR) +
                      self.example("127.0.0.1:5001"))
        done = subprocess.run([DOCTOR, "config", path], text=True,
                              capture_output=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(re.findall("is accepted", done.stdout)), 3,
                         done.stdout)


if __name__ == "__main__":
    unittest.main()
