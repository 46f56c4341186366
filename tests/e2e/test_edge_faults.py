"""target_edge_impulse and a model that delays, hangs, crashes or lies."""

import glob
import os
import signal
import unittest

import edgecase
import weir

# order, what is counted
FAULTS = {
    "hang": ({"mode": "hang"}, "timeout"),
    "drip": ({"mode": "drip"}, "timeout"),
    "slow": ({"mode": "delay", "seconds": 30}, "timeout"),
    "crash": ({"mode": "crash"}, "refused"),
    "garbage": ({"mode": "garbage"}, "protocol"),
    "other_id": ({"mode": "other_id"}, "protocol"),
    "other_labels": ({"mode": "other_labels"}, "protocol"),
    "score": ({"mode": "score"}, "protocol"),
    "flood": ({"mode": "flood"}, "protocol"),
    "refuse": ({"mode": "refuse"}, "model"),
    "longer": ({"mode": "longer"}, "model"),
    "gone": ({"mode": "crash", "start": "exit"}, "refused"),
}
TARGET = 'Model "%s"\nTimeout 0.5\nRangePolicy "off"\nDebounce 1 1'


class FaultsTest(edgecase.Case):
    """One method for each fault, made below."""

    def setUp(self):
        super().setUp()
        self.model = edgecase.Model(self.dir)

    def check_labels(self, agent, samples):
        """Every label there is belongs to its window: the bad model's answer
        depends on the newest sample alone."""
        for second, label in self.states(agent).items():
            self.assertEqual(label, "Low" if samples[second] < 5 else "Normal")

    def recovers(self, orders, kind):
        agent = self.agent([TARGET % self.model.path])
        pattern = [3, 8, 4, 12, 2, 9, 1]
        samples = []

        def feed(count):
            more = [pattern[(len(samples) + i) % 7] for i in range(count)]
            self.put(more)
            samples.extend(more)

        feed(12)
        self.wait_window(agent, 11)
        self.model.order(**orders)

        def faulty():
            feed(1)
            return [v for v in agent.values(plugin="edge_impulse",
                                            type_instance="up")
                    if v["value"] == 0] and self.errors(agent, kind) > 0
        weir.wait_until(faulty, "errors-%s is counted" % kind, alive=agent)
        self.model.order(mode="ok")
        before = len(samples)

        def well():
            feed(1)
            return max(self.scores(agent, "Normal")) > before
        weir.wait_until(well, "windows are answered again", alive=agent)
        agent.wait_log(r"answers again, after")
        agent.stop()
        self.check_labels(agent, samples)
        said = [x for x in agent.log().splitlines() if "[warning] target_edge"
                in x]
        self.assertLessEqual(len(said), 2, "\n".join(said))

    def test_chatter_is_no_fault(self):
        agent = self.agent([TARGET % self.model.path])
        self.model.order(mode="chatter")
        self.put([10] * 20)
        self.wait_window(agent, 19)
        agent.stop()
        self.assertEqual(self.errors(agent, "timeout"), 0)
        self.assertEqual(len(self.model.starts()), 2)  # one was the check


for name, row in FAULTS.items():
    setattr(FaultsTest, "test_" + name,
            lambda self, row=row: self.recovers(*row))


