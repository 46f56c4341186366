"""write_arduino_cloud against the cloud stand-in: the healthy path."""

import unittest

import cloudcase
import weir


class CloudTest(cloudcase.Case):
    def test_values_and_labels_arrive(self):
        cloud = self.cloudsim()
        agent = self.agent(cloud, flow="MinInterval 0")
        feed = self.feed(agent)
        feed.flow(10.25)
        feed.label("Normal")
        cloud.wait_values(1, property="flow_rate", value=10.25)
        cloud.wait_values(1, property="classification", value="Normal")
        feed.label("Low")
        cloud.wait_values(1, property="classification", value="Low")
        self.health(agent, "queue_length", "spool", lambda v: v == 0)
        self.health(agent, "bool", "up", lambda v: v == 1)
        agent.stop()
        self.assertEqual(
            ["Normal", "Low"],
            [v["value"] for v in cloud.values(property="classification")])
        self.assertEqual(1, cloud.count("tokens_issued"))


if __name__ == "__main__":
    unittest.main()
