"""kcat, as a user types it, against a real server."""
import json
import subprocess
import unittest
import uuid

from tests.harness.server import Server


class Kcat(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def setUp(self):
        self.topic = f"kcat-{uuid.uuid4().hex[:8]}"

    def kcat(self, *arguments, stdin=None):
        done = subprocess.run(["kcat", "-b", self.server.address, *arguments], input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def test_list_produce_consume(self):
        lines = "".join(f"line {i}\n" for i in range(1000))
        self.kcat("-P", "-t", self.topic, stdin=lines.encode())
        listed = json.loads(self.kcat("-L", "-J"))
        topic = next(t for t in listed["topics"] if t["topic"] == self.topic)
        self.assertEqual(topic["partitions"][0]["leader"], 1)
        self.assertEqual(listed["brokers"][0]["name"], self.server.address)
        self.assertEqual(self.kcat("-C", "-t", self.topic, "-e", "-o", "beginning", "-q"), lines)

    def test_every_codec(self):
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            for acks in ("0", "1", "-1"):
                with self.subTest(codec=codec, acks=acks):
                    topic = f"{self.topic}-{codec}-{acks.replace('-', 'm')}"
                    lines = "".join(f"key-{i}:value {i} {'x' * (i % 50)}\n" for i in range(500))
                    self.kcat("-P", "-t", topic, "-K:", "-z", codec, "-X", f"acks={acks}",
                              stdin=lines.encode())
                    got = self.kcat("-C", "-t", topic, "-K:", "-e", "-o", "beginning", "-q")
                    self.assertEqual(got, lines)

    def test_offsets_and_tail(self):
        self.kcat("-P", "-t", self.topic, stdin="".join(f"{i}\n" for i in range(100)).encode())
        self.assertEqual(self.kcat("-C", "-t", self.topic, "-o", "42", "-c", "1", "-q"), "42\n")
        self.assertEqual(self.kcat("-C", "-t", self.topic, "-o", "-3", "-e", "-q"), "97\n98\n99\n")
        self.assertIn("offset 100", self.kcat("-Q", "-t", f"{self.topic}:0:-1"))

    def test_idempotent_producer(self):
        lines = "".join(f"{i}\n" for i in range(2000))
        self.kcat("-P", "-t", self.topic, "-X", "enable.idempotence=true", "-X",
                  "batch.num.messages=10", stdin=lines.encode())
        self.assertEqual(self.kcat("-C", "-t", self.topic, "-e", "-o", "beginning", "-q"), lines)


if __name__ == "__main__":
    unittest.main()
