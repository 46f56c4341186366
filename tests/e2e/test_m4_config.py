"""What m4_rpc says to a configuration that cannot work: one sentence with the
option, the value and what is allowed, and collectd does not start."""

import re
import unittest

import m4case
import weir

FLOW = m4case.method("flow_rate")
OURS = r"\[error\] m4_rpc plugin: "


def m4(methods=FLOW, options="", address="127.0.0.1:5001", **named):
    return m4case.block(address, methods, options=options, **named)


def flow(*options):
    return m4(m4case.method("flow_rate", *options))


# name: (blocks, pattern of the one sentence)
BAD = {
    "empty_block": ('<M4 "pump">\n</M4>\n',
                    r'<M4 "pump">: neither a <Method> nor a <Report>'),
    "no_name": ("<M4>\n%s</M4>\n" % FLOW, r"M4 .*one name in quotes"),
    "name_twice": (m4() + m4(), r'M4 "pump" is not allowed: the name is taken'),
    "name_with_slash": (m4(name="a/b"), r'M4 "a/b" .*without a slash'),
    "name_too_long": (m4(name="n" * 101), r"at most 100 bytes"),
    "value_twice": (m4(FLOW + FLOW), r"flow-flow_rate would be .* by two"),
    "unknown_block": ('<Board "x">\n</Board>\n',
                      r'"Board" is unknown; allowed here: M4'),
    "unknown_option": (m4(options='Adress "x"'),
                       r'"Adress" is unknown; allowed here: Address, Mode'),
    "unknown_method_option": (flow('Typ "flow"'),
                              r'<Method "flow_rate">.*"Typ" is unknown'),
    "unknown_report_option": (m4(reports=m4case.report("c", "Beat 1")),
                              r'<Report "c">.*"Beat" is unknown'),
    "address_scheme": (m4(address="http://m4proxy:5001"),
                       r'Address "http://m4proxy:5001" is not allowed'),
    "address_v6": (m4(address="::1:5001"), r"needs brackets"),
    "address_path": (m4(address="unix:router"), r"absolute path"),
    "mode": (m4(options='Mode "prox"'), r'Mode "prox".*"proxy" or "persist'),
    "timeout_short": (m4(options="Timeout 1"),
                      r'Timeout "1" is not allowed: .* at least 1\.2 s'),
    "timeout_long": (m4(options="Timeout 100"), r'Timeout "100".*to 60'),
    "report_is_a_method": (
        m4(reports=m4case.report("flow_rate")),
        r'Report "flow_rate" is not allowed: .*another number of arguments'),
    "report_twice": (
        m4(reports=m4case.report("c") +
           m4case.report("c", 'Meta "flow_baseline:state"')),
        r'Report "c" is not allowed: .*told one state'),
    "register_in_mode_proxy": (
        m4(reports=m4case.report("c", "Register true")),
        r'<Report "c">: Register is only allowed in Mode "persistent"'),
    "report_is_a_method_elsewhere": (
        m4(name="a") + m4('', reports=m4case.report("flow_rate"), name="b"),
        r'Report "flow_rate" is not allowed: .*another number of arguments'),
    "max_age": (m4(reports=m4case.report("c", "MaxAge 0.5")),
                r'MaxAge "0\.5" is not allowed: .*from 1 to'),
    "meta_without_plugin": (m4(reports=m4case.report("c", 'Meta "state"')),
                            r'Meta "state" is not allowed: .*PLUGIN:KEY'),
    "meta_without_key": (m4(reports=m4case.report("c", 'Meta "x:"')),
                         r'Meta "x:" is not allowed: .*PLUGIN:KEY'),
    "interval_zero": (m4(options="Interval 0"), r'Interval "0".*0\.01'),
    "interval_nan": (m4(options="Interval nan"), r'Interval "nan"'),
    "no_type": (flow("Scale 2"), r"exactly one of Type .* and Element"),
    "type_and_element": (flow('Type "flow"', 'Element 0 "flow"'),
                         r"exactly one of Type .* and Element"),
    "instance_alone": (flow('Element 0 "flow"', 'Instance "x"'),
                       r"exactly one of Type"),
    "seq_alone": (flow('Type "flow"', "Seq 0"), r"Seq .*with Element"),
    "element_no_type": (flow("Element 1"), r"Element .*an index from 0 to 255, a type"),
    "element_negative": (flow('Element -1 "flow"'), r"an index from 0"),
    "element_broken": (flow('Element 1.5 "flow"'), r"an index from 0"),
    "compensate_1s": (flow('Type "flow"', "Compensate true", "Interval 1"),
                      r'Interval "1".*FlowSensor'),
    "compensate_fast": (flow('Type "flow"', "Compensate true", "Interval 0.5"),
                        r'Interval "0\.5".*at least 1\.01'),
    "compensate_just_below": (
        flow('Type "flow"', "Compensate true", "Interval 1.995"),
        r'Interval "1\.995".*FlowSensor'),
    "compensate_inherited": (
        m4(m4case.method("flow_rate", 'Type "flow"', "Compensate true"),
           options="Interval 2"), r'Interval "2".*FlowSensor'),
    "compensate_array": (
        flow('Element 0 "flow" "a"', 'Element 1 "flow" "b"',
             "Compensate true", "Interval 1.02"), r"Compensate .*one number"),
    "type_unknown": (flow('Type "flwo"'), r'Type "flwo" is not allowed: a type'),
    "type_of_two": (flow('Type "if_octets"'), r'Type "if_octets".*one value'),
    "type_counter": (flow('Element 0 "counter"'), r'Type "counter".*gauge'),
    "heartbeat": (m4(reports=m4case.report("c", "Heartbeat -1")),
                  r'Heartbeat "-1"'),
    "call": (m4(reports=m4case.report("c", 'Call "yes"')),
             r'Call "yes".*true or false'),
    "long_name": (m4(m4case.method("m" * 101)), r"at most 100 bytes"),
    "too_many_methods": (
        m4("".join(m4case.method("m%d" % i) for i in range(33))),
        r"more than 32 <Method>"),
}


