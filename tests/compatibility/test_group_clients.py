"""Consumer groups, committed offsets and transactions of kafka-python and confluent-kafka."""
import time
import unittest
import uuid

import confluent_kafka as ck
import kafka
from confluent_kafka import admin as ck_admin
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import FencedInstanceIdError, GroupIdNotFoundError, NonEmptyGroupError
from kafka.structs import OffsetAndMetadata

from tests.compatibility.broker import broker

SETTLED_WITHIN_S = 40


def settle(members, reached, poll):
    """Polls every member in turn until reached() holds; gives what the polls gave."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    got = []
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError("the group did not settle in time")
        for member in members:
            got += poll(member)
    return got


class GroupCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = broker().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def setUp(self):
        self.topic = f"topic-{uuid.uuid4().hex[:8]}"
        self.group = f"group-{uuid.uuid4().hex[:8]}"
        self.admin = KafkaAdminClient(bootstrap_servers=self.server.address)
        self.addCleanup(self.admin.close)

    def create(self, partitions, records=0, topic=None):
        topic = topic or self.topic
        self.admin.create_topics([NewTopic(topic, partitions, 1)])
        producer = kafka.KafkaProducer(bootstrap_servers=self.server.address)
        for i in range(records):
            producer.send(topic, str(i).encode(), partition=i % partitions)
        producer.flush(30)
        producer.close()


class KafkaPython(GroupCase):
    def member(self, *topics, **options):
        options = {"group_id": self.group, "session_timeout_ms": 6000, "heartbeat_interval_ms": 300,
                   "auto_offset_reset": "earliest", "enable_auto_commit": False, **options}
        member = kafka.KafkaConsumer(*(topics or (self.topic,)),
                                     bootstrap_servers=self.server.address, **options)
        self.addCleanup(lambda: member.close(autocommit=False))
        return member

    def settle(self, *shares, of=None):
        """Polls until the members own that many partitions each and no partition twice."""
        members = of or self.members

        def poll(member):
            batches = member.poll(timeout_ms=100)
            return [record for batch in batches.values() for record in batch]

        def reached():
            owned = [partition for m in members for partition in m.assignment()]
            return (sorted(len(m.assignment()) for m in members) == sorted(shares)
                    and len(set(owned)) == len(owned))

        return settle(members, reached, poll)

    def generation(self, member):
        return member._coordinator._generation.generation_id

    def test_a_second_member_takes_its_share_and_gives_it_back(self):
        self.create(4)
        self.members = [self.member()]
        self.settle(4)
        self.members.append(self.member())
        self.settle(2, 2)
        self.members.pop().close()
        self.settle(4)

    def test_every_assignor_gives_each_partition_to_one_member(self):
        from kafka.coordinator.assignors.range import RangePartitionAssignor
        from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
        from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
        self.create(6)
        for assignor in (RangePartitionAssignor, RoundRobinPartitionAssignor,
                         StickyPartitionAssignor):
            with self.subTest(assignor.name):
                self.group = f"group-{assignor.name}-{uuid.uuid4().hex[:8]}"
                self.members = [self.member(partition_assignment_strategy=[assignor])
                                for _ in range(3)]
                self.settle(2, 2, 2)
                for member in self.members:
                    member.close()

    def test_a_group_reads_every_record_once(self):
        self.create(4, records=400)
        members = [self.member(max_poll_records=20) for _ in range(2)]
        self.members = members
        values = [r.value for r in self.settle(2, 2)]
        deadline = time.monotonic() + 30
        # Nothing was committed before the group settled, so what was read before comes again.
        while len(set(values)) < 400 and time.monotonic() < deadline:
            for member in members:
                values += [r.value for b in member.poll(timeout_ms=200).values() for r in b]
                member.commit()
        self.assertEqual(len(set(values)), 400)
        follower = self.member()
        for member in members:
            member.close()
        self.members = [follower]
        self.assertEqual(self.settle(4), [])
        self.assertEqual(follower.poll(timeout_ms=1500), {})

    def test_commits_keep_their_metadata_and_seeks_do_not_move_them(self):
        self.create(2, records=40)
        first, second = (kafka.TopicPartition(self.topic, p) for p in range(2))
        member = self.member()
        self.members = [member]
        self.settle(2)
        self.assertIsNone(member.committed(first))
        member.commit({first: OffsetAndMetadata(7, "seven ✓", -1),
                       second: OffsetAndMetadata(0, "", -1)})
        kept = member.committed(first, metadata=True)
        self.assertEqual((kept.offset, kept.metadata), (7, "seven ✓"))
        self.assertEqual(member.committed(second), 0)
        member.seek(first, 15)
        self.assertEqual((member.position(first), member.committed(first)), (15, 7))
        member.close(autocommit=False)
        follower = self.member(max_poll_records=1)
        follower_first = {}
        while len(follower_first) < 2:
            for batch in follower.poll(timeout_ms=500).values():
                for record in batch:
                    follower_first.setdefault(record.partition, record.offset)
                    if len(follower_first) == 1:
                        follower.pause(kafka.TopicPartition(self.topic, record.partition))
        self.assertEqual(follower_first, {0: 7, 1: 0})

    def test_auto_commit_resumes_where_the_last_member_ended(self):
        self.create(1, records=30)
        member = self.member(enable_auto_commit=True, auto_commit_interval_ms=100,
                             max_poll_records=10)
        read = []
        while len(read) < 10:
            read += [r.offset for b in member.poll(timeout_ms=500).values() for r in b]
        member.close()
        follower = self.member(max_poll_records=5)
        after = []
        while not after:
            after = [r.offset for b in follower.poll(timeout_ms=500).values() for r in b]
        self.assertEqual(after[0], read[-1] + 1)

    def test_offsets_without_a_subscription_are_kept(self):
        self.create(1, records=10)
        partition = kafka.TopicPartition(self.topic, 0)
        lone = kafka.KafkaConsumer(bootstrap_servers=self.server.address, group_id=self.group,
                                   enable_auto_commit=False)
        lone.assign([partition])
        lone.commit({partition: OffsetAndMetadata(4, "", -1)})
        lone.close(autocommit=False)
        again = kafka.KafkaConsumer(bootstrap_servers=self.server.address, group_id=self.group,
                                    enable_auto_commit=False)
        self.addCleanup(lambda: again.close(autocommit=False))
        again.assign([partition])
        self.assertEqual(again.committed(partition), 4)
        self.assertEqual(next(again).offset, 4)

    def test_a_static_member_that_comes_back_finds_its_partitions_without_a_rebalance(self):
        self.create(4)
        stays = self.member(group_instance_id="stays", session_timeout_ms=15000)
        leaves = self.member(group_instance_id="leaves", session_timeout_ms=15000)
        self.members = [stays, leaves]
        self.settle(2, 2)
        before, generation = leaves.assignment(), self.generation(stays)
        leaves.close(autocommit=False)
        back = self.member(group_instance_id="leaves", session_timeout_ms=15000)
        self.members = [stays, back]
        self.settle(2, 2)
        self.assertEqual(back.assignment(), before)
        self.assertEqual((self.generation(stays), self.generation(back)), (generation, generation))

    def test_a_second_holder_of_an_instance_id_fences_the_first(self):
        self.create(2)
        first = self.member(group_instance_id="one")
        self.members = [first]
        self.settle(2)
        second = self.member(group_instance_id="one")
        self.settle(2, of=[second])
        with self.assertRaises(FencedInstanceIdError):
            first.commit({kafka.TopicPartition(self.topic, 0): OffsetAndMetadata(1, "", -1)})

    def test_a_silent_member_loses_its_partitions_after_its_session(self):
        self.create(2)
        silent = self.member(session_timeout_ms=2000)
        self.members = [silent]
        self.settle(2)
        silent._coordinator._disable_heartbeat_thread()
        heir = self.member()
        self.settle(2, of=[heir])

    def test_the_admin_sees_and_deletes_groups_and_their_offsets(self):
        self.create(2, records=20)
        member = self.member()
        self.members = [member]
        self.settle(2)
        partition = kafka.TopicPartition(self.topic, 1)
        member.commit({partition: OffsetAndMetadata(5, "five", -1)})
        self.assertIn((self.group, "consumer"), self.admin.list_consumer_groups())
        described = self.admin.describe_consumer_groups([self.group])[0]
        self.assertEqual((described.error_code, described.state, described.protocol_type),
                         (0, "Stable", "consumer"))
        self.assertEqual(len(described.members), 1)
        offsets = self.admin.list_consumer_group_offsets(self.group)
        self.assertEqual({p: (o.offset, o.metadata) for p, o in offsets.items()},
                         {partition: (5, "five")})
        self.assertEqual(self.admin.delete_consumer_groups([self.group]),
                         [(self.group, NonEmptyGroupError)])
        member.close(autocommit=False)
        (name, error), = self.admin.delete_consumer_groups([self.group])
        self.assertEqual((name, error.errno), (self.group, 0))
        self.assertNotIn((self.group, "consumer"), self.admin.list_consumer_groups())
        self.assertEqual(self.admin.delete_consumer_groups([self.group]),
                         [(self.group, GroupIdNotFoundError)])
        self.assertEqual(self.admin.list_consumer_group_offsets(self.group), {})

    def test_a_transaction_shows_its_records_and_offsets_only_when_committed(self):
        self.create(1)
        source = kafka.TopicPartition(self.topic, 0)
        producer = kafka.KafkaProducer(bootstrap_servers=self.server.address,
                                       transactional_id=f"tx-{self.topic}")
        self.addCleanup(producer.close)
        producer.init_transactions()
        reader = self.member(group_id=None, isolation_level="read_committed")
        for number, commits in enumerate([True, False, True]):
            producer.begin_transaction()
            for i in range(5):
                producer.send(self.topic, f"{number}-{i}".encode())
            producer.send_offsets_to_transaction(
                {source: OffsetAndMetadata(10 * number + 1, "", -1)}, self.group)
            producer.flush()
            (producer.commit_transaction if commits else producer.abort_transaction)()
        values, deadline = [], time.monotonic() + 20
        while len(values) < 10 and time.monotonic() < deadline:
            values += [r.value.decode() for b in reader.poll(timeout_ms=500).values() for r in b]
        self.assertEqual(values, [f"{n}-{i}" for n in (0, 2) for i in range(5)])
        offsets = self.admin.list_consumer_group_offsets(self.group)
        self.assertEqual(offsets[source].offset, 21)


PROTOCOLS = {
    "range": {"partition.assignment.strategy": "range"},
    "cooperative-sticky": {"partition.assignment.strategy": "cooperative-sticky"},
    "consumer": {"group.protocol": "consumer"},
}


class Confluent(GroupCase):
    def setUp(self):
        super().setUp()
        self.to = {"bootstrap.servers": self.server.address, "log_level": 0}
        self.ck_admin = ck_admin.AdminClient(self.to)
        self.revoked = []

    def member(self, protocol, *topics, **options):
        config = {**self.to, "group.id": self.group, "auto.offset.reset": "earliest",
                  "enable.auto.commit": False, "topic.metadata.refresh.interval.ms": 1000,
                  **PROTOCOLS[protocol], **{k.replace("_", "."): v for k, v in options.items()}}
        if protocol != "consumer":
            config.setdefault("session.timeout.ms", 6000)
            config.setdefault("heartbeat.interval.ms", 300)
        member = ck.Consumer(config)
        self.addCleanup(member.close)
        member.subscribe(list(topics) or [self.topic], on_revoke=lambda _, partitions:
                         self.revoked.append({p.partition for p in partitions}))
        return member

    def owned(self, member):
        return {(p.topic, p.partition) for p in member.assignment()}

    def settle(self, members, *shares):
        def poll(member):
            message = member.poll(0.1)
            if message is not None and message.error():
                raise ck.KafkaException(message.error())
            return [message] if message is not None else []

        def reached():
            owned = [p for m in members for p in self.owned(m)]
            return (sorted(len(self.owned(m)) for m in members) == sorted(shares)
                    and len(set(owned)) == len(owned))

        return settle(members, reached, poll)

    def committed(self, group=None):
        request = [ck.ConsumerGroupTopicPartitions(group or self.group)]
        answer, = self.ck_admin.list_consumer_group_offsets(request).values()
        return {p.partition: p.offset for p in answer.result(20).topic_partitions}

    def test_a_second_member_takes_its_share_and_gives_it_back(self):
        self.create(4)
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                self.group = f"group-{protocol}-{uuid.uuid4().hex[:6]}"
                first, second = self.member(protocol), None
                self.settle([first], 4)
                self.revoked.clear()
                second = self.member(protocol)
                self.settle([first, second], 2, 2)
                if protocol != "range":
                    self.assertEqual([len(r) for r in self.revoked if r], [2])
                second.close()
                self.settle([first], 4)
                first.close()

    def test_a_static_member_that_comes_back_finds_its_partitions(self):
        self.create(4)
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                self.group = f"group-{protocol}-{uuid.uuid4().hex[:6]}"
                stays = self.member(protocol, group_instance_id="stays")
                leaves = self.member(protocol, group_instance_id="leaves")
                self.settle([stays, leaves], 2, 2)
                before = self.owned(leaves)
                leaves.close()
                self.revoked.clear()
                back = self.member(protocol, group_instance_id="leaves")
                self.settle([stays, back], 2, 2)
                self.assertEqual(self.owned(back), before)
                self.assertEqual(self.revoked, [])
                back.close()
                stays.close()

    def test_a_classic_instance_id_that_is_taken_fences_its_first_holder(self):
        self.create(2)
        first = self.member("range", group_instance_id="one")
        self.settle([first], 2)
        second = self.member("range", group_instance_id="one")
        self.settle([second], 2)
        with self.assertRaises(ck.KafkaException) as refused:
            first.commit(offsets=[ck.TopicPartition(self.topic, 0, 1)], asynchronous=False)
        self.assertIn(refused.exception.args[0].code(),
                      (ck.KafkaError.FENCED_INSTANCE_ID, ck.KafkaError._FATAL))

    def test_a_live_instance_id_is_refused_in_the_consumer_protocol(self):
        self.create(2)
        first = self.member("consumer", group_instance_id="one")
        self.settle([first], 2)
        second = self.member("consumer", group_instance_id="one")
        deadline = time.monotonic() + 20
        refused = None
        while refused is None and time.monotonic() < deadline:
            message = second.poll(0.2)
            first.poll(0)
            if message is not None and message.error():
                refused = message.error()
        self.assertIsNotNone(refused)
        self.assertIn("instance ID is still used by another member", refused.str())

    def test_a_subscription_by_pattern_finds_topics_made_later(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                prefix = f"pattern-{uuid.uuid4().hex[:8]}"
                self.create(2, topic=f"{prefix}-a")
                self.create(2, topic=f"other-{prefix}")
                self.group = prefix
                member = self.member(protocol, f"^{prefix}-.*")
                self.settle([member], 2)
                self.create(3, topic=f"{prefix}-b")
                self.settle([member], 5)
                self.assertEqual({t for t, _ in self.owned(member)}, {f"{prefix}-a", f"{prefix}-b"})
                member.close()

    def test_commits_resume_and_stay_when_the_group_is_empty(self):
        self.create(2, records=40)
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                self.group = f"group-{protocol}-{uuid.uuid4().hex[:6]}"
                member = self.member(protocol)
                self.settle([member], 2)
                member.commit(offsets=[ck.TopicPartition(self.topic, 0, 6, metadata="six"),
                                       ck.TopicPartition(self.topic, 1, 9)], asynchronous=False)
                kept = member.committed([ck.TopicPartition(self.topic, 0),
                                         ck.TopicPartition(self.topic, 1)], 20)
                self.assertEqual([(p.offset, p.metadata) for p in kept], [(6, "six"), (9, None)])
                member.close()
                self.assertEqual(self.committed(), {0: 6, 1: 9})
                follower = self.member(protocol)
                first, deadline = {}, time.monotonic() + 30
                while len(first) < 2 and time.monotonic() < deadline:
                    message = follower.poll(0.5)
                    if message is not None and not message.error():
                        first.setdefault(message.partition(), message.offset())
                self.assertEqual(first, {0: 6, 1: 9})
                follower.close()

    def test_a_group_is_upgraded_and_downgraded_while_it_runs(self):
        self.create(4, records=8)
        classic = self.member("range")
        self.settle([classic], 4)
        classic.commit(offsets=[ck.TopicPartition(self.topic, 0, 2)], asynchronous=False)
        self.assertEqual(self.kind(), "CLASSIC")
        newer = self.member("consumer")
        self.settle([classic, newer], 2, 2)
        self.assertEqual(self.kind(), "CONSUMER")
        classic.close()
        self.settle([newer], 4)
        older = self.member("range")
        self.settle([newer, older], 2, 2)
        newer.close()
        self.settle([older], 4)
        self.assertEqual(self.kind(), "CLASSIC")
        self.assertEqual(self.committed(), {0: 2})

    def kind(self):
        listed = self.ck_admin.list_consumer_groups(request_timeout=20).result(20)
        return next(g.type.name for g in listed.valid if g.group_id == self.group)

    def test_the_admin_filters_describes_changes_and_deletes(self):
        self.create(2, records=10)
        member = self.member("consumer")
        self.settle([member], 2)
        member.commit(offsets=[ck.TopicPartition(self.topic, 0, 3)], asynchronous=False)
        listing = lambda **filters: {
            g.group_id for g in self.ck_admin.list_consumer_groups(**filters).result(20).valid}
        stable, empty = {ck.ConsumerGroupState.STABLE}, {ck.ConsumerGroupState.EMPTY}
        self.assertIn(self.group, listing(states=stable))
        self.assertNotIn(self.group, listing(states=empty))
        self.assertIn(self.group, listing(types={ck.ConsumerGroupType.CONSUMER}))
        self.assertNotIn(self.group, listing(types={ck.ConsumerGroupType.CLASSIC}))
        described, = self.ck_admin.describe_consumer_groups([self.group]).values()
        group = described.result(20)
        self.assertEqual((group.state, group.type, group.partition_assignor),
                         (ck.ConsumerGroupState.STABLE, ck.ConsumerGroupType.CONSUMER, "uniform"))
        self.assertEqual(sorted(p.partition for p in group.members[0].assignment.topic_partitions),
                         [0, 1])
        first = [ck.TopicPartition(self.topic, 0, 1)]
        change = [ck.ConsumerGroupTopicPartitions(self.group, first)]
        refused, = self.ck_admin.alter_consumer_group_offsets(change).values()
        with self.assertRaises(ck.KafkaException):
            self.assert_no_error(refused)
        undeletable, = self.ck_admin.delete_consumer_groups([self.group]).values()
        with self.assertRaises(ck.KafkaException) as nonempty:
            undeletable.result(20)
        self.assertEqual(nonempty.exception.args[0].code(), ck.KafkaError.NON_EMPTY_GROUP)
        member.close()
        self.assertIn(self.group, listing(states=empty))
        altered, = self.ck_admin.alter_consumer_group_offsets(change).values()
        self.assert_no_error(altered)
        self.assertEqual(self.committed(), {0: 1})
        deleted, = self.ck_admin.delete_consumer_groups([self.group]).values()
        deleted.result(20)
        self.assertNotIn(self.group, listing())

    def assert_no_error(self, future):
        for partition in future.result(20).topic_partitions:
            if partition.error:
                raise ck.KafkaException(partition.error)


class ConfluentTransactions(GroupCase):
    def setUp(self):
        super().setUp()
        self.to = {"bootstrap.servers": self.server.address, "log_level": 0}

    def producer(self, transactional_id, **options):
        producer = ck.Producer({**self.to, "transactional.id": transactional_id, "linger.ms": 2,
                                **{k.replace("_", "."): v for k, v in options.items()}})
        producer.init_transactions(30)
        return producer

    def read(self, topic, isolation, count, quiet_s=1.5):
        """The values of partition 0: all until `count` are there and then none for a while."""
        reader = ck.Consumer({**self.to, "group.id": f"reader-{uuid.uuid4()}",
                              "isolation.level": isolation, "enable.auto.commit": False})
        reader.assign([ck.TopicPartition(topic, 0, 0)])
        values, deadline = [], time.monotonic() + 30
        while time.monotonic() < deadline:
            message = reader.poll(quiet_s)
            if message is None:
                if len(values) >= count:
                    break
            elif not message.error():
                values.append(message.value().decode())
        reader.close()
        return values

    def test_only_committed_records_are_read_committed(self):
        self.create(1)
        producer = self.producer(f"tx-{self.topic}")
        committed = []
        for number in range(6):
            producer.begin_transaction()
            values = [f"{number}-{i}" for i in range(20)]
            for value in values:
                producer.produce(self.topic, value)
            producer.flush(20)
            if number % 2:
                producer.abort_transaction(30)
            else:
                producer.commit_transaction(30)
                committed += values
        self.assertEqual(self.read(self.topic, "read_committed", 60), committed)
        self.assertEqual(len(self.read(self.topic, "read_uncommitted", 120)), 120)

    def test_an_open_transaction_holds_back_what_comes_after_it(self):
        self.create(1)
        open_one = self.producer(f"open-{self.topic}")
        open_one.begin_transaction()
        open_one.produce(self.topic, "held")
        open_one.flush(20)
        plain = ck.Producer(self.to)
        plain.produce(self.topic, "plain")
        plain.flush(20)
        self.assertEqual(self.read(self.topic, "read_committed", 0), [])
        self.assertEqual(self.read(self.topic, "read_uncommitted", 2), ["held", "plain"])
        open_one.commit_transaction(30)
        self.assertEqual(self.read(self.topic, "read_committed", 2), ["held", "plain"])

    def test_offsets_move_with_the_transaction_for_every_protocol(self):
        self.create(1, records=30)
        for protocol, settings in PROTOCOLS.items():
            with self.subTest(protocol):
                group, target = f"copy-{protocol}-{self.group}", f"{self.topic}-{protocol}"
                self.create(1, topic=target)
                consumer = ck.Consumer({**self.to, "group.id": group, "enable.auto.commit": False,
                                        "auto.offset.reset": "earliest", **settings})
                consumer.subscribe([self.topic])
                producer = self.producer(f"copy-{protocol}-{self.topic}")
                self.copy(consumer, producer, target)
                kept, = consumer.committed([ck.TopicPartition(self.topic, 0)], 20)
                consumer.close()
                self.assertEqual(kept.offset, 30)
                self.assertEqual(self.read(target, "read_committed", 30),
                                 [str(i) for i in range(30)])

    def copy(self, consumer, producer, target):
        """Copies 30 records in transactions of ten; the first attempt at each is aborted."""
        position, deadline = 0, time.monotonic() + 60
        for attempt in range(6):
            messages = []
            while len(messages) < 10:
                self.assertLess(time.monotonic(), deadline)
                message = consumer.poll(0.5)
                if message is not None and not message.error():
                    messages.append(message)
            self.assertEqual(messages[0].offset(), position)
            producer.begin_transaction()
            for message in messages:
                producer.produce(target, message.value())
            producer.send_offsets_to_transaction(
                [ck.TopicPartition(self.topic, 0, messages[-1].offset() + 1)],
                consumer.consumer_group_metadata(), 30)
            if attempt % 2:
                producer.commit_transaction(30)
                position = messages[-1].offset() + 1
            else:
                producer.abort_transaction(30)
                consumer.seek(ck.TopicPartition(self.topic, 0, position))

    def test_a_second_producer_with_the_id_fences_the_first_and_ends_its_transaction(self):
        self.create(1)
        name = f"fenced-{self.topic}"
        first = self.producer(name)
        first.begin_transaction()
        first.produce(self.topic, "lost")
        first.flush(20)
        second = self.producer(name)
        with self.assertRaises(ck.KafkaException) as fenced:
            first.produce(self.topic, "late")
            first.commit_transaction(30)
        self.assertIn(fenced.exception.args[0].code(),
                      (ck.KafkaError._FENCED, ck.KafkaError.INVALID_PRODUCER_EPOCH))
        second.begin_transaction()
        second.produce(self.topic, "kept")
        second.commit_transaction(30)
        self.assertEqual(self.read(self.topic, "read_committed", 1), ["kept"])

    def test_a_transaction_that_takes_too_long_is_aborted(self):
        self.create(1)
        slow = self.producer(f"slow-{self.topic}", transaction_timeout_ms=1500)
        slow.begin_transaction()
        slow.produce(self.topic, "slow")
        slow.flush(20)
        plain = ck.Producer(self.to)
        plain.produce(self.topic, "plain")
        plain.flush(20)
        self.assertEqual(self.read(self.topic, "read_committed", 1), ["plain"])
        with self.assertRaises(ck.KafkaException):
            slow.commit_transaction(30)


if __name__ == "__main__":
    unittest.main()
