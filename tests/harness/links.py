"""Checks that the paths which the documents name exist."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# `src/…`, `docs/…` and the like in backticks, and relative links.
PATH = re.compile(r"`((?:src|docs|tests|bin|config|schema|codegen|benchmarks|cmake)/[\w./-]*)`")
LINK = re.compile(r"\]\(((?!https?:|#)[^)#\s]+)")


def main():
    documents = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, check=True, text=True,
                               stdout=subprocess.PIPE).stdout.split()
    missing = []
    for name in documents:
        text = (ROOT / name).read_text()
        for path in PATH.findall(text):
            if not (ROOT / path).exists():
                missing.append(f"{name}: {path}")
        for link in LINK.findall(text):
            if not ((ROOT / name).parent / link).exists():
                missing.append(f"{name}: {link}")
    for line in missing:
        print(f"names a path that does not exist: {line}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
