"""./dev bench micro: what is counted, what the page says of it, and the table that compares."""
import importlib.util
import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(os.environ.get("ARUS_SOURCE", pathlib.Path(__file__).parents[2]))
PAGE = ROOT / "docs" / "internals" / "performance.md"


def load_script():
    spec = importlib.util.spec_from_file_location("micro", ROOT / "benchmarks" / "micro.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


micro = load_script()


class Counting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        done = subprocess.run([ROOT / "dev", "build", "release", "base_bench"], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout[-3000:]

    def count(self):
        program = micro.binary(ROOT, "base")
        few = micro.run_counted(program, micro.FEW, "table")
        many = micro.run_counted(program, micro.MANY, "table")
        return {name: (many[name] - few[name]) / (micro.MANY - micro.FEW) for name in few}

    def test_an_iteration_takes_the_same_each_time_and_as_much_as_it_has_to_do(self):
        counts = self.count()
        self.assertEqual(set(counts), {"table/4096", "table/1048576"})
        # A checksum by table is a few instructions for each byte.
        self.assertTrue(2 < counts["table/4096"] / 4096 < 12, counts)
        self.assertAlmostEqual(counts["table/1048576"] / counts["table/4096"], 256, delta=3)
        self.assertEqual(self.count(), counts)

    def test_a_filter_that_nothing_has_counts_nothing(self):
        self.assertEqual(micro.run_counted(micro.binary(ROOT, "base"), 2, "no_such_one"), {})


class Comparing(unittest.TestCase):
    def test_changes_of_more_than_one_percent_are_marked(self):
        before = {("base", "same"): 1000.0, ("base", "more"): 1000.0, ("env", "less"): 1000.0,
                  ("env", "gone"): 5.0}
        after = {("base", "same"): 1009.0, ("base", "more"): 1011.0, ("env", "less"): 500.0,
                 ("env", "new"): 7.0}
        self.assertEqual(list(micro.comparison(before, after)), [
            (("base", "same"), "1,000", "1,009", "1.009", ""),
            (("base", "more"), "1,000", "1,011", "1.011", "more"),
            (("env", "less"), "1,000", "500", "0.500", "less"),
            (("env", "new"), "", "7", "", "new"),
            (("env", "gone"), "5", "", "", "gone"),
        ])

    def test_layers_come_in_the_order_of_their_table(self):
        found = micro.layers(ROOT)
        self.assertEqual(found[:3], ["base", "env", "record"])
        self.assertLess(found.index("storage"), found.index("coordinator"))


class Page(unittest.TestCase):
    def test_it_lists_the_benchmarks_that_are_counted(self):
        listed = set(re.findall(r"^\| `(\w+)` `([\w<>]+)[^`]*` \|", PAGE.read_text(), re.M))
        counted = set()
        for source in ROOT.glob("src/**/*_bench.cc"):
            layer = source.relative_to(ROOT / "src").parts[0]
            for function, argument in re.findall(
                    r"BENCHMARK(?:_TEMPLATE|_CAPTURE)?\((\w+)(?:, (\w+))?[^;]*?->Apply\(counted\)",
                    source.read_text()):
                template = argument.endswith(("Request", "Response"))
                counted.add((layer, f"{function}<{argument}>" if template else function))
        self.assertEqual(listed, counted)


if __name__ == "__main__":
    unittest.main()
