"""What tests of damaged directories share: one used under load, copies of it, and damage."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from tests.harness.server import Server

TOPIC = "orders"
PARTITIONS = 3
# So small that there are several segments, and indexes with several entries.
CONFIGS = ["internal.segment.bytes=4000", "index.interval.bytes=200"]


def arus(*arguments, stdin="", limit_s=30):
    """Gives (status, standard output, standard error)."""
    done = subprocess.run([os.environ["ARUS_BINARY"], *arguments], input=stdin, text=True,
                          timeout=limit_s, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


class UsedDirectory:
    """A server's directory after a kill under load, and what it had acknowledged before.

    `acknowledged` has the values that each partition must have, in order; what was under way at the
    kill may follow them.
    """

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="arus-faults-"))
        self.image = self.root / "image"
        self.acknowledged = {}
        with Server(data=self.image) as server:
            to = ["-b", server.address]
            configs = [word for each in CONFIGS for word in ("-c", each)]
            self.must("topic", "create", TOPIC, "-p", str(PARTITIONS), *configs, *to)
            for partition in range(PARTITIONS):
                values = [f"p{partition}-{i:04d}-{'x' * 40}" for i in range(150)]
                for piece in range(0, 150, 10):
                    lines = "".join(value + "\n" for value in values[piece:piece + 10])
                    self.must("produce", TOPIC, "-p", str(partition), *to, stdin=lines)
                self.acknowledged[partition] = values
            command = [os.environ["ARUS_BINARY"], "produce", TOPIC, "-q", "-X", "batch.size=1500"]
            load = subprocess.Popen([*command, *to], stdin=subprocess.PIPE, text=True,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                for i in range(2000):
                    load.stdin.write(f"load-{i}\n")
                load.stdin.flush()
                server.kill()
            finally:
                load.kill()
                load.wait(30)
                load.stdin.close()

    @staticmethod
    def must(*arguments, stdin=""):
        status, out, err = arus(*arguments, stdin=stdin)
        if status != 0:
            raise RuntimeError(f"arus {' '.join(arguments)}: {out}{err}")

    def copy(self, name):
        to = self.root / name
        shutil.copytree(self.image, to)
        return to

    def stopped_in_order(self, name):
        """A copy that a server has recovered and stopped."""
        copy = self.copy(name)
        with Server(data=copy) as server:
            if server.stop() != 0:
                raise RuntimeError("the server did not stop in order")
        return copy

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


def files(directory, partition, ending):
    """Of one partition those that end so, ascending."""
    folder = directory / f"{TOPIC}-{partition}"
    return sorted(path for path in folder.iterdir() if path.name.endswith(ending))


def batches(path):
    """Where the batches of a segment begin."""
    data = path.read_bytes()
    at, found = 0, []
    while at + 12 <= len(data):
        found.append(at)
        at += 12 + int.from_bytes(data[at + 8:at + 12], "big")
    return found


def flip(path, at, bit=0):
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(bytes(data))


def read(server, partition, start="earliest", limit_s=20):
    """(offset, value) of every record of a partition.

    Where the reader fails: None, what it was given before, and its error.
    """
    status, out, err = arus("consume", TOPIC, "-p", str(partition), "-f", str(start), "-e",
                            "--json", "-q", "--timeout-ms", "5000", "-b", server.address,
                            limit_s=limit_s)
    records = [json.loads(line) for line in out.splitlines()]
    found = [(each["offset"], each["value"]) for each in records]
    return found if status == 0 else (None, found, err)


def verify(directory, *options):
    """(status, the report, standard error)."""
    status, out, err = arus("verify", str(directory), "--json", *options)
    return status, [json.loads(line) for line in out.splitlines()], err
