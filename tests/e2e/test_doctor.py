"""weir-doctor: one verdict and one remedy for every way the path can break."""

import glob
import json
import os
import re
import unittest

import weir
from doctorcase import doctor


class UsageTest(unittest.TestCase):
    def test_help(self):
        status, text = doctor("--help")
        self.assertEqual(status, 0)
        self.assertIn("usage: weir-doctor", text)

    def test_each_verdict_has_a_row_and_a_test(self):
        """The page lists what the program can say, and each is made here."""
        listed = [x.split("\t") for x in doctor("--verdicts")[1].splitlines()]
        with open(os.path.join(weir.ROOT, "plugins/doctor/weir-doctor.pod")) \
                as pod:
            page = pod.read().partition("=head1 VERDICTS")[2]
        rows = re.findall(r"=item B<([a-z0-9-]+)>\n\n(.*)\.\n\nMade by: .+\.",
                          page)
        self.assertEqual([n for n, _ in rows], [n for n, _ in listed])
        for (name, verdict), (_, row) in zip(listed, rows):
            self.assertEqual(row, verdict[0].upper() + verdict[1:])
        texts = [v for _, v in listed]
        self.assertEqual(len(set(texts)), len(texts), "one verdict, one text")
        made = ""
        for path in glob.glob(os.path.join(weir.ROOT,
                                           "tests/e2e/test_doctor_*.py")):
            with open(path) as source:
                made += source.read()
        untested = [n for n, _ in listed if '"%s"' % n not in made]
        self.assertEqual(untested, ["no-memory"])

    def test_faults_of_the_command_line(self):
        for args, words in (
                (["pump"], 'no check "pump"'),
                (["m4", "a", "b"], 'does not take "b"'),
                (["m4", "127.0.0.1:99999"], "from 1 to 65535"),
                (["m4", "--method"], 'does not take "--method"'),
                (["call", "127.0.0.1:1"], "call takes ADDRESS METHOD")):
            status, text = doctor(*args)
            self.assertEqual(status, 2, args)
            self.assertIn(words, text)
            self.assertEqual(text.count("\n"), 1, text)


class CallTest(weir.Case):
    def test_raw_call(self):
        m4 = self.m4sim("--version-string", "1.2.3")
        status, text = doctor("call", m4.address, "version")
        self.assertEqual(status, 0)
        self.assertIn('"1.2.3"', text)
        status, text = doctor("call", m4.address, "classification",
                              '{"label":"Low","value":0.9}')
        self.assertEqual(status, 0)
        self.assertIn("Low", json.dumps(m4.calls("classification")))
        status, text = doctor("call", m4.address, "no_such_method")
        self.assertEqual(status, 1)
        self.assertIn("the proxy dies of the M4's answer", text)


if __name__ == "__main__":
    unittest.main()
