"""weir-doctor m4: each way to break the path, one verdict for each."""

import ctypes
import fcntl
import os
import socket
import ssl
import struct
import unittest

import weir
from doctorcase import (Case, closed_port, doctor, message, reply, reset, rpc,
                        steps, text)

F10 = b"\xca" + struct.pack(">f", 10.0)
NIL = b"\xc0"
UNSET = {"M4_PROXY_HOST": "", "M4_PROXY_PORT": ""}


def proxy(result, error=NIL):
    """As an m4-proxy in front of an M4 that gives this result."""
    def serve(peer, conn):
        data = peer.hear(conn)
        if data is not None and data[1] == 0 and data[0] == 0x94:
            conn.sendall(reply(message(data)[1], result, error))
        conn.close()
    return serve


def closing(peer, conn):
    peer.hear(conn)
    conn.close()


def waiting(peer, conn):
    while peer.hear(conn) is not None:
        pass


class WhoTest(Case):
    """Somebody else, or nobody, at the address."""

    def test_name_unknown(self):
        said = self.expect("name-unknown", "m4", "pump.invalid")
        self.assertIn("/etc/hosts", said["remedy"])

    def test_no_route(self):
        self.alone("no-route", "m4", "192.0.2.1")

    def test_name_server_silent(self):
        self.alone("name-silent", "m4", "pump.example.com")

    def test_proxy_refused(self):
        said = self.expect("proxy-refused", "m4",
                           "127.0.0.1:%d" % closed_port())
        self.assertIn("reset-failed", said["remedy"])

    def test_packets_dropped(self):
        """A filter on the listening socket throws every packet away."""
        peer = self.peer(None, accept=False)
        self.drop_all(peer.socket)
        self.expect("packets-dropped", "m4", peer.address)

    @staticmethod
    def drop_all(sock):
        code = struct.pack("HBBI", 0x06, 0, 0, 0)  # BPF: return 0 bytes
        keep = ctypes.create_string_buffer(code, len(code))
        sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack(  # ATTACH_FILTER
            "HxxxxxxP" if struct.calcsize("P") == 8 else "HxxP", 1,
            ctypes.addressof(keep)))

    def test_backlog_full(self):
        peer = self.peer(None, accept=False, backlog=0)
        address = peer.socket.getsockname()
        for _ in range(3):
            s = socket.socket()
            self.addCleanup(s.close)
            s.setblocking(False)
            s.connect_ex(address)
        self.expect("backlog-full", "m4", peer.address)

    def test_half_open(self):
        peer = self.peer(None, accept=False)
        self.expect("half-open", "m4", peer.address)

    def test_peer_hangs(self):
        self.expect("peer-hangs", "m4", self.peer(waiting).address)

    def test_web_server_that_waits(self):
        """It wants a whole line before it says a word."""
        def serve(peer, conn):
            got = b""
            while b"\r\n\r\n" not in got:
                got += peer.hear(conn) or b"\r\n\r\n"
            conn.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            conn.close()
        said = self.expect("web-server", "m4", self.peer(serve).address)
        self.assertIn("port", said["remedy"])

    def test_web_server_that_answers_at_once(self):
        def serve(peer, conn):
            peer.hear(conn)
            conn.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n<html>\x1b[2J")
            conn.close()
        self.expect("web-server", "m4", self.peer(serve).address)

    def test_tls_server(self):
        cert, key = weir.Authority(self.dir).issue()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)

        def serve(peer, conn):
            with context.wrap_socket(conn, server_side=True) as tls:
                tls.recv(1)
        self.expect("tls-server", "m4", self.peer(serve).address)

    def test_other_service(self):
        def serve(peer, conn):
            conn.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            peer.hear(conn)
        said = self.expect("other-service", "m4", self.peer(serve).address)
        self.assertIn("SSH-2.0", steps(said))

    def test_accepts_and_closes(self):
        peer = self.peer(closing)
        said = self.expect("accepts-closes", "m4", peer.address)
        self.assertIn("tunnel", said["remedy"])

    def test_accepts_and_resets(self):
        def serve(peer, conn):
            peer.hear(conn)
            reset(conn)
        self.expect("accepts-resets", "m4", self.peer(serve).address)

    def test_server_that_keeps_its_connections(self):
        peer = self.peer(rpc({"flow_rate": (NIL, F10),
                              "weir_doctor": (text("?"), NIL)}))
        said = self.expect("keeps-open", "m4", peer.address)
        self.assertIn("persistent", said["remedy"])

    def test_proxy_locked(self):
        m4 = self.m4sim()
        path = "/run/lock" if os.access("/run/lock", os.W_OK) else "/tmp"
        self.expect("m4-plausible", "m4", m4.address)
        name = [n for n in os.listdir(path)
                if n.endswith("%s.lock" % m4.address.rpartition(":")[2])]
        with open(os.path.join(path, name[0])) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            said = self.expect("proxy-locked", "m4", m4.address)
        self.assertIn(name[0], steps(said))

    def test_proxy_went_away(self):
        def serve(peer, conn):
            peer.hear(conn)
            peer.socket.shutdown(socket.SHUT_RDWR)
            peer.socket.close()
            conn.close()
        self.expect("proxy-went-away", "m4", self.peer(serve).address)

    def test_address_is_a_url(self):
        status, said = doctor("--json", "m4", "http://127.0.0.1:5001")
        self.assertEqual(status, 2)
        self.assertIn("is a URL: give host:port", said["verdict"])

    def test_empty_environment_means_unset(self):
        status, said = doctor("--json", "m4", "--root", self.dir, env=UNSET)
        self.assertIn("m4proxy:5001", steps(said))

    def configured(self, text):
        path = os.path.join(self.dir, "etc", "collectd", "collectd.conf")
        os.makedirs(os.path.dirname(path))
        with open(path, "w") as out:
            out.write(text)

    def test_asks_where_the_agent_asks(self):
        """The drop-in has another address than the plugin's default."""
        m4 = self.m4sim()
        self.configured("<Plugin other>\n  <M4 \"no\">\n  </M4>\n</Plugin>\n" +
                        weir.m4_block(m4.address))
        status, said = doctor("--json", "m4", "--root", self.dir, env=UNSET)
        self.assertEqual((status, said["name"]), (0, "m4-plausible"), said)
        self.assertIn("%s, of %s/etc/collectd/collectd.conf" % (
            m4.address, self.dir), steps(said))

    def test_the_mode_of_the_agent_too(self):
        m4 = self.m4sim("--ideal")
        self.configured(weir.m4_block(m4.address, extra='Mode "persistent"'))
        status, said = doctor("--json", "m4", "--root", self.dir, env=UNSET)
        self.assertEqual((status, said["name"]), (0, "m4-plausible"), said)

    def test_environment_and_argument_come_first(self):
        m4 = self.m4sim()
        host, _, port = m4.address.rpartition(":")
        self.configured(weir.m4_block("127.0.0.1:%d" % closed_port()))
        for args, env in ((["m4", m4.address], UNSET),
                          (["m4"], {"M4_PROXY_HOST": host,
                                    "M4_PROXY_PORT": port})):
            status, said = doctor("--json", *args, "--root", self.dir,
                                  env=env)
            self.assertEqual((status, said["name"]), (0, "m4-plausible"))


