#!/usr/bin/python3
"""A stand-in for the Arduino Cloud REST service, for tests and the demo.

It speaks the part of the API that write_arduino_cloud uses:

  POST /iot/v1/clients/token                             client credentials
  GET  /iot/v2/things/{thing}/properties                 names, ids, types
  PUT  /iot/v2/things/{thing}/properties/{id}/publish        one value
  PUT  /iot/v2/things/{thing}/publish                        several, by name
  PUT  /iot/v2/things/{thing}/properties/{id}/publish_batch  with time stamps

with the service's checks (credentials, audience, organization, token life,
property types) and its error bodies. It binds 127.0.0.1, prints

  control on http://127.0.0.1:PORT/_control
  listening on http://127.0.0.1:PORT          (https with --cert)

and ends on SIGTERM, or when its parent is gone. Every accepted value is one
JSON line in --record before the reply is sent: {n, t, endpoint, thing,
property, value, timestamp, request}. --log gets one JSON line per request
without secrets. Both files are appended to, so a restart on the same port
(--listen 127.0.0.1:PORT) continues them.

GET _control returns the counters. POST _control takes a JSON object:

  fail: [{path, method, status, retry_after, body, action, seconds, accept,
          times, after, enforce, holds}]
      Every key is optional. path is a regular expression, times how often
      (default 1; 0: until cleared), after how many matches to let through.
      status: answer with this status. action instead of status:
        hang    no reply until {"release": true} or `seconds`
        close   end the connection without a reply
        reset   the same with a TCP reset
        half    half a reply, then end of stream in this direction only
        slow    the reply byte by byte, over `seconds`
        cut     the first `bytes` of a reply, then the end of the connection
        garbage bytes that are not HTTP
        endless a reply body that does not end
      accept: take the values first, then fail (the client cannot know).
      holds: only requests whose body has this text in it.
      enforce: refuse again whoever comes back before retry_after is over.
  clear: true            forget all faults
  release: true          let hanging requests go on (they are answered 503)
  expire_tokens: true    every token issued so far is refused from now on
  off, on: [endpoint]    publish, publish_multi, publish_batch, properties
  token_lifetime, rate:  as the options of the same name
"""

import argparse
import collections
import http.server
import json
import os
import re
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import uuid

AUDIENCE = "https://api2.arduino.cc/iot"
LIMIT_TEXT = "You have reached maximum request limit."
BODY_LIMIT = 4 << 20
ENDPOINTS = ("token", "properties", "publish", "publish_multi",
             "publish_batch")
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?"
                     r"(Z|[+-]\d\d:\d\d)$")
TEXT_TYPES = {"CHARSTRING"}
BOOL_TYPES = {"STATUS"} | {
    brand + "HOME_" + kind for brand in ("", "SMART_", "GOOGLE_") for kind in
    ("LIGHT", "SWITCH", "CONTACT_SENSOR", "MOTION_SENSOR", "SMART_PLUG")}
INT_TYPES = {"INT", "COUNT"}
ROUTES = (
    ("token", "POST", re.compile(r"^/iot/v1/clients/token$")),
    ("properties", "GET",
     re.compile(r"^/iot/v2/things/(?P<thing>[^/]+)/properties$")),
    ("publish_multi", "PUT",
     re.compile(r"^/iot/v2/things/(?P<thing>[^/]+)/publish$")),
    ("publish", "PUT", re.compile(r"^/iot/v2/things/(?P<thing>[^/]+)"
                                  r"/properties/(?P<pid>[^/]+)/publish$")),
    ("publish_batch", "PUT",
     re.compile(r"^/iot/v2/things/(?P<thing>[^/]+)"
                r"/properties/(?P<pid>[^/]+)/publish_batch$")),
)


class Refused(Exception):
    """The request ends here with this status."""

    def __init__(self, status, detail="", code=None, headers=None, raw=None):
        super().__init__(detail)
        self.status, self.detail, self.raw = status, detail, raw
        self.code = code or {400: "invalid_value", 401: "unauthorized",
                             403: "forbidden", 404: "not_found",
                             500: "internal"}.get(status, "error")
        self.headers = headers or {}


