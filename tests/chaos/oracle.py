"""What must hold after an hour of faults, and what is said when it does not.

The bounds are those of the man pages:
  SAFE_S     "values are stored at most twice a second", after three quarters of
             one: an older one survives a SIGKILL (collectd-arduino_cloud); the
             disk may take its time for it, which is measured beside
  LABEL_S    after every fault the current states are sent again within 5 s of
             its end when it lasted up to ten minutes; a window is filled anew
             in 30 s; an M4 with a crashed proxy is asked again within 30 s
  REST_S     more, where the log says that a method rests: "for one minute if it
             has answered before" (collectd-m4_rpc)
  CLOCK_S    "is put right to within 2.5 s" (collectd-arduino_cloud)
  ORDER_S    "of values that arrive within a second the time stamps tell the
             order" (collectd-arduino_cloud), and that is after collectd's queue
  LIVE_S     "a live value that had to wait for more than 10 seconds" goes with
             its stamp; a request may take Timeout (3 s), or lie in a stalled
             cloud as long as a fault lasts (30 s)"""

import bisect

SAFE_S = 1.5
CLOCK_S = 2.5
ORDER_S = 2.0
LABEL_S = 65.0
REST_S = 60.0
LIVE_S = 45.0


class Faults(list):
    def need(self, holds, text, *args):
        if not holds:
            self.append(text % args)


def sent_values(feed, kills):
    """Numbers of the feed that have to arrive, and all that may.

    feed: [(number, stamp, put)], put is when collectd said yes, None: it did
    not. kills: [(when it was killed, what the disk took for a file then, the
    last number that had left collectd's own queue)]: what collectd took right
    before may be lost, and what was in that queue, where another plugin can
    hold it up (write_graphite connects in there)."""
    must = {n for n, _, put in feed
            if put is not None and not any(
                put <= kill and (kill - put < SAFE_S + 2 * disk or n >= last)
                for kill, disk, last in kills)}
    return must, {n: stamp for n, stamp, _ in feed}


def leeway(put, turns):
    """How far a stamp may be off, in s. The clock is put right by that of the
    cloud; at the very moment that it is set nobody can tell by which clock a
    value was stamped."""
    if put is None or any(abs(put - turn) < 1.5 for turn in turns):
        return float("inf")
    return CLOCK_S if any(0 < put - turn < 60 for turn in turns) else 0.002


def check_feed(faults, feed, kills, turns, record, seconds):
    """turns: when the wall clock was set; record: what the cloud took of the
    feed, in its order; seconds: from a time stamp of the cloud to seconds."""
    must, stamps = sent_values(feed, kills)
    puts = {n: put for n, _, put in feed}
    got = [int(v["value"]) for v in record]
    lost = sorted(must - set(got))
    faults.need(not lost, "%d of %d values never arrived: %s", len(lost),
                len(must), lost[:10])
    invented = sorted(set(got) - set(stamps))
    faults.need(not invented, "values that nobody sent: %s", invented[:10])
    first, last, newest = set(), 0, 0
    for v in record:
        n = int(v["value"])
        if v["endpoint"] != "publish_batch" or n in first:
            continue
        first.add(n)
        stamp = seconds(v["timestamp"])
        faults.need(n > last or stamp > newest and puts.get(n) and
                    puts.get(last) and puts[last] - puts[n] < ORDER_S,
                    "number %d came after %d", n, last)
        last, newest = max(last, n), stamp
        off = abs(stamp - stamps.get(n, 0))
        faults.need(off < leeway(puts.get(n), turns),
                    "number %d has a stamp %g s off", n, off)
    return len(must), len(got) - len(set(got))


def check_readings(faults, calls, readings, steps, turns):
    """Each reading was measured, at its time by one of the clocks there were;
    one without a stamp is of the last seconds.

    calls: [(time, value)] of the M4; readings: [(arrival, stamp or None,
    value)] of the cloud; steps: what the wall clock was wrong by, in s; turns:
    when it was set, by one that never was."""
    times = [t for t, _ in calls]

    def measured(begin, end, value):
        first = bisect.bisect_left(times, begin)
        last = bisect.bisect_right(times, end)
        return any(abs(v - value) < 1e-3 for _, v in calls[first:last])

    def at_its_time(at, value):
        off = CLOCK_S if any(-5 < at - turn < 60 for turn in turns) else 0.1
        return measured(at - off, at + 3 + off, value)

    for arrival, stamp, value in readings:
        if stamp is None:
            true = measured(arrival - LIVE_S, arrival, value)
        else:
            true = any(at_its_time(stamp - step, value) for step in steps)
        faults.need(true, "a reading of %g at %.3f that the M4 never gave",
                    value, stamp or arrival)
    return len(readings)


def check_resources(faults, before, after):
    """Of the same process, idle and healed both times."""
    for name in sorted(before):
        faults.need(after[name] <= before[name] + SLACK[name],
                    "%s: %d, %d before the faults", name, after[name],
                    before[name])


# Connections come and go; a child may be started at this very moment.
SLACK = {"descriptors": 6, "threads": 1, "children": 1}
