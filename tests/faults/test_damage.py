"""Faults 3, 4 and 5 on the real binary.

Copies of a directory used under load, with torn and flipped bytes, go through a start, readers,
`arus verify`, its repair, and another start.
"""
import random
import re
import time
import unittest
import urllib.request

from tests.faults.directories import (PARTITIONS, TOPIC, UsedDirectory, arus, batches, files, flip,
                                      read, verify)
from tests.harness.server import Server, free_port

SECTOR = 512


class DamageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.used = UsedDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.used.remove()

    def check_acknowledged(self, server, partition):
        """All that was acknowledged is there in order, and no offset is missing."""
        records = read(server, partition)
        self.assertIsInstance(records, list, records)
        self.assertEqual([offset for offset, _ in records], list(range(len(records))))
        expected = self.used.acknowledged[partition]
        self.assertEqual([value for _, value in records[:len(expected)]], expected)
        return records

    def assert_nothing_is_wrong(self, directory):
        status, reports, err = verify(directory)
        self.assertEqual((status, reports[0]["errors"], reports[0]["warnings"]), (0, 0, 0),
                         (reports[0]["findings"], err))
        return reports[0]

    def test_fault_03_torn_write(self):
        """The tail is cut at the last whole batch; nothing acknowledged is lost."""
        whole = files(self.used.image, 0, ".log")[-1].stat().st_size
        lengths = [whole - 1] + [length for length in range(whole - whole % SECTOR, 0, -SECTOR)]
        for length in lengths[:4]:
            with self.subTest(length=length):
                copy = self.used.copy(f"torn-{length}")
                with open(files(copy, 0, ".log")[-1], "r+b") as log:
                    log.truncate(length)
                report = self.assert_nothing_is_wrong(copy)
                self.assertFalse(report["stopped_in_order"])
                with Server(data=copy) as server:
                    for partition in range(PARTITIONS):
                        self.check_acknowledged(server, partition)
                    self.assertEqual(server.stop(), 0)
                report = self.assert_nothing_is_wrong(copy)
                self.assertTrue(report["stopped_in_order"])

    def test_fault_03_torn_write_of_the_commit_log(self):
        """What is torn at its end was not acknowledged: segments have all the rest."""
        copy = self.used.copy("torn-commit-log")
        laps = sorted(copy.glob("arus-commit-log-*"))
        self.assertTrue(laps)
        data = bytearray(laps[0].read_bytes())
        end = len(data.rstrip(b"\0"))
        data[end - SECTOR:end] = bytes(SECTOR)
        laps[0].write_bytes(bytes(data))
        self.assert_nothing_is_wrong(copy)
        with Server(data=copy) as server:
            for partition in range(PARTITIONS):
                self.check_acknowledged(server, partition)

    def damage_a_sealed_segment(self, name):
        copy = self.used.stopped_in_order(name)
        path = files(copy, 0, ".log")[1]
        places = batches(path)
        flip(path, places[len(places) // 2] + 70, 3)  # behind the header
        return copy, path

    def test_fault_04_bit_flip_in_a_sealed_segment(self):
        """It is found, served to nobody, and nothing else is touched."""
        copy, path = self.damage_a_sealed_segment("flipped")
        before = path.read_bytes()
        status, reports, _ = verify(copy)
        self.assertEqual((status, reports[0]["errors"]), (1, 1), reports[0]["findings"])
        finding = reports[0]["findings"][0]
        self.assertEqual(finding["file"], str(path))
        self.assertIn("CORRUPT_MESSAGE", finding["at_start"])
        damaged = finding["offset"]
        with Server(data=copy) as server:
            records = read(server, 0)
            self.assertIsNone(records[0], "damage was served")
            self.assertIn("CORRUPT_MESSAGE", records[2])
            self.assertEqual([offset for offset, _ in records[1]], list(range(damaged)))
            for partition in range(1, PARTITIONS):
                self.check_acknowledged(server, partition)
            # The batch's last offset is known to verify; behind it everything is served.
            last = int(re.search(r"offsets \d+ to (\d+)", finding["problem"]).group(1))
            behind = read(server, 0, last + 1)
            self.assertIsInstance(behind, list, behind)
            self.assertEqual(behind[0][0], last + 1)
            status, _, err = arus("produce", TOPIC, "-p", "0", "-b", server.address, stdin="new\n")
            self.assertEqual(status, 0, err)
            self.assertIn(f"the batch at byte {finding['position']}, offset {damaged}, is damaged",
                          server.log.read_text())
            self.assertEqual(server.stop(), 0)
        self.assertEqual(path.read_bytes(), before)

    def test_fault_04_the_scrub_finds_it_without_a_reader(self):
        copy, path = self.damage_a_sealed_segment("scrubbed")
        metrics = f"127.0.0.1:{free_port()}"
        with Server("--metrics-listen", metrics, "--override", "log.initial.task.delay.ms=10",
                    data=copy) as server:
            deadline = time.monotonic() + 15
            text = ""
            while "arus_log_damaged_batches 1" not in text and time.monotonic() < deadline:
                time.sleep(0.05)
                with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=5) as answer:
                    text = answer.read().decode()
            self.assertIn("arus_log_damaged_batches 1", text)
            self.assertIn("arus_log_damaged_partitions 1", text)
            self.assertIn(str(path), server.log.read_text())

    def test_fault_04_repair(self):
        """Without being asked to cut it changes nothing; a cut loses what it says, and keeps it."""
        copy, path = self.damage_a_sealed_segment("repaired")
        before = {each: each.read_bytes() for each in copy.rglob("*") if each.is_file()}
        status, _, err = arus("verify", str(copy), "--repair", "--yes")
        self.assertEqual(status, 1)
        self.assertIn("nothing to repair without --cut-damaged", err)
        status, _, err = arus("verify", str(copy), "--repair", "--cut-damaged")
        self.assertEqual(status, 1)
        self.assertIn("Nothing was changed: there is no terminal to ask on", err)
        after = {each: each.read_bytes() for each in copy.rglob("*") if each.is_file()}
        self.assertEqual(before, after)
        status, out, err = arus("verify", str(copy), "--repair", "--cut-damaged", "--yes")
        self.assertEqual(status, 0, out + err)
        lost = re.search(r"cut orders-0 at offset (\d+): offsets \1 to (\d+) are LOST to readers; "
                         r"(\d+) bytes", err)
        self.assertIsNotNone(lost, err)
        kept = sum(each.stat().st_size for each in (copy / f"{TOPIC}-0").glob("*.log*.cut"))
        self.assertEqual(kept, int(lost.group(3)))
        with Server(data=copy) as server:
            records = read(server, 0)
            self.assertEqual([offset for offset, _ in records], list(range(int(lost.group(1)))))
            for partition in range(1, PARTITIONS):
                self.check_acknowledged(server, partition)
            status, _, err = arus("produce", TOPIC, "-p", "0", "-b", server.address, stdin="new\n")
            self.assertEqual(status, 0, err)
            self.assertEqual(server.stop(), 0)
        self.assert_nothing_is_wrong(copy)

    def test_fault_04_bit_flip_in_the_metadata_log(self):
        """To cut it there would lose topics that clients were told of: the server refuses."""
        copy = self.used.stopped_in_order("metadata")
        path = copy / "__cluster_metadata-0" / "00000000000000000000.log"
        places = batches(path)
        flip(path, places[len(places) // 4] + 70)
        before = path.read_bytes()
        server = Server(data=copy)
        self.addCleanup(server.__exit__)
        with self.assertRaisesRegex(RuntimeError, "nothing was cut"):
            server.start()
        self.assertEqual(path.read_bytes(), before)
        status, reports, _ = verify(copy)
        self.assertEqual((status, reports[0]["errors"]), (1, 1), reports[0]["findings"])
        finding = reports[0]["findings"][0]
        self.assertEqual((finding["file"], finding["position"]),
                         (str(path), places[len(places) // 4]))

    def answers(self, server):
        """What clients can ask of the topic."""
        found = {partition: self.check_acknowledged(server, partition)
                 for partition in range(PARTITIONS)}
        middle = read(server, 0, 75)
        status, out, err = arus("offsets", TOPIC, "--json", "--time", "1000", "-b", server.address)
        self.assertEqual(status, 0, err)
        return found, middle, sorted(out.splitlines())

    def test_fault_05_bit_flips_beside_the_log(self):
        """Indexes, snapshots and checkpoints are made again; clients get the same answers."""
        chance = random.Random(5)
        for name in ("killed", "stopped"):
            plain = (self.used.copy if name == "killed" else self.used.stopped_in_order)(name)
            with Server(data=plain) as server:
                expected = self.answers(server)
            for round_ in range(2):
                with self.subTest(directory=name, round=round_):
                    make = self.used.copy if name == "killed" else self.used.stopped_in_order
                    copy = make(f"{name}-{round_}")
                    flipped = self.flip_beside_the_log(copy, chance)
                    self.assertGreater(flipped, 10)
                    with Server(data=copy) as server:
                        self.assertEqual(self.answers(server), expected)
                        self.assertEqual(server.stop(), 0)
                    status, out, err = arus("verify", str(copy), "--repair", "--yes")
                    self.assertEqual(status, 0, out + err)
                    with Server(data=copy) as server:
                        self.assertEqual(self.answers(server), expected)

    @staticmethod
    def flip_beside_the_log(copy, chance):
        endings = ("index", ".snapshot", "leader-epoch-checkpoint", "-offset-checkpoint")
        flipped = 0
        for path in sorted(copy.rglob("*")):
            if path.is_file() and path.name.endswith(endings) and path.stat().st_size > 0:
                flip(path, chance.randrange(path.stat().st_size), chance.randrange(8))
                flipped += 1
        return flipped

    def test_a_directory_in_use_is_refused(self):
        with Server(data=self.used.copy("in-use")) as server:
            status, out, err = arus("verify", str(server.data))
            self.assertEqual((status, out), (2, ""))
            self.assertIn("is in use by a server", err)


if __name__ == "__main__":
    unittest.main()
