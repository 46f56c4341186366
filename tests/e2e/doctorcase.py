"""What the tests of weir-doctor share."""

import json
import os
import socket
import subprocess

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


def closed_port():
    """A port of 127.0.0.1 where nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
