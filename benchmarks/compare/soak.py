"""./dev bench soak: hours of the same load; memory and latency have to stay where they are."""
import argparse
import pathlib
import statistics
import sys

from .load import Load
from .options import add_common
from .rounds import AT_ONCE
from .servers import Arus

KEEP_BYTES = 2 << 30


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench soak", description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--megabytes", type=float, default=20.0, metavar="N",
                        help="per second, in records of 1 KB (default: 20)")
    add_common(parser, "soak")
    return parser.parse_args()


class Retaining(Arus):
    """Keeps a few GB, so that hours of load fit on a disk and retention has work."""

    def command(self):
        return [*super().command(), "--override", f"log.retention.bytes={KEEP_BYTES // 4}",
                "--override", "log.segment.bytes=134217728",
                "--override", "log.retention.check.interval.ms=10000"]


def main():
    options = parse()
    load = Load(options.load, None, options.directory)
    rate = options.megabytes * 1000
    minutes = []
    with Retaining(options.directory, options.arus, synced=True) as server:
        server.start()
        load.run("create", server, topic="soak", partitions=4)
        print(f"{'minute':>6} {'p50 ms':>8} {'p99 ms':>8} {'p99.9 ms':>9} {'CPU %':>6} "
              f"{'anonymous MiB':>14} {'descriptors':>12}")
        for minute in range(1, options.minutes + 1):
            before = server.cpu_s()
            figures = load.run("produce", server, topic="soak", partitions=4, rate=rate,
                               records=int(rate * 60), record_bytes=1000, settings=AT_ONCE)
            descriptors = len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()))
            minutes.append((figures["p50"], figures["p99"], server.anonymous_mib()))
            print(f"{minute:6} {figures['p50']:8.2f} {figures['p99']:8.2f} "
                  f"{figures['p99.9']:9.2f} {(server.cpu_s() - before) / 60 * 100:6.1f} "
                  f"{server.anonymous_mib():14.1f} {descriptors:12}", flush=True)
    half = max(1, len(minutes) // 2)
    for name, place in (("p50", 0), ("p99", 1), ("anonymous memory", 2)):
        first = statistics.median(line[place] for line in minutes[:half])
        last = statistics.median(line[place] for line in minutes[-half:])
        print(f"{name}: second half by first {last / first:.2f}")


if __name__ == "__main__":
    sys.exit(main())
