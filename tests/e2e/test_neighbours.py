"""What lives beside us in the same process, and what surrounds it.

Another plugin may set a locale whose decimal point is a comma, change the
environment, the directory, the umask and signal handlers, wait for every child.
The surroundings may have no /tmp, few descriptors, no rights, no directory to
stand in, no standard input. None of it keeps
a value from the cloud or a label from the M4, and we break nothing of theirs."""

import glob
import os
import re
import resource
import shutil
import subprocess
import tempfile
import unittest

import edgecase
import test_edge_http
import weir

LOCALES = os.path.join(weir.ROOT, os.environ.get(
    "WEIR_LOCALES", os.path.join(weir.BUILD, "locale")))
LOCALE = "de_DE.UTF-8"

# A plugin of somebody else, with the stock python. It changes what belongs to
# the whole process, at run time, and looks whether anybody changed it back.
RUDE = """\
import collectd, ctypes, locale, os, signal, tempfile
libc = ctypes.CDLL(None)
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY")

def rude():
    for name in PROXIES:
        os.environ[name] = "http://127.0.0.1:9"
    os.environ["no_proxy"] = ""
    locale.setlocale(locale.LC_ALL, "{locale}")
    os.environ["TMPDIR"] = "/none"
    os.environ["M4_PROXY_HOST"] = "none"
    os.environ["HOME"] = "/none"
    gone = tempfile.mkdtemp(dir="/tmp")
    os.chdir(gone)
    os.rmdir(gone)
    os.umask(0o777)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE, signal.SIGUSR2])

def look():
    try:
        place = os.getcwd()
    except FileNotFoundError:
        place = "nowhere"
    now = (locale.str(0.5), os.umask(0o777), place, os.environ["TMPDIR"],
           " ".join(os.environ[name][-2:] for name in PROXIES))
    collectd.info("rude sees %s %o %s %s %s" % now)

collectd.register_init(rude)
collectd.register_read(look)
"""
SEEN = "rude sees 0,5 777 nowhere /none :9 :9 :9 :9 :9"

# Another one, whose timer interrupts every thread of the process all the time.
RESTLESS = """\
import collectd, ctypes, os, signal, threading, time
libc = ctypes.CDLL(None)

def run():
    me, count = threading.get_native_id(), 0
    while True:
        for tid in map(int, os.listdir("/proc/self/task")):
            if tid != me:
                libc.tgkill(os.getpid(), tid, signal.SIGALRM)
                count += 1
        time.sleep(0.005)
        if count > 2000:
            collectd.info("2000 signals more")
            count = 0

def begin():
    signal.signal(signal.SIGALRM, lambda *_: None)
    threading.Thread(target=run, daemon=True).start()

def end():  # Python would put back what ends the process
    signal.signal(signal.SIGALRM, signal.SIG_IGN)

collectd.register_init(begin)
collectd.register_shutdown(end)
"""
PYTHON = """\
PluginDir "%s"
LoadPlugin python
<Plugin python>
  ModulePath "%s"
  Import "%s"
</Plugin>
"""

NEIGHBOURS = """\
LoadPlugin python
<Plugin python>
  ModulePath "{dir}"
  Import "rude"
</Plugin>
LoadPlugin exec
<Plugin exec>
  Exec "nobody" "{counter}"
  NotificationExec "nobody" "/bin/true"
</Plugin>
LoadPlugin write_http
<Plugin write_http>
  <Node "none">
    URL "http://127.0.0.1:9/"
    Format "JSON"
  </Node>
</Plugin>
LoadPlugin curl
<Plugin curl>
  <Page "none">
    URL "http://127.0.0.1:9/"
    MeasureResponseTime true
  </Page>
</Plugin>
LoadPlugin write_graphite
<Plugin write_graphite>
  <Node "none">
    Host "127.0.0.1"
    Port "9"
    LogSendErrors false
  </Node>
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "{dir}/sock"
</Plugin>
"""
COUNTER = """\
#!/bin/sh
# Whoever reads may be gone, and SIGPIPE may be blocked.
while echo "PUTVAL testhost/exec-counter/gauge-x interval=1 N:1"; do
  sleep 1
done
"""


