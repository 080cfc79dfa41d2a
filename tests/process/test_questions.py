#!/usr/bin/env python3
"""Questions to people, with the desk, whoever asks and whoever answers in processes of their own."""

import json
import subprocess
import unittest
from pathlib import Path

from processes import BIN, PATIENCE, ProcessTest, clean_environment

DESK = "agents: [{type: sys.questions, kind: question_desk}]\n"


class Questions(ProcessTest):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker()
        self.desk = self.start_desk()

    def start_desk(self):
        file = Path(self.folder) / "desk.yaml"
        file.write_text(DESK)
        desk = self.start("parley-agent", "--config", str(file), "--broker", self.endpoint, "--metrics-port", "0")
        self.port = desk.ready()["metrics_port"]
        return desk

    def parley(self, *arguments, expected=0):
        done = subprocess.run([str(BIN / "parley"), *arguments, "--broker", self.endpoint], capture_output=True, text=True,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL, env=clean_environment())
        self.assertEqual(done.returncode, expected, done.stdout + done.stderr)
        return done

    def ask(self, identifier, question, **fields):
        """A process that asks and waits for its answer."""
        body = {"question": question, "asked_by": "test", "kind": "input", "choices": [], "timeout_ms": 60000,
                "has_default": False, "default_answer": "", **fields}
        process = subprocess.Popen([str(BIN / "parley"), "request", f"sys.questions/{identifier}", json.dumps(body), "--type",
                                    "parley.Ask", "--json", "--timeout", "60s", "--broker", self.endpoint],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def waiting(self):
        return [json.loads(line) for line in self.parley("ask", "ls", "--json").stdout.splitlines()]

    def wait_for_question(self):
        self.wait_until(self.waiting, "question")
        return self.waiting()[0]

    def heard(self, process):
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, err)
        return json.loads(out)["reply"]

    def test_one_that_a_process_asks_is_listed_and_answered_from_another(self):
        asker = self.ask("q1", "How many days?")
        question = self.wait_for_question()
        self.assertEqual((question["id"], question["question"], question["asked_by"]), ("q1", "How many days?", "test"))
        self.parley("ask", "answer", "q1", "28", "--by", "bob")
        self.assertEqual(self.heard(asker), {"answer": "28", "by": "bob", "is_default": False})
        self.assertEqual(self.waiting(), [])

    def test_its_default_counts_when_its_time_is_over(self):
        asker = self.ask("q2", "Go on?", timeout_ms=300, has_default=True, default_answer="no")
        self.assertEqual(self.heard(asker), {"answer": "no", "by": "", "is_default": True})

    def test_without_a_default_ends_with_timeout(self):
        asker = self.ask("q3", "Go on?", timeout_ms=300)
        _, err = asker.communicate(timeout=PATIENCE)
        self.assertEqual(asker.returncode, 4, err)

    def test_an_answer_that_is_none_of_the_choices_is_refused(self):
        self.ask("q4", "Pay?", kind="approval", choices=["approve", "reject"])
        self.wait_for_question()
        refused = self.parley("ask", "answer", "q4", "perhaps", expected=1)
        self.assertIn("approve, reject", refused.stderr)
        self.assertIn("no question 'nothing' waits", self.parley("ask", "answer", "nothing", "x", expected=1).stderr)
        self.assertEqual(len(self.waiting()), 1)

    def test_a_person_sees_them_in_a_table_and_one_in_full(self):
        self.ask("q5", "Pay 5 EUR to ACME?", kind="approval", choices=["approve", "reject"])
        self.wait_for_question()
        table = self.parley("ask", "ls").stdout
        self.assertIn("QUESTION", table)
        self.assertIn("q5", table)
        self.assertIn("Pay 5 EUR to ACME?", self.parley("ask", "ls", "q5").stdout)
        self.parley("ask", "ls", "other", expected=1)

    def test_watching_shows_each_once_until_its_time_is_over(self):
        self.ask("q7", "First?")
        self.wait_for_question()
        watched = self.parley("ask", "ls", "--watch", "--json", "--timeout", "2s").stdout
        self.assertEqual([json.loads(line)["id"] for line in watched.splitlines()], ["q7"])

    def test_is_lost_with_the_desk_and_waits_again_when_it_is_asked_again(self):
        asker = self.ask("q6", "Still there?")
        self.wait_for_question()
        self.desk.stop()
        _, err = asker.communicate(timeout=PATIENCE)
        self.assertEqual(asker.returncode, 1)
        self.assertIn("worker_lost", err)
        self.desk = self.start_desk()
        again = self.ask("q6", "Still there?")
        self.wait_for_question()
        self.parley("ask", "answer", "q6", "yes")
        self.assertEqual(self.heard(again)["answer"], "yes")

    def test_without_a_desk_the_list_says_what_is_missing(self):
        self.assertEqual(self.desk.terminate(), 0)
        self.broker.terminate()
        self.start_broker()
        self.assertIn("question_desk", self.parley("ask", "ls", expected=1).stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