def property_id(thing, name):
    """Ids are derived from names, so every run has the same ones."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, thing + "/" + name))


def type_error(kind, value):
    """What is wrong with value for a property of this type; None: nothing."""
    if kind in TEXT_TYPES:
        ok, want = isinstance(value, str), "a string"
    elif kind in BOOL_TYPES:
        ok, want = isinstance(value, bool), "a boolean"
    elif kind in INT_TYPES:
        ok = isinstance(value, int) and not isinstance(value, bool)
        want = "an integer"
    else:
        ok = isinstance(value, (int, float)) and not isinstance(value, bool)
        want = "a number"
    return None if ok else "value must be %s for type %s" % (want, kind)


def parse_json(body):
    def constant(name):
        raise ValueError(name + " is not JSON")
    try:
        return json.loads(body.decode("utf-8"), parse_constant=constant)
    except (ValueError, UnicodeDecodeError) as err:
        raise Refused(400, "cannot parse body: %s" % err, "invalid_encoding")


class Cloud:
    """What the service knows; every method is called with self.lock held."""

    def __init__(self, opt):
        self.opt = opt
        self.lock = threading.RLock()
        self.released = threading.Event()
        self.tokens = {}  # token -> expiry, monotonic seconds
        self.faults = []
        self.off = set(opt.off)
        self.count = collections.Counter()
        self.recent = collections.deque()  # times of requests, last second
        self.last = {}  # (thing, property) -> value
        self.record = open(opt.record, "a") if opt.record else None
        self.log = open(opt.log, "a") if opt.log else None

    # -- faults -------------------------------------------------------------
    def fault_for(self, method, path, body=""):
        for fault in list(self.faults):
            if not re.search(fault.get("path", ""), path):
                continue
            if fault.get("method", method) != method:
                continue
            if fault.get("holds", "") not in body:
                continue
            if fault.get("after", 0) > 0:
                fault["after"] -= 1
                continue
            until = fault.get("until")
            if until is not None and time.monotonic() >= until:
                self.faults.remove(fault)
                continue
            if fault.get("enforce"):
                fault["until"] = until or (time.monotonic() +
                                           fault["retry_after"])
            elif fault.get("times", 1) == 1:
                self.faults.remove(fault)
            elif fault.get("times") != 0:
                fault["times"] -= 1
            self.count["faults"] += 1
            return dict(fault)
        return None

    def control(self, order):
        if order.get("clear"):
            self.faults.clear()
        if order.get("release"):
            self.released.set()
            self.released = threading.Event()
        if order.get("expire_tokens"):
            self.tokens.clear()
        self.off |= set(order.get("off", ()))
        self.off -= set(order.get("on", ()))
        for key in ("token_lifetime", "rate"):
            if key in order:
                setattr(self.opt, key, float(order[key]))
        for fault in order.get("fail", ()):
            re.compile(fault.get("path", ""))
            self.faults.append(dict(fault))

    def state(self):
        return {"counts": dict(self.count), "faults": self.faults,
                "off": sorted(self.off), "tokens": len(self.tokens),
                "last": {"%s/%s" % k: v for k, v in self.last.items()}}

    # -- the service --------------------------------------------------------
    def rate_check(self, now):
        while self.recent and self.recent[0] <= now - 1.0:
            self.recent.popleft()
        self.recent.append(now)
        self.count["peak_rate"] = max(self.count["peak_rate"],
                                      len(self.recent))
        if self.opt.rate and len(self.recent) > self.opt.rate:
            raise Refused(429, raw=LIMIT_TEXT)

    def issue_token(self, headers, body):
        form = {k: v[-1] for k, v in
                urllib.parse.parse_qs(body.decode("latin-1")).items()}
        if "x-www-form-urlencoded" not in headers.get("Content-Type", ""):
            raise Refused(400, "content type must be a form")
        if form.get("grant_type") != "client_credentials":
            raise Refused(400, raw='{"error":"unsupported_grant_type"}')
        if form.get("audience") != AUDIENCE:
            raise Refused(403, raw='{"error":"access_denied",'
                          '"error_description":"Service not enabled within '
                          'domain: %s"}' % form.get("audience", ""))
        if (form.get("client_id") != self.opt.client_id or
                form.get("client_secret") != self.opt.client_secret):
            raise Refused(401, raw='{"error":"access_denied",'
                          '"error_description":"Unauthorized"}')
        space = form.get("organization_id") or headers.get("X-Organization")
        if (space or "") != self.opt.space:
            raise Refused(403, "no access to organization %s" % space)
        self.count["tokens_issued"] += 1
        token = "tok-%d-" % self.count["tokens_issued"]
        token += "x" * max(0, self.opt.token_bytes - len(token))
        self.tokens[token] = time.monotonic() + self.opt.token_lifetime
        return {"access_token": token, "token_type": "Bearer",
                "expires_in": int(self.opt.token_lifetime)}

    def authorise(self, headers):
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        expiry = self.tokens.get(token)
        if scheme != "Bearer" or expiry is None:
            raise Refused(401, "token is unknown")
        if time.monotonic() >= expiry:
            raise Refused(401, "token is expired")
        if headers.get("X-Organization", "") != self.opt.space:
            raise Refused(403, "wrong X-Organization")

    def thing(self, thing):
        if thing not in self.opt.things:
            raise Refused(404, "thing %s not found" % thing)
        return self.opt.things[thing]

    def find(self, thing, pid):
        for name, kind in self.thing(thing).items():
            if property_id(thing, name) == pid:
                return name, kind
        raise Refused(404, "property %s not found" % pid)

    def list_properties(self, thing):
        return [{"id": property_id(thing, name), "name": name,
                 "variable_name": name, "type": kind, "thing_id": thing,
                 "href": "/iot/v2/things/%s/properties/%s"
                 % (thing, property_id(thing, name)),
                 "permission": "READ_WRITE", "persist": True,
                 "update_strategy": "ON_CHANGE", "update_parameter": 0,
                 "last_value": self.last.get((thing, name))}
                for name, kind in self.thing(thing).items()]

    def parse_values(self, endpoint, thing, pid, body):
        """The (name, value, timestamp) of a publish request, all checked."""
        data = parse_json(body)
        if endpoint == "publish_multi":
            types = self.thing(thing)
            items = data.get("properties") if isinstance(data, dict) else None
            if not isinstance(items, list) or not items:
                raise Refused(400, "properties is missing")
            found = [(i.get("property"), i.get("value"), None)
                     for i in items]
            for name, _, _ in found:
                if name not in types:
                    raise Refused(400, "property %s not found" % name)
        else:
            name, kind = self.find(thing, pid)
            types = {name: kind}
            if endpoint == "publish":
                if not isinstance(data, dict) or "value" not in data:
                    raise Refused(400, "value is missing")
                found = [(name, data["value"], None)]
            else:
                if not isinstance(data, list) or not data:
                    raise Refused(400, "body must be an array of values")
                if self.opt.batch_max and len(data) > self.opt.batch_max:
                    raise Refused(400, "more than %d values"
                                  % self.opt.batch_max)
                found = [(name, i.get("value"), i.get("timestamp"))
                         for i in data]
                for _, _, stamp in found:
                    if not RFC3339.match(str(stamp)):
                        raise Refused(400, "bad timestamp %r" % stamp)
        for name, value, _ in found:
            wrong = type_error(types[name], value)
            if wrong:
                raise Refused(400, wrong)
        return found

    def accept(self, endpoint, thing, values, request):
        for name, value, stamp in values:
            self.count["values"] += 1
            self.last[thing, name] = value
            if self.record:
                self.record.write(json.dumps({
                    "n": self.count["values"], "t": time.time(),
                    "endpoint": endpoint, "thing": thing, "property": name,
                    "value": value, "timestamp": stamp,
                    "request": request}) + "\n")
        if self.record:
            self.record.flush()

    def serve(self, endpoint, match, headers, body, request):
        """One well-formed request: the reply body as an object or None."""
        if endpoint == "token":
            return self.issue_token(headers, body)
        self.rate_check(time.monotonic())
        if endpoint in self.off:
            raise Refused(404, raw="404 page not found\n")
        self.authorise(headers)
        if endpoint == "properties":
            return self.list_properties(match["thing"])
        if "application/json" not in headers.get("Content-Type", ""):
            raise Refused(400, "content type must be application/json")
        pid = match.groupdict().get("pid")
        self.accept(endpoint, match["thing"], self.parse_values(
            endpoint, match["thing"], pid, body), request)
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 600
    cloud = None
    server_version = "cloudsim"
    disable_nagle_algorithm = True

    def handle_expect_100(self):
        return True

    def log_message(self, *args):
        pass

    def reply(self, status, body=b"", kind="application/json", headers=None):
        head = "HTTP/1.1 %d %s\r\n" % (
            status, self.responses.get(status, ("",))[0])
        fields = {"Content-Length": len(body),
                  "Date": self.date_time_string()}
        if body:
            fields["Content-Type"] = kind
        fields.update(headers or {})
        head += "".join("%s: %s\r\n" % f for f in fields.items()) + "\r\n"
        self.wfile.write(head.encode() + body)

    def refuse(self, err):
        if err.raw is not None:
            kind = "application/json" if err.raw[:1] == "{" else "text/plain"
            self.reply(err.status, err.raw.encode(), kind, err.headers)
            return
        body = {"id": "sim%05d" % self.request_no, "code": err.code,
                "status": err.status, "detail": err.detail}
        self.reply(err.status, json.dumps(body).encode(),
                   "application/vnd.goa.error+json", err.headers)

    def misbehave(self, fault):
        action = fault.get("action")
        seconds = fault.get("seconds", 30)
        self.close_connection = True
        if action == "hang":
            self.cloud.released.wait(fault.get("seconds"))
            self.reply(503)
        elif action == "half":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n"
                             b"Content-Type: application/json\r\n\r\n{\"acc")
            self.connection.shutdown(socket.SHUT_WR)
            self.rfile.read(1)  # until the client closes its side
        elif action == "slow":
            text = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
            for i in range(len(text)):
                self.wfile.write(text[i:i + 1])
                time.sleep(seconds / len(text))
        elif action == "cut":
            text = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: 2\r\n\r\n{}")
            self.wfile.write(text[:fault["bytes"]])
        elif action == "garbage":
            self.wfile.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        elif action == "endless":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            while True:
                self.wfile.write(b" " * 65536)
        elif action == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            self.rfile.close()  # else the descriptor stays open
            self.connection.close()
        elif action != "close":
            raise Refused(500, "unknown fault action %r" % action)

    def planned(self, fault):
        """An injected status; the service's own words where it has some."""
        headers = {}
        if fault.get("retry_after") is not None:
            headers["Retry-After"] = fault["retry_after"]
        raw = fault.get("body")
        if raw is None and fault["status"] == 429:
            raw = LIMIT_TEXT
        if raw is None and fault["status"] == 404:
            raw = ""
        return Refused(fault["status"], "injected", headers=headers, raw=raw)

    def answer(self):
        cloud, path = self.cloud, self.path.partition("?")[0]
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_LIMIT:
            self.close_connection = True
            raise Refused(413, raw="too large\n")
        body = self.rfile.read(length)
        for self.endpoint, method, pattern in ROUTES:
            match = pattern.match(path)
            if match and method == self.command:
                break
        else:
            self.endpoint = "unknown"
            raise Refused(404, raw="404 page not found\n")
        with cloud.lock:
            fault = cloud.fault_for(self.command, path,
                                    body.decode("utf-8", "replace"))
            if fault and not fault.get("accept"):
                result = None
            else:
                result = cloud.serve(self.endpoint, match, self.headers, body,
                                     self.request_no)
        if fault and "status" in fault:
            raise self.planned(fault)
        if fault:
            self.outcome = fault.get("action", "fault")
            self.misbehave(fault)
            return
        self.reply(200, b"" if result is None else
                   json.dumps(result).encode())

    def handle_request(self):
        cloud = self.cloud
        self.endpoint, self.outcome = "unknown", 200
        with cloud.lock:
            cloud.count["requests"] += 1
            self.request_no = cloud.count["requests"]
        try:
            try:
                self.answer()
            except Refused as err:
                self.outcome = err.status
                self.refuse(err)
        except (OSError, ssl.SSLError):
            self.outcome, self.close_connection = "client gone", True
        with cloud.lock:
            cloud.count["%s %s" % (self.endpoint, self.outcome)] += 1
            if cloud.log:
                cloud.log.write(json.dumps({
                    "request": self.request_no, "t": time.time(),
                    "method": self.command, "path": self.path,
                    "endpoint": self.endpoint, "outcome": self.outcome,
                    "connection": self.client_address[1]}) + "\n")
                cloud.log.flush()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_request


