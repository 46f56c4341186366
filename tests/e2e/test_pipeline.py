"""The whole pipe: sensor -> M4 -> collectd -> model -> cloud and M4, counted.

A run of a real sensor is replayed, one sample per call, with two faults put
into it: the recorded data (WEIR_DATA/weusedto_pulses.csv.gz) has none of its
own. Without that file a run made by m4sim takes its place, and a notice says
so. Every number is exact: the simulator moves by one second per call."""

import csv
import datetime
import gzip
import json
import os
import re
import statistics
import unittest

import weir

RECORDED = os.path.join(weir.DATA, "weusedto_pulses.csv.gz")
INTERVAL = 0.2  # of real time; the data moves on by one second
SAMPLES, WINDOW = 100, 10
BLOCKAGE, SURGE = range(30, 48), range(66, 82)  # seconds of the faults
PULSES_PER_LPM = 7.5


def steady_run(path):
    """The first recorded run with SAMPLES steady seconds: its pulse counts."""
    with gzip.open(path, "rt") as text:
        for row in csv.DictReader(text):
            pulses = [int(x) for x in row["pulses_per_s"].split()]
            for start in range(0, len(pulses) - SAMPLES, SAMPLES):
                part = pulses[start:start + SAMPLES]
                middle = statistics.median(part)
                if middle > 25 and max(abs(x - middle)
                                       for x in part) < 0.12 * middle:
                    return part
    raise AssertionError("%s has no steady run" % path)


def made_run(case):
    """The same from m4sim's plant."""
    sim = case.m4sim("--flow", "6", "--step", "--seed", "7", name="maker")
    agent = case.collectd(weir.m4_block(sim.address, report=False),
                          name="maker-agent")
    flows = agent.wait_value(SAMPLES, plugin="m4_rpc", type="flow")
    agent.stop()
    sim.stop()
    return [round(v["value"] * PULSES_PER_LPM) for v in flows[:SAMPLES]]


def with_faults(pulses):
    return [round(x * 0.1) if i in BLOCKAGE else
            round(x * 2.6) if i in SURGE else x for i, x in enumerate(pulses)]


def when(value):
    """The time stamp that the cloud knows: the value's own, or its arrival."""
    if value["timestamp"] is None:
        return value["t"]
    return datetime.datetime.fromisoformat(
        value["timestamp"].replace("Z", "+00:00")).timestamp()


class PipelineTest(weir.Case):
    def setUp(self):
        super().setUp()
        if os.path.exists(RECORDED):
            pulses = steady_run(RECORDED)
        else:
            self.notice("%s is not there; a run made by m4sim is replayed"
                        % RECORDED)
            pulses = made_run(self)
        self.nominal = statistics.median(pulses) / PULSES_PER_LPM
        self.pulses = with_faults(pulses)
        replay = os.path.join(self.dir, "replay.csv")
        with open(replay, "w") as out:
            out.write("".join("%d\n" % x for x in self.pulses))
        self.m4 = self.m4sim("--replay", replay, "--step")
        self.cloud = self.cloudsim()
        self.agent = self.collectd(
            weir.m4_block(self.m4.address, interval=INTERVAL) +
            weir.chain_block(extra="Nominal %.4f" % self.nominal,
                             interval=INTERVAL) +
            weir.cloud_block(self.cloud.url, self.cloud.credentials(self.dir),
                             flow="DeadBand 0\n      MinInterval 0"))

    def expected_windows(self):
        """One for each sample from the tenth on. Were the machine so busy that
        a sample came a whole interval late, its place is filled and counts."""
        times = [v["time"] for v in self.agent.values(
            plugin="m4_rpc", type="flow")]
        places = round((max(times) - min(times)) / INTERVAL) + 1
        if places != SAMPLES:
            self.notice("the machine is slow: %d samples in %d places"
                        % (SAMPLES, places))
        return places - WINDOW + 1

    def states(self):
        """(time, label) of each window's debounced state, in order. The first
        two windows have none yet."""
        found = [(v["time"], v["type_instance"]) for v in self.agent.values(
            plugin="edge_impulse", type="bool", value=1)
            if v["type_instance"] != "up"]
        return sorted(found)

    def test_counts_labels_and_the_way_back(self):
        agent = self.agent
        agent.wait_value(SAMPLES, plugin="m4_rpc", type="flow")
        windows = self.expected_windows()
        weir.wait_until(lambda: len(self.states()) >= windows - 2,
                        "%d windows are classified" % windows, alive=agent)
        self.cloud.wait_values(SAMPLES, property="flow_rate")
        states = self.states()
        changes = [b for a, b in zip([(0, None)] + states, states)
                   if a[1] != b[1]]
        self.cloud.wait_values(len(changes), property="classification")
        weir.wait_until(
            lambda: len(self.m4.calls("classification")) >= len(changes),
            "the M4 heard of each change", alive=agent)
        agent.stop()

        flows = sorted((v["time"], v["value"]) for v in agent.values(
            plugin="m4_rpc", type="flow"))
        self.assertEqual([round(f * PULSES_PER_LPM) for _, f in flows],
                         self.pulses, "every sample once and in order")
        self.assertEqual(len(self.states()), windows - 2)
        for label in {v["type_instance"] for v in agent.values(
                plugin="edge_impulse", type="percent")}:
            self.assertEqual(len(agent.values(
                plugin="edge_impulse", type="percent",
                type_instance=label)), windows, label)
        self.check_labels(dict(states), [t for t, _ in flows])
        self.check_cloud(flows, changes)
        self.check_way_back(changes)
        self.check_notifications(changes)

    def check_labels(self, state, times):
        """Steady water is Normal, each fault is seen while it lasts."""
        def labels(seconds):
            return {state[times[i]] for i in seconds}
        self.assertEqual(labels(range(20, BLOCKAGE[0])), {"Normal"})
        self.assertEqual(labels(range(BLOCKAGE[12], BLOCKAGE[-1])),
                         {"Anomalous"})
        self.assertEqual(labels(range(SURGE[12], SURGE[-1])), {"Anomalous"})
        self.assertEqual(labels(range(SURGE[-1] + 14, SAMPLES)), {"Normal"})

    def check_cloud(self, flows, changes):
        """Each value is accepted once; with -0.0 and rounding out of play."""
        accepted = self.cloud.values(property="flow_rate")
        self.assertEqual(sorted(round(v["value"] * PULSES_PER_LPM)
                                for v in accepted), sorted(self.pulses))
        # A label that was overtaken by the next one follows in a batch, with
        # its own time stamp.
        labels = sorted(self.cloud.values(property="classification"), key=when)
        self.assertEqual([v["value"] for v in labels],
                         [label for _, label in changes])
        self.assertEqual(self.cloud.count("tokens_issued"), 1)

    def check_way_back(self, changes):
        heard = [json.loads(c["payload"])
                 for c in self.m4.calls("classification")]
        self.assertEqual([h["label"] for h in heard],
                         [label for _, label in changes])
        for h in heard:
            self.assertTrue(0.0 <= h["value"] <= 1.0, h)

    def check_notifications(self, changes):
        severity = {"Normal": "OKAY", "uncertain": "WARNING",
                    "Low": "WARNING", "High": "WARNING",
                    "Anomalous": "FAILURE"}
        told = self.agent.notifications()
        self.assertEqual([re.match(r"severity = (\w+)", n).group(1)
                          for n in told],
                         [severity[label] for _, label in changes])
        for text, (_, label) in zip(told, changes):
            self.assertIn(label, text)


if __name__ == "__main__":
    unittest.main()
