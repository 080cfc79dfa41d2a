#!/usr/bin/env python3
"""Agents that ask people and run code, each in a process of its own: the proxy of a person in a conversation, the code
executor with a person's approval, and what happens when the desk is killed while a question waits."""

import json
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from processes import BIN, PATIENCE, ProcessTest, clean_environment, get

DESK = "agents: [{type: sys.questions, kind: question_desk}]\n"
PROXY = """
agents:
  - {type: alice, kind: user_proxy, human_input: always, input_timeout: 60s}
  - {type: bob, kind: user_proxy, human_input: always, input_timeout: 1s, default_answer: "as you like"}
"""
EXECUTOR = """
tool_audit: {file: FOLDER/audit.jsonl}
agents:
  - type: runner
    kind: code_executor
    sandbox: {wall_time: 10s, folder: FOLDER/sandbox}
  - type: careful
    kind: code_executor
    approval: always
    approval_timeout: 60s
    sandbox: {wall_time: 10s, folder: FOLDER/sandbox}
"""

HELPER = r"""
tools:
  py: {type: code, languages: [python], wall_time: 10s, folder: FOLDER/sandbox}
models:
  m:
    provider: offline
    prefix: ""
    rules:
      - {after_tool: py, tool_result_regex: 'stdout:\s+([0-9]+)', reply: "It is $1."}
      - {contains: compute, tool_calls: [{name: py, arguments: {language: python, code: "print(6 * 7)"}}]}
    default_reply: "I do not know."
agents: [{type: helper, kind: assistant, tools: [py]}]
"""


class Members(ProcessTest):
    def setUp(self):
        super().setUp()
        Path(self.folder).chmod(0o711)  # root's sandbox runs as somebody else, who must come through
        self.start_broker()

    def start_agents(self, name, text):
        file = Path(self.folder) / f"{name}.yaml"
        file.write_text(text.replace("FOLDER", self.folder))
        worker = self.start("parley-agent", "--config", str(file), "--broker", self.endpoint, "--metrics-port", "0")
        worker.ready()
        return worker

    def parley(self, *arguments):
        done = subprocess.run([str(BIN / "parley"), *arguments, "--broker", self.endpoint], capture_output=True, text=True,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL, env=clean_environment())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def request(self, target, body, kind="parley.Text"):
        process = subprocess.Popen([str(BIN / "parley"), "request", target, json.dumps(body), "--type", kind, "--json", "--timeout",
                                    "60s", "--broker", self.endpoint], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env=clean_environment())
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def give_floor(self, target, said):
        message = {"from": "writer", "text": said, "visible_to": [], "at_ms": 0}
        return self.request(target, {"name": "member", "thread": [message], "members": [], "handoffs": [], "instruction": ""},
                            "parley.TurnRequest")

    def reply(self, process):
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, err)
        return json.loads(out.splitlines()[-1])["reply"]

    def waiting(self):
        return [json.loads(line) for line in self.parley("ask", "ls", "--json").splitlines()]

    def wait_for_question(self):
        self.wait_until(self.waiting, "question")
        return self.waiting()[0]


class People(Members):
    def test_a_member_asks_its_person_and_the_command_line_answers(self):
        self.start_agents("desk", DESK)
        self.start_agents("proxy", PROXY)
        turn = self.give_floor("alice/c1", "Shall we go on?")
        question = self.wait_for_question()
        self.assertIn("Shall we go on?", question["question"])
        self.assertEqual(question["asked_by"], "alice/c1")
        self.parley("ask", "answer", question["id"], "by all means")
        answer = self.reply(turn)
        self.assertEqual((answer["text"], answer["from"], answer["is_final"]), ("by all means", "member", False))

    def test_nobody_answers_and_the_default_counts(self):
        self.start_agents("desk", DESK)
        self.start_agents("proxy", PROXY)
        self.assertEqual(self.reply(self.give_floor("bob/c1", "Which colour?"))["text"], "as you like")

    def test_desk_killed_while_a_question_waits(self):
        desk = self.start_agents("desk", DESK)
        self.start_agents("proxy", PROXY)
        turn = self.give_floor("alice/c1", "Still there?")
        before = self.wait_for_question()
        desk.stop()
        self.start_agents("desk", DESK)
        again = self.wait_for_question()
        self.assertEqual(again["id"], before["id"], "it is the same question")
        self.parley("ask", "answer", again["id"], "yes")
        self.assertEqual(self.reply(turn)["text"], "yes")


