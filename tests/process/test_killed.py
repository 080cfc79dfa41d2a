#!/usr/bin/env python3
"""kill -9 of real processes with a request in flight: every caller gets its one outcome in time, and whoever is left comes back by itself."""

import json
import subprocess
import time
import unittest
from pathlib import Path

from processes import PATIENCE, ProcessTest

# The session timeout is 3 s: what ends sooner was found out from the connection, not from silence.
AT_ONCE = 1.5

AGENTS = """
models:
  echo:
    provider: offline
    prefix: ""
    rules:
      - regex: '^slow$'
        reply: at last
        latency: 60s
      - regex: '(.*)'
        reply: 'echo $1'
workers:
  - name: talker
    agents:
      - {type: talker, kind: assistant, model: echo, system_prompt: Repeat.}
  - name: bystander
    agents:
      - {type: bystander, kind: assistant, model: echo, system_prompt: Repeat.}
"""


class Killed(ProcessTest):
    def setUp(self):
        super().setUp()
        self.config = Path(self.folder, "agents.yaml")
        self.config.write_text(AGENTS)
        self.broker = self.start_broker()
        self.talker = self.start_worker("talker")

    def start_broker(self):
        return self.start_daemon("parley-broker", "--listen", self.endpoint, "--state-dir", f"{self.folder}/state",
                                 "--log-level", "error")

    def start_worker(self, name):
        return self.start_daemon("parley-agent", "--config", str(self.config), "--worker", name, "--broker",
                                 self.endpoint, "--log-level", "error")

    def parley(self, *arguments, **options):
        return self.spawn("parley", *arguments, "--broker", self.endpoint, **options)

    def outcome(self, process):
        """Exit code, standard output, standard error."""
        out, errors = process.communicate(timeout=PATIENCE)
        return process.returncode, out, errors

    def ask(self, target, text, timeout="30s"):
        return self.outcome(self.parley("request", target, text, "--timeout", timeout))

    def type_row(self, name):
        code, out, errors = self.outcome(self.parley("ps", "--json"))
        self.assertEqual(code, 0, errors)
        return next((row for row in json.loads(out)["types"] if row["name"] == name), None)

    def ask_slowly(self, target="talker/slow", timeout="30s"):
        """A request that its handler is working on."""
        before = self.type_row("talker")["inflight"]
        process = self.parley("request", target, "slow", "--timeout", timeout)
        self.wait_until(lambda: self.type_row("talker")["inflight"] > before, "request in flight")
        return process

    def test_worker_killed_mid_request_is_worker_lost_at_once(self):  # [P-FAIL-1]
        request = self.ask_slowly()
        self.kill(self.talker)
        killed = time.monotonic()
        code, _, errors = self.outcome(request)
        self.assertEqual(code, 1, errors)
        self.assertIn("worker_lost", errors)
        self.assertLess(time.monotonic() - killed, AT_ONCE)

    def test_worker_killed_mid_request_is_replaced_for_the_next_one(self):
        request = self.ask_slowly()
        self.kill(self.talker)
        self.outcome(request)
        waiting = self.parley("request", "talker/slow", "again", "--timeout", "30s")
        self.start_worker("talker")
        self.assertEqual(self.outcome(waiting)[:2], (0, "echo again\n"))

    def test_worker_killed_mid_request_leaves_other_workers_alone(self):
        self.start_worker("bystander")
        request = self.ask_slowly()
        self.kill(self.talker)
        self.assertEqual(self.ask("bystander/x", "hello")[:2], (0, "echo hello\n"))
        self.assertEqual(self.outcome(request)[0], 1)

    def test_caller_killed_mid_request_frees_its_agent(self):  # [P-FAIL-4]
        request = self.ask_slowly("talker/busy")
        self.kill(request)
        # The same activation: its turn has to end before the next one starts.
        self.assertEqual(self.ask("talker/busy", "free?")[:2], (0, "echo free?\n"))

    def test_broker_killed_mid_request_and_restarted_is_broker_lost_and_all_come_back(self):  # [P-FAIL-5]
        request = self.ask_slowly()
        self.kill(self.broker)
        killed = time.monotonic()
        self.broker = self.start_broker()
        code, _, errors = self.outcome(request)
        self.assertEqual(code, 1, errors)
        self.assertIn("broker_lost", errors)
        self.assertLess(time.monotonic() - killed, 30, "its own deadline has passed")
        self.assertEqual(self.ask("talker/other", "back?")[:2], (0, "echo back?\n"))
        self.assertIsNone(self.talker.poll(), "the worker came back by itself")

    def test_broker_killed_for_good_ends_a_request_within_its_deadline(self):
        request = self.ask_slowly(timeout="5s")
        self.kill(self.broker)
        killed = time.monotonic()
        code, _, errors = self.outcome(request)
        self.assertIn(code, (1, 4), errors)
        self.assertRegex(errors, "broker_lost|timeout")
        self.assertLess(time.monotonic() - killed, 15)

    def test_a_conversation_survives_the_broker_on_its_worker(self):
        self.assertEqual(self.ask("talker/kept", "one")[0], 0)
        self.kill(self.broker)
        self.broker = self.start_broker()
        self.wait_until(lambda: (self.type_row("talker") or {"activations": 0})["activations"] == 1,
                      "activation announced again")
        self.assertEqual(self.ask("talker/kept", "two")[:2], (0, "echo two\n"))

    def test_two_clients_with_equal_request_numbers_keep_apart(self):
        clients = {name: self.parley("request", f"talker/{name}", "--from-file", "-", "--concurrency", "16", "--json",
                                     stdin=subprocess.PIPE) for name in ("alice", "bob")}
        for name, client in clients.items():
            client.stdin.write("".join(json.dumps({"text": f"{name} {i}"}) + "\n" for i in range(200)))
            client.stdin.close()
            client.stdin = None
        for name, client in clients.items():
            code, out, errors = self.outcome(client)
            self.assertEqual(code, 0, errors)
            replies = sorted(json.loads(line)["reply"]["text"] for line in out.splitlines())
            self.assertEqual(replies, sorted(f"echo {name} {i}" for i in range(200)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
