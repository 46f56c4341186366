"""m4_rpc when something is away: who is told what, who is blamed, and how
long it is said to have lasted."""

import fcntl
import os
import re
import socket
import threading
import unittest

import m4case
import weir

FLOW = m4case.FLOW
LINE = re.compile(r"\[(error|warning|info)\] m4_rpc plugin: (.*)")


def lines(agent):
    """What m4_rpc has logged: (severity, text)."""
    return LINE.findall(agent.log())


class Tunnel:
    """What ssh -L or socat do: accept always, and end the connection when the
    far side cannot be reached."""

    def __init__(self, case, address):
        host, _, port = address.rpartition(":")
        self.far = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        case.addCleanup(self.listener.close)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,),
                             daemon=True).start()

    def _carry(self, near):
        try:
            with near, socket.create_connection(self.far, 5) as far:
                back = threading.Thread(target=self._copy, args=(far, near),
                                        daemon=True)
                back.start()
                self._copy(near, far)
                back.join()
        except OSError:
            pass

    @staticmethod
    def _copy(source, target):
        try:
            while data := source.recv(4096):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class SilentTest(m4case.Case):
    METHODS = "".join(
        m4case.method("flow_rate", 'Type "flow"', 'Instance "f%d"' % i)
        for i in range(7))

    def ups(self, agent):
        return agent.values(plugin="m4_rpc", type="bool", type_instance="up")

    def test_the_turn_is_over_after_one_silent_call(self):
        """Seven methods, and still one call a second, one health a turn."""
        self.begin()
        agent = self.agent(self.pump(self.METHODS))
        self.wait_up(agent, 1)
        self.order("mute on")
        before = len(self.ups(agent))
        weir.wait_until(lambda: len(self.ups(agent)) >= before + 6,
                        "six healths", alive=agent)
        after = self.ups(agent)[before:]
        self.assertIn(0, [v["value"] for v in after[:4]])
        self.assertLessEqual(len(self.events("unheard")), len(after) + 2)
        self.order("mute off")
        self.wait_up(agent, 1)
        agent.stop()
        self.assertEqual([s for s, _ in lines(agent)], ["error", "info"])

    def test_first_second_of_our_sketch(self):
        """It has no reading yet and says NaN: that is no error."""
        self.begin()
        agent = self.agent(self.pump(FLOW, options="Interval 0.05"))
        self.wait_up(agent, 1)
        self.order("restart m4")
        weir.wait_until(lambda: any(c["value"] is None
                                    for c in self.sim.calls("flow_rate")),
                        "NaN is answered", alive=agent)
        seen = len(self.flows(agent))
        agent.wait_value(seen + 5, plugin="m4_rpc", type="flow")
        agent.stop()
        self.assertEqual(lines(agent), [])
        self.assertEqual(self.errors(agent, "protocol"), 0)


class RouterTest(m4case.Case):

    def test_router_without_m4(self):
        self.begin("--ideal", "--error-style", "array")
        self.order("unrouted on")
        agent = self.agent(self.pump(
            FLOW, m4case.method("flow_pulses", 'Type "derive"'),
            options='Mode "persistent"\nInterval 0.1'))
        agent.wait_log("the router answers but knows nobody")
        self.wait_up(agent, 0)
        self.assertNotIn(1, [v["value"] for v in agent.values(
            plugin="m4_rpc", type="bool", type_instance="up")])
        self.order("unrouted off")
        self.wait_up(agent, 1)
        agent.stop()
        self.assertEqual([s for s, _ in lines(agent)], ["error", "info"])


