"""The series of the plugins, as both databases name them.

Prometheus (write_prometheus): collectd_<plugin>_<type>{instance=<host>,
<plugin>=<plugin instance>, type=<type instance>}; counters end in _total.
InfluxDB (its collectd listener): measurement <plugin>_value with the tags
host, instance (the plugin instance), type, type_instance; types.db calls the
value of a few types something else (duration: seconds)."""

import alerts
from model import CODES, influx, prom, query


def series(plugin, kind, instance=None, others="", dsname=None,
           counter=False):
    """A PromQL selector for the chosen boards."""
    parts = ['instance=~"$board"']
    if plugin != "write_arduino_cloud":  # its instance is a thing, not an M4
        parts.append('%s=~"$m4"' % plugin)
    if instance:
        parts.append('type="%s"' % instance)
    if others:
        parts.append(others)
    return "collectd_%s_%s%s%s{%s}" % (
        plugin, kind, "_" + dsname if dsname else "",
        "_total" if counter else "", ",".join(parts))


def where(plugin, kind, instance=None, others=""):
    """The InfluxQL conditions for the same."""
    parts = ['"host" =~ /^$board$/']
    if plugin != "write_arduino_cloud":
        parts.append('"instance" =~ /^$m4$/')
    parts.append("\"type\" = '%s'" % kind)
    if instance:
        parts.append("\"type_instance\" = '%s'" % instance)
    if others:
        parts.append(others)
    return " AND ".join(parts + ["$timeFilter"])


def measurement(plugin, dsname=None):
    return '"%s_%s"' % (plugin, dsname or "value")


TIME = 'GROUP BY time($__interval), "host", "instance"'
STATES_ONLY = 'type!~"up|shelved"'
NOT_UP = "\"type_instance\" != 'up' AND \"type_instance\" != 'shelved'"


def none_of(*names):
    """Neither health nor one of these labels, in both languages."""
    text = "|".join((alerts.NO_STATE,) + names)
    return 'type!~"%s"' % text, '"type_instance" !~ /^(%s)$/' % text


OTHER = none_of(alerts.NAMED)
# Somebody should look now: Anomalous, or a label of one's own.
ALARM = none_of(alerts.FINE, "Low", "High", "unknown", "uncertain")
TROUBLE = none_of(alerts.FINE, "Low", "High", "uncertain")  # unknown, too
READING = (
    '{__name__=~"collectd_m4_rpc_.+",__name__!~"%s",instance=~"$board",'
    'm4_rpc=~"$m4"}' % alerts.NO_READING,
    "\"host\" =~ /^$board$/ AND \"instance\" =~ /^$m4$/ AND \"type\" != 'bool'"
    " AND \"type\" != 'errors' AND \"type\" != 'response_time' AND "
    "$timeFilter")


def gauge(plugin, kind, instance, legend=None, alias=None, how="mean",
          dsname=None):
    """One line per board: the value over time."""
    text = series(plugin, kind, instance, dsname=dsname)
    if how != "last":  # as sampled
        text = "%s_over_time(%s[$__rate_interval])" % (
            {"mean": "avg"}.get(how, how), text)
    return query(
        prom(text,
            legend or "{{instance}} {{%s}}" % plugin),
        influx('SELECT %s("value") FROM %s WHERE %s %s fill(null)' % (
            how, measurement(plugin, dsname),
            where(plugin, kind, instance), TIME),
            alias or "$tag_host $tag_instance"))


def by_kind(plugin, kind, others="", how="mean"):
    """One line per type instance."""
    return query(
        prom("%s_over_time(%s[$__rate_interval])" % (
            {"mean": "avg", "max": "max"}[how],
            series(plugin, kind, others=others)),
            "{{instance}} {{%s}} {{type}}" % plugin),
        influx('SELECT %s("value") FROM %s WHERE %s %s, "type_instance" '
               "fill(null)" % (how, measurement(plugin),
                               where(plugin, kind, others=influx_not(others)),
                               TIME),
               "$tag_host $tag_instance $tag_type_instance"))


def influx_not(others):
    return NOT_UP if others == STATES_ONLY else ""


def rate(plugin, kind):
    """Events per second of each counter."""
    return query(
        prom("rate(%s[$__rate_interval])" % series(plugin, kind,
                                                   counter=True),
             "{{instance}} {{%s}} {{type}}" % plugin),
        influx("SELECT non_negative_derivative(mean(\"value\"), 1s) FROM %s "
               'WHERE %s %s, "type_instance" fill(null)' % (
                   measurement(plugin), where(plugin, kind), TIME),
               "$tag_host $tag_instance $tag_type_instance"))


