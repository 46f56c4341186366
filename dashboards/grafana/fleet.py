"""The Fleet dashboard: every board, the worst first."""

from model import (BAD, COLORS, GOOD, M4_MAP, STATE_MAP, WARN, dashboard,
                   influx, lines, prom, query, row, stat, steps, table,
                   timeline)
from queries import (ALARM, READING, STATES_ONLY, TIME, influx_code,
                     influx_state, m4_code, measurement, series, state_changes, state_code,
                     variables, where)
from queries import TROUBLE as TROUBLED
import alerts

UID = "weir-fleet"
# The boards worth a line among ten thousand: the variable says how many.
WORST = "topk($boards, %s)"
TROUBLE = steps((None, GOOD), (1, BAD))
# An M4 that went down still has a reading of this minute: -1 in no_reading().
BELOW = [{"type": "range", "options": {
    "from": -1000000, "to": -1,
    "result": {"text": "0", "color": GOOD, "index": 0}}}]


def count(expr, plugin, conditions, term='last("value")'):
    """How many boards. In InfluxQL the sum of a term that is 0 or 1 for each
    board: a count of no rows would be no data where 0 is meant."""
    return query(
        prom("count(%s) or vector(0)" % expr, "boards", instant=True),
        influx('SELECT sum("v") FROM (SELECT %s AS "v" FROM %s WHERE %s AND '
               'time > now() - 1m GROUP BY "host", "instance", '
               '"type_instance")' % (term, measurement(plugin), conditions),
               "boards"))


def no_reading():
    """Boards that are up, less those with a reading."""
    up = series("m4_rpc", "bool", "up")
    part = '(SELECT %s AS "v" FROM %s WHERE %s AND time > now() - 1m ' \
        'GROUP BY "host", "instance")'
    return query(
        prom("count((%s == 1) unless on (instance, m4_rpc) %s) or vector(0)"
             % (up, READING[0]), "boards", instant=True),
        influx('SELECT sum("v") FROM %s, %s' % (
            part % ('last("value")', measurement("m4_rpc"),
                    where("m4_rpc", "bool", "up")),
            part % ('last("value") * 0 - 1', measurement("m4_rpc"),
                    READING[1])), "boards"))


def summary():
    up = series("m4_rpc", "bool", "up")
    ei_up = series("edge_impulse", "bool", "up")
    seen = "max by (instance, m4_rpc) (present_over_time(%s[$__range]))" % up
    now = "max by (instance, m4_rpc) (last_over_time(%s[1m]))" % up

    def tile(title, description, *queries, thresholds=TROUBLE):
        return stat(title, description, "none", list(queries), (3, 4),
                    thresholds=thresholds, noValue="0", mappings=BELOW)

    def state(pair):
        return count("%s == 1 unless on (type) %s" % (series(
            "edge_impulse", "bool", others=pair[0]), alerts.FINE_TOO),
                     "edge_impulse", where("edge_impulse", "bool",
                                           others=pair[1]))
    return [
        tile("Boards heard", "M4s of which a value arrived in the last "
             "minute.", count(now, "m4_rpc", where("m4_rpc", "bool", "up"),
                              'last("value") * 0 + 1'),
             thresholds=steps((None, BAD), (1, GOOD))),
        tile("Silent", "M4s heard in the chosen range, but not in the last "
             "minute.",
             query(prom("count(%s unless %s) or vector(0)" % (seen, now),
                        "boards", instant=True))),  # beyond InfluxQL
        tile("M4 down", "Boards whose agent gets no answer from the M4.",
             count("%s == 0" % up, "m4_rpc", where("m4_rpc", "bool", "up"),
                   '1 - last("value")')),
        tile("No reading", "Boards whose M4 answers, but with errors only.",
             no_reading()),
        tile("Alarm", "Boards whose state is Anomalous or a label of one's "
             "own now.", state(ALARM)),
        tile("Unknown", "Boards whose state cannot be known now.",
             count("%s == 1" % series("edge_impulse", "bool", "unknown"),
                   "edge_impulse", where("edge_impulse", "bool", "unknown"))),
        tile("Model down", "Boards whose model does not answer.",
             count("%s == 0" % ei_up, "edge_impulse",
                   where("edge_impulse", "bool", "up"),
                   '1 - last("value")')),
        tile("To the cloud", "Values that wait in the spools of all boards.",
             query(prom("sum(last_over_time(%s[1m])) or vector(0)" % series(
                 "write_arduino_cloud", "queue_length", "spool"), "values",
                 instant=True),
                 influx('SELECT sum("v") FROM (SELECT last("value") AS "v" '
                        'FROM %s WHERE %s AND time > now() - 1m GROUP BY '
                        '"host", "instance")' % (
                            measurement("write_arduino_cloud"),
                            where("write_arduino_cloud", "queue_length",
                                  "spool")), "values")),
             thresholds=steps((None, GOOD), (1000, WARN), (10000, BAD))),
    ]


