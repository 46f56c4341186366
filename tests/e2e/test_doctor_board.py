"""weir-doctor board: proxy, kernel, M7, M4 and sketch told apart, from what Linux
on a Portenta X8 knows; here a made-up tree."""

import os
import unittest

from doctorcase import Case, closed_port, steps

IMAGE = "usr/arduino/extra/STM32H747AII6_CM7.bin"
VERSION = "sys/kernel/x8h7_firmware/version"
UNIT = "usr/lib/systemd/system/m4-proxy.service"
GROUP = "sys/fs/cgroup/system.slice/m4-proxy.service/cgroup.procs"
LOG = "dev/kmsg"


class BoardTest(Case):
    def setUp(self):
        super().setUp()
        self.root = os.path.join(self.dir, "root")
        self.write("dev/x8h7_ui", "")
        self.write(UNIT, "[Service]\n")
        self.write(GROUP, "812\n")
        self.write(VERSION, "0.0.8-heads-main-0-g1a2b\n")
        self.write(IMAGE, b"\0" * 0x40000 + b"\0\0" +
                   b"0.0.8-heads-main-0-g1a2b\0" + b"\xff" * 40)
        self.write(LOG, "6,1,0,-;x8h7 spi0.0: probe done\n")

    def write(self, path, content):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes)
                      else content.encode())

    def remove(self, *paths):
        for path in paths:
            os.unlink(os.path.join(self.root, path))

    def board(self, name):
        return self.expect(name, "board", "--root", self.root)

    def m4(self, name, address):
        return self.expect(name, "m4", address, "--root", self.root)

    def test_well(self):
        said = self.board("board-well")
        self.assertIn("weir-doctor m4", said["remedy"])

    def test_no_board(self):
        self.expect("board-absent", "board", "--root", self.dir)

    def test_driver_missing(self):
        self.remove("dev/x8h7_ui")
        self.board("driver-missing")

    def test_m7_silent(self):
        self.remove(VERSION)
        os.makedirs(os.path.join(self.root, VERSION))  # cannot be read
        said = self.board("m7-silent")
        self.assertIn("off and on", said["remedy"])

    def test_m7_mismatch(self):
        self.write(VERSION, "0.0.5-heads-old\n")
        said = self.board("m7-mismatch")
        self.assertIn("it runs 0.0.5-heads-old; the image has 0.0.8-heads",
                      steps(said))
        self.assertIn("program.sh", said["remedy"])

    def test_image_without_a_version_is_no_mismatch(self):
        self.write(IMAGE, b"\0" * 100)
        self.board("board-well")

    def test_proxy_not_installed(self):
        self.remove(UNIT)
        self.board("proxy-not-installed")

    def test_proxy_down(self):
        self.write(GROUP, "")
        said = self.board("proxy-down")
        self.assertIn("reset-failed", said["remedy"])

    def test_proxy_found_by_its_name(self):
        self.remove(GROUP)
        self.write("proc/77/comm", "m4_proxy\n")
        self.board("board-well")

    def test_m4_crashed(self):
        self.write("sys/class/remoteproc/remoteproc0/state", "crashed\n")
        self.board("m4-crashed")

    def test_m4_takes_nothing(self):
        self.write(LOG, "".join("3,%d,0,-;x8h7_ui: x8h7_pkt_enq failed \x1b[2J"
                                "(-12)\n" % i for i in range(3000)))
        said = self.board("m4-takes-nothing")
        self.assertIn("3000 messages refused", steps(said))

    def test_log_that_cannot_be_read_decides_nothing(self):
        self.remove(LOG)
        said = self.board("board-well")
        self.assertIn("cannot be read", steps(said))

    # -- the same from the call: proxy, M7, M4 and sketch are four verdicts

    def test_nobody_listens_because_the_proxy_is_down(self):
        self.write(GROUP, "")
        self.m4("proxy-down", "127.0.0.1:%d" % closed_port())

    def test_nobody_listens_at_this_port(self):
        self.m4("proxy-refused", "127.0.0.1:%d" % closed_port())

    def test_silence_because_of_the_m7(self):
        self.write(VERSION, "0.0.5-heads-old\n")
        self.m4("m7-mismatch", self.m4sim("--do", "mute on").address)

    def test_silence_because_of_the_m4(self):
        said = self.m4("m4-silent", self.m4sim("--do", "mute on").address)
        self.assertIn("none was uploaded since", steps(said))

    def test_a_fault_of_the_sketch(self):
        self.m4("flow-sensor-library", self.m4sim(
            "--firmware", "note", "--flow", "10").address)

    def test_a_board_that_answers_needs_no_look(self):
        self.remove(VERSION)
        self.m4("m4-plausible", self.m4sim().address)


if __name__ == "__main__":
    unittest.main()
