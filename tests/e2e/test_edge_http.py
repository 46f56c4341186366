"""target_edge_impulse over HTTP: a stand-in for the runner that misbehaves on
order, and Edge Impulse's own runner in front of a bad model."""

import http.server
import json
import ssl
import threading
import unittest

import edgecase
import test_runner
import weir

LABELS = ["Anomalous", "High", "Low", "Normal"]


class StandIn:
    """Behaves like Edge Impulse's runner, one order at a time.

    mode: ok | dead (400 Runner is not initialized) | error (500, HTML)
          | hang | garbage | page (200, HTML) | huge | other_labels
          | once (closes the connection after every reply)"""

    def __init__(self, port=0, tls=None):
        self.mode, self.version, self.samples = "ok", 1, 10
        self.labels = LABELS
        self.infos = self.requests = self.overlap = 0
        self.busy = threading.Lock()
        self.release = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # header and body are two writes

            def log_message(self, *args):
                pass

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    pass  # the client gave up

            def reply(self, status, body, kind="application/json"):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("x-ei-project-version", str(outer.version))
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = outer.mode == "once"

            def do_GET(self):
                outer.infos += 1
                self.reply(200, json.dumps(outer.info()).encode())

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                features = json.loads(self.rfile.read(size))["features"]
                if not outer.busy.acquire(blocking=False):
                    outer.overlap += 1
                    return self.reply(500, b"two at once")
                try:
                    outer.requests += 1
                    outer.answer(self, features)
                finally:
                    outer.busy.release()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port),
                                                      Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True,
                do_handshake_on_connect=False)  # its thread does
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def info(self):
        return {"project": {"name": "stand-in",
                            "deploy_version": self.version},
                "modelParameters": {
                    "input_features_count": self.samples, "axis_count": 1,
                    "interval_ms": 1000, "labels": self.labels, "has_anomaly": 0,
                    "model_type": "classification"}}

    def answer(self, handler, features):
        mode = self.mode
        if mode == "dead":
            return handler.reply(400, b"Runner is not initialized",
                                 "text/plain")
        if mode == "error":
            return handler.reply(500, b"<html><pre>Error: Process exited with "
                                 b"1<br> at stack</pre></html>", "text/html")
        if mode == "hang":
            self.release.wait(60)
            return None
        if mode == "garbage":
            return handler.reply(200, b'{"result": {"classification": \xff')
        if mode == "page":
            return handler.reply(200, b"<html>welcome</html>", "text/html")
        if mode == "huge":
            return handler.reply(200, b" " * 3000000)
        if len(features) != self.samples:
            return handler.reply(
                400, b"Expected %d features, but received %d"
                % (self.samples, len(features)), "text/plain")
        label = "Low" if features[-1] < 5 else "Normal"
        scores = {x: 0.96 if x == label else 0.01 for x in self.labels}
        if mode == "other_labels":
            scores = {"idle": 1, "wave": 0}
        return handler.reply(200, json.dumps(
            {"result": {"classification": scores}}, indent=4).encode())

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


FAULTS = {"dead": "model", "error": "model", "hang": "timeout",
          "garbage": "protocol", "page": "protocol", "huge": "protocol",
          "other_labels": "protocol"}
TARGET = 'URL "%s"\nTimeout 0.5\nRangePolicy "off"\nDebounce 1 1'
PATTERN = [3, 8, 4, 12, 2, 9, 1]


class HttpCase(edgecase.Case):
    def setUp(self):
        super().setUp()
        self.samples = []

    def feed(self, count=1):
        more = [PATTERN[(len(self.samples) + i) % 7] for i in range(count)]
        self.put(more)
        self.samples += more

    def feed_until_answered(self, agent):
        before = len(self.samples)

        def well():
            self.feed()
            return max(self.scores(agent, "Normal"), default=0) > before
        weir.wait_until(well, "windows are answered again", alive=agent)

    def feed_until_down(self, agent):
        def down():
            self.feed()
            found = agent.values(plugin="edge_impulse", type_instance="up")
            return found and found[-1]["value"] == 0
        weir.wait_until(down, "bool-up is 0", alive=agent)

    def check_labels(self, agent):
        for second, label in self.states(agent).items():
            self.assertEqual(label,
                             "Low" if self.samples[second] < 5 else "Normal")


