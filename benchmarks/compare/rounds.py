"""The measurements: what one side does in one round, from a fresh directory on."""
import time

from .load import Backfill, Connections
from .samples import SYNCED

MB_BATCHES = {"acks": "1", "linger.ms": "20", "batch.size": "1000000",
              "batch.num.messages": "1000", "message.max.bytes": "2000000",
              "queue.buffering.max.messages": "1000000",
              "queue.buffering.max.kbytes": "200000"}
SMALL_BATCHES = {"acks": "1", "linger.ms": "20", "batch.size": "4096",
                 "batch.num.messages": "36", "queue.buffering.max.messages": "1000000",
                 "queue.buffering.max.kbytes": "200000"}
AT_ONCE = {"acks": "all", "linger.ms": "0"}
# However small the loads are: a JIT counts calls.
WARM_UP_LARGE = 300_000
WARM_UP_SMALL = 1_000_000
WARM_UP_PACED = 30_000
WARM_UP_LEAST = 3
WARM_UP_BURSTS = 8
WARM_UP_GAIN = 0.95  # a burst that costs more than this share of the one before ends it
SMALL_PARTITIONS = 64


class Round:
    """One side, one durability, one round. `scale` is the size of a large load, in GB."""

    def __init__(self, server, durability, load, samples, scale, seconds):
        self.server = server
        self.durability = durability
        self.load = load
        self.samples = samples
        self.gigabytes = scale
        self.records = int(scale * 1e6)
        self.seconds = seconds

    def note(self, what, unit, value, command, rate=False, side=None):
        self.samples.add(side or self.server.name, self.durability, what, unit, value, command,
                         rate)

    def run(self, command, **options):
        return self.load.run(command, self.server, **options)

    def costing(self, command, **options):
        """A load's own figures, the CPU seconds that the server spent on it, and its words."""
        before = self.server.cpu_s()
        figures = self.run(command, **options)
        words = "arus_load " + " ".join(self.load.words(command, None, **options)[1:])
        return figures, self.server.cpu_s() - before, words

    def all(self):
        self.load.recycle(int(2e9 * self.gigabytes))
        self.server.prepare()
        self.note("start on a fresh directory", "ms", self.server.start() * 1e3,
                  "to the first answered ApiVersions request")
        time.sleep(5)
        self.note("memory, idle", "MiB", self.server.anonymous_mib(), "RssAnon of /proc/PID/status")
        self.connections()  # later they would use what loads have left free
        self.warm_up()
        self.large()
        self.small()
        for codec in ("lz4", "zstd"):
            self.compressed(codec)
        self.latencies()
        self.each()
        self.tail()
        self.coordination()
        self.java()
        self.note("memory after these loads", "MiB", self.server.anonymous_mib(),
                  "RssAnon of /proc/PID/status")

    def warm_up(self):
        """Until a burst of everything costs no less than the one before: the JIT has settled."""
        self.run("create", topic="warm", partitions=4)
        before = None
        for number in range(WARM_UP_BURSTS):
            spent = sum(self.costing(command, **options)[1] for command, options in (
                ("produce", {"topic": "warm", "partitions": 4, "records": WARM_UP_LARGE,
                             "record_bytes": 1000, "settings": MB_BATCHES}),
                ("consume", {"topic": "warm", "partitions": 4, "records": WARM_UP_LARGE}),
                ("produce", {"topic": "warm", "partitions": 4, "records": WARM_UP_SMALL,
                             "record_bytes": 100, "settings": SMALL_BATCHES}),
                ("produce", {"topic": "warm", "partitions": 4, "records": WARM_UP_PACED,
                             "rate": 10_000.0, "record_bytes": 1000, "settings": AT_ONCE})))
            if number >= WARM_UP_LEAST and spent > WARM_UP_GAIN * before:
                break
            before = spent

    def large(self):
        gigabytes = self.gigabytes
        self.load.recycle(int(2e9 * gigabytes))
        self.run("create", topic="large")
        figures, cpu, words = self.costing("produce", topic="large", records=self.records,
                                           record_bytes=1000, settings=MB_BATCHES)
        what = "produce 1 KB records in 1 MB batches"
        self.note(f"{what}: CPU", "s/GB", cpu / gigabytes, words)
        self.note(f"{what}: rate", "MB/s", gigabytes * 1e3 / figures["took"], words, rate=True)
        floor = self.load.floor("receive", bytes=int(gigabytes * 1e9))["cpu"] / gigabytes
        self.note(f"{what}: CPU", "s/GB", floor, words, side="floor")
        what = "consume them"
        for _ in range(2):
            figures, cpu, words = self.costing("consume", topic="large", records=self.records)
            self.note(f"{what}: CPU", "s/GB", cpu / gigabytes, words)
            self.note(f"{what}: rate", "MB/s", gigabytes * 1e3 / figures["took"], words, rate=True)
        floor = self.load.floor("send", bytes=int(gigabytes * 1e9))
        self.note(f"{what}: CPU", "s/GB", min(floor["streamed"], floor["asked"]) / gigabytes,
                  words, side="floor")

    def small(self):
        self.run("create", topic="small", partitions=SMALL_PARTITIONS)
        count = self.records
        figures, cpu, words = self.costing("produce", topic="small", partitions=SMALL_PARTITIONS,
                                           records=count, record_bytes=100,
                                           settings=SMALL_BATCHES)
        what = "100-byte records in 4 KB batches, 64 partitions"
        self.note(f"{what}: CPU", "s/million", cpu / count * 1e6, words)
        self.note(f"{what}: rate", "thousand/s", count / figures["took"] / 1e3, words, rate=True)

    def compressed(self, codec):
        topic, count = f"large-{codec}", self.records // 2
        self.run("create", topic=topic)
        figures, cpu, words = self.costing(
            "produce", topic=topic, records=count, record_bytes=1000, json=True,
            settings={**MB_BATCHES, "compression.codec": codec})
        what = f"produce JSON of 1 KB in {codec} batches"
        self.note(f"{what}: CPU", "s/GB", cpu / count * 1e6, words)
        self.note(f"{what}: rate", "MB/s", count / 1e3 / figures["took"], words, rate=True)
        _, cpu, words = self.costing("consume", topic=topic, records=count)
        self.note(f"consume the {codec} batches: CPU", "s/GB", cpu / count * 1e6, words)

    def put_percentiles(self, what, figures, words):
        for percentile in ("p50", "p99", "p99.9"):
            self.note(f"{what}: {percentile}", "ms", figures[percentile], words)

    def latencies(self):
        self.run("create", topic="paced")
        self.run("create", topic="followed")
        for rate in (1000, 10_000, 50_000):
            figures, _, words = self.costing(
                "produce", topic="paced", rate=float(rate), records=int(rate * self.seconds),
                record_bytes=1000 if rate < 50_000 else 100, settings=AT_ONCE)
            self.put_percentiles(f"acknowledgement at {rate:,} records/s", figures, words)
        for rate in (1000, 10_000):
            figures, _, words = self.costing("follow", topic="followed", rate=float(rate),
                                             seconds=float(self.seconds))
            self.put_percentiles(f"end to end at {rate:,} records/s", figures, words)
        if self.durability == SYNCED:
            floor = self.load.floor("sync", count=1000)["p50"]
            self.note("acknowledgement at 1,000 records/s: p50", "ms", floor, "", side="floor")

    def each(self):
        self.run("create", topic="each", partitions=1000)
        time.sleep(2)
        for what in ("one record to each of 1,000 partitions, the first",
                     "one record to each of 1,000 partitions, again"):
            figures, _, words = self.costing("each", topic="each", partitions=1000,
                                             record_bytes=100)
            self.note(what, "ms", figures["took"] * 1e3, words)

    def tail(self):
        with Backfill(self.load, self.server, "large", self.records):
            figures, _, words = self.costing("follow", topic="followed", rate=500.0,
                                             seconds=float(self.seconds))
        self.put_percentiles("end to end at 500 records/s beside a backfill", figures, words)

    def coordination(self):
        self.run("create", topic="commits")
        self.run("create", topic="transactions")
        self.run("commits", members=100, seconds=2.0)
        figures, _, words = self.costing("commits", members=100, seconds=float(self.seconds))
        self.note("offset commits of 100 groups", "/s", figures["per_s"], words, rate=True)
        self.run("transactions", records=10, seconds=2.0)
        figures, _, words = self.costing("transactions", records=10, seconds=float(self.seconds))
        self.note("transactions of 10 records", "/s", figures["per_s"], words, rate=True)

    def java(self):
        """The same large batches with Kafka's own client, so that no figure hangs on one client."""
        self.run("create", topic="java")
        before = self.server.cpu_s()
        rate = self.load.java_produce(self.server, "java", self.records, 1000)
        cpu = (self.server.cpu_s() - before) / self.gigabytes
        words = "org.apache.kafka.tools.ProducerPerformance"
        self.note("Java producer, 1 KB records in 1 MB batches: CPU", "s/GB", cpu, words)
        self.note("Java producer, 1 KB records in 1 MB batches: rate", "MiB/s", rate, words,
                  rate=True)
        before = self.server.cpu_s()
        self.load.java_consume(self.server, "java", self.records)
        cpu = (self.server.cpu_s() - before) / self.gigabytes
        self.note("Java consumer: CPU", "s/GB", cpu, "org.apache.kafka.tools.ConsumerPerformance")

    def connections(self):
        count = 1000
        before = self.server.anonymous_mib()
        with Connections(self.load, self.server, count) as opened:
            time.sleep(0.5)
            each = (self.server.anonymous_mib() - before) / max(opened, 1) * 1024
        self.note("memory for an idle connection", "KiB", max(each, 0),
                  f"arus_load connections --count {count}")


