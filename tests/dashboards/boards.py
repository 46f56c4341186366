"""Reading the committed dashboards as Grafana would: queries, variables."""

import glob
import json
import os
import re

import stack

DASHBOARDS = os.path.join(stack.ROOT, "dashboards", "grafana", "dashboards")


def load():
    """{uid: dashboard} of the committed files."""
    out = {}
    for path in sorted(glob.glob(os.path.join(DASHBOARDS, "*.json"))):
        with open(path) as file:
            board = json.load(file)
        out[board["uid"]] = board
    return out


def panels(board):
    return [p for p in board["panels"] if p["type"] != "row"]


def targets(board):
    """(title, reference, target) of every query, annotations too."""
    out = [("%d %s" % (p["id"], p["title"]), t["refId"], t)
           for p in panels(board)
           for t in p["targets"]]
    for a in board["annotations"]["list"]:
        out.append((a["name"], "annotation", dict(a, instant=False)))
    return out


def is_influx(board):
    return "influxdb" in board["tags"]


def expand(text, values):
    """Replace $name and ${name}; every name must be known. $1 stays."""
    def one(match):
        name = match.group(1) or match.group(2)
        if name not in values:
            raise AssertionError("unknown variable $%s in %s" % (name, text))
        return values[name]
    return re.sub(r"\$(?:\{(\w+)\}|([a-zA-Z_]\w*))", one, text)


def variable(board, name, server):
    """What this variable's query offers."""
    found = next(v for v in board["templating"]["list"]
                 if v["name"] == name)["query"]
    values = {"board": ".*"}
    if is_influx(board):
        return [v for s in server.query(expand(found, values))
                for _, v in s["values"]]
    text = expand(found["query"], values)
    selector, label = re.match(r"label_values\((.+), (\w+)\)$", text).groups()
    return server.api("label/%s/values" % label, **{"match[]": selector})


class Window:
    """A time range and what the query variables mean in it.

    Grafana makes $__rate_interval max(4 x scrape, step + scrape)."""

    def __init__(self, start, end, step=1, scrape=1, **values):
        self.start, self.end, self.step = start, end, step
        span = "%ds" % (end - start)
        rate = "%ds" % max(4 * scrape, step + scrape)
        self.values = {"board": ".*", "m4": ".*", "boards": "50",
                       "__range": span, "__range_s": "%d" % (end - start),
                       "__interval": "%ds" % step,
                       "__rate_interval": rate, "timeFilter":
                       "time >= %dms AND time <= %dms" % (start * 1000,
                                                          end * 1000)}
        self.values.update(values)

    def prometheus(self, server, target):
        expr = expand(target["expr"], self.values)
        if target["instant"]:
            return server.query(expr, time=self.end)
        return server.query_range(expr, self.start, self.end, self.step)

    def influx(self, server, target):
        return [s for s in server.query(expand(target["query"], self.values))
                if any(v is not None for r in s["values"] for v in r[1:])]
