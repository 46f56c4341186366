"""Simulated boards for fleet.py: 36 values a second each.

udp: packets of collectd's binary protocol, plain or encrypted as the network
plugin does it (AES-256-OFB, SHA-1, by way of libgcrypt). http: a /metrics page
per board, as write_prometheus serves it.

    fleet_load.py udp PORT[,PORT...] BOARDS SECONDS [USER PASSWORD]
    fleet_load.py http BOARDS

udp prints `sent N` (values) and ends; http prints `listening on PORT` and
serves until its input ends."""

import asyncio
import ctypes
import hashlib
import os
import socket
import struct
import sys
import time

SERIES = 36
# What one board has, in the proportion of a real one.
NAMES = ([("m4_rpc", "flow", "flow_rate"), ("m4_rpc", "bool", "up"),
          ("m4_rpc", "response_time", "flow_rate")] +
         [("edge_impulse", kind, label) for kind in ("percent", "bool")
          for label in ("Normal", "Low", "High", "Anomalous")] +
         [("edge_impulse", "gauge", "g%d" % i) for i in range(13)] +
         [("write_arduino_cloud", "gauge", "g%d" % i) for i in range(12)])
assert len(NAMES) == SERIES
PER_PACKET = 18  # 36 do not fit into 1 452 bytes


def text_part(kind, text):
    data = text.encode() + b"\0"
    return struct.pack(">HH", kind, 4 + len(data)) + data


def packet(host, names):
    """(bytes, offset of the time, offsets of the values)."""
    out = bytearray(text_part(0, host))
    clock = len(out) + 4
    out += struct.pack(">HHQ", 8, 12, 0)
    out += struct.pack(">HHQ", 9, 12, 1 << 30)  # an interval of 1 s
    offsets, before = [], None
    for plugin, kind, instance in names:
        if plugin != before:
            out += text_part(2, plugin) + text_part(3, "pump")
            before = plugin
        out += text_part(4, kind) + text_part(5, instance)
        out += struct.pack(">HHHB", 6, 15, 1, 1)
        offsets.append(len(out))
        out += b"\0" * 8
    return out, clock, offsets


class Cipher:
    """An encrypted part of collectd's network protocol."""

    AES256, OFB, QUICK_RANDOM = 9, 5, 1

    def __init__(self, user, password):
        self.gcrypt = ctypes.CDLL("libgcrypt.so.20")
        self.gcrypt.gcry_check_version(None)
        self.handle = ctypes.c_void_p()
        self.check(self.gcrypt.gcry_cipher_open(
            ctypes.byref(self.handle), self.AES256, self.OFB, 0))
        key = hashlib.sha256(password.encode()).digest()
        self.check(self.gcrypt.gcry_cipher_setkey(self.handle, key,
                                                  ctypes.c_size_t(len(key))))
        self.user = user.encode()

    @staticmethod
    def check(status):
        if status:
            raise OSError("libgcrypt: %d" % status)

    def seal(self, data):
        vector = os.urandom(16)
        text = hashlib.sha1(data).digest() + bytes(data)
        buffer = ctypes.create_string_buffer(text, len(text))
        size = ctypes.c_size_t(len(text))
        self.check(self.gcrypt.gcry_cipher_setiv(
            self.handle, vector, ctypes.c_size_t(16)))
        self.check(self.gcrypt.gcry_cipher_encrypt(
            self.handle, buffer, size, None, ctypes.c_size_t(0)))
        length = 4 + 2 + len(self.user) + 16 + len(text)
        return (struct.pack(">HHH", 0x0210, length, len(self.user)) +
                self.user + vector + buffer.raw)


def connected(port):
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(("127.0.0.1", int(port)))
    return out


def udp(ports, boards, seconds, user=None, password=None):
    """Every board once a second, spread over the second and the ports."""
    cipher = Cipher(user, password) if user else None
    outs = [connected(port) for port in ports.split(",")]
    packets = [packet("board%05d" % i, NAMES[at:at + PER_PACKET])
               for i in range(boards)
               for at in range(0, SERIES, PER_PACKET)]
    sent, begin = 0, time.monotonic()
    for second in range(seconds):
        for i, (data, clock, offsets) in enumerate(packets):
            wait = begin + second + i / len(packets) - time.monotonic()
            if wait > 0.002:
                time.sleep(wait)
            struct.pack_into(">Q", data, clock,
                             int(time.time() * (1 << 30)))
            for at in offsets:
                struct.pack_into("<d", data, at, second + at)
            try:
                outs[i % len(outs)].send(cipher.seal(data) if cipher else data)
            except ConnectionRefusedError:
                pass  # the receiver is gone: counted as lost
            sent += len(offsets)
    late = time.monotonic() - begin - seconds
    print("sent %d" % sent, flush=True)
    if late > 0.05 * seconds:
        print("late %.1f s" % late, flush=True)


class Pages(asyncio.Protocol):
    """GET /<board>: its metrics; keeps the connection."""

    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        while b"\r\n\r\n" in self.data:
            head, _, self.data = self.data.partition(b"\r\n\r\n")
            board = head.split(b" ", 2)[1].strip(b"/").decode()
            value = "%.2f" % (time.monotonic() % 1000)
            body = "".join(
                'collectd_%s_%s{%s="pump",type="%s",instance="%s"} %s\n' % (
                    p, k, p, t, board, value) for p, k, t in NAMES).encode()
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; "
                b"version=0.0.4\r\nContent-Length: %d\r\n\r\n" % len(body)
                + body)


async def http():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Pages, "127.0.0.1", 0, backlog=4096)
    print("listening on %d" % server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    if sys.argv[1] == "udp":
        udp(sys.argv[2], *map(int, sys.argv[3:5]), *sys.argv[5:7])
    else:
        asyncio.run(http())
