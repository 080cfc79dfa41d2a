#!/usr/bin/env python3
"""The supervisor of pods, as a real process, with a real broker and real agents, against a stub of the Kubernetes API."""

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
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kube_api import KubeApi  # noqa: E402  (it lies beside its test)

BIN = Path(os.environ.get("PARLEY_BIN", Path(__file__).resolve().parents[2] / "build" / "bin"))
PATIENCE = 60

AGENTS = """
models:
  echo:
    provider: offline
    prefix: ""
    rules:
      - {regex: '^hang$', reply: late, latency: 600s}
      - {regex: '(.*)', reply: 'echo $1'}
agents:
  - {type: hr, kind: assistant, model: echo, system_prompt: Repeat., handler_progress_timeout: 1s}
"""


def clean_environment():
    return {name: value for name, value in os.environ.items()
            if name != "PARLEY_BROKER" and not name.startswith("KUBERNETES_")}


class PodSupervisor(unittest.TestCase):
    def setUp(self):
        # Short, because a socket's path is limited.
        self.folder = Path(tempfile.mkdtemp(prefix="parley-n-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.endpoint = f"ipc://{self.folder}/broker.sock"
        self.config = self.folder / "agents.yaml"
        self.config.write_text(AGENTS)
        self.token = self.folder / "token"
        self.token.write_text("first-token\n")
        self.logs = 0
        self.spawn("parley-broker", "--listen", self.endpoint, "--log-level", "warn")
        self.api = KubeApi(self.start_agent, "first-token")
        self.addCleanup(self.api.stop)
        self.api.create_pod()

    def tearDown(self):
        self.api.is_stopping = True

    def spawn(self, program, *arguments):
        """A daemon of ours, once it has said that it is ready."""
        self.logs += 1
        log = open(self.folder / f"{program}-{self.logs}.log", "wb")
        process = subprocess.Popen([BIN / program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=log, env=clean_environment())
        log.close()
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        if not select.select([process.stdout], [], [], PATIENCE)[0]:
            raise AssertionError(f"{program} is not ready in time")
        process.ready = json.loads(process.stdout.readline())
        process.log = Path(log.name)
        return process

    def start_agent(self, name):
        return self.spawn("parley-agent", "--config", self.config, "--name", name, "--broker", self.endpoint,
                          "--drain-timeout", "1s")

    def supervise(self, *flags):
        self.supervisor = self.spawn("parley-supervisor", "--kubernetes", "--api-server", self.api.url, "--namespace",
                                     "parley", "--token-file", self.token, "--broker", self.endpoint, *flags)
        self.wait_until(lambda: self.page("/readyz")[0] == 200, "supervisor that is ready")
        return self.supervisor

    def page(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.supervisor.ready['metrics_port']}{path}",
                                        timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def events(self):
        """event → how often, from the metrics page."""
        found = re.findall(r'^parley_supervisor_events_total\{event="(\w+)"\} (\d+)', self.page("/metrics")[1], re.M)
        return {event: int(count) for event, count in found if int(count)}

    def restarts(self):
        found = re.findall(r'^parley_supervisor_restarts_total\{process="([^"]+)",reason="(\w+)"\} (\d+)',
                           self.page("/metrics")[1], re.M)
        return {(process, reason): int(count) for process, reason, count in found if int(count)}

    def wait_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                told = self.supervisor.log.read_text() if hasattr(self, "supervisor") else ""
                self.fail(f"no {what} within {PATIENCE} s; the supervisor's log:\n{told}")
            time.sleep(0.05)

    def parley(self, *arguments):
        return subprocess.run([BIN / "parley", *arguments, "--broker", self.endpoint], capture_output=True, text=True,
                              timeout=PATIENCE, env=clean_environment(), check=False)

    def make_sick(self):
        """A handler that never ends."""
        caller = subprocess.Popen([BIN / "parley", "request", "hr/x", "hang", "--timeout", "10m", "--broker", self.endpoint],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env=clean_environment())
        self.addCleanup(caller.wait, PATIENCE)
        self.addCleanup(caller.kill)

    def test_deletes_a_pod_that_is_unhealthy_and_sees_its_replacement_come_up(self):
        self.supervise()
        first = self.api.running()[0].name
        self.wait_until(lambda: self.events().get("agent_ready"), "first pod")
        self.make_sick()
        self.wait_until(lambda: self.api.deletions, "deletion")
        self.assertEqual(self.api.deletions[0], (first, 5))
        self.wait_until(lambda: self.events().get("agent_restarted"), "replacement")
        self.assertEqual(self.restarts(), {("hr.0", "health"): 1})
        reply = self.parley("request", "hr/y", "hello", "--timeout", "20s")
        self.assertIn("echo hello", reply.stdout)
        told = self.parley("events", "--json", "--node", "parley").stdout
        self.assertIn('"agent_unhealthy"', told)
        self.assertIn('"node":"parley"', told)
        self.assertEqual(len(self.api.deletions), 1)

    def test_leaves_crashes_to_the_kubelet(self):
        self.supervise()
        self.wait_until(lambda: self.events().get("agent_ready"), "first pod")
        for count in range(1, 3):
            self.api.running()[0].process.send_signal(signal.SIGSEGV)
            self.wait_until(lambda: self.events().get("agent_crashed") == count, "crash")
            self.wait_until(lambda: self.events().get("agent_restarted") == count, "container that is back")
        self.assertEqual(self.api.deletions, [])
        self.assertEqual(self.restarts(), {("hr.0", "crash"): 2})

    def test_lists_anew_when_the_server_has_forgotten_where_the_watch_was(self):
        self.supervise()
        self.wait_until(lambda: self.events().get("agent_ready") == 1, "first pod")
        for number, forget in enumerate(["in the watch", "at its beginning", "not at all"], start=2):
            lists = sum("watch" not in path for _, path in self.api.requests)
            if forget == "in the watch":
                self.api.fail_watches(410)
            elif forget == "at its beginning":
                self.api.bookmark()
                self.api.forget_before = self.api.version + 100
                self.api.version += 200
                self.api.end_watches()
            else:
                self.api.end_watches()
            if forget != "not at all":
                self.wait_until(lambda: sum("watch" not in path for _, path in self.api.requests) > lists, "list")
            self.wait_until(lambda: self.api.watchers, "watch")
            self.api.create_pod()
            self.wait_until(lambda: self.events().get("agent_ready") == number, f"pod, forgotten {forget}")
        self.assertEqual(sum("watch" not in path for _, path in self.api.requests), lists, "a watch that ended goes on")
        self.assertNotIn("api_away", self.events())

    def test_says_when_the_api_is_away_and_catches_up(self):
        self.supervise()
        self.wait_until(lambda: self.events().get("agent_ready") == 1, "first pod")
        self.api.go_away()
        self.wait_until(lambda: self.page("/readyz")[0] == 503, "supervisor that is not ready")
        self.assertIn("Kubernetes API", self.page("/readyz")[1])
        self.assertEqual(self.page("/livez")[0], 200)
        self.api.create_pod()
        self.api.come_back()
        self.wait_until(lambda: self.events().get("agent_ready") == 2, "pod that came meanwhile")
        self.wait_until(lambda: self.events().get("api_back") == 1, "word that the API is back")
        self.assertEqual(self.events()["api_away"], 1)

    def test_reads_its_token_anew(self):
        self.supervise()
        self.wait_until(lambda: self.events().get("agent_ready") == 1, "first pod")
        self.token.write_text("second-token\n")
        self.api.token = "second-token"
        self.api.end_watches()
        self.wait_until(lambda: self.api.watchers, "watch with the new token")
        self.api.create_pod()
        self.wait_until(lambda: self.events().get("agent_ready") == 2, "second pod")
        self.assertNotIn("api_away", self.events())

    def test_stops_deleting_what_is_sick_again_and_again(self):
        self.supervise("--max-deletions", "1", "--state-file", self.folder / "state.json")
        for count in (1, 2):
            # The old pod is gone when the new one is to be sick: it may still have the agent that the message is for.
            self.wait_until(lambda: len(self.api.pods) == 1 and self.api.running(), "pod")
            self.wait_until(lambda: self.api.running()[0].name in self.parley("ps", "--json").stdout, "worker")
            self.make_sick()
            self.wait_until(lambda: len(self.api.deletions) == count, f"deletion {count}")
            if count == 1:
                self.wait_until(lambda: self.events().get("agent_restarted") == 1, "replacement")
        self.wait_until(lambda: self.events().get("quarantined") == 1, "quarantine")
        self.assertIn("more than 1 failures", self.supervisor.log.read_text())
        # Its successor remembers.
        self.supervisor.kill()
        self.supervisor.wait()
        self.wait_until(lambda: len(self.api.pods) == 1 and self.api.running(), "replacement")
        self.supervise("--max-deletions", "1", "--state-file", self.folder / "state.json")
        self.wait_until(lambda: self.events().get("agent_ready"), "pod")
        self.wait_until(lambda: self.api.running()[0].name in self.parley("ps", "--json").stdout, "worker")
        self.make_sick()
        self.wait_until(lambda: len(self.api.deletions) == 3, "deletion by the successor")
        self.wait_until(lambda: self.events().get("quarantined") == 1, "quarantine by the successor")

    def test_says_once_that_it_may_not_delete(self):
        self.api.is_forbidden = True
        self.supervise()
        self.wait_until(lambda: self.events().get("agent_ready") == 1, "first pod")
        self.make_sick()
        self.wait_until(lambda: self.events().get("agent_killed"), "second try")
        log = self.supervisor.log.read_text()
        self.assertEqual(log.count("event=pod_not_deleted"), 1, log)
        self.assertIn("is forbidden", log)

    def test_restarts_a_pod_by_order_and_leaves_all_pods_alone_when_it_ends(self):
        self.supervise()
        self.wait_until(lambda: self.events().get("agent_ready") == 1, "first pod")
        first = self.api.running()[0].name
        done = self.parley("worker", "restart", first, "--node", "parley")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait_until(lambda: self.api.deletions == [(first, None)], "deletion")
        self.wait_until(lambda: self.events().get("agent_restarted") == 1, "replacement")
        self.supervisor.send_signal(signal.SIGTERM)
        self.assertEqual(self.supervisor.wait(PATIENCE), 0)
        self.assertEqual(len(self.api.deletions), 1)


if __name__ == "__main__":
    if not (BIN / "parley-supervisor").exists():
        print("SKIPPED: parley-supervisor is not built")
        sys.exit(77)
    unittest.main(verbosity=2)