class BlameTest(m4case.Case):

    def test_tunnel_whose_far_side_restarts(self):
        """Nobody rests: flow is back when the far side is."""
        self.begin("--step=flow_rate")
        tunnel = Tunnel(self, self.sim.address)
        agent = self.agent(m4case.block(
            tunnel.address, FLOW + m4case.method(
                "flow_pulses", 'Type "derive"'), options="Interval 0.1"))
        self.wait_up(agent, 1)
        for n in range(2):
            self.sim.stop()
            agent.wait_log("accepted and closed at once", n + 1)
            self.wait_up(agent, 0)
            self.sim.start()
            seen = len(self.flows(agent))
            agent.wait_value(seen + 5, plugin="m4_rpc", type="flow")
        agent.stop()
        self.assertNotIn("not called again", agent.log())
        self.assertNotIn("crashed", agent.log())
        self.assertEqual([s for s, _ in lines(agent)],
                         ["error", "info"] * 2)

    def test_nothing_proven_behind_a_tunnel(self):
        self.begin("--step=flow_rate")
        tunnel = Tunnel(self, self.sim.address)
        self.sim.stop()
        agent = self.agent(m4case.block(tunnel.address, FLOW,
                                        options="Interval 0.1"))
        agent.wait_log("accepted and closed at once")
        self.sim.start()
        agent.wait_value(5, plugin="m4_rpc", type="flow")
        agent.stop()
        self.assertNotIn("not called again", agent.log())

    def test_unbound_method_behind_a_tunnel(self):
        """The real proxy dies each time, which the tunnel hides: twice."""
        self.begin("--outage", "300")
        tunnel = Tunnel(self, self.sim.address)
        agent = self.agent(m4case.block(
            tunnel.address, m4case.method("unbound") + FLOW,
            options="Interval 0.1"))
        agent.wait_log("not called again for 10 min")
        seen = len(self.flows(agent))
        agent.wait_value(seen + 20, plugin="m4_rpc", type="flow")
        agent.stop()
        self.assertEqual(len(self.events("crash")), 2)
        self.assertNotIn('method "flow_rate"', agent.log())

    def test_crash_by_somebody_else(self):
        """The proxy dies of another's call in the middle of ours, ten times:
        none of our methods rests."""
        self.begin("--outage", "100", "--start-limit", "31")
        agent = self.agent(self.pump(
            FLOW, m4case.method("flow_pulses", 'Type "derive"'),
            options="Interval 0.05"))
        for n in range(10):
            self.wait_up(agent, 1)
            self.order("crash")
            self.wait_errors(agent, "refused", n + 1)
        self.wait_up(agent, 1)
        agent.stop()
        self.assertNotIn("not called again", agent.log())

    def test_report_to_a_method_of_another_arity(self):
        """The M4 dies of it; the log says of what."""
        self.begin("--step=flow_rate")
        agent = self.agent(
            self.pump(FLOW, options="Interval 0.2",
                      reports=m4case.report("flow_pulses", "MaxAge 1")))
        agent.wait_log('it fell silent right after the first report to '
                       '"flow_pulses"')
        agent.stop()
        self.assertTrue(self.events("exception"))


class LengthTest(m4case.Case):

    def said(self, agent):
        text = agent.wait_log(r"answers again, after ([0-9.]+) s")
        return float(text.group(1))

    def test_one_line_begins_and_one_ends_it(self):
        """With three methods; the length is that of the outage."""
        self.begin()
        methods = [m4case.method("flow_rate", 'Type "flow"',
                                 'Instance "f%d"' % i) for i in range(3)]
        agent = self.agent(self.pump(*methods, options="Interval 0.1"))
        self.wait_up(agent, 1)
        self.order("restart proxy 3000")
        said = self.said(agent)
        agent.stop()
        down = self.events("restart")[0]["t"]
        lasted = self.events("up")[0]["t"] - down
        self.assertEqual([s for s, _ in lines(agent)], ["error", "info"])
        self.assertGreater(said, lasted - 0.5)
        calls = [c["t"] for c in self.sim.calls("flow_rate")]
        first = min(t for t in calls if t > down)
        self.assertLess(said, first - max(t for t in calls if t <= down) + 0.5)

    def test_a_single_miss_is_not_logged(self):
        self.begin()
        methods = [m4case.method("flow_rate", 'Type "flow"',
                                 'Instance "f%d"' % i) for i in range(3)]
        agent = self.agent(self.pump(*methods))
        self.wait_up(agent, 1)
        self.order("late next 1 1200")
        self.wait_errors(agent, "stale")
        seen = len(self.flows(agent))
        agent.wait_value(seen + 6, plugin="m4_rpc", type="flow")
        agent.stop()
        self.assertEqual(lines(agent), [])


class LockTest(m4case.Case):

    def lock_path(self):
        port = self.sim.address.rpartition(":")[2]
        return os.path.join(self.dir, "weir-m4-local_%s.lock" % port)

    def test_a_lock_that_is_never_given_back(self):
        self.begin()
        with open(self.lock_path(), "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            agent = self.agent(self.pump(
                FLOW, options="Interval 0.1\nTimeout 1.2"))
            agent.wait_log("does not give back the lock")
            agent.wait_value(5, plugin="m4_rpc", type="flow")
        agent.wait_log("the lock of the proxy is free again")
        agent.stop()
        self.assertEqual([s for s, _ in lines(agent)], ["warning", "info"])

    def test_one_proxy_is_one_lock_whatever_its_name(self):
        """127.0.0.1, localhost and two agents: nothing goes astray."""
        self.begin("--step=flow_rate", "--delay", "3")
        self.order("cross 0.5")
        port = self.sim.address.rpartition(":")[2]
        blocks = [m4case.block("%s:%s" % (host, port), FLOW, name=name,
                               options="Interval 0.02")
                  for name, host in (("a", "127.0.0.1"), ("b", "localhost"))]
        agents = [self.agent(*blocks, name="agent%d" % i) for i in (1, 2)]
        for agent in agents:
            for name in ("a", "b"):
                agent.wait_value(60, plugin="m4_rpc", plugin_instance=name,
                                 type="flow")
        for agent in agents:
            agent.stop()
            for name in ("a", "b"):
                for kind in ("stale", "timeout"):
                    self.assertEqual(self.errors(agent, kind, name), 0)
        self.assertEqual([f for f in os.listdir(self.dir) if ".lock" in f],
                         [os.path.basename(self.lock_path())])

    def test_one_proxy_is_one_ration_whatever_its_name(self):
        self.begin("--outage", "50")
        port = self.sim.address.rpartition(":")[2]
        methods = "".join(m4case.method("unbound%d" % i) for i in range(4))
        agent = self.agent(*[
            m4case.block("%s:%s" % (host, port), methods, name=name,
                         options="Interval 0.05")
            for name, host in (("a", "127.0.0.1"), ("b", "localhost"))])
        for name in ("a", "b"):
            weir.wait_until(
                lambda: self.errors(agent, "protocol", name) >= 40,
                "40 calls are withheld in " + name, alive=agent)
        agent.stop()
        self.assertEqual(len(self.events("crash")), 4)


