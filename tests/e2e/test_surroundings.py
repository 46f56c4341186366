"""What the process and the disk may do to us while we run: no writing any more,
standard descriptors that are taken away, children that live on, pipes and gaps
where files were. The daemon goes on, says so, and stops when it is told to."""

import contextlib
import os
import resource
import shutil
import signal
import sqlite3
import unittest

import baselinecase
import edgecase
import weir

# What it prints goes through a pipe, so that no limit of files touches it.
THROUGH_A_PIPE = (weir.PYTHON, "-c", """\
import os, signal, subprocess, sys
for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
    signal.signal(number, signal.SIG_DFL)
cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
os.dup2(cat.stdin.fileno(), 1)
os.dup2(1, 2)
os.execv(sys.argv[1], sys.argv[1:])
""")
EVERY_VALUE = "DeadBand 0\n      MinInterval 0"

PYTHON = """\
PluginDir "%s"
LoadPlugin python
<Plugin python>
  ModulePath "%s"
  Import "neighbour"
</Plugin>
PluginDir "%s"
"""
# It takes the standard descriptors away, as bad daemons do, while all runs.
CLOSES = """\
import collectd, os
def close():
    for fd in range(3):
        try:
            os.close(fd)
        except OSError:
            pass
    collectd.info("closed them")
collectd.register_read(close)
"""
# It starts programs when it is told of something.
STARTS = """\
import collectd, signal, subprocess
def blocked():
    return len(signal.pthread_sigmask(signal.SIG_BLOCK, []))
def told(n):
    text = subprocess.check_output(["grep", "SigBlk", "/proc/self/status"])
    collectd.info("of %s: %d, %s" % (n.plugin, blocked(), text.decode()))
collectd.register_init(lambda: collectd.info("usual: %d" % blocked()))
collectd.register_notification(told)
"""
# It has a child that is never to be another program, and lives on.
FORKS = """\
import collectd, os, time
def fork():
    child = os.fork()
    if child:
        return collectd.info("child %d begins" % child)
    os.setsid()
    for i in range(600):
        if os.path.exists("{end}"):
            break
        time.sleep(0.1)
    os._exit(0)
def read():
    if not os.path.exists("{begun}"):
        open("{begun}", "w").close()
        fork()
collectd.register_read(read)
"""


class Case(weir.Case):
    def pipe(self, extra="", cloud="", chain="", **options):
        self.m4 = self.m4sim("--flow", "10")
        self.cloud = self.cloudsim()
        return self.collectd(
            extra + weir.m4_block(self.m4.address) + weir.chain_block(
                extra="Stride 5\n" + chain) + weir.cloud_block(
                    self.cloud.url, self.cloud.credentials(self.dir),
                    flow=EVERY_VALUE, extra=cloud), **options)

    def neighbour(self, text):
        with open(os.path.join(self.dir, "neighbour.py"), "w") as out:
            out.write(text)
        return PYTHON % (weir.STOCK_PLUGINDIR, self.dir, weir.PLUGINDIR)

    def goes_on(self, agent):
        """Values and labels from now on."""
        values = len(self.cloud.values(property="flow_rate"))
        calls = len(self.m4.calls("flow_rate"))
        self.cloud.wait_values(values + 5, property="flow_rate")
        weir.wait_until(lambda: len(self.m4.calls("flow_rate")) >= calls + 5,
                        "the M4 is asked", alive=agent)
        self.cloud.wait_values(1, property="classification", value="Normal")

    def model_again(self, agent):
        old, = edgecase.children_named(agent.pid, "flow.eim")
        os.kill(old, signal.SIGKILL)
        weir.wait_until(
            lambda: [p for p in edgecase.children_named(agent.pid, "flow.eim")
                     if p != old], "the model runs again", alive=agent)


class LimitTest(Case):
    def test_no_file_may_grow(self):
        """RLIMIT_FSIZE raises a signal that ends a process. It does not end
        this one, neither while it runs nor when it saves its state last."""
        agent = self.pipe(baselinecase.chain("SaveInterval 1", match=(
            'Plugin "^m4_rpc$"\nType "^flow$"')), wrap=THROUGH_A_PIPE)
        self.goes_on(agent)
        usual = resource.prlimit(agent.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (0, usual[1]))
        agent.wait_log("values wait in memory only, the spool cannot be used")
        agent.wait_log("the state cannot be written to .*: File too large")
        self.goes_on(agent)
        agent.stop()


