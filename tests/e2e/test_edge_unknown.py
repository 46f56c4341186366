"""Fail safe: no fault leaves a wrong state standing. Every way in which a
state cannot be known ends in `unknown`, or in an alarm by range, and is said."""

import os
import re
import signal
import socket
import unittest

import edgecase
import test_edge_http
import weir

EIM = 'Model "%s"\nStaleAfter 1\n' % weir.EIM
# A file of a window is not opened while $HANG exists.
HANG = r"""
#define _GNU_SOURCE
#include <string.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int openat64(int dir, const char *path, int flags, int mode) {
  const char *hang = getenv("HANG");
  while (strstr(path, ".weir-new") != NULL && access(hang, F_OK) == 0)
    usleep(10000);
  return (int)syscall(SYS_openat, dir, path, flags, mode);
}
"""
GONE = 'URL "http://127.0.0.1:9"\nStaleAfter 1\n'  # nobody listens there


class UnknownCase(edgecase.Case):
    def latest(self, agent, name, type="bool", **want):
        found = agent.values(plugin="edge_impulse", type=type,
                             type_instance=name, **want)
        return found[-1] if found else None

    def wait_state(self, agent, name, feed=None, **want):
        """Until the newest state is `name`; its value."""
        def there():
            if feed:
                self.put(feed)
            value = self.latest(agent, name, **want)
            return value if value and value["value"] == 1 else None
        return weir.wait_until(there, "the state is %s" % name, alive=agent)

    def told(self, agent, words, count=1):
        """The notification with these words, sent exactly `count` times."""
        agent.wait_log("message = .*" + words)
        lines = [n for n in agent.notifications() if re.search(words, n)]
        self.assertEqual(len(lines), count, "\n".join(agent.notifications()))
        return lines[-1]


class SilenceTest(UnknownCase):
    def test_no_sample(self):
        agent = self.agent([EIM])
        self.put([10, 10.13, 9.87] * 6)
        self.wait_window(agent, 17)
        value = self.wait_state(agent, "unknown")
        self.assertEqual(value["meta"]["edge_impulse:label"], "unknown")
        self.assertEqual(value["meta"]["edge_impulse:source"], "none")
        self.assertEqual(value["meta"]["edge_impulse:score"], 0)
        self.assertIn("no sample for", value["meta"]["edge_impulse:reason"])
        self.assertLess(value["time"] - edgecase.START, 30)  # its own clock
        for label in ("Anomalous", "High", "Low", "Normal", "uncertain"):
            self.assertEqual(self.latest(agent, label)["value"], 0)
        self.assertIn("FAILURE", self.told(
            agent, "pump is unknown, was Normal: no sample for \\d+ s"))
        weir.wait_until(lambda: self.latest(agent, "up")["value"] == 0,
                        "bool-up is 0", alive=agent)
        # its end: one notification, not by way of uncertain
        self.wait_state(agent, "Normal", [10, 10.13, 9.87])
        self.assertIn("OKAY", self.told(agent, "pump is Normal, was unknown"))
        agent.wait_log("the state of testhost/feed-pump/flow-flow_rate is "
                       "known again, after")
        agent.stop()
        self.assertEqual(len(agent.notifications()), 3)

    def test_a_series_that_never_comes(self):
        agent = self.agent([EIM + 'Expect "feed-pump/flow-flow_rate"'])
        self.assertIn("FAILURE", self.told(
            agent, "pump is unknown, was uncertain: no sample for \\d+ s"))
        self.wait_state(agent, "unknown")
        self.wait_state(agent, "Normal", [10, 10.13, 9.87])
        self.told(agent, "pump is Normal, was unknown")
        agent.stop()
        status, log = weir.check_config(self.dir, edgecase.chain(
            [EIM + 'Expect "pump"']))
        self.assertEqual(status, 1)
        self.assertIn('Expect "pump" is not allowed: plugin-instance/', log)

    def test_the_severity_of_unknown_is_ones_own(self):
        agent = self.agent([EIM + '<Label "unknown">\nSeverity "warning"\n'
                            '</Label>'])
        self.put([10] * 12)
        self.assertIn("WARNING", self.told(agent, "is unknown, was"))
        agent.stop()

    def test_a_series_that_never_fills_a_window(self):
        """Five good samples, two missing, for ever."""
        name = "testhost/feed-pump/flow-flow_rate"
        agent = self.agent([EIM])

        def unknown():
            self.put([10] * 5)
            self.second[name] += 2
            return self.latest(agent, "unknown")
        reason = weir.wait_until(unknown, "the state is unknown", alive=agent)
        self.assertRegex(reason["meta"]["edge_impulse:reason"],
                         r"no full window for \d+ s: \d+ samples, 0 invalid, "
                         r"\d+ late, \d+ gaps over MaxGap")
        agent.wait_log(r"\[warning\] target_edge_impulse plugin: the state of "
                       r"testhost/feed-pump/flow-flow_rate is unknown: no full")
        weir.wait_until(lambda: self.latest(agent, "up"), "there is bool-up",
                        alive=agent)
        self.assertEqual(self.latest(agent, "up")["value"], 0)
        self.assertGreater(self.errors(agent, "restart"), 0)
        agent.stop()

    def test_values_that_are_no_numbers(self):
        agent = self.agent([EIM])

        def unknown():
            self.put(["U"])
            return self.latest(agent, "unknown")
        reason = weir.wait_until(unknown, "the state is unknown", alive=agent)
        self.assertRegex(reason["meta"]["edge_impulse:reason"],
                         r"[1-9]\d* invalid")
        agent.stop()