class CallTest(Case):
    """An m4-proxy, and something wrong behind it."""

    def test_method_that_kills_the_proxy(self):
        m4 = self.m4sim("--firmware", "note")
        said = self.expect("proxy-crashes", "m4", m4.address, "--method",
                           "flow_stat")
        for words in ("not bound", "takes arguments", "32 bytes"):
            self.assertIn(words, said["remedy"])

    def test_long_text_kills_the_proxy(self):
        m4 = self.m4sim("--version-string", "v" * 32)
        self.expect("proxy-crashes", "m4", m4.address, "--method", "version")

    def test_report_is_not_called(self):
        """Without its argument it would kill the proxy."""
        m4 = self.m4sim()
        self.expect("wrong-arity", "m4", m4.address, "--method",
                    "classification")
        self.assertEqual([r for r in weir.read_jsonl(m4.calls_path)
                          if r.get("event") == "crash"], [])

    def test_silent_m4(self):
        said = self.expect("m4-silent", "m4",
                           self.m4sim("--do", "mute on").address)
        self.assertIn("RPC.begin()", said["remedy"])
        self.assertIn("x8h7_firmware", said["remedy"])

    def test_late_answer_is_not_left_behind(self):
        m4 = self.m4sim("--delay", "1200")
        said = self.expect("m4-slow", "m4", m4.address)
        self.assertIn("when the proxy had given up", steps(said))
        with socket.create_connection(m4.address.split(":"), 10) as s:
            s.sendall(b"\x95\x00\x07\xa1x\x90\x00")  # as a drain
            self.assertEqual(s.recv(100), b"")

    def test_stale_replies(self):
        m4 = self.m4sim("--do", "stale 3")
        said = self.expect("stale-replies", "m4", m4.address)
        self.assertIn("3 replies to earlier calls", steps(said))
        self.expect("m4-plausible", "m4", m4.address)

    def test_drain_takes_them_out(self):
        m4 = self.m4sim("--do", "stale 3")
        said = self.expect("m4-plausible", "m4", m4.address, "--drain")
        self.assertIn("3 stale replies taken out", steps(said))

    def test_answer_that_is_none(self):
        def serve(peer, conn):
            data = peer.hear(conn)
            if data and data[1] == 0:
                conn.sendall(b"\x94\xc1\x00")
            conn.close()
        self.expect("not-rpc", "m4", self.peer(serve).address)

    def test_name_that_is_too_long(self):
        self.expect("request-too-long", "m4", self.m4sim().address,
                    "--method", "m" * 256)


