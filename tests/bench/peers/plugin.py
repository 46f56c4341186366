"""collectd's python plugin in place of Weir: read, ask the runner, tell the
M4, publish; once a second, in collectd's own threads."""

import json
import os
import sys

import collectd

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import board  # noqa: E402

window, runner, cloud = board.Window(), board.Runner(), board.Cloud()
shown = None


def dispatch(kind, instance, value):
    collectd.Values(plugin="flow", plugin_instance="pump", type=kind,
                    type_instance=instance, values=[value]).dispatch()


def read():
    flow = board.call("flow_rate")
    dispatch("flow", "flow_rate", flow)
    if window.add(flow):
        label, score = runner.label(window.features())
        dispatch("percent", label, 100 * score)
        board.call("classification", json.dumps({"label": label,
                                                 "value": score}))
        publish(label)


def write(values):
    if values.type == "flow":
        cloud.publish(os.environ["FLOWRATE_VARIABLE_ID"], values.values[0])


def publish(label):
    global shown
    if label != shown:
        cloud.publish(os.environ["CLASSIFICATION_VARIABLE_ID"], label)
        shown = label


collectd.register_read(read, 1)
collectd.register_write(write)
