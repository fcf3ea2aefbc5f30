"""./dev bench growth: the same load over more and more partitions, connections, readers, bytes."""
import argparse
import json
import shutil
import sys

from .load import Load
from .options import ROOT, add_common
from .report import figure, growth_plot
from .rounds import MB_BATCHES
from .servers import Arus


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench growth", description=__doc__)
    parser.add_argument("--rate", type=float, default=2000.0, help="requests per second")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each load")
    parser.add_argument("--gigabytes", type=int, default=8, help="the largest topic")
    parser.add_argument("--connections", type=int, default=5000, help="at most so many")
    parser.add_argument("--docs", action="store_true",
                        help="put the curves into docs/performance/")
    add_common(parser, "growth")
    return parser.parse_args()


class Growth:
    """Each curve: what grows, and for each size what one unit of work costs."""

    def __init__(self, options):
        self.options = options
        self.load = Load(options.load, None, options.directory)
        self.curves = {}
        self.left = 0

    def server(self, synced=True):
        server = Arus(self.options.directory / "arus", self.options.arus, synced)
        self.left += 1
        server.left_at = self.options.directory / f"left-{self.left}"
        server.start()
        return server

    def note(self, curve, size, **figures):
        self.curves.setdefault(curve, []).append({"size": size, **figures})
        told = "  ".join(f"{name} {figure(value)}" for name, value in figures.items())
        print(f"{curve:24} {size:>8,}  {told}", flush=True)

    def paced(self, server, command, **keywords):
        before = server.cpu_s()
        figures = self.load.run(command, server, rate=self.options.rate,
                                seconds=self.options.seconds, record_bytes=100, **keywords)
        requests = self.options.rate * self.options.seconds
        return {"CPU us": (server.cpu_s() - before) / requests * 1e6, "p50 ms": figures["p50"],
                "p99 ms": figures["p99"]}

    def partitions(self):
        for count in (1, 10, 100, 1000, 10_000):
            topics, each = (10, count // 10) if count >= 10 else (1, 1)
            with self.server() as server:
                self.load.run("create", server, topic="spread", topics=topics, partitions=each)
                self.load.run("each", server, topic="spread", topics=topics, partitions=each)
                self.note("partitions", count,
                          **self.paced(server, "paced", topic="spread", topics=topics,
                                       partitions=each))

    def connections(self):
        with self.server() as server:
            self.load.run("create", server, topic="many")
            for count in (1, 10, 100, 1000, 5000):
                if count <= self.options.connections:
                    self.note("connections", count,
                              **self.paced(server, "many", topic="many", count=count))

    def readers(self):
        records = 300_000  # so that a reader's start does not count
        with self.server() as server:
            self.load.run("create", server, topic="read")
            self.load.run("produce", server, topic="read", records=records, record_bytes=1000,
                          settings=MB_BATCHES)
            for count in (1, 3, 10, 30, 100):
                before = server.cpu_s()
                figures = self.load.run("consume", server, topic="read", records=records,
                                        members=count)
                gigabytes = records * count / 1e6
                self.note("readers of one topic", count,
                          **{"CPU s/GB": (server.cpu_s() - before) / gigabytes,
                             "MB/s": gigabytes * 1e3 / figures["took"]})

    def sizes(self):
        with self.server(synced=False) as server:
            self.load.run("create", server, topic="long")
            size, records = 1, 0
            while size <= self.options.gigabytes:
                more = size * 1_000_000 - records
                self.load.recycle(more * 1100)
                before = server.cpu_s()
                self.load.run("produce", server, topic="long", records=more, record_bytes=1000,
                              settings=MB_BATCHES)
                produced = (server.cpu_s() - before) / more * 1e6
                records += more
                before = server.cpu_s()
                self.load.run("consume", server, topic="long", records=records)
                consumed = (server.cpu_s() - before) / records * 1e6
                server.kill()
                self.note("GB in one topic", size,
                          **{"produce s/GB": produced, "consume s/GB": consumed,
                             "start after SIGKILL ms": server.start() * 1e3,
                             "memory MiB": server.anonymous_mib()})
                size *= 2
            server.left_at = None


def main():
    options = parse()
    shutil.rmtree(options.directory, ignore_errors=True)
    options.directory.mkdir(parents=True)
    growth = Growth(options)
    for measure in (growth.partitions, growth.connections, growth.readers, growth.sizes):
        measure()
    for left in options.directory.glob("left-*"):
        shutil.rmtree(left)
    (options.directory / "results.json").write_text(json.dumps(growth.curves, indent=1))
    if options.docs:
        (ROOT / "docs" / "performance").mkdir(exist_ok=True)
        (ROOT / "docs" / "performance" / "growth.svg").write_text(growth_plot(growth.curves))


if __name__ == "__main__":
    sys.exit(main())