def left_behind():
    return [path for place in ("/tmp", "/run", "/dev/shm")
            for path in glob.glob(place + "/weir-eim-*")]


class NeighboursTest(weir.Case):
    def setUp(self):
        super().setUp()
        subprocess.run([os.environ.get("MAKE", "make"), "-s", "locales",
                        "LOCALES=" + LOCALES], cwd=weir.ROOT, check=True)
        with open(os.path.join(self.dir, "rude.py"), "w") as out:
            out.write(RUDE.format(locale=LOCALE))
        # Not below our own tree, which nobody may be kept from entering.
        place = tempfile.mkdtemp(prefix="weir-neighbours-")
        self.addCleanup(shutil.rmtree, place)
        self.counter = os.path.join(place, "counter")
        with open(self.counter, "w") as out:
            out.write(COUNTER)
        os.chmod(self.counter, 0o755)
        os.chmod(place, 0o755)

    def pipe(self, extra, **options):
        self.m4 = self.m4sim("--flow", "10")
        ca = weir.Authority(self.dir)
        cert, key = ca.issue()
        self.cloud = self.cloudsim("--cert", cert, "--key", key)
        return self.collectd(
            extra + 'PluginDir "%s"\n' % weir.PLUGINDIR +
            weir.m4_block(self.m4.address) + weir.chain_block(
                extra="Stride 5") +
            weir.cloud_block(self.cloud.url, self.cloud.credentials(self.dir),
                             flow="DeadBand 0\n      MinInterval 0",
                             extra='CACert "%s"' % ca.cert),
            env={"LOCPATH": LOCALES}, **options)

    def both_ways(self, agent):
        """Values with a fraction and labels reach the cloud, labels the M4."""
        weir.wait_until(
            lambda: [v for v in self.cloud.values(property="flow_rate")
                     if v["value"] != int(v["value"])],
            "the cloud has a number with a fraction", alive=agent)
        weir.wait_until(
            lambda: [v for v in self.cloud.values(property="classification")
                     if v["value"] == "Normal"],
            "the cloud has the label", alive=agent)
        weir.wait_until(lambda: [c for c in self.m4.calls("classification")
                                 if '"Normal"' in c["payload"]],
                        "the M4 has the label", alive=agent)

    def written(self, agent, plugin, count):
        """So many values more. The stock write_log follows the locale, too:
        what it writes is no JSON any more."""
        pattern = '"plugin":"%s"' % plugin
        seen = agent.log().count(pattern)
        agent.wait_log(pattern, seen + count)

    def test_rude_neighbours(self):
        before = left_behind()
        agent = self.pipe('PluginDir "%s"\n' % weir.STOCK_PLUGINDIR +
                          NEIGHBOURS.format(dir=self.dir,
                                            counter=self.counter))
        agent.wait_log(SEEN)
        self.both_ways(agent)
        self.written(agent, "exec", 3)
        # Only now, in the locale that is set, a model is started anew.
        pid, = edgecase.children_named(agent.pid, "flow.eim")
        os.kill(pid, 9)
        weir.wait_until(
            lambda: [p for p in edgecase.children_named(agent.pid, "flow.eim")
                     if p != pid], "the model runs again", alive=agent)
        self.written(agent, "edge_impulse", 10)
        self.both_ways(agent)
        agent.wait_log(SEEN)
        self.assertEqual(set(re.findall("rude sees.*", agent.log())), {SEEN})
        agent.wait_log(r"plugin: the model at .* answers again, after \d")
        self.assertNotRegex(agent.log(), r"\] \w+ plugin: .*\d,\d")
        self.assertEqual(self.cloud.count("publish 400"), 0)
        folder = os.path.join(self.dir, "write_arduino_cloud")
        for name, mode in (("", 0o755), ("/pump.db", 0o644),
                           ("/pump.db.lock", 0o600)):
            self.assertEqual(os.stat(folder + name).st_mode & 0o777, mode, name)
        agent.stop()
        self.assertEqual(left_behind(), before)

    def test_restless_neighbour(self):
        """Every wait of ours is interrupted, and none is cut short."""
        with open(os.path.join(self.dir, "restless.py"), "w") as out:
            out.write(RESTLESS)
        agent = self.pipe(PYTHON % (weir.STOCK_PLUGINDIR, self.dir, "restless"))
        self.both_ways(agent)
        pid, = edgecase.children_named(agent.pid, "flow.eim")
        os.kill(pid, 9)
        weir.wait_until(
            lambda: [p for p in edgecase.children_named(agent.pid, "flow.eim")
                     if p != pid], "the model runs again", alive=agent)
        agent.wait_log("2000 signals more", 3)
        seen = len(self.cloud.values(property="flow_rate"))
        self.cloud.wait_values(seen + 10, property="flow_rate")
        self.assertEqual(self.cloud.count("publish 400"), 0)
        for kind in ("protocol", "remote"):
            self.assertFalse([v for v in agent.values(
                plugin="m4_rpc", type="errors", type_instance=kind)
                if v["value"]], kind)
        agent.stop()


