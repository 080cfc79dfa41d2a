#!/usr/bin/env python3
"""The help desk as it is deployed: broker, router, departments and user proxy in processes of their own."""

import json
import subprocess
import time
import unittest
from pathlib import Path

from processes import BIN, HELPDESK, PATIENCE, ProcessTest, clean_environment, get

WORKERS = ["router", "hr", "finance", "user-proxy"]


class HelpDesk(ProcessTest):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker()
        self.workers = {name: self.start_worker(name) for name in WORKERS}
        self.ports = {name: worker.ready()["metrics_port"] for name, worker in self.workers.items()}

    def say(self, session, text):
        """What the user proxy answers, as (from, text)."""
        result = subprocess.run([str(BIN / "parley"), "request", f"user_proxy/{session}", text, "--json", "--timeout",
                                 "30s", "--broker", self.endpoint], capture_output=True, text=True, timeout=PATIENCE,
                                stdin=subprocess.DEVNULL, env=clean_environment())
        self.assertEqual(result.returncode, 0, result.stderr)
        reply = json.loads(result.stdout.splitlines()[-1])["reply"]
        return reply["from"], reply["text"]

    def chat(self, session, *lines):
        """The answers of one `parley chat`, as (from, is_final)."""
        result = subprocess.run([str(BIN / "parley"), "chat", "--session", session, "--json", "--broker", self.endpoint],
                                input="".join(line + "\n" for line in lines), capture_output=True, text=True,
                                timeout=PATIENCE, env=clean_environment())
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        return [(line["from"], line["is_final"]) for line in lines if "is_final" in line]

    def test_messages_reach_the_department_that_they_are_about(self):
        sender, text = self.say("alice", "I am an employee and would like to take a holiday")
        self.assertEqual(sender, "hr")
        self.assertIn("28 days of holiday", text)
        sender, text = self.say("bob", "who sends money for an invoice?")
        self.assertEqual(sender, "finance")
        self.assertIn("invoices as PDF", text)

    def test_a_chat_stays_with_its_department_until_the_end_word(self):
        answers = self.chat("alice", "hr please", "what about money?", "END", "now my budget", "END")
        self.assertEqual(answers, [("hr", False), ("hr", False), ("user_proxy", True), ("finance", False),
                                   ("user_proxy", True)])

    def test_two_sessions_at_once_stay_apart(self):
        self.assertEqual(self.say("alice", "human resources")[0], "hr")
        self.assertEqual(self.say("bob", "finance")[0], "finance")
        self.assertEqual(self.say("alice", "and another thing")[0], "hr")
        self.assertEqual(self.say("bob", "and another thing")[0], "finance")

    def test_an_unknown_intent_gets_a_question(self):
        sender, text = self.say("alice", "what is the weather?")
        self.assertEqual(sender, "router")
        self.assertIn("- HR: ", text)
        self.assertIn("- finance: ", text)
        self.assertEqual(self.say("alice", "then finance")[0], "finance")

    def test_a_killed_department_comes_back_and_the_conversation_goes_on(self):
        self.assertEqual(self.say("alice", "hr")[0], "hr")
        self.workers["hr"].stop()
        self.start_worker("hr").ready()
        self.assertEqual(self.say("alice", "are you still there?")[0], "hr")

    def test_workers_count_their_turns_and_tokens(self):
        self.say("alice", "hr")
        # The page counts turns with the worker's next beat.
        turns = 'parley_agent_turns_total{agent_type="hr",outcome="ok"} 1'
        self.wait_until(lambda: turns in get(self.ports["hr"], "/metrics")[1], "count of the turn")
        self.assertIn('gen_ai_client_token_usage_sum{gen_ai_agent_name="hr"', get(self.ports["hr"], "/metrics")[1])
        self.assertEqual(get(self.ports["hr"], "/readyz")[0], 200)
        self.assertEqual(get(self.ports["hr"], "/livez")[0], 200)

    def test_workers_are_not_ready_without_the_broker_and_come_back_with_it(self):
        self.broker.stop()
        self.wait_until(lambda: get(self.ports["hr"], "/readyz")[0] == 503, "worker that is not ready")
        self.assertEqual(get(self.ports["hr"], "/livez")[0], 200)
        self.start_broker()
        for name in WORKERS:
            self.wait_until(lambda: get(self.ports[name], "/readyz")[0] == 200, f"ready {name}")
        self.assertEqual(self.say("alice", "hr")[0], "hr")

    def test_every_process_drains_at_sigterm_and_exits_0(self):
        for name in WORKERS:
            self.assertEqual(self.workers[name].terminate(), 0, name)
        self.assertEqual(self.broker.terminate(), 0)