def latest(plugin, kind, instance, legend=None, alias=None, dsname=None):
    """The newest value of each board, for single figures."""
    return query(
        prom("last_over_time(%s[1m])" % series(plugin, kind, instance,
                                               dsname=dsname),
             legend or "{{instance}} {{%s}}" % plugin, instant=True),
        influx('SELECT last("value") FROM %s WHERE %s GROUP BY "host", '
               '"instance"' % (measurement(plugin, dsname),
                               where(plugin, kind, instance)),
               alias or "$tag_host $tag_instance"))


def selects(state):
    """(PromQL, InfluxQL) of the series of a state, or of all other ones."""
    if state == "other":
        return (series("edge_impulse", "bool", others=OTHER[0]),
                where("edge_impulse", "bool", others=OTHER[1]))
    return (series("edge_impulse", "bool", state),
            where("edge_impulse", "bool", state))


def state_code(legend="{{instance}} {{edge_impulse}}", instant=False):
    """0.5..5 for the state as it was sampled, 0 for none.

    No range and no maximum: tile, timeline, bands and table say the same."""
    terms = ["%g * %s" % (code, selects(s)[0]) for s, code in CODES.items()]
    return prom("max by (instance, edge_impulse) (%s)" % " or ".join(terms),
                legend, instant=instant)


def influx_code(group, fill="fill(null)", more="", name="max"):
    """The same in InfluxQL: the newest of each step, a subquery a state."""
    parts = ['(SELECT last("value") * %g AS "code" FROM %s WHERE %s%s %s)' % (
        code, measurement("edge_impulse"), selects(s)[1], more,
        group + (', "type_instance"' if s == "other" else ""))
        for s, code in CODES.items()]
    return influx('SELECT max("code") AS "%s" FROM %s WHERE $timeFilter %s '
                  '%s' % (name, ", ".join(parts), group, fill))


def influx_state():
    """The state now, a row for each board; its time is the range's begin, as
    that of every other sum, so that a table can merge them."""
    group = 'GROUP BY "host", "instance"'
    now = influx_code(group, "", " AND time > now() - 1m", "now")["query"]
    return influx('SELECT sum("now") AS "State" FROM (%s) WHERE $timeFilter '
                  '%s' % (now, group), table=True)


def m4_code():
    """0 down, 1 up, 2 up without any reading."""
    up = series("m4_rpc", "bool", "up")
    return query(
        prom("((%s == 1) unless on (instance, m4_rpc) %s) * 2 or %s" % (
            up, READING[0], up), instant=True),
        influx('SELECT sum("v") FROM (SELECT last("value") * 2 AS "v" FROM %s '
               'WHERE %s AND time > now() - 1m GROUP BY "host", "instance"), '
               '(SELECT last("value") * 0 - 1 AS "v" FROM %s WHERE %s AND '
               'time > now() - 1m GROUP BY "host", "instance") '
               'WHERE $timeFilter GROUP BY "host", "instance"' % (
                   measurement("m4_rpc"), where("m4_rpc", "bool", "up"),
                   measurement("m4_rpc"), READING[1])))


STATE_SERIES = series("edge_impulse", "bool", others=STATES_ONLY)
CHANGED = ("SELECT difference(\"value\") AS \"d\" FROM %s WHERE %s "
           'GROUP BY "host", "instance", "type_instance"' % (
               measurement("edge_impulse"),
               where("edge_impulse", "bool", others=NOT_UP)))


def variables(flavour):
    from model import variable
    return [
        variable("board", "Board", {
            "prom": "label_values(collectd_m4_rpc_bool, instance)",
            "influx": 'SHOW TAG VALUES FROM "m4_rpc_value" WITH KEY = '
            '"host"'}, flavour),
        variable("m4", "M4", {
            "prom": 'label_values(collectd_m4_rpc_bool{instance=~"$board"},'
            " m4_rpc)",
            "influx": 'SHOW TAG VALUES FROM "m4_rpc_value" WITH KEY = '
            '"instance" WHERE "host" =~ /^$board$/'}, flavour)]


def state_changes(flavour):
    """An annotation at every change of a debounced state."""
    out = {"name": "State changes", "enable": True, "hide": False,
           "iconColor": "#808080", "datasource": flavour.source}
    if flavour.key == "prom":
        out.update(
            expr="(%s == 1) and (%s offset 15s == 0)" % (
                STATE_SERIES, STATE_SERIES),
            step="15s", titleFormat="{{type}}",
            textFormat="{{instance}} {{edge_impulse}}", tagKeys="type")
    else:
        out.update(
            query='SELECT "d", "type_instance" FROM (SELECT difference('
            '"value") AS "d" FROM %s WHERE %s GROUP BY "host", "instance", '
            '"type_instance") WHERE "d" = 1 AND $timeFilter' % (
                measurement("edge_impulse"),
                where("edge_impulse", "bool", others=NOT_UP)),
            rawQuery=True, textColumn="type_instance", tagsColumn="",
            titleColumn="")
    return out