class Control(http.server.BaseHTTPRequestHandler):
    cloud = None

    def log_message(self, *args):
        pass

    def answer(self):
        status = 200
        with self.cloud.lock:
            try:
                length = int(self.headers.get("Content-Length") or 0)
                if self.command == "POST":
                    self.cloud.control(json.loads(self.rfile.read(length)))
                body = self.cloud.state()
            except (ValueError, AttributeError, re.error) as err:
                status, body = 400, {"error": str(err)}
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    tls = None
    cloud = None

    def get_request(self):
        sock, address = super().get_request()
        with self.cloud.lock:
            self.cloud.count["connections"] += 1
        return sock, address

    def finish_request(self, request, client_address):
        """Runs in the connection's thread, so a slow handshake holds none."""
        if self.tls:
            try:
                request.settimeout(30)
                request = self.tls.wrap_socket(request, server_side=True)
            except (ssl.SSLError, OSError):
                with self.cloud.lock:
                    self.cloud.count["tls_failures"] += 1
                return
        super().finish_request(request, client_address)
        if self.tls:
            request.close()

    def handle_error(self, request, client_address):
        pass  # a client that went away in the middle


class ThingAction(argparse.Action):
    """--thing opens a thing, --property adds to the last one opened."""

    def __call__(self, parser, opt, text, option=None):
        things = opt.things
        if option == "--thing":
            things[text] = {}
            return
        if not things:
            parser.error("--property needs a --thing before it")
        name, _, kind = text.partition(":")
        list(things.values())[-1][name] = kind or "FLOAT"


