"""flow.png: two panels, drawn by `rrdtool graph`.

Above: the flow over time, the state as coloured bands behind it, the faults as
strips at the top; from what collectd's own rrdtool plugin stored. Below: four
days in fast time (days.py), the baseline and its band around the flow.

The colours are from the Okabe-Ito palette, which colour-blind readers can tell
apart; those that lie behind a line are mixed with white."""

import os
import struct
import subprocess
import zlib

import days

BANDS = (("Normal", "#A6DCCB"), ("Low", "#BBE1F6"), ("High", "#F9DD9F"),
         ("Anomalous", "#EFA08A"))
STRIPS = {"blockage": "#D55E00", "clogging": "#0072B2", "burst": "#7A5C00"}
LINE, BASELINE, REFERENCE = "#1A1A1A", "#5AA9DC", "#B0006A"
DAY_ONE = 946684800  # midnight in UTC: the axis counts days
FIELDS = ("flow", "baseline", "low", "high", "reference", "normal", "drift")


def rrdtool(*arguments):
    done = subprocess.run(("rrdtool",) + arguments, text=True,
                          capture_output=True, env=dict(os.environ, TZ="UTC0"))
    if done.returncode != 0:
        raise OSError("rrdtool %s: %s" % (arguments[0], done.stderr.strip()))


def graph(path, title, start, end, height, low, high, *arguments):
    rrdtool("graph", path, "--start", str(start), "--end", str(end),
            "--imgformat", "PNG", "--width", "860", "--height", str(height),
            "--title", title, "--vertical-label", "L/min", "--lower-limit",
            str(low), "--upper-limit", str(high), "--rigid", "--font",
            "DEFAULT:10:DejaVu Sans", "--color", "CANVAS#FFFFFF", "--color",
            "BACK#FFFFFF", "--color", "SHADEA#FFFFFF", "--color",
            "SHADEB#FFFFFF", "--disable-rrdtool-tag", *arguments)


# -- above: two minutes ------------------------------------------------------

def bands(rrd):
    args = []
    for i, (label, colour) in enumerate(BANDS):
        path = os.path.join(rrd, "edge_impulse-pump", "bool-%s.rrd" % label)
        if os.path.exists(path):
            args += ["DEF:b%d=%s:value:MAX" % (i, path),
                     "CDEF:band%d=b%d,0.5,GT,INF,UNKN,IF" % (i, i),
                     "AREA:band%d%s: %s  " % (i, colour, label)]
    return args


def strip(name, number, begin, end, at, text):
    """What was done to the loop, as a bar at the top of the panel."""
    bottom, top = at  # an expression needs a variable: the flow, dropped
    return ["CDEF:s%d=flow,POP,TIME,%d,GE,TIME,%d,LE,*,%g,UNKN,IF"
            % (number, begin, end, bottom),
            "CDEF:t%d=s%d,UN,UNKN,%g,IF" % (number, number, top - bottom),
            "LINE0:s%d" % number,
            "AREA:t%d%s:%s:STACK" % (number, STRIPS[name], text)]


def live_panel(path, rrd, start, end, faults):
    flow = os.path.join(rrd, "m4_rpc-pump", "flow-flow_rate.rrd")
    args = bands(rrd) + ["DEF:flow=%s:value:AVERAGE" % flow,
                         "LINE2:flow%s: flow\\l" % LINE,
                         "COMMENT:What was done to the loop (above)\\:"]
    for i, (name, begin, stop) in enumerate(faults):
        args += strip(name, i, begin, stop, (19.3, 20), " %s  " % name)
    args.append("COMMENT:\\l")
    graph(path, "Flow and its state", start, end, 280, 0, 20, *args)


# -- below: four days --------------------------------------------------------

