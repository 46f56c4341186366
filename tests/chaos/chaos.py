"""make chaos: the real daemon, its plugins and peers under faults, seeded.

Rounds of faults until SECONDS (3600) are over: one to three at a time, drawn
from SEED; each round heals all, and then the label must be right everywhere
within the bound of the man pages. At the end oracle.py looks at all that was
sent. The same seed draws the same faults; what the kernel makes of their
moments is not the same.

SAN=address or thread: with plugins built so. PLANT=lie|leak|label: a failure is
planted, and the run has to be red. What this machine cannot do (namespaces,
netem, netfilter, a frozen disk) is said in a NOTICE: net.py is the network as
the kernel makes it fail, wire.py a proxy that does so in its place.
FAULTS: a regular expression, only faults of such names."""

import collections
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e")]

import cloudcase  # noqa: E402
import edgecase  # noqa: E402
import faults  # noqa: E402
import net  # noqa: E402
import oracle  # noqa: E402
import test_cloud_disk  # noqa: E402
import weir  # noqa: E402
import wire  # noqa: E402
from parts import (BEGAN, CONFIG, RUDE, RUDE_PY, STOCK, Disk,  # noqa: E402
                   Feed, say)

SEED = int(os.environ.get("SEED") or random.randrange(1 << 30))
SECONDS = float(os.environ.get("SECONDS") or 3600)
PLANT = os.environ.get("PLANT", "")
SAN = os.environ.get("WEIR_SAN", "")
FLOW = 10.0