def to_flow(flavour):
    """A click on a row opens that board."""
    names = {"prom": ("instance", "m4"), "influx": ("host", "instance")}
    host, m4 = names[flavour.key]
    return [{"title": "Open this board", "targetBlank": False,
             "url": "/d/weir-flow%s?var-datasource=${datasource}"
             "&var-board=${__data.fields.%s}&var-m4=${__data.fields.%s}"
             "&${__url_time_range}" % (flavour.suffix, host, m4)}]


def as_m4(expr, label):
    """The label of the M4 is called m4 whichever plugin says it."""
    return ('max by (instance, m4) (label_replace(%s, "m4", "$1", "%s", '
            '"(.*)"))' % (expr, label))


def rank(at=""):
    """The share of the range that was an alarm or unknown; for a board that
    has no state, the share that its M4 was down. Labels: instance, m4."""
    share = "sum by (instance, edge_impulse) (avg_over_time(%s[$__range]%s) " \
        "unless on (type) %s)" % (series(
            "edge_impulse", "bool", others=TROUBLED[0]), at, alerts.FINE_TOO)
    down = "1 - avg_over_time(%s[$__range]%s)" % (
        series("m4_rpc", "bool", "up"), at)
    return "%s or on (instance, m4) %s" % (
        as_m4(share, "edge_impulse"), as_m4(down, "m4_rpc"))


def worst_first(flavour):
    worst = WORST % rank()
    columns = [(title, unit, prom("%s and on (instance, m4) %s" % (
        as_m4(expr, label), worst), "", instant=True, table=True))
        for title, unit, expr, label in (
            ("State", "none", state_code()["expr"], "edge_impulse"),
            ("Flow", "flowlpm", series("m4_rpc", "flow", "flow_rate"),
             "m4_rpc"),
            ("M4", "none", m4_code()["prom"]["expr"], "m4_rpc"),
            ("Changes", "none", 'sum without (type) (changes(%s[$__range])) '
             '/ 2' % series("edge_impulse", "bool", others=STATES_ONLY),
             "edge_impulse"))]
    columns.insert(1, ("Trouble", "percentunit", prom(
        worst, "", instant=True, table=True)))
    names = {"Value #" + ref: title for ref, (title, _, _) in
             zip("ABCDE", columns)}
    hide = {"Time": True}
    more = {
        "prom": [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {
                "excludeByName": hide, "includeByName": {},
                "indexByName": {"instance": 0, "m4": 1},
                "renameByName": names}},
            {"id": "sortBy", "options": {
                "fields": {}, "sort": [{"field": "Trouble",
                                        "desc": True}]}}],
        "influx": [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {
                "excludeByName": {"Time": True}, "includeByName": {},
                "indexByName": {"host": 0, "instance": 1},
                "renameByName": {}}},
            {"id": "sortBy", "options": {
                "fields": {}, "sort": [{"field": "Trouble",
                                        "desc": True}]}}]}
    share = influx('SELECT sum("m") AS "Trouble" FROM (SELECT mean("value") '
                   'AS "m" FROM %s WHERE %s GROUP BY "host", "instance", '
                   '"type_instance") WHERE $timeFilter GROUP BY "host", '
                   '"instance"' % (
                       measurement("edge_impulse"),
                       where("edge_impulse", "bool", others=TROUBLED[1])),
                   table=True)
    influxes = {"Trouble": share, "State": influx_state()}
    queries = [query(c[2], influxes.get(c[0])) for c in columns]
    state, trouble, flow, m4, changes = over = [
        column(title, unit) for title, unit, _ in columns]
    colored = {"id": "custom.cellOptions",
               "value": {"type": "color-background", "mode": "basic"}}
    state["properties"] += [
        colored, {"id": "mappings", "value": STATE_MAP},
        {"id": "thresholds", "value": steps((None, COLORS["none"]))}]
    trouble["properties"] += [
        colored, {"id": "thresholds", "value": steps(  # silent is not good
            (None, "transparent"), (0.001, WARN), (0.05, BAD))}]
    m4["properties"].append({"id": "mappings", "value": M4_MAP})
    for o in (state, flow, m4):
        o["properties"].append({"id": "noValue", "value": "silent"})
    return table("Worst first", "The state now, and the share of the chosen "
                 "range that was an alarm or unknown. A click opens the "
                 "board.", "short", queries, (14, 10),
                 overrides=over + NAMES, transformations=more,
                 options=PAGES, links=to_flow(flavour))