def options():
    p = argparse.ArgumentParser(
        description="A stand-in for the Arduino Cloud REST service.")
    p.add_argument("--listen", default="127.0.0.1:0")
    p.add_argument("--cert", help="serve https with this certificate")
    p.add_argument("--key")
    p.add_argument("--client-ca", help="demand a client certificate")
    p.add_argument("--old-tls", action="store_true",
                   help="speak TLS 1.1, and nothing newer")
    p.add_argument("--client-id", default="demo-client")
    p.add_argument("--client-secret",
                   default=os.environ.get("CLOUDSIM_SECRET", "demo-secret"))
    p.add_argument("--space", default="")
    p.add_argument("--thing", dest="things", action=ThingAction, default={})
    p.add_argument("--property", dest="things", action=ThingAction,
                   help="NAME:TYPE", default={})
    p.add_argument("--token-lifetime", type=float, default=300)
    p.add_argument("--token-bytes", type=int, default=900)
    p.add_argument("--rate", type=float, default=0,
                   help="requests per second before 429; 0: no limit")
    p.add_argument("--batch-max", type=int, default=0)
    p.add_argument("--off", action="append", default=[], choices=ENDPOINTS)
    p.add_argument("--record")
    p.add_argument("--log")
    opt = p.parse_args()
    if not opt.things:
        opt.things = {str(uuid.uuid5(uuid.NAMESPACE_URL, "pump")): {
            "flow_rate": "FLOAT", "classification": "CHARSTRING"}}
    return opt