class EnvironmentTest(weir.Case):
    def test_model_has_no_proxy(self):
        """Edge Impulse's container is asked without the proxy that the whole
        machine is told to use, unless the configuration says so."""
        model = test_edge_http.StandIn()
        self.addCleanup(model.stop)
        m4 = self.m4sim("--flow", "10")
        env = {"no_proxy": ""}
        for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
            env[name] = "http://127.0.0.1:9"
        config = weir.m4_block(m4.address) + weir.chain_block(
            'URL "%s"' % model.url)
        agent = self.collectd(config, env=env)
        agent.wait_value(plugin="edge_impulse", type="bool", value=1,
                         type_instance="Normal")
        agent.stop()
        agent = self.collectd(config.replace("URL", "UseProxy true\n      URL"),
                              env=env, name="proxied")
        agent.wait_log("does not answer: .*127.0.0.1 port 9")
        agent.stop()

    def test_without_standard_descriptors(self):
        """Nothing of ours takes their place: what others print there by habit
        would reach a peer or the disk."""
        m4 = self.m4sim("--flow", "10")
        cloud = self.cloudsim()
        log = os.path.join(self.dir, "values.log")
        agent = weir.Collectd(
            self.dir, weir.m4_block(m4.address) + weir.chain_block(
                extra="Stride 5") + weir.cloud_block(
                    cloud.url, cloud.credentials(self.dir),
                    flow="DeadBand 0\n      MinInterval 0"),
            wrap=("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"))
        with open(agent.config_path) as text:
            config = text.read()
        with open(agent.config_path, "w") as out:
            out.write(config.replace("File stderr", 'File "%s"' % log))
        self.addCleanup(agent.kill)
        agent.start()
        cloud.wait_values(3, property="flow_rate")
        cloud.wait_values(1, property="classification", value="Normal")
        weir.wait_until(lambda: [c for c in m4.calls("classification")
                                 if '"Normal"' in c["payload"]],
                        "the M4 has the label", alive=agent)
        for number in range(3):
            self.assertEqual(os.readlink("/proc/%d/fd/%d" % (
                agent.pid, number)), "/dev/null")
        agent.signal(15)
        self.assertEqual(agent.wait_exit(), 0)
        with open(log) as text:
            self.assertIn("Exiting normally", text.read())


