#!/usr/bin/env python3
"""Runs seeds of the simulation; ./dev sim calls it."""
import argparse
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.harness import simulation  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="./dev sim", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--seeds", type=int, help="how many, from the first on (1)")
    parser.add_argument("--minutes", type=float, help="go on with the next seeds for so long")
    parser.add_argument("--twice", action="store_true",
                        help="run each seed again: both runs must do the same")
    return parser.parse_args()


def replay(seed, twice):
    """One seed, told as it happens."""
    command = [str(simulation.binary(ROOT)), "--seed", str(seed), "--aloud"]
    done = subprocess.run(command + (["--twice"] if twice else []), check=False)
    if done.returncode != 0:
        print(f"again: {simulation.replay(seed)}", flush=True)
    return 0 if done.returncode == 0 else 1


def main(options):
    if options.seeds is None and options.minutes is None:
        return replay(options.seed, options.twice)
    end = time.monotonic() + options.minutes * 60 if options.minutes else None
    failed, seed = [], options.seed
    while ((options.seeds is None or seed < options.seed + options.seeds)
           and (end is None or time.monotonic() < end)):
        right, line, story = simulation.run_seed(ROOT, seed, options.twice)
        print(line if right else f"{story}\n{line}\nagain: {simulation.replay(seed)}", flush=True)
        if not right:
            failed.append(seed)
        seed += 1
    count = seed - options.seed
    print(f"{count} seeds, {len(failed)} failed{': ' if failed else ''}"
          f"{' '.join(map(str, failed))}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(arguments()))
