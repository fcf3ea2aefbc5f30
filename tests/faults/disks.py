"""Disks that are small, slow or broken, and what a server on them tells."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import confluent_kafka as ck
from confluent_kafka import admin as ck_admin

from tests.harness.server import Server, free_port

STORAGE_ERROR = 56
TIMED_OUT = 7


def until(condition, limit_s=20):
    """Whether the condition holds within the limit; gives its last value."""
    deadline = time.monotonic() + limit_s
    value = condition()
    while not value and time.monotonic() < deadline:
        time.sleep(0.05)
        value = condition()
    return value


class SmallDisk:
    """A tmpfs of its own in a mount namespace, which this process can see too, at `seen`."""

    def __init__(self, mebibytes):
        as_root = os.geteuid() == 0
        self.inside = tempfile.mkdtemp(prefix="arus-disk-")
        script = f"mount -t tmpfs -o size={mebibytes}m tmpfs {self.inside} && echo ok && exec cat"
        self.keeper = subprocess.Popen(["unshare", "-m" if as_root else "-rm", "sh", "-c", script],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
        if self.keeper.stdout.readline() != "ok\n":
            why = self.keeper.stderr.read().strip()
            self.close()
            raise unittest.SkipTest(f"this kernel lets nobody mount a tmpfs here: {why}")
        pid = str(self.keeper.pid)
        self.enter = ["nsenter", "-t", pid, "-m"]
        if not as_root:
            self.enter += ["-U", "--preserve-credentials"]
        self.seen = pathlib.Path(f"/proc/{pid}/root{self.inside}")

    def free_bytes(self):
        status = os.statvfs(self.seen)
        return status.f_bavail * status.f_frsize

    def fill(self, name="other"):
        """Something else takes all there is."""
        with contextlib.suppress(OSError), open(self.seen / name, "wb", buffering=0) as file:
            while True:
                file.write(bytes(65536))

    def close(self):
        self.keeper.stdin.close()
        self.keeper.wait(10)
        self.keeper.stdout.close()
        self.keeper.stderr.close()
        shutil.rmtree(self.inside, ignore_errors=True)


class DiskServer(Server):
    """A server whose log directories are `directories`; `enter` is put before its command."""

    def __init__(self, directories, enter=(), **overrides):
        handle, name = tempfile.mkstemp(prefix="arus-disks-", suffix=".properties")
        os.close(handle)
        super().__init__(data=directories[0], properties=pathlib.Path(name))
        self.directories = [str(directory) for directory in directories]
        self.enter = list(enter)
        self.metrics = free_port()
        settings = {"process.roles": "broker,controller", "node.id": "1",
                    "controller.quorum.voters": f"1@127.0.0.1:{self.port + 1}",
                    "listeners": f"PLAINTEXT://{self.address},"
                                 f"CONTROLLER://127.0.0.1:{self.port + 1}",
                    "controller.listener.names": "CONTROLLER",
                    "log.dirs": ",".join(self.directories),
                    "arus.metrics.listen": f"127.0.0.1:{self.metrics}",
                    "log.segment.delete.delay.ms": "0", "offsets.topic.num.partitions": "2",
                    "offsets.topic.replication.factor": "1",
                    **overrides}
        self.properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    def command(self):
        return self.enter + super().command()

    def __exit__(self, *_):
        super().__exit__()
        self.properties.unlink(missing_ok=True)

    def arus(self, *arguments):
        """The output of a command of Arus that talks to this server."""
        done = subprocess.run([self.binary, *arguments, "--bootstrap-server", self.address],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def log_dirs(self):
        """Path to (error, sizes by partition), as DescribeLogDirs says."""
        told = json.loads(self.arus("log-dirs", "--json"))
        return {each["logDir"]: (each["error"],
                                 {p["partition"]: p["size"] for p in each["partitions"]})
                for broker in told["brokers"] for each in broker["logDirs"]}

    def place_of(self, partition):
        """Index of the directory that has the partition."""
        for path, (_, sizes) in self.log_dirs().items():
            if partition in sizes:
                return self.directories.index(path)
        return None

    def admin(self):
        return ck_admin.AdminClient({"bootstrap.servers": self.address, "log_level": 0})

    def create(self, topic, partitions=1, **config):
        admin = self.admin()
        made = admin.create_topics(
            [ck_admin.NewTopic(topic, partitions, 1,
                               config={k.replace("_", "."): v for k, v in config.items()})],
            request_timeout=20)
        made[topic].result(20)

    def delete(self, topic):
        admin = self.admin()
        admin.delete_topics([topic], request_timeout=20)[topic].result(20)

    def delete_records(self, topic, partition, below):
        at = ck.TopicPartition(topic, partition, below)
        admin = self.admin()
        admin.delete_records([at], request_timeout=20)[at].result(20)

    def consumer(self, group="readers"):
        return ck.Consumer({"bootstrap.servers": self.address, "group.id": group, "log_level": 0,
                            "enable.auto.commit": False, "auto.offset.reset": "earliest"})

    def read(self, topic, partition=0, limit_s=15):
        """The values of a partition, from its beginning to its end."""
        consumer = self.consumer()
        try:
            first, end = consumer.get_watermark_offsets(ck.TopicPartition(topic, partition), 10)
            consumer.assign([ck.TopicPartition(topic, partition, first)])
            values, at, deadline = [], first, time.monotonic() + limit_s
            while at < end and time.monotonic() < deadline:
                for message in consumer.consume(1000, 0.5):
                    if not message.error():
                        values.append(message.value())
                        at = message.offset() + 1
            return values
        finally:
            consumer.close()

    def read_all(self, topic, partitions, limit_s=30):
        """The values of all partitions."""
        consumer = self.consumer()
        try:
            consumer.assign([ck.TopicPartition(topic, p, 0) for p in range(partitions)])
            values, quiet_since = set(), None
            deadline = time.monotonic() + limit_s
            while time.monotonic() < deadline and (quiet_since is None
                                                   or time.monotonic() < quiet_since + 3):
                found = [m.value() for m in consumer.consume(1000, 0.5) if not m.error()]
                values.update(found)
                quiet_since = None if found or not values else quiet_since or time.monotonic()
            return values
        finally:
            consumer.close()


class Producing:
    """Sends one record at a time, without trying again; `acked` are those that were promised."""

    def __init__(self, server, topic, partition=0, timeout_ms=10000):
        self.producer = ck.Producer({"bootstrap.servers": server.address, "log_level": 0,
                                     "acks": "all", "retries": 0, "linger.ms": 0,
                                     "request.timeout.ms": timeout_ms,
                                     "message.timeout.ms": timeout_ms + 5000})
        self.topic, self.partition = topic, partition
        self.acked = []

    def send(self, value):
        """0, or the code of the error; how long it took is `took_s`."""
        codes = []
        began = time.monotonic()
        self.producer.produce(self.topic, value, partition=self.partition,
                              on_delivery=lambda e, _: codes.append(e.code() if e else 0))
        self.producer.flush(40)
        self.took_s = time.monotonic() - began
        if codes and codes[0] == 0:
            self.acked.append(value)
        return codes[0] if codes else None


class Broken:
    """While it lives, system calls of the server on these paths fail or are late."""

    def __init__(self, server, calls, what, paths):
        if shutil.which("strace") is None:
            raise unittest.SkipTest("strace is not installed")
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(server.process.pid)]
        for path in paths:
            command += ["-P", str(path)]
        command += ["-e", f"trace={calls}", "-e", f"inject={calls}:{what}"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True)
        self.server = server

    def __enter__(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status")
        traced = until(lambda: self.process.poll() is not None
                       or "TracerPid:\t0\n" not in status.read_text(), 10)
        if self.process.poll() is not None or not traced:
            raise unittest.SkipTest(f"strace cannot attach: {self.process.stderr.read().strip()}")
        time.sleep(0.5)  # its threads are attached one after the other
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.process.stderr.close()


def commit_logs(directory):
    """The files of its commit log, and those that it may make."""
    return [pathlib.Path(directory) / f"arus-commit-log-{i}" for i in range(6)]