class ChildTest(edgecase.Case):
    def setUp(self):
        super().setUp()
        self.model = edgecase.Model(self.dir)
        self.left_before = set(glob.glob("/tmp/weir-eim-*"))

    def start(self, extra="", targets=1):
        agent = self.agent(
            [TARGET % self.model.path + extra + (
                '\nInstance "%%{plugin_instance}%d"' % i if i else "")
             for i in range(targets)])
        self.put([10] * 12)
        self.wait_window(agent, 11)
        return agent

    def gone(self, pid):
        weir.wait_until(lambda: not edgecase.alive(pid),
                        "the model (pid %d) is gone" % pid)

    def nothing_left(self):
        """Other agents of this machine make such directories, too; theirs go
        as they end, one of ours would stay."""
        left = set(glob.glob("/tmp/weir-eim-*")) - self.left_before
        weir.wait_until(
            lambda: not left & set(glob.glob("/tmp/weir-eim-*")),
            "the directories %s are gone" % sorted(left))

    def test_stopped_with_the_agent(self):
        agent = self.start()
        pid = self.model.starts()[-1]
        self.assertTrue(edgecase.alive(pid))
        agent.stop()
        self.assertFalse(edgecase.alive(pid))
        self.nothing_left()

    def test_a_hanging_one_does_not_hold_up_the_end(self):
        agent = self.agent(['Model "%s"\nTimeout 60' % self.model.path])
        self.model.order(mode="hang")
        self.put([10] * 12)
        weir.wait_until(lambda: self.model.requests() > 0,
                        "the model hangs in a request", alive=agent)
        pid = self.model.starts()[-1]
        agent.stop()
        self.gone(pid)
        self.nothing_left()

    def test_a_deaf_one_does_not_hold_up_the_end(self):
        agent = self.start()
        self.model.order(start="deaf", mode="crash")
        count = len(self.model.starts())
        self.put([10])
        weir.wait_until(lambda: len(self.model.starts()) > count,
                        "the model is started anew", alive=agent)
        agent.stop()
        self.gone(self.model.starts()[-1])
        self.nothing_left()

    def test_ends_when_the_agent_is_killed(self):
        agent = self.start()
        pid = self.model.starts()[-1]
        agent.signal(signal.SIGKILL)
        agent.wait_exit()
        self.gone(pid)
        self.nothing_left()

    def test_own_group_and_no_descriptor_of_ours(self):
        agent = self.start()
        pid = self.model.starts()[-1]
        self.assertEqual(os.getpgid(pid), pid)
        names = [os.readlink("/proc/%d/fd/%s" % (pid, n))
                 for n in edgecase.files_of(pid)]
        mine = {os.readlink("/proc/%d/fd/%s" % (agent.pid, n))
                for n in edgecase.files_of(agent.pid)}
        shared = [x for x in names if x in mine and x != "/dev/null"]
        self.assertEqual([x for x in shared if not x.startswith("pipe:")], [])
        self.assertLessEqual(len(names), 6, names)
        agent.stop()

    def test_no_zombie_and_no_leak_after_many_crashes(self):
        agent = self.start()
        files = len(edgecase.files_of(agent.pid))
        for _ in range(8):
            count = len(self.model.starts())
            os.kill(self.model.starts()[-1], signal.SIGKILL)

            def again():
                self.put([10])
                return len(self.model.starts()) > count
            weir.wait_until(again, "the model is started anew", alive=agent)
        self.put([10] * 3)
        weir.wait_until(
            lambda: len(edgecase.children(agent.pid)) == 1 and
            len(edgecase.files_of(agent.pid)) == files,
            "one child, and as many descriptors as at first", alive=agent)
        agent.stop()
        self.nothing_left()

    def test_other_model_after_a_restart(self):
        """Window and labels follow the program that runs now."""
        agent = self.start()
        self.model.order(samples=6, labels=["Low", "Normal", "new/one"])
        os.kill(self.model.starts()[-1], signal.SIGKILL)

        def known():
            self.put([10])
            return agent.values(plugin="edge_impulse", type="percent",
                                type_instance="new_one")
        weir.wait_until(known, "the new label is seen", alive=agent)
        agent.stop()
        self.assertIn("6 values, 3 labels", agent.log())

    def test_targets_share_one_child(self):
        agent = self.start(targets=3)
        weir.wait_until(lambda: len([
            v for v in agent.values(plugin="edge_impulse", type="percent",
                                    type_instance="Normal")]) >= 9,
            "three targets answer three windows each", alive=agent)
        self.assertEqual(len(edgecase.children(agent.pid)), 1)
        self.assertEqual(len(self.model.starts()), 2)  # one was the check
        agent.stop()

    def test_queue_drops_the_oldest_and_counts(self):
        agent = self.start(extra="\nQueueLength 4")
        self.model.order(mode="delay", seconds=0.3)
        self.put([10] * 30)
        self.wait_window(agent, 41)
        self.model.order(mode="ok")

        def dropped():
            self.put([10])
            return self.errors(agent, "dropped") > 0
        weir.wait_until(dropped, "errors-dropped is counted", alive=agent)
        agent.stop()
        answered = self.scores(agent, "Normal")
        self.assertLess(len([s for s in answered if 12 <= s < 42]), 30)
        self.assertIn(41, answered)  # the newest ones win
        self.assertIn(38, answered)

    def test_newest_wins_when_the_model_is_slow(self):
        agent = self.start(extra="\nMaxDelay 0.1")
        self.model.order(mode="delay", seconds=0.3)
        self.put([10] * 30)
        self.wait_window(agent, 41)
        agent.stop()
        self.assertLess(len([s for s in self.scores(agent, "Normal")
                             if 12 <= s < 42]), 6)


if __name__ == "__main__":
    unittest.main()
