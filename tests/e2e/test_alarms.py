"""The whole agent says, second by second, what model/alarms.md was made from: a
recording that is played as fast as it can be read gives the same states."""

import os
import re
import subprocess
import unittest

import edgecase
import weir

EVALUATE = os.path.join(weir.BUILD, "bin", "evaluate-alarms")
FOLDER = os.path.join(weir.ROOT, "tests", "sim", "scenarios", "alarms")
# One of each kind: a move, an edge, a ramp through all bands, a stop, faults
# that last, one that settles, a small loop.
NAMES = ("move-10-14-1s", "edge-7.5-noise2", "move-6-18-20s",
         "stop-start-undeclared", "fault-air-0.5", "fault-hunting-0.3-8s",
         "fault-leak-13", "nominal-0.5-moves")


def evaluated(name):
    """(nominal, [flow, ...], {second: state}) of a scenario, offline."""
    path = os.path.join(FOLDER, name + ".scenario")
    lines = subprocess.run([EVALUATE, "-t", path], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()
    found = [re.match(r" *(\d+) flow +([0-9.]+) .* state (\S+)", line)
             for line in lines]
    seconds = [m.groups() for m in found if m]
    with open(path) as text:
        nominal = re.search(r"^nominal (\S+)", text.read(), re.M).group(1)
    return (nominal, [flow for _, flow, _ in seconds],
            {int(s): state for s, _, state in seconds if state != "-"})


class AlarmsTest(edgecase.Case):
    def test_the_agent_does_what_was_evaluated(self):
        played = {name: evaluated(name) for name in NAMES}
        loops = "".join(
            edgecase.chain(
                ['Model "%s"\nNominal %s' % (weir.EIM, nominal)],
                match='PluginInstance "^%s$"' % re.escape(name), rule=name)
            .replace("LoadPlugin target_edge_impulse\n", "" if i else
                     "LoadPlugin target_edge_impulse\n")
            for i, (name, (nominal, _, _)) in enumerate(played.items()))
        agent = self.agent(loops)
        for name, (_, flows, _) in played.items():
            self.put(flows, plugin="feed-" + name)
        for name, (_, flows, wanted) in played.items():
            self.wait_window(agent, len(flows) - 1, plugin_instance=name)
            with self.subTest(name):
                self.assertEqual(
                    self.states(agent, plugin_instance=name), wanted)
        agent.stop()


if __name__ == "__main__":
    unittest.main()
