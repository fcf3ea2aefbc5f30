"""Loads: arus_load (librdkafka, raw requests) and Apache Kafka's own Java tools."""
import json
import re
import subprocess
import threading

PATIENCE_S = 300


class Load:
    """Runs loads and keeps the words of each, so that a figure can say where it is from."""

    def __init__(self, program, jars, directory):
        self.program = str(program)
        self.jars = jars
        self.directory = str(directory)

    def words(self, command, server=None, settings=None, **options):
        words = [self.program, command]
        if server is not None:
            words += ["--server", server.address]
        for name, value in options.items():
            flag = "--" + name.replace("_", "-")
            words += [flag] if value is True else [flag, f"{value:g}" if isinstance(value, float)
                                                   else str(value)]
        for key, value in (settings or {}).items():
            words += ["--set", f"{key}={value}"]
        return words

    def run(self, command, server=None, settings=None, **options):
        words = self.words(command, server, settings, **options)
        done = subprocess.run(words, check=False, capture_output=True, text=True,
                              timeout=PATIENCE_S, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr[-1000:]}")
        figures = json.loads(done.stdout.strip().splitlines()[-1])
        if figures.get("failed"):
            raise RuntimeError(f"{' '.join(words)}: {figures['failed']:.0f} failed")
        return figures

    def floor(self, name, **options):
        return self.run(f"floor-{name}", directory=self.directory, **options)

    def recycle(self, size):
        self.run("recycle", directory=self.directory, bytes=size)

    def _java(self, *words):
        done = subprocess.run(["java", "-Xmx512M", "-cp", f"{self.jars}/libs/*", *words],
                              check=False, capture_output=True, text=True, timeout=PATIENCE_S,
                              stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr[-1000:]}")
        return done.stdout

    def java_produce(self, server, topic, records, record_bytes):
        """MB/s of the Java producer, as its own tool says."""
        text = self._java("org.apache.kafka.tools.ProducerPerformance", "--topic", topic,
                          "--num-records", str(records), "--record-size", str(record_bytes),
                          "--throughput", "-1", "--bootstrap-server", server.address,
                          # One option with all: of several the last one would count.
                          "--command-property", "batch.size=1000000", "linger.ms=20", "acks=1",
                          "max.request.size=2000000")
        return float(re.findall(r"\(([\d.]+) MB/sec\)", text)[-1])

    def java_consume(self, server, topic, records):
        """MB/s of the Java consumer."""
        text = self._java("org.apache.kafka.tools.ConsumerPerformance", "--topic", topic,
                          "--num-records", str(records), "--bootstrap-server", server.address,
                          "--timeout", "60000")
        return float(text.strip().splitlines()[-1].split(",")[3])


class Backfill(threading.Thread):
    """Reads a topic from its beginning, over and over, until it is left."""

    def __init__(self, load, server, topic, records):
        super().__init__()
        self.words = load.words("consume", server, topic=topic, records=records)
        self.over = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        while not self.over.is_set():
            subprocess.run(self.words, check=False, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=PATIENCE_S)


class Connections:
    """So many idle connections, greeted, until it is left."""

    def __init__(self, load, server, count):
        self.words = load.words("connections", server, count=count)
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        return json.loads(self.process.stdout.readline())["open"]

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)
