"""The tables of dashboards/FLEET.md, made of tests/bench/fleet-cost.json.

tests/bench/fleet_cost.py measures, tests/dashboards/test_fleet_page.py holds
page, figures and a real agent together."""

import json
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "dashboards", "FLEET.md")
FIGURES = os.path.join(ROOT, "tests", "bench", "fleet-cost.json")
OURS = ("m4_rpc", "edge_impulse", "flow_baseline", "write_arduino_cloud")
FLEET = 10000
MONTH = 720  # hours
WAYS = [("network", "b, c, f: network plugin, encrypted, UDP"),
        ("scrape", "a: Prometheus, every 5 s, HTTP"),
        ("mqtt", "d: MQTT, QoS 1, mutual TLS"),
        ("kafka", "e: Kafka, lz4, mutual TLS"),
        ("http", "g: write_http, JSON, mutual TLS")]
BLOCK = r"(?s)(<!-- %s -->\n).*?(<!-- end -->)"


def load():
    with open(FIGURES) as file:
        return json.load(file)


def ours(found):
    return sum(found["series"][name] for name in OURS)


def series(found):
    rows = ["| of | series per board |", "|---|---|"]
    rows += ["| %s | %d |" % (n, found["series"][n]) for n in OURS]
    rows += ["| Weir together | %d |" % ours(found),
             "| cpu (%d cores), df, load, memory, uptime, collectd itself | %d "
             "|" % (found["cores"], found["series"]["stock"]),
             "| together | %d |" % total(found),
             "| %s boards | %s |" % (spaced(FLEET),
                                     spaced(FLEET * total(found))),
             "| values a second, %s boards | %s |" % (
                 spaced(FLEET), spaced(FLEET * found["values_per_hour"] /
                                       3600))]
    return "\n".join(rows)


def total(found):
    return ours(found) + found["series"]["stock"]


def wire(found):
    rows = ["| way | a board, bytes a second | a board, a month | %s boards |"
            % spaced(FLEET), "|---|---|---|---|"]
    for way, title in WAYS:
        rows.append(row(title, found["bytes_per_hour"][way]))
        if way == "scrape":
            gzip = found["page_gzip_bytes"] / found["page_bytes"]
            rows.append(row("a: the same, gzip (reckoned)",
                            found["bytes_per_hour"][way] * gzip))
            for every in (30, 60):
                rows.append(row(
                    "a: the same, every %d s (reckoned)" % every,
                    found["bytes_per_hour"][way] * 5 / every))
    return "\n".join(rows)


def row(title, hour):
    return "| %s | %s | %.2f GB | %.0f Mbit/s |" % (
        title, spaced(hour / 3600), hour * MONTH / 1e9,
        hour / 3600 * FLEET * 8 / 1e6)


def handshake(found):
    h = found["handshake"]
    return "\n".join([
        "| TLS 1.2, both certificates (P-256), mosquitto | |", "|---|---|",
        "| boards that shook hands | %s |" % spaced(h["boards"]),
        "| CPU of the server, each | %.1f ms |" % h["server_ms"],
        "| memory of the server, each that stays | %.0f KiB |"
        % h["server_kib"],
        "| bytes on the wire, each | %s |" % spaced(h["bytes"]),
        "| one core of the server, %s boards at once | %.0f s |" % (
            spaced(FLEET), FLEET * h["server_ms"] / 1000),
        "| memory of the server, %s boards | %.0f MiB |" % (
            spaced(FLEET), FLEET * h["server_kib"] / 1024)])


def dashboard(found):
    panels = found["dashboard"]["panels"]
    rows = ["| panel | lines | all its queries |", "|---|---|---|"]
    rows += ["| %s | %d | %s ms |" % (title, lines, spaced(ms))
             for title, lines, ms in panels]
    rows.append("| together | | %.1f s |" % (
        sum(ms for _, _, ms in panels) / 1000))
    return "\n".join(rows)


def spaced(number):
    """12 345: thousands apart."""
    return "{:,.0f}".format(number).replace(",", " ")


def tables(found):
    return {"series": series(found), "wire": wire(found),
            "handshake": handshake(found), "dashboard": dashboard(found),
            "how": how(found)}


def how(found):
    return ("`make bench-fleet-cost`, %d s, one run, on %d cores of an %s "
            "that other work\nshared." % (found["seconds"], found["cores"],
                                          found["cpu"]))


def rendered(page, found):
    """The page with its tables made of these figures."""
    for name, table in tables(found).items():
        page, count = re.subn(BLOCK % name, lambda m: m.group(1) + table +
                              "\n" + m.group(2), page)
        assert count == 1, name
    return page


def write(found):
    with open(FIGURES, "w") as out:
        json.dump(found, out, indent=2)
        out.write("\n")
    with open(PAGE) as file:
        page = file.read()
    with open(PAGE, "w") as out:
        out.write(rendered(page, found))