class ModelTest(UnknownCase):
    def check_away(self, agent):
        """Ranges judge without the model: 0 is an alarm, 10 is not known."""
        self.wait_state(agent, "Anomalous", [0])
        value = self.latest(agent, "Anomalous")
        self.assertEqual(value["meta"]["edge_impulse:source"], "range")
        self.assertEqual(value["meta"]["edge_impulse:score"], 1)
        self.assertIn("score 1.00 by range", self.told(agent, "is Anomalous"))
        value = self.wait_state(agent, "unknown", [10])
        self.assertIn("the model does not answer",
                      value["meta"]["edge_impulse:reason"])
        self.assertIn("FAILURE", self.told(agent, "is unknown, was Anomalous"))

    def test_never_reached(self):
        agent = self.agent([GONE])
        self.check_away(agent)
        agent.stop()

    def test_reached_at_last(self):
        """An alarm by range is told once, whoever confirms it later."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        agent = self.agent(['URL "http://127.0.0.1:%d"\nStaleAfter 5' % port])
        self.wait_state(agent, "Anomalous", [0])
        server = test_edge_http.StandIn(port)
        self.addCleanup(server.stop)

        def up():
            self.put([0])
            return self.latest(agent, "up")["value"] == 1
        weir.wait_until(up, "the model answers", alive=agent)
        self.put([0] * 10)
        self.wait_state(agent, "Normal", [10])
        self.told(agent, "is Normal, was Anomalous")
        agent.stop()
        self.assertEqual(len(agent.notifications()), 2,
                         agent.notifications())

    def test_died(self):
        model = edgecase.Model(self.dir)
        agent = self.agent(['Model "%s"\nStaleAfter 1' % model.path])
        self.put([10] * 15)
        self.wait_window(agent, 14)
        model.order(start="exit")
        os.kill(model.starts()[-1], signal.SIGKILL)
        self.check_away(agent)
        model.order(start="ok")
        self.wait_state(agent, "Normal", [10])
        self.told(agent, "is Normal, was unknown")
        agent.stop()

    def test_hangs_at_its_start(self):
        """Ten seconds of patience with a start hold up no alarm."""
        model = edgecase.Model(self.dir)
        agent = self.agent(['Model "%s"\nStaleAfter 1' % model.path])
        self.put([10] * 15)
        self.wait_window(agent, 14)
        count = len(model.starts())
        model.order(start="deaf")
        os.kill(model.starts()[-1], signal.SIGKILL)
        self.put([10])
        weir.wait_until(lambda: len(model.starts()) > count,
                        "the model is started anew", alive=agent)
        self.check_away(agent)
        self.assertEqual(len(model.starts()), count + 1)  # it still hangs
        agent.stop()

    def test_the_disk_hangs(self):
        """A window is to be kept, and the disk does not answer."""
        model = edgecase.Model(self.dir)
        folder = os.path.join(self.dir, "capture")
        hang = os.path.join(self.dir, "hang")
        agent = self.agent(['Model "%s"\nStaleAfter 1\nThreshold 1\n'
                            'CaptureDir "%s"' % (model.path, folder)],
                           env=weir.preload(self.dir, HANG, HANG=hang))
        self.put([10] * 12)
        weir.wait_until(lambda: os.path.isdir(folder) and os.listdir(folder),
                        "a window is kept", alive=agent)
        with open(hang, "w"):
            pass
        self.wait_state(agent, "Anomalous", [0])
        self.wait_state(agent, "unknown", [10])
        os.remove(hang)
        self.wait_state(agent, "Normal", [10])
        agent.stop()

    def test_without_ranges_all_is_unknown(self):
        agent = self.agent([GONE + "RangePolicy off"])
        self.wait_state(agent, "unknown", [0])
        self.assertIsNone(self.latest(agent, "Anomalous", value=1))
        agent.stop()

    def test_model_that_does_not_fit(self):
        """256 labels leave no room for one more: said, not a crash."""
        server = test_edge_http.StandIn()
        self.addCleanup(server.stop)
        server.labels = ["l%03d" % i for i in range(256)]
        agent = self.agent(['URL "%s"\nStaleAfter 1\n<Range "Dry">\nMax 1\n'
                            '</Range>\n<Label "Dry">\nSeverity "failure"\n'
                            '</Label>' % server.url])
        value = self.wait_state(agent, "unknown", [10])
        self.assertIn("does not fit", value["meta"]["edge_impulse:reason"])
        agent.wait_log("the labels of the model and of Range are more than "
                       "256 together")
        self.wait_state(agent, "Dry", [0])  # ranges judge alone
        agent.stop()


BLOCKER = """\
import collectd, os, time
def tell(notification):
    while not os.path.exists("{dir}/go"):
        time.sleep(0.01)
