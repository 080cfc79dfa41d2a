#!/usr/bin/env python3
"""A worker that needs more and more memory: `parley ps` warns, then the supervisor replaces it, and both say why."""

import json
import re
import subprocess
import unittest
from pathlib import Path

from processes import BIN, PATIENCE, ProcessTest, clean_environment, get

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
# What the worker may use beyond what it has from the start. Large against what allocators keep.
ROOM = 96 * MIB

SUITE = """
models: {{notes: {{provider: offline, prefix: "", default_reply: noted}}}}
workers:
  - name: archive
    memory_limit: {limit}KiB
    agents:
      - {{type: archive, kind: assistant, model: notes, max_history_bytes: 16777216}}
"""
MEMORY_IN_USE = r"^\d+ MiB of {limit} MiB memory in use$"


class MemoryLimit(ProcessTest):
    def setUp(self):
        super().setUp()
        self.suite, self.run_directory = Path(self.folder, "parley.yaml"), f"{self.folder}/run"
        self.conversations = 0

    def parley(self, *arguments, stdin=""):
        return subprocess.run([str(BIN / "parley"), *arguments], capture_output=True, text=True, timeout=PATIENCE, input=stdin,
                              env={**clean_environment(), "PARLEY_BROKER": self.endpoint})

    def succeed(self, *arguments):
        done = self.parley(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    @staticmethod
    def memory(port):
        return int(float(re.search(r"^process_resident_memory_bytes (\S+)", get(port, "/metrics")[1], re.M)[1]))

    def memory_of_an_idle_worker(self):
        """Not the same in every build."""
        self.suite.write_text(SUITE.format(limit=GIB))
        broker = self.start_broker()
        worker = self.start("parley-agent", "--config", str(self.suite), "--worker", "archive", "--broker", self.endpoint)
        used = self.memory(worker.ready()["metrics_port"])
        self.assertEqual((worker.terminate(), broker.terminate()), (0, 0))
        return used

    def start_suite(self, limit):
        self.suite.write_text(SUITE.format(limit=limit // KIB))
        self.succeed("up", "-d", "-f", str(self.suite), "--run-dir", self.run_directory)
        self.addCleanup(self.succeed, "down", "--run-dir", self.run_directory)

    def port(self):
        groups = json.loads(Path(self.run_directory, "targets.json").read_text())
        targets = {group["labels"]["instance"]: group["targets"][0] for group in groups}
        return int(targets["archive"].rpartition(":")[2])

    def remember(self, size):
        """One conversation more, with a text of that size."""
        self.conversations += 1
        return self.parley("request", f"archive/{self.conversations}", "-", "--timeout", "30s", stdin="x" * size)

    def remember_until_it_uses(self, memory, step):
        port = self.port()
        while self.memory(port) <= memory:
            told = self.remember(step)
            self.assertEqual(told.returncode, 0, told.stderr)

    def ps(self):
        """The rows of the worker and of its process."""
        report = json.loads(self.succeed("ps", "--json"))
        worker = next((peer for peer in report["peers"] if peer["name"] == "archive"), None)
        processes = [row for supervisor in report["supervisors"] for row in supervisor["processes"]]
        return worker, next((row for row in processes if row["name"] == "archive"), None)

    def test_is_warned_of_at_nine_tenths_and_has_the_worker_replaced_when_it_is_exceeded(self):
        limit = self.memory_of_an_idle_worker() + ROOM
        reason = MEMORY_IN_USE.format(limit=limit // MIB)
        self.start_suite(limit)
        # In small steps, for the worker must not be seen beyond its limit yet.
        self.remember_until_it_uses(limit * 85 // 100, step=MIB)
        self.remember_until_it_uses(limit * 93 // 100, step=64 * KIB)
        self.wait_until(lambda: self.ps()[0]["health"] == "degraded", "warning")
        worker, process = self.ps()
        self.assertEqual((worker["health_cause"], process["restarts"]), ("memory", 0))
        self.assertRegex(worker["health_reason"], reason)

        def is_replaced():
            self.remember(MIB)
            process = self.ps()[1]
            return process and process["restarts"] > 0 and process["state"] == "running"
        self.wait_until(is_replaced, "replacement")
        self.assertRegex(self.ps()[1]["reason"], reason)
        events = [json.loads(line) for line in self.succeed("events", "--json").splitlines()]
        told = next(event for event in events if event["event"] == "agent_unhealthy")
        self.assertEqual(told["process"], "archive")
        self.assertRegex(told["reason"], reason)
        # It has forgotten, and goes on.
        self.wait_until(lambda: self.ps()[0] and self.ps()[0]["health"] == "healthy", "healthy successor")
        self.assertEqual(self.remember(KIB).stdout, "noted\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
