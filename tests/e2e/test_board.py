"""BOARD.md, read by a newcomer who does what it says and nothing else: every
command of it, in its order, up to the label.

One machine plays PC and board, in namespaces of its own: another /etc, /home,
/run, /tmp and network, and in /usr what the image has. boardplay.py plays
the programs that cannot be here. Needs root and overlayfs; skips without."""

import os
import re
import shutil
import subprocess
import unittest

import weir

PLAYED = ("sudo", "apt-get", "arduino-cli", "adb", "systemctl", "docker")

# The root in which all of it happens: the machine's own, with other folders
# laid over it, so that nothing of it is changed.
SETUP = r"""
set -eu
mount -t tmpfs board "$DIR/board"
cd "$DIR/board"
mkdir root image etc etc.work home tmp
mount --rbind / root
mount -t overlay overlay -o lowerdir="$DIR/image:/usr" root/usr
mount -t overlay overlay -o lowerdir=/etc,upperdir=etc,workdir=etc.work root/etc
mount -t tmpfs tmpfs root/run
mount -t tmpfs tmpfs root/home
mount -t tmpfs tmpfs root/tmp
mount -t tmpfs tmpfs root/var/lib
install -d -o 8250 -g 8250 root/var/lib/weir
for folder in "$BOARD_SOURCE" "$DIR"; do
  mkdir -p "root$folder"
  mount --bind "$folder" "root$folder"
done
mount -t proc proc root/proc
ip link set lo up
# write_prometheus wants an address that is not the loopback's.
ip link add name eth0 type veth peer name cable
ip address add 192.168.7.1/24 dev eth0
ip link set eth0 up
"""


def page():
    """[(language, commands)] of BOARD.md, in order."""
    with open(os.path.join(weir.ROOT, "BOARD.md")) as text:
        return re.findall(r"(?ms)^```(\w+)\n(.*?)^```$", text.read())


def version():
    return subprocess.check_output(["make", "-s", "version"], text=True,
                                   cwd=weir.ROOT).strip()


