"""Writes the alert tables of alerts.py as YAML: for Prometheus and Grafana."""

import alerts

INTERVAL = "15s"
HEADER = "# Written by dashboards/grafana/generate.py from dashboards/%s.\n" \
    "# Change that file and run `make dashboards`.\n"


def quoted(text):
    """A YAML double-quoted scalar."""
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def block(key, text, indent):
    """key: |, the text as a literal block."""
    pad = " " * indent
    lines = "\n".join(pad + "  " + x for x in text.split("\n"))
    return "%s%s: |-\n%s\n" % (pad, key, lines)


def folded(key, text, indent):
    """key: >-, the words of the text in lines of 80 columns."""
    pad, lines, line = " " * (indent + 2), [], ""
    for word in text.split(" "):
        # A template action stays on one line.
        if line and len(pad) + len(line) + 1 + len(word) > 79 \
                and line.count("{{") == line.count("}}"):
            lines.append(line)
            line = word
        else:
            line = line + " " + word if line else word
    lines.append(line)
    return "%s%s: >-\n%s\n" % (" " * indent, key,
                               "\n".join(pad + x for x in lines))


def prometheus(waits=None):
    """weir.rules.yml. waits: other durations of `for`, by alert (tests)."""
    waits = waits or {}
    out = [HEADER % "alerts.py", "groups:\n",
           "  - name: weir-records\n    interval: %s\n    rules:\n" % INTERVAL]
    for name, expr, why in alerts.RECORDS:
        out += ["      # %s\n" % x for x in why.split("\n")]
        out += ["      - record: %s\n" % name, block("expr", expr, 8)]
    out.append("  - name: weir-alerts\n    interval: %s\n    rules:\n"
               % INTERVAL)
    for a in alerts.ALERTS:
        out += ["      - alert: %s\n" % a["name"], block("expr", a["expr"], 8),
                "        for: %s\n" % waits.get(a["name"], a["wait"]),
                "        labels:\n          severity: %s\n" % a["severity"],
                "        annotations:\n"]
        out += [folded(k, a[k], 10) for k in
                ("summary", "description", "action")]
    return "".join(out)


def grafana(datasource, dashboard, panels):
    """Provisioned alert rules: the same, evaluated by Grafana itself.

    They are paused: where Prometheus already evaluates weir.rules.yml, a
    second copy would alert twice."""
    out = [HEADER % "alerts.py",
           "# Paused: unpause them only where Prometheus does not evaluate\n"
           "# weir.rules.yml, or everybody is alerted twice. WeirBoardSilent "
           "needs its\n# recording rules in any case.\n",
           "apiVersion: 1\ngroups:\n  - orgId: 1\n    name: weir\n"
           "    folder: Weir\n    interval: 30s\n    rules:\n"]
    for a in alerts.ALERTS:
        # Any row of A is an alert, as in Prometheus; no row has a value < 0.
        out += [
            "      - uid: %s\n" % uid(a["name"]),
            "        title: %s\n" % a["name"],
            "        condition: C\n        data:\n          - refId: A\n"
            "            relativeTimeRange: {from: 600, to: 0}\n"
            "            datasourceUid: %s\n" % datasource,
            "            model:\n              refId: A\n"
            "              instant: true\n",
            block("expr", a["expr"], 14),
            "          - refId: C\n            datasourceUid: __expr__\n"
            "            model:\n              refId: C\n"
            "              type: threshold\n              expression: A\n"
            "              conditions:\n"
            "                - evaluator: {type: gt, params: [-1]}\n",
            "        noDataState: OK\n        execErrState: Error\n",
            "        for: %s\n" % a["wait"],
            "        isPaused: true\n",
            "        dashboardUid: %s\n" % dashboard,
            "        panelId: %d\n" % panels[a["panel"]],
            "        labels: {severity: %s}\n" % a["severity"],
            "        annotations:\n          __dashboardUid__: %s\n"
            % dashboard,
            '          __panelId__: "%d"\n' % panels[a["panel"]]]
        # $value is an object there; the number is $values.A.
        out += [folded(k, a[k].replace("$value ", "$values.A.Value ")
                       .replace("$value}", "$values.A.Value}"), 10)
                for k in ("summary", "description", "action")]
    return "".join(out)


def uid(name):
    """WeirFlowLow -> weir-flow-low"""
    return "".join("-" + c.lower() if c.isupper() else c for c in name)[1:]
