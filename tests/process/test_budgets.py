#!/usr/bin/env python3
"""Budgets with real processes: calls race for one limit, agents and the ledger are killed with calls in flight, and every call is
charged exactly once."""

import json
import os
import re
import signal
import subprocess
import unittest
import urllib.request
from pathlib import Path

from processes import BIN, PATIENCE, ProcessTest, clean_environment

# Input and output of each call of the offline model: 1 dollar for a million tokens, so a token is a micro-dollar.
IN, OUT = 100, 50
CALL_USD = (IN + OUT) / 1e6

CONFIG = """
models:
  paid:
    provider: offline
    prefix: ""
    price: {{input_per_million_usd: 1, output_per_million_usd: 1}}
    rules:
      - {{regex: '^slow$', reply: at last, latency: {slow}, input_tokens: 100, output_tokens: 50}}
      - {{regex: '(.*)', reply: 'echo $1', latency: 50ms, input_tokens: 100, output_tokens: 50}}
budgets:
  lease: {lease}
  wait_for_held: {wait}
  ledger_timeout: {timeout}
  estimate: {estimate}
  max_output_tokens: 50
  limits:
    - {{name: fleet, usd: {usd}}}
    - {{name: each-agent, agent: "*", tokens: 1000000}}
    - {{name: talk, conversation: broke, tokens: 1}}
workers:
"""

# Longer than the input tokens that the model claims, since no token is shorter than a byte.
PROMPT = "Repeat what you hear. " * 6
RACERS = 100


def agents_of(worker, racers):
    """The agent of a worker, and others that all hear one topic."""
    lines = [f"  - name: {worker}", "    agents:"]
    common = f"kind: assistant, model: paid, system_prompt: '{PROMPT}', max_tokens: 50"
    lines.append(f"      - {{type: {worker}, {common}}}")
    lines += [f"      - {{type: {worker}{i}, {common}, subscriptions: [race], answer_topic: race.answers}}"
              for i in range(racers)]
    return "\n".join(lines) + "\n"


def config_with(settings, racers=0):
    return CONFIG.format(**settings) + agents_of("one", racers) + agents_of("two", racers)


