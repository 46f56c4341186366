"""What the tests of weir-doctor share."""

import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

import weir

DOCTOR = os.path.join(weir.BUILD, "bin", "weir-doctor")


def run(*args, env=None):
    """Runs it: the finished process, with its bytes as they came."""
    return subprocess.run([DOCTOR] + list(args), capture_output=True,
                          timeout=60, env=dict(os.environ, **(env or {})))


def doctor(*args, env=None):
    """(exit status, what it printed; parsed with --json)."""
    done = run(*args, env=env)
    if "--json" in args:
        return done.returncode, json.loads(done.stdout.decode())
    return done.returncode, (done.stdout + done.stderr).decode()


def steps(said):
    """The texts of all steps as one line."""
    return " | ".join(s["text"] for s in said["steps"])


closed_port = weir.reserved_port  # nobody listens there


class Peer:
    """A server of one behaviour; `serve(conn, request)` per connection.

    Ends with the test: the listening socket is closed by stop()."""

    def __init__(self, serve, path=None, backlog=16, accept=True):
        self.socket = socket.socket(socket.AF_UNIX if path else
                                    socket.AF_INET)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.socket.listen(backlog)
        self.address = "unix:" + path if path else "127.0.0.1:%d" % (
            self.socket.getsockname()[1])
        self.serve, self.open, self.heard = serve, [], []
        if accept:
            threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            self.open.append(conn)
            threading.Thread(target=self.one, args=(conn,),
                             daemon=True).start()

    def one(self, conn):
        try:
            self.serve(self, conn)
        except OSError:
            pass

    def hear(self, conn):
        """One message of a caller, None at the end."""
        data = conn.recv(4096)
        self.heard.append(data)
        return data or None

    def stop(self):
        for s in [self.socket] + self.open:
            try:
                s.close()
            except OSError:
                pass


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    conn.close()


def message(data):
    """(type, msgid, method) of a request or a notification."""
    kind, at = data[1], 2
    msgid = 0
    if kind == 0:
        size = {0xcc: 1, 0xcd: 2, 0xce: 4}.get(data[at], 0)
        msgid = int.from_bytes(data[at + 1:at + 1 + size], "big") if size \
            else data[at]
        at += 1 + size
    length = data[at] & 31
    return kind, msgid, data[at + 1:at + 1 + length].decode()


def text(words):
    """MessagePack of a text."""
    raw = words.encode()
    return (bytes([0xa0 | len(raw)]) if len(raw) < 32
            else bytes([0xd9, len(raw)])) + raw


def reply(msgid, result=b"\xc0", error=b"\xc0"):
    return b"\x94\x01\xce" + msgid.to_bytes(4, "big") + error + result


def rpc(answers):
    """A server that keeps connections: method -> bytes of [error, result],
    None for no answer; methods that are missing end the connection."""
    def serve(peer, conn):
        while True:
            data = peer.hear(conn)
            if data is None:
                return
            kind, msgid, method = message(data)
            if kind != 0:
                continue
            if method not in answers:
                conn.close()
                return
            if answers[method] is not None:
                error, result = answers[method]
                conn.sendall(reply(msgid, result, error))
    return serve


class Case(weir.Case):
    def peer(self, serve, **named):
        peer = Peer(serve, **named)
        self.addCleanup(peer.stop)
        return peer

    def expect(self, name, *args, env=None):
        """Runs a check and asserts the name of its verdict."""
        status, said = doctor("--json", *args, env=env)
        self.assertEqual(said["name"], name, said)
        self.assertEqual(status, 0 if said["healthy"] else 1)
        if not said["healthy"]:
            self.assertTrue(said["remedy"], said)
        return said

    def alone(self, name, *args):
        """The same in a network of its own, without any route."""
        alone = ["unshare", "-n" if os.geteuid() == 0 else "-rn"]
        if subprocess.run(alone + ["true"], capture_output=True).returncode:
            raise unittest.SkipTest("unshare may not make a network")
        self.named(name, subprocess.run(alone + [DOCTOR, "--json"] +
                                        list(args), capture_output=True))

    @staticmethod
    def folder_for_all():
        """A temporary folder that every user may enter."""
        folder = tempfile.TemporaryDirectory()
        os.chmod(folder.name, 0o755)
        return folder

    def as_nobody(self, name, folder, *args):
        """The same as a user who may little."""
        other = {"user": 65534, "group": 65534, "extra_groups": []}
        if os.geteuid() != 0:
            other = {}
        program = shutil.copy(DOCTOR, os.path.join(folder, "doctor"))
        self.named(name, subprocess.run([program, "--json"] + list(args),
                                        capture_output=True, **other))

    def named(self, name, done):
        said = json.loads(done.stdout)
        self.assertEqual(said["name"], name, said)
