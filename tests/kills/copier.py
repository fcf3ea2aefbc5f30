"""Copies "source" to "copied" in transactions, some of which it aborts or leaves open.

A process of its own, since librdkafka's send_offsets_to_transaction() may never come back when the
group's coordinator goes away under it (librdkafka issue 5456). Ends when its input does. Prints a
line for whatever it did: "idle", "commit", "abort", or an error.
"""
import random
import sys
import threading

import confluent_kafka as ck

LIMIT_S = 30


def copy_for_a_while(address, chance, fates, end):
    common = {"bootstrap.servers": address, "log_level": 0,
              "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200}
    producer = ck.Producer({**common, "transactional.id": "copier", "linger.ms": 2,
                            "transaction.timeout.ms": 120000})
    consumer = ck.Consumer({**common, "group.id": "copier", "enable.auto.commit": False,
                            "auto.offset.reset": "earliest", "isolation.level": "read_committed",
                            "session.timeout.ms": 6000, "heartbeat.interval.ms": 500})
    try:
        producer.init_transactions(LIMIT_S)
        consumer.subscribe(["source"])
        while not end.is_set():
            messages = [m for m in consumer.consume(40, 0.3) if not m.error()]
            if not messages:
                print("idle", flush=True)
                continue
            fate = chance.random() if fates else 0.0
            copy(producer, consumer, messages, "aborted-" if fate > 0.7 else "")
            if fate > 0.95:
                producer.flush(5)
                return  # the next one with this id ends the transaction
            if fate > 0.7:
                producer.abort_transaction(LIMIT_S)
                print("abort", flush=True)
                return
            commit(producer)
            print("commit", flush=True)
    finally:
        consumer.close()


def copy(producer, consumer, messages, mark):
    producer.begin_transaction()
    for m in messages:
        producer.produce("copied", mark + m.value().decode(), partition=m.partition())
    ends = {m.partition(): m.offset() + 1 for m in messages}
    producer.send_offsets_to_transaction(
        [ck.TopicPartition("source", p, o) for p, o in ends.items()],
        consumer.consumer_group_metadata(), LIMIT_S)


def commit(producer):
    """Commits, however often the answer was lost."""
    while True:
        try:
            return producer.commit_transaction(10)
        except ck.KafkaException as error:
            if not error.args[0].retriable():
                raise


def main(address, seed, fates):
    end = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), end.set()), daemon=True).start()
    chance = random.Random(seed)
    while not end.is_set():
        try:
            copy_for_a_while(address, chance, fates == "fates", end)
        except ck.KafkaException as error:
            print("error", error, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
