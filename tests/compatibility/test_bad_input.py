"""Bytes that no client should send: the right error or a closed connection, a server that lives on
within bounded memory, and neighbours that notice nothing."""
import json
import pathlib
import random
import resource
import socket
import struct
import threading
import time
import unittest
import zlib

import zstandard
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from tests.compatibility.wire import Wire, text
from tests.harness.server import Server

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "messages"
SEED = 20261
RESIDENT_LIMIT_MIB = 400


def golden_requests():
    """(api key, version, header, body) of every request that Kafka's own classes wrote."""
    for path in sorted(GOLDEN.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            sample = json.loads(line)
            if sample["kind"] == "request":
                header = bytes.fromhex(sample["header"])
                key, version = struct.unpack(">hh", header[:4])
                yield key, version, header, bytes.fromhex(sample["body"])


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 & -(crc & 1))
    return crc ^ 0xFFFFFFFF


def batch(records=b"\x0c\x00\x00\x00\x01\x00\x00", count=1, attributes=0, last_delta=None, crc=None,
          magic=2, base_sequence=-1, producer=-1):
    """A record batch of format 2; the one record in it has no key and an empty value."""
    last_delta = count - 1 if last_delta is None else last_delta
    body = struct.pack(">hiqqqhii", attributes, last_delta, 1000, 1000, producer,
                       0 if producer >= 0 else -1, base_sequence, count) + records
    head = struct.pack(">ibI", -1, magic, crc32c(body) if crc is None else crc)
    return struct.pack(">qi", 0, len(head) + len(body)) + head + body


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--override", "log.retention.ms=-1").start()
        admin = KafkaAdminClient(bootstrap_servers=cls.server.address)
        admin.create_topics([NewTopic("target", 1, 1),
                             NewTopic("compacted", 1, 1, topic_configs={"cleanup.policy": "compact"})])
        admin.close()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), self.server.tail())
        self.assertLess(self.server.resident_mib(), RESIDENT_LIMIT_MIB)
        self.neighbour_is_served()

    def neighbour_is_served(self):
        with Wire(self.server.port) as wire:
            self.assertEqual(wire.ask(18, 0, b"").take("h"), 0)

    def send(self, frame, wait_s=2.0):
        """Sends raw bytes; gives what comes back, b"" for a closed connection, None for silence."""
        with socket.create_connection(("127.0.0.1", self.server.port), 5) as peer:
            peer.settimeout(wait_s)
            try:
                peer.sendall(frame)
                peer.shutdown(socket.SHUT_WR)
                return peer.recv(1 << 16)
            except (ConnectionResetError, BrokenPipeError):
                return b""
            except TimeoutError:
                return None

    def test_every_request_with_impossible_counts_and_cut_anywhere(self):
        """Each golden request, mutilated: lengths and counts that lie, ends that are missing."""
        chance = random.Random(SEED)
        served = 0
        for key, version, header, body in golden_requests():
            if key in (7, 64):  # these may take the broker out of its cluster, as they should
                continue
            frames = []
            for _ in range(3):
                at = chance.randrange(len(body)) if body else 0
                lie = chance.choice([b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff\x0f", b"\xff" * 10,
                                     b"\x80\x00\x00\x00", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"])
                frames.append(header + body[:at] + lie + body[at + len(lie):])
            frames.append(header + body[:chance.randrange(len(body) + 1)])
            frames.append(header + bytes(b ^ (1 << chance.randrange(8)) if chance.random() < 0.1 else b
                                         for b in body))
            stream = b"".join(struct.pack(">i", len(f)) + f for f in frames[:1])
            self.send(stream, 0.3)
            for frame in frames[1:]:
                self.send(struct.pack(">i", len(frame)) + frame, 0.05)
            served += 1
        self.assertGreater(served, 300)

    def test_claims_of_100_mib_with_one_byte_each(self):
        before = self.server.resident_mib()
        peers = []
        try:
            for _ in range(1000):
                peer = socket.create_connection(("127.0.0.1", self.server.port), 5)
                peer.sendall(struct.pack(">i", 100 << 20) + b"\0")
                peers.append(peer)
            time.sleep(0.5)
            self.neighbour_is_served()
            self.assertLess(self.server.resident_mib() - before, 64)
        finally:
            for peer in peers:
                peer.close()

    def test_pipelined_requests_that_are_never_read(self):
        """A million small requests, no answer taken: the server stops reading, not the others."""
        request = struct.pack(">ihhih", 10, 18, 0, 1, -1)
        block = request * 1000
        with socket.create_connection(("127.0.0.1", self.server.port), 5) as peer:
            peer.settimeout(2)
            sent = 0
            try:
                while sent < 1_000_000:
                    peer.sendall(block)
                    sent += 1000
            except TimeoutError:
                pass
            self.neighbour_is_served()
            self.assertLess(self.server.resident_mib(), RESIDENT_LIMIT_MIB)

    def test_connections_that_are_reset(self):
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        for _ in range(5):
            peers = []
            for _ in range(min(800, soft - 100)):
                peer = socket.socket()
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.connect(("127.0.0.1", self.server.port))
                peers.append(peer)
            for peer in peers:
                peer.close()
        self.neighbour_is_served()

    def produce(self, records, topic="target"):
        """The error code that the broker answers for these bytes in partition 0."""
        body = (b"\0" + struct.pack(">hi", 1, 5000) + b"\2" + bytes([len(topic) + 1])
                + topic.encode() + b"\2" + struct.pack(">i", 0) + self.compact(records) + b"\0\0\0")
        with Wire(self.server.port) as wire:
            answer = wire.ask(0, 9, body, flexible=True)
        answer.skip_tags()
        self.assertEqual(answer.uvarint(), 2)
        self.assertEqual(answer.compact_string(), topic)
        self.assertEqual(answer.uvarint(), 2)
        answer.take("i")
        return answer.take("h")

    @staticmethod
    def compact(data):
        length, head = len(data) + 1, b""
        while length >= 128:
            head += bytes([length & 127 | 128])
            length >>= 7
        return head + bytes([length]) + data

    def test_batches_that_lie(self):
        corrupt, invalid = 2, 87
        self.assertEqual(self.produce(batch()), 0)
        cases = {
            "crc": (batch(crc=7), corrupt),
            "magic": (batch(magic=9), corrupt),
            "old magic": (batch(magic=1), None),
            "more records than there are": (batch(count=2), None),
            "fewer records than there are": (batch(records=2 * b"\x0c\0\0\0\x01\0\0"), None),
            "count of two billion": (batch(count=2**31 - 1), invalid),
            "offset delta": (batch(last_delta=5), invalid),
            "negative sequence": (batch(producer=5, base_sequence=-5), invalid),
            "control": (batch(attributes=0x20), invalid),
            "unknown codec": (batch(attributes=7), invalid),
            "empty": (b"", None),
            "cut": (batch()[:-3], None),
            "two batches": (batch() + batch(), invalid),
            "length of everything": (struct.pack(">qi", 0, 2**31 - 1) + batch()[12:], None),
        }
        for name, (records, expected) in cases.items():
            with self.subTest(name):
                code = self.produce(records)
                self.assertIn(code, (corrupt, invalid) if expected is None else (expected,))
        keyless = self.produce(batch(), topic="compacted")
        self.assertEqual(keyless, invalid)

    def test_compressed_bombs(self):
        """A megabyte or less that unfolds to gigabytes, or asks for a window of two."""
        record = b"\x0c\x00\x00\x00\x01\x00\x00"
        zeros = bytes(1 << 20)
        deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
        gzip = b"".join(deflate.compress(zeros) for _ in range(600)) + deflate.flush()
        zstd = zstandard.ZstdCompressor(level=3).compressobj()
        frame = b"".join(zstd.compress(zeros) for _ in range(2000)) + zstd.flush()
        window = bytes.fromhex("28b52ffd00a8") + b"\1\0\0" * 3  # a window of 2 GiB
        for name, codec, data in (("gzip", 1, gzip), ("zstd", 4, frame), ("window", 4, window),
                                  ("lz4 garbage", 3, b"\x04\x22\x4d\x18" + bytes(40)),
                                  ("snappy claim", 2, b"\xff\xff\xff\xff\x0f" + record),
                                  ("cut gzip", 1, gzip[:100]), ("cut zstd", 4, frame[:50])):
            with self.subTest(name):
                began = time.monotonic()
                code = self.produce(batch(records=data, attributes=codec))
                self.assertIn(code, (2, 10, 87), name)
                self.assertLess(time.monotonic() - began, 30)
                self.neighbour_is_served()

    def test_a_bomb_keeps_no_neighbour_waiting(self):
        zstd = zstandard.ZstdCompressor(level=3).compressobj()
        frame = b"".join(zstd.compress(bytes(1 << 20)) for _ in range(250)) + zstd.flush()
        bomb = batch(records=frame, attributes=4)
        stop, codes, slowest = threading.Event(), [], 0.0

        def throw():
            while not stop.is_set():
                codes.append(self.produce(bomb))

        throwers = [threading.Thread(target=throw) for _ in range(3)]
        for thrower in throwers:
            thrower.start()
        try:
            with Wire(self.server.port) as wire:
                for _ in range(40):
                    began = time.monotonic()
                    wire.ask(18, 0, b"")
                    slowest = max(slowest, time.monotonic() - began)
                    time.sleep(0.02)
        finally:
            stop.set()
            for thrower in throwers:
                thrower.join(60)
        self.assertTrue(codes)
        self.assertLess(slowest, 5.0)

    def test_names_that_are_no_names(self):
        admin = KafkaAdminClient(bootstrap_servers=self.server.address)
        try:
            listed = set(admin.list_topics())
        finally:
            admin.close()
        for name in ("../escape", "a/b", "nul\0", "", ".", "..", "x" * 250, "ümlaut"):
            with self.subTest(name), Wire(self.server.port) as wire:
                raw = name.encode()
                body = (struct.pack(">i", 1) + struct.pack(">h", len(raw)) + raw
                        + struct.pack(">ihii", 1, 1, 0, 0) + struct.pack(">i?", 5000, False))
                answer = wire.ask(19, 2, body)
                answer.take("i")
                answer.take("i")
                answer.string()
                self.assertEqual(answer.take("h"), 17)
        # Bytes that are no UTF-8 end the connection.
        bad = struct.pack(">i", 1) + struct.pack(">h", 2) + b"\xff\xfe" + struct.pack(
            ">ihii", 1, 1, 0, 0) + struct.pack(">i?", 5000, False)
        head = struct.pack(">hhih", 19, 2, 5, -1)
        self.assertEqual(self.send(struct.pack(">i", len(head) + len(bad)) + head + bad), b"")
        admin = KafkaAdminClient(bootstrap_servers=self.server.address)
        try:
            self.assertEqual(set(admin.list_topics()), listed)
        finally:
            admin.close()
        self.assertFalse((self.server.data.parent / "escape-0").exists())

    def test_fetch_with_a_hundred_thousand_partitions_and_a_forged_replica(self):
        entry = struct.pack(">iqi", 0, 0, 2**31 - 1)
        for replica in (-1, 7):
            topics = struct.pack(">i", 1) + text("target") + struct.pack(">i", 100_000) + b"".join(
                struct.pack(">i", i) + entry[4:] for i in range(100_000))
            body = struct.pack(">iiiib", replica, 10, 1, 2**31 - 1, 0) + topics
            with Wire(self.server.port) as wire:
                answer = wire.ask(1, 4, body)
                answer.take("i")
                self.assertEqual(answer.take("i"), 1)
                answer.string()
                self.assertEqual(answer.take("i"), 100_000)

    def test_fetch_sessions_that_are_invented_or_flooded(self):
        def fetch(wire, session, epoch):
            body = (struct.pack(">iiiibii", -1, 0, 1, 1 << 20, 0, session, epoch)
                    + struct.pack(">i", 1) + text("target")
                    + struct.pack(">iiqqi", 1, 0, 0, -1, 1 << 20) + struct.pack(">i", 0))
            answer = wire.ask(1, 7, body)
            answer.take("i")
            return answer.take("h"), answer.take("i")

        with Wire(self.server.port) as wire:
            self.assertEqual(fetch(wire, 123456, 5)[0], 70)  # FETCH_SESSION_ID_NOT_FOUND
            for _ in range(3000):
                code, session = fetch(wire, 0, 0)
                self.assertEqual(code, 0)
            if session:
                self.assertEqual(fetch(wire, session, 99)[0], 71)  # INVALID_FETCH_SESSION_EPOCH

    def test_a_producer_goes_on_after_all_this(self):
        producer = KafkaProducer(bootstrap_servers=self.server.address)
        self.assertGreaterEqual(producer.send("target", b"alive").get(timeout=10).offset, 0)
        producer.close()


if __name__ == "__main__":
    unittest.main()
