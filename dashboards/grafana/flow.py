"""The Flow dashboard: one board, or a few side by side."""

from model import (BAD, BY_STATE, CODES, COLORS, GOOD, M4_MAP,
                   SHELVED_MAP, STATE_MAP, UP_MAP, dashboard, ending, influx,
                   lines, panel, prom, query, row, stat, steps, timeline,
                   values)
from queries import (CHANGED, NOT_UP, STATE_SERIES, TIME, by_kind, gauge,
                     influx_code, latest, m4_code, measurement, rate, selects,
                     series, state_changes, state_code, variables, where)

UID = "weir-flow"


def now_row():
    return [
        stat("State", "The debounced state: what the model, checked by the "
             "range guard, says of the last windows.", "none",
             [query(state_code(instant=True),
                    influx_code('GROUP BY "host", "instance"', "",
                                " AND time > now() - 1m"))],
             mappings=STATE_MAP, noValue="no state", key="state",
             thresholds=steps((None, COLORS["none"]))),
        stat("In this state for", "Time since the state last changed; at most "
             "a day.", "s",
             [query(prom(in_state_for(), "{{instance}} {{edge_impulse}}",
                         instant=True),
                    influx('SELECT last("d") FROM (%s) WHERE "d" = 1 AND '
                           '$timeFilter GROUP BY "host", "instance"'
                           % CHANGED))],
             noValue="no change", influx_unit="dateTimeFromNow",
             influx_options={"reduceOptions": {
                 "calcs": ["lastNotNull"], "fields": "/^Time$/",
                 "values": False}}),
        stat("Flow", "The newest reading of the sensor.", "flowlpm",
             [latest("m4_rpc", "flow", "flow_rate")], decimals=1,
             noValue="silent", options={"colorMode": "value"}),
        stat("Score", "How sure the model is of its first choice.",
             "percent",
             [query(prom("max by (instance, edge_impulse) (last_over_time(%s"
                         "[1m]))" % series("edge_impulse", "percent"),
                         "{{instance}} {{edge_impulse}}", instant=True),
                    influx('SELECT max("v") FROM (SELECT last("value") AS "v"'
                           " FROM %s WHERE %s GROUP BY \"host\", \"instance\""
                           ', "type_instance") GROUP BY "host", "instance"'
                           % (measurement("edge_impulse"),
                              where("edge_impulse", "percent"))))],
             min=0, max=100, decimals=0, noValue="none",
             options={"colorMode": "value"}),
        stat("M4", "Whether the M4 answers the agent's calls, and with "
             "readings.", "none", [m4_code()],
             mappings=M4_MAP,
             noValue="silent", key="health"),
        stat("Sensor", "Stuck: the same reading, other than 0, for "
             "StuckAfter.", "none",
             [latest("edge_impulse", "gauge", "stuck")],
             mappings=values(_0=("alive", GOOD), _1=("stuck", BAD)),
             noValue="silent"),
    ]


def in_state_for():
    """Seconds since another state was the active one."""
    active = "%s == 1" % STATE_SERIES
    inactive = "timestamp(%s) unless (%s == 1)" % (STATE_SERIES, STATE_SERIES)
    return ("time() - max by (instance, edge_impulse) (max_over_time((%s)"
            "[1d:10s]) and on (instance, edge_impulse, type) (%s))" % (
                inactive, active))


def band(state):
    """The state as a coloured band behind the flow, as it was sampled."""
    text, conditions = selects(state)
    return query(
        prom("max by (instance, edge_impulse) (%s)" % text,
             "{{instance}} {{edge_impulse}} " + state),
        influx('SELECT %s("value") FROM %s WHERE %s %s fill(null)' % (
            "max" if state == "other" else "last",
            measurement("edge_impulse"), conditions, TIME),
            "$tag_host $tag_instance " + state))


# As text: dark on light, light on dark. Yellow was hard to see on white.
FLOW_LINE = {"matcher": {"id": "byRegexp", "options": "/ flow$/"},
             "properties": [{"id": "color", "value": {
                 "mode": "fixed", "fixedColor": "text"}}]}