class BadConfigTest(weir.Case):

    def refused(self, blocks, pattern):
        status, log = weir.check_config(self.dir, m4case.plugin(blocks),
                                        stock=())
        self.assertEqual(status, 1, log)
        faults = [x for x in log.splitlines() if re.search(OURS, x)]
        self.assertEqual(len(faults), 1, "one sentence wanted:\n" + log)
        self.assertRegex(faults[0], pattern)

    def test_environment(self):
        """What stands nowhere in the file is named for where it comes from."""
        status, log = weir.check_config(
            self.dir, m4case.plugin('<M4 "pump">\n%s</M4>\n' % FLOW), stock=(),
            env={"M4_PROXY_HOST": "m4proxy", "M4_PROXY_PORT": "http"})
        self.assertEqual(status, 1, log)
        self.assertRegex(log, '<M4 "pump">: M4_PROXY_HOST:M4_PROXY_PORT '
                         '"m4proxy:http" is not allowed: ')


for name, row in BAD.items():
    setattr(BadConfigTest, "test_" + name,
            lambda self, row=row: self.refused(*row))


class GoodConfigTest(m4case.Case):

    def test_examples_of_the_page(self):
        """The examples of the man page are accepted as they stand."""
        with open(weir.ROOT + "/plugins/m4_rpc/m4_rpc.pod") as pod:
            page = pod.read()
        text = page.partition("=head1 EXAMPLES")[2].partition("=head1")[0]
        blocks = re.findall(r"(?m)^  <M4 .*?^  </M4>$", text, re.S)
        self.assertEqual(len(blocks), 4)
        status, log = weir.check_config(
            self.dir, m4case.plugin("\n".join(blocks) + "\n"), stock=())
        self.assertEqual(status, 0, log)
        self.assertNotRegex(log, OURS + "<")

    def test_lock_directory_missing(self):
        """Told, but no reason not to work."""
        self.begin()
        text = m4case.plugin(self.pump(
            FLOW, options='LockDirectory "/nonexistent"'))
        agent = self.collectd(text, stock=())
        agent.wait_value(plugin="m4_rpc", type="flow")
        agent.stop()
        self.assertRegex(agent.log(), r'lock file "/nonexistent/weir-m4-.*'
                         r"No such file or directory")


if __name__ == "__main__":
    unittest.main()
