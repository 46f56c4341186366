"""Bad configurations end in one sentence and exit status 1; good ones start,
also when every peer is down, and recover in whatever order the peers come."""

import http.server
import itertools
import json
import os
import re
import subprocess
import threading
import unittest

import baselinecase
import weir

OURS = (r"\[error\] (?:m4_rpc|target_edge_impulse|target_flow_baseline|"
        r"write_arduino_cloud) plugin: ")
M4 = "127.0.0.1:5001"
URL = "http://127.0.0.1:1337"
CLOUD = "https://127.0.0.1:4433"


def m4(address=M4, **named):
    return lambda case: weir.m4_block(address, **named)


def chain(source=None, **named):
    return lambda case: weir.chain_block(source, **named)


def baseline(*targets):
    return lambda case: baselinecase.chain(*targets)


def cloud(mode=0o600, path=None, url=CLOUD, changes=None, **named):
    def text(case):
        cred = weir.CloudSim(case.dir).credentials(case.dir, mode=mode,
                                                   **(changes or {}))
        return weir.cloud_block(url, path or cred, **named)
    return text


# name: (configuration, what the sentence names, what it says is allowed)
BAD = {
    "m4_unknown_option": (m4(extra='Adress "x"'), "Adress", "allowed here"),
    "m4_port_too_high": (m4(address="m4proxy:65536"), 'Address "m4proxy:65536"',
                         "65535"),
    "m4_port_zero": (m4(address="m4proxy:0"), 'Address "m4proxy:0"', "65535"),
    "m4_port_text": (m4(address="m4proxy:http"), 'Address "m4proxy:http"',
                     "65535"),
    "m4_mode": (m4(extra='Mode "prox"'), 'Mode "prox"', "persistent"),
    "m4_timeout_zero": (m4(extra="Timeout 0"), 'Timeout "0"', "seconds"),
    "m4_interval_text": (m4(interval='"often"'), "Interval", "number"),
    "m4_option_twice": (m4(extra="Timeout 2\nTimeout 2"), "Timeout", "twice"),
    "edge_unknown_option": (chain(extra="Treshold 0.5"), "Treshold",
                            "allowed here"),
    "edge_no_source": (chain(" "), "URL", "Model"),
    "edge_both_sources": (chain('URL "%s"\nModel "%s"' % (URL, weir.EIM)),
                          "URL", "Model"),
    "edge_window_zero": (chain(extra="Window 0"), 'Window "0"',
                         r"1 to|at least"),
    "edge_threshold": (chain(extra="Threshold 1.5"), 'Threshold "1.5"',
                       "0 to 1"),
    "edge_debounce": (chain(extra="Debounce 6 5"), "Debounce", "[0-9]"),
    "edge_url_scheme": (chain('URL "ftp://x"'), 'URL "ftp://x"', "http"),
    "edge_model_relative": (chain('Model "flow.eim"'), 'Model "flow.eim"',
                            "absolute path"),
    "baseline_unknown_option": (baseline("Bnd 2"), "Bnd", "allowed here"),
    "baseline_learn": (baseline("Learn 5"), 'Learn "5"', "40 to"),
    "baseline_band": (baseline("Band 0"), 'Band "0"', "0.1 to 50"),
    "baseline_limits": (baseline("Low 9\nHigh 8"), "Low", "below High"),
    "baseline_instance": (baseline('Instance "%{plugn}"'), "%{plugn}",
                          "stand for"),
    "baseline_setpoint": (baseline('Setpoint "flow"'), 'Setpoint "flow"',
                          "plugin-instance/type-instance"),
    "baseline_litres": (baseline('Litres "pint"'), 'Litres "pint"', "minute"),
    "baseline_file_relative": (baseline('StateFile "state"'),
                               'StateFile "state"', "absolute"),
    "baseline_file_twice": (baseline("", ""), "StateFile", "file of its own"),
    "cloud_unknown_option": (cloud(extra='Burst 3'), "Burst", "allowed here"),
    "cloud_plain_http": (cloud(url="http://cloud.example"),
                         "http://cloud.example", "https"),
    "cloud_dead_band": (cloud(flow="DeadBand -1"), 'DeadBand "-1"', "0"),
    "cloud_min_interval": (cloud(flow='MinInterval "no"'), "MinInterval",
                           "number"),
}


class BadConfigTest(weir.Case):
    """One method for each row of BAD, made below."""

    def refused(self, build, named, allowed):
        status, log = weir.check_config(self.dir, build(self))
        self.assertEqual(status, 1, log)
        faults = [x for x in log.splitlines() if re.search(OURS, x)]
        self.assertEqual(len(faults), 1, "one sentence wanted:\n" + log)
        self.assertIn(named, faults[0])
        self.assertRegex(faults[0], allowed)
        self.assertNotIn(weir.CloudSim.CLIENT_SECRET, log)
        self.assertNotIn("UNKNOWN plugin", log)

    def test_daemon_refuses_to_start(self):
        agent = self.collectd(chain(extra="Treshold 0.5")(self))
        self.assertEqual(agent.wait_exit(), 1)
        self.assertIn("Treshold", agent.log())


for name, row in BAD.items():
    setattr(BadConfigTest, "test_" + name,
            lambda self, row=row: self.refused(*row))


