"""Parts of make chaos: the configuration, the disk, the feed."""

import os
import shutil
import socket
import subprocess
import threading
import time

STEP = 0.25  # s between two numbers of the feed
BEGAN = time.monotonic()


def say(text):
    print("%7.1f %s" % (time.monotonic() - BEGAN, text), flush=True)


STOCK = ("match_regex", "unixsock", "curl", "write_graphite")
CONFIG = """\
LoadPlugin m4_rpc
<Plugin m4_rpc>
  <M4 "pump">
    LockDirectory "{dir}"
    Address "{m4}"
    Interval 0.2
    <Method "flow_rate">
      Type "flow"
    </Method>
    <Report "classification">
      OnChange true
      Heartbeat 2
    </Report>
  </M4>
</Plugin>
LoadPlugin target_edge_impulse
LoadPlugin target_flow_baseline
<Chain "PreCache">
  <Rule "classify_flow">
    <Match "regex">
      Plugin "^m4_rpc$"
      Type "^flow$"
    </Match>
    <Target "edge_impulse">
      Model "{eim}"
      Interval 0.2
    </Target>
    <Target "flow_baseline">
      Interval 0.2
      StateFile "{disk}/baseline"
    </Target>
  </Rule>
</Chain>
LoadPlugin write_arduino_cloud
<Plugin write_arduino_cloud>
  <Thing "pump">
    URL "http://{cloud}"
    CredentialsFile "{credentials}"
    SpoolDir "{disk}"
    RateLimit 10
    DailyRecords 0
    Timeout 3
    <Property "flow_rate">
      Plugin "m4_rpc"
      Type "flow"
      MinInterval 2
    </Property>
    <Property "counter">
      Plugin "feed"
      Type "gauge"
      MinInterval 0
    </Property>
    <Property "classification">
      Plugin "edge_impulse"
      Type "bool"
      Meta "edge_impulse:label"
    </Property>
  </Thing>
</Plugin>
<Plugin curl>
  <Page "none">
    URL "http://127.0.0.1:9/"
    MeasureResponseTime true
  </Page>
</Plugin>
<Plugin write_graphite>
  <Node "none">
    Host "127.0.0.1"
    Port "9"
    LogSendErrors false
  </Node>
</Plugin>
WriteThreads 1
<Plugin unixsock>
  SocketFile "{dir}/sock"
  DeleteSocket true
</Plugin>
"""
RUDE = """\
<Plugin python>
  ModulePath "{dir}"
  Import "rude"
</Plugin>
"""
RUDE_PY = """\
import collectd, os, signal, tempfile
kept = []
def rude():
    os.environ["http_proxy"] = os.environ["all_proxy"] = "http://127.0.0.1:9"
    os.environ["TMPDIR"] = "/none"
    os.umask(0o777)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE, signal.SIGUSR2])
def leak():
    if %d:
        kept.append(open("/dev/null"))
collectd.register_init(rude)
collectd.register_read(leak)
"""


class Disk:
    """Where the spool is: a small file system of its own, if there may be."""

    def __init__(self, base):
        self.path = os.path.join(base, "disk")
        self.image = os.path.join(base, "image")
        os.mkdir(self.path)
        self.mounted = self.try_mount()
        self.freezes = self.mounted == "ext4" and shutil.which("fsfreeze")
        if not self.mounted:
            say("NOTICE no file system can be mounted: the disk is never full")
        if not self.freezes:
            say("NOTICE no loop device or no fsfreeze: the disk never freezes")
        self.took, self.began = [], time.monotonic()
        self.lock, self.closed = threading.Lock(), threading.Event()
        threading.Thread(target=self.probe, daemon=True).start()

    def try_mount(self):
        make = ("truncate -s 16M %s && mkfs.ext4 -q -F %s && "
                "mount -o loop %s %s" % ((self.image,) * 3 + (self.path,)))
        small = "mount -t tmpfs -o size=4m tmpfs %s" % self.path
        for kind, command in (("ext4", make), ("tmpfs", small)):
            if subprocess.run(command, shell=True,
                              capture_output=True).returncode == 0:
                return kind
        return None

    def slowest(self):
        """What it took at most, in the last seconds, to make a file safe."""
        with self.lock:
            now = time.monotonic()
            return max([end - begin for begin, end in self.took
                        if now - end < 10] + [now - self.began])

    def probe(self):
        while not self.closed.wait(0.25):
            self.began = time.monotonic()
            try:
                with open(os.path.join(self.path, "probe"), "w") as out:
                    out.write("x")
                    out.flush()
                    os.fsync(out.fileno())
            except OSError:
                pass  # full, or gone
            with self.lock:
                now = time.monotonic()
                self.took = [x for x in self.took if now - x[1] < 10] + [
                    (self.began, now)]
                self.began = now + 0.25

    def fill(self):
        with open(os.path.join(self.path, "ballast"), "wb", 0) as out:
            try:
                while True:
                    out.write(b"x" * 4096)
            except OSError:
                pass

    def empty(self):
        try:
            os.remove(os.path.join(self.path, "ballast"))
        except FileNotFoundError:
            pass

    def freeze(self, on):
        subprocess.run(["fsfreeze", "-f" if on else "-u", self.path],
                       check=False, capture_output=True)

    def close(self):
        self.closed.set()
        if self.mounted:
            subprocess.run(["umount", "-l", self.path], check=False)


class Feed(threading.Thread):
    """A number four times a second, by unixsock; notes when it was taken."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.taken, self.number = path, [], 0
        self.shift = 0  # of collectd's clock, in seconds
        self.paused, self.ended = threading.Event(), threading.Event()

    def run(self):
        sock = None
        while not self.ended.wait(STEP):
            if self.paused.is_set():
                continue
            try:
                sock = sock or self.connect()
                self.put(sock)
            except OSError:
                sock = None

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(60)
        sock.connect(self.path)
        return sock.makefile("rw")

    def put(self, stream):
        """A number that was not confirmed is not sent again: it may have
        arrived, so that it may, but need not, reach the cloud."""
        self.number += 1
        stamp = round(time.time(), 3)
        # By collectd's clock, as that of every value that it reads.
        stream.write('PUTVAL "testhost/feed-a/gauge-n" interval=1 %.3f:%d\n'
                     % (stamp + self.shift, self.number))
        stream.flush()
        answer = stream.readline()
        if not answer:
            self.taken.append((self.number, stamp, None))
            raise OSError("it ended")
        self.taken.append((self.number, stamp, time.monotonic()))
