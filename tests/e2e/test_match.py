"""match_classification: stock targets act on the state of a series."""

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
