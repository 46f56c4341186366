"""write_arduino_cloud: bad configuration ends in one clear sentence."""

import os
import unittest

import cloudcase
import weir

URL = "https://127.0.0.1:9"


class CloudConfigTest(cloudcase.Case):
    def setUp(self):
        super().setUp()
        self.credentials = self.write("ok.env",
                                      "CLIENT_ID=a\nCLIENT_SECRET=hunter2\n"
                                      "THING_ID=b\n")

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.dir, name)
        with open(path, "w") as out:
            os.fchmod(out.fileno(), mode)
            out.write(text)
        return path

    def refused(self, sentence, block=None, env=None, **options):
        """collectd -T ends with 1 and this one sentence."""
        options.setdefault("credentials", self.credentials)
        options.setdefault("url", URL)
        status, log = self.check(block or weir.cloud_block(**options), env)
        self.assertIn(sentence, log)
        self.assertEqual(1, log.count("write_arduino_cloud plugin: "), log)
        self.assertNotIn("hunter2", log)
        self.assertNotEqual(0, status)

    def check(self, block, env=None):
        agent = weir.Collectd(self.dir, block, name="check",
                              extra_args=["-T"])
        agent.env.update(env or {})
        self.addCleanup(agent.kill)
        agent.start()
        status = agent.wait_exit()
        agent.check_reports()
        return status, agent.log()

    def test_good(self):
        status, log = self.check(weir.cloud_block(URL, self.credentials))
        self.assertEqual(0, status, log)

    def test_unknown_option(self):
        self.refused('<Thing "pump">: the option "Colour" is unknown; allowed '
                     'here: URL, CredentialsFile', extra='Colour "red"')

    def test_plain_http_to_elsewhere(self):
        self.refused('URL "http://api2.arduino.cc" is not allowed: https://, '
                     'or http:// to this machine only',
                     url="http://api2.arduino.cc")

    def test_bad_url(self):
        self.refused('URL "gopher://x" is not allowed', url="gopher://x")
        self.refused('URL "https://h:99999" is not allowed',
                     url="https://h:99999")

    def tolerated(self, path, sentence):
        """A file that cannot be used is no fault of the configuration: it is
        said, and looked at again."""
        status, log = self.check(weir.cloud_block(URL, path))
        self.assertIn('[error] write_arduino_cloud plugin: <Thing "pump">: '
                      'CredentialsFile "%s" cannot be used: %s. Values wait in '
                      "the spool; trying again." % (path, sentence), log)
        self.assertNotIn("hunter2", log)
        self.assertEqual(0, status)

    def test_missing_credentials_file(self):
        self.tolerated("/nowhere/x.env",
                       "cannot read it: No such file or directory")

    def test_directory_as_credentials_file(self):
        self.tolerated("/etc", "it is not a regular file")

    def test_world_readable_credentials_file(self):
        path = self.write("open.env", "CLIENT_SECRET=hunter2\n", 0o644)
        self.tolerated(path, "every user of this machine may read it, or others "
                       "may change it; run: chmod 600 " + path)

    def test_incomplete_credentials_file(self):
        path = self.write("half.env", "CLIENT_ID=a\nCLIENT_SECRET=hunter2\n")
        self.tolerated(path, "the file has no THING_ID")

    def test_no_credentials_at_all(self):
        block = weir.cloud_block(URL, "x").replace(
            'CredentialsFile "x"', "")
        self.refused("CredentialsFile is missing, and the environment has no "
                     "CLIENT_ID.", block=block)

    def test_credentials_of_the_environment_and_of_systemd(self):
        block = weir.cloud_block(URL, "x").replace(
            'CredentialsFile "x"', "")
        status, log = self.check(block, {
            "CLIENT_ID": "a", "CLIENT_SECRET": "hunter2", "THING_ID": "b"})
        self.assertEqual(0, status, log)
        self.write("arduino-cloud.env", "CLIENT_ID=a\nCLIENT_SECRET=hunter2\n"
                   "THING_ID=b\n", 0o400)
        status, log = self.check(block, {"CREDENTIALS_DIRECTORY": self.dir})
        self.assertEqual(0, status, log)
        status, log = self.check(weir.cloud_block(URL, "ok.env"),
                                 {"CREDENTIALS_DIRECTORY": self.dir})
        self.assertEqual(0, status, log)
        self.assertNotIn("hunter2", log)

    def test_values_out_of_range(self):
        for option, allowed in (
                ("RateLimit 11", "a number from 0.01 to 10"),
                ("RateLimit 0", "a number from 0.01 to 10"),
                ("SpoolSize 0", "a whole number from 1 to 65536"),
                ("SpoolAge 1", "a number of seconds from 60 to 315360000"),
                ("BatchSize 1001", "a whole number from 1 to 1000"),
                ("DailyRecords -1", "a whole number from 0 to 1000000000"),
                ('Durability "maybe"', '"power" or "process"'),
                ("StoreAfter 61", "a number of seconds from 0 to 60"),
                ("Timeout 0", "a number of seconds from 0.1 to 300")):
            name, value = option.replace('"', "").split(" ")
            self.refused('<Thing "pump">: %s "%s" is not allowed: %s'
                         % (name, value, allowed), extra=option)

    def test_properties(self):
        where = '<Thing "pump"> <Property "flow_rate">: '
        self.refused(where + 'DeadBand "-1" is not allowed: a number from 0',
                     flow="DeadBand -1")
        self.refused(where + 'ID "../x" is not allowed: up to 64 letters',
                     flow='ID "../x"')
        self.refused(where + "MaxInterval 5 is not allowed: 0, or at least "
                     "MinInterval (10)", flow="MinInterval 10\nMaxInterval 5")
        self.refused(where + 'Kind "text" is not allowed: number or boolean',
                     flow='Kind "text"')
        self.refused(where + 'DataSource "value" is not allowed: not together',
                     flow='Meta "x"\nDataSource "value"')
        self.refused('Property "flow rate" is not allowed: a variable name',
                     block=weir.cloud_block(URL, self.credentials).replace(
                         '"flow_rate"', '"flow rate"'))
        self.refused('Property "flow_rate" is not allowed: each name once',
                     block=weir.cloud_block(URL, self.credentials).replace(
                         '"classification"', '"flow_rate"'))
        self.refused(where + "Plugin, Type or Meta is missing", block="""\
LoadPlugin write_arduino_cloud
<Plugin write_arduino_cloud>
  <Thing "pump">
    CredentialsFile "%s"
    <Property "flow_rate">
    </Property>
  </Thing>
</Plugin>
""" % self.credentials)

    def test_things(self):
        self.refused('Thing "a/b" is not allowed: up to 60 letters',
                     block=weir.cloud_block(URL, self.credentials).replace(
                         '"pump"', '"a/b"'))
        block = weir.cloud_block(URL, self.credentials)
        self.refused('Thing "pump" is not allowed: each name once',
                     block=block + block)
        self.refused("there is no <Property> block", block="""\
LoadPlugin write_arduino_cloud
<Plugin write_arduino_cloud>
  <Thing "pump">
    CredentialsFile "%s"
  </Thing>
</Plugin>
""" % self.credentials)
        self.refused("ClientCert and ClientKey are allowed together only",
                     extra='ClientCert "%s"' % self.credentials)


if __name__ == "__main__":
    unittest.main()
