#!/usr/bin/python3
"""dashboards/grafana/generate.py [DIRECTORY]: write what is generated.

The dashboards (flow.py, fleet.py) for Prometheus and InfluxDB, and the rules
(../alerts.py) for Prometheus and Grafana. DIRECTORY: default dashboards/;
the tests write elsewhere and compare."""

import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import flow  # noqa: E402
import fleet  # noqa: E402
import model  # noqa: E402
import rules  # noqa: E402


def files():
    """Path below dashboards/ and text of every generated file."""
    out = {}
    for flavour in (model.PROM, model.INFLUX):
        for board in (flow, fleet):
            document, ids = board.build(flavour)
            name = "%s%s.json" % (board.UID, flavour.suffix)
            out["grafana/dashboards/" + name] = model.text(document)
            if board is flow and flavour is model.PROM:
                panels = ids
    out["prometheus/weir.rules.yml"] = rules.prometheus()
    out["grafana/provisioning/alerting/weir-rules.yaml"] = rules.grafana(
        "weir-prometheus", flow.UID, panels)
    return out


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(HERE)
    for name, text in files().items():
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)


if __name__ == "__main__":
    main()
