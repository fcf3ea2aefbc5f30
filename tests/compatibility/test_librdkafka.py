"""Debian's librdkafka against a real server, through a small client built with the tree."""
import os
import pathlib
import subprocess
import unittest

from kafka.admin import KafkaAdminClient, NewTopic

from tests.harness.server import Server

CLIENT = (pathlib.Path(os.environ["ARUS_BINARY"]).parent / "tests" / "compatibility" / "librdkafka"
          / "librdkafka_round_trip")


class Librdkafka(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.topics = 0

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def round_trip(self, partitions, records, record_bytes, *settings, **configs):
        Librdkafka.topics += 1
        topic = f"librdkafka-{self.topics}"
        admin = KafkaAdminClient(bootstrap_servers=self.server.address)
        admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])
        admin.close()
        done = subprocess.run([str(CLIENT), self.server.address, topic, str(partitions), str(records),
                               str(record_bytes), *settings], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120, check=False)
        self.assertEqual(done.stdout.decode().strip().splitlines()[-1:], ["ok"], done.stdout.decode())

    def test_every_codec_and_acks(self):
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            for acks in ("0", "1", "all"):
                for partitions in (1, 6):
                    with self.subTest(codec=codec, acks=acks, partitions=partitions):
                        self.round_trip(partitions, 2000, 60, f"compression.codec={codec}",
                                        f"acks={acks}", "linger.ms=5")

    def test_idempotent(self):
        for partitions in (1, 6):
            with self.subTest(partitions=partitions):
                self.round_trip(partitions, 5000, 40, "enable.idempotence=true",
                                "batch.num.messages=20")

    def test_hundred_thousand_small_records(self):
        self.round_trip(6, 100_000, 20, "linger.ms=5", "acks=all")

    def test_ten_megabyte_records(self):
        self.round_trip(1, 4, 10_000_000, **{"max.message.bytes": "12000000"})

    def test_small_segments(self):
        self.round_trip(1, 20_000, 400, "linger.ms=5", "batch.num.messages=50",
                        **{"segment.bytes": "1048576", "index.interval.bytes": "1000"})


if __name__ == "__main__":
    unittest.main()
