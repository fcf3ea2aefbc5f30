"""The two servers under measurement: started on a fresh directory, watched through /proc, stopped."""
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import time

from tests.harness.server import free_port

TICKS = os.sysconf("SC_CLK_TCK")
START_PATIENCE_S = 300
LEFT_BYTES = 1 << 20  # what is larger is emptied in a folder that is left
# ApiVersions, version 0: size, key, version, correlation id, no client id.
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
# What Kafka's own scripts give its JVM (bin/kafka-server-start.sh and kafka-run-class.sh of 4.3.1).
JVM_OPTIONS = ["-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
               "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent",
               "-Djava.awt.headless=true"]


def answers(port):
    """Whether a server answers an ApiVersions request there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(API_VERSIONS)
            return len(connection.recv(4)) == 4
    except OSError:
        return False


def empty_large_files(folder):
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size > LEFT_BYTES:
            os.truncate(path, 0)


class Server:
    """Owner of one process and of its folder, which is removed with it or left aside."""

    name = ""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.left_at = None  # where to leave the folder, without what is large in it
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.kill()
        if self.left_at is not None:
            empty_large_files(self.folder)
            self.folder.rename(self.left_at)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def command(self):
        raise NotImplementedError

    def prepare(self):
        """Whatever an operator does once before the first start."""

    def start(self):
        """Gives the seconds until the first request is answered."""
        log = open(self.folder / "server.log", "ab")  # pylint: disable=consider-using-with
        began = time.monotonic()
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=log, cwd=self.folder)
        log.close()
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() - began > START_PATIENCE_S:
                text = (self.folder / "server.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.name} did not start:\n{text}")
            time.sleep(0.0005)
        return time.monotonic() - began

    def stop(self):
        """Gives the seconds that a clean stop takes."""
        return self._end(signal.SIGTERM)

    def kill(self):
        return self._end(signal.SIGKILL)

    def _end(self, number):
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=START_PATIENCE_S)
        self.process = None
        return time.monotonic() - began

    def cpu_s(self):
        """User and system time so far."""
        text = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = text[text.rindex(")") + 2:].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def anonymous_mib(self):
        """RssAnon: memory that is the process's own."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no RssAnon")


class Arus(Server):
    name = "Arus"

    def __init__(self, folder, binary, synced):
        super().__init__(folder)
        self.binary = binary
        self.synced = synced

    def command(self):
        options = [] if self.synced else ["--override", "arus.durability=page-cache"]
        return [str(self.binary), "serve", "--data", str(self.folder / "data"), "--listen",
                self.address, *options]


class Kafka(Server):
    name = "Kafka"

    def __init__(self, folder, jars, synced):
        super().__init__(folder)
        self.jars = jars
        controller = self.port + 1  # free_port() has looked at it, too
        lines = ["process.roles=broker,controller", "node.id=1",
                 f"listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}",
                 f"controller.quorum.voters=1@127.0.0.1:{controller}",
                 "controller.listener.names=CONTROLLER", f"log.dirs={self.folder / 'data'}",
                 "offsets.topic.replication.factor=1", "transaction.state.log.min.isr=1",
                 "transaction.state.log.replication.factor=1",
                 "share.coordinator.state.topic.replication.factor=1",
                 "share.coordinator.state.topic.min.isr=1"]
        if synced:
            lines.append("log.flush.interval.messages=1")
        self.properties = self.folder / "server.properties"
        self.properties.write_text("\n".join(lines) + "\n")

    def java(self, *words):
        return ["java", "-cp", f"{self.jars}/libs/*", *words]

    def prepare(self):
        subprocess.run(self.java("kafka.tools.StorageTool", "format", "-t",
                                 "AAAAAAAAAAAAAAAAAAAAAQ", "-c", str(self.properties)),
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def command(self):
        words = self.java("kafka.Kafka", str(self.properties))
        return [words[0], *JVM_OPTIONS, *words[1:]]