def store(path, story):
    """The rows of days.Days in a file that rrdtool can draw from."""
    rrdtool("create", path, "--start", str(DAY_ONE), "--step",
            str(days.SHOW), "RRA:LAST:0:1:%d" % (days.LENGTH // days.SHOW),
            *("DS:%s:GAUGE:%d:U:U" % (f, 2 * days.SHOW) for f in FIELDS))
    updates = []
    for second, row in sorted(story.rows.items()):
        flows = [x for t, x in story.flows if second - days.SHOW < t <= second]
        learning = row.get("bool-learning", 1) > 0.5
        drift = row.get("bool-drift", 0) > 0.5
        values = [sum(flows) / len(flows)] + [
            row.get("gauge-" + n, float("nan"))
            for n in ("baseline", "band_low", "band_high", "reference")]
        values += [not learning and not drift, drift]
        updates.append("%d:%s" % (DAY_ONE + second, ":".join(
            "U" if x != x else "%g" % x for x in values)))
    rrdtool("update", path, *updates)


def days_panel(path, story, directory):
    rrd = os.path.join(directory, "days.rrd")
    store(rrd, story)
    args = ["DEF:%s=%s:%s:LAST" % (f, rrd, f) for f in FIELDS]
    args += ["CDEF:well=normal,0.5,GT,INF,UNKN,IF",
             "AREA:well%s: normal  " % BANDS[0][1],
             "CDEF:off=drift,0.5,GT,INF,UNKN,IF",
             "AREA:off%s: below its normal  " % BANDS[3][1]]
    args += strip("clogging", 9, DAY_ONE + days.CLOGS, DAY_ONE + days.CLEANED,
                  (10.63, 10.7), " clogging, %g %% a day\\l"
                  % (100 * days.RATE))
    args += ["CDEF:width=high,low,-", "LINE0:low",
             "AREA:width#00000026: band of the minutes  :STACK",
             "LINE4:baseline%s: its baseline  " % BASELINE,
             "LINE2:reference%s: reference of the days  :dashes=6,3"
             % REFERENCE, "LINE1:flow%s: flow\\l" % LINE]
    graph(path, "A filter clogs and is cleaned: four days in fast time",
          DAY_ONE, DAY_ONE + days.LENGTH, 200, 8.7, 10.7, "--x-grid",
          "HOUR:6:DAY:1:DAY:1:86400:day %-d", "--y-grid", "0.1:5",
          "--left-axis-format", "%4.1lf", *args)


# -- one picture of two ------------------------------------------------------

def chunks(path):
    """Header and rows of a PNG of 8 bits without interlacing."""
    with open(path, "rb") as png:
        data = png.read()
    at, header, body = 8, b"", b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        part = data[at + 8:at + 8 + size]
        header = part if kind == b"IHDR" else header
        body += part if kind == b"IDAT" else b""
        at += 12 + size
    return header, zlib.decompress(body)


def first_row(rows, pixel, size):
    """The first row without its filter: above it is nothing."""
    kind, row = rows[0], bytearray(rows[1:size])
    if kind == 2:  # up
        return row
    for i in range(pixel, len(row)):
        if kind in (1, 4):  # left; Paeth, where only left is there
            row[i] = (row[i] + row[i - pixel]) & 255
        elif kind == 3:  # average
            row[i] = (row[i] + row[i - pixel] // 2) & 255
    return row


def stack(path, above, below):
    """One PNG of two that are equally wide. Rows keep their filters but one:
    what is above it is another now."""
    (head, rows), (other, more) = chunks(above), chunks(below)
    width, height = struct.unpack(">II", head[:8])
    if head[:4] + head[8:] != other[:4] + other[8:]:
        raise OSError("rrdtool drew panels of two kinds")
    pixel = {0: 1, 2: 3, 4: 2, 6: 4}[head[9]]
    size = 1 + width * pixel
    more = b"\0" + bytes(first_row(more, pixel, size)) + more[size:]
    head = struct.pack(">II", width, (len(rows) + len(more)) // size) + \
        head[8:]
    with open(path, "wb") as png:
        png.write(b"\x89PNG\r\n\x1a\n")
        for kind, part in ((b"IHDR", head),
                           (b"IDAT", zlib.compress(rows + more, 9)),
                           (b"IEND", b"")):
            png.write(struct.pack(">I", len(part)) + kind + part +
                      struct.pack(">I", zlib.crc32(kind + part)))


def draw(directory, start, end, faults, story):
    """Draw directory/flow.png; its path. faults: (name, begin, end) of what
    was done to the loop; story: a days.Days."""
    path = os.path.join(directory, "flow.png")
    parts = [os.path.join(directory, n) for n in ("live.png", "days.png")]
    live_panel(parts[0], os.path.join(directory, "rrd", "testhost"), start,
               end, faults)
    days_panel(parts[1], story, directory)
    stack(path, *parts)
    return path