class Worker(ProcessTest):
    def run_agent(self, *arguments):
        return subprocess.run([str(BIN / "parley-agent"), *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, env=clean_environment())

    def write(self, text):
        file = Path(self.folder) / "agents.yaml"
        file.write_text(text)
        return str(file)

    def test_waits_for_a_broker_that_is_not_there_yet(self):
        worker = self.start_worker("hr")
        self.start_broker()
        self.assertEqual(worker.ready()["agents"], ["hr"])

    def test_ends_with_status_3_when_no_broker_comes_within_the_connect_timeout(self):
        budgets = self.write("budgets: {limits: [{name: all, tokens: 1, per: day}]}\n")
        for command in (("parley-agent", "--config", str(HELPDESK), "--worker", "hr"),
                        ("parley-ledger", "--config", budgets, "--state-dir", self.folder)):
            process = self.spawn(*command, "--broker", self.endpoint, "--connect-timeout", "300ms", "--log-level", "error")
            out, errors = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 3, errors)
            self.assertEqual(out, "")
            self.assertEqual(errors, f"error: no broker answers at {self.endpoint} within 300ms "
                                     "(is one running? try: parley up)\n")

    def test_stops_at_once_while_it_waits_for_a_broker(self):
        worker = self.start_worker("hr")
        started = time.monotonic()
        time.sleep(0.5)
        self.assertEqual(worker.terminate(), 0)
        self.assertLess(time.monotonic() - started, 15)

    def test_reports_all_problems_of_its_configuration_and_exits_2(self):
        file = self.write("agents:\n  - {type: hr, kind: assistnt}\n  - {type: 'a b', kind: user_proxy, timout: 5s}\n")
        result = self.run_agent("--config", file)
        self.assertEqual(result.returncode, 2)
        for part in ("agents.yaml:2: agents[0].kind: 'assistnt'", "did you mean 'assistant'?",
                     "agents.yaml:3: agents[1].type: 'a b'", "agents[1].timout: unknown key (did you mean 'timeout'?)"):
            self.assertIn(part, result.stderr)

    def test_names_a_missing_file_flag_key_or_port_and_exits_2(self):
        needs_key = self.write("models: {m: {provider: openai, model: x, api_key_env: NO_SUCH_KEY_HERE}}\n"
                               "agents: [{type: hr, kind: assistant}]\n")
        for arguments, text in ((["--config", "/nonexistent.yaml"], "/nonexistent.yaml"), (["--config", str(HELPDESK), "--nonsense"], "--nonsense"),
                                ([], "--config"), (["--config", needs_key], "NO_SUCH_KEY_HERE"),
                                (["--config", str(HELPDESK), "--worker", "nobody"], "nobody"),
                                (["--config", str(HELPDESK), "--connect-timeout", "0s"], "--connect-timeout: '0s'"),
                                (["--config", str(HELPDESK), "--drain-timeout", "2h"], "--drain-timeout: '2h'"),
                                (["--config", str(HELPDESK), "--worker", "hr", "--broker", "tcp://192.0.2.1:1"], "insecure")):
            result = self.run_agent(*arguments)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn(text, result.stderr)

    def test_no_process_serves_metrics_beyond_this_machine_unless_told_insecure(self):
        budgets = self.write("budgets: {limits: [{name: all, tokens: 1, per: day}]}\n")
        beyond = ("--metrics-address", "0.0.0.0", "--metrics-port", "0")
        for command in (("parley-broker", "--listen", self.endpoint),
                        ("parley-agent", "--config", str(HELPDESK), "--worker", "hr", "--broker", self.endpoint),
                        ("parley-ledger", "--config", budgets, "--state-dir", self.folder, "--broker", self.endpoint)):
            refused = self.spawn(*command, *beyond)
            errors = refused.communicate(timeout=PATIENCE)[1]
            self.assertEqual(refused.returncode, 2, errors)
            self.assertIn("0.0.0.0", errors)
            self.assertIn("--insecure", errors)
        broker = self.start("parley-broker", "--listen", self.endpoint, "--insecure", *beyond)
        self.assertEqual(get(broker.ready()["metrics_port"], "/livez")[0], 200)

    def test_says_which_metrics_port_is_taken_and_exits_2(self):
        self.start_broker()
        port = self.start_worker("hr").ready()["metrics_port"]
        result = self.run_agent("--config", str(HELPDESK), "--worker", "hr", "--broker", self.endpoint, "--metrics-port",
                                str(port))
        self.assertEqual(result.returncode, 2)
        self.assertIn(f"127.0.0.1:{port}", result.stderr)

    def test_shows_help_with_an_example_and_the_kinds(self):
        result = self.run_agent("--help")
        self.assertEqual(result.returncode, 0)
        for part in ("Example: ", "assistant", "semantic_router", "user_proxy", "--metrics-port"):
            self.assertIn(part, result.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
