"""Java's group members and transactions, and the programs of Kafka that are built of them."""
import collections
import json
import pathlib
import tempfile
import unittest

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from tests.compatibility import claims, jvm
from tests.compatibility.broker import broker

COOPERATIVE = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"


class JavaGroups(unittest.TestCase):
    def test_members_transactions_and_administration(self):
        """GroupRoundTrip.java prints a line for each claim; each is a subtest here."""
        with broker() as server:
            source = jvm.HERE / "java" / "GroupRoundTrip.java"
            output = jvm.java(source, server.address, limit_s=500)
        claims.check(self, output, 21)


class KafkaPrograms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = broker().start()
        cls.to = ["--bootstrap-server", cls.server.address]

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def create(self, topic, partitions, records=0):
        admin = KafkaAdminClient(bootstrap_servers=self.server.address)
        admin.create_topics([NewTopic(topic, partitions, 1,
                                      topic_configs={"retention.ms": "-1"})])
        admin.close()
        producer = KafkaProducer(bootstrap_servers=self.server.address)
        for i in range(records):
            producer.send(topic, str(i).encode(), partition=i % partitions,
                          timestamp_ms=1_700_000_000_000 + 1000 * i)
        producer.flush(30)
        producer.close()

    def console(self, topic, count, *options):
        return jvm.tool("kafka-console-consumer", *self.to, "--topic", topic, "--from-beginning",
                        "--max-messages", count, "--timeout-ms", "30000", *options).split()

    def groups(self, *arguments):
        return jvm.tool("kafka-consumer-groups", *self.to, *arguments)

    def committed(self, group):
        rows = [line.split() for line in self.groups("--group", group, "--describe").splitlines()]
        return {int(row[2]): int(row[3]) for row in rows
                if row and row[0] == group and row[3] != "-"}

    def test_console_consumer_resumes_as_its_group(self):
        self.create("console", 1, 30)
        for protocol in ("classic", "consumer"):
            with self.subTest(protocol):
                group = ["--group", f"console-{protocol}",
                         "--command-property", f"group.protocol={protocol}"]
                self.assertEqual(self.console("console", 10, *group), [str(i) for i in range(10)])
                self.assertEqual(self.console("console", 20, *group),
                                 [str(i) for i in range(10, 30)])

    def test_every_reset_strategy_moves_the_offsets(self):
        self.create("reset", 2, 40)
        self.console("reset", 40, "--group", "resets")
        self.assertEqual(self.committed("resets"), {0: 20, 1: 20})

        def reset(*how):
            self.groups("--group", "resets", "--reset-offsets", "--execute",
                        *(() if "--from-file" in how else ("--topic", "reset")), *how)
            return self.committed("resets")

        self.assertEqual(reset("--to-earliest"), {0: 0, 1: 0})
        self.assertEqual(reset("--to-offset", 7), {0: 7, 1: 7})
        self.assertEqual(reset("--shift-by", -3), {0: 4, 1: 4})
        self.assertEqual(reset("--shift-by", 99), {0: 20, 1: 20})
        self.assertEqual(reset("--to-datetime", "2023-11-14T22:13:30.000Z"), {0: 5, 1: 5})
        self.assertEqual(reset("--to-current"), {0: 5, 1: 5})
        self.assertEqual(reset("--by-duration", "P3650D"), {0: 0, 1: 0})
        self.assertEqual(reset("--to-latest"), {0: 20, 1: 20})
        with tempfile.TemporaryDirectory(prefix="arus-reset-") as folder:
            plan = pathlib.Path(folder) / "plan.csv"
            plan.write_text("reset,0,3\nreset,1,8\n")
            self.assertEqual(reset("--from-file", plan), {0: 3, 1: 8})

    def test_verifiable_clients_agree_on_every_record(self):
        kinds = {"range": [], "cooperative": ["--assignment-strategy", COOPERATIVE],
                 "static": ["--group-instance-id", "one"],
                 "consumer": ["--group-protocol", "consumer"]}
        self.create("verified", 4)
        sent = jvm.tool("kafka-verifiable-producer", *self.to, "--topic", "verified",
                        "--max-messages", 5000, "--throughput", -1, "--acks", -1)
        self.assertIn('"acked":5000', sent)
        for kind, options in kinds.items():
            with self.subTest(kind):
                output = jvm.tool("kafka-verifiable-consumer", *self.to, "--topic", "verified",
                                  "--group-id", f"verified-{kind}", "--max-messages", 5000,
                                  "--reset-policy", "earliest", *options)
                lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
                read = sum(x["count"] for x in lines if x["name"] == "records_consumed")
                self.assertEqual(read, 5000)
                commits = [x["success"] for x in lines if x["name"] == "offsets_committed"]
                self.assertTrue(commits and all(commits))
                self.assertEqual(sum(self.committed(f"verified-{kind}").values()), 5000)

    def test_transactional_copier_with_aborts_copies_each_record_once(self):
        self.create("source", 1, 2000)
        self.create("copied", 1)
        output = jvm.tool("transactional-message-copier", "--broker-list", self.server.address,
                          "--input-topic", "source", "--input-partition", 0,
                          "--output-topic", "copied", "--consumer-group", "copier",
                          "--transaction-size", 50, "--transactional-id", "copier",
                          "--enable-random-aborts", limit_s=240)
        self.assertIn('"remaining":0', output.replace(" ", ""))
        values = self.console("copied", 2000, "--isolation-level", "read_committed")
        self.assertEqual(values, [str(i) for i in range(2000)])
        self.assertIn("copier", jvm.tool("kafka-transactions", *self.to, "list"))
        described = jvm.tool("kafka-transactions", *self.to, "describe", "--transactional-id",
                             "copier")
        self.assertIn("CompleteCommit", described)
        self.assertEqual(self.committed("copier"), {0: 2000})

    def test_transactional_load_leaves_no_record_out(self):
        self.create("load", 3)
        report = jvm.tool("kafka-producer-perf-test", *self.to, "--topic", "load",
                          "--num-records", 20000, "--record-size", 50, "--throughput", 10000,
                          "--transactional-id", "load", "--transaction-duration-ms", 100)
        self.assertIn("20000 records sent", report)
        values = self.console("load", 20000, "--isolation-level", "read_committed")
        self.assertEqual(collections.Counter(map(len, values)), {50: 20000})


if __name__ == "__main__":
    unittest.main()
