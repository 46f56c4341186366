"""Grafana's classic dashboard model, as little of it as the two boards need.

A panel is made of queries, each stated once for Prometheus and once for
InfluxDB; build() picks the flavour. Positions follow from order and size."""

import json

SCHEMA = 41
# Okabe and Ito's palette: told apart by the colour-blind, also side by side.
COLORS = {"Normal": "#009E73", "Low": "#56B4E9", "High": "#E69F00",
          "Anomalous": "#D55E00", "unknown": "#7A1FA2",
          "Off": "#8FA3B0", "other": "#F0E442",
          "none": "#808080"}  # none: uncertain
# codes 1..5, 0 is none
STATES = ["Normal", "Low", "High", "Anomalous", "unknown"]
# A planned stop (<State "Off">) is less than all of them, but not nothing.
CODES = {"Off": 0.5, **{s: i + 1 for i, s in enumerate(STATES)},
         "other": 3.5}  # a label of one's own
GOOD, WARN, BAD = COLORS["Normal"], COLORS["High"], COLORS["Anomalous"]
LINES = ["#0072B2"]  # beside panels without states
SOURCE = "${datasource}"


class Flavour:
    def __init__(self, key, title, plugin, suffix):
        self.key, self.title, self.plugin = key, title, plugin
        self.suffix = suffix  # of the dashboards' uid and file name

    @property
    def source(self):
        return {"type": self.plugin, "uid": SOURCE}


PROM = Flavour("prom", "Prometheus", "prometheus", "")
INFLUX = Flavour("influx", "InfluxDB", "influxdb", "-influxdb")


def prom(expr, legend="{{instance}} {{m4_rpc}}", instant=False, table=False):
    target = {"editorMode": "code", "expr": " ".join(expr.split()),
              "legendFormat": legend, "instant": instant,
              "range": not instant}
    if table:
        target["format"] = "table"
    return target


def influx(query, alias="$tag_host $tag_instance", table=False):
    return {"rawQuery": True, "query": " ".join(query.split()),
            "alias": "" if table else alias,
            "resultFormat": "table" if table else "time_series"}


def query(prom=None, influx=None):
    return {"prom": prom, "influx": influx}


def steps(*pairs):
    """Thresholds: (None, colour), (value, colour)..."""
    return {"mode": "absolute",
            "steps": [{"value": v, "color": c} for v, c in pairs]}


PLAIN = steps((None, LINES[0]))


def values(**texts):
    """Mapping of values to texts: _0=("down", BAD)."""
    return [{"type": "value", "options": {
        k.lstrip("_"): {"text": t, "color": c, "index": i}
        for i, (k, (t, c)) in enumerate(texts.items())}}]


STATE_MAP = values(_0=("uncertain", COLORS["none"]),
                   **{"_%g" % c: (s, COLORS[s]) for s, c in CODES.items()})
UP_MAP = values(_0=("down", BAD), _1=("up", GOOD))
M4_MAP = values(_0=("down", BAD), _1=("up", GOOD), _2=("no reading", BAD),
                **{"-1": ("down", BAD)})
SHELVED_MAP = values(_0=("no", COLORS["none"]), _1=("shelved", WARN))


def fixed(field, color, **properties):
    """An override: the field of this name has this colour."""
    props = {"color": {"mode": "fixed", "fixedColor": color}, **properties}
    return {"matcher": {"id": "byName", "options": field},
            "properties": [{"id": k.replace("__", "."), "value": v}
                           for k, v in props.items()]}


def ending(state, **properties):
    """The same for every field whose name begins or ends with the state."""
    o = fixed(state, COLORS[state], **properties)
    o["matcher"] = {"id": "byRegexp",
                    "options": "/^%s |(^| )%s$/" % (state, state)}
    return o


BY_STATE = [ending(s) for s in CODES] + [{
    "matcher": {"id": "byRegexp", "options": "/^uncertain |(^| )uncertain$/"},
    "properties": [{"id": "color", "value": {
        "mode": "fixed", "fixedColor": COLORS["none"]}}]}]


def panel(kind, title, description, unit, queries, size, **more):
    """more: options, custom, thresholds, mappings, overrides, links,
    transformations, color, min, max, decimals, noValue, key, timeFrom"""
    return dict(kind=kind, title=title, description=description, unit=unit,
                queries=queries, size=size, **more)


def stat(title, description, unit, queries, size=(4, 4), **more):
    options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "",
                                 "values": False},
               "colorMode": "background", "graphMode": "none",
               "justifyMode": "auto", "orientation": "auto",
               "textMode": "auto", "wideLayout": True}
    options.update(more.pop("options", {}))
    return panel("stat", title, description, unit, queries, size,
                 options=options, **more)


