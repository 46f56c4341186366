"""agent-config/fleet/e-kafka: the shipped file against librdkafka's mock.

The mock has no TLS, so these four lines are taken out here; everything else
is what a board runs. A sample goes through the model, and what the model says
must arrive at a consumer, with the label in its meta data."""

import json
import os
import re
import shutil
import socket
import unittest

import kafkasim
import stack
import weir

FILES = os.path.join(stack.FLEET, "e-kafka")
TLS = re.compile(r'(?m)^ *Property "(?:security|ssl)\.[\w.]+" ".*"\n')
FEED = """\
WriteThreads 1
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "%s"
</Plugin>
"""
START = 1700000000  # time stamp of the first sample


def dial(out, path):
    """Connect to unixsock: its thread makes the socket when it likes."""
    weir.wait_until(lambda: out.connect_ex(path) == 0, path + " answers")


class Mock(weir.Simulator):
    def __init__(self, directory, topic, partitions):
        super().__init__("kafkasim", [
            weir.PYTHON, kafkasim.__file__, topic, str(partitions)],
            directory)


def shipped(brokers):
    """(configuration for these brokers, topic, key) of the shipped file."""
    text, removed = TLS.subn("", stack.shipped(
        "e-kafka/board.conf", (("kafka.example.org:9093", brokers),)))
    assert removed == 4, removed
    return (text,
            re.search(r'<Topic "(.+)">', text).group(1),
            re.search(r'Key "(.+)"', text).group(1).encode())


def partitions():
    """As many as add-board creates for each board."""
    with open(os.path.join(FILES, "AddBoard.java")) as file:
        return int(re.search(r"PARTITIONS = (\d+)", file.read()).group(1))


class KafkaTest(unittest.TestCase):
    def setUp(self):
        try:
            kafkasim.library()
        except OSError as error:
            self.skipTest(str(error))
        self.dir = os.path.join(weir.BUILD, "kafka")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)

    def run_process(self, process):
        self.addCleanup(process.kill)
        return process.start()

    def put(self, path, values):
        """These values of the flow, a second apart."""
        with socket.socket(socket.AF_UNIX) as out:
            dial(out, path)
            stream = out.makefile("rw")
            for second, value in enumerate(values):
                stream.write("PUTVAL testhost/m4_rpc-pump/flow-flow_rate "
                             "interval=1 %d:%g\n" % (START + second, value))
                stream.flush()
                self.assertRegex(stream.readline(), "^0 ")

    def test_values_and_the_label_reach_a_consumer(self):
        topic, count = shipped("")[1], partitions()
        mock = self.run_process(Mock(self.dir, topic, count))
        config, _, key = shipped(mock.address)
        path = os.path.join(self.dir, "sock")
        agent = self.run_process(weir.Collectd(
            self.dir, weir.chain_block(interval=1) +
            'PluginDir "%s"\n' % weir.STOCK_PLUGINDIR + config +
            FEED % path))
        agent.wait_ready()
        samples = [10 + 0.1 * (i % 3) for i in range(12)]
        self.put(path, samples)
        consumer = kafkasim.Consumer(mock.address, topic, count)
        flow, labels = {}, {}

        def complete():
            for found, payload in consumer.messages():
                self.assertEqual(found, key)
                for v in json.loads(payload):
                    self.take(v, flow, labels)
            return len(flow) == len(samples) and len(labels) == 3
        weir.wait_until(complete, "all samples and three windows arrive",
                        alive=agent)
        self.assertEqual([flow[s] for s in sorted(flow)], samples)
        self.assertEqual(labels, {9: None, 10: None, 11: "Normal"})

    def take(self, v, flow, labels):
        second = round(v["time"] - START)
        if (v["plugin"], v["type"]) == ("m4_rpc", "flow"):
            self.assertEqual((v["host"], v["plugin_instance"]),
                             ("testhost", "pump"))
            flow[second] = v["values"][0]
        elif (v["plugin"], v["type"]) == ("edge_impulse", "percent"):
            labels[second] = v["meta"].get("edge_impulse:label")


if __name__ == "__main__":
    unittest.main(verbosity=2)
