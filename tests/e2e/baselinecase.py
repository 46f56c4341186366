"""What the tests of target_flow_baseline share: a chain and a feed."""

import os
import re
import time

import edgecase
import weir

LEARN = 40
READY = 45  # samples until it has learnt


def chain(*targets, match='Plugin "^feed$"'):
    """One rule with a <Target "flow_baseline"> for each text."""
    blocks = "".join('<Target "flow_baseline">\n%s\n</Target>\n' % t
                     for t in targets)
    return """\
LoadPlugin target_flow_baseline
<Chain "PreCache">
<Rule "baseline">
<Match "regex">
%s
</Match>
%s</Rule>
</Chain>
""" % (match, blocks)


def steady(level, count, swing=0.002):
    """Samples around a level, the same ones each time, even in pairs."""
    return [level * (1 + swing * (1 if i % 2 else -1)) for i in range(count)]


class Case(edgecase.Case):
    OPTIONS = "Learn %d\nInterval 0.1\nSaveInterval 1\n" % LEARN

    def start(self, options="", extra="", **more):
        return self.agent(chain(self.OPTIONS + options), extra=extra, **more)

    def restart(self, agent):
        """The same configuration again; the feed goes on."""
        second = self.second
        if os.path.exists(self.socket_path):  # it was killed
            os.remove(self.socket_path)
        agent.start()
        agent.wait_ready()
        self.dial(agent)
        self.second = second

    def learn(self, agent, level=10.0, **series):
        self.put(steady(level, READY), **series)
        agent.wait_log(r"its normal is %.3g" % level)

    def through(self, agent, series="testhost/feed-pump/flow-flow_rate"):
        """Until the newest sample was judged: the feed is only queued."""
        last = edgecase.START + self.second[series] - 1
        agent.wait_value(plugin="flow_baseline", type="bool",
                         type_instance="drift",
                         check=lambda v: v["time"] >= last)

    def told(self, agent, pattern):
        """Waits for a notification; the whole line."""
        return agent.wait_log(r"Notification: .*%s.*" % pattern).group(0)

    def command(self, word, instance="pump", host=""):
        self.stream.write(
            'PUTNOTIF severity=okay time=%d %splugin=flow_baseline '
            'plugin_instance=%s type=command message="%s"\n'
            % (time.time(), "host=%s " % host if host else "", instance,
               word))
        self.stream.flush()
        assert self.stream.readline().startswith("0 ")

    def state_file(self):
        return os.path.join(self.dir, "flow_baseline.state")

    def wait_saved(self, agent, pattern=r'"state":"1 '):
        def saved():
            try:
                with open(self.state_file()) as text:
                    return re.search(pattern, text.read())
            except FileNotFoundError:
                return None
        return weir.wait_until(saved, "the state is saved", alive=agent)

    def newest(self, agent, type, instance, check=lambda v: True):
        return agent.wait_value(plugin="flow_baseline", type=type,
                                type_instance=instance, check=check)[-1]
