"""m4sim keeps the promises that the other tests rest on.

Raw bytes both ways: neither the plugins' codec nor m4sim's own is trusted."""

import json
import os
import socket
import struct
import subprocess
import unittest

import weir

M4SIM = os.path.join(weir.BUILD, "bin", "m4sim")
SCENARIOS = os.path.join(weir.ROOT, "tests", "sim", "scenarios")
RESET = object()
LABEL = '{"label":"Normal"}'


def text(value, old=True):
    """A MessagePack string; `old`: of the specification before 2013."""
    data = value.encode()
    if len(data) < 32:
        return bytes([0xa0 | len(data)]) + data
    if old:
        return b"\xda" + struct.pack(">H", len(data)) + data
    return b"\xd9" + bytes([len(data)]) + data


def request(method, params=b"\x90", msgid=7):
    return b"\x94\x00\xce" + struct.pack(">I", msgid) + text(method) + params


def reply(result, msgid=7, error=b"\xc0"):
    head = b"\x94\x01" + (bytes([msgid]) if msgid < 128 else
                          b"\xce" + struct.pack(">I", msgid))
    return head + error + result


def flow(lpm):
    return b"\xca" + struct.pack(">f", lpm)


class Sim(weir.Case):

    FAST = ("--wait", "150", "--outage", "100", "--seed", "3")

    def setUp(self):
        super().setUp()
        self.sim = None

    def begin(self, *args):
        self.control = os.path.join(self.dir, "control")
        self.sim = self.m4sim("--control", self.control, *self.FAST, *args)
        return self.sim

    def connect(self):
        if self.sim.address.startswith("unix:"):
            peer = socket.socket(socket.AF_UNIX)
            peer.settimeout(weir.CEILING)
            peer.connect(self.sim.address[5:])
        else:
            host, _, port = self.sim.address.rpartition(":")
            peer = socket.create_connection((host, int(port)), weir.CEILING)
        self.addCleanup(peer.close)
        return peer

    @staticmethod
    def receive(peer, most=None):
        """Bytes until the end (RESET: a reset), or exactly `most`."""
        data = b""
        while most is None or len(data) < most:
            try:
                part = peer.recv(4096 if most is None else most - len(data))
            except ConnectionResetError:
                return RESET, data
            if not part:
                break
            data += part
        return data

    def call(self, data):
        peer = self.connect()
        peer.sendall(data)
        return self.receive(peer)

    def order(self, line):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(weir.CEILING)
            peer.connect(self.control)
            peer.sendall(line.encode() + b"\n")
            with peer.makefile() as lines:
                return lines.readline().strip()

    def events(self, name):
        return [r for r in weir.read_jsonl(self.sim.calls_path)
                if r.get("event") == name]

    def wait_up(self, crashes):
        weir.wait_until(lambda: len(self.events("up")) >= crashes,
                        "the proxy is back", alive=self.sim)