def flow_panels():
    hidden = {"custom__axisPlacement": "hidden", "custom__lineWidth": 0,
              "custom__fillOpacity": 35, "max": 1, "min": 0,
              "unit": "none", "custom__lineInterpolation": "stepAfter",
              "custom__hideFrom": {"legend": False, "tooltip": True,
                                   "viz": False}}
    return [
        lines("Flow", "Flow with the debounced state as coloured bands. A "
              "gap is a gap: nothing was heard.", "flowlpm",
              [gauge("m4_rpc", "flow", "flow_rate",
                     "{{instance}} {{m4_rpc}} flow",
                     "$tag_host $tag_instance flow")] +
              [band(s) for s in CODES], size=(24, 10), min=0, key="flow",
              custom={"lineWidth": 2},
              overrides=[FLOW_LINE] + [ending(s, **hidden)
                                       for s in CODES]),
        timeline("State", "The debounced state as it was sampled; other: a "
                 "label of one's own.",
                 [query(state_code(), influx_code(TIME))], (24, 5),
                 STATE_MAP),
        timeline("Shelved", "Whether an operator keeps notifications back.",
                 [gauge("edge_impulse", "bool", "shelved", how="last")],
                 (24, 3), SHELVED_MAP),
        lines("Scores", "What the model gives each class, before threshold, "
              "debounce and range guard.", "percent",
              [by_kind("edge_impulse", "percent")], size=(10, 10), min=0,
              max=100, overrides=BY_STATE),
        panel("bargauge", "Time in each state today",
              "Since midnight; time without a state is left out.", "s",
              [query(prom("sum_over_time(%s[$__range:15s]) * 15"
                          % STATE_SERIES, "{{type}} {{instance}} "
                          "{{edge_impulse}}", instant=True),
                     influx('SELECT integral("value") FROM %s WHERE %s '
                            'GROUP BY "host", "instance", "type_instance"' % (
                                measurement("edge_impulse"),
                                where("edge_impulse", "bool",
                                      others=NOT_UP)),
                            "$tag_type_instance $tag_host $tag_instance"))],
              (8, 10), overrides=BY_STATE, timeFrom="now/d", min=0,
              options={"displayMode": "basic", "orientation": "horizontal",
                       "showUnfilled": True, "valueMode": "color",
                       "minVizHeight": 16, "minVizWidth": 8,
                       "maxVizHeight": 300, "sizing": "auto",
                       "namePlacement": "top",
                       "reduceOptions": {"calcs": ["lastNotNull"],
                                         "fields": "", "values": False}}),
        lines("Anomaly score", "Distance from what the model was trained "
              "with. Empty where the model has none.", "none",
              [gauge("edge_impulse", "gauge", "anomaly", how="max")],
              size=(6, 10), noValue="not computed"),
    ]


BAND_LINE = {"matcher": {"id": "byRegexp", "options": "/ band$/"},
             "properties": [
                 {"id": "custom.lineWidth", "value": 1},
                 {"id": "custom.lineStyle",
                  "value": {"fill": "dash", "dash": [6, 6]}}]}


