"""What the tests with real processes share: starting and ending them, waiting for what they do."""

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

BIN = Path(os.environ.get("PARLEY_BIN", Path(__file__).resolve().parents[2] / "build" / "bin"))
HELPDESK = Path(__file__).resolve().parents[2] / "agents" / "examples" / "helpdesk" / "parley.yaml"
PATIENCE = 60


def clean_environment():
    """Nothing that leads to another broker or to a collector, or makes a supervisor think that it is in a pod."""
    return {name: value for name, value in os.environ.items()
            if name != "PARLEY_BROKER" and not name.startswith(("KUBERNETES_", "OTEL_"))}


class Daemon:
    """A process of ours that says in one JSON line when it is ready."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([str(BIN / program), *arguments], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, env=clean_environment())
        os.set_blocking(self.process.stdout.fileno(), False)

    def ready(self):
        line, deadline = "", time.monotonic() + PATIENCE
        while not line.endswith("\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise AssertionError(f"not ready in time; log: {self.stop()}")
            piece = self.process.stdout.read()
            if piece == "":
                raise AssertionError(f"ended with {self.process.wait()} before it was ready; log: {self.stop()}")
            line += piece or ""
        return json.loads(line)

    def terminate(self):
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def stop(self):
        """Ends the process whatever its state, and gives its log."""
        if self.process.poll() is None:
            self.process.kill()
        return self.process.communicate(timeout=PATIENCE)[1]


def get(port, path):
    """Status and text of a page of the health port."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


class ProcessTest(unittest.TestCase):
    def setUp(self):
        # Short, because a socket's path is limited.
        self.folder = tempfile.mkdtemp(prefix="parley-h-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.endpoint = f"ipc://{self.folder}/broker.sock"
        # Budgets outlive a run; those of a test stay out of the home folder and of other tests.
        os.environ["XDG_STATE_HOME"] = f"{self.folder}/state-home"

    def start(self, program, *arguments):
        daemon = Daemon(program, *arguments)
        self.addCleanup(daemon.stop)
        return daemon

    def start_broker(self):
        broker = self.start("parley-broker", "--listen", self.endpoint, "--log-level", "warn")
        broker.ready()
        return broker

    def start_worker(self, name):
        return self.start("parley-agent", "--config", str(HELPDESK), "--worker", name, "--broker", self.endpoint,
                          "--metrics-port", "0")

    def wait_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"no {what} within {PATIENCE} s")
            time.sleep(0.05)

    def spawn(self, program, *arguments, **options):
        process = subprocess.Popen([str(BIN / program), *arguments], text=True,
                                   **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                                      "env": clean_environment(), **options})
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait(timeout=PATIENCE)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream and not stream.closed:
                stream.close()

    def start_daemon(self, *command, **options):
        """A spawned process that has said that it is ready; what it said is its `ready`."""
        process = self.spawn(*command, **options)
        self.assertTrue(select.select([process.stdout], [], [], PATIENCE)[0], f"{command[0]} is not ready in time")
        line = process.stdout.readline()
        self.assertTrue(line, f"{command[0]} ended before it was ready")
        process.ready = json.loads(line)
        return process

    @staticmethod
    def kill(process):
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=PATIENCE)
