"""Kafka's programs for groups and transactions, and ours of the same names, say the same of one server."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from tests.compatibility import jvm
from tests.harness.server import Server

BIN = pathlib.Path(os.environ.get("ARUS_SOURCE", ".")) / "bin"
CLASSES = {
    "kafka-consumer-groups": jvm.TOOLS + "consumer.group.ConsumerGroupCommand",
    "kafka-groups": jvm.TOOLS + "GroupsCommand",
    "kafka-transactions": jvm.TOOLS + "TransactionsCommand",
}


class SameWords(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.to = ["--bootstrap-server", cls.server.address]
        cls.ours("kafka-topics", "--create", "--topic", "plans", "--partitions", "3")
        cls.ours("kafka-topics", "--create", "--topic", "a-topic-with-a-long-name-in-csv",
                 "--partitions", "1")
        done = subprocess.run([str(BIN / "kafka-console-producer.sh"), "--topic", "plans",
                               *cls.to], input="".join(f"{i}\n" for i in range(60)), text=True,
                              timeout=60, check=False)
        assert done.returncode == 0
        cls.ours("kafka-consumer-groups", "--group", "planned", "--reset-offsets", "--to-earliest",
                 "--topic", "plans", "--topic", "a-topic-with-a-long-name-in-csv", "--execute")

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    @classmethod
    def ours(cls, program, *arguments):
        done = subprocess.run([str(BIN / f"{program}.sh"), *cls.to, *arguments], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60, check=False)
        return done.returncode, sorted(done.stdout.splitlines())

    @classmethod
    def theirs(cls, program, *arguments):
        done = subprocess.run(["java", *jvm.SMALL, "-cp", jvm.classpath(), CLASSES[program],
                               *cls.to, *arguments], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                              check=False)
        return done.returncode, sorted(done.stdout.splitlines())

    def same(self, program, *cases):
        for case in cases:
            with self.subTest(case):
                arguments = case.split()
                self.assertEqual(self.ours(program, *arguments), self.theirs(program, *arguments))

    def test_lists_and_descriptions(self):
        self.same("kafka-consumer-groups", "--list --state --type", "--describe --group planned",
                  "--describe --group planned --verbose", "--describe --group planned --members",
                  "--describe --group planned --state --verbose", "--describe --group nobody")
        self.same("kafka-groups", "--list --consumer")

    def test_plans(self):
        how = "--reset-offsets --group planned --dry-run --topic plans "
        self.same("kafka-consumer-groups", how + "--to-latest", how + "--to-offset 1000000",
                  how + "--shift-by 7", how + "--to-datetime 2040-01-01T00:00:00.000",
                  how + "--by-duration P1D", how + "--to-datetime soon",
                  "--reset-offsets --group planned --dry-run --all-topics --to-current --export")

    def test_a_plan_that_one_exports_the_other_reads(self):
        export = ["--reset-offsets", "--group", "planned", "--dry-run", "--all-topics",
                  "--to-latest", "--export"]
        _, lines = self.theirs("kafka-consumer-groups", *export)
        with tempfile.TemporaryDirectory(prefix="arus-plans-") as folder:
            path = pathlib.Path(folder) / "plan.csv"
            path.write_text("".join(f"{line}\n" for line in lines if line))
            self.same("kafka-consumer-groups",
                      f"--reset-offsets --group planned --dry-run --from-file {path}")

    def test_deletions_that_fail(self):
        self.same("kafka-consumer-groups", "--delete --group nobody",
                  "--delete-offsets --group nobody --topic plans",
                  "--delete-offsets --group planned --topic nowhere")

    def test_transactions(self):
        self.same("kafka-transactions", "list", "describe --transactional-id nobody",
                  "describe-producers --topic plans --partition 0", "find-hanging --topic plans")


if __name__ == "__main__":
    unittest.main()