class ProxyTest(Sim):

    def test_reads_one_value_answers_and_closes(self):
        self.begin("--exact", "--flow", "10", "--step")
        self.assertEqual(self.call(request("flow_rate")), reply(flow(10)))
        self.assertEqual(self.call(request("version")),
                         reply(text("weir-flow m4sim")))
        self.assertEqual(self.call(request("flow_pulses")), reply(b"\x4b"))
        self.assertEqual(self.call(request("flow_stat")),
                         reply(b"\x93\x01" + flow(10) + b"\x01"))

    def test_msgid_comes_back(self):
        self.begin("--exact", "--flow", "10", "--step")
        for msgid in (0, 1, 127, 0x12345678, 0xfffffffe):
            self.assertTrue(self.call(request("version", msgid=msgid))
                            .startswith(reply(b"", msgid)))

    def test_silent_m4_is_an_end_without_a_byte(self):
        self.begin("--do", "mute on")
        self.assertEqual(self.call(request("flow_rate")), b"")
        self.assertEqual(len(self.events("timeout")), 1)
        self.assertEqual(self.order("mute off"), "ok")
        self.assertNotEqual(self.call(request("flow_rate")), b"")

    def test_what_crashes_the_proxy(self):
        long_text = text("x" * 40, old=False)
        deadly = [
            request("no_such_method"),
            request("flow_rate", b"\x91\x01"),
            request("classification", b"\x91" + long_text),
            request("flow_rate", b"\xc0"),
            request("classification", b"\x91\xc0"),
            request("classification", b"\x91\xd4\x01x"),
            b"\xc1", b"\x90", b"\x07", b"GET / HTTP/1.0\r\n\r\n",
            request("flow_rate")[:-5],
        ]
        self.begin("--start-limit", "31")
        for number, data in enumerate(deadly, 1):
            self.assertEqual(self.call(data), b"", data)
            try:
                self.call(request("flow_rate"))
            except ConnectionRefusedError:
                pass  # as a rule; on a slow machine it is back already
            self.wait_up(number)
            self.assertEqual(len(self.events("crash")), number, data)
            self.assertNotEqual(self.call(request("flow_rate")), b"")
        self.assertEqual(len(self.events("crash")), len(deadly))

    def test_too_many_crashes_keep_it_down(self):
        self.begin("--start-limit", "2")
        for number in (1, 2):
            self.call(b"\xc1")
            self.wait_up(number)
        self.call(b"\xc1")
        self.assertEqual(len(self.events("start-limit")), 1)
        with self.assertRaises(ConnectionRefusedError):
            self.call(request("flow_rate"))

    def test_long_string_from_the_m4_crashes_it(self):
        self.begin("--version-string", "v" * 32)
        self.assertEqual(self.call(request("version")), b"")
        self.assertEqual(len(self.events("crash")), 1)

    def test_bin8_is_garbled_and_nothing_comes(self):
        self.begin()
        self.assertEqual(
            self.call(request("classification", b"\x91\xc4\x01a")), b"")
        self.assertEqual(self.events("crash"), [])

    def test_request_over_251_bytes_is_dropped(self):
        self.begin()
        def send(length):
            # a msgid that no encoder makes shorter
            head = len(request("classification", b"\x91\xda..", 0x12345678))
            return self.call(request(
                "classification", b"\x91" + text(
                    LABEL + " " * (length - head - len(LABEL))), 0x12345678))
        self.assertEqual(send(251), reply(b"\0", 0x12345678))
        self.assertEqual(send(252), b"")
        self.assertEqual(len(self.events("dropped")), 1)

    def test_long_argument_arrives_with_a_wrong_length(self):
        self.begin("--packet-limit", "0")
        self.call(request("classification", b"\x91" + text("y" * 300)))
        self.assertEqual(self.sim.calls()[-1]["payload"], "y" * 44)

    def test_raw16_argument_arrives(self):
        self.begin()
        payload = json.dumps({"label": "Normal", "value": 9.87654321})
        self.assertGreater(len(payload), 31)
        self.assertEqual(self.call(
            request("classification", b"\x91" + text(payload))), reply(b"\0"))
        record = self.sim.calls("classification")[-1]
        self.assertEqual(record["payload"], payload)
        self.assertEqual(record["kind"], "call")

    def test_wrong_argument_kills_the_m4_until_it_restarts(self):
        for bad in (b"\x91\x05", b"\x91\xca\x41\x48\0\0", b"\x91\x80"):
            self.begin()
            self.assertEqual(self.call(request("classification", bad)), b"")
            self.assertEqual(self.call(request("flow_rate")), b"")
            self.assertEqual(self.order("restart m4"), "ok")
            self.assertNotEqual(self.call(request("version")), b"")
            self.sim.stop()

    def test_notification_ends_at_once_and_never_crashes(self):
        self.begin("--step")
        for name, params in (("classification", b"\x91" + text("{}")),
                             ("no_such_method", b"\x90"),
                             ("classification", b"\x90")):
            self.assertEqual(self.call(b"\x93\x02" + text(name) + params), b"")
        self.assertEqual(self.events("timeout"), [])
        self.assertEqual(self.events("crash"), [])
        weir.wait_until(lambda: self.events("exception"),
                        "the call without its argument stopped the M4",
                        alive=self.sim)
        records = [r for r in self.sim.calls() if "method" in r]
        self.assertEqual([(r["kind"], r["payload"]) for r in records],
                         [("notification", "{}")])

    def test_pipelined_requests_first_answered_then_reset(self):
        self.begin("--exact", "--flow", "10", "--step")
        got = self.call(request("flow_rate") + request("flow_rate", msgid=8))
        self.assertEqual(got, (RESET, reply(flow(10))))
        self.assertEqual(len(self.sim.calls("flow_rate")), 1)

    def test_connection_without_a_request_harms_nobody(self):
        self.begin()
        self.connect().close()
        self.assertNotEqual(self.call(request("flow_rate")), b"")


