"""weir-doctor inference: each way a model can fail, one verdict for each."""

import json
import os
import re
import unittest

import edgecase
import weir
from doctorcase import Case, closed_port, steps

INFO = {"project": {"name": "flow", "deploy_version": 3}, "modelParameters": {
    "axis_count": 1, "frequency": 1, "has_anomaly": 0, "image_input_width": 0,
    "input_features_count": 10, "interval_ms": 1000, "label_count": 2,
    "labels": ["Normal", "Low"], "model_type": "classification", "sensor": 2}}


def http(answers):
    """A container: path -> (status, body); None: silence; "end": it ends."""
    def serve(peer, conn):
        while True:
            got = peer.hear(conn)
            if got is None:
                return
            path = got.split(b" ")[1].decode()
            answer = answers.get(path, (404, "no"))
            if answer is None:
                continue
            if answer == "end":
                conn.close()
                return
            body = answer[1] if isinstance(answer[1], str) else json.dumps(
                answer[1])
            conn.sendall(("HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (
                answer[0], len(body), body)).encode())
    return serve


class ContainerTest(Case):
    def container(self, name, answers):
        peer = self.peer(http(answers))
        return self.expect(name, "inference", "http://" + peer.address)

    def test_name_unknown(self):
        self.expect("model-name-unknown", "inference",
                    "http://inference.invalid:1337")

    def test_name_server_silent(self):
        self.alone("model-name-silent", "inference",
                   "http://inference.example.com:1337")

    def test_refused(self):
        said = self.expect("container-refused", "inference",
                           "http://127.0.0.1:%d" % closed_port())
        self.assertIn("docker logs", said["remedy"])

    def test_hangs(self):
        self.container("container-hangs", {"/api/info": None})

    def test_refuses(self):
        said = self.container("model-refuses", {"/api/info": (200, {
            "success": False, "error": "Runner is not initialized"})})
        self.assertIn("Runner is not initialized", steps(said))

    def test_not_edge_impulse(self):
        for answer in ((404, "<html>nginx</html>"), (200, "hello"),
                       (200, {"answer": 42})):
            self.container("not-edge-impulse", {"/api/info": answer})

    def test_wrong_kind(self):
        info = json.loads(json.dumps(INFO))
        info["modelParameters"].update(model_type="object_detection",
                                       image_input_width=96)
        self.container("model-wrong-kind", {"/api/info": (200, info)})

    def test_refuses_the_window(self):
        for answer in ((400, "Runner is not initialized"),
                       (200, {"success": False,
                              "error": "no memory for the tensor arena"})):
            said = self.container("window-refused", {
                "/api/info": (200, INFO), "/api/features": answer})
            text = answer[1] if answer[0] == 400 else answer[1]["error"]
            self.assertIn(text, steps(said))

    def test_dies_at_the_window(self):
        self.container("model-crashes", {"/api/info": (200, INFO),
                                         "/api/features": "end"})

    def test_hangs_at_the_window(self):
        self.container("model-hangs", {"/api/info": (200, INFO),
                                       "/api/features": None})

    def test_answer_malformed(self):
        self.container("answer-malformed", {
            "/api/info": (200, INFO),
            "/api/features": (200, {"result": {"classification": {
                "Normal": 7}}})})

    def test_classifies(self):
        self.container("model-classifies", {
            "/api/info": (200, INFO),
            "/api/features": (200, {"result": {"classification": {
                "Normal": 0.9, "Low": 0.1}}})})


class ProgramTest(Case):
    def model(self, name, **orders):
        model = edgecase.Model(self.dir)
        model.order(**orders)
        return self.expect(name, "inference", model.path)

    def test_bundled_model(self):
        said = self.expect("model-classifies", "inference", weir.EIM)
        self.assertRegex(steps(said), r"\d+ samples on 1 axis, 1 s apart")
        self.assertIn("Anomalous, High, Low, Normal", steps(said))

    def test_missing(self):
        for path in ("/nonexistent.eim", self.dir):
            self.expect("model-missing", "inference", path)

    def test_not_executable(self):
        path = os.path.join(self.dir, "m.eim")
        with open(path, "w") as out:
            out.write("#!/bin/sh\n")
        os.chmod(path, 0o644)
        self.expect("model-not-executable", "inference", path)

    def test_other_machine(self):
        with open(weir.EIM, "rb") as model:
            elf = bytearray(model.read())
        elf[18] ^= 0xff  # e_machine
        path = os.path.join(self.dir, "m.eim")
        with open(path, "wb") as out:
            out.write(elf)
        os.chmod(path, 0o755)
        self.expect("model-other-machine", "inference", path)

    def test_ends_at_start(self):
        self.expect("model-ends-at-start", "inference", "/bin/false")
        said = self.model("model-ends-at-start", start="exit")
        self.assertIn("cannot allocate tensors", steps(said))

    def test_deaf_at_start(self):
        self.model("model-hangs-at-start", start="deaf")

    def test_mute_at_start(self):
        self.model("model-hangs-at-start", start="mute")

    def test_refuses(self):
        said = self.model("model-refuses", start="refuse")
        self.assertIn("not today", steps(said))

    def test_crashes_at_its_first_window(self):
        said = self.model("model-crashes", mode="crash")
        self.assertIn("out of ideas", steps(said))

    def test_hangs_at_its_first_window(self):
        self.model("model-hangs", mode="hang")

    def test_refuses_the_window(self):
        said = self.model("window-refused", mode="refuse")
        self.assertIn("Invalid number of features", steps(said))

    def test_answer_malformed(self):
        for mode in ("garbage", "score", "other_labels"):
            self.model("answer-malformed", mode=mode)

    def test_labels_that_the_sketch_does_not_know(self):
        said = self.model("labels-unknown", labels=["Normal", "Leak", "Worn"])
        self.assertIn("does not know: Leak, Worn", steps(said))
        self.assertIn("LABELS", said["remedy"])

    def test_the_sketch_knows_what_the_doctor_thinks(self):
        with open(os.path.join(weir.ROOT, "firmware/libraries/WeirFlow/src/"
                               "weir_alarm.h")) as text:
            table = text.read().split("#define WEIR_BUNDLED_LABELS")[1]
        table = table.split("/* clang-format on")[0]
        known = re.findall(r'\{"(\w+)"', table)
        self.assertGreaterEqual(len(known), 4)
        self.model("model-classifies", labels=sorted(known))


if __name__ == "__main__":
    unittest.main()
