"""weir-doctor config: a dry run with the plugins' own tables, that touches
nothing; what it says is what collectd says."""

import os
import re
import unittest

import weir
from doctorcase import Case, doctor, steps

HEAD = """\
PluginDir "%s"
LoadPlugin match_regex
PluginDir "%s"
""" % (weir.STOCK_PLUGINDIR, weir.PLUGINDIR)

BROKEN = (  # (of which block, what is written, what is written instead)
    ("m4", 'Type "flow"', 'Type "flow"\nInterwal 5'),
    ("m4", 'Address "', 'Address "http://'),
    ("m4", "Interval 0.1", "Interval -1"),
    ("m4", '<Method "flow_rate">', "<Method>"),
    ("chain", "Interval 0.1", "Interval 0.1\nRangePolicy \"gard\""),
    ("chain", "Interval 0.1", "Interval 0.1\nDebounce 5 3"),
    ("chain", "Model", "Modell"),
    ("cloud", "URL \"http://127.0.0.1", "URL \"http://192.0.2.1"),
    ("cloud", 'Plugin "m4_rpc"', 'Plugin "m4_rpc"\nDeadBand "much"'),
)


class ConfigTest(Case):
    def write(self, text, head=HEAD):
        path = os.path.join(self.dir, "one.conf")
        with open(path, "w") as out:
            out.write(head + text)
        return path

    def config(self, name, text, head=HEAD):
        return self.expect(name, "config", self.write(text, head))

    def blocks(self, cloud="http://127.0.0.1:1", m4="127.0.0.1:1"):
        self.credentials = weir.CloudSim.credentials(
            weir.CloudSim, self.dir)
        return {"m4": weir.m4_block(m4), "chain": weir.chain_block(),
                "cloud": weir.cloud_block(cloud, self.credentials)}

    def test_accepted_and_nothing_touched(self):
        m4, cloud = self.m4sim(), self.cloudsim()
        before = sorted(os.listdir(self.dir))
        said = self.config("config-accepted", "".join(
            self.blocks(cloud.url, m4.address).values()))
        self.assertEqual(steps(said).count("is accepted"), 3)
        self.assertEqual(m4.calls(), [])
        self.assertEqual(cloud.requests(), [])
        self.assertEqual(
            set(os.listdir(self.dir)) - set(before) -
            {"one.conf", os.path.basename(self.credentials)}, set())

    def test_pipe_that_nobody_writes_into(self):
        """Else whoever opens it waits for ever."""
        path = os.path.join(self.dir, "pipe.conf")
        os.mkfifo(path)
        for config in (path, self.write('Include "%s"\n' % path)):
            status, said = doctor("-C", config)
            self.assertEqual(status, 1)
            self.assertIn("%s: it is a pipe that nobody writes into" % path,
                          said)

    def test_refused_in_the_words_of_collectd(self):
        for block, old, new in BROKEN:
            blocks = self.blocks()
            self.assertIn(old, blocks[block])
            blocks[block] = blocks[block].replace(old, new, 1)
            text = "".join(blocks.values())
            status, log = weir.check_config(self.dir, text)
            self.assertNotEqual(status, 0, (new, log))
            said = self.config("config-refused", text)
            words = [s["text"].partition("): ")[2] for s in said["steps"]
                     if not s["ok"]]
            self.assertIn(words[0], log, (new, said))

    def test_load_plugin_must_stand_above(self):
        blocks = self.blocks()
        said = self.config("plugin-not-loaded", blocks["m4"].replace(
            "LoadPlugin m4_rpc\n", "") + "LoadPlugin m4_rpc\n")
        self.assertIn('"LoadPlugin m4_rpc" must stand above', steps(said))
        said = self.config("plugin-not-loaded", blocks["chain"], head=(
            'PluginDir "%s"\n' % weir.PLUGINDIR))
        self.assertIn("LoadPlugin match_regex", steps(said))

    def test_autoload(self):
        text = self.blocks()["chain"].replace(
            "LoadPlugin target_edge_impulse\n", "")
        self.config("config-accepted", "AutoLoadPlugin true\n" + text)

    def test_plugin_missing(self):
        said = self.config("plugin-missing", self.blocks()["m4"], head=(
            'PluginDir "%s"\n' % self.dir))
        self.assertIn("PluginDir", said["remedy"])

    def test_plugin_not_loadable(self):
        with open(os.path.join(self.dir, "m4_rpc.so"), "w") as out:
            out.write("no program\n")
        self.config("plugin-not-loadable", self.blocks()["m4"], head=(
            'PluginDir "%s"\n' % self.dir))

    def test_plugin_dies(self):
        source = os.path.join(self.dir, "x.c")
        with open(source, "w") as out:
            out.write("void module_register(void) { __builtin_trap(); }\n")
        weir.subprocess.run(["gcc", "-shared", "-fPIC", "-o", os.path.join(
            self.dir, "m4_rpc.so"), source], check=True)
        self.config("plugin-dies", self.blocks()["m4"], head=(
            'PluginDir "%s"\n' % self.dir))

    def test_nothing_of_ours(self):
        self.config("config-empty", "Interval 10\n")

    def test_every_plugin_can_be_loaded(self):
        """The doctor has all of collectd that they name."""
        names = sorted(x[:-3] for x in os.listdir(weir.PLUGINDIR)
                       if x.endswith(".so") and x != "weir_http.so")
        self.assertGreaterEqual(len(names), 4)
        said = self.config("config-empty", "".join(
            "LoadPlugin %s\n" % n for n in names))
        for name in names:
            self.assertIn("%s from" % name, steps(said))

    def test_the_shipped_drop_ins(self):
        """With the single # taken away, as weir-enable does."""
        folder = os.path.join(weir.ROOT, "agent-config", "collectd.conf.d")
        text = ""
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name)) as lines:
                text += "".join(x if x.startswith("##") else x[1:]
                                for x in lines if x.startswith("#"))
        self.shipped(text)

    def test_the_configuration_for_the_board(self):
        with open(os.path.join(weir.ROOT, "agent-config",
                               "collectd.conf")) as text:
            self.shipped(text.read())

    def shipped(self, text):
        """Where the files would be once it is installed."""
        self.blocks()
        for installed, here in (
                ("/usr/lib/weir/flow.eim", weir.EIM),
                ("/etc/weir/arduino-cloud.env", self.credentials)):
            self.assertIn(installed, text)
            text = text.replace(installed, here)
        self.config("config-accepted", text)


if __name__ == "__main__":
    unittest.main()