class FaultsTest(HttpCase):
    def stand_in(self, **options):
        runner = StandIn(**options)
        self.addCleanup(runner.stop)
        return runner

    def recovers(self, mode, kind):
        runner = self.stand_in()
        agent = self.agent([TARGET % runner.url])
        self.feed_until_answered(agent)
        runner.mode = mode

        def counted():
            self.feed()
            return self.errors(agent, kind) > 0
        weir.wait_until(counted, "errors-%s is counted" % kind, alive=agent)
        runner.mode = "ok"
        runner.release.set()
        self.feed_until_answered(agent)
        agent.stop()
        self.check_labels(agent)
        self.assertEqual(runner.overlap, 0)

    def test_connection_closed_after_each_reply(self):
        runner = self.stand_in()
        runner.mode = "once"
        agent = self.agent([TARGET % runner.url])
        self.feed_until_answered(agent)
        known = int(max(self.scores(agent, "Normal")))
        self.feed(40)
        last = len(self.samples) - 1
        self.wait_window(agent, last)
        agent.stop()
        self.check_labels(agent)
        self.assertLessEqual(set(range(known, last + 1)),
                             set(self.scores(agent, "Normal")))
        for kind in ("refused", "timeout", "protocol", "model"):
            self.assertEqual(self.errors(agent, kind), 0)

    def test_one_request_at_a_time_for_several_targets(self):
        runner = self.stand_in()
        agent = self.agent([TARGET % runner.url] * 3, threads=5)

        def asked():
            for name in ("a", "b", "c"):
                self.put([10], plugin="feed-" + name)
            return runner.requests >= 180
        weir.wait_until(asked, "180 requests", alive=agent)
        agent.stop()
        self.assertEqual(runner.overlap, 0)

    def test_other_model_behind_the_same_url(self):
        runner = self.stand_in()
        agent = self.agent([TARGET % runner.url])
        self.feed_until_answered(agent)
        runner.samples, runner.version = 6, 2
        self.feed_until_answered(agent)
        agent.wait_log(r"version 2: 6 values")
        agent.stop()
        self.check_labels(agent)

    def test_model_that_does_not_fit_window(self):
        runner = self.stand_in()
        agent = self.agent([TARGET % runner.url + "\nWindow 12"])
        agent.wait_log(r"\[error\] target_edge_impulse plugin: Window 12 does "
                       r"not fit the model .stand-in., which wants 10")
        self.feed(20)
        agent.wait_value(plugin="edge_impulse", type_instance="up", value=0)
        agent.stop()
        self.assertEqual(self.scores(agent, "Normal"), {})
        self.assertEqual(runner.requests, 0)

    def test_fallback_before_the_container_was_ever_there(self):
        runner = self.stand_in()
        runner.stop()
        agent = self.agent(['URL "%s"\nTimeout 0.5\nDebounce 1 1\n'
                            'RangePolicy "fallback"' % runner.url])
        self.put([10] * 12 + [0] * 12)
        weir.wait_until(lambda: self.states(agent).get(23) == "Anomalous",
                        "the range Anomalous is the state", alive=agent)
        self.assertEqual(self.states(agent)[11], "Normal")
        later = self.stand_in(port=runner.port)
        weir.wait_until(lambda: later.infos, "the container is found",
                        alive=agent)
        agent.wait_log(r"is .stand-in.")
        self.put([10] * 12)
        last = agent.wait_value(plugin="edge_impulse", type="bool",
                                type_instance="Normal", value=1,
                                time=edgecase.START + 35)
        self.assertEqual(last[0]["meta"]["edge_impulse:source"], "model")
        agent.stop()

    def test_tls(self):
        authority = weir.Authority(self.dir)
        runner = self.stand_in(tls=authority.issue())
        url = "https://127.0.0.1:%d" % runner.port
        target = TARGET.replace("0.5", "10")
        agent = self.agent([target % url + '\nCACert "%s"' % authority.cert,
                            target % url.replace("127.0.0.1", "localhost")])
        agent.wait_log(r"the model at https://localhost:\d+ does not answer: "
                       r".*certificate")
        self.feed_until_answered(agent)
        agent.stop()

    def test_end_while_it_hangs(self):
        runner = self.stand_in()
        agent = self.agent([TARGET.replace("0.5", "60") % runner.url])
        self.feed_until_answered(agent)
        runner.mode = "hang"
        count = runner.requests

        def hangs():
            self.feed()
            return runner.requests > count
        weir.wait_until(hangs, "a request hangs", alive=agent)
        agent.stop()


for mode, kind in FAULTS.items():
    setattr(FaultsTest, "test_" + mode,
            lambda self, row=(mode, kind): self.recovers(*row))


class RealRunnerTest(HttpCase):
    """Edge Impulse's runner, with a model that misbehaves behind it."""

    setUpClass = classmethod(test_runner.RunnerTest.setUpClass.__func__)
    fetch = test_runner.RunnerTest.fetch
    info = test_runner.RunnerTest.info

    def runner(self, port=None):
        self.port = port or weir.reserved_port()
        runner = self.run_process(weir.Process("runner", [
            "node", self.program, "--run-http-server", str(self.port),
            "--model-file", self.model.path, "--dont-print-predictions"],
            self.dir, {"HOST": "127.0.0.1", "HOME": self.dir}))
        weir.wait_until(self.info, "the runner answers", alive=runner)
        return runner

    def start(self):
        self.model = edgecase.Model(self.dir)
        runner = self.runner()
        agent = self.agent([TARGET % ("http://127.0.0.1:%d" % self.port)])
        self.feed_until_answered(agent)
        return runner, agent

    def test_container_killed_and_restarted(self):
        runner, agent = self.start()
        runner.kill()
        self.feed_until_down(agent)
        self.runner(self.port)
        self.feed_until_answered(agent)
        agent.stop()
        self.check_labels(agent)

    def test_model_dies_inside_the_container(self):
        """The runner answers 400 and a healthy /api/info from then on."""
        runner, agent = self.start()
        self.model.order(mode="crash")
        self.feed_until_down(agent)
        self.model.order(mode="ok")
        self.assertIsNotNone(self.info())
        self.feed(3)
        agent.wait_log(r"does not answer: HTTP status (400|500)")
        runner.kill()
        self.runner(self.port)
        self.feed_until_answered(agent)
        agent.stop()
        self.check_labels(agent)

    def test_model_refuses_and_delays(self):
        _, agent = self.start()
        for orders, kind in (({"mode": "refuse"}, "model"),
                             ({"mode": "delay", "seconds": 1}, "timeout")):
            self.model.order(**orders)

            def counted():
                self.feed()
                return self.errors(agent, kind) > 0
            weir.wait_until(counted, "errors-%s" % kind, alive=agent)
            self.model.order(mode="ok")
            self.feed_until_answered(agent)
        agent.stop()
        self.check_labels(agent)


if __name__ == "__main__":
    unittest.main()
