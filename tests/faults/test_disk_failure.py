"""Disks that fail and stall under a server with two log directories: faults.md, rows 6, 7, 14."""
import pathlib
import shutil
import tempfile
import threading
import time
import unittest
import urllib.request

from tests.faults.disks import (STORAGE_ERROR, TIMED_OUT, Broken, DiskServer, Producing,
                                commit_logs, until)


class TwoDirectories(unittest.TestCase):
    """The first directory has the metadata log; the second one is the one that suffers."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="arus-disks-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.directories = [self.folder / "a", self.folder / "b"]
        self.server = DiskServer(self.directories)
        self.addCleanup(self.server.__exit__)
        self.server.start()
        self.server.create("spread", 4)
        places = [self.server.place_of(f"spread-{p}") for p in range(4)]
        self.assertEqual(sorted(places), [0, 0, 1, 1])
        self.good, self.bad = places.index(0), places.index(1)

    def producing(self, partition, **options):
        return Producing(self.server, "spread", partition, **options)

    def warm(self, *producing):
        for each in producing:
            for i in range(20):
                self.assertEqual(each.send(b"warm %d" % i), 0)

    def metric(self, name, directory):
        page = urllib.request.urlopen(f"http://127.0.0.1:{self.server.metrics}/metrics", timeout=5)
        wanted = f'{name}{{directory="{directory}"}} '
        for line in page.read().decode().splitlines():
            if line.startswith(wanted):
                return float(line[len(wanted):])
        return None

    def check_offline(self, on_bad, on_good):
        server, bad = self.server, str(self.directories[1])
        self.assertEqual(on_bad.send(b"never"), STORAGE_ERROR)
        self.assertEqual(on_good.send(b"goes on"), 0)
        self.assertEqual({path: error for path, (error, _) in server.log_dirs().items()},
                         {str(self.directories[0]): None, bad: "KAFKA_STORAGE_ERROR"})
        self.assertEqual(self.metric("arus_log_directory_offline", bad), 1)
        self.assertEqual(self.metric("arus_log_directory_offline", self.directories[0]), 0)
        self.assertIn(f"{bad} goes offline", server.log.read_text())
        self.assertIn("offline", server.arus("why", "disk"))
        # What is there can be read, and new partitions come to the other one.
        self.assertEqual(server.read("spread", self.bad), on_bad.acked)
        server.create("later", 3)
        self.assertEqual({server.place_of(f"later-{p}") for p in range(3)}, {0})
        late = Producing(server, "later")
        self.assertEqual(late.send(b"x"), 0)

    def check_restart(self, on_bad, on_good):
        self.server.kill()
        self.server.start()
        found = self.server.read("spread", self.bad)
        self.assertEqual(found[:len(on_bad.acked)], on_bad.acked)
        self.assertEqual(self.server.read("spread", self.good), on_good.acked)
        self.assertEqual(on_bad.send(b"after"), 0)

    def test_fault_06_a_failed_flush_is_never_taken_for_one_that_worked(self):
        on_good, on_bad = self.producing(self.good), self.producing(self.bad)
        self.warm(on_good, on_bad)
        with Broken(self.server, "fdatasync", "error=EIO:when=1", commit_logs(self.directories[1])):
            self.assertEqual(on_bad.send(b"lost"), STORAGE_ERROR)
            self.assertEqual(on_bad.send(b"lost too"), STORAGE_ERROR)
        self.check_offline(on_bad, on_good)
        self.check_restart(on_bad, on_good)

    def test_fault_06_a_failed_flush_of_everything_at_the_end_of_a_lap(self):
        on_good, on_bad = self.producing(self.good), self.producing(self.bad)
        self.warm(on_good, on_bad)
        # So many segments that one flush of the file system ends a lap of the commit log.
        partitions = 600
        self.server.create("wide", partitions)
        outcomes, acked = {0}, set()

        def note(error, message):
            outcomes.add(error.code() if error else 0)
            if not error:
                acked.add(message.value())

        with Broken(self.server, "syncfs", "error=EIO", [self.directories[1]]):
            for i in range(40):
                for p in range(partitions):
                    on_good.producer.produce("wide", b"%d %d " % (i, p) + bytes(8000), partition=p,
                                             on_delivery=note)
                on_good.producer.flush(40)
                if STORAGE_ERROR in outcomes:
                    break
        self.assertEqual(outcomes, {0, STORAGE_ERROR})
        self.check_offline(on_bad, on_good)
        self.check_restart(on_bad, on_good)
        self.assertEqual(acked - self.server.read_all("wide", partitions), set())

    def test_fault_06_a_failed_write(self):
        on_good, on_bad = self.producing(self.good), self.producing(self.bad)
        self.warm(on_good, on_bad)
        segment = self.directories[1] / f"spread-{self.bad}" / "00000000000000000000.log"
        with Broken(self.server, "pwritev", "error=EIO", [segment]):
            self.assertEqual(on_bad.send(b"lost"), STORAGE_ERROR)
        self.check_offline(on_bad, on_good)
        self.check_restart(on_bad, on_good)

    def test_fault_06_the_metadata_log_fails_with_its_directory(self):
        on_good, on_bad = self.producing(self.good), self.producing(self.bad)
        self.warm(on_good, on_bad)
        metadata = self.directories[0] / "__cluster_metadata-0" / "00000000000000000000.log"
        with Broken(self.server, "fdatasync", "error=EIO:when=1", [metadata]):
            with self.assertRaises(Exception):
                self.server.create("refused")
        with self.assertRaises(Exception):
            self.server.create("refused again")
        self.assertEqual(on_good.send(b"never"), STORAGE_ERROR)
        self.assertEqual(on_bad.send(b"goes on"), 0)
        self.assertEqual(self.server.read("spread", self.good), on_good.acked)

    def test_fault_07_a_failed_read_is_that_fetch_only(self):
        on_good, on_bad = self.producing(self.good), self.producing(self.bad)
        self.warm(on_good, on_bad)
        segment = self.directories[1] / f"spread-{self.bad}" / "00000000000000000000.log"
        with Broken(self.server, "pread64,preadv2", "error=EIO", [segment]):
            self.assertEqual(self.server.read("spread", self.bad, limit_s=3), [])
            self.assertEqual(self.server.read("spread", self.good), on_good.acked)
        self.assertEqual(self.server.read("spread", self.bad), on_bad.acked)
        self.assertEqual(on_bad.send(b"as before"), 0)
        self.assertEqual(self.metric("arus_log_directory_offline", self.directories[1]), 0)

    def test_fault_14_a_stalled_disk_holds_up_nobody_else(self):
        on_good, on_bad = self.producing(self.good), self.producing(self.bad)
        self.warm(on_good, on_bad)
        before = self.server.resident_mib()
        end = threading.Event()
        self.addCleanup(end.set)
        flood = [threading.Thread(target=self.flood, args=(end,), daemon=True) for _ in range(3)]
        stall = Broken(self.server, "fdatasync,pwritev,pread64", "delay_enter=30000000",
                       [*commit_logs(self.directories[1]),
                        self.directories[1] / f"spread-{self.bad}" / "00000000000000000000.log"])
        with stall:
            for thread in flood:
                thread.start()
            self.assertTrue(until(lambda: self.metric("arus_log_directory_stalled",
                                                      self.directories[1]) == 1, 10))
            self.assertIn("does not answer", self.server.arus("why", "disk"))
            # Refused in time, while the other directory takes and gives.
            self.assertTrue(until(lambda: on_bad.send(b"late") == TIMED_OUT and
                                  on_bad.took_s < 1, 25))
            slowest = 0
            for i in range(50):
                self.assertEqual(on_good.send(b"live %d" % i), 0)
                slowest = max(slowest, on_good.took_s)
            self.assertLess(slowest, 2)
            self.assertEqual(self.server.read("spread", self.good), on_good.acked)
            self.assertLess(self.server.resident_mib() - before, 200)
            end.set()
        for thread in flood:
            thread.join(60)
        self.assertTrue(until(lambda: on_bad.send(b"again") == 0, 30))
        self.assertTrue(until(lambda: self.metric("arus_log_directory_stalled",
                                                  self.directories[1]) == 0, 10))
        found = self.server.read("spread", self.bad)
        self.assertTrue(set(on_bad.acked) <= set(found))

    def flood(self, end):
        flooding = self.producing(self.bad, timeout_ms=3000)
        while not end.is_set():
            flooding.send(bytes(500_000))
            time.sleep(0.1)  # a server under strace is slow


class BadStarts(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="arus-disks-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.directories = [self.folder / name for name in "abc"]
        self.server = DiskServer(self.directories)
        self.addCleanup(self.server.__exit__)

    def test_a_directory_that_cannot_be_opened_does_not_stop_the_others(self):
        server = self.server
        server.start()
        server.create("spread", 6)
        acked = {}
        for p in range(6):
            producing = Producing(server, "spread", p)
            self.assertEqual(producing.send(b"x%d" % p), 0)
            acked[p] = producing.acked
        places = {p: server.place_of(f"spread-{p}") for p in range(6)}
        self.assertEqual(sorted(places.values()), [0, 0, 1, 1, 2, 2])
        self.assertEqual(server.stop(), 0)
        told = server.arus("why", "disk", str(self.directories[1]))
        self.assertIn("It was stopped cleanly.", told)
        self.assertIn("spread", told)
        away = self.folder / "away"
        self.directories[2].rename(away)
        self.directories[2].write_text("no directory")
        server.start()
        self.assertEqual(server.log_dirs()[str(self.directories[2])],
                         ("KAFKA_STORAGE_ERROR", {}))
        for p in range(6):
            code = Producing(server, "spread", p).send(b"y")
            self.assertEqual(code, STORAGE_ERROR if places[p] == 2 else 0)
        server.create("new", 4)
        self.assertEqual({server.place_of(f"new-{p}") for p in range(4)}, {0, 1})
        self.assertEqual(server.stop(), 0)
        # The disk comes back with all that it had.
        self.directories[2].unlink()
        away.rename(self.directories[2])
        server.start()
        for p in range(6):
            expected = acked[p] + ([] if places[p] == 2 else [b"y"])
            self.assertEqual(server.read("spread", p), expected)
            self.assertEqual(server.place_of(f"spread-{p}"), places[p])
        self.assertEqual(server.stop(), 0)

    def test_without_any_directory_there_is_no_start(self):
        for directory in self.directories:
            directory.write_text("no directory")
        with self.assertRaises(RuntimeError):
            self.server.start()


if __name__ == "__main__":
    unittest.main()