class BoardTest(weir.Case):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("laying out a board's root needs to be root")
        os.mkdir(os.path.join(self.dir, "board"))
        os.mkdir(os.path.join(self.dir, "state"))
        self.own = ["unshare", "--net", "--pid", "--mount", "--fork",
                    "--kill-child", "--propagation", "private"]
        self.env = dict(
            os.environ, DIR=self.dir, BOARD_SOURCE=weir.ROOT,
            BOARD_PARTS=weir.PARTS, BOARD_VERSION=version(),
            BOARD_STATE=os.path.join(self.dir, "state"),
            PATH=":".join([self.played(), self.image(),
                           "/usr/sbin:/usr/bin:/sbin:/bin"]))

    def played(self):
        folder = os.path.join(self.dir, "played")
        os.mkdir(folder)
        for name in PLAYED:
            os.symlink(os.path.join(weir.ROOT, "tests", "e2e",
                                    "boardplay.py"),
                       os.path.join(folder, name))
        return folder

    def image(self):
        """What docker/Dockerfile puts into /usr, from this build."""
        image = os.path.join(self.dir, "image")
        with open(os.path.join(weir.ROOT, "docker", "Dockerfile")) as text:
            copied = re.search(r"(?m)^COPY (.*) \\\n +"
                               r"/usr/lib/weir/container/$",
                               text.read()).group(1).split()
        plugins = os.path.join(image, "lib", "collectd")
        shutil.copytree(weir.PLUGINDIR, plugins)
        container = os.path.join(image, "lib", "weir", "container")
        os.makedirs(container)
        for path in copied:
            shutil.copy(os.path.join(weir.ROOT, path), container)
        shutil.copy(weir.EIM, os.path.join(image, "lib", "weir"))
        os.mkdir(os.path.join(image, "bin"))
        return shutil.copy(os.path.join(weir.BUILD, "bin", "weir-doctor"),
                           os.path.join(image, "bin")) and os.path.join(
                               image, "bin")

    def release(self):
        """The folder of a release, as far as the page opens it."""
        folder = os.path.join(self.dir, "weir-" + version())
        os.mkdir(folder)
        for name, *paths in (("compose", "docker", "dashboards", "LICENSE"),
                             ("firmware", "firmware", "LICENSE")):
            subprocess.run([os.path.join(weir.ROOT, "tests", "packaging",
                                         "bundle"), name, folder] + paths,
                           check=True, env=self.env)
        with open(os.path.join(folder, "weir-agent-%s-arm64.tar.gz"
                               % version()), "w") as image:
            image.write("played")
        with open(os.path.join(folder, "SHA256SUMS"), "w") as sums:
            subprocess.run("sha256sum -- *.tar.gz", shell=True, check=True,
                           cwd=folder, stdout=sums)
        return folder

    def script(self):
        """All of the page as one program; `sh` in the release's folder."""
        lines = ["set -eE", "trap 'echo \"failed: $BASH_COMMAND\"' ERR",
                 "cd /"]
        for language, commands in page():
            self.assertIn(language, ("sh", "bash"))
            for command in commands.splitlines():
                lines.append("echo %s" % self.quoted("$ " + command))
                lines.append("(cd %s; %s)" % (self.folder, command)
                             if language == "sh" else command)
        return "\n".join(lines) + "\n"

    @staticmethod
    def quoted(text):
        return "'%s'" % text.replace("'", "'\\''")

    def within(self, script):
        return subprocess.run(
            self.own + ["sh", "-c", SETUP + script], cwd="/", env=self.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)

    def test_every_command_in_order_up_to_the_label(self):
        self.folder = self.release()
        probe = self.within("chroot root true")
        if probe.returncode != 0:
            self.skipTest("no root of a board can be laid out here: " +
                          probe.stdout.strip()[-200:])
        path = os.path.join(self.dir, "page.sh")
        with open(path, "w") as out:
            out.write(self.script() + "iptables -S\n")
        done = self.within('exec chroot root bash "%s"' % path)
        self.log = done.stdout
        log = os.path.join(self.dir, "page.log")
        with open(log, "w") as out:
            out.write(self.log)
        if done.returncode != 0:
            for name in sorted(os.listdir(self.env["BOARD_STATE"])):
                with open(os.path.join(self.env["BOARD_STATE"], name)) as f:
                    self.log += "\n--- %s\n%s" % (name, f.read()[-3000:])
        self.assertEqual(done.returncode, 0, self.log)
        self.check_what_was_said()

    def said(self, command):
        """What this command of the page printed (its first place)."""
        part = self.log.split("$ " + command + "\n")[1]
        return part.split("\n$ ")[0]

    def check_what_was_said(self):
        self.assertRegex(self.said("adb devices"), r"(?m)\tdevice$")
        self.assertIn("plausible", self.said("weir-doctor m4 127.0.0.1:5001"))
        asked = bytes.fromhex(self.said(
            r"ask '\x94\x00\x01\xabflow_pulses\x90'"))
        self.assertEqual(asked[:4], b"\x94\x01\x01\xc0")
        compose = "sudo docker compose "
        self.assertIn("healthy", self.said(compose + "ps"))
        doctor = self.said(compose + "exec agent weir-doctor")
        self.assertIn("m4proxy:5001", doctor)
        self.assertRegex(doctor, "all (3|2) checks|healthy|well")
        self.assertIn("Normal", self.said(
            compose + "exec agent weir-doctor watch --count 1"))
        with open(os.path.join(self.env["BOARD_STATE"], "calls")) as calls:
            self.assertRegex(calls.read(), r"classification")
        self.assertIn("-A weir-m4 -i weir0 -j RETURN", self.log)

    def test_versions_are_those_of_the_source(self):
        with open(os.path.join(weir.ROOT, "BOARD.md")) as text:
            found = set(re.findall(r"weir[a-z-]*[-_](\d+\.\d+\.\d+)",
                                   text.read()))
        self.assertEqual(found, {version()})

    def test_no_other_page_leads_another_way(self):
        """One place: the others point to it."""
        for name in ("README.md", "docker/README.md", "firmware/README.md"):
            with open(os.path.join(weir.ROOT, name)) as text:
                text = text.read()
            self.assertIn("BOARD.md", text, name)
            for command in ("arduino-cli upload", "adb push", "docker load"):
                self.assertNotIn(command, text, name)


if __name__ == "__main__":
    unittest.main()
