"""The dashboards and alerts on real servers, fed by collectd with the plugins.

One story is played: a blockage, low and high flow, a stuck sensor, a model
that dies, a cloud that is away, an M4 that is mute, an agent that is stopped.
m4sim makes it, collectd with our plugins reads it, write_prometheus feeds
Prometheus and the network plugin feeds three InfluxDBs (signed, encrypted,
wrong password). Each trouble lasts until its alert has reached a person's
webhook, and ends when the alert is resolved there: nothing depends on time.

The rules are those of alerts.py with short waits (short_rules)."""

import copy
import json
import os
import shutil
import socket
import subprocess
import unittest

import stack
import boards
import alerts
import rules
import weir

HOST = "testhost"
INTERVAL = 0.25
NOMINAL = 10
FILL = 4000  # values that wait in the spool


def short_rules():
    """alerts.py with waits and windows of seconds."""
    changes = {
        "WeirFlapping": [("[10m]", "[30s]"), ("> 6", "> 8")],
        "WeirBoardSilent": [("> 120", "> 5")],
        "WeirCloudBacklogOld": [("> 900", "> 2")],
        "WeirSpoolNearlyFull": [("> 80", "> 10")],
        "WeirValuesDropped": [("[10m]", "[20s]")],
        "WeirValueRejected": [("[10m]", "[20s]")],
        "WeirSpoolLost": [("[10m]", "[20s]")],
        "WeirM4Errors": [("[2m]", "[30s]")],
        "WeirInferenceErrors": [("[2m]", "[30s]")],
    }
    table, kept = copy.deepcopy(alerts.ALERTS), alerts.ALERTS
    for a in table:
        if a["wait"] != "0s":
            a["wait"] = "1s"
        for old, new in changes.get(a["name"], []):
            assert old in a["expr"], a["name"]
            a["expr"] = a["expr"].replace(old, new)
    alerts.ALERTS = table
    try:
        return rules.prometheus().replace("interval: " + rules.INTERVAL,
                                          "interval: 1s")
    finally:
        alerts.ALERTS = kept


MODEL = """\
#!/bin/sh
# The bundled model, until it is told to be broken.
[ -e {dir}/broken ] && exit 1
exec {eim} "$@"
"""

AGENT = """\
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "{dir}/collectd.sock"
  SocketGroup "root"
</Plugin>
LoadPlugin write_prometheus
<Plugin write_prometheus>
  Host "127.0.0.1"
  Port {port}
</Plugin>
LoadPlugin network
<Plugin network>
  <Server "127.0.0.1" "{signed}">
    SecurityLevel "Sign"
    Username "weir"
    Password "secret"
  </Server>
  <Server "127.0.0.1" "{encrypted}">
    SecurityLevel "Encrypt"
    Username "weir"
    Password "secret"
  </Server>
  <Server "127.0.0.1" "{wrong}">
    SecurityLevel "Encrypt"
    Username "weir"
    Password "wrong"
  </Server>
</Plugin>
"""


FILL_PROPERTY = """\
    SpoolSize 1
    RateLimit 10
    DailyRecords 0
    <Property "fill">
      Plugin "fill"
      Type "gauge"
      DeadBand 0
      MinInterval 0
    </Property>
"""


# A second board, whose M4 answers every call with an error.
SECOND = "second"
SECOND_AGENT = """\
Hostname "second"
LoadPlugin write_prometheus
<Plugin write_prometheus>
  Host "127.0.0.1"
  Port {port}
</Plugin>
"""


