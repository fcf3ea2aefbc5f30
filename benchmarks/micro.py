#!/usr/bin/env python3
"""The micro-benchmarks beside the code: their times, or how many instructions an iteration takes.

Instructions do not depend on what else the machine does, so they tell what a change did.
docs/internals/performance.md says how to read them.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
AGAINST = ROOT / "build" / "against"
# The second count less the first: what the first iteration does once, and what stands around the
# loop, is in both.
FEW, MANY = 2, 6
# A change of more than this is marked.
NOTABLE = 0.01
# The loop of a benchmark stands between these two of the library.
BEGIN = "benchmark::State::StartKeepRunning()"
END = "benchmark::State::FinishKeepRunning()"


def die(why):
    sys.exit(f"dev: {why}")


def layers(root):
    """Those that have benchmarks, in the order of the table of layers."""
    order = re.findall(r"^\| `(\w+)/` \|", (root / "src" / "README.md").read_text(), re.M)
    found = {path.relative_to(root / "src").parts[0] for path in root.glob("src/**/*_bench.cc")}
    places = {name: place for place, name in enumerate(order)}
    return sorted(found, key=lambda name: (places.get(name, len(order)), name))


def binary(root, layer):
    return root / "build" / "release" / "src" / layer / f"{layer}_bench"


def build(root, chosen):
    """Those layers, through the tree's own door."""
    if not chosen:
        die("no such layer has benchmarks")
    targets = [f"{layer}_bench" for layer in chosen]
    done = subprocess.run([root / "dev", "build", "release", *targets], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print(done.stdout[-6000:], file=sys.stderr)
        die(f"the benchmarks of {root} do not build")


def checked_out(commit):
    """A work tree of the commit, whose build is kept for the next time."""
    def git(*arguments, root=ROOT):
        done = subprocess.run(["git", "-C", root, *arguments], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            die(f"git {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()

    found = git("rev-parse", "--verify", f"{commit}^{{commit}}")
    if (AGAINST / ".git").exists():
        git("checkout", "--quiet", "--detach", "--force", found, root=AGAINST)
    else:
        git("worktree", "prune")
        git("worktree", "add", "--quiet", "--detach", "--force", str(AGAINST), found)
    if not (AGAINST / "src" / "base" / "bench_main.cc").exists():
        die(f"{commit} is older than benchmarks whose instructions are counted")
    return AGAINST


def run_counted(program, iterations, chosen):
    """Instructions of the loop of each counted benchmark, by name."""
    suffix = f"/iterations:{iterations}"
    with tempfile.TemporaryDirectory(prefix="arus-micro-") as folder:
        # No more environment than needed: it stands on the stack, and moves what comes behind.
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", "--quiet",
             f"--log-file={folder}/log", f"--zero-before={BEGIN}", f"--dump-before={END}", program,
             f"--iterations={iterations}", f"--benchmark_filter=({chosen}).*{suffix}$",
             f"--benchmark_out={folder}/runs.json", "--benchmark_out_format=json"],
            env={"PATH": os.environ["PATH"], "TMPDIR": folder}, check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            die(f"{program}: {done.stdout}{pathlib.Path(folder, 'log').read_text()}")
        text = pathlib.Path(folder, "runs.json").read_text()  # empty where none is chosen
        runs = json.loads(text)["benchmarks"] if text else []
        for run in runs:
            if run.get("error_occurred"):
                die(f"{program}: {run['name']}: {run['error_message']}")
        names = [run["name"].removesuffix(suffix) for run in runs]
        dumps = sorted(pathlib.Path(folder).glob("out.*"), key=lambda path: int(path.suffix[1:]))
        if len(names) != len(dumps):
            die(f"{program}: {len(names)} benchmarks ran, {len(dumps)} were counted")
        return {name: int(re.search(r"^summary: (\d+)", dump.read_text(), re.M)[1])
                for name, dump in zip(names, dumps)}


def count(root, some_layers, chosen):
    """Instructions of an iteration, by layer and name."""
    counts = {}
    for layer in some_layers:
        few = run_counted(binary(root, layer), FEW, chosen)
        many = run_counted(binary(root, layer), MANY, chosen)
        for name, instructions in few.items():
            counts[layer, name] = (many[name] - instructions) / (MANY - FEW)
    return counts


def number(instructions):
    return f"{instructions:,.0f}"


def print_counts(counts):
    width = max(len(f"{layer} {name}") for layer, name in counts)
    print(f"{'benchmark':{width}} {'instructions':>14}")
    for (layer, name), instructions in counts.items():
        print(f"{layer + ' ' + name:{width}} {number(instructions):>14}")


def comparison(before, after):
    """Lines of the table: those of this tree in its order, then those that it has lost."""
    for key, now in after.items():
        was = before.get(key)
        if was is None:
            yield key, "", number(now), "", "new"
        else:
            change = now / was - 1 if was else 0.0
            mark = "" if abs(change) <= NOTABLE else "more" if change > 0 else "less"
            yield key, number(was), number(now), f"{1 + change:.3f}", mark
    for key, was in before.items():
        if key not in after:
            yield key, number(was), "", "", "gone"


def print_comparison(before, after):
    order = {layer: at for at, layer in enumerate(layers(ROOT))}
    lines = sorted(comparison(before, after), key=lambda line: order.get(line[0][0], len(order)))
    width = max(len(f"{layer} {name}") for (layer, name), *_ in lines)
    print(f"{'benchmark':{width}} {'before':>14} {'after':>14} {'ratio':>7}")
    for (layer, name), was, now, ratio, mark in lines:
        print(f"{layer + ' ' + name:{width}} {was:>14} {now:>14} {ratio:>7} {mark}".rstrip())


def main():
    parser = argparse.ArgumentParser(prog="./dev bench micro", description=__doc__)
    parser.add_argument("filter", nargs="?", default="", metavar="FILTER",
                        help="a regular expression that is in the names of benchmarks")
    parser.add_argument("--count", action="store_true",
                        help="instructions of an iteration instead of times")
    parser.add_argument("--against", metavar="COMMIT",
                        help="instructions of an iteration, there and here")
    parser.add_argument("--layer", action="append", metavar="LAYER",
                        help="only those beside the code of this layer; may be repeated")
    asked = parser.parse_args()

    def asked_layers(root):
        return [layer for layer in layers(root) if not asked.layer or layer in asked.layer]

    here = asked_layers(ROOT)
    build(ROOT, here)
    if not asked.count and not asked.against:
        for layer in here:
            subprocess.run([binary(ROOT, layer), f"--benchmark_filter={asked.filter or '.'}"],
                           check=True)
        return
    before = {}
    if asked.against:
        tree = checked_out(asked.against)
        there = asked_layers(tree)
        build(tree, there)
        before = count(tree, there, asked.filter)
    after = count(ROOT, here, asked.filter)
    if not after and not before:
        die(f"no benchmark that is counted has '{asked.filter}' in its name")
    if asked.against:
        print_comparison(before, after)
    else:
        print_counts(after)


if __name__ == "__main__":
    main()
