"""Answers held against those that Apache Kafka 4.3.1 gave (tests/golden)."""
import pathlib
import re
import struct
import unittest

from kafka.admin import KafkaAdminClient, NewTopic

from tests.compatibility.wire import Wire, text
from tests.harness.server import Server

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"


def golden_versions():
    """({key: (min, max)}, {feature: (min, max)}, {feature: level}) of the broker's listener."""
    apis, supported, finalized, target = {}, {}, {}, None
    for line in (GOLDEN / "api-versions.txt").read_text().splitlines():
        if line.startswith("ApiVersions 3"):
            break
        if "supported features" in line:
            target = supported
        elif "finalized features" in line:
            target = finalized
        row = re.match(r"\s+(\S+)\s+(\S+\s+)?(\d+)\s+(\d+)$", line)
        if row and row.group(1).isdigit():
            apis[int(row.group(1))] = (int(row.group(3)), int(row.group(4)))
        elif row and target is not None:
            target[row.group(1)] = (int(row.group(3)), int(row.group(4)))
    return apis, supported, {name: level for name, (level, _) in finalized.items()}


def golden_configs(title):
    """Of one section of the described settings: {name: (type, read only, sensitive)} of those at
    their default, and the names of those that only that node had in its file."""
    rows, others, inside = {}, set(), False
    for line in (GOLDEN / "config" / "describe.tsv").read_text().splitlines():
        if line.startswith("=="):
            inside = line == f"== {title}"
        elif inside and line and not line.startswith("#"):
            name, kind, read_only, sensitive, source, *_ = line.split("\t")
            if source == "DEFAULT_CONFIG":
                rows[name] = (kind, read_only == "yes", sensitive == "yes")
            else:
                others.add(name)
    return rows, others


TYPES = ["UNKNOWN", "BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS",
         "PASSWORD"]


class GoldenAnswers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def api_versions(self, version):
        with Wire(self.server.port) as wire:
            answer = wire.ask(18, version, b"\5test\2" + b"1\0", flexible=True)
        self.assertEqual(answer.take("h"), 0)
        apis = {}
        for _ in range(answer.uvarint() - 1):
            key = answer.take("h")
            apis[key] = (answer.take("h"), answer.take("h"))
            answer.skip_tags()
        answer.take("i")
        supported, finalized = {}, {}
        for _ in range(answer.uvarint()):
            tag, size = answer.uvarint(), answer.uvarint()
            end = answer.at + size
            if tag in (0, 2):
                for _ in range(answer.uvarint() - 1):
                    name = answer.compact_string()
                    pair = (answer.take("h"), answer.take("h"))
                    answer.skip_tags()
                    if tag == 0:
                        supported[name] = pair
                    else:
                        finalized[name] = pair[0]
            answer.at = end
        return apis, supported, finalized

    def test_advertised_versions_are_kafkas(self):
        apis, supported, finalized = self.api_versions(4)
        golden_apis, golden_supported, golden_finalized = golden_versions()
        for key, versions in apis.items():
            with self.subTest(api=key):
                self.assertEqual(versions, golden_apis.get(key))
        self.assertEqual(supported, golden_supported)
        for name, level in golden_finalized.items():
            self.assertEqual(finalized.get(name), level, name)
        _, supported, _ = self.api_versions(3)
        self.assertNotIn("kraft.version", supported)
        self.assertEqual(supported["metadata.version"], golden_supported["metadata.version"])

    def test_the_main_job_is_advertised(self):
        apis, _, _ = self.api_versions(4)
        served = {0, 1, 2, 3, 10, 18, 19, 20, 22, 23, 29, 30, 31, 32, 33, 35, 37, 38, 39, 40, 41, 43,
                  44, 45, 46, 48, 49, 50, 51, 55, 57, 60, 64, 74, 75}
        self.assertEqual(served - set(apis), set())

    def described(self, kind, name):
        with Wire(self.server.port) as wire:
            answer = wire.ask(32, 3, struct.pack(">ib", 1, kind) + text(name)
                              + struct.pack(">i??", -1, True, True))
        answer.take("i")
        self.assertEqual(answer.take("i"), 1)
        self.assertEqual((answer.take("h"), answer.string()), (0, None))
        answer.take("b")
        answer.string()
        rows = {}
        for _ in range(answer.take("i")):
            key, value = answer.string(), answer.string()
            read_only, source, sensitive = answer.take("?"), answer.take("b"), answer.take("?")
            for _ in range(answer.take("i")):
                answer.string(), answer.string(), answer.take("b")
            rows[key] = (TYPES[answer.take("b")], read_only, sensitive)
            self.assertTrue(answer.string(), f"{key} has no documentation")
            self.assertFalse(sensitive and value is not None, key)
            self.assertGreater(source, 0)
        return rows

    def test_described_settings_are_kafkas(self):
        admin = KafkaAdminClient(bootstrap_servers=self.server.address)
        admin.create_topics([NewTopic("described", 1, 1)])
        admin.close()
        for kind, name, title in ((2, "described", "TOPIC events"), (4, "1", "BROKER 1")):
            with self.subTest(title):
                ours = self.described(kind, name)
                golden, others = golden_configs(title)
                self.assertGreater(len(golden), 30)
                beyond = {key for key in ours if key not in golden and key not in others}
                self.assertTrue(all(key.startswith("arus.") for key in beyond), beyond)
                self.assertEqual({key: ours.get(key) for key in golden}, golden)


if __name__ == "__main__":
    unittest.main()