class StartTest(m4case.Case):

    def test_interval_of_loadplugin(self):
        self.begin()
        text = m4case.plugin(self.pump(FLOW)).replace(
            "LoadPlugin m4_rpc", "<LoadPlugin m4_rpc>\n  Interval 0.2\n"
            "</LoadPlugin>")
        agent = self.collectd(text, stock=())
        flows = agent.wait_value(5, plugin="m4_rpc", type="flow")
        agent.stop()
        self.assertEqual({v["interval"] for v in flows}, {0.2})

    def test_global_interval_is_not_ours(self):
        """Given before the plugin is loaded, or after."""
        self.begin()
        for text in ("Interval 3\nLoadPlugin m4_rpc",
                     "LoadPlugin m4_rpc\nInterval 3"):
            agent = self.collectd(
                m4case.plugin(self.pump(FLOW)).replace("LoadPlugin m4_rpc",
                                                       text), stock=())
            flows = agent.wait_value(1, plugin="m4_rpc", type="flow")
            agent.stop()
            self.assertEqual({v["interval"] for v in flows}, {1.0})

    def test_empty_environment_is_unset(self):
        text = m4case.plugin('<M4 "pump">\n%s</M4>\n' % FLOW)
        process = weir.Collectd(self.dir, text, stock=())
        process.env.update(M4_PROXY_HOST="", M4_PROXY_PORT="")
        agent = self.run_process(process)
        agent.wait_log('M4 "pump" at m4proxy:5001: ')
        agent.stop()

    def test_too_few_descriptors(self):
        """One line says how many are missing; what fits runs, the rest says
        that it is down."""
        self.begin("--ideal")
        blocks = [m4case.block(self.sim.address, FLOW, name="board%d" % i,
                               options='Mode "persistent"\nInterval 0.2')
                  for i in range(80)]
        process = weir.Collectd(self.dir, m4case.plugin(*blocks), stock=())
        process.argv = ["prlimit", "--nofile=128"] + process.argv
        agent = self.run_process(process)
        missing = int(agent.wait_log(
            r"(\d+) descriptors are missing: \d+ of 80 <M4> blocks"
        ).group(1))
        self.assertGreater(missing, 0)
        self.assertLess(missing, 60)
        agent.wait_value(2, plugin="m4_rpc", plugin_instance="board0",
                         type="flow")
        weir.wait_until(lambda: self.up(agent, "board79") == 0,
                        "the last one is down", alive=agent)
        agent.stop()
        names = {v["plugin_instance"] for v in self.flows(agent)}
        self.assertEqual(len(names), 80 - missing)


    def test_boards_in_line_for_descriptors(self):
        """Boards that connect per call share a few, also when every call
        hangs; nobody is left out for ever, and some stay free."""
        sims = [self.m4sim("--control", os.path.join(self.dir, "c%d" % i),
                           name="sim%d" % i) for i in range(12)]
        blocks = [m4case.block(sim.address, FLOW, name="board%d" % i,
                               options='LockDirectory "%s"\nInterval 0.2'
                               % self.dir) for i, sim in enumerate(sims)]
        process = weir.Collectd(self.dir, m4case.plugin(*blocks), stock=())
        process.argv = ["prlimit", "--nofile=64"] + process.argv
        agent = self.run_process(process)
        ups = lambda: [self.up(agent, "board%d" % i) for i in range(12)]
        weir.wait_until(lambda: ups() == [1] * 12, "all are up", alive=agent)
        open_files = []
        for word, value in (("on", 0), ("off", 1)):
            for i in range(12):
                self.control = os.path.join(self.dir, "c%d" % i)
                self.order("mute " + word)

            def settled():
                open_files.append(
                    len(os.listdir("/proc/%d/fd" % agent.pid)))
                return ups() == [value] * 12
            weir.wait_until(settled, "all are %d" % value, alive=agent)
        self.assertLess(max(open_files), 60)
        agent.stop()
        self.assertNotIn("Too many open files", agent.log())
        self.assertEqual(agent.log().count("the M4 is silent"), 12)


if __name__ == "__main__":
    unittest.main()
