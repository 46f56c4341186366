"""The Fleet dashboard: every board, the worst first."""

from model import (BAD, COLORS, GOOD, STATE_MAP, UP_MAP, WARN, dashboard,
                   influx, lines, prom, query, row, stat, steps, table,
                   timeline)
from queries import (STATES_ONLY, TIME, influx_code, measurement, series, state_changes,
                     state_code, variables, where)

UID = "weir-fleet"
TROUBLE = steps((None, GOOD), (1, BAD))


def count(expr, conditions, plugin, value):
    """How many boards: 0 when none."""
    return query(
        prom("count(%s) or vector(0)" % expr, "boards", instant=True),
        influx('SELECT count("v") FROM (SELECT last("value") AS "v" FROM %s '
               'WHERE %s AND time > now() - 1m GROUP BY "host", "instance")%s'
               % (measurement(plugin), conditions, value), "boards"))


def summary():
    up = series("m4_rpc", "bool", "up")
    ei_up = series("edge_impulse", "bool", "up")
    bad = series("edge_impulse", "bool", "Anomalous")
    lost = series("edge_impulse", "bool", "unknown")
    seen = "max by (instance, m4_rpc) (present_over_time(%s[$__range]))" % up
    now = "max by (instance, m4_rpc) (last_over_time(%s[1m]))" % up
    size = (4, 4)
    small = (2, 4)
    return [
        stat("Boards heard", "M4s of which a value arrived in the last "
             "minute.", "none",
             [count(now, where("m4_rpc", "bool", "up"), "m4_rpc", "")],
             size, thresholds=steps((None, BAD), (1, GOOD)), noValue="0"),
        stat("Silent", "M4s heard in the chosen range, but not in the last "
             "minute.", "none",
             [query(prom("count(%s unless %s) or vector(0)" % (seen, now),
                         "boards", instant=True))],  # beyond InfluxQL
             size, thresholds=TROUBLE, noValue="0"),
        stat("Anomalous", "Boards whose state is Anomalous now.", "none",
             [count("last_over_time(%s[1m]) == 1" % bad,
                    where("edge_impulse", "bool", "Anomalous"),
                    "edge_impulse", ' WHERE "v" = 1')],
             small, thresholds=TROUBLE, noValue="0"),
        stat("Unknown", "Boards whose state cannot be known now.", "none",
             [count("last_over_time(%s[1m]) == 1" % lost,
                    where("edge_impulse", "bool", "unknown"),
                    "edge_impulse", ' WHERE "v" = 1')],
             small, thresholds=TROUBLE, noValue="0"),
        stat("M4 down", "Boards whose agent gets no answer from the M4.",
             "none",
             [count("last_over_time(%s[1m]) == 0" % up,
                    where("m4_rpc", "bool", "up"), "m4_rpc",
                    ' WHERE "v" = 0')],
             size, thresholds=TROUBLE, noValue="0"),
        stat("Inference down", "Boards whose model does not answer.", "none",
             [count("last_over_time(%s[1m]) == 0" % ei_up,
                    where("edge_impulse", "bool", "up"), "edge_impulse",
                    ' WHERE "v" = 0')],
             size, thresholds=TROUBLE, noValue="0"),
        stat("Waiting for the cloud", "Values in the spools of all boards.",
             "none",
             [query(prom("sum(last_over_time(%s[1m])) or vector(0)" % series(
                 "write_arduino_cloud", "queue_length", "spool"), "values",
                 instant=True),
                 influx('SELECT sum("v") FROM (SELECT last("value") AS "v" '
                        'FROM %s WHERE %s AND time > now() - 1m GROUP BY '
                        '"host", "instance")' % (
                            measurement("write_arduino_cloud"),
                            where("write_arduino_cloud", "queue_length",
                                  "spool")), "values"))],
             size, thresholds=steps((None, GOOD), (1000, WARN),
                                    (10000, BAD)), noValue="0"),
    ]


def to_flow(flavour):
    """A click on a row opens that board."""
    names = {"prom": ("instance", "m4"), "influx": ("host", "instance")}
    host, m4 = names[flavour.key]
    return [{"title": "Open this board", "targetBlank": False,
             "url": "/d/weir-flow%s?var-datasource=${datasource}"
             "&var-board=${__data.fields.%s}&var-m4=${__data.fields.%s}"
             "&${__url_time_range}" % (flavour.suffix, host, m4)}]


