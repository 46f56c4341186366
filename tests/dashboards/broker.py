"""A real Kafka broker for the tests: the shipped configuration, one node.

Its jars come from `mvn` (kafka/pom.xml, `make dashboards-stacks`) into
build/tools/kafka. It binds 127.0.0.1 and keeps its data below the test's
directory."""

import os
import subprocess

import kafkasim
import stack
import weir
from stack import shipped, write

FILES = os.path.join(stack.FLEET, "e-kafka")
JARS = os.path.join(weir.BUILD, "tools", "kafka")
TOOLS = {"kafka-run-class.sh": "",  # a class, or a source file
         "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
         "kafka-storage.sh": "kafka.tools.StorageTool"}
STARTS = "starts"  # a line for each start of Java by a tool


def missing():
    """Why there is no broker here, or None."""
    if not stack.shutil.which("java"):
        return "no java: apt-get install default-jre-headless"
    if not os.path.exists(os.path.join(JARS, "complete")):
        return "no broker in %s (needs mvn and a network)" % JARS
    try:
        kafkasim.library()
    except OSError as error:
        return str(error)
    return None


def java(heap="64m", *options):
    return ["java", "-Xmx" + heap, "-XX:+UseSerialGC", *options,
            "-Dlog4j2.configurationFile=" + os.path.join(
                stack.HERE, "kafka", "log4j2.properties"), "-cp", JARS + "/*"]


class Broker(weir.Process):
    """The shipped server.properties; paths, ports and the host changed."""

    def __init__(self, directory):
        self.work = os.path.join(directory, "broker")
        os.makedirs(self.work)
        self.authority, self.issued = weir.Authority(self.work), {}
        self.known = set()
        self.port, controller = stack.free_port(), stack.free_port()
        self.address = "127.0.0.1:%d" % self.port
        ca = ("/etc/kafka/ca.pem", self.authority.cert)
        config = write(self.file("server.properties"), shipped(
            "e-kafka/server.properties", (
                ("SSL://kafka.example.org:9093", "SSL://" + self.address),
                ("kafka.example.org:9094", "127.0.0.1:%d" % controller),
                ("SSL://:9093", "SSL://" + self.address),
                ("CONTROLLER://:9094", "CONTROLLER://127.0.0.1:%d"
                 % controller),
                ("/var/lib/kafka", self.file("data")),
                ("/etc/kafka/broker.pem", self.both("broker")), ca)))
        write(self.file("admin.properties"), shipped("e-kafka/admin.properties", (
            ("/etc/kafka/admin.pem", self.both("admin")), ca)))
        for name, main in TOOLS.items():
            write(self.file(name), '#!/bin/sh\necho >>%s\nexec %s %s "$@"\n' % (
                self.file(STARTS), " ".join(x if "*" not in x else "'%s'" % x
                         for x in java("64m", "-XX:TieredStopAtLevel=1")),
                main))
            os.chmod(self.file(name), 0o755)
        self.run("kafka-storage.sh", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg",
                 "-c", config)
        super().__init__("broker", java("256m", "-Dweir.level=INFO") + [
            "kafka.Kafka", config],
                         self.work)

    def file(self, name):
        return os.path.join(self.work, name)

    def certificate(self, name):
        """(certificate, key) of this name, always the same."""
        if name not in self.issued:
            self.issued[name] = self.authority.issue(name)
        return self.issued[name]

    def both(self, name):
        """Key and certificate of this name in one file, as Kafka wants."""
        cert, key = self.certificate(name)
        text = ""
        for path in (key, cert):
            with open(path) as file:
                text += file.read()
        return write(self.file(name + ".pem"), text)

    def run(self, program, *args):
        """A tool of Kafka's, or add-board, as an administrator runs it."""
        done = subprocess.run((program,) + args, text=True, cwd=self.work,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=dict(
                                  os.environ, KAFKA=self.address,
                                  KAFKA_ADMIN=self.file("admin.properties"),
                                  PATH=self.work + ":" + os.environ["PATH"]))
        if done.returncode != 0:
            raise AssertionError("%s: %s" % (program, done.stdout[-2000:]))
        return done.stdout

    def starts(self):
        """How often a tool of Kafka's was started."""
        with open(self.file(STARTS)) as file:
            return len(file.readlines())

    def add(self, *args):
        return self.run(os.path.join(FILES, "add-board"), *args)

    def know(self, board):
        """It has its topic and its right."""
        if board not in self.known:
            self.known.add(board)
            self.add(board)

    def start(self):
        super().start()
        weir.wait_until(lambda: "Kafka Server started" in self.log(),
                        "the broker has started", ceiling=120, alive=self)
        return self

    def tls(self, name):
        """librdkafka's properties of who has this certificate."""
        cert, key = self.certificate(name)
        return {"security_protocol": "ssl", "ssl_ca_location":
                self.authority.cert, "ssl_certificate_location": cert,
                "ssl_key_location": key}

    def reader(self, who, topic):
        return kafkasim.Consumer(self.address, topic, 1, **self.tls(who))

    def board(self, name, topic=None):
        """The shipped board.conf with this board's name and certificate."""
        cert, key = self.certificate(name)
        return shipped("e-kafka/board.conf", (
            ("kafka.example.org:9093", self.address),
            ("/etc/weir/kafka/ca.pem", self.authority.cert),
            ("/etc/weir/kafka/board.pem", cert),
            ("/etc/weir/kafka/board.key", key),
            ("weir.pump-house-1", topic or "weir." + name),
            ("pump-house-1", name)))
