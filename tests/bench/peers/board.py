"""What the peers in Python share: a call to the M4 as the application note's
client makes it (a connection and message id 0 each time), a question to the
runner, and values to the cloud over one kept connection.

The environment says where things are: M4_ADDRESS, RUNNER_URL, CLOUD_URL,
CLOUD_CA, CLIENT_ID, CLIENT_SECRET, THING_ID, FLOWRATE_VARIABLE_ID,
CLASSIFICATION_VARIABLE_ID."""

import http.client
import json
import os
import socket
import ssl
import struct
import time
import urllib.parse

WINDOW, LEAST = 60, 10


def call(method, *texts):
    """The result of a function of the M4."""
    host, _, port = os.environ["M4_ADDRESS"].rpartition(":")
    request = b"\x94\x00\x00" + text(method) + bytes([0x90 + len(texts)])
    with socket.create_connection((host, int(port)), 5) as link:
        link.sendall(request + b"".join(text(t) for t in texts))
        reply = b""
        while True:
            part = link.recv(4096)
            if not part:
                break
            reply += part
    if len(reply) < 5 or reply[:2] != b"\x94\x01":
        raise OSError("no reply")
    at = 3 if reply[2] < 0x80 else 7
    if reply[at] != 0xc0:
        raise OSError("the M4 refuses")
    return number(reply[at + 1:])


def text(value):
    value = value.encode()
    if len(value) < 32:
        return bytes([0xa0 + len(value)]) + value
    return b"\xda" + struct.pack(">H", len(value)) + value


def number(data):
    if data[0] == 0xca:
        return struct.unpack(">f", data[1:5])[0]
    if data[0] == 0xcb:
        return struct.unpack(">d", data[1:9])[0]
    return float(data[0]) if data[0] < 0x80 else 0.0


class Window:
    """The last minute, as the model wants it."""

    def __init__(self):
        self.values = []

    def add(self, value):
        self.values = (self.values + [value])[-WINDOW:]
        return len(self.values) >= LEAST

    def features(self):
        return [-1000.0] * (WINDOW - len(self.values)) + self.values


class Kept:
    """One connection that is opened again when it breaks."""

    def __init__(self, url, ca=None):
        self.scheme, _, self.host = url.partition("://")
        self.ca, self.link = ca, None

    def ask(self, method, path, body, headers):
        try:
            if self.link is None:
                self.link = (
                    http.client.HTTPSConnection(
                        self.host, timeout=10, context=ssl.
                        create_default_context(cafile=self.ca))
                    if self.scheme == "https" else
                    http.client.HTTPConnection(self.host, timeout=10))
            self.link.request(method, path, body, headers)
            reply = self.link.getresponse()
            data = reply.read()
        except (OSError, http.client.HTTPException):
            self.link = None
            raise
        if reply.status != 200:
            raise OSError("HTTP %d" % reply.status)
        return data


class Runner:
    """Edge Impulse's runner: the label with the highest score, and it."""

    def __init__(self):
        self.link = Kept(os.environ["RUNNER_URL"])

    def label(self, features):
        reply = json.loads(self.link.ask(
            "POST", "/api/features", json.dumps({"features": features}),
            {"Content-Type": "application/json"}))
        scores = reply["result"]["classification"]
        best = max(scores, key=scores.get)
        return best, scores[best]


class Cloud:
    def __init__(self):
        self.link = Kept(os.environ["CLOUD_URL"], os.environ["CLOUD_CA"])
        self.token, self.until = None, 0

    def renew(self):
        reply = json.loads(self.link.ask(
            "POST", "/iot/v1/clients/token", urllib.parse.urlencode({
                "grant_type": "client_credentials",
                "client_id": os.environ["CLIENT_ID"],
                "client_secret": os.environ["CLIENT_SECRET"],
                "audience": "https://api2.arduino.cc/iot"}),
            {"Content-Type": "application/x-www-form-urlencoded"}))
        self.token = reply["access_token"]
        self.until = time.monotonic() + reply["expires_in"] - 30

    def publish(self, variable, value):
        if time.monotonic() >= self.until:
            self.renew()
        self.link.ask(
            "PUT", "/iot/v2/things/%s/properties/%s/publish"
            % (os.environ["THING_ID"], variable), json.dumps({"value": value}),
            {"Content-Type": "application/json",
             "Authorization": "Bearer " + self.token})
