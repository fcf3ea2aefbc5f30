"""Kafka Streams and Kafka Connect as they are: their own applications, unchanged."""
import json
import pathlib
import re
import shutil
import tempfile
import time
import unittest
import urllib.request

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from tests.compatibility import jvm
from tests.compatibility.broker import broker
from tests.harness.server import free_port

WORDS = 60
# Topics of Kafka's smoke test, which its driver and its application expect to exist.
SMOKE_TOPICS = ("data echo max min min-suppressed min-raw dif sum sws-raw sws-suppressed cnt avg "
                "tagg wcnt fk").split()
STRING = "org.apache.kafka.connect.storage.StringConverter"
FILES = "org.apache.kafka.connect.file.FileStream"


class Case(unittest.TestCase):
    def setUp(self):
        self.server = broker()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="arus-streams-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def create(self, partitions, *topics):
        admin = KafkaAdminClient(bootstrap_servers=self.server.address)
        admin.create_topics([NewTopic(topic, partitions, 1) for topic in topics])
        admin.close()

    def properties(self, name, /, **settings):
        path = self.folder / name
        path.write_text("".join(f"{key.replace('__', '.')}={value}\n"
                                for key, value in settings.items()))
        return path

    def until(self, reached, program, limit_s, what):
        deadline = time.monotonic() + limit_s
        while not reached():
            self.assertIsNone(program.process.poll(), program.text()[-3000:])
            self.assertLess(time.monotonic(), deadline, f"no {what}: {program.text()[-3000:]}")
            time.sleep(0.3)


class Streams(Case):
    def test_word_count_counts_every_word(self):
        self.create(2, "streams-plaintext-input", "streams-wordcount-output")
        producer = KafkaProducer(bootstrap_servers=self.server.address)
        for i in range(WORDS):
            producer.send("streams-plaintext-input", f"alpha beta alpha {i}".encode())
        producer.flush(30)
        producer.close()
        settings = self.properties("words.properties", bootstrap__servers=self.server.address,
                                   application__id="words", state__dir=self.folder / "words",
                                   replication__factor=1, commit__interval__ms=300)
        with jvm.Program("streams-wordcount", settings):
            counted = jvm.tool(
                "kafka-console-consumer", "--bootstrap-server", self.server.address, "--topic",
                "streams-wordcount-output", "--from-beginning", "--timeout-ms", "15000",
                "--formatter-property", "print.key=true", "--formatter-property",
                "value.deserializer=org.apache.kafka.common.serialization.LongDeserializer")
        counts = dict(line.split("\t") for line in counted.splitlines())  # the newest of each word
        self.assertEqual(counts, {"alpha": str(2 * WORDS), "beta": str(WORDS),
                                  **{str(i): "1" for i in range(WORDS)}})

    def test_smoke_test_verifies_with_exactly_once(self):
        """The driver makes records, the application computes, the driver judges every result."""
        self.create(2, *SMOKE_TOPICS)
        settings = self.properties(
            "smoke.properties", bootstrap__servers=self.server.address,
            state__dir=self.folder / "smoke", processing__guarantee="exactly_once_v2",
            num__stream__threads=2, replication__factor=1, num__standby__replicas=0,
            buffered__records__per__partition=100, commit__interval__ms=500,
            auto__offset__reset="earliest", acks="all", session__timeout__ms=10000,
            acceptable__recovery__lag=2**63 - 1)
        with jvm.Program("streams-smoke", settings, "process"):
            verdict = jvm.tool("streams-smoke", settings, "run", limit_s=400)
        found = [line for line in verdict.splitlines() if " at position " not in line]
        self.assertRegex(verdict, re.compile("^SUCCESS", re.M), "\n".join(found)[-6000:])


class Connect(Case):
    def setUp(self):
        super().setUp()
        self.lines = [f"line {i}" for i in range(400)]
        self.source, self.sink = self.folder / "source.txt", self.folder / "sink.txt"
        self.source.write_text("".join(f"{line}\n" for line in self.lines))
        self.rest = f"http://127.0.0.1:{free_port()}"
        self.worker = {"bootstrap__servers": self.server.address, "key__converter": STRING,
                       "value__converter": STRING, "offset__flush__interval__ms": 500,
                       "listeners": self.rest, "plugin__discovery": "service_load"}

    def sunk(self):
        return self.sink.read_text().splitlines() if self.sink.exists() else []

    def test_standalone_carries_a_file_through_a_topic(self):
        self.create(1, "carried")
        worker = self.properties("worker", **self.worker,
                                 offset__storage__file__filename=self.folder / "offsets")
        source = self.properties("source", name="source", tasks__max=1, topic="carried",
                                 connector__class=FILES + "SourceConnector", file=self.source)
        sink = self.properties("sink", name="sink", tasks__max=1, topics="carried",
                               connector__class=FILES + "SinkConnector", file=self.sink)
        with jvm.Program("connect-standalone", worker, source, sink) as connect:
            self.until(lambda: len(self.sunk()) >= len(self.lines), connect, 90, "lines")
        self.assertEqual(self.sunk(), self.lines)

    def put(self, name, /, **settings):
        body = json.dumps({key.replace("__", "."): str(value) for key, value in settings.items()})
        request = urllib.request.Request(f"{self.rest}/connectors/{name}/config", body.encode(),
                                         {"Content-Type": "application/json"}, method="PUT")
        urllib.request.urlopen(request, timeout=60).close()

    def answers(self):
        try:
            urllib.request.urlopen(f"{self.rest}/connectors", timeout=5).close()
            return True
        except OSError:
            return False

    def test_distributed_carries_a_file_and_goes_on_after_a_restart(self):
        """The worker's own group protocol and its three compacted topics."""
        self.create(1, "carried")
        topics = {f"{what}__storage__topic": f"connect-{what}"
                  for what in ("offset", "config", "status")}
        factors = {f"{what}__storage__replication__factor": 1
                   for what in ("offset", "config", "status")}
        worker = self.properties("worker", **self.worker, **topics, **factors, group__id="workers",
                                 offset__storage__partitions=3, status__storage__partitions=2)
        with jvm.Program("connect-distributed", worker) as connect:
            self.until(self.answers, connect, 90, "answer")
            self.put("source", tasks__max=1, topic="carried", file=self.source,
                     connector__class=FILES + "SourceConnector")
            self.put("sink", tasks__max=1, topics="carried", file=self.sink,
                     connector__class=FILES + "SinkConnector")
            self.until(lambda: len(self.sunk()) >= len(self.lines), connect, 90, "lines")
        self.assertEqual(self.sunk(), self.lines)
        more = [f"more {i}" for i in range(50)]
        with open(self.source, "a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in more)
        with jvm.Program("connect-distributed", worker) as connect:
            self.until(lambda: len(self.sunk()) >= len(self.lines) + len(more), connect, 90,
                       "further lines")
        self.assertEqual(self.sunk(), self.lines + more)


if __name__ == "__main__":
    unittest.main()