class Partitions(Round):
    """Starts and stops with many partitions that have data."""

    def __init__(self, *arguments, count, **keywords):
        super().__init__(*arguments, **keywords)
        self.count = count

    def all(self):
        self.server.prepare()
        self.server.start()
        time.sleep(2)
        before = self.server.anonymous_mib()
        topics, each = 10, self.count // 10
        self.run("create", topic="many", topics=topics, partitions=each)
        figures, _, words = self.costing("each", topic="many", topics=topics, partitions=each,
                                         record_bytes=1000)
        name = f"{self.count:,} partitions"
        self.note(f"{name}: the first record to each", "ms", figures["took"] * 1e3, words)
        time.sleep(3)
        memory = (self.server.anonymous_mib() - before) / self.count * 1024
        self.note(f"{name}: memory for each", "KiB", max(memory, 0), "RssAnon of /proc/PID/status")
        again, _, words = self.costing("each", topic="many", topics=topics, partitions=each,
                                       record_bytes=1000)
        self.note(f"{name}: a record to each, again", "ms", again["took"] * 1e3, words)
        self.note(f"{name}: clean stop", "ms", self.server.stop() * 1e3, "SIGTERM")
        self.note(f"{name}: start after it", "ms", self.server.start() * 1e3,
                  "to the first answered ApiVersions request")
        self.run("ready", topic="many", topics=topics, partitions=each)
        self.run("each", topic="many", topics=topics, partitions=each, record_bytes=1000)
        self.server.kill()
        self.note(f"{name}: start after SIGKILL", "ms", self.server.start() * 1e3,
                  "to the first answered ApiVersions request")
        self.server.kill()
