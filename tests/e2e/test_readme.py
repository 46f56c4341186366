"""Every command and configuration that the README and CONTRIBUTING show works.

A command in a fenced block is either run here, or it is a target of which
TESTED_BY says where it runs; a command that is in neither list fails."""

import os
import re
import subprocess
import unittest

import weir

TESTED_BY = {
    "make check": "tests/run-checks",        # this test runs in it
    "make demo": "tests/e2e/test_demo.py",
    "make unit": "tests/run-checks",
    "weir-doctor": "tests/e2e/test_doctor_agent.py",
}


def read(name):
    with open(os.path.join(weir.ROOT, name)) as text:
        return text.read()


def fenced(text, language):
    return re.findall(r"(?ms)^```%s\n(.*?)^```$" % language, text)


class ReadmeTest(weir.Case):
    def commands(self):
        found = []
        for name in ("README.md", "CONTRIBUTING.md"):
            for block in fenced(read(name), "sh"):
                found += [x for x in block.splitlines()
                          if x and not x.startswith("#")]
        return found

    def make(self, *args):
        done = subprocess.run(
            ["make", "--no-print-directory", "B=" + weir.BUILD] + list(args),
            cwd=weir.ROOT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_every_command_is_tested(self):
        run_here = {"make": self.run_make, "sudo make install":
                    self.run_install, "make format": self.run_format,
                    "make check-config CONF=agent.conf":
                    self.run_check_config}
        commands = self.commands()
        self.assertGreater(len(commands), 5)
        for command in commands:
            if command in TESTED_BY:
                where = TESTED_BY[command]
                self.assertIn(command.split()[-1], read(where), where)
                continue
            self.assertIn(command, run_here)
            with self.subTest(command):
                run_here[command]()

    def run_make(self):
        self.make()

    def run_install(self):
        root = os.path.join(self.dir, "root")
        self.make("install", "DESTDIR=" + root)
        for path in ("usr/lib/collectd/m4_rpc.so",
                     "usr/lib/collectd/target_edge_impulse.so",
                     "usr/lib/collectd/write_arduino_cloud.so",
                     "usr/lib/weir/flow.eim"):
            self.assertTrue(os.path.isfile(os.path.join(root, path)), path)

    def run_format(self):
        self.make("format-check")

    def run_check_config(self):
        """The example itself, with the files it names."""
        text, = fenced(read("README.md"), "apache")
        text = text.replace("/usr/lib/weir/flow.eim", weir.EIM)
        text = text.replace("/etc/weir/arduino-cloud.env", weir.CloudSim(
            self.dir).credentials(self.dir))
        text = text.replace("127.0.0.1:5001", "127.0.0.1:1")
        text = text.replace("    CredentialsFile",
                            '    URL "https://127.0.0.1:1"\n    CredentialsFile')
        path = os.path.join(self.dir, "agent.conf")
        with open(path, "w") as out:
            out.write(text)
        self.assertIn(path + ": accepted", self.make("check-config",
                                                     "CONF=" + path))

    def test_one_address_of_the_m4(self):
        """What the README configures, what the drop-in has, and where
        `weir-doctor m4` looks (test_doctor_m4) are one."""
        found = {}
        for name in ("README.md", "agent-config/collectd.conf",
                     "agent-config/collectd.conf.d/weir-10-m4_rpc.conf"):
            found[name] = re.findall(r'(?m)^#? *Address "(.*)"', read(name))
        self.assertEqual(set(map(tuple, found.values())),
                         {("127.0.0.1:5001",)}, found)

    def test_one_version(self):
        """It stands in debian/changelog; the copies that Arduino and readers
        need are the same."""
        version = re.match(r"weir \(([\d.]+)\)", read("debian/changelog"))[1]
        for name, pattern in (
                ("firmware/libraries/WeirFlow/library.properties",
                 r"(?m)^version=(.*)$"),
                ("firmware/weir-flow/weir-flow.ino",
                 r'VERSION\[\] = "weir-flow (.*)"'),
                ("CHANGELOG.md", r"(?m)^## ([\d.]+)"),
                ("BOARD.md", r"`weir-([\d.]+)`")):
            with self.subTest(name):
                self.assertEqual(re.search(pattern, read(name))[1], version)

    def test_files_it_names_exist(self):
        for name in ("README.md", "CONTRIBUTING.md", "BOARD.md"):
            text = re.sub(r"(?ms)^```.*?^```$", "", read(name))
            paths = re.findall(r"`((?:plugins|tests|model|firmware|docker)/"
                               r"[\w./-]*)`|\]\(([\w./-]+)\)", text)
            self.assertTrue(paths, name)
            for path in (a or b for a, b in paths):
                self.assertTrue(os.path.exists(os.path.join(weir.ROOT, path)),
                                path)


if __name__ == "__main__":
    unittest.main()
