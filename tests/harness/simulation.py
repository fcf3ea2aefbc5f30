"""Seeds of the simulation, one process each: a seed is one run, whatever ran before it."""
import subprocess

SECONDS_A_SEED = 120  # a run takes less than one; what does not end is a finding
STORY_LINES = 80


def binary(root):
    return root / "build" / "release" / "src" / "simulation" / "simulate"


def run_seed(root, seed, twice=False):
    """The verdict in one line, and the whole story of a run that failed."""
    command = [str(binary(root)), "--seed", str(seed)] + (["--twice"] if twice else [])
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SECONDS_A_SEED, check=False)
    except subprocess.TimeoutExpired:
        return False, f"seed {seed} FAILED: no end within {SECONDS_A_SEED} s", ""
    text = done.stdout.decode(errors="replace").rstrip()
    last = text.splitlines()[-1] if text else ""
    if done.returncode == 0:
        return True, last, ""
    if done.returncode < 0:  # an assertion of the node; its story is told as it happens
        last = f"seed {seed} FAILED: the process died of signal {-done.returncode}: {last}"
        text = tell(root, seed)
    return False, last, "\n".join(text.splitlines()[-STORY_LINES:])


def tell(root, seed):
    command = [str(binary(root)), "--seed", str(seed), "--aloud"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=SECONDS_A_SEED, check=False)
    return done.stdout.decode(errors="replace").rstrip()


def replay(seed):
    return f"./dev sim --seed {seed}"


def run(tally, root, seeds, twice):
    """Each of `seeds`; those in `twice` are run again and their traces compared."""
    for seed in seeds:
        right, line, story = run_seed(root, seed, seed in twice)
        if right:
            tally.add("simulation", passed=1)
            continue
        tally.add("simulation", failed=1, failures=[f"seed {seed}: {replay(seed)}"])
        print(f"{story}\n{line}", flush=True)
