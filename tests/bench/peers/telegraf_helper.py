#!/usr/bin/python3
"""What Telegraf cannot do by itself: it starts this with inputs.execd, and
reads a line for each sample and for each label."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import board  # noqa: E402


def turn(window, runner):
    flow = board.call("flow_rate")
    print("flow value=%r %d" % (flow, time.time_ns()))
    if window.add(flow):
        label, score = runner.label(window.features())
        board.call("classification", json.dumps({"label": label,
                                                 "value": score}))
        print('label value="%s" %d' % (label, time.time_ns()))
    sys.stdout.flush()


def main():
    window, runner = board.Window(), board.Runner()
    due = time.monotonic()
    while os.getppid() != 1:
        try:
            turn(window, runner)
        except OSError as reason:
            print("helper: %s" % reason, file=sys.stderr, flush=True)
        due += 1
        time.sleep(max(0, due - time.monotonic()))


main()
