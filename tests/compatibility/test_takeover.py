"""A log directory goes Kafka → Arus → Kafka, both formats of quorum, and tools read both sides."""
import base64
import pathlib
import shutil
import tempfile
import unittest
import uuid

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic

from tests.compatibility import jvm
from tests.harness.server import Server, free_port


def new_cluster_id():
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


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
        node = jvm.KafkaNode(self.data, free_port(), new_cluster_id())
        self.go_round(node)

    def test_from_kafka_with_a_dynamic_quorum_and_back(self):
        node = jvm.KafkaNode(self.data, free_port())
        node.use_dynamic_quorum()
        node.format(new_cluster_id(), "--standalone")
        self.go_round(node)

    def go_round(self, node):
        with node:
            admin = KafkaAdminClient(bootstrap_servers=node.address)
            admin.create_topics([NewTopic("moved", 2, 1, topic_configs={
                "retention.ms": "-1", "segment.bytes": "1048576"})])
            admin.close()
            fill(node.address, "moved", 0, 200, compression_type="gzip")
            fill(node.address, "moved", 200, 100)
        with self.serve(node) as server:
            self.assertEqual(contents(server.address, "moved"), self.expected(300))
            self.assertIn("1048576", configs(server.address, "moved"))
            fill(server.address, "moved", 300, 100, compression_type="lz4")
            admin = KafkaAdminClient(bootstrap_servers=server.address)
            admin.create_topics([NewTopic("ours", 2, 1, topic_configs={"retention.ms": "-1"})])
            admin.close()
            fill(server.address, "ours", 0, 50)
            self.assertEqual(server.stop(), 0)
        with node:
            self.assertEqual(contents(node.address, "moved"), self.expected(400))
            self.assertEqual(contents(node.address, "ours"), self.expected(50))
            self.assertIn("1048576", configs(node.address, "moved"))
            fill(node.address, "moved", 400, 10)
        with self.serve(node) as server:
            fill(server.address, "moved", 410, 10)
            server.kill()
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


if __name__ == "__main__":
    unittest.main()
