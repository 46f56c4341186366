#!/usr/bin/python3
"""What test_board.py plays on one machine: the programs of BOARD.md that
need a cable, a board or an engine. Called by their names, through links.

Where a file must be there, it must be there here, too. The agent's container is
played by its own entry point, as its own user, with what compose.yaml hands
over, in the namespaces of the test."""

import os
import re
import shutil
import subprocess
import sys
import time

ROOT = os.environ["BOARD_SOURCE"]
PARTS = os.environ["BOARD_PARTS"]
STATE = os.environ["BOARD_STATE"]  # a folder that every step may write
CONTAINER = 8250
SKETCH = "/tmp/arduino/m4-user-sketch.elf"


def fail(text):
    sys.exit("%s: %s" % (os.path.basename(sys.argv[0]), text))


def need(*paths):
    for path in paths:
        if not os.path.exists(path):
            fail("%s is not there" % path)


def detached(command, log, **named):
    with open(os.path.join(STATE, log), "a") as out:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                stderr=out, start_new_session=True, **named)


def option(args, name):
    return args[args.index(name) + 1]


def sudo(args):
    os.execvp(args[0], args)


def apt_get(args):
    version = re.search(r"mod-weir_([\d.]+)~", " ".join(args)).group(1)
    if version != os.environ["BOARD_VERSION"]:
        fail("no such version: " + version)


def arduino_cli(args):
    if args[0] == "compile":
        need(os.path.join(option(args, "--libraries"), "WeirFlow", "src",
                          "flow_meter.h"))
        sketch = os.path.basename(args[-1])
        need(os.path.join(args[-1], sketch + ".ino"))
        out = option(args, "--output-dir")
        os.makedirs(out, exist_ok=True)
        with open(os.path.join(out, sketch + ".ino.elf"), "w") as elf:
            elf.write(sketch)
    elif args[0] == "upload":
        need(option(args, "--input-dir"))


def adb(args):
    if args[0] == "devices":
        print("List of devices attached\n0123456789ABCDEF\tdevice")
    elif args[0] == "push":
        *sources, target = args[1:]
        need(*sources)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        for source in sources:
            if os.path.isdir(source):
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
        if target == SKETCH:
            flash()


def flash():
    """Linux on the board sees the file and starts the M4 with it."""
    ready = os.path.join(STATE, "m4sim.port")
    detached([os.path.join(PARTS, "bin", "m4sim"), "--listen", "0.0.0.0:5001",
              "--port-file", ready, "--flow", "10", "--exact", "--record",
              os.path.join(STATE, "calls")], "m4sim.log")
    wait(lambda: os.path.exists(ready), "the M4 listens")


def wait(condition, what):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            fail("waited in vain until " + what)
        time.sleep(0.1)


def systemctl(args):
    """enable --now UNIT: its ExecStart."""
    path = "/etc/systemd/system/%s.service" % args[-1]
    need(path)
    with open(path) as unit:
        command = re.search(r"(?m)^ExecStart=(.*)$", unit.read()).group(1)
    subprocess.run(command.split(), check=True)


# -- the container -----------------------------------------------------------

def settings():
    """.env, as compose reads it."""
    found = {}
    with open(".env") as lines:
        for line in lines:
            if re.match(r"[A-Z_]+=", line):
                key, _, value = line.strip().partition("=")
                found[key] = value
    return found


def fill(text, env):
    return re.sub(r"\$\{(\w+):-([^}]*)\}",
                  lambda m: env.get(m.group(1)) or m.group(2), text)


def agent():
    """The service `agent` of compose.yaml: its text, filled in."""
    with open("compose.yaml") as text:
        return fill(re.search(r"(?ms)^  agent:\n(.*?)^  \w+:", text.read())
                    .group(1), settings())


def environment(service):
    block = re.search(r"(?m)^    environment:\n((?:      .*\n)+)", service)
    return dict(re.findall(r"(?m)^ +(\w+): (.*)$", block.group(1)),
                PATH="/usr/sbin:/usr/bin:/sbin:/bin")


def as_container(**named):
    return dict(named, user=CONTAINER, group=CONTAINER, extra_groups=[],
                env=environment(agent()), cwd="/var/lib/weir")


def up():
    need(os.path.join(STATE, "loaded"), ".env")
    for name in re.findall(r'extra_hosts: \["(\w+):host-gateway"\]', agent()):
        with open("/etc/hosts", "a") as hosts:
            hosts.write("127.0.0.1 %s\n" % name)
    with open("compose.yaml") as text:
        secret = re.search(r"(?ms)^secrets:\n  (\S+):\n    file: (\S+)$",
                           text.read())
    target = "/run/secrets/" + secret.group(1)
    os.makedirs("/run/secrets", exist_ok=True)
    if not os.path.exists(target):
        open(target, "w").close()
    subprocess.run(["mount", "--bind", fill(secret.group(2), settings()),
                    target], check=True)
    pid = os.path.join(STATE, "agent.pid")
    if os.path.exists(pid):
        with open(pid) as old:
            number = old.read()
        os.kill(int(number), 15)
        wait(lambda: not os.path.exists("/proc/" + number), "the agent ends")
    child = detached(["/usr/lib/weir/container/entrypoint"], "agent.log",
                     **as_container())
    with open(pid, "w") as out:
        out.write(str(child.pid))


def health():
    return subprocess.run(["/usr/lib/weir/container/health"],
                          capture_output=True, **as_container()).returncode


def docker(args):
    if args[:2] == ["load", "-i"]:
        need(args[2])
        open(os.path.join(STATE, "loaded"), "w").close()
    elif args[:2] == ["compose", "up"]:
        up()
    elif args[:2] == ["compose", "ps"]:
        wait(lambda: health() == 0, "the agent is healthy")
        print("agent  Up (healthy)")
    elif args[:3] == ["compose", "exec", "agent"]:
        sys.exit(subprocess.run(args[3:], **as_container()).returncode)
    else:
        fail("not played: %s" % args)


if __name__ == "__main__":
    {"sudo": sudo, "apt-get": apt_get, "arduino-cli": arduino_cli,
     "adb": adb, "systemctl": systemctl,
     "docker": docker}[os.path.basename(sys.argv[0])](sys.argv[1:])