class RunnerStandIn:
    """The two routes of Edge Impulse's runner that the plugin uses."""

    INFO = {"project": {"name": "stand-in", "deploy_version": 1},
            "modelParameters": {
                "axis_count": 1, "frequency": 1, "interval_ms": 1000,
                "input_features_count": 10, "label_count": 4, "has_anomaly": 0,
                "model_type": "classification", "sensor": 6, "slice_size": 2,
                "labels": ["Anomalous", "High", "Low", "Normal"]}}
    RESULT = {"result": {"classification": {
        "Anomalous": 0.01, "High": 0.02, "Low": 0.02, "Normal": 0.95}},
        "timing": {"anomaly": 0, "classification": 0, "dsp": 0}}

    def __init__(self):
        self.port = 0
        self.start()
        self.stop()  # the port is known now

    def start(self):
        info, result = self.INFO, self.RESULT

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = json.dumps(info if self.path == "/api/info"
                                  else result).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port


class PeersTest(weir.Case):
    """One method for each order of appearance, made below."""

    PLUGINS = ("m4_rpc", "target_edge_impulse", "write_arduino_cloud")

    def recovers(self, order):
        m4sim, cloudsim, runner = (self.m4sim(), self.cloudsim(),
                                   RunnerStandIn())
        m4sim.stop()
        cloudsim.stop()
        self.addCleanup(runner.stop)
        agent = self.collectd(
            weir.m4_block(m4sim.address) +
            weir.chain_block('URL "%s"' % runner.url) +
            weir.cloud_block(cloudsim.url, cloudsim.credentials(self.dir),
                             flow="DeadBand 0\nMinInterval 0"))
        agent.wait_ready()
        for plugin in self.PLUGINS:
            agent.wait_log(r"\[(error|warning)\] %s plugin: " % plugin)
        agent.wait_value(plugin="m4_rpc", type="bool", value=0)
        for peer in order:
            {"m4": m4sim, "runner": runner, "cloud": cloudsim}[peer].start()
            if peer == "m4":
                agent.wait_value(20, plugin="m4_rpc", type="flow")
        agent.wait_value(plugin="edge_impulse", type_instance="Normal",
                         type="bool", value=1)
        cloudsim.wait_values(3, property="flow_rate")
        cloudsim.wait_values(1, property="classification", value="Normal")
        self.said_once(agent)
        agent.stop()

    def said_once(self, agent):
        """Trouble is one line for each peer, not one for each attempt, and so
        is its end. That a state is unknown is no peer's trouble: it is said
        when the model has been away for StaleAfter, once, and so is its
        end."""
        lines = agent.log().splitlines()
        state = [x for x in lines if "plugin: the state of " in x]
        self.assertEqual(
            [re.search(r"\[(\w+)\]", x).group(1) for x in state],
            ["warning", "info"][:len(state)], "\n".join(state))
        self.assertIn(len(state), (0, 2), "\n".join(state))
        lines = [x for x in lines if x not in state]
        for plugin in self.PLUGINS:
            ours = [x for x in lines if re.search(
                r"\[(error|warning)\] %s " % plugin, x)]
            self.assertEqual(len(ours), 1, "\n".join(ours))
            over = [x for x in lines if re.search(
                r"\[info\] %s .* again, after" % plugin, x)]
            self.assertEqual(len(over), 1, "\n".join(over))


for order in itertools.permutations(("m4", "runner", "cloud")):
    setattr(PeersTest, "test_" + "_".join(order),
            lambda self, order=order: self.recovers(order))


class GoodConfigTest(weir.Case):
    def check(self, path, *before):
        return subprocess.run(
            [*before, os.path.join(weir.ROOT, "tests", "check-config"), path],
            capture_output=True, text=True, env=dict(
                os.environ, WEIR_BUILD=weir.BUILD))

    def write(self, text):
        path = os.path.join(self.dir, "agent.conf")
        with open(path, "w") as out:
            out.write('PluginDir "/elsewhere"\n' + text)
        return path

    def test_check_config_accepts(self):
        done = self.check(self.write("LoadPlugin match_regex\n" + m4()(self) +
                                     chain()(self) + cloud()(self)))
        self.assertEqual((done.returncode, done.stdout),
                         (0, os.path.join(self.dir, "agent.conf") +
                          ": accepted\n"), done.stderr)

    def test_a_machine_that_does_not_know_itself(self):
        """As a bare root, or a board without a network."""
        renamed = ["unshare", "--uts"] + (
            [] if os.geteuid() == 0 else ["--map-root-user"]) + [
            "sh", "-c", 'echo nobody-knows.invalid >/proc/sys/kernel/hostname '
            '&& exec "$0" "$@"']
        if subprocess.run(renamed + ["true"]).returncode != 0:
            self.skipTest("no other name can be given to this machine here")
        done = self.check(self.write(m4()(self)), *renamed)
        self.assertIn(": accepted\n", done.stdout, done.stderr)
        self.assertIn("cannot look up its own name", done.stderr)
        done = self.check(self.write("FQDNLookup true\n" + m4()(self)),
                          *renamed)
        self.assertIn("Looking up", done.stderr)
        self.assertEqual(done.returncode, 1)

    def test_check_config_refuses(self):
        done = self.check(self.write(m4(extra='Adress "x"')(self)))
        self.assertEqual(done.returncode, 1)
        self.assertIn("Adress", done.stderr)
        done = self.check("/none.conf")
        self.assertEqual((done.returncode, done.stderr),
                         (1, "check-config: cannot read /none.conf\n"))


if __name__ == "__main__":
    unittest.main()
