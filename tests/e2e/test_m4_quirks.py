"""m4_rpc in front of an m4-proxy that does all that the real one does."""

import socket
import threading
import unittest

import m4case
import weir

STAT = m4case.method("flow_stat", 'Element 0 "gauge" "seq"',
                     'Element 1 "flow" "flow"')

# ms. So long that the agent finds nobody there, also on a slow machine: it
# counts no crash otherwise.
OUTAGE = "1000"


class LateTest(m4case.Case):

    def test_late_replies_never_become_readings(self):
        """1 000 calls, one in fifty answered late, not one wrong reading."""
        self.begin("--step=flow_stat", "--flow", "12", "--seed", "7")
        self.order("late 0.02 1040")
        agent = self.agent(self.pump(STAT, options="Interval 0.01"))
        weir.wait_until(lambda: len(self.sim.calls("flow_stat")) >= 1000,
                        "1000 calls were made", ceiling=240, alive=agent)
        self.order("late 0")
        agent.stop()
        good = self.assert_readings_are_true(agent, "flow_stat")
        late = len(self.events("late"))
        self.assertGreater(late, 5)
        self.assertGreater(self.errors(agent, "stale"), late // 2)
        self.assertGreater(good, 1000 - 3 * late)

    def test_stale_channel_is_emptied(self):
        self.begin("--step=flow_stat")
        self.order("stale 7 99.5")
        agent = self.agent(self.pump(STAT, options="Interval 0.05"))
        agent.wait_value(5, plugin="m4_rpc", type_instance="flow")
        self.wait_errors(agent, "stale", 7)
        agent.stop()
        self.assertEqual(self.errors(agent, "stale"), 7)
        self.assert_readings_are_true(agent, "flow_stat")
        self.assertNotIn(99.5, [v["value"] for v in self.flows(agent)])

    def test_two_agents_at_one_proxy(self):
        """They hold each other off: no reply ever goes astray."""
        self.begin("--step=flow_stat", "--delay", "3")
        self.order("cross 0.5")
        blocks = self.pump(STAT, options="Interval 0.01")
        agents = [self.agent(blocks, name="collectd%d" % i) for i in (1, 2)]
        for agent in agents:
            agent.wait_value(150, plugin="m4_rpc", type_instance="seq")
        for agent in agents:
            agent.stop()
            self.assertEqual(self.errors(agent, "stale"), 0)
            self.assertEqual(self.errors(agent, "timeout"), 0)
        calls = {c["seq"]: c["value"] for c in self.sim.calls("flow_stat")}
        seen = []
        for agent in agents:
            seqs = self.flows(agent, type="gauge", type_instance="seq")
            flows = {v["time"]: v["value"]
                     for v in self.flows(agent, type_instance="flow")}
            seen += [v["value"] for v in seqs]
            for v in seqs:
                if v["time"] in flows:
                    self.assertAlmostEqual(flows[v["time"]],
                                           calls[v["value"]], 4)
        self.assertEqual(len(seen), len(set(seen)), "a reading came twice")

    def test_caller_without_lock(self):
        """A program that always uses msgid 0 and takes no lock: replies go
        astray, readings do not."""
        self.begin("--step=flow_stat", "--delay", "3")
        self.order("cross 0.1")
        host, _, port = self.sim.address.rpartition(":")
        done = threading.Event()

        def shout():
            while not done.is_set():
                try:
                    with socket.create_connection((host, int(port)), 5) as s:
                        s.sendall(b"\x94\x00\x00\xabflow_pulses\x90")
                        while s.recv(64):
                            pass
                except OSError:
                    pass

        thread = threading.Thread(target=shout, daemon=True)
        thread.start()
        self.addCleanup(done.set)
        agent = self.agent(self.pump(STAT, options="Interval 0.01"))
        agent.wait_value(100, plugin="m4_rpc", type_instance="seq")
        self.wait_errors(agent, "stale", 3)
        done.set()
        thread.join()
        agent.stop()
        self.assert_readings_are_true(agent, "flow_stat")


class OutageTest(m4case.Case):

    def test_mute_m4(self):
        self.begin()
        agent = self.agent(self.pump(m4case.method("flow_rate"),
                                     options="Interval 0.05"))
        self.wait_up(agent, 1)
        self.order("mute on")
        self.wait_up(agent, 0)
        before = len(self.flows(agent))
        self.wait_errors(agent, "timeout", 2)
        self.assertLessEqual(len(self.flows(agent)), before + 1)
        self.order("mute off")
        self.wait_up(agent, 1)
        agent.stop()
        self.assertEqual(agent.log().count("the M4 is silent"), 1)
        self.assertEqual(agent.log().count("answers again, after"), 1)

    def test_restart_in_the_middle(self):
        self.begin("--step=flow_stat", "--outage", "300")
        agent = self.agent(self.pump(STAT, options="Interval 0.02"))
        for n in range(1, 4):
            self.wait_up(agent, 1)
            self.order("restart proxy")
            self.wait_errors(agent, "refused", n)
        self.order("restart m4")
        self.wait_up(agent, 1)
        agent.stop()
        self.assert_readings_are_true(agent, "flow_stat")

    def test_nobody_there_then_there(self):
        self.begin()
        address = self.sim.address
        self.sim.stop()
        agent = self.agent(self.pump(m4case.method("flow_rate"),
                                     options="Interval 0.05"))
        self.wait_errors(agent, "refused", 5)
        self.assertEqual(self.flows(agent), [])
        self.assertEqual(agent.log().count("nothing listens there"), 1)
        self.sim.start()
        self.assertEqual(self.sim.address, address)
        agent.wait_value(2, plugin="m4_rpc", type="flow")
        agent.stop()

    def test_split_replies(self):
        self.begin("--step=flow_stat")
        self.order("split on")
        agent = self.agent(self.pump(STAT, options="Interval 0.02"))
        agent.wait_value(20, plugin="m4_rpc", type_instance="seq")
        agent.stop()
        self.assert_readings_are_true(agent, "flow_stat")

    def test_garbage(self):
        self.begin("--step=flow_stat")
        self.order("garbage 0.3 c1ffdd00")
        agent = self.agent(self.pump(STAT, options="Interval 0.02"))
        agent.wait_value(50, plugin="m4_rpc", type_instance="seq")
        self.wait_errors(agent, "protocol", 5)
        agent.stop()
        self.assert_readings_are_true(agent, "flow_stat")

    def test_method_that_crashes_the_proxy(self):
        """It is called twice, alone; the others go on when the proxy is back,
        and there is one line for each thing that begins or ends."""
        self.begin("--outage", OUTAGE)
        agent = self.agent(self.pump(
            m4case.method("no_such_method"), m4case.method("flow_rate"),
            options="Interval 0.05"))
        self.wait_errors(agent, "protocol", 20)
        before = len(self.flows(agent))
        agent.wait_value(before + 20, plugin="m4_rpc", type="flow")
        agent.stop()
        self.assertEqual(len(self.events("crash")), 2)
        lines = [l for l in agent.log().splitlines() if "m4_rpc plugin: M4" in l]
        self.assertEqual(len([l for l in lines if "[error]" in l]), 3, lines)
        self.assertRegex(lines[0], r'the proxy crashed .*, calling '
                         r'"no_such_method"')
        self.assertRegex("\n".join(lines), r'method "no_such_method": again the '
                         r"proxy crashed .* not called again for 10 min")
        self.assertNotIn('method "flow_rate"', "\n".join(lines))

    def test_start_limit_is_never_hit(self):
        """Twelve unbound methods would keep the service down for good."""
        self.begin("--outage", OUTAGE)
        agent = self.agent(self.pump(
            m4case.method("flow_rate"),
            *[m4case.method("unbound%d" % i) for i in range(12)],
            options="Interval 0.05"))
        weir.wait_until(lambda: len(self.events("crash")) >= 4,
                        "the fourth crash", alive=agent)
        before = len(self.flows(agent))
        agent.wait_value(before + 50, plugin="m4_rpc", type="flow")
        agent.stop()
        self.assertEqual(len(self.events("crash")), 4)
        self.assertEqual(self.events("start-limit"), [])

    def test_blocks_at_one_proxy_ration_crashes_together(self):
        self.begin("--outage", OUTAGE)
        methods = [m4case.method("unbound%d" % i) for i in range(4)]
        agent = self.agent(
            *[self.pump(*methods, name=name, options="Interval 0.05")
              for name in ("a", "b", "c")])
        for name in ("a", "b", "c"):
            weir.wait_until(
                lambda: self.errors(agent, "protocol", name) >= 40,
                "40 calls are withheld in " + name, alive=agent)
        agent.stop()
        self.assertEqual(len(self.events("crash")), 4)

    def test_a_peer_that_hangs_does_not_delay_the_end(self):
        """Timeout is 60 s; the end of the daemon is awaited for 30."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = "127.0.0.1:%d" % server.getsockname()[1]
            agent = self.agent(m4case.block(
                address, m4case.method("flow_rate"), options="Timeout 60"),
                m4case.block(address, m4case.method("flow_rate"), name="two",
                             options='Timeout 60\nMode "persistent"'))
            for _ in range(2):
                server.settimeout(weir.CEILING)
                peer, _ = server.accept()
                self.addCleanup(peer.close)
                self.assertTrue(peer.recv(10))
            agent.stop()


if __name__ == "__main__":
    unittest.main()
