"""weir-enable on copies of the drop-ins, and stock collectd on the result."""

import glob
import itertools
import os
import re
import shutil
import subprocess
import unittest

import weir

PROGRAM = os.path.join(weir.ROOT, "agent-config", "weir-enable")
SOURCE = os.path.join(weir.ROOT, "agent-config", "collectd.conf.d")


class EnableTest(weir.Case):

    def setUp(self):
        super().setUp()
        self.drop_ins = os.path.join(self.dir, "collectd.conf.d")
        shutil.copytree(SOURCE, self.drop_ins)
        self.names = [re.sub(r".*/weir-[0-9]+-|\.conf$", "", path)
                      for path in sorted(glob.glob(SOURCE + "/*.conf"))]

    def enable(self, *args, status=0):
        done = subprocess.run([PROGRAM, *args], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL,
                              env={**os.environ,
                                   "WEIR_DROPINS": self.drop_ins})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def texts(self):
        return {name: self.text(name) for name in self.names}

    def path(self, name):
        return glob.glob("%s/weir-[0-9]*-%s.conf" % (self.drop_ins, name))[0]

    def text(self, name):
        with open(self.path(name)) as drop_in:
            return drop_in.read()

    def accepted(self):
        """collectd -T on all drop-ins as they are now."""
        credentials = os.path.join(self.dir, "cloud.env")
        with open(credentials, "w") as out:
            os.fchmod(out.fileno(), 0o600)
            out.write("CLIENT_ID=a\nCLIENT_SECRET=b\nTHING_ID=%s\n"
                      % weir.CloudSim.THING)
        text = "".join(self.text(name) for name in self.names)
        text = text.replace("/etc/weir/arduino-cloud.env", credentials)
        text = text.replace("/usr/lib/weir/flow.eim", weir.EIM)
        text = text.replace('CredentialsFile', 'URL "http://127.0.0.1:9"\n'
                            '    CredentialsFile')
        # Each plugin is where it was built, the stock ones where Debian has
        # them; a file of our own package would find both in one place.
        text = re.sub(r"(?m)^(LoadPlugin match_regex)$",
                      'PluginDir "%s"\n\\1\nPluginDir "%s"' % (
                          weir.STOCK_PLUGINDIR, weir.PLUGINDIR), text)
        status, log = weir.check_config(self.dir, text, stock=())
        self.assertEqual(status, 0, log)

    def test_every_choice_is_accepted_by_collectd(self):
        for count in range(1, len(self.names) + 1):
            for chosen in itertools.combinations(self.names, count):
                with self.subTest(chosen):
                    self.enable(*chosen)
                    self.accepted()
                    self.enable("--off", *chosen)

    def test_off_is_as_it_was(self):
        before = self.texts()
        self.enable(*self.names)
        for name in self.names:
            self.assertRegex(self.text(name), "(?m)^LoadPlugin ")
        self.enable("--off", *self.names)
        self.assertEqual(self.texts(), before)

    def test_twice_is_once(self):
        self.enable("m4_rpc")
        once = self.text("m4_rpc")
        self.assertIn("on already", self.enable("m4_rpc"))
        self.assertEqual(self.text("m4_rpc"), once)
        self.enable("--off", "m4_rpc")
        self.assertIn("off already", self.enable("--off", "m4_rpc"))

    def test_own_lines_and_mode_are_kept(self):
        self.enable("m4_rpc")
        with open(self.path("m4_rpc")) as drop_in:
            own = drop_in.read().replace("Interval 1", "Interval 5")
        with open(self.path("m4_rpc"), "w") as out:
            out.write(own)
        os.chmod(self.path("m4_rpc"), 0o640)
        self.enable("--off", "m4_rpc")
        self.enable("m4_rpc")
        self.assertEqual(self.text("m4_rpc"), own)
        self.assertEqual(os.stat(self.path("m4_rpc")).st_mode & 0o777, 0o640)

    def test_list(self):
        self.enable("edge_impulse")
        states = dict(reversed(line.split()[:2])
                      for line in self.enable().splitlines())
        self.assertEqual(states, {name: "on" if name == "edge_impulse"
                                  else "off" for name in self.names})

    def test_one_sentence_for_each_fault(self):
        before = self.texts()
        said = self.enable("m4", status=1)
        self.assertIn('no drop-in "m4"', said)
        self.assertIn("m4_rpc", said)
        self.enable("--of", "m4_rpc", status=2)
        self.enable("--off", status=2)
        self.assertEqual(self.texts(), before)

    def test_missing_credentials_are_named(self):
        self.assertRegex(self.enable("write_arduino_cloud"),
                         r"write /etc/weir/arduino-cloud\.env first")


if __name__ == "__main__":
    unittest.main()
