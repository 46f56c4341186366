"""`make demo`, as it runs in CI and on a terminal."""

import glob
import os
import pty
import re
import signal
import struct
import subprocess
import threading
import unittest
import zlib

import weir

DEMO = os.path.join(weir.ROOT, "tests", "demo", "demo.py")


def started_in(directory):
    """Processes whose command line names this directory."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as text:
                if directory.encode() in text.read():
                    found.append(path)
        except OSError:
            pass
    return found


class DemoTest(weir.Case):
    def setUp(self):
        super().setUp()
        self.demo_dir = os.path.join(self.dir, "demo")
        self.env = dict(os.environ, WEIR_BUILD=weir.BUILD, TERM="xterm",
                        DEMO_DIR=self.demo_dir)
        self.env.pop("NO_COLOR", None)

    def run_demo(self, **env):
        return subprocess.run([weir.PYTHON, DEMO], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL,
                              env=dict(self.env, **env))

    def test_ends_by_itself_with_a_summary(self):
        done = self.run_demo(DEMO_SECONDS="40")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("\033", done.stdout)
        found = re.search(r"samples: (\d+), windows: (\d+), state changes: "
                          r"(\d+), values published: (\d+), lost: none",
                          done.stdout)
        self.assertTrue(found, done.stdout)
        samples, windows, changes, published = map(int, found.groups())
        self.assertEqual(windows, samples - 9)
        self.assertEqual(published, samples + changes)
        self.assertEqual(len(re.findall(r" \*\* ", done.stdout)), changes)
        alarms = re.findall(r"\*\* \w+ -> Anomalous", done.stdout)
        self.assertGreaterEqual(len(alarms), 1, done.stdout)
        self.assertGreaterEqual(changes, 3, done.stdout)
        self.assertLessEqual(
            {"steady", "blockage", "clogging", "burst"},
            {r.get("truth") for r in weir.read_jsonl(
                os.path.join(self.demo_dir, "m4sim-calls.jsonl"))})
        told = re.findall(r"day (\d\.\d)  \+\+ (.*)", done.stdout)
        self.assertRegex(told[0][1], "its normal is 10,")
        self.assertRegex(told[1][1], r"below its normal .* %.* a day: at the "
                         "low limit in ")
        self.assertRegex(told[2][1], "normal again")
        self.assertEqual(len(told), 3, told)
        self.check_picture()
        self.assertEqual(started_in(self.demo_dir), [])

    def check_picture(self):
        """Both panels, whole: every row is there and has a filter."""
        with open(os.path.join(self.demo_dir, "flow.png"), "rb") as png:
            data = png.read()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", data[16:24])
        self.assertGreater(width, 600)
        self.assertGreater(height, 600)
        size, kind = struct.unpack(">I4s", data[33:41])
        self.assertEqual(kind, b"IDAT")
        rows = zlib.decompress(data[41:41 + size])
        row = len(rows) // height
        self.assertEqual(row * height, len(rows))
        self.assertLessEqual(set(rows[::row]), {0, 1, 2, 3, 4})
        self.assertEqual(data[-8:-4], b"IEND")

    def test_ctrl_c_stops_everything(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(weir.PYTHON, [weir.PYTHON, DEMO],
                      dict(self.env, DEMO_SECONDS="0"))
        self.addCleanup(os.close, terminal)
        ceiling = threading.Timer(2 * weir.CEILING, os.kill,
                                  (pid, signal.SIGKILL))
        ceiling.start()  # reads of the terminal have none
        self.addCleanup(ceiling.cancel)
        seen = b""
        while not re.search(rb"\d\.\d\d L/min", seen):  # weir-doctor watch
            seen += os.read(terminal, 4096)
        self.assertIn(b"\033[", seen)
        self.assertEqual(len(started_in(self.demo_dir)), 4)
        os.write(terminal, b"\x03")
        try:
            while os.read(terminal, 4096):
                pass
        except OSError:
            pass  # the other side is closed
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]),
                         130)
        weir.wait_until(lambda: not started_in(self.demo_dir),
                        "everything it started is gone")

    def test_wrong_length_is_one_sentence(self):
        for text in ("5", "ten"):
            done = self.run_demo(DEMO_SECONDS=text)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, r"^demo: DEMO_SECONDS is '%s'; "
                             r"allowed: .*\n$" % text)

    def test_missing_program_is_one_sentence(self):
        os.mkdir(os.path.join(self.dir, "bin"))
        done = self.run_demo(PATH=os.path.join(self.dir, "bin"))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^demo: [^\n]*rrdtool[^\n]*\n$")


if __name__ == "__main__":
    unittest.main()
