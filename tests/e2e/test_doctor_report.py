"""weir-doctor's words: JSON that is valid whatever happens, and text that does
nothing to a terminal."""

import os
import sqlite3
import unittest

import weir
from doctorcase import doctor, run, steps

NASTY = "\x1b[2J\x1b]0;x\x07\r\x7f\u0085\u202egnp.\u2028\ufeffn\nö"


class ReportTest(weir.Case):
    def spool(self, count, reason):
        path = os.path.join(self.dir, "spool.db")
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE rejected(id INTEGER PRIMARY KEY, at_us "
                       "INTEGER, property TEXT, time_us INTEGER, value, "
                       "status INTEGER, reason TEXT)")
            db.executemany("INSERT INTO rejected VALUES(?, 1, 'flow', ?, 9.5,"
                           " 400, ?)",
                           ((i + 1, i * 10 ** 6, reason)
                            for i in range(count)))
        return path

    def test_json_of_a_thousand_rows_is_whole(self):
        status, said = doctor("--json", "cloud", "--rejected",
                              self.spool(1000, "r" * 400 + NASTY))
        self.assertEqual(status, 1)
        self.assertEqual(len(said["steps"]), 1000)

    def test_json_with_too_many_rows_says_how_many_are_left_out(self):
        status, said = doctor("--json", "cloud", "--rejected",
                              self.spool(20000, "\\" * 400))
        self.assertEqual(status, 1)
        self.assertGreater(said["steps_left_out"], 0)
        self.assertEqual(len(said["steps"]) + said["steps_left_out"], 20000)

    def test_faults_of_the_command_line_are_json_too(self):
        for args in (["pump"], ["m4", "a", "b"], ["cloud", "--url"],
                     ["inference"], ["call", "x"], ["m4", "x:y"],
                     ["cloud", "--rejected"], [NASTY]):
            for words in (["--json"] + args, args + ["--json"]):
                if args[0] == "call" and words[0] == "call":
                    continue  # there it may be the argument
                status, said = doctor(*words)
                self.assertEqual(status, 2, words)
                self.assertFalse(said["healthy"])
                self.assertTrue(said["verdict"], words)

    def test_no_byte_of_a_peer_moves_the_terminal(self):
        path = self.spool(3, NASTY)
        done = run("cloud", "--rejected", path)
        self.assertEqual(done.stdout.count(b"\n"), 5)
        for stream in (done.stdout, run(NASTY).stderr,
                       run("m4", NASTY).stderr, run("m4", "--method", NASTY,
                                                    "x").stdout):
            text = stream.decode()
            self.assertTrue(text)
            for c in text:
                self.assertTrue(c == "\n" or (c.isprintable()), repr(text))
        self.assertIn("n ö", done.stdout.decode())

    def test_json_replaces_what_is_not_utf8(self):
        path = self.spool(1, "ok")
        with sqlite3.connect(path) as db:
            db.execute("UPDATE rejected SET reason = CAST(? AS TEXT)",
                       (b"a\xff\xc0\xafb\x1b[1m",))
        status, said = doctor("--json", "cloud", "--rejected", path)
        self.assertTrue(steps(said).endswith("a???b?[1m"), said)


if __name__ == "__main__":
    unittest.main()
