"""What was acknowledged is there after the server went away, orderly or not."""
import pathlib
import socket
import struct
import subprocess
import threading
import time
import unittest

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaTimeoutError

from tests.harness.server import Server


def read_all(server, topic, partitions, count):
    consumer = KafkaConsumer(bootstrap_servers=server.address, auto_offset_reset="earliest",
                             consumer_timeout_ms=4000)
    try:
        consumer.assign([TopicPartition(topic, p) for p in range(partitions)])
        ends = consumer.end_offsets([TopicPartition(topic, p) for p in range(partitions)])
        got = {p: [] for p in range(partitions)}
        while any(len(got[p]) < ends[TopicPartition(topic, p)] for p in got):
            batch = consumer.poll(timeout_ms=4000)
            if not batch:
                break
            for records in batch.values():
                for record in records:
                    got[record.partition].append((record.offset, record.value))
        return got
    finally:
        consumer.close()


def create(server, topic, partitions):
    admin = KafkaAdminClient(bootstrap_servers=server.address)
    admin.create_topics([NewTopic(topic, partitions, 1)])
    admin.close()


class Restarts(unittest.TestCase):
    def test_orderly_stop_keeps_topics_configs_and_records(self):
        with Server() as server:
            create(server, "kept", 3)
            for round_number in range(3):
                producer = KafkaProducer(bootstrap_servers=server.address)
                for i in range(90):
                    producer.send("kept", f"{round_number}-{i}".encode(), partition=i % 3)
                producer.flush()
                producer.close()
                self.assertEqual(server.stop(), 0)
                self.assertTrue((server.data / ".kafka_cleanshutdown").exists())
                server.start()
                got = read_all(server, "kept", 3, 90)
                self.assertEqual([len(v) for v in got.values()], [30 * (round_number + 1)] * 3)

    def test_nothing_acknowledged_is_lost_by_sigkill(self):
        """Kills the server again and again while a producer runs; offsets stay contiguous."""
        with Server() as server:
            create(server, "killed", 2)
            acknowledged = []
            for round_number in range(5):
                producer = KafkaProducer(bootstrap_servers=server.address, linger_ms=1, acks="all",
                                         retries=0, request_timeout_ms=5000,
                                         enable_idempotence=False)
                stop = threading.Event()

                def produce(producer=producer, stop=stop, round_number=round_number):
                    i = 0
                    pending = []
                    while not stop.is_set():
                        value = f"{round_number}-{i}".encode()
                        i += 1
                        try:
                            pending.append((value, producer.send("killed", value, partition=i % 2)))
                        except Exception:
                            break
                        if len(pending) >= 20:
                            for value, future in pending:
                                try:
                                    metadata = future.get(timeout=5)
                                    acknowledged.append((metadata.partition, metadata.offset, value))
                                except Exception:
                                    stop.set()
                            pending = []

                thread = threading.Thread(target=produce)
                thread.start()
                time.sleep(0.4 + 0.13 * round_number)
                server.kill()
                stop.set()
                thread.join(30)
                try:
                    producer.close(timeout=0)
                except KafkaTimeoutError:
                    pass  # records that the kill took the server away from
                server.start()
            self.assertGreater(len(acknowledged), 100)
            got = read_all(server, "killed", 2, 0)
            for partition, records in got.items():
                self.assertEqual([offset for offset, _ in records], list(range(len(records))))
            for partition, offset, value in acknowledged:
                self.assertEqual(got[partition][offset], (offset, value))

    def test_idempotent_producer_survives_a_restart_without_duplicates(self):
        with Server() as server:
            create(server, "once", 1)
            producer = KafkaProducer(bootstrap_servers=server.address, enable_idempotence=True,
                                     acks="all", linger_ms=1)
            for i in range(300):
                producer.send("once", str(i).encode())
                if i in (100, 200):
                    producer.flush()
                    server.kill()
                    server.start()
            producer.flush(60)
            producer.close()
            got = read_all(server, "once", 1, 300)
            self.assertEqual([value for _, value in got[0]], [str(i).encode() for i in range(300)])


class CannotStart(unittest.TestCase):
    """Status 1 and one clear sentence."""

    def refused(self, *command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30,
                              stdin=subprocess.DEVNULL, check=False)
        text = (done.stderr + done.stdout).decode()
        self.assertEqual(done.returncode, 1, text)
        return text

    def test_port_taken(self):
        with Server() as server, socket.socket() as holder:
            other = server.port + 1
            holder.bind(("127.0.0.1", other))
            holder.listen()
            text = self.refused(server.binary, "serve", "--data", f"{server.data}-second", "--listen",
                                f"127.0.0.1:{other}")
            self.assertIn(str(other), text)

    def test_directory_locked(self):
        with Server() as server:
            text = self.refused(server.binary, "serve", "--data", str(server.data), "--listen",
                                f"127.0.0.1:{server.port + 1}")
            self.assertRegex(text, "lock|another process|in use")

    def test_directory_of_something_else(self):
        with Server() as server:
            folder = server.data / "elsewhere"
            folder.mkdir()
            (folder / "letter.txt").write_text("not a log")
            text = self.refused(server.binary, "serve", "--data", str(folder), "--listen",
                                f"127.0.0.1:{server.port + 1}")
            self.assertIn(str(folder), text)

    def test_unreadable_config_and_insecure_config(self):
        with Server() as server:
            self.assertIn("absent.properties",
                          self.refused(server.binary, "serve", "absent.properties"))
            properties = pathlib.Path(f"{server.data}.properties")
            self.addCleanup(properties.unlink)
            properties.write_text(f"log.dirs={server.data}-tls\nnode.id=1\n"
                                  "process.roles=broker,controller\n"
                                  f"listeners=SSL://127.0.0.1:{server.port + 1}\n"
                                  "ssl.keystore.location=/nowhere\n")
            self.assertRegex(self.refused(server.binary, "serve", str(properties)),
                             "listeners|ssl")


class Garbage(unittest.TestCase):
    """Bytes that are no request close their connection and trouble nobody else."""

    def test_frames(self):
        frames = [struct.pack(">i", n) + b"\0" * 20 for n in (-1, 0, 3, 2**31 - 1, 200_000_000)]
        frames += [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                   bytes.fromhex("16030100a5010000a10303") + b"\1" * 160,
                   struct.pack(">ihhih", 10, 200, 0, 1, -1), struct.pack(">ihhih", 10, 3, 99, 1, -1),
                   struct.pack(">ihhih", 10, 0, 2, 1, -1), struct.pack(">ihhih", 10, 1, 3, 1, -1)]
        with Server() as server:
            for frame in frames:
                with self.subTest(frame=frame[:12]):
                    with socket.create_connection(("127.0.0.1", server.port), 5) as peer:
                        peer.settimeout(10)
                        try:
                            peer.sendall(frame)
                            self.assertEqual(peer.recv(100), b"")
                        except ConnectionResetError:
                            pass
            producer = KafkaProducer(bootstrap_servers=server.address)
            self.assertEqual(producer.send("alive", b"x").get(timeout=10).offset, 0)
            producer.close()

    def test_unknown_api_versions_version_is_answered(self):
        with Server() as server:
            with socket.create_connection(("127.0.0.1", server.port), 5) as peer:
                peer.settimeout(10)
                peer.sendall(struct.pack(">ihhih", 10, 18, 127, 7, -1))
                size, correlation, error, count = struct.unpack(">iihi", peer.recv(14))
                self.assertEqual((correlation, error), (7, 35))
                self.assertEqual(count, 1)


if __name__ == "__main__":
    unittest.main()
