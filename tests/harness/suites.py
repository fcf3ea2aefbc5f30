"""Python unittest suites, each module in a process of its own interpreter."""
import pathlib
import re
import subprocess

LIMIT_S = 1500


def run(tally, stage, root, folder, interpreter, environment, only=None):
    modules = sorted(p for p in (root / "tests" / folder).glob("test_*.py")
                     if not only or p.stem[5:] in only)
    if not modules:
        raise RuntimeError(f"no tests in tests/{folder}")
    for module in modules:
        run_module(tally, stage, root, module, interpreter, environment)


def run_module(tally, stage, root, module, interpreter, environment):
    name = f"tests.{module.parent.name}.{module.stem}"
    try:
        done = subprocess.run([str(interpreter), "-m", "unittest", "-v", name], cwd=root,
                              env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=LIMIT_S, check=False)
        output = done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        print(output[-6000:], flush=True)
        tally.add(stage, failed=1, failures=[f"{pathlib.Path(module).stem} did not end in time"])
        return
    ran = re.search(r"^Ran (\d+) tests?", output, re.M)
    skipped = re.search(r"skipped=(\d+)", output)
    # unittest names a failing case "FAIL: name (module.Class.name)", each subtest once more.
    failures = sorted(set(re.findall(r"^(?:FAIL|ERROR): (.+)$", output, re.M)))
    total = int(ran.group(1)) if ran else 0
    skips = int(skipped.group(1)) if skipped else 0
    if done.returncode != 0 and not failures:
        failures = [f"{module.stem} ended with status {done.returncode}"]
    tally.add(stage, passed=max(0, total - len(failures) - skips), failed=len(failures),
              skipped=skips, failures=failures)
    for reason in re.findall(r"^.* \.\.\. skipped .*$", output, re.M):
        print(f"   {reason}", flush=True)
    if failures:
        print(output[-12000:], flush=True)
