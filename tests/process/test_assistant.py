#!/usr/bin/env python3
"""Assistants with tools, handoffs and structured answers, each worker a process of its own."""

import json
import subprocess
import unittest
from pathlib import Path

from processes import BIN, PATIENCE, ProcessTest, clean_environment

DESK = """
models:
  main:
    provider: offline
    prefix: ""
    rules:
      - {after_tool: expert, tool_result_regex: "^(.*is .*)$", reply: "The expert says: $1"}
      - {after_tool: expert, tool_result: unknown_agent_type, reply: "The expert is away."}
      - {contains: capital, reply: "Let me ask.", tool_calls: [{name: expert, arguments: {task: "capital of France"}}]}
      - {contains: buy, tool_calls: [{name: transfer_to_sales, arguments: {reason: wants to buy}}]}
      - {contains: again, tool_calls: [{name: expert, arguments: {task: again}}]}
      - {after_tool: expert, call: 2, tool_calls: [{name: expert, arguments: {task: again}}]}
      - {after_tool: expert, call: 3, reply: "That is all."}
    price: {input_per_million_usd: 1000, output_per_million_usd: 1000}
tools:
  expert: {type: agent, target: expert, description: Knows capitals.}
tool_audit: {log: no}
agents:
  - type: desk
    kind: assistant
    system_prompt: "You are {{agent}}. Today is {{date}}."
    tools: [expert]
    handoffs: [{name: sales, description: sells}]
    max_tool_rounds: 1
"""

EXPERT = """
models:
  main:
    provider: offline
    prefix: ""
    rules:
      - {contains: capital of France, reply: "It is Paris."}
      - {contains: again, reply: "hm"}
      - {system: "a critic", contains: "red", reply: '{"verdict": "REVISE", "comments": ["too red"]}'}
    price: {input_per_million_usd: 1000, output_per_million_usd: 1000}
agents:
  - {type: expert, kind: assistant}
  - {type: critic, kind: critic}
  - {type: planner, kind: planner}
"""


POOR = """
budgets: {limits: [{name: tiny, tokens: 60}], wait_for_held: 0ms}
models:
  main:
    provider: offline
    prefix: ""
    rules: [{contains: hello, reply: hi, input_tokens: 30, output_tokens: 10}]
    price: {input_per_million_usd: 1, output_per_million_usd: 1}
agents:
  - {type: poor, kind: assistant, max_tokens: 10, on_budget_exceeded: "Come back tomorrow."}
"""

TEAM = """
models:
  main:
    provider: offline
    prefix: ""
    rules:
      - {system: You are triage, contains: refund, tool_calls: [{name: transfer_to_sales, arguments: {reason: a refund}}]}
      - {system: You are sales, history: "triage: a refund", reply: "Granted. DONE"}
agents:
  - {type: triage, kind: assistant, system_prompt: "You are {{agent}}.", handoffs: any}
  - {type: sales, kind: assistant, system_prompt: "You are {{agent}}."}
  - {type: shop, kind: group_chat, strategy: swarm, participants: [triage, sales], termination: [{text: DONE}]}
"""


class Assistants(ProcessTest):
    def setUp(self):
        super().setUp()
        self.start_broker()
        self.start_hosting("desk", DESK)

    def start_hosting(self, name, text):
        file = Path(self.folder) / f"{name}.yaml"
        file.write_text(text)
        worker = self.start("parley-agent", "--config", str(file), "--broker", self.endpoint, "--metrics-port", "0")
        worker.ready()
        return worker

    def ask(self, target, body, *more):
        """All lines that the command line prints; the last one is the reply."""
        done = subprocess.run([str(BIN / "parley"), "request", target, body, "--json", "--timeout", "30s", "--broker",
                               self.endpoint, *more], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, env=clean_environment())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def answer(self, target, body, *more):
        return self.ask(target, body, *more)[-1]["reply"]

    def test_a_tool_in_another_process_is_used_and_paid_for(self):
        self.start_hosting("expert", EXPERT)
        answer = self.answer("desk/ann", "the capital of France?")
        self.assertEqual(answer["text"], "The expert says: It is Paris.")
        self.assertEqual(answer["tools_used"], ["expert"])
        self.assertGreater(answer["usage"]["input_tokens"], 0)

    def test_what_happens_is_streamed_in_order(self):
        self.start_hosting("expert", EXPERT)
        text = json.dumps(self.ask("desk/ann", "the capital of France?", "--stream"))
        places = [text.find(part) for part in ("Let me", "tool_call", "tool_result", "The expert")]
        self.assertNotIn(-1, places, text)
        self.assertEqual(places, sorted(places), text)

    def test_a_tool_that_is_away_is_a_result_that_the_model_reads(self):
        self.assertEqual(self.answer("desk/ann", "the capital of France?")["text"], "The expert is away.")

    def test_tools_that_are_wanted_too_often_end_in_an_answer_that_says_so(self):
        self.start_hosting("expert", EXPERT)
        answer = self.answer("desk/ann", "again and again")
        self.assertEqual((answer["text"], answer["stop_reason"]), ("That is all.", "max_tool_rounds"))

    def test_a_handoff_names_who_takes_over(self):
        answer = self.answer("desk/ann", "I want to buy a boat")
        self.assertEqual((answer["handoff"], answer["text"]), ("sales", "wants to buy"))

    def test_a_critic_gives_a_verdict_in_a_conversation(self):
        self.start_hosting("expert", EXPERT)
        turn = {"name": "critic", "thread": [{"from": "user", "text": "a poem", "visible_to": [], "at_ms": 0},
                                             {"from": "poet", "text": "Roses are red.", "visible_to": [], "at_ms": 0}],
                "members": [{"name": "poet", "description": "writes"}], "handoffs": [], "instruction": ""}
        answer = self.answer("critic/c1", json.dumps(turn), "--type", "parley.TurnRequest")
        self.assertEqual(json.loads(answer["text"]), {"verdict": "REVISE", "comments": ["too red"]})

    def test_a_planner_without_a_script_still_gives_a_plan(self):
        self.start_hosting("expert", EXPERT)
        self.assertEqual(set(json.loads(self.answer("planner/p", "Build a boat")["text"])), {"goal", "steps"})

    def test_an_exhausted_budget_is_answered_with_the_fallback(self):
        file = Path(self.folder) / "poor.yaml"
        file.write_text(POOR)
        self.start("parley-ledger", "--config", str(file), "--state-dir", f"{self.folder}/ledger", "--broker",
                   self.endpoint).ready()
        self.start_hosting("poor", POOR)
        answers = [self.answer("poor/ann", "hello") for _ in range(2)]
        self.assertEqual([answer["text"] for answer in answers], ["hi", "Come back tomorrow."])
        self.assertEqual(answers[1]["stop_reason"], "budget_exceeded")
        self.assertGreater(answers[0]["usage"]["cost_nano_usd"], 0)

    def test_a_handoff_in_a_team_gives_the_other_one_the_floor(self):
        self.start_hosting("team", TEAM)
        answer = self.answer("shop/c1", "I want a refund")
        self.assertEqual((answer["text"], answer["stop_reason"]), ("Granted. DONE", "text:DONE"))


if __name__ == "__main__":
    unittest.main()