class ChannelTest(Sim):
    """One channel of replies for all callers, never matched to a request."""

    def test_late_reply_shifts_every_later_one(self):
        self.begin("--do", "late next 1 160")
        self.assertEqual(self.call(request("version", msgid=100)), b"")
        weir.wait_until(lambda: self.order("status") and
                        self.call(request("version", msgid=101)) ==
                        reply(text("weir-flow m4sim"), 100),
                        "the late reply is in the channel")
        for msgid in range(102, 110):
            self.assertEqual(self.call(request("version", msgid=msgid)),
                             reply(text("weir-flow m4sim"), msgid - 1))

    def test_five_elements_take_one_stale_reply_out(self):
        self.begin("--do", "stale 2 77")
        drain = b"\x95\x00\x01\xa1x\x90\x00"
        for _ in range(2):
            self.assertTrue(self.call(drain).endswith(flow(77)))
        self.assertEqual(self.call(drain), b"")
        self.assertTrue(self.call(request("version", msgid=9))
                        .startswith(reply(b"", 9)))

    def test_crash_empties_the_channel(self):
        self.begin("--do", "stale 3", "--do", "crash")
        self.wait_up(1)
        self.assertTrue(self.call(request("version", msgid=9))
                        .startswith(reply(b"", 9)))

    def test_concurrent_callers_may_get_each_others_reply(self):
        self.begin("--do", "cross 1", "--delay", "50")
        crossed = 0
        for _ in range(30):
            peers = [self.connect() for _ in range(4)]
            for msgid, peer in enumerate(peers):
                peer.sendall(request("version", msgid=msgid))
            got = [self.receive(peer)[2] for peer in peers]
            self.assertEqual(sorted(got), [0, 1, 2, 3])
            crossed += got != [0, 1, 2, 3]
            if crossed:
                break
        self.assertTrue(crossed)

    def test_late_at_random_is_seeded(self):
        marks = []
        for _ in range(2):
            self.begin("--do", "late 0.5 10", "--step")
            for msgid in range(20):
                self.call(request("flow_rate", msgid=msgid))
            marks.append(len(self.events("late")))
            self.sim.stop()
            os.unlink(self.sim.calls_path)
        self.assertEqual(marks[0], marks[1])
        self.assertGreater(marks[0], 0)


class QuirkTest(Sim):

    def test_split_reply_arrives_whole(self):
        self.begin("--do", "split on", "--exact", "--flow", "10", "--step")
        self.assertEqual(self.call(request("flow_rate")), reply(flow(10)))

    def test_garbage(self):
        self.begin("--do", "garbage next 1 c1ff00")
        self.assertEqual(self.call(request("flow_rate")), b"\xc1\xff\x00")
        self.assertNotEqual(self.call(request("flow_rate")), b"\xc1\xff\x00")

    def test_order_before_the_nth_call(self):
        self.begin("--at", "3:restart proxy", "--step")
        self.assertNotEqual(self.call(request("flow_rate")), b"")
        self.assertNotEqual(self.call(request("flow_rate")), b"")
        self.assertEqual(self.call(request("flow_rate")), b"")
        self.wait_up(1)
        self.assertNotEqual(self.call(request("flow_rate")), b"")

    def test_m4_restart_resets_seq_pulses_and_uptime(self):
        self.begin("--exact", "--flow", "10", "--step=flow_stat")
        for seq in (1, 2, 3):
            self.assertEqual(self.call(request("flow_stat")), reply(
                b"\x93" + bytes([seq]) + flow(10) + bytes([seq])))
        self.assertEqual(self.order("restart m4"), "ok")
        self.assertEqual(self.call(request("flow_pulses")), reply(b"\0"))
        self.assertEqual(self.call(request("flow_stat")),
                         reply(b"\x93\x01" + flow(10) + b"\x01"))

    def test_no_reading_is_made_up_before_the_first_gate(self):
        self.begin("--exact", "--flow", "10")
        self.order("restart m4")
        got = self.call(request("flow_rate"))
        value = struct.unpack(">f", got[-4:])[0]
        # NaN until the gate of the new start has passed
        self.assertTrue(value != value or value == 10)

    def test_error_from_the_m4(self):
        self.begin("--do", "error 1")
        self.assertEqual(self.call(request("flow_rate")),
                         reply(b"\xc0", error=text("bad sensor")))
        self.assertNotIn(b"bad sensor", self.call(request("flow_rate")))

    def test_orders_are_checked(self):
        self.begin()
        for line in ("late 2", "mute maybe", "jump", "", "garbage next 1 zz",
                     "restart", "event flood 3"):
            self.assertTrue(self.order(line).startswith("error: "), line)
        self.assertEqual(self.order("event blockage 2"), "ok")
        self.assertEqual(json.loads(self.order("status"))["crashes"], 0)