collectd.register_notification(tell)
"""


class NotifierTest(UnknownCase):
    def test_a_notifier_that_does_not_come_back(self):
        """It holds up no state, only the notifications behind it."""
        if not os.path.exists(weir.STOCK_PLUGINDIR + "/python.so"):
            self.skipTest("collectd's plugin python is not installed")
        with open(os.path.join(self.dir, "blocker.py"), "w") as out:
            out.write(BLOCKER.format(dir=self.dir))
        agent = self.agent([EIM], extra="""\
LoadPlugin python
<Plugin python>
  ModulePath "%s"
  Import "blocker"
</Plugin>
""" % self.dir)
        self.wait_state(agent, "Normal", [10])
        self.wait_state(agent, "Anomalous", [0])
        self.wait_state(agent, "unknown")
        open(os.path.join(self.dir, "go"), "w").close()
        self.told(agent, "is Normal, was uncertain")
        self.told(agent, "is Anomalous, was Normal")
        self.told(agent, "is unknown, was Anomalous")
        agent.stop()


class LabelsTest(UnknownCase):
    def refused(self, text, sentence):
        status, log = weir.check_config(self.dir, edgecase.chain([text]))
        self.assertEqual(status, 1, log)
        self.assertRegex(log, r"\[error\] target_edge_impulse plugin: .*" +
                         sentence)

    def test_labels_that_nobody_explained(self):
        model = edgecase.Model(self.dir)
        model.order(labels=["no-flow", "Low", "leak", "Normal"])
        agent = self.agent(['Model "%s"\n<Label "leak">\nSeverity "failure"\n'
                            '</Label>' % model.path])
        self.put([10] * 15)
        self.wait_window(agent, 14)
        agent.stop()
        said = [x for x in agent.log().splitlines() if "[warning] target_e"
                in x]
        self.assertEqual(len(said), 2, said)
        self.assertIn('no Severity is given for "no-flow"; it is taken as '
                      '"warning"', said[0])
        self.assertIn("no range watches the level", said[1])

    def test_own_label_is_a_warning(self):
        model = edgecase.Model(self.dir)
        model.order(labels=["leak"])
        agent = self.agent(['Model "%s"\nThreshold 0' % model.path])
        self.put([10] * 15)
        self.assertIn("WARNING", self.told(agent, "pump is leak"))
        agent.stop()

    def test_blocks_that_name_nothing(self):
        self.refused(EIM + '<Label "Anomolous">\nSeverity "failure"\n</Label>',
                     '<Label> names "Anomolous", which is no label of the '
                     'model')
        status, log = weir.check_config(self.dir, edgecase.chain(
            [EIM + '<Range "Dry">\nMax 1\n</Range>']))
        self.assertEqual(status, 0, log)
        self.assertIn('<Range> names "Dry", which is no label of the model',
                      log)

    def test_rules_that_cannot_be(self):
        model = edgecase.Model(self.dir)
        model.order(labels=["l%03d" % i for i in range(256)])
        self.refused('Model "%s"\n<Range "Dry">\nMax 1\n</Range>' % model.path,
                     "more than 256 together")
        self.refused(EIM + '<Label "unknown">\nThreshold 0.5\n</Label>',
                     "Threshold is not allowed")
        for block in ("Range", "Label"):
            self.refused(EIM + '<%s "%s">\nMax 1\n</%s>' % (
                block, "x" * 256, block), "a label of up to 255 bytes")
        many = "".join('<Range "r%d">\nMin %d\nMax %d\n</Range>\n' % (i, i, i + 1)
                       for i in range(257))
        self.refused(GONE + many, "more than 256 together")

    def test_off_without_quotes(self):
        for word in ("off", "no", "false", '"off"'):
            with self.subTest(word):
                status, log = weir.check_config(
                    self.dir, edgecase.chain([EIM + "RangePolicy " + word]))
                self.assertEqual(status, 0, log)
        for word in ("on", "true", "1"):
            with self.subTest(word):
                self.refused(EIM + "RangePolicy " + word, "RangePolicy")


class NamesTest(UnknownCase):
    def test_two_inputs_under_one_name(self):
        """Two methods of one M4 would take turns; the second is left out."""
        agent = self.agent(['Model "%s"' % weir.EIM], interval=1)
        for _ in range(20):
            self.put([10])
            self.put([0], type="flow-other")
        self.wait_window(agent, 19)
        agent.wait_value(plugin="edge_impulse", type="errors",
                         plugin_instance="", type_instance="series", value=20)
        agent.stop()
        self.assertEqual(set(self.states(agent).values()) - {"uncertain"},
                         {"Normal"})
        said = [x for x in agent.log().splitlines() if "[error]" in x]
        self.assertEqual(len(said), 1, said)
        self.assertIn("feed-pump/flow-flow_rate and feed-pump/flow-other of "
                      "testhost would both have results named "
                      "edge_impulse-pump", said[0])

    def test_instance_names_them(self):
        agent = self.agent(['Model "%s"\nInstance '
                            '"%%{plugin_instance}-%%{type_instance}"'
                            % weir.EIM])
        for _ in range(20):
            self.put([10])
            self.put([0], type="flow-other")
        self.wait_window(agent, 19, plugin_instance="pump-flow_rate")
        self.wait_window(agent, 19, plugin_instance="pump-other")
        agent.stop()
        self.assertNotIn("[error]", agent.log())
        self.assertEqual(
            self.states(agent, plugin_instance="pump-other")[19], "Anomalous")
        self.assertEqual(
            self.states(agent, plugin_instance="pump-flow_rate")[19], "Normal")

    def test_placeholders(self):
        for text, sentence in (
                ('Instance "%{meta:x}"', "%{plugin_instance}"),
                ('Axis "a/b"\nAxis "c/d"\nInstance "%{type}"', "%{host}")):
            status, log = weir.check_config(self.dir,
                                            edgecase.chain([EIM + text]))
            self.assertEqual(status, 1, log)
            self.assertRegex(log, r'Instance ".*" is not allowed: .*' + sentence)


class MessageTest(UnknownCase):
    def test_text_is_whole(self):
        """Long names are cut between characters, and the line stays one."""
        model = edgecase.Model(self.dir)
        model.order(labels=["Größenwahn—" * 15])
        agent = self.agent(['Model "%s"\nThreshold 0' % model.path])
        self.put([10] * 15, plugin="feed-" + "pümpe" * 15)
        agent.wait_log("message = .*was uncertain")
        agent.stop()
        with open(agent.log_path, "rb") as log:
            line = [x for x in log.read().splitlines()
                    if b"message = " in x][-1]
        text = line.split(b"message = ", 1)[1].decode()  # it is UTF-8
        self.assertRegex(text, "pü.*… is Gr.*…, was uncertain "
                         r"\(score 0.01 by model, flow 10.00\)\.")
        self.assertLess(len(text.encode()), 256)


if __name__ == "__main__":
    unittest.main()
