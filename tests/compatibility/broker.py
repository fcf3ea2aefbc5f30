"""The broker that tests of groups and transactions run against.

It is Arus. With ARUS_PEER=kafka it is a real Kafka node with the same settings: what a test claims
must hold there first.
"""
import os
import pathlib
import shutil
import tempfile

from tests.compatibility import jvm
from tests.harness.server import Server, free_port

# Members are missed and transactions end within seconds, so that tests need not wait long.
SETTINGS = {
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "6000",
    "group.consumer.min.heartbeat.interval.ms": "200",
    "group.consumer.heartbeat.interval.ms": "500",
    "offsets.topic.num.partitions": "5",
    "transaction.state.log.num.partitions": "5",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
}


def against_kafka():
    return os.environ.get("ARUS_PEER") == "kafka"


class KafkaServer:
    """A KafkaNode that is started, stopped and killed as a Server is."""

    def __init__(self, settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kafka-test-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.node = jvm.KafkaNode(self.data, self.port)
        with open(self.node.properties, "a", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in settings.items())
        self.node.format(jvm.new_cluster_id())

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.node.work, ignore_errors=True)

    def start(self):
        self.node.__enter__()
        return self

    def stop(self):
        self.node.__exit__()
        return 0

    def kill(self):
        self.node.process.kill()
        self.node.process.wait(30)
        self.node.log.close()

    def tail(self):
        return self.node.tail()


def broker(**settings):
    """A broker that is not started yet; underscores in names of settings stand for dots."""
    wanted = {**SETTINGS, **{key.replace("_", "."): value for key, value in settings.items()}}
    if against_kafka():
        return KafkaServer(wanted)
    return Server(*(part for key, value in wanted.items()
                    for part in ("--override", f"{key}={value}")))