class ClockTest(Sim):

    def step(self, count):
        got = []
        for msgid in range(count):
            data = self.call(request("flow_rate", msgid=msgid))
            got.append(struct.unpack(">f", data[-4:])[0] if data else None)
        return got

    def test_replay_is_exact_and_then_silent(self):
        path = os.path.join(self.dir, "pulses.csv")
        pulses = [75, 76, 74, 0, 0, 75, 150]
        with open(path, "w") as out:
            out.writelines("%d\n" % p for p in pulses)
        self.begin("--replay", path, "--step")
        got = self.step(len(pulses) + 1)
        self.assertIsNone(got.pop())
        self.assertEqual([round(v * 7.5) for v in got], pulses)
        records = self.sim.calls("flow_rate")
        self.assertEqual([r["second"] for r in records], list(range(7)))
        self.assertEqual([r["pulses"] for r in records], pulses)
        # the label of the last window can still be reported
        self.assertEqual(self.call(
            request("classification", b"\x91" + text(LABEL))), reply(b"\0"))

    def test_ends_on_request(self):
        path = os.path.join(self.dir, "pulses.csv")
        with open(path, "w") as out:
            out.write("75\n75\n")
        self.begin("--replay", path, "--step", "--at-end", "exit")
        self.assertEqual(self.step(2), [10, 10])
        self.call(request("flow_rate"))
        self.assertEqual(self.sim.wait_exit(), 0)

    def test_truth_is_recorded(self):
        self.begin("--scenario", os.path.join(SCENARIOS, "demo.scenario"),
                   "--step")
        got = self.step(62)
        records = self.sim.calls("flow_rate")
        self.assertEqual(len(records), 62)
        for value, record in zip(got, records):
            self.assertAlmostEqual(value, record["value"], 4)
        truth = [r["truth"] for r in records]
        self.assertEqual([truth[s] for s in (0, 12, 15, 20, 25, 40, 60)],
                         ["steady", "blockage", "blockage", "steady", "leak",
                          "pump_stop", "steady"])
        for record in records:
            if record["truth"] in ("blockage", "leak", "pump_stop"):
                self.assertEqual(record["expect"], "Anomalous")

    def test_real_time_moves_by_itself(self):
        self.begin("--exact", "--flow", "10")
        def seq():
            return self.call(request("flow_stat"))[5]
        first = seq()
        weir.wait_until(lambda: seq() > first, "the M4's gate passes")

    def test_held_clock_starts_with_the_first_call(self):
        self.begin("--hold")
        self.assertEqual(json.loads(self.order("status"))["second"], -1)
        self.call(request("flow_rate"))
        self.assertEqual(self.sim.calls("flow_rate")[0]["second"], 0)

    def test_note_firmware_reads_zero_when_polled_fast(self):
        self.begin("--firmware", "note", "--exact", "--flow", "10")
        self.call(request("flow_rate"))
        # the library resets its count at every read and divides by 0 s
        self.assertIn(reply(flow(0)),
                      [self.call(request("flow_rate")) for _ in range(5)])
        self.assertEqual(self.call(
            request("classification", b"\x91" + text("{}"))), b"")
        self.assertEqual(len(self.events("crash")), 1)