class PersistentTest(Case):
    """A socket, a router, a server that tells its errors."""

    def socket_path(self, name="router.sock"):
        return os.path.join(self.dir, name)

    def persistent(self, name, answers, method="flow_rate"):
        peer = self.peer(rpc(answers), path=self.socket_path())
        return self.expect(name, "m4", peer.address, "--method", method)

    def test_socket_missing(self):
        said = self.expect("socket-missing", "m4", "unix:/nowhere/r.sock")
        self.assertIn("arduino-router", said["remedy"])

    def test_socket_dead(self):
        peer = self.peer(None, path=self.socket_path(), accept=False)
        peer.socket.close()
        self.expect("socket-dead", "m4", peer.address)

    def test_socket_forbidden(self):
        with self.folder_for_all() as folder:
            path = os.path.join(folder, "s")
            peer = self.peer(waiting, path=path)
            os.chmod(path, 0)
            self.as_nobody("socket-forbidden", folder, "m4", peer.address)

    def test_socket_is_a_file(self):
        open(self.socket_path("plain"), "w").close()
        for path in ("plain", ""):
            self.expect("socket-is-file", "m4",
                        "unix:" + self.socket_path(path))

    def test_socket_of_another_kind(self):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
            path = self.socket_path("kind%d" % kind)
            with socket.socket(socket.AF_UNIX, kind) as other:
                other.bind(path)
                self.expect("socket-kind", "m4", "unix:" + path)

    def test_router_down_is_a_dead_or_missing_socket(self):
        self.expect("socket-missing", "m4", "unix:" + self.socket_path("r"))

    def test_router_silent(self):
        peer = self.peer(waiting, path=self.socket_path())
        self.expect("router-silent", "m4", peer.address)

    def test_mcu_silent(self):
        said = self.persistent("mcu-silent", {
            "flow_rate": None, "$/version": (NIL, text("0.9"))})
        self.assertIn("Bridge.begin()", said["remedy"])

    def test_method_unregistered(self):
        said = self.persistent("method-unregistered", {"flow_rate": (
            b"\x92\x02" + text("method flow_rate not available"), NIL)})
        self.assertIn("Bridge.provide", said["remedy"])

    def test_method_unbound(self):
        self.persistent("method-unbound", {"flow_rate": (text(
            "rpclib: server could not find function 'flow_rate' with "
            "argument count 0."), NIL)})

    def test_method_unbound_at_the_mcu(self):
        self.persistent("method-unbound", {"flow_rate": (
            b"\x92\xcc\xfe" + text("nothing of that name"), NIL)})

    def test_wrong_arity(self):
        self.persistent("wrong-arity", {"flow_rate": (text(
            "rpclib: Function 'flow_rate' was called with an invalid number "
            "of arguments. Expected: 0, got: 1"), NIL)})

    def test_sketch_answers_an_error(self):
        said = self.persistent("sketch-error", {"flow_rate": (
            text("bad sensor \x1b[31m"), NIL)})
        self.assertIn("bad sensor ?[31m", steps(said))

    def test_long_text(self):
        self.persistent("text-too-long",
                        {"version": (NIL, text("v" * 32))}, "version")

    def test_text_of_31_bytes_is_fine(self):
        self.persistent("m4-answers",
                        {"version": (NIL, text("v" * 31))}, "version")

    def test_m4_proxy_taken_for_a_persistent_server(self):
        m4 = self.m4sim("--do", "mute on")
        self.expect("closed-early", "m4", m4.address, "--persistent")

    def test_healthy(self):
        self.m4sim("--ideal", "--flow", "12", "--listen",
                   "unix:" + self.socket_path())
        self.expect("m4-plausible", "m4", "unix:" + self.socket_path())


