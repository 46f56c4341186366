"""weir-doctor without a check: the agent's own configuration, read as collectd
reads it, and every block of Weir in it."""

import os
import subprocess
import unittest

import m4case
import weir
from doctorcase import Case, closed_port, doctor, steps


class AgentTest(Case):
    def write(self, text, name="collectd.conf"):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)
        return path

    def check(self, text, *args, env=None):
        return doctor("--json", "-C", self.write(text), *args, env=env)

    def names(self, said):
        return [c["name"] for c in said["checks"]]

    def test_every_block_is_checked(self):
        m4 = self.m4sim()
        cloud = self.cloudsim()
        text = (weir.m4_block(m4.address) + weir.chain_block() +
                weir.cloud_block(cloud.url, cloud.credentials(self.dir)) +
                weir.m4_block("127.0.0.1:%d" % closed_port(), name="spare")
                .replace("LoadPlugin m4_rpc\n", ""))
        status, said = self.check(text)
        self.assertEqual(status, 1)
        self.assertEqual(said["verdict"], "1 of 4 checks found a fault")
        names = self.names(said)
        self.assertEqual(names[0:3], ["m4-plausible", "proxy-refused",
                                      "model-classifies"])
        self.assertTrue(said["checks"][3]["healthy"], said)
        for c, title in zip(said["checks"], (
                'M4 "pump"', 'M4 "spare"', 'Target "edge_impulse"',
                'Thing "pump"')):
            self.assertTrue(c["check"].startswith(title), c["check"])
            self.assertIn("collectd.conf, line ", c["check"])

    def test_all_is_well(self):
        status, said = self.check(weir.m4_block(self.m4sim().address))
        self.assertEqual((status, said["healthy"]), (0, True), said)

    def test_every_method_of_a_block_is_called(self):
        m4 = self.m4sim()
        text = weir.m4_block(m4.address, extra="""
          <Method "flow_pulses">
            Type "derive"
          </Method>
          <Method "version">
            Type "gauge"
          </Method>""")
        status, said = self.check(text)
        self.assertEqual(self.names(said), ["value-no-number"])
        self.assertIn("flow_pulses answers", steps(said["checks"][0]))

    def test_mode_of_the_block(self):
        path = os.path.join(self.dir, "r.sock")
        self.m4sim("--ideal", "--listen", "unix:" + path)
        status, said = self.check(weir.m4_block("unix:" + path))
        self.assertEqual(self.names(said), ["m4-plausible"])
        m4 = self.m4sim("--ideal", name="tcp")
        for mode, name in (("proxy", "keeps-open"),
                           ("Persistent", "m4-plausible")):
            status, said = self.check(weir.m4_block(
                m4.address, extra='Mode "%s"' % mode))
            self.assertEqual(self.names(said), [name])

    def test_address_from_the_environment(self):
        m4 = self.m4sim()
        host, _, port = m4.address.rpartition(":")
        text = "\n".join(x for x in weir.m4_block("x").splitlines()
                         if "Address" not in x) + "\n"
        status, said = self.check(text, env={"M4_PROXY_HOST": host,
                                             "M4_PROXY_PORT": port})
        self.assertEqual(self.names(said), ["m4-plausible"])

    def test_address_that_is_a_url(self):
        status, said = self.check(weir.m4_block("http://127.0.0.1:5001"))
        self.assertEqual(status, 1)
        self.assertIn("is a URL", said["checks"][0]["verdict"])

    def test_plugin_not_loaded(self):
        text = weir.m4_block("x").replace("LoadPlugin m4_rpc\n", "")
        status, said = self.check(text)
        self.assertEqual(self.names(said), ["plugin-not-loaded"])
        self.assertIn("LoadPlugin m4_rpc is missing",
                      steps(said["checks"][0]))
        status, said = self.check("AutoLoadPlugin true\n" + text)
        self.assertEqual(self.names(said), ["name-unknown"])

    def test_no_block_of_ours(self):
        status, said = self.check("Interval 10\n#LoadPlugin m4_rpc\n")
        self.assertEqual((status, said["name"]), (1, "config-empty"))
        self.assertIn("drop-ins", said["remedy"])

    def test_config_missing(self):
        self.expect("config-missing", "-C", "/nonexistent/collectd.conf")

    def test_config_forbidden(self):
        with self.folder_for_all() as folder:
            path = os.path.join(folder, "c.conf")
            with open(path, "w") as out:
                out.write("Interval 10\n")
            os.chmod(path, 0)
            self.as_nobody("config-forbidden", folder, "-C", path)

    def test_config_that_collectd_refuses(self):
        status, said = self.check("Interval 10\nAddress m4proxy:5001\n")
        self.assertEqual(said["name"], "config-syntax")
        self.assertIn("line 2: this is no value: text with other characters "
                      "than letters and digits needs quotes", steps(said))

    def test_includes(self):
        self.write(weir.m4_block("b.invalid"), "conf.d/20.conf")
        self.write(weir.m4_block("a.invalid"), "conf.d/10.conf")
        self.write("Nonsense <", "conf.d/10.conf.bak")
        self.write("Nonsense <", "conf.d/.hidden.conf")
        status, said = self.check(
            '<Include "%s/conf.d">\n  Filter "*.conf"\n</Include>\n'
            'Include "%s/conf.d/2?.conf"\n' % (self.dir, self.dir))
        self.assertEqual([steps(c).split(",")[0] for c in said["checks"]],
                         ["a.invalid", "b.invalid", "b.invalid"], said)

    def test_include_that_is_not_there(self):
        """collectd warns and goes on."""
        status, said = self.check('Include "/nonexistent/*.conf"\n')
        self.assertEqual(said["name"], "config-empty")
        self.assertIn("/nonexistent/*.conf is not there", steps(said))

    def test_fault_in_an_included_file_is_named(self):
        self.write("Interval\n", "conf.d/x.conf")
        status, said = self.check('Include "%s/conf.d"\n' % self.dir)
        self.assertEqual(said["name"], "config-syntax")
        self.assertIn("conf.d/x.conf, line ", steps(said))

    def test_the_running_agent_decides(self):
        """Its -C and its environment, from a made-up /proc."""
        m4 = self.m4sim()
        host, _, port = m4.address.rpartition(":")
        text = "\n".join(x for x in weir.m4_block("x").splitlines()
                         if "Address" not in x) + "\n"
        config = self.write(text, "etc/own.conf")
        self.write("collectd\n", "proc/4711/comm")
        self.write("/usr/sbin/collectd\0-f\0-C\0%s\0" % config,
                   "proc/4711/cmdline")
        self.write("PATH=/\0M4_PROXY_HOST=%s\0M4_PROXY_PORT=%s\0" % (
            host, port), "proc/4711/environ")
        status, said = doctor("--json", "--root", self.dir)
        self.assertEqual(self.names(said), ["m4-plausible"], said)
        self.assertIn("collectd runs", steps(said))

    def test_collectd_does_not_run(self):
        """The blocks are checked all the same."""
        os.makedirs(os.path.join(self.dir, "proc"))
        self.write(weir.m4_block(self.m4sim().address),
                   "etc/collectd/collectd.conf")
        status, said = doctor("--json", "--root", self.dir)
        self.assertEqual(self.names(said), ["m4-plausible", "agent-down"])
        self.assertIn("no collectd runs", steps(said))

    def test_usual_places_when_none_runs(self):
        os.makedirs(os.path.join(self.dir, "proc"))
        self.write("Interval 10\n", "etc/collectd/collectd.conf")
        self.expect("config-empty", "--root", self.dir)

    def test_text(self):
        status, text = doctor("-C", self.write(weir.m4_block("x.invalid")))
        self.assertEqual(status, 1)
        self.assertIn('M4 "pump" (', text)
        self.assertIn("1 of 1 checks found a fault", text)


