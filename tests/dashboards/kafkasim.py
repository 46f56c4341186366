#!/usr/bin/python3
"""Kafka for the tests: the mock cluster that is part of librdkafka.

Debian has no Kafka broker. The mock speaks its protocol over TCP on
127.0.0.1, without TLS and without a disk: what arrives here would arrive at a
broker, and nothing is said about a broker's speed or durability. A partition
keeps only its newest messages, so a reader has to follow.

    kafkasim.py TOPIC PARTITIONS

prints `listening on HOST:PORT,...` and serves until it is stopped."""

import ctypes
import signal
import sys

PRODUCER, CONSUMER = 0, 1
BEGINNING = -2
PARTITION_EOF = -191
NEEDED = ("rd_kafka_handle_mock_cluster", "rd_kafka_mock_cluster_bootstraps",
          "rd_kafka_mock_topic_create")


class Message(ctypes.Structure):
    """rd_kafka_message_t, librdkafka/rdkafka.h."""
    _fields_ = [("err", ctypes.c_int), ("topic", ctypes.c_void_p),
                ("partition", ctypes.c_int32), ("payload", ctypes.c_void_p),
                ("len", ctypes.c_size_t), ("key", ctypes.c_void_p),
                ("key_len", ctypes.c_size_t), ("offset", ctypes.c_int64),
                ("private", ctypes.c_void_p)]


def library():
    """librdkafka with its prototypes; OSError says why it is not usable."""
    lib = ctypes.CDLL("librdkafka.so.1")
    for name in NEEDED:
        if not hasattr(lib, name):
            raise OSError("librdkafka has no mock cluster: no " + name)
    for name in ("conf_new", "new", "topic_new", "queue_new",
                 "handle_mock_cluster"):
        getattr(lib, "rd_kafka_" + name).restype = ctypes.c_void_p
    lib.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    lib.rd_kafka_consume_batch_queue.restype = ctypes.c_ssize_t
    lib.rd_kafka_message_destroy.argtypes = [ctypes.POINTER(Message)]
    lib.rd_kafka_message_destroy.restype = None
    return lib


def handle(lib, kind, properties):
    """A producer or consumer with these properties."""
    conf = ctypes.c_void_p(lib.rd_kafka_conf_new())
    error = ctypes.create_string_buffer(512)
    for name, value in properties.items():
        if lib.rd_kafka_conf_set(conf, name.encode(),
                                 str(value).encode(), error, 512):
            raise OSError(error.value.decode())
    made = lib.rd_kafka_new(kind, conf, error, 512)
    if not made:
        raise OSError(error.value.decode())
    return ctypes.c_void_p(made)


class Consumer:
    """Reads all partitions of a topic from their beginning."""

    def __init__(self, brokers, topic, partitions, **properties):
        """properties: more for librdkafka, "_" for "."."""
        self.lib = library()
        more = {k.replace("_", "."): v for k, v in properties.items()}
        self.handle = handle(self.lib, CONSUMER, dict({
            "metadata.broker.list": brokers, "fetch.wait.max.ms": 50,
            "log_level": 0}, **more))  # it would report that the cluster ends
        self.topic = ctypes.c_void_p(self.lib.rd_kafka_topic_new(
            self.handle, topic.encode(), None))
        self.queue = ctypes.c_void_p(self.lib.rd_kafka_queue_new(self.handle))
        for partition in range(partitions):
            if self.lib.rd_kafka_consume_start_queue(
                    self.topic, partition, ctypes.c_int64(BEGINNING),
                    self.queue):
                raise OSError("cannot read partition %d" % partition)
        self.batch = (ctypes.POINTER(Message) * 10000)()

    def read(self, take, wait_ms=100):
        """Call take(message) for what is there; wait at most so long."""
        count = self.lib.rd_kafka_consume_batch_queue(
            self.queue, wait_ms, self.batch, ctypes.c_size_t(
                len(self.batch)))
        for message in self.batch[:max(0, count)]:
            if not message.contents.err:
                take(message.contents)
            self.lib.rd_kafka_message_destroy(message)

    def messages(self):
        """[(key, payload)] of what is there."""
        out = []
        self.read(lambda m: out.append(
            (ctypes.string_at(m.key, m.key_len) if m.key else None,
             ctypes.string_at(m.payload, m.len))))
        return out


def main(topic, partitions):
    lib = library()
    # The smallest handle that carries a cluster; it never produces.
    cluster = ctypes.c_void_p(lib.rd_kafka_handle_mock_cluster(
        handle(lib, PRODUCER, {"test.mock.num.brokers": 3})))
    lib.rd_kafka_mock_topic_create(cluster, topic.encode(), partitions, 3)
    print("listening on " + lib.rd_kafka_mock_cluster_bootstraps(
        cluster).decode(), flush=True)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
