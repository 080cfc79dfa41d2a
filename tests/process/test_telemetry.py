#!/usr/bin/env python3
"""Spans of real processes: one conversation through several workers is one trace at the collector, with its tools and
models; a suite in one process exports the same; a collector that is away costs the agents nothing."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from collector import Collector  # noqa: E402  (it lies beside its test)
from processes import PATIENCE, ProcessTest, clean_environment, get  # noqa: E402

TELEMETRY = """
telemetry:
  otlp_endpoint: {collector}
"""
SUITE = """
tools:
  books: {type: sql, description: The books., database: books.db}
models:
  echo:
    provider: offline
    prefix: ""
    rules:
      - {after_tool: books, tool_result_regex: '(.*)', reply: 'looked up'}
      - {contains: revenue, tool_calls: [{name: books, arguments: {query: "SELECT 40 + 2 AS secret"}}]}
      - {contains: ledger, tool_calls: [{name: books, arguments: {question: "secret"}}]}
      - {regex: '(.*)', reply: 'echo $1', input_tokens: 12, output_tokens: 3}
workers:
  - name: proxy
    agents:
      - {type: user_proxy, kind: user_proxy, router: router}
  - name: routing
    agents:
      - type: router
        kind: semantic_router
        classifier: phrases
        routes: [{name: hr, agent_type: hr, description: people, phrases: [holiday]}]
  - name: people
    agents:
      - {type: hr, kind: assistant, model: echo, tools: [books], system_prompt: Repeat.}
