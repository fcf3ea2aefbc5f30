"""What operators do with groups: offsets of a group without members, by Kafka's program and by ours."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from tests.end_to_end.test_walk import run
from tests.harness.server import Server

ARUS = os.environ.get("ARUS_BINARY", "arus")


def rows(table):
    """The lines of a table as lists of words, without the header."""
    return [line.split() for line in table.splitlines() if line.strip()][1:]


class GroupTools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.to = ["--bootstrap-server", cls.server.address]
        run("kafka-topics.sh", "--create", "--topic", "orders", "--partitions", "2", *cls.to)
        status, _, err = cls.arus("produce", "orders", "-p", "0", stdin="a\nb\nc\nd\n")
        assert status == 0, err

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    @classmethod
    def arus(cls, *arguments, stdin=""):
        environment = dict(os.environ, ARUS_BOOTSTRAP_SERVER=cls.server.address)
        done = subprocess.run([ARUS, *arguments], input=stdin, text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                              check=False)
        return done.returncode, done.stdout, done.stderr

    def groups(self, *arguments):
        status, out, err = run("kafka-consumer-groups.sh", *arguments, *self.to)
        self.assertEqual(status, 0, err)
        return out

    def reset(self, group, *how):
        return rows(self.groups("--group", group, "--reset-offsets", "--topic", "orders", *how))

    def test_every_strategy_plans_and_moves(self):
        start = ["--to-offset", "2", "--execute"]
        self.assertEqual(self.reset("moved", *start), [["moved", "orders", "0", "2"],
                                                       ["moved", "orders", "1", "0"]])
        for how, offset in [(["--to-earliest"], "0"), (["--to-latest"], "4"),
                            (["--to-current"], "2"), (["--to-offset", "3"], "3"),
                            (["--to-offset", "99"], "4"), (["--shift-by", "-1"], "1"),
                            (["--shift-by", "99"], "4"), (["--by-duration", "P1D"], "0"),
                            (["--to-datetime", "2040-01-01T00:00:00.000"], "4")]:
            plan = [row for row in self.reset("moved", *how, "--dry-run") if row[0] == "moved"]
            self.assertEqual(plan[0], ["moved", "orders", "0", offset], how)
            self.assertEqual(self.committed("moved"), {0: 2, 1: 0}, f"{how} changed something")
        self.reset("moved", "--to-latest", "--execute")
        self.assertEqual(self.committed("moved"), {0: 4, 1: 0})

    def test_an_exported_plan_brings_offsets_back(self):
        self.reset("saved", "--to-offset", "1", "--execute")
        saved = self.groups("--group", "saved", "--reset-offsets", "--to-current", "--all-topics",
                            "--export", "--dry-run")
        self.assertEqual(saved, "orders,0,1\norders,1,0\n\n")
        self.reset("saved", "--to-latest", "--execute")
        with tempfile.TemporaryDirectory(prefix="arus-groups-") as folder:
            path = pathlib.Path(folder) / "plan.csv"
            path.write_text(saved)
            self.groups("--group", "saved", "--reset-offsets", "--from-file", str(path),
                        "--execute")
            self.assertEqual(self.committed("saved"), {0: 1, 1: 0})
            self.reset("saved", "--to-latest", "--execute")
            status, _, err = self.arus("group", "reset", "saved", "--from-file", str(path),
                                       "--execute")
            self.assertEqual(status, 0, err)
        self.assertEqual(self.committed("saved"), {0: 1, 1: 0})

    def test_lag_is_counted_and_aged(self):
        self.reset("late", "--to-offset", "1", "--execute")
        status, out, err = self.arus("group", "describe", "late", "--json")
        self.assertEqual(status, 0, err)
        group = json.loads(out)[0]
        self.assertEqual((group["state"], group["lag"]), ("Empty", 3))
        self.assertGreater(group["lag_ms"], 0)
        by_number = {row["partition"]: row for row in group["partitions"]}
        self.assertEqual((by_number[1]["lag"], by_number[1]["lag_ms"]), (0, 0))

    def test_offsets_and_groups_are_deleted(self):
        self.reset("gone", "--to-earliest", "--execute")
        self.assertIn("Request succeeded for deleting offsets from group gone.",
                      self.groups("--group", "gone", "--delete-offsets", "--topic", "orders:0"))
        self.assertEqual(self.committed("gone"), {1: 0})
        self.assertEqual(self.groups("--group", "gone", "--delete"),
                         "Deletion of requested consumer groups ('gone') was successful.\n")
        self.assertNotIn("gone", self.groups("--list").split())
        self.assertIn("GroupIdNotFoundException: Group gone not found.",
                      self.groups("--group", "gone", "--describe"))

    def committed(self, group):
        return {int(row[2]): int(row[3])
                for row in rows(self.groups("--group", group, "--describe")) if row[0] == group}


if __name__ == "__main__":
    unittest.main()