PAGES = {"enablePagination": True}
# A board's name is never cut: two of them would look alike.
WIDTHS = {"State": 110, "Trouble": 80, "M4": 100, "Changes": 80,
          "Silent for": 110, "Last value": 140}
NAMES = [{"matcher": {"id": "byName", "options": name},
          "properties": [{"id": "custom.minWidth", "value": 170}]}
         for name in ("instance", "host")] + [
             {"matcher": {"id": "byName", "options": "m4"},
              "properties": [{"id": "custom.minWidth", "value": 90}]}]


def column(title, unit):
    """Wide enough for its longest word: on a phone the table scrolls."""
    return {"matcher": {"id": "byName", "options": title},
            "properties": [{"id": "unit", "value": unit},
                           {"id": "custom.minWidth",
                            "value": WIDTHS.get(title, 90)}]}


def silent(flavour):
    up = series("m4_rpc", "bool", "up")
    expr = "time() - max_over_time(timestamp(%s)[$__range:15s]) > 60" % up
    hide = {"Time": True}
    more = {
        "prom": [
            {"id": "organize", "options": {
                "excludeByName": hide, "includeByName": {},
                "indexByName": {"instance": 0, "m4": 1},
                "renameByName": {"Value": "Silent for"}}},
            {"id": "sortBy", "options": {
                "fields": {}, "sort": [{"field": "Silent for",
                                        "desc": True}]}}],
        "influx": [
            {"id": "organize", "options": {
                "excludeByName": {"last": True}, "includeByName": {},
                "indexByName": {}, "renameByName": {"Time": "Last value"}}},
            {"id": "sortBy", "options": {
                "fields": {}, "sort": [{"field": "Last value",
                                        "desc": False}]}}]}
    return table("Silent boards", "Prometheus: boards heard in the chosen "
                 "range but not for a minute. InfluxDB: all boards, the "
                 "longest silent first.", "short",
                 [query(prom(WORST % as_m4(expr, "m4_rpc"), "", instant=True,
                             table=True),
                        influx('SELECT last("value") FROM %s WHERE %s GROUP '
                               'BY "host", "instance"' % (
                                   measurement("m4_rpc"),
                                   where("m4_rpc", "bool", "up")),
                               table=True))],
                 (10, 10), transformations=more, links=to_flow(flavour),
                 noValue="none", options=PAGES, overrides=NAMES + [
                     column("Silent for", "s"),
                     column("Last value", "dateTimeFromNow")])


