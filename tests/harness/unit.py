"""Unit tests: every GoogleTest binary of a preset, side by side."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile

LIMIT_S = 900


def binaries(build):
    return sorted(p for p in pathlib.Path(build).glob("src/**/*_test")
                  if p.is_file() and os.access(p, os.X_OK))


def run_one(binary):
    """Gives (binary, result of GoogleTest's JSON or None, output)."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        environment = dict(os.environ, TMPDIR=folder,
                           ASAN_OPTIONS="detect_leaks=1:abort_on_error=0",
                           UBSAN_OPTIONS="print_stacktrace=1",
                           TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1")
        try:
            done = subprocess.run([str(binary), f"--gtest_output=json:{report}", "--gtest_brief=1"],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S,
                                  env=environment, stdin=subprocess.DEVNULL, check=False)
        except subprocess.TimeoutExpired as late:
            output = (late.stdout or b"") + b"\nstopped: no end within the limit"
            return binary, None, output.decode(errors="replace")
        output = done.stdout.decode(errors="replace")
        if not report.exists():
            return binary, None, output + f"\nended with status {done.returncode}"
        result = json.loads(report.read_text())
        result["status"] = done.returncode
        return binary, result, output


def run(tally, stage, build, jobs):
    tests = binaries(build)
    if not tests:
        raise RuntimeError(f"no test binaries below {build}")
    with concurrent.futures.ThreadPoolExecutor(jobs) as threads:
        for binary, result, output in threads.map(run_one, tests):
            if result is None:
                tally.add(stage, failed=1, failures=[f"{binary.name} did not end"])
                print(output[-6000:], flush=True)
                continue
            failures = [f"{suite['name']}.{case['name']}" for suite in result.get("testsuites", [])
                        for case in suite.get("testsuite", []) if case.get("failures")]
            skipped = sum(case.get("result") == "SKIPPED" or case.get("status") == "NOTRUN"
                          for suite in result.get("testsuites", [])
                          for case in suite.get("testsuite", []))
            total = result.get("tests", 0)
            if result["status"] != 0 and not failures:
                failures = [f"{binary.name} ended with status {result['status']}"]
            tally.add(stage, passed=max(0, total - len(failures) - skipped), failed=len(failures),
                      skipped=skipped, failures=failures)
            if failures:
                print(output[-6000:], flush=True)
