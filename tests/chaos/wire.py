"""A TCP proxy of ours between collectd and a peer, which fails on order. It
stands in for the network where the kernel cannot do it (net.py), and does what
no network can: answer in the peer's place.

    wire = Wire("127.0.0.1:5001")     # listens on wire.address
    wire.order(mode="delay", seconds=0.3)

mode: pass | delay (each piece waits) | slow (bytes a second) | hole (accepted,
      nothing goes through, nothing ends) | refuse (closed at once) | reset
      | cut (after some bytes) | portal (a 302 for whoever speaks HTTP)
      | lie (a 200 for it: the peer never sees the request; for plants only)"""

import select
import socket
import struct
import threading
import time

PIECE = 4096
REPLIES = {
    "portal": b"HTTP/1.1 302 Found\r\nLocation: http://portal.test/login\r\n"
              b"Content-Length: 0\r\nConnection: close\r\n\r\n",
    "lie": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
           b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"}


class Wire:
    def __init__(self, peer):
        self.peer = self.split(peer)
        self.orders = {"mode": "pass"}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.address = "127.0.0.1:%d" % self.port
        self.stopped = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    @staticmethod
    def split(address):
        host, _, port = address.rpartition(":")
        return host, int(port)

    def order(self, **orders):
        self.orders = dict({"mode": "pass"}, **orders)

    def close(self):
        self.stopped.set()
        self.listener.close()

    def accept(self):
        while not self.stopped.is_set():
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    @staticmethod
    def reset(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))

    def serve(self, client):
        with client:
            try:
                self.play(client)
            except OSError:
                pass

    def play(self, client):
        mode = self.orders["mode"]
        if mode == "refuse":
            return
        if mode in REPLIES:
            client.settimeout(5)
            client.recv(65536)
            client.sendall(REPLIES[mode])
            return
        with socket.create_connection(self.peer, timeout=5) as peer:
            peer.settimeout(None)
            self.copy(client, peer)

    def copy(self, client, peer):
        """Until one side ends, or an order ends both."""
        other = {client: peer, peer: client}
        passed = 0
        while not self.stopped.is_set():
            ready = select.select([client, peer], [], [], 0.1)[0]
            o = self.orders
            if o["mode"] == "reset":
                self.reset(client)
                return
            if o["mode"] == "refuse" or o["mode"] in REPLIES:
                return
            if o["mode"] == "hole":
                self.stopped.wait(0.1)
                continue
            for sock in ready:
                data = sock.recv(self.share(o))
                if not data:
                    return
                self.stopped.wait(self.wait(o, len(data)))
                other[sock].sendall(data)
                passed += len(data)
            if o["mode"] == "cut" and passed >= o["bytes"]:
                return

    @staticmethod
    def share(o):
        if o["mode"] == "slow":
            return max(1, int(o["rate"] / 10))
        return min(PIECE, o.get("bytes", PIECE))

    @staticmethod
    def wait(o, size):
        if o["mode"] == "delay":
            return o["seconds"]
        return size / o["rate"] if o["mode"] == "slow" else 0
