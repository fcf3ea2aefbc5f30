"""Partitions that move between log directories while they serve, and servers killed meanwhile."""
import pathlib
import random
import re
import shutil
import struct
import tempfile
import time
import unittest

from tests.compatibility import jvm
from tests.compatibility.wire import Wire, text
from tests.faults.disks import DiskServer, Producing, until

RATE = "replica.alter.log.dirs.io.max.bytes.per.second"


class Moves(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="arus-disks-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.directories = [self.folder / "a", self.folder / "b"]
        self.server = DiskServer(self.directories)
        self.addCleanup(self.server.__exit__)
        self.server.start()

    def folders(self):
        """Names of what there is of the topic's partition, in both directories."""
        return [(i, entry.name) for i, directory in enumerate(self.directories)
                for entry in directory.iterdir() if entry.name.startswith("moved-0")]

    def slow_down(self, bytes_per_second):
        self.server.arus("config", "set", "brokers", "--set", f"{RATE}={bytes_per_second}")

    def move(self, target):
        """Asks for it as Kafka's kafka-reassign-partitions would."""
        body = self.request(str(self.directories[target]), "moved", 0)
        with Wire(self.server.port) as wire:
            answer = wire.ask(34, 1, body)
            answer.take("i")
            self.assertEqual(answer.take("i"), 1)
            answer.string()
            self.assertEqual(answer.take("i"), 1)
            answer.take("i")
            return answer.take("h")

    @staticmethod
    def request(path, topic, partition):
        return (struct.pack(">i", 1) + text(path) + struct.pack(">i", 1) + text(topic) +
                struct.pack(">ii", 1, partition))

    def test_kafkas_admin_client_moves_a_partition_under_load(self):
        self.server.create("moved", segment_bytes="1048576")
        self.slow_down(2_000_000)
        output = jvm.java(jvm.HERE / "java" / "MoveLogDirs.java", self.server.address, "moved",
                          60000, limit_s=200)
        claims = re.findall(r"^(ok|failed) (\S+?)(?::? (.*))?$", output, re.M)
        self.assertEqual(len(claims), 10, output)
        for verdict, name, why in claims:
            with self.subTest(name):
                self.assertEqual(verdict, "ok", why)
        self.assertTrue(until(lambda: len(self.folders()) == 1, 10), self.folders())

    def test_a_move_goes_on_after_a_kill_at_any_moment(self):
        server = self.server
        server.create("moved", segment_bytes="1048576")
        producing = Producing(server, "moved")
        chance = random.Random(5)
        for i in range(40):
            self.assertEqual(producing.send(b"%d" % i + bytes(100_000)), 0)
        for turn in range(6):
            place = server.place_of("moved-0")
            self.slow_down(chance.choice([3_000_000, 100_000_000]))
            self.assertEqual(self.move(1 - place), 0)
            end = time.monotonic() + chance.random() * 1.5
            while time.monotonic() < end:
                producing.send(b"turn %d" % turn)
            server.kill()
            server.start()
            self.assertTrue(until(lambda: server.place_of("moved-0") == 1 - place, 40),
                            (self.folders(), server.tail()))
            self.assertEqual(server.read("moved"), producing.acked)
            self.assertEqual(producing.send(b"after"), 0)
        self.assertEqual(server.stop(), 0)
        server.start()
        self.assertEqual(server.read("moved"), producing.acked)
        self.assertTrue(until(lambda: len(self.folders()) == 1, 10), self.folders())

    def test_a_stop_between_the_two_names_is_made_good(self):
        server = self.server
        server.create("moved")
        producing = Producing(server, "moved")
        for i in range(20):
            self.assertEqual(producing.send(b"%d" % i), 0)
        place = server.place_of("moved-0")
        self.assertEqual(self.move(1 - place), 0)
        self.assertTrue(until(lambda: server.place_of("moved-0") == 1 - place, 20))
        self.assertEqual(server.stop(), 0)
        live = self.directories[1 - place] / "moved-0"
        live.rename(live.with_name("moved-0." + "ab" * 16 + "-future"))
        server.start()
        self.assertEqual(server.read("moved"), producing.acked)
        self.assertEqual(server.place_of("moved-0"), 1 - place)
        self.assertEqual(self.folders(), [(1 - place, "moved-0")])

    def test_moving_to_where_it_is_ends_a_move(self):
        server = self.server
        server.create("moved")
        producing = Producing(server, "moved")
        for i in range(20):
            self.assertEqual(producing.send(bytes(100_000)), 0)
        place = server.place_of("moved-0")
        self.slow_down(100_000)
        self.assertEqual(self.move(1 - place), 0)
        self.assertTrue(until(lambda: len(self.folders()) == 2, 10))
        self.assertEqual(self.move(place), 0)
        self.assertTrue(until(lambda: self.folders() == [(place, "moved-0")], 10), self.folders())
        self.assertEqual(producing.send(b"x"), 0)
        self.assertEqual(server.read("moved"), producing.acked)
        self.assertEqual(self.move(1 - place), 0)
        server.delete("moved")
        self.assertTrue(until(lambda: self.folders() == [], 10), self.folders())

    def test_kafka_opens_what_was_moved(self):
        server = self.server
        server.create("moved")
        producing = Producing(server, "moved")
        for i in range(50):
            self.assertEqual(producing.send(b"%d" % i), 0)
        place = server.place_of("moved-0")
        self.assertEqual(self.move(1 - place), 0)
        self.assertTrue(until(lambda: server.place_of("moved-0") == 1 - place, 20))
        self.assertEqual(server.stop(), 0)
        log = self.directories[1 - place] / "moved-0" / "00000000000000000000.log"
        dumped = jvm.tool("kafka-dump-log", "--files", log, "--print-data-log")
        self.assertEqual(len(re.findall(r"payload: ", dumped)), 50)


if __name__ == "__main__":
    unittest.main()
