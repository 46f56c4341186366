"""What the programs of `make bench` share: CPU time and memory of a process
tree, spreads, and the lengths that BENCH_QUICK cuts."""

import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

QUICK = os.environ.get("BENCH_QUICK", "") not in ("", "0")


def setting(name, usual, quick):
    """A length: what the environment says, or the usual one."""
    return int(os.environ.get(name, quick if QUICK else usual))


def cpu_seconds(pid):
    """CPU time of all live threads, in nanosecond steps."""
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/schedstat" % (pid, task)) as text:
                total += int(text.read().split()[0])
        except FileNotFoundError:
            pass  # a thread that ended meanwhile
    return total / 1e9


def memory(pid):
    """(resident, of it backed by no file) in MB; the second is what no other
    process shares. Of smaps, as the sums of `status` are not exact."""
    found = {"Rss": 0, "Anonymous": 0}  # of one that has ended
    try:
        with open("/proc/%d/smaps_rollup" % pid) as lines:
            for line in lines:
                key, _, value = line.partition(":")
                found[key] = value.split()[0] if value.split() else ""
    except (FileNotFoundError, ProcessLookupError):
        pass
    return int(found["Rss"]) / 1024, int(found["Anonymous"]) / 1024


def written(pid):
    """Bytes that this process has caused to be written to a disk."""
    with open("/proc/%d/io" % pid) as lines:
        found = dict(line.split(": ") for line in lines)
    return int(found["write_bytes"]) - int(found["cancelled_write_bytes"])


def without_write_log(agent):
    """The same agent with nothing of it but what is measured: write_log prints
    every value for the tests. Before it starts."""
    with open(agent.config_path) as text:
        config = text.read()
    for lines in ("LoadPlugin write_log\n",
                  "<Plugin write_log>\n  Format JSON\n</Plugin>\n"):
        assert lines in config
        config = config.replace(lines, "")
    with open(agent.config_path, "w") as out:
        out.write(config)
    return agent


def family(pid):
    """A process and all that it started."""
    found = [pid]
    for one in found:
        try:
            for task in os.listdir("/proc/%d/task" % one):
                with open("/proc/%d/task/%s/children" % (one, task)) as text:
                    found += [int(x) for x in text.read().split()]
        except FileNotFoundError:
            pass
    return found


def quantile(numbers, part):
    numbers = sorted(numbers)
    return numbers[min(int(len(numbers) * part), len(numbers) - 1)]


def spread(numbers, unit="ms"):
    if not numbers:
        return "none"
    return "p50 %.1f  p99 %.1f  max %.1f %s (n=%d)" % (
        statistics.median(numbers), quantile(numbers, 0.99), max(numbers),
        unit, len(numbers))


def text(value):
    """A figure with no more digits than it is worth."""
    if isinstance(value, str):
        return value
    size = abs(value)
    return ("%.0f" if size >= 100 else "%.1f" if size >= 10 else "%.2f") % value


def put(name, value, unit):
    print("%-44s %12s %s" % (name, text(value), unit), flush=True)


def put_runs(name, values, unit):
    """The median of some runs, with the smallest and the largest."""
    print("%-44s %12s %s (%s to %s, n=%d)" % (
        name, text(statistics.median(values)), unit, text(min(values)),
        text(max(values)), len(values)), flush=True)


def module_version(program, module):
    """What a Go program was built of; it may not know its own version."""
    done = subprocess.run(["go", "version", "-m", program],
                          capture_output=True, text=True)
    for line in done.stdout.splitlines():
        if line.split()[1:2] == [module]:
            return "%s %s" % (module, line.split()[2])
    return says(program, "--version")


def says(*argv):
    """The first line that a program says about itself; "" if it is not there."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).strip().partition("\n")[0]