class Story:
    """Plays the story once; the tests look at what it left."""

    def __init__(self):
        self.dir = os.path.join(weir.BUILD, "live")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.running = []
        self.faults = []  # what a phase had to say, for its test
        self.seen = set()  # (board, panel, ref) of queries with data
        self.asked = {}  # the same: the query
        self.fired = {}  # alert: receiver
        self.cleared = set()

    def run(self, process):
        self.running.append(process)
        return process.start()

    def start(self):
        self.hook = stack.Hook()
        self.alertmanager = self.run(stack.Alertmanager(
            self.dir, self.hook, **{"resolve_timeout: 5m":
                                    "resolve_timeout: 5s"}))
        self.influx = {}
        for kind, level in (("signed", "sign"), ("encrypted", "encrypt"),
                            ("wrong", "encrypt")):
            work = os.path.join(self.dir, kind)
            os.makedirs(work)
            self.influx[kind] = self.run(stack.Influx(work, level))
        self.control = os.path.join(self.dir, "m4sim.ctl")
        self.m4 = self.run(weir.M4Sim(
            self.dir, "--flow", str(NOMINAL), "--step", "--control",
            self.control, "--seed", "5"))
        self.cloud = self.run(weir.CloudSim(
            self.dir, "--thing", weir.CloudSim.THING, "--property",
            "flow_rate:FLOAT", "--property", "classification:CHARSTRING",
            "--property", "fill:FLOAT"))
        self.model = os.path.join(self.dir, "model.eim")
        with open(self.model, "w") as out:
            out.write(MODEL.format(dir=self.dir, eim=weir.EIM))
        os.chmod(self.model, 0o755)
        self.port, self.second_port = stack.free_port(), stack.free_port()
        self.agent = weir.Collectd(self.dir, self.config(), interval=1)
        self.agent = self.run(self.agent)
        self.prometheus = self.run(stack.Prometheus(
            self.dir, [self.port, self.second_port], rules=short_rules(),
            alertmanager=self.alertmanager))
        self.begin = stack.now()

    def config(self):
        with open(os.path.join(stack.PROMETHEUS_FILES,
                               "collectd-alertmanager.conf")) as file:
            notify = file.read().replace("http://127.0.0.1:9093",
                                         self.alertmanager.url)
        cloud = weir.cloud_block(
            self.cloud.url, self.cloud.credentials(self.dir),
            extra=FILL_PROPERTY)
        return (
            weir.m4_block(self.m4.address, interval=INTERVAL) +
            weir.chain_block('Model "%s"' % self.model, interval=INTERVAL,
                             extra="Nominal %g\n      StuckAfter 5\n      "
                             "StaleAfter 3" % NOMINAL) + cloud +
            'PluginDir "%s"\n' % weir.STOCK_PLUGINDIR +
            "CollectInternalStats true\n" + notify + AGENT.format(
                dir=self.dir, port=self.port,
                **{k: v.collectd_port for k, v in self.influx.items()}))

    def stop(self):
        for process in reversed(self.running):
            process.kill()
        self.hook.stop()

    # -- what happens --------------------------------------------------------

    def order(self, text, control=None):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(control or self.control)
            s.sendall(text.encode() + b"\n")
            answer = s.makefile().readline()
        if not answer.startswith("ok"):
            raise AssertionError("m4sim: %s: %s" % (text, answer))

    def put(self, identity, value):
        """A value that no plugin of ours makes here."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(self.dir, "collectd.sock"))
            s.sendall(("PUTVAL %s interval=20 N:%s\n" % (
                identity, value)).encode())
            s.makefile().readline()

    def ask(self, ahead=1):
        """Every query of every panel: note those that return data.

        ahead: as if asked so many seconds later."""
        end = int(stack.now()) + ahead
        window = boards.Window(max(int(self.begin), end - 120), end)
        for uid, board in boards.load().items():
            for title, ref, target in boards.targets(board):
                key = (uid, title, ref)
                self.asked[key] = target.get("expr") or target["query"]
                if key in self.seen:
                    continue
                if boards.is_influx(board):
                    found = window.influx(self.influx["encrypted"], target)
                else:
                    found = window.prometheus(self.prometheus, target)
                if found:
                    self.seen.add(key)

    def state(self, label):
        """Until Prometheus says that this is the state."""
        weir.wait_until(
            lambda: self.prometheus.query(
                'collectd_edge_impulse_bool{type="%s"} == 1' % label),
            "Prometheus has the state %s" % label, alive=self.agent)

    def until_fires(self, name, receiver):
        """Until a person's webhook was told."""
        found = weir.wait_until(
            lambda: self.hook.alerts(name, "firing"),
            "%s reached a person\n%s" % (name, json.dumps(
                sorted(self.prometheus.firing()))))
        self.fired[name] = found[0]
        if found[0][0] != receiver:
            self.faults.append("%s went to %s" % (name, found[0][0]))

    def until_clears(self, name):
        weir.wait_until(lambda: self.hook.alerts(name, "resolved"),
                        "%s is resolved" % name, ceiling=60)
        self.cleared.add(name)

    def trouble(self, begin, end, *names):
        """names: (alert, receiver)..."""
        begin()
        for name, receiver in names:
            self.until_fires(name, receiver)
        self.ask()
        end()
        for name, _ in names:
            self.until_clears(name)

    def event(self, text):
        return lambda: self.order("event " + text)

    def break_model(self):
        open(os.path.join(self.dir, "broken"), "w").close()
        for pid in children(self.agent.pid):
            os.kill(pid, 9)

    def mend_model(self):
        os.unlink(os.path.join(self.dir, "broken"))

    def break_cloud(self):
        """503 for ever, and a spool that fills."""
        self.cloud.fail(".*publish.*", status=503, times=0)
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(self.dir, "collectd.sock"))
            answers, start = s.makefile(), stack.now() - 10
            for i in range(FILL):
                s.sendall(("PUTVAL other/fill-a/gauge interval=20 %.3f:%d\n"
                           % (start + i / 1000, i)).encode())
                answers.readline()

    def drop_values(self):
        """As if a write queue had been full; two scrapes must see it."""
        name = "other/collectd-write_queue/derive-dropped"
        self.put(name, 0)
        weir.wait_until(lambda: self.prometheus.query(
            'collectd_collectd_derive_total{instance="other"}'), "a scrape")
        self.put(name, 57)

    def lose(self, kind):
        """As if the cloud had refused a value, or the spool had been full."""
        name = "other/write_arduino_cloud-pump/errors-" + kind

        def begin():
            self.put(name, 0)
            weir.wait_until(lambda: self.prometheus.query(
                'collectd_write_arduino_cloud_errors_total{type="%s",'
                'instance="other"}' % kind), "a scrape")
            self.put(name, 1)
        return begin

    def stands(self, identity):
        """A value that stays 1, for what takes days to come about."""
        return (lambda: self.put(identity, 1), lambda: self.put(identity, 0))

    def second_board(self):
        """Up, and never a reading; then flow; then flow without a label."""
        work = os.path.join(self.dir, SECOND)
        os.makedirs(work)
        sim = self.run(weir.M4Sim(work, "--ideal", "--flow", "10",
                                  "--control", work + ".ctl"))
        self.order("error 1000000", work + ".ctl")
        self.run(weir.Collectd(
            work, weir.m4_block(sim.address, interval=INTERVAL, report=False,
                                extra='Mode "persistent"') +
            'PluginDir "%s"\n' % weir.STOCK_PLUGINDIR +
            SECOND_AGENT.format(port=self.second_port), interval=1))

        def fires(name):  # here, whatever the first board did before
            weir.wait_until(lambda: self.prometheus.query(
                'ALERTS{alertname="%s",alertstate="firing",instance="%s"}' % (
                    name, SECOND)), name + " on the second board")
        self.trouble(lambda: (fires("WeirNoFlow"), fires("WeirM4Errors")),
                     lambda: self.order("error 0", work + ".ctl"),
                     ("WeirNoFlow", "on-call"), ("WeirM4Errors", "team"))
        name = SECOND + "/edge_impulse-pump/bool-"
        self.trouble(lambda: (self.put(name + "up", 1), fires("WeirNoLabel")),
                     lambda: self.put(name + "Normal", 1),
                     ("WeirNoLabel", "on-call"))

    def other_alarms(self):
        """What no plugin of ours can be brought to in a minute."""
        for name, kind, receiver in (
                ("WeirFlowDrift", "flow_baseline-pump/bool-drift", "team"),
                ("WeirFlowUnsteady", "flow_baseline-pump/bool-spread",
                 "team"),
                ("WeirNightFlow", "flow_baseline-pump/bool-night_flow",
                 "team"),
                ("WeirBaselineUnknown", "flow_baseline-pump/bool-unknown",
                 "on-call"),
                ("WeirStateOther", "edge_impulse-pump/bool-Leak", "team"),
                ("WeirShelved", "edge_impulse-pump/bool-shelved", "team")):
            self.trouble(*self.stands("other/" + kind), (name, receiver))
        name = "other/write_arduino_cloud-pump/bool-spool_on_disk"
        self.trouble(lambda: self.put(name, 0), lambda: self.put(name, 1),
                     ("WeirSpoolInMemory", "team"))
        nothing = lambda: None  # noqa: E731
        self.trouble(self.lose("rejected"), nothing,
                     ("WeirValueRejected", "team"))
        self.trouble(self.lose("dropped"), nothing, ("WeirSpoolLost", "team"))

    def flap(self):
        """To and fro, as fast as the state follows."""
        for _ in range(20):
            for flow, label in ((6, "Low"), (16, "High")):
                self.event("flow %d over 0" % flow)()
                self.state(label)
            if self.hook.alerts("WeirFlapping", "firing"):
                return

    def lose_the_model(self):
        """Without it a flow inside the bands is unknown; below them the range
        is enough for an alarm."""
        self.break_model()
        self.until_fires("WeirInferenceDown", "team")
        self.until_fires("WeirStateUnknown", "on-call")
        self.until_fires("WeirInferenceErrors", "team")
        self.ask()
        self.event("blockage 1.5 over 1")()
        self.until_clears("WeirStateUnknown")
        self.until_fires("WeirRangeFallback", "team")
        self.mend_model()
        self.event("recover over 1")()
        self.until_clears("WeirInferenceDown")
        self.until_clears("WeirRangeFallback")
        self.until_clears("WeirInferenceErrors")

    def restart_agent(self):
        self.agent = self.run(weir.Collectd(self.dir, self.config(),
                                            interval=1, name="collectd-2"))

    def play(self):
        nothing = lambda: None  # noqa: E731
        normal = self.event("flow %d" % NOMINAL)
        self.state("Normal")
        self.ask()
        self.trouble(self.event("blockage 1.5 over 1"),
                     self.event("recover over 1"),
                     ("WeirFlowAnomalous", "on-call"),
                     ("collectd_edge_impulse_bool", "on-call"))
        self.trouble(self.event("flow 6"), normal, ("WeirFlowLow", "team"))
        self.trouble(self.event("flow 16"), normal, ("WeirFlowHigh", "team"))
        self.trouble(self.event("stuck"), self.event("recover"),
                     ("WeirSensorStuck", "team"))
        self.lose_the_model()
        self.trouble(self.break_cloud,
                     lambda: self.cloud.control(clear=True),
                     ("WeirCloudBacklogOld", "team"),
                     ("WeirSpoolNearlyFull", "team"))
        self.trouble(lambda: self.order("mute on"),
                     lambda: self.order("mute off"),
                     ("WeirM4Silent", "on-call"))
        self.trouble(self.drop_values, nothing, ("WeirValuesDropped", "team"))
        self.other_alarms()
        self.second_board()
        self.put("other/edge_impulse-pump/gauge-anomaly", 0.4)
        self.put("other/edge_impulse-pump/bool-Off", 1)
        for name in ("baseline", "band_low", "band_high", "reference",
                     "deviation", "litres_hour", "lost", "limit_hours"):
            self.put("other/flow_baseline-pump/gauge-" + name, 1)
        weir.wait_until(lambda: self.prometheus.query(
            'collectd_edge_impulse_gauge{type="anomaly"}'), "a scrape")
        self.ask()
        self.flap()
        self.until_fires("WeirFlapping", "team")
        normal()
        self.until_clears("WeirFlapping")
        self.trouble(self.agent.stop, self.restart_agent,
                     ("WeirBoardSilent", "on-call"))
        self.agent.stop()
        self.ask(ahead=75)  # a board is listed as silent after a minute


