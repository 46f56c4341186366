#!/usr/bin/python3
"""The application note's way, at one reading a second: a loop in Python, one
connection for each call, and requests.put() without a session."""

import json
import os
import sys
import time

import requests

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import board  # noqa: E402

CLOUD = os.environ["CLOUD_URL"]
CA = os.environ["CLOUD_CA"]


def token():
    reply = requests.post(CLOUD + "/iot/v1/clients/token", data={
        "grant_type": "client_credentials",
        "client_id": os.environ["CLIENT_ID"],
        "client_secret": os.environ["CLIENT_SECRET"],
        "audience": "https://api2.arduino.cc/iot"}, verify=CA, timeout=10)
    reply.raise_for_status()
    return reply.json()["access_token"], time.monotonic() + 270


def publish(bearer, variable, value):
    reply = requests.put(
        "%s/iot/v2/things/%s/properties/%s/publish"
        % (CLOUD, os.environ["THING_ID"], variable), json={"value": value},
        headers={"Authorization": "Bearer " + bearer}, verify=CA, timeout=10)
    reply.raise_for_status()


def turn(state):
    flow = board.call("flow_rate")
    label = None
    if state["window"].add(flow):
        reply = requests.post(os.environ["RUNNER_URL"] + "/api/features",
                              json={"features": state["window"].features()},
                              timeout=10)
        scores = reply.json()["result"]["classification"]
        label = max(scores, key=scores.get)
        board.call("classification", json.dumps({"label": label,
                                                 "value": scores[label]}))
    if time.monotonic() > state["until"]:
        state["token"], state["until"] = token()
    publish(state["token"], os.environ["FLOWRATE_VARIABLE_ID"], flow)
    if label:
        publish(state["token"], os.environ["CLASSIFICATION_VARIABLE_ID"],
                label)


def main():
    state = {"window": board.Window(), "until": 0, "token": None}
    due = time.monotonic()
    while True:
        try:
            turn(state)
        except (OSError, requests.RequestException) as reason:
            print("note: %s" % reason, flush=True)
        due = max(due + 1, time.monotonic())
        time.sleep(due - time.monotonic() if due > time.monotonic() else 0)


main()