class DescriptorsTest(Case):
    def test_standard_ones_are_closed_later(self):
        """What the process prints there by habit reaches no peer of ours."""
        log = os.path.join(self.dir, "collectd.log")
        self.m4 = self.m4sim("--flow", "10")
        self.cloud = self.cloudsim()
        agent = weir.Collectd(
            self.dir, weir.m4_block(self.m4.address) + weir.chain_block(
                extra="Stride 5") + weir.cloud_block(
                    self.cloud.url, self.cloud.credentials(self.dir),
                    flow=EVERY_VALUE) + self.neighbour(CLOSES))
        with open(agent.config_path) as text:
            config = text.read().replace("File stderr", 'File "%s"' % log)
        with open(agent.config_path, "w") as out:
            out.write(config)
        self.run_process(agent)
        agent.wait_log("closed them")
        for _ in range(2):
            self.cloud.stop()
            self.cloud.start()
            self.model_again(agent)
            agent.wait_log("closed them", agent.log().count("closed them") + 1)
            self.goes_on(agent)
            for fd in range(3):
                path = "/proc/%d/fd/%d" % (agent.pid, fd)
                at = os.readlink(path) if os.path.lexists(path) else ""
                self.assertNotRegex(at, "socket|\\.db")
        agent.stop()


class ChildTest(Case):
    def test_programs_of_others_start_as_usual(self):
        """A notification reaches other plugins on a thread of ours."""
        agent = self.pipe(self.neighbour(STARTS))
        agent.wait_log("usual: 0")
        agent.wait_log(r"of edge_impulse: 0, SigBlk:\s0+\b")
        agent.stop()

    def test_child_of_a_neighbour_lives_on(self):
        """It has inherited every descriptor of ours; the spool is free for the
        next start all the same."""
        end = os.path.join(self.dir, "end")
        self.addCleanup(lambda: open(end, "w").close())
        agent = self.pipe(self.neighbour(FORKS.format(
            end=end, begun=os.path.join(self.dir, "begun"))))
        child = int(agent.wait_log(r"child (\d+) begins").group(1))
        self.goes_on(agent)
        agent.stop()
        agent.start()
        agent.wait_ready()
        self.goes_on(agent)
        self.assertTrue(edgecase.alive(child))
        self.assertFalse("the spool cannot be used" in agent.log())
        agent.stop()


class SpoolTest(Case):
    def test_spool_is_taken_away(self):
        """It is written anew with all that waits, which a kill then leaves."""
        folder = os.path.join(self.dir, "write_arduino_cloud")
        agent = self.pipe()
        self.goes_on(agent)
        self.cloud.stop()
        known = self.queue(agent, 10)
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        agent.wait_log("the spool %s/pump.db was taken away, and is written "
                       "anew" % folder)
        self.queue(agent, 10 + known)
        agent.kill()
        with contextlib.closing(sqlite3.connect(folder + "/pump.db")) as file:
            check, = file.execute("PRAGMA integrity_check").fetchone()
            rows, = file.execute("SELECT count(*) FROM value").fetchone()
        self.assertEqual(check, "ok")
        self.assertGreater(rows, known)
        self.cloud.start()
        agent.start()
        self.goes_on(agent)
        agent.stop()
        self.assertFalse("they are lost" in agent.log())

    @staticmethod
    def queue(agent, least):
        """How many values wait in the spool, at least so many."""
        return agent.wait_value(
            plugin="write_arduino_cloud", type="queue_length",
            check=lambda v: v["value"] >= least)[-1]["value"]


class OddFilesTest(Case):
    def test_pipes_in_place_of_files(self):
        """Nobody writes into them, and whoever opens one waits for ever."""
        spool = os.path.join(self.dir, "write_arduino_cloud", "pump.db")
        state = os.path.join(self.dir, "baseline.state")
        trusted = os.path.join(self.dir, "ca.pem")
        os.mkdir(os.path.dirname(spool))
        for path in (spool, state + ".new", trusted):
            os.mkfifo(path)
        agent = self.pipe(
            baselinecase.chain('StateFile "%s"\nSaveInterval 1' % state, match=(
                'Plugin "^m4_rpc$"\nType "^flow$"')),
            cloud='CACert "%s"' % trusted)
        agent.wait_log("the spool cannot be used: %s: it is not a file" % spool)
        agent.wait_log("no token: %s is not a file" % trusted)
        agent.wait_value(plugin="edge_impulse", type="bool", value=1,
                         type_instance="Normal")
        agent.wait_log("the state cannot be written to %s: " % state)
        agent.wait_log("the state can be written again")
        os.unlink(trusted)
        with open(trusted, "w") as out:
            out.write("no certificate, and none is asked for over http\n")
        agent.flush()
        self.goes_on(agent)
        agent.stop()

    def test_directory_for_windows_is_taken_away(self):
        """The next window makes it anew."""
        folder = os.path.join(self.dir, "kept")
        m4 = self.m4sim("--flow", "2")
        agent = self.collectd(weir.m4_block(m4.address) + weir.chain_block(
            extra='Stride 5\nCaptureDir "%s"' % folder))
        weir.wait_until(lambda: os.path.isdir(folder) and os.listdir(folder),
                        "a window is kept", alive=agent)
        shutil.rmtree(folder)
        weir.wait_until(lambda: os.path.isdir(folder) and os.listdir(folder),
                        "a window is kept again", alive=agent)
        agent.stop()


if __name__ == "__main__":
    unittest.main()
