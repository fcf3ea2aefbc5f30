"""What no member and no transactional producer should send: Kafka's codes, bounded memory, and
neighbours that notice nothing."""
import struct
import unittest

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from tests.compatibility.test_bad_input import batch
from tests.compatibility.wire import Wire, text
from tests.harness.server import Server

RESIDENT_LIMIT_MIB = 400

PRODUCE, FIND_COORDINATOR, JOIN_GROUP, OFFSET_COMMIT, HEARTBEAT_848 = 0, 10, 11, 8, 68
INIT_PRODUCER_ID, ADD_PARTITIONS, END_TXN = 22, 24, 26
MEMBER_ID_REQUIRED, INVALID_REGULAR_EXPRESSION = 79, 128
INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, INVALID_PRODUCER_ID_MAPPING = 47, 48, 49
OUT_OF_ORDER_SEQUENCE_NUMBER = 45
TRANSACTIONAL = 16


def compact(value):
    return bytes([len(value) + 1]) + value.encode()


def many(wire, key, version, bodies, most=100):
    """Pipelines requests, at most so many at a time; gives a cursor for each answer."""
    for first in range(0, len(bodies), most):
        part = bodies[first:first + most]
        for body in part:
            wire.send(key, version, body)
        for _ in part:
            yield wire.answer()


