#!/usr/bin/env python3
"""The examples, as a user runs them: `parley run` with broker and agents in processes of their own."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import unittest
from pathlib import Path

from processes import BIN, ProcessTest, clean_environment

EXAMPLES = Path(__file__).resolve().parents[2] / "agents" / "examples"
# For a whole conversation.
PATIENCE = 120


class ExampleTest(ProcessTest):
    def run_parley(self, *arguments):
        return self.spawn("parley", "run", *arguments, env={**clean_environment(), "TMPDIR": self.folder}, cwd=self.folder)

    def run_example(self, name, task, *arguments):
        """Exit code, standard output, standard error."""
        process = self.run_parley(str(EXAMPLES / name / "parley.yaml"), task, *arguments)
        out, errors = process.communicate(timeout=PATIENCE)
        return process.returncode, out, errors

    def events(self, name, task, *arguments):
        """The events of a run and its answer."""
        code, out, errors = self.run_example(name, task, "--json", *arguments)
        self.assertEqual(code, 0, errors + out)
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(lines[-1]["event"], "answer", out)
        return lines, lines[-1]

    def turns(self, events):
        return [event["from"] for event in events if event["event"] == "turn_ended"]

    def assert_nothing_left(self):
        find = ["pgrep", "-f", self.folder]
        self.wait_until(lambda: not subprocess.run(find, capture_output=True).stdout, "end of all processes")


class RealModels(ExampleTest):
    """Every file as it is, with a model behind HTTP."""

    def start_stub(self):
        rules = Path(self.folder) / "rules.yaml"
        rules.write_text("prefix: ''\nrules:\n  - {system: critic, reply: 'APPROVE: good'}\ndefault_reply: By a real server.\n")
        return self.start("parley-stub-model", "--rules", str(rules)).ready()["base_url"]

    def settings(self, more=""):
        return f'{{provider: openai, model: gpt-x, base_url: "{self.start_stub()}", api_key_env: ""{more}}}'

    def test_answer_in_the_place_of_the_scripted_ones(self):
        model = "*=" + self.settings(", price: {input_per_million_usd: 1, output_per_million_usd: 1}")
        for flag in ((), ("--standalone",)):
            with self.subTest(flag=flag):
                code, out, errors = self.run_example("poem_review", "a poem about the sea", "--model", model, *flag)
                self.assertEqual((code, out.strip()), (0, "By a real server."), errors)
                self.assertNotIn("warning", errors)

    def test_of_one_name_replace_that_model_only(self):
        _, answer = self.events("poem_review", "a poem about the sea", "--model", "poet_model=" + self.settings())
        self.assertEqual((answer["text"], answer["stop_reason"]), ("By a real server.", "accepted:critic"))

    def test_without_a_price_make_a_limit_in_money_warn(self):
        _, _, errors = self.run_example("poem_review", "a poem about the sea", "--model", "*=" + self.settings())
        self.assertIn("warning: team 'poem_review' has a limit in money, and the model 'poet_model' (openai, gpt-x) has no "
                      "`price`", errors)

    def test_that_are_wrong_are_told_before_anything_starts(self):
        for model, problem in (("*=opnai:gpt-x", "--model *:1: provider: 'opnai'"), ("nobody=offline", "no model has this name"),
                               ("gpt-x", "expected NAME=PROVIDER:MODEL")):
            with self.subTest(model=model):
                code, _, errors = self.run_example("poem_review", "a poem", "--model", model)
                self.assertEqual(code, 2, errors)
                self.assertIn(problem, errors)


class PoemReview(ExampleTest):
    def test_the_poem_goes_back_until_it_is_approved(self):
        events, answer = self.events("poem_review", "a poem about the sea")
        self.assertEqual(self.turns(events), ["poet", "critic", "poet", "critic"])
        self.assertEqual(answer["stop_reason"], "accepted:critic")
        self.assertTrue(answer["text"].startswith("The sea keeps no account"), answer["text"])
        self.assertGreater(answer["usage"]["cost_usd"], 0)
        self.assert_nothing_left()

    def test_people_see_who_speaks_and_pipes_get_the_answer(self):
        code, out, errors = self.run_example("poem_review", "a poem about the sea", "--transcript", "poem.md")
        self.assertEqual(code, 0, errors)
        self.assertTrue(out.startswith("The sea keeps no account"), out)
        for text in ("poet · writes version 1", "critic · reviews version 2", "== accepted:critic"):
            self.assertIn(text, errors)
        self.assertNotIn("\x1b", errors + out)
        self.assertEqual([line for line in errors.splitlines() if len(line) > 80], [])
        transcript = Path(self.folder, "poem.md").read_text()
        for text in ("## poet (writes version 1)", "The rhyme is cheap", "accepted:critic (4 turns"):
            self.assertIn(text, transcript)

    def test_one_process_does_the_same(self):
        events, answer = self.events("poem_review", "a poem about the sea", "--standalone")
        self.assertEqual(self.turns(events), ["poet", "critic", "poet", "critic"])
        self.assertEqual(answer["stop_reason"], "accepted:critic")

    def test_ctrl_c_cancels_and_still_writes_the_transcript(self):
        process = self.run_parley(str(EXAMPLES / "poem_review" / "parley.yaml"), "a poem", "--json", "--transcript", "poem.json")
        while '"turn_ended"' not in process.stdout.readline():
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        transcript = json.loads(Path(self.folder, "poem.json").read_text())
        self.assertEqual(transcript["error"]["code"], "cancelled")
        self.assertIn("turn_ended", [entry["event"] for entry in transcript["entries"]])
        self.assert_nothing_left()

    def test_wrong_usage_is_exit_2_before_anything_starts(self):
        for arguments in (["--agent", "nobody"], ["--transcript", "poem.pdf"]):
            code, _, errors = self.run_example("poem_review", "a poem", *arguments)
            self.assertEqual(code, 2, errors)
        self.assertEqual(os.listdir(self.folder), [])


def can_sandbox():
    """True when bubblewrap works here; where it does not, the executor refuses to start."""
    bwrap = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "true"]
    return shutil.which("bwrap") is not None and subprocess.run(bwrap, capture_output=True).returncode == 0


@unittest.skipUnless(can_sandbox(), "SKIPPED: bubblewrap does not work on this machine")
class SoftwareTeam(ExampleTest):
    def test_the_tests_fail_first_and_pass_in_the_end(self):
        events, answer = self.events("software_team", "write to_roman(number) for 1 to 3999")
        self.assertEqual(self.turns(events), ["coder", "tester", "executor"] * 2 + ["reviewer"])
        runs = [event["text"] for event in events if event["event"] == "turn_ended" and event["from"] == "executor"]
        self.assertIn("AssertionError: 'IIII' != 'IV'", runs[0])
        self.assertIn("code blocks failed", runs[0])
        self.assertIn("All code blocks succeeded", runs[1])
        self.assertIn('(900, "CM")', answer["text"])
        self.assert_nothing_left()


class WebResearch(ExampleTest):
    def test_two_researchers_read_the_site_and_a_writer_compares(self):
        serve = EXAMPLES / "web_research" / "serve.py"
        command = ["/usr/bin/python3", str(serve), str(BIN / "parley"), "run",
                   str(EXAMPLES / "web_research" / "parley.yaml"), "Compare by the pages at {site}", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                              env={**clean_environment(), "TMPDIR": self.folder})
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(sorted(self.turns(events)),
                         ["planner", "researchers", "solar_researcher", "wind_researcher", "writer"])
        used = sorted(event["from"] for event in events if event["event"] == "tool_call")
        self.assertEqual(used, ["solar_researcher", "wind_researcher"])
        self.assertIn("2600 hours a year against 1050 hours", events[-1]["text"])
        self.assert_nothing_left()


class FinanceSql(ExampleTest):
    def test_a_question_becomes_a_query_and_an_answer(self):
        for question, expected in (("What was our revenue in March?", "4000 euros"),
                                   ("Who is our best customer?", "Corvus with 3850 euros")):
            events, answer = self.events("finance_sql", question)
            self.assertIn(expected, answer["text"])
            self.assertEqual(answer["tools_used"], ["books"])
            self.assertIn("tool_result", [event["event"] for event in events])

    def test_the_script_makes_the_database_that_ships(self):
        folder = Path(self.folder, "copy")
        shutil.copytree(EXAMPLES / "finance_sql", folder)
        (folder / "books.db").unlink()
        subprocess.run(["/usr/bin/python3", str(folder / "make_database.py")], check=True)
        self.assertEqual(dump(folder / "books.db"), dump(EXAMPLES / "finance_sql" / "books.db"))


def dump(database):
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


class Approval(ExampleTest):
    def ask(self, endpoint, *arguments):
        done = subprocess.run([str(BIN / "parley"), "ask", *arguments, "--broker", endpoint], capture_output=True,
                              text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def pay(self, amount, answer):
        """The clerk's answer to an order in euros, after a person has answered the question."""
        return self.order(f"{amount} euros", answer)

    def order(self, amount, answer):
        process = self.run_parley("--agent", "clerk", str(EXAMPLES / "approval" / "parley.yaml"),
                             f"pay {amount} to Arkona", "--json")
        lines = []
        while not lines or lines[-1]["event"] != "answer":
            line = process.stdout.readline()
            self.assertTrue(line, "the run has ended without an answer")
            lines.append(json.loads(line))
            if lines[-1]["event"] == "person_asked":
                self.assertEqual(lines[-1]["choices"], ["approve", "reject"])
                endpoint = next(Path(self.folder).glob("parley-run-*/broker.sock"))
                self.ask(f"ipc://{endpoint}", "answer", lines[-1]["id"], answer)
        asked = [line for line in lines if line["event"] == "person_asked"]
        self.assertEqual(process.wait(timeout=PATIENCE), 0)
        return len(asked), lines[-1]["text"]

    def test_a_large_payment_waits_for_a_person(self):
        self.assertEqual(self.pay(250, "approve"), (1, "Done: 250 euros to Arkona are on their way."))

    def test_a_refused_payment_is_not_made(self):
        asked, text = self.pay(250, "reject")
        self.assertEqual(asked, 1)
        self.assertIn("not paid", text)

    def test_an_amount_in_another_form_is_asked_for(self):
        for amount in ("250.00 euros", "€250", "250 EUR"):
            with self.subTest(amount=amount):
                asked, text = self.order(amount, "reject")
                self.assertEqual(asked, 1)
                self.assertIn("not paid", text)

    def test_a_small_payment_asks_nobody(self):
        self.assertEqual(self.pay(40, "approve"), (0, "Done: 40 euros to Arkona are on their way."))


if __name__ == "__main__":
    unittest.main(verbosity=2)