def children(pid):
    """Process ids of the children of a process."""
    out = []
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % name) as file:
                if name.isdigit() and int(file.read().rpartition(")")[2]
                                          .split()[1]) == pid:
                    out.append(int(name))
        except OSError:
            pass
    return out


class LiveTest(unittest.TestCase):
    """What the story left behind."""

    @classmethod
    def setUpClass(cls):
        if stack.no_template():
            raise unittest.SkipTest("Alertmanager " + stack.no_template())
        cls.story = Story()
        cls.addClassCleanup(cls.story.stop)
        cls.story.start()
        cls.story.play()

    def test_every_panel_query_returns_data(self):
        missing = {k: v for k, v in self.story.asked.items()
                   if k not in self.story.seen}
        self.assertEqual(missing, {})
        targets = sum(len(boards.targets(b)) for b in
                      boards.load().values())
        self.assertEqual(len(self.story.asked), targets)

    def test_variables_offer_the_board(self):
        for uid, board in boards.load().items():
            server = self.story.influx["encrypted"] \
                if boards.is_influx(board) else self.story.prometheus
            self.assertIn(HOST, boards.variable(board, "board", server), uid)
            self.assertIn("pump", boards.variable(board, "m4", server), uid)

    def test_every_alert_fires_and_clears(self):
        names = {a["name"] for a in alerts.ALERTS}
        self.assertEqual(names - set(self.story.fired), set())
        self.assertEqual(names - self.story.cleared, set())
        self.assertEqual(self.story.faults, [])

    def test_what_people_read(self):
        for name, (_, alert) in self.story.fired.items():
            texts = alert["annotations"]
            if name.startswith("Weir"):
                self.assertEqual(set(texts),
                                 {"summary", "description", "action"}, name)
            for text in texts.values():
                self.assertNotRegex(text, r"\{\{|no value|%!", name)

    def test_recorded_series(self):
        for name, _, _ in alerts.RECORDS:
            self.assertTrue(self.story.prometheus.query(
                "last_over_time(%s[10m])" % name), name)

    def test_okay_is_no_second_alert(self):
        """Alertmanager may hold it, but no person hears of it."""
        told = [a["labels"] for _, m in self.story.hook.messages
                for a in m["alerts"]]
        self.assertTrue([x for x in told if x.get("severity") == "FAILURE"])
        self.assertEqual([x for x in told if x.get("severity") == "OKAY"], [])

    def flows(self):
        """What the plugins dispatched: [(ms, value)], both lives."""
        found = []
        for name in ("collectd", "collectd-2"):
            path = os.path.join(self.story.dir, name + ".log")
            with open(path, errors="replace") as log:
                for line in log:
                    if line.startswith("[{"):
                        found += json.loads(line)
        return [(round(v["time"] * 1000), v["values"][0]) for v in found
                if v["plugin"] == "m4_rpc" and v["type"] == "flow"]

    def test_flow_is_what_m4sim_played(self):
        played = [r["value"] for r in
                  weir.read_jsonl(self.story.m4.calls_path)
                  if r.get("method") == "flow_rate" and "value" in r]
        got = [v for _, v in self.flows()]
        self.assertGreater(len(got), 100)
        self.assertAlmostEqual(got[0], played[0], places=4)
        self.assertTrue(follows(got, played))

    def test_prometheus_has_it(self):
        s = self.story
        raw = s.prometheus.query('collectd_m4_rpc_flow{instance="%s"}[1h]'
                                 % HOST)
        values = [float(v) for r in raw for _, v in r["values"]]
        self.assertGreater(len(values), 50)
        got = [v for _, v in self.flows()]
        self.assertTrue(follows(values, got, repeat=True))

    def test_influxdb_has_it_signed_and_encrypted(self):
        flows = sorted(self.flows())
        for kind in ("signed", "encrypted"):
            stored = lambda: self.story.influx[kind].query(  # noqa: E731
                'SELECT "value" FROM "m4_rpc_value" WHERE "type" = \'flow\''
            )[0]["values"]
            weir.wait_until(lambda: len(stored()) >= len(flows),
                            "InfluxDB (%s) has all %d readings" % (
                                kind, len(flows)))
            got = sorted((round(t), v) for t, v in stored())
            self.assertEqual(len(got), len(flows), kind)
            for (t, v), (time, value) in zip(got, flows):
                self.assertAlmostEqual(t, time, delta=1)
                self.assertAlmostEqual(v, value, places=4)

    def test_a_wrong_password_stores_nothing(self):
        self.assertEqual(self.story.influx["wrong"].query(
            "SHOW MEASUREMENTS"), [])

    def test_anomalous_only_around_a_fault(self):
        """States against m4sim's own record of what was true."""
        record = [r for r in weir.read_jsonl(self.story.m4.calls_path)
                  if r.get("method") == "flow_rate"]
        faults = [r["t"] for r in record if r["expect"] != "Normal" or
                  r["truth"] != "steady"]
        series = self.story.influx["encrypted"].query(
            'SELECT "value" FROM "edge_impulse_value" WHERE "type" = \'bool\''
            ' AND "type_instance" = \'Anomalous\' AND "host" = \'%s\' AND '
            '"value" = 1' % HOST)
        times = [t / 1000 for t, _ in series[0]["values"]]
        self.assertGreater(len(times), 5)
        reach = 30 * INTERVAL  # a window, the debounce, and as much again
        for t in times:
            self.assertTrue(any(f <= t <= f + reach for f in faults), t)
        blocked = [r["t"] for r in record if r["truth"] == "blockage"]
        self.assertTrue([t for t in times
                         if blocked[0] <= t <= blocked[-1] + reach])


