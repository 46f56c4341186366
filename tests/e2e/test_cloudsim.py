"""The Arduino Cloud stand-in keeps its own promises: checks and faults."""

import http.client
import json
import ssl
import unittest
import urllib.error
import urllib.parse
import urllib.request

import weir

AUDIENCE = "https://api2.arduino.cc/iot"


class Client:
    """As write_arduino_cloud talks, without its care."""

    def __init__(self, cloud, ca, space="sp1"):
        self.cloud, self.head = cloud, {"X-Organization": space}
        self.tls = ssl.create_default_context(cafile=ca)
        self.base = "/iot/v2/things/" + cloud.THING

    def call(self, method, path, data=None, kind="application/json"):
        """(status, body, headers)"""
        if data is not None and not isinstance(data, bytes):
            data = json.dumps(data).encode()
        request = urllib.request.Request(
            self.cloud.url + path, data, dict(self.head,
                                              **{"Content-Type": kind}),
            method=method)
        try:
            with urllib.request.urlopen(request, timeout=10,
                                        context=self.tls) as reply:
                return reply.status, reply.read(), reply.headers
        except urllib.error.HTTPError as err:
            with err:
                return err.code, err.read(), err.headers

    def token(self, **changes):
        form = {"grant_type": "client_credentials", "audience": AUDIENCE,
                "client_id": self.cloud.CLIENT_ID,
                "client_secret": self.cloud.CLIENT_SECRET,
                "organization_id": "sp1"}
        form.update(changes)
        return self.call("POST", "/iot/v1/clients/token",
                         urllib.parse.urlencode(form).encode(),
                         "application/x-www-form-urlencoded")

    def login(self):
        token = json.loads(self.token()[1])["access_token"]
        self.head["Authorization"] = "Bearer " + token

    def put(self, path, data):
        return self.call("PUT", self.base + path, data)

    def flow(self, value):
        return self.put("/publish", {"to_device": False, "properties": [
            {"property": "flow_rate", "value": value}]})


class CloudSimTest(weir.Case):
    def setUp(self):
        super().setUp()
        authority = weir.Authority(self.dir)
        cert, key = authority.issue()
        self.cloud = self.cloudsim("--cert", cert, "--key", key,
                                   "--space", "sp1", "--batch-max", "3")
        self.client = Client(self.cloud, authority.cert)
        self.flow_id = self.cloud.property_id("flow_rate")

    def test_token_checks_every_field(self):
        for change, status in (({"client_secret": "x"}, 401),
                               ({"client_id": "x"}, 401),
                               ({"audience": "x"}, 403),
                               ({"organization_id": "x"}, 403),
                               ({"grant_type": "password"}, 400)):
            self.assertEqual(self.client.token(**change)[0], status, change)
        status, body, _ = self.client.token()
        self.assertEqual((status, json.loads(body)["expires_in"]), (200, 300))
        self.assertEqual(len(json.loads(body)["access_token"]), 900)

    def test_publish_ways_are_recorded(self):
        self.assertEqual(self.client.flow(1)[0], 401)
        self.client.login()
        _, body, _ = self.client.call("GET", self.client.base + "/properties")
        self.assertEqual({p["name"]: p["id"] for p in json.loads(body)}
                         ["flow_rate"], self.flow_id)
        single = "/properties/%s/publish" % self.flow_id
        batch = single + "_batch"
        stamp = "2026-01-01T00:00:0%d.5Z"
        for path, data, status in (
                (single, {"value": 1.5}, 200), (single, {"value": "x"}, 400),
                (single, {"value": True}, 400), (single, {}, 400),
                (single, b'{"value":NaN}', 400), (single, b"{", 400),
                ("/publish", {"properties": [
                    {"property": "flow_rate", "value": 2},
                    {"property": "classification", "value": "Low"}]}, 200),
                ("/publish", {"properties": [
                    {"property": "flow_rate", "value": 9},
                    {"property": "classification", "value": 3}]}, 400),
                ("/publish", {"properties": [
                    {"property": "none", "value": 9}]}, 400),
                (batch, [{"timestamp": stamp % i, "value": i}
                         for i in (3, 4)], 200),
                (batch, [{"timestamp": "today", "value": 1}], 400),
                (batch, [{"timestamp": stamp % i, "value": i}
                         for i in range(4)], 400),
                ("/properties/none/publish", {"value": 1}, 404)):
            self.assertEqual(self.client.put(path, data)[0], status,
                             (path, data))
        self.assertEqual([(v["endpoint"], v["property"], v["value"],
                           v["timestamp"]) for v in self.cloud.values()],
                         [("publish", "flow_rate", 1.5, None),
                          ("publish_multi", "flow_rate", 2, None),
                          ("publish_multi", "classification", "Low", None),
                          ("publish_batch", "flow_rate", 3, stamp % 3),
                          ("publish_batch", "flow_rate", 4, stamp % 4)])
        with open(self.cloud.request_path) as log:
            text = log.read()
        self.assertNotIn(self.cloud.CLIENT_SECRET, text)
        self.assertNotIn("tok-", text)

    def test_faults(self):
        self.client.login()
        self.cloud.fail("/publish$", status=429, retry_after=2, times=2)
        for want in (429, 429, 200):
            status, body, headers = self.client.flow(1)
            self.assertEqual(status, want)
            if want == 429:
                self.assertEqual(headers["Retry-After"], "2")
                self.assertIn(b"maximum request limit", body)
        self.cloud.fail("/publish$", status=500, times=1, after=1)
        self.assertEqual([self.client.flow(2)[0] for _ in range(3)],
                         [200, 500, 200])
        for action in ("half", "close", "reset", "garbage"):
            self.cloud.fail("/publish$", action=action, accept=True)
            with self.assertRaises((http.client.HTTPException, OSError)):
                self.client.flow(3)
        self.assertEqual(len(self.cloud.values(value=3)), 4)
        self.cloud.control(off=["publish_multi"])
        self.assertEqual(self.client.flow(4)[0], 404)
        self.cloud.control(on=["publish_multi"], expire_tokens=True)
        self.assertEqual(self.client.flow(4)[0], 401)
        self.client.login()
        self.cloud.control(rate=1)
        self.assertIn(429, [self.client.flow(5)[0] for _ in range(20)])

    def test_restart_keeps_port_and_record(self):
        self.client.login()
        self.client.flow(1)
        before = self.cloud.address
        self.cloud.stop()
        self.cloud.start()
        self.assertEqual(self.cloud.address, before)
        self.assertEqual(self.client.flow(2)[0], 401)  # a token of the past
        self.client.login()
        self.client.flow(2)
        self.assertEqual([v["value"] for v in self.cloud.values()], [1, 2])


if __name__ == "__main__":
    unittest.main()
