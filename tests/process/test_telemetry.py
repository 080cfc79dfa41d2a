#!/usr/bin/env python3
"""Spans of real workers: one conversation through several processes is one trace at the collector, and a collector that is
away costs the agents nothing."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from collector import Collector  # noqa: E402  (it lies beside its test)

BIN = Path(os.environ.get("PARLEY_BIN", Path(__file__).resolve().parents[2] / "build" / "bin"))
PATIENCE = 60

TELEMETRY = """
telemetry:
  otlp_endpoint: {collector}
"""
SUITE = """
models:
  echo:
    provider: offline
    prefix: ""
    rules:
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
      - {type: hr, kind: assistant, model: echo, system_prompt: Repeat.}
"""


class Telemetry(unittest.TestCase):
    def setUp(self):
        # Short, because a socket's path is limited.
        self.folder = tempfile.mkdtemp(prefix="parley-t-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.endpoint = f"ipc://{self.folder}/broker.sock"
        self.environment = {name: value for name, value in os.environ.items()
                            if name != "PARLEY_BROKER" and not name.startswith("OTEL_")}
        self.spawn("parley-broker", "--listen", self.endpoint, "--log-level", "warn")

    def spawn(self, program, *arguments, **variables):
        """A daemon of ours, once it has said that it is ready; with its ready line."""
        log = open(Path(self.folder, f"{program}-{len(os.listdir(self.folder))}.log"), "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen([str(BIN / program), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=log, env={**self.environment, **variables})
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        self.assertTrue(select.select([process.stdout], [], [], PATIENCE)[0], f"{program} is not ready in time")
        process.ready = json.loads(process.stdout.readline())
        process.log = log.name
        return process

    def start(self, collector, names=("proxy", "routing", "people"), **variables):
        suite = Path(self.folder, "parley.yaml")
        suite.write_text((TELEMETRY.format(collector=collector) if collector else "") + SUITE)
        return {name: self.spawn("parley-agent", "--config", str(suite), "--worker", name, "--broker", self.endpoint,
                                 **variables) for name in names}

    def ask(self, *more, target="user_proxy/alice"):
        done = subprocess.run([BIN / "parley", "request", target, "my holiday", "--broker", self.endpoint, "--timeout",
                               "30s", "--json", *more], capture_output=True, text=True, timeout=PATIENCE,
                              env=self.environment, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def collector(self):
        collector = Collector()
        self.addCleanup(collector.stop)
        return collector

    def wait_for(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"no {what} within {PATIENCE} s")
            time.sleep(0.05)

    def numbers(self, worker):
        """outcome → spans of a worker, from its metrics page."""
        page = urllib.request.urlopen(f"http://127.0.0.1:{worker.ready['metrics_port']}/metrics", timeout=PATIENCE)
        text = page.read().decode()
        return {outcome: float(value) for outcome, value in
                re.findall(r'^parley_telemetry_spans_total\{outcome="(\w+)"\} (\S+)', text, re.M)}

    def test_of_one_conversation_are_one_trace_through_all_processes(self):
        collector = self.collector()
        workers = self.start(collector.base)
        self.ask()
        names = ["process user_proxy", "request router", "process router", "request hr", "process hr", "chat offline"]
        self.wait_for(lambda: all(collector.named(name) for name in names), f"spans {names}")
        spans = {name: collector.named(name)[0] for name in names}
        self.assertEqual({span["traceId"] for span in spans.values()}, {spans["process user_proxy"]["traceId"]})
        self.assertNotIn("parentSpanId", spans["process user_proxy"])
        for child, parent in [("request router", "process user_proxy"), ("process router", "request router"),
                              ("request hr", "process user_proxy"), ("process hr", "request hr"),
                              ("chat offline", "process hr")]:
            self.assertEqual(spans[child]["parentSpanId"], spans[parent]["spanId"], f"{child} in {parent}")
        for name, service in [("process user_proxy", "proxy"), ("process router", "routing"), ("process hr", "people")]:
            self.assertEqual(spans[name]["about"]["service.name"], service)
        call = spans["chat offline"]["values"]
        self.assertEqual((call["gen_ai.operation.name"], call["gen_ai.provider.name"]), ("chat", "offline"))
        self.assertEqual((call["gen_ai.usage.input_tokens"], call["gen_ai.usage.output_tokens"]), (12, 3))
        self.assertEqual(call["gen_ai.agent.name"], "hr")
        self.assertEqual(spans["process hr"]["values"]["messaging.system"], "zeromq")
        self.assertNotIn("holiday", json.dumps(collector.spans), "what people say is nobody else's business")
        self.assertEqual((collector.paths, collector.types), ({"/v1/traces"}, {"application/json"}))
        self.wait_for(lambda: self.numbers(workers["people"])["exported"] >= 2, "exported spans on the metrics page")

    def test_are_recorded_under_the_id_that_parley_trace_prints(self):
        collector = self.collector()
        self.start("", ["people"], OTEL_EXPORTER_OTLP_ENDPOINT=collector.base)
        told = self.ask("--trace", target="hr/alice")
        self.wait_for(lambda: collector.named("process hr"), "span")
        self.assertIn(collector.named("process hr")[0]["traceId"], told.stdout + told.stderr)

    def test_are_sent_at_the_end_of_a_worker(self):
        collector = self.collector()
        worker = self.start(collector.base, ["people"])["people"]
        self.ask(target="hr/alice")
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(worker.wait(PATIENCE), 0)
        self.assertTrue(collector.named("process hr") and collector.named("chat offline"))

    def test_are_dropped_and_counted_when_the_collector_is_away_and_agents_do_not_notice(self):
        worker = self.start("http://127.0.0.1:1", ["people"])["people"]
        for number in range(3):
            self.ask(target=f"hr/{number}")
        self.assertEqual(self.numbers(worker)["exported"], 0)
        begin = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(worker.wait(PATIENCE), 0)
        self.assertLess(time.monotonic() - begin, 10)
        log = Path(worker.log).read_text()
        self.assertEqual(log.count("event=telemetry_failing"), 1, log)
        self.assertRegex(log, r"event=telemetry_stopped exported=0 refused=0 dropped=6")

    def test_are_off_by_default(self):
        collector = self.collector()
        worker = self.start("", ["people"])["people"]
        self.ask(target="hr/alice")
        self.assertEqual(self.numbers(worker), {"exported": 0, "refused": 0, "dropped": 0})
        self.assertNotIn("telemetry", Path(worker.log).read_text())
        self.assertEqual(collector.spans, [])

    def test_configuration_is_checked(self):
        suite = Path(self.folder, "wrong.yaml")
        suite.write_text(TELEMETRY.format(collector="localhost:4318") + "  sample_ratio: 2\n  endpoint: x\n" + SUITE)
        done = subprocess.run([BIN / "parley", "config", "validate", suite], capture_output=True, text=True,
                              timeout=PATIENCE, env=self.environment, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        for key in ("otlp_endpoint", "sample_ratio", "endpoint"):
            self.assertIn(f"telemetry.{key}", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