def baseline_panels():
    """The flow against the loop's own normal, over hours and weeks."""
    fb = "flow_baseline"

    def line(kind, name, what):
        return gauge(fb, kind, name, "{{instance}} {{flow_baseline}} " + what,
                     "$tag_host $tag_instance " + what)
    return [
        row("Baseline"),
        lines("Flow and its own normal", "Flow, what it usually is within its "
              "band (minutes), and the reference of this operating point "
              "(days).", "flowlpm",
              [gauge("m4_rpc", "flow", "flow_rate",
                     "{{instance}} {{m4_rpc}} flow",
                     "$tag_host $tag_instance flow"),
               line("gauge", "baseline", "baseline"),
               line("gauge", "band_low", "band"),
               line("gauge", "band_high", "band"),
               line("gauge", "reference", "reference")],
              size=(16, 9), key="baseline",
              overrides=[FLOW_LINE, BAND_LINE]),
        lines("Off its normal", "Per cent above or below, of the layer that "
              "is nearer to alarm.", "percent",
              [line("gauge", "deviation", "deviation")], size=(8, 9)),
        lines("Litres", "Of the last full hour.", "litre",
              [line("gauge", "litres_hour", "an hour")], size=(8, 7), min=0,
              noValue="after an hour", key="litres"),
        lines("Litres lost or missing", "What the deviation would amount to in "
              "an hour; below 0: missing.", "litreh",
              [line("gauge", "lost", "off")], size=(8, 7)),
        lines("Time to the limit", "Hours until Low or High at this rate. "
              "Empty where no trend is clear.", "h",
              [line("gauge", "limit_hours", "left")], size=(8, 7), min=0,
              noValue="no trend"),
    ]


def health_panels():
    return [
        row("Health"),
        lines("M4 answer time", "From the call to the M4's answer.", "s",
              [gauge("m4_rpc", "response_time", "flow_rate", how="max")],
              size=(8, 7), min=0),
        lines("M4 errors", "Failed calls: timeout, refused, protocol, stale "
              "(an answer to another call) and remote (the M4 says no).",
              "ops", [rate("m4_rpc", "errors")], size=(16, 7), min=0,
              key="m4errors"),
        lines("Inference time", "From a full window to its scores.", "s",
              [gauge("edge_impulse", "response_time", "inference",
                     how="max")], size=(8, 9), min=0),
        lines("Inference errors", "Windows without an answer, and samples "
              "filled in, late, twice or invalid, by reason.", "ops",
              [rate("edge_impulse", "errors")], size=(16, 9), min=0,
              key="eierrors"),
        timeline("Up", "Whether M4 and model answer.",
                 [gauge("m4_rpc", "bool", "up", "{{instance}} {{m4_rpc}} M4",
                        "$tag_host $tag_instance M4", how="last"),
                  gauge("edge_impulse", "bool", "up",
                        "{{instance}} {{edge_impulse}} model",
                        "$tag_host $tag_instance model", how="last")],
                 (12, 7), UP_MAP),
        lines("Windows waiting", "Full windows not yet sent to the model.",
              "none", [gauge("edge_impulse", "queue_length", "windows",
                             how="max")], size=(12, 7), min=0),
    ]


def cloud_panels():
    cloud = "write_arduino_cloud"
    return [
        row("Arduino Cloud"),
        lines("Values waiting", "Values in the spool, not yet accepted by "
              "the cloud.", "none",
              [gauge(cloud, "queue_length", "spool", how="max")],
              size=(8, 7), min=0, key="cloud"),
        lines("Published", "Values and requests per second, by kind.", "ops",
              [rate(cloud, "total_requests")], size=(16, 7), min=0),
        lines("Oldest value waiting", "Age of the oldest value in the spool.",
              "s", [gauge(cloud, "duration", "spool_age", how="max",
                          dsname="seconds")], size=(8, 7), min=0),
        lines("Cloud errors", "retry: tried again; rejected: refused by the "
              "cloud; dropped, thinned: the spool was full.", "ops",
              [rate(cloud, "errors")], size=(16, 7), min=0,
              key="clouderrors"),
    ]


def build(flavour):
    fleet = {"title": "Fleet", "type": "link", "icon": "external link",
             "url": "/d/weir-fleet%s" % flavour.suffix, "tooltip": "",
             "tags": [], "asDropdown": False, "includeVars": False,
             "keepTime": True, "targetBlank": False}
    return dashboard(
        UID, "Weir flow", "Flow, state and health of one board.",
        [row("Now")] + now_row() + [row("Flow")] + flow_panels() +
        baseline_panels() + health_panels() + cloud_panels(),
        variables(flavour), flavour,
        annotations=[state_changes(flavour)], links=[fleet])