class BesideTest(m4case.Case):
    """The doctor and a running agent at one proxy, which never matches replies
    to requests: the lock keeps them apart."""

    def test_the_agent_keeps_its_replies(self):
        self.begin("--flow", "10", "--do", "cross 1", "--delay", "60")
        address = self.sim.address.replace("127.0.0.1", "localhost")
        # The lock is where any program of this user finds it.
        agent = self.collectd(m4case.plugin(m4case.block(
            address, m4case.FLOW, options="Interval 0.1")), stock=())
        self.wait_up(agent, 1)
        for _ in range(3):
            status, said = doctor("--json", "m4", self.sim.address)
            self.assertEqual(said["name"], "m4-plausible", said)
        before = len(self.flows(agent))
        agent.wait_value(before + 5, plugin="m4_rpc", type="flow")
        for kind in ("stale", "protocol", "refused", "remote"):
            self.assertEqual(self.errors(agent, kind), 0, kind)
        agent.stop()


class LanguageTest(weir.Case):
    """The reader and collectd take and refuse the same."""

    GOOD = (
        "", "\n", "# only a comment\n", "Interval 10\n", "Interval 10.5\n",
        "Interval +10\n", "Interval 0x0A\n", 'Hostname "a b"\n',
        'Hostname "a\\"b"\n', "Hostname plain_word\n", "Hostname 5abc\n",
        "FQDNLookup yes\n", "FQDNLookup OFF\n", "interval 10\n",
        "Interval \\\n  10\n", 'Hostname "a\\\nb"\n', 'Hostname "a\nb"\n',
        "Interval 10 # behind\n", "  Interval\t10\n", "Interval 10\r\n",
        '<Plugin "syslog">\n</Plugin>\n', "<Plugin syslog>\nA 1\n</Plugin>\n",
        "<Plugin a>\n<B c d 5>\n</B>\n</Plugin>\n",
        "<Plugin a>\nX 1.2.3.4\nY ::1\nZ 1.2.3.4:80\nW fe80::1\n</Plugin>\n",
        "<Plugin a>\nX -1.5e+3 .5\n</Plugin>\n", "<Plugin>\n</Plugin>\n",
        'A1_b "x"\n', "<Plugin a>\nX 1e5\n</Plugin>\n",
        "<Plugin a>\nX [::1] [::1]:80\n</Plugin>\n",
    )
    BAD = (
        "Interval\n", "Interval 10", "<Plugin a>\n", "</Plugin>\n",
        "<Plugin a>\n</plugin>\n", "<Plugin a>\n</Plugin b>\n", "< >\n",
        "Plugin a>\n", "<Plugin a\n</Plugin>\n", "<Plugin a> X 1\n</Plugin>\n",
        "= 5\n", "\"Interval\" 10\n", "Hostname a/b\n", "5 5\n",
        "Hostname ä\n", "yes no\n", "<Plugin a>\n</Plugin> x\n",
    )
    # collectd drops the character that it does not know, without a word in
    # the log, and takes what is left: never what was meant.
    DROPPED = (
        "Interval \"10\n", "Hostname a-b\n", "Hostname a.b\n",
        "Hostname a:1\n", "Hostname 'a'\n", "Interval 10;\n", "X 1,5\n",
    )

    def read(self, text):
        """(what collectd printed, what it logged, what the doctor says)."""
        path, base = (os.path.join(self.dir, x) for x in
                      ("one.conf", "base.conf"))
        with open(path, "w") as out:
            out.write(text)
        with open(base, "w") as out:
            out.write('BaseDir "%s"\nPIDFile "%s/pid"\nTypesDB '
                      '"/usr/share/collectd/types.db"\nFQDNLookup false\n'
                      'Include "%s"\n' % (self.dir, self.dir, path))
        done = subprocess.run([weir.COLLECTD, "-T", "-C", base],
                              capture_output=True, text=True, timeout=30)
        return done.stdout, done.stderr, doctor("--json", "-C", path)[1]

    def test_good(self):
        for text in self.GOOD:
            dropped, log, said = self.read(text)
            self.assertEqual(dropped, "", text)
            self.assertNotIn("Parse error", log, text)
            self.assertEqual(said["name"], "config-empty", (text, said))

    def test_bad(self):
        for text in self.BAD:
            dropped, log, said = self.read(text)
            self.assertIn("Parse error", log, text)
            self.assertEqual(said["name"], "config-syntax", (text, said))

    def test_characters_that_collectd_drops(self):
        for text in self.DROPPED:
            dropped, log, said = self.read(text)
            self.assertNotEqual(dropped, "", text)
            self.assertEqual(said["name"], "config-syntax", (text, said))


if __name__ == "__main__":
    unittest.main()