class Code(Members):
    def setUp(self):
        super().setUp()
        file = Path(self.folder) / "executor.yaml"
        file.write_text(EXECUTOR.replace("FOLDER", self.folder))
        self.worker = self.start("parley-agent", "--config", str(file), "--broker", self.endpoint, "--metrics-port", "0")
        try:
            self.port = self.worker.ready()["metrics_port"]
        except AssertionError as failure:
            if "sandbox cannot be set up" in str(failure):
                self.skipTest(f"SKIPPED: no sandbox on this machine: {failure}")
            raise

    def audit(self):
        return [json.loads(line) for line in (Path(self.folder) / "audit.jsonl").read_text().splitlines()]

    def test_that_a_message_holds_is_run_and_its_output_answered(self):
        answer = self.reply(self.request("runner/c1", {"text": "Try\n```python\nprint(6 * 7)\n```\n", "from": "me"}))
        self.assertIn("Block 1 (python): exit code 0\nstdout:\n42", answer["text"])
        self.assertTrue(answer["text"].endswith("All code blocks succeeded."))
        self.assertEqual(answer["tools_used"], ["python"])

    def test_that_fails_is_told_to_its_writer_until_its_tests_pass(self):
        code = "```python\n# filename: solution.py\ndef double(x): return x + 2\n```\n"
        check = "```python\nfrom solution import double\nassert double(5) == 10, double(5)\nprint('passed')\n```\n"
        failed = self.reply(self.give_floor("runner/c2", code + check))["text"]
        self.assertIn("AssertionError: 7", failed)
        self.assertIn("1 of 2 code blocks failed.", failed)
        self.assertEqual([(record["agent"], record["call_id"], record["outcome"]) for record in self.audit()],
                         [("runner/c2", "block_1", "ok"), ("runner/c2", "block_2", "tool_error")])
        _, page = get(self.port, "/metrics")
        self.assertRegex(page, r'gen_ai_execute_tool_duration_seconds_count\{[^}]*gen_ai_agent_name="runner"[^}]*\} [1-9]')
        passed = self.reply(self.give_floor("runner/c2", code.replace("x + 2", "x * 2") + check))["text"]
        self.assertIn("passed", passed)
        self.assertTrue(passed.endswith("All code blocks succeeded."))

    def test_of_a_model_is_run_by_its_tool(self):
        self.start_agents("helper", HELPER)
        answer = self.reply(self.request("helper/c1", {"text": "compute it", "from": ""}))
        self.assertEqual((answer["text"], answer["tools_used"]), ("It is 42.", ["py"]))

    def test_of_two_conversations_has_a_work_folder_each(self):
        self.reply(self.request("runner/c3", {"text": "```sh\necho mine > file\n```", "from": ""}))
        self.assertIn("(no output)", self.reply(self.request("runner/c4", {"text": "```sh\nls\n```", "from": ""}))["text"])
        self.assertIn("file", self.reply(self.request("runner/c3", {"text": "```sh\nls\n```", "from": ""}))["text"])

    def test_without_code_the_writer_is_told_how_to_write_it(self):
        self.assertIn("```python", self.reply(self.request("runner/c5", {"text": "no code here", "from": ""}))["text"])

    def test_runs_only_when_a_person_approves(self):
        self.start_agents("desk", DESK)
        for verdict, expected in (("approve", "All code blocks succeeded."), ("reject", "carol has rejected it")):
            turn = self.give_floor(f"careful/{verdict}", "```python\nprint('ran')\n```")
            question = self.wait_for_question()
            self.assertEqual(question["kind"], "approval")
            self.assertIn("print('ran')", question["question"])
            self.parley("ask", "answer", question["id"], verdict, "--by", "carol")
            text = self.reply(turn)["text"]
            self.assertIn(expected, text)
            self.assertEqual("stdout:\nran" in text, verdict == "approve")
        records = self.audit()
        self.assertEqual([(record["tool"], record["outcome"]) for record in records],
                         [("python", "ok"), ("python", "refused")])
        self.assertEqual(records[0]["approved_by"], "carol")
        self.assertNotIn("approved_by", records[1])

    def test_ends_with_its_caller(self):
        mark = f"66{self.worker.process.pid}"
        turn = self.request("runner/c6", {"text": f"```sh\nsleep {mark}\n```", "from": ""})

        def runs():
            return subprocess.run(["pgrep", "-f", f"^sleep {mark}$"], capture_output=True).returncode == 0
        self.wait_until(runs, "code at work")
        turn.kill()
        self.wait_until(lambda: not runs(), "end of the code")

    def test_ends_with_its_worker(self):
        mark = f"67{self.worker.process.pid}"
        self.request("runner/c7", {"text": f"```sh\nsleep {mark}\n```", "from": ""})

        def runs():
            return subprocess.run(["pgrep", "-f", f"^sleep {mark}$"], capture_output=True).returncode == 0
        self.wait_until(runs, "code at work")
        self.worker.stop()
        self.wait_until(lambda: not runs(), "end of the code")


class Refusal(Members):
    def test_without_a_sandbox_the_worker_does_not_start_and_says_why(self):
        text = EXECUTOR.replace("FOLDER/sandbox", "/proc/nowhere")
        file = Path(self.folder) / "bad.yaml"
        file.write_text(text)
        done = subprocess.run([str(BIN / "parley-agent"), "--config", str(file), "--broker", self.endpoint],
                              capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                              env=clean_environment())
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("agent 'runner'", done.stderr)
        self.assertIn("sandbox", done.stderr)


if __name__ == "__main__":
    if not shutil.which("pgrep"):
        print("SKIPPED: pgrep is not installed (Debian package: procps)")
        sys.exit(77)
    unittest.main(verbosity=2)
