"""flow.eim as its clients see it: a socket, a pipe, Edge Impulse's runner."""

import glob
import json
import os
import shutil
import socket
import subprocess
import unittest
import urllib.error
import urllib.request

import weir

TEN = [10.0, 10.13, 10.0, 9.87, 10.0, 10.13, 10.0, 10.0, 9.87, 10.0]
STEADY = TEN * 6
FIRST = [-1000] * 50 + TEN  # ten samples, and none before them
BLOCKED = TEN * 5 + [10.0, 10.13, 10.0, 9.87, 6.0, 3.07, 3.07, 2.93, 3.07, 2.93]
LABELS = ["Anomalous", "High", "Low", "Normal"]


class Client:
    """Speaks the protocol on a connected socket, one request at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(weir.CEILING)
        self.rest = b""
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise

    def reply(self):
        while b"\0" not in self.rest:
            part = self.socket.recv(65536)
            if not part:
                raise AssertionError("the model closed the connection")
            self.rest += part
        text, self.rest = self.rest.split(b"\0", 1)
        assert text.endswith(b"\n"), text
        return json.loads(text)

    def ask(self, **request):
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        return self.reply()

    def hello(self):
        return self.ask(hello=1, id=1)

    def close(self):
        self.socket.close()


class EimTest(weir.Case):
    def model(self, name="model"):
        """Start flow.eim on a socket; (process, path)."""
        path = os.path.join(self.dir, name + ".sock")
        if len(path) > 100:  # sun_path is short
            path = os.path.relpath(path)
        process = weir.Process(name, [weir.EIM, os.path.abspath(path)],
                               self.dir).start()
        self.addCleanup(process.kill)
        process.wait_log("waiting for a client")
        return process, path

    def test_session(self):
        process, path = self.model()
        client = Client(path)
        hello = client.hello()
        self.assertEqual(hello["model_parameters"]["labels"], LABELS)
        self.assertEqual(hello["model_parameters"]["input_features_count"], 60)
        self.assertEqual(hello["model_parameters"]["least_samples"], 10)
        self.assertEqual(hello["model_parameters"]["interval_ms"], 1000)
        answer = client.ask(classify=STEADY, id=2)
        self.assertEqual(sorted(answer["result"]["classification"]), LABELS)
        self.assertEqual(best(answer), "Normal")
        self.assertEqual(
            "anomaly" in answer["result"],
            bool(hello["model_parameters"]["has_anomaly"]))
        self.assertEqual(best(client.ask(classify=BLOCKED, id=3)), "Anomalous")
        self.assertEqual(best(client.ask(classify=FIRST, id=3)), "Normal")
        self.assertEqual(
            client.ask(id=4),
            {"error": "Failed to handle message", "id": 4, "success": False})
        client.close()
        self.assertEqual(process.wait_exit(), 0)
        self.assertFalse(os.path.exists(path), "its socket is left behind")

    def test_two_requests_in_one_packet_and_one_in_many(self):
        process, path = self.model()
        client = Client(path)
        client.socket.sendall(b'{"hello":1,"id":1}{"id":2}')
        self.assertTrue(client.reply()["success"])
        self.assertEqual(client.reply()["id"], 2)
        for byte in b'{"classify":[1],"id":3}':
            client.socket.sendall(bytes([byte]))
        self.assertIn("expected 60 but got 1", client.reply()["error"])
        client.close()
        self.assertEqual(process.wait_exit(), 0)

    def test_one_client_only(self):
        process, path = self.model()
        first = Client(path)
        first.hello()
        with self.assertRaises(ConnectionRefusedError):
            Client(path)
        self.assertTrue(first.ask(classify=STEADY, id=2)["success"])
        first.close()
        self.assertEqual(process.wait_exit(), 0)

    def test_memory_does_not_grow_with_the_message(self):
        process, path = self.model()
        client = Client(path)
        client.hello()
        chunk = b" " * (1 << 20)
        client.socket.sendall(b'{"id":2,')
        for _ in range(33):
            client.socket.sendall(chunk)
        client.socket.sendall(b'"x":1}')
        self.assertEqual(client.reply()["error"],
                         "Message longer than 33554432 bytes, skipped")
        self.assertTrue(client.ask(classify=STEADY, id=3)["success"])
        with open("/proc/%d/status" % process.pid) as status:
            peak = [int(x.split()[1]) for x in status if x.startswith("VmHWM")]
        if not os.environ.get("WEIR_SAN"):
            self.assertLess(peak[0], 2048, "kB at the peak")
        client.close()
        self.assertEqual(process.wait_exit(), 0)

    def test_needs_no_allocator(self):
        """Of its own objects: the program is linked statically, with a libc
        that has an allocator for others."""
        objects = sorted(glob.glob(os.path.join(
            weir.BUILD, "obj", "model", "*.o")))
        symbols = subprocess.run(["nm", "--undefined-only"] + objects,
                                 stdout=subprocess.PIPE, text=True, check=True)
        self.assertIn("accept", symbols.stdout)
        for name in ("malloc", "calloc", "realloc", "strdup", "mmap"):
            self.assertNotRegex(symbols.stdout, r"\b%s\b" % name)

    def test_keeps_what_it_did_not_make(self):
        path = os.path.join(self.dir, "taken")
        with open(path, "w") as out:
            out.write("mine")
        done = subprocess.run([weir.EIM, path], stderr=subprocess.PIPE,
                              text=True, timeout=weir.CEILING)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "flow.eim: cannot listen on %s: "
                         "Address already in use\n" % path)
        with open(path) as kept:
            self.assertEqual(kept.read(), "mine")

    def test_a_signal_leaves_no_socket(self):
        process, path = self.model()
        process.stop()
        self.assertFalse(os.path.exists(path))

    def test_bad_arguments(self):
        long_path = "/tmp/" + "x" * 200
        for arguments, words in (
                ([], "usage: flow.eim SOCKET | stdin | --print-info\n"),
                (["a", "b"], "usage: flow.eim SOCKET | stdin | --print-info\n"),
                ([long_path], "flow.eim: cannot listen on %s: File name too "
                 "long\n" % long_path),
                (["/no/such/folder/s"], "flow.eim: cannot listen on "
                 "/no/such/folder/s: No such file or directory\n")):
            done = subprocess.run([weir.EIM] + arguments, text=True,
                                  stderr=subprocess.PIPE, timeout=weir.CEILING)
            self.assertEqual((done.returncode, done.stderr), (1, words))

    def test_stdin(self):
        text = '{"hello":1,"id":1}\n{"classify":%s,"id":2}\n' % STEADY
        done = subprocess.run([weir.EIM, "stdin"], input=text, text=True,
                              stdout=subprocess.PIPE, timeout=weir.CEILING)
        banner, hello, answer = done.stdout.splitlines()
        self.assertEqual(done.returncode, 0)
        self.assertNotIn("{", banner)
        self.assertTrue(json.loads(hello)["success"])
        self.assertEqual(best(json.loads(answer)), "Normal")

    def test_print_info(self):
        info = subprocess.run([weir.EIM, "--print-info"], text=True,
                              stdout=subprocess.PIPE, timeout=weir.CEILING)
        process, path = self.model()
        client = Client(path)
        self.assertEqual(json.loads(info.stdout), client.hello())
        client.close()
        self.assertEqual(process.wait_exit(), 0)


class RunnerTest(weir.Case):
    """The same model behind Edge Impulse's own HTTP runner, unchanged."""

    def start_runner(self):
        program = weir.runner_program()
        model = os.path.join(self.dir, "flow.eim")  # the runner chmods it
        shutil.copy(weir.EIM, model)
        port = weir.reserved_port()
        runner = weir.Process(
            "runner", ["node", program, "--run-http-server", str(port),
                       "--model-file", model, "--dont-print-predictions"],
            self.dir, {"HOST": "127.0.0.1", "HOME": self.dir}).start()
        self.addCleanup(runner.kill)
        runner.wait_log("HTTP Server now running")
        self.url = "http://127.0.0.1:%d" % port
        return runner

    def ask(self, path, body=None):
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode() if body else None,
            {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=weir.CEILING) as got:
                return got.status, json.load(got)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def test_runner(self):
        runner = self.start_runner()
        status, info = self.ask("/api/info")
        self.assertEqual(status, 200)
        self.assertEqual(info["project"]["owner"], "Weir")
        self.assertEqual(info["modelParameters"]["labels"], LABELS)
        for window, label in ((STEADY, "Normal"), (FIRST, "Normal"), (BLOCKED, "Anomalous"),
                              ([x * 0.6 for x in STEADY], "Low"),
                              ([x * 1.6 for x in STEADY], "High")):
            status, answer = self.ask("/api/features", {"features": window})
            self.assertEqual(status, 200)
            self.assertEqual(best(answer), label)
        self.assertEqual(self.ask("/api/features", {"features": [1, 2]}),
                         (400, "Expected 60 features, but received 2"))
        status, page = self.ask("/api/features", {"features": [None] * 60})
        self.assertEqual(status, 500)
        self.assertIn("Failed to parse classify array, should contain all "
                      "numbers", page)
        self.assertEqual(self.ask("/api/features", {"features": STEADY})[0],
                         200)
        runner.signal(2)  # SIGINT: its way to stop
        self.assertEqual(runner.wait_exit(), 0)


def best(answer):
    scores = answer["result"]["classification"]
    return max(scores, key=scores.get)


if __name__ == "__main__":
    unittest.main()
