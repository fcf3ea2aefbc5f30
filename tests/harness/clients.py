"""Other people's clients: installed from their registries into a cache outside the tree."""
import hashlib
import os
import pathlib
import subprocess
import sys

PYTHON_PACKAGES = ["kafka-python==2.3.3", "confluent-kafka==2.16.1", "msgpack==1.2.4",
                   "python-snappy", "lz4", "zstandard"]
NODE_PACKAGES = ["kafkajs@2.2.4"]


def cache():
    return pathlib.Path(os.environ.get("ARUS_CACHE") or pathlib.Path.home() / ".cache" / "arus")


def checked(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, check=False, **options)
    if done.returncode != 0:
        text = done.stdout.decode(errors="replace")[-3000:]
        raise RuntimeError(f"{' '.join(map(str, command[:4]))} … failed:\n{text}")


def stamped(folder, key, make):
    """Runs make() unless the folder's stamp says that it was made for the same key."""
    stamp = folder / ".made-for"
    digest = hashlib.sha256(key.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        folder.mkdir(parents=True, exist_ok=True)
        make()
        stamp.write_text(digest)
    return folder


def python():
    """An interpreter that has kafka-python and its serializers."""
    folder = cache() / "python"
    base = sys.executable or "python3"

    def make():
        checked([base, "-m", "venv", "--clear", str(folder)])
        checked([str(folder / "bin" / "python"), "-m", "pip", "install", "-q",
                 "--disable-pip-version-check", *PYTHON_PACKAGES])

    stamped(folder, base + " ".join(PYTHON_PACKAGES), make)
    return folder / "bin" / "python"


def node():
    """The folder whose node_modules has kafkajs."""
    folder = cache() / "node"

    def make():
        (folder / "package.json").write_text("{}")
        checked(["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund",
                 "--ignore-scripts", *NODE_PACKAGES])

    return stamped(folder, " ".join(NODE_PACKAGES), make)


def kafka(root):
    """The folder with the jars of Apache Kafka as tests/compatibility/kafka/pom.xml names them."""
    pom = root / "tests" / "compatibility" / "kafka" / "pom.xml"
    folder = cache() / "kafka"

    def make():
        checked(["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies",
                 "-DincludeScope=runtime", f"-DoutputDirectory={folder / 'libs'}"])

    return stamped(folder, pom.read_text(), make)
