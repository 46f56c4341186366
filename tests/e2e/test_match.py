"""match_classification: stock targets act on the state of a series."""

import os
import re
import unittest

import edgecase
import weir

EIM = 'Model "%s"\n' % weir.EIM


def rule(options, instance):
    """Values that match get another type instance."""
    return """\
<Chain "PreCache">
<Rule "mark">
<Match "regex">
Plugin "^feed$"
</Match>
<Match "classification">
%s
</Match>
<Target "set">
TypeInstance "%s"
</Target>
</Rule>
</Chain>
""" % (options, instance)


class MatchTest(edgecase.Case):
    def config(self, options, instance="alarm", targets=(EIM,)):
        return edgecase.chain(list(targets)) + """\
LoadPlugin match_classification
PluginDir "%s"
LoadPlugin target_set
""" % weir.STOCK_PLUGINDIR + rule(options, instance)

    def marked(self, agent):
        return [v["value"] for v in agent.values(
            plugin="feed", type_instance="alarm")]

    def test_latest_state_of_the_series(self):
        agent = self.agent(self.config('Label "Anomalous"\nMinScore 0.8'))
        self.put([10] * 20)
        self.wait_window(agent, 19)
        self.assertEqual(self.marked(agent), [])
        self.put([0.5] * 20)
        self.wait_window(agent, 39)
        agent.wait_value(plugin="edge_impulse", type="bool",
                         type_instance="Anomalous", value=1)
        self.put([0.25])
        agent.wait_value(plugin="feed", type_instance="alarm", value=0.25)
        # another series has a state of its own, and this one has none
        self.put([0.125], plugin="feed-other")
        agent.wait_value(plugin="feed", plugin_instance="other")
        self.assertNotIn(0.125, self.marked(agent))
        agent.stop()

    def test_score_below_the_limit(self):
        model = edgecase.Model(self.dir)  # its best score is 0.96
        agent = self.agent(self.config(
            'Label "Low"\nLabel "Normal"\nMinScore 0.97',
            targets=['Model "%s"' % model.path]))
        self.put([10] * 20)
        self.wait_window(agent, 19)
        self.put([10.5])
        agent.wait_value(plugin="feed", value=10.5)
        self.assertEqual(self.marked(agent), [])
        agent.stop()

    def test_other_instance(self):
        agent = self.agent(self.config('Label "Normal"\nInstance "pump"'))
        self.put([10] * 20)
        self.wait_window(agent, 19)
        agent.wait_value(plugin="edge_impulse", type="bool",
                         type_instance="Normal", value=1)
        self.put([7.5], plugin="feed-valve")
        agent.wait_value(plugin="feed", plugin_instance="valve", value=7.5,
                         type_instance="alarm")
        agent.stop()

    def test_results_by_their_own_label(self):
        text = self.config('Label "Normal"').replace('Plugin "^feed$"\n</Match>'
                                                     '\n<Match "class',
                                                     'Plugin "^edge_impulse$"'
                                                     '\n</Match>\n<Match '
                                                     '"class')
        agent = self.agent(text)
        self.put([10] * 14)
        agent.wait_value(12, plugin="edge_impulse", type_instance="alarm",
                         type="percent")
        agent.stop()

    def test_score_is_that_of_the_notification(self):
        """An alarm by range is certain, whatever the model's score."""
        model = edgecase.Model(self.dir)  # says Low to everything below 5
        agent = self.agent(self.config(
            'Label "Anomalous"\nMinScore 0.9',
            targets=['Model "%s"' % model.path]))
        self.put([0] * 20)
        self.wait_window(agent, 19)
        agent.wait_log(r"pump is Anomalous.*score 1\.00 by range")
        agent.wait_value(plugin="edge_impulse", type="bool",
                         type_instance="Anomalous", value=1)
        self.put([0.25])
        agent.wait_value(plugin="feed", type_instance="alarm", value=0.25)
        agent.stop()

    def test_the_clock_goes_back(self):
        """Newest is what came last, not what has the highest stamp."""
        agent = self.agent(self.config('Label "Anomalous"'))
        self.put([10] * 20)
        self.wait_window(agent, 19)
        name = "testhost/feed-pump/flow-flow_rate"
        self.second[name] = -86400
        self.put([0.5] * 30)
        agent.wait_value(plugin="edge_impulse", type="bool",
                         type_instance="Anomalous", value=1)
        self.put([0.25])
        agent.wait_value(plugin="feed", type_instance="alarm", value=0.25)
        self.second[name] = 86400 * 365
        self.put([10] * 30)
        agent.wait_value(plugin="edge_impulse", type="bool",
                         type_instance="Normal", value=1,
                         time=edgecase.START + 86400 * 365 + 29)
        self.put([10.5])
        agent.wait_value(plugin="feed", value=10.5)
        self.assertNotIn(10.5, self.marked(agent))
        agent.stop()

    def test_states_of_another_collectd(self):
        """They come without meta data: by identifier, and with a score."""
        agent = self.agent(self.config('Label "no flow"\nMinScore 0.9'))
        for score, value in ((80, 0.25), (95, 0.125)):
            self.put([score], plugin="edge_impulse-pump", type="percent-no_flow")
            self.put([1], plugin="edge_impulse-pump", type="bool-no_flow")
            self.put([value])
            agent.wait_value(plugin="feed", value=value)
        self.put([0], plugin="edge_impulse-pump", type="bool-no_flow")
        self.put([1], plugin="edge_impulse-pump", type="bool-Normal")
        self.put([0.5])
        agent.wait_value(plugin="feed", value=0.5)
        agent.stop()
        self.assertEqual(self.marked(agent), [0.125])

    def test_an_old_state_is_unknown(self):
        agent = self.agent(self.config('Label "unknown"\nMaxAge 1',
                                       targets=[EIM + "StaleAfter 60"]))
        self.put([10] * 20)
        self.wait_window(agent, 19)

        def unknown():
            self.put(["U"], plugin="feed-silent")  # it never fills a window
            return self.marked(agent)
        weir.wait_until(unknown, "a state nobody told is unknown", alive=agent)
        agent.stop()

    def test_unknown_whatever_the_score(self):
        """There is none to compare; the alarm of a rule with MinScore must not
        rest on it, neither for the series nor for the state's own values."""
        text = self.config('Label "Anomalous"\nLabel "unknown"\nMinScore 0.8',
                           targets=[EIM + "StaleAfter 1"])
        change = rule('Label "unknown"\nMinScore 0.8\nChange true',
                      "changed").replace('"^feed$"', '"^edge_impulse$"').replace(
                          '"mark"', '"tell"')
        agent = self.agent(text + change)
        self.put([10] * 20)
        agent.wait_log(r"pump is unknown")

        def unknown():
            self.put(["U"])
            return self.marked(agent)
        weir.wait_until(unknown, "an unknown state is an alarm", alive=agent)
        agent.wait_value(plugin="edge_impulse", type="bool",
                         type_instance="changed")
        agent.stop()

    def test_the_example_of_the_page(self):
        """One notification of the rule for each change of the state."""
        with open(os.path.join(weir.ROOT, "plugins", "edge_impulse",
                               "edge_impulse.pod")) as page:
            example = re.search(r"(?s)\n(  LoadPlugin match_classification.*?)"
                                r"\n\n=head1", page.read()).group(1)
        text = edgecase.chain([EIM]) + \
            'PluginDir "%s"\nLoadPlugin target_notification\n' \
            'PluginDir "%s"\n' % (weir.STOCK_PLUGINDIR, weir.PLUGINDIR) + \
            example + "\n"
        agent = self.agent(text)
        self.put([10] * 20 + [0.5] * 30 + [10] * 30 + [0.5] * 30)
        self.wait_window(agent, 109)
        weir.wait_until(lambda: self.told(agent, "is Anomalous, was") == 2,
                        "two alarms are told", alive=agent)
        weir.wait_until(lambda: self.told(agent, "the flow is wrong") == 2,
                        "the rule told them, too", alive=agent)
        agent.stop()
        self.assertEqual(self.told(agent, "the flow is wrong"), 2)

    @staticmethod
    def told(agent, words):
        return len([n for n in agent.notifications() if words in n])

    def test_bad_options(self):
        for options, sentence in (
                ("", "Label is missing"),
                ('Label "x"\nMinScore 80', 'MinScore "80".*0 to 1'),
                ('Label ""', "Label"),
                ('Label "x"\nMaxScore 1', '"MaxScore" is unknown')):
            with self.subTest(options):
                status, log = weir.check_config(self.dir,
                                                self.config(options))
                self.assertEqual(status, 1)
                self.assertRegex(log, r"\[error\] match_classification "
                                 r"plugin: .*" + sentence)


if __name__ == "__main__":
    unittest.main()
