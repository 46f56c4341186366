"""write_arduino_cloud: SIGKILL at random moments loses nothing committed.

WEIR_KILLS=200 makes the loop longer; the default keeps `make check` short."""

import collections
import os
import random
import shutil
import signal
import sqlite3
import time
import unittest

import cloudcase
import weir

KILLS = int(os.environ.get("WEIR_KILLS", "10"))
SEED = int(os.environ.get("WEIR_SEED", "0")) or random.randrange(1 << 30)


class CloudKillTest(cloudcase.Case):
    def stored(self):
        """What is in the spool, read from a copy: {(property, value)}."""
        spool = os.path.join(self.dir, "write_arduino_cloud")
        copy = os.path.join(self.dir, "copy")
        shutil.rmtree(copy, ignore_errors=True)
        if not os.path.exists(spool + "/pump.db"):
            return set()
        shutil.copytree(spool, copy)
        db = sqlite3.connect(copy + "/pump.db")
        rows = set(db.execute(
            "SELECT key, value FROM value, property WHERE "
            "value.property = property.number"))
        db.close()
        return rows

    def recorded(self, cloud):
        return {(v["property"], v["value"]) for v in cloud.values()}

    def run_loop(self, durability):
        dice = random.Random(SEED)
        cloud = self.cloudsim()
        agent = self.agent(
            cloud, flow="MinInterval 0", start=False,
            extra='Durability "%s"\nRateLimit 10\nBatchSize 5' % durability)
        self.one_write_thread(agent)
        committed, n = set(), 0
        for _ in range(KILLS):
            agent.start()
            feed = self.feed(agent)
            sentinel = n
            # Now and then the cloud takes values and does not say so.
            cloud.control(clear=True, fail=[{
                "path": "publish", "status": 500, "accept": True,
                "after": dice.randrange(10)}])
            for _ in range(dice.randrange(1, 150)):
                feed.flow(n)
                if n % 5 == 0:
                    feed.label("w%d" % n, labels=("w",))
                n += 1
                if dice.random() < 0.1:
                    time.sleep(dice.random() * 0.02)
            # The first value is safe before the kill, the last ones may be.
            weir.wait_until(
                lambda: ("flow_rate", sentinel) in
                self.stored() | self.recorded(cloud),
                "value %d is committed" % sentinel, alive=agent)
            time.sleep(dice.random() * 0.8)
            agent.signal(signal.SIGKILL)
            agent.child.wait()
            feed.close()
            committed |= self.stored()
            committed.add(("flow_rate", sentinel))
        self.hurry(agent)
        agent.start()
        weir.wait_until(lambda: committed <= self.recorded(cloud),
                        "what was committed reaches the cloud", alive=agent)
        self.health(agent, "queue_length", "spool", lambda v: v == 0)
        agent.stop()
        self.check_record(cloud, committed)

    @staticmethod
    def one_write_thread(agent):
        """The order of arrival is that of the feed: of collectd's several
        write threads one may sleep while another's value is on its way."""
        with open(agent.config_path) as text:
            config = text.read()
        with open(agent.config_path, "w") as out:
            out.write("WriteThreads 1\n" + config)

    @staticmethod
    def hurry(agent):
        """The backlog that the small batches left goes in large ones."""
        with open(agent.config_path) as text:
            config = text.read()
        with open(agent.config_path, "w") as out:
            out.write(config.replace("BatchSize 5", "BatchSize 500"))

    def check_record(self, cloud, committed):
        values = cloud.values()
        self.assertEqual(set(), committed - self.recorded(cloud))
        for name in ("flow_rate", "classification"):
            stamps = [v["timestamp"] for v in values
                      if v["property"] == name and v["timestamp"]]
            first = list(dict.fromkeys(stamps))
            self.assertEqual(sorted(first), first)
        twice = collections.Counter((v["property"], v["value"])
                                    for v in values)
        self.notice("%d kills (WEIR_SEED=%d): %d values committed, %d "
                    "recorded, %d of them twice or more" % (
                        KILLS, SEED, len(committed), len(twice),
                        sum(1 for c in twice.values() if c > 1)))
        stamps = collections.defaultdict(set)
        for v in values:
            if v["timestamp"]:
                stamps[v["property"], v["value"]].add(v["timestamp"])
        self.assertEqual([], [k for k, s in stamps.items() if len(s) > 1])

    def test_kills_with_fsync(self):
        self.run_loop("power")

    def test_what_is_held_is_stored_when_the_cloud_is_gone(self):
        """However long a value may wait for a cloud that answers."""
        cloud = self.cloudsim()
        agent = self.agent(cloud, flow="MinInterval 0",
                           extra="RateLimit 10\nStoreAfter 60")
        feed = self.feed(agent)
        feed.flow(1)
        cloud.wait_values(1, value=1)
        cloud.kill()
        feed.flow(2)
        weir.wait_until(lambda: ("flow_rate", 2) in self.stored(),
                        "the value is stored", alive=agent)
        agent.signal(signal.SIGKILL)
        agent.child.wait()
        feed.close()
        cloud.start()
        agent.start()
        cloud.wait_values(1, value=2)
        agent.stop()

    def test_kills_without_fsync(self):
        self.run_loop("process")


if __name__ == "__main__":
    unittest.main()
