"""A log directory goes Kafka → Arus → Kafka, both formats of quorum, and tools read both sides."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import confluent_kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.errors import (CoordinatorLoadInProgressError, CoordinatorNotAvailableError,
                          NotCoordinatorError)

from tests.compatibility import jvm
from tests.harness.server import Server, free_port


def fill(address, topic, first, count, **options):
    producer = KafkaProducer(bootstrap_servers=address, **options)
    for i in range(first, first + count):
        producer.send(topic, key=f"k{i}".encode(), value=f"v{i}".encode(), partition=i % 2,
                      timestamp_ms=1_700_000_000_000 + i)
    producer.flush(30)
    producer.close()


def contents(address, topic):
    consumer = KafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    partitions = [TopicPartition(topic, p) for p in range(2)]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    got = {p.partition: [] for p in partitions}
    while any(len(got[p.partition]) < ends[p] for p in partitions):
        batch = consumer.poll(timeout_ms=8000)
        if not batch:
            break
        for records in batch.values():
            for r in records:
                got[r.partition].append((r.offset, r.key, r.value, r.timestamp))
    consumer.close()
    return got


def assert_sound(data):
    """Nothing is wrong with a directory that somebody has stopped or that was killed."""
    done = subprocess.run([os.environ["ARUS_BINARY"], "verify", str(data)], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def configs(address, topic):
    admin = KafkaAdminClient(bootstrap_servers=address)
    answer = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    admin.close()
    return str(answer)


class Takeover(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="arus-takeover-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = self.folder / "data"

    def serve(self, node):
        server = Server(data=self.data, properties=node.properties)
        server.port, server.address = node.port, node.address
        return server

    def expected(self, count):
        return {p: [(i // 2, f"k{i}".encode(), f"v{i}".encode(), 1_700_000_000_000 + i)
                    for i in range(p, count, 2)] for p in range(2)}

    def test_from_kafka_and_back(self):
        """Static voters, as most installations of Kafka were formatted."""
        node = jvm.KafkaNode(self.data, free_port(), jvm.new_cluster_id())
        self.go_round(node)

    def test_from_kafka_with_a_dynamic_quorum_and_back(self):
        node = jvm.KafkaNode(self.data, free_port())
        node.use_dynamic_quorum()
        node.format(jvm.new_cluster_id(), "--standalone")
        self.go_round(node)

    def go_round(self, node):
        with node:
            admin = KafkaAdminClient(bootstrap_servers=node.address)
            admin.create_topics([NewTopic("moved", 2, 1, topic_configs={
                "retention.ms": "-1", "segment.bytes": "1048576"})])
            admin.close()
            fill(node.address, "moved", 0, 200, compression_type="gzip")
            fill(node.address, "moved", 200, 100)
        assert_sound(self.data)
        with self.serve(node) as server:
            self.assertEqual(contents(server.address, "moved"), self.expected(300))
            self.assertIn("1048576", configs(server.address, "moved"))
            fill(server.address, "moved", 300, 100, compression_type="lz4")
            admin = KafkaAdminClient(bootstrap_servers=server.address)
            admin.create_topics([NewTopic("ours", 2, 1, topic_configs={"retention.ms": "-1"})])
            admin.close()
            fill(server.address, "ours", 0, 50)
            self.assertEqual(server.stop(), 0)
        assert_sound(self.data)
        with node:
            self.assertEqual(contents(node.address, "moved"), self.expected(400))
            self.assertEqual(contents(node.address, "ours"), self.expected(50))
            self.assertIn("1048576", configs(node.address, "moved"))
            fill(node.address, "moved", 400, 10)
        with self.serve(node) as server:
            fill(server.address, "moved", 410, 10)
            server.kill()
        assert_sound(self.data)
        with node:
            self.assertEqual(contents(node.address, "moved"), self.expected(420))

    def test_a_directory_that_arus_stamped_opens_in_kafka(self):
        port = free_port()
        with Server(data=self.data) as server:
            server.port, server.address = port, f"127.0.0.1:{port}"
            server.kill()
            shutil.rmtree(self.data)
            server.start()
            admin = KafkaAdminClient(bootstrap_servers=server.address)
            admin.create_topics([NewTopic("born", 2, 1, topic_configs={"retention.ms": "-1"})])
            admin.close()
            fill(server.address, "born", 0, 60, compression_type="zstd")
            self.assertEqual(server.stop(), 0)
        node = jvm.KafkaNode(self.data, port)
        node.use_dynamic_quorum()
        with node:
            self.assertEqual(contents(node.address, "born"), self.expected(60))

    def test_dump_log_reads_our_files(self):
        with Server(data=self.data) as server:
            admin = KafkaAdminClient(bootstrap_servers=server.address)
            admin.create_topics([NewTopic("dumped", 2, 1, topic_configs={
                "segment.bytes": "1048576", "index.interval.bytes": "256", "retention.ms": "-1"})])
            admin.close()
            fill(server.address, "dumped", 0, 4000, linger_ms=2, batch_size=2000)
            self.assertEqual(server.stop(), 0)
        files = sorted(self.data.glob("dumped-0/0*"))
        self.assertTrue(any(f.suffix == ".log" for f in files))
        for file in files:
            if file.suffix in (".log", ".index", ".timeindex", ".snapshot"):
                with self.subTest(file.name):
                    options = ["--deep-iteration"] if file.suffix == ".log" else []
                    if file.suffix in (".index", ".timeindex"):
                        options = ["--verify-index-only"]
                    text = jvm.tool("kafka-dump-log", "--files", file, *options)
                    self.assertNotRegex(text, "(?i)mismatch|non-consecutive|invalid|error|corrupt")
        for file in [*self.data.glob("__cluster_metadata-0/*.log"),
                     *self.data.glob("__cluster_metadata-0/*.checkpoint")]:
            with self.subTest(file.name):
                text = jvm.tool("kafka-dump-log", "--cluster-metadata-decoder", "--files", file)
                self.assertNotRegex(text, "(?i)could not|invalid|error|corrupt")
        text = jvm.tool("kafka-dump-log", "--cluster-metadata-decoder", "--files",
                        self.data / "__cluster_metadata-0" / "00000000000000000000.log")
        self.assertIn("TOPIC_RECORD", text)

    def test_groups_offsets_and_transactions_move_with_the_directory(self):
        """Each side ends the transaction that the other left open, and goes on with the offsets."""
        node = jvm.KafkaNode(self.data, free_port(), jvm.new_cluster_id())
        committed = []
        with node:
            admin = KafkaAdminClient(bootstrap_servers=node.address)
            admin.create_topics([NewTopic("moved", 2, 1), NewTopic("taken", 1, 1)])
            admin.close()
            fill(node.address, "moved", 0, 100)
            self.advance(node.address, 0, committed)
        with self.serve(node) as server:
            self.assertEqual(self.offsets(server.address), self.expected_offsets(0))
            self.advance(server.address, 1, committed)
            self.assertEqual(server.stop(), 0)
        with node:
            self.assertEqual(self.offsets(node.address), self.expected_offsets(1))
            self.advance(node.address, 2, committed)
        with self.serve(node) as server:
            self.advance(server.address, 3, committed)
            server.kill()
        with node:
            self.assertEqual(self.offsets(node.address), self.expected_offsets(3))
            self.advance(node.address, 4, committed)
            text = jvm.java(jvm.TOOLS + "TransactionsCommand", "--bootstrap-server", node.address,
                            "describe", "--transactional-id", "mover")
            self.assertIn("Ongoing", text)

    def expected_offsets(self, turn):
        return {"classic": 10 * turn + 1, "consumer": 10 * turn + 2, "mover": 10 * turn + 3}

    def offsets(self, address):
        partition = TopicPartition("moved", 0)
        deadline = time.monotonic() + 30
        with contextlib.closing(KafkaAdminClient(bootstrap_servers=address)) as admin:
            while True:
                try:
                    return {group: admin.list_consumer_group_offsets(group)[partition].offset
                            for group in ("classic", "consumer", "mover")}
                except (NotCoordinatorError, CoordinatorLoadInProgressError,
                        CoordinatorNotAvailableError):
                    if time.monotonic() > deadline:  # a node that just started still reads them
                        raise
                    time.sleep(0.2)

    def advance(self, address, turn, committed):
        """Both kinds of group go on, a transaction is completed and another left open."""
        to = {"bootstrap.servers": address, "log_level": 0}
        # initTransactions ends what the other side left open; only then is its end stable.
        producer = confluent_kafka.Producer({**to, "transactional.id": "mover"})
        producer.init_transactions(60)
        expected = self.expected_offsets(turn)
        for group, settings in [("classic", {}), ("consumer", {"group.protocol": "consumer"})]:
            before = self.expected_offsets(turn - 1)[group] if turn else 0
            member = confluent_kafka.Consumer({**to, **settings, "group.id": group,
                                               "enable.auto.commit": False,
                                               "auto.offset.reset": "earliest"})
            member.subscribe(["moved"])
            first, deadline = None, time.monotonic() + 60
            while first is None and time.monotonic() < deadline:
                message = member.poll(0.5)
                if message is not None and not message.error() and message.partition() == 0:
                    first = message.offset()
            self.assertEqual(first, before, f"where {group} goes on in turn {turn}")
            member.commit(offsets=[confluent_kafka.TopicPartition("moved", 0, expected[group])],
                          asynchronous=False)
            member.close()
        outsider = confluent_kafka.Consumer({**to, "group.id": "mover"})
        for ends in ("committed", "aborted", "open"):
            producer.begin_transaction()
            for i in range(3):
                producer.produce("taken", f"{ends}-{turn}-{i}")
            offset = expected["mover"] if ends == "committed" else 99
            producer.send_offsets_to_transaction(
                [confluent_kafka.TopicPartition("moved", 0, offset)],
                outsider.consumer_group_metadata(), 30)
            producer.flush(30)
            if ends == "committed":
                producer.commit_transaction(30)
            elif ends == "aborted":
                producer.abort_transaction(30)
        outsider.close()
        committed += [f"committed-{turn}-{i}" for i in range(3)]
        self.assertEqual(self.stable(to), committed)

    def stable(self, to):
        """What read_committed gives up to the transaction that is open."""
        reader = confluent_kafka.Consumer({**to, "group.id": "reader", "enable.partition.eof": True,
                                           "isolation.level": "read_committed"})
        reader.assign([confluent_kafka.TopicPartition("taken", 0, 0)])
        values, ended, deadline = [], False, time.monotonic() + 60
        while not ended and time.monotonic() < deadline:
            message = reader.poll(1)
            if message is not None:
                ended = message.error() is not None
                values += [] if ended else [message.value().decode()]
        reader.close()
        return values


if __name__ == "__main__":
    unittest.main()