class BadGroups(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--override", "offsets.topic.num.partitions=5", "--override",
                            "transaction.state.log.num.partitions=5").start()
        admin = KafkaAdminClient(bootstrap_servers=cls.server.address)
        admin.create_topics([NewTopic("target", 1, 1)])
        admin.close()
        with Wire(cls.server.port) as wire:  # makes both internal topics
            for kind in (0, 1):
                while True:
                    answer = wire.ask(FIND_COORDINATOR, 1, text("first") + bytes([kind]))
                    answer.take("i")
                    if answer.take("h") == 0:
                        break

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()

    def tearDown(self):
        self.assertLess(self.server.resident_mib(), RESIDENT_LIMIT_MIB)
        producer = KafkaProducer(bootstrap_servers=self.server.address)
        producer.send("target", b"alive").get(timeout=10)
        producer.close()
        consumer = KafkaConsumer("target", bootstrap_servers=self.server.address,
                                 group_id=f"neighbour-{self.id()}", auto_offset_reset="earliest",
                                 consumer_timeout_ms=10000)
        self.assertEqual(next(consumer).value, b"alive")
        consumer.close()

    def join(self, group, member="", metadata=b"m"):
        return (text(group) + struct.pack(">ii", 6000, 6000) + text(member)
                + struct.pack(">h", -1) + text("consumer") + struct.pack(">i", 1) + text("range")
                + struct.pack(">i", len(metadata)) + metadata)

    def commit(self, group, metadata=""):
        return (text(group) + struct.pack(">i", -1) + text("") + struct.pack(">q", -1)
                + struct.pack(">i", 1) + text("target") + struct.pack(">iiq", 1, 0, 7)
                + text(metadata))

    def commit_code(self, answer):
        answer.take("i")
        answer.string()
        answer.take("i")
        answer.take("i")
        return answer.take("h")

    def test_joins_without_end(self):
        with Wire(self.server.port) as wire:
            for answer in many(wire, JOIN_GROUP, 5, [self.join("flooded")] * 20_000):
                answer.take("i")
                self.assertIn(answer.take("h"), (MEMBER_ID_REQUIRED, 81))  # 81: too many members

    def test_metadata_of_many_megabytes(self):
        with Wire(self.server.port) as wire:
            answer = wire.ask(JOIN_GROUP, 5, self.join("heavy", metadata=bytes(50 << 20)))
            answer.take("i")
            self.assertNotEqual(answer.take("h"), 0)

    def test_a_group_id_of_32_kilobytes(self):
        with Wire(self.server.port) as wire:
            self.assertEqual(self.commit_code(wire.ask(OFFSET_COMMIT, 2, self.commit("g" * 32767))),
                             0)
            answer = wire.ask(OFFSET_COMMIT, 2, self.commit("g", metadata="m" * 5000))
            self.assertEqual(self.commit_code(answer), 12)  # OFFSET_METADATA_TOO_LARGE

    def test_ten_thousand_groups(self):
        with Wire(self.server.port) as wire:
            bodies = [self.commit(f"many-{i}") for i in range(10_000)]
            for answer in many(wire, OFFSET_COMMIT, 2, bodies):
                self.assertEqual(self.commit_code(answer), 0)

    def test_expressions_that_would_explode(self):
        def heartbeat(wire, group, regex):
            body = (compact(group) + compact("member-1") + struct.pack(">i", 0) + b"\0\0"
                    + struct.pack(">i", 60000) + b"\0" + compact(regex) + b"\0\1\0")
            answer = wire.ask(HEARTBEAT_848, 1, body, flexible=True)
            answer.skip_tags()
            answer.take("i")
            return answer.take("h")

        with Wire(self.server.port) as wire:
            for i, regex in enumerate(("(x+x+)+y", "(a*)*b", "((a{1,9}){1,9}){1,9}")):
                self.assertIn(heartbeat(wire, f"regex-{i}", regex), (0, INVALID_REGULAR_EXPRESSION))
            self.assertEqual(heartbeat(wire, "regex-bad", "("), INVALID_REGULAR_EXPRESSION)

    def init(self, wire, transactional_id):
        answer = wire.ask(INIT_PRODUCER_ID, 0, text(transactional_id) + struct.pack(">i", 60000))
        answer.take("i")
        self.assertEqual(answer.take("h"), 0)
        return answer.take("q"), answer.take("h")

    def end(self, wire, transactional_id, producer, epoch, commit=True):
        answer = wire.ask(END_TXN, 0, text(transactional_id)
                          + struct.pack(">qh?", producer, epoch, commit))
        answer.take("i")
        return answer.take("h")

    def add(self, wire, transactional_id, producer, epoch, topic="target"):
        answer = wire.ask(ADD_PARTITIONS, 0, text(transactional_id)
                          + struct.pack(">qhi", producer, epoch, 1) + text(topic)
                          + struct.pack(">ii", 1, 0))
        answer.take("i")
        answer.take("i")
        answer.string()
        answer.take("i")
        answer.take("i")
        return answer.take("h")

    def test_forged_and_repeated_ends_of_transactions(self):
        with Wire(self.server.port) as wire:
            producer, epoch = self.init(wire, "forged")
            self.assertEqual(self.add(wire, "forged", producer, epoch), 0)
            self.assertEqual(self.end(wire, "forged", producer + 1, epoch),
                             INVALID_PRODUCER_ID_MAPPING)
            self.assertEqual(self.end(wire, "forged", producer, epoch + 1), INVALID_PRODUCER_EPOCH)
            self.assertEqual(self.end(wire, "nobody", producer, epoch), INVALID_PRODUCER_ID_MAPPING)
            self.assertEqual(self.end(wire, "forged", producer, epoch), 0)
            codes = set()
            for _ in range(1000):
                codes.add(self.end(wire, "forged", producer, epoch))
            self.assertLessEqual(codes, {0, 51})  # 51: the markers are being written
            while (code := self.end(wire, "forged", producer, epoch, commit=False)) == 51:
                pass
            self.assertEqual(code, INVALID_TXN_STATE)
            again, later = self.init(wire, "forged")
            self.assertEqual((again, later), (producer, epoch + 1))
            self.assertEqual(self.add(wire, "forged", producer, epoch), INVALID_PRODUCER_EPOCH)

    def write(self, wire, transactional_id, producer, sequence):
        records = batch(attributes=TRANSACTIONAL, producer=producer, base_sequence=sequence)
        body = (text(transactional_id) + struct.pack(">hii", -1, 10000, 1) + text("ends")
                + struct.pack(">iii", 1, 0, len(records)) + records)
        answer = wire.ask(PRODUCE, 7, body)
        answer.take("i")
        answer.string()
        answer.take("i")
        answer.take("i")
        return answer.take("h"), answer.take("q")

    def test_delayed_duplicated_and_reordered_requests_across_connections(self):
        admin = KafkaAdminClient(bootstrap_servers=self.server.address)
        admin.create_topics([NewTopic("ends", 1, 1)])
        admin.close()
        name = "reordered"
        with Wire(self.server.port) as one, Wire(self.server.port) as two:
            producer, epoch = self.init(one, name)
            self.assertEqual(self.write(two, name, producer, 0)[0], INVALID_TXN_STATE)
            self.assertEqual(self.add(one, name, producer, epoch, "ends"), 0)
            self.assertEqual(self.write(two, name, producer, 0), (0, 0))
            self.assertEqual(self.write(one, name, producer, 0), (0, 0))
            self.assertEqual(self.write(one, name, producer, 2)[0], OUT_OF_ORDER_SEQUENCE_NUMBER)
            self.assertEqual(self.write(two, name, producer, 1), (0, 1))
            self.assertEqual(self.end(one, name, producer, epoch), 0)
            while self.end(two, name, producer, epoch) == 51:
                pass
            # What comes late belongs to no transaction, be it new or a duplicate.
            for sequence in (1, 2):
                self.assertEqual(self.write(two, name, producer, sequence)[0], INVALID_TXN_STATE)
            self.assertEqual(self.end(two, name, producer, epoch, commit=False), INVALID_TXN_STATE)
        consumer = KafkaConsumer("ends", bootstrap_servers=self.server.address,
                                 auto_offset_reset="earliest", consumer_timeout_ms=2000,
                                 isolation_level="read_committed")
        self.assertEqual([record.offset for record in consumer], [0, 1])
        consumer.close()

    def test_producer_ids_without_end(self):
        body = struct.pack(">hi", -1, 60000)
        seen = set()
        with Wire(self.server.port) as wire:
            for answer in many(wire, INIT_PRODUCER_ID, 0, [body] * 100_000):
                answer.take("i")
                self.assertEqual(answer.take("h"), 0)
                seen.add(answer.take("q"))
        self.assertEqual(len(seen), 100_000)


if __name__ == "__main__":
    unittest.main()
