"""kafkajs, unchanged: groups, their offsets and transactions."""
import os
import pathlib
import subprocess
import unittest

from tests.compatibility import claims
from tests.compatibility.broker import broker

SCRIPT = pathlib.Path(__file__).resolve().parent / "javascript" / "groups.js"


class KafkaJs(unittest.TestCase):
    def test_groups_and_transactions(self):
        """groups.js prints a line for each claim; each is a subtest here."""
        modules = pathlib.Path(os.environ["ARUS_NODE"]) / "node_modules"
        with broker() as server:
            done = subprocess.run(["node", str(SCRIPT), server.address], text=True, timeout=240,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False,
                                  env=dict(os.environ, NODE_PATH=str(modules),
                                           KAFKAJS_NO_PARTITIONER_WARNING="1"))
        claims.check(self, done.stdout, 4)


if __name__ == "__main__":
    unittest.main()
