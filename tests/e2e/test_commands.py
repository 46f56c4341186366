"""Commands of operators: what they do, for one host, never from the network."""

import os
import re
import unittest

import baselinecase
import edgecase
import weir
from baselinecase import READY, steady

SENDER = """\
Hostname "stranger"
LoadPlugin network
<Plugin network>
  Server "127.0.0.1" "%d"
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "%s"
</Plugin>
"""

LISTENER = """\
LoadPlugin network
<Plugin network>
  Listen "127.0.0.1" "0"
</Plugin>
"""


def udp_port(pid):
    """That of the process's own socket."""
    links = [os.readlink("/proc/%d/fd/%s" % (pid, f))
             for f in edgecase.files_of(pid)]
    with open("/proc/net/udp") as table:
        for row in list(table)[1:]:
            word = row.split()
            if "socket:[%s]" % word[9] in links:
                return int(word[1].split(":")[1], 16)
    return None


class CommandTest(baselinecase.Case):
    def test_reset(self):
        agent = self.start()
        self.learn(agent)
        self.command("reset")
        self.told(agent, "learning its normal anew, as told")
        self.learn(agent, 7.0)
        agent.stop()

    def test_confirm(self):
        agent = self.start()
        self.command("confirm")
        agent.wait_log("there is no flow_baseline-pump to confirm")
        self.put(steady(10, 4))
        self.through(agent)
        self.command("Confirm")
        self.told(agent, "nothing to confirm yet")
        self.put(steady(10, READY))
        agent.wait_log("its normal is 10")
        self.put(steady(8, 40))
        self.told(agent, "below its normal 10")
        self.through(agent)
        self.command("confirm")
        self.told(agent, "8 is normal from now on, as told")
        self.put(steady(10, 60))  # where it was is a point as well
        self.put(steady(8, 60))
        self.newest(agent, "gauge", "baseline",
                    lambda v: abs(v["value"] - 8) < 0.05)
        self.assertEqual(len(re.findall(r"Notification: .*below",
                                        agent.log())), 1)
        self.command("explode")
        agent.wait_log('command "explode" is not allowed')
        agent.stop()


class ForgetTest(baselinecase.Case):
    def test_a_renamed_source_takes_the_name(self):
        agent = self.start("StaleAfter 1\n")
        self.learn(agent)
        self.told(agent, "no sample any more")
        weir.wait_until(
            lambda: self.put([7], type="flow-new") or re.search(
                "feed-pump/flow-flow_rate is silent and forgotten; its name, "
                "flow_baseline-pump, goes to feed-pump/flow-new", agent.log()),
            "the silent one gives its name up", alive=agent)
        weir.wait_until(
            lambda: self.put(steady(7, 10), type="flow-new") or
            "its normal is 7" in agent.log(), "the new one learns",
            alive=agent)
        agent.stop()
        with open(self.state_file()) as text:
            self.assertNotIn("flow_rate", text.read())

    def test_by_word(self):
        agent = self.start("StaleAfter 1\n")
        self.learn(agent)
        self.told(agent, "no sample any more")
        self.command("confirm")  # of what is not known there is no normal
        self.told(agent, "nothing to confirm yet")
        self.command("forget")
        self.told(agent, "forgotten, as told")
        weir.wait_until(
            lambda: self.command("forget") or re.search(
                "there is no flow_baseline-pump to forget", agent.log()),
            "it is gone", alive=agent)
        self.learn(agent, 8.0)
        agent.stop()


class HostTest(baselinecase.Case):
    def test_one_host_of_two(self):
        agent = self.start()
        for host in ("east", "west"):
            self.put(steady(10, READY), host=host)
        agent.wait_log("pump: its normal is 10", 2)
        self.command("confirm", host="north")
        agent.wait_log('no flow_baseline-pump of host "north" to confirm')
        self.command("reset", host="east")
        self.told(agent, "host = east.*learning its normal anew, as told")
        self.put(steady(10, 5), host="west")
        self.command("confirm")  # without one: all
        self.told(agent, "host = west.*10 is normal from now on")
        self.told(agent, "host = east.*nothing to confirm yet")
        self.assertNotRegex(agent.log(), "host = west.*learning")
        agent.stop()


class NetworkTest(baselinecase.Case):
    """A real collectd elsewhere sends; what it orders is not obeyed."""

    def listening(self):
        """Both targets, behind the stock network plugin."""
        agent = self.start(extra=edgecase.chain(
            ['Model "%s"\nStaleAfter 600\n' % weir.EIM]).replace(
                'LoadPlugin', 'PluginDir "%s"\nLoadPlugin' % weir.PLUGINDIR) +
            'PluginDir "%s"\n' % weir.STOCK_PLUGINDIR + LISTENER)
        port = weir.wait_until(lambda: udp_port(agent.pid),
                               "the network plugin listens", alive=agent)
        return agent, port

    def stranger(self, port):
        """A collectd that sends what its own socket is told."""
        path = os.path.join(self.dir, "stranger.sock")
        other = self.run_process(weir.Collectd(
            self.dir, 'PluginDir "%s"\n' % weir.STOCK_PLUGINDIR +
            SENDER % (port, path), name="stranger"))
        other.wait_ready()
        here, self.socket_path = self.stream, path
        self.dial(other)
        away, self.stream = self.stream, here
        return other, away

    def order(self, stream, plugin, type, message):
        stream.write("PUTNOTIF severity=okay time=%d host=testhost plugin=%s "
                     'plugin_instance=pump type=%s message="%s"\n'
                     % (edgecase.START, plugin, type, message))
        stream.flush()
        self.assertTrue(stream.readline().startswith("0 "))

    def test_what_came_over_the_network_is_refused(self):
        agent, port = self.listening()
        self.learn(agent)
        self.put([7] * 20)
        self.told(agent, "below its normal 10")
        other, away = self.stranger(port)
        for word in ("confirm", "reset"):
            self.order(away, "flow_baseline", "command", word)
        self.order(away, "edge_impulse", "shelve", "2h nothing to see")
        self.order(away, "none", "last", "the end")
        agent.wait_log('Notification: .*the end')
        for plugin, type in (("flow_baseline", "command"),
                             ("edge_impulse", "shelve")):
            refused = re.findall(
                r'target_%s plugin: a command \(%s\) for "pump" of host '
                r'"testhost" came over the network and is refused; allowed is '
                r"this machine's own socket\." % (plugin, type), agent.log())
            self.assertEqual(len(refused), 1, agent.tail())
        self.order(self.stream, "edge_impulse", "shelve", "0")
        self.order(self.stream, "flow_baseline", "command", "confirm")
        self.told(agent, "is normal from now on, as told")
        self.assertNotRegex(agent.log(), "anew, as told|is shelved for")
        other.stop()
        agent.stop()


if __name__ == "__main__":
    unittest.main()
