#!/usr/bin/env python3
"""kill -9 of the process that manages a team, in the middle of a turn: `parley run` ends in time with a typed error, and what
was said so far is in the caller's hands. And a stop from outside, which ends the turn under way in another process."""

import json
import os
import re
import signal
import time
import unittest
from pathlib import Path

from processes import PATIENCE, ProcessTest, clean_environment

# The session timeout is 3 s: what ends sooner was found out from the connection, not from silence.
AT_ONCE = 2.5

TEAM = """
models:
  quick: {provider: offline, prefix: "", default_reply: the first idea}
  slow: {provider: offline, prefix: "", default_reply: "well, let me think about it for a long time", chunk_bytes: 6,
         chunk_interval: 30s}
workers:
  - name: managers
    agents:
      - {type: chat, kind: group_chat, participants: [quick_one, slow_one]}
  - name: members
    agents:
      - {type: quick_one, kind: assistant, model: quick}
      - {type: slow_one, kind: assistant, model: slow}
"""


class RunTest(ProcessTest):
    def setUp(self):
        super().setUp()
        self.config = Path(self.folder, "parley.yaml")
        self.config.write_text(TEAM)
        self.transcript = Path(self.folder, "talk.json")

    def run_team(self, *arguments):
        return self.spawn("parley", "run", str(self.config), "have an idea", "--transcript", str(self.transcript), *arguments,
                          env={**clean_environment(), "TMPDIR": self.folder})

    def wait_for_the_slow_one(self, process):
        """The first turn is over, and the second one has begun to speak; the lines so far."""
        lines = []
        while not lines or (lines[-1]["event"], lines[-1].get("from")) != ("part", "slow_one"):
            line = process.stdout.readline()
            self.assertTrue(line, "the run ended too soon")
            lines.append(json.loads(line))
        return lines

    def command_lines(self):
        """Process id → command line of everything that this test has started."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if self.folder in command and int(entry.name) != os.getpid():
                found[int(entry.name)] = command
        return found

    def pid_of_worker(self, name):
        pids = [pid for pid, command in self.command_lines().items() if f"--worker {name}" in command]
        self.assertEqual(len(pids), 1, self.command_lines())
        return pids[0]

    def assert_nothing_left(self):
        self.wait_until(lambda: not self.command_lines(), "end of all processes")


class ManagerKilled(RunTest):
    def test_the_run_ends_at_once_with_a_typed_error_and_what_was_said(self):
        process = self.run_team("--json")
        self.wait_for_the_slow_one(process)
        os.kill(self.pid_of_worker("managers"), signal.SIGKILL)
        begun = time.monotonic()
        while (event := json.loads(process.stdout.readline()))["event"] != "failed":
            pass
        self.assertLess(time.monotonic() - begun, AT_ONCE)
        self.assertEqual(event["error"]["code"], "worker_lost")
        self.assertEqual(event["turns"], 1)
        _, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1)
        self.assertIn("error: worker_lost: ", errors)
        transcript = json.loads(self.transcript.read_text())
        self.assertEqual(transcript["error"]["code"], "worker_lost")
        said = [(entry["from"], entry["text"], entry.get("is_unfinished", False))
                for entry in transcript["entries"] if entry["event"] == "turn_ended"]
        self.assertEqual(said, [("quick_one", "the first idea", False), ("slow_one", "well, ", True)])
        self.assert_nothing_left()

    def test_people_see_what_was_said_and_how_it_ended(self):
        self.transcript = Path(self.folder, "talk.md")
        process = self.run_team()
        seen = ""
        while "well," not in seen:
            piece = os.read(process.stderr.fileno(), 4096).decode()
            self.assertTrue(piece, seen)
            seen += piece
        os.kill(self.pid_of_worker("managers"), signal.SIGKILL)
        out, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out), (1, ""))
        self.assertIn("the first idea", seen)
        self.assertIn("== worker_lost · 1 turns", errors)
        self.assertIn("error: worker_lost: ", errors)
        self.assertIn("transcript in", errors)
        transcript = self.transcript.read_text()
        self.assertIn("the first idea", transcript)
        self.assertIn("**slow_one** (unfinished):\n\nwell,", transcript)
        self.assertRegex(transcript, r"# Result\n\nfailed: worker_lost: ")


class StoppedFromOutside(RunTest):
    def test_the_turn_under_way_ends_at_once_and_the_rest_is_the_answer(self):
        process = self.run_team("--json")
        self.wait_for_the_slow_one(process)
        commands = " ".join(self.command_lines().values())
        broker = re.search(r"--broker (ipc://\S+)", commands).group(1)
        key = self.key_of_the_run(broker)
        stop = self.spawn("parley", "request", f"chat/{key}!stop", "enough", "--broker", broker)
        begun = time.monotonic()
        while (event := json.loads(process.stdout.readline()))["event"] != "answer":
            pass
        self.assertLess(time.monotonic() - begun, AT_ONCE)
        self.assertEqual((event["stop_reason"], event["text"]), ("external:enough", "the first idea"))
        out, errors = stop.communicate(timeout=PATIENCE)
        self.assertEqual((stop.returncode, errors), (0, ""))
        self.assertIn("ends now", out)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)
        self.assert_nothing_left()

    def key_of_the_run(self, broker):
        """Heartbeats tell what executes."""
        keys = []

        def is_told():
            out, _ = self.spawn("parley", "ps", "--json", "--broker", broker).communicate(timeout=PATIENCE)
            keys[:] = re.findall(r'"chat/(run-[0-9a-f]+)"', out)
            return keys

        self.wait_until(is_told, "word of what executes")
        return keys[0]


if __name__ == "__main__":
    unittest.main()