def lines(title, description, unit, queries, size=(12, 8), **more):
    custom = {"drawStyle": "line", "lineInterpolation": "linear",
              "lineWidth": 1, "fillOpacity": 0, "showPoints": "never",
              "spanNulls": False, "axisPlacement": "auto"}
    if unit in ("ops", "none"):
        custom["axisSoftMax"] = 1  # or a line at 0 gets an axis to 100
    custom.update(more.pop("custom", {}))
    options = {"legend": {"displayMode": "list", "placement": "bottom",
                          "showLegend": True, "calcs": []},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel("timeseries", title, description, unit, queries, size,
                 custom=custom, options=options,
                 color=more.pop("color", {"mode": "palette-classic-by-name"}),
                 **more)


def timeline(title, description, queries, size, mappings, **more):
    options = {"alignValue": "left", "mergeValues": True, "rowHeight": 0.9,
               "showValue": "auto",
               "legend": {"displayMode": "list", "placement": "bottom",
                          "showLegend": True},
               "tooltip": {"mode": "single", "sort": "none"}}
    options.update(more.pop("options", {}))
    return panel("state-timeline", title, description, "none", queries, size,
                 custom={"fillOpacity": 90, "lineWidth": 0},
                 options=options, mappings=mappings,
                 thresholds=steps((None, COLORS["none"])), **more)


def table(title, description, unit, queries, size, **more):
    return panel("table", title, description, unit, queries, size,
                 options={"showHeader": True, "cellHeight": "sm",
                          **more.pop("options", {})},
                 custom={"align": "auto", "filterable": True,
                         "minWidth": 60}, **more)


def row(title):
    return {"kind": "row", "title": title}


def _panel(p, number, place, flavour):
    out = {"id": number, "type": p["kind"], "title": p["title"]}
    if p["kind"] == "row":
        return dict(out, gridPos=place, collapsed=False, panels=[])
    defaults = {"unit": p["unit"],
                "color": p.get("color", {"mode": "thresholds"}),
                "thresholds": p.get("thresholds", PLAIN),
                "mappings": p.get("mappings", []),
                "custom": p.get("custom", {})}
    for key in ("min", "max", "decimals", "noValue", "links"):
        if key in p:
            defaults[key] = p[key]
    targets = []
    for ref, q in zip("ABCDEFGH", [q for q in p["queries"]
                                   if q[flavour.key]]):
        targets.append(dict(q[flavour.key], refId=ref,
                            datasource=flavour.source))
    out.update(description=p["description"], gridPos=place,
               datasource=flavour.source, targets=targets,
               options=p.get("options", {}),
               fieldConfig={"defaults": defaults,
                            "overrides": p.get("overrides", [])})
    if flavour is INFLUX and "influx_options" in p:
        out["options"] = dict(out["options"], **p["influx_options"])
    if flavour is INFLUX and "influx_unit" in p:
        defaults["unit"] = p["influx_unit"]
    changes = p.get("transformations", {})
    if isinstance(changes, dict):
        changes = changes.get(flavour.key)
    if changes:
        out["transformations"] = changes
    if "timeFrom" in p:
        out["timeFrom"] = p["timeFrom"]
    return out


def layout(panels, flavour):
    """Left to right, 24 columns, the next line below the tallest."""
    x = y = height = 0
    out, ids = [], {}
    for number, p in enumerate(panels, 1):
        if p["kind"] != "row" and not any(
                q[flavour.key] for q in p["queries"]):
            continue  # the query language cannot say it
        w, h = (24, 1) if p["kind"] == "row" else p["size"]
        if x + w > 24:
            x, y, height = 0, y + height, 0
        if "key" in p:
            ids[p["key"]] = number
        out.append(_panel(p, number, {"x": x, "y": y, "w": w, "h": h},
                          flavour))
        x, height = x + w, max(height, h)
    return out, ids


def variable(name, label, text, flavour, chained=""):
    definition = text[flavour.key]
    out = {"name": name, "label": label, "type": "query",
           "datasource": flavour.source, "query": definition,
           "refresh": 2, "sort": 1,
           "includeAll": True, "allValue": ".*", "multi": True,
           "hide": 0, "options": [], "regex": "", "skipUrlSync": False,
           "current": {"selected": True, "text": ["All"],
                       "value": ["$__all"]}}
    if flavour is PROM:
        out["query"] = {"query": definition, "refId": name}
    return out


def datasource(flavour):
    return {"name": "datasource", "label": "Data source",
            "type": "datasource", "query": flavour.plugin, "refresh": 1,
            "includeAll": False, "multi": False, "hide": 0, "options": [],
            "regex": "", "skipUrlSync": False, "current": {}}


def dashboard(uid, title, description, panels, variables, flavour,
              annotations=(), links=(), time_from="now-1h", refresh="5s"):
    placed, ids = layout(panels, flavour)
    name = title if flavour is PROM else "%s (%s)" % (title, flavour.title)
    return {
        "uid": uid + flavour.suffix, "id": None, "title": name,
        "description": description, "tags": ["weir", flavour.plugin],
        "schemaVersion": SCHEMA, "version": 1, "editable": True,
        "graphTooltip": 1, "refresh": refresh, "timezone": "browser",
        "time": {"from": time_from, "to": "now"}, "timepicker": {},
        "weekStart": "", "fiscalYearStartMonth": 0, "liveNow": False,
        "links": list(links),
        "annotations": {"list": [a for a in annotations if a]},
        "templating": {"list": [datasource(flavour)] + variables},
        "panels": placed}, ids


def text(document):
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
