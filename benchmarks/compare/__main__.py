"""./dev bench compare: Arus and Apache Kafka 4.3.1 in one run, one at a time, in turns."""
import argparse
import itertools
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import time

from tests.harness import clients

from . import report
from .load import Load
from .options import ROOT, add_common
from .rounds import Partitions, Round
from .samples import PAGE_CACHE, SYNCED, Samples
from .servers import Arus, Kafka

PARTS = ("loads", "partitions")


def without_folders(text):
    """As a page may have it: of absolute paths the last part."""
    return re.sub(r"(?<![\w.])/(?:[^\s/:]+/)+", "", text)


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench compare", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each side (default: 3)")
    parser.add_argument("--gigabytes", type=float, default=1.0, metavar="N",
                        help="size of a large load (default: 1)")
    parser.add_argument("--seconds", type=float, default=8.0, metavar="N",
                        help="length of a paced load (default: 8)")
    parser.add_argument("--durability", choices=(PAGE_CACHE, SYNCED), action="append",
                        help="only this class")
    parser.add_argument("--side", choices=("Arus", "Kafka"), action="append",
                        help="only this one")
    parser.add_argument("--part", choices=PARTS, action="append",
                        help="only this: loads; starts and stops with many partitions")
    add_common(parser, "compare")
    parser.add_argument("--report", type=pathlib.Path, metavar="RESULTS", nargs="+",
                        help="measure nothing: print what results.json of earlier runs say, "
                             "on one machine and of one commit, put together")
    parser.add_argument("--docs", action="store_true",
                        help="put the table and the plots into docs/performance.md")
    parser.add_argument("--kafka", type=pathlib.Path, help="folder of Kafka's libs/")
    return parser.parse_args()


def machine(directory):
    """What a reader has to know to repeat the run."""
    model = next((line.split(":", 1)[1].strip()
                  for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    filesystem = subprocess.run(["findmnt", "-n", "-o", "FSTYPE", "--target", str(directory)],
                                check=False, capture_output=True, text=True).stdout.strip()
    java = subprocess.run(["java", "-version"], check=False, capture_output=True, text=True)
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], check=False,
                            capture_output=True, text=True).stdout.strip()
    return {"processors": f"{os.cpu_count()} × {model}", "memory": f"{memory:.0f} GiB",
            "system": f"Linux {platform.release()}, {filesystem}",
            "java": (java.stderr.splitlines() or ["none"])[0], "commit": commit,
            "date": time.strftime("%Y-%m-%d")}


def measure(options, samples):
    work = options.directory / "work"
    work.mkdir(parents=True, exist_ok=True)
    load = Load(options.load, options.kafka, work)
    durabilities = options.durability or [PAGE_CACHE, SYNCED]
    parts = options.part or PARTS
    serial = itertools.count()

    def make(name, durability):
        synced = durability == SYNCED
        if name == "Arus":
            server = Arus(work / "arus", options.arus, synced)
        else:
            server = Kafka(work / "kafka", options.kafka, synced)
        # ext4 makes files slowly for minutes after so many were removed.
        server.left_at = work / f"left-{next(serial)}"
        return server

    def measured(what, server, kind, *arguments, **keywords):
        """A side that breaks down is told in the table; the others go on."""
        say(what)
        try:
            with server:
                kind(server, *arguments, **keywords).all()
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            say(f"FAILED: {error}")
            samples.failures.append(f"{what}: {without_folders(str(error))[:300]}")
        samples.save(options.directory / "results.json")

    for number in range(options.rounds):
        # Who comes first changes: what a side leaves to the next is shared out.
        order = ("Kafka", "Arus") if number % 2 == 0 else ("Arus", "Kafka")
        for durability in durabilities:
            for name in [side for side in order if side in (options.side or order)]:
                common = (durability, load, samples, options.gigabytes, options.seconds)
                if "loads" in parts:
                    measured(f"round {number + 1}, {durability}: {name}", make(name, durability),
                             Round, *common)
                # Flushing is no matter of starts and stops: once is enough.
                counts = (1000, 10_000) if durability == durabilities[0] else ()
                for count in counts if "partitions" in parts else ():
                    measured(f"round {number + 1}: {name}, {count:,} partitions",
                             make(name, durability), Partitions, *common, count=count)
    shutil.rmtree(work, ignore_errors=True)


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main():
    options = parse()
    if options.report:
        samples = Samples.load(options.report[0])
        for further in options.report[1:]:
            samples.join(Samples.load(further))
    else:
        if options.kafka is None:
            options.kafka = clients.kafka(ROOT)
        options.directory.mkdir(parents=True, exist_ok=True)
        samples = Samples()
        samples.machine = machine(options.directory)
        measure(options, samples)
    print(report.terminal(samples))
    if options.docs:
        report.write_docs(samples, ROOT / "docs")


if __name__ == "__main__":
    main()
