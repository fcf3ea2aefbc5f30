"""What work costs, counted: page faults, system calls, flushes. Never a time."""
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

from tests.harness.server import Server

LINE = ("0123456789abcdef" * 63)[:999] + "\n"
LARGE = ["-X", "batch.size=1000000", "-X", "linger.ms=20", "--acks", "1"]


def minor_faults(process):
    text = pathlib.Path(f"/proc/{process.pid}/stat").read_text()
    return int(text[text.rindex(")") + 2:].split()[7])


class Calls:
    """System calls of all threads of a process meanwhile, by name."""

    def __init__(self, process):
        self.process = process
        self.counts = {}

    def __enter__(self):
        handle, name = tempfile.mkstemp(prefix="arus-calls-")
        os.close(handle)
        self.file = pathlib.Path(name)
        self.tracer = subprocess.Popen(["strace", "-f", "-c", "-o", name, "-p",
                                        str(self.process.pid)], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while b"attached" not in self.tracer.stderr.readline():
            if self.tracer.poll() is not None:
                raise RuntimeError("strace could not attach")
        time.sleep(0.5)
        return self

    def __exit__(self, *_):
        self.tracer.terminate()
        self.tracer.wait(30)
        self.tracer.stderr.close()
        for line in self.file.read_text().splitlines():
            found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
            if found and found[2] != "total":
                self.counts[found[2]] = int(found[1])
        self.file.unlink()

    def total(self, *names):
        return sum(count for name, count in self.counts.items() if not names or name in names)


class Cost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.folder = tempfile.TemporaryDirectory(prefix="arus-cost-")
        cls.lines = pathlib.Path(cls.folder.name) / "lines"
        cls.lines.write_text(LINE * 40_000)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        cls.folder.cleanup()

    def arus(self, *words):
        done = subprocess.run([os.environ["ARUS_BINARY"], *words, "-b", self.server.address],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def produce(self, topic, *options):
        self.arus("produce", topic, str(self.lines), "-q", *options)

    def test_large_requests_use_the_same_memory_again(self):
        self.arus("topic", "create", "again")
        self.produce("again", *LARGE)
        before = minor_faults(self.server.process)
        for _ in range(3):
            self.produce("again", *LARGE)
        each = (minor_faults(self.server.process) - before) / 120
        self.assertLess(each, 25, "page faults for each megabyte; each new one would be 256")

    def test_a_megabyte_is_read_with_few_system_calls(self):
        self.arus("topic", "create", "read")
        self.produce("read", *LARGE)
        with Calls(self.server.process) as calls:
            self.arus("consume", "read", "-n", "40000")
        self.assertLess(calls.total() / 40, 60, calls.counts)

    def test_one_flush_serves_many_batches(self):
        self.arus("topic", "create", "shared", "-p", "8")
        with Calls(self.server.process) as calls:
            self.produce("shared", "-X", "batch.size=4096", "--acks", "all")
        flushes = calls.total("fdatasync", "fsync", "syncfs")
        self.assertGreater(flushes, 0, calls.counts)
        self.assertLess(flushes, 40_000 / 4 / 3, "flushes for 10,000 batches")

    def test_a_batch_of_many_costs_few_system_calls(self):
        self.arus("topic", "create", "small", "-p", "8")
        with Calls(self.server.process) as calls:
            self.produce("small", "-X", "batch.size=4096", "--acks", "1")
        self.assertLess(calls.total() / 10_000, 8, calls.counts)