class LaterTest(edgecase.Case):
    """What is not there yet does not stop the daemon, and is used when it is."""

    def test_model_comes_and_is_replaced(self):
        model = os.path.join(self.dir, "flow.eim")
        agent = self.agent(['Model "%s"' % model])
        agent.wait_log("the model at %s does not answer: it cannot be started: "
                       "there is no such file. Trying again" % model)
        shutil.copyfile(weir.EIM, model)
        os.chmod(model, 0o755)
        pid, = weir.wait_until(
            lambda: edgecase.children_named(agent.pid, "flow.eim"),
            "the model runs", alive=agent)
        agent.wait_log("the model at %s is" % model)
        self.put([10.0] * 20)
        agent.wait_value(plugin="edge_impulse", type="percent")
        other = edgecase.Model(self.dir, "other")  # the same path, another one
        os.rename(other.path, model)
        self.put([10.0] * 20)
        agent.wait_log('the model at %s is "bad", version 7' % model)
        self.assertNotIn(pid, edgecase.children(agent.pid))
        agent.stop()


    def test_credentials_come_later(self):
        """Until then values wait in the spool; none is lost."""
        cloud = self.cloudsim()
        m4 = self.m4sim("--flow", "10", "--step")
        path = os.path.join(self.dir, "later.env")
        agent = self.collectd(
            weir.m4_block(m4.address, report=False) +
            weir.cloud_block(cloud.url, path, flow="DeadBand 0\n"
                             "      MinInterval 0"))
        agent.wait_log('CredentialsFile "%s" cannot be used: cannot read it: No '
                       "such file" % path)
        agent.wait_value(10, plugin="m4_rpc", type="flow")
        agent.wait_value(plugin="write_arduino_cloud", type="bool",
                         type_instance="up", value=0)
        first = agent.values(plugin="m4_rpc", type="flow")[0]["value"]
        os.rename(cloud.credentials(self.dir), path)
        agent.flush()
        agent.wait_log("CredentialsFile .* again, after")
        cloud.wait_values(11, property="flow_rate")
        self.assertIn(first, [v["value"] for v in cloud.values(
            property="flow_rate")], "the oldest value waited")
        agent.stop()


UNPRIVILEGED = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]


class LimitsTest(weir.Case):
    @staticmethod
    def limit(agent, count):
        """The soft one, which its own user may lower and raise again."""
        text = "unlimited" if count == resource.RLIM_INFINITY else str(count)
        subprocess.run(UNPRIVILEGED + ["prlimit", "--pid", str(agent.pid),
                                       "--nproc=%s:" % text], check=True)

    def test_no_more_processes(self):
        """RLIMIT_NPROC is reached while the agent runs: no model starts, that
        is said, all else goes on; with room again the model comes back."""
        os.chmod(self.dir, 0o777)
        reaches = subprocess.run(UNPRIVILEGED + ["test", "-w", self.dir],
                                 capture_output=True, text=True)
        if reaches.returncode != 0:
            self.skipTest("another user, or %s as that user, is refused: %s"
                          % (self.dir, reaches.stderr.strip()))
        m4 = self.m4sim("--flow", "10")
        agent = self.collectd(
            weir.m4_block(m4.address) + weir.chain_block(
                extra="Stride 5\n      StaleAfter 2"), wrap=UNPRIVILEGED)
        agent.wait_value(plugin="edge_impulse", type="bool", value=1,
                         type_instance="Normal")
        usual = resource.getrlimit(resource.RLIMIT_NPROC)[0]  # inherited
        pid, = edgecase.children_named(agent.pid, "flow.eim")
        self.limit(agent, 1)
        os.kill(pid, 9)
        agent.wait_log("is unknown: the model does not answer: it cannot be "
                       "started: no more processes are allowed; look at TasksMax "
                       "and ulimit -u")
        self.assertEqual(edgecase.children_named(agent.pid, "flow.eim"), [])
        seen = len(agent.values(plugin="m4_rpc", type="flow"))
        agent.wait_value(seen + 5, plugin="m4_rpc", type="flow")
        self.limit(agent, usual)
        weir.wait_until(
            lambda: edgecase.children_named(agent.pid, "flow.eim"),
            "the model runs again", alive=agent)
        agent.wait_log("answers again, after")
        agent.stop()

    def test_no_more_descriptors(self):
        """Somebody has taken them all for a while. The daemon lives, what was
        measured before and after is delivered, and all of it comes back."""
        m4 = self.m4sim("--flow", "10")
        cloud = self.cloudsim()
        agent = self.collectd(
            weir.m4_block(m4.address) + weir.chain_block(
                extra="Stride 5\n      StaleAfter 2") + weir.cloud_block(
                    cloud.url, cloud.credentials(self.dir),
                    flow="DeadBand 0\n      MinInterval 0"))
        cloud.wait_values(3, property="flow_rate")
        cloud.wait_values(1, property="classification", value="Normal")
        usual = resource.prlimit(agent.pid, resource.RLIMIT_NOFILE)
        pid, = edgecase.children_named(agent.pid, "flow.eim")
        resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (3, usual[1]))
        os.kill(pid, 9)
        agent.wait_log("m4_rpc plugin: .*Too many open files")
        agent.wait_log("is unknown: ")
        resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, usual)
        before = len(cloud.values(property="flow_rate"))
        cloud.wait_values(before + 5, property="flow_rate")
        weir.wait_until(
            lambda: edgecase.children_named(agent.pid, "flow.eim"),
            "the model runs again", alive=agent)
        known = len(cloud.values(property="classification", value="Normal"))
        weir.wait_until(lambda: [
            v for v in cloud.values(property="classification")
            if v["value"] == "unknown"], "unknown was told", alive=agent)
        cloud.wait_values(max(known, 2), property="classification",
                          value="Normal")
        agent.stop()