def follows(part, whole, repeat=False):
    """Whether part is whole with elements left out (or said again)."""
    at = 0
    for value in part:
        while at < len(whole) and abs(whole[at] - value) > 1e-4:
            at += 1
        if at == len(whole):
            return False
        at += 0 if repeat else 1
    return True


class NotifyTest(unittest.TestCase):
    """The program beside write_http that ends alerts."""

    def test_okay_ends_the_alert(self):
        work = os.path.join(weir.BUILD, "live-notify")
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        hook = stack.Hook()
        self.addCleanup(hook.stop)
        server = stack.Alertmanager(work, hook)
        self.addCleanup(server.kill)
        server.start()
        self.notify(server, "FAILURE", "Anomalous", "Normal")
        weir.wait_until(lambda: hook.alerts("WeirState", "firing"),
                        "the alert reaches a person")
        alert = hook.alerts("WeirState", "firing")[0][1]
        self.assertEqual(alert["labels"], {
            "alertname": "WeirState", "instance": "board-1",
            "edge_impulse": "pump", "state": "Anomalous"})
        self.assertEqual(alert["annotations"]["summary"],
                         'pump is "Anomalous" \\ 0.9')
        self.notify(server, "OKAY", "Normal", "Anomalous")
        weir.wait_until(lambda: hook.alerts("WeirState", "resolved"),
                        "the alert is resolved")
        self.assertEqual(server.alerts(), [])

    def notify(self, server, severity, label, previous):
        text = ("Severity: %s\nTime: 1.0\nHost: board-1\n"
                "Plugin: edge_impulse\nPluginInstance: pump\nType: bool\n"
                "TypeInstance: %s\nlabel: %s\nprevious: %s\nscore: 0.9\n\n"
                'pump is "Anomalous" \\ 0.9\n' % (severity, label, label,
                                                 previous))
        done = subprocess.run(
            [os.path.join(stack.PROMETHEUS_FILES, "notify-alertmanager"),
             server.url], input=text, text=True, capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
