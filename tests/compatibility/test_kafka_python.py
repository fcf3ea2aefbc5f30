"""kafka-python, unchanged, against a real server."""
import json
import time
import unittest
import uuid

import msgpack
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from tests.harness.server import Server

CODECS = [None, "gzip", "snappy", "lz4", "zstd"]


class KafkaPython(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def setUp(self):
        self.topic = f"python-{uuid.uuid4().hex[:8]}"

    def producer(self, **options):
        producer = KafkaProducer(bootstrap_servers=self.server.address, **options)
        self.addCleanup(producer.close)
        return producer

    def consumer(self, *topics, **options):
        options.setdefault("consumer_timeout_ms", 3000)
        consumer = KafkaConsumer(*topics, bootstrap_servers=self.server.address,
                                 auto_offset_reset="earliest", **options)
        self.addCleanup(consumer.close)
        return consumer

    def assigned(self, partitions=1, **options):
        consumer = self.consumer(**options)
        consumer.assign([TopicPartition(self.topic, p) for p in range(partitions)])
        return consumer

    def create(self, partitions=1, **configs):
        admin = KafkaAdminClient(bootstrap_servers=self.server.address)
        self.addCleanup(admin.close)
        admin.create_topics([NewTopic(self.topic, partitions, 1, topic_configs=configs)])
        return admin

    def test_ten_sends_then_flush(self):
        producer = self.producer()
        self.assertTrue(producer.bootstrap_connected())
        for i in range(10):
            producer.send(self.topic, f"message {i}".encode())
        producer.flush()
        values = [record.value for record in self.consumer(self.topic)]
        self.assertEqual(values, [f"message {i}".encode() for i in range(10)])

    def test_synchronous_send_gives_offsets(self):
        producer = self.producer()
        for i in range(5):
            metadata = producer.send(self.topic, b"x").get(timeout=10)
            self.assertEqual((metadata.topic, metadata.partition, metadata.offset),
                             (self.topic, 0, i))

    def test_serializers(self):
        as_json = self.producer(key_serializer=str.encode,
                                value_serializer=lambda v: json.dumps(v).encode())
        as_json.send(self.topic, key="one", value={"name": "satu", "n": 1}).get(timeout=10)
        packed = self.producer(value_serializer=msgpack.dumps)
        packed.send(self.topic, {"n": [1, 2, 3]}).get(timeout=10)
        first, second = list(self.consumer(self.topic))
        self.assertEqual((first.key, json.loads(first.value)), (b"one", {"name": "satu", "n": 1}))
        self.assertEqual((second.key, msgpack.loads(second.value)), (None, {"n": [1, 2, 3]}))

    def test_every_codec_with_every_acks(self):
        for codec in CODECS:
            # This client never flushes what it sent with acks=0; kcat and the others cover that.
            for acks in (1, "all"):
                for partitions in (1, 6):
                    with self.subTest(codec=codec, acks=acks, partitions=partitions):
                        self.round_trip(partitions, compression_type=codec, acks=acks,
                                        enable_idempotence=False)

    def test_idempotent_producer(self):
        for codec in CODECS:
            with self.subTest(codec=codec):
                self.round_trip(2, compression_type=codec, enable_idempotence=True)

    def round_trip(self, partitions, **options):
        self.topic = f"python-{uuid.uuid4().hex[:8]}"
        self.create(partitions)
        producer = KafkaProducer(bootstrap_servers=self.server.address, linger_ms=5, **options)
        try:
            for i in range(300):
                producer.send(self.topic, partition=i % partitions, key=f"k{i}".encode(),
                              value=f"value {i}".encode(), headers=[("n", str(i).encode())],
                              timestamp_ms=1_700_000_000_000 + i)
            producer.flush(30)
        finally:
            producer.close()
        consumer = self.assigned(partitions, consumer_timeout_ms=8000)
        got = {}
        for record in consumer:
            self.assertEqual(record.offset, len(got.setdefault(record.partition, [])))
            got[record.partition].append(record)
            if sum(map(len, got.values())) == 300:
                break
        self.assertEqual(sum(map(len, got.values())), 300)
        for partition, records in got.items():
            for record in records:
                i = record.offset * partitions + partition
                self.assertEqual((record.key, record.value, record.timestamp, record.headers),
                                 (f"k{i}".encode(), f"value {i}".encode(), 1_700_000_000_000 + i,
                                  [("n", str(i).encode())]))

    def test_seek_by_offset_and_time(self):
        self.create()
        producer = self.producer(enable_idempotence=False)
        for i in range(200):
            producer.send(self.topic, str(i).encode(), timestamp_ms=1_700_000_000_000 + 10 * i)
        producer.flush()
        partition = TopicPartition(self.topic, 0)
        consumer = self.assigned()
        self.assertEqual(consumer.beginning_offsets([partition]), {partition: 0})
        self.assertEqual(consumer.end_offsets([partition]), {partition: 200})
        consumer.seek(partition, 150)
        self.assertEqual(next(consumer).offset, 150)
        found = consumer.offsets_for_times({partition: 1_700_000_000_000 + 995})
        self.assertEqual(found[partition].offset, 100)
        beyond = consumer.offsets_for_times({partition: 1_800_000_000_000})
        self.assertIsNone(beyond[partition])

    def test_waiting_fetch_wakes_when_a_record_arrives(self):
        self.create()
        consumer = self.assigned(fetch_max_wait_ms=5000)
        self.assertEqual(consumer.poll(timeout_ms=200), {})
        producer = self.producer()
        began = time.monotonic()
        producer.send(self.topic, b"now").get(timeout=10)
        records = []
        while not records and time.monotonic() - began < 4:
            records = [r for batch in consumer.poll(timeout_ms=1000).values() for r in batch]
        self.assertEqual([r.value for r in records], [b"now"])
        self.assertLess(time.monotonic() - began, 3)

    def test_admin(self):
        admin = self.create(3)
        self.assertIn(self.topic, admin.list_topics())
        described = admin.describe_topics([self.topic])[0]
        self.assertEqual(len(described["partitions"]), 3)
        admin.delete_topics([self.topic])
        self.assertNotIn(self.topic, admin.list_topics())


if __name__ == "__main__":
    unittest.main()
