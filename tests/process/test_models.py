#!/usr/bin/env python3
"""Models as a worker has them: a chain whose first provider is down, Anthropic's interface, a cache, a recording that is
played back by another worker, and what the metrics say about all of it."""

import json
import re
import stat
import subprocess
import unittest
from pathlib import Path

import processes

RULES = """
prefix: ""
rules:
  - {contains: hello, reply: Hello over HTTP.}
"""

AGENTS = """
models:
  broken: {provider: openai, model: gpt-x, base_url: "http://127.0.0.1:9/v1", api_key_env: "", max_retries: 0,
           circuit_breaker: {failures: 1, open_for: 1h, max_open_for: 1h}}
  claude: {provider: anthropic, model: claude-x, base_url: "URL", api_key_env: "", record: talk.jsonl,
           max_concurrency: 2, cache: {}, price: {input_per_million_usd: 3, output_per_million_usd: 15}}
  main: {provider: fallback, models: [broken, claude]}
agents:
  - {type: hr, kind: assistant, model: main, system_prompt: Be kind.}
"""

REPLAY = """
models:
  main: {provider: replay, file: talk.jsonl, match: request}
agents:
  - {type: echo, kind: assistant, model: main, system_prompt: Be kind.}
"""


class Models(processes.ProcessTest):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.folder)
        self.start_broker()

    def file(self, name, text):
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def worker(self, name, text):
        return self.start("parley-agent", "--config", self.file(name, text), "--broker", self.endpoint).ready()

    def ask(self, target, text):
        return subprocess.run([str(processes.BIN / "parley"), "request", target, text, "--json", "--timeout", "20s",
                               "--broker", self.endpoint], capture_output=True, text=True, timeout=60,
                              env=processes.clean_environment())

    def answer(self, target, text):
        done = self.ask(target, text)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["reply"]

    def test_a_chain_a_cache_and_a_recording(self):
        stub = self.start("parley-stub-model", "--rules", self.file("rules.yaml", RULES)).ready()
        ready = self.worker("agents.yaml", AGENTS.replace("URL", stub["base_url"]))

        first = self.answer("hr/ann", "hello")
        self.assertEqual(first["text"], "Hello over HTTP.")
        # 11 tokens in at 3 dollars a million and 4 out at 15.
        self.assertEqual(first["usage"]["cost_nano_usd"], 93_000)
        self.assertEqual(first["usage"]["cache_write_tokens"], 2)
        again = self.answer("hr/bob", "hello")
        self.assertEqual((again["text"], again["usage"]["cost_nano_usd"]), ("Hello over HTTP.", 0))

        page = processes.get(ready["metrics_port"], "/metrics")[1]
        for line in ['parley_model_circuit_state{configured_model="broken"} 2',
                     'parley_model_circuit_refusals_total{configured_model="broken"} 1',
                     'parley_model_fallbacks_total{configured_model="claude"} 2',
                     'parley_model_cache_lookups_total{configured_model="claude",result="hit"} 1',
                     'parley_model_running_calls{configured_model="claude"} 0']:
            self.assertRegex(page, re.compile("^" + re.escape(line) + "$", re.M))

        self.assertEqual(stat.S_IMODE((self.folder / "talk.jsonl").stat().st_mode), 0o600)
        self.worker("replay.yaml", REPLAY)
        self.assertEqual(self.answer("echo/ann", "hello")["text"], "Hello over HTTP.")
        refused = self.ask("echo/ann2", "goodbye")
        self.assertEqual(refused.returncode, 1)
        self.assertIn('is "goodbye" and was "hello"', refused.stderr)


if __name__ == "__main__":
    unittest.main()
