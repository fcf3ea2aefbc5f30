#!/usr/bin/env python3
"""Runs the stages of ./dev test and closes with "N passed, N failed, N skipped"."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.harness import clients, fuzz, simulation, suites, unit  # noqa: E402
from tests.harness.tally import Tally  # noqa: E402

JOBS = int(os.environ.get("JOBS", os.cpu_count() or 2))
# What a minute or so of one core has time for; some are run twice, to see that a seed is a run.
SIMULATION_SEEDS = range(1, int(os.environ.get("ARUS_SIMULATION_SEEDS", "120")) + 1)
SIMULATION_TWICE = range(1, 21)
FUZZ_SECONDS = int(os.environ.get("ARUS_FUZZ_SECONDS", "6"))


def build(preset, *targets):
    done = subprocess.run(["./dev", "build", preset, *targets], cwd=ROOT, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print(done.stdout[-6000:], flush=True)
        raise RuntimeError(f"./dev build {preset} failed")


def server_environment():
    return dict(os.environ, ARUS_BINARY=str(ROOT / "build" / "release" / "arus"),
                ARUS_SOURCE=str(ROOT), PYTHONDONTWRITEBYTECODE="1")


def stage_unit(tally):
    build("release")
    unit.run(tally, "unit", ROOT / "build" / "release", JOBS)


def stage_sanitizers(tally):
    build("fuzz")
    unit.run(tally, "sanitizers", ROOT / "build" / "fuzz", JOBS)


def stage_tsan(tally):
    build("tsan")
    unit.run(tally, "tsan", ROOT / "build" / "tsan", JOBS)


def stage_fuzz(tally):
    build("fuzz", "fuzzers")
    fuzz.run(tally, ROOT, FUZZ_SECONDS, JOBS)


def stage_simulation(tally):
    build("release", "simulate")
    simulation.run(tally, ROOT, SIMULATION_SEEDS, SIMULATION_TWICE)


def stage_end_to_end(tally):
    build("release")
    suites.run(tally, "end_to_end", ROOT, "end_to_end", sys.executable, server_environment())


def stage_faults(tally):
    build("release")
    suites.run(tally, "faults", ROOT, "faults", sys.executable, server_environment())


def stage_compatibility(tally):
    build("release")
    environment = server_environment()
    environment["ARUS_KAFKA"] = str(clients.kafka(ROOT))
    environment["ARUS_NODE"] = str(clients.node())
    only = os.environ.get("ARUS_ONLY", "").split() or None
    suites.run(tally, "compatibility", ROOT, "compatibility", clients.python(), environment, only)


def stage_kills(tally):
    build("release")
    environment = server_environment()
    environment["ARUS_KAFKA"] = str(clients.kafka(ROOT))
    suites.run(tally, "kills", ROOT, "kills", clients.python(), environment)


def stage_faults(tally):
    build("release")
    environment = server_environment()
    environment["ARUS_KAFKA"] = str(clients.kafka(ROOT))
    suites.run(tally, "faults", ROOT, "faults", clients.python(), environment)


STAGES = {
    "unit": stage_unit,
    "sanitizers": stage_sanitizers,
    "fuzz": stage_fuzz,
    "simulation": stage_simulation,
    "end_to_end": stage_end_to_end,
    "faults": stage_faults,
    "compatibility": stage_compatibility,
    "tsan": stage_tsan,
    "faults": stage_faults,
    "kills": stage_kills,
}
# The unit tests of the sanitizer builds take as long as everything else together: they are asked for
# by name, as are the random kills.
DEFAULT = ["unit", "fuzz", "simulation", "end_to_end", "faults", "compatibility"]


def main(names):
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        print(f"no such stage: {' '.join(unknown)}; there are: {' '.join(STAGES)}", file=sys.stderr)
        return 1
    tally = Tally()
    for name in names or DEFAULT:
        tally.stage(name, STAGES[name])
    return tally.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