class IdealTest(Sim):

    def test_connection_stays_and_requests_are_pipelined(self):
        self.begin("--ideal", "--exact", "--flow", "10", "--step")
        peer = self.connect()
        want = b"".join(reply(flow(10), i) for i in range(50))
        peer.sendall(b"".join(request("flow_rate", msgid=i)
                              for i in range(50)))
        self.assertEqual(self.receive(peer, len(want)), want)

    def test_request_in_pieces(self):
        self.begin("--ideal", "--exact", "--flow", "10", "--step")
        peer = self.connect()
        for byte in request("flow_rate"):
            peer.sendall(bytes([byte]))
        want = reply(flow(10))
        self.assertEqual(self.receive(peer, len(want)), want)

    def test_replies_out_of_order_all_arrive(self):
        self.begin("--ideal", "--shuffle", "30")
        peer = self.connect()
        peer.sendall(b"".join(request("flow_pulses", msgid=i)
                              for i in range(20)))
        size = len(self.call_one("flow_pulses"))
        got = self.receive(peer, 20 * size)
        ids = [got[i + 2] for i in range(0, len(got), size)]
        self.assertEqual(sorted(ids), list(range(20)))
        self.assertNotEqual(ids, list(range(20)))

    def call_one(self, method):
        peer = self.connect()
        peer.sendall(request(method))
        return self.receive(peer, len(reply(b"\x4b")))

    def test_malformed_request_gets_no_answer(self):
        self.begin("--ideal")
        peer = self.connect()
        peer.sendall(request("version", b"\xc0") + request("version"))
        want = reply(text("weir-flow m4sim"))
        self.assertEqual(self.receive(peer, len(want)), want)

    def test_styles_of_errors(self):
        long_text = ("rpclib: server could not find function 'nope' with "
                     "argument count 0.")
        as_text = text(long_text, old=False)
        for style, error in (
                ("string", as_text), ("array", b"\x92\x02" + as_text),
                ("map", b"\x82\xa4code\x02\xa7message" + as_text)):
            self.begin("--ideal", "--error-style", style)
            peer = self.connect()
            peer.sendall(request("nope"))
            want = reply(b"\xc0", error=error)
            self.assertEqual(self.receive(peer, len(want)), want)
            self.sim.stop()

    def test_unix_socket_and_router_methods(self):
        path = os.path.join(self.dir, "router.sock")
        self.begin("--ideal", "--listen", "unix:" + path)
        self.assertEqual(self.sim.address, "unix:" + path)
        peer = self.connect()
        peer.sendall(request("$/register", b"\x91" + text("x")))
        want = reply(b"\xc3")
        self.assertEqual(self.receive(peer, len(want)), want)
        self.sim.stop()
        self.assertFalse(os.path.exists(path))

    def test_rubbish_closes_only_its_connection(self):
        self.begin("--ideal")
        other = self.connect()
        self.assertEqual(self.call(b"\xc1"), b"")
        other.sendall(request("version"))
        want = reply(text("weir-flow m4sim"))
        self.assertEqual(self.receive(other, len(want)), want)


class CommandLineTest(weir.Case):

    def run_sim(self, *args):
        return subprocess.run([M4SIM, *args], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, cwd=self.dir,
                              timeout=weir.CEILING)

    def test_bad_input_is_one_sentence(self):
        with open(os.path.join(self.dir, "bad.scenario"), "w") as out:
            out.write("0 flow 10\n5 flood 3\n")
        for args, status, says in (
                (("--flow", "x"), 2, "--flow x: give a number"),
                (("--port", "70000"), 2, "a number from 0 to 65535"),
                (("--listen", "here"), 1, "give HOST:PORT"),
                (("--at-end", "stop"), 2, "give mute or hold or exit"),
                (("--at", "crash"), 2, "give N:ORDER"),
                (("--do", "jump"), 1, "no such order"),
                (("extra",), 2, "what is 'extra'?"),
                (("--flow", "1", "--replay", "x"), 2, "give one of"),
                (("--scenario", "absent"), 1, "absent: No such file"),
                (("--scenario", "bad.scenario"), 1,
                 "bad.scenario:2: 'flood' is no event"),
                (("--record", "/nowhere/x"), 1, "--record /nowhere/x: No such")
        ):
            done = self.run_sim(*args)
            self.assertEqual(done.returncode, status, args)
            self.assertIn(says, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_busy_port(self):
        first = self.m4sim()
        done = self.run_sim("--listen", first.address)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Address already in use; another program listens there",
                      done.stderr)

    def test_help_names_every_option(self):
        done = self.run_sim("--help")
        self.assertEqual(done.returncode, 0)
        for option in ("--listen", "--scenario", "--step", "--ideal", "--at",
                       "--seconds", "--record", "--control"):
            self.assertIn(option, done.stdout)

    def test_ends_by_itself_and_on_signals(self):
        self.assertEqual(self.run_sim("--seconds", "0.1").returncode, 0)
        sim = self.m4sim("--port-file", "port")
        with open(os.path.join(self.dir, "port")) as port:
            self.assertEqual(sim.address.rpartition(":")[2],
                             port.read().strip())
        self.assertEqual(sim.stop(), 0)


if __name__ == "__main__":
    unittest.main()
