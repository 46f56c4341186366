"""Runs a command as debian/systemd/weir-sandbox.conf would have it run, on a
machine where systemd is not the first process.

    python3 sandbox.py DROPIN WRITABLE[:WRITABLE...] COMMAND...

Done here as systemd does it: read-only file systems, a /tmp and a /dev of its
own, no homes, no capabilities, no new privileges, the system calls of the
filter, no memory that is both written and run. Not done: the kernel's
tunables (they are read-only with the rest), control groups, the restriction
of address families, of namespaces, of set-user-ID bits and of real time."""

import ctypes
import ctypes.util
import os
import re
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWIPC = 0x20000, 0x8000000
PR_SET_MDWE, ERRNO_EPERM, ALLOW = 65, 0x00050001, 0x7fff0000
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def read(path):
    """{directive: [values]} of the drop-in; an empty value is one."""
    found = {}
    with open(path) as text:
        for line in text:
            name, equals, value = line.strip().partition("=")
            if equals and name[0] not in "#[":
                found.setdefault(name, []).append(value)
    return found


def run(*argv):
    subprocess.run(argv, check=True)


def lock_files(rules, writable):
    if LIBC.unshare(CLONE_NEWNS | CLONE_NEWIPC) != 0:
        sys.exit("sandbox: unshare: " + os.strerror(ctypes.get_errno()))
    run("mount", "--make-rprivate", "/")
    for path in writable:
        run("mount", "--bind", path, path)
    if rules.get("ProtectSystem") == ["strict"]:
        with open("/proc/self/mountinfo") as text:
            points = [x.split()[4].encode().decode("unicode_escape")
                      for x in text]
        for point in points:
            if point not in writable and not point.startswith("/proc"):
                subprocess.run(["mount", "-o", "remount,bind,ro", point],
                               stderr=subprocess.DEVNULL)
    if rules.get("PrivateTmp") == ["yes"]:
        keep = [p for p in writable if p.startswith("/tmp/")]
        if not keep:  # else the test itself lives there
            run("mount", "-t", "tmpfs", "tmpfs", "/tmp")
    if rules.get("PrivateDevices") == ["yes"]:
        devices()
    if rules.get("ProtectHome") == ["yes"]:
        for home in ("/home", "/root"):
            if not any(p.startswith(home + "/") for p in writable):
                run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", home)


def devices():
    """Those that every program may have."""
    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt")
    for name in DEVICES:
        open("/mnt/" + name, "w").close()
        run("mount", "--bind", "/dev/" + name, "/mnt/" + name)
    os.mkdir("/mnt/shm")
    run("mount", "-t", "tmpfs", "tmpfs", "/mnt/shm")
    run("mount", "--rbind", "/mnt", "/dev")


def calls_of(name):
    """The names of a set of system calls, or the one name."""
    if not name.startswith("@"):
        return {name}
    text = subprocess.run(["systemd-analyze", "syscall-filter", name],
                          capture_output=True, text=True, check=True).stdout
    found = set()
    for line in text.splitlines()[1:]:
        word = line.split("#")[0].strip()
        if word:
            found |= calls_of(word)
    return found


def calls(rules):
    allowed = set()
    for value in rules.get("SystemCallFilter", []):
        names = set().union(*(calls_of(x) for x in value.lstrip("~").split()))
        allowed = allowed - names if value.startswith("~") else allowed | names
    return allowed


def lock_calls(rules):
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ERRNO_EPERM))
    for name in sorted(calls(rules)):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            library.seccomp_rule_add(context, ALLOW, number, 0)
    if library.seccomp_load(context) != 0:
        sys.exit("sandbox: the filter of system calls does not load")


def main():
    if sys.argv[1] == "--calls":
        rules = read(sys.argv[2])
        if rules.get("MemoryDenyWriteExecute") == ["yes"]:
            LIBC.prctl(PR_SET_MDWE, 1, 0, 0, 0)
        lock_calls(rules)
        os.execvp(sys.argv[3], sys.argv[3:])
    rules = read(sys.argv[1])
    writable = [os.path.realpath(p) for p in sys.argv[2].split(":")]
    lock_files(rules, writable)
    os.umask(int(rules["UMask"][0], 8))
    argv = ["setpriv", "--no-new-privs"]
    if rules.get("CapabilityBoundingSet") == [""]:
        argv += ["--bounding-set=-all", "--inh-caps=-all"]
    if re.search("@", "".join(rules.get("SystemCallFilter", []))):
        argv += [sys.executable, __file__, "--calls", sys.argv[1]]
    os.execvp(argv[0], argv + sys.argv[3:])


if __name__ == "__main__":
    main()
