"""flow.png: the flow over time, the state as coloured bands behind it.

Drawn by `rrdtool graph` from what collectd's own rrdtool plugin stored. The
colours are from the Okabe-Ito palette, which colour-blind readers can tell
apart; they are mixed with white here, because they lie behind a line."""

import os
import subprocess

BANDS = (("Normal", "#A6DCCB"), ("Low", "#BBE1F6"), ("High", "#F9DD9F"),
         ("Anomalous", "#EFA08A"))
LINE = "#1A1A1A"


def arguments(rrd, start, end):
    flow = os.path.join(rrd, "m4_rpc-pump", "flow-flow_rate.rrd")
    args = ["DEF:flow=%s:value:AVERAGE" % flow]
    for i, (label, colour) in enumerate(BANDS):
        path = os.path.join(rrd, "edge_impulse-pump", "bool-%s.rrd" % label)
        if not os.path.exists(path):
            continue
        args += ["DEF:b%d=%s:value:MAX" % (i, path),
                 "CDEF:band%d=b%d,0.5,GT,INF,UNKN,IF" % (i, i),
                 "AREA:band%d%s: %s   " % (i, colour, label)]
    return args + ["LINE2:flow%s: flow\\l" % LINE]


def draw(directory, start, end):
    """Draw directory/flow.png from directory/rrd; its path."""
    path = os.path.join(directory, "flow.png")
    rrd = os.path.join(directory, "rrd", "testhost")
    command = ["rrdtool", "graph", path, "--start", str(start), "--end",
               str(end), "--imgformat", "PNG", "--width", "860", "--height",
               "320", "--title", "Flow and its state, simulated faults",
               "--vertical-label", "L/min", "--lower-limit", "0", "--upper-limit", "20",
               "--rigid", "--alt-autoscale-max", "--font",
               "DEFAULT:10:DejaVu Sans", "--color", "CANVAS#FFFFFF",
               "--color", "BACK#FFFFFF", "--color", "SHADEA#FFFFFF",
               "--color", "SHADEB#FFFFFF", "--disable-rrdtool-tag"]
    done = subprocess.run(command + arguments(rrd, start, end),
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError("rrdtool graph: %s" % done.stderr.strip())
    return path