def end_with_parent(parent):
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)


def main():
    parent = os.getppid()
    opt = options()
    host, _, port = opt.listen.rpartition(":")
    cloud = Cloud(opt)
    for handler in (Handler, Control):
        handler.cloud = cloud
    Server.cloud = cloud
    try:
        server = Server((host, int(port)), Handler)
    except OSError as err:
        sys.exit("cloudsim: cannot listen on %s: %s"
                 % (opt.listen, err.strerror))
    if opt.cert:
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(opt.cert, opt.key)
        if opt.old_tls:
            server.tls.set_ciphers("ALL:@SECLEVEL=0")
            server.tls.minimum_version = ssl.TLSVersion.TLSv1
            server.tls.maximum_version = ssl.TLSVersion.TLSv1_1
        if opt.client_ca:
            server.tls.load_verify_locations(opt.client_ca)
            server.tls.verify_mode = ssl.CERT_REQUIRED
    control = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Control)
    control.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    for target, args in ((end_with_parent, (parent,)),
                         (control.serve_forever, ())):
        threading.Thread(target=target, args=args, daemon=True).start()
    print("control on http://127.0.0.1:%d/_control"
          % control.server_address[1], flush=True)
    print("listening on %s://%s:%d" % ("https" if opt.cert else "http", host,
                                       server.server_address[1]), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
