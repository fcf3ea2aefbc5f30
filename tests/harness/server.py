"""A real Arus server on a free port of loopback, stopped by its process id."""
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

READY_WITHIN_S = 30
GIVEN = set()  # pairs of ports that free_port() has given: who asks binds them only later


def free_port():
    """A port below 32768, so that no outgoing connection can sit on it, with its successor free.

    Neither is given again by this process.
    """
    for _ in range(5000):
        port = random.randrange(12000, 19998, 2)
        if port in GIVEN:
            continue
        try:
            for candidate in (port, port + 1):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", candidate))
            GIVEN.add(port)
            return port
        except OSError:
            continue
    raise RuntimeError("no free port")


class Server:
    """`with Server() as server:` gives a ready server; `server.address` is what clients are told.

    The data directory lives as long as the object: stop() or kill(), then start() again on it.
    """

    def __init__(self, *options, data=None, binary=None, properties=None):
        self.binary = binary or os.environ["ARUS_BINARY"]
        self.own = data is None
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix="arus-test-"))
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.options = list(options)
        self.properties = properties
        self.process = None
        handle, name = tempfile.mkstemp(prefix="arus-log-", suffix=".txt")
        os.close(handle)
        self.log = pathlib.Path(name)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        if self.own:
            shutil.rmtree(self.data, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def command(self):
        if self.properties is not None:
            return [self.binary, "serve", str(self.properties), *self.options]
        return [self.binary, "serve", "--data", str(self.data), "--listen", self.address,
                *self.options]

    def start(self):
        self.log.write_bytes(b"")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.tail()}")
            if b"ready" in self.log.read_bytes():
                return self
            time.sleep(0.01)
        raise RuntimeError(f"the server was not ready in time: {self.tail()}")

    def tail(self):
        return self.log.read_text(errors="replace")[-3000:]

    def stop(self):
        """An orderly stop; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self.process = None
        return status

    def resident_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None
