"""What is tested of the supervisor of pods, whoever serves the Kubernetes API: the supervisor, the broker and the agents are
real processes."""

import re
import signal
from pathlib import Path

from processes import BIN, PATIENCE, ProcessTest, clean_environment, get

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


class PodSupervisorTest(ProcessTest):
    """A subclass makes the API, which has one pod then."""

    def setUp(self):
        super().setUp()
        self.files = Path(self.folder)
        self.config = self.files / "agents.yaml"
        self.config.write_text(AGENTS)
        self.token = self.files / "token"
        self.logs = 0
        self.start_logged("parley-broker", "--listen", self.endpoint, "--log-level", "warn")
        self.api = self.make_api()
        self.addCleanup(self.api.stop)
        self.token.write_text(self.api.token + "\n")
        self.api.create_pod()

    def tearDown(self):
        self.api.is_stopping = True

    def make_api(self):
        raise NotImplementedError

    def start_logged(self, program, *arguments):
        """A daemon whose `log` can be read while it runs."""
        self.logs += 1
        path = self.files / f"{program}-{self.logs}.log"
        with open(path, "wb") as log:
            process = self.start_daemon(program, *arguments, stderr=log)
        process.log = path
        return process

    def start_agent(self, name):
        return self.start_logged("parley-agent", "--config", str(self.config), "--name", name, "--broker", self.endpoint,
                                 "--drain-timeout", "1s")

    def start_supervisor(self, *flags):
        self.supervisor = self.start_logged("parley-supervisor", "--kubernetes", *self.api.supervisor_flags(),
                                            "--namespace", "parley", "--token-file", str(self.token), "--broker",
                                            self.endpoint, *flags)

    def supervise(self, *flags):
        self.start_supervisor(*flags)
        self.wait_until(lambda: self.page("/readyz")[0] == 200, "supervisor that is ready")

    def page(self, path):
        return get(self.supervisor.ready["metrics_port"], path)

    def log(self):
        return self.supervisor.log.read_text()

    def events(self):
        """event → how often, from the metrics page."""
        found = re.findall(r'^parley_supervisor_events_total\{event="(\w+)"\} (\d+)', self.page("/metrics")[1], re.M)
        return {event: int(count) for event, count in found if int(count)}

    def restarts(self):
        found = re.findall(r'^parley_supervisor_restarts_total\{process="([^"]+)",reason="(\w+)"\} (\d+)',
                           self.page("/metrics")[1], re.M)
        return {(process, reason): int(count) for process, reason, count in found if int(count)}

    def wait_until(self, condition, what):
        try:
            super().wait_until(condition, what)
        except AssertionError as failure:
            told = self.log() if hasattr(self, "supervisor") else ""
            raise AssertionError(f"{failure}; the supervisor's log:\n{told}") from None

    def parley(self, *arguments):
        process = self.spawn("parley", *arguments, "--broker", self.endpoint)
        process.out, process.errors = process.communicate(timeout=PATIENCE)
        return process

    def make_sick(self):
        """A handler that never ends."""
        self.spawn("parley", "request", "hr/x", "hang", "--timeout", "10m", "--broker", self.endpoint)

    def wait_for_one_pod(self):
        self.wait_until(lambda: len(self.api.pods) == 1 and self.api.running(), "pod")
        self.wait_until(lambda: self.api.running()[0].name in self.parley("ps", "--json").out, "worker")

    def wait_for_ready_pods(self, count, what):
        self.wait_until(lambda: self.events().get("agent_ready") == count, what)


class AnyApi:
    """The tests that hold for a stub and for the real thing."""

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
        self.assertIn("echo hello", reply.out)
        told = self.parley("events", "--json", "--node", "parley").out
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

    def test_stops_deleting_what_is_sick_again_and_again(self):
        self.supervise("--max-deletions", "1", "--state-file", str(self.files / "state.json"))
        for count in (1, 2):
            # The old pod is gone when the new one is to be sick: it may still have the agent that the message is for.
            self.wait_for_one_pod()
            self.make_sick()
            self.wait_until(lambda: len(self.api.deletions) == count, f"deletion {count}")
            if count == 1:
                self.wait_until(lambda: self.events().get("agent_restarted") == 1, "replacement")
        self.wait_until(lambda: self.events().get("quarantined") == 1, "quarantine")
        self.assertIn("more than 1 failures", self.log())
        # Its successor remembers.
        self.supervisor.kill()
        self.supervisor.wait()
        self.wait_for_one_pod()
        self.supervise("--max-deletions", "1", "--state-file", str(self.files / "state.json"))
        self.wait_until(lambda: self.events().get("agent_ready"), "pod")
        self.make_sick()
        self.wait_until(lambda: len(self.api.deletions) == 3, "deletion by the successor")
        self.wait_until(lambda: self.events().get("quarantined") == 1, "quarantine by the successor")

    def test_says_once_that_it_may_not_delete(self):
        self.api.forbid_deletions()
        self.supervise()
        self.wait_for_ready_pods(1, "first pod")
        self.make_sick()
        self.wait_until(lambda: self.events().get("agent_killed"), "second try")
        log = self.log()
        self.assertEqual(log.count("event=pod_not_deleted"), 1, log)
        self.assertIn("is forbidden", log)

    def test_restarts_a_pod_by_order_and_leaves_all_pods_alone_when_it_ends(self):
        self.supervise()
        self.wait_for_ready_pods(1, "first pod")
        first = self.api.running()[0].name
        done = self.parley("worker", "restart", first, "--node", "parley")
        self.assertEqual(done.returncode, 0, done.errors)
        self.wait_until(lambda: [name for name, _ in self.api.deletions] == [first], "deletion")
        self.wait_until(lambda: self.events().get("agent_restarted") == 1, "replacement")
        self.supervisor.send_signal(signal.SIGTERM)
        self.assertEqual(self.supervisor.wait(PATIENCE), 0)
        self.assertEqual(len(self.api.deletions), 1)