# Everything read-only but the directories named, nothing in /tmp and its like,
# 64 descriptors, no rights. `$0` is the number of directories, they come first.
TIGHT = """\
mount --make-rprivate /
while [ "$1" != -- ]; do mount --bind "$1" "$1"; shift; done
shift
for place in /tmp /run /dev/shm; do
  [ ! -d $place ] || mount -t tmpfs -o ro,size=4k none $place
done
mount -o remount,bind,ro /
exec prlimit --nofile=64 --nproc=64 setpriv --reuid=65534 --regid=65534 \\
  --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
"""


def tight(*writable):
    return ["unshare", "-m", "sh", "-ec", TIGHT, "tight", *writable, "--"]


class TightTest(weir.Case):
    def setUp(self):
        super().setUp()
        os.chmod(self.dir, 0o777)
        reaches = subprocess.run(
            tight(self.dir) + ["test", "-w", self.dir], capture_output=True,
            text=True)
        if reaches.returncode != 0:
            self.skipTest("a name space of its own, or %s in it, is refused: %s"
                          % (self.dir, reaches.stderr.strip()))

    def pipe(self, *writable, spool=""):
        self.m4 = self.m4sim("--flow", "10")
        self.cloud = self.cloudsim()
        credentials = self.cloud.credentials(self.dir)
        os.chown(credentials, 65534, 65534)
        return self.collectd(
            weir.m4_block(self.m4.address) + weir.chain_block(
                extra="Stride 5") +
            weir.cloud_block(self.cloud.url, credentials,
                             flow="DeadBand 0\n      MinInterval 0",
                             extra=spool),
            wrap=tight(*writable))

    def test_only_the_base_directory(self):
        """The model's socket, the spool and the rest find their place."""
        agent = self.pipe(self.dir)
        agent.wait_value(plugin="edge_impulse", type="bool", value=1,
                         type_instance="Normal")
        self.cloud.wait_values(3, property="flow_rate")
        self.cloud.wait_values(1, property="classification", value="Normal")
        agent.stop()

    def test_nothing_can_be_written(self):
        """What cannot be says so, all else goes on: the daemon lives and the
        sensor is read."""
        agent = self.pipe()
        agent.wait_value(30, plugin="m4_rpc", type="flow")
        agent.wait_log(r"the model at \S+ does not answer: no directory for its "
                       r"socket can be made \(/tmp: Read-only file system")
        agent.wait_log("values wait in memory only, the spool cannot be used")
        self.cloud.wait_values(3, property="flow_rate")
        agent.stop()


if __name__ == "__main__":
    unittest.main()
