"""write_arduino_cloud: the disk fails, collectd and the values go on."""

import os
import sqlite3
import subprocess
import time
import unittest

import cloudcase
import weir

CLOCK_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
/* The wall clock, moved by the number of seconds in the file $CLOCK_SHIFT. */
int clock_gettime(clockid_t id, struct timespec *ts) {
  long shift = 0;
  int status = (int)syscall(SYS_clock_gettime, id, ts);
  if (id != CLOCK_REALTIME || getenv("CLOCK_SHIFT") == NULL)
    return status;
  FILE *f = fopen(getenv("CLOCK_SHIFT"), "r");
  if (f != NULL) {
    if (fscanf(f, "%ld", &shift) == 1)
      ts->tv_sec += shift;
    fclose(f);
  }
  return status;
}
"""


class CloudDiskTest(cloudcase.Case):
    def mount(self, options):
        """A small tmpfs; mounting wants root."""
        path = os.path.join(self.dir, "disk")
        os.mkdir(path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs",
                               path], capture_output=True, text=True)
        if done.returncode != 0:
            self.notice("cannot mount a tmpfs (%s): not tested"
                        % done.stderr.strip())
            self.skipTest("mounting a tmpfs wants root")
        self.addCleanup(subprocess.run, ["umount", "-l", path])
        return path

    def started(self, cloud, **options):
        agent = self.agent(cloud, flow="MinInterval 0", **options)
        return agent, self.feed(agent)

    def test_disk_full_and_free_again(self):
        disk = self.mount("size=2m")
        cloud = self.cloudsim()
        agent, feed = self.started(
            cloud, extra='SpoolDir "%s"\nRateLimit 10' % disk)
        feed.flow(-1)
        cloud.wait_values(1, value=-1)
        cloud.kill()
        with open(os.path.join(disk, "ballast"), "wb", 0) as ballast:
            try:
                while True:
                    ballast.write(b"x" * 4096)
            except OSError:
                pass
        start = int(time.time()) - 10000
        for n in range(2000):
            feed.flow(n, start + n)
        agent.wait_log(r"values wait in memory only, the spool cannot be used:"
                       r" .*full")
        self.health(agent, "bool", "spool_on_disk", lambda v: v == 0)
        self.health(agent, "queue_length", "spool", lambda v: v >= 1000)
        os.unlink(os.path.join(disk, "ballast"))
        agent.wait_log("values are stored on disk again")
        cloud.start()
        agent.flush()
        self.all_there(cloud, agent, 2000)
        agent.stop()

    def all_there(self, cloud, agent, count):
        weir.wait_until(lambda: set(range(count)) <=
                        {v["value"] for v in cloud.values()},
                        "all %d values arrived" % count, alive=agent)

    def test_read_only_disk(self):
        disk = self.mount("size=4m")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        cloud = self.cloudsim()
        agent, feed = self.started(cloud, extra='SpoolDir "%s/x"' % disk)
        agent.wait_log("values wait in memory only")
        feed.flow(1)
        cloud.wait_values(1, value=1)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        os.mkdir(disk + "/x")
        agent.wait_log("values are stored on disk again")
        agent.stop()

    def test_read_only_disk_is_still_read(self):
        disk = self.mount("size=4m")
        cloud = self.cloudsim()
        agent, feed = self.started(cloud, extra='SpoolDir "%s"' % disk)
        feed.flow(-1)
        cloud.wait_values(1, value=-1)
        cloud.kill()
        for n in range(20):
            feed.flow(n)
        self.health(agent, "queue_length", "spool", lambda v: v >= 20)
        agent.stop()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        cloud.start()
        agent.start()
        agent.wait_log("values wait in memory only")
        self.all_there(cloud, agent, 20)
        self.health(agent, "queue_length", "spool", lambda v: v == 0)
        agent.stop()

    def test_corrupt_database(self):
        cloud = self.cloudsim()
        os.mkdir(os.path.join(self.dir, "write_arduino_cloud"))
        path = os.path.join(self.dir, "write_arduino_cloud", "pump.db")
        with open(path, "wb") as out:
            out.write(b"\xa5" * 100000)
        agent, feed = self.started(cloud)
        agent.wait_log(r"the spool was corrupt and is now .*pump\.db\.bad; a "
                       r"new one is begun")
        feed.flow(1)
        cloud.wait_values(1, value=1)
        agent.stop()
        self.assertEqual(100000, os.path.getsize(path + ".bad"))

    def test_locked_database(self):
        cloud = self.cloudsim()
        agent, feed = self.started(cloud)
        feed.flow(1)
        cloud.wait_values(1, value=1)
        db = sqlite3.connect(os.path.join(
            self.dir, "write_arduino_cloud", "pump.db"), isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        feed.flow(2)
        agent.wait_log("values wait in memory only.*locked")
        cloud.wait_values(1, value=2)
        db.execute("ROLLBACK")
        db.close()
        agent.wait_log("values are stored on disk again")
        feed.flow(3)
        cloud.wait_values(1, value=3)
        agent.stop()

    def test_clock_jump(self):
        """Three years ahead and back: nothing is lost, nothing stalls."""
        shift = os.path.join(self.dir, "shift")
        cloud = self.cloudsim()
        agent = self.agent(cloud, start=False, flow="MinInterval 0",
                           extra="RateLimit 10")
        agent.env.update(weir.preload(self.dir, CLOCK_SHIM, CLOCK_SHIFT=shift))
        agent.start()
        feed = self.feed(agent)
        feed.flow(1)
        cloud.wait_values(1, value=1)
        cloud.kill()
        feed.flow(2, time.time() - 100)
        feed.label("Low")
        self.health(agent, "queue_length", "spool", lambda v: v >= 2)
        self.set_clock(shift, 3 * 365 * 86400)
        feed.flow(3)
        feed.label("Normal")
        self.health(agent, "queue_length", "spool", lambda v: v >= 4)
        self.set_clock(shift, 0)
        feed.flow(4)
        feed.label("Anomalous")
        cloud.start()
        agent.flush()
        for value in (2, 3, 4, "Low", "Normal", "Anomalous"):
            cloud.wait_values(1, value=value)
        agent.stop()

    @staticmethod
    def set_clock(path, seconds):
        with open(path + ".new", "w") as out:
            out.write("%d\n" % seconds)
        os.rename(path + ".new", path)


if __name__ == "__main__":
    unittest.main()
