#!/usr/bin/python3
"""make bench-fleet-cost, second part: the Fleet dashboard on 10 000 boards.

Writes half an hour of 10 000 boards into a real VictoriaMetrics, a sample
every 30 s, asks it every query of dashboards/grafana/dashboards/
weir-fleet.json as Grafana would, and prints how many lines come back and how
long it took. --write: into fleet-cost.json and dashboards/FLEET.md."""

import json
import os
import shutil
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "dashboards"))
import boards  # noqa: E402
import fleet_page  # noqa: E402
import stack  # noqa: E402
import weir  # noqa: E402

DIR = os.path.join(weir.BUILD, "bench-fleet-dashboard")
BOARDS, SPAN, STEP = fleet_page.FLEET, 1800, 30
STATES = ("Normal", "Low", "High", "Anomalous", "uncertain", "unknown")
PER_REQUEST = 2000  # series


def series_of(board, count):
    """(name, labels, values) of one board: every seventh has had trouble, in
    a part of the time that differs from board to board."""
    bad = count - board % 50 if board % 7 == 0 else count
    state = ["Normal"] * bad + ["Anomalous"] * (count - bad)

    def one(plugin, name, type, values):
        return ("collectd_%s_%s" % (plugin, name), {
            plugin: "pump", "type": type,
            "instance": "board%05d" % board}, values)
    flat = [0] * count
    yield one("m4_rpc", "bool", "up", [1] * count)
    yield one("m4_rpc", "flow", "flow_rate", [10 + board % 9 / 10] * count)
    yield one("m4_rpc", "response_time", "flow_rate", [.002] * count)
    yield one("m4_rpc", "errors_total", "timeout", flat)
    for name in STATES:
        yield one("edge_impulse", "bool", name,
                  [int(s == name) for s in state])
    yield one("edge_impulse", "bool", "up", [1] * count)
    yield one("edge_impulse", "bool", "shelved", flat)
    yield one("edge_impulse", "response_time", "inference", [.001] * count)
    yield one("write_arduino_cloud", "queue_length", "spool", flat)
    yield one("write_arduino_cloud", "duration_seconds", "spool_age", flat)
    yield one("write_arduino_cloud", "errors_total", "retry", flat)


def fill(server, end):
    """The number of series."""
    times = list(range((end - SPAN) * 1000, end * 1000 + 1, STEP * 1000))
    lines, total = [], 0

    def send():
        urllib.request.urlopen(urllib.request.Request(
            server.url + "/api/v1/import", "\n".join(lines).encode(),
            {"Content-Type": "application/json"}), timeout=60).read()
        lines.clear()
    for board in range(BOARDS):
        for name, labels, values in series_of(board, len(times)):
            lines.append(json.dumps({
                "metric": dict(labels, __name__=name), "values": values,
                "timestamps": times}))
            total += 1
        if len(lines) >= PER_REQUEST:
            send()
    send()
    stack.get(server.url + "/internal/force_flush")
    return total


def ask(server, target, window):
    """(lines that came back, milliseconds)"""
    expr = boards.expand(target["expr"], window.values)
    args = {"query": expr, "time": window.end} if target.get("instant") else {
        "query": expr, "start": window.start, "end": window.end,
        "step": window.step}
    begin = time.monotonic()
    status, text = stack.get("%s/api/v1/query%s?%s" % (
        server.url, "" if target.get("instant") else "_range",
        stack.urllib.parse.urlencode(args)))
    spent = time.monotonic() - begin
    if status != 200:
        sys.exit("fleet_dashboard: %s: %s" % (expr, text[:400]))
    return len(json.loads(text)["data"]["result"]), round(1000 * spent)


def measure():
    shutil.rmtree(DIR, ignore_errors=True)
    os.makedirs(DIR)
    port = stack.free_port()
    server = stack.Server("victoria-metrics", [
        stack.program("victoria-metrics"), "-httpListenAddr=127.0.0.1:%d"
        % port, "-storageDataPath=" + DIR + "/vm", "-search.latencyOffset=0s",
        "-search.maxUniqueTimeseries=1000000", "-loggerLevel=ERROR"],
        DIR, port, "/health")
    server.start()
    try:
        end = int(time.time()) // STEP * STEP
        total = fill(server, end)
        window = boards.Window(end - SPAN, end, STEP, STEP)
        panels = []
        for p in boards.panels(boards.load()["weir-fleet"]):
            asked = [ask(server, t, window) for t in p["targets"]]
            panels.append([p["title"], max(a[0] for a in asked),
                           sum(a[1] for a in asked)])
        return {"series": total, "panels": panels}
    finally:
        server.kill()
        shutil.rmtree(DIR, ignore_errors=True)


def main():
    found = dict(fleet_page.load(), dashboard=measure())
    print(fleet_page.tables(found)["dashboard"])
    if "--write" in sys.argv:
        fleet_page.write(found)


if __name__ == "__main__":
    main()