"""


class Telemetry(ProcessTest):
    def setUp(self):
        super().setUp()
        sqlite3.connect(Path(self.folder, "books.db")).close()
        self.collector = Collector()
        self.addCleanup(self.collector.stop)

    def suite(self, collector):
        suite = Path(self.folder, "parley.yaml")
        suite.write_text((TELEMETRY.format(collector=collector) if collector else "") + SUITE)
        return str(suite)

    def start_workers(self, collector, names=("proxy", "routing", "people"), variables=None):
        self.start_broker()
        suite = self.suite(collector)
        return {name: self.start_daemon("parley-agent", "--config", suite, "--worker", name, "--broker", self.endpoint,
                                        env={**clean_environment(), **(variables or {})}) for name in names}

    def ask(self, *more, target="user_proxy/alice", text="my holiday"):
        asking = self.spawn("parley", "request", target, text, "--broker", self.endpoint, "--timeout", "30s", "--json",
                            *more)
        out, problems = asking.communicate(timeout=PATIENCE)
        self.assertEqual(asking.returncode, 0, problems)
        return out + problems

    def spans(self, *names):
        """The first of each name, once there is one."""
        self.wait_until(lambda: all(self.collector.named(name) for name in names), f"spans {names}")
        return {name: self.collector.named(name)[0] for name in names}

    def assert_parents(self, spans, *pairs):
        self.assertEqual(len({span["traceId"] for span in spans.values()}), 1)
        for child, parent in pairs:
            self.assertEqual(spans[child]["parentSpanId"], spans[parent]["spanId"], f"{child} in {parent}")

    def end_well(self, worker):
        """SIGTERM; the log of the worker."""
        worker.send_signal(signal.SIGTERM)
        _, log = worker.communicate(timeout=PATIENCE)
        self.assertEqual(worker.returncode, 0, log)
        return log

    @staticmethod
    def numbers(worker):
        """outcome → spans of a worker, from its metrics page."""
        _, text = get(worker.ready["metrics_port"], "/metrics")
        return {outcome: float(value) for outcome, value in
                re.findall(r'^parley_telemetry_spans_total\{outcome="(\w+)"\} (\S+)', text, re.M)}

    def test_of_one_conversation_are_one_trace_through_all_processes(self):
        workers = self.start_workers(self.collector.base)
        self.ask()
        spans = self.spans("process user_proxy", "request router", "process router", "request hr", "process hr",
                           "chat offline")
        self.assertNotIn("parentSpanId", spans["process user_proxy"])
        self.assert_parents(spans, ("request router", "process user_proxy"), ("process router", "request router"),
                            ("request hr", "process user_proxy"), ("process hr", "request hr"),
                            ("chat offline", "process hr"))
        for name, service in [("process user_proxy", "proxy"), ("process router", "routing"), ("process hr", "people")]:
            self.assertEqual(spans[name]["about"]["service.name"], service)
        call = spans["chat offline"]["values"]
        self.assertEqual((call["gen_ai.operation.name"], call["gen_ai.provider.name"]), ("chat", "offline"))
        self.assertEqual((call["gen_ai.usage.input_tokens"], call["gen_ai.usage.output_tokens"]), (12, 3))
        self.assertEqual(call["gen_ai.agent.name"], "hr")
        self.assertEqual(spans["process hr"]["values"]["messaging.system"], "zeromq")
        self.assertNotIn("holiday", json.dumps(self.collector.spans), "what people say is nobody else's business")
        self.assertEqual((self.collector.paths, self.collector.types), ({"/v1/traces"}, {"application/json"}))
        self.wait_until(lambda: self.numbers(workers["people"])["exported"] >= 2, "exported spans on the metrics page")

    def test_of_a_tool_stand_between_those_of_the_model_and_say_how_it_ended(self):
        self.start_workers(self.collector.base, ["people"])
        self.ask(target="hr/alice", text="the revenue?")
        spans = self.spans("process hr", "chat offline", "execute_tool books")
        self.assert_parents(spans, ("chat offline", "process hr"), ("execute_tool books", "process hr"))
        tool = spans["execute_tool books"]
        self.assertEqual(tool["kind"], 1)
        self.assertEqual(tool["values"]["gen_ai.operation.name"], "execute_tool")
        self.assertEqual(tool["values"]["gen_ai.tool.name"], "books")
        self.assertTrue(tool["values"]["gen_ai.tool.call.id"])
        self.assertNotIn("status", tool)
        self.wait_until(lambda: len(self.collector.named("chat offline")) == 2, "second call of the model")
        self.ask(target="hr/bob", text="the ledger?")
        self.wait_until(lambda: len(self.collector.named("execute_tool books")) == 2, "second call of the tool")
        failed = self.collector.named("execute_tool books")[1]
        self.assertEqual((failed["values"]["error.type"], failed["status"]["code"]), ("invalid_arguments", 2))
        self.assertNotIn("secret", json.dumps(self.collector.spans), "nor is what tools are asked")

    def test_of_a_suite_in_one_process_are_those_of_its_workers(self):
        chat = self.spawn("parley", "up", "--standalone", "--chat", "-f", self.suite(self.collector.base),
                          stdin=subprocess.PIPE)
        _, problems = chat.communicate("the holiday revenue?\n", timeout=PATIENCE)
        self.assertEqual(chat.returncode, 0, problems)
        spans = {name: self.collector.named(name)[0] for name in
                 ("process user_proxy", "request hr", "process hr", "chat offline", "execute_tool books")}
        self.assert_parents(spans, ("process hr", "request hr"), ("chat offline", "process hr"),
                            ("execute_tool books", "process hr"))
        self.assertEqual(spans["process hr"]["about"]["service.name"], "standalone")

    def test_are_recorded_under_the_id_that_parley_trace_prints(self):
        self.start_workers("", ["people"], {"OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.base})
        told = self.ask("--trace", target="hr/alice")
        self.assertIn(self.spans("process hr")["process hr"]["traceId"], told)

    def test_are_sent_at_the_end_of_a_worker(self):
        worker = self.start_workers(self.collector.base, ["people"])["people"]
        self.ask(target="hr/alice")
        self.end_well(worker)
        self.assertTrue(self.collector.named("process hr") and self.collector.named("chat offline"))

    def test_are_dropped_and_counted_when_the_collector_is_away_and_agents_do_not_notice(self):
        worker = self.start_workers("http://127.0.0.1:1", ["people"])["people"]
        for number in range(3):
            self.ask(target=f"hr/{number}")
        self.assertEqual(self.numbers(worker)["exported"], 0)
        begin = time.monotonic()
        log = self.end_well(worker)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(log.count("event=telemetry_failing"), 1, log)
        self.assertRegex(log, r"event=telemetry_stopped exported=0 refused=0 dropped=6")

    def test_are_off_by_default(self):
        worker = self.start_workers("", ["people"])["people"]
        self.ask(target="hr/alice")
        self.assertEqual(self.numbers(worker), {"exported": 0, "refused": 0, "dropped": 0})
        self.assertNotIn("telemetry", self.end_well(worker))
        self.assertEqual(self.collector.spans, [])

    def test_configuration_is_checked(self):
        suite = Path(self.folder, "wrong.yaml")
        suite.write_text(TELEMETRY.format(collector="localhost:4318") + "  sample_ratio: 2\n  endpoint: x\n" + SUITE)
        checking = self.spawn("parley", "config", "validate", str(suite))
        out, problems = checking.communicate(timeout=PATIENCE)
        self.assertEqual(checking.returncode, 2, problems)
        for key in ("otlp_endpoint", "sample_ratio", "endpoint"):
            self.assertIn(f"telemetry.{key}", out + problems)


if __name__ == "__main__":
    unittest.main(verbosity=2)
