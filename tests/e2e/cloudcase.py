"""What the tests of write_arduino_cloud share.

Values come in through collectd's own unixsock plugin, so that each test says
exactly which values there are, with their time stamps and meta data."""

import datetime
import os
import socket

import weir


class Feed:
    """PUTVAL over collectd's unix socket."""

    @classmethod
    def open(cls, path):
        """A Feed, or None while nobody listens."""
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(path)
        except OSError:
            sock.close()
            return None
        return cls(sock)

    def __init__(self, sock):
        self.sock = sock
        self.stream = self.sock.makefile("rw")

    def put(self, identifier, value, when="N", interval=1, **meta):
        """One value; `when` in seconds since the epoch."""
        options = "interval=%g" % interval
        for key, text in meta.items():
            options += ' "meta:%s=\\"%s\\""' % (
                key.replace("__", ":"), text)
        stamp = when if when == "N" else "%.6f" % when
        self.stream.write('PUTVAL "testhost/%s" %s %s:%s\n'
                          % (identifier, options, stamp, value))
        self.stream.flush()
        answer = self.stream.readline()
        if not answer.startswith("0 "):
            raise AssertionError("PUTVAL %s: %s" % (identifier, answer))

    def flow(self, value, when="N"):
        self.put("m4_rpc-pump/flow-flow_rate", value, when)

    def label(self, label, when="N", labels=("Normal", "Low", "Anomalous")):
        """As target_edge_impulse: one value per label, all with the meta."""
        for name in labels:
            self.put("edge_impulse-pump/bool-" + name, int(name == label),
                     when, edge_impulse__label=label)

    def close(self):
        self.stream.close()
        self.sock.close()


class Case(weir.Case):
    def tls_cloud(self, *args, **issue):
        """(authority, cloud) of a stand-in that serves https."""
        ca = weir.Authority(self.dir)
        cert, key = ca.issue(**issue)
        return ca, self.cloudsim("--cert", cert, "--key", key, *args)

    def agent(self, cloud, credentials=None, url=None, start=True, block=None,
              **options):
        """collectd with write_arduino_cloud alone; see weir.cloud_block. With
        more write threads collectd itself changes the order of values that
        come in a burst."""
        self.socket_path = os.path.join(self.dir, "sock")
        if len(self.socket_path) > 100:  # what a socket address holds
            self.socket_path = "/tmp/weir-%d.sock" % os.getpid()
        block = block or weir.cloud_block(
            url or cloud.url,
            credentials or cloud.credentials(self.dir), **options)
        block += 'WriteThreads 1\n<Plugin unixsock>\n  SocketFile "%s"\n' \
                 '  DeleteSocket true\n</Plugin>\n' % self.socket_path
        agent = weir.Collectd(self.dir, block,
                              stock=("unixsock",))
        self.addCleanup(agent.kill)
        return agent.start() if start else agent

    def feed(self, agent):
        weir.wait_until(lambda: os.path.exists(self.socket_path) and
                        agent.wait_ready(), "the socket is there",
                        alive=agent)
        feed = weir.wait_until(lambda: Feed.open(self.socket_path),
                               "the socket answers", alive=agent)
        self.addCleanup(feed.close)
        agent.clients.append(feed)
        return feed

    def health(self, agent, type, instance, check):
        """Wait for a health metric that satisfies check."""
        return agent.wait_value(plugin="write_arduino_cloud", type=type,
                                type_instance=instance,
                                check=lambda v: v["value"] is not None and
                                check(v["value"]))


def seconds(stamp):
    """An RFC 3339 time stamp as seconds since the epoch."""
    return datetime.datetime.fromisoformat(
        stamp.replace("Z", "+00:00")).timestamp()