def top(title, description, unit, plugin, kind, instance, dsname=None,
        how="max", number=10, **more):
    """The ten highest lines; InfluxQL has no such choice between series."""
    return lines(title, description, unit, [query(
        prom("topk(%d, %s_over_time(%s[$__rate_interval]))" % (
            number, how, series(plugin, kind, instance, dsname=dsname)),
            "{{instance}} {{%s}}" % plugin),
        influx('SELECT %s("value") FROM %s WHERE %s %s fill(null)' % (
            how, measurement(plugin, dsname), where(plugin, kind, instance),
            TIME)))], size=(8, 8), min=0, **more)


def errors(title, description, plugin):
    """Errors per second of each board, all kinds together."""
    return lines(title, description, "ops", [query(
        prom("topk(10, sum by (instance, %s) (rate(%s[$__rate_interval])))"
             % (plugin, series(plugin, "errors", counter=True)),
             "{{instance}} {{%s}}" % plugin),
        influx('SELECT sum("r") FROM (SELECT non_negative_derivative(mean('
               '"value"), 1s) AS "r" FROM %s WHERE %s %s, "type_instance") '
               "WHERE $timeFilter %s fill(null)" % (
                   measurement(plugin), where(plugin, "errors"), TIME,
                   TIME)))], size=(8, 8), min=0)


def states_of_the_worst():
    """One line for each of the worst boards, the same in the whole range."""
    worst = WORST % rank(" @ end()")
    return prom("%s and on (instance, edge_impulse) label_replace(%s, "
                '"edge_impulse", "$1", "m4", "(.*)")' % (
                    state_code()["expr"], worst),
                "{{instance}} {{edge_impulse}}")


def how_many():
    """The variable of WORST; InfluxQL has no such choice."""
    sizes = ["25", "50", "100", "250"]
    return {"name": "boards", "label": "Worst boards", "type": "custom",
            "query": ",".join(sizes), "includeAll": False, "multi": False,
            "hide": 0, "skipUrlSync": False,
            "current": {"selected": True, "text": "50", "value": "50"},
            "options": [{"selected": n == "50", "text": n, "value": n}
                        for n in sizes]}


def build(flavour):
    matrix = timeline(
        "States", "One row for each of the worst boards (InfluxDB: of all), "
        "the state as it was sampled. White: nothing heard.",
        [query(states_of_the_worst(), influx_code(TIME))],
        (24, 12), STATE_MAP, links=flow_of_series(flavour),
        options={"perPage": 25, "showValue": "never"})
    return dashboard(
        UID, "Weir fleet", "All boards: states, silence, backlog, health.",
        summary() + [matrix, worst_first(flavour), silent(flavour),
                     row("Cloud")] + cloud_panels() +
        [row("Health")] + health_panels(), variables(flavour) +
        ([how_many()] if flavour.key == "prom" else []), flavour,
        annotations=[dict(state_changes(flavour), enable=False)], time_from="now-6h",
        refresh="30s")


def flow_of_series(flavour):
    names = {"prom": ("instance", "edge_impulse"),
             "influx": ("host", "instance")}
    return [{"title": "Open this board", "targetBlank": False,
             "url": "/d/weir-flow%s?var-datasource=${datasource}"
             "&var-board=${__field.labels.%s}&var-m4=${__field.labels.%s}"
             "&${__url_time_range}" % ((flavour.suffix,)
                                       + names[flavour.key])}]


def cloud_panels():
    return [
        top("Spool depth", "Values that wait for Arduino Cloud: the ten "
            "longest spools.", "none", "write_arduino_cloud", "queue_length",
            "spool"),
        top("Oldest value waiting", "Age of the oldest value in a spool: the "
            "ten oldest.", "s", "write_arduino_cloud", "duration",
            "spool_age", dsname="seconds"),
        errors("Cloud errors", "Failed requests per second, the ten boards "
               "with most.", "write_arduino_cloud"),
    ]


def health_panels():
    return [
        top("M4 answer time", "The ten slowest.", "s", "m4_rpc",
            "response_time", "flow_rate"),
        errors("M4 errors", "Failed calls per second, the ten boards with "
               "most.", "m4_rpc"),
        top("Inference time", "The ten slowest.", "s", "edge_impulse",
            "response_time", "inference"),
    ]
