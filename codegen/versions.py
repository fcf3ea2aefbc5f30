"""Ranges of versions, as the tables write them: "3", "0-4", "12+", "none"."""

from dataclasses import dataclass

HIGHEST = 32767  # an open range ends here


@dataclass(frozen=True)
class Versions:
    low: int
    high: int

    @staticmethod
    def parse(text):
        if text == "none":
            return Versions(HIGHEST, HIGHEST - 1)
        if text.endswith("+"):
            return Versions(int(text[:-1]), HIGHEST)
        low, _, high = text.partition("-")
        return Versions(int(low), int(high or low))

    @property
    def empty(self):
        return self.low > self.high

    def within(self, other):
        return Versions(max(self.low, other.low), min(self.high, other.high))

    def covers(self, other):
        return other.empty or (self.low <= other.low and other.high <= self.high)

    def condition(self, known):
        """C++ that tells whether `version`, which is in `known`, is in this range.

        "true" where it always is, "false" where it never is.
        """
        common = self.within(known)
        if common.empty:
            return "false"
        parts = []
        if common.low > known.low:
            parts.append(f"version >= {common.low}")
        if common.high < known.high:
            parts.append(f"version <= {common.high}")
        return " && ".join(parts) or "true"


NEVER = Versions.parse("none")
ALWAYS = Versions(0, HIGHEST)
