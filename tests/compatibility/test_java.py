"""Java clients and Apache Kafka's own tools, from their jars, against a real server."""
import re
import unittest

from tests.compatibility import jvm
from tests.harness.server import Server


class JavaClients(unittest.TestCase):
    def test_producer_and_assigned_consumer(self):
        """RoundTrip.java prints a line for each claim; each is a subtest here."""
        with Server() as server:
            source = jvm.HERE / "java" / "RoundTrip.java"
            output = jvm.java(source, server.address, limit_s=400)
            claims = re.findall(r"^(ok|failed) (\S+?)(?::? (.*))?$", output, re.M)
            self.assertGreaterEqual(len(claims), 19, output)
            for verdict, name, why in claims:
                with self.subTest(name):
                    self.assertEqual(verdict, "ok", why)


class KafkaTools(unittest.TestCase):
    """Apache Kafka 4.3.1's command line against Arus, checked by what it prints."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.to = ["--bootstrap-server", cls.server.address]

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def test_topics(self):
        run = lambda *a, **o: jvm.tool("kafka-topics", *self.to, *a, **o)
        created = run("--create", "--topic", "tools", "--partitions", "3",
                      "--config", "retention.ms=3600000")
        self.assertIn("Created topic tools.", created)
        described = run("--describe", "--topic", "tools")
        self.assertIn("PartitionCount: 3", described)
        self.assertIn("ReplicationFactor: 1", described)
        self.assertIn("retention.ms=3600000", described)
        self.assertEqual(described.count("Leader: 1"), 3)
        run("--alter", "--topic", "tools", "--partitions", "5")
        self.assertIn("PartitionCount: 5", run("--describe", "--topic", "tools"))
        self.assertIn("tools", run("--list").split())
        again = jvm.java(jvm.CLASSES["kafka-topics"], *self.to, "--create", "--topic", "tools",
                         check=False)
        self.assertIn("already exists", again)
        run("--delete", "--topic", "tools")
        self.assertNotIn("tools", run("--list").split())

    def test_configs(self):
        jvm.tool("kafka-topics", *self.to, "--create", "--topic", "configured")
        run = lambda *a: jvm.tool("kafka-configs", *self.to, *a)
        entity = ["--entity-type", "topics", "--entity-name", "configured"]
        run("--alter", *entity, "--add-config", "max.message.bytes=123456,cleanup.policy=compact")
        shown = run("--describe", *entity)
        self.assertIn("max.message.bytes=123456", shown)
        self.assertIn("cleanup.policy=compact", shown)
        run("--alter", *entity, "--delete-config", "max.message.bytes")
        self.assertNotIn("max.message.bytes=123456", run("--describe", *entity))
        everything = run("--describe", "--all", *entity)
        self.assertIn("segment.bytes=1073741824", everything)
        broker = run("--describe", "--all", "--entity-type", "brokers", "--entity-name", "1")
        self.assertIn("log.retention", broker)
        clients = ["--entity-type", "clients", "--entity-name", "someone"]
        run("--alter", *clients, "--add-config", "producer_byte_rate=1048576")
        self.assertIn("producer_byte_rate=1048576", run("--describe", *clients))
        users = ["--entity-type", "users", "--entity-name", "someone"]
        run("--alter", *users, "--add-config", "SCRAM-SHA-256=[iterations=4096,password=p]")
        self.assertIn("SCRAM-SHA-256=iterations=4096", run("--describe", *users))

    def test_perf_producer_and_offsets(self):
        jvm.tool("kafka-topics", *self.to, "--create", "--topic", "perf", "--partitions", "2")
        report = jvm.tool("kafka-producer-perf-test", "--topic", "perf", "--num-records", "50000",
                          "--record-size", "100", "--throughput", "-1",
                          "--producer-props", f"bootstrap.servers={self.server.address}", "acks=all")
        self.assertRegex(report, r"50000 records sent")
        latest = jvm.tool("kafka-get-offsets", *self.to, "--topic", "perf")
        offsets = dict(line.rsplit(":", 1) for line in latest.split())
        self.assertEqual(sum(map(int, offsets.values())), 50000)
        earliest = jvm.tool("kafka-get-offsets", *self.to, "--topic", "perf", "--time", "earliest")
        self.assertEqual(sorted(earliest.split()), ["perf:0:0", "perf:1:0"])
        newest = jvm.tool("kafka-get-offsets", *self.to, "--topic", "perf", "--time", "max-timestamp")
        self.assertRegex(newest, r"perf:[01]:\d+")

    def test_versions_quorum_log_dirs_and_features(self):
        versions = jvm.tool("kafka-broker-api-versions", *self.to)
        self.assertIn("Produce(0): 0 to 13", versions)
        status = jvm.tool("kafka-metadata-quorum", *self.to, "describe", "--status")
        self.assertRegex(status, r"LeaderId:\s+1")
        replicas = jvm.tool("kafka-metadata-quorum", *self.to, "describe", "--replication")
        self.assertIn("Leader", replicas)
        directories = jvm.tool("kafka-log-dirs", *self.to, "--describe")
        self.assertIn('"logDirs"', directories)
        features = jvm.tool("kafka-features", *self.to, "describe")
        self.assertRegex(features, r"metadata\.version.*FinalizedVersionLevel: 4\.3-IV0")


if __name__ == "__main__":
    unittest.main()