def instant(expr, label):
    """A column: the label of the M4 is called m4 in every one of them."""
    return prom('max by (instance, m4) (label_replace(%s, "m4", "$1", "%s", '
                '"(.*)"))' % (expr, label), "", instant=True, table=True)


def worst_first(flavour):
    columns = [
        ("Anomalous", "percentunit", instant(
            "avg_over_time(%s[$__range])" % series(
                "edge_impulse", "bool", "Anomalous"), "edge_impulse")),
        ("Flow", "flowlpm", instant("last_over_time(%s[$__range])" % series(
            "m4_rpc", "flow", "flow_rate"), "m4_rpc")),
        ("M4", "none", instant("last_over_time(%s[$__range])" % series(
            "m4_rpc", "bool", "up"), "m4_rpc")),
        ("Changes", "none", instant(
            'sum without (type) (changes(%s[$__range])) / 2' % series(
                "edge_impulse", "bool", others=STATES_ONLY),
            "edge_impulse")),
    ]
    names = {"Value #" + ref: title for ref, (title, _, _) in
             zip("ABCD", columns)}
    hide = {"Time": True}
    more = {
        "prom": [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {
                "excludeByName": hide, "includeByName": {},
                "indexByName": {"instance": 0, "m4": 1},
                "renameByName": names}},
            {"id": "sortBy", "options": {
                "fields": {}, "sort": [{"field": "Anomalous",
                                        "desc": True}]}}],
        "influx": [
            {"id": "organize", "options": {
                "excludeByName": {"Time": True}, "includeByName": {},
                "indexByName": {}, "renameByName": {}}},
            {"id": "sortBy", "options": {
                "fields": {}, "sort": [{"field": "Anomalous",
                                        "desc": True}]}}]}
    share = influx('SELECT mean("value") AS "Anomalous" FROM %s WHERE %s '
                   'GROUP BY "host", "instance"' % (
                       measurement("edge_impulse"),
                       where("edge_impulse", "bool", "Anomalous")),
                   table=True)
    queries = [query(c[2], share if i == 0 else None)
               for i, c in enumerate(columns)]
    over = [column(title, unit) for title, unit, _ in columns]
    over[0]["properties"].append(
        {"id": "custom.cellOptions",
         "value": {"type": "color-background", "mode": "basic"}})
    over[0]["properties"].append(
        {"id": "thresholds", "value": steps((None, GOOD), (0.001, WARN),
                                            (0.05, BAD))})
    over[2]["properties"].append({"id": "mappings", "value": UP_MAP})
    return table("Worst first", "Share of the chosen range that was "
                 "Anomalous, with the newest flow. A click opens the board.",
                 "short", queries, (12, 10), overrides=over,
                 transformations=more, links=to_flow(flavour))


def column(title, unit):
    return {"matcher": {"id": "byName", "options": title},
            "properties": [{"id": "unit", "value": unit}]}


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
                 [query(instant(expr, "m4_rpc"),
                        influx('SELECT last("value") FROM %s WHERE %s GROUP '
                               'BY "host", "instance"' % (
                                   measurement("m4_rpc"),
                                   where("m4_rpc", "bool", "up")),
                               table=True))],
                 (12, 10), transformations=more, links=to_flow(flavour),
                 noValue="none", overrides=[
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


def build(flavour):
    matrix = timeline(
        "States", "One row per board, the most severe state of each step. "
        "White: nothing heard.", [query(
            state_code(("max", "$__rate_interval")), influx_code(TIME))],
        (24, 12), STATE_MAP, links=flow_of_series(flavour),
        options={"perPage": 25, "showValue": "never"})
    return dashboard(
        UID, "Weir fleet", "All boards: states, silence, backlog, health.",
        summary() + [matrix, worst_first(flavour), silent(flavour),
                     row("Cloud")] + cloud_panels() +
        [row("Health")] + health_panels(), variables(flavour), flavour,
        annotations=[state_changes(flavour)], time_from="now-6h",
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