class ValueTest(Case):
    def value(self, name, result, *args):
        return self.expect(name, "m4", self.peer(proxy(result)).address, *args)

    def test_plausible(self):
        self.expect("m4-plausible", "m4", self.m4sim("--flow", "10").address)

    def test_implausible(self):
        self.expect("values-implausible", "m4",
                    self.m4sim("--flow", "90").address)

    def test_negative(self):
        self.value("values-implausible", b"\xca" + struct.pack(">f", -1.0))

    def test_infinite(self):
        for value in ("inf", "-inf"):
            self.value("value-infinite", b"\xca" + struct.pack(
                ">f", float(value)))

    def test_nan_for_good(self):
        self.value("value-nan", b"\xca" + struct.pack(">f", float("nan")))

    def test_nan_in_the_first_second_is_no_fault(self):
        calls = []

        def serve(peer, conn):
            data = peer.hear(conn)
            if data and data[1] == 0:
                calls.append(1)
                conn.sendall(reply(message(data)[1], F10 if len(calls) > 1
                             else b"\xca" + struct.pack(">f", float("nan"))))
            conn.close()
        self.expect("m4-plausible", "m4", self.peer(serve).address)

    def test_no_number(self):
        self.value("value-no-number", b"\xc0")
        self.value("value-no-number", text("ten"), "--type", "flow")

    def test_pulses_are_no_flow(self):
        """3 million pulses are no implausible flow."""
        self.value("m4-answers", b"\xce\x00\x30\x00\x00", "--method",
                   "flow_pulses")

    def test_flow_sensor_library(self):
        said = self.expect("flow-sensor-library", "m4", self.m4sim(
            "--firmware", "note", "--flow", "10").address)
        self.assertIn("Compensate true", said["remedy"])

    def test_no_flow_is_healthy_but_explained(self):
        said = self.expect("flow-zero", "m4",
                           self.m4sim("--flow", "0").address)
        self.assertIn("PC_7", said["remedy"])

    def test_proxy_that_restarts_is_waited_for(self):
        self.expect("m4-plausible", "m4",
                    self.m4sim("--do", "restart proxy 1000").address)


if __name__ == "__main__":
    unittest.main()
