"""Apache Kafka's own programs, and a real Kafka node, from their jars."""
import base64
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
SMALL = ["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
         f"-Dlog4j2.configurationFile=file:{HERE / 'kafka' / 'log4j2.xml'}"]

TOOLS = "org.apache.kafka.tools."
CLASSES = {
    "kafka-topics": TOOLS + "TopicCommand",
    "kafka-configs": TOOLS + "ConfigCommand",
    "kafka-get-offsets": TOOLS + "GetOffsetShell",
    "kafka-producer-perf-test": TOOLS + "ProducerPerformance",
    "kafka-dump-log": TOOLS + "DumpLogSegments",
    "kafka-log-dirs": TOOLS + "LogDirsCommand",
    "kafka-broker-api-versions": TOOLS + "BrokerApiVersionsCommand",
    "kafka-metadata-quorum": TOOLS + "MetadataQuorumCommand",
    "kafka-acls": TOOLS + "AclCommand",
    "kafka-console-producer": TOOLS + "ConsoleProducer",
    "kafka-features": TOOLS + "FeatureCommand",
    "kafka-storage": TOOLS + "StorageTool",
    "kafka-verifiable-producer": TOOLS + "VerifiableProducer",
    "kafka-verifiable-consumer": TOOLS + "VerifiableConsumer",
    "kafka-console-consumer": TOOLS + "consumer.ConsoleConsumer",
    "kafka-consumer-groups": TOOLS + "consumer.group.ConsumerGroupCommand",
    "kafka-transactions": TOOLS + "TransactionsCommand",
    "transactional-message-copier": TOOLS + "TransactionalMessageCopier",
    "connect-standalone": "org.apache.kafka.connect.cli.ConnectStandalone",
    "connect-distributed": "org.apache.kafka.connect.cli.ConnectDistributed",
    "streams-wordcount": "org.apache.kafka.streams.examples.wordcount.WordCountDemo",
    "streams-smoke": "org.apache.kafka.streams.tests.StreamsSmokeTest",
}
# Homes of the same tools before they moved.
OLDER = {
    "kafka-storage": "kafka.tools.StorageTool",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-acls": "kafka.admin.AclCommand",
}


def new_cluster_id():
    """Like Kafka's own never one that begins with a dash: a program would take it for an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def classpath():
    return str(pathlib.Path(os.environ["ARUS_KAFKA"]) / "libs" / "*")


def java(*arguments, stdin=None, limit_s=180, check=True):
    """Runs the JVM on the jars; gives its standard output as text."""
    done = subprocess.run(["java", *SMALL, "-cp", classpath(), *map(str, arguments)],
                          input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=limit_s, check=False,
                          **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
    if check and done.returncode != 0:
        raise AssertionError(f"{arguments[0]} ended with {done.returncode}:\n"
                             f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def tool(name, *arguments, **options):
    try:
        return java(CLASSES[name], *arguments, **options)
    except AssertionError as error:
        if name in OLDER and "Could not find or load main class" in str(error):
            return java(OLDER[name], *arguments, **options)
        raise


class Program:
    """One of Kafka's programs that runs beside the test; `with` ends it by its process id."""

    def __init__(self, name, *arguments):
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ["java", *SMALL, "-cp", classpath(), CLASSES[name], *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
        self.output.close()

    def text(self):
        self.output.seek(0)
        return self.output.read().decode(errors="replace")


class KafkaNode:
    """A real, single Kafka node on a directory; `with` starts and cleanly stops it."""

    def __init__(self, data, port, cluster_id=None):
        self.data = pathlib.Path(data)
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self.process = None
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="kafka-node-"))
        self.properties = self.work / "server.properties"
        self.properties.write_text("\n".join([
            "process.roles=broker,controller", "node.id=1",
            f"controller.quorum.voters=1@127.0.0.1:{port + 1}",
            f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1}",
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}",
            "controller.listener.names=CONTROLLER",
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            f"log.dirs={self.data}", "offsets.topic.replication.factor=1",
            "offsets.topic.num.partitions=4", "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1", "share.coordinator.state.topic.replication.factor=1",
            "share.coordinator.state.topic.min.isr=1", ""]))
        if cluster_id:
            self.format(cluster_id)

    def use_dynamic_quorum(self):
        """For directories formatted as --standalone does it: voters are in the log itself."""
        lines = [line for line in self.properties.read_text().splitlines()
                 if not line.startswith("controller.quorum.voters")]
        lines.append(f"controller.quorum.bootstrap.servers=127.0.0.1:{self.port + 1}")
        self.properties.write_text("\n".join(lines) + "\n")

    def format(self, cluster_id, *options):
        tool("kafka-storage", "format", "-t", cluster_id, "-c", self.properties, *options)

    def __enter__(self):
        self.log = open(self.work / "log.txt", "ab")
        self.process = subprocess.Popen(
            ["java", "-Xmx512m", *SMALL[1:], "-cp", classpath(), "kafka.Kafka", str(self.properties)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"Kafka ended with {self.process.returncode}: {self.tail()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.2)
        raise AssertionError(f"Kafka was not ready in time: {self.tail()}")

    def tail(self):
        return (self.work / "log.txt").read_text(errors="replace")[-4000:]

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(30)
        self.log.close()
