"""Every ceiling of the configuration: what stands at it is taken, one more is
refused with a sentence that names the ceiling."""

import os
import unittest

import m4case
import weir


def m4(methods, **named):
    return "LoadPlugin m4_rpc\n<Plugin m4_rpc>\n%s</Plugin>\n" % m4case.block(
        "127.0.0.1:5001", methods, **named)


def elements(count, last=None):
    index = list(range(count))
    if last is not None:
        index[-1] = last
    return m4(m4case.method("f", *('Element %d "gauge" "e%d"' % (i, k)
                                   for k, i in enumerate(index))))


def edge(*options):
    return weir.chain_block('URL "http://127.0.0.1:1337"',
                            "\n      ".join(options), interval=1)


def axes(count):
    return edge(*('Axis "m4_rpc-pump/flow-a%d"' % i for i in range(count)))


def named_label(length):
    return edge('<Label "%s">\n        Severity "warning"\n      </Label>' %
                ("x" * length))


def cloud(name="pump", properties=1, key="p"):
    return "LoadPlugin write_arduino_cloud\n<Plugin write_arduino_cloud>\n" \
        '  <Thing "%s">\n    URL "https://127.0.0.1:1"\n' \
        '    CredentialsFile "@"\n%s  </Thing>\n</Plugin>\n' % (
            name, "".join(
                '    <Property "%s%d">\n      Type "gauge"\n    </Property>\n' %
                (key, i) for i in range(properties)))


# name: (what is at the ceiling, what is above it, what is said of that)
CEILINGS = {
    "m4_name": (m4(m4case.method("f", 'Type "gauge"'), name="n" * 100),
                m4(m4case.method("f", 'Type "gauge"'), name="n" * 101),
                "a name of at most 100 bytes"),
    "m4_elements": (elements(16), elements(17), "at most 16 times"),
    "m4_element_index": (elements(1, last=255), elements(1, last=256),
                         "an index from 0 to 255"),
    "edge_axes": (axes(16), axes(17), "at most 16 axes"),
    "edge_debounce": (edge("Debounce 64 64"), edge("Debounce 64 65"),
                      'Debounce "64 65" is not allowed'),
    "edge_label": (named_label(255), named_label(256),
                   "a label of up to 255 bytes"),
    "cloud_thing": (cloud(name="n" * 60), cloud(name="n" * 61),
                    "up to 60 letters"),
    "cloud_properties": (cloud(properties=64), cloud(properties=65),
                         "up to 64 properties"),
    "cloud_property": (cloud(key="k" * 63), cloud(key="k" * 64),
                       "a variable name of up to 64 letters"),
}


class CeilingsTest(weir.Case):
    def check(self, name, config):
        folder = os.path.join(self.dir, name)
        os.makedirs(folder)
        secrets = os.path.join(folder, "cloud.env")
        with open(secrets, "w") as out:
            out.write("CLIENT_ID=a\nCLIENT_SECRET=b\nTHING_ID=%s\n" %
                      weir.CloudSim.THING)
        os.chmod(secrets, 0o600)
        status, log = weir.check_config(
            folder, config.replace("@", secrets))
        return status, [line for line in log.splitlines()
                        if "[error]" in line]

    def test_at_and_above(self):
        for name, (at, above, says) in CEILINGS.items():
            with self.subTest(name):
                status, errors = self.check(name + "-at", at)
                self.assertEqual((status, errors), (0, []))
                status, errors = self.check(name + "-above", above)
                self.assertNotEqual(status, 0)
                self.assertIn(says, "\n".join(errors))


if __name__ == "__main__":
    unittest.main()
