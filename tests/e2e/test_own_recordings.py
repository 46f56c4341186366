"""make train reads what the agent wrote: csv of collectd, an operator's notes,
windows that CaptureDir kept. Needs numpy, as training does."""

import os
import sys
import unittest

import weir

sys.path.insert(0, os.path.join(weir.ROOT, "model", "train"))

try:
    import own
    import rows
except ImportError as missing:
    own, why = None, str(missing)

START = 1700000000
CAPTURED = ('{"protected":{"ver":"v1"},"signature":"0","payload":{'
            '"device_name":"host/pump","interval_ms":1000,"sensors":[{'
            '"name":"value","units":"N/A"}],"values":[%s]}}\n')


@unittest.skipUnless(own, "numpy is missing: apt-get install python3-numpy")
class OwnRecordingsTest(weir.Case):
    def put(self, name, text):
        with open(os.path.join(self.dir, name), "w") as out:
            out.write(text)
        return os.path.join(self.dir, name)

    def csv(self, seconds, flow=12.0, start=START, label=""):
        return "epoch,value\n" + "".join(
            "%d.%03d,%.6f%s\n" % (start + s, s % 7, flow, label)
            for s in seconds)

    def test_csv_of_collectd_as_it_is(self):
        path = self.put("flow-flow_rate-2026-01-31",
                        self.csv(range(30)) + "1700000030.001,nan\n")
        found = own.load(path, 12.0)
        self.assertEqual(len(found), 1)
        self.assertEqual(len(found[0].flow), 30)
        self.assertEqual(set(found[0].flow), {10.0})  # of a nominal of 10
        self.assertEqual(set(found[0].kind), {rows.CLEAN})

    def test_gap_parts_a_recording(self):
        path = self.put("flow-x", self.csv(list(range(20)) +
                                           list(range(40, 55))))
        self.assertEqual([len(o.flow) for o in own.load(path, 10)], [20, 15])

    def test_label_by_name_by_column_and_by_notes(self):
        self.put("air.flow-flow_rate-2026-01-31", self.csv(range(20)))
        self.put("flow-a", self.csv(range(20), start=START + 100,
                                    label=",hunting"))
        self.put("flow-b", self.csv(range(20), start=START + 200))
        self.put("notes.csv", "from,to,label\n%d,%d,cavitation\n" % (
            START + 205, START + 215))
        kinds = [sorted(set(o.kind)) for o in own.load(self.dir, 10)]
        self.assertEqual(kinds, [[rows.AIR], [rows.HUNTING],
                                 [rows.CLEAN, rows.CAVITATION]])

    def test_windows_of_capture_dir(self):
        self.put("Anomalous.host_pump.1700000000000.weir.json",
                 CAPTURED % ",".join(["10", "9.5"] * 15))
        found = own.load(self.dir, 12.0)  # scaled already
        self.assertEqual(len(found[0].flow), 30)
        self.assertEqual(found[0].flow[1], 9.5)
        self.assertEqual(set(found[0].kind), {rows.OTHER})

    def test_bad_lines_are_named(self):
        path = self.put("flow-x", self.csv(range(3)) + "1700000009;12\n")
        with self.assertRaisesRegex(SystemExit, "flow-x, line 5: not epoch"):
            own.load(path, 10)
        self.put("flow-y", self.csv(range(20)))
        self.put("notes.csv", "from,to,label\nyesterday,today,air\n")
        with self.assertRaisesRegex(SystemExit, "notes.csv, line 2"):
            own.load(os.path.join(self.dir, "flow-y"), 10)

    def test_few_windows_warn(self):
        path = self.put("flow-x", self.csv(range(69)))
        self.assertIn("60 windows of your own", own.advise(own.load(path, 10)))
        self.assertIn("too few", own.advise(own.load(path, 10)))
        path = self.put("flow-y", self.csv(range(1500)))
        self.assertIn("good", own.advise(own.load(path, 10)))


if __name__ == "__main__":
    unittest.main()