class World(faults.Faults):
    well = True  # the flow is that of a plant that is well

    def __init__(self):
        self.dir = os.path.join(weir.BUILD, "chaos", "%d" % SEED)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.dice = random.Random(SEED)
        self.kills, self.steps, self.recoveries = [], {0}, []
        self.turns, self.turned = [], []  # when the clock was set, by two others
        self.net = net.Net(self.dice)
        self.injected = collections.Counter()
        self.disk = Disk(self.dir)
        self.start_peers()
        self.start_agent()

    def start_peers(self):
        self.control = os.path.join(self.dir, "control")
        self.m4 = weir.M4Sim(self.dir, "--control", self.control, "--flow",
                             "%g" % FLOW, "--report-hold", "6000",
                             "--seed", str(SEED)).start()
        properties = ("flow_rate:FLOAT", "counter:FLOAT",
                      "classification:CHARSTRING")
        args = ["--thing", weir.CloudSim.THING]
        for p in properties:
            args += ["--property", p]
        self.cloud = weir.CloudSim(self.dir, *args).start()
        self.m4_wire = wire.Wire(self.m4.address)
        self.cloud_wire = wire.Wire(self.cloud.address.partition("://")[2])

    def start_agent(self):
        self.shift = os.path.join(self.dir, "shift")
        shim = os.path.join(self.dir, "shim.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", shim],
                       input=test_cloud_disk.CLOCK_SHIM.encode(), check=True)
        text = CONFIG
        if SAN:
            say("NOTICE the rude neighbour (python) is not there under SAN")
        else:
            text += RUDE
            with open(os.path.join(self.dir, "rude.py"), "w") as out:
                out.write(RUDE_PY % (PLANT == "leak"))
        self.agent = weir.Collectd(
            self.dir, text.format(
                dir=self.dir, disk=self.disk.path, eim=weir.EIM,
                m4=self.m4_wire.address, cloud=self.cloud_wire.address,
                credentials=self.cloud.credentials(self.dir)),
            stock=STOCK + (() if SAN else ("python",)))
        self.agent.env.update(CLOCK_SHIFT=self.shift)
        self.agent.env["LD_PRELOAD"] = " ".join(
            filter(None, [self.agent.env.get("LD_PRELOAD"), shim]))
        self.agent.start()
        self.feed = Feed(os.path.join(self.dir, "sock"))
        self.feed.start()

    # -- what is seen --

    def order(self, line):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(5)
            peer.connect(self.control)
            peer.sendall(line.encode() + b"\n")
            with peer.makefile() as lines:
                return lines.readline().strip()

    def rests(self):
        """Whether, since the round began, a method was left alone."""
        with open(self.agent.log_path, "rb") as log:
            log.seek(self.log_before)
            return b"not called again for" in log.read()

    def newest(self, **want):
        """The newest value that collectd wrote, with these fields; None. Not
        GETVAL: collectd's cache keeps a value whose stamp lies ahead."""
        with open(self.agent.log_path, "rb") as log:
            log.seek(max(self.agent.log_start, log.seek(0, 2) - 200000))
            lines = log.read().decode(errors="replace").splitlines()
        for line in reversed(lines):
            if line.startswith("[{") and line.endswith("}]"):
                for v in json.loads(line):
                    if all(v.get(k) == x for k, x in want.items()):
                        return v["values"][0]
        return None

    def label_is_right(self):
        """In collectd, at the M4's output, at the cloud."""
        well = self.well
        if self.newest(plugin="edge_impulse", type="bool",
                       type_instance="Normal") != int(well):
            return False
        try:
            if (json.loads(self.order("status"))["output"] == "ok") != well:
                return False
        except (OSError, ValueError):
            return False
        # A batch of the backlog ends with what is so now.
        shown = self.cloud.values(property="classification")
        return bool(shown) and (shown[-1]["value"] == "Normal") == well

    def resources(self):
        pid = self.agent.pid
        return {"descriptors": len(os.listdir("/proc/%d/fd" % pid)),
                "threads": len(os.listdir("/proc/%d/task" % pid)),
                "children": len(edgecase.children(pid))}

    # -- the run --

    def round(self):
        """Some faults, one after the other and all at a time; then none."""
        healers, choices = [], self.choices()
        self.log_before = os.path.getsize(self.agent.log_path)
        for name, longest, act in self.dice.sample(
                choices, min(len(choices), self.dice.randint(1, 3))):
            wait = self.dice.uniform(0, 3)
            lasts = self.dice.uniform(longest / 4, longest)
            time.sleep(wait)
            say("%s for %.1f s" % (name, lasts))
            self.injected[name] += 1
            heal = act()
            healers.append((time.monotonic() + lasts, heal))
        for until, heal in sorted(healers, key=lambda h: h[0]):
            time.sleep(max(0, until - time.monotonic()))
            heal()
        self.calm()
        self.alive()

    def alive(self):
        if self.agent.poll() is not None:
            raise AssertionError("collectd ended by itself: %s\n%s" % (
                self.agent.poll(), self.agent.tail()))
        self.agent.check_reports()

    def turn(self):
        """The flow is another now, so that no old label is the right one."""
        self.well = not self.well
        if PLANT == "label":
            return  # it is not, so that the label will be wrong
        weir.wait_until(lambda: self.told(
            "event recover" if self.well else "event blockage 2 over 1"),
            "the simulated M4 takes orders", alive=self.m4)

    def told(self, line):
        try:
            return self.order(line).startswith("ok")
        except OSError:
            return False

    def recover(self):
        began = time.monotonic()
        self.turn()
        weir.wait_until(self.label_is_right, "the label is right in collectd,"
                        " at the M4 and at the cloud", alive=self.agent,
                        ceiling=oracle.LABEL_S +
                        oracle.REST_S * self.rests())
        self.recoveries.append(time.monotonic() - began)
        say("well again after %.1f s" % self.recoveries[-1])

    def first(self):
        weir.wait_until(self.label_is_right, "all is well at the start",
                        ceiling=90, alive=self.agent)
        say("all is well")
        if PLANT == "lie":
            self.cloud_wire.order(mode="lie")
            time.sleep(5)
            self.cloud_wire.order()

    def run(self):
        self.first()
        before, pid = self.resources(), self.agent.pid
        while time.monotonic() - BEGAN < SECONDS:
            self.round()
            self.recover()
            if self.agent.pid != pid:
                before, pid = self.resources(), self.agent.pid
        return before

    def finish(self, found, before):
        """All that waits has to arrive; then collectd ends in good order."""
        self.feed.ended.set()
        self.feed.join()
        must, _ = oracle.sent_values(self.feed.taken, self.kills)
        try:
            weir.wait_until(lambda: must <= {
                int(v["value"])
                for v in self.cloud.values(property="counter")},
                "all numbers are at the cloud", ceiling=300, alive=self.agent)
        except AssertionError:
            pass  # the oracle says which are not
        oracle.check_resources(found, before, self.resources())
        child = self.model()
        self.agent.stop()
        found.need(child is None or not edgecase.alive(child),
                    "the model runs on without collectd")
        self.agent.check_reports()

    def keep(self):
        """What the oracle is told, beside what the peers recorded."""
        with open(os.path.join(self.dir, "told.json"), "w") as out:
            json.dump({"feed": self.feed.taken, "kills": self.kills,
                       "turns": self.turns, "turned": self.turned,
                       "steps": sorted(self.steps)}, out)

    def judge(self, found):
        self.keep()
        sent, twice = oracle.check_feed(
            found, self.feed.taken, self.kills, self.turns,
            self.cloud.values(property="counter"), cloudcase.seconds)
        calls = [(c["t"], c["value"]) for c in self.m4.calls("flow_rate")
                 if isinstance(c.get("value"), (int, float))]
        readings = [(v["t"], v["timestamp"] and cloudcase.seconds(
            v["timestamp"]), v["value"])
            for v in self.cloud.values(property="flow_rate")]
        read = oracle.check_readings(found, calls, readings, self.steps,
                                     self.turned)
        if self.kills:
            say("the disk took %.2f s at a kill, at most" % max(
                disk for _, disk, _ in self.kills))
        say("%d numbers had to arrive, %d came twice or more; %d readings; "
            "%d kills" % (sent, twice, read, len(self.kills)))
        say("injected: " + ", ".join(
            "%s %d" % x for x in sorted(self.injected.items())))
        if self.recoveries:
            r = sorted(self.recoveries)
            say("%d rounds; well again after %.1f s (median), %.1f s (longest)"
                % (len(r), r[len(r) // 2], r[-1]))

    def close(self):
        self.disk.freeze(False)
        for process in (self.agent, self.m4, self.cloud):
            process.kill()
        self.disk.close()


def main():
    found, world = oracle.Faults(), None
    print("chaos: SEED=%d SECONDS=%g SAN=%s PLANT=%s" % (
        SEED, SECONDS, SAN, PLANT), flush=True)
    try:
        world = World()
        world.finish(found, world.run())
    except AssertionError as fault:
        found.append(str(fault))
    finally:
        if world is not None:
            world.close()
    if world is not None:
        world.judge(found)
    for fault in found:
        print("FAIL " + fault)
    print("counted %d %d 0" % (1 if not found else 0, len(found)))
    return 1 if found else 0


if __name__ == "__main__":
    net.namespace(__file__)
    sys.exit(main())
