"""The walk of the README: Kafka's script names against a real server, and the server by them."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from tests.harness.server import Server, free_port

BIN = pathlib.Path(os.environ["ARUS_SOURCE"]) / "bin"


def run(script, *arguments, stdin="", limit_s=30):
    """Gives (status, standard output, standard error)."""
    environment = dict(os.environ)
    environment["PATH"] = f"{pathlib.Path(os.environ['ARUS_BINARY']).parent}:{environment['PATH']}"
    done = subprocess.run([str(BIN / script), *arguments], input=stdin, text=True, timeout=limit_s,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                          check=False)
    return done.returncode, done.stdout, done.stderr


class Walk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.to = ["--bootstrap-server", cls.server.address]

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def test_create_list_produce_consume(self):
        status, out, err = run("kafka-topics.sh", "--create", "--partitions", "1",
                               "--replication-factor", "1", "--topic", "tes", *self.to)
        self.assertEqual((status, out), (0, "Created topic tes.\n"), err)
        status, out, err = run("kafka-topics.sh", "--list", *self.to)
        self.assertEqual(status, 0, err)
        self.assertIn("tes", out.splitlines())
        lines = "satu\ndua\ntiga\n"
        status, out, err = run("kafka-console-producer.sh", "--topic", "tes", *self.to, stdin=lines)
        self.assertEqual(status, 0, err)
        status, out, err = run("kafka-console-consumer.sh", "--topic", "tes", "--from-beginning",
                               "--max-messages", "3", "--timeout-ms", "15000", *self.to)
        self.assertEqual((status, out), (0, lines), err)
        self.assertIn("Processed a total of 3 messages", err)
        status, out, err = run("kafka-get-offsets.sh", "--topic", "tes", *self.to)
        self.assertEqual((status, out), (0, "tes:0:3\n"), err)

    def test_a_group_goes_on_where_it_stopped(self):
        run("kafka-topics.sh", "--create", "--topic", "grouped", *self.to)
        run("kafka-console-producer.sh", "--topic", "grouped", *self.to, stdin="a\nb\nc\nd\n")
        group = ["kafka-console-consumer.sh", "--topic", "grouped", "--group", "readers",
                 "--from-beginning", "--max-messages", "2", "--timeout-ms", "20000", *self.to]
        self.assertEqual(run(*group)[:2], (0, "a\nb\n"))
        self.assertEqual(run(*group)[:2], (0, "c\nd\n"))

    def test_configs(self):
        run("kafka-topics.sh", "--create", "--topic", "configured", *self.to)
        entity = ["--entity-type", "topics", "--entity-name", "configured"]
        status, _, err = run("kafka-configs.sh", "--alter", *entity, "--add-config",
                             "retention.ms=1000", *self.to)
        self.assertEqual(status, 0, err)
        status, out, err = run("kafka-configs.sh", "--describe", *entity, *self.to)
        self.assertEqual(status, 0, err)
        self.assertIn("retention.ms=1000", out)


class ServerScripts(unittest.TestCase):
    def test_server_start_with_a_properties_file(self):
        with tempfile.TemporaryDirectory(prefix="arus-walk-") as folder:
            port = free_port()
            properties = pathlib.Path(folder) / "server.properties"
            properties.write_text("\n".join([
                "process.roles=broker,controller", "node.id=1",
                f"controller.quorum.voters=1@127.0.0.1:{port + 1}",
                f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1}",
                "controller.listener.names=CONTROLLER", f"log.dirs={folder}/data", ""]))
            status, out, err = run("kafka-storage.sh", "random-uuid")
            self.assertEqual(status, 0, err)
            status, _, err = run("kafka-storage.sh", "format", "-t", out.strip(), "-c",
                                 str(properties))
            self.assertEqual(status, 0, err)
            environment = dict(os.environ)
            log = open(f"{folder}/log.txt", "wb")
            process = subprocess.Popen([str(BIN / "kafka-server-start.sh"), str(properties)],
                                       stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                       env=environment)
            try:
                deadline = time.monotonic() + 20
                listed = (1, "", "")
                while listed[0] != 0 and time.monotonic() < deadline:
                    time.sleep(0.2)
                    listed = run("kafka-topics.sh", "--list", "--bootstrap-server",
                                 f"127.0.0.1:{port}")
                self.assertEqual(listed[0], 0, listed[2])
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(20), 0)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
                log.close()


if __name__ == "__main__":
    unittest.main()
