"""Edge Impulse's own Linux runner, from npm, in front of model/flow.eim: the
plugin's HTTP path meets the program that runs in their container."""

import json
import unittest
import urllib.error
import urllib.request

import weir

STEADY = [10.0, 10.1, 9.9, 10.0, 10.1, 10.0, 9.9, 10.0, 10.1, 10.0] * 6


class RunnerTest(weir.Case):
    @classmethod
    def setUpClass(cls):
        cls.program = weir.runner_program()

    def start_runner(self):
        """The runner wants a port number, and cannot say which one it got."""
        self.port = weir.reserved_port()
        runner = self.run_process(weir.Process("runner", [
            "node", self.program, "--run-http-server", str(self.port),
            "--model-file", weir.EIM, "--dont-print-predictions"], self.dir,
            {"HOST": "127.0.0.1", "HOME": self.dir}))
        weir.wait_until(self.info, "the runner answers", alive=runner)
        return runner

    def fetch(self, path, data=None):
        request = urllib.request.Request(
            "http://127.0.0.1:%d%s" % (self.port, path),
            json.dumps(data).encode() if data is not None else None,
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)

    def info(self):
        try:
            return self.fetch("/api/info")
        except (urllib.error.URLError, OSError):
            return None

    def test_runner_accepts_the_model(self):
        self.start_runner()
        parameters = self.info()["modelParameters"]
        self.assertEqual(parameters["input_features_count"], 60)
        self.assertEqual(parameters["least_samples"], 10)
        scores = self.fetch("/api/features", {"features": STEADY})
        scores = scores["result"]["classification"]
        self.assertEqual(sorted(scores), sorted(parameters["labels"]))
        self.assertEqual(max(scores, key=scores.get), "Normal")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.fetch("/api/features", {"features": STEADY[:3]})
        with caught.exception as err:
            self.assertEqual(err.code, 400)

    def test_agent_classifies_through_it(self):
        runner = self.start_runner()
        sim = self.m4sim("--flow", "10", "--step")
        agent = self.collectd(
            weir.m4_block(sim.address, report=False) +
            weir.chain_block('URL "http://127.0.0.1:%d"' % self.port))
        state = agent.wait_value(5, plugin="edge_impulse", type="bool",
                                 type_instance="Normal", value=1)
        self.assertEqual(state[-1]["meta"]["edge_impulse:label"], "Normal")
        self.assertEqual(state[-1]["meta"]["edge_impulse:source"], "model")
        runner.kill()
        agent.wait_value(plugin="edge_impulse", type_instance="up", value=0)
        agent.stop()


if __name__ == "__main__":
    unittest.main()