class Budgets(ProcessTest):
    settings = {"usd": "1", "lease": "30s", "wait": "0ms", "timeout": "5s", "estimate": "learned", "slow": "60s"}

    def setUp(self):
        super().setUp()
        self.config = Path(self.folder, "parley.yaml")

    def begin(self, racers=0, **settings):
        self.config.write_text(config_with({**self.settings, **settings}, racers))
        self.broker = self.start_daemon("parley-broker", "--listen", self.endpoint, "--state-dir",
                                        f"{self.folder}/state", "--log-level", "error")
        self.ledger = self.start_ledger()
        self.workers = {name: self.start_worker(name) for name in ("one", "two")}

    def start_ledger(self):
        return self.start_daemon("parley-ledger", "--config", str(self.config), "--state-dir", f"{self.folder}/ledger",
                                 "--broker", self.endpoint, "--log-level", "error")

    def start_worker(self, name):
        return self.start_daemon("parley-agent", "--config", str(self.config), "--worker", name, "--broker",
                                 self.endpoint, "--log-level", "error")

    def parley(self, *arguments, **options):
        return self.spawn("parley", *arguments, "--broker", self.endpoint, **options)

    def run_parley(self, *arguments):
        process = self.parley(*arguments)
        out, errors = process.communicate(timeout=PATIENCE)
        return process.returncode, out, errors

    def ask(self, target, text="hello", timeout="30s"):
        return self.run_parley("request", target, text, "--timeout", timeout)

    def race(self, key):
        """One event that 200 agents in two processes answer with a call each, all at once."""
        code, _, errors = self.run_parley("publish", f"race/{key}", "hello")
        self.assertEqual(code, 0, errors)

    def asked(self, *outcomes):
        """Calls of both workers so far, by what the ledger said."""
        total = 0
        for worker in self.workers.values():
            page = self.metrics(worker)
            total += sum(int(count) for outcome in outcomes
                         for count in re.findall(rf'^parley_budget_calls_total{{outcome="{outcome}"}} (\d+)', page, re.M))
        return total

    def budgets(self, *names):
        code, out, errors = self.run_parley("budget", "ls", *names, "--json")
        self.assertEqual(code, 0, errors)
        return [json.loads(line) for line in out.splitlines()]

    def budget(self, name="fleet"):
        return self.budgets(name)[0]

    def metrics(self, process):
        port = process.ready["metrics_port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as page:
            return page.read().decode()

    def wait_until_settled(self):
        self.wait_until(lambda: self.budget()["reserved_usd"] == 0, "budget without reservations")

    def test_answers_are_paid_and_listed(self):
        self.begin()
        self.assertEqual(self.ask("one/alice")[0], 0)
        self.wait_until_settled()
        self.assertEqual(self.budget()["spent_nano_usd"], round(CALL_USD * 1e9))
        each = [row for row in self.budgets() if row["budget"] == "each-agent"]
        self.assertEqual([(row["subject"], row["spent_tokens"]) for row in each], [("one/alice", IN + OUT)])
        code, table, _ = self.run_parley("budget", "ls")
        self.assertEqual(code, 0)
        self.assertIn("fleet", table)
        page = self.metrics(self.workers["one"])
        self.assertIn('parley_budget_calls_total{outcome="granted"} 1', page)

    def test_the_ledgers_page_tells_limit_spent_reserved_and_left_of_each_budget(self):
        self.begin(usd="0.01")
        self.assertEqual(self.ask("one/alice")[0], 0)
        self.wait_until_settled()
        self.assertNotEqual(self.ask("one/broke")[0], 0)
        left = 0.01 - CALL_USD
        expected = {"limit_usd": ("fleet", 0.01), "spent_usd": ("fleet", CALL_USD), "reserved_usd": ("fleet", 0),
                    "remaining_usd": ("fleet", left), "limit_tokens": ("each-agent", 1000000),
                    "spent_tokens": ("each-agent", IN + OUT), "reserved_tokens": ("each-agent", 0),
                    "remaining_tokens": ("each-agent", 1000000 - IN - OUT), "refused_total": ("talk", 1)}
        for name, (budget, value) in expected.items():
            self.wait_until(lambda: self.on_page(name, budget) == value, f"{name} of {budget} at {value}")
        slow = self.parley("request", "two/bob", "slow", "--timeout", "60s")
        self.wait_until(lambda: self.on_page("reserved_usd", "fleet") > 0, "money that is held")
        self.assertAlmostEqual(self.on_page("remaining_usd", "fleet") + self.on_page("reserved_usd", "fleet"), left)
        slow.kill()
        slow.communicate(timeout=PATIENCE)

    def on_page(self, name, budget):
        found = re.search(rf'^parley_budget_{name}{{budget="{budget}"}} (\S+)$', self.metrics(self.ledger), re.M)
        return found and round(float(found[1]), 9)

    def test_200_calls_racing_for_one_limit_do_not_pass_it(self):
        # Worst case estimates: the limit pays for 20 calls and is not passed by a cent, whatever the order.
        self.begin(racers=RACERS, usd=f"{20 * CALL_USD:f}", estimate="worst_case", wait="10s")
        self.race("x")
        self.wait_until(lambda: self.asked("granted", "refused") == 2 * RACERS, "word on every call")
        self.wait_until_settled()
        row, granted = self.budget(), self.asked("granted")
        self.assertLessEqual(row["spent_usd"], row["limit_usd"])
        self.assertEqual(row["spent_nano_usd"], round(granted * CALL_USD * 1e9), "each call once")
        self.assertGreater(granted, 10, "and the limit is not left unused")
        self.assertEqual(row["refused"] + granted, 2 * RACERS)

    def test_a_refusal_says_which_budget_of_whom_and_when_it_resets(self):
        self.begin(usd="0")
        code, _, errors = self.ask("one/alice")
        self.assertEqual(code, 1)
        self.assertIn("budget_exceeded", errors)
        self.assertIn("budget 'fleet' (everything, 0.00 USD in total) has no room for", errors)
        self.assertIn("it does not reset by itself", errors)
        self.assertEqual(self.run_parley("budget", "set", "fleet", "--usd", "1")[0], 0)
        code, _, errors = self.ask("one/broke")
        self.assertIn("budget 'talk' (conversation broke, 1 tokens in total)", errors)

    def test_a_refusal_can_be_read_by_programs(self):
        self.begin(usd="0.001")
        code, out, _ = self.run_parley("request", "one/broke", "hello", "--json")
        self.assertEqual(code, 1)
        error = json.loads(out)["error"]
        self.assertEqual((error["code"], error["retryable"]), ("budget_exceeded", False))
        self.assertEqual(error["budget"], {"name": "talk", "scope": "conversation", "subject": "broke", "per": "total",
                                           "limit_tokens": 1, "spent_tokens": 0, "resets_at": None})
        self.assertEqual(self.run_parley("budget", "set", "hourly", "--usd", "0", "--per", "hour")[0], 0)
        _, out, _ = self.run_parley("request", "one/alice", "hello", "--json")
        budget = json.loads(out)["error"]["budget"]
        self.assertEqual((budget["name"], budget["limit_usd"], budget["spent_usd"]), ("hourly", 0, 0))
        self.assertRegex(budget["resets_at"], r"^\d{4}-\d\d-\d\dT\d\d:00:00")

    def test_refusals_do_not_make_a_worker_sick_and_are_counted_as_what_they_are(self):
        self.begin(usd="0")
        for _ in range(6):
            self.assertEqual(self.ask("one/alice")[0], 1)
        self.assertIn('parley_budget_calls_total{outcome="refused"} 6', self.metrics(self.workers["one"]))
        # The page counts turns with the worker's next beat.
        turns = 'parley_agent_turns_total{agent_type="one",outcome="budget_exceeded"} 6'
        self.wait_until(lambda: turns in self.metrics(self.workers["one"]), "count of the refused turns")
        # A success that the worker has told of shows that it has told of the refusals as well.
        self.assertEqual(self.run_parley("budget", "set", "fleet", "--usd", "1")[0], 0)
        self.assertEqual(self.ask("one/alice")[0], 0)
        self.wait_until(lambda: self.vitals_of("one")["successes"] == 1, "heartbeat")
        vitals = self.vitals_of("one")
        self.assertEqual((vitals["failures"], vitals["model_failures"]), (0, 0))

    def vitals_of(self, agent_type):
        code, out, errors = self.run_parley("ps", "--json")
        self.assertEqual(code, 0, errors)
        rows = [row for peer in json.loads(out)["peers"] for row in (peer["vitals"] or {"types": []})["types"]]
        return next((row for row in rows if row["name"] == agent_type), {"successes": 0})

    def test_an_agent_killed_mid_call_is_charged_as_estimated_and_holds_nothing(self):
        self.begin(lease="1s")
        alices = self.parley("request", "one/alice", "slow", "--timeout", "60s")
        self.wait_until(lambda: self.budget()["reserved_usd"] > 0, "reservation")
        held = self.budget()["reserved_usd"]
        bobs = self.parley("request", "two/bob", "slow", "--timeout", "60s")
        self.wait_until(lambda: self.budget()["reserved_usd"] > held, "second reservation")
        self.kill(self.workers["two"])
        self.wait_until(lambda: self.has_expired(1), "end of the killed worker's lease")
        # Hers is older than his, and would be over, too, if her worker had not renewed it.
        row = self.budget()
        self.assertAlmostEqual(row["reserved_usd"], held)
        self.assertGreater(row["spent_usd"], 0)
        self.assertAlmostEqual(row["estimated_usd"], row["spent_usd"])
        bobs_estimate = row["spent_usd"]
        self.kill(self.workers["one"])
        self.wait_until_settled()
        row = self.budget()
        self.assertAlmostEqual(row["spent_usd"], bobs_estimate + held)
        self.assertAlmostEqual(row["estimated_usd"], bobs_estimate + held)
        self.wait_until(lambda: self.has_expired(2), "count of both")
        for request in (alices, bobs):
            request.communicate(timeout=PATIENCE)
            self.assertNotEqual(request.returncode, 0)

    def has_expired(self, count):
        return f'parley_ledger_ended_total{{ending="expired"}} {count}\n' in self.metrics(self.ledger)

    def test_a_worker_that_is_told_to_stop_settles_what_it_has_spent(self):
        self.begin(racers=RACERS, lease="2s")
        self.race("x")
        self.wait_until(lambda: self.asked("granted") >= RACERS, "calls under way")
        granted = self.asked("granted")
        for worker in self.workers.values():
            worker.send_signal(signal.SIGTERM)
            self.assertEqual(worker.wait(timeout=PATIENCE), 0)
        self.wait_until_settled()
        row = self.budget()
        self.assertEqual(row["estimated_usd"], 0)
        self.assertGreaterEqual(row["spent_nano_usd"], round(granted * CALL_USD * 1e9))

    def test_a_cancelled_call_gives_back_what_it_held(self):
        self.begin()
        request = self.parley("request", "one/alice", "slow", "--timeout", "1s")
        self.assertEqual(request.wait(timeout=PATIENCE), 4)
        self.wait_until_settled()
        row = self.budget()
        self.assertGreater(row["spent_usd"], 0, "the provider was asked")
        self.assertLess(row["spent_usd"], CALL_USD)

    def test_the_ledger_killed_and_restarted_keeps_every_cent_and_charges_once(self):
        self.begin(slow="3s", timeout="20s")
        self.assertEqual(self.ask("one/alice")[0], 0)
        self.wait_until_settled()
        slow = [self.parley("request", f"one/s{i}", "slow", "--timeout", "40s") for i in range(5)]
        self.wait_until(lambda: self.budget()["reserved_usd"] > 0, "reservations")
        self.wait_until(lambda: 'parley_ledger_reservations 5' in self.metrics(self.ledger), "five calls under way")
        self.kill(self.ledger)
        # They end while nobody keeps the book, and one more begins.
        late = self.parley("request", "two/late", "hello", "--timeout", "40s")
        self.wait_until(lambda: self.has_waiting_reports("one", len(slow)), "five ends that nobody takes down")
        self.ledger = self.start_ledger()
        for process in (*slow, late):
            process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 0)
        self.wait_until_settled()
        self.wait_until(lambda: self.budget()["spent_nano_usd"] == round(7 * CALL_USD * 1e9), "exact sum of seven calls")
        self.assertEqual(self.budget()["estimated_usd"], 0)

    def has_waiting_reports(self, worker, count):
        return f"parley_budget_reports_waiting {count}\n" in self.metrics(self.workers[worker])

    def test_without_a_ledger_no_call_is_made(self):
        self.begin(timeout="500ms")
        self.kill(self.ledger)
        code, _, errors = self.ask("one/alice")
        # An agent that cannot reach its ledger is no broker that cannot be reached (3).
        self.assertEqual(code, 1)
        self.assertIn("unreachable", errors)
        self.assertIn("the ledger does not answer", errors)

    def test_the_ledger_killed_in_a_storm_of_calls_loses_and_doubles_nothing(self):
        self.begin(racers=RACERS, timeout="30s", usd="10")
        for number in range(5):
            granted, spent = self.asked("granted"), self.budget()["spent_nano_usd"]
            self.race(f"storm{number}")
            # In turn: while calls are under way, and while they report what they have cost.
            if number % 2 == 0:
                self.wait_until(lambda: self.asked("granted") > granted, "first word of this round")
            else:
                self.wait_until(lambda: self.budget()["spent_nano_usd"] > spent, "first report of this round")
            self.kill(self.ledger)
            self.ledger = self.start_ledger()
        calls = 5 * 2 * RACERS
        self.wait_until(lambda: self.asked("granted") == calls, "word on every call")
        self.wait_until_settled()
        # What was never told yet is still being told.
        self.wait_until(lambda: self.budget()["spent_nano_usd"] >= round(calls * CALL_USD * 1e9), "sum of all calls")
        row = self.budget()
        self.assertEqual((row["spent_nano_usd"], row["estimated_usd"]), (round(calls * CALL_USD * 1e9), 0))

    def test_people_change_and_reset_budgets_and_a_restart_keeps_that(self):
        self.begin(usd="0")
        self.assertEqual(self.ask("one/alice")[0], 1)
        self.assertEqual(self.run_parley("budget", "set", "fleet", "--usd", "0.01")[0], 0)
        self.assertEqual(self.ask("one/alice")[0], 0)
        self.wait_until_settled()
        self.kill(self.ledger)
        self.ledger = self.start_ledger()
        self.assertEqual(self.budget()["limit_usd"], 0.01)
        self.assertEqual(self.run_parley("budget", "reset", "fleet")[0], 0)
        self.assertEqual(self.budget()["spent_usd"], 0)
        self.assertEqual(self.run_parley("budget", "set", "fleet", "--default")[0], 0)
        self.assertEqual(self.budget()["limit_usd"], 0)
        self.assertEqual(self.run_parley("budget", "set", "fleet", "--usd", "much")[0], 2)
        self.assertEqual(self.run_parley("budget", "reset", "nothing")[0], 1)

    def test_parley_up_starts_a_ledger_for_a_suite_with_budgets_and_heals_it(self):
        self.config.write_text(config_with(self.settings))
        run = f"{self.folder}/up"
        code, out, errors = self.run_parley("up", "-f", str(self.config), "--run-dir", run, "-d")
        self.assertEqual(code, 0, errors)
        self.addCleanup(lambda: subprocess.run([str(BIN / "parley"), "down", "--run-dir", run], env=clean_environment(),
                                               stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE))
        self.assertEqual(self.ask("one/alice")[0], 0)
        self.wait_until_settled()
        state = json.loads(Path(run, "supervisor.json").read_text())
        ledger = next(process for process in state["processes"] if process["name"] == "ledger")
        os.kill(ledger["pid"], signal.SIGKILL)
        self.assertEqual(self.ask("one/alice", timeout="40s")[0], 0)
        self.wait_until_settled()
        self.assertEqual(self.budget()["spent_nano_usd"], round(2 * CALL_USD * 1e9))

    def test_standalone_keeps_the_same_book_in_its_own_process(self):
        run = Path(self.folder, "up")
        self.config.write_text(config_with(self.settings))
        process = self.spawn("parley", "up", "-f", str(self.config), "--standalone", "--run-dir", str(run))
        while "hosting" not in (line := process.stderr.readline()):
            self.assertTrue(line, "it ended before it was ready")
        self.assertTrue((run / "ledger" / "ledger.db").exists())
        process.terminate()
        self.assertEqual(process.wait(timeout=PATIENCE), 0)

    def test_what_one_run_of_a_file_has_spent_the_next_one_cannot(self):
        self.config.write_text(config_with({**self.settings, "usd": str(1.5 * CALL_USD)}))

        def run():
            process = self.spawn("parley", "run", "--agent", "one", str(self.config), "hello",
                                 env={**clean_environment(), "TMPDIR": self.folder})
            out, errors = process.communicate(timeout=PATIENCE)
            return process.returncode, out, errors
        code, out, errors = run()
        self.assertEqual((code, out.strip()), (0, "echo hello"), errors)
        self.assertIn(f"budgets are kept in {self.folder}/state-home/parley/ledger/", errors)
        code, _, errors = run()
        self.assertEqual(code, 1, errors)
        self.assertIn("budget 'fleet'", errors)

    def test_a_second_ledger_is_kept_out(self):
        self.begin()
        second = self.spawn("parley-ledger", "--config", str(self.config), "--state-dir", f"{self.folder}/ledger",
                            "--broker", self.endpoint)
        _, errors = second.communicate(timeout=PATIENCE)
        self.assertEqual(second.returncode, 2)
        self.assertIn("another ledger uses it", errors)


if __name__ == "__main__":
    unittest.main(verbosity=2)
