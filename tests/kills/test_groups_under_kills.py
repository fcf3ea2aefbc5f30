"""Groups and transactions of confluent-kafka against a server that is killed again and again."""
import collections
import contextlib
import faulthandler
import os
import queue
import random
import struct
import subprocess
import sys
import threading
import time
import unittest

import confluent_kafka as ck
from confluent_kafka import admin as ck_admin
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from tests.compatibility.broker import broker

# What the copier asks for takes 30 s at most.
COPIER_SILENCE_S = 50
RUN_S = float(os.environ.get("ARUS_KILLS_SECONDS", "60"))
PARTITIONS = 3
GROUPS = {
    "classic": {"partition.assignment.strategy": "cooperative-sticky", "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 500},
    "consumer": {"group.protocol": "consumer"},
}


class Stage:
    """What the threads share: the server, when to end, and what they saw."""

    def __init__(self, server):
        self.server = server
        self.end = threading.Event()
        self.troubles = []
        self.acknowledged = collections.Counter()  # (partition, value) of the plain producer
        self.sent = 0
        self.owners = collections.defaultdict(set)  # (group, epoch, partition) -> members
        self.commits = collections.defaultdict(int)  # (group, partition) -> newest acknowledged
        self.commit_count = 0
        self.looks = 0
        self.copies = 0
        self.aborts = 0
        self.stuck = 0
        self.lock = threading.Lock()

    def client(self, **more):
        return {"bootstrap.servers": self.server.address, "log_level": 0,
                "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200,
                **{key.replace("_", "."): value for key, value in more.items()}}

    def trouble(self, what):
        self.troubles.append(what)


def feed(stage):
    """An idempotent producer; what it is told was written must be there, once."""
    producer = ck.Producer(stage.client(enable_idempotence=True, linger_ms=5, acks="all",
                                        message_timeout_ms=120000))

    def written(error, message):
        if error is not None:
            stage.trouble(f"the producer lost {message.value()}: {error}")
        else:
            stage.acknowledged[message.partition(), message.value().decode()] += 1

    while not stage.end.is_set():
        producer.produce("source", str(stage.sent), partition=stage.sent % PARTITIONS,
                         on_delivery=written)
        stage.sent += 1
        producer.poll(0)
        time.sleep(0.002)
    if producer.flush(60):
        stage.trouble("the producer could not write all")


def epoch(consumer):
    """The generation or member epoch that the consumer would commit with, None while it has none.

    librdkafka serializes it as "CGMDv2:" and the generation, then strings.
    """
    metadata = consumer.consumer_group_metadata()
    assert metadata.startswith(b"CGMDv2:"), metadata
    generation, = struct.unpack_from("=i", metadata, 7)
    return generation if generation > 0 else None


def follow(stage, group, name, seed):
    """A member that commits what it read, leaves and comes back; commits may never go back."""
    chance = random.Random(seed)
    while not stage.end.is_set():
        consumer = ck.Consumer(stage.client(group_id=group, enable_auto_commit=False,
                                            auto_offset_reset="earliest", **{
                                                key.replace(".", "_"): value
                                                for key, value in GROUPS[group].items()}))
        # With a callback partitions are given up within poll(), never behind its back.
        consumer.subscribe(["source"], on_revoke=lambda *_: None)
        leaves = time.monotonic() + chance.uniform(6, 20)
        while not stage.end.is_set() and time.monotonic() < leaves:
            message = consumer.poll(0.2)
            if message is None or message.error():
                continue
            commit_one(stage, group, name, consumer, message)
        consumer.close()


def commit_one(stage, group, name, consumer, message):
    partition, offset = message.partition(), message.offset() + 1
    try:
        before = epoch(consumer)
        consumer.commit(offsets=[ck.TopicPartition("source", partition, offset)],
                        asynchronous=False)
    except ck.KafkaException:
        return  # the server was away, or the partition belongs to somebody else now
    with stage.lock:
        stage.commit_count += 1
        # A member that commits in an epoch owns the partition in it.
        if before is not None and before == epoch(consumer):
            stage.owners[group, before, partition].add(name)
        stage.commits[group, partition] = max(stage.commits[group, partition], offset)


def committed(admin, group):
    offsets = admin.list_consumer_group_offsets(group)
    return {partition.partition: kept.offset for partition, kept in offsets.items()}


def watch(stage):
    """Reads committed offsets all the time: what was told or seen once may not be less later.

    With kafka-python, since librdkafka's admin client asserts when its coordinator is killed.
    """
    seen = collections.defaultdict(int)
    while not stage.end.is_set():
        try:
            with contextlib.closing(KafkaAdminClient(bootstrap_servers=stage.server.address,
                                                     request_timeout_ms=3000)) as admin:
                while not stage.end.is_set():
                    for group in [*GROUPS, "copier"]:
                        with stage.lock:
                            told = {p: o for (g, p), o in stage.commits.items() if g == group}
                        look(stage, group, committed(admin, group), told, seen)
                    time.sleep(0.05)
        except (KafkaError, OSError):
            time.sleep(0.2)  # the server is away


def look(stage, group, offsets, told, seen):
    for partition in {*offsets, *told}:
        floor = max(seen[group, partition], told.get(partition, 0))
        offset = offsets.get(partition, 0)
        if offset < floor:
            stage.trouble(f"{group}/{partition} went from {floor} back to {offset}")
        seen[group, partition] = max(offset, floor)
        stage.looks += 1


def copy(stage, seed, fates, end):
    """Keeps a copier running until `end`; one that says nothing for long is stuck, and replaced."""
    number = 0
    while not end.is_set():
        number += 1
        copier = subprocess.Popen(
            [sys.executable, "-m", "tests.kills.copier", stage.server.address, f"{seed}-{number}",
             fates], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        lines = queue.Queue()
        reader = threading.Thread(target=lambda: [lines.put(line) for line in copier.stdout])
        reader.start()
        try:
            listen(stage, lines, end)
            copier.stdin.close()
            copier.wait(COPIER_SILENCE_S)
        except (queue.Empty, subprocess.TimeoutExpired):
            stage.stuck += 1
        finally:
            copier.kill()
            copier.wait()
            reader.join()
            copier.stdout.close()


def listen(stage, lines, end):
    while not end.is_set():
        line = lines.get(timeout=COPIER_SILENCE_S)
        stage.copies += line == "commit\n"
        stage.aborts += line == "abort\n"
        if os.environ.get("ARUS_KILLS_VERBOSE") and line.startswith("error"):
            print("copier:", line, file=sys.stderr)


def read(stage, topic, isolation):
    """All values by partition, from the beginning to the end that the isolation level has."""
    reader = ck.Consumer(stage.client(group_id="reader", isolation_level=isolation,
                                      enable_auto_commit=False, enable_partition_eof=True))
    reader.assign([ck.TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    values, ended = collections.defaultdict(list), set()
    deadline = time.monotonic() + 60
    while len(ended) < PARTITIONS and time.monotonic() < deadline:
        for message in reader.consume(1000, 1):
            if message.error():
                if message.error().code() == ck.KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
            else:
                values[message.partition()].append(message.value().decode())
    reader.close()
    return values


class UnderKills(unittest.TestCase):
    def test_nothing_is_lost_doubled_shown_too_early_or_owned_twice(self):
        seed = int(os.environ.get("ARUS_SEED", random.randrange(1 << 30)))
        print(f"ARUS_SEED={seed}", file=sys.stderr, flush=True)
        chance = random.Random(seed)
        with broker() as server:
            stage = Stage(server)
            admin = ck_admin.AdminClient(stage.client())
            for made in admin.create_topics([ck_admin.NewTopic(t, PARTITIONS, 1)
                                             for t in ("source", "copied")]).values():
                made.result(30)
            threads = [threading.Thread(target=feed, args=(stage,)),
                       threading.Thread(target=watch, args=(stage,)),
                       threading.Thread(target=copy, args=(stage, chance.random(), "fates",
                                                           stage.end))]
            threads += [threading.Thread(target=follow,
                                         args=(stage, group, f"{group}-{i}", chance.random()))
                        for group in GROUPS for i in range(2)]
            for thread in threads:
                thread.start()
            kills = self.kill_again_and_again(server, chance)
            stage.end.set()
            for thread in threads:
                thread.join(2 * COPIER_SILENCE_S + 50)
                if thread.is_alive():
                    faulthandler.dump_traceback()
                    self.fail(f"{thread.name} did not end, seed {seed}, {kills} kills")
            self.finish_the_copy(stage)
            self.judge(stage, f"seed {seed}, {kills} kills")

    def kill_again_and_again(self, server, chance):
        end, kills = time.monotonic() + RUN_S, 0
        while time.monotonic() < end:
            time.sleep(chance.uniform(2, 7))
            server.kill()
            time.sleep(chance.uniform(0, 0.7))
            server.start()
            kills += 1
        time.sleep(3)
        return kills

    def finish_the_copy(self, stage):
        """A last copier without bad luck ends what the others left open and copies the rest."""
        end = threading.Event()
        thread = threading.Thread(target=copy, args=(stage, 0, "steady", end))
        thread.start()
        deadline = time.monotonic() + 120
        # The source has no markers in it: its offsets count its records.
        while (time.monotonic() < deadline
               and sum(self.committed(stage, "copier").values()) < stage.sent):
            time.sleep(0.5)
        end.set()
        thread.join(60)

    def committed(self, stage, group):
        with contextlib.closing(KafkaAdminClient(bootstrap_servers=stage.server.address)) as admin:
            return committed(admin, group)

    def judge(self, stage, run):
        self.assertEqual(stage.troubles, [], run)
        source = read(stage, "source", "read_committed")
        expected = {p: [str(i) for i in range(p, stage.sent, PARTITIONS)]
                    for p in range(PARTITIONS)}
        self.assertEqual(sum(stage.acknowledged.values()), stage.sent, run)
        for partition in range(PARTITIONS):
            self.assertEqual(source[partition], expected[partition], f"the source: {run}")
        copied = read(stage, "copied", "read_committed")
        for partition in range(PARTITIONS):
            self.assertEqual(copied[partition], expected[partition], f"the copy: {run}")
        twice = {key: names for key, names in stage.owners.items() if len(names) > 1}
        self.assertEqual(twice, {}, run)
        for group in GROUPS:
            self.assertTrue(self.committed(stage, group), f"{group} committed nothing: {run}")
        print(f"{stage.sent} records, {stage.copies} commits and {stage.aborts} aborts of the "
              f"copier ({stage.stuck} stuck), {stage.commit_count} offset commits, {stage.looks} looks at offsets, "
              f"{len(stage.owners)} ownerships; {run}",
              file=sys.stderr, flush=True)


if __name__ == "__main__":
    unittest.main()
