"""A small disk that fills up: faults.md, row 8."""
import unittest

import confluent_kafka as ck

from tests.faults.disks import STORAGE_ERROR, DiskServer, Producing, SmallDisk, until

VALUE = bytes(range(256)) * 200


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.disk = SmallDisk(32)
        self.addCleanup(self.disk.close)
        self.server = DiskServer([f"{self.disk.inside}/data"], self.disk.enter)
        self.addCleanup(self.server.__exit__)
        self.server.start()

    def fill(self, producing):
        """Until the producer is refused."""
        for i in range(1000):
            code = producing.send(b"%06d" % i + VALUE)
            if code != 0:
                self.assertEqual(code, STORAGE_ERROR, self.server.tail())
                return
        self.fail("it was never full")

    def commits(self, consumer, offset):
        try:
            consumer.commit(offsets=[ck.TopicPartition("filled", 0, offset)], asynchronous=False)
            return True
        except ck.KafkaException:  # the coordinator is not known yet
            return False

    def test_fault_08_producers_are_refused_and_all_else_goes_on(self):
        server = self.server
        server.create("filled", segment_bytes="1048576", file_delete_delay_ms="0")
        server.create("doomed", segment_bytes="1048576", file_delete_delay_ms="0")
        doomed = Producing(server, "doomed")
        for i in range(60):
            self.assertEqual(doomed.send(b"%d" % i + VALUE), 0)
        producing = Producing(server, "filled")
        self.fill(producing)
        self.assertGreater(self.disk.free_bytes(), 500_000, "the reserve is gone")
        # It is refused at once, and again.
        self.assertEqual(producing.send(VALUE), STORAGE_ERROR)
        self.assertLess(producing.took_s, 2)
        # Readers, their offsets, and metadata go on.
        self.assertEqual(server.read("filled"), producing.acked)
        consumer = server.consumer("committing")
        self.assertTrue(until(lambda: self.commits(consumer, 7), 15), self.server.tail())
        self.assertEqual(consumer.committed([ck.TopicPartition("filled", 0)], 10)[0].offset, 7)
        consumer.close()
        server.create("another")
        self.assertIn("full but for the reserve", server.arus("why", "disk"))
        # Deleting a topic gives space, and then records are taken by themselves.
        server.delete("doomed")
        self.assertTrue(until(lambda: producing.send(b"back" + VALUE) == 0, 15))
        self.fill(producing)
        kept = len(producing.acked)
        server.delete_records("filled", 0, kept // 2)
        self.assertTrue(until(lambda: producing.send(b"again" + VALUE) == 0, 15))
        self.assertEqual(server.read("filled")[-1], producing.acked[-1])
        self.assertIn("It works.", server.arus("why", "disk"))
        self.assertEqual(server.stop(), 0)

    def test_fault_08_a_restart_on_a_disk_that_something_else_has_filled(self):
        server = self.server
        server.create("filled", segment_bytes="1048576", file_delete_delay_ms="0")
        producing = Producing(server, "filled")
        self.fill(producing)
        ballast = self.disk.seen / "data" / "arus-reserve"
        self.assertTrue(until(ballast.exists), "no part of the reserve is a file")
        server.kill()
        self.disk.fill()
        self.assertEqual(self.disk.free_bytes(), 0)
        server.start()
        self.assertEqual(server.read("filled"), producing.acked)
        self.assertEqual(producing.send(VALUE), STORAGE_ERROR)
        server.delete_records("filled", 0, len(producing.acked) // 2)
        self.assertTrue(until(lambda: producing.send(b"back" + VALUE) == 0, 15))
        self.fill(producing)
        self.disk.fill("more")
        # Nothing is left at all; when the others have gone, it goes on by itself.
        (self.disk.seen / "other").unlink()
        (self.disk.seen / "more").unlink()
        self.assertTrue(until(lambda: producing.send(b"at last" + VALUE) == 0, 15))
        self.assertEqual(server.read("filled")[-1], producing.acked[-1])
        self.assertEqual(server.stop(), 0)

    def test_fault_08_retention_gives_space_back(self):
        server = self.server
        server.kill()
        with open(server.properties, "a", encoding="utf-8") as properties:
            properties.write("log.retention.check.interval.ms=500\n"
                             "log.initial.task.delay.ms=500\n")
        server.start()
        server.create("bounded", segment_bytes="1048576", file_delete_delay_ms="0")
        producing = Producing(server, "bounded")
        self.fill(producing)
        server.arus("config", "set", "topic", "bounded", "--set",
                    "retention.bytes=4194304")
        self.assertTrue(until(lambda: producing.send(b"back" + VALUE) == 0, 20))
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
