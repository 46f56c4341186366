"""The faults of make chaos: each does harm and returns what heals it."""

import os
import re
import signal
import time

import edgecase
import weir


class Faults:
    """Mixed into the world, whose processes, disk and wires it harms."""

    disk_until = 0.0  # the disk may not be in use again before
    down = None       # what fails just now that forbids something else

    def stall(self, process):
        process.signal(signal.SIGSTOP)
        return lambda: process.signal(signal.SIGCONT)

    def kill(self, process):
        process.kill()
        return process.start

    def model(self):
        found = edgecase.children_named(self.agent.pid, "flow.eim")
        return found[0] if found else None

    def hit_model(self, number):
        pid = self.model()
        if pid is None:
            return lambda: None
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

        def heal():
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        return heal

    def kill_agent(self):
        """Not while the disk fails: what waits in memory ends with it."""
        if self.down:
            return lambda: None
        time.sleep(max(0, self.disk_until - time.monotonic()))
        self.feed.paused.set()
        child = self.model()
        self.agent.signal(signal.SIGKILL)
        killed, disk = time.monotonic(), self.disk.slowest()
        self.agent.child.wait()
        # What collectd itself had in its queue never came to the plugin.
        last = self.newest(plugin="feed", type="gauge") or 0
        self.kills.append((killed, disk, last))
        if child:
            weir.wait_until(lambda: not edgecase.alive(child),
                            "the model ends with a killed collectd")
        self.agent.start()
        self.feed.paused.clear()
        return lambda: None

    def disk_full(self):
        """Not while it is frozen: it could not be filled before it thaws."""
        if self.down:
            return lambda: None
        self.down = "disk"
        self.disk.fill()

        def heal():
            self.disk.empty()
            # The disk is tried again after 5 to 60 s.
            self.disk_until = time.monotonic() + 75
            self.down = None
        return heal

    def disk_frozen(self):
        if self.down or not self.disk.freezes:
            return self.disk_full()
        self.down = "disk"
        self.disk.freeze(True)

        def heal():
            self.disk.freeze(False)
            self.disk_until = time.monotonic() + 75
            self.down = None
        return heal

    def clock(self):
        step = self.dice.choice([-40 * 365, -1, 1, 30, 365]) * 86400 // \
            self.dice.choice([1, 24, 86400])
        self.steps.add(step)
        self.set_clock(step)
        return lambda: self.set_clock(0)

    def set_clock(self, step):
        with open(self.shift, "w") as out:
            out.write("%d\n" % step)
        self.feed.shift = step
        self.turns.append(time.monotonic())
        self.turned.append(time.time())

    def wire_fault(self, which):
        modes = [dict(mode="delay", seconds=0.3), dict(mode="slow", rate=2000),
                 dict(mode="hole"), dict(mode="refuse"), dict(mode="reset"),
                 dict(mode="cut", bytes=self.dice.randrange(1, 200))]
        if which is self.cloud_wire:
            modes.append(dict(mode="portal"))
        which.order(**self.dice.choice(modes))
        return which.order

    def m4_order(self):
        self.told(self.dice.choice([
            "crash 2000", "mute on", "late 0.5 300", "garbage 0.3",
            "cross 0.3", "error 5", "restart m4", "restart proxy 3000",
            "split on", "stale 2", "late next 3 1500"]))
        return self.calm_m4

    def calm_m4(self):
        return all([self.told(line) for line in (
            "mute off", "late 0", "garbage 0", "cross 0", "split off")])

    def cloud_told(self, **order):
        """False while it is stalled or not there."""
        try:
            self.cloud.control(**order)
            return True
        except OSError:
            return False

    def cloud_order(self):
        self.cloud_told(fail=[dict(self.dice.choice([
            dict(status=500), dict(status=503, retry_after=3),
            dict(status=429, retry_after=2), dict(status=302),
            dict(status=401), dict(status=404), dict(action="hang", seconds=9),
            dict(action="close"), dict(action="cut"), dict(action="garbage"),
            dict(status=500, accept=True), dict(action="reset", accept=True),
            dict(action="slow", seconds=2, accept=True)]), path="",
            times=0)])
        return self.calm_cloud

    def calm_cloud(self):
        return self.cloud_told(clear=True, release=True)

    def calm(self):
        """An order to stop may have met a peer that was stalled."""
        weir.wait_until(self.calm_m4, "the simulated M4 takes orders",
                        alive=self.m4)
        weir.wait_until(self.calm_cloud, "the simulated cloud takes orders",
                        alive=self.cloud)

    def expire(self):
        self.cloud_told(expire_tokens=True)
        return lambda: None

    def choices(self):
        """(name, longest duration, what it does)"""
        found = [
            ("m4 killed", 15, lambda: self.kill(self.m4)),
            ("m4 stalls", 15, lambda: self.stall(self.m4)),
            ("m4 misbehaves", 15, self.m4_order),
            ("way to the m4", 15, lambda: self.wire_fault(self.m4_wire)),
            ("cloud killed", 30, lambda: self.kill(self.cloud)),
            ("cloud stalls", 20, lambda: self.stall(self.cloud)),
            ("cloud misbehaves", 30, self.cloud_order),
            ("tokens expire", 1, self.expire),
            ("way to the cloud", 30, lambda: self.wire_fault(self.cloud_wire)),
            ("model killed", 1, lambda: self.hit_model(signal.SIGKILL)),
            ("model stalls", 15, lambda: self.hit_model(signal.SIGSTOP)),
            ("collectd killed", 1, self.kill_agent),
            ("collectd stalls", 10, lambda: self.stall(self.agent)),
            ("clock steps", 20, self.clock)]
        if self.disk.mounted:
            found += [("disk full", 20, self.disk_full),
                      ("disk frozen", 8, self.disk_frozen)]
        found += self.net.choices({"m4": self.m4_wire.port,
                                   "cloud": self.cloud_wire.port})
        only = os.environ.get("FAULTS") or "."
        return [x for x in found if re.search(only, x[0])]
