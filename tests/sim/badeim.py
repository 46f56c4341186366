#!/usr/bin/python3
"""A `.eim` program that misbehaves on order, for the tests.

Copy it to NAME.eim and write orders to NAME.json beside it, at any moment:

    {"start": "ok", "mode": "ok", "seconds": 0, "axes": 1, "samples": 10,
     "labels": [...], "anomaly": false}

start  ok | exit | deaf (never listens) | mute (no hello) | refuse (hello is
       answered with success false)
mode   ok | delay (answers after `seconds`) | hang | crash | garbage | refuse
       | other_id | other_labels | score (2.0) | longer (wants two values more)
       | drip (byte by byte, too slow to end in time) | flood (text without an
       end) | chatter (prints a lot before it answers)

A healthy answer depends on the newest value of axis 0 alone: Low below 5,
Normal from there; with labels [] or anomaly true an anomaly score is 1.5 or
-1.0, with anomaly null (at run time) it is 1000, "not computed". With `alarm_range` it is Anomalous where axis 0 spans more than that.
NAME.log gets a line for each start (pid) and each request.
"""

import json
import os
import socket
import sys
import time

BASE = os.path.splitext(os.path.abspath(sys.argv[0]))[0]
LABELS = ["Anomalous", "High", "Low", "Normal"]


def orders():
    found = {"start": "ok", "mode": "ok", "seconds": 0, "axes": 1,
             "samples": 10, "labels": LABELS, "anomaly": False,
             "alarm_range": float("inf")}
    try:
        with open(BASE + ".json") as text:
            found.update(json.load(text))
    except (FileNotFoundError, ValueError):
        pass
    return found


def note(text):
    with open(BASE + ".log", "a") as log:
        log.write(text + "\n")


def hello(order):
    return {"model_parameters": {
        "axis_count": order["axes"], "frequency": 1, "has_anomaly": int(
            order["anomaly"] or not order["labels"]),
        "image_input_width": 0,
        "input_features_count": order["axes"] * order["samples"],
        "interval_ms": 1000, "label_count": len(order["labels"]),
        "labels": order["labels"],
        "model_type": "classification", "sensor": -1},
        "project": {"deploy_version": 7, "id": 1, "name": "bad"}}


def scores(order, features):
    newest = features[-order["axes"]]
    label = "Low" if newest < 5 else "Normal"
    flow = features[::order["axes"]]
    if max(flow) - min(flow) > order["alarm_range"]:
        label = "Anomalous"
    found = {x: 0.96 if x == label else 0.01 for x in order["labels"]}
    if order["mode"] == "other_labels":
        found = {"idle": 0.5, "wave": 0.5}
    if order["mode"] == "score":
        found["High"] = 2.0
    result = {"classification": found} if order["labels"] else {}
    if order["anomaly"] is not False or not order["labels"]:
        result["anomaly"] = (1000 if order["anomaly"] is None else
                             1.5 if newest < 5 else -1.0)
    return {"result": result, "timing": {"dsp": 0}}


def send(conn, reply):
    conn.sendall(json.dumps(reply).encode() + b"\n\0")


def answer(conn, order, request):
    mode, ident = order["mode"], request.get("id", 0)
    if mode == "delay":
        time.sleep(order["seconds"])
    elif mode == "hang":
        time.sleep(3600)
    elif mode == "crash":
        print("out of ideas", file=sys.stderr, flush=True)
        os._exit(3)
    elif mode == "garbage":
        conn.sendall(b"\xff\xfe{\"id\": \x01 not json }\n\0")
        return
    elif mode == "chatter":
        print("x" * 300000, flush=True)
    elif mode == "flood":
        for _ in range(10000):
            conn.sendall(b"y" * 65536)
        return
    wanted = order["axes"] * order["samples"] + (
        2 if mode == "longer" else 0)
    reply = dict(scores(order, request["classify"]), success=True,
                 id=ident + 1 if mode == "other_id" else ident)
    if mode == "refuse" or len(request["classify"]) != wanted:
        reply = {"success": False, "id": ident, "error":
                 "Invalid number of features in 'classify', expected %d but "
                 "got %d" % (wanted, len(request["classify"]))}
    if mode == "drip":
        for byte in json.dumps(reply).encode():
            conn.sendall(bytes([byte]))
            time.sleep(0.05)
        return
    send(conn, reply)


def serve(conn):
    rest = b""
    while True:
        part = conn.recv(65536)
        if not part:
            return
        rest += part
        while b"\n" in rest:
            line, rest = rest.split(b"\n", 1)
            request, order = json.loads(line), orders()
            if "hello" in request:
                if order["start"] == "mute":
                    time.sleep(3600)
                send(conn, {"success": False, "id": request["id"],
                            "error": "not today"}
                     if order["start"] == "refuse" else
                     dict(hello(order), success=True, id=request["id"]))
                continue
            note("request %d" % request["id"])
            answer(conn, order, request)


def main():
    note("start %d" % os.getpid())
    start = orders()["start"]
    if start == "exit":
        print("cannot allocate tensors", file=sys.stderr)
        sys.exit(3)
    if start == "deaf":
        time.sleep(3600)
    if sys.argv[1:] == ["--print-info"]:
        print(json.dumps(hello(orders()), indent=4))
        return
    server = socket.socket(socket.AF_UNIX)
    server.bind(sys.argv[1])
    server.listen(1)
    conn, _ = server.accept()
    try:
        serve(conn)
    except OSError:
        pass


main()
