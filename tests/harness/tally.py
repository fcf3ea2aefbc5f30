"""Counts of what ran, in the form that the closing line prints."""
import sys
import time


class Tally:
    """Sums passed, failed and skipped over stages, and says each stage's own line as it ends."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def add(self, stage, passed=0, failed=0, skipped=0, failures=()):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        self.failures += [f"{stage}: {name}" for name in failures]

    def stage(self, name, run):
        """Runs `run(self)`; a stage that cannot run at all is one failure."""
        print(f"== {name}", flush=True)
        before, began = (self.passed, self.failed, self.skipped), time.monotonic()
        try:
            run(self)
        except Exception as error:  # a broken stage must not hide the others
            self.add(name, failed=1, failures=[f"could not run: {error}"])
            print(f"   {error}", file=sys.stderr, flush=True)
        took = time.monotonic() - began
        print(f"== {name}: {self.passed - before[0]} passed, {self.failed - before[1]} failed, "
              f"{self.skipped - before[2]} skipped ({took:.0f} s)", flush=True)

    def close(self):
        for name in self.failures:
            print(f"FAILED {name}")
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return 1 if self.failed or not self.passed else 0
